//! How a stage moves its replicas.

use schemars::JsonSchema;
use serde::Deserialize;

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
