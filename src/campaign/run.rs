//! Runs, resumes and extends campaigns: points and stages in order, each from wherever its checkpoint stands.

use super::config::{Campaign, EnergyUnit, Placed, Resolved, Sample, Stage, StageKind, SystemFrom};
use super::directory::{self, Directory, Inputs};
use super::progress::Show;
use super::signals::Stop;
use super::system::System;
use super::units::{Kind as Quantity, UnitSystem};
use super::{along, anneal, exchange, expanded, finish, metadynamics, minimise, provenance, sample, switch};
use crate::batch::Snapshot;
use crate::error::{Complaint, Source};
use crate::estimate::summary::Summary;
use crate::estimate::{Estimate, Reference};
use crate::io::checkpoint;
use crate::io::sink::Header;
use crate::{Error, Result};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How a campaign is run; none of it changes the results.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads; all cores without.
    pub threads: Option<usize>,
    /// Stop with a checkpoint after this time.
    pub until: Option<Duration>,
    /// Write figures and report.html.
    pub report: bool,
    /// Where progress is shown.
    pub show: Show,
    /// Asks for a stop.
    pub stop: Stop,
}

impl Default for Options {
    fn default() -> Self {
        Options { threads: None, until: None, report: true, show: Show::Nothing, stop: Stop::never() }
    }
}

/// What to do when the run directory exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Refuse,
    /// Go on with it, if it holds the same campaign.
    Resume,
    /// Delete it first.
    Overwrite,
}

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
    fn new(dir: &Path, inputs: Inputs, options: &Options) -> Self {
        let deadline = options.until.map(|d| Instant::now() + d);
        Session { dir: dir.to_owned(), show: options.show, inputs, stop: options.stop.clone(), deadline, warnings: Mutex::default() }
    }

    /// run.log, one JSON object a line, appended to by every run and resume.
    fn log(dir: &Path) -> Result<tracing::Dispatch> {
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

/// A campaign with its systems: what will be done, nothing done yet.
pub struct Plan {
    /// The campaign, sweep unexpanded.
    pub campaign: Campaign,
    /// One job a sweep point.
    pub points: Vec<PlannedPoint>,
    /// Seed of all randomness.
    pub seed: u64,
}

/// One sweep point.
pub struct PlannedPoint {
    /// Folder name; "" without a sweep.
    pub label: String,
    /// Swept keys and values.
    pub values: Vec<(String, String)>,
    /// The campaign in numbers.
    pub resolved: Resolved,
    /// What is sampled.
    pub system: Arc<System>,
    campaign: Campaign,
    config_hash: String,
}

impl Plan {
    /// Reads a campaign and its systems, and gathers every complaint.
    ///
    /// # Errors
    /// `Error::Input` with all that is wrong.
    pub fn new(source: &Source, sets: &[(String, String)], inputs: &Inputs) -> Result<Self> {
        let mut sets = sets.to_vec();
        let mut campaign = Campaign::parse(source, &sets)?;
        let seed = match &campaign.seed {
            Some(seed) => seed.value,
            None => {
                let seed = provenance::fresh_seed();
                sets.push(("campaign.seed".to_owned(), seed.to_string()));
                campaign = Campaign::parse(source, &sets)?;
                seed
            }
        };
        let mut points: Vec<PlannedPoint> = Vec::new();
        let mut complaints: Vec<Complaint> = Vec::new();
        let mut loaded: Vec<(super::config::System, Arc<System>)> = Vec::new();
        for point in campaign.points() {
            let shared = loaded.iter().find(|(from, _)| *from == point.campaign.system).map(|(_, system)| system.clone());
            let system = match shared {
                Some(s) => s,
                None => {
                    let system = Arc::new(directory::load_system(&point.campaign, inputs)?);
                    loaded.push((point.campaign.system.clone(), system.clone()));
                    system
                }
            };
            let built = point.campaign.resolve(system.units).and_then(|r| {
                let along = along::apply(&system, &r, &point.campaign, inputs)?;
                let r = super::check::system_checks(&point.campaign, r, &along)?;
                super::other_runs::compare(&point.campaign, r, &along, inputs).map(|r| (r, along))
            });
            match built {
                Ok((resolved, system)) => {
                    let config_hash = stage_hash(&resolved, &system);
                    points.push(PlannedPoint {
                        label: point.label,
                        values: point.values,
                        resolved,
                        system,
                        campaign: point.campaign,
                        config_hash,
                    });
                }
                Err(Error::Input(list)) => complaints
                    .extend(list.into_iter().filter(|c| !complaints.iter().any(|o| o.to_string() == c.to_string())).collect::<Vec<_>>()),
                Err(other) => return Err(other),
            }
        }
        if !complaints.is_empty() {
            return Err(Error::Input(complaints));
        }
        Ok(Plan { campaign, points, seed })
    }

    /// How bare numbers are read.
    pub fn units(&self) -> UnitSystem {
        self.points.first().map_or(UnitSystem::Reduced, |p| p.system.units)
    }

    /// resolved.toml.
    pub(super) fn text(&self) -> String {
        self.campaign.to_toml(self.units())
    }

    /// The jobs in a run directory.
    pub(super) fn jobs<'a>(&'a self, dir: &Path) -> Vec<Job<'a>> {
        let provenance = Arc::new(provenance::of(self));
        self.points
            .iter()
            .map(|p| Job {
                dir: if p.label.is_empty() { dir.to_owned() } else { dir.join("sweep").join(&p.label) },
                point: p.values.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(";"),
                folder: if p.label.is_empty() { String::new() } else { format!("sweep/{}/", p.label) },
                values: &p.values,
                seed: p.resolved.seed.unwrap_or(self.seed),
                resolved: &p.resolved,
                system: &p.system,
                campaign: &p.campaign,
                config_hash: p.config_hash.clone(),
                provenance: provenance.clone(),
            })
            .collect()
    }
}

/// Hash of what the stages' states depend on: everything but lengths, estimates and thresholds.
fn stage_hash(resolved: &Resolved, system: &System) -> String {
    let mut h = blake3::Hasher::new();
    h.update(system.digest.as_bytes());
    for (key, value) in resolved.canonical() {
        let table = key.split('.').next().unwrap_or_default();
        let moves = resolved.stages.iter().any(|s| s.name.value == table && !matches!(s.kind, StageKind::Estimate(_)));
        if (moves || matches!(table, "campaign" | "system" | "path")) && !key.ends_with(".steps") {
            h.update(format!("{key} = {value}\n").as_bytes());
        }
    }
    h.finalize().to_hex().to_string()
}

/// One sweep point at work.
pub(super) struct Job<'a> {
    pub(super) dir: PathBuf,
    /// The swept values as text: part of every key of random numbers.
    pub(super) point: String,
    folder: String,
    values: &'a [(String, String)],
    pub(super) seed: u64,
    pub(super) resolved: &'a Resolved,
    pub(super) system: &'a System,
    campaign: &'a Campaign,
    pub(super) config_hash: String,
    provenance: Arc<Vec<(String, String)>>,
}

impl Job<'_> {
    /// For progress: "production", "production (timestep=2 fs)".
    pub(super) fn label(&self, stage: &Stage) -> String {
        if self.point.is_empty() { stage.name.value.clone() } else { format!("{} ({})", stage.name.value, self.point) }
    }

    /// Folder of a stage within the run directory.
    pub(super) fn folder(&self, stage: &Stage) -> String {
        format!("{}{}", self.folder, stage.name.value)
    }

    /// An error about a value of the campaign points at it.
    pub(super) fn at(&self, error: Error, span: Range<usize>) -> Error {
        match error {
            Error::Input(list) => Error::Input(
                list.into_iter().map(|c| if c.at.is_some() { c } else { self.campaign.complaint(&span, c.what, c.remedy) }).collect(),
            ),
            other => other,
        }
    }

    /// Is the system at lambda = 1 under the restraint of an umbrella path?
    pub(super) fn restrained(&self) -> bool {
        matches!(self.resolved.path.as_deref(), Some(super::config::Path::Umbrella { .. }))
    }

    pub(super) fn time_unit(&self) -> Option<&'static str> {
        Some(self.resolved.units.unit(Quantity::Time)).filter(|u| !u.is_empty())
    }

    pub(super) fn energy_unit(&self) -> Option<&'static str> {
        Some(self.resolved.units.unit(Quantity::Energy)).filter(|u| !u.is_empty())
    }

    /// Header of a stage's files, columns still to be filled in.
    pub(super) fn header(&self, stage: &Stage) -> Header {
        // A Metropolised sampler counts proposals: its steps are no time.
        let chain = stage.kind.chain();
        let (replicas, timed) = chain.map_or((0, false), |s| (s.replicas.value as usize, !s.propagator.value.metropolised()));
        Header {
            stage: stage.name.value.clone(),
            replicas,
            particles: self.system.atoms(),
            dimension: self.system.dimension,
            columns: Vec::new(),
            time_unit: self.time_unit().filter(|_| timed).map(str::to_owned),
            topology_json: self.system.topology.as_ref().map(|t| t.to_mdtraj_json()),
            provenance: self.provenance.to_vec(),
        }
    }

    /// Stage, conditions and reference of an estimate.
    pub(super) fn complete(&self, estimate: &mut Estimate, stage: &str, sample: Option<&Sample>) {
        self.complete_at(estimate, stage, sample.map(|s| s.thermal.value.temperature(self.resolved.units)));
    }

    /// The same at a temperature, or at none.
    pub(super) fn complete_at(&self, estimate: &mut Estimate, stage: &str, temperature: Option<f64>) {
        estimate.stage = stage.to_owned();
        if let Some(temperature) = temperature {
            let value = match self.resolved.units {
                UnitSystem::Molecular => serde_json::Value::from(format!("{temperature} K")),
                UnitSystem::Reduced => serde_json::Value::from(temperature),
            };
            estimate.conditions.insert("temperature".to_owned(), value);
            let found = self.system.reference(&estimate.quantity, &[("temperature".to_owned(), temperature)].into());
            estimate.reference = found.map(|r| Reference { value: r.value, error: r.error, source: r.source.clone() });
            if estimate.quantity == "delta_f" && self.of_the_campaign().is_none() {
                estimate.reference = self.along_the_path(estimate.unit.as_deref(), temperature);
            }
        } else if let Some(own) = self.of_the_campaign() {
            let found = own.iter().find(|(quantity, _)| quantity.value == estimate.quantity);
            estimate.reference = found.map(|(_, r)| r.clone());
        }
        for (key, value) in self.values {
            estimate.conditions.insert(key.clone(), serde_json::Value::from(value.clone()));
        }
    }
}

impl Job<'_> {
    /// What the campaign says of its own formula.
    fn of_the_campaign(&self) -> Option<&[(Placed<String>, Reference)]> {
        let SystemFrom::Formula(formula) = &self.campaign.system.from else { return None };
        Some(formula.references.as_slice()).filter(|r| !r.is_empty())
    }

    /// A reference for the free energy of the whole path: `delta_f:KIND` of the system, in kT, for kinds that say all about the path.
    fn along_the_path(&self, unit: Option<&str>, temperature: f64) -> Option<Reference> {
        let kind = self.system.path.as_ref().map(|p| p.kind).filter(|kind| *kind == "solvent")?;
        let found = self.system.reference(&format!("delta_f:{kind}"), &[("temperature".to_owned(), temperature)].into())?;
        let kt = self.resolved.units.kb() * temperature;
        let factor =
            [EnergyUnit::Thermal, EnergyUnit::Kilojoule, EnergyUnit::Kilocalorie].iter().find(|u| Some(u.name()) == unit)?.of_kt(kt);
        Some(Reference { value: found.value * factor, error: found.error * factor, source: found.source.clone() })
    }
}

/// Runs a campaign file.
///
/// # Errors
/// `Error::Input` for a bad campaign or an existing directory, `Error::Interrupted` after a checkpoint, and what the stages give.
pub fn run(
    file: &Path,
    out: Option<&Path>,
    sets: &[(String, String)],
    existing: Existing,
    options: &Options,
) -> Result<(PathBuf, Summary)> {
    let text = std::fs::read_to_string(file).map_err(|e| Error::reading(file, "reading the campaign", &e))?;
    let source = Source::new(file.display().to_string(), text);
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let inputs = Inputs::fresh(&base);
    let plan = Plan::new(&source, sets, &inputs)?;
    let dir = out.map_or_else(|| Path::new("runs").join(&plan.campaign.name.value), Path::to_owned);
    if existing == Existing::Resume && Directory::exists(&dir) {
        directory::same_campaign(&dir, &source, sets, plan.units())?;
        return resume(&dir, options);
    }
    let directory = Directory::create(&dir, existing == Existing::Overwrite)?;
    directory.begin(&source, &plan, &inputs)?;
    let session = Session::new(&dir, inputs.kept_in(&dir), options);
    execute(&plan, &session, options).map(|s| (dir, s))
}

/// Goes on with an interrupted run; of a finished one, says so and writes the summary again.
///
/// # Errors
/// As [`run`]; `Error::Damaged` when files were changed or cut.
pub fn resume(dir: &Path, options: &Options) -> Result<(PathBuf, Summary)> {
    let directory = Directory::open(dir)?;
    let inputs = Inputs::kept(dir);
    let plan = Plan::new(&directory.resolved()?, &[], &inputs)?;
    directory.unchanged(plan.units())?;
    let session = Session::new(dir, inputs, options);
    execute(&plan, &session, options).map(|s| (dir.to_owned(), s))
}

/// Analyses a finished run again from its files: summary, estimates, figures and report.
///
/// # Errors
/// `Error::Run` when a stage was not finished; otherwise as [`resume`].
pub fn analyse(dir: &Path) -> Result<(PathBuf, Summary)> {
    let directory = Directory::open(dir)?;
    let inputs = Inputs::kept(dir);
    let plan = Plan::new(&directory.resolved()?, &[], &inputs)?;
    let session = Session::new(dir, inputs, &Options::default());
    let summary = finish::finish(&plan, &plan.jobs(dir), &session, Vec::new(), true)?;
    Ok((dir.to_owned(), summary))
}

/// How far a stage is lengthened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lengthen {
    /// To so many steps.
    To(u64),
    /// By so many steps.
    By(u64),
}

/// Lengthens a sampling stage and recomputes everything downstream of it.
///
/// # Errors
/// `Error::Input` when there is no such stage or it would become shorter; otherwise as [`resume`].
pub fn extend(dir: &Path, stage: &str, lengthen: Lengthen, options: &Options) -> Result<(PathBuf, Summary)> {
    {
        let directory = Directory::open(dir)?;
        let plan = Plan::new(&directory.resolved()?, &[], &Inputs::kept(dir))?;
        directory.unchanged(plan.units())?;
        let longer = directory.lengthened(stage, lengthen, plan.units())?;
        // Everything that a longer stage may offend against is found before anything is touched.
        Plan::new(&longer, &[], &Inputs::kept(dir))?;
        directory.lengthen(stage, &longer)?;
    }
    resume(dir, options)
}

fn execute(plan: &Plan, session: &Session, options: &Options) -> Result<Summary> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.unwrap_or(0))
        .build()
        .map_err(|e| Error::run(format!("threads could not be started: {e}"), "ask for fewer with -j"))?;
    let warnings = plan.points.iter().flat_map(|p| &p.resolved.warnings);
    for complaint in warnings {
        session.warn(complaint.to_string());
    }
    let log = Session::log(&session.dir)?;
    pool.install(|| tracing::dispatcher::with_default(&log, || stages(plan, session, options)))
}

fn stages(plan: &Plan, session: &Session, options: &Options) -> Result<Summary> {
    tracing::info!(version = provenance::VERSION, threads = rayon::current_num_threads(), seed = plan.seed, "run begins");
    let jobs = plan.jobs(&session.dir);
    for job in &jobs {
        directory::write_topology(job)?;
        for stage in &job.resolved.stages {
            let result = match &stage.kind {
                StageKind::Minimise(m) => minimise::run(job, stage, m, session),
                StageKind::Sample(s) => sample::run(job, stage, s, session),
                StageKind::Exchange(e) => exchange::run(job, stage, e, session),
                StageKind::Anneal(a) => anneal::run(job, stage, a, session),
                StageKind::Switch(s) => switch::run(job, stage, s, session),
                StageKind::Expanded(e) => expanded::run(job, stage, e, session),
                StageKind::Metadynamics(m) => metadynamics::run(job, stage, m, session),
                StageKind::Estimate(_) => continue,
            };
            match &result {
                Ok(()) => tracing::info!(stage = stage.name.value, point = job.point, "stage done"),
                Err(e) => tracing::error!(stage = stage.name.value, point = job.point, "{e}"),
            }
            result?;
        }
    }
    let warnings = session.warnings.lock().map(|w| w.clone()).unwrap_or_default();
    let summary = finish::finish(plan, &jobs, session, warnings, options.report)?;
    tracing::info!(verdict = ?summary.verdict.outcome, "run done");
    Ok(summary)
}
