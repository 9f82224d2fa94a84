//! One invocation at work on a run directory: when it stops, which checkpoints it may read, what it tells the user.

use super::inputs::Inputs;
use super::progress::Show;
use super::run::Options;
use super::signals::Stop;
use crate::batch::Snapshot;
use crate::io::checkpoint;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// One running invocation.
pub(super) struct Session {
    pub(super) dir: PathBuf,
    pub(super) show: Show,
    pub(super) inputs: Inputs,
    stop: Stop,
    deadline: Option<Instant>,
    warnings: Mutex<Vec<String>>,
}

impl Session {
    pub(super) fn new(dir: &Path, inputs: Inputs, options: &Options) -> Self {
        let deadline = options.until.map(|d| Instant::now() + d);
        Session { dir: dir.to_owned(), show: options.show, inputs, stop: options.stop.clone(), deadline, warnings: Mutex::default() }
    }

    /// run.log, one JSON object a line, appended to by every run and resume.
    pub(super) fn log(dir: &Path) -> Result<tracing::Dispatch> {
        let path = dir.join("run.log");
        let file =
            std::fs::OpenOptions::new().create(true).append(true).open(&path).map_err(|e| Error::io(&path, "opening the log", &e))?;
        Ok(tracing::Dispatch::new(tracing_subscriber::fmt().json().with_writer(Mutex::new(file)).finish()))
    }

    /// Must the run stop with a checkpoint?
    pub(super) fn stop_now(&self) -> bool {
        self.stop.asked() || self.deadline.is_some_and(|d| Instant::now() >= d)
    }

    /// The newest checkpoint of a stage, which must belong to this campaign.
    pub(super) fn load(&self, dir: &Path, config_hash: &str) -> Result<Option<Snapshot>> {
        let Some(loaded) = checkpoint::load(dir)? else { return Ok(None) };
        if let Some(warning) = loaded.warning {
            self.warn(warning);
        }
        if loaded.meta.config_hash != config_hash {
            return Err(Error::Damaged {
                path: dir.to_owned(),
                what: "this stage was run with another configuration".to_owned(),
                remedy: "restore resolved.toml, or start afresh with `ergodica run FILE --overwrite`".to_owned(),
            });
        }
        Ok(Some(loaded.snapshot))
    }

    /// What the user was told so far.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.warnings.lock().map(|w| w.clone()).unwrap_or_default()
    }

    /// Something the user should know.
    pub(super) fn warn(&self, text: impl Into<String>) {
        let text = text.into();
        if let Ok(mut list) = self.warnings.lock()
            && !list.contains(&text)
        {
            if self.show == Show::Auto {
                eprintln!("warning: {text}");
            }
            tracing::warn!("{text}");
            list.push(text);
        }
    }
}
