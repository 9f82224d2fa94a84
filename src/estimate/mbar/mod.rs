//! The multistate Bennett acceptance ratio: free energies of many states from samples of some of them.

mod bootstrap;
mod columns;
mod connection;
mod covariance;
mod expectations;
mod gram;
mod influence;
mod ladder;
mod newton;
mod pass;
mod surface;
mod svd;

pub use bootstrap::{Bootstrap, Resampled};
pub use covariance::{Covariance, CovarianceMethod, Overlap};
pub use expectations::{EntropyEnthalpy, Expectations, Perturbed};
pub use influence::Influences;

use super::exponential::{Delta, boltzmann, doubt};
use super::free_energy_error::FreeEnergyError;
use super::reduced::{BLOCK, ReducedPotentials};
use super::value::{Warning, WarningKind};
use crate::real::Octet;
use columns::Row;
use covariance::Theta;
use newton::{Equations, Solution};
use std::sync::OnceLock;

/// Where the solver starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Initial {
    /// BAR along a spanning tree of greatest overlap.
    #[default]
    BarLadder,
    /// All free energies 0.
    Zeros,
    /// Free energies of all states in kT.
    Given(Vec<f64>),
}

/// How to solve the MBAR equations.
#[derive(Clone, Debug, PartialEq)]
pub struct MbarOptions {
    /// Where to start.
    pub initial: Initial,
    /// Largest `|sum_n W_nk - 1|` that is good enough; never below what rounding allows.
    pub tolerance: f64,
    /// Passes over the data after which the solver gives up.
    pub max_iterations: usize,
}

impl Default for MbarOptions {
    fn default() -> Self {
        MbarOptions { initial: Initial::BarLadder, tolerance: 1e-12, max_iterations: 200 }
    }
}

/// The solution of the MBAR equations for one set of samples.
#[derive(Clone)]
pub struct Mbar<'a> {
    u: &'a ReducedPotentials,
    /// The states with samples.
    sampled: Vec<usize>,
    /// Their numbers of samples.
    n: Vec<f64>,
    solution: Solution,
    /// f_k of all states.
    f_k: Vec<f64>,
    warnings: Vec<Warning>,
    /// `ln sum_k N_k exp(f_k - u_k(n))` of every sample, where something asked for it.
    log_denominators: OnceLock<Vec<Octet>>,
    theta: OnceLock<Theta>,
    /// Doubts about each state without samples.
    reached: OnceLock<Vec<Option<Warning>>>,
}

impl std::fmt::Debug for Mbar<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Mbar { u, f_k, warnings, .. } = self;
        f.debug_struct("Mbar").field("u", u).field("f_k", f_k).field("warnings", warnings).finish_non_exhaustive()
    }
}

/// Blocks of 64 samples of which one is used for the first approximation, where samples abound.
const COARSE: usize = 16;
/// Samples, of all states and of the poorest, from which on the first approximation pays.
const ABUNDANT: (usize, usize) = (100_000, 4096);

/// Passes that a start other than the ladder is given.
const PATIENCE: usize = 30;

/// Solves the MBAR equations: f_k = -ln sum_n exp(-u_k(n)) / sum_j N_j exp(f_j - u_j(n)).
///
/// Samples must be independent (subsample correlated ones first). First it is checked that the states hang together by overlap;
/// then Newton steps with a line search, from the start that `options` names, lower the convex objective until every
/// `|sum_n W_nk - 1|` is below the tolerance. Free energies have f = 0 for the first state with samples. The result has the same bits
/// for any number of threads.
///
/// Errors: `Disconnected` (with the groups of states) when two groups of states share fewer than two effective samples, `NotConverged`, `NoSamples`,
/// an `Argument` that cannot be. Warns below ten shared samples.
/// Source: Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008).
pub fn mbar<'a>(u: &'a ReducedPotentials, options: &MbarOptions) -> Result<Mbar<'a>, FreeEnergyError> {
    if !(options.tolerance > 0.0 && options.max_iterations > 0) {
        let what = format!("tolerance {} or number of iterations {} is not positive", options.tolerance, options.max_iterations);
        return Err(FreeEnergyError::Argument { what });
    }
    let sampled: Vec<usize> = (0..u.n_k().len()).filter(|k| u.n_k()[*k] > 0).collect();
    let n: Vec<f64> = sampled.iter().map(|k| u.n_k()[*k] as f64).collect();
    let climbed = ladder::ladder(u, &sampled)?;
    let equations = Equations {
        u,
        sampled: &sampled,
        n: &n,
        root_weights: None,
        stride: 1,
        tolerance: options.tolerance,
        max_iterations: options.max_iterations,
    };
    let own = match &options.initial {
        Initial::BarLadder => None,
        Initial::Zeros => Some(vec![0.0; sampled.len()]),
        Initial::Given(f) => Some(given(u, &sampled, f)?),
    };
    // The minimum is one and the same: a start that leads nowhere in a while is given up for the ladder.
    let patience = Equations { max_iterations: options.max_iterations.min(PATIENCE), ..equations };
    let solution = match own.map(|f| patience.solve(f)) {
        Some(Ok(solution)) => solution,
        _ => equations.solve(coarse(&equations, climbed))?,
    };
    let warnings = connection::judge(u, &sampled, &solution.products)?;
    Ok(Mbar::new(u, sampled, n, solution, warnings))
}

/// Effective samples below which a state without samples of its own has no error.
const FEWEST: f64 = 5.0;

/// A doubt about a state that is reached from others only, from the logarithms of its weights.
fn reach(state: &str, log_weights: &[f64]) -> Option<Warning> {
    let negative: Vec<f64> = log_weights.iter().map(|w| -w).collect();
    let least = negative.iter().fold(f64::INFINITY, |m, w| m.min(*w));
    if !least.is_finite() {
        return Some(Warning::new(WarningKind::NotFinite, format!("{state} is possible for no sample")));
    }
    let weights = boltzmann(&negative, least);
    let (sum, squares) = weights.iter().fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    let why = doubt(&weights, sum * sum / squares)?;
    Some(Warning::new(WarningKind::HeavyTail, format!("{state}, which was not sampled, {why}: put a sampled state near it")))
}

/// The free energies of a sixteenth of the samples, solved from `start`, where there are enough of them; else `start` itself.
fn coarse(equations: &Equations<'_>, start: Vec<f64>) -> Vec<f64> {
    let (u, fewest) = (equations.u, equations.n.iter().fold(f64::INFINITY, |m, n| m.min(*n)));
    if u.samples() < ABUNDANT.0 || fewest < ABUNDANT.1 as f64 {
        return start;
    }
    let starts = u.starts();
    let mut n = Vec::with_capacity(equations.sampled.len());
    for &k in equations.sampled {
        let chosen = (starts[k]..starts[k + 1]).filter(|s| (s / BLOCK).is_multiple_of(COARSE)).count();
        n.push(chosen as f64);
    }
    let rough = Equations { n: &n, stride: COARSE, tolerance: 1e-4, ..*equations };
    rough.solve(start.clone()).map_or(start, |solution| solution.f)
}

/// A start given by the user, relative to the first state with samples.
fn given(u: &ReducedPotentials, sampled: &[usize], f: &[f64]) -> Result<Vec<f64>, FreeEnergyError> {
    if f.len() != u.states().len() {
        let what = "initial free energies (one for each state)".to_owned();
        return Err(FreeEnergyError::Inconsistent { what, expected: u.states().len(), found: f.len() });
    }
    if let Some(&k) = sampled.iter().find(|k| !f[**k].is_finite()) {
        return Err(FreeEnergyError::Argument { what: format!("the initial free energy of state {} is {}", u.states()[k], f[k]) });
    }
    Ok(sampled.iter().map(|k| f[*k] - f[sampled[0]]).collect())
}

impl<'a> Mbar<'a> {
    fn new(u: &'a ReducedPotentials, sampled: Vec<usize>, n: Vec<f64>, solution: Solution, warnings: Vec<Warning>) -> Self {
        let mut fit = Mbar {
            u,
            sampled,
            n,
            solution,
            f_k: vec![0.0; u.states().len()],
            warnings,
            log_denominators: OnceLock::new(),
            theta: OnceLock::new(),
            reached: OnceLock::new(),
        };
        for k in 0..fit.f_k.len() {
            fit.f_k[k] = match fit.sampled.binary_search(&k) {
                Ok(i) => fit.solution.f[i],
                Err(_) => fit.free_energy(Row { of: u.blocked(), row: k }),
            };
        }
        fit
    }

    /// The data.
    pub fn potentials(&self) -> &'a ReducedPotentials {
        self.u
    }

    /// Free energies of all states in kT, `[k]`; 0 for the first state with samples; +inf where no sample is possible.
    pub fn f_k(&self) -> &[f64] {
        &self.f_k
    }

    /// Largest `|sum_n W_nk - 1|` over the states with samples.
    pub fn residual(&self) -> f64 {
        self.solution.residual
    }

    /// Passes over all samples that the solution took.
    pub fn iterations(&self) -> usize {
        self.solution.iterations
    }

    /// Doubts that concern the whole: groups of states with little overlap.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// f_to - f_from with its standard error; its sample size is the smaller effective sample number of the two.
    ///
    /// Warns where a state without samples is reached by few samples or by a heavy tail of weights, and gives no error (NaN) below 5
    /// effective samples.
    ///
    /// # Panics
    /// When there is no such state.
    pub fn delta(&self, from: usize, to: usize) -> Delta {
        let theta = self.theta();
        let n_eff = theta.effective(from).min(theta.effective(to));
        let value = self.f_k[to] - self.f_k[from];
        let reached = self.reached();
        let doubts: Vec<Warning> = [from, to].iter().filter_map(|k| reached[*k].clone()).collect();
        let stderr = if !doubts.is_empty() && n_eff < FEWEST { f64::NAN } else { theta.covariance.stderr(from, to) };
        Delta { value, stderr, n_eff, warnings: [&self.warnings[..], &doubts].concat() }
    }

    /// Doubts about states that no sample was drawn from: all that is known of them is an exponential average.
    fn reached(&self) -> &[Option<Warning>] {
        self.reached.get_or_init(|| {
            let unsampled = |k: &usize| self.sampled.binary_search(k).is_err();
            let judge = |k: usize| reach(&format!("state {}", self.u.states()[k]), &self.log_weights(k));
            (0..self.f_k.len()).map(|k| if unsampled(&k) { judge(k) } else { None }).collect()
        })
    }

    /// Effective number of samples that stand behind each state: 1 / sum_n W_nk^2, `[k]`.
    ///
    /// Source: Kong, University of Chicago Technical Report 348 (1992).
    pub fn effective_sample_numbers(&self) -> Vec<f64> {
        (0..self.f_k.len()).map(|k| self.theta().effective(k)).collect()
    }

    /// ln W_nk of every sample in a state, in the order in which the samples were given; their exponentials sum to 1.
    ///
    /// # Panics
    /// When there is no such state.
    pub fn log_weights(&self, state: usize) -> Vec<f64> {
        let stored = self.log_weights_in(Row { of: self.u.blocked(), row: state }, self.f_k[state]);
        let mut out = vec![0.0; stored.len()];
        for (n, weight) in stored.into_iter().enumerate() {
            out[self.u.position(n)] = weight;
        }
        out
    }
}
