//! How much of a stage on a ladder is equilibrated, and how many of its frames are independent.

use super::OnLadder;
use crate::estimate::{Series, detect_equilibration, statistical_inefficiency};

impl OnLadder {
    /// What tells neighbours apart at a state: u_k+1 - u_k-1, one-sided at the ends.
    pub(super) fn gap(&self, k: usize, r: usize, draw: usize) -> f64 {
        let u = self.u_of(r, draw);
        u[(k + 1).min(u.len() - 1)] - u[k.saturating_sub(1)]
    }

    /// Latest equilibration among the copies' total reduced energies at their own states.
    pub(super) fn detect(&self) -> (usize, String) {
        let mut values = Vec::with_capacity(self.copies * self.draws);
        for copy in 0..self.copies {
            for draw in 0..self.draws {
                values.push(self.replicas_of(copy).map(|r| self.u_of(r, draw)[self.state_of(r, draw)]).sum());
            }
        }
        match detect_equilibration(Series { values: &values, replicas: self.copies, draws: self.draws }) {
            Ok(e) => (e.start, "automatic".to_owned()),
            Err(_) => (0, "automatic, but the series is too short or constant: nothing was discarded".to_owned()),
        }
    }

    /// Statistical inefficiency of the frames: the larger of what a state sees and what a replica sees on its walk.
    ///
    /// At a state: of u_k+1 - u_k-1, averaged over states. On the walk: of the same number less its mean at the state where the replica is,
    /// so that the jumps themselves do not count. Pairs of neighbours carry the differences, so their correlation is the one that matters.
    pub(in crate::campaign) fn g(&self) -> f64 {
        self.inefficiency(&|k, r, d| self.gap(k, r, d))
    }

    /// The same of another number, `value(state, replica, draw)`.
    pub(in crate::campaign) fn inefficiency(&self, value: &dyn Fn(usize, usize, usize) -> f64) -> f64 {
        let (k, n) = (self.states.len(), self.draws - self.discard);
        let mut g_states = Vec::new();
        let mut means = vec![0.0; k];
        for (state, mean) in means.iter_mut().enumerate() {
            let series: Vec<Vec<f64>> = (0..self.copies).map(|c| self.at_state(c, state, |r, d| value(state, r, d))).collect();
            let total: usize = series.iter().map(Vec::len).sum();
            *mean = series.iter().flatten().sum::<f64>() / total.max(1) as f64;
            if self.exchanged {
                let values = series.concat();
                if let Ok(found) = statistical_inefficiency(Series { values: &values, replicas: self.copies, draws: n }) {
                    g_states.push(found.g);
                }
            }
        }
        let mut walk = Vec::with_capacity(self.u.len() * n);
        for r in 0..self.u.len() {
            for draw in self.discard..self.draws {
                let state = self.state_of(r, draw);
                walk.push(value(state, r, draw) - means[state]);
            }
        }
        let g_walk = statistical_inefficiency(Series { values: &walk, replicas: self.u.len(), draws: n }).map_or(1.0, |i| i.g);
        let g_state = g_states.iter().sum::<f64>() / g_states.len().max(1) as f64;
        g_walk.max(g_state).max(1.0)
    }
}
