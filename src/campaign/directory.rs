//! The run directory: what was asked for, the files that were read, and who may write.

use super::config::{Campaign, Formula, LinearBase, Start, SystemFrom, Value, changed_error, changes};
use super::job::Job;
use super::plan::Plan;
use super::run::Lengthen;
use super::system::{Reference, System};
use super::units::{Misfit, Quantity, UnitSystem};
use crate::energy::formula::{self, Given};
use crate::error::Source;
use crate::io::{files, pdb};
use crate::{Error, Result};
use std::fs::File;
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.toml";
const RESOLVED: &str = "resolved.toml";
const GIVEN: &str = "config.blake3";
const LOCK: &str = ".lock";

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
            if self.kept {
                "the run directory lost a file: restore it, or start afresh"
            } else {
                "paths are relative to the campaign file"
            },
        ))
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

    fn keep(&self, name: &str, dir: &Path) -> Result<()> {
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

/// A system by name, or by the path of its folder beside the campaign.
pub(super) fn named_system(name: &str, given: &[Given], inputs: &Inputs) -> Result<System> {
    let place = if is_path(name) { inputs.path(name)?.display().to_string() } else { name.to_owned() };
    System::load(&place, given)
}

/// The system of a campaign.
pub(super) fn load_system(campaign: &Campaign, inputs: &Inputs) -> Result<System> {
    let system = match &campaign.system.from {
        SystemFrom::Name(name) => {
            let loaded = given(campaign).and_then(|given| named_system(&name.value, &given, inputs));
            loaded.map_err(|e| locate(e, campaign, name.span.clone()))?
        }
        SystemFrom::File { file, coordinates } => {
            let xml = inputs.path(&file.value).map_err(|e| locate(e, campaign, file.span.clone()))?;
            let pdb = inputs.path(&coordinates.value).map_err(|e| locate(e, campaign, coordinates.span.clone()))?;
            if let Some((key, _)) = campaign.system.parameters.first() {
                let what = format!("unknown parameter `{}`: a molecule takes none", key.value);
                return Err(Error::Input(vec![campaign.complaint(&key.span, what, "change the System in OpenMM and serialise it again")]));
            }
            let mut system = System::from_files(&xml, &pdb)?;
            // The kept copy has another name than the file the user knows.
            system.name = Path::new(&file.value).file_stem().map_or(system.name, |n| n.to_string_lossy().into_owned());
            system
        }
        SystemFrom::Data => {
            // A place for what every run has: one coordinate that feels nothing.
            let formula = Formula::nothing();
            let potential = formula.potential(&[]).map_err(|m| Error::Input(vec![campaign.mistake(&formula.text, m)]))?;
            let mut system = System::of_formula(&formula, potential, &[])?;
            system.name = "published data".to_owned();
            system
        }
        SystemFrom::Formula(formula) => {
            let potential = formula.potential(&campaign.system.parameters);
            let potential = potential.map_err(|m| Error::Input(vec![campaign.mistake(&formula.text, m)]))?;
            let mut system = System::of_formula(formula, potential, &campaign.system.parameters).map_err(|e| {
                let span = formula.start.as_ref().map_or(&formula.text.span, |s| &s.span);
                locate(e, campaign, span.clone())
            })?;
            system.references = formula.references.iter().map(|(quantity, r)| Reference::anywhere(&quantity.value, r)).collect();
            system
        }
    };
    super::observables::apply(system, campaign)
}

/// The campaign's parameters in internal units.
fn given(campaign: &Campaign) -> Result<Vec<Given>> {
    let mut all = Vec::new();
    for (name, value) in &campaign.system.parameters {
        let converted = parameter(value).map_err(|m| Error::Input(vec![campaign.complaint(&value.span, m.what, m.remedy)]))?;
        all.push(Given { name: name.value.clone(), value: converted, at: campaign.locate(&name.span) });
    }
    Ok(all)
}

/// A parameter written outside a campaign: a number (with a unit where it has one), a list, a word.
pub(super) fn parameter_text(text: &str) -> Result<formula::Value> {
    if let Ok(q) = Quantity::parse(text)
        && let Ok(x) = q.resolve_any()
    {
        return Ok(formula::Value::Number(x));
    }
    match text {
        "true" => return Ok(formula::Value::Flag(true)),
        "false" => return Ok(formula::Value::Flag(false)),
        _ => {}
    }
    if let Some(items) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return items.split(',').map(|t| parameter_text(t.trim())).collect::<Result<_>>().map(formula::Value::List);
    }
    Ok(formula::Value::Text(text.trim_matches('"').to_owned()))
}

fn parameter(value: &Value) -> std::result::Result<formula::Value, Misfit> {
    Ok(match value {
        Value::Number(q) => formula::Value::Number(q.resolve_any()?),
        Value::Text(t) => formula::Value::Text(t.clone()),
        Value::Flag(b) => formula::Value::Flag(*b),
        Value::List(items) => formula::Value::List(items.iter().map(parameter).collect::<std::result::Result<_, _>>()?),
    })
}

pub(super) fn locate(error: Error, campaign: &Campaign, span: std::ops::Range<usize>) -> Error {
    match error {
        Error::Input(list) => {
            Error::Input(list.into_iter().map(|c| if c.at.is_some() { c } else { campaign.complaint(&span, c.what, c.remedy) }).collect())
        }
        other => other,
    }
}

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
        let base = std::path::absolute(&inputs.base).unwrap_or_else(|_| inputs.base.clone());
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

/// A folder of one's own rather than a system that comes with the program.
fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
}

/// Files and folders that a campaign names, other run directories left out.
fn named_files(resolved: &super::config::Resolved, stages: &[super::config::Stage]) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(super::config::Path::Linear { base: LinearBase::System(name) }) = resolved.path.as_ref().map(|p| &p.value)
        && is_path(&name.value)
    {
        names.push(name.value.clone());
    }
    match &resolved.system.from {
        SystemFrom::Name(name) if is_path(&name.value) => names.push(name.value.clone()),
        SystemFrom::Name(_) | SystemFrom::Formula(_) | SystemFrom::Data => {}
        SystemFrom::File { file, coordinates } => names.extend([file.value.clone(), coordinates.value.clone()]),
    }
    for stage in stages {
        if let super::config::StageKind::Estimate(e) = &stage.kind {
            names.extend(e.data.iter().flat_map(|leg| &leg.files).map(|f| f.value.clone()));
        }
        if let Some(Start::Structures(list)) = stage.kind.start() {
            names.extend(list.iter().map(|f| f.value.clone()));
        }
    }
    names
}

/// Does a process hold the lock?
pub(super) fn busy(dir: &Path) -> bool {
    File::open(dir.join(LOCK)).is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}
