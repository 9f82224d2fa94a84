//! Does the estimate stand still when data are added, from the front or from the back.

use super::autocorrelation::autocorrelation_time;
use super::mean::REPLICAS_FOR_SPREAD;
use super::series::{Series, Unusable, mean_of, spread_of};
use serde::Serialize;

/// Means of a part of the draws of every replica.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fraction {
    /// Draws used, of each replica.
    pub draws: usize,
    /// Mean and standard error of the first `draws` draws.
    pub forward: (f64, f64),
    /// Mean and standard error of the last `draws` draws.
    pub reverse: (f64, f64),
}

/// The mean against the amount of data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Convergence {
    /// From little data to all.
    pub fractions: Vec<Fraction>,
    /// First half against second half: difference over combined standard error. Beyond 4 the series drifts.
    pub halves_z: f64,
}

/// Forward and reverse means over `points` equal fractions (at least 2).
///
/// Errors of parts: the spread of replicas if there are 16 or more, else the autocorrelation time of the whole series.
/// Errors: fewer than 16 draws, a constant series, values that are not finite.
/// Source: Yang, Bitetti-Putzer, Karplus, J. Chem. Phys. 120, 2618 (2004).
pub fn forward_reverse(series: Series<'_>, points: usize) -> Result<Convergence, Unusable> {
    series.check_varying("forward and reverse means (draws)", 16)?;
    let points = points.clamp(2, series.draws);
    let time = autocorrelation_time(series)?;
    let spread = series.replicas >= REPLICAS_FOR_SPREAD;
    let part = |from: usize, draws: usize| {
        let means: Vec<f64> = (0..series.replicas).map(|r| mean_of(&series.replica(r)[from..from + draws])).collect();
        let stderr = if spread {
            (spread_of(&means) / series.replicas as f64).sqrt()
        } else {
            let n_eff = (series.replicas * draws) as f64 / time.g();
            (time.variance / n_eff.max(1.0)).sqrt()
        };
        (mean_of(&means), stderr)
    };
    let fractions = (1..=points)
        .map(|k| {
            let draws = (series.draws * k / points).max(1);
            Fraction { draws, forward: part(0, draws), reverse: part(series.draws - draws, draws) }
        })
        .collect();
    let half = series.draws / 2;
    let (first, second) = (part(0, half), part(series.draws - half, half));
    let halves_z = (first.0 - second.0) / (first.1 * first.1 + second.1 * second.1).sqrt();
    Ok(Convergence { fractions, halves_z })
}
