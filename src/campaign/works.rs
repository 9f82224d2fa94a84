//! What annealing and switching have stored: log-weights of particles and works of trajectories, and the free energies in them.

use super::analyse::{diverged_check, estimate_frame, frame, thresholds};
use super::anneal::{LOG_W, from_base};
use super::config::{Anneal, Directions, Estimate as Wanted, Method, Sample, Stage, Switch};
use super::free_energies::failed;
use super::run::Job;
use super::switch::WORK;
use crate::batch::Snapshot;
use crate::estimate::summary::{AnnealSummary, StageSummary, WorkSummary};
use crate::estimate::{
    Check, CrossedGaussians, Estimate, FreeEnergyError, Outcome, Series, Warning, WarningKind, crooks, crossed_gaussians, diagnose,
    jarzynski, judge, statistical_inefficiency,
};
use crate::io::reader;
use crate::path::{ess, log_mean_exp};
use crate::{Error, Result};

/// Effective particles of all runs together: worth a warning below the first, no result below the second.
const PARTICLES: (f64, f64) = (100.0, 10.0);
/// Standard deviation of ln of the runs' mean weights: beyond it a few runs carry the mean.
const SCATTER: (f64, f64) = (1.0, 2.0);
/// Kolmogorov-Smirnov statistic of fitted Gaussians (Lilliefors) that Gaussian works exceed in 1 % of cases.
const NORMALITY: f64 = 1.035;
/// Runs from whose spread an error is fair.
const RUNS: usize = 4;

/// The runs of an anneal stage.
pub(super) struct Annealed {
    /// ln of the mean weight of each run.
    log_z: Vec<f64>,
    /// Effective fraction of the particles of each run.
    ess: Vec<f64>,
    /// Particles of a run.
    particles: usize,
    resampled: bool,
    /// Of each run: particles times the sum of squared shares of the families, the relative variance of its weight times the particles.
    rho_t: Vec<f64>,
    /// ln Z of the base, which the weights contain if they start from exact draws.
    log_norm: Option<f64>,
    exact_draws: bool,
    temperature: Option<(String, f64)>,
}

/// Diagnostics and results of an anneal stage.
///
/// # Errors
/// What the readers give; `Error::Run` when there are no frames.
pub(super) fn annealed(job: &Job<'_>, stage: &Stage, anneal: &Anneal, saved: &Snapshot) -> Result<(StageSummary, Vec<Estimate>, Annealed)> {
    let log_w = frames(job, stage, LOG_W)?;
    let runs = log_w.first().map_or(0, Vec::len);
    let (mut log_z, mut fractions) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let of_run: Vec<f64> = log_w.iter().map(|w| w[run]).collect();
        log_z.push(log_mean_exp(&of_run));
        fractions.push(ess(&of_run) / of_run.len() as f64);
    }
    let proposed = saved.u64("proposed")?;
    let acceptance = (proposed > 0).then(|| saved.u64("accepted").map(|a| a as f64 / proposed as f64)).transpose()?;
    let particles = log_w.len();
    let found = Annealed {
        log_z,
        ess: fractions,
        particles,
        resampled: anneal.resample.value,
        rho_t: saved.f64s("rho_t")?.to_vec(),
        log_norm: job.system.path.as_ref().and_then(|p| p.base.as_ref()).map(|b| b.log_norm()),
        exact_draws: from_base(anneal, job.system),
        temperature: Some(("temperature".to_owned(), anneal.thermal.value.temperature(job.resolved.units))),
    };
    let mut summary = StageSummary {
        stage: stage.name.value.clone(),
        point: job.point.clone(),
        folder: job.folder(stage),
        kind: stage.kind.name().to_owned(),
        propagator: Some(anneal.kernel.value.name().to_owned()),
        replicas: particles,
        steps: saved.u64("clock")?,
        timestep: anneal.timestep.value,
        time_unit: job.time_unit().map(str::to_owned),
        draws: runs,
        acceptance,
        evaluations: saved.u64("evaluations")?,
        annealing: Some(AnnealSummary {
            log_z: found.log_z.clone(),
            ess: found.ess.clone(),
            lambdas: saved.f64s("lambdas")?.to_vec(),
            families: saved.f64s("alive")?.to_vec(),
        }),
        ..StageSummary::default()
    };
    let saved_families = saved.f64s("alive")?;
    summary.checks = found.checks(stage, saved_families);
    summary.checks.extend(acceptance_check(stage, acceptance));
    let mut estimates = found.estimates();
    let n = runs as f64;
    let mean = found.ess.iter().sum::<f64>() / n;
    let spread = (found.ess.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / (n - 1.0) / n).sqrt();
    estimates.push(Estimate::new("ess", mean * particles as f64, spread * particles as f64, n));
    for e in &mut estimates {
        conditions(job, stage, &found.temperature, e);
    }
    Ok((summary, estimates, found))
}

impl Annealed {
    /// log Z and delta_f with the error from the spread of the runs.
    fn estimates(&self) -> Vec<Estimate> {
        let runs = self.log_z.len();
        let total = log_mean_exp(&self.log_z);
        let effective: f64 = self.ess.iter().sum::<f64>() * self.particles as f64;
        let weights: Vec<f64> = self.log_z.iter().map(|z| crate::real::Real::exp(z - total)).collect();
        // of the mean of the runs' weights, carried over to the logarithm; the mean of the weights is 1
        let spread = (weights.iter().map(|w| (w - 1.0) * (w - 1.0)).sum::<f64>() / (runs as f64 - 1.0) / runs as f64).sqrt();
        let theory = (1.0 / effective - 1.0 / (self.particles * runs) as f64).max(0.0).sqrt();
        let mut warnings = Vec::new();
        // few runs may lie together by chance: what their families say is the floor (Chan and Lai, Ann. Stat. 41, 2877 (2013))
        let genealogy = (self.rho_t.iter().sum::<f64>() / self.particles as f64).sqrt() / runs as f64;
        let floor = if self.resampled { genealogy } else { theory };
        let stderr = if runs >= RUNS {
            spread.max(floor)
        } else if self.resampled {
            let what =
                format!("{runs} runs have no spread to speak of, and resampled copies are related: there is no error; write runs = 8");
            warnings.push(Warning::new(WarningKind::NoError, what));
            f64::NAN
        } else {
            let what = format!("{runs} runs have no spread to speak of: the variance of the weights is all there is; write runs = 8");
            warnings.push(Warning::new(WarningKind::FewReplicas, what));
            theory
        };
        let made = |name: &str, value: f64| {
            let mut e = Estimate::new(name, value, stderr, effective);
            e.warnings = warnings.clone();
            e
        };
        let base = self.log_norm.unwrap_or(0.0);
        let mut delta_f = made("delta_f", if self.exact_draws { base - total } else { -total });
        delta_f.unit = Some("kT".to_owned());
        if !total.is_finite() {
            let why = "every particle has weight 0: the levels are too far apart, or the timestep is too long";
            return vec![
                Estimate::missing("log_z", WarningKind::NotFinite, why),
                Estimate::missing("delta_f", WarningKind::NotFinite, why),
            ];
        }
        match self.log_norm {
            Some(norm) => vec![made("log_z", if self.exact_draws { total } else { norm + total }), delta_f],
            None => vec![delta_f],
        }
    }

    fn checks(&self, stage: &Stage, families: &[f64]) -> Vec<Check> {
        let runs = self.log_z.len() as f64;
        let effective: f64 = self.ess.iter().sum::<f64>() * self.particles as f64;
        let least = |value: f64, (pass, fail): (f64, f64)| {
            if value >= pass {
                Outcome::Pass
            } else if value >= fail {
                Outcome::Warn
            } else {
                Outcome::Fail
            }
        };
        let of = stage.name.value.clone();
        let mut all = vec![Check {
            check: "ess".to_owned(),
            of: of.clone(),
            value: effective.is_finite().then_some(effective),
            bound: Some(PARTICLES.0),
            outcome: least(effective, PARTICLES),
            message: format!(
                "the weights are worth {effective:.0} particles in all runs, should be at least {:.0}: take more levels or particles",
                PARTICLES.0
            ),
        }];
        let mean = self.log_z.iter().sum::<f64>() / runs;
        let scatter = (self.log_z.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / (runs - 1.0)).sqrt();
        if self.log_z.len() > 1 {
            let outcome = if scatter <= SCATTER.0 {
                Outcome::Pass
            } else if scatter <= SCATTER.1 {
                Outcome::Warn
            } else {
                Outcome::Fail
            };
            all.push(Check {
                check: "scatter".to_owned(),
                of: of.clone(),
                value: scatter.is_finite().then_some(scatter),
                bound: Some(SCATTER.0),
                outcome,
                message: format!(
                    "ln of the mean weight scatters by {scatter:.2} among runs, should be at most {}: beyond it a few runs carry the mean",
                    SCATTER.0
                ),
            });
        }
        let thinnest = self.ess.iter().copied().fold(f64::INFINITY, f64::min);
        if thinnest * self.particles as f64 <= 50.0 || thinnest < 0.02 {
            all.push(Check {
                check: "heavy_tail".to_owned(),
                of: of.clone(),
                value: Some(thinnest),
                bound: Some(0.02),
                outcome: Outcome::Warn,
                message: format!(
                    "in one run {:.1} % of the particles carry the weight: log Z is then biased low; take more levels, or resample",
                    100.0 * thinnest
                ),
            });
        }
        if self.resampled && self.log_z.len() < RUNS {
            all.push(Check {
                check: "runs".to_owned(),
                of: of.clone(),
                value: Some(runs),
                bound: Some(RUNS as f64),
                outcome: Outcome::Fail,
                message: format!("{runs} runs, should be at least {RUNS}: with resampling their spread is the only error"),
            });
        }
        if let Some(fewest) = families.iter().copied().reduce(f64::min).filter(|_| self.resampled) {
            all.push(Check {
                check: "families".to_owned(),
                of,
                value: Some(fewest),
                bound: Some(10.0),
                outcome: least(fewest, (10.0, 2.0)),
                message: format!("{fewest:.0} starting particles have descendants at the end, should be at least 10: take more levels, steps or particles"),
            });
        }
        all
    }
}

/// log Z over an anneal stage, under the name of the estimate stage.
///
/// # Errors
/// None; without a normalised base it says so.
pub(super) fn log_z(job: &Job<'_>, stage: &Stage, wanted: &Wanted, found: &Annealed) -> Result<(StageSummary, Vec<Estimate>)> {
    let summary = estimate_frame(job, stage, wanted);
    let mut estimates = found.estimates();
    if found.log_norm.is_none() {
        let why = "no log Z: the path has no normalised base, use kind = \"geometric\"; delta_f is what there is";
        estimates.insert(0, Estimate::missing("log_z", WarningKind::NotFinite, why));
    }
    for e in &mut estimates {
        conditions(job, stage, &found.temperature, e);
    }
    Ok((summary, estimates))
}

/// Stage, temperature, reference.
fn conditions(job: &Job<'_>, stage: &Stage, temperature: &Option<(String, f64)>, e: &mut Estimate) {
    job.complete_at(e, &stage.name.value, temperature.as_ref().map(|t| t.1));
}

/// A stored column, `[replica][frame]`.
fn frames(job: &Job<'_>, stage: &Stage, column: &str) -> Result<Vec<Vec<f64>>> {
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
/// As [`annealed`].
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
        let gaussian = |c: &CrossedGaussians| c.normality.0.max(c.normality.1) <= NORMALITY;
        made(
            "gaussian_crossing",
            crossing.map(|c| {
                let keep = if gaussian(&c) { 1.0 } else { f64::NAN };
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
    let count = groups as f64;
    let mean = values.iter().sum::<f64>() / count;
    Some(((count - 1.0) / count * values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()).sqrt())
}

/// Moves that are hardly ever accepted move nothing.
fn acceptance_check(stage: &Stage, acceptance: Option<f64>) -> Option<Check> {
    let a = acceptance?;
    let outcome = if a >= 0.2 {
        Outcome::Pass
    } else if a >= 0.05 {
        Outcome::Warn
    } else {
        Outcome::Fail
    };
    Some(Check {
        check: "acceptance".to_owned(),
        of: stage.name.value.clone(),
        value: Some(a),
        bound: Some(0.2),
        outcome,
        message: format!("{:.1} % of the proposals are accepted, should be at least 20 %: use a smaller timestep", 100.0 * a),
    })
}

fn shared_check(stage: &Stage, shared: f64) -> Check {
    let outcome = if shared >= 50.0 {
        Outcome::Pass
    } else if shared >= 10.0 {
        Outcome::Warn
    } else {
        Outcome::Fail
    };
    Check {
        check: "n_eff".to_owned(),
        of: stage.name.value.clone(),
        value: shared.is_finite().then_some(shared),
        bound: Some(50.0),
        outcome,
        message: format!(
            "{}: {shared:.0} independent works carry the free energy, should be at least 50: switch slower or shoot more",
            stage.name.value
        ),
    }
}

/// Wu and Kofke's measure: one direction alone must reach the works that matter.
fn bias_check(stage: &Stage, pi: f64) -> Check {
    let outcome = if pi >= 0.5 {
        Outcome::Pass
    } else if pi >= 0.0 {
        Outcome::Warn
    } else {
        Outcome::Fail
    };
    Check {
        check: "bias".to_owned(),
        of: stage.name.value.clone(),
        value: pi.is_finite().then_some(pi),
        bound: Some(0.5),
        outcome,
        message: format!("{}: Wu and Kofke's Pi is {pi:.2}, should be at least 0.5: below it one direction is biased", stage.name.value),
    }
}
