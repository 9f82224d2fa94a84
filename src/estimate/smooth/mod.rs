//! Smooth free-energy surfaces of weighted draws, by kernels or by a spline, with bootstrap bands.

mod kernel;
mod spline;

use super::resample::Resample;
use super::series::Unusable;
use super::surface::{Axis, effective, plain_weights};
use super::value::{Warning, WarningKind};
use crate::real::Real;
use serde::Serialize;

/// How a density is smoothed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Smoothing {
    /// Gaussian kernels of these widths (standard deviations), one for each axis; 0 asks for Silverman's,
    /// `sigma (4 / ((d + 2) n_eff))^(1 / (d + 4))`, on a periodic axis with the circular sigma, at most a twentieth of the period.
    /// Next to the ends of an axis that is not periodic the density leaks over them.
    Kernel(Vec<f64>),
    /// F as a cubic B-spline with so many functions on each axis (at least 4), by maximum likelihood of the weighted draws.
    Spline(Vec<usize>),
}

/// A smooth free-energy surface on the centres of a grid. Points are row-major, `[i]` or `[i][j]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SmoothSurface {
    /// The grid: F stands at the centres of the bins.
    pub axes: Vec<Axis>,
    /// Free energy, 0 at the lowest point; +inf where no kernel reaches.
    pub free_energy: Vec<f64>,
    /// Standard deviation over the resamples of F relative to the lowest point; NaN without resamples.
    pub stderr: Vec<f64>,
    /// 2.5 % and 97.5 % points over the resamples, of F relative to the lowest point; NaN without resamples.
    pub band: Vec<(f64, f64)>,
    /// Index of the lowest point.
    pub lowest: usize,
    /// Kernel widths used; empty for a spline.
    pub bandwidth: Vec<f64>,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

/// From weights of the draws to F on the grid, up to a constant.
type Estimate = Box<dyn Fn(&[f64]) -> Vec<f64>>;

/// Smooth free-energy surface of one or two coordinates from weighted draws.
///
/// `columns`: coordinates `[axis][draw]`, `log_weights`: of each draw, up to a constant (0 for plain draws). Draws outside an axis that
/// is not periodic are left out. `resamples` sets of log-weights of the same draws are asked of `resampled`, for the bands: from
/// [`resample_weights`], or [`Mbar::resampled_log_weights`](super::Mbar::resampled_log_weights) so that the errors of the f_k are in.
/// `kt` in the unit wanted for F. Warns when the weights leave fewer than 100 effective draws, or draws are left out.
/// Errors: not one or two axes, lengths, values that are not finite, bad widths or numbers, no draw on the axes.
/// Source: kernels, Silverman, Density Estimation (1986); spline, Shirts and Ferguson, J. Chem. Theory Comput. 16, 4107 (2020).
pub fn smooth_surface(
    columns: &[&[f64]],
    log_weights: &[f64],
    axes: &[Axis],
    how: &Smoothing,
    resamples: usize,
    mut resampled: impl FnMut(usize) -> Vec<f64>,
    kt: f64,
) -> Result<SmoothSurface, Unusable> {
    let weights = checked(columns, log_weights, axes)?;
    let inside: Vec<bool> = (0..weights.len()).map(|n| axes.iter().zip(columns).all(|(a, c)| a.bin(c[n]).is_some())).collect();
    let kept = |w: &[f64]| -> Vec<f64> { w.iter().zip(&inside).map(|(w, i)| if *i { *w } else { 0.0 }).collect() };
    let (all, weights) = (weights.len(), kept(&weights));
    if weights.iter().all(|w| *w == 0.0) {
        return Err(Unusable::Argument("no draw of any weight lies within the axes of the surface".into()));
    }
    let n_eff = effective(&weights);
    let (estimate, bandwidth): (Estimate, Vec<f64>) = match how {
        Smoothing::Kernel(widths) => {
            let kernels = kernel::Kernels::new(columns, &weights, n_eff, axes, widths)?;
            let widths = kernels.widths();
            (Box::new(move |w| kernels.free_energy(w)), widths)
        }
        Smoothing::Spline(functions) => {
            let spline = spline::Spline::new(columns, axes, functions)?;
            (Box::new(move |w| spline.free_energy(w)), Vec::new())
        }
    };
    let mut free_energy = estimate(&weights);
    let mut lowest = 0;
    for (i, f) in free_energy.iter().enumerate() {
        if *f < free_energy[lowest] {
            lowest = i;
        }
    }
    let relative = |f: &[f64]| -> Vec<f64> { f.iter().map(|v| kt * (v - f[lowest])).collect() };
    free_energy = relative(&free_energy);
    let points = free_energy.len();
    let mut again: Vec<Vec<f64>> = vec![Vec::with_capacity(resamples); points];
    for r in 0..resamples {
        let log = resampled(r);
        if log.len() != all {
            return Err(Unusable::Shape { what: "log-weights of a resample", expected: all, found: log.len() });
        }
        let weights = kept(&plain_weights(&log)?);
        if weights.iter().all(|w| *w == 0.0) {
            return Err(Unusable::Argument(format!(
                "in resample {r} no draw of any weight lies within the axes: too few draws for a band"
            )));
        }
        for (all, f) in again.iter_mut().zip(relative(&estimate(&weights))) {
            all.push(f);
        }
    }
    let (stderr, band) = again.iter_mut().map(|f| spread(f)).unzip();
    let mut warnings = Vec::new();
    if n_eff < 100.0 {
        warnings.push(Warning::new(WarningKind::HeavyTail, format!("the weights leave {n_eff:.1} effective draws of {all}")));
    }
    let outside = inside.iter().filter(|i| !**i).count();
    if outside > 0 {
        warnings.push(Warning::new(WarningKind::Outside, format!("{outside} of {all} draws lie outside the axes")));
    }
    Ok(SmoothSurface { axes: axes.to_vec(), free_energy, stderr, band, lowest, bandwidth, warnings })
}

/// Log-weights after drawing with replacement: `log_weights` plus ln of how often each draw came, -inf if never.
///
/// `strata`: numbers of consecutive draws that are resampled among themselves (the states of MBAR, replicas), in blocks of `block`
/// consecutive draws, circular. A function of `seed` and `replicate`.
/// Errors: strata that do not add up, a block of 0.
/// Source: Politis and Romano, in Exploring the Limits of Bootstrap, 263 (1992).
pub fn resample_weights(log_weights: &[f64], strata: &[usize], block: usize, seed: u64, replicate: usize) -> Result<Vec<f64>, Unusable> {
    let total: usize = strata.iter().sum();
    if total != log_weights.len() {
        return Err(Unusable::Shape { what: "draws of all strata", expected: log_weights.len(), found: total });
    }
    if block == 0 {
        return Err(Unusable::Argument("a block of draws holds at least one".into()));
    }
    let mut stream = Resample::new(seed, replicate as u64);
    let mut count = vec![0u32; total];
    let mut start = 0;
    for &n in strata {
        let mut left = n;
        while left > 0 {
            let from = stream.index(n);
            let length = block.min(left);
            for i in 0..length {
                count[start + (from + i) % n] += 1;
            }
            left -= length;
        }
        start += n;
    }
    Ok(log_weights.iter().zip(&count).map(|(l, c)| if *c == 0 { f64::NEG_INFINITY } else { l + Real::ln(f64::from(*c)) }).collect())
}

fn checked(columns: &[&[f64]], log_weights: &[f64], axes: &[Axis]) -> Result<Vec<f64>, Unusable> {
    if !(1..=2).contains(&axes.len()) {
        return Err(Unusable::Argument(format!("one or two coordinates, not {}", axes.len())));
    }
    if columns.len() != axes.len() {
        return Err(Unusable::Shape { what: "columns", expected: axes.len(), found: columns.len() });
    }
    for (column, axis) in columns.iter().zip(axes) {
        Axis::new(axis.low, axis.high, axis.bins, axis.periodic)?;
        if column.len() != log_weights.len() {
            return Err(Unusable::Shape { what: "draws of a column", expected: log_weights.len(), found: column.len() });
        }
        if let Some(draw) = column.iter().position(|v| !v.is_finite()) {
            return Err(Unusable::NotFinite { replica: 0, draw });
        }
    }
    plain_weights(log_weights)
}

/// Standard deviation and 2.5 and 97.5 % points; infinite values count as far up.
fn spread(values: &mut [f64]) -> (f64, (f64, f64)) {
    if values.len() < 2 {
        return (f64::NAN, (f64::NAN, f64::NAN));
    }
    values.sort_by(f64::total_cmp);
    let at = |q: f64| {
        let place = q * (values.len() - 1) as f64;
        let (low, part) = (place.floor() as usize, place - place.floor());
        let (a, b) = (values[low], values[(low + 1).min(values.len() - 1)]);
        if part == 0.0 || a == b { a } else { a + part * (b - a) }
    };
    (super::series::spread_of(values).sqrt(), (at(0.025), at(0.975)))
}

/// All points of a grid as one index for each axis.
fn grid(axes: &[Axis]) -> impl Iterator<Item = [usize; 2]> {
    let inner = axes.get(1).map_or(1, |a| a.bins);
    (0..axes[0].bins * inner).map(move |k| [k / inner, k % inner])
}
