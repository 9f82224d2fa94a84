//! Declared basins: populations, visits, and crossings counted without recrossings.

use super::mean::{Mean, mean};
use super::series::{Series, Unusable};
use super::surface::checked;
use super::value::{Estimate, WarningKind};
use serde::Serialize;

/// A half-open interval [low, high) of one coordinate.
///
/// With a period the interval may run across the cut: low = 120, high = -120, period = 360 is the third of the circle around 180.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end, included.
    pub low: f64,
    /// Upper end, excluded.
    pub high: f64,
    /// Period of the coordinate, if it has one.
    pub period: Option<f64>,
}

impl Interval {
    /// Whether x lies inside.
    pub fn contains(&self, x: f64) -> bool {
        match self.period {
            None => self.low <= x && x < self.high,
            Some(period) => {
                let fold = |d: f64| d - period * (d / period).floor();
                let width = self.high - self.low;
                let width = if width > 0.0 { width.min(period) } else { fold(width) };
                fold(x - self.low) < width
            }
        }
    }

    fn check(&self, name: &str) -> Result<(), Unusable> {
        let finite = self.low.is_finite() && self.high.is_finite();
        let good = match self.period {
            None => finite && self.low < self.high,
            Some(p) => finite && p > 0.0 && p.is_finite() && self.low != self.high && (self.high - self.low).abs() <= p,
        };
        if good {
            Ok(())
        } else {
            Err(Unusable::Argument(format!("basin {name}: [{}, {}) is empty or longer than the period", self.low, self.high)))
        }
    }
}

/// A box in one or two coordinates. Basins should be cores with room between them, so that a crossing is a real one.
#[derive(Clone, Debug, PartialEq)]
pub struct Basin {
    /// Its name.
    pub name: String,
    /// One interval for each coordinate.
    pub intervals: Vec<Interval>,
}

/// What happened in one basin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BasinCount {
    /// Its name.
    pub name: String,
    /// Draws inside, all replicas.
    pub draws: u64,
    /// Fraction of draws inside, with error; `None`: not visited, which is not a population of 0.
    pub population: Option<Mean>,
    /// Stays: a stay ends when another basin is entered. Replicas that start inside count.
    pub visits: u64,
    /// Replicas that have been inside.
    pub replicas: usize,
    /// Crossings into it from other basins.
    pub entered: u64,
    /// Crossings out of it into other basins.
    pub left: u64,
}

/// Populations and crossings of a set of basins.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Basins {
    /// In the order declared.
    pub basins: Vec<BasinCount>,
    /// Crossings `[from][to]`: a replica that last visited `from` has entered `to`.
    pub crossings: Vec<u64>,
    /// Pairs crossed in one direction with no way back through any basins.
    pub one_way: Vec<(usize, usize)>,
    /// Draws in no basin.
    pub between: u64,
}

impl Basins {
    /// Crossings from basin `from` to basin `to`.
    pub fn crossings(&self, from: usize, to: usize) -> u64 {
        self.crossings[from * self.basins.len() + to]
    }

    /// One estimate for each basin, `quantity[name]`; null with a warning where it was not visited.
    pub fn estimates(&self, quantity: &str) -> Vec<Estimate> {
        let name = |b: &BasinCount| format!("{quantity}[{}]", b.name);
        let missing = |b: &BasinCount| Estimate::missing(name(b), WarningKind::NotVisited, "not visited");
        self.basins.iter().map(|b| b.population.as_ref().map_or_else(|| missing(b), |p| p.estimate(name(b)))).collect()
    }
}

/// Populations, visits and crossings of declared basins.
///
/// A crossing counts when a basin is entered other than the one last visited (core sets): leaving a basin into the space between and
/// coming back is none. Population errors are those of [`mean`] over the indicator.
/// Errors: no basins, basins of other dimension than the columns, empty or overlapping ones (found on the draws), shapes that
/// differ, values that are not finite.
/// Source: core-set milestoning, Schuette et al., J. Chem. Phys. 134, 204105 (2011).
pub fn basins(columns: &[Series<'_>], declared: &[Basin]) -> Result<Basins, Unusable> {
    let first = checked(columns, columns.len())?;
    if declared.is_empty() {
        return Err(Unusable::Argument("no basins are declared".into()));
    }
    for basin in declared {
        if basin.intervals.len() != columns.len() {
            return Err(Unusable::Shape { what: "intervals of a basin", expected: columns.len(), found: basin.intervals.len() });
        }
        basin.intervals.iter().try_for_each(|i| i.check(&basin.name))?;
    }
    let inside = assign(columns, declared)?;
    let k = declared.len();
    let mut crossings = vec![0u64; k * k];
    let mut visits = vec![0u64; k];
    let mut replicas = vec![0usize; k];
    for replica in inside.chunks_exact(first.draws) {
        let mut last = None;
        let mut been = vec![false; k];
        for &here in replica.iter().flatten() {
            if last != Some(here) {
                visits[here] += 1;
                if let Some(from) = last {
                    crossings[from * k + here] += 1;
                }
                last = Some(here);
                been[here] = true;
            }
        }
        replicas.iter_mut().zip(been).for_each(|(n, b)| *n += usize::from(b));
    }
    let count = |i: usize| inside.iter().filter(|b| **b == Some(i)).count() as u64;
    let mut counted = Vec::with_capacity(k);
    for (i, basin) in declared.iter().enumerate() {
        let draws = count(i);
        let indicator: Vec<f64> = inside.iter().map(|b| if *b == Some(i) { 1.0 } else { 0.0 }).collect();
        let population = if draws > 0 { Some(mean(Series { values: &indicator, ..first })?) } else { None };
        let entered = (0..k).map(|from| crossings[from * k + i]).sum();
        let left = crossings[i * k..(i + 1) * k].iter().sum();
        counted.push(BasinCount { name: basin.name.clone(), draws, population, visits: visits[i], replicas: replicas[i], entered, left });
    }
    let between = inside.iter().filter(|b| b.is_none()).count() as u64;
    Ok(Basins { basins: counted, one_way: one_way(&crossings, k), crossings, between })
}

/// Basin of each draw.
fn assign(columns: &[Series<'_>], declared: &[Basin]) -> Result<Vec<Option<usize>>, Unusable> {
    (0..columns[0].values.len())
        .map(|at| {
            let mut home: Option<usize> = None;
            for (i, basin) in declared.iter().enumerate() {
                if basin.intervals.iter().zip(columns).all(|(interval, c)| interval.contains(c.values[at])) {
                    if let Some(other) = home {
                        let names: (&str, &str) = (&declared[other].name, &basin.name);
                        return Err(Unusable::Argument(format!("basins {} and {} overlap", names.0, names.1)));
                    }
                    home = Some(i);
                }
            }
            Ok(home)
        })
        .collect()
}

/// Crossings i -> j after which i is never reached again: edges between strongly connected parts of the graph of crossings.
fn one_way(crossings: &[u64], k: usize) -> Vec<(usize, usize)> {
    let mut reach: Vec<bool> = crossings.iter().map(|&c| c > 0).collect();
    for via in 0..k {
        for from in 0..k {
            for to in 0..k {
                reach[from * k + to] |= reach[from * k + via] && reach[via * k + to];
            }
        }
    }
    (0..k * k).map(|e| (e / k, e % k)).filter(|&(i, j)| crossings[i * k + j] > 0 && !reach[j * k + i]).collect()
}
