//! `compare`: the estimates of several runs side by side, or two runs to the bit.

use crate::estimate::Estimate;
use crate::estimate::number::measured;
use crate::estimate::summary::Summary;
use crate::io::export;
use crate::io::reader::Run;
use crate::{Error, Result};
use serde_json::json;
use std::fmt;
use std::path::{Path, PathBuf};

/// summary.json of a run directory.
///
/// # Errors
/// `Error::Input` when there is none, `Error::Damaged` when it cannot be read.
pub fn summary(dir: &Path) -> Result<Summary> {
    let path = dir.join("summary.json");
    if !path.is_file() {
        return Err(Error::input(format!("{} holds no finished run: it has no summary.json", dir.display()), "run or resume it first"));
    }
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, "reading the summary", &e))?;
    serde_json::from_str(&text).map_err(|e| Error::Damaged {
        path: path.clone(),
        what: format!("this is not a summary of schema 1: {e}"),
        remedy: "write it again with `ergodica report DIR`".to_owned(),
    })
}

/// The first difference between two runs: estimates to the bit, then every stored number; `None` when there is none.
///
/// # Errors
/// As [`summary`]; what the readers say of damaged files.
pub fn exact(a: &Path, b: &Path) -> Result<Option<String>> {
    let (first, second) = (summary(a)?, summary(b)?);
    if first.estimates.len() != second.estimates.len() {
        return Ok(Some(format!("{} estimates against {}", first.estimates.len(), second.estimates.len())));
    }
    for (x, y) in first.estimates.iter().zip(&second.estimates) {
        if let Some(what) = differs(x, y) {
            return Ok(Some(format!("estimate {} of stage {}: {what}", x.quantity, x.stage)));
        }
    }
    if first.stages.iter().chain(&second.stages).all(|s| s.kind == "estimate") {
        return Ok(None); // only other programs' files were read: nothing is stored but the estimates
    }
    export::compare_exact(&Run::open(a)?, &Run::open(b)?)
}

fn differs(x: &Estimate, y: &Estimate) -> Option<String> {
    for (name, a, b) in [("value", x.value, y.value), ("stderr", x.stderr, y.stderr), ("n_eff", x.n_eff, y.n_eff)] {
        if a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan()) {
            return Some(format!("{name} {a:?} against {b:?}"));
        }
    }
    let key = |e: &Estimate| (e.stage.clone(), e.quantity.clone(), e.conditions.clone(), e.unit.clone());
    (key(x) != key(y)).then(|| "another quantity, stage, unit or condition stands in its place".to_owned())
}

/// Estimates of several runs side by side.
#[derive(Clone, Debug)]
pub struct Table {
    runs: Vec<PathBuf>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    name: String,
    unit: String,
    cells: Vec<Option<(f64, f64)>>,
}

/// Tabulates the estimates that are single numbers.
///
/// # Errors
/// As [`summary`]; `Error::Input` when no run has any.
pub fn table(runs: &[PathBuf]) -> Result<Table> {
    let mut rows: Vec<Row> = Vec::new();
    for (k, dir) in runs.iter().enumerate() {
        for e in summary(dir)?.estimates {
            if !e.coords.is_empty() {
                continue;
            }
            let conditions: Vec<String> =
                e.conditions.iter().map(|(k, v)| format!("{k}={}", v.as_str().map_or_else(|| v.to_string(), str::to_owned))).collect();
            let name = format!("{} {} ({})", e.stage, e.quantity, conditions.join(", "));
            let place = rows.iter().position(|r| r.name == name).unwrap_or_else(|| {
                rows.push(Row { name, unit: e.unit.clone().unwrap_or_default(), cells: vec![None; runs.len()] });
                rows.len() - 1
            });
            rows[place].cells[k] = Some((e.value, e.stderr));
        }
    }
    if rows.is_empty() {
        return Err(Error::input("no run has an estimate of anything", "see estimates.csv of the runs for what they estimated"));
    }
    Ok(Table { runs: runs.to_vec(), rows })
}

/// A value with its error, where there are such.
fn shown((value, error): (f64, f64)) -> String {
    if value.is_finite() { measured(value, error) } else { "no value".to_owned() }
}

/// (a - b) in combined standard errors.
fn z(a: (f64, f64), b: (f64, f64)) -> Option<f64> {
    let z = (a.0 - b.0) / (a.1 * a.1 + b.1 * b.1).sqrt();
    z.is_finite().then_some(z)
}

impl Table {
    /// `[{"estimate", "unit", "values": [{"run", "value", "stderr"}], "z": [[..]]}]`.
    pub fn json(&self) -> String {
        let number = |x: f64| x.is_finite().then_some(x);
        let rows: Vec<serde_json::Value> = self
            .rows
            .iter()
            .map(|r| {
                let values: Vec<_> = self
                    .runs
                    .iter()
                    .zip(&r.cells)
                    .map(|(dir, c)| json!({ "run": dir, "value": c.and_then(|c| number(c.0)), "stderr": c.and_then(|c| number(c.1)) }))
                    .collect();
                let matrix: Vec<Vec<Option<f64>>> = r.cells.iter().map(|a| r.cells.iter().map(|b| z((*a)?, (*b)?)).collect()).collect();
                json!({ "estimate": r.name, "unit": r.unit, "values": values, "z": matrix })
            })
            .collect();
        json!(rows).to_string()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|r| r.name.chars().count()).max().unwrap_or(8);
        write!(f, "{:<width$}", "estimate")?;
        for (k, dir) in self.runs.iter().enumerate() {
            write!(f, "  {:>26}", dir.display())?;
            if k > 0 {
                write!(f, "  {:>6}", "z")?;
            }
        }
        writeln!(f)?;
        for r in &self.rows {
            write!(f, "{:<width$}", r.name)?;
            for (k, cell) in r.cells.iter().enumerate() {
                let text = cell.map_or_else(|| "-".to_owned(), shown);
                write!(f, "  {text:>26}")?;
                if k > 0 {
                    let z = cell.zip(r.cells[0]).and_then(|(b, a)| z(b, a));
                    write!(f, "  {:>6}", z.map_or_else(|| "-".to_owned(), |z| format!("{z:+.1}")))?;
                }
            }
            writeln!(f, " {}", r.unit)?;
        }
        write!(f, "z: difference from the first run in combined standard errors")
    }
}
