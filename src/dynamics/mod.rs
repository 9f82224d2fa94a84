//! Propagators: one file each. They move the replicas of an ensemble and nothing else.
//!
//! Unadjusted rules (one force a step) are a [`Rule`] run by [`Unadjusted`]; the Metropolised ones share [`Hmc`].
#![allow(clippy::needless_range_loop)] // plain loops over indices are what becomes vector code in a generic function

mod adapt;
mod baoab;
mod cache;
mod center;
mod euler_maruyama;
mod hmc;
mod leimkuhler_matthews;
mod mala;
mod minimise;
mod obabo;
mod registry;
mod unadjusted;
mod velocities;
mod velocity_verlet;

pub use adapt::DualAveraging;
pub use baoab::{Baoab, BaoabRule};
pub use center::{Center, Com};
pub use euler_maruyama::{EulerMaruyama, EulerMaruyamaRule};
pub use hmc::{Hmc, HmcOptions};
pub use leimkuhler_matthews::{LeimkuhlerMatthews, LeimkuhlerMatthewsRule};
pub use mala::mala;
pub use minimise::{Minimise, Minimised, minimise};
pub use obabo::{Obabo, ObaboRule};
pub use registry::{Info, Kind, PROPAGATORS, Parameter, Spec, build};
pub use unadjusted::{Next, Now, Rule, Unadjusted};
pub use velocities::draw_velocities;
pub use velocity_verlet::{VelocityVerlet, VelocityVerletRule};

pub(crate) use baoab::ornstein_uhlenbeck;
pub(crate) use cache::{Cache, bury, fits, freeze, pad, real_lanes, sane, well};

use crate::batch::{Ensemble, Resume, State};
use crate::energy::Potential;
use crate::{Error, Result};
use std::ops::AddAssign;

/// A replica whose positions, as one vector, are longer than this has diverged.
pub const FARTHEST: f64 = 1e9;

/// A rule that moves replicas.
pub trait Propagator<S: State>: Resume + Send {
    /// Takes `steps` steps with every replica that is well. Random numbers are functions of `ens.step`, which is advanced.
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit the potential. A replica that diverges is recorded in `ens.health` and
    /// is no error.
    fn advance(&mut self, ens: &mut Ensemble<S>, steps: u64) -> Result<()>;

    /// Does it leave exp(-u) exactly invariant at every step size (in exact arithmetic)?
    fn exact(&self) -> bool;

    /// Work done so far.
    fn tally(&self) -> Tally;

    /// Kinetic energy of each replica where the propagator samples momenta best (Langevin splittings: at the last O step).
    fn kinetic(&self) -> Option<&[f64]> {
        None
    }

    /// Energy of each replica after the last step, where the propagator knows it.
    fn energy(&self) -> Option<&[f64]> {
        None
    }

    /// Momenta that move: the degrees of freedom without those of the centre of mass, if that is held. A temperature is
    /// 2 K / (k `degrees_of_freedom`).
    fn degrees_of_freedom(&self) -> usize;

    /// Steps of the declared warm-up that are still to come; frames before its end do not sample the target.
    fn warming(&self) -> u64 {
        0
    }

    /// Step size in use: the given one, or the adapted one.
    fn timestep(&self) -> f64;

    /// Does it obey detailed balance with respect to exp(-u), so that it is its own reversal? A sweep in a fixed order leaves
    /// exp(-u) invariant and does not.
    fn reversible(&self) -> bool {
        false
    }

    /// Brings [`Propagator::energy`] and the forces up to date with the ensemble as it is, without a step, and counts what that took.
    ///
    /// Who changes lambdas or the potential between two advances calls it right away, so that a snapshot never lies between a change
    /// and the evaluation that it makes necessary.
    ///
    /// # Errors
    /// As [`Propagator::advance`].
    fn prepare(&mut self, _ens: &mut Ensemble<S>) -> Result<()> {
        Ok(())
    }

    /// Changes the step size.
    ///
    /// # Errors
    /// `Error::Input` when the propagator has none that can change, or for a step that is not positive.
    fn set_timestep(&mut self, dt: f64) -> Result<()> {
        Err(Error::input(format!("the step of this propagator cannot be set to {dt}"), "build it anew, or use hmc or mala"))
    }
}

/// Work of a propagator, summed over replicas that are well (padding not counted).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Energy (with or without force) evaluations: those of steps, and the renewals of forces when the state or the potential has
    /// changed in between. Only that after a resume, which repeats one, is not counted.
    pub evaluations: u64,
    /// Those of them whose forces are used: all of a propagator's, none that only compare the energies of states.
    pub gradients: u64,
    /// Metropolis proposals.
    pub proposed: u64,
    /// Accepted ones.
    pub accepted: u64,
}

/// What every constructor checks.
fn check_step(potential: &dyn Potential, mass: &[f64], dt: f64) -> Result<()> {
    let dof = potential.dof();
    if mass.len() != dof || dof == 0 {
        return Err(Error::Shape { what: "masses of the propagator", expected: dof.max(1), found: mass.len() });
    }
    if let Some((d, m)) = mass.iter().enumerate().find(|(_, m)| !(m.is_finite() && **m > 0.0)) {
        return Err(Error::input(format!("mass of degree of freedom {d} is {m}"), "masses are positive and finite"));
    }
    if !(dt.is_finite() && dt > 0.0) {
        return Err(Error::input(format!("the step is {dt}"), "dt is positive and finite"));
    }
    Ok(())
}

/// A friction constant is positive, or 0 where that makes sense.
fn check_friction(gamma: f64, zero_allowed: bool) -> Result<()> {
    if gamma.is_finite() && (gamma > 0.0 || zero_allowed && gamma == 0.0) {
        return Ok(());
    }
    let remedy = if zero_allowed { "gamma is 0 or more, in 1/time" } else { "gamma is positive, in 1/time" };
    Err(Error::input(format!("the friction is {gamma}"), remedy))
}

impl Tally {
    /// Evaluations whose forces are used.
    pub(crate) fn with_forces(&mut self, evaluations: u64) {
        self.evaluations += evaluations;
        self.gradients += evaluations;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.evaluations += other.evaluations;
        self.gradients += other.gradients;
        self.proposed += other.proposed;
        self.accepted += other.accepted;
    }
}

impl Resume for Tally {
    fn save(&self, to: &mut crate::batch::Snapshot) {
        to.put("evaluations", self.evaluations);
        to.put("gradients", self.gradients);
        to.put("proposed", self.proposed);
        to.put("accepted", self.accepted);
    }
    fn load(&mut self, from: &crate::batch::Snapshot) -> Result<()> {
        *self = Tally {
            evaluations: from.u64("evaluations")?,
            gradients: from.u64("gradients")?,
            proposed: from.u64("proposed")?,
            accepted: from.u64("accepted")?,
        };
        Ok(())
    }
}
