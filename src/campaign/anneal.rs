//! An anneal stage: particles go from the base to the system, level by level.

use super::config::{Anneal, Schedule};

/// Levels of an adaptive schedule are not known before: so many are allowed to a run.
const MOST: u64 = 100_000;

/// Ticks of the stage's clock, at most.
pub(super) fn ticks<Q>(anneal: &Anneal<Q>) -> u64 {
    let levels = match anneal.schedule.value {
        Schedule::Fixed => anneal.levels.values().len() as u64 - 1,
        Schedule::Adaptive => MOST,
    };
    anneal.runs.value * levels
}
