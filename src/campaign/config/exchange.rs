//! Replica exchange over a ladder of states.

use schemars::JsonSchema;
use serde::Deserialize;

use super::fields::{Fields, Number, Shown};
use super::ladder::Ladder;
use super::placed::Placed;
use super::sample::Sample;

/// How states are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mixing {
    /// Pairs of neighbours, even and odd ones in turn.
    Neighbour,
    /// Many pairs drawn at random, so that the permutation is nearly independent of the one before.
    Gibbs,
    /// Never: umbrella windows.
    None,
}

impl Mixing {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Mixing::Neighbour => "neighbour",
            Mixing::Gibbs => "gibbs",
            Mixing::None => "none",
        }
    }
}

/// Replica exchange over a ladder; `replicas` of the sample are independent copies of the whole ladder.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange<Q = f64> {
    /// How the replicas move; its temperature is that of the first state.
    pub sample: Sample<Q>,
    /// The states.
    pub ladder: Placed<Ladder<Q>>,
    /// Steps between two rounds of exchanges.
    pub swap_every: Placed<u64>,
    /// Which pairs are tried.
    pub mixing: Placed<Mixing>,
}

impl<Q> Exchange<Q> {
    pub(super) fn map(&self, sample: Sample, number: Number<'_, Q>) -> Exchange {
        Exchange {
            sample,
            ladder: self.ladder.with(self.ladder.map(number)),
            swap_every: self.swap_every.clone(),
            mixing: self.mixing.clone(),
        }
    }

    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        vec![
            (self.ladder.key(), self.ladder.text(show)),
            ("swap_every", self.swap_every.to_string()),
            ("mixing", format!("\"{}\"", self.mixing.name())),
        ]
    }
}
