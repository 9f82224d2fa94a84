//! Free-energy surfaces from histograms of plain or weighted draws, in one and two dimensions.

use super::jackknife::Groups;
use super::series::{Series, Unusable, circle, squares_and_sum};
use super::value::{Estimate, Warning, WarningKind};
use crate::real::Real;
use serde::Serialize;

/// Equal bins along one coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// Lower edge of the first bin.
    pub low: f64,
    /// Upper edge of the last bin; `low + period` if periodic.
    pub high: f64,
    /// Number of bins.
    pub bins: usize,
    /// Whether values are folded into [low, high).
    pub periodic: bool,
}

impl Axis {
    /// An axis. Errors: no bins, edges that are not finite or not increasing.
    pub fn new(low: f64, high: f64, bins: usize, periodic: bool) -> Result<Self, Unusable> {
        if bins == 0 || low >= high || !(high - low).is_finite() {
            return Err(Unusable::Argument(format!("an axis needs at least one bin and low < high: {bins} bins over [{low}, {high})")));
        }
        Ok(Axis { low, high, bins, periodic })
    }

    /// Width of a bin.
    pub fn width(&self) -> f64 {
        (self.high - self.low) / self.bins as f64
    }

    /// Centre of bin `i`.
    pub fn centre(&self, i: usize) -> f64 {
        self.low + (i as f64 + 0.5) * self.width()
    }

    /// The `bins + 1` edges.
    pub fn edges(&self) -> Vec<f64> {
        (0..=self.bins).map(|i| self.low + i as f64 * self.width()).collect()
    }

    /// Bin of a value; `None` outside a range that is not periodic. The upper edge itself belongs to the last bin, or to the first if periodic.
    pub fn bin(&self, x: f64) -> Option<usize> {
        let mut turns = (x - self.low) / (self.high - self.low);
        if self.periodic {
            turns -= turns.floor();
        } else if !(0.0..=1.0).contains(&turns) {
            return None;
        }
        let i = (turns * self.bins as f64) as usize;
        Some(if i < self.bins {
            i
        } else if self.periodic {
            0
        } else {
            self.bins - 1
        })
    }
}

/// A histogram and its free energy. Bins are row-major, `[i]` or `[i][j]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Surface {
    /// One or two axes.
    pub axes: Vec<Axis>,
    /// Draws in each bin.
    pub count: Vec<u64>,
    /// Groups (replicas, blocks of them, or states of an MBAR fit) that have entered each bin.
    pub visitors: Vec<u32>,
    /// Probability of each bin by weight, draws outside included in the whole.
    pub population: Vec<f64>,
    /// Standard error of `population`.
    pub population_stderr: Vec<f64>,
    /// `F = -kT ln(p / volume)`, 0 at the lowest bin; NaN where the count is 0.
    pub free_energy: Vec<f64>,
    /// Standard error of F relative to the lowest bin; NaN where the count is 0.
    pub stderr: Vec<f64>,
    /// Index of the lowest bin.
    pub lowest: usize,
    /// Draws outside a range that is not periodic.
    pub outside: u64,
    /// Draws in all.
    pub total: u64,
    /// Independent groups behind the errors; of an MBAR fit, states with samples.
    pub groups: usize,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

/// Free-energy surface of one or two coordinates by histogram, with errors from independent groups.
///
///   F_b = -kT ln(p_b / v_b) - F_min,   stderr(F_b)^2 = kT^2 sum_g (d_gb - d_g,min)^2 / (G (G-1)),   d_gb = p_gb / p_b - 1
///
/// Groups are the replicas, or blocks of them when there are fewer than 16. The delta method is used because a bin that one group
/// alone has entered has no jackknife. Unvisited bins are NaN with count 0, never 0. `kt` in the unit wanted for F.
/// Errors: not one or two axes, as many columns; shapes that differ; fewer than 2 groups of draws; values that are not finite; no draw in range.
/// Source: delta method (propagation of the replicas' spread through the logarithm).
pub fn surface(columns: &[Series<'_>], axes: &[Axis], kt: f64) -> Result<Surface, Unusable> {
    histogram_surface(columns, None, axes, kt)
}

/// The same from weighted draws, `exp(log_weights)` up to a common factor: annealed or biased runs, reweighted temperatures.
///
///   p_b = sum_g w_gb / sum_g W_g,   stderr(F_b)^2 = kT^2 sum_g (d_gb - d_g,min)^2 / (G (G-1)),   d_gb = (w_gb / p_b - W_g) / mean W
///
/// Groups as in [`surface`]: replicas must be independent with their weights. Warns when the weights leave fewer than 100 effective draws.
/// Errors: those of [`surface`]; log-weights of another shape, NaN or +inf, or all -inf.
pub fn weighted_surface(columns: &[Series<'_>], log_weights: Series<'_>, axes: &[Axis], kt: f64) -> Result<Surface, Unusable> {
    let first = checked(columns, axes.len())?;
    if (log_weights.replicas, log_weights.draws) != (first.replicas, first.draws) || log_weights.values.len() != first.values.len() {
        return Err(Unusable::Shape { what: "log-weights of the draws", expected: first.values.len(), found: log_weights.values.len() });
    }
    let weights = plain_weights(log_weights.values).map_err(|why| match why {
        Unusable::NotFinite { draw, .. } => Unusable::NotFinite { replica: draw / first.draws, draw: draw % first.draws },
        other => other,
    })?;
    let mut found = histogram_surface(columns, Some(&weights), axes, kt)?;
    let n_eff = effective(&weights);
    if n_eff < 100.0 {
        let message = format!("the weights leave {n_eff:.1} effective draws of {}", weights.len());
        found.warnings.push(Warning::new(WarningKind::HeavyTail, message));
    }
    Ok(found)
}

/// `exp(l - max l)`. Errors: NaN or +inf (as draws of replica 0), nothing but -inf.
pub(super) fn plain_weights(log_weights: &[f64]) -> Result<Vec<f64>, Unusable> {
    if let Some(draw) = log_weights.iter().position(|l| l.is_nan() || *l == f64::INFINITY) {
        return Err(Unusable::NotFinite { replica: 0, draw });
    }
    let most = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return Err(Unusable::Argument("all weights are 0".into()));
    }
    Ok(log_weights.iter().map(|l| Real::exp(l - most)).collect())
}

/// Kish's effective number, `(sum w)^2 / sum w^2`.
pub(super) fn effective(weights: &[f64]) -> f64 {
    let (squares, sum) = squares_and_sum(weights, 0.0);
    sum * sum / squares
}

fn histogram_surface(columns: &[Series<'_>], weights: Option<&[f64]>, axes: &[Axis], kt: f64) -> Result<Surface, Unusable> {
    let first = checked(columns, axes.len())?;
    for axis in axes {
        Axis::new(axis.low, axis.high, axis.bins, axis.periodic)?;
    }
    let bins: usize = axes.iter().map(|a| a.bins).product();
    let groups = groups_for(columns, axes);
    let (per_group, counts, whole) = histogram(columns, weights, axes, &groups, bins);
    let count: Vec<u64> = (0..bins).map(|b| counts.iter().map(|g| u64::from(g[b])).sum()).collect();
    let weight: Vec<f64> = (0..bins).map(|b| per_group.iter().map(|g| g[b]).sum()).collect();
    let total = (first.replicas * first.draws) as u64;
    let outside = total - count.iter().sum::<u64>();
    let all: f64 = whole.iter().sum();
    if !weight.iter().any(|w| *w > 0.0) {
        return Err(Unusable::Argument("no draw lies within the axes of the surface".into()));
    }
    let g = per_group.len() as f64;
    let population: Vec<f64> = weight.iter().map(|w| w / all).collect();
    let mut lowest = 0;
    for b in 1..bins {
        if weight[b] > weight[lowest] {
            lowest = b;
        }
    }
    let deviation = |group: usize, b: usize| match weights {
        None => per_group[group][b] / whole[group] / population[b] - 1.0,
        Some(_) => (per_group[group][b] / population[b] - whole[group]) * g / all,
    };
    let spread = |f: &dyn Fn(usize) -> f64| ((0..per_group.len()).map(|i| f(i) * f(i)).sum::<f64>() / (g * (g - 1.0))).sqrt();
    let (mut free_energy, mut stderr, mut population_stderr) = (vec![f64::NAN; bins], vec![f64::NAN; bins], vec![f64::NAN; bins]);
    for b in (0..bins).filter(|&b| weight[b] > 0.0) {
        free_energy[b] = kt * Real::ln(weight[lowest] / weight[b]);
        stderr[b] = kt * spread(&|i| deviation(i, b) - deviation(i, lowest));
        population_stderr[b] = population[b] * spread(&|i| deviation(i, b));
    }
    let visitors: Vec<u32> = (0..bins).map(|b| counts.iter().filter(|h| h[b] > 0).count() as u32).collect();
    let mut warnings = groups.warnings;
    let alone = visitors.iter().filter(|&&v| v == 1).count();
    if alone > 0 {
        let message = format!("{alone} bins were entered by one replica or block only: their errors are about kT and not to be relied on");
        warnings.push(Warning::new(WarningKind::FewReplicas, message));
    }
    if outside > 0 {
        warnings.push(Warning::new(WarningKind::Outside, format!("{outside} of {total} draws lie outside the axes")));
    }
    let axes = axes.to_vec();
    let groups = per_group.len();
    Ok(Surface { axes, count, visitors, population, population_stderr, free_energy, stderr, lowest, outside, total, groups, warnings })
}

impl Surface {
    /// One estimate for each bin, `quantity[i]` or `quantity[i,j]`, with the bin's centre as coordinates; unvisited bins are null.
    pub fn estimates(&self, quantity: &str, names: &[&str], unit: Option<&str>) -> Vec<Estimate> {
        let inner = self.axes.get(1).map_or(1, |a| a.bins);
        (0..self.count.len())
            .map(|b| {
                let at = [b / inner, b % inner];
                let index: Vec<String> = at.iter().take(self.axes.len()).map(ToString::to_string).collect();
                let name = format!("{quantity}[{}]", index.join(","));
                let mut estimate = if self.free_energy[b].is_nan() {
                    Estimate::missing(name, WarningKind::NotVisited, "not visited")
                } else {
                    let (p, e) = (self.population[b], self.population_stderr[b]);
                    Estimate::new(name, self.free_energy[b], self.stderr[b], p * (1.0 - p) / (e * e))
                };
                estimate.unit = unit.map(Into::into);
                estimate.coords = self.axes.iter().zip(names).zip(at).map(|((a, n), i)| ((*n).to_owned(), a.centre(i))).collect();
                estimate
            })
            .collect()
    }
}

/// Columns of one shape, one for each of `dimensions` (1 or 2).
pub(super) fn checked<'a>(columns: &[Series<'a>], dimensions: usize) -> Result<Series<'a>, Unusable> {
    if !(1..=2).contains(&dimensions) {
        return Err(Unusable::Argument(format!("one or two coordinates, not {dimensions}")));
    }
    if columns.len() != dimensions {
        return Err(Unusable::Shape { what: "columns", expected: dimensions, found: columns.len() });
    }
    for column in columns {
        column.check("a histogram (draws)", 2)?;
        if (column.replicas, column.draws) != (columns[0].replicas, columns[0].draws) {
            return Err(Unusable::Shape { what: "draws of a column", expected: columns[0].values.len(), found: column.values.len() });
        }
    }
    Ok(columns[0])
}

fn groups_for(columns: &[Series<'_>], axes: &[Axis]) -> Groups {
    let (replicas, draws) = (columns[0].replicas, columns[0].draws);
    if replicas >= super::mean::REPLICAS_FOR_SPREAD {
        return Groups::of(replicas, draws, &[]);
    }
    let mut witnesses: Vec<Vec<f64>> = Vec::new();
    for (column, axis) in columns.iter().zip(axes) {
        if axis.periodic {
            let (cos, sin) = circle(column.values, axis.high - axis.low);
            witnesses.extend([cos, sin]);
        } else {
            witnesses.push(column.values.to_vec());
        }
    }
    let series: Vec<Series<'_>> = witnesses.iter().map(|values| Series { values, replicas, draws }).collect();
    Groups::of(replicas, draws, &series)
}

/// Group of a draw: blocks of `length`, the last one longer by the remainder.
fn group_of(draw: usize, groups: &Groups) -> usize {
    (draw / groups.length.max(1)).min(groups.per_replica - 1)
}

/// Bin of a point; none outside.
pub(super) fn bin_of(axes: &[Axis], at: impl Fn(usize) -> f64) -> Option<usize> {
    axes.iter().enumerate().try_fold(0, |bin, (k, a)| a.bin(at(k)).map(|i| bin * a.bins + i))
}

/// Weight and draws in each bin and weight in all, by group.
type Histogram = (Vec<Vec<f64>>, Vec<Vec<u32>>, Vec<f64>);

fn histogram(columns: &[Series<'_>], weights: Option<&[f64]>, axes: &[Axis], groups: &Groups, bins: usize) -> Histogram {
    let (replicas, draws) = (columns[0].replicas, columns[0].draws);
    let n = replicas * groups.per_replica;
    let (mut weight, mut count, mut whole) = (vec![vec![0.0; bins]; n], vec![vec![0u32; bins]; n], vec![0.0; n]);
    for r in 0..replicas {
        for d in 0..draws {
            let i = r * draws + d;
            let group = r * groups.per_replica + group_of(d, groups);
            let w = weights.map_or(1.0, |w| w[i]);
            whole[group] += w;
            if let Some(bin) = bin_of(axes, |k| columns[k].values[i]) {
                weight[group][bin] += w;
                count[group][bin] += 1;
            }
        }
    }
    (weight, count, whole)
}
