//! The run directory: what was asked for, and who may write.

use super::config::{Campaign, Start, changed_error, changes};
use super::inputs::{Inputs, named_files};
use super::job::Job;
use super::plan::Plan;
use super::run::Lengthen;
use super::units::UnitSystem;
use crate::error::Source;
use crate::io::{files, pdb};
use crate::{Error, Result};
use std::fs::File;
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.toml";
const RESOLVED: &str = "resolved.toml";
const GIVEN: &str = "config.blake3";
const LOCK: &str = ".lock";

/// Writes `topology.pdb` beside the stages, when the system has atoms.
pub(super) fn write_topology(job: &Job<'_>) -> Result<()> {
    let path = job.dir.join("topology.pdb");
    let Some(topology) = &job.system.topology else { return Ok(()) };
    files::make_dir(&job.dir)?;
    if path.exists() {
        return Ok(());
    }
    let text = pdb::write_pdb(topology, &spatial(&job.system.start[0], job.system.dimension))?;
    files::write_atomic(&path, text.as_bytes())
}

/// Coordinates padded to three dimensions.
fn spatial(x: &[f64], dimension: usize) -> Vec<[f64; 3]> {
    let particle = |p: &[f64]| [0, 1, 2].map(|k| p.get(k).copied().unwrap_or(0.0));
    x.chunks(dimension).map(particle).collect()
}

/// A run directory that this process alone writes to.
pub(super) struct Directory {
    path: PathBuf,
    /// Holds the lock as long as it lives.
    _lock: File,
}

impl Directory {
    /// Does the folder hold a run?
    pub(super) fn exists(dir: &Path) -> bool {
        dir.join(RESOLVED).is_file()
    }

    /// A new run directory.
    pub(super) fn create(dir: &Path, overwrite: bool) -> Result<Self> {
        let names = if dir.exists() { files::names(dir)? } else { Vec::new() };
        // Cut off before resolved.toml was written, a run has not begun: nothing is lost by starting it.
        let begun = Self::exists(dir);
        let foreign = !begun && names.iter().any(|n| ![LOCK, CONFIG, GIVEN, RESOLVED, "inputs"].contains(&n.trim_end_matches(".part")));
        if foreign && overwrite {
            return Err(Error::input(
                format!("{} exists and is not a run directory: it will not be deleted", dir.display()),
                "choose another place with --out",
            ));
        }
        if (begun || foreign) && !overwrite {
            return Err(Error::input(
                format!("the run directory {} exists", dir.display()),
                "go on with it (`ergodica resume DIR`), choose another (--out), or replace it (--overwrite)",
            ));
        }
        files::make_dir(dir)?;
        let lock = lock(dir)?;
        // resolved.toml first: a run half deleted is no run.
        for name in std::iter::once(RESOLVED.to_owned()).filter(|_| begun).chain(names.into_iter().filter(|n| n != LOCK && n != RESOLVED)) {
            let path = dir.join(name);
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(|e| Error::io(&path, "removing the old run", &e))?;
        }
        Ok(Directory { path: dir.to_owned(), _lock: lock })
    }

    /// An existing run directory.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        if !dir.exists() {
            return Err(Error::input(format!("there is no {}", dir.display()), "give the directory of a run"));
        }
        if !Self::exists(dir) {
            return Err(Error::input(
                format!("{} is not a run directory: it has no {RESOLVED}", dir.display()),
                "give the directory that `ergodica run` made (runs/NAME, or --out)",
            ));
        }
        Ok(Directory { path: dir.to_owned(), _lock: lock(dir)? })
    }

    /// Writes what was asked for: the campaign as given, the files it names, and last resolved.toml, which makes it a run.
    pub(super) fn begin(&self, source: &Source, plan: &Plan, inputs: &Inputs) -> Result<()> {
        files::make_dir(&self.path.join("inputs"))?;
        let base = inputs.origin();
        files::write_atomic(&self.path.join("inputs/origin"), base.display().to_string().as_bytes())?;
        for point in plan.points.iter() {
            for name in named_files(&point.resolved, &point.resolved.stages) {
                if inputs.path(&name).is_ok() {
                    inputs.keep(&name, &self.path)?;
                }
            }
        }
        files::write_atomic(&self.path.join(CONFIG), source.text.as_bytes())?;
        files::write_atomic(&self.path.join(GIVEN), blake3::hash(source.text.as_bytes()).to_hex().as_bytes())?;
        files::write_atomic(&self.path.join(RESOLVED), plan.text().as_bytes())
    }

    /// resolved.toml.
    pub(super) fn resolved(&self) -> Result<Source> {
        let path = self.path.join(RESOLVED);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, "reading the resolved campaign", &e))?;
        Ok(Source::new(path.display().to_string(), text))
    }

    /// Refuses when somebody edited config.toml in the run directory.
    pub(super) fn unchanged(&self, units: UnitSystem) -> Result<()> {
        let path = self.path.join(CONFIG);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, "reading the campaign", &e))?;
        let given = std::fs::read_to_string(self.path.join(GIVEN)).unwrap_or_default();
        if blake3::hash(text.as_bytes()).to_hex().as_str() == given.trim() {
            return Ok(());
        }
        let source = Source::new(path.display().to_string(), text);
        same_campaign(&self.path, &source, &[], units)
    }

    /// resolved.toml with a longer stage; nothing is written.
    pub(super) fn lengthened(&self, stage: &str, lengthen: Lengthen, units: UnitSystem) -> Result<Source> {
        let source = self.resolved()?;
        let campaign = Campaign::parse(&source, &[])?;
        let samples: Vec<&str> = campaign.stages.iter().filter(|s| s.kind.observes()).map(|s| s.name.value.as_str()).collect();
        let old = match campaign.stage(stage).map(|s| (&s.kind, s.kind.chain())) {
            Some((kind, Some(chain))) if kind.observes() => chain.steps.value,
            Some((kind, _)) => {
                return Err(Error::input(
                    format!("stage '{stage}' is a {} stage: only sampling can be extended", kind.name()),
                    format!("sample stages: {}", samples.join(", ")),
                ));
            }
            None => return Err(Error::input(format!("there is no stage '{stage}'"), format!("sample stages: {}", samples.join(", ")))),
        };
        let new = match lengthen {
            Lengthen::To(n) => n,
            Lengthen::By(n) => old.saturating_add(n),
        };
        if new < old {
            return Err(Error::input(format!("stage '{stage}' has {old} steps, more than {new}"), "a run can only become longer"));
        }
        let longer = Campaign::parse(&source, &[(format!("{stage}.steps"), new.to_string())])?;
        Ok(Source::new(source.name, longer.to_toml(units)))
    }

    /// Writes it, after removing what was computed from the stage and what the run ended with.
    pub(super) fn lengthen(&self, stage: &str, longer: &Source) -> Result<()> {
        for name in ["summary.json", "report.html"] {
            let path = self.path.join(name);
            if path.exists() {
                files::remove(&path)?;
            }
        }
        for point in Campaign::parse(longer, &[])?.points() {
            let base = if point.label.is_empty() { self.path.clone() } else { self.path.join("sweep").join(&point.label) };
            for name in downstream(&point.campaign, stage) {
                let path = base.join(&name);
                if path.exists() {
                    std::fs::remove_dir_all(&path).map_err(|e| Error::io(&path, "removing a stage that is recomputed", &e))?;
                }
            }
        }
        files::write_atomic(&self.path.join(RESOLVED), longer.text.as_bytes())
    }
}

fn lock(dir: &Path) -> Result<File> {
    let path = dir.join(LOCK);
    let file = File::create(&path).map_err(|e| Error::io(&path, "locking the run directory", &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::input(
            format!("another process is running in {}", dir.display()),
            "wait for it, or stop it first (`ergodica status` shows how far it is)",
        )),
        // File systems without locks (some network mounts): two writers are then the user's care.
        Err(std::fs::TryLockError::Error(_)) => Ok(file),
    }
}

/// Refuses a campaign that would give other results than the run in `dir`, naming the keys.
pub(super) fn same_campaign(dir: &Path, source: &Source, sets: &[(String, String)], units: UnitSystem) -> Result<()> {
    let path = dir.join(RESOLVED);
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, "reading the resolved campaign", &e))?;
    let stored = Campaign::parse(&Source::new(path.display().to_string(), text), &[])?;
    let mut sets = sets.to_vec();
    let mut given = Campaign::parse(source, &sets)?;
    if given.seed.is_none()
        && let Some(seed) = &stored.seed
    {
        sets.push(("campaign.seed".to_owned(), seed.value.to_string()));
        given = Campaign::parse(source, &sets)?;
    }
    let changes = changes(&stored, &given, units)?;
    if changes.is_empty() { Ok(()) } else { Err(changed_error(dir, &changes)) }
}

/// Stages that start from `stage`, directly or through others.
fn downstream(campaign: &Campaign, stage: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for s in &campaign.stages {
        if let Some(Start::Stage(from)) = s.kind.start()
            && (from.value == stage || found.contains(&from.value))
        {
            found.push(s.name.value.clone());
        }
    }
    found
}

/// Does a process hold the lock?
pub(super) fn busy(dir: &Path) -> bool {
    File::open(dir.join(LOCK)).is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}
