//! Self-adjusted mixture sampling: weights of a ladder by stochastic approximation at the optimal rate.

use crate::batch::{Resume, Snapshot};
use crate::real::Real;
use crate::{Error, Result};

/// Estimates zeta_k of ln Z_k that make all K states of p(x, k) ~ exp(-zeta_k - u_k(x)) equally likely.
///
///   zeta_k += gain_t K p(k | x_t),  then zeta_0 is subtracted from all
///   gain_t = min(1/K, t^-0.8)                      while the visits are uneven
///   gain_t = min(1/K, 1 / (t - t_0 + t_0^0.8))     after t_0, when every state had within 20 % of its share
///
/// The second stage has the smallest asymptotic variance that any gain has; the first brings rough weights there. p(k | x) are the
/// probabilities of all states given the configuration (Rao-Blackwell), averaged over the walkers that share the weights.
/// A state needs 100 visits before the first stage may end.
/// Source: Tan, J. Comput. Graph. Stat. 26, 54 (2017).
#[derive(Clone, Debug, PartialEq)]
pub struct Sams {
    zeta: Vec<f64>,
    visits: Vec<u64>,
    updates: u64,
    switched: Option<u64>,
}

/// Exponent of the first stage's gain.
const SLOW: f64 = 0.8;
/// Of its share, how far off a state's visits may be.
const FLATNESS: f64 = 0.2;
/// Visits a state needs for that to mean something.
const LEAST: u64 = 100;

impl Sams {
    /// Even weights.
    ///
    /// # Errors
    /// `Error::Input` for no states.
    pub fn new(states: usize) -> Result<Self> {
        if states == 0 {
            return Err(Error::input("SAMS weights of 0 states", "give the ladder at least one state"));
        }
        Ok(Sams { zeta: vec![0.0; states], visits: vec![0; states], updates: 0, switched: None })
    }

    /// A walker is in this state.
    pub fn visit(&mut self, state: usize) {
        self.visits[state] += 1;
    }

    /// Learns from p(k | x), `[state]`, the mean over the walkers.
    pub fn update(&mut self, p: &[f64]) {
        let states = self.zeta.len() as f64;
        self.updates += 1;
        let t = self.updates as f64;
        let gain = match self.switched {
            None => Real::exp(-SLOW * Real::ln(t)),
            Some(t0) => 1.0 / (t - t0 as f64 + Real::exp(SLOW * Real::ln(t0 as f64))),
        };
        let gain = gain.min(1.0 / states) * states;
        for (zeta, p) in self.zeta.iter_mut().zip(p) {
            *zeta += gain * p;
        }
        let first = self.zeta[0];
        for zeta in &mut self.zeta {
            *zeta -= first;
        }
        if self.switched.is_none() {
            let share = self.visits.iter().sum::<u64>() as f64 / states;
            let even = |n: &u64| *n >= LEAST && (*n as f64 - share).abs() <= FLATNESS * share;
            if self.visits.iter().all(even) {
                self.switched = Some(self.updates);
            }
        }
    }

    /// Estimates of ln Z_k - ln Z_0.
    pub fn zeta(&self) -> &[f64] {
        &self.zeta
    }

    /// Visits of each state.
    pub fn visits(&self) -> &[u64] {
        &self.visits
    }

    /// The update after which the gain became 1/t; `None` in the first stage.
    pub fn switched(&self) -> Option<u64> {
        self.switched
    }
}

impl Resume for Sams {
    fn save(&self, to: &mut Snapshot) {
        to.put("zeta", self.zeta.clone());
        to.put("visits", self.visits.clone());
        to.put("updates", self.updates);
        to.put("switched", self.switched.unwrap_or(u64::MAX));
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        let (zeta, visits) = (from.f64s("zeta")?, from.u64s("visits")?);
        for found in [zeta.len(), visits.len()] {
            if found != self.zeta.len() {
                return Err(Error::Shape { what: "SAMS weights in the snapshot", expected: self.zeta.len(), found });
            }
        }
        self.zeta = zeta.to_vec();
        self.visits = visits.to_vec();
        self.updates = from.u64("updates")?;
        self.switched = Some(from.u64("switched")?).filter(|t| *t != u64::MAX);
        Ok(())
    }
}
