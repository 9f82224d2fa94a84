//! Some of the frames of a ladder, as estimators want them.

use super::Answer;
use crate::campaign::ladders::OnLadder;
use crate::campaign::moments::Shape;
use crate::estimate::ReducedPotentials;
use std::ops::Range;

/// Frames of some copies.
pub(super) struct Part<'a> {
    pub(super) read: &'a OnLadder,
    pub(super) copies: &'a [usize],
    pub(super) draws: Range<usize>,
}

impl Part<'_> {
    pub(super) fn states(&self) -> usize {
        self.read.states.len()
    }

    /// How its frames lie.
    pub(super) fn shape(&self) -> Shape {
        Shape { copies: self.copies.len(), replicas: self.read.per_copy, draws: self.draws.len() }
    }

    /// The moment of every frame at a state, in the order of [`at_state`](Self::at_state).
    pub(super) fn moments_at(&self, k: usize) -> Vec<usize> {
        let (mut all, mut first) = (Vec::new(), 0);
        for &c in self.copies {
            let mut draws = Vec::new();
            self.read.at_state_in(c, k, self.draws.clone(), &|_, d| (d - self.draws.start) as f64, &mut draws);
            all.extend(draws.into_iter().map(|d| first + d as usize));
            first += self.draws.len();
        }
        all
    }

    /// `value` of all frames at a state.
    pub(super) fn at_state(&self, k: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let mut all = Vec::new();
        for &c in self.copies {
            self.read.at_state_in(c, k, self.draws.clone(), &value, &mut all);
        }
        all
    }

    /// Works from state `i` to state `j` of the frames at `i`.
    pub(super) fn works(&self, i: usize, j: usize) -> Vec<f64> {
        self.at_state(i, |r, d| {
            let u = self.read.u_of(r, d);
            u[j] - u[i]
        })
    }

    /// Reduced energies of all frames at all states.
    pub(super) fn potentials(&self) -> Answer<ReducedPotentials> {
        self.read.potentials(self.copies, self.draws.clone(), false)
    }
}
