//! `status`: how far a run is, from its files alone; nothing is locked or changed.

use super::config::{Campaign, StageKind};
use crate::error::Source;
use crate::io::checkpoint;
use crate::{Error, Result};
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// How far a stage is.
#[derive(Clone, Debug, Serialize)]
pub struct StageStatus {
    /// Sweep point; "" without a sweep.
    pub point: String,
    /// Stage.
    pub stage: String,
    /// `minimise`, `sample`, `exchange`, ...
    pub kind: String,
    /// Steps in the newest checkpoint, warm-up included (of an annealing: levels of all runs).
    pub step: u64,
    /// Steps to take, warm-up included.
    pub steps: u64,
    /// Replicas that have diverged.
    pub diverged: usize,
    /// Seconds since the newest checkpoint was written.
    pub checkpoint_age_s: Option<f64>,
    /// What a damaged checkpoint made necessary.
    pub warning: Option<String>,
}

/// How far a run is.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Name of the campaign.
    pub campaign: String,
    /// `done`, `running` (a process holds it) or `stopped` (`ergodica resume` goes on).
    pub state: String,
    /// Stages of all points, in order.
    pub stages: Vec<StageStatus>,
}

/// Reads the status of a run directory.
///
/// # Errors
/// `Error::Input` when it is none.
pub fn status(dir: &Path) -> Result<Status> {
    let path = dir.join("resolved.toml");
    if !path.is_file() {
        return Err(Error::input(
            format!("{} is not a run directory: it has no resolved.toml", dir.display()),
            "give the directory that `ergodica run` made",
        ));
    }
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, "reading the resolved campaign", &e))?;
    let campaign = Campaign::parse(&Source::new(path.display().to_string(), text), &[])?;
    let mut stages = Vec::new();
    for point in campaign.points() {
        let base = if point.label.is_empty() { dir.to_owned() } else { dir.join("sweep").join(&point.label) };
        for stage in &point.campaign.stages {
            let folder = base.join(&stage.name.value);
            let steps = match &stage.kind {
                StageKind::Estimate(_) => continue,
                StageKind::Anneal(a) => super::anneal::ticks(a),
                kind => kind.chain().map_or(1, |s| s.warmup.value + s.steps.value),
            };
            let mut s = StageStatus {
                point: point.label.clone(),
                stage: stage.name.value.clone(),
                kind: stage.kind.name().to_owned(),
                step: 0,
                steps,
                diverged: 0,
                checkpoint_age_s: None,
                warning: None,
            };
            match checkpoint::load(&folder) {
                Ok(Some(loaded)) => {
                    if !matches!(stage.kind, StageKind::Minimise(_)) {
                        let ens = loaded.snapshot.nested("ensemble")?;
                        s.step = loaded.snapshot.u64("clock")?;
                        if loaded.snapshot.u64("done")? == 1
                            && (stage.kind.chain().is_none() || super::moves::spent(stage, &loaded.snapshot))
                        {
                            s.steps = s.step;
                        } else {
                            // an adaptive schedule knows more than the campaign
                            s.steps = s.steps.max(loaded.snapshot.u64("total")?);
                        }
                        s.diverged = ens.u64s("diverged")?.iter().filter(|d| **d != u64::MAX).count();
                    } else {
                        s.step = 1;
                    }
                    s.warning = loaded.warning;
                    let written = std::fs::metadata(folder.join("checkpoint.bin")).and_then(|m| m.modified()).ok();
                    s.checkpoint_age_s = written.and_then(|t| t.elapsed().ok()).map(|d| d.as_secs_f64());
                }
                Ok(None) => {}
                Err(e) => s.warning = Some(e.to_string()),
            }
            stages.push(s);
        }
    }
    let state = if super::directory::busy(dir) {
        "running"
    } else if dir.join("summary.json").is_file() && stages.iter().all(|s| s.step >= s.steps) {
        "done"
    } else {
        "stopped"
    };
    Ok(Status { campaign: campaign.name.value.clone(), state: state.to_owned(), stages })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.campaign, self.state)?;
        for s in &self.stages {
            let place = if s.point.is_empty() { s.stage.clone() } else { format!("{} ({})", s.stage, s.point) };
            let percent = 100.0 * s.step as f64 / s.steps.max(1) as f64;
            if s.kind != "minimise" {
                write!(f, "  {place}: step {} of {} ({percent:.1} %)", s.step, s.steps)?;
            } else {
                write!(f, "  {place}: {}", if s.step >= s.steps { "done" } else { "to do" })?;
            }
            if let Some(age) = s.checkpoint_age_s {
                write!(f, ", saved {} ago", super::progress::span(age))?;
            }
            if s.diverged > 0 {
                write!(f, ", {} replicas diverged", s.diverged)?;
            }
            writeln!(f)?;
            if let Some(warning) = &s.warning {
                writeln!(f, "    warning: {warning}")?;
            }
        }
        Ok(())
    }
}
