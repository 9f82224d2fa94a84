//! Estimates of free energies, each with its error and its doubts.

use super::checks::checks;
use super::found::Found;
use super::table::table;
use crate::campaign::config::Estimate as Wanted;
use crate::campaign::job::Job;
use crate::campaign::ladders::OnLadder;
use crate::estimate::summary::StageSummary;
use crate::estimate::{Estimate, Warning, WarningKind};

/// Estimates, checks and the summary of free energies.
pub(super) fn report(job: &Job<'_>, wanted: &Wanted, read: &OnLadder, g: f64, found: &Found, summary: &mut StageSummary) -> Vec<Estimate> {
    let k = read.states.len();
    let kt = 1.0 / read.states[0].beta;
    let unit = wanted.unit.value;
    let factor = unit.of_kt(kt);
    let values = read.values(job.resolved.units.kb());
    let weakest = found.weakest();
    let difference = |name: String, i: usize, j: usize, n_eff: f64| {
        let mut e = Estimate::new(name, found.f[j] - found.f[i], found.error(i, j), n_eff).scaled(factor);
        e.unit = Some(unit.name().to_owned());
        e.warnings.extend(found.two_errors(i, j, factor));
        e
    };
    let (first, end) = (found.before, found.end());
    let mut all = vec![difference("delta_f".to_owned(), 0, end, weakest)];
    all[0].warnings.extend(found.warnings.iter().cloned());
    all[0].warnings.extend(found.second_error());
    let pair = |mut e: Estimate, i: usize, j: usize| {
        e.coords = vec![("from".to_owned(), values[i]), ("to".to_owned(), values[j])];
        e
    };
    all.push(pair(difference(format!("delta_f[0,{}]", k - 1), first, first + k - 1, weakest), 0, k - 1));
    for i in 0..k - 1 {
        if k > 2 {
            all.push(pair(
                difference(format!("delta_f[{i},{}]", i + 1), first + i, first + i + 1, found.shared.get(i).copied().unwrap_or(f64::NAN)),
                i,
                i + 1,
            ));
        }
    }
    for (i, value) in values.iter().enumerate() {
        let mut e = difference(format!("f[{i}]"), first, first + i, f64::NAN);
        e.coords = vec![(read.variable.to_owned(), *value)];
        all.push(e);
    }
    for (i, overlap) in found.overlap.iter().enumerate() {
        let mut e = Estimate::new(format!("overlap[{i},{}]", i + 1), *overlap, f64::NAN, found.shared[i]);
        e.warnings.push(Warning::new(WarningKind::NoError, "a diagnostic, without an error of its own"));
        all.push(pair(e, i, i + 1));
    }
    for (index, i, j, mut e) in drawn_again(found, k, factor) {
        e.unit = Some(unit.name().to_owned());
        all.push(if index { pair(e, i, j) } else { e });
    }
    checks(read, found, &mut summary.checks);
    summary.free_energies = Some(table(wanted, read, &values, g, found, factor));
    all
}

/// Of the ends, and of neighbours where there are more than two states: what frames that were drawn again say, whether it is of
/// neighbours, and between which states.
fn drawn_again(found: &Found, k: usize, factor: f64) -> Vec<(bool, usize, usize, Estimate)> {
    let Some((how, redrawn)) = &found.redrawn else { return Vec::new() };
    let steps = (1..k).filter(|_| k > 2).map(|j| (format!("[{},{j}]", j - 1), j - 1, j));
    let mut all = Vec::new();
    for (index, i, j) in [(String::new(), 0, k - 1)].into_iter().chain(steps) {
        let (low, high) = redrawn.interval(i, j, 0.95);
        let mut e = Estimate::new(format!("delta_f:bootstrap{index}"), found.f[j] - found.f[i], redrawn.stderr(i, j), f64::NAN);
        e = e.scaled(factor);
        e.conditions.insert("interval_95".into(), serde_json::json!([low * factor, high * factor]));
        e.conditions.insert("resamples".into(), how.replicates.into());
        e.conditions.insert("block".into(), how.block.into());
        all.push((!index.is_empty(), i, j, e));
    }
    all
}
