//! Frames that do not count alike: of ladders at their target, of metadynamics without its bias. Weights, and averages with errors.

use super::analyse::{self, Scalar, Stored, estimate_frame, parts};
use super::basins;
use super::config::{Estimate as Wanted, Method, Sample, Stage};
use super::free_energies::{COPIES, SHARED, jackknife_error, without_each_group};
use super::ladders::OnLadder;
use super::metadynamics::Filled;
use super::run::Job;
use super::surfaces;
use crate::estimate::summary::StageSummary;
use crate::estimate::{
    Check, Estimate, FreeEnergyError, Mbar, MbarOptions, Outcome, Series, Unusable, Warning, WarningKind, mbar, statistical_inefficiency,
};
use crate::real::Real;
use crate::{Error, Result};

pub(super) type Answer<T> = std::result::Result<T, FreeEnergyError>;

/// Least frames of a trajectory that say something of their correlation.
const FRAMES: usize = 8;

/// Frames after the discard with their weights towards one ensemble.
pub(super) struct Weighted<'a> {
    /// `[trajectory][draw]`, the trajectories of a copy side by side.
    scalars: Vec<Scalar>,
    pub(super) trajectories: usize,
    /// Of a trajectory.
    pub(super) draws: usize,
    /// Independent of each other.
    pub(super) copies: usize,
    pub(super) kt: f64,
    target: Target,
    pub(super) source: Source<'a>,
}

/// Where the weights come from.
pub(super) enum Source<'a> {
    /// All are 1.
    Equal,
    /// ln w, up to a constant of each copy.
    Bias(&'a [f64]),
    /// MBAR over the states of a ladder.
    Ladder(&'a OnLadder),
}

/// The ensemble that averages are of.
struct Target {
    temperature: f64,
    /// Where on the path, unless that is the system itself.
    lambda: Option<f64>,
    what: Option<String>,
}

/// The larger of two errors; NaN only if both are.
pub(super) fn larger(theory: f64, spread: f64) -> f64 {
    if spread > theory || theory.is_nan() { spread } else { theory }
}

/// An average with both of its errors.
pub(super) struct Errors {
    value: f64,
    theory: f64,
    /// None with too few copies.
    spread: Option<f64>,
    /// Of the quantity itself.
    variance: f64,
    /// The same number in all frames: what rounding leaves of its spread is no error.
    constant: bool,
}

impl Errors {
    /// Leave-one-out error.
    pub(super) fn spread(values: impl Iterator<Item = f64>) -> f64 {
        jackknife_error(values)
    }

    fn estimate(&self, name: &str, from: &Weighted<'_>) -> Estimate {
        let stderr = if self.constant { f64::NAN } else { larger(self.theory, self.spread.unwrap_or(f64::NAN)) };
        let mut e = Estimate::new(name, self.value, stderr, self.variance / (stderr * stderr));
        if self.constant {
            e.warnings.push(Warning::new(WarningKind::Constant, format!("{name} is the same in all frames: there is no spread")));
        }
        if let Some(spread) = self.spread.filter(|s| !self.constant && (*s > 2.0 * self.theory || self.theory > 2.0 * s)) {
            let which = if spread > self.theory { "the spread of the copies" } else { "theory" };
            let message = format!("the copies spread by {spread:.2e}, theory says {:.2e}: the error is that of {which}", self.theory);
            e.warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
        }
        e.warnings.extend(from.few_copies());
        e
    }
}

impl<'a> Weighted<'a> {
    /// Frames of all states of a ladder, with weights of its target; along an umbrella path that of the system without restraint.
    pub(super) fn of_ladder(job: &Job<'_>, read: &'a OnLadder) -> Self {
        let draws = read.draws - read.discard;
        let well = read.copies * read.per_copy;
        let state = &read.states[read.target];
        let mut scalars = Vec::new();
        for column in read.columns.iter().chain(&read.terms) {
            let mut kept = Vec::with_capacity(well * draws);
            for r in 0..well {
                if column.name == "energy" {
                    // the stored energy is that of the frame's own state
                    kept.extend((read.discard..read.draws).map(|d| read.target_u(r, d) / state.beta));
                } else {
                    kept.extend_from_slice(&column.values[r][read.discard..]);
                }
            }
            scalars.push(Scalar::of(&column.name, column.unit.clone(), column.periodic, kept));
        }
        let free = read.unrestrained();
        let lambda = Some(state.lambda).filter(|l| !free && (*l != 1.0 || job.restrained()));
        let what = if free { "without the restraint".to_owned() } else { format!("at {} {}", read.variable, read.names[read.target]) };
        let target = Target {
            temperature: 1.0 / (job.resolved.units.kb() * state.beta),
            lambda,
            what: Some(format!("{what}, from the frames of all {} states", read.states.len())),
        };
        let kt = 1.0 / state.beta;
        Weighted { scalars, trajectories: well, draws, copies: read.copies, kt, target, source: Source::Ladder(read) }
    }

    /// Frames of a metadynamics stage, with the weights that undo the bias of each copy.
    pub(super) fn of_bias(job: &Job<'_>, sample: &Sample, read: &'a Filled) -> Self {
        let draws = read.log_w.len() / (read.copies * read.walkers).max(1);
        let target = Target {
            temperature: sample.thermal.value.temperature(job.resolved.units),
            lambda: None,
            what: Some("without the bias, from weighted frames".to_owned()),
        };
        Weighted {
            scalars: read.scalars.clone(),
            trajectories: read.copies * read.walkers,
            draws,
            copies: read.copies,
            kt: sample.thermal.value.kt(job.resolved.units),
            target,
            source: Source::Bias(&read.log_w),
        }
    }

    /// Frames of a sample stage, which all count alike.
    pub(super) fn of_chain(job: &Job<'_>, sample: &Sample, stored: &Stored) -> Self {
        let draws = stored.scalars.first().map_or(0, |s| s.kept.len().checked_div(stored.replicas).unwrap_or(0));
        Weighted {
            scalars: stored.scalars.iter().chain(&stored.terms).cloned().collect(),
            trajectories: stored.replicas,
            draws,
            copies: stored.replicas,
            kt: sample.thermal.value.kt(job.resolved.units),
            target: Target { temperature: sample.thermal.value.temperature(job.resolved.units), lambda: None, what: None },
            source: Source::Equal,
        }
    }

    /// All copies.
    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.copies).collect()
    }

    /// Of which ensemble, from what.
    pub(super) fn what(&self) -> Option<String> {
        self.target.what.clone()
    }

    fn per_copy(&self) -> usize {
        self.trajectories / self.copies.max(1) * self.draws
    }

    /// Something with the MBAR fit of some copies, and the target among its states.
    pub(super) fn with_fit<T>(&self, copies: &[usize], with: impl FnOnce(&Mbar<'_>, usize) -> Answer<T>) -> Answer<T> {
        let Source::Ladder(read) = self.source else {
            return Err(FreeEnergyError::Argument { what: "only a ladder has states to fit".to_owned() });
        };
        let u = read.potentials(copies, read.discard..read.draws, read.unrestrained())?;
        let state = if read.unrestrained() { read.states.len() } else { read.target };
        with(&mbar(&u, &MbarOptions::default())?, state)
    }

    /// Weights from some copies, 0 for the frames of the others; their sum is 1.
    pub(super) fn weights(&self, copies: &[usize]) -> Answer<Vec<f64>> {
        if self.draws < FRAMES || copies.is_empty() {
            let what = format!("{} frames of each of {} replicas are left after the discard", self.draws, self.trajectories);
            return Err(FreeEnergyError::Argument { what });
        }
        let n = self.per_copy();
        let mut all = vec![0.0; self.trajectories * self.draws];
        match &self.source {
            Source::Ladder(_) => {
                let log = self.with_fit(copies, |fit, state| Ok(fit.log_weights(state)))?;
                for (i, &c) in copies.iter().enumerate() {
                    for (w, log) in all[c * n..(c + 1) * n].iter_mut().zip(&log[i * n..(i + 1) * n]) {
                        *w = Real::exp(*log);
                    }
                }
            }
            Source::Equal | Source::Bias(_) => {
                for &c in copies {
                    let of_copy = &mut all[c * n..(c + 1) * n];
                    match &self.source {
                        Source::Bias(log) => {
                            let log = &log[c * n..(c + 1) * n];
                            let most = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                            of_copy.iter_mut().zip(log).for_each(|(w, l)| *w = Real::exp(l - most));
                        }
                        _ => of_copy.fill(1.0),
                    }
                    // each copy counts as much as any other: the constant of its bias is a noisy number
                    let sum: f64 = of_copy.iter().sum();
                    of_copy.iter_mut().for_each(|w| *w /= sum * copies.len() as f64);
                }
            }
        }
        match all.iter().position(|w| !w.is_finite()) {
            Some(index) => Err(FreeEnergyError::NotANumber { what: "the weights of the frames", index, value: all[index] }),
            None => Ok(all),
        }
    }

    /// A statistic of the weights without each group of copies; none where the copies are too few, or one group is indispensable.
    pub(super) fn left_out(&self, statistic: impl Fn(&[f64]) -> Answer<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
        // nothing but the copies knows how much a bias is off
        let least = if let Source::Ladder(_) = self.source { COPIES } else { 2 };
        let sets = without_each_group(self.copies, least)?;
        sets.iter().map(|set| statistic(&self.weights(set)?)).collect::<Answer<Vec<_>>>().ok()
    }

    /// A doubt where copies are few.
    pub(super) fn few_copies(&self) -> Option<Warning> {
        let message = match self.source {
            Source::Ladder(_) if self.copies < COPIES => {
                format!("{} copies have no spread: the error is that of theory alone", self.copies)
            }
            Source::Bias(_) if self.copies < COPIES => format!("the spread is that of {} copies only", self.copies),
            _ => return None,
        };
        Some(Warning::new(WarningKind::FewReplicas, message))
    }

    /// Statistical inefficiency of a quantity's part in an average; on a ladder at least that of the ladder itself.
    pub(super) fn g(&self, values: &[f64], weights: &[f64]) -> Answer<f64> {
        if let Source::Ladder(read) = self.source {
            let (n, first) = (self.draws, read.discard);
            return Ok(read.g().max(read.inefficiency(&|_, r, d| values[r * n + d - first])));
        }
        let mean: f64 = values.iter().zip(weights).map(|(x, w)| x * w).sum();
        let part: Vec<f64> = values.iter().zip(weights).map(|(x, w)| w * (x - mean)).collect();
        let series = Series { values: &part, replicas: self.trajectories, draws: self.draws };
        match statistical_inefficiency(series) {
            Ok(found) => Ok(found.g),
            Err(Unusable::Constant { .. }) => Ok(1.0),
            Err(why) => Err(why.into()),
        }
    }

    /// The same of a column; of an angle the larger of its cosine's and its sine's.
    pub(super) fn g_of(&self, scalar: &Scalar, weights: &[f64]) -> Answer<f64> {
        let mut most = 1.0;
        for part in parts(&scalar.kept, scalar.periodic) {
            most = self.g(&part, weights)?.max(most);
        }
        Ok(most)
    }

    /// Averages of quantities, `[quantity][frame]`.
    fn averages(&self, rows: &[Vec<f64>], weights: &[f64]) -> Answer<Vec<Errors>> {
        let mean = |row: &[f64], w: &[f64]| row.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
        let values: Vec<f64> = rows.iter().map(|row| mean(row, weights)).collect();
        let independent: Vec<f64> = match &self.source {
            Source::Ladder(_) => self.with_fit(&self.all(), |fit, state| {
                let wanted: Vec<(usize, usize)> = (0..rows.len()).map(|a| (state, a)).collect();
                let found = fit.expectations(&wanted, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
                Ok((0..rows.len()).map(|a| found.stderr(a)).collect())
            })?,
            _ => {
                let one = |(row, mean): (&Vec<f64>, &f64)| -> f64 {
                    row.iter().zip(weights).map(|(x, w)| w * w * (x - mean) * (x - mean)).sum::<f64>().sqrt()
                };
                rows.iter().zip(&values).map(one).collect()
            }
        };
        let left_out = self.left_out(|w| Ok(rows.iter().map(|row| mean(row, w)).collect()));
        let mut all = Vec::new();
        for (a, row) in rows.iter().enumerate() {
            let g = self.g(row, weights)?;
            all.push(Errors {
                value: values[a],
                theory: independent[a] * g.sqrt(),
                spread: left_out.as_ref().map(|sets| Errors::spread(sets.iter().map(|s| s[a]))),
                constant: row.iter().all(|x| x.to_bits() == row[0].to_bits()),
                variance: row.iter().zip(weights).map(|(x, w)| w * (x - values[a]) * (x - values[a])).sum(),
            });
        }
        Ok(all)
    }

    fn find(&self, name: &str) -> Result<&Scalar> {
        let missing = || Error::input(format!("no stored scalar column \"{name}\""), "observe it in the stage that is read");
        self.scalars.iter().find(|s| s.name == name).ok_or_else(missing)
    }

    /// Whether independent samples stand behind the ensemble, and the states hang together; a sample stage was judged itself.
    pub(super) fn enough(&self, stage: &Stage, weights: &[f64], g: f64) -> Answer<Vec<Check>> {
        let doubts = match self.source {
            Source::Equal => return Ok(Vec::new()),
            Source::Bias(_) => Vec::new(),
            Source::Ladder(_) => self.with_fit(&self.all(), |fit, _| Ok(fit.warnings().to_vec()))?,
        };
        let doubt = |w: Warning| Check {
            check: "overlap".to_owned(),
            of: stage.name.value.clone(),
            value: None,
            bound: None,
            outcome: Outcome::Warn,
            message: format!("{}: {}", stage.name.value, w.message),
        };
        let n_eff = 1.0 / weights.iter().map(|w| w * w).sum::<f64>() / g;
        let outcome = if n_eff >= SHARED.0 {
            Outcome::Pass
        } else if n_eff >= SHARED.1 {
            Outcome::Warn
        } else {
            Outcome::Fail
        };
        let of = self.target.what.as_deref().unwrap_or_default();
        let mut checks = vec![Check {
            check: "n_eff".to_owned(),
            of: stage.name.value.clone(),
            value: Some(n_eff),
            bound: Some(SHARED.0),
            outcome,
            message: format!("{}: {n_eff:.0} independent samples ({of}), should be at least {:.0}", stage.name.value, SHARED.0),
        }];
        checks.extend(doubts.into_iter().map(doubt));
        Ok(checks)
    }
}

/// The estimates of a stage that reads frames with weights.
///
/// # Errors
/// A column that is not stored, basins that cannot be; what the data do not allow becomes a check that fails.
pub(super) fn wanted(job: &Job<'_>, stage: &Stage, wanted: &Wanted, from: &Weighted<'_>) -> Result<(StageSummary, Vec<Estimate>)> {
    let mut summary = estimate_frame(job, stage, wanted);
    let scalars: Vec<&Scalar> = wanted.of.iter().map(|c| from.find(&c.value.text)).collect::<Result<_>>()?;
    let (made, names): (Answer<Vec<Estimate>>, Vec<String>) = match wanted.method.value {
        Method::Mean | Method::Reweight => (means(stage, from, &scalars, &mut summary), scalars.iter().map(|s| s.name.clone()).collect()),
        Method::Fes => (surfaces::weighted(job, stage, wanted, from, &scalars, &mut summary), vec!["free_energy".to_owned()]),
        Method::Basins => {
            let names = wanted.basins.iter().map(|b| format!("population:{}", b.value)).collect();
            (populations(job, stage, wanted, from, &mut summary)?, names)
        }
        other => return Err(Error::run(format!("{} does not read frames with weights", other.name()), "report this as a bug")),
    };
    let mut estimates = made.unwrap_or_else(|why| {
        summary.checks.push(Check {
            check: "n_eff".to_owned(),
            of: stage.name.value.clone(),
            value: None,
            bound: None,
            outcome: Outcome::Fail,
            message: format!("{}: no number: {why}; {}", stage.name.value, remedy(&why)),
        });
        names.iter().map(|name| Estimate::missing(name, WarningKind::NotFinite, format!("{why}; {}", remedy(&why)))).collect()
    });
    for e in &mut estimates {
        job.complete_at(e, &stage.name.value, Some(from.target.temperature));
        if let Some(lambda) = from.target.lambda {
            // what is known of the system is not known of other points of its path
            e.reference = None;
            e.conditions.insert("lambda".to_owned(), serde_json::Value::from(lambda));
        }
    }
    Ok((summary, estimates))
}

fn remedy(why: &FreeEnergyError) -> &'static str {
    match why {
        FreeEnergyError::Argument { .. } => "sample longer, discard less, or look at the range",
        other => other.remedy(),
    }
}

fn means(stage: &Stage, from: &Weighted<'_>, scalars: &[&Scalar], summary: &mut StageSummary) -> Answer<Vec<Estimate>> {
    let weights = from.weights(&from.all())?;
    let rows: Vec<Vec<f64>> = scalars.iter().map(|s| s.kept.clone()).collect();
    let g = scalars.iter().map(|s| from.g_of(s, &weights)).try_fold(1.0, |most: f64, g| g.map(|g| most.max(g)))?;
    summary.checks.extend(from.enough(stage, &weights, g)?);
    let found = from.averages(&rows, &weights)?;
    let named = |(errors, scalar): (&Errors, &&Scalar)| {
        let mut e = errors.estimate(&scalar.name, from);
        e.unit = scalar.unit.clone();
        e
    };
    Ok(found.iter().zip(scalars).map(named).collect())
}

/// Populations by weight. Visits and crossings are those of the replicas as they moved, at whatever state and under whatever bias.
fn populations(
    job: &Job<'_>,
    stage: &Stage,
    wanted: &Wanted,
    from: &Weighted<'_>,
    summary: &mut StageSummary,
) -> Result<Answer<Vec<Estimate>>> {
    let names: Vec<String> = wanted.basins.iter().map(|b| b.value.clone()).collect();
    let Some((declared, counted)) = basins::counted(job, &from.scalars, from.trajectories, Some(&names))? else {
        return Ok(Err(FreeEnergyError::Argument { what: "there are no frames to count basins on".to_owned() }));
    };
    let mut of = Vec::new();
    for name in &declared.of {
        of.push(from.find(name)?);
    }
    let inside = |b: &crate::estimate::Basin| -> Vec<f64> {
        let at = |n: usize| b.intervals.iter().zip(&of).all(|(i, s)| i.contains(s.kept[n]));
        (0..from.trajectories * from.draws).map(|n| f64::from(u8::from(at(n)))).collect()
    };
    let rows: Vec<Vec<f64>> = declared.basins.iter().map(inside).collect();
    let made = || -> Answer<(Vec<Errors>, Vec<Check>)> {
        let weights = from.weights(&from.all())?;
        let g = rows.iter().map(|row| from.g(row, &weights)).try_fold(1.0, |most: f64, g| g.map(|g| most.max(g)))?;
        Ok((from.averages(&rows, &weights)?, from.enough(stage, &weights, g)?))
    };
    let (found, checks) = match made() {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    summary.checks.extend(checks);
    let mut table = basins::summary(&declared, &counted);
    let mut all = Vec::new();
    for ((row, errors), basin) in table.basins.iter_mut().zip(&found).zip(&counted.basins) {
        let quantity = format!("population:{}", basin.name);
        if basin.population.is_none() {
            all.push(Estimate::missing(quantity, WarningKind::NotVisited, format!("{} was not visited", basin.name)));
            continue;
        }
        let e = errors.estimate(&quantity, from);
        (row.population, row.stderr) = (analyse::finite(e.value), analyse::finite(e.stderr));
        all.push(e);
    }
    summary.basins = Some(table);
    Ok(Ok(all))
}
