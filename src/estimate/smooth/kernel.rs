//! Kernel density on a grid: draws are put on a fine grid, which is then smoothed along each axis.

use super::super::series::{Unusable, circle, sum_of};
use super::super::surface::Axis;
use super::grid;
use crate::real::Real;

/// Fine cells within a kernel's standard deviation: the variance of the density grows by 1 / (12 x 36), 0.2 %.
const CELLS: f64 = 6.0;
/// A kernel ends at so many standard deviations.
const REACH: f64 = 6.0;

/// Kernels on a grid, ready for any weights of the same draws.
pub(super) struct Kernels {
    axes: Vec<Axis>,
    fine: Vec<Axis>,
    widths: Vec<f64>,
    /// Fine cell of each draw.
    cell: Vec<Option<usize>>,
    /// For each axis and grid point the fine cells it sees and their weights.
    seen: Vec<Vec<Vec<(usize, f64)>>>,
}

impl Kernels {
    pub(super) fn new(columns: &[&[f64]], weights: &[f64], n_eff: f64, axes: &[Axis], widths: &[f64]) -> Result<Self, Unusable> {
        if widths.len() != axes.len() {
            return Err(Unusable::Shape { what: "kernel widths", expected: axes.len(), found: widths.len() });
        }
        let d = axes.len() as f64;
        let mut chosen = Vec::new();
        for ((column, axis), width) in columns.iter().zip(axes).zip(widths) {
            let range = axis.high - axis.low;
            let silverman = || {
                let factor = Real::exp(Real::ln(4.0 / ((d + 2.0) * n_eff)) / (d + 4.0));
                factor * if axis.periodic { circular_sigma(column, weights, range) } else { sigma(column, weights) }
            };
            let width = if *width == 0.0 { silverman().min(range / 20.0) } else { *width };
            if !(width > 0.0 && width.is_finite() && width <= range) {
                let message = format!("a kernel of width {width} on an axis of length {range}: give a positive one, smaller than the axis");
                return Err(Unusable::Argument(message));
            }
            chosen.push(width);
        }
        let most = if axes.len() == 1 { 65_536 } else { 1024 };
        let mut fine = Vec::new();
        for (axis, width) in axes.iter().zip(&chosen) {
            let cells = (CELLS * (axis.high - axis.low) / width).ceil();
            if cells > f64::from(most) {
                let message = format!("a kernel of width {width} is too narrow for an axis of length {}", axis.high - axis.low);
                return Err(Unusable::Argument(message));
            }
            fine.push(Axis::new(axis.low, axis.high, cells as usize, axis.periodic)?);
        }
        let cell =
            (0..weights.len()).map(|n| fine.iter().zip(columns).try_fold(0, |at, (a, c)| a.bin(c[n]).map(|i| at * a.bins + i))).collect();
        let seen = axes.iter().zip(&fine).zip(&chosen).map(|((a, f), w)| sight(a, f, *w)).collect();
        Ok(Kernels { axes: axes.to_vec(), fine, widths: chosen, cell, seen })
    }

    pub(super) fn widths(&self) -> Vec<f64> {
        self.widths.clone()
    }

    /// -ln of the density, up to a constant.
    pub(super) fn free_energy(&self, weights: &[f64]) -> Vec<f64> {
        let inner = self.fine.get(1).map_or(1, |f| f.bins);
        let mut mass = vec![0.0; self.fine[0].bins * inner];
        for (cell, w) in self.cell.iter().zip(weights) {
            if let Some(cell) = *cell {
                mass[cell] += w;
            }
        }
        // the second axis first: [fine i][grid j]
        let columns = self.axes.get(1).map_or(1, |a| a.bins);
        let mut half = vec![0.0; self.fine[0].bins * columns];
        for (i, row) in mass.chunks_exact(inner).enumerate().filter(|(_, row)| row.iter().any(|w| *w > 0.0)) {
            for j in 0..columns {
                half[i * columns + j] = match self.seen.get(1) {
                    Some(seen) => seen[j].iter().map(|(k, w)| w * row[*k]).sum(),
                    None => row[0],
                };
            }
        }
        grid(&self.axes)
            .map(|[i, j]| {
                let density: f64 = self.seen[0][i].iter().map(|(k, w)| w * half[k * columns + j]).sum();
                -Real::ln(density)
            })
            .collect()
    }
}

/// Fine cells within reach of each grid point, with the kernel's value at their centres.
fn sight(axis: &Axis, fine: &Axis, width: f64) -> Vec<Vec<(usize, f64)>> {
    let reach = (REACH * width / fine.width()).ceil() as i64;
    (0..axis.bins)
        .map(|i| {
            let at = axis.centre(i);
            let middle = ((at - fine.low) / fine.width()).floor() as i64;
            // on a circle every cell once, in its nearest image
            let (from, to) = if axis.periodic && 2 * reach + 1 > fine.bins as i64 {
                (middle - fine.bins as i64 / 2, middle - fine.bins as i64 / 2 + fine.bins as i64 - 1)
            } else {
                (middle - reach, middle + reach)
            };
            let mut seen = Vec::new();
            for k in from..=to {
                let cell = if axis.periodic { k.rem_euclid(fine.bins as i64) } else { k };
                if (0..fine.bins as i64).contains(&cell) {
                    let z = (fine.low + (k as f64 + 0.5) * fine.width() - at) / width;
                    seen.push((cell as usize, Real::exp(-0.5 * z * z)));
                }
            }
            seen
        })
        .collect()
}

fn sigma(column: &[f64], weights: &[f64]) -> f64 {
    let total = sum_of(weights);
    let mean = sum_of(&column.iter().zip(weights).map(|(x, w)| x * w).collect::<Vec<_>>()) / total;
    (sum_of(&column.iter().zip(weights).map(|(x, w)| w * (x - mean) * (x - mean)).collect::<Vec<_>>()) / total).sqrt()
}

/// Standard deviation of the wrapped normal with the same mean resultant length R: sqrt(-2 ln R) in radians.
fn circular_sigma(column: &[f64], weights: &[f64], period: f64) -> f64 {
    let (cos, sin) = circle(column, period);
    let total = sum_of(weights);
    let mean = |x: &[f64]| sum_of(&x.iter().zip(weights).map(|(x, w)| x * w).collect::<Vec<_>>()) / total;
    let r2 = mean(&cos) * mean(&cos) + mean(&sin) * mean(&sin);
    (-Real::ln(r2.clamp(1e-12, 1.0))).max(0.0).sqrt() * period / std::f64::consts::TAU
}
