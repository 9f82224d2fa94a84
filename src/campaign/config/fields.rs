//! How the keys of a stage become numbers, and how they are written again.
//!
//! What all chains share (propagator, step, replicas, ...) is a [`super::Sample`]; each kind of stage adds its own keys. Its `map` turns
//! quantities into numbers; its `fields` lists the own keys and their values as TOML, for `resolved.toml` and for the comparison of
//! campaigns alike.

use super::placed::Placed;
use super::sample::Thermal;
use crate::campaign::units::Kind;

/// How a quantity is turned into a number.
pub(super) type Number<'a, Q> = &'a mut dyn FnMut(&str, &Placed<Q>, Kind) -> Placed<f64>;
/// How a quantity is written.
pub(super) type Shown<'a, Q> = &'a dyn Fn(&Q, Kind) -> String;
/// Keys and values as TOML.
pub(super) type Fields = Vec<(&'static str, String)>;

pub(super) fn thermal<Q>(thermal: &Thermal<Q>, show: Shown<'_, Q>) -> (&'static str, String) {
    match thermal {
        Thermal::Temperature(t) => ("temperature", show(t, Kind::Temperature)),
        Thermal::Beta(beta) => ("beta", show(beta, Kind::InverseEnergy)),
    }
}
