//! Paths between thermodynamic states, and the ledger of their work.
//!
//! A state is a [`crate::batch::Thermo`]: beta, lambda and its number; a ladder is a slice of them. Everything here moves replicas
//! with [`crate::dynamics::Propagator`]s, changes their `Thermo`, and keeps the books in `ens.log_w`.
//!
//! A [`Path`] is a ladder and a [`Transition`]; [`Anneal`] runs it level by level: annealed importance sampling, switching,
//! sequential Monte Carlo and population annealing differ in its [`AnnealOptions`] only. The log-weight of every replica is
//! always the one towards the level where it stands,
//!
//! ```text
//! log w = -u_k(x_k) - log p_0(x_0) + sum_j<k [log B_j(x_j | x_j+1) - log F_j(x_j+1 | x_j)],
//! ```
//!
//! so E\[w\] = Z_k / Z_0 (Z_k, if p_0 is normalised) at any step size, and the work of a switch is w = -log w, in kT.
//!
//! [`Exchange`] and [`Expanded`] move replicas among the states of a ladder at equilibrium. They are propagators over a propagator, and
//! hand out what MBAR needs of a frame: the state of each replica and its reduced energy at all of them. [`Metadynamics`] raises a bias instead.
//!
//! ```
//! use ergodica::batch::{Coords, Ensemble, Phase};
//! use ergodica::dynamics::{HmcOptions, mala};
//! use ergodica::energy::{Batched, Potential, harmonic::Harmonic};
//! use ergodica::path::*;
//! use ergodica::stream::Root;
//! use std::sync::Arc;
//!
//! # fn main() -> ergodica::Result<()> {
//! // Springs, annealed from beta = 1/4 (drawn exactly) to 1: log Z = (3/2) ln(2 pi).
//! let springs: Arc<dyn Potential> = Arc::new(Batched(Harmonic { k: vec![1.0; 3], centre: vec![0.0; 3] }));
//! let ladder = geometric_betas(0.25, 1.0, 1.0, 50)?;
//! let mover = mala(springs.clone(), &[1.0; 3], HmcOptions { dt: 1.0, ..HmcOptions::default() })?;
//! let kernel = Invariant::new(Box::new(mover), Arc::new(Boltzmann(springs)), 1)?;
//! let phase = Phase::at_rest(Coords::zeros(1000, 3), vec![1.0; 3])?;
//! let mut ens = Ensemble::new(phase, vec![ladder[0]; 1000], Root::new(7, "springs", ""))?;
//!
//! let options = AnnealOptions { resample: Resample::Below(0.5), ..AnnealOptions::default() };
//! let mut run = Anneal::new(Path::new(ladder, Box::new(kernel))?, options)?;
//! run.start_from(&GaussianBase::new(vec![0.0; 3], 2.0)?, &mut ens)?;
//! run.finish(&mut ens)?;
//! assert!((run.log_z(&ens)[0] - 2.7568).abs() < 0.1);
//! # Ok(())
//! # }
//! ```
#![allow(clippy::needless_range_loop)] // plain loops over indices are what becomes vector code in a generic function

mod affine;
mod anneal;
mod base;
mod exchange;
mod expanded;
mod gauss_pair;
mod invariant;
mod known;
mod ladder;
mod ledger;
mod map;
mod metadynamics;
mod momenta;
mod resample;
mod rungs;
mod sams;
mod schedule;
mod split;
mod swaps;
mod target;
mod traffic;
mod ula;
mod wang_landau;

pub use affine::Affine;
pub use anneal::{Anneal, AnnealOptions, Level, Resample, Schedule};
pub use base::{Base, GaussianBase};
pub use exchange::{Exchange, ExchangeOptions, Mixing};
pub use expanded::{Expanded, ExpandedOptions, Weighting};
pub use gauss_pair::{GaussPair, Gaussians};
pub use invariant::{Invariant, Steps};
pub use ladder::{geometric_betas, linear_lambdas, repeat_levels};
pub use ledger::{Path, Way};
pub use map::{Bijection, Escorted, Map};
pub use metadynamics::{Metadynamics, MetadynamicsOptions};
pub use momenta::Canonical;
pub use resample::{Families, ess, families, log_mean_exp, systematic};
pub use rungs::{couplings, spread, temperatures};
pub use sams::Sams;
pub use split::{Scheme, Split};
pub use target::{Boltzmann, Target};
pub use traffic::{RoundTrips, Traffic};
pub use ula::Ula;
pub use wang_landau::WangLandau;

use crate::Result;
use crate::batch::{Ensemble, Resume, State, Thermo};
use crate::dynamics::Tally;

/// A pair of kernels for each of the steps 0 .. K of a path: F_k from level k to level k + 1, B_k back.
///
/// `log w = -u_1(x_K) - log p_0(x_0) + sum_k [log B_k(x_k | x_k+1) - log F_k(x_k+1 | x_k)]`, so E\[w\] = Z_1 / Z_0 at any step size.
///
/// Both kernels of step k run at level k + 1: [`Path`] has set the knobs of `ens` to it. A transition adds the kernels' ratio
/// and nothing else; the energies of the levels are [`Path`]'s, so kinds can follow each other inside a step.
/// A map belongs to the change of the knobs ([`Transition::carry`]): no energy of a new level at an old place is ever needed, and the
/// weights by which replicas are resampled are those after it.
pub trait Transition<S: State>: Resume + Send {
    /// Moves the states as the knobs move along step k, by a bijection, and adds ln |det| of it to `log_det`; forward before F_k,
    /// backward after B_k. Most transitions leave them where they are.
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit.
    fn carry(&mut self, _way: Way, _k: usize, _ens: &mut Ensemble<S>, _log_det: &mut [f64]) -> Result<()> {
        Ok(())
    }

    /// Draws from F_k and adds log B_k - log F_k to `ens.log_w`.
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit.
    fn forward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()>;

    /// Draws from B_k and adds log F_k - log B_k.
    ///
    /// # Errors
    /// As [`Transition::forward`].
    fn backward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()>;

    /// log B_k(from | to) - log F_k(to | from) of a given pair at level k + 1 (`thermo`), the map and its ln |det| included, one number
    /// a replica: replay.
    ///
    /// # Errors
    /// As [`Transition::forward`]; `Error::Run` for a pair that the kernels cannot make.
    fn ledger(&self, k: usize, thermo: &[Thermo], from: &S, to: &S, out: &mut [f64]) -> Result<()>;

    /// What the levels weigh.
    fn target(&self) -> &dyn Target<S>;

    /// Reduced energies of the ensemble as it is; free where the last move has left them.
    ///
    /// # Errors
    /// As [`Transition::forward`].
    fn reduced(&mut self, ens: &mut Ensemble<S>, u: &mut [f64]) -> Result<()> {
        self.target().reduced(ens.state(), ens.thermo(), u)
    }

    /// Work done so far: evaluations of energies (with or without forces), one a replica and call; decisions of Metropolis kernels.
    fn tally(&self) -> Tally;

    /// Step size of the last move, if there is such a thing.
    fn timestep(&self) -> Option<f64> {
        None
    }
}
