//! An exchange stage: whole ladders of replicas that trade their states.

use super::config::{Exchange, Mixing, Stage};
use super::job::Job;
use super::moves;
use super::sample::{self, Chain, Mover};
use super::session::Session;
use crate::Result;
use crate::batch::{Ensemble, Phase, Thermo};
use crate::dynamics::{self, Propagator};
use crate::energy::{Potential, lambdas};
use crate::io::sink::{Column, Kind};
use crate::path::{self, Boltzmann, ExchangeOptions, spread};
use crate::real::Octet;
use rayon::prelude::*;
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
        let mover = Ladder { swaps, states: states.clone(), potential: system.potential.clone() };
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

/// The column of beta dU/dlambda, on ladders of lambdas.
pub(super) const GRADIENT: &str = "beta_du_dlambda";

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
    let mut all = vec![column(STATE, 1), column(U_KN, states.len())];
    all.extend(along_lambda(states).then(|| column(GRADIENT, 1)));
    all
}

/// Does the ladder go along lambda?
fn along_lambda(states: &[Thermo]) -> bool {
    states.iter().any(|t| t.lambda.to_bits() != states[0].lambda.to_bits())
}

/// The values of these columns; `u_kn` are the reduced energies as the ladder knows them.
pub(super) fn ladder_values(ens: &Ensemble<Phase>, states: &[Thermo], u_kn: Vec<f64>, potential: &dyn Potential) -> Vec<Vec<f64>> {
    let state = ens.thermo().iter().map(|t| f64::from(t.state)).collect();
    let mut all = vec![state, u_kn];
    all.extend(along_lambda(states).then(|| gradients(ens, potential)));
    all
}

/// beta dU/dlambda of every replica at its own state.
fn gradients(ens: &Ensemble<Phase>, potential: &dyn Potential) -> Vec<f64> {
    let (x, thermo) = (&ens.state().x, ens.thermo());
    let one = |b: usize| potential.slope_block(x.block(b), lambdas(thermo, b));
    let slopes: Vec<Octet> = (0..x.blocks()).into_par_iter().map(one).collect();
    thermo.iter().enumerate().map(|(r, t)| t.beta * slopes[r / 8].0[r % 8]).collect()
}

struct Ladder {
    swaps: path::Exchange<Phase>,
    states: Vec<Thermo>,
    potential: Arc<dyn Potential>,
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
        let mut u_kn = Vec::new();
        self.swaps.u_kn(ens, &mut u_kn)?;
        Ok(ladder_values(ens, &self.states, u_kn, &*self.potential))
    }
}
