//! Free-energy surfaces that a campaign asks for: plain or weighted frames, histograms or smooth.

use super::analyse::{Scalar, Stored, finite};
use super::config::{Estimate as Wanted, Sample, Smooth, Stage};
use super::copies::larger;
use super::job::Job;
use super::moments::{Moments, Shape, visits};
use super::weighted::{Answer, Source, Weighted};
use crate::Result;
use crate::estimate::summary::{StageSummary, SurfaceSummary};
use crate::estimate::{
    Axis, Bootstrap, Check, Estimate, Outcome, Series, SmoothSurface, Smoothing, Surface, WarningKind, delete_one_error, resample_weights,
    smooth_surface, surface, weighted_surface,
};
use crate::real::Real;
use rayon::prelude::*;
use std::f64::consts::PI;

/// Standard errors of the histogram that a smooth surface may lie away from it.
const AWAY: f64 = 4.0;
/// Functions of a spline over one observable, and along each of two.
const FUNCTIONS: [usize; 2] = [20, 12];

/// The grid along each column: as declared, or the whole circle, or the range of the frames.
pub(super) fn axes(scalars: &[&Scalar], wanted: &Wanted) -> Answer<Vec<Axis>> {
    let mut axes = Vec::new();
    for (scalar, axis) in scalars.iter().zip(&wanted.axes) {
        let (low, high, periodic) = match &axis.range {
            Some((a, b)) => (a.value, b.value, false),
            None if scalar.periodic => (-PI, PI, true),
            None => {
                let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
                for &x in scalar.kept.iter().filter(|x| x.is_finite()) {
                    (low, high) = (low.min(x), high.max(x));
                }
                (low, high + (high - low) * 1e-9, false)
            }
        };
        axes.push(Axis::new(low, high, axis.bins.value as usize, periodic)?);
    }
    Ok(axes)
}

/// For the report.
fn summary(stage: &Stage, scalars: &[&Scalar], s: &Surface, unit: Option<&str>, how: Option<String>) -> SurfaceSummary {
    SurfaceSummary {
        stage: stage.name.value.clone(),
        of: scalars.iter().map(|s| s.name.clone()).collect(),
        units: scalars.iter().map(|s| s.unit.clone()).collect(),
        edges: s.axes.iter().map(Axis::edges).collect(),
        free_energy: s.free_energy.iter().map(|f| finite(*f)).collect(),
        stderr: s.stderr.iter().map(|f| finite(*f)).collect(),
        unit: unit.map(str::to_owned),
        how,
    }
}

/// The histogram of a sample stage.
///
/// # Errors
/// What the estimator gives.
pub(super) fn plain(
    job: &Job<'_>,
    stage: &Stage,
    wanted: &Wanted,
    sample: &Sample,
    stored: &Stored,
) -> Result<(SurfaceSummary, Vec<Estimate>)> {
    let scalars: Vec<&Scalar> = wanted.of.iter().map(|c| stored.find(&c.value.text)).collect::<Result<_>>()?;
    let columns: Vec<Series<'_>> = scalars.iter().map(|s| s.series(stored.replicas)).collect();
    let names: Vec<&str> = wanted.of.iter().map(|c| c.value.name()).collect();
    let unit = job.energy_unit();
    let s = surface(&columns, &axes(&scalars, wanted)?, sample.thermal.value.kt(job.resolved.units))?;
    Ok((summary(stage, &scalars, &s, unit, None), s.estimates("free_energy", &names, unit)))
}

/// The surface of frames with weights, or a smooth one.
///
/// # Errors
/// What the data do not allow.
pub(super) fn weighted(
    job: &Job<'_>,
    stage: &Stage,
    wanted: &Wanted,
    from: &Weighted<'_>,
    scalars: &[&Scalar],
    to: &mut StageSummary,
) -> Answer<Vec<Estimate>> {
    let axes = axes(scalars, wanted)?;
    let weights = from.weights(&from.all())?;
    let g = scalars.iter().map(|s| from.g_of(s, &weights)).try_fold(1.0, |most: f64, g| g.map(|g| most.max(g)))?;
    to.checks.extend(from.enough(stage, &weights, g)?);
    let grid = Grid { from, scalars, axes: &axes, weights: &weights, g };
    let mut found = grid.histogram()?;
    let mut how = from.what();
    if let Some(smooth) = &wanted.smooth {
        let smoothed = grid.smooth(smooth.value, wanted.bootstraps.as_ref().map_or(0, |n| n.value as usize), job.seed, &found)?;
        let (check, words) = blur(stage, &found, &smoothed, from.kt);
        to.checks.push(check);
        how = [how, Some(words)].into_iter().flatten().reduce(|a, b| format!("{a}; {b}"));
        let doubts = found.warnings.iter().filter(|w| w.kind != WarningKind::Outside).cloned();
        found.warnings = smoothed.surface.warnings.iter().cloned().chain(doubts).collect();
        (found.free_energy, found.stderr, found.lowest) = (smoothed.surface.free_energy, smoothed.surface.stderr, smoothed.surface.lowest);
        // a kernel or a spline has a value everywhere, but says nothing where nothing was
        for b in (0..found.count.len()).filter(|b| found.count[*b] == 0) {
            (found.free_energy[b], found.stderr[b]) = (f64::NAN, f64::NAN);
        }
    }
    let unit = job.energy_unit();
    to.surfaces.push(summary(stage, scalars, &found, unit, how));
    let names: Vec<&str> = wanted.of.iter().map(|c| c.value.name()).collect();
    let mut all = found.estimates("free_energy", &names, unit);
    all[found.lowest].warnings.extend(found.warnings);
    Ok(all)
}

/// A grid over columns of weighted frames.
struct Grid<'a> {
    from: &'a Weighted<'a>,
    scalars: &'a [&'a Scalar],
    axes: &'a [Axis],
    weights: &'a [f64],
    /// Statistical inefficiency of the columns.
    g: f64,
}

/// A smooth surface, and how its errors came about.
struct Smoothed {
    surface: SmoothSurface,
    how: Smooth,
}

impl Grid<'_> {
    fn columns(&self) -> Vec<&[f64]> {
        self.scalars.iter().map(|s| s.kept.as_slice()).collect()
    }

    fn bins(&self) -> usize {
        self.axes.iter().map(|a| a.bins).product()
    }

    /// Bin of a frame.
    fn bin(&self, n: usize) -> Option<usize> {
        self.axes.iter().zip(self.scalars).try_fold(0, |at, (a, s)| a.bin(s.kept[n]).map(|i| at * a.bins + i))
    }

    /// Weight in each bin, or of squares.
    fn sums(&self, weights: &[f64], of: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.bins()];
        for (n, w) in weights.iter().enumerate() {
            if let Some(b) = self.bin(n) {
                sums[b] += of(*w);
            }
        }
        sums
    }

    /// F_b = -kT ln(p_b / p_min) with the larger of two errors: theory with correlated frames, and the spread of the copies, which
    /// goes through the logarithm by the delta method, as a bin that one copy alone has entered has no jackknife of its own.
    fn histogram(&self) -> Answer<Surface> {
        let (from, kt) = (self.from, self.from.kt);
        let series: Vec<Series<'_>> = self.scalars.iter().map(|s| s.series(from.copies)).collect();
        let mut s = match &from.source {
            // replicas are the copies: their spread is the error already
            Source::Equal => return Ok(surface(&series, self.axes, kt)?),
            Source::Ladder(_) => from.with_fit(&from.all(), |fit, state| {
                let mut s = fit.surface(state, &self.columns(), self.axes, kt)?;
                self.correlated(&Moments::of_ladder(self.shape(), &fit.influences()), &mut s);
                Ok(s)
            })?,
            Source::Bias(_) => {
                let log: Vec<f64> = self.weights.iter().map(|w| log(*w)).collect();
                let mut s = weighted_surface(&series, Series { values: &log, ..series[0] }, self.axes, kt)?;
                // what a walker does in time is in g
                s.warnings.retain(|w| !matches!(w.kind, WarningKind::FewReplicas | WarningKind::TooShort));
                self.independent(&mut s);
                self.correlated(&Moments::of_weights(self.shape(), self.weights), &mut s);
                s
            }
        };
        s.warnings.extend(from.few_copies());
        let low = s.lowest;
        let Some(left_out) = from.left_out(|w| Ok(self.sums(w, |w| w))) else { return Ok(s) };
        let relative = |p: &[f64], b: usize| p[b] / s.population[b];
        for b in (0..s.count.len()).filter(|b| s.population[*b] > 0.0) {
            let spread = delete_one_error(left_out.iter().map(|p| relative(p, b) - relative(p, low)));
            let of_population = s.population[b] * delete_one_error(left_out.iter().map(|p| relative(p, b)));
            s.stderr[b] = if b == low { 0.0 } else { larger(s.stderr[b], kt * spread) };
            s.population_stderr[b] = larger(s.population_stderr[b], of_population);
        }
        Ok(s)
    }

    fn shape(&self) -> Shape {
        let from = self.from;
        Shape { copies: from.copies, replicas: from.trajectories / from.copies.max(1), draws: from.draws }
    }

    /// Errors of self-normalised weights of independent frames:
    /// var(ln p_b/p_min) = sum_b w^2 / p_b^2 + sum_min w^2 / p_min^2,   var(p_b) = sum w^2 (1_b - p_b)^2.
    fn independent(&self, s: &mut Surface) {
        let (kt, low) = (self.from.kt, s.lowest);
        let squares = self.sums(self.weights, |w| w * w);
        let total: f64 = self.weights.iter().map(|w| w * w).sum();
        let part = |b: usize| squares[b] / (s.population[b] * s.population[b]);
        for b in (0..s.count.len()).filter(|b| s.population[*b] > 0.0) {
            let p = s.population[b];
            s.stderr[b] = if b == low { 0.0 } else { kt * (part(b) + part(low)).sqrt() };
            s.population_stderr[b] = (squares[b] * (1.0 - 2.0 * p) + p * p * total).sqrt();
        }
    }

    /// Errors of independent frames become those of correlated ones, each bin by its own correlation in time: the largest of the error
    /// of independent frames, that of the moments' influences, and that of independent visits, which speaks where visits are few.
    fn correlated(&self, moments: &Moments<'_>, s: &mut Surface) {
        let (kt, low, bins) = (self.from.kt, s.lowest, s.count.len());
        let bin: Vec<Option<usize>> = (0..self.weights.len()).map(|n| self.bin(n)).collect();
        let mut frames = vec![Vec::new(); bins];
        for (n, (b, w)) in bin.iter().zip(self.weights).enumerate() {
            b.iter().for_each(|b| frames[*b].push((n, *w)));
        }
        let influence = |frames: &[(usize, f64)]| moments.influence(&moments.column(frames));
        let all: Vec<(usize, f64)> = self.weights.iter().copied().enumerate().collect();
        let (whole, lowest) = (influence(&all), influence(&frames[low]));
        let visits = visits(self.shape(), self.weights, &bin, bins);
        let rare = |b: usize| (1.0 - s.population[b]) / s.population[b] * visits[b].sqrt();
        let of_bin = |b: usize| {
            let psi = influence(&frames[b]);
            let against = |other: &[f64]| self.shape().error(&psi.iter().zip(other).map(|(a, b)| a - b).collect::<Vec<_>>());
            // where the moments do not speak the slowest column does
            let known = |independent: f64, of: f64, few: f64| {
                if of.is_nan() { larger(independent * self.g.sqrt(), few) } else { larger(independent, larger(of, few)) }
            };
            let few = (rare(b) * rare(b) + rare(low) * rare(low)).sqrt();
            let stderr = if b == low { s.stderr[b] } else { kt * known(s.stderr[b] / kt, against(&lowest), few) };
            let p = s.population[b];
            (b, stderr, p * known(s.population_stderr[b] / p, against(&whole), rare(b)))
        };
        let visited: Vec<usize> = (0..bins).filter(|b| s.population[*b] > 0.0).collect();
        let found: Vec<(usize, f64, f64)> = visited.into_par_iter().map(of_bin).collect();
        for (b, stderr, population_stderr) in found {
            (s.stderr[b], s.population_stderr[b]) = (stderr, population_stderr);
        }
    }

    /// A smooth surface with the larger of two errors: resampled frames, and the spread of the copies.
    fn smooth(&self, how: Smooth, bootstraps: usize, seed: u64, rough: &Surface) -> Answer<Smoothed> {
        let (from, columns, d) = (self.from, self.columns(), self.axes.len());
        let smoothing = match how {
            Smooth::Kde => Smoothing::Kernel(vec![0.0; d]),
            Smooth::Spline => Smoothing::Spline(self.axes.iter().map(|a| FUNCTIONS[d - 1].min(a.bins.max(4))).collect()),
        };
        let block = self.g.ceil() as usize;
        let mut surface = match &from.source {
            Source::Ladder(_) => from.with_fit(&from.all(), |fit, state| {
                let resamples = Bootstrap { replicates: bootstraps, block, seed };
                let f = fit.bootstrap(&resamples)?;
                let resampled = |r| fit.resampled_log_weights(&resamples, &f, r, state);
                Ok(smooth_surface(&columns, &fit.log_weights(state), self.axes, &smoothing, bootstraps, resampled, from.kt)?)
            })?,
            Source::Equal | Source::Bias(_) => {
                let log: Vec<f64> = self.weights.iter().map(|w| log(*w)).collect();
                let strata = vec![from.draws; from.trajectories];
                resample_weights(&log, &strata, block, seed, 0)?;
                let resampled = |r| resample_weights(&log, &strata, block, seed, r).unwrap_or_default();
                smooth_surface(&columns, &log, self.axes, &smoothing, bootstraps, resampled, from.kt)?
            }
        };
        // the copies in turn, smoothed as all of them are
        let smoothing = match smoothing {
            Smoothing::Kernel(_) => Smoothing::Kernel(surface.bandwidth.clone()),
            spline => spline,
        };
        let one = |w: &[f64]| {
            let log: Vec<f64> = w.iter().map(|w| log(*w)).collect();
            Ok(smooth_surface(&columns, &log, self.axes, &smoothing, 0, |_| Vec::new(), from.kt)?.free_energy)
        };
        if let Some(left_out) = from.left_out(one) {
            for b in (0..rough.count.len()).filter(|b| rough.count[*b] > 0 && *b != surface.lowest) {
                let spread = delete_one_error(left_out.iter().map(|f| f[b] - f[surface.lowest]));
                surface.stderr[b] = larger(surface.stderr[b], spread);
            }
        }
        surface.stderr[surface.lowest] = 0.0;
        surface.warnings.extend(from.few_copies());
        Ok(Smoothed { surface, how })
    }
}

/// -inf for no weight.
fn log(w: f64) -> f64 {
    if w > 0.0 { Real::ln(w) } else { f64::NEG_INFINITY }
}

/// What a histogram would say of a bin whose middle has this free energy: of a straight slope F' over a width h,
/// -kT ln(sinh(a) / a) more along each axis, a = F' h / 2 kT.
fn over_bin(s: &SmoothSurface, b: usize, kt: f64) -> f64 {
    let inner = s.axes.get(1).map_or(1, |a| a.bins);
    let mut over = s.free_energy[b];
    for (k, axis) in s.axes.iter().enumerate() {
        let (stride, at) = if k == 0 { (inner, b / inner) } else { (1, b % inner) };
        let (below, above) = (at.saturating_sub(1), (at + 1).min(axis.bins - 1));
        let to = |i: usize| s.free_energy[b + stride * i - stride * at];
        let a = (to(above) - to(below)) / (above - below).max(1) as f64 / (2.0 * kt);
        if a.abs() > 1e-3 {
            over -= kt * Real::ln((Real::exp(a) - Real::exp(-a)) / (2.0 * a));
        }
    }
    over
}

/// How a surface was smoothed, and whether that took it away from the histogram of the same frames: no error bar knows of it.
fn blur(stage: &Stage, rough: &Surface, smooth: &Smoothed, kt: f64) -> (Check, String) {
    let s = &smooth.surface;
    let over: Vec<f64> = (0..rough.count.len()).map(|b| over_bin(s, b, kt)).collect();
    let bins: Vec<usize> = (0..rough.count.len()).filter(|b| rough.stderr[*b] > 0.0 && over[*b].is_finite()).collect();
    // both are up to a constant
    let (mut sum, mut total) = (0.0, 0.0);
    for &b in &bins {
        let weight = 1.0 / (rough.stderr[b] * rough.stderr[b]);
        (sum, total) = (sum + weight * (over[b] - rough.free_energy[b]), total + weight);
    }
    let away = bins.iter().map(|&b| ((over[b] - rough.free_energy[b] - sum / total) / rough.stderr[b]).abs());
    let most = away.fold(0.0, f64::max);
    let (what, remedy) = match smooth.how {
        Smooth::Kde => {
            let widths: Vec<String> = s.bandwidth.iter().map(|w| format!("{w:.3}")).collect();
            (format!("kernels of width {}", widths.join(" and ")), "kernels blur narrow wells: use \"spline\", or no `smooth`")
        }
        Smooth::Spline => {
            let d = s.axes.len();
            let functions: Vec<String> = s.axes.iter().map(|a| FUNCTIONS[d - 1].min(a.bins.max(4)).to_string()).collect();
            (format!("a cubic spline of {} functions", functions.join(" x ")), "the spline is too stiff here: leave `smooth` out")
        }
    };
    let good = most <= AWAY;
    let advice = if good { String::new() } else { format!(": {remedy}") };
    let check = Check {
        check: "smoothing".to_owned(),
        of: stage.name.value.clone(),
        value: Some(most),
        bound: Some(AWAY),
        outcome: if good { Outcome::Pass } else { Outcome::Warn },
        message: format!(
            "{what} lie{} up to {most:.1} standard errors away from the histogram, should be at most {AWAY}{advice}",
            if smooth.how == Smooth::Kde { "" } else { "s" }
        ),
    };
    (check, what)
}
