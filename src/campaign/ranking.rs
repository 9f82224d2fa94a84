//! `compare --quantity`: one quantity by every run and stage that estimated it, with what it cost.

use super::compare::summary;
use crate::estimate::number::measured;
use crate::estimate::summary::{StageSummary, Summary};
use crate::estimate::{Check, Estimate, Outcome};
use crate::{Error, Result};
use serde_json::json;
use std::fmt;
use std::path::{Path, PathBuf};

/// One answer.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    run: String,
    estimate: Estimate,
    /// The stage whose frames were read.
    frames: String,
    /// Energy evaluations of the stage that was read.
    calls: Option<u64>,
    /// Those of them whose gradient was used.
    gradients: Option<u64>,
    /// Worst outcome of the checks of the stages involved.
    outcome: Option<Outcome>,
}

/// One quantity under one set of conditions.
#[derive(Clone, Debug)]
struct Group {
    name: String,
    entries: Vec<Entry>,
}

/// All answers to one question.
#[derive(Clone, Debug)]
pub struct Ranking {
    groups: Vec<Group>,
}

/// Gathers the estimates of `quantity` (a whole name, or that of an array) from all stages of all runs.
///
/// # Errors
/// As [`summary`]; `Error::Input` when no run has the quantity.
pub fn ranking(runs: &[PathBuf], quantity: &str) -> Result<Ranking> {
    let mut groups: Vec<Group> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let found = runs.iter().map(|dir| summary(dir).map(|s| (dir, s))).collect::<Result<Vec<_>>>()?;
    let exact = found.iter().any(|(_, s)| s.estimates.iter().any(|e| e.quantity == quantity));
    for (dir, found) in &found {
        for e in &found.estimates {
            let base = e.quantity.split('[').next().unwrap_or_default();
            if !names.contains(&e.quantity) {
                names.push(e.quantity.clone());
            }
            if quantity != e.quantity && (exact || quantity != base) {
                continue;
            }
            let conditions: Vec<String> =
                e.conditions.iter().map(|(k, v)| format!("{k}={}", v.as_str().map_or_else(|| v.to_string(), str::to_owned))).collect();
            let unit = e.unit.as_ref().map_or_else(String::new, |u| format!(" in {u}"));
            let name = format!("{}{unit} ({})", e.quantity, conditions.join(", "));
            let entry = entry(dir, found, e);
            match groups.iter_mut().find(|g| g.name == name) {
                Some(group) => group.entries.push(entry),
                None => groups.push(Group { name, entries: vec![entry] }),
            }
        }
    }
    if groups.is_empty() {
        names.retain(|n| !n.contains('['));
        let what = format!("no run has an estimate of {quantity}");
        return Err(Error::input(what, format!("they have: {}", names.join(", "))));
    }
    Ok(Ranking { groups })
}

fn entry(dir: &Path, found: &Summary, e: &Estimate) -> Entry {
    let of = |name: &str| {
        let at_point = |s: &&StageSummary| {
            s.stage == name
                && s.point.split(';').filter(|p| !p.is_empty()).all(|p| {
                    let (key, value) = p.split_once('=').unwrap_or((p, ""));
                    e.conditions.get(key).and_then(|v| v.as_str()) == Some(value)
                })
        };
        found.stages.iter().find(at_point)
    };
    let made = of(&e.stage);
    let read = made.and_then(|s| s.from.as_deref()).and_then(of).or(made);
    let checks: Vec<&Check> = made.iter().chain(&read).flat_map(|s| &s.checks).collect();
    Entry {
        run: dir.display().to_string(),
        estimate: e.clone(),
        frames: read.map_or_else(|| e.stage.clone(), |s| s.stage.clone()),
        calls: read.map(|s| s.evaluations).filter(|n| *n > 0),
        gradients: read.and_then(|s| s.gradients),
        outcome: checks.iter().map(|c| c.outcome).max(),
    }
}

impl Entry {
    fn label(&self) -> String {
        format!("{} {}", self.run, self.estimate.stage)
    }

    /// Effective samples for a million energy evaluations.
    fn efficiency(&self) -> Option<f64> {
        let per = 1e6 * self.estimate.n_eff / self.calls? as f64;
        per.is_finite().then_some(per)
    }
}

/// (a - b) in combined standard errors; none for two answers from the same frames, which say nothing of each other.
fn z(a: &Entry, b: &Entry) -> Option<f64> {
    if a.run == b.run && a.frames == b.frames {
        return None;
    }
    let (a, b) = (&a.estimate, &b.estimate);
    let z = (a.value - b.value) / (a.stderr * a.stderr + b.stderr * b.stderr).sqrt();
    z.is_finite().then_some(z)
}

impl Ranking {
    /// `[{"quantity", "entries": [{"run", "stage", "value", "stderr", "n_eff", "energy_calls", "gradient_calls", "n_eff_per_million_calls",
    /// "reference", "z_reference", "outcome"}], "z": [[..]]}]`.
    pub fn json(&self) -> String {
        let number = |x: f64| x.is_finite().then_some(x);
        let groups: Vec<serde_json::Value> = self
            .groups
            .iter()
            .map(|g| {
                let entries: Vec<_> = g
                    .entries
                    .iter()
                    .map(|e| {
                        json!({
                            "run": e.run, "stage": e.estimate.stage, "value": number(e.estimate.value), "stderr": number(e.estimate.stderr),
                            "n_eff": number(e.estimate.n_eff), "energy_calls": e.calls, "gradient_calls": e.gradients,
                            "n_eff_per_million_calls": e.efficiency(), "reference": e.estimate.reference, "z_reference": e.estimate.z(),
                            "outcome": e.outcome,
                        })
                    })
                    .collect();
                let z: Vec<Vec<Option<f64>>> = g.entries.iter().map(|a| g.entries.iter().map(|b| z(a, b)).collect()).collect();
                json!({ "quantity": g.name, "entries": entries, "z": z })
            })
            .collect();
        json!(groups).to_string()
    }
}

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, g) in self.groups.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{}", g.name)?;
            let width = g.entries.iter().map(|e| e.label().chars().count()).max().unwrap_or(0).max(9);
            write!(
                f,
                "     {:<width$}  {:>24}  {:>9}  {:>13}  {:>14}  {:>14}  checks",
                "run stage", "value", "n_eff", "energy calls", "gradient calls", "n_eff/10^6"
            )?;
            for k in 0..g.entries.len() {
                write!(f, "  {:>6}", format!("z({})", k + 1))?;
            }
            writeln!(f)?;
            for (k, e) in g.entries.iter().enumerate() {
                let value =
                    if e.estimate.value.is_finite() { measured(e.estimate.value, e.estimate.stderr) } else { "no value".to_owned() };
                let plain = |x: Option<f64>| x.filter(|x| x.is_finite()).map_or_else(|| "-".to_owned(), |x| format!("{x:.0}"));
                let outcome = match e.outcome {
                    Some(Outcome::Pass) => "pass",
                    Some(Outcome::Warn) => "warn",
                    Some(Outcome::Fail) => "FAIL",
                    None => "-",
                };
                let count = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
                let (calls, gradients) = (count(e.calls), count(e.gradients));
                let (n_eff, per) = (plain(Some(e.estimate.n_eff)), plain(e.efficiency()));
                write!(
                    f,
                    "{:>3}  {:<width$}  {value:>24}  {n_eff:>9}  {calls:>13}  {gradients:>14}  {per:>14}  {outcome:<6}",
                    k + 1,
                    e.label()
                )?;
                for other in &g.entries {
                    let z = z(e, other);
                    write!(f, "  {:>6}", z.map_or_else(|| "-".to_owned(), |z| format!("{z:+.1}")))?;
                }
                writeln!(f)?;
            }
            if let Some(reference) = g.entries.iter().find_map(|e| e.estimate.reference.as_ref()) {
                let against: Vec<String> =
                    g.entries.iter().map(|e| e.estimate.z().map_or_else(|| "-".to_owned(), |z| format!("{z:+.1}"))).collect();
                writeln!(f, "     reference {reference} ({}): z {}", reference.source, against.join(", "))?;
            }
        }
        write!(
            f,
            "z(k): difference from line k in combined standard errors, - where both read the same frames; gradient calls are the energy calls whose gradient was used"
        )
    }
}
