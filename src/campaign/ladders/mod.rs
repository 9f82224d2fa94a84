//! Stages on a ladder as they are read: states, reduced energies at every state, columns, and what they say at the target.

mod inefficiency;
mod read;
mod traffic;

use super::analyse;
use super::config::{Ladder, Mixing, Sample, Stage, StageKind};
use super::job::Job;
use crate::Result;
use crate::batch::{Snapshot, Thermo};
use crate::estimate::summary::StageSummary;
use crate::estimate::{Diagnosis, Estimate, FreeEnergyError, ReducedPotentials, Series, diagnose, judge, mean};
use crate::path::Traffic;
use std::ops::Range;

/// One stored scalar column, `[replica][draw]` of the replicas that are kept, nothing discarded.
pub(super) struct Observed {
    pub(super) name: String,
    pub(super) unit: Option<String>,
    /// A number on the circle from -pi to pi.
    pub(super) periodic: bool,
    pub(super) values: Vec<Vec<f64>>,
}

/// What a stage on a ladder has stored, copies with a diverged replica left out.
pub(super) struct OnLadder {
    pub(super) states: Vec<Thermo>,
    pub(super) names: Vec<String>,
    pub(super) variable: &'static str,
    pub(super) target: usize,
    /// Independent copies.
    pub(super) copies: usize,
    /// Replicas of a copy: the number of states, or 1 of an expanded ensemble.
    pub(super) per_copy: usize,
    pub(super) draws: usize,
    pub(super) discard: usize,
    discard_by: String,
    diverged: Vec<(usize, u64)>,
    /// `[replica][draw]`.
    state: Vec<Vec<u32>>,
    /// Of exchanges: the replica at each state, `[copy][draw * states + k]`.
    holder: Vec<Vec<u32>>,
    /// `[replica][draw * states + k]`.
    u: Vec<Vec<f64>>,
    /// beta dU/dlambda, `[replica][draw]`; of ladders of lambdas.
    gradient: Vec<Vec<f64>>,
    pub(super) columns: Vec<Observed>,
    /// The single terms of a stored `terms`, as `energy:NAME`.
    pub(super) terms: Vec<Observed>,
    /// Of umbrella windows: beta dU/dlambda squared times this is the reduced energy of the restraint, 1 / (2 beta k (c(1) - c(0))^2).
    pull: Option<f64>,
    /// Of exchanges.
    traffic: Option<Traffic>,
    /// f_k - f_0 as each replica of an expanded ensemble has learned it, and whether it has settled.
    learned: Vec<(Vec<f64>, bool)>,
    exchanged: bool,
}

impl OnLadder {
    /// Values of the ladder's variable at the states; temperatures come from beta.
    pub(super) fn values(&self, kb: f64) -> Vec<f64> {
        self.states.iter().map(|t| if self.variable == "lambda" { t.lambda } else { 1.0 / (kb * t.beta) }).collect()
    }

    /// Reduced energies at every state of one frame.
    pub(super) fn u_of(&self, replica: usize, draw: usize) -> &[f64] {
        let k = self.states.len();
        &self.u[replica][draw * k..(draw + 1) * k]
    }

    /// The state of a replica at a frame.
    pub(super) fn state_of(&self, replica: usize, draw: usize) -> usize {
        self.state[replica][draw] as usize
    }

    /// The replicas of a copy.
    pub(super) fn replicas_of(&self, copy: usize) -> Range<usize> {
        copy * self.per_copy..(copy + 1) * self.per_copy
    }

    /// `value(replica, draw)` of every frame that was at state `k`, of one copy after the discard, in the order of time.
    pub(super) fn at_state(&self, copy: usize, k: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let mut all = Vec::with_capacity(self.draws - self.discard);
        self.at_state_in(copy, k, self.discard..self.draws, &value, &mut all);
        all
    }

    /// The same of some draws, appended to `all`.
    pub(super) fn at_state_in(&self, copy: usize, k: usize, draws: Range<usize>, value: &impl Fn(usize, usize) -> f64, all: &mut Vec<f64>) {
        for draw in draws {
            let holder = match self.holder.get(copy) {
                Some(holder) => holder[draw * self.states.len() + k] as usize,
                None => copy,
            };
            // an expanded ensemble is in one state, and a replica that left its ladder would be in none
            if self.state.get(holder).is_some_and(|s| s[draw] as usize == k) {
                all.push(value(holder, draw));
            }
        }
    }

    /// beta dU/dlambda of a frame at its own state; 0 on a ladder of temperatures.
    pub(super) fn gradient_of(&self, replica: usize, draw: usize) -> f64 {
        self.gradient.get(replica).map_or(0.0, |g| g[draw])
    }

    /// Are averages those of the system without restraint? Windows are a means, and the ensemble that is wanted is in none of them.
    pub(super) fn unrestrained(&self) -> bool {
        self.pull.is_some()
    }

    /// Reduced energy of a frame in the ensemble that averages are of: at the target state, or without the restraint.
    ///
    ///   beta U = u_k - beta k/2 (xi - c_k)^2,   beta dU/dlambda = -beta k (xi - c_k) (c(1) - c(0))   by the shortest way
    pub(super) fn target_u(&self, replica: usize, draw: usize) -> f64 {
        let u = self.u_of(replica, draw);
        match self.pull {
            Some(pull) => {
                let slope = self.gradient_of(replica, draw);
                u[self.state_of(replica, draw)] - pull * slope * slope
            }
            None => u[self.target],
        }
    }

    /// Reduced energies of the frames of some copies at all states, in the order of replicas and time; with the ensemble without
    /// restraint as one state more, of which there are no samples.
    ///
    /// # Errors
    /// What the energies do not allow.
    pub(super) fn potentials(
        &self,
        copies: &[usize],
        draws: Range<usize>,
        without_restraint: bool,
    ) -> std::result::Result<ReducedPotentials, FreeEnergyError> {
        let (mut origin, mut u_nk) = (Vec::new(), Vec::new());
        for &c in copies {
            for r in self.replicas_of(c) {
                for d in draws.clone() {
                    origin.push(self.state_of(r, d));
                    u_nk.extend_from_slice(self.u_of(r, d));
                    u_nk.extend(without_restraint.then(|| self.target_u(r, d)));
                }
            }
        }
        let mut names = self.unique_names();
        names.extend(without_restraint.then(|| "without restraint".to_owned()));
        ReducedPotentials::from_samples(&names, &origin, &u_nk)
    }

    /// Names of the states, told apart where rounding makes them alike.
    pub(super) fn unique_names(&self) -> Vec<String> {
        let twice = |name: &String| self.names.iter().filter(|n| *n == name).count() > 1;
        self.names.iter().enumerate().map(|(k, n)| if twice(n) { format!("{n} (state {k})") } else { n.clone() }).collect()
    }
}

/// Diagnostics, traffic and the means at the target state of a stage on a ladder.
///
/// # Errors
/// As [`OnLadder::read`].
pub(super) fn analyse(
    job: &Job<'_>,
    stage: &Stage,
    sample: &Sample,
    ladder: &Ladder,
    saved: &Snapshot,
) -> Result<(StageSummary, Vec<Estimate>, OnLadder)> {
    let read = OnLadder::read(job, stage, sample, ladder, saved)?;
    let kb = job.resolved.units.kb();
    let mut summary = analyse::frame(job, stage, sample, saved)?;
    summary.replicas = saved.nested("ensemble")?.u64s("diverged")?.len();
    summary.draws = read.draws;
    summary.discard = read.discard;
    summary.discard_by = read.discard_by.clone();
    summary.diverged = read.diverged.clone();
    summary.ladder = Some(read.summary(kb));
    let (diagnoses, estimates) = at_target(&read);
    summary.checks = judge(&diagnoses, &[], &analyse::thresholds(job)).checks;
    let coupled = match &stage.kind {
        StageKind::Exchange(e) => e.mixing.value != Mixing::None,
        _ => true,
    };
    if coupled {
        summary.checks.extend(traffic::checks(&read));
    }
    summary.checks.extend(analyse::diverged_check(job, stage, &read.diverged, summary.replicas));
    let mut estimates = estimates;
    estimates.extend(traffic::estimates(&read));
    for e in &mut estimates {
        job.complete(e, &stage.name.value, Some(sample));
    }
    Ok((summary, estimates, read))
}

/// The columns and the gap to the neighbour at the target state, one series a copy.
fn at_target(read: &OnLadder) -> (Vec<Diagnosis>, Vec<Estimate>) {
    let (mut diagnoses, mut estimates) = (Vec::new(), Vec::new());
    if read.per_copy != read.states.len() {
        return (diagnoses, estimates);
    }
    let (k, n) = (read.target, read.draws - read.discard);
    let of_state =
        |value: &dyn Fn(usize, usize) -> f64| -> Vec<f64> { (0..read.copies).flat_map(|c| read.at_state(c, k, value)).collect() };
    let at = format!("{} {}", read.variable, read.names[k]);
    let gap = of_state(&|r, d| read.gap(k, r, d));
    diagnoses.push(diagnose(format!("gap to the neighbours at {at}"), Series { values: &gap, replicas: read.copies, draws: n }));
    for column in &read.columns {
        let values = of_state(&|r, d| column.values[r][d]);
        if column.periodic {
            for (part, name) in analyse::parts(&values, true).iter().zip(["cos", "sin"]) {
                let series = Series { values: part, replicas: read.copies, draws: n };
                diagnoses.push(diagnose(format!("{name} of {} at {at}", column.name), series));
            }
            continue;
        }
        let series = Series { values: &values, replicas: read.copies, draws: n };
        diagnoses.push(diagnose(format!("{} at {at}", column.name), series));
        let mut e = match mean(series) {
            Ok(m) => m.estimate(&column.name),
            Err(why) => analyse::missing(&column.name, &why),
        };
        e.unit = column.unit.clone();
        estimates.push(e);
    }
    (diagnoses, estimates)
}
