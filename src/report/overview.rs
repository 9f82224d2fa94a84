//! What is said about the run as a whole: verdict, checks, estimates, costs, configuration.

use super::charts::{Swept, sweeps};
use super::figures::Figures;
use super::frames::{in_degrees, measured, name_of, unit_of};
use super::number::{self, NONE};
use super::page::{Block, Cell, Section, Table, class};
use crate::estimate::summary::Summary;
use crate::estimate::{Check, Estimate, Outcome, Reference};
use crate::{Error, Result};
use std::f64::consts::PI;
use std::path::Path;

/// Rows of estimates on the page; all are in estimates.csv.
const ROWS: usize = 300;

/// Colour, line, reasons.
pub(super) fn verdict(summary: &Summary) -> (&'static str, String, Vec<String>) {
    let checks = &summary.verdict.checks;
    let of = |o: Outcome| checks.iter().filter(move |c| c.outcome == o);
    let count = |o: Outcome| of(o).count();
    let (failed, doubtful) = (count(Outcome::Fail), count(Outcome::Warn));
    let running = if summary.status == "done" { "" } else { " (the run is not finished)" };
    let line = match summary.verdict.outcome {
        Outcome::Pass => format!("converged: all {} checks passed", checks.len()),
        Outcome::Warn => format!("usable, with warnings: {doubtful} of {} checks missed their bound", checks.len()),
        Outcome::Fail if checks.is_empty() => "NOT CONVERGED: nothing was checked, no sample stage observes a scalar column".to_owned(),
        Outcome::Fail => format!("NOT CONVERGED: {failed} of {} checks failed", checks.len()),
    };
    let worst: Vec<&Check> = if failed > 0 { of(Outcome::Fail).collect() } else { of(Outcome::Warn).collect() };
    let mut reasons: Vec<String> = worst.iter().take(5).map(|c| sentence(&c.message)).collect();
    if worst.len() > 5 {
        reasons.push(format!("and {} more, see below.", worst.len() - 5));
    }
    (class(summary.verdict.outcome), line + running, reasons)
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

/// Every check, failures on top; many passes are folded.
pub(super) fn checks(summary: &Summary) -> Section {
    let mut checks: Vec<&Check> = summary.verdict.checks.iter().collect();
    checks.sort_by_key(|c| std::cmp::Reverse(c.outcome)); // stable: the order within an outcome stays
    let passed = checks.iter().filter(|c| c.outcome == Outcome::Pass).count();
    let table = |caption: &str, checks: &[&Check]| {
        let mut table = Table::new(caption, &["", "check", "of", "#value", "#bound", "in words"]);
        for c in checks {
            let word = match c.outcome {
                Outcome::Pass => "passed",
                Outcome::Warn => "warning",
                Outcome::Fail => "FAILED",
            };
            table.rows.push(vec![
                Cell::text(word).coloured(c.outcome),
                Cell::text(check_name(&c.check)),
                Cell::text(&c.of),
                Cell::number(match c.value {
                    Some(v) if c.check == "r_hat" => format!("{v:.3}"),
                    v => number::maybe(v, 4),
                }),
                Cell::number(c.bound.map_or_else(|| NONE.to_owned(), |b| format!("{} {}", side(&c.check), number::digits(b, 4)))),
                Cell::text(if c.outcome == Outcome::Pass { "" } else { &c.message }),
            ]);
        }
        drop_empty(&mut table);
        table
    };
    let mut section = Section::new(2, "Checks");
    if checks.is_empty() {
        section.blocks.push(Block::Text("There is nothing to judge: no sample stage observes a scalar column.".to_owned()));
    } else if passed <= 12 {
        section.blocks.push(Block::Table(table("", &checks)));
    } else {
        let split = checks.len() - passed;
        if split > 0 {
            section.blocks.push(Block::Table(table("", &checks[..split])));
        }
        section.blocks.push(Block::Folded(format!("{passed} checks passed"), table("", &checks[split..])));
    }
    section
}

fn check_name(check: &str) -> &str {
    match check {
        "r_hat" => "R-hat",
        "ess_bulk" => "bulk ESS",
        "ess_tail" => "tail ESS",
        "length" => "length/\u{3c4}",
        "one_way" => "way back",
        "not_visited" => "visited",
        other => other,
    }
}

fn side(check: &str) -> &'static str {
    match check {
        "r_hat" | "diverged" => "\u{2264}",
        _ => "\u{2265}",
    }
}

/// Warnings of the run.
pub(super) fn warnings(summary: &Summary) -> Option<Section> {
    (!summary.warnings.is_empty()).then(|| Section::of(2, "Warnings", vec![Block::List(summary.warnings.clone())]))
}

/// What the numbers mean.
pub(super) fn notes(summary: &Summary) -> Option<Section> {
    (!summary.notes.is_empty()).then(|| Section::of(2, "Conventions", vec![Block::List(summary.notes.clone())]))
}

/// Scalar estimates beside their references; of arrays their sizes.
pub(super) fn estimates(summary: &Summary) -> Section {
    let scalars: Vec<&Estimate> = summary.estimates.iter().filter(|e| e.coords.is_empty()).collect();
    let mut table =
        Table::new("", &["stage", "quantity", "conditions", "#value", "unit", "#effective samples", "#reference", "#z", "source, remarks"]);
    for e in scalars.iter().take(ROWS) {
        let unit = e.unit.as_deref();
        let conditions: Vec<String> =
            e.conditions.iter().map(|(k, v)| format!("{} {}", k.replace('_', " "), super::charts::shown(v))).collect();
        let value = measured(Some(e.value).filter(|v| v.is_finite()), Some(e.stderr), unit);
        let not_visited = e.warnings.iter().any(|w| matches!(w.kind, crate::estimate::WarningKind::NotVisited));
        let mut remarks: Vec<&str> = e.reference.iter().map(|r| r.source.as_str()).collect();
        // That there is no number is said once.
        remarks.extend(e.warnings.iter().map(|w| w.message.strip_suffix(" (NaN)").unwrap_or(&w.message)));
        let z = e.z();
        let judged = match z {
            Some(z) if z.abs() > 4.0 => Some(Outcome::Fail),
            Some(z) if z.abs() > 3.0 => Some(Outcome::Warn),
            _ => None,
        };
        let z = Cell::number(z.map_or_else(String::new, |z| format!("{z:.1}")));
        table.rows.push(vec![
            Cell::text(&e.stage),
            Cell::text(name_of(&e.quantity)),
            Cell::text(conditions.join(", ")),
            Cell::number(if not_visited && !e.value.is_finite() { "not visited".to_owned() } else { value }),
            Cell::text(unit_of(unit)),
            Cell::number(if e.n_eff.is_finite() { number::digits(e.n_eff, 3) } else { NONE.to_owned() }),
            Cell::number(e.reference.as_ref().map_or_else(String::new, |r| {
                let scale = if in_degrees(unit) { 180.0 / PI } else { 1.0 };
                Reference { value: r.value * scale, error: r.error * scale, source: String::new() }.to_string()
            })),
            judged.map_or(z.clone(), |o| z.coloured(o)),
            Cell::text(remarks.join("; ")),
        ]);
    }
    drop_empty(&mut table);
    let mut section = Section::new(2, "Estimates");
    if table.rows.is_empty() {
        section.blocks.push(Block::Text("No scalar quantity was estimated.".to_owned()));
    } else {
        section.blocks.push(Block::Text(
            "Value \u{b1} one standard error; z is the distance from the reference in combined standard errors.".to_owned(),
        ));
        section.blocks.push(Block::Table(table));
    }
    let mut more = Vec::new();
    if scalars.len() > ROWS {
        more.push(format!("{} further estimates are in estimates.csv.", scalars.len() - ROWS));
    }
    let elements = summary.estimates.len() - scalars.len();
    if elements > 0 {
        more.push(format!("{elements} elements of arrays (free-energy bins) are in estimates.csv and drawn below."));
    }
    section.blocks.extend((!more.is_empty()).then(|| Block::Text(more.join(" "))));
    section
}

/// Columns of a table in which no row says anything.
fn drop_empty(table: &mut Table) {
    let empty: Vec<bool> = (0..table.head.len()).map(|k| table.rows.iter().all(|r| r[k].text.is_empty())).collect();
    let keep = |cells: &mut Vec<Cell>| {
        let mut k = 0;
        cells.retain(|_| {
            k += 1;
            !empty[k - 1]
        });
    };
    keep(&mut table.head);
    table.rows.iter_mut().for_each(keep);
}

/// Estimates against swept values.
pub(super) fn sweep(summary: &Summary, figures: &mut Figures) -> Result<Option<Section>> {
    let mut drawn = Vec::new();
    for Swept { stage, quantity, key, chart } in sweeps(&summary.estimates) {
        let caption = format!("{} of stage {stage} against {key}, with standard errors", name_of(&quantity));
        drawn.push(figures.add(&format!("sweep-{stage}-{quantity}"), caption, &chart)?);
    }
    Ok((!drawn.is_empty()).then(|| Section::of(2, "Sweep", vec![Block::Figures(drawn)])))
}

/// Costs.
pub(super) fn performance(summary: &Summary) -> Section {
    let p = &summary.performance;
    let rate = |v: f64| if v >= 1.0 { number::count(v.round() as u64) } else { String::new() };
    let facts = Table::facts(
        "",
        vec![
            ("processor time of sampling", number::duration(p.cpu_s)),
            ("time on the clock", number::duration(p.wall_s)),
            ("spent on files", number::duration(p.io_s)),
            ("replica steps per processor second", rate(p.replica_steps_per_cpu_s)),
            ("energy and force evaluations", number::count(p.evaluations)),
            ("the same per processor second", rate(p.evaluations_per_cpu_s)),
            ("threads", p.threads.to_string()),
            ("vector path", p.isa.clone()),
        ],
    );
    Section::of(2, "Performance", vec![Block::Table(facts)])
}

/// Papers of the methods.
pub(super) fn papers(summary: &Summary) -> Option<Section> {
    (!summary.papers.is_empty()).then(|| Section::of(2, "Papers of the methods used", vec![Block::List(summary.papers.clone())]))
}

/// resolved.toml: the campaign as it ran, overrides and defaults included.
///
/// # Errors
/// `Error::Io`.
pub(super) fn configuration(dir: &Path) -> Result<Option<Section>> {
    let path = dir.join("resolved.toml");
    match std::fs::read(&path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            Ok(Some(Section::of(2, "Configuration, as it ran", vec![Block::Verbatim(text)])))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io(&path, "cannot read it", &e)),
    }
}

/// Where the run comes from; the configuration itself stands above.
pub(super) fn provenance(pairs: &[(String, String)]) -> Section {
    let shown = pairs.iter().filter(|(k, v)| k != "config" && !v.is_empty());
    let facts = shown.map(|(k, v)| match (k.as_str(), v.parse::<u64>()) {
        ("started_unix", Ok(seconds)) => ("started", number::utc(seconds)),
        _ => (k.as_str(), v.clone()),
    });
    Section::of(2, "Provenance", vec![Block::Table(Table::facts("", facts.collect()))])
}
