//! Figures and report.html of a run directory.
//!
//! ```text
//! DIR/summary.json + segments -> frames -> charts -> plot (kuva) -> DIR/figures/NAME.{svg,png,csv}
//!                             -> overview, stage -> page (askama)  -> DIR/report.html
//! ```
//! Only the run directory is read, so a run can be reported again anywhere, by anybody. The page is one file without scripts;
//! the same run gives the same bytes.

mod charts;
mod figures;
mod frames;
mod ladder;
mod number;
mod overview;
mod page;
mod plot;
mod stage;

#[cfg(test)]
mod tests;

pub use charts::free_energy;

use crate::estimate::summary::{SCHEMA, StageSummary, Summary};
use crate::io::files;
use crate::{Error, Result};
use askama::Template;
use figures::Figures;
use page::{Block, Page, Section};
use std::path::Path;

/// Writes the figures and `report.html` of a finished run, from its `summary.json` and its frames.
///
/// # Errors
/// `Error::Input` when there is no summary; `Error::Damaged` when the run's files cannot be read or do not belong together; `Error::Io` from
/// the system.
pub fn write(dir: &Path) -> Result<()> {
    let summary = read(dir)?;
    let mut figures = Figures::new(dir)?;
    let mut sections = vec![overview::checks(&summary)];
    sections.extend(overview::warnings(&summary));
    sections.extend(overview::notes(&summary));
    sections.push(overview::estimates(&summary));
    sections.extend(overview::sweep(&summary, &mut figures)?);
    let mut points: Vec<&str> = Vec::new();
    for stage in &summary.stages {
        if !points.contains(&stage.point.as_str()) {
            points.push(&stage.point);
        }
    }
    let mut provenance = None;
    for point in points {
        let stages: Vec<&StageSummary> = summary.stages.iter().filter(|s| s.point == point).collect();
        if !point.is_empty() {
            sections.push(Section::of(2, format!("Sweep point {point}"), Vec::<Block>::new()));
        }
        let level = if point.is_empty() { 2 } else { 3 };
        for stage in &stages {
            sections.push(match stage.kind.as_str() {
                "minimise" => stage::minimise(stage, level, &mut figures)?,
                "exchange" | "expanded" | "anneal" | "switch" => ladder::moved(dir, stage, level, &mut figures)?,
                "metadynamics" => {
                    let mut section = ladder::moved(dir, stage, level, &mut figures)?;
                    section.blocks.extend(stage::estimate(stage, &stages, level, &mut figures)?.blocks);
                    section
                }
                "sample" => stage::sample(dir, &summary, stage, &stages, level, &mut figures, &mut provenance)?,
                _ => stage::estimate(stage, &stages, level, &mut figures)?,
            });
        }
    }
    sections.push(overview::performance(&summary));
    sections.extend(overview::papers(&summary));
    sections.extend(overview::configuration(dir)?);
    sections.extend(provenance.map(|p| overview::provenance(&p)));
    let (class, verdict, reasons) = overview::verdict(&summary);
    let page = Page {
        title: summary.title.clone().unwrap_or_else(|| summary.campaign.clone()),
        subtitle: format!("Campaign {}, system {}, seed {}", summary.campaign, summary.system, summary.seed),
        version: summary.version.clone(),
        verdict,
        class,
        reasons,
        sections,
    };
    let html = page.render().map_err(|e| {
        Error::run(format!("report.html could not be made: {e}"), "report this as a bug; the numbers are safe in summary.json")
    })?;
    files::write_atomic(&dir.join("report.html"), html.as_bytes())
}

/// summary.json of a run directory.
fn read(dir: &Path) -> Result<Summary> {
    let path = dir.join("summary.json");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let remedy = "give the folder that `ergodica run` wrote; a run that was stopped is finished by `ergodica resume`";
            return Err(Error::input(format!("{} has no summary.json", dir.display()), remedy));
        }
        Err(e) if e.kind() == std::io::ErrorKind::InvalidData => return Err(damaged(&path, "it is not text".to_owned())),
        Err(e) => return Err(Error::io(&path, "cannot read it", &e)),
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|e| damaged(&path, format!("it is not JSON: {e}")))?;
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema == u64::from(SCHEMA) => {}
        Some(schema) => return Err(damaged(&path, format!("its schema is {schema}, this program reads {SCHEMA}"))),
        None => return Err(damaged(&path, "it names no schema".to_owned())),
    }
    serde_json::from_value(value).map_err(|e| damaged(&path, format!("it is not a summary: {e}")))
}

fn damaged(path: &Path, what: String) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        what,
        remedy: "`ergodica resume` the run: it writes summary.json anew from the frames".to_owned(),
    }
}
