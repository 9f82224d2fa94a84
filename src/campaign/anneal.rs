//! An anneal stage: in each run particles go from the base to the system, or from hot to cold, level by level, and keep the books of
//! their weights.

use super::carry;
use super::config::{Along, Anneal, Kernel, Placed, Schedule, Stage, Start};
use super::job::Job;
use super::moves::{self, Moves};
use super::sample::held;
use super::session::Session;
use super::start;
use super::system::System;
use crate::batch::{Coords, Ensemble, Phase, Resume, Snapshot, Thermo};
use crate::dynamics::{self, Tally};
use crate::io::sink::{Column, Frame, Header, Kind};
use crate::path::{self, AnnealOptions, Base, Boltzmann, GaussPair, Invariant, Path, Resample, Scheme, Split, Steps, Transition, Ula};
use crate::path::{Escorted, ess, families, repeat_levels};
use crate::stream::Root;
use crate::{Error, Result};
use std::sync::Arc;

/// Levels of an adaptive schedule are not known before: so many are allowed to a run.
const MOST: usize = 100_000;
/// Resampling of an adaptive schedule.
const RESAMPLE: f64 = 0.5;
/// The column of log-weights; one frame a run.
pub(super) const LOG_W: &str = "log_w";

/// Ticks of the stage's clock: levels of all runs. Of an adaptive schedule they are not known before the end: as few as there can be.
pub(super) fn ticks<Q>(anneal: &Anneal<Q>) -> u64 {
    let levels = match anneal.schedule.value {
        Schedule::Fixed => (anneal.along.count() - 1) * repeats(anneal),
        Schedule::Adaptive => 1,
    };
    anneal.runs.value * levels
}

/// Unadjusted kernels take their steps as levels of their own: each has a ratio of kernels to book.
fn repeats<Q>(anneal: &Anneal<Q>) -> u64 {
    if anneal.kernel.value.exact() { 1 } else { anneal.steps_per_level.value }
}

/// Runs an anneal stage.
///
/// # Errors
/// As [`moves::run`]; `Error::Input` for too few draws to start from.
pub(super) fn run(job: &Job<'_>, stage: &Stage, anneal: &Anneal, session: &Session) -> Result<()> {
    moves::run(job, stage, session, |saved| Annealing::new(job, stage, anneal, session, saved))
}

/// The runs of the stage, one after the other.
struct Annealing<'a> {
    job: &'a Job<'a>,
    anneal: &'a Anneal,
    header: Header,
    /// Draws at the first level of all runs, where the base has none.
    starts: Vec<f64>,
    ens: Ensemble<Phase>,
    walk: path::Anneal<Phase>,
    run: u64,
    ended: bool,
    clock: u64,
    /// Cost of the runs before.
    before: Tally,
    /// Of each run that has ended.
    log_z: Vec<f64>,
    ess: Vec<f64>,
    alive: Vec<f64>,
    rho_t: Vec<f64>,
}

impl<'a> Annealing<'a> {
    fn new(job: &'a Job<'a>, stage: &Stage, anneal: &'a Anneal, session: &Session, saved: Option<&Snapshot>) -> Result<Self> {
        let n = anneal.replicas.value as usize;
        let starts = if from_base(anneal, job.system) { Vec::new() } else { draws(job, anneal, session)? };
        let mut header = job.header(stage);
        header.replicas = n;
        header.columns =
            vec![Column { name: LOG_W.to_owned(), kind: Kind::Observable, width: 1, unit: None, labels: Vec::new(), double: true }];
        let first = match saved {
            Some(s) => s.u64("run")?,
            None => 0,
        };
        let ens = ensemble(job, &header.stage, first, n)?;
        let walk = walk(job.system, anneal, job)?;
        let mut annealing = Annealing {
            job,
            anneal,
            header,
            starts,
            ens,
            walk,
            run: first,
            ended: false,
            clock: 0,
            before: Tally::default(),
            log_z: Vec::new(),
            ess: Vec::new(),
            alive: Vec::new(),
            rho_t: Vec::new(),
        };
        match saved {
            Some(s) => annealing.load(s)?,
            None => annealing.begin()?,
        }
        Ok(annealing)
    }

    fn load(&mut self, s: &Snapshot) -> Result<()> {
        self.ens.load(s.nested("ensemble")?)?;
        self.walk.load(s.nested("walk")?)?;
        self.ended = s.u64("ended")? != 0;
        self.clock = s.u64("clock")?;
        self.before.load(s.nested("before")?)?;
        self.rho_t = s.f64s("rho_t")?.to_vec();
        (self.log_z, self.ess, self.alive) = (s.f64s("log_z")?.to_vec(), s.f64s("ess")?.to_vec(), s.f64s("alive")?.to_vec());
        Ok(())
    }

    /// Starts the run whose number is `self.run`.
    fn begin(&mut self) -> Result<()> {
        let n = self.anneal.replicas.value as usize;
        let base = self.job.system.path.as_ref().and_then(|p| p.base.clone());
        match base.filter(|_| from_base(self.anneal, self.job.system)) {
            Some(base) => {
                let base = if self.anneal.kernel.value == Kernel::Langevin { base.with_momenta() } else { base };
                let base: &dyn Base<Phase> = &base;
                self.walk.start_from(base, &mut self.ens)
            }
            None => {
                let dof = self.job.system.dof();
                let first = self.run as usize * n * dof;
                self.ens.state_mut().x = Coords::from_rows(&self.starts[first..first + n * dof], dof)?;
                let com = held(com_of(self.anneal, self.job.system), self.job.system.dimension);
                self.ens.thermo_mut().fill(levels(self.anneal, self.job)[0]);
                dynamics::draw_velocities(&mut self.ens, 0, com)?;
                self.walk.start(&mut self.ens)
            }
        }
    }

    fn next_run(&mut self) -> Result<()> {
        self.before = self.tally();
        self.run += 1;
        self.ended = false;
        self.ens = ensemble(self.job, &self.header.stage, self.run, self.ens.replicas())?;
        self.walk = walk(self.job.system, self.anneal, self.job)?;
        self.begin()
    }
}

fn com_of(anneal: &Anneal, system: &System) -> bool {
    anneal.remove_com.as_ref().map_or(system.remove_com, |c: &Placed<bool>| c.value)
}

/// Exact draws of the base, unless the campaign says where to start.
pub(super) fn from_base(anneal: &Anneal, system: &System) -> bool {
    anneal.start == Start::System && anneal.along.temperatures().is_none() && system.path.as_ref().is_some_and(|p| p.base.is_some())
}

/// Random streams of a run are its own, so that the spread of the runs is an error.
fn ensemble(job: &Job<'_>, stage: &str, run: u64, replicas: usize) -> Result<Ensemble<Phase>> {
    let system = job.system;
    let root = Root::new(job.seed, &format!("{stage}/run {run}"), &job.point);
    let x = Coords::from_rows(&system.start[0].repeat(replicas), system.dof())?;
    Ensemble::new(Phase::at_rest(x, system.masses.clone())?, vec![Thermo::at(1.0); replicas], root)
}

/// Positions at the first level for all runs, each used once.
fn draws(job: &Job<'_>, anneal: &Anneal, session: &Session) -> Result<Vec<f64>> {
    let wanted = (anneal.replicas.value * anneal.runs.value) as usize;
    let found = start::starts(&anneal.start, job, session)?;
    if found.len() < wanted {
        let what = format!("{wanted} particles ({} runs of {}) start from {} configurations", anneal.runs, anneal.replicas, found.len());
        let remedy = "sample more replicas at the first level, or anneal fewer: particles that share a start are not independent";
        return Err(job.at(Error::input(what, remedy), anneal.replicas.span.clone()));
    }
    Ok(found[..wanted].concat())
}

fn levels(anneal: &Anneal, job: &Job<'_>) -> Vec<Thermo> {
    anneal.along.states(anneal.thermal.value, job.resolved.units)
}

fn walk(system: &System, anneal: &Anneal, job: &Job<'_>) -> Result<path::Anneal<Phase>> {
    let (dt, mass, potential) = (anneal.timestep.value, &system.masses, &system.potential);
    let com = held(com_of(anneal, system), system.dimension);
    let transition: Box<dyn Transition<Phase>> = match anneal.kernel.value {
        kind @ (Kernel::Hmc | Kernel::Mala) => {
            let mut spec = dynamics::Spec::new(if kind == Kernel::Hmc { dynamics::Kind::Hmc } else { dynamics::Kind::Mala });
            (spec.dt, spec.com) = (dt, com);
            if let Some(n) = &anneal.leapfrog_steps {
                spec.leapfrog = n.value as u32;
            }
            let propagator = dynamics::build(&spec, potential.clone(), mass)?;
            let sizes = anneal.target_acceptance.as_ref().map_or(Steps::Fixed, |a| Steps::Adapt { acceptance: a.value });
            Box::new(Invariant::new(propagator, Arc::new(Boltzmann(potential.clone())), anneal.steps_per_level.value)?.with_sizes(sizes)?)
        }
        Kernel::Langevin => {
            let gamma = anneal.friction.as_ref().map_or(f64::NAN, |g| g.value);
            Box::new(Split::new(potential.clone(), mass, Scheme::Obabo, dt, gamma, com)?)
        }
        Kernel::Ula => Box::new(GaussPair::new(Arc::new(Ula::new(mass, dt)?), potential.clone(), mass, com)?),
    };
    let times = repeats(anneal);
    let transition = match (&anneal.map, &anneal.along.value) {
        (Some(map), Along::Lambda(levels)) => {
            let map = carry::bijection((map, levels, times), system, &job.resolved.system, com_of(anneal, system))?;
            Box::new(Escorted::new(map, transition))
        }
        _ => transition,
    };
    let ladder = repeat_levels(&levels(anneal, job), if anneal.schedule.value == Schedule::Fixed { times as usize } else { 1 });
    let (schedule, resample) = match anneal.schedule.value {
        Schedule::Fixed if anneal.resample.value => (path::Schedule::Fixed, Resample::Below(anneal.ess.value)),
        Schedule::Fixed => (path::Schedule::Fixed, Resample::Never),
        Schedule::Adaptive => (path::Schedule::Adaptive { ess: anneal.ess.value, most: MOST }, Resample::Below(RESAMPLE)),
    };
    path::Anneal::new(Path::new(ladder, transition)?, AnnealOptions { resample, schedule, ..AnnealOptions::default() })
}

impl Moves for Annealing<'_> {
    fn replicas(&self) -> usize {
        self.ens.replicas()
    }

    fn clock(&self) -> u64 {
        self.clock
    }

    fn total(&self) -> u64 {
        match (self.anneal.schedule.value, self.ended && self.run + 1 == self.anneal.runs.value) {
            (Schedule::Fixed, _) => ticks(self.anneal),
            (Schedule::Adaptive, true) => self.clock,
            // somewhere ahead
            (Schedule::Adaptive, false) => self.clock + 1 + (self.anneal.runs.value - self.run - 1) * self.clock / (self.run + 1),
        }
    }

    fn next(&self) -> u64 {
        match self.anneal.schedule.value {
            Schedule::Fixed => {
                let levels = ticks(self.anneal) / self.anneal.runs.value;
                (self.clock / levels + 1) * levels
            }
            Schedule::Adaptive => self.clock + 1,
        }
    }

    fn due(&self) -> bool {
        self.ended
    }

    fn advance(&mut self, ticks: u64) -> Result<()> {
        if self.ended {
            self.next_run()?;
        }
        self.clock += self.walk.advance(&mut self.ens, ticks as usize)? as u64;
        if self.walk.done() {
            self.ended = true;
            let log_w = &self.ens.log_w;
            self.log_z.extend(self.walk.log_z(&self.ens));
            self.ess.push(ess(log_w) / log_w.len() as f64);
            let families = families(&self.ens.lineage, log_w);
            self.alive.push(families.alive as f64);
            self.rho_t.push(families.rho_t);
        }
        Ok(())
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn frame(&mut self, frame: &mut Frame) -> Result<()> {
        (frame.step, frame.time) = (self.run + 1, (self.run + 1) as f64);
        frame.values = vec![self.ens.log_w.clone()];
        Ok(())
    }

    fn tally(&self) -> Tally {
        let mut all = self.before;
        all += self.walk.tally();
        all
    }

    fn note(&self) -> String {
        let level = self.walk.levels().last();
        let along = self.anneal.along.temperatures().is_some();
        let place = |t: Thermo| if along { format!("beta {:.4}", t.beta) } else { format!("lambda {:.3}", t.lambda) };
        let ess = level.map_or(String::new(), |l| format!(", {}, ess {:.2}", place(l.thermo), l.ess));
        format!("run {} of {}{ess}", self.run + 1, self.anneal.runs)
    }

    fn save(&self, s: &mut Snapshot) {
        s.nest("ensemble", |s| self.ens.save(s));
        s.nest("walk", |s| self.walk.save(s));
        s.put("run", self.run);
        s.put("ended", u64::from(self.ended));
        s.nest("before", |s| self.before.save(s));
        s.put("log_z", self.log_z.clone());
        s.put("ess", self.ess.clone());
        s.put("alive", self.alive.clone());
        s.put("rho_t", self.rho_t.clone());
        s.put("betas", self.walk.ladder().iter().map(|t| t.beta).collect::<Vec<f64>>());
        s.put("lambdas", self.walk.ladder().iter().map(|t| t.lambda).collect::<Vec<f64>>());
    }
}
