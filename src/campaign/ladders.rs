//! What stages on a ladder have stored: states, reduced energies at every state, columns; and what their traffic says.

use super::analyse;
use super::config::{Ladder, Path, Sample, Stage, StageKind};
use super::exchange::{GRADIENT, STATE, U_KN};
use super::run::Job;
use crate::batch::{Resume, Snapshot, Thermo};
use crate::estimate::summary::{LadderSummary, StageSummary};
use crate::estimate::{
    Check, Diagnosis, Estimate, FreeEnergyError, Outcome, ReducedPotentials, Series, detect_equilibration, diagnose, judge, mean,
    statistical_inefficiency,
};
use crate::io::reader;
use crate::path::Traffic;
use crate::{Error, Result};

/// Below this neighbours hardly trade places.
const ACCEPTANCE: f64 = 0.05;

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

fn learned(saved: &Snapshot, well: &[usize], k: usize) -> Result<Vec<(Vec<f64>, bool)>> {
    let (f, settled) = (saved.f64s("learned")?, saved.u64s("settled")?);
    Ok(well.iter().map(|&r| (f[r * k..(r + 1) * k].to_vec(), settled[r] == 1)).collect())
}

impl OnLadder {
    /// Reads a stage's frames.
    ///
    /// # Errors
    /// What the readers give; `Error::Run` when there are no frames.
    pub(super) fn read(job: &Job<'_>, stage: &Stage, sample: &Sample, ladder: &Ladder, saved: &Snapshot) -> Result<Self> {
        let dir = job.dir.join(&stage.name.value);
        let Some((files, _)) = reader::Stage::open(&dir)? else {
            return Err(Error::run(format!("{} holds no frames", dir.display()), "`ergodica resume` the run: it was not finished"));
        };
        let states = ladder.states(sample.thermal.value, 1.0, job.resolved.units);
        let exchanged = matches!(stage.kind, StageKind::Exchange(_));
        let (all, draws, k) = (files.header.replicas, files.frames() as usize, states.len());
        let per_copy = if exchanged { k } else { 1 };
        let steps = saved.nested("ensemble")?.u64s("diverged")?;
        let diverged: Vec<(usize, u64)> = steps.iter().enumerate().filter(|(_, s)| **s != u64::MAX).map(|(r, s)| (r, *s)).collect();
        let well: Vec<usize> = (0..all).filter(|r| diverged.iter().all(|(d, _)| d / per_copy != r / per_copy)).collect();
        let place = files.column(STATE)?;
        let state: Vec<Vec<u32>> = well.iter().map(|&r| place[r].iter().map(|s| *s as u32).collect()).collect();
        let mut u = vec![Vec::with_capacity(draws * k); well.len()];
        // a few megabytes at a time
        let block = ((1 << 20) / (all * k).max(1) + 1) as u64;
        let mut first = 0;
        while first < draws as u64 {
            let end = (first + block).min(draws as u64);
            let values = files.values(U_KN, first..end, 0..all)?;
            for frame in values.chunks_exact(all * k) {
                for (kept, &r) in u.iter_mut().zip(&well) {
                    kept.extend_from_slice(&frame[r * k..(r + 1) * k]);
                }
            }
            first = end;
        }
        let gradient = match ladder {
            Ladder::Lambdas(_) => {
                let every = files.column(GRADIENT)?;
                well.iter().map(|&r| every[r].clone()).collect()
            }
            Ladder::Temperatures(_) => Vec::new(),
        };
        let mut columns = Vec::new();
        for column in stage.observe.iter().flat_map(|o| &o.columns).filter(|c| c.value.scalar()) {
            let every = files.column(&column.value.text)?;
            let unit = files.header.columns.iter().find(|c| c.name == column.value.text).and_then(|c| c.unit.clone());
            let values = well.iter().map(|&r| every[r].clone()).collect();
            columns.push(Observed { name: column.value.text.clone(), unit, periodic: column.value.periodic(), values });
        }
        let mut terms = Vec::new();
        for column in files.header.columns.iter().filter(|c| c.name == "terms") {
            for label in &column.labels {
                let every = files.column(&format!("terms.{label}"))?;
                let values = well.iter().map(|&r| every[r].clone()).collect();
                terms.push(Observed { name: format!("energy:{label}"), unit: column.unit.clone(), periodic: false, values });
            }
        }
        let pull = match (&job.resolved.path.as_ref().map(|p| &p.value), ladder) {
            (Some(Path::Umbrella { from, to, stiffness, .. }), Ladder::Lambdas(_)) if from.value != to.value => {
                let way = to.value - from.value;
                Some(1.0 / (2.0 * states[0].beta * stiffness.value * way * way))
            }
            _ => None,
        };
        let traffic = if exchanged {
            let mut traffic = Traffic::new(k, all);
            traffic.load(saved.nested("propagator")?.nested("traffic")?)?;
            Some(traffic)
        } else {
            None
        };
        let learned = if exchanged { Vec::new() } else { learned(saved, &well, k)? };
        let mut read = OnLadder {
            names: ladder.names(job.resolved.units),
            variable: if matches!(ladder, Ladder::Lambdas(_)) { "lambda" } else { "temperature" },
            target: ladder.target(),
            states,
            copies: well.len() / per_copy,
            per_copy,
            draws,
            discard: 0,
            discard_by: String::new(),
            diverged,
            holder: if exchanged { holders(&state, k, draws) } else { Vec::new() },
            state,
            u,
            gradient,
            columns,
            terms,
            pull,
            traffic,
            learned,
            exchanged,
        };
        let every = stage.observe.as_ref().map_or(1, |o| o.every.value);
        (read.discard, read.discard_by) = match sample.discard_steps() {
            Some(steps) => ((steps.div_ceil(every) as usize).min(draws), "declared".to_owned()),
            None => read.detect(),
        };
        Ok(read)
    }

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
    pub(super) fn replicas_of(&self, copy: usize) -> std::ops::Range<usize> {
        copy * self.per_copy..(copy + 1) * self.per_copy
    }

    /// `value(replica, draw)` of every frame that was at state `k`, of one copy after the discard, in the order of time.
    pub(super) fn at_state(&self, copy: usize, k: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let mut all = Vec::with_capacity(self.draws - self.discard);
        self.at_state_in(copy, k, self.discard..self.draws, &value, &mut all);
        all
    }

    /// The same of some draws, appended to `all`.
    pub(super) fn at_state_in(
        &self,
        copy: usize,
        k: usize,
        draws: std::ops::Range<usize>,
        value: &impl Fn(usize, usize) -> f64,
        all: &mut Vec<f64>,
    ) {
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
        draws: std::ops::Range<usize>,
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

    /// What tells neighbours apart at a state: u_k+1 - u_k-1, one-sided at the ends.
    fn gap(&self, k: usize, r: usize, draw: usize) -> f64 {
        let u = self.u_of(r, draw);
        u[(k + 1).min(u.len() - 1)] - u[k.saturating_sub(1)]
    }

    /// Latest equilibration among the copies' total reduced energies at their own states.
    fn detect(&self) -> (usize, String) {
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
    pub(super) fn g(&self) -> f64 {
        self.inefficiency(&|k, r, d| self.gap(k, r, d))
    }

    /// The same of another number, `value(state, replica, draw)`.
    pub(super) fn inefficiency(&self, value: &dyn Fn(usize, usize, usize) -> f64) -> f64 {
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

    fn summary(&self, kb: f64) -> LadderSummary {
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
            second_eigenvalue: self.traffic.as_ref().and_then(Traffic::second_eigenvalue),
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

/// Which replica of a copy is at each state of each frame.
fn holders(state: &[Vec<u32>], k: usize, draws: usize) -> Vec<Vec<u32>> {
    let mut all = vec![vec![u32::MAX; draws * k]; state.len() / k];
    for (r, states) in state.iter().enumerate() {
        for (draw, s) in states.iter().enumerate() {
            if let Some(slot) = all[r / k].get_mut(draw * k + *s as usize) {
                *slot = r as u32;
            }
        }
    }
    all
}

fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for v in values {
        (sum, n) = (sum + v, n + 1.0);
    }
    sum / n
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
        StageKind::Exchange(e) => e.mixing.value != super::config::Mixing::None,
        _ => true,
    };
    if coupled {
        summary.checks.extend(traffic_checks(&read));
    }
    summary.checks.extend(analyse::diverged_check(job, stage, &read.diverged, summary.replicas));
    let mut estimates = estimates;
    estimates.extend(traffic_estimates(&read));
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

/// Neighbours must trade places, and replicas must travel.
fn traffic_checks(read: &OnLadder) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(traffic) = &read.traffic {
        for (k, a) in traffic.acceptance().iter().enumerate() {
            let between = format!("{} and {}", read.names[k], read.names[k + 1]);
            let outcome = if *a >= ACCEPTANCE { Outcome::Pass } else { Outcome::Fail };
            let message = if a.is_finite() {
                format!(
                    "swaps between {} {between} are accepted at {:.1} %, should be at least 5 %: add states between",
                    read.variable,
                    100.0 * a
                )
            } else {
                format!("no swap between {} {between} was tried: the stage is shorter than two rounds of exchanges", read.variable)
            };
            let message = if outcome == Outcome::Pass { message.replace(": add states between", "") } else { message };
            let value = a.is_finite().then_some(*a);
            checks.push(Check { check: "acceptance".to_owned(), of: between, value, bound: Some(ACCEPTANCE), outcome, message });
        }
    }
    if !read.exchanged {
        let settled = read.learned.iter().filter(|l| l.1).count();
        let all = read.learned.len();
        let outcome = if settled == all && all > 0 { Outcome::Pass } else { Outcome::Fail };
        checks.push(Check {
            check: "settled".to_owned(),
            of: "weights".to_owned(),
            value: Some(settled as f64),
            bound: Some(all as f64),
            outcome,
            message: format!("the weights of {settled} of {all} replicas have come to their last stage of learning: all must"),
        });
    }
    let trips: u64 = read.round_trips().iter().sum();
    let wanted = read.copies.max(1) as u64 * 2;
    // one round trip a copy is the least that shows that the ends are connected
    let outcome = if trips >= wanted {
        Outcome::Pass
    } else if trips >= read.copies as u64 {
        Outcome::Warn
    } else {
        Outcome::Fail
    };
    checks.push(Check {
        check: "round_trips".to_owned(),
        of: format!("{} {} to {}", read.variable, read.names[0], read.names[read.names.len() - 1]),
        value: Some(trips as f64),
        bound: Some(wanted as f64),
        outcome,
        message: format!(
            "{trips} round trips over the ladder in {} copies, should be at least {wanted}: the ends must be connected",
            read.copies
        ),
    });
    checks
}

fn traffic_estimates(read: &OnLadder) -> Vec<Estimate> {
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
