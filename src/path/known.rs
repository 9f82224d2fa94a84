//! What the propagator knows of the replicas as they are now, so that nothing is evaluated twice.

use super::Target;
use super::rungs::one_coupling;
use crate::Result;
use crate::batch::{Ensemble, State, Thermo};
use crate::dynamics::Propagator;

/// Energies U(x; lambda) and kinetic energies of the replicas at their own states.
#[derive(Default)]
pub(super) struct Known {
    pub(super) epoch: Option<u64>,
    pub(super) energy: Vec<f64>,
    pub(super) kinetic: Vec<f64>,
}

impl Known {
    /// Takes over what the propagator knows after its last step.
    pub(super) fn learn<S: State>(&mut self, propagator: &dyn Propagator<S>, epoch: u64) {
        self.epoch = Some(epoch);
        self.energy.clear();
        self.energy.extend_from_slice(propagator.energy().unwrap_or(&[]));
        self.kinetic.clear();
        self.kinetic.extend_from_slice(propagator.kinetic().unwrap_or(&[]));
    }

    /// Labels moved: kinetic energies are those at fixed beta K.
    pub(super) fn relabelled(&mut self, epoch: u64, old: &[Thermo], new: &[Thermo]) {
        self.epoch = Some(epoch);
        for (r, k) in self.kinetic.iter_mut().enumerate() {
            *k *= old[r].beta / new[r].beta;
        }
    }

    /// Does the energy of every replica as it is now give its reduced energies at every beta?
    pub(super) fn of<S: State>(&self, target: &dyn Target<S>, ens: &Ensemble<S>) -> bool {
        target.is_boltzmann() && self.epoch == Some(ens.epoch()) && self.energy.len() == ens.replicas()
    }

    /// Reduced energies `out[replica][state]`; returns how many evaluations that took.
    pub(super) fn u_kn<S: State>(&self, target: &dyn Target<S>, ladder: &[Thermo], ens: &Ensemble<S>, out: &mut Vec<f64>) -> Result<u64> {
        let states = ladder.len();
        out.clear();
        out.resize(ens.replicas() * states, 0.0);
        if !(self.of(target, ens) && one_coupling(ladder)) {
            target.u_kn(ens.state(), ladder, out)?;
            return Ok(target.calls(ladder) * ens.replicas() as u64);
        }
        for (u, energy) in out.chunks_exact_mut(states).zip(&self.energy) {
            for (u, t) in u.iter_mut().zip(ladder) {
                *u = t.beta * energy;
            }
        }
        Ok(0)
    }
}
