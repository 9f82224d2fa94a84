//! Wang-Landau weights with the 1/t schedule: for ladders, energy levels, any numbered bins.

use crate::batch::{Resume, Snapshot};
use crate::{Error, Result};

/// Logarithms of the weights g that make all bins equally visited under the weights 1/g, learned while a chain runs.
///
/// A chain that is in bin i accepts a move to bin j (drawn evenly among configurations, or weighted by the target) with an additional
/// factor g_i / g_j, and tells every step, moved or not, with [`WangLandau::visit`]:
///
///   ln g_i += ln f;   ln f halves whenever all bins were visited since it last did;
///   as soon as that would bring ln f below 1/t, with t = visits / bins, ln f = 1/t for good.
///
/// Then ln g_i -> ln G_i + constant, G_i being the number of states (lattices) or the partition function (ladders) of bin i; the error
/// falls like 1 / sqrt(t), and what the early steps leave of a bias like 1 / t, where halving alone would let both saturate.
/// Bins that cannot be reached must not be numbered: ln f waits for all of them.
/// Source: Wang and Landau, Phys. Rev. Lett. 86, 2050 (2001); Belardinelli and Pereyra, J. Chem. Phys. 127, 184105 (2007).
#[derive(Clone, Debug, PartialEq)]
pub struct WangLandau {
    log_g: Vec<f64>,
    seen: Vec<u64>,
    unseen: usize,
    log_f: f64,
    visits: u64,
    settled: bool,
}

impl WangLandau {
    /// Even weights, ln f = 1.
    ///
    /// # Errors
    /// `Error::Input` for no bins.
    pub fn new(bins: usize) -> Result<Self> {
        if bins == 0 {
            return Err(Error::input("Wang-Landau weights of 0 bins", "number at least one bin"));
        }
        Ok(WangLandau { log_g: vec![0.0; bins], seen: vec![0; bins], unseen: bins, log_f: 1.0, visits: 0, settled: false })
    }

    /// The chain is in this bin.
    pub fn visit(&mut self, bin: usize) {
        let bins = self.log_g.len() as f64;
        self.visits += 1;
        let one_over_t = bins / self.visits as f64;
        if self.settled {
            self.log_f = one_over_t;
        }
        self.log_g[bin] += self.log_f;
        if self.settled {
            return;
        }
        if self.seen[bin] == 0 {
            self.unseen -= 1;
        }
        self.seen[bin] += 1;
        if self.unseen == 0 {
            self.log_f *= 0.5;
            self.seen.fill(0);
            self.unseen = self.seen.len();
            if self.log_f <= one_over_t {
                (self.log_f, self.settled) = (one_over_t, true);
            }
        }
    }

    /// ln g of every bin, up to a common constant.
    pub fn log_g(&self) -> &[f64] {
        &self.log_g
    }

    /// What the next visit adds.
    pub fn log_f(&self) -> f64 {
        self.log_f
    }

    /// Visits so far.
    pub fn visits(&self) -> u64 {
        self.visits
    }

    /// Is ln f = 1/t by now?
    pub fn settled(&self) -> bool {
        self.settled
    }
}

impl Resume for WangLandau {
    fn save(&self, to: &mut Snapshot) {
        to.put("log_g", self.log_g.clone());
        to.put("seen", self.seen.clone());
        to.put("log_f", self.log_f);
        to.put("visits", self.visits);
        to.put("settled", u64::from(self.settled));
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        let (log_g, seen) = (from.f64s("log_g")?, from.u64s("seen")?);
        for found in [log_g.len(), seen.len()] {
            if found != self.log_g.len() {
                return Err(Error::Shape { what: "Wang-Landau bins in the snapshot", expected: self.log_g.len(), found });
            }
        }
        self.log_g = log_g.to_vec();
        self.seen = seen.to_vec();
        self.unseen = seen.iter().filter(|n| **n == 0).count();
        self.log_f = from.f64("log_f")?;
        self.visits = from.u64("visits")?;
        self.settled = from.u64("settled")? == 1;
        Ok(())
    }
}
