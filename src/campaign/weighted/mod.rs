//! Frames that do not count alike: of ladders at their target, of metadynamics without its bias. Where their weights come from.

mod averages;
mod wanted;

use super::analyse::{Scalar, Stored, parts};
use super::config::Sample;
use super::copies::{COPIES, without_each_group};
use super::job::Job;
use super::ladders::OnLadder;
use super::metadynamics::Filled;
use crate::estimate::{FreeEnergyError, Mbar, MbarOptions, Series, Unusable, Warning, WarningKind, mbar, statistical_inefficiency};
use crate::real::Real;
use crate::{Error, Result};
pub(super) use wanted::wanted;

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
                format!("{} copies cannot be left out in turn: the error is that of theory alone", self.copies)
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

    fn find(&self, name: &str) -> Result<&Scalar> {
        let missing = || Error::input(format!("no stored scalar column \"{name}\""), "observe it in the stage that is read");
        self.scalars.iter().find(|s| s.name == name).ok_or_else(missing)
    }
}
