//! What estimate stages make of weighted frames: averages, surfaces, populations.

use super::averages::Errors;
use super::{Answer, Weighted};
use crate::campaign::analyse::{self, Scalar, estimate_frame};
use crate::campaign::config::{Estimate as Wanted, Method, Stage};
use crate::campaign::job::Job;
use crate::campaign::{basins, surfaces};
use crate::estimate::summary::StageSummary;
use crate::estimate::{Basin, Check, Estimate, FreeEnergyError, Outcome, WarningKind};
use crate::{Error, Result};

/// The estimates of a stage that reads frames with weights.
///
/// # Errors
/// A column that is not stored, basins that cannot be; what the data do not allow becomes a check that fails.
pub(in crate::campaign) fn wanted(
    job: &Job<'_>,
    stage: &Stage,
    wanted: &Wanted,
    from: &Weighted<'_>,
) -> Result<(StageSummary, Vec<Estimate>)> {
    let mut summary = estimate_frame(job, stage, wanted);
    let scalars: Vec<&Scalar> = wanted.of.iter().map(|c| from.find(&c.value.text)).collect::<Result<_>>()?;
    let (made, names): (Answer<Vec<Estimate>>, Vec<String>) = match wanted.method.value {
        Method::Mean | Method::Reweight => (means(stage, from, &scalars, &mut summary), scalars.iter().map(|s| s.name.clone()).collect()),
        Method::Fes => (surfaces::weighted(job, stage, wanted, from, &scalars, &mut summary), vec!["free_energy".to_owned()]),
        Method::Basins => {
            let names = wanted.basins.iter().map(|b| format!("population:{}", b.value)).collect();
            (populations(job, stage, wanted, from, &mut summary)?, names)
        }
        other => return Err(Error::run(format!("{} does not read frames with weights", other.name()), "report this as a bug")),
    };
    let mut estimates = made.unwrap_or_else(|why| {
        summary.checks.push(Check {
            check: "n_eff".to_owned(),
            of: stage.name.value.clone(),
            value: None,
            bound: None,
            outcome: Outcome::Fail,
            message: format!("{}: no number: {why}; {}", stage.name.value, remedy(&why)),
        });
        names.iter().map(|name| Estimate::missing(name, WarningKind::NotFinite, format!("{why}; {}", remedy(&why)))).collect()
    });
    for e in &mut estimates {
        job.complete_at(e, &stage.name.value, Some(from.target.temperature));
        if let Some(lambda) = from.target.lambda {
            // what is known of the system is not known of other points of its path
            e.reference = None;
            e.conditions.insert("lambda".to_owned(), serde_json::Value::from(lambda));
        }
    }
    Ok((summary, estimates))
}

fn remedy(why: &FreeEnergyError) -> &'static str {
    match why {
        FreeEnergyError::Argument { .. } => "sample longer, discard less, or look at the range",
        other => other.remedy(),
    }
}

fn means(stage: &Stage, from: &Weighted<'_>, scalars: &[&Scalar], summary: &mut StageSummary) -> Answer<Vec<Estimate>> {
    let weights = from.weights(&from.all())?;
    let rows: Vec<Vec<f64>> = scalars.iter().map(|s| s.kept.clone()).collect();
    let g = scalars.iter().map(|s| from.g_of(s, &weights)).try_fold(1.0, |most: f64, g| g.map(|g| most.max(g)))?;
    summary.checks.extend(from.enough(stage, &weights, g)?);
    let found = from.averages(&rows, &weights)?;
    let named = |(errors, scalar): (&Errors, &&Scalar)| {
        let mut e = errors.estimate(&scalar.name, from);
        e.unit = scalar.unit.clone();
        e
    };
    Ok(found.iter().zip(scalars).map(named).collect())
}

/// Populations by weight. Visits and crossings are those of the replicas as they moved, at whatever state and under whatever bias.
fn populations(
    job: &Job<'_>,
    stage: &Stage,
    wanted: &Wanted,
    from: &Weighted<'_>,
    summary: &mut StageSummary,
) -> Result<Answer<Vec<Estimate>>> {
    let names: Vec<String> = wanted.basins.iter().map(|b| b.value.clone()).collect();
    let Some((declared, counted)) = basins::counted(job, &from.scalars, from.trajectories, Some(&names))? else {
        return Ok(Err(FreeEnergyError::Argument { what: "there are no frames to count basins on".to_owned() }));
    };
    let mut of = Vec::new();
    for name in &declared.of {
        of.push(from.find(name)?);
    }
    let inside = |b: &Basin| -> Vec<f64> {
        let at = |n: usize| b.intervals.iter().zip(&of).all(|(i, s)| i.contains(s.kept[n]));
        (0..from.trajectories * from.draws).map(|n| f64::from(u8::from(at(n)))).collect()
    };
    let rows: Vec<Vec<f64>> = declared.basins.iter().map(inside).collect();
    let made = || -> Answer<(Vec<Errors>, Vec<Check>)> {
        let weights = from.weights(&from.all())?;
        let g = rows.iter().map(|row| from.g(row, &weights)).try_fold(1.0, |most: f64, g| g.map(|g| most.max(g)))?;
        Ok((from.averages(&rows, &weights)?, from.enough(stage, &weights, g)?))
    };
    let (found, checks) = match made() {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    summary.checks.extend(checks);
    let mut table = basins::summary(&declared, &counted);
    let mut all = Vec::new();
    for ((row, errors), basin) in table.basins.iter_mut().zip(&found).zip(&counted.basins) {
        let quantity = format!("population:{}", basin.name);
        if basin.population.is_none() {
            all.push(Estimate::missing(quantity, WarningKind::NotVisited, format!("{} was not visited", basin.name)));
            continue;
        }
        let e = errors.estimate(&quantity, from);
        (row.population, row.stderr) = (analyse::finite(e.value), analyse::finite(e.stderr));
        all.push(e);
    }
    summary.basins = Some(table);
    Ok(Ok(all))
}
