//! An expanded stage: replicas that jump among the states of a ladder, each with weights that it learns itself.

use super::config::{Expanded, Stage, Weights};
use super::exchange::{ladder_columns, ladder_values};
use super::job::Job;
use super::moves;
use super::sample::{self, Chain, Mover};
use super::session::Session;
use crate::Result;
use crate::batch::{Ensemble, Phase, Snapshot, Thermo};
use crate::dynamics::{self, Propagator};
use crate::energy::Potential;
use crate::io::sink::Column;
use crate::path::{self, Boltzmann, ExpandedOptions, Weighting};
use std::sync::Arc;

/// Runs an expanded stage.
///
/// # Errors
/// As [`moves::run`].
pub(super) fn run(job: &Job<'_>, stage: &Stage, expanded: &Expanded, session: &Session) -> Result<()> {
    let (system, sample) = (job.system, &expanded.sample);
    let states = expanded.ladder.states(sample.thermal.value, 1.0, job.resolved.units);
    let replicas = sample.replicas.value as usize;
    let thermo: Vec<Thermo> = (0..replicas).map(|r| states[r % states.len()]).collect();
    moves::run(job, stage, session, |saved| {
        let spec = sample::spec(sample, sample::com_of(sample, system), system.dimension);
        let propagator = dynamics::build(&spec, system.potential.clone(), &system.masses)?;
        let weighting = match expanded.weights.value {
            Weights::Sams => Weighting::Sams,
            Weights::WangLandau => Weighting::WangLandau,
        };
        // one walker a set of weights: replicas are independent, and their spread is the error
        let options = ExpandedOptions { every: expanded.jump_every.value, weighting, walkers: 1, place: 0 };
        let target = Arc::new(Boltzmann(system.potential.clone()));
        let jumps = path::Expanded::new(propagator, target, states.clone(), replicas, options)?;
        let mover = Jumping { jumps, states: states.clone(), potential: system.potential.clone() };
        Chain::new(job, stage, sample, session, thermo, Box::new(mover), saved)
    })
}

struct Jumping {
    jumps: path::Expanded<Phase>,
    states: Vec<Thermo>,
    potential: Arc<dyn Potential>,
}

impl Mover for Jumping {
    fn propagator(&self) -> &dyn Propagator<Phase> {
        &self.jumps
    }
    fn propagator_mut(&mut self) -> &mut dyn Propagator<Phase> {
        &mut self.jumps
    }
    fn columns(&self) -> Vec<Column> {
        ladder_columns(&self.states)
    }
    fn observe(&mut self, ens: &Ensemble<Phase>) -> Result<Vec<Vec<f64>>> {
        let mut u_kn = Vec::new();
        self.jumps.u_kn(ens, &mut u_kn)?;
        Ok(ladder_values(ens, &self.states, u_kn, &*self.potential))
    }
    fn facts(&self, to: &mut Snapshot) {
        to.put("learned", self.jumps.delta_f());
        to.put("settled", self.jumps.settled().into_iter().map(u64::from).collect::<Vec<u64>>());
    }
}
