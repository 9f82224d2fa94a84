//! A sample stage: replicas move, frames are stored, checkpoints make both durable.

use super::config::{ColumnKind, Interval, Sample, Stage};
use super::progress::Progress;
use super::run::{Job, Session};
use super::system::System;
use super::{start, units::Kind as Quantity};
use crate::batch::{Coords, Ensemble, Phase, Resume, Snapshot, Thermo};
use crate::dynamics::{self, Com, Propagator, Spec};
use crate::io::sink::{Frame, Header, Segment, Sink};
use crate::io::topology::Topology;
use crate::io::{checkpoint, open_sink, segments, selection};
use crate::observe::{Columns, Measure, Observer, Setting};
use crate::stream::Root;
use crate::{Error, Result};
use cpu_time::ProcessTime;
use std::time::Instant;

/// Everything of a sample stage that moves.
struct Running {
    ens: Ensemble<Phase>,
    propagator: Box<dyn Propagator<Phase>>,
    observer: Columns,
    sink: Box<dyn Sink>,
    segments: Vec<Segment>,
    spent: Spent,
}

/// What the stage has cost so far, interruptions included. Not part of the results.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    cpu: f64,
    wall: f64,
    io: f64,
}

/// Runs the stage to its end from wherever its checkpoint stands.
///
/// # Errors
/// `Error::Interrupted` after a checkpoint when a stop was asked for; what files, starts and shapes give.
pub(super) fn run(job: &Job<'_>, stage: &Stage, sample: &Sample, session: &Session) -> Result<()> {
    let dir = job.dir.join(&stage.name.value);
    std::fs::create_dir_all(&dir).map_err(|e| Error::io(&dir, "making the folder of a stage", &e))?;
    let saved = session.load(&dir, &job.config_hash)?;
    let total = sample.warmup.value + sample.steps.value;
    if let Some(s) = &saved
        && s.u64("done")? == 1
        && s.nested("ensemble")?.u64("step")? >= total
    {
        return Ok(());
    }
    let mut running = Running::start(job, stage, sample, session, saved.as_ref())?;
    let mut progress = Progress::start(session.show, &job.label(stage), running.ens.step, total);
    let result = running.advance(job, stage, sample, session, total, &mut progress);
    progress.end(running.ens.step);
    result
}

impl Running {
    fn start(job: &Job<'_>, stage: &Stage, sample: &Sample, session: &Session, saved: Option<&Snapshot>) -> Result<Self> {
        let (system, units) = (job.system, job.resolved.units);
        let root = Root::new(job.seed, &stage.name.value, &job.point);
        let replicas = sample.replicas.value as usize;
        let com = sample.remove_com.as_ref().map_or(system.remove_com, |c| c.value);
        let beta = sample.thermal.value.beta(units);
        let observer = columns(job, stage, com)?;
        let rows = match saved {
            Some(_) => system.start[0].repeat(replicas),
            None => start::rows(&sample.start, replicas, job, &root, session)?,
        };
        let phase = Phase::at_rest(Coords::from_rows(&rows, system.dof())?, system.masses.clone())?;
        let mut ens = Ensemble::new(phase, vec![Thermo::at(beta); replicas], root)?;
        let mut propagator = dynamics::build(&spec(sample, com, system.dimension), system.potential.clone(), &system.masses)?;
        let mut segments = Vec::new();
        let mut spent = Spent::default();
        match saved {
            Some(s) => {
                ens.load(s.nested("ensemble")?)?;
                propagator.load(s.nested("propagator")?)?;
                segments = segments::from_snapshot(s)?;
                spent = Spent { cpu: s.f64("cpu")?, wall: s.f64("wall")?, io: s.f64("io")? };
            }
            None => {
                if sample.propagator.value.has_velocities() {
                    dynamics::draw_velocities(&mut ens, 0, com_of(com, system.dimension))?;
                }
            }
        }
        let mut sink = open_sink(job.dir.join(&stage.name.value));
        sink.open(&header(job, stage, &observer), &segments)?;
        Ok(Running { ens, propagator, observer, sink, segments, spent })
    }

    fn advance(
        &mut self,
        job: &Job<'_>,
        stage: &Stage,
        sample: &Sample,
        session: &Session,
        total: u64,
        progress: &mut Progress,
    ) -> Result<()> {
        let warmup = sample.warmup.value;
        let every = stage.observe.as_ref().map_or(sample.steps.value, |o| o.every.value);
        let mut clock = (ProcessTime::now(), Instant::now());
        let mut saved_at = (self.ens.step, Instant::now());
        let mut chunk = Chunk::new(self.ens.replicas());
        let mut frame = Frame::default();
        while self.ens.step < total {
            let step = self.ens.step;
            let next_frame = if step < warmup { warmup } else { warmup + ((step - warmup) / every + 1) * every };
            let mut until = total.min(next_frame).min(step + chunk.steps);
            if let Interval::Steps(n) = job.resolved.checkpoint {
                until = until.min((step / n + 1) * n);
            }
            let began = Instant::now();
            self.propagator.advance(&mut self.ens, until - step)?;
            chunk.adapt(until - step, began.elapsed().as_secs_f64());
            let step = self.ens.step;
            if step > warmup && (step - warmup).is_multiple_of(every) && stage.observe.is_some() {
                frame.step = step - warmup;
                frame.time = frame.step as f64 * if sample.propagator.value.metropolised() { 1.0 } else { sample.timestep.value };
                self.observer.observe(&self.ens, self.propagator.kinetic(), &mut frame)?;
                let began = Instant::now();
                self.sink.write(&frame)?;
                self.spent.io += began.elapsed().as_secs_f64();
            }
            progress.at(step, &self.note());
            let due = match job.resolved.checkpoint {
                Interval::Steps(n) => step.is_multiple_of(n),
                Interval::Seconds(s) => saved_at.1.elapsed().as_secs_f64() >= s,
            };
            let stop = session.stop_now();
            if step == total || due || stop {
                self.spent.cpu += clock.0.elapsed().as_secs_f64();
                self.spent.wall += clock.1.elapsed().as_secs_f64();
                clock = (ProcessTime::now(), Instant::now());
                self.save(job, stage, step == total)?;
                saved_at = (step, Instant::now());
            }
            if stop && step < total {
                return Err(Error::Interrupted { dir: session.dir.clone() });
            }
        }
        self.sink.close()
    }

    fn note(&self) -> String {
        let tally = self.propagator.tally();
        let diverged = self.ens.replicas() - self.ens.well().count();
        let mut note =
            if tally.proposed > 0 { format!("acceptance {:.2}", tally.accepted as f64 / tally.proposed as f64) } else { String::new() };
        if diverged > 0 {
            note.push_str(&format!("{}{diverged} diverged", if note.is_empty() { "" } else { ", " }));
        }
        note
    }

    fn save(&mut self, job: &Job<'_>, stage: &Stage, done: bool) -> Result<()> {
        let began = Instant::now();
        self.segments = self.sink.commit()?;
        tracing::info!(stage = stage.name.value, step = self.ens.step, segments = self.segments.len(), "checkpoint");
        self.spent.io += began.elapsed().as_secs_f64();
        let mut s = Snapshot::default();
        s.nest("ensemble", |s| self.ens.save(s));
        s.nest("propagator", |s| self.propagator.save(s));
        segments::to_snapshot(&self.segments, &mut s);
        s.put("done", u64::from(done));
        let tally = self.propagator.tally();
        s.put("evaluations", tally.evaluations);
        s.put("proposed", tally.proposed);
        s.put("accepted", tally.accepted);
        s.put("cpu", self.spent.cpu);
        s.put("wall", self.spent.wall);
        s.put("io", self.spent.io);
        checkpoint::save(
            &job.dir.join(&stage.name.value),
            &s,
            &checkpoint::Meta { version: String::new(), config_hash: job.config_hash.clone() },
        )
    }
}

/// How many steps to take between two looks at the clock: about a fifth of a second's worth.
struct Chunk {
    steps: u64,
}

impl Chunk {
    fn new(replicas: usize) -> Self {
        Chunk { steps: (1024 / replicas as u64).clamp(1, 64) }
    }
    fn adapt(&mut self, steps: u64, seconds: f64) {
        if seconds < 0.1 && steps == self.steps {
            self.steps *= 2;
        } else if seconds > 0.4 {
            self.steps = (self.steps / 2).max(1);
        }
    }
}

/// The propagator a sample stage asks for.
pub(super) fn spec(sample: &Sample, com: bool, dimension: usize) -> Spec {
    use super::config::Propagator as P;
    let kind = match sample.propagator.value {
        P::Baoab => dynamics::Kind::Baoab,
        P::Obabo => dynamics::Kind::Obabo,
        P::EulerMaruyama => dynamics::Kind::EulerMaruyama,
        P::LeimkuhlerMatthews => dynamics::Kind::LeimkuhlerMatthews,
        P::Mala => dynamics::Kind::Mala,
        P::Hmc => dynamics::Kind::Hmc,
        P::VelocityVerlet => dynamics::Kind::VelocityVerlet,
    };
    let mut spec = Spec::new(kind);
    spec.dt = sample.timestep.value;
    spec.com = com_of(com, dimension);
    spec.warmup = sample.warmup.value;
    spec.target_acceptance = sample.target_acceptance.as_ref().map(|a| a.value);
    if let Some(gamma) = &sample.friction {
        spec.gamma = gamma.value;
    }
    if let Some(n) = &sample.leapfrog_steps {
        spec.leapfrog = n.value as u32;
    }
    spec
}

fn com_of(remove: bool, dim: usize) -> Com {
    if remove { Com::Remove { dim } } else { Com::Keep }
}

fn header(job: &Job<'_>, stage: &Stage, observer: &Columns) -> Header {
    let names: Vec<String> = stage.observe.iter().flat_map(|o| &o.columns).map(|c| c.value.text.clone()).collect();
    let units: Vec<Option<String>> = stage.observe.iter().flat_map(|o| &o.columns).map(|c| unit(&c.value.kind, job)).collect();
    let double = stage.observe.as_ref().is_some_and(|o| o.precision == super::config::Precision::Double);
    let mut header = job.header(stage);
    header.columns = observer.headers(&names, &units, double);
    header
}

/// Unit of a column, `None` in reduced units.
fn unit(kind: &ColumnKind, job: &Job<'_>) -> Option<String> {
    let named = !job.resolved.units.unit(Quantity::Length).is_empty();
    let quantity = match kind {
        ColumnKind::Velocities => return named.then(|| "nm ps-1".to_owned()),
        ColumnKind::Forces => return named.then(|| "kJ mol-1 nm-1".to_owned()),
        ColumnKind::Positions
        | ColumnKind::RadiusOfGyration
        | ColumnKind::Distance(..)
        | ColumnKind::Coordinate(_)
        | ColumnKind::Variable(_) => Quantity::Length,
        ColumnKind::Energy | ColumnKind::Terms | ColumnKind::Term(_) => Quantity::Energy,
        ColumnKind::KineticTemperature | ColumnKind::ConfigurationalTemperature => Quantity::Temperature,
        ColumnKind::Dihedral(_) => Quantity::Angle,
    };
    let unit = job.resolved.units.unit(quantity);
    (!unit.is_empty()).then(|| unit.to_owned())
}

/// The observer of a stage's columns.
pub(super) fn columns(job: &Job<'_>, stage: &Stage, com: bool) -> Result<Columns> {
    let system = job.system;
    let mut measures = Vec::new();
    for column in stage.observe.iter().flat_map(|o| &o.columns) {
        measures.push(measure(&column.value.kind, system).map_err(|e| job.at(e, column.span.clone()))?);
    }
    let setting = Setting { dimension: system.dimension, particles: system.atoms(), kb: job.resolved.units.kb(), com_removed: com };
    Ok(Columns::new(system.potential.clone(), setting, measures))
}

/// The names of a system's atoms.
fn named(system: &System) -> Result<&Topology> {
    system
        .topology
        .as_ref()
        .ok_or_else(|| Error::input(format!("{} has no atoms to name", system.name), "observe coordinate:0 and the like"))
}

pub(super) fn measure(kind: &ColumnKind, system: &System) -> Result<Measure> {
    Ok(match kind {
        ColumnKind::Positions => Measure::Positions,
        ColumnKind::Velocities => Measure::Velocities,
        ColumnKind::Forces => Measure::Forces,
        ColumnKind::Energy => Measure::Energy,
        ColumnKind::Terms => Measure::Terms,
        ColumnKind::Term(name) => {
            let terms = system.potential.terms();
            let place = terms.iter().position(|t| t == name);
            Measure::Term(place.ok_or_else(|| {
                Error::input(format!("{} has no energy term \"{name}\"", system.name), format!("its terms: {}", terms.join(", ")))
            })?)
        }
        ColumnKind::KineticTemperature => Measure::KineticTemperature,
        ColumnKind::ConfigurationalTemperature => Measure::ConfigurationalTemperature,
        ColumnKind::RadiusOfGyration => Measure::RadiusOfGyration,
        ColumnKind::Dihedral(text) => Measure::Dihedral(selection::dihedral(named(system)?, text)?),
        ColumnKind::Distance(a, b) => {
            let (first, second) = (selection::atom(named(system)?, a)?, selection::atom(named(system)?, b)?);
            if first == second {
                return Err(Error::input(format!("\"distance:{a},{b}\" names one atom twice"), "name two atoms"));
            }
            Measure::Distance(first, second)
        }
        ColumnKind::Variable(name) => Measure::Coordinate(system.variable(name)?),
        ColumnKind::Coordinate(d) => {
            if *d as usize >= system.dof() {
                return Err(Error::input(
                    format!("coordinate {d} of {}, which has {} coordinates", system.name, system.dof()),
                    format!("coordinates count from 0 to {}", system.dof() - 1),
                ));
            }
            Measure::Coordinate(*d as usize)
        }
    })
}
