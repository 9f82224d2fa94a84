//! A formula with a name: what it computes, which parameters it takes, how a potential is made of them.
//!
//! Each file of formulas exports one [`Formula`]; the registry lists them. Parameters are checked here once for all:
//! unknown names, missing ones, wrong types and values out of range are all gathered into one error.

use super::{Batched, Energy, Potential};
use crate::error::{At, Complaint};
use crate::{Error, Result};
use std::fmt;
use std::sync::Arc;

/// The value of a parameter, in internal units.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Several.
    List(Vec<Value>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(x) => write!(f, "{x}"),
            Value::Text(t) => write!(f, "\"{t}\""),
            Value::Flag(b) => write!(f, "{b}"),
            Value::List(items) if items.len() > 6 => write!(f, "a list of {} values", items.len()),
            Value::List(items) => {
                write!(f, "[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i > 0 { ", " } else { "" })?;
                }
                write!(f, "]")
            }
        }
    }
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A finite number.
    Number,
    /// A number above 0.
    Positive,
    /// A number, 0 or above.
    NonNegative,
    /// A whole number from 1 to 1 000 000.
    Count,
    /// Finite numbers.
    List,
    /// Rows of finite numbers, all of one length.
    Rows,
}

impl Kind {
    /// In words: "a number above 0".
    pub fn words(self) -> &'static str {
        match self {
            Kind::Number => "a finite number",
            Kind::Positive => "a number above 0",
            Kind::NonNegative => "a number, 0 or above",
            Kind::Count => "a whole number from 1 to 1000000",
            Kind::List => "a list of finite numbers",
            Kind::Rows => "a list of rows of finite numbers, all of one length",
        }
    }

    fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Kind::Number, Value::Number(x)) => x.is_finite(),
            (Kind::Positive, Value::Number(x)) => x.is_finite() && *x > 0.0,
            (Kind::NonNegative, Value::Number(x)) => x.is_finite() && *x >= 0.0,
            (Kind::Count, Value::Number(x)) => (1.0..=1e6).contains(x) && x.fract() == 0.0,
            (Kind::List, Value::List(items)) => !items.is_empty() && items.iter().all(|v| Kind::Number.admits(v)),
            (Kind::Rows, Value::List(rows)) => {
                let length = |row: &Value| if let Value::List(items) = row { items.len() } else { 0 };
                let first = rows.first().map_or(0, length);
                rows.iter().all(|row| Kind::List.admits(row) && length(row) == first) && first > 0
            }
            _ => false,
        }
    }
}

/// A parameter of a formula.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in `[parameters]`.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it means, with its symbol in the formula.
    pub doc: &'static str,
    /// Its value when it is left out; none: it may be missing only if the formula says so, see [`Parameter::optional`].
    pub default: Option<f64>,
    /// It may be left out without a default.
    pub optional: bool,
}

impl Parameter {
    /// One that must be given.
    pub const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Parameter { name, kind, doc, default: None, optional: false }
    }
    /// A number with a default.
    pub const fn number(name: &'static str, kind: Kind, default: f64, doc: &'static str) -> Self {
        Parameter { name, kind, doc, default: Some(default), optional: false }
    }
    /// One whose absence means something.
    pub const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Parameter { name, kind, doc, default: None, optional: true }
    }
}

/// A parameter as somebody gave it.
#[derive(Clone, Debug)]
pub struct Given {
    /// Name.
    pub name: String,
    /// Value.
    pub value: Value,
    /// Where it was written, for messages.
    pub at: Option<At>,
}

impl Given {
    /// Without a place.
    pub fn new(name: impl Into<String>, value: Value) -> Self {
        Given { name: name.into(), value, at: None }
    }
}

/// What a builder makes.
#[derive(Clone)]
pub struct Built {
    /// The potential.
    pub potential: Arc<dyn Potential>,
    /// How many particles; 1 for a point in `dimension` dimensions.
    pub particles: usize,
    /// Dimensions of one particle.
    pub dimension: usize,
}

impl Built {
    /// A formula of `particles` in `dimension` dimensions, 8 replicas in lanes.
    pub fn of<E: Energy>(energy: E, particles: usize, dimension: usize) -> Self {
        Built { potential: Arc::new(Batched(energy)), particles, dimension }
    }
}

/// A formula by name.
pub struct Formula {
    /// Its name in `formula = "..."`.
    pub name: &'static str,
    /// The equation, in one line.
    pub equation: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// Makes the potential of checked parameters.
    pub build: fn(&Parameters) -> Result<Built>,
}

impl Formula {
    /// Checks the parameters and makes the potential; later entries of `given` replace earlier ones of the same name.
    ///
    /// # Errors
    /// `Error::Input` with every complaint: unknown names with the nearest known one, missing parameters, unfit values.
    pub fn build(&self, given: &[Given]) -> Result<(Built, Parameters)> {
        let parameters = self.check(given)?;
        Ok(((self.build)(&parameters)?, parameters))
    }

    fn check(&self, given: &[Given]) -> Result<Parameters> {
        let names: Vec<&str> = self.parameters.iter().map(|p| p.name).collect();
        let mut complaints = Vec::new();
        for g in given {
            let Some(p) = self.parameters.iter().find(|p| p.name == g.name) else {
                let hint = did_you_mean(&g.name, &names);
                let remedy = format!("{hint}{} takes: {}", self.name, names.join(", "));
                complaints.push(Complaint { what: format!("unknown parameter `{}`", g.name), at: g.at.clone(), remedy });
                continue;
            };
            if !p.kind.admits(&g.value) {
                let what = format!("parameter `{}` is {}, but must be {}", p.name, g.value, p.kind.words());
                complaints.push(Complaint { what, at: g.at.clone(), remedy: format!("{}: {}", p.name, p.doc) });
            }
        }
        let mut values = Vec::new();
        for p in self.parameters {
            let value = given.iter().rev().find(|g| g.name == p.name).map(|g| g.value.clone()).or(p.default.map(Value::Number));
            match value {
                Some(v) => values.push((p.name, v)),
                None if p.optional => {}
                None => complaints.push(Complaint {
                    what: format!("parameter `{}` of {} is missing", p.name, self.name),
                    at: None,
                    remedy: format!("{}: {} ({})", p.name, p.doc, p.kind.words()),
                }),
            }
        }
        if complaints.is_empty() { Ok(Parameters { formula: self.name, values }) } else { Err(Error::Input(complaints)) }
    }
}

/// "did you mean `x`? ", or nothing.
fn did_you_mean(wrong: &str, known: &[&str]) -> String {
    let near = known.iter().map(|k| (strsim::osa_distance(wrong, k), k)).min();
    match near {
        Some((d, k)) if d <= (wrong.len() / 3).max(1) => format!("did you mean `{k}`? "),
        _ => String::new(),
    }
}

/// Checked parameters.
#[derive(Clone, Debug)]
pub struct Parameters {
    formula: &'static str,
    values: Vec<(&'static str, Value)>,
}

impl Parameters {
    /// All that are set, in the formula's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(n, v)| (*n, v))
    }

    /// Was it given, or has it a default?
    pub fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(n, _)| *n == name)
    }

    fn get(&self, name: &str) -> Result<&Value> {
        let found = self.values.iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        found.ok_or_else(|| Error::input(format!("{} needs the parameter `{name}`", self.formula), format!("set {name}")))
    }

    /// A number.
    ///
    /// # Errors
    /// `Error::Input` when it is not set.
    pub fn number(&self, name: &str) -> Result<f64> {
        match self.get(name)? {
            Value::Number(x) => Ok(*x),
            other => Err(self.unfit(name, &format!("is {other}, not a number"))),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// `Error::Input` when it is not set.
    pub fn count(&self, name: &str) -> Result<usize> {
        self.number(name).map(|x| x as usize)
    }

    /// Numbers.
    ///
    /// # Errors
    /// `Error::Input` when it is not set.
    pub fn list(&self, name: &str) -> Result<Vec<f64>> {
        Ok(numbers(self.get(name)?))
    }

    /// Rows of numbers, all of one length.
    ///
    /// # Errors
    /// `Error::Input` when it is not set.
    pub fn rows(&self, name: &str) -> Result<Vec<Vec<f64>>> {
        match self.get(name)? {
            Value::List(rows) => Ok(rows.iter().map(numbers).collect()),
            other => Err(self.unfit(name, &format!("is {other}, not a list"))),
        }
    }

    /// A complaint about a parameter that its kind alone cannot rule out.
    pub fn unfit(&self, name: &str, why: &str) -> Error {
        Error::input(format!("parameter `{name}` of {} {why}", self.formula), format!("change {name}"))
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Number(x) => vec![*x],
        Value::List(items) => items.iter().flat_map(numbers).collect(),
        _ => Vec::new(),
    }
}
