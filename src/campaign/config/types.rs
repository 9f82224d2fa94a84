//! What a campaign says, typed. `Q` is a quantity: [`Quantity`] as written, `f64` in internal units once resolved.

use schemars::JsonSchema;
use serde::Deserialize;

use super::column::Column;
use super::estimates::{Basin, Diagnostics, Estimate};
use super::formula::Formula;
use super::kinds::{Anneal, Exchange, Expanded, Metadynamics, Switch};
use super::observables::NamedObservable;
use super::path::Path;
use super::placed::Placed;
use crate::campaign::units::{Quantity, UnitSystem};

/// How a sample stage moves its replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Propagator {
    /// Underdamped Langevin dynamics, splitting B A O A B (Leimkuhler and Matthews 2013).
    Baoab,
    /// Underdamped Langevin dynamics, splitting O B A B O (Bussi and Parrinello 2007).
    Obabo,
    /// Overdamped Langevin dynamics, first order.
    EulerMaruyama,
    /// Overdamped Langevin dynamics with averaged noise (Leimkuhler and Matthews 2013).
    LeimkuhlerMatthews,
    /// Metropolis-adjusted Langevin: exact; one leapfrog step of `timestep` from fresh momenta is the proposal.
    Mala,
    /// Hamiltonian Monte Carlo: exact; `leapfrog_steps` of `timestep` from fresh momenta are the proposal, and one step of the stage is one proposal.
    Hmc,
    /// Newton's equations at constant energy, velocities drawn once at `temperature`.
    VelocityVerlet,
}

impl Propagator {
    /// All of them.
    pub const ALL: [Propagator; 7] = [
        Propagator::Baoab,
        Propagator::Obabo,
        Propagator::EulerMaruyama,
        Propagator::LeimkuhlerMatthews,
        Propagator::Mala,
        Propagator::Hmc,
        Propagator::VelocityVerlet,
    ];

    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Propagator::Baoab => "baoab",
            Propagator::Obabo => "obabo",
            Propagator::EulerMaruyama => "euler_maruyama",
            Propagator::LeimkuhlerMatthews => "leimkuhler_matthews",
            Propagator::Mala => "mala",
            Propagator::Hmc => "hmc",
            Propagator::VelocityVerlet => "velocity_verlet",
        }
    }

    /// Needs a friction.
    pub fn has_friction(self) -> bool {
        use Propagator::{Baoab, EulerMaruyama, LeimkuhlerMatthews, Obabo};
        matches!(self, Baoab | Obabo | EulerMaruyama | LeimkuhlerMatthews)
    }

    /// Overdamped: the state is positions only, time is diffusive.
    pub fn overdamped(self) -> bool {
        matches!(self, Propagator::EulerMaruyama | Propagator::LeimkuhlerMatthews)
    }

    /// Proposals that are accepted or rejected: the step size may adapt, steps are no time.
    pub fn metropolised(self) -> bool {
        matches!(self, Propagator::Mala | Propagator::Hmc)
    }

    /// Carries velocities from step to step.
    pub fn has_velocities(self) -> bool {
        matches!(self, Propagator::Baoab | Propagator::Obabo | Propagator::VelocityVerlet)
    }
}

/// Where a stage's replicas start. With fewer starts than replicas, replica r takes start r modulo their number.
#[derive(Clone, Debug, PartialEq)]
pub enum Start<Q = f64> {
    /// The system's own start: its coordinates file, or the minimum or start that its description declares.
    System,
    /// The last positions of an earlier stage, all its replicas in order.
    Stage(Placed<String>),
    /// Frames of a finished run.
    Run {
        /// The run directory.
        dir: Placed<String>,
        /// Its stage.
        stage: Placed<String>,
        /// Which frames.
        frames: Frames,
    },
    /// Structure files.
    Structures(Vec<Placed<String>>),
    /// The system's own start plus a normal displacement of every coordinate with this standard deviation (a length).
    Random(Placed<Q>),
}

/// Frames of a stored stage, each with all its replicas.
#[derive(Clone, Debug, PartialEq)]
pub enum Frames {
    /// The last one.
    Last,
    /// These, counted from 0.
    At(Vec<u64>),
}

/// Temperature, as one or the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Thermal<Q = f64> {
    /// T in K; kT in reduced units.
    Temperature(Q),
    /// 1/kT.
    Beta(Q),
}

impl Thermal<f64> {
    /// kT in internal energy units.
    pub fn kt(self, units: UnitSystem) -> f64 {
        match self {
            Thermal::Temperature(t) => units.kb() * t,
            Thermal::Beta(beta) => 1.0 / beta,
        }
    }

    /// 1/kT.
    pub fn beta(self, units: UnitSystem) -> f64 {
        match self {
            Thermal::Temperature(t) => 1.0 / (units.kb() * t),
            Thermal::Beta(beta) => beta,
        }
    }

    /// T in K; kT in reduced units.
    pub fn temperature(self, units: UnitSystem) -> f64 {
        match self {
            Thermal::Temperature(t) => t,
            Thermal::Beta(beta) => 1.0 / (beta * units.kb()),
        }
    }
}

/// What is left out at the start of a stored series.
#[derive(Clone, Debug, PartialEq)]
pub enum Discard<Q = f64> {
    /// Where the series tells (equilibration detection), and it is shown.
    Auto,
    /// So many steps.
    Steps(u64),
    /// So much simulated time; becomes steps, rounded up, when resolved.
    Time(Q),
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage<Q = f64> {
    /// Its name: unique, part of every key of its random numbers.
    pub name: Placed<String>,
    /// What it does.
    pub kind: StageKind<Q>,
    /// What is stored; only of stages that move replicas in time.
    pub observe: Option<Observe>,
    /// Energy evaluations after which the stage ends at the next frame.
    pub budget: Option<Placed<u64>>,
}

/// What a stage does.
#[derive(Clone, Debug, PartialEq)]
pub enum StageKind<Q = f64> {
    /// Walks downhill.
    Minimise(Minimise<Q>),
    /// Samples.
    Sample(Sample<Q>),
    /// Exchanges replicas on a ladder.
    Exchange(Exchange<Q>),
    /// Jumps on a ladder with learned weights.
    Expanded(Expanded<Q>),
    /// Fills the free energy of observables with hills.
    Metadynamics(Metadynamics<Q>),
    /// Anneals from a base to the system.
    Anneal(Anneal<Q>),
    /// Drives replicas from one end of the path to the other.
    Switch(Switch<Q>),
    /// Makes numbers of what was sampled.
    Estimate(Estimate<Q>),
}

impl<Q> StageKind<Q> {
    /// The key of its table.
    pub fn name(&self) -> &'static str {
        match self {
            StageKind::Minimise(_) => "minimise",
            StageKind::Sample(_) => "sample",
            StageKind::Exchange(_) => "exchange",
            StageKind::Expanded(_) => "expanded",
            StageKind::Metadynamics(_) => "metadynamics",
            StageKind::Anneal(_) => "anneal",
            StageKind::Switch(_) => "switch",
            StageKind::Estimate(_) => "estimate",
        }
    }

    /// Where its replicas start.
    pub fn start(&self) -> Option<&Start<Q>> {
        match self {
            StageKind::Minimise(m) => Some(&m.start),
            StageKind::Anneal(a) => Some(&a.start),
            StageKind::Estimate(_) => None,
            _ => self.chain().map(|s| &s.start),
        }
    }

    /// The chain of a stage that moves replicas in time.
    pub fn chain(&self) -> Option<&Sample<Q>> {
        match self {
            StageKind::Sample(s) => Some(s),
            StageKind::Exchange(e) => Some(&e.sample),
            StageKind::Expanded(e) => Some(&e.sample),
            StageKind::Metadynamics(m) => Some(&m.sample),
            StageKind::Switch(s) => Some(&s.sample),
            StageKind::Minimise(_) | StageKind::Anneal(_) | StageKind::Estimate(_) => None,
        }
    }

    /// Independent replicas times this are moved: the states of a ladder, the ends of a switching.
    pub fn places(&self) -> u64 {
        match self {
            StageKind::Exchange(e) => e.ladder.count() as u64,
            StageKind::Metadynamics(m) => m.copies.value,
            StageKind::Switch(s) if s.directions.value == super::kinds::Directions::Both => 2,
            _ => 1,
        }
    }

    /// Stores frames that `observe` describes.
    pub fn observes(&self) -> bool {
        matches!(self, StageKind::Sample(_) | StageKind::Exchange(_) | StageKind::Expanded(_) | StageKind::Metadynamics(_))
    }

    /// Stores the state and the reduced energies of a ladder.
    pub fn ladder(&self) -> Option<&super::kinds::Ladder<Q>> {
        match self {
            StageKind::Exchange(e) => Some(&e.ladder),
            StageKind::Expanded(e) => Some(&e.ladder),
            _ => None,
        }
    }
}

/// L-BFGS for every replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimise<Q = f64> {
    /// Ends when no component of a force is larger (kJ/mol/nm).
    pub tolerance: Placed<Q>,
    /// At most so many steps.
    pub max_steps: Placed<u64>,
    /// How many replicas; none: as many as there are starts.
    pub replicas: Option<Placed<u64>>,
    /// From where.
    pub start: Start<Q>,
}

/// Samples with one propagator.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<Q = f64> {
    /// Which.
    pub propagator: Placed<Propagator>,
    /// Step of the integrator, a time (ps); for mala and hmc the leapfrog step (the first one when it adapts).
    pub timestep: Placed<Q>,
    /// Friction in 1/time; of the Langevin propagators only, and there always.
    pub friction: Option<Placed<Q>>,
    /// Temperature or beta.
    pub thermal: Placed<Thermal<Q>>,
    /// Where on the path; none: 1, the system itself.
    pub lambda: Option<Placed<f64>>,
    /// How many copies.
    pub replicas: Placed<u64>,
    /// How many steps after the warm-up.
    pub steps: Placed<u64>,
    /// From where.
    pub start: Start<Q>,
    /// What estimates leave out.
    pub discard: Placed<Discard<Q>>,
    /// Steps before `steps` in which mala and hmc adapt their step size; nothing of them is stored. 0: no adaptation.
    pub warmup: Placed<u64>,
    /// Acceptance that the warm-up aims at; none without a warm-up.
    pub target_acceptance: Option<Placed<f64>>,
    /// Leapfrog steps of one proposal; of hmc only, and there always.
    pub leapfrog_steps: Option<Placed<u64>>,
    /// Whether the motion of the centre of mass is taken out; none: as the system's description says.
    pub remove_com: Option<Placed<bool>>,
}

impl Sample<f64> {
    /// Declared discard in steps; none when it is automatic.
    pub fn discard_steps(&self) -> Option<u64> {
        match self.discard.value {
            Discard::Auto => None,
            Discard::Steps(n) => Some(n),
            Discard::Time(t) => Some(steps_of_time(t, self.timestep.value)),
        }
    }
}

/// Steps that cover a time, rounded up unless the ratio is whole but for rounding.
pub(crate) fn steps_of_time(time: f64, timestep: f64) -> u64 {
    let ratio = time / timestep;
    let near = ratio.round();
    let steps = if (ratio - near).abs() <= 1e-9 * near.abs().max(1.0) { near } else { ratio.ceil() };
    // saturating: callers compare with the length of the stage
    steps as u64
}

/// What a sample stage stores.
#[derive(Clone, Debug, PartialEq)]
pub struct Observe {
    /// Every so many steps; divides the stage's steps.
    pub every: Placed<u64>,
    /// What.
    pub columns: Vec<Placed<Column>>,
    /// Width of stored positions, velocities and forces.
    pub precision: Precision,
}

/// Width of stored arrays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 4 bytes a number.
    #[default]
    Single,
    /// 8 bytes a number.
    Double,
}

impl Precision {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Single => "single",
            Precision::Double => "double",
        }
    }

    /// Bytes of one number.
    pub fn bytes(self) -> u64 {
        match self {
            Precision::Single => 4,
            Precision::Double => 8,
        }
    }
}

/// When checkpoints are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interval {
    /// So many seconds on the clock apart.
    Seconds(f64),
    /// So many steps apart.
    Steps(u64),
}

/// Which system is sampled.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Where it comes from.
    pub from: SystemFrom,
    /// Parameters that replace the system's own.
    pub parameters: Vec<(Placed<String>, Placed<Value>)>,
    /// Names for collective variables, in order.
    pub observables: Vec<NamedObservable>,
    /// An energy on top, as a formula.
    pub restraint: Option<Placed<String>>,
}

/// Where a system comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum SystemFrom {
    /// A folder of systems/, or the path of one.
    Name(Placed<String>),
    /// An OpenMM System and its structure.
    File {
        /// System XML.
        file: Placed<String>,
        /// PDB.
        coordinates: Placed<String>,
    },
    /// A formula in the campaign itself.
    Formula(Formula),
    /// None: the campaign only reads other programs' files.
    Data,
}

/// The value of a system's parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number with or without a unit; [`Quantity::resolve_any`] gives it in internal units.
    Number(Quantity),
    /// A word.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Several.
    List(Vec<Value>),
}

/// A campaign in numbers: everything in internal units, every default filled in.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Name; also that of the run directory.
    pub name: String,
    /// One line for the report.
    pub title: Option<String>,
    /// More for the report.
    pub description: Option<String>,
    /// Seed; none: the runner draws one and stores it.
    pub seed: Option<u64>,
    /// When checkpoints are written.
    pub checkpoint: Interval,
    /// What bare numbers mean.
    pub units: UnitSystem,
    /// Which system.
    pub system: System,
    /// What lambda does.
    pub path: Option<Placed<Path>>,
    /// Declared regions.
    pub basins: Vec<Basin>,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// Thresholds of the verdict.
    pub diagnostics: Diagnostics,
    /// What looks odd but is allowed.
    pub warnings: Vec<crate::error::Complaint>,
}
