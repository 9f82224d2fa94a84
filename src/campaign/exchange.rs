//! An exchange stage: whole ladders of replicas that trade their states.

use super::config::{Exchange, Mixing, Stage};
use super::run::{Job, Session};
use super::sample::{self, Chain, Mover};
use super::moves;
use crate::batch::{Ensemble, Phase, Thermo};
use crate::dynamics::{self, Propagator};
use crate::io::sink::{Column, Kind};
use crate::path::{self, Boltzmann, ExchangeOptions, spread};
use crate::Result;
use std::sync::Arc;

/// Runs an exchange stage.
///
/// # Errors
/// As [`moves::run`].
pub(super) fn run(job: &Job<'_>, stage: &Stage, exchange: &Exchange, session: &Session) -> Result<()> {
    let (system, sample) = (job.system, &exchange.sample);
    let states = exchange.ladder.states(sample.thermal.value, 1.0, job.resolved.units);
    let thermo = spread(&states, sample.replicas.value as usize);
    moves::run(job, stage, session, |saved| {
        let spec = sample::spec(sample, sample::com_of(sample, system), system.dimension);
        let propagator = dynamics::build(&spec, system.potential.clone(), &system.masses)?;
        let options = ExchangeOptions { every: exchange.swap_every.value, mixing: mixing(exchange.mixing.value), place: 0 };
        let target = Arc::new(Boltzmann(system.potential.clone()));
        let swaps = path::Exchange::new(propagator, target, states.clone(), thermo.len(), options)?;
        let mover = Ladder { swaps, states: states.clone() };
        Chain::new(job, stage, sample, session, thermo, Box::new(mover), saved)
    })
}

fn mixing(mixing: Mixing) -> path::Mixing {
    match mixing {
        Mixing::Neighbour => path::Mixing::Neighbour,
        Mixing::Gibbs => path::Mixing::Gibbs,
        Mixing::None => path::Mixing::None,
    }
}

/// The column of places on the ladder.
pub(super) const STATE: &str = "state";
/// The column of reduced energies at every state.
pub(super) const U_KN: &str = "u_kn";

/// Headers of the columns that a ladder of `states` stores.
pub(super) fn ladder_columns(states: &[Thermo]) -> Vec<Column> {
    let column = |name: &str, width: usize| Column {
        name: name.to_owned(),
        kind: Kind::Observable,
        width,
        unit: None,
        labels: Vec::new(),
        double: true,
    };
    vec![column(STATE, 1), column(U_KN, states.len())]
}

struct Ladder {
    swaps: path::Exchange<Phase>,
    states: Vec<Thermo>,
}

impl Mover for Ladder {
    fn propagator(&self) -> &dyn Propagator<Phase> {
        &self.swaps
    }
    fn propagator_mut(&mut self) -> &mut dyn Propagator<Phase> {
        &mut self.swaps
    }
    fn columns(&self) -> Vec<Column> {
        ladder_columns(&self.states)
    }
    fn observe(&mut self, ens: &Ensemble<Phase>) -> Result<Vec<Vec<f64>>> {
        let state = ens.thermo().iter().map(|t| f64::from(t.state)).collect();
        let mut u_kn = Vec::new();
        self.swaps.u_kn(ens, &mut u_kn)?;
        Ok(vec![state, u_kn])
    }
}
