//! Annealing: importance sampling and sequential Monte Carlo from a base, population annealing from the hottest temperature.

use schemars::JsonSchema;
use serde::Deserialize;

use super::fields::{Fields, Number, Shown, thermal};
use super::levels::Along;
use super::map::Map;
use super::placed::Placed;
use super::sample::{Start, Thermal};
use crate::campaign::units::{Kind, number_text};

/// What moves the particles between two levels of an annealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// Hamiltonian Monte Carlo: exact.
    Hmc,
    /// Metropolis-adjusted Langevin: exact.
    Mala,
    /// Underdamped Langevin (the splitting OBABO), unadjusted, with the ratio of its kernels in the weight; momenta count.
    Langevin,
    /// Overdamped Langevin, unadjusted, with the ratio of its kernels in the weight.
    Ula,
}

impl Kernel {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Hmc => "hmc",
            Kernel::Mala => "mala",
            Kernel::Langevin => "langevin",
            Kernel::Ula => "ula",
        }
    }

    /// Metropolis decisions: the weights need no ratio of kernels, and the step may follow an acceptance.
    pub fn exact(self) -> bool {
        matches!(self, Kernel::Hmc | Kernel::Mala)
    }
}

/// How an annealing chooses its levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// As `levels` or `lambdas` say.
    Fixed,
    /// Each as far as the effective sample size allows.
    Adaptive,
}

impl Schedule {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Schedule::Fixed => "fixed",
            Schedule::Adaptive => "adaptive",
        }
    }
}

/// Annealed importance sampling, with resampling sequential Monte Carlo: from exact draws of the base to the system. Along
/// temperatures population annealing, from an equilibrated stage at the hottest.
#[derive(Clone, Debug, PartialEq)]
pub struct Anneal<Q = f64> {
    /// What moves the particles.
    pub kernel: Placed<Kernel>,
    /// Step of the kernel, a time.
    pub timestep: Placed<Q>,
    /// Friction of langevin.
    pub friction: Option<Placed<Q>>,
    /// Leapfrog steps of hmc.
    pub leapfrog_steps: Option<Placed<u64>>,
    /// Acceptance that the step of hmc and mala follows from level to level; none: the step is fixed.
    pub target_acceptance: Option<Placed<f64>>,
    /// Temperature or beta; along temperatures the first of them.
    pub thermal: Placed<Thermal<Q>>,
    /// Particles of one run.
    pub replicas: Placed<u64>,
    /// What it goes along, level by level.
    pub along: Placed<Along<Q>>,
    /// Carries the particles along with lambda, before they move.
    pub map: Option<Placed<Map>>,
    /// Steps of the kernel at each level.
    pub steps_per_level: Placed<u64>,
    /// Fixed or adaptive.
    pub schedule: Placed<Schedule>,
    /// Resample below this fraction of effective particles; the target of an adaptive schedule.
    pub ess: Placed<f64>,
    /// Sequential Monte Carlo rather than annealed importance sampling.
    pub resample: Placed<bool>,
    /// Independent runs.
    pub runs: Placed<u64>,
    /// From where: exact draws of the base, or an equilibrated stage at the first level.
    pub start: Start<Q>,
    /// Whether the motion of the centre of mass is taken out; none: as the system says.
    pub remove_com: Option<Placed<bool>>,
}

impl<Q> Anneal<Q> {
    pub(super) fn map(&self, thermal: Placed<Thermal>, start: Start, number: Number<'_, Q>) -> Anneal {
        Anneal {
            kernel: self.kernel.clone(),
            timestep: number("timestep", &self.timestep, Kind::Time),
            friction: self.friction.as_ref().map(|g| number("friction", g, Kind::InverseTime)),
            leapfrog_steps: self.leapfrog_steps.clone(),
            target_acceptance: self.target_acceptance.clone(),
            thermal,
            replicas: self.replicas.clone(),
            along: self.along.with(self.along.map(&mut *number)),
            map: self.map.clone(),
            steps_per_level: self.steps_per_level.clone(),
            schedule: self.schedule.clone(),
            ess: self.ess.clone(),
            resample: self.resample.clone(),
            runs: self.runs.clone(),
            start,
            remove_com: self.remove_com.clone(),
        }
    }

    /// All keys but `start`.
    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        let mut all = vec![
            ("kernel", format!("\"{}\"", self.kernel.name())),
            ("timestep", show(&self.timestep, Kind::Time)),
            ("replicas", self.replicas.to_string()),
            self.along.field(show),
            ("steps_per_level", self.steps_per_level.to_string()),
            ("schedule", format!("\"{}\"", self.schedule.name())),
            ("ess", number_text(self.ess.value)),
            ("resample", self.resample.to_string()),
            ("runs", self.runs.to_string()),
        ];
        all.extend(self.map.as_ref().map(|m| ("map", m.text())));
        all.extend(self.along.temperatures().is_none().then(|| thermal(&self.thermal, show)));
        all.extend(self.friction.as_ref().map(|g| ("friction", show(g, Kind::InverseTime))));
        all.extend(self.target_acceptance.as_ref().map(|a| ("target_acceptance", number_text(a.value))));
        all.extend(self.leapfrog_steps.as_ref().map(|n| ("leapfrog_steps", n.to_string())));
        all.extend(self.remove_com.as_ref().map(|c| ("remove_com", c.to_string())));
        all
    }
}
