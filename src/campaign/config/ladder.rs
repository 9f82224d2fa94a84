//! Ladders: thermodynamic states in order.

use super::fields::{Number, Shown};
use super::placed::Placed;
use super::sample::Thermal;
use crate::batch::Thermo;
use crate::campaign::units::{Kind, UnitSystem, number_text};
use crate::real::Real;

/// Values in order: written one by one, or from, to and how many.
#[derive(Clone, Debug, PartialEq)]
pub enum Rungs<Q = f64> {
    /// These.
    List(Vec<Placed<Q>>),
    /// Both ends and `count - 2` between them.
    Even {
        /// The first.
        from: Placed<Q>,
        /// The last.
        to: Placed<Q>,
        /// How many, ends included.
        count: Placed<u64>,
    },
}

impl<Q> Rungs<Q> {
    /// The first value, if there is one.
    pub fn first(&self) -> Option<&Placed<Q>> {
        match self {
            Rungs::List(list) => list.first(),
            Rungs::Even { from, .. } => Some(from),
        }
    }

    /// How many values.
    pub fn count(&self) -> usize {
        match self {
            Rungs::List(list) => list.len(),
            Rungs::Even { count, .. } => count.value as usize,
        }
    }

    pub(super) fn map(&self, key: &str, kind: Kind, number: Number<'_, Q>) -> Rungs {
        match self {
            Rungs::List(list) => Rungs::List(list.iter().map(|x| number(key, x, kind)).collect()),
            Rungs::Even { from, to, count } => {
                Rungs::Even { from: number(key, from, kind), to: number(key, to, kind), count: count.clone() }
            }
        }
    }

    pub(super) fn text(&self, show: &dyn Fn(&Q) -> String) -> String {
        match self {
            Rungs::List(list) => format!("[{}]", list.iter().map(|x| show(x)).collect::<Vec<_>>().join(", ")),
            Rungs::Even { from, to, count } => format!("{{ from = {}, to = {}, count = {count} }}", show(from), show(to)),
        }
    }
}

impl Rungs<f64> {
    /// The values; between two ends at equal differences, or at equal ratios.
    pub fn values(&self, ratios: bool) -> Vec<f64> {
        match self {
            Rungs::List(list) => list.iter().map(|x| x.value).collect(),
            Rungs::Even { from, to, count } => {
                let (a, b, n) = (from.value, to.value, count.value);
                let step = if ratios { Real::ln(b / a) } else { b - a } / (n.max(2) - 1) as f64;
                let inner = |i: u64| if ratios { a * Real::exp(step * i as f64) } else { a + step * i as f64 };
                (0..n).map(|i| if i + 1 == n { b } else { inner(i) }).collect()
            }
        }
    }
}

/// The thermodynamic states of a ladder.
#[derive(Clone, Debug, PartialEq)]
pub enum Ladder<Q = f64> {
    /// Temperatures; between two ends at equal ratios.
    Temperatures(Rungs<Q>),
    /// Values of lambda at one temperature; between two ends at equal differences.
    Lambdas(Rungs<f64>),
}

impl<Q> Ladder<Q> {
    /// How many states.
    pub fn count(&self) -> usize {
        match self {
            Ladder::Temperatures(t) => t.count(),
            Ladder::Lambdas(l) => l.count(),
        }
    }

    /// The key it is written under.
    pub fn key(&self) -> &'static str {
        match self {
            Ladder::Temperatures(_) => "temperatures",
            Ladder::Lambdas(_) => "lambdas",
        }
    }

    pub(super) fn map(&self, number: Number<'_, Q>) -> Ladder {
        match self {
            Ladder::Temperatures(t) => Ladder::Temperatures(t.map("temperatures", Kind::Temperature, number)),
            Ladder::Lambdas(l) => Ladder::Lambdas(l.clone()),
        }
    }

    pub(super) fn text(&self, show: Shown<'_, Q>) -> String {
        match self {
            Ladder::Temperatures(t) => t.text(&|x| show(x, Kind::Temperature)),
            Ladder::Lambdas(l) => l.text(&|x| number_text(*x)),
        }
    }
}

impl Ladder<f64> {
    /// The states; their number is their place.
    pub fn states(&self, thermal: Thermal, lambda: f64, units: UnitSystem) -> Vec<Thermo> {
        let state = |(k, (beta, lambda)): (usize, (f64, f64))| Thermo { beta, lambda, state: k as u32 };
        match self {
            Ladder::Temperatures(t) => {
                let betas = t.values(true).into_iter().map(|t| Thermal::Temperature(t).beta(units));
                betas.map(|beta| (beta, lambda)).enumerate().map(state).collect()
            }
            Ladder::Lambdas(l) => {
                let beta = thermal.beta(units);
                l.values(false).into_iter().map(|lambda| (beta, lambda)).enumerate().map(state).collect()
            }
        }
    }

    /// The state that plain sampling would have: the first temperature, the last lambda.
    pub fn target(&self) -> usize {
        match self {
            Ladder::Temperatures(_) => 0,
            Ladder::Lambdas(_) => self.count().saturating_sub(1),
        }
    }

    /// A state in words, for tables: "300 K" or "0.25".
    pub fn names(&self, units: UnitSystem) -> Vec<String> {
        match self {
            Ladder::Temperatures(t) => {
                let unit = units.unit(Kind::Temperature);
                t.values(true).iter().map(|t| format!("{} {unit}", rounded(*t)).trim_end().to_owned()).collect()
            }
            Ladder::Lambdas(l) => l.values(false).iter().map(|l| rounded(*l)).collect(),
        }
    }
}

/// Six digits are enough for a name.
fn rounded(x: f64) -> String {
    number_text(format!("{x:.5e}").parse::<f64>().unwrap_or(x))
}
