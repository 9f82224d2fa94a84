//! Expanded ensembles: jumps on a ladder of states, with learned weights.

use schemars::JsonSchema;
use serde::Deserialize;

use super::fields::{Fields, Number, Shown};
use super::ladder::Ladder;
use super::placed::Placed;
use super::sample::Sample;

/// How the weights of an expanded ensemble are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Self-adjusted mixture sampling (Tan 2017).
    Sams,
    /// Wang-Landau with the 1/t ending.
    WangLandau,
}

impl Weights {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Weights::Sams => "sams",
            Weights::WangLandau => "wang_landau",
        }
    }
}

/// Expanded ensemble: every replica jumps among the states of a ladder, with weights that are learned on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Expanded<Q = f64> {
    /// How the replicas move; its temperature is that of the first state.
    pub sample: Sample<Q>,
    /// The states.
    pub ladder: Placed<Ladder<Q>>,
    /// Steps between two jumps.
    pub jump_every: Placed<u64>,
    /// How the weights are learned.
    pub weights: Placed<Weights>,
}

impl<Q> Expanded<Q> {
    pub(super) fn map(&self, sample: Sample, number: Number<'_, Q>) -> Expanded {
        Expanded {
            sample,
            ladder: self.ladder.with(self.ladder.map(number)),
            jump_every: self.jump_every.clone(),
            weights: self.weights.clone(),
        }
    }

    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        vec![
            (self.ladder.key(), self.ladder.text(show)),
            ("jump_every", self.jump_every.to_string()),
            ("weights", format!("\"{}\"", self.weights.name())),
        ]
    }
}
