//! Runs, resumes and extends campaigns: points and stages in order, each from wherever its checkpoint stands.

use super::config::StageKind;
use super::directory::{self, Directory};
use super::inputs::Inputs;
use super::plan::Plan;
use super::progress::Show;
use super::session::Session;
use super::signals::Stop;
use super::{anneal, exchange, expanded, finish, metadynamics, minimise, provenance, sample, switch};
use crate::error::Source;
use crate::estimate::summary::Summary;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    let warnings = session.warnings();
    let summary = finish::finish(plan, &jobs, session, warnings, options.report)?;
    tracing::info!(verdict = ?summary.verdict.outcome, "run done");
    Ok(summary)
}
