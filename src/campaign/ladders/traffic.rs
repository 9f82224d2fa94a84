//! How replicas travelled over the ladder: its summary, the checks and the estimates.

use super::OnLadder;
use crate::estimate::summary::LadderSummary;
use crate::estimate::{Check, Estimate, Outcome, Threshold, second_eigenvalue};

/// Below this neighbours hardly trade places.
const ACCEPTANCE: f64 = 0.05;

impl OnLadder {
    pub(super) fn summary(&self, kb: f64) -> LadderSummary {
        let finite = |x: &f64| x.is_finite().then_some(*x);
        let k = self.states.len();
        let mut visits = vec![0; k];
        for states in &self.state {
            for s in &states[self.discard..] {
                visits[*s as usize] += 1;
            }
        }
        LadderSummary {
            variable: self.variable.to_owned(),
            values: self.values(kb),
            states: self.names.clone(),
            target: self.target,
            copies: self.copies,
            per_copy: self.per_copy,
            acceptance: self.traffic.iter().flat_map(|t| t.acceptance()).map(|a| finite(&a)).collect(),
            round_trips: self.round_trips(),
            second_eigenvalue: self.traffic.as_ref().and_then(|t| second_eigenvalue(t.moves(), k)),
            upward: self.traffic.iter().flat_map(|t| t.upward()).map(|u| finite(&u)).collect(),
            visits,
            weights: (0..k).map(|s| mean_of(self.learned.iter().map(|l| l.0[s]))).filter(|w| w.is_finite()).collect(),
        }
    }

    /// Round trips of each replica over the ladder: counted at every exchange, or in the frames.
    fn round_trips(&self) -> Vec<u64> {
        if let Some(traffic) = &self.traffic {
            return traffic.round_trips().iter().map(|t| t.count).collect();
        }
        let top = self.states.len() as u32 - 1;
        let count = |states: &Vec<u32>| {
            let (mut trips, mut last) = (0, None);
            for s in states {
                match (*s, last) {
                    (0, Some(true)) => {
                        trips += 1;
                        last = Some(false);
                    }
                    (0, _) => last = Some(false),
                    // only a trip that began at the first state counts
                    (s, Some(false)) if s == top => last = Some(true),
                    _ => {}
                }
            }
            trips
        };
        self.state.iter().map(count).collect()
    }
}

/// Neighbours must trade places, learned weights must have settled, and replicas must travel.
pub(super) fn checks(read: &OnLadder) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(traffic) = &read.traffic {
        checks.extend(traffic.acceptance().iter().enumerate().map(|(k, a)| accepted(read, k, *a)));
    }
    if !read.exchanged {
        checks.push(settled(read));
    }
    checks.push(travelled(read));
    checks
}

fn accepted(read: &OnLadder, k: usize, a: f64) -> Check {
    let between = format!("{} and {}", read.names[k], read.names[k + 1]);
    let outcome = if a >= ACCEPTANCE { Outcome::Pass } else { Outcome::Fail };
    let message = if a.is_finite() {
        let advice = if outcome == Outcome::Pass { "" } else { ": add states between" };
        format!("swaps between {} {between} are accepted at {:.1} %, should be at least 5 %{advice}", read.variable, 100.0 * a)
    } else {
        format!("no swap between {} {between} was tried: the stage is shorter than two rounds of exchanges", read.variable)
    };
    let value = a.is_finite().then_some(a);
    Check { check: "acceptance".to_owned(), of: between, value, bound: Some(ACCEPTANCE), outcome, message }
}

fn settled(read: &OnLadder) -> Check {
    let settled = read.learned.iter().filter(|l| l.1).count();
    let all = read.learned.len();
    Check {
        check: "settled".to_owned(),
        of: "weights".to_owned(),
        value: Some(settled as f64),
        bound: Some(all as f64),
        outcome: if settled == all && all > 0 { Outcome::Pass } else { Outcome::Fail },
        message: format!("the weights of {settled} of {all} replicas have come to their last stage of learning: all must"),
    }
}

fn travelled(read: &OnLadder) -> Check {
    let trips = read.round_trips().iter().sum::<u64>() as f64;
    // one round trip a copy is the least that shows that the ends are connected
    let wanted = Threshold { pass: 2.0 * read.copies.max(1) as f64, fail: read.copies as f64 };
    Check {
        check: "round_trips".to_owned(),
        of: format!("{} {} to {}", read.variable, read.names[0], read.names[read.names.len() - 1]),
        value: Some(trips),
        bound: Some(wanted.pass),
        outcome: wanted.at_least(trips),
        message: format!(
            "{trips} round trips over the ladder in {} copies, should be at least {}: the ends must be connected",
            read.copies, wanted.pass
        ),
    }
}

/// Acceptances, what the weights have learned, round trips.
pub(super) fn estimates(read: &OnLadder) -> Vec<Estimate> {
    let mut all = Vec::new();
    let attempts = read.traffic.iter().flat_map(|t| t.attempts().into_iter().zip(t.acceptance()));
    for (k, ((tried, accepted), a)) in attempts.enumerate() {
        if tried == 0 {
            continue;
        }
        let n = tried as f64;
        // of independent tries; neighbouring rounds are correlated, so this is a lower bound
        let mut e = Estimate::new(format!("acceptance[{k},{}]", k + 1), a, (a * (1.0 - a) / n).sqrt(), accepted as f64);
        e.coords = vec![("from".to_owned(), k as f64), ("to".to_owned(), (k + 1) as f64)];
        all.push(e);
    }
    if !read.learned.is_empty() {
        let (last, n) = (read.states.len() - 1, read.learned.len() as f64);
        let ends: Vec<f64> = read.learned.iter().map(|l| l.0[last]).collect();
        let mean = mean_of(ends.iter().copied());
        let variance = ends.iter().map(|f| (f - mean) * (f - mean)).sum::<f64>() / (n - 1.0);
        let mut e = Estimate::new("learned_delta_f", mean, (variance / n).sqrt(), n);
        e.unit = Some("kT".to_owned());
        all.push(e);
    }
    let trips: u64 = read.round_trips().iter().sum();
    all.push(Estimate::new("round_trips", trips as f64, (trips as f64).sqrt(), trips as f64));
    all
}

fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for v in values {
        (sum, n) = (sum + v, n + 1.0);
    }
    sum / n
}
