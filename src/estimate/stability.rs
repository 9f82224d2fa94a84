//! Does an estimate from several sets of draws stand still when data are added: any estimator, as a function of ranges.

use super::series::{Series, Unusable, mean_of, spread_of};
use serde::Serialize;
use std::ops::Range;

/// A value with its standard error.
pub type Measured = (f64, f64);

/// The estimate from a part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Part of the data, 0 to 1.
    pub fraction: f64,
    /// From the first draws: value and standard error.
    pub forward: Measured,
    /// From the last draws.
    pub reverse: Measured,
}

/// An estimate against the amount of data, from either end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stability {
    /// From little data to all; the last one has all data both ways.
    pub parts: Vec<Part>,
    /// First half against second half: difference over combined standard error. Beyond 4 the data drift.
    pub halves_z: f64,
    /// The least fraction from which on forward and reverse stay within one standard error of the final value (the larger of the
    /// part's own error and the final one); 1 if only the whole does.
    pub converged_at: f64,
}

/// Forward and reverse estimates over `points` parts (at least 2) of data in several states.
///
/// `lengths`: draws of each state. `estimate` gets a range of draws for each state and answers with value and standard error: BAR or
/// MBAR between two states, TI, a mean. Part k of a state of n draws is its first `k floor(n / points)` or last `k ceil(n / points)`
/// draws, the last part is all of them; a state without draws stays empty.
/// Errors: what `estimate` answers; as [`Unusable`] no state, or a state with fewer than `points` draws that is not empty.
/// Source: Klimovich, Shirts and Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015); the parts are alchemlyb's, but for its last
/// forward one, which drops the remainder.
pub fn forward_reverse_of<E: From<Unusable>>(
    lengths: &[usize],
    points: usize,
    mut estimate: impl FnMut(&[Range<usize>]) -> Result<Measured, E>,
) -> Result<Stability, E> {
    let points = points.max(2);
    long_enough(lengths, points)?;
    let mut parts = Vec::with_capacity(points);
    for k in 1..=points {
        let first: Vec<Range<usize>> = lengths.iter().map(|&n| 0..if k == points { n } else { n / points * k }).collect();
        let last: Vec<Range<usize>> = lengths.iter().map(|&n| n.saturating_sub(n.div_ceil(points) * k)..n).collect();
        let forward = estimate(&first)?;
        let reverse = if first == last { forward } else { estimate(&last)? };
        parts.push(Part { fraction: k as f64 / points as f64, forward, reverse });
    }
    let halves_z = halves(lengths, &mut estimate)?;
    let whole = parts[points - 1].forward;
    let near = |v: Measured| (v.0 - whole.0).abs() <= v.1.max(whole.1);
    let still = parts.iter().rposition(|p| !(near(p.forward) && near(p.reverse))).map_or(0, |k| k + 1);
    let converged_at = parts[still.min(points - 1)].fraction;
    Ok(Stability { parts, halves_z, converged_at })
}

/// First half against second half of the data of every state: difference over combined standard error.
///
/// Errors: what `estimate` answers; as [`Unusable`] no state, or a state with one draw.
pub fn halves<E: From<Unusable>>(lengths: &[usize], mut estimate: impl FnMut(&[Range<usize>]) -> Result<Measured, E>) -> Result<f64, E> {
    long_enough(lengths, 2)?;
    let first: Vec<Range<usize>> = lengths.iter().map(|&n| 0..n / 2).collect();
    let last: Vec<Range<usize>> = lengths.iter().map(|&n| n - n / 2..n).collect();
    let (a, b) = (estimate(&first)?, estimate(&last)?);
    Ok((a.0 - b.0) / (a.1 * a.1 + b.1 * b.1).sqrt())
}

/// Estimates from separate blocks of the data, and what their spread says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockEstimates {
    /// Value and standard error of each block.
    pub blocks: Vec<Measured>,
    /// Mean of the blocks' values: biased where the estimator is, by as much as a block of that size.
    pub mean: f64,
    /// Standard error of `mean` from the spread of the blocks, `s / sqrt(blocks)`.
    pub stderr: f64,
    /// `s^2` over the mean of the stated variances, 1 if the blocks' own errors are right; well above: correlation between draws is
    /// not in them. With B blocks it scatters by `sqrt(2 / (B - 1))`.
    pub variance_ratio: f64,
}

/// Estimates from `blocks` consecutive parts of equal length of the data in several states; a remainder at the end is left out.
///
/// Errors: what `estimate` answers; as [`Unusable`] fewer than 2 blocks, no state, a state shorter than the number of blocks that is
/// not empty.
pub fn block_estimates<E: From<Unusable>>(
    lengths: &[usize],
    blocks: usize,
    mut estimate: impl FnMut(&[Range<usize>]) -> Result<Measured, E>,
) -> Result<BlockEstimates, E> {
    if blocks < 2 {
        return Err(Unusable::TooShort { what: "block estimates (blocks)", needed: 2, found: blocks }.into());
    }
    long_enough(lengths, blocks)?;
    let mut all = Vec::with_capacity(blocks);
    for b in 0..blocks {
        let ranges: Vec<Range<usize>> = lengths.iter().map(|&n| n / blocks * b..n / blocks * (b + 1)).collect();
        all.push(estimate(&ranges)?);
    }
    let values: Vec<f64> = all.iter().map(|v| v.0).collect();
    let stated: Vec<f64> = all.iter().map(|v| v.1 * v.1).collect();
    let spread = spread_of(&values);
    Ok(BlockEstimates {
        mean: mean_of(&values),
        stderr: (spread / blocks as f64).sqrt(),
        variance_ratio: spread / mean_of(&stated),
        blocks: all,
    })
}

fn long_enough(lengths: &[usize], needed: usize) -> Result<(), Unusable> {
    let what = "parts of the data (draws of a state)";
    match lengths.iter().copied().filter(|&n| n > 0).min() {
        None => Err(Unusable::TooShort { what, needed, found: 0 }),
        Some(least) if least < needed => Err(Unusable::TooShort { what, needed, found: least }),
        Some(_) => Ok(()),
    }
}

/// R_c: the least fraction of a series from which on its forward and reverse running means stay within `tolerance` of its mean.
///
///   R_c = min t/n such that |mean(x_1..x_u) - mean(x)| < tolerance and |mean(x_n-u+1..x_n) - mean(x)| < tolerance for all u >= t
///
/// 1/n: converged from the first draw; 1: only the whole is. Here from every draw, in order (alchemlyb averages over strides first).
/// Errors: no draw, a tolerance that is not positive, values that are not finite.
/// Source: Fan, Nedev, Vasilevskaya et al., J. Comput. Aided Mol. Des. 35, 49 (2021), eq. 16.
pub fn converged_fraction(series: &[f64], tolerance: f64) -> Result<f64, Unusable> {
    Series::single(series).check("converged fraction (draws)", 1)?;
    if tolerance.is_nan() || tolerance <= 0.0 {
        return Err(Unusable::Argument(format!("a tolerance must be positive, not {tolerance}")));
    }
    let n = series.len();
    let mean = mean_of(series);
    let (mut ahead, mut behind, mut last_outside) = (0.0, 0.0, 0);
    for u in 1..n {
        ahead += series[u - 1] - mean;
        behind += series[n - u] - mean;
        if (ahead / u as f64).abs() >= tolerance || (behind / u as f64).abs() >= tolerance {
            last_outside = u;
        }
    }
    Ok((last_outside + 1) as f64 / n as f64)
}

/// A_c: area under the distribution of R_c over the states, 1 when all of every state's data is converged, 0 when none is.
///
///   A_c = int_0^1 (share of states with R_c <= r) dr = 1 - mean R_c
///
/// Errors: no state, a fraction outside [0, 1].
/// Source: Fan et al. (2021), eq. 18.
pub fn converged_area(fractions: &[f64]) -> Result<f64, Unusable> {
    if fractions.is_empty() {
        return Err(Unusable::TooShort { what: "converged area (states)", needed: 1, found: 0 });
    }
    match fractions.iter().find(|r| !(0.0..=1.0).contains(*r)) {
        Some(r) => Err(Unusable::Argument(format!("a converged fraction lies between 0 and 1, not {r}"))),
        None => Ok(1.0 - mean_of(fractions)),
    }
}
