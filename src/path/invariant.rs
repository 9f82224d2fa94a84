//! Kernels that leave their level invariant: HMC, MALA, every exact propagator.

use super::{Target, Transition};
use crate::batch::{Ensemble, Resume, Snapshot, State, Thermo};
use crate::dynamics::{Propagator, Tally};
use crate::real::Real;
use crate::{Error, Result};
use std::sync::Arc;

/// Where the step sizes of the levels come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Steps {
    /// The propagator's own at every level.
    Fixed,
    /// One for each step k of the path: what a pilot run found.
    Each(Vec<f64>),
    /// ln dt grows by (acceptance - target) after every step of the path.
    ///
    /// The kernel of step k + 1 then depends on the population it moves: E\[w\] is Z_1 / Z_0 up to O(1/N), not exactly. Freeze
    /// the steps of a pilot run into [`Steps::Each`] to be exact. The acceptance is the share of accepted proposals of all
    /// replicas, the same for any number of threads.
    /// Source: Beskos, Jasra, Kantas and Thiery, Ann. Appl. Probab. 26, 1111 (2016) (adaptive SMC: consistency and CLT).
    Adapt {
        /// Acceptance to aim at: 0.574 for MALA, 0.65 to 0.8 for HMC.
        acceptance: f64,
    },
}

/// F_k = `steps` steps of a propagator that leaves level k + 1 invariant, B_k = its reversal.
///
///   log B_k(x | x') - log F_k(x' | x) = u_k+1(x') - u_k+1(x)
///
/// With the energies of the levels this adds up to log w = -sum_k [u_k+1(x_k) - u_k(x_k)]: annealed importance sampling, Jarzynski's
/// work, sequential Monte Carlo. Momenta do not count: the propagator redraws them.
///
/// Takes only propagators whose `exact()` is true: an unadjusted integrator would bias every weight in silence. A walk
/// backward needs one that is its own reversal (`reversible()`).
/// Cost of a step of the path: one evaluation for the knobs, none where they change beta alone, and those of the propagator. The first
/// of all takes one more, by which the propagator's energy is held against the target's.
/// Source: Neal, Stat. Comput. 11, 125 (2001); Jarzynski, Phys. Rev. Lett. 78, 2690 (1997).
pub struct Invariant<S: State> {
    propagator: Box<dyn Propagator<S>>,
    target: Arc<dyn Target<S>>,
    steps: u64,
    sizes: Steps,
    /// Step size of the last move.
    used: f64,
    /// Reduced energies of the ensemble, if its epoch still is the one beside them.
    u: Vec<f64>,
    key: Option<u64>,
    checked: bool,
    /// Evaluations beside the propagator's own.
    renewed: u64,
    /// The next evaluation only repeats one from before a resume.
    resumed: bool,
}

impl<S: State> Invariant<S> {
    /// `steps` steps of `propagator` a level; `target` is what it leaves invariant.
    ///
    /// # Errors
    /// `Error::Input` for a propagator that is not exact or still adapts, a target that counts momenta, or 0 steps.
    pub fn new(propagator: Box<dyn Propagator<S>>, target: Arc<dyn Target<S>>, steps: u64) -> Result<Self> {
        if !propagator.exact() {
            return Err(Error::input(
                "this propagator does not leave exp(-u) invariant, so that weights made with it would be biased",
                "take hmc or mala, or the unadjusted kernels that book their own ratio: Split (obabo, baoab), GaussPair (ula)",
            ));
        }
        if propagator.warming() > 0 {
            return Err(Error::input(
                format!("the propagator adapts during its first {} steps", propagator.warming()),
                "build it with warmup = 0; Steps::Adapt tunes it level by level",
            ));
        }
        if target.counts_momenta() {
            return Err(Error::input(
                "the target counts momenta, which this kernel redraws",
                "take Boltzmann as the target, or Split as the kernel",
            ));
        }
        if steps == 0 {
            return Err(Error::input("0 steps a level do not move", "steps_per_level is 1 or more"));
        }
        Ok(Invariant {
            used: propagator.timestep(),
            propagator,
            target,
            steps,
            sizes: Steps::Fixed,
            u: Vec::new(),
            key: None,
            checked: false,
            renewed: 0,
            resumed: false,
        })
    }

    /// With other step sizes than the propagator's own.
    ///
    /// # Errors
    /// `Error::Input` for an acceptance outside (0, 1), a size that is not positive, or a propagator whose step cannot change.
    pub fn with_sizes(mut self, sizes: Steps) -> Result<Self> {
        match &sizes {
            Steps::Fixed => {}
            Steps::Each(list) => {
                for dt in list {
                    self.propagator.set_timestep(*dt)?;
                }
            }
            Steps::Adapt { acceptance } => {
                if !(*acceptance > 0.0 && *acceptance < 1.0) {
                    return Err(Error::input(format!("the target acceptance is {acceptance}"), "it lies between 0 and 1"));
                }
                self.propagator.set_timestep(self.propagator.timestep())?;
            }
        }
        self.sizes = sizes;
        Ok(self)
    }

    /// Energies of the ensemble as it is, kept until it changes.
    fn refresh(&mut self, ens: &mut Ensemble<S>) -> Result<()> {
        if self.key == Some(ens.epoch()) && self.u.len() == ens.replicas() {
            return Ok(());
        }
        self.propagator.prepare(ens)?;
        let counts = !std::mem::take(&mut self.resumed);
        self.measure(ens, counts)
    }

    /// Takes the energies that the propagator has just computed, or the target's (an evaluation, which `counts` or not).
    fn measure(&mut self, ens: &Ensemble<S>, counts: bool) -> Result<()> {
        let n = ens.replicas();
        self.u.resize(n, 0.0);
        match self.propagator.energy() {
            Some(energy) if energy.len() == n => {
                for r in 0..n {
                    self.u[r] = ens.thermo()[r].beta * energy[r];
                }
                if !self.checked {
                    self.agree(ens)?;
                    self.renewed += if counts { n as u64 } else { 0 };
                }
            }
            _ => {
                self.target.reduced(ens.state(), ens.thermo(), &mut self.u)?;
                self.renewed += if counts { n as u64 } else { 0 };
            }
        }
        self.checked = true;
        self.key = Some(ens.epoch());
        Ok(())
    }

    /// Once a run: is the propagator's energy the target's?
    fn agree(&self, ens: &Ensemble<S>) -> Result<()> {
        let mut u = vec![0.0; ens.replicas()];
        self.target.reduced(ens.state(), ens.thermo(), &mut u)?;
        for (r, (a, b)) in self.u.iter().zip(&u).enumerate() {
            if (a - b).abs() > 1e-9 * (1.0 + a.abs()) {
                return Err(Error::input(
                    format!("replica {r} has reduced energy {a} for the propagator and {b} for the target"),
                    "build both from the same potential: the kernel must leave the target invariant",
                ));
            }
        }
        Ok(())
    }

    /// Either way: F_k and B_k are one kernel, and the ratio of its way there and its way back is u after - u before.
    fn run(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()> {
        if let Steps::Each(sizes) = &self.sizes {
            let Some(dt) = sizes.get(k) else {
                return Err(Error::Shape { what: "step sizes of the path", expected: k + 1, found: sizes.len() });
            };
            self.propagator.set_timestep(*dt)?;
        }
        self.refresh(ens)?;
        let before = self.u.clone();
        self.used = self.propagator.timestep();
        self.propagator.advance(ens, self.steps)?;
        self.measure(ens, true)?;
        for r in 0..before.len() {
            ens.log_w[r] += self.u[r] - before[r];
        }
        Ok(())
    }
}

impl<S: State> Transition<S> for Invariant<S> {
    fn forward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()> {
        let before = self.propagator.tally();
        self.run(k, ens)?;
        if let Steps::Adapt { acceptance } = self.sizes {
            let after = self.propagator.tally();
            let proposed = after.proposed - before.proposed;
            if proposed > 0 {
                let share = (after.accepted - before.accepted) as f64 / proposed as f64;
                self.propagator.set_timestep(self.propagator.timestep() * Real::exp(share - acceptance))?;
            }
        }
        Ok(())
    }

    fn backward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()> {
        if !self.propagator.reversible() {
            return Err(Error::input(
                "this propagator is not its own reversal, so that its walk backward would not pair with the one forward",
                "take one with detailed balance (hmc, mala), or walk forward only",
            ));
        }
        if matches!(self.sizes, Steps::Adapt { .. }) {
            return Err(Error::input(
                "steps that adapt differ between the two ways, which then do not pair",
                "freeze the steps of a pilot run: Steps::Each",
            ));
        }
        self.run(k, ens)
    }

    fn ledger(&self, _k: usize, thermo: &[Thermo], from: &S, to: &S, out: &mut [f64]) -> Result<()> {
        let mut u = vec![0.0; out.len()];
        self.target.reduced(from, thermo, &mut u)?;
        self.target.reduced(to, thermo, out)?;
        for (out, u) in out.iter_mut().zip(&u) {
            *out -= u;
        }
        Ok(())
    }

    fn target(&self) -> &dyn Target<S> {
        &*self.target
    }

    fn reduced(&mut self, ens: &mut Ensemble<S>, u: &mut [f64]) -> Result<()> {
        self.refresh(ens)?;
        if u.len() != self.u.len() {
            return Err(Error::Shape { what: "reduced energies", expected: self.u.len(), found: u.len() });
        }
        u.copy_from_slice(&self.u);
        Ok(())
    }

    fn tally(&self) -> Tally {
        let own = self.propagator.tally();
        Tally { evaluations: own.evaluations + self.renewed, ..own }
    }

    fn timestep(&self) -> Option<f64> {
        Some(self.used)
    }
}

impl<S: State> Resume for Invariant<S> {
    fn save(&self, to: &mut Snapshot) {
        to.nest("propagator", |s| self.propagator.save(s));
        to.put("timestep", self.propagator.timestep());
        to.put("renewed", self.renewed);
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.propagator.load(from.nested("propagator")?)?;
        if self.sizes != Steps::Fixed {
            self.propagator.set_timestep(from.f64("timestep")?)?;
        }
        self.renewed = from.u64("renewed")?;
        self.key = None;
        self.resumed = true;
        Ok(())
    }
}
