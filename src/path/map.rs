//! Bijections: targeted perturbation, escorted switching.

use super::{Target, Transition, Way};
use crate::batch::{Ensemble, Resume, Snapshot, State, Thermo};
use crate::dynamics::Tally;
use crate::{Error, Result};
use std::sync::Arc;

/// A bijection for each step k of a path, with its Jacobian. It acts where the knobs of the step move, at repeated levels not at all.
///
/// It may have parameters, but no state: the same states in, the same out. What it does not move (velocities, say) it leaves alone.
pub trait Bijection<S: State>: Send + Sync {
    /// Moves every replica from x to T_k(x) and writes ln |det dT_k/dx| (0 where volume is kept).
    ///
    /// # Errors
    /// `Error::Shape` when the states do not fit.
    fn forward(&self, k: usize, thermo: &[Thermo], s: &mut S, log_det: &mut [f64]) -> Result<()>;

    /// Moves every replica from y to the x with T_k(x) = y and writes ln |det dx/dy| = -ln |det dT_k/dx|.
    ///
    /// # Errors
    /// As [`Bijection::forward`].
    fn inverse(&self, k: usize, thermo: &[Thermo], s: &mut S, log_det: &mut [f64]) -> Result<()>;

    /// How far two states are apart, one number a replica: replay uses it to tell whether a pair belongs together.
    fn distance(&self, a: &S, b: &S, replica: usize) -> f64;
}

/// F_k: x -> T_k(x), B_k: back.  log B_k - log F_k = ln |det dT_k/dx|.
///
/// With the energies of the levels: phi = u_k+1(T x) - u_k(x) - ln |det dT/dx|, the work of targeted free-energy perturbation.
/// Alone it is one; followed by a kernel in each step ([`Escorted`]) it is escorted switching.
/// Source: Jarzynski, Phys. Rev. E 65, 046122 (2002).
pub struct Map<S: State> {
    bijection: Arc<dyn Bijection<S>>,
    target: Arc<dyn Target<S>>,
    evaluations: u64,
    /// The next evaluation only repeats one from before a resume.
    resumed: bool,
}

/// Two states are the same to a replay when they are this close, relative to nothing: rounding, not physics.
const CLOSE: f64 = 1e-8;

impl<S: State> Map<S> {
    /// Of a bijection; `target` is what the levels weigh.
    pub fn new(bijection: Arc<dyn Bijection<S>>, target: Arc<dyn Target<S>>) -> Self {
        Map { bijection, target, evaluations: 0, resumed: false }
    }
}

fn apply<S: State>(bijection: &dyn Bijection<S>, way: Way, k: usize, ens: &mut Ensemble<S>, log_det: &mut [f64]) -> Result<()> {
    let mut own = vec![0.0; log_det.len()];
    let (state, thermo, _) = ens.parts_mut();
    match way {
        Way::Forward => bijection.forward(k, thermo, state, &mut own)?,
        Way::Backward => bijection.inverse(k, thermo, state, &mut own)?,
    }
    for (sum, own) in log_det.iter_mut().zip(&own) {
        *sum += own;
    }
    Ok(())
}

impl<S: State + Clone> Transition<S> for Map<S> {
    fn carry(&mut self, way: Way, k: usize, ens: &mut Ensemble<S>, log_det: &mut [f64]) -> Result<()> {
        apply(&*self.bijection, way, k, ens, log_det)
    }

    fn forward(&mut self, _k: usize, _ens: &mut Ensemble<S>) -> Result<()> {
        Ok(())
    }

    fn backward(&mut self, _k: usize, _ens: &mut Ensemble<S>) -> Result<()> {
        Ok(())
    }

    fn ledger(&self, k: usize, thermo: &[Thermo], from: &S, to: &S, out: &mut [f64]) -> Result<()> {
        let mut image = from.clone();
        self.bijection.forward(k, thermo, &mut image, out)?;
        for r in 0..out.len() {
            let off = self.bijection.distance(&image, to, r);
            if off > CLOSE {
                return Err(Error::run(
                    format!("replica {r} does not lie where the map of step {k} takes it, but {off} away"),
                    "replay pairs that this map has made",
                ));
            }
        }
        Ok(())
    }

    fn target(&self) -> &dyn Target<S> {
        &*self.target
    }

    fn reduced(&mut self, ens: &mut Ensemble<S>, u: &mut [f64]) -> Result<()> {
        if !std::mem::take(&mut self.resumed) {
            self.evaluations += ens.replicas() as u64;
        }
        self.target.reduced(ens.state(), ens.thermo(), u)
    }

    fn tally(&self) -> Tally {
        Tally { evaluations: self.evaluations, ..Tally::default() }
    }
}

impl<S: State> Resume for Map<S> {
    fn save(&self, to: &mut Snapshot) {
        to.put("evaluations", self.evaluations);
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.evaluations = from.u64("evaluations")?;
        self.resumed = true;
        Ok(())
    }
}

/// F_k = the map T_k, then the kernel of another transition; B_k = that kernel's way back, then the inverse map.
///
/// The work of a step is escorted: u_k+1(T x) - u_k(x) - ln |det dT/dx|. A map that carries each level exactly into the next
/// makes it the same for all x: the difference of free energies.
/// Source: Vaikuntanathan and Jarzynski, Phys. Rev. Lett. 100, 190601 (2008).
pub struct Escorted<S: State> {
    bijection: Arc<dyn Bijection<S>>,
    then: Box<dyn Transition<S>>,
}

impl<S: State> Escorted<S> {
    /// A bijection before the moves of `then`.
    pub fn new(bijection: Arc<dyn Bijection<S>>, then: Box<dyn Transition<S>>) -> Self {
        Escorted { bijection, then }
    }
}

impl<S: State + Clone> Transition<S> for Escorted<S> {
    fn carry(&mut self, way: Way, k: usize, ens: &mut Ensemble<S>, log_det: &mut [f64]) -> Result<()> {
        match way {
            Way::Forward => {
                apply(&*self.bijection, way, k, ens, log_det)?;
                self.then.carry(way, k, ens, log_det)
            }
            Way::Backward => {
                self.then.carry(way, k, ens, log_det)?;
                apply(&*self.bijection, way, k, ens, log_det)
            }
        }
    }

    fn forward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()> {
        self.then.forward(k, ens)
    }

    fn backward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()> {
        self.then.backward(k, ens)
    }

    fn ledger(&self, k: usize, thermo: &[Thermo], from: &S, to: &S, out: &mut [f64]) -> Result<()> {
        let (mut image, mut log_det) = (from.clone(), vec![0.0; out.len()]);
        self.bijection.forward(k, thermo, &mut image, &mut log_det)?;
        self.then.ledger(k, thermo, &image, to, out)?;
        for (out, d) in out.iter_mut().zip(&log_det) {
            *out += d;
        }
        Ok(())
    }

    fn target(&self) -> &dyn Target<S> {
        self.then.target()
    }

    fn reduced(&mut self, ens: &mut Ensemble<S>, u: &mut [f64]) -> Result<()> {
        self.then.reduced(ens, u)
    }

    fn tally(&self) -> Tally {
        self.then.tally()
    }

    fn timestep(&self) -> Option<f64> {
        self.then.timestep()
    }
}

impl<S: State> Resume for Escorted<S> {
    fn save(&self, to: &mut Snapshot) {
        self.then.save(to);
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.then.load(from)
    }
}
