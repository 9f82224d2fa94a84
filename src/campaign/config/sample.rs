//! Stages that walk: minimising and sampling, from where, at what temperature, and what is stored of it.
//! `Q` is a quantity: [`crate::campaign::Quantity`] as written, `f64` in internal units once resolved.

use schemars::JsonSchema;
use serde::Deserialize;

use super::column::Column;
use super::placed::Placed;
use super::propagator::Propagator;
use crate::campaign::units::UnitSystem;

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
fn steps_of_time(time: f64, timestep: f64) -> u64 {
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
