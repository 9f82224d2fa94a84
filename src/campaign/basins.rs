//! The declared basins of a campaign, counted on the stored columns of a stage.

use super::analyse::{Scalar, finite};
use super::job::Job;
use crate::estimate::summary::{BasinSummary, BasinsSummary};
use crate::estimate::{self, Basin, Estimate, Interval, Series, Unusable, WarningKind};
use crate::{Error, Result};
use std::f64::consts::{PI, TAU};

/// Declared basins (all, or the named ones) counted on the stored columns; `None` when none is declared or a side is not stored.
///
/// # Errors
/// `Error::Input` for a named basin in a column that is not stored, and for basins that cannot be.
pub(super) fn counted(
    job: &Job<'_>,
    scalars: &[Scalar],
    replicas: usize,
    names: Option<&[String]>,
) -> Result<Option<(Declared, estimate::Basins)>> {
    let chosen: Vec<_> = job.resolved.basins.iter().filter(|b| names.is_none_or(|n| n.contains(&b.name.value))).collect();
    let mut of: Vec<String> = Vec::new();
    for side in chosen.iter().flat_map(|b| &b.sides) {
        let stored_name = scalars
            .iter()
            .map(|s| &s.name)
            .find(|n| super::config::Column::parse(n).is_ok_and(|c| c.text == side.of.value.text || c.answers_to(&side.of.value.text)));
        match stored_name {
            Some(name) if !of.contains(name) => of.push(name.clone()),
            Some(_) => {}
            None if names.is_none() => return Ok(None),
            None => {
                return Err(job.at(
                    Error::input(format!("column \"{}\" of a basin is not stored", side.of.value.text), "observe it in the sample stage"),
                    side.of.span.clone(),
                ));
            }
        }
    }
    if chosen.is_empty() {
        return Ok(None);
    }
    let mut declared = Vec::new();
    for basin in &chosen {
        let mut intervals = Vec::new();
        for name in &of {
            let Some(scalar) = scalars.iter().find(|s| s.name == *name) else { continue };
            let column = super::config::Column::parse(name).ok();
            let side =
                basin.sides.iter().find(|s| column.as_ref().is_some_and(|c| c.text == s.of.value.text || c.answers_to(&s.of.value.text)));
            let period = scalar.periodic.then_some(TAU);
            intervals.push(match side {
                Some(s) => Interval { low: s.lower.value, high: s.upper.value, period },
                None if scalar.periodic => Interval { low: -PI, high: PI, period },
                None => Interval { low: f64::MIN, high: f64::MAX, period },
            });
        }
        declared.push(Basin { name: basin.name.value.clone(), intervals });
    }
    let stored = |n: &String| scalars.iter().find(|s| s.name == *n).map(|s| s.series(replicas));
    let columns: Vec<Series<'_>> = of.iter().filter_map(stored).collect();
    match estimate::basins(&columns, &declared) {
        Ok(counted) => Ok(Some((Declared { of, basins: declared }, counted))),
        Err(Unusable::Argument(what)) => Err(Error::input(what, "mend [basins] in the campaign")),
        Err(_) => Ok(None),
    }
}

/// Basins as boxes in stored columns.
pub(super) struct Declared {
    /// The columns.
    pub(super) of: Vec<String>,
    /// The boxes.
    pub(super) basins: Vec<Basin>,
}

/// For the report.
pub(super) fn summary(declared: &Declared, counted: &estimate::Basins) -> BasinsSummary {
    let basins = declared.basins.iter().zip(&counted.basins).map(|(d, c)| BasinSummary {
        name: c.name.clone(),
        sides: d.intervals.iter().map(|i| (i.low, i.high)).collect(),
        population: c.population.as_ref().and_then(|p| finite(p.value)),
        stderr: c.population.as_ref().and_then(|p| finite(p.stderr)),
        visits: c.visits,
        replicas: c.replicas,
        entered: c.entered,
        left: c.left,
    });
    BasinsSummary { of: declared.of.clone(), basins: basins.collect(), crossings: counted.crossings.clone(), between: counted.between }
}

/// Populations, and crossings between each two.
pub(super) fn estimates(counted: &estimate::Basins) -> Vec<Estimate> {
    let mut all = Vec::new();
    for b in &counted.basins {
        let quantity = format!("population:{}", b.name);
        all.push(match &b.population {
            Some(p) => p.estimate(quantity),
            None => Estimate::missing(quantity, WarningKind::NotVisited, format!("{} was not visited", b.name)),
        });
    }
    for (i, from) in counted.basins.iter().enumerate() {
        for (j, to) in counted.basins.iter().enumerate().filter(|(j, _)| *j != i) {
            // A count of independent events: its standard error is that of a Poisson number.
            let n = counted.crossings(i, j) as f64;
            all.push(Estimate::new(format!("crossings:{}->{}", from.name, to.name), n, if n > 0.0 { n.sqrt() } else { f64::NAN }, n));
        }
    }
    all
}
