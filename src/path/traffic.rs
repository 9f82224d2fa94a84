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

    /// Transitions between states from one exchange to the next, N_ij, `[from][to]`.
    pub fn moves(&self) -> &[u64] {
        &self.moves
    }

    /// T_ij = (N_ij + N_ji) / sum_k (N_ik + N_ki), `[from][to]`: the mixing matrix, NaN for a state never visited.
    pub fn mixing(&self) -> Vec<f64> {
        let k = self.states;
        let mut t = vec![0.0; k * k];
        for i in 0..k {
            let row: u64 = (0..k).map(|j| self.moves[i * k + j] + self.moves[j * k + i]).sum();
            for j in 0..k {
                t[i * k + j] = (self.moves[i * k + j] + self.moves[j * k + i]) as f64 / row as f64;
            }
        }
        t
    }

    /// Second largest eigenvalue of [`Traffic::mixing`]: states are forgotten like its powers, with the number of exchanges. `None`
    /// before every state was visited, and for fewer than two states.
    pub fn second_eigenvalue(&self) -> Option<f64> {
        let k = self.states;
        let mut a = vec![0.0; k * k];
        let row = |i: usize| (0..k).map(|j| self.moves[i * k + j] + self.moves[j * k + i]).sum::<u64>() as f64;
        let rows: Vec<f64> = (0..k).map(row).collect();
        if k < 2 || rows.contains(&0.0) {
            return None;
        }
        for i in 0..k {
            for j in 0..k {
                // D^1/2 T D^-1/2 is symmetric and has the eigenvalues of T.
                a[i * k + j] = (self.moves[i * k + j] + self.moves[j * k + i]) as f64 / (rows[i] * rows[j]).sqrt();
            }
        }
        let mut values = eigenvalues(a, k);
        values.sort_by(f64::total_cmp);
        Some(values[k - 2])
    }
}

/// Eigenvalues of a symmetric matrix by Jacobi rotations, to rounding.
///
/// Source: Golub and Van Loan, Matrix Computations, section 8.5 (2013).
fn eigenvalues(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    for _ in 0..60 {
        let (mut off, mut diagonal) = (0.0, 0.0);
        for i in 0..n {
            for j in 0..n {
                *(if i == j { &mut diagonal } else { &mut off }) += a[i * n + j] * a[i * n + j];
            }
        }
        if off <= 1e-30 * diagonal {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for i in 0..n {
                    let (x, y) = (a[i * n + p], a[i * n + q]);
                    (a[i * n + p], a[i * n + q]) = (c * x - s * y, s * x + c * y);
                }
                for i in 0..n {
                    let (x, y) = (a[p * n + i], a[q * n + i]);
                    (a[p * n + i], a[q * n + i]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    (0..n).map(|i| a[i * n + i]).collect()
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
    fn eigenvalues_of_a_chain_are_the_known_ones() {
        // The path graph's adjacency matrix: 2 cos(pi j / (n + 1)).
        let n = 5;
        let mut a = vec![0.0; n * n];
        for i in 0..n - 1 {
            a[i * n + i + 1] = 1.0;
            a[(i + 1) * n + i] = 1.0;
        }
        let mut values = eigenvalues(a, n);
        values.sort_by(f64::total_cmp);
        let root3 = 3.0_f64.sqrt();
        for (v, exact) in values.iter().zip([-root3, -1.0, 0.0, 1.0, root3]) {
            assert!((v - exact).abs() < 1e-14, "{values:?}");
        }
    }

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
        let mixing = t.mixing();
        for row in mixing.chunks_exact(3) {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        }
        let lambda = t.second_eigenvalue().unwrap();
        assert!(lambda > 0.0 && lambda < 1.0);
        let mut s = Snapshot::default();
        t.save(&mut s);
        let mut u = Traffic::new(3, 1);
        u.load(&s).unwrap();
        assert_eq!(t, u);
        assert!(Traffic::new(4, 1).load(&s).is_err());
    }
}
