//! Stages whose replicas move in time: what they start from, what moves them, what of them is stored.

use super::config::{ColumnKind, Sample, Stage};
use super::job::Job;
use super::moves::{self, Moves};
use super::session::Session;
use super::system::System;
use super::{start, units::Kind as Quantity};
use crate::batch::{Coords, Ensemble, Phase, Resume, Snapshot, Thermo};
use crate::dynamics::{self, Com, Propagator, Spec};
use crate::io::selection;
use crate::io::sink::{Column, Frame, Header};
use crate::io::topology::Topology;
use crate::observe::{Along, Columns, Measure, Observer, Setting};
use crate::stream::Root;
use crate::{Error, Result};

/// A stage whose replicas move in time: an ensemble, what moves it, what is looked at.
pub(super) struct Chain {
    ens: Ensemble<Phase>,
    mover: Box<dyn Mover>,
    observer: Columns,
    header: Header,
    warmup: u64,
    steps: u64,
    /// Steps between frames; none when nothing is stored.
    every: Option<u64>,
    /// Time of a step; 1 where steps are no time.
    tick: f64,
}

/// What moves the replicas of a chain, and what it stores besides the observed columns.
pub(super) trait Mover {
    /// As a propagator.
    fn propagator(&self) -> &dyn Propagator<Phase>;
    /// As a propagator.
    fn propagator_mut(&mut self) -> &mut dyn Propagator<Phase>;
    /// Headers of its own columns.
    fn columns(&self) -> Vec<Column> {
        Vec::new()
    }
    /// Their values, one list a column.
    fn observe(&mut self, _ens: &Ensemble<Phase>) -> Result<Vec<Vec<f64>>> {
        Ok(Vec::new())
    }
    /// What the summary wants to know at the end.
    fn facts(&self, _to: &mut Snapshot) {}
}

/// A propagator alone.
struct Plain(Box<dyn Propagator<Phase>>);

impl Mover for Plain {
    fn propagator(&self) -> &dyn Propagator<Phase> {
        &*self.0
    }
    fn propagator_mut(&mut self) -> &mut dyn Propagator<Phase> {
        &mut *self.0
    }
}

/// Runs a sample stage.
///
/// # Errors
/// As [`moves::run`].
pub(super) fn run(job: &Job<'_>, stage: &Stage, sample: &Sample, session: &Session) -> Result<()> {
    let system = job.system;
    let lambda = sample.lambda.as_ref().map_or(1.0, |l| l.value);
    let thermo = Thermo { lambda, ..Thermo::at(sample.thermal.value.beta(job.resolved.units)) };
    let thermo = vec![thermo; sample.replicas.value as usize];
    moves::run(job, stage, session, |saved| {
        let spec = spec(sample, com_of(sample, system), system.dimension);
        let mover = Plain(dynamics::build(&spec, system.potential.clone(), &system.masses)?);
        Chain::new(job, stage, sample, session, thermo, Box::new(mover), saved)
    })
}

/// Whether the motion of the centre of mass is taken out.
pub(super) fn com_of(sample: &Sample, system: &System) -> bool {
    sample.remove_com.as_ref().map_or(system.remove_com, |c| c.value)
}

/// Which of the ensembles of a stage: the name of its random streams, and how many replicas come before it.
pub(super) struct Place {
    pub(super) name: String,
    pub(super) first: usize,
}

impl Chain {
    /// Its ensemble, where every stage has one.
    pub(super) fn save_ensemble(&self, s: &mut Snapshot) {
        s.nest("ensemble", |s| self.ens.save(s));
    }

    /// Where the stage starts, or where its checkpoint stands. `thermo`: the state of each replica at the start.
    ///
    /// # Errors
    /// What starts, shapes and checkpoints give.
    pub(super) fn new(
        job: &Job<'_>,
        stage: &Stage,
        sample: &Sample,
        session: &Session,
        thermo: Vec<Thermo>,
        mover: Box<dyn Mover>,
        saved: Option<&Snapshot>,
    ) -> Result<Self> {
        Self::at(job, stage, sample, session, &Place { name: stage.name.value.clone(), first: 0 }, thermo, mover, saved)
    }

    /// The same for one of several ensembles of a stage.
    ///
    /// # Errors
    /// As [`Chain::new`].
    #[allow(clippy::too_many_arguments)]
    pub(super) fn at(
        job: &Job<'_>,
        stage: &Stage,
        sample: &Sample,
        session: &Session,
        place: &Place,
        thermo: Vec<Thermo>,
        mover: Box<dyn Mover>,
        saved: Option<&Snapshot>,
    ) -> Result<Self> {
        let system = job.system;
        let root = Root::new(job.seed, &place.name, &job.point);
        let replicas = thermo.len();
        let com = com_of(sample, system);
        let observer = columns(job, stage, com)?;
        let mut header = header(job, stage, &observer);
        header.replicas = replicas;
        header.columns.extend(mover.columns());
        let rows = match saved {
            Some(_) => system.start[0].repeat(replicas),
            None => start::rows_from(&sample.start, place.first, replicas, job, &root, session)?,
        };
        let phase = Phase::at_rest(Coords::from_rows(&rows, system.dof())?, system.masses.clone())?;
        let mut ens = Ensemble::new(phase, thermo, root)?;
        let mut mover = mover;
        match saved {
            Some(s) => {
                ens.load(s.nested("ensemble")?)?;
                mover.propagator_mut().load(s.nested("propagator")?)?;
            }
            None => {
                if sample.propagator.value.has_velocities() {
                    dynamics::draw_velocities(&mut ens, 0, held(com, system.dimension))?;
                }
            }
        }
        let tick = if sample.propagator.value.metropolised() { 1.0 } else { sample.timestep.value };
        let every = stage.observe.as_ref().map(|o| o.every.value);
        Ok(Chain { ens, mover, observer, header, warmup: sample.warmup.value, steps: sample.steps.value, every, tick })
    }
}

impl Moves for Chain {
    fn replicas(&self) -> usize {
        self.ens.replicas()
    }

    fn clock(&self) -> u64 {
        self.ens.step
    }

    fn total(&self) -> u64 {
        self.warmup + self.steps
    }

    fn next(&self) -> u64 {
        let (step, every) = (self.ens.step, self.every.unwrap_or(self.steps));
        if step < self.warmup { self.warmup } else { self.warmup + ((step - self.warmup) / every + 1) * every }
    }

    fn due(&self) -> bool {
        let step = self.ens.step;
        step > self.warmup && self.every.is_some_and(|every| (step - self.warmup).is_multiple_of(every))
    }

    fn advance(&mut self, ticks: u64) -> Result<()> {
        self.mover.propagator_mut().advance(&mut self.ens, ticks)
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn frame(&mut self, frame: &mut Frame) -> Result<()> {
        frame.step = self.ens.step - self.warmup;
        frame.time = frame.step as f64 * self.tick;
        self.observer.observe(&self.ens, self.mover.propagator().kinetic(), frame)?;
        frame.values.extend(self.mover.observe(&self.ens)?);
        Ok(())
    }

    fn tally(&self) -> dynamics::Tally {
        self.mover.propagator().tally()
    }

    fn note(&self) -> String {
        let tally = self.tally();
        let diverged = self.ens.replicas() - self.ens.well().count();
        let mut note =
            if tally.proposed > 0 { format!("acceptance {:.2}", tally.accepted as f64 / tally.proposed as f64) } else { String::new() };
        if diverged > 0 {
            note.push_str(&format!("{}{diverged} diverged", if note.is_empty() { "" } else { ", " }));
        }
        note
    }

    fn save(&self, s: &mut Snapshot) {
        s.nest("ensemble", |s| self.ens.save(s));
        s.nest("propagator", |s| self.mover.propagator().save(s));
        self.mover.facts(s);
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
    spec.com = held(com, dimension);
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

pub(super) fn held(remove: bool, dim: usize) -> Com {
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
        ColumnKind::Observable(_) => return None,
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
        ColumnKind::Observable(name) => Measure::Collective(Along(system.observable(name)?)),
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
