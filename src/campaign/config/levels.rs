//! What an annealing or a switching passes on its way: values of lambda, or temperatures.

use super::fields::{Number, Shown};
use super::ladder::{Ladder, Rungs};
use super::placed::Placed;
use super::sample::Thermal;
use crate::batch::Thermo;
use crate::campaign::units::{Kind, UnitSystem, number_text};

/// The values of lambda that an annealing or a switching passes.
#[derive(Clone, Debug, PartialEq)]
pub enum Levels {
    /// So many intervals of equal length from 0 to 1.
    Count(u64),
    /// These, from 0 to 1.
    List(Vec<Placed<f64>>),
}

impl Levels {
    /// The values, ends included.
    pub fn values(&self) -> Vec<f64> {
        match self {
            Levels::Count(n) => (0..=*n).map(|k| k as f64 / *n as f64).collect(),
            Levels::List(list) => list.iter().map(|l| l.value).collect(),
        }
    }

    pub(super) fn field(&self) -> (&'static str, String) {
        match self {
            Levels::Count(n) => ("levels", n.to_string()),
            Levels::List(list) => ("lambdas", format!("[{}]", list.iter().map(|l| number_text(l.value)).collect::<Vec<_>>().join(", "))),
        }
    }
}

/// What an annealing goes along.
#[derive(Clone, Debug, PartialEq)]
pub enum Along<Q = f64> {
    /// lambda from 0 to 1, at one temperature.
    Lambda(Levels),
    /// Temperature from hot to cold, at full coupling; between two ends at equal ratios.
    Temperature(Rungs<Q>),
}

impl<Q> Along<Q> {
    /// How many levels, both ends included.
    pub fn count(&self) -> u64 {
        match self {
            Along::Lambda(Levels::Count(n)) => n + 1,
            Along::Lambda(Levels::List(list)) => list.len() as u64,
            Along::Temperature(t) => t.count() as u64,
        }
    }

    /// The temperatures.
    pub fn temperatures(&self) -> Option<&Rungs<Q>> {
        match self {
            Along::Lambda(_) => None,
            Along::Temperature(t) => Some(t),
        }
    }

    pub(super) fn map(&self, number: Number<'_, Q>) -> Along {
        match self {
            Along::Lambda(levels) => Along::Lambda(levels.clone()),
            Along::Temperature(t) => Along::Temperature(t.map("temperatures", Kind::Temperature, number)),
        }
    }

    pub(super) fn field(&self, show: Shown<'_, Q>) -> (&'static str, String) {
        match self {
            Along::Lambda(levels) => levels.field(),
            Along::Temperature(t) => ("temperatures", t.text(&|x| show(x, Kind::Temperature))),
        }
    }
}

impl Along<f64> {
    /// The levels, numbered.
    pub fn states(&self, thermal: Thermal, units: UnitSystem) -> Vec<Thermo> {
        match self {
            Along::Lambda(levels) => {
                let beta = thermal.beta(units);
                let level = |(k, lambda): (usize, f64)| Thermo { beta, lambda, state: k as u32 };
                levels.values().into_iter().enumerate().map(level).collect()
            }
            Along::Temperature(t) => Ladder::Temperatures(t.clone()).states(thermal, 1.0, units),
        }
    }
}
