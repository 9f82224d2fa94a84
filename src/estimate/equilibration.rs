//! Where a series starts to be stationary.

use super::inefficiency::{LagWindow, Lags, first_crossing};
use super::series::{Series, Unusable, squares_and_sum, sum_of};
use crate::real::Real;
use serde::Serialize;

/// Most points a replica is averaged down to before many starting points are tried.
const POINTS: usize = 4096;

/// The start that keeps the most independent draws.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Equilibration {
    /// First draw to keep.
    pub start: usize,
    /// Statistical inefficiency of what is kept.
    pub g: f64,
    /// Effective number of draws kept, all replicas together: `R (n - start) / g`.
    pub n_eff: f64,
    /// Every start tried, with its effective number.
    pub tried: Vec<(usize, f64)>,
}

/// Equilibration of one chain or many replicas together, start chosen from a geometric grid.
///
///   t0 = argmax R (n - t0) / g(t0)
///
/// g is [`super::statistical_inefficiency`] of draws t0.. around the mean of all replicas. A replica longer than 4096 draws is first
/// averaged in blocks of b draws, which keeps the long-run variance g sigma^2 but for terms of order (b / tau)^2; sigma^2 is that of
/// the single draws. The start is then a multiple of b. Steps of the grid are 1, later 15 %.
///
/// Errors: fewer than 16 draws, a constant series, values that are not finite.
/// Source: Chodera, JCTC 12, 1799 (2016).
pub fn detect_equilibration(series: Series<'_>) -> Result<Equilibration, Unusable> {
    series.check_varying("equilibration detection (draws)", 16)?;
    let block = series.draws.div_ceil(POINTS);
    let points = series.draws / block;
    let mut starts = vec![0];
    let mut start = 1;
    while start + 8 <= points {
        starts.push(start);
        start = (start + 1).max((start as f64 * 1.15) as usize);
    }
    if block == 1 {
        return search(series, &starts, Lags::Every);
    }
    let coarse = Coarse::new(series, block);
    let tried: Vec<Start> = starts.iter().map(|&s| coarse.start(series.replicas, s)).collect();
    Ok(best(&tried))
}

/// Equilibration over the given starts, at full resolution.
///
/// Errors: as [`detect_equilibration`]; `TooShort` if no start leaves 4 draws.
pub fn detect_equilibration_at(series: Series<'_>, starts: &[usize]) -> Result<Equilibration, Unusable> {
    detect_equilibration_with(series, starts, Lags::Every)
}

/// The same with another choice of lags; starts 0, s, 2 s ... and [`Lags::Growing`] are pymbar's `nskip=s, fast=True`.
///
/// pymbar counts `n - t0 + 1` draws after the start, this counts `n - t0`.
/// Errors: as [`detect_equilibration_at`].
pub fn detect_equilibration_with(series: Series<'_>, starts: &[usize], lags: Lags) -> Result<Equilibration, Unusable> {
    series.check_varying("equilibration detection (draws)", 4)?;
    search(series, starts, lags)
}

/// Equilibration by repeated refinement: `nodes` starts evenly spaced in their logarithm between 1 and the end, then between the
/// neighbours of the best, until these are less than 4 draws apart.
///
/// Far fewer starts than a grid; it may settle on a local maximum of the effective number.
/// Errors: as [`detect_equilibration`]; `Argument` for fewer than 5 nodes.
/// Source: pymbar 4 `detect_equilibration_binary_search`.
pub fn detect_equilibration_search(series: Series<'_>, nodes: usize) -> Result<Equilibration, Unusable> {
    series.check_varying("equilibration detection (draws)", 16)?;
    if nodes < 5 {
        return Err(Unusable::Argument(format!("a search for the equilibration needs at least 5 nodes, not {nodes}")));
    }
    let (mut first, mut last) = (1, series.draws - 1);
    let mut tried: Vec<(usize, f64)> = Vec::new();
    loop {
        let ratio = Real::ln(last as f64 / first as f64) / (nodes - 1) as f64;
        let mut starts: Vec<usize> = (0..nodes).map(|i| (first as f64 * Real::exp(i as f64 * ratio)).round_ties_even() as usize).collect();
        starts[nodes - 1] = last;
        starts.dedup();
        let found = search(series, &starts, Lags::Every)?;
        tried.extend(&found.tried);
        if last - first < 4 {
            tried.sort_by_key(|t| t.0);
            tried.dedup_by_key(|t| t.0);
            return Ok(Equilibration { tried, ..found });
        }
        let k = starts.iter().position(|&s| s == found.start).unwrap_or(0);
        (first, last) = (starts[k.saturating_sub(1)], starts[(k + 1).min(starts.len() - 1)]);
    }
}

struct Start {
    at: usize,
    g: f64,
    n_eff: f64,
}

fn search(series: Series<'_>, starts: &[usize], lags: Lags) -> Result<Equilibration, Unusable> {
    let window = LagWindow::of(series.replicas).with(lags);
    let tried: Vec<Start> = starts
        .iter()
        .filter(|&&at| at + 4 <= series.draws)
        .map(|&at| {
            let kept = series.from_draw(at);
            let rest = Series { values: &kept, replicas: series.replicas, draws: series.draws - at };
            let total = kept.len() as f64;
            // what is left is constant: one independent draw, as pymbar has it
            let g = if rest.check_varying("", 4).is_ok() { first_crossing(rest, window).g } else { total };
            Start { at, g, n_eff: total / g }
        })
        .collect();
    if tried.is_empty() {
        return Err(Unusable::TooShort { what: "equilibration detection (draws after the first start)", needed: 4, found: series.draws });
    }
    Ok(best(&tried))
}

/// The first of the largest.
fn best(tried: &[Start]) -> Equilibration {
    let mut top = &tried[0];
    for candidate in tried {
        if candidate.n_eff > top.n_eff {
            top = candidate;
        }
    }
    Equilibration { start: top.at, g: top.g, n_eff: top.n_eff, tried: tried.iter().map(|s| (s.at, s.n_eff)).collect() }
}

/// Block averages, and sums of the single draws from each block on, all replicas together.
struct Coarse {
    block: usize,
    points: usize,
    means: Vec<f64>,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

impl Coarse {
    fn new(series: Series<'_>, block: usize) -> Self {
        let points = series.draws / block;
        let (_, centre) = series.means();
        let mut means = Vec::with_capacity(series.replicas * points);
        let (mut sum, mut squares) = (vec![0.0; points + 1], vec![0.0; points + 1]);
        for r in 0..series.replicas {
            for (i, draws) in series.replica(r).chunks_exact(block).enumerate() {
                let (two, one) = squares_and_sum(draws, centre);
                sum[i] += one;
                squares[i] += two;
                means.push(one / block as f64);
            }
        }
        for i in (0..points).rev() {
            sum[i] += sum[i + 1];
            squares[i] += squares[i + 1];
        }
        Coarse { block, points, means, sum, squares }
    }

    fn start(&self, replicas: usize, at: usize) -> Start {
        let points = self.points - at;
        let total = (replicas * points * self.block) as f64;
        let mean = self.sum[at] / total;
        let variance = self.squares[at] / total - mean * mean;
        let blocks = Series { values: &self.means, replicas, draws: self.points }.from_draw(at);
        let rest = Series { values: &blocks, replicas, draws: points };
        let g = if rest.check_varying("", 4).is_ok() && variance > 0.0 {
            let centre = sum_of(&blocks) / blocks.len() as f64;
            let coarse_variance = squares_and_sum(&blocks, centre).0 / blocks.len() as f64;
            (first_crossing(rest, LagWindow::of(replicas)).g * self.block as f64 * coarse_variance / variance).max(1.0)
        } else {
            total
        };
        Start { at: at * self.block, g, n_eff: total / g }
    }
}
