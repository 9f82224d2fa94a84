//! What is known of the free energies of a ladder, and how the two ways to an error are weighed.

use super::theory::Theory;
use crate::campaign::copies::larger;
use crate::estimate::{Bootstrap, Resampled, TiRule, Warning, WarningKind, delete_one_error};

/// Free energies of all states, in kT, with two ways to an error.
#[derive(Default)]
pub(super) struct Found {
    /// f of each point less that of the first; the points are the states, and around them the ends that only a quadrature reaches.
    pub(super) f: Vec<f64>,
    /// Points before the first state.
    pub(super) before: usize,
    /// Of integration: the rule.
    pub(super) rule: Option<TiRule>,
    /// The same from frames drawn again in blocks, with how.
    pub(super) redrawn: Option<(Bootstrap, Resampled)>,
    /// The estimator's own errors.
    pub(super) theory: Theory,
    /// f of the data without each group of copies; none with too few copies.
    pub(super) left_out: Option<Vec<Vec<f64>>>,
    /// Independent samples behind the difference to the next state.
    pub(super) shared: Vec<f64>,
    /// Overlap with the next state, 0 to 1 as an element of the overlap matrix.
    pub(super) overlap: Vec<f64>,
    /// Overlap matrix.
    pub(super) matrix: Vec<Vec<f64>>,
    pub(super) warnings: Vec<Warning>,
    pub(super) gradients: Vec<(f64, f64)>,
    pub(super) convergence: Vec<[f64; 5]>,
    /// Of integration: what another way says of the ends, with its error, and its name.
    pub(super) against: Vec<(&'static str, f64, f64)>,
}

impl Found {
    /// The last point.
    pub(super) fn end(&self) -> usize {
        self.f.len() - 1
    }

    /// Independent samples behind the weakest difference.
    pub(super) fn weakest(&self) -> f64 {
        self.shared.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Error of f_j - f_i by leaving out groups of copies in turn.
    pub(super) fn spread(&self, i: usize, j: usize) -> Option<f64> {
        Some(delete_one_error(self.left_out.as_ref()?.iter().map(|f| f[j] - f[i])))
    }

    /// The larger of the two errors.
    pub(super) fn error(&self, i: usize, j: usize) -> f64 {
        larger(self.theory.error(i, j), self.spread(i, j).unwrap_or(f64::NAN))
    }

    /// Is the spread of the copies the error?
    pub(super) fn by_spread(&self, i: usize, j: usize) -> bool {
        let theory = self.theory.error(i, j);
        self.spread(i, j).is_some_and(|spread| spread > theory || theory.is_nan())
    }

    /// A doubt where the two differ by more than a factor of two; `factor` from kT to the unit of the estimate.
    pub(super) fn two_errors(&self, i: usize, j: usize, factor: f64) -> Option<Warning> {
        let (spread, theory) = (self.spread(i, j)?, self.theory.error(i, j));
        (spread > 2.0 * theory || theory > 2.0 * spread).then(|| {
            let which = if spread > theory { "the copies" } else { "theory" };
            let message = format!(
                "copies left out in turn say {:.2e}, theory with correlation {:.2e}: the error is that of {which}",
                spread * factor,
                theory * factor
            );
            Warning::new(WarningKind::ErrorsDisagree, message)
        })
    }

    /// The error of the ends beside the one from frames that were drawn again, where they differ by more than a factor of two.
    pub(super) fn second_error(&self) -> Option<Warning> {
        let (how, redrawn) = self.redrawn.as_ref()?;
        let (again, error) = (redrawn.stderr(0, self.end()), self.error(0, self.end()));
        (again > 2.0 * error || error > 2.0 * again).then(|| {
            let message = format!(
                "the bootstrap in blocks of {} frames gives {:.2} times the error: believe the larger, or sample longer",
                how.block,
                again / error
            );
            Warning::new(WarningKind::ErrorsDisagree, message)
        })
    }
}
