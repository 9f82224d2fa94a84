//! What MBAR tells beside free energies: a second error by drawing the samples again, and energy and entropy apart.

use super::answer::Answer;
use crate::estimate::{Bootstrap, EntropyEnthalpy, Expectations, FreeEnergyError, Mbar, Resampled, Warning, WarningKind};

/// What is asked for.
pub(super) struct Beside {
    /// Resampling, with the length of its blocks.
    pub(super) bootstrap: Option<Bootstrap>,
    /// Energy and entropy.
    pub(super) entropy: bool,
}

/// Statistical inefficiencies in a block: what correlation a block cuts off is then a tenth of the variance at most.
const IN_A_BLOCK: f64 = 5.0;

/// Length of the blocks for a series of `n` samples of inefficiency `g`: 1 if they are independent, at least 4 blocks in any case.
pub(in crate::campaign) fn block_of(g: f64, n: usize) -> usize {
    if g <= 1.0 { 1 } else { ((IN_A_BLOCK * g).ceil() as usize).clamp(1, (n / 4).max(1)) }
}

/// Free energies of the points from samples that were drawn again.
#[derive(Clone, Debug)]
pub struct Redrawn {
    /// How.
    pub how: Bootstrap,
    /// Of the points of the answer, in its unit.
    pub f: Resampled,
}

impl Redrawn {
    pub(super) fn new(fit: &Mbar<'_>, how: Bootstrap, kept: &[usize]) -> Result<Self, FreeEnergyError> {
        let all = fit.bootstrap(&how)?;
        let f = all.f.chunks_exact(all.states).flat_map(|f| kept.iter().map(|&k| f[k])).collect();
        Ok(Redrawn { how, f: Resampled { states: kept.len(), f } })
    }

    /// Standard error and 95 % interval of the free energy of point j relative to point i.
    pub fn error(&self, i: usize, j: usize) -> (f64, [f64; 2]) {
        let (low, high) = self.f.interval(i, j, 0.95);
        (self.f.stderr(i, j), [low, high])
    }
}

/// Average reduced energy and entropy of the states that are told.
pub(super) fn decomposition(fit: &Mbar<'_>, kept: &[usize]) -> EntropyEnthalpy {
    let of = |all: &Expectations| {
        let states = all.value.len();
        Expectations {
            value: kept.iter().map(|&k| all.value[k]).collect(),
            covariance: kept.iter().flat_map(|&i| kept.iter().map(move |&j| (i, j))).map(|(i, j)| all.covariance[i * states + j]).collect(),
        }
    };
    let all = fit.entropy_enthalpy();
    EntropyEnthalpy { u: of(&all.u), s: of(&all.s) }
}

impl Answer {
    /// The two errors where they differ by more than a factor of two: of the ends, or of the neighbours between them at their worst.
    pub(super) fn disagreement(&self) -> Option<Warning> {
        let redrawn = self.redrawn.as_ref()?;
        let ratio = |(i, j): (usize, usize)| redrawn.error(i, j).0 / self.delta(i, j).1;
        let off = |r: f64| if r < 1.0 { 1.0 / r } else { r };
        let between = (self.ends.0 + 1..=self.ends.1).map(|k| (k - 1, k)).filter(|&s| ratio(s).is_finite());
        let ends = Some(self.ends).filter(|&s| off(ratio(s)) > 2.0);
        let worst = ends.or_else(|| between.max_by(|a, b| off(ratio(*a)).total_cmp(&off(ratio(*b)))))?;
        (off(ratio(worst)) > 2.0).then(|| {
            let (from, to) = (&self.points[worst.0].name, &self.points[worst.1].name);
            let message = format!(
                "from {from} to {to} the bootstrap gives {:.2} times the error of theory, with blocks of {} samples: {}",
                ratio(worst),
                redrawn.how.block,
                if ratio(worst) > 1.0 {
                    "the samples are correlated or too few for theory, believe the larger"
                } else {
                    "the blocks are too few or the states overlap too little, believe the larger"
                }
            );
            Warning::new(WarningKind::ErrorsDisagree, message)
        })
    }

    pub(super) fn scale(&mut self, factor: f64) {
        let scale = |values: &mut [f64], by: f64| values.iter_mut().for_each(|v| *v *= by);
        scale(&mut self.f, factor);
        scale(&mut self.covariance, factor * factor);
        if let Some(redrawn) = &mut self.redrawn {
            scale(&mut redrawn.f.f, factor);
        }
        if let Some(EntropyEnthalpy { u, s }) = &mut self.decomposition {
            for part in [u, s] {
                scale(&mut part.value, factor);
                scale(&mut part.covariance, factor * factor);
            }
        }
    }
}
