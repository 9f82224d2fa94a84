//! What replicas do on a ladder: acceptance, mixing, visits, round trips.

use crate::batch::{Resume, Snapshot};
use crate::{Error, Result};

const NEVER: u64 = u64::MAX;

/// Counts of the movement of replicas over the K states of a ladder, taken at every exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    states: usize,
    proposed: Vec<u64>,
    accepted: Vec<u64>,
    moves: Vec<u64>,
    visits: Vec<u64>,
    upward: Vec<u64>,
    downward: Vec<u64>,
    last_end: Vec<u64>,
    departed: Vec<u64>,
    trips: Vec<u64>,
    trip_steps: Vec<u64>,
}

/// Round trips of one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrips {
    /// Completed ones: from the first state to the last and back.
    pub count: u64,
    /// Steps that they took together.
    pub steps: u64,
}

impl Traffic {
    /// Nothing counted yet.
    pub fn new(states: usize, replicas: usize) -> Self {
        let pairs = states.saturating_sub(1);
        Traffic {
            states,
            proposed: vec![0; pairs],
            accepted: vec![0; pairs],
            moves: vec![0; states * states],
            visits: vec![0; replicas * states],
            upward: vec![0; states],
            downward: vec![0; states],
            last_end: vec![0; replicas],
            departed: vec![NEVER; replicas],
            trips: vec![0; replicas],
            trip_steps: vec![0; replicas],
        }
    }

    /// A swap of states `k` and `k + 1` was tried.
    pub(super) fn attempt(&mut self, k: usize, accepted: bool) {
        self.proposed[k] += 1;
        self.accepted[k] += u64::from(accepted);
    }

    /// Counts of neighbour swaps made elsewhere.
    pub(super) fn add_attempts(&mut self, proposed: &[u64], accepted: &[u64]) {
        for k in 0..self.proposed.len() {
            self.proposed[k] += proposed[k];
            self.accepted[k] += accepted[k];
        }
    }

    /// Replica `r` went from state `from` to state `to` at `step`.
    pub(super) fn moved(&mut self, r: usize, from: usize, to: usize, step: u64) {
        const BOTTOM: u64 = 1;
        const TOP: u64 = 2;
        let states = self.states;
        self.moves[from * states + to] += 1;
        self.visits[r * states + to] += 1;
        if to == 0 {
            if self.last_end[r] == TOP && self.departed[r] != NEVER {
                self.trips[r] += 1;
                self.trip_steps[r] += step - self.departed[r];
            }
            if self.last_end[r] != BOTTOM {
                self.departed[r] = step;
            }
            self.last_end[r] = BOTTOM;
        } else if to + 1 == states {
            self.last_end[r] = TOP;
        }
        match self.last_end[r] {
            BOTTOM => self.upward[to] += 1,
            TOP => self.downward[to] += 1,
            _ => {}
        }
    }

    /// Swaps of each pair of neighbours (k, k + 1): tried and accepted.
    pub fn attempts(&self) -> Vec<(u64, u64)> {
        self.proposed.iter().copied().zip(self.accepted.iter().copied()).collect()
    }

    /// Accepted fraction for each pair of neighbours; NaN where none was tried.
    pub fn acceptance(&self) -> Vec<f64> {
        self.proposed.iter().zip(&self.accepted).map(|(p, a)| *a as f64 / *p as f64).collect()
    }

    /// How often each replica was at each state, `[replica][state]`.
    pub fn visits(&self) -> &[u64] {
        &self.visits
    }

    /// Round trips of each replica.
    pub fn round_trips(&self) -> Vec<RoundTrips> {
        self.trips.iter().zip(&self.trip_steps).map(|(count, steps)| RoundTrips { count: *count, steps: *steps }).collect()
    }

    /// Of the visits of each state, the fraction by replicas that came from the first state rather than the last: falls from 1 to 0,
    /// in a straight line where the ladder has no bottleneck; NaN where no replica has seen an end.
    ///
    /// Source: Katzgraber, Trebst, Huse and Troyer, J. Stat. Mech. P03018 (2006).
    pub fn upward(&self) -> Vec<f64> {
        self.upward.iter().zip(&self.downward).map(|(u, d)| *u as f64 / (u + d) as f64).collect()
    }

    /// Transitions between states from one exchange to the next, N_ij, `[from][to]`: what a mixing matrix is made of.
    pub fn moves(&self) -> &[u64] {
        &self.moves
    }
}

impl Resume for Traffic {
    fn save(&self, to: &mut Snapshot) {
        for (name, counts) in self.fields() {
            to.put(name, counts.clone());
        }
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        for (name, counts) in self.fields_mut() {
            let loaded = from.u64s(name)?;
            if loaded.len() != counts.len() {
                return Err(Error::Shape { what: "counts of the ladder in the snapshot", expected: counts.len(), found: loaded.len() });
            }
            counts.copy_from_slice(loaded);
        }
        Ok(())
    }
}

impl Traffic {
    fn fields(&self) -> [(&'static str, &Vec<u64>); 10] {
        [
            ("proposed", &self.proposed),
            ("accepted", &self.accepted),
            ("moves", &self.moves),
            ("visits", &self.visits),
            ("upward", &self.upward),
            ("downward", &self.downward),
            ("last_end", &self.last_end),
            ("departed", &self.departed),
            ("trips", &self.trips),
            ("trip_steps", &self.trip_steps),
        ]
    }
    fn fields_mut(&mut self) -> [(&'static str, &mut Vec<u64>); 10] {
        [
            ("proposed", &mut self.proposed),
            ("accepted", &mut self.accepted),
            ("moves", &mut self.moves),
            ("visits", &mut self.visits),
            ("upward", &mut self.upward),
            ("downward", &mut self.downward),
            ("last_end", &mut self.last_end),
            ("departed", &mut self.departed),
            ("trips", &mut self.trips),
            ("trip_steps", &mut self.trip_steps),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_replica_walks_up_and_down_twice() {
        let mut t = Traffic::new(3, 1);
        let path = [1, 0, 0, 1, 2, 1, 0, 1, 1, 2, 2, 1, 0];
        for (step, pair) in path.windows(2).enumerate() {
            t.moved(0, pair[0], pair[1], 10 * (step as u64 + 1));
        }
        // First at the bottom at 10, back at 60 and at 120.
        assert_eq!(t.round_trips(), [RoundTrips { count: 2, steps: 110 }]);
        assert_eq!(t.visits(), [4, 5, 3]);
        assert_eq!(t.upward(), [1.0, 0.6, 0.0]);
        assert_eq!(t.moves(), [1, 2, 0, 3, 1, 2, 0, 2, 1]);
        let mut s = Snapshot::default();
        t.save(&mut s);
        let mut u = Traffic::new(3, 1);
        u.load(&s).unwrap();
        assert_eq!(t, u);
        assert!(Traffic::new(4, 1).load(&s).is_err());
    }
}
