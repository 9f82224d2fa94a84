//! Functions of means, with errors by leaving out one group at a time.

use super::autocorrelation::autocorrelation_time;
use super::mean::REPLICAS_FOR_SPREAD;
use super::series::{Series, Unusable, circle, mean_of, squares_and_sum};
use super::value::{Estimate, Warning, WarningKind};
use crate::real::Real;
use serde::Serialize;

/// A function of means of independent groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Jackknife {
    /// `f` of the means, freed of its bias of order 1/groups.
    pub value: f64,
    /// `f` of the means themselves.
    pub plain: f64,
    /// Standard error of both.
    pub stderr: f64,
    /// Groups; groups - 1 degrees of freedom.
    pub groups: usize,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

impl Jackknife {
    /// As an [`Estimate`]; its sample size is the number of groups.
    pub fn estimate(&self, quantity: impl Into<String>) -> Estimate {
        let mut estimate = Estimate::new(quantity, self.value, self.stderr, self.groups as f64);
        estimate.warnings = self.warnings.clone();
        estimate
    }
}

/// Delete-one jackknife of a function of means over independent groups.
///
///   f_(i) = f(mean without group i),   value = G f - (G - 1) mean f_(i),   stderr^2 = (G - 1)/G sum_i (f_(i) - mean f_())^2
///
/// `means`: `[group][width]`, the mean of each of `width` quantities in each group; `f` gets `width` numbers.
/// Errors: fewer than 2 groups, a length that is no multiple of `width`, values that are not finite.
/// Source: Efron and Stein, Ann. Stat. 9, 586 (1981).
pub fn jackknife(means: &[f64], width: usize, f: impl Fn(&[f64]) -> f64) -> Result<Jackknife, Unusable> {
    if width == 0 || !means.len().is_multiple_of(width) {
        return Err(Unusable::Shape {
            what: "group means (groups x width)",
            expected: means.len().next_multiple_of(width.max(1)),
            found: means.len(),
        });
    }
    let groups = means.len() / width;
    if groups < 2 {
        return Err(Unusable::TooShort { what: "jackknife (groups)", needed: 2, found: groups });
    }
    if let Some(i) = means.iter().position(|v| !v.is_finite()) {
        return Err(Unusable::NotFinite { replica: i / width, draw: 0 });
    }
    let total: Vec<f64> = (0..width).map(|k| means.iter().skip(k).step_by(width).sum()).collect();
    let g = groups as f64;
    let plain = f(&total.iter().map(|t| t / g).collect::<Vec<_>>());
    let left_out: Vec<f64> =
        means.chunks_exact(width).map(|group| f(&total.iter().zip(group).map(|(t, x)| (t - x) / (g - 1.0)).collect::<Vec<_>>())).collect();
    let middle = mean_of(&left_out);
    let (squares, _) = squares_and_sum(&left_out, middle);
    Ok(Jackknife { value: g * plain - (g - 1.0) * middle, plain, stderr: ((g - 1.0) / g * squares).sqrt(), groups, warnings: Vec::new() })
}

/// Groups of draws that count as independent: the replicas, or equal blocks of them when they are few.
pub(super) struct Groups {
    /// Blocks that each replica is cut into.
    pub(super) per_replica: usize,
    /// Draws in a group; the first `draws - per_replica * length` of a replica are in none.
    pub(super) length: usize,
    /// Doubts about their independence.
    pub(super) warnings: Vec<Warning>,
}

impl Groups {
    /// 16 or more replicas are the groups; fewer are cut so that about 32 groups arise. `witnesses` are series whose
    /// autocorrelation time a block must outlast 20 times.
    pub(super) fn of(replicas: usize, draws: usize, witnesses: &[Series<'_>]) -> Groups {
        if replicas >= REPLICAS_FOR_SPREAD {
            return Groups { per_replica: 1, length: draws, warnings: Vec::new() };
        }
        let per_replica = 32usize.div_ceil(replicas).min(draws).max(1);
        let length = draws / per_replica;
        let mut warnings = vec![Warning::new(
            WarningKind::FewReplicas,
            format!("{replicas} replicas: the error rests on {} blocks of {length} draws", replicas * per_replica),
        )];
        let slowest = witnesses.iter().filter_map(|s| autocorrelation_time(*s).ok()).fold(0.0, |tau: f64, t| tau.max(t.tau));
        if (length as f64) < 20.0 * slowest {
            let message = format!(
                "blocks of {length} draws are only {:.1} autocorrelation times: the error is probably too small",
                length as f64 / slowest
            );
            warnings.push(Warning::new(WarningKind::TooShort, message));
        }
        Groups { per_replica, length, warnings }
    }

    /// Mean of each of several functions of a draw in every group, `[group][width]`.
    fn means(&self, series: Series<'_>, width: usize, f: impl Fn(f64, &mut [f64])) -> Vec<f64> {
        let mut out = Vec::with_capacity(series.replicas * self.per_replica * width);
        let mut one = vec![0.0; width];
        for r in 0..series.replicas {
            let skip = series.draws - self.per_replica * self.length;
            for group in series.replica(r)[skip..].chunks_exact(self.length) {
                let at = out.len();
                out.resize(at + width, 0.0);
                for &x in group {
                    f(x, &mut one);
                    out[at..].iter_mut().zip(&one).for_each(|(sum, v)| *sum += v);
                }
                out[at..].iter_mut().for_each(|sum| *sum /= self.length as f64);
            }
        }
        out
    }
}

/// Variance of the distribution a series is drawn from (second central moment), with error.
///
/// Jackknife over replicas, or over blocks when there are fewer than 16. Times beta^2 it is a heat capacity, times beta a
/// susceptibility: [`Estimate::scaled`].
/// Errors: fewer than 8 draws, a constant series, values that are not finite.
pub fn variance(series: Series<'_>) -> Result<Jackknife, Unusable> {
    series.check_varying("variance (draws)", 8)?;
    let (_, centre) = series.means();
    let groups = Groups::of(series.replicas, series.draws, &[series]);
    let moments = groups.means(series, 2, |x, out| {
        let d = x - centre;
        out.copy_from_slice(&[d, d * d]);
    });
    let mut result = jackknife(&moments, 2, |m| m[1] - m[0] * m[0])?;
    result.warnings = groups.warnings;
    Ok(result)
}

/// Mean direction of a periodic coordinate, in [-period/2, period/2), with error.
///
///   mean = (period / 2 pi) atan2(mean sin, mean cos)
///
/// Errors: fewer than 8 draws, values that are not finite, a period that is not positive.
pub fn circular_mean(series: Series<'_>, period: f64) -> Result<Jackknife, Unusable> {
    if !(period > 0.0 && period.is_finite()) {
        return Err(Unusable::Argument(format!("a period must be positive, not {period}")));
    }
    series.check_varying("circular mean (draws)", 8)?;
    let (cos, sin) = circle(series.values, period);
    let (cos, sin) = (Series { values: &cos, ..series }, Series { values: &sin, ..series });
    let groups = Groups::of(series.replicas, series.draws, &[cos, sin]);
    let c = groups.means(cos, 1, |x, out| out[0] = x);
    let s = groups.means(sin, 1, |x, out| out[0] = x);
    let both: Vec<f64> = c.iter().zip(&s).flat_map(|(c, s)| [*c, *s]).collect();
    // angles relative to the overall direction, so that no group sits across the cut
    let (mc, ms) = (mean_of(&c), mean_of(&s));
    let turn = |m: &[f64]| Real::atan2(m[1] * mc - m[0] * ms, m[0] * mc + m[1] * ms);
    let mut result = jackknife(&both, 2, turn)?;
    let scale = period / std::f64::consts::TAU;
    let direction = Real::atan2(ms, mc);
    let wrap = |angle: f64| {
        let turns = angle / std::f64::consts::TAU;
        (turns - (turns + 0.5).floor()) * period
    };
    result.value = wrap(direction + result.value);
    result.plain = wrap(direction + result.plain);
    result.stderr *= scale;
    result.warnings = groups.warnings;
    Ok(result)
}
