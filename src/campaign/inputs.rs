//! The files that a campaign names, and their copies in the run directory.

use super::config::{self, Campaign, LinearBase, Placed, Resolved, Stage, StageKind, Start, SystemFrom};
use crate::io::files;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// How paths are meant.
const RELATIVE: &str = "paths are relative to the campaign file";

/// Files that a campaign names: found beside it when it starts, and in the run directory's `inputs/` ever after.
#[derive(Clone, Debug)]
pub(super) struct Inputs {
    base: PathBuf,
    kept: bool,
}

impl Inputs {
    /// Beside the campaign file.
    pub(super) fn fresh(base: &Path) -> Self {
        Inputs { base: base.to_owned(), kept: false }
    }

    /// Those that a run directory has kept.
    pub(super) fn kept(dir: &Path) -> Self {
        Inputs { base: dir.join("inputs"), kept: true }
    }

    /// The folder that paths are relative to, from wherever the program is started.
    pub(super) fn origin(&self) -> PathBuf {
        std::path::absolute(&self.base).unwrap_or_else(|_| self.base.clone())
    }

    /// The same files after they were copied.
    pub(super) fn kept_in(&self, dir: &Path) -> Self {
        Self::kept(dir)
    }

    /// Where the file or folder lies that the campaign calls `name`.
    ///
    /// # Errors
    /// `Error::Input` when there is none.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf> {
        let path = if self.kept { self.base.join(kept_name(name)) } else { self.base.join(name) };
        if path.exists() {
            return Ok(path);
        }
        Err(Error::input(
            format!("there is no {}", path.display()),
            if self.kept { "the run directory lost a file: restore it, or start afresh" } else { RELATIVE },
        ))
    }

    /// The files that stages name are there: said before anything is done. What a run directory has kept its stages look for themselves.
    ///
    /// # Errors
    /// `Error::Input` with all that are missing.
    pub(super) fn present(&self, campaign: &Campaign, resolved: &Resolved) -> Result<()> {
        if self.kept {
            return Ok(());
        }
        let mut complaints = Vec::new();
        for file in resolved.stages.iter().flat_map(files_of) {
            let path = self.base.join(&file.value);
            if !path.exists() {
                complaints.push(campaign.complaint(&file.span, format!("there is no {}", path.display()), RELATIVE));
            }
        }
        if complaints.is_empty() { Ok(()) } else { Err(Error::Input(complaints)) }
    }

    /// A path that is not copied (another run directory): relative to the campaign file.
    pub(super) fn relative(&self, name: &str) -> PathBuf {
        if self.kept {
            let origin = std::fs::read_to_string(self.base.join("origin")).unwrap_or_default();
            Path::new(origin.trim_end()).join(name)
        } else {
            self.base.join(name)
        }
    }

    pub(super) fn keep(&self, name: &str, dir: &Path) -> Result<()> {
        let (from, to) = (self.path(name)?, dir.join("inputs").join(kept_name(name)));
        let copy = |from: &Path, to: &Path| -> Result<()> {
            let bytes = std::fs::read(from).map_err(|e| Error::io(from, "reading an input", &e))?;
            files::write_atomic(to, &bytes)
        };
        if from.is_dir() {
            files::make_dir(&to)?;
            for entry in files::names(&from)? {
                if from.join(&entry).is_file() {
                    copy(&from.join(&entry), &to.join(&entry))?;
                }
            }
            return Ok(());
        }
        copy(&from, &to)
    }
}

/// `sub/my.pdb` -> `3f2a9c01-my.pdb`: unique, flat, still readable.
fn kept_name(name: &str) -> String {
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let last = Path::new(name).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{}-{last}", &hash[..8])
}

/// A folder of one's own rather than a system that comes with the program.
pub(super) fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
}

/// Files and folders that a campaign names, other run directories left out.
pub(super) fn named_files(resolved: &Resolved, stages: &[Stage]) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(config::Path::Linear { base: LinearBase::System(name) }) = resolved.path.as_ref().map(|p| &p.value)
        && is_path(&name.value)
    {
        names.push(name.value.clone());
    }
    match &resolved.system.from {
        SystemFrom::Name(name) if is_path(&name.value) => names.push(name.value.clone()),
        SystemFrom::Name(_) | SystemFrom::Formula(_) | SystemFrom::Data => {}
        SystemFrom::File { file, coordinates } => names.extend([file.value.clone(), coordinates.value.clone()]),
    }
    names.extend(stages.iter().flat_map(files_of).map(|f| f.value.clone()));
    names
}

/// Files that a stage reads: its data, or where it starts.
fn files_of(stage: &Stage) -> Vec<&Placed<String>> {
    let data = match &stage.kind {
        StageKind::Estimate(e) => e.data.iter().flat_map(|leg| &leg.files).collect(),
        _ => Vec::new(),
    };
    let start = match stage.kind.start() {
        Some(Start::Structures(list)) => list.iter().collect(),
        _ => Vec::new(),
    };
    [data, start].concat()
}
