//! Errors of what independent copies have sampled: groups of copies are left out in turn, and theory is not believed against them.

use crate::estimate::Threshold;

/// Least number of independent copies whose spread is an error.
pub(super) const COPIES: usize = 4;
/// Most groups that are left out in turn.
const GROUPS: usize = 16;
/// Independent samples that stand behind a number: worth a warning below the first, no result below the second.
pub(super) const SHARED: Threshold = Threshold { pass: 50.0, fail: 10.0 };

/// The copies in at most [`GROUPS`] groups, as lists of those that stay when a group is left out; none below `least` copies.
pub(super) fn without_each_group(copies: usize, least: usize) -> Option<Vec<Vec<usize>>> {
    if copies < least {
        return None;
    }
    let groups = copies.min(GROUPS);
    Some((0..groups).map(|g| (0..copies).filter(|c| c * groups / copies != g).collect()).collect())
}

/// The larger of two errors; NaN only if both are.
pub(super) fn larger(theory: f64, spread: f64) -> f64 {
    if spread > theory || theory.is_nan() { spread } else { theory }
}
