//! Nonequilibrium switching between the two ends of a path.

use schemars::JsonSchema;
use serde::Deserialize;

use super::fields::{Fields, Shown, thermal};
use super::levels::Levels;
use super::map::Map;
use super::placed::Placed;
use super::sample::Sample;
use crate::campaign::units::Kind;

/// Nonequilibrium switching: replicas in equilibrium at both ends, from which `shots` trajectories are driven to the other end.
#[derive(Clone, Debug, PartialEq)]
pub struct Switch<Q = f64> {
    /// How the replicas move: its warm-up is `equilibrate`, its steps are `shots * spacing`. Replicas are counted at each end.
    pub sample: Sample<Q>,
    /// Steps before the first shot.
    pub equilibrate: Placed<u64>,
    /// Trajectories from each replica.
    pub shots: Placed<u64>,
    /// Steps between two shots.
    pub spacing: Placed<u64>,
    /// Values of lambda that a trajectory passes.
    pub levels: Placed<Levels>,
    /// Carries the trajectories along with lambda, before they move.
    pub map: Option<Placed<Map>>,
    /// Steps at each level; with a map they may be 0.
    pub steps_per_level: Placed<u64>,
    /// From both ends, or forward only.
    pub directions: Placed<Directions>,
}

/// From which ends trajectories start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// From lambda = 0 and from lambda = 1.
    Both,
    /// From lambda = 0.
    Forward,
}

impl Directions {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Directions::Both => "both",
            Directions::Forward => "forward",
        }
    }
}

impl<Q> Switch<Q> {
    pub(super) fn map(&self, sample: Sample) -> Switch {
        Switch {
            sample,
            equilibrate: self.equilibrate.clone(),
            shots: self.shots.clone(),
            spacing: self.spacing.clone(),
            levels: self.levels.clone(),
            map: self.map.clone(),
            steps_per_level: self.steps_per_level.clone(),
            directions: self.directions.clone(),
        }
    }

    /// All keys but `start`.
    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        let s = &self.sample;
        let mut all = vec![
            ("propagator", format!("\"{}\"", s.propagator.name())),
            ("timestep", show(&s.timestep, Kind::Time)),
            thermal(&s.thermal, show),
            ("replicas", s.replicas.to_string()),
            ("equilibrate", self.equilibrate.to_string()),
            ("shots", self.shots.to_string()),
            ("spacing", self.spacing.to_string()),
            self.levels.field(),
            ("steps_per_level", self.steps_per_level.to_string()),
            ("directions", format!("\"{}\"", self.directions.name())),
        ];
        all.extend(self.map.as_ref().map(|m| ("map", m.text())));
        all.extend(s.leapfrog_steps.as_ref().map(|n| ("leapfrog_steps", n.to_string())));
        all.extend(s.remove_com.as_ref().map(|c| ("remove_com", c.to_string())));
        all
    }
}
