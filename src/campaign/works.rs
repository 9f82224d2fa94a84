//! What switching has stored: works of trajectories, and the free energies in them.

use super::analyse::{diverged_check, estimate_frame, frame, thresholds};
use super::config::{Directions, Estimate as Wanted, Method, Sample, Stage, Switch};
use super::copies::SHARED;
use super::free_energies::failed;
use super::job::Job;
use super::switch::WORK;
use crate::batch::Snapshot;
use crate::estimate::summary::{StageSummary, WorkSummary};
use crate::estimate::{
    Check, Estimate, FreeEnergyError, Series, Threshold, Warning, WarningKind, crooks, crossed_gaussians, delete_one_error, diagnose,
    jarzynski, judge, statistical_inefficiency,
};
use crate::io::reader;
use crate::{Error, Result};

/// Share of proposals that are accepted: moves that are hardly ever accepted move nothing.
const ACCEPTED: Threshold = Threshold { pass: 0.2, fail: 0.05 };
/// Wu and Kofke's Pi of one direction.
const REACHED: Threshold = Threshold { pass: 0.5, fail: 0.0 };

/// A stored column, `[replica][frame]`.
pub(super) fn frames(job: &Job<'_>, stage: &Stage, column: &str) -> Result<Vec<Vec<f64>>> {
    let dir = job.dir.join(&stage.name.value);
    match reader::Stage::open(&dir)? {
        Some((files, _)) => files.column(column),
        None => Err(Error::run(format!("{} holds no frames", dir.display()), "`ergodica resume` the run: it was not finished")),
    }
}

/// Works of a switch stage, `[replica][shot]` in kT.
pub(super) struct Works {
    forward: Vec<Vec<f64>>,
    reverse: Vec<Vec<f64>>,
    temperature: f64,
    kt: f64,
}

/// Diagnostics of a switch stage.
///
/// # Errors
/// What the readers give; `Error::Run` when there are no frames.
pub(super) fn switched(job: &Job<'_>, stage: &Stage, switch: &Switch, saved: &Snapshot) -> Result<(StageSummary, Vec<Estimate>, Works)> {
    let sample: &Sample = &switch.sample;
    let mut works = frames(job, stage, WORK)?;
    let mut diverged = Vec::new();
    for (k, name) in ["ensemble", "reverse"].into_iter().enumerate().take(works.len() / sample.replicas.value as usize) {
        let steps = saved.nested(name)?.u64s("diverged")?;
        diverged.extend(steps.iter().enumerate().filter(|(_, s)| **s != u64::MAX).map(|(r, s)| (k * steps.len() + r, *s)));
    }
    let all = works.len();
    let n = sample.replicas.value as usize;
    let reverse = if switch.directions.value == Directions::Both { works.split_off(n) } else { Vec::new() };
    let well = |list: Vec<Vec<f64>>, first: usize| -> Vec<Vec<f64>> {
        list.into_iter().enumerate().filter(|(r, _)| diverged.iter().all(|(d, _)| *d != first + r)).map(|(_, w)| w).collect()
    };
    let found = Works {
        forward: well(works, 0),
        reverse: well(reverse, n),
        temperature: sample.thermal.value.temperature(job.resolved.units),
        kt: sample.thermal.value.kt(job.resolved.units),
    };
    let mut summary = StageSummary {
        replicas: all,
        draws: found.forward.first().map_or(0, Vec::len),
        every: switch.spacing.value,
        diverged: diverged.clone(),
        ..frame(job, stage, sample, saved)?
    };
    summary.checks.extend(diverged_check(job, stage, &diverged, all));
    summary.checks.extend(acceptance_check(stage, summary.acceptance));
    summary.works = Some(WorkSummary { forward: found.forward.concat(), reverse: found.reverse.concat(), delta_f: None, stderr: None });
    let mut estimates = Vec::new();
    for (name, list) in [("work_forward", &found.forward), ("work_reverse", &found.reverse)] {
        if list.is_empty() {
            continue;
        }
        let values = list.concat();
        let series = Series { values: &values, replicas: list.len(), draws: list[0].len() };
        // a replica that is stuck, or ends that are not in equilibrium, show in the works
        let diagnosis = diagnose(name.replace('_', " "), series);
        summary.checks.extend(judge(&[diagnosis], &[], &thresholds(job)).checks);
        let mut e = match crate::estimate::mean(series) {
            Ok(m) => m.estimate(name),
            Err(why) => super::analyse::missing(name, &why),
        };
        e.unit = Some("kT".to_owned());
        job.complete_at(&mut e, &stage.name.value, Some(found.temperature));
        estimates.push(e);
    }
    Ok((summary, estimates, found))
}

/// Free energies from the works: both ways together, each alone, and where two Gaussians cross.
///
/// # Errors
/// None; what the data do not allow becomes a check that fails.
pub(super) fn work(job: &Job<'_>, stage: &Stage, wanted: &Wanted, works: &Works) -> Result<(StageSummary, Vec<Estimate>)> {
    debug_assert_eq!(wanted.method.value, Method::Work);
    let mut summary = estimate_frame(job, stage, wanted);
    let unit = wanted.unit.value;
    let factor = unit.of_kt(works.kt);
    let (forward, reverse) = (works.forward.concat(), works.reverse.concat());
    let g = inefficiency(&works.forward).max(inefficiency(&works.reverse));
    let mut estimates: Vec<Estimate> = Vec::new();
    let mut made = |name: &str, answer: std::result::Result<(f64, f64, f64, Vec<Warning>), FreeEnergyError>, checks: &mut Vec<Check>| {
        let mut e = match answer {
            Ok((value, stderr, n_eff, warnings)) => {
                let mut e = Estimate::new(name, value, stderr, n_eff).scaled(factor);
                e.warnings = warnings;
                e
            }
            Err(why) => {
                if name == "delta_f" {
                    checks.push(failed(stage, &why));
                }
                Estimate::missing(name, WarningKind::PoorOverlap, format!("{why}; {}", why.remedy()))
            }
        };
        e.unit = Some(unit.name().to_owned());
        estimates.push(e);
    };
    let checks = &mut summary.checks;
    let one_way =
        |w: &[f64], sign: f64| jarzynski(w).map(|j| (sign * j.delta.value, j.delta.stderr * g.sqrt(), j.delta.n_eff / g, j.delta.warnings));
    let mut line = (None, None);
    if reverse.is_empty() {
        let found = jarzynski(&forward);
        let enough = found.as_ref().map_or(0.0, |j| j.delta.n_eff / g);
        line = found.as_ref().map_or((None, None), |j| (Some(j.delta.value), Some(j.delta.stderr * g.sqrt())));
        let pi = found.as_ref().map_or(f64::NAN, |j| j.pi);
        made("delta_f", one_way(&forward, 1.0), checks);
        checks.push(shared_check(stage, enough));
        checks.push(bias_check(stage, pi));
    } else {
        let found = crooks(&forward, &reverse);
        let both = found.as_ref().map_err(Clone::clone).map(|b| {
            let spread = spread(works).unwrap_or(0.0);
            let stderr = (b.stderr * g.sqrt()).max(spread);
            (b.delta_f, stderr, b.shared / g, b.warnings.clone())
        });
        line = both.as_ref().map_or(line, |(value, stderr, ..)| (Some(*value), Some(*stderr)));
        let shared = both.as_ref().map_or(0.0, |b| b.2);
        made("delta_f", both, checks);
        if shared > 0.0 {
            checks.push(shared_check(stage, shared));
        }
        made("jarzynski_forward", one_way(&forward, 1.0), checks);
        made("jarzynski_reverse", one_way(&reverse, -1.0), checks);
        let crossing = crossed_gaussians(&forward, &reverse, 0, 0);
        // Off by any amount for works that are not Gaussian: no number then, only the reason.
        made(
            "gaussian_crossing",
            crossing.map(|c| {
                let keep = if c.gaussian() { 1.0 } else { f64::NAN };
                (keep * c.delta.value, keep * c.delta.stderr * g.sqrt(), keep * c.delta.n_eff / g, c.delta.warnings)
            }),
            checks,
        );
    }
    if let Some(delta_f) = line.0 {
        let mean = forward.iter().sum::<f64>() / forward.len().max(1) as f64;
        let n = forward.len().max(2) as f64;
        let square = forward.iter().map(|w| (w - mean) * (w - mean)).sum::<f64>() / (n - 1.0) / n * g;
        let error = line.1.map_or(f64::NAN, |e| (e * e + square).sqrt());
        made("dissipated_forward", Ok((mean - delta_f, error, n / g, Vec::new())), checks);
    }
    summary.works = Some(WorkSummary { forward, reverse, delta_f: line.0, stderr: line.1 });
    for e in &mut estimates {
        job.complete_at(e, &stage.name.value, Some(works.temperature));
    }
    Ok((summary, estimates))
}

/// Statistical inefficiency of the shots of each replica.
fn inefficiency(works: &[Vec<f64>]) -> f64 {
    let draws = works.first().map_or(0, Vec::len);
    let values = works.concat();
    statistical_inefficiency(Series { values: &values, replicas: works.len(), draws }).map_or(1.0, |i| i.g.max(1.0))
}

/// Error by leaving out groups of replicas in turn; none with fewer than 8 at an end.
fn spread(works: &Works) -> Option<f64> {
    let n = works.forward.len().min(works.reverse.len());
    if n < 8 {
        return None;
    }
    let groups = n.min(16);
    let without = |list: &[Vec<f64>], g: usize| -> Vec<f64> {
        let len = list.len();
        list.iter().enumerate().filter(|(r, _)| r * groups / len != g).flat_map(|(_, w)| w.iter().copied()).collect()
    };
    let mut values = Vec::new();
    for g in 0..groups {
        values.push(crooks(&without(&works.forward, g), &without(&works.reverse, g)).ok()?.delta_f);
    }
    Some(delete_one_error(values))
}

/// Moves that are hardly ever accepted move nothing.
pub(super) fn acceptance_check(stage: &Stage, acceptance: Option<f64>) -> Option<Check> {
    let a = acceptance?;
    Some(Check {
        check: "acceptance".to_owned(),
        of: stage.name.value.clone(),
        value: Some(a),
        bound: Some(ACCEPTED.pass),
        outcome: ACCEPTED.at_least(a),
        message: format!("{:.1} % of the proposals are accepted, should be at least 20 %: use a smaller timestep", 100.0 * a),
    })
}

fn shared_check(stage: &Stage, shared: f64) -> Check {
    Check {
        check: "n_eff".to_owned(),
        of: stage.name.value.clone(),
        value: shared.is_finite().then_some(shared),
        bound: Some(SHARED.pass),
        outcome: SHARED.at_least(shared),
        message: format!(
            "{}: {shared:.0} independent works carry the free energy, should be at least 50: switch slower or shoot more",
            stage.name.value
        ),
    }
}

/// Wu and Kofke's measure: one direction alone must reach the works that matter.
fn bias_check(stage: &Stage, pi: f64) -> Check {
    Check {
        check: "bias".to_owned(),
        of: stage.name.value.clone(),
        value: pi.is_finite().then_some(pi),
        bound: Some(REACHED.pass),
        outcome: REACHED.at_least(pi),
        message: format!("{}: Wu and Kofke's Pi is {pi:.2}, should be at least 0.5: below it one direction is biased", stage.name.value),
    }
}
