//! Estimates over a ladder: free energies of its states, with errors that independent copies and correlated frames both have a say in.

mod checks;
mod convergence;
mod find;
mod found;
mod part;
mod report;
mod solve;
mod table;
mod theory;

use super::analyse::estimate_frame;
use super::config::{Estimate as Wanted, Method, Stage, StageKind};
use super::job::Job;
use super::ladders::OnLadder;
use crate::Result;
use crate::estimate::summary::StageSummary;
use crate::estimate::{Check, Estimate, FreeEnergyError, Outcome, Warning, WarningKind};
use found::Found;
use part::Part;
use solve::How;

type Answer<T> = std::result::Result<T, FreeEnergyError>;

/// The estimates of a stage that reads a ladder.
///
/// # Errors
/// Only what is a bug; what the data do not allow becomes a check that fails.
pub(super) fn wanted(job: &Job<'_>, stage: &Stage, wanted: &Wanted, read: &OnLadder) -> Result<(StageSummary, Vec<Estimate>)> {
    let mut summary = estimate_frame(job, stage, wanted);
    let g = read.g();
    let how = How {
        method: wanted.method.value,
        rule: wanted.rule.as_ref().map(|r| r.value.of_ti()),
        bootstrap: wanted.bootstraps.as_ref().map(|n| (n.value as usize, job.seed)),
        ends: false,
    };
    let copies: Vec<usize> = (0..read.copies).collect();
    let whole = Part { read, copies: &copies, draws: read.discard..read.draws };
    let found = find::find(how, &whole, g).map(|mut found| {
        match convergence::convergence(how, &whole, g, &found) {
            Ok(rows) => found.convergence = rows,
            Err(why) => {
                let what = format!("no convergence figure, as a part of the frames has no number: {why}");
                found.warnings.push(Warning::new(WarningKind::TooShort, what));
            }
        }
        found
    });
    let mut estimates = match found {
        Ok(found) => {
            let mut all = report::report(job, wanted, read, g, &found, &mut summary);
            if wanted.method.value == Method::LogZ {
                all.insert(0, log_z(job, read, &found));
            }
            all
        }
        Err(why) => {
            summary.checks.push(failed(stage, &why));
            let ends = format!("delta_f[0,{}]", read.states.len() - 1);
            let log_z = Some("log_z".to_owned()).filter(|_| wanted.method.value == Method::LogZ);
            log_z
                .into_iter()
                .chain(["delta_f".to_owned(), ends])
                .map(|name| Estimate::missing(name, WarningKind::PoorOverlap, format!("{why}; {}", why.remedy())))
                .collect()
        }
    };
    for e in &mut estimates {
        complete(job, stage, read, e);
    }
    Ok((summary, estimates))
}

/// log Z of the system from that of the normalised base: the ladder must reach from one to the other.
fn log_z(job: &Job<'_>, read: &OnLadder, found: &Found) -> Estimate {
    let at = |lambda: f64| read.states.iter().position(|t| t.lambda == lambda);
    let base = job.system.path.as_ref().and_then(|p| p.base.as_ref());
    match (base, at(0.0), at(1.0)) {
        (Some(base), Some(i), Some(j)) => {
            Estimate::new("log_z", base.log_norm() - (found.f[j] - found.f[i]), found.error(i, j), found.weakest())
        }
        (None, ..) => {
            let why = "no log Z: the path has no normalised base, use kind = \"geometric\"; delta_f is what there is";
            Estimate::missing("log_z", WarningKind::NotFinite, why)
        }
        _ => Estimate::missing("log_z", WarningKind::NotFinite, "no log Z: the ladder does not reach from lambda = 0 to 1"),
    }
}

/// Conditions and reference: the temperature, where there is one.
fn complete(job: &Job<'_>, stage: &Stage, read: &OnLadder, e: &mut Estimate) {
    let sample = job
        .resolved
        .stages
        .iter()
        .filter(|s| matches!(&stage.kind, StageKind::Estimate(w) if w.from == s.name))
        .find_map(|s| s.kind.chain());
    job.complete(e, &stage.name.value, sample.filter(|_| read.variable == "lambda"));
}

/// A check that says why there is no number.
pub(super) fn failed(stage: &Stage, why: &FreeEnergyError) -> Check {
    Check {
        check: "overlap".to_owned(),
        of: stage.name.value.clone(),
        value: None,
        bound: None,
        outcome: Outcome::Fail,
        message: format!("{}: no free energy: {why}; {}", stage.name.value, why.remedy()),
    }
}
