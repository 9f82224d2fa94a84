//! What annealing has stored: log-weights of particles, and the free energies in them.

use super::analyse::estimate_frame;
use super::anneal::{LOG_W, from_base};
use super::config::{Anneal, Estimate as Wanted, Stage, Thermal};
use super::job::Job;
use super::works::{acceptance_check, frames};
use crate::Result;
use crate::batch::Snapshot;
use crate::estimate::summary::{AnnealSummary, StageSummary};
use crate::estimate::{Check, Estimate, Outcome, Threshold, Warning, WarningKind, mean_of_runs};
use crate::path::{ess, log_mean_exp};

/// Effective particles of all runs together: worth a warning below the first, no result below the second.
const PARTICLES: Threshold = Threshold { pass: 100.0, fail: 10.0 };
/// Standard deviation of ln of the runs' mean weights: beyond it a few runs carry the mean.
const SCATTER: Threshold = Threshold { pass: 1.0, fail: 2.0 };
/// Starting particles that have descendants at the end, in the poorest run.
const FAMILIES: Threshold = Threshold { pass: 10.0, fail: 2.0 };
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
    /// At the end.
    temperature: f64,
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
    let units = job.resolved.units;
    let betas = saved.f64s("betas")?;
    // along temperatures the last is where the particles end, and there is no base
    let cooled = anneal.along.temperatures().is_some();
    let temperatures: Vec<f64> = betas.iter().filter(|_| cooled).map(|beta| Thermal::Beta(*beta).temperature(units)).collect();
    let cold = temperatures.last().copied();
    let base = job.system.path.as_ref().and_then(|p| p.base.as_ref()).filter(|_| !cooled);
    let found = Annealed {
        log_z,
        ess: fractions,
        particles,
        resampled: anneal.resample.value,
        rho_t: saved.f64s("rho_t")?.to_vec(),
        log_norm: base.map(|b| b.log_norm()),
        exact_draws: from_base(anneal, job.system),
        temperature: cold.unwrap_or_else(|| anneal.thermal.value.temperature(job.resolved.units)),
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
        // checkpoints of older versions do not tell
        gradients: saved.u64("gradients").ok(),
        annealing: Some(AnnealSummary {
            log_z: found.log_z.clone(),
            ess: found.ess.clone(),
            lambdas: if cooled { Vec::new() } else { saved.f64s("lambdas")?.to_vec() },
            temperatures,
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
        conditions(job, stage, found.temperature, e);
    }
    Ok((summary, estimates, found))
}

impl Annealed {
    /// log Z and delta_f with the error from the spread of the runs ([`mean_of_runs`]).
    fn estimates(&self) -> Vec<Estimate> {
        let runs = self.log_z.len();
        let effective: f64 = self.ess.iter().sum::<f64>() * self.particles as f64;
        let mut warnings = Vec::new();
        // resampled particles are related, and their families say how much; others are independent
        let theory = if self.resampled {
            (self.rho_t.iter().sum::<f64>() / self.particles as f64).sqrt() / runs as f64
        } else {
            (1.0 / effective - 1.0 / (self.particles * runs) as f64).max(0.0).sqrt()
        };
        let found = mean_of_runs(&self.log_z, theory);
        let total = found.value;
        let stderr = if runs >= RUNS {
            found.stderr
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
        let of = stage.name.value.clone();
        let mut all = vec![Check {
            check: "ess".to_owned(),
            of: of.clone(),
            value: effective.is_finite().then_some(effective),
            bound: Some(PARTICLES.pass),
            outcome: PARTICLES.at_least(effective),
            message: format!(
                "the weights are worth {effective:.0} particles in all runs, should be at least {:.0}: take more levels or particles",
                PARTICLES.pass
            ),
        }];
        let mean = self.log_z.iter().sum::<f64>() / runs;
        let scatter = (self.log_z.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / (runs - 1.0)).sqrt();
        if self.log_z.len() > 1 {
            all.push(Check {
                check: "scatter".to_owned(),
                of: of.clone(),
                value: scatter.is_finite().then_some(scatter),
                bound: Some(SCATTER.pass),
                outcome: SCATTER.at_most(scatter),
                message: format!(
                    "ln of the mean weight scatters by {scatter:.2} among runs, should be at most {}: beyond it a few runs carry the mean",
                    SCATTER.pass
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
                bound: Some(FAMILIES.pass),
                outcome: FAMILIES.at_least(fewest),
                message: format!("{fewest:.0} starting particles have descendants at the end, should be at least {}: take more levels, steps or particles", FAMILIES.pass),
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
        let why = "no log Z: there is no normalised base, use a path of kind = \"geometric\"; delta_f is what there is";
        estimates.insert(0, Estimate::missing("log_z", WarningKind::NotFinite, why));
    }
    for e in &mut estimates {
        conditions(job, stage, found.temperature, e);
    }
    Ok((summary, estimates))
}

/// Stage, temperature, reference.
fn conditions(job: &Job<'_>, stage: &Stage, temperature: f64, e: &mut Estimate) {
    job.complete_at(e, &stage.name.value, Some(temperature));
}
