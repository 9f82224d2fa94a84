//! From the stored frames of a sample stage to diagnostics, means, surfaces and populations. Reads files only.

use super::config::{Estimate as Wanted, Method, Sample, Stage};
use super::job::Job;
use super::{basins, surfaces};
use crate::batch::Snapshot;
use crate::estimate::summary::{ColumnSummary, StageSummary};
use crate::estimate::{
    self, Diagnosis, Estimate, Series, Thresholds, Unusable, Warning, WarningKind, circle, circular_mean, detect_equilibration, diagnose,
    judge, mean,
};
use crate::io::reader;
use crate::{Error, Result};
use std::f64::consts::TAU;

/// One scalar column of the replicas that are well, whole and after the discard.
#[derive(Clone)]
pub(super) struct Scalar {
    pub(super) name: String,
    pub(super) unit: Option<String>,
    pub(super) periodic: bool,
    /// `[replica][draw]`, nothing discarded.
    whole: Vec<f64>,
    /// `[replica][draw]` after the discard.
    pub(super) kept: Vec<f64>,
}

/// The stored scalars of one sample stage.
pub(super) struct Stored {
    pub(super) scalars: Vec<Scalar>,
    /// The single terms of a stored `terms`, for estimates of `energy:NAME`; not judged.
    pub(super) terms: Vec<Scalar>,
    pub(super) replicas: usize,
    draws: usize,
    discard: usize,
    discard_by: String,
    diverged: Vec<(usize, u64)>,
    all_replicas: usize,
}

impl Scalar {
    /// A column of which nothing is to be discarded any more.
    pub(super) fn of(name: &str, unit: Option<String>, periodic: bool, kept: Vec<f64>) -> Self {
        Scalar { name: name.to_owned(), unit, periodic, whole: Vec::new(), kept }
    }

    pub(super) fn series(&self, replicas: usize) -> Series<'_> {
        Series { values: &self.kept, replicas, draws: self.kept.len().checked_div(replicas).unwrap_or(0) }
    }
}

impl Stored {
    /// Reads a stage's scalars, leaves diverged replicas and the discard out.
    pub(super) fn read(job: &Job<'_>, stage: &Stage, sample: &Sample, saved: &Snapshot) -> Result<Self> {
        let dir = job.dir.join(&stage.name.value);
        let Some((files, _)) = reader::Stage::open(&dir)? else {
            return Err(Error::run(format!("{} holds no frames", dir.display()), "`ergodica resume` the run: it was not finished"));
        };
        let (all_replicas, draws) = (files.header.replicas, files.frames() as usize);
        let diverged: Vec<(usize, u64)> =
            saved.nested("ensemble")?.u64s("diverged")?.iter().enumerate().filter(|(_, s)| **s != u64::MAX).map(|(r, s)| (r, *s)).collect();
        let well: Vec<usize> = (0..all_replicas).filter(|r| diverged.iter().all(|(d, _)| d != r)).collect();
        let mut scalars = Vec::new();
        for column in stage.observe.iter().flat_map(|o| &o.columns).filter(|c| c.value.scalar()) {
            let all = files.column(&column.value.text)?;
            let whole: Vec<f64> = well.iter().flat_map(|&r| all[r].iter().copied()).collect();
            let unit = files.header.columns.iter().find(|c| c.name == column.value.text).and_then(|c| c.unit.clone());
            scalars.push(Scalar { name: column.value.text.clone(), unit, periodic: column.value.periodic(), kept: Vec::new(), whole });
        }
        let mut terms = Vec::new();
        for column in files.header.columns.iter().filter(|c| c.name == "terms") {
            for label in &column.labels {
                let all = files.column(&format!("terms.{label}"))?;
                let whole: Vec<f64> = well.iter().flat_map(|&r| all[r].iter().copied()).collect();
                terms.push(Scalar { name: format!("energy:{label}"), unit: column.unit.clone(), periodic: false, kept: Vec::new(), whole });
            }
        }
        let every = stage.observe.as_ref().map_or(1, |o| o.every.value);
        let mut stored =
            Stored { scalars, terms, replicas: well.len(), draws, discard: 0, discard_by: String::new(), diverged, all_replicas };
        stored.discard(sample.discard_steps(), every);
        Ok(stored)
    }

    fn discard(&mut self, declared: Option<u64>, every: u64) {
        (self.discard, self.discard_by) = match declared {
            Some(steps) => ((steps.div_ceil(every) as usize).min(self.draws), "declared".to_owned()),
            None => self.detect(),
        };
        for scalar in self.scalars.iter_mut().chain(&mut self.terms) {
            scalar.kept.clear();
            for r in 0..self.replicas {
                scalar.kept.extend_from_slice(&scalar.whole[r * self.draws + self.discard..(r + 1) * self.draws]);
            }
        }
    }

    /// The latest of the columns' equilibration times; an angle counts as its cosine and sine.
    fn detect(&self) -> (usize, String) {
        let mut latest = None;
        for scalar in &self.scalars {
            for values in parts(&scalar.whole, scalar.periodic) {
                if let Ok(e) = detect_equilibration(Series { values: &values, replicas: self.replicas, draws: self.draws }) {
                    latest = Some(latest.unwrap_or(0).max(e.start));
                }
            }
        }
        match latest {
            Some(start) => (start, "automatic".to_owned()),
            None => (0, "automatic, but the series is too short or constant: nothing was discarded".to_owned()),
        }
    }

    pub(super) fn find(&self, name: &str) -> Result<&Scalar> {
        self.scalars
            .iter()
            .chain(&self.terms)
            .find(|s| s.name == name)
            .ok_or_else(|| Error::input(format!("no stored scalar column \"{name}\""), "observe it in the sample stage"))
    }
}

/// A column as what diagnostics may look at: itself, or cosine and sine of an angle.
pub(super) fn parts(values: &[f64], periodic: bool) -> Vec<Vec<f64>> {
    if periodic {
        let (cos, sin) = circle(values, TAU);
        vec![cos, sin]
    } else {
        vec![values.to_vec()]
    }
}

/// Diagnostics, basins and checks of a sample stage, and the means of its columns.
pub(super) fn sample(job: &Job<'_>, stage: &Stage, sample: &Sample, saved: &Snapshot) -> Result<(StageSummary, Vec<Estimate>, Stored)> {
    let stored = Stored::read(job, stage, sample, saved)?;
    let mut summary = StageSummary {
        replicas: stored.all_replicas,
        draws: stored.draws,
        discard: stored.discard,
        discard_by: stored.discard_by.clone(),
        diverged: stored.diverged.clone(),
        ..frame(job, stage, sample, saved)?
    };
    let mut diagnoses = Vec::new();
    let mut estimates = Vec::new();
    for scalar in &stored.scalars {
        let (column, diagnosis) = column_summary(scalar, &stored);
        summary.columns.push(column);
        diagnoses.extend(diagnosis);
        if !scalar.periodic {
            estimates.push(mean_estimate(job, scalar, &stored));
        }
    }
    let counted = match basins::counted(job, &stored.scalars, stored.replicas, None)? {
        Some((declared, counted)) => {
            summary.basins = Some(basins::summary(&declared, &counted));
            vec![counted]
        }
        None => Vec::new(),
    };
    let verdict = judge(&diagnoses, &counted, &thresholds(job));
    summary.checks = verdict.checks;
    summary.checks.extend(diverged_check(job, stage, &stored.diverged, stored.all_replicas));
    for e in &mut estimates {
        job.complete(e, &stage.name.value, Some(sample));
    }
    Ok((summary, estimates, stored))
}

/// What a chain was asked to do and what it cost.
pub(super) fn frame(job: &Job<'_>, stage: &Stage, sample: &Sample, saved: &Snapshot) -> Result<StageSummary> {
    let proposed = saved.u64("proposed")?;
    Ok(StageSummary {
        stage: stage.name.value.clone(),
        point: job.point.clone(),
        folder: job.folder(stage),
        kind: stage.kind.name().to_owned(),
        propagator: Some(sample.propagator.value.name().to_owned()),
        steps: sample.steps.value,
        every: stage.observe.as_ref().map_or(sample.steps.value, |o| o.every.value),
        timestep: sample.timestep.value,
        time_unit: job.time_unit().map(str::to_owned),
        acceptance: (proposed > 0).then(|| saved.u64("accepted").map(|a| a as f64 / proposed as f64)).transpose()?,
        evaluations: saved.u64("evaluations")?,
        // checkpoints of older versions do not tell
        gradients: saved.u64("gradients").ok(),
        ..StageSummary::default()
    })
}

/// A check on replicas that diverged, if any did.
pub(super) fn diverged_check(job: &Job<'_>, stage: &Stage, diverged: &[(usize, u64)], replicas: usize) -> Option<estimate::Check> {
    let first = diverged.iter().map(|d| d.1).min()?;
    let fraction = diverged.len() as f64 / replicas.max(1) as f64;
    let bound = job.resolved.diagnostics.max_diverged.value;
    let outcome = if fraction <= bound { estimate::Outcome::Warn } else { estimate::Outcome::Fail };
    Some(estimate::Check {
        check: "diverged".to_owned(),
        of: stage.name.value.clone(),
        value: Some(fraction),
        bound: Some(bound),
        outcome,
        message: format!(
            "{} of {replicas} replicas diverged, the first at step {first}: they are left out of every average; use a smaller timestep",
            diverged.len()
        ),
    })
}

pub(super) fn thresholds(job: &Job<'_>) -> Thresholds {
    let d = &job.resolved.diagnostics;
    let mut t = Thresholds::default();
    t.r_hat = estimate::Threshold { pass: d.rhat.value, fail: t.r_hat.fail.max(d.rhat.value) };
    t.ess_bulk = estimate::Threshold { pass: d.ess.value, fail: d.ess.value };
    t.ess_tail = t.ess_bulk;
    t.crossings = estimate::Threshold { pass: d.min_crossings.value as f64, fail: d.min_crossings.value as f64 };
    t
}

fn column_summary(scalar: &Scalar, stored: &Stored) -> (ColumnSummary, Vec<Diagnosis>) {
    let mut column =
        ColumnSummary { name: scalar.name.clone(), unit: scalar.unit.clone(), periodic: scalar.periodic, ..ColumnSummary::default() };
    if !scalar.periodic
        && let Ok(m) = mean(scalar.series(stored.replicas))
    {
        (column.mean, column.stderr) = (finite(m.value), finite(m.stderr));
    } else if scalar.periodic
        && let Ok(m) = circular_mean(scalar.series(stored.replicas), TAU)
    {
        (column.mean, column.stderr) = (finite(m.value), finite(m.stderr));
    }
    let mut diagnoses = Vec::new();
    for (k, values) in parts(&scalar.kept, scalar.periodic).into_iter().enumerate() {
        let name = if scalar.periodic { format!("{} of {}", ["cos", "sin"][k], scalar.name) } else { scalar.name.clone() };
        let draws = values.len().checked_div(stored.replicas).unwrap_or(0);
        let series = Series { values: &values, replicas: stored.replicas, draws };
        let d = diagnose(name, series);
        let worse = |old: Option<f64>, new: f64, larger: bool| Some(old.map_or(new, |o| if larger { o.max(new) } else { o.min(new) }));
        match &d.rank {
            Ok(r) => {
                column.r_hat = worse(column.r_hat, r.r_hat, true).and_then(finite);
                column.ess_bulk = worse(column.ess_bulk, r.ess_bulk, false).and_then(finite);
                column.ess_tail = worse(column.ess_tail, r.ess_tail, false).and_then(finite);
            }
            Err(why) => column.remark = Some(why.to_string()),
        }
        match &d.time {
            Ok(t) if column.tau.is_none_or(|tau| t.tau > tau) => {
                (column.tau, column.tau_stderr, column.g) = (finite(t.tau), finite(t.stderr), finite(t.g()));
            }
            Ok(_) => {}
            Err(why) => column.remark = Some(why.to_string()),
        }
        if let Ok(b) = estimate::block_average(series) {
            column.stderr_blocks = b.stderr().and_then(finite);
        }
        let whole = parts(&scalar.whole, scalar.periodic);
        if let Ok(e) = detect_equilibration(Series { values: &whole[k], replicas: stored.replicas, draws: stored.draws }) {
            column.equilibrated = Some(column.equilibrated.map_or(e.start, |o| o.max(e.start)));
        }
        diagnoses.push(d);
    }
    (column, diagnoses)
}

pub(super) fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

fn mean_estimate(job: &Job<'_>, scalar: &Scalar, stored: &Stored) -> Estimate {
    let mut e = if scalar.periodic {
        match circular_mean(scalar.series(stored.replicas), TAU) {
            Ok(m) => m.estimate(&scalar.name),
            Err(why) => missing(&scalar.name, &why),
        }
    } else {
        match mean(scalar.series(stored.replicas)) {
            Ok(m) => m.estimate(&scalar.name),
            Err(why) => missing(&scalar.name, &why),
        }
    };
    e.unit = scalar.unit.clone();
    if stored.replicas == 0 {
        e.warnings
            .push(Warning::new(WarningKind::NotFinite, format!("all {} replicas diverged in {}", stored.all_replicas, job.system.name)));
    }
    e
}

pub(super) fn missing(quantity: &str, why: &Unusable) -> Estimate {
    let kind = match why {
        Unusable::TooShort { .. } => WarningKind::TooShort,
        Unusable::Constant { .. } => WarningKind::Constant,
        _ => WarningKind::NotFinite,
    };
    Estimate::missing(quantity, kind, why.to_string())
}

/// The estimates of an estimate stage over what its sample stage stored.
pub(super) fn wanted(
    job: &Job<'_>,
    stage: &Stage,
    wanted: &Wanted,
    sample: &Sample,
    stored: &Stored,
) -> Result<(StageSummary, Vec<Estimate>)> {
    let mut summary = estimate_frame(job, stage, wanted);
    let mut estimates = match wanted.method.value {
        Method::Mean => {
            wanted.of.iter().map(|c| stored.find(&c.value.text).map(|s| mean_estimate(job, s, stored))).collect::<Result<_>>()?
        }
        Method::Timeseries => {
            let mut all = Vec::new();
            for c in &wanted.of {
                let scalar = stored.find(&c.value.text)?;
                let (column, _) = column_summary(scalar, stored);
                all.extend(timeseries(&column));
                summary.columns.push(column);
            }
            all
        }
        Method::Fes => {
            let (s, all) = surfaces::plain(job, stage, wanted, sample, stored)?;
            summary.surfaces.push(s);
            all
        }
        Method::Basins => {
            let names: Vec<String> = wanted.basins.iter().map(|b| b.value.clone()).collect();
            let Some((declared, counted)) = basins::counted(job, &stored.scalars, stored.replicas, Some(&names))? else {
                return Err(job.at(Error::input("no basins to count", "declare [basins.NAME] in the campaign"), stage.name.span.clone()));
            };
            summary.basins = Some(basins::summary(&declared, &counted));
            basins::estimates(&counted)
        }
        other => return Err(Error::run(format!("{} does not read a sample stage", other.name()), "report this as a bug")),
    };
    for e in &mut estimates {
        job.complete(e, &stage.name.value, Some(sample));
    }
    Ok((summary, estimates))
}

/// The summary of an estimate stage before it found anything.
pub(super) fn estimate_frame(job: &Job<'_>, stage: &Stage, wanted: &Wanted) -> StageSummary {
    StageSummary {
        stage: stage.name.value.clone(),
        point: job.point.clone(),
        folder: job.folder(stage),
        kind: "estimate".to_owned(),
        from: Some(wanted.from.value.clone()).filter(|f| !f.is_empty()),
        ..StageSummary::default()
    }
}

fn timeseries(c: &ColumnSummary) -> Vec<Estimate> {
    let named = |what: &str, value: Option<f64>, stderr: Option<f64>| {
        let quantity = format!("{what}:{}", c.name);
        match value {
            Some(v) => Estimate::new(quantity, v, stderr.unwrap_or(f64::NAN), f64::NAN),
            None => {
                Estimate::missing(quantity, WarningKind::NotFinite, c.remark.clone().unwrap_or_else(|| "could not be computed".to_owned()))
            }
        }
    };
    vec![
        named("tau", c.tau, c.tau_stderr),
        named("g", c.g, c.tau_stderr.map(|e| 2.0 * e)),
        named("r_hat", c.r_hat, None),
        named("ess_bulk", c.ess_bulk, None),
        named("ess_tail", c.ess_tail, None),
        named("equilibrated", c.equilibrated.map(|n| n as f64), None),
    ]
}
