//! What a folder of systems/ says: system.toml and reference.toml, as typed texts.

use super::{Reference, Symmetry};
use crate::campaign::units::{Kind, Misfit, Quantity, UnitSystem};
use crate::energy::formula::{Given, Value};
use crate::error::{At, Complaint, Source};
use crate::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// system.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    /// One line.
    pub(super) title: String,
    /// More, for `describe`.
    #[serde(default)]
    pub(super) description: String,
    /// Where the target comes from.
    #[serde(default)]
    pub(super) paper: String,
    /// Name of a registered formula; with `variables` the formula itself.
    pub(super) formula: Spanned<String>,
    /// Of a formula in text: one name for each degree of freedom.
    pub(super) variables: Option<Vec<Spanned<String>>>,
    /// How bare numbers are read.
    #[serde(default)]
    pub(super) units: Units,
    /// Particles, as a check on the parameters.
    pub(super) particles: Option<Spanned<usize>>,
    /// Dimensions of a particle, as a check on the parameters.
    pub(super) dimension: Option<Spanned<usize>>,
    /// What leaves the energy unchanged.
    #[serde(default)]
    pub(super) symmetries: Vec<Symmetry>,
    /// Mass of every particle.
    pub(super) mass: Option<Spanned<f64>>,
    /// Structures to start from.
    pub(super) start: Option<Spanned<Vec<Vec<f64>>>>,
    /// Of a molecule: its OpenMM System XML.
    pub(super) file: Option<Spanned<String>>,
    /// A file of structures to start from: .xyz, of a molecule .pdb.
    pub(super) coordinates: Option<Spanned<String>>,
    /// Width of the normal displacement that spreads the replicas about the start.
    #[serde(default)]
    pub(super) spread: f64,
    /// Parameters of the formula.
    #[serde(default)]
    pub(super) parameters: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// Sane settings.
    #[serde(default)]
    pub(super) defaults: RawDefaults,
    /// Regions, `[basins.NAME] observable = [lower, upper]`.
    #[serde(default)]
    pub(super) basins: BTreeMap<String, BTreeMap<String, [Written; 2]>>,
}

/// `units = "..."`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Units {
    #[default]
    Reduced,
    Molecular,
}

impl From<Units> for UnitSystem {
    fn from(u: Units) -> Self {
        match u {
            Units::Reduced => UnitSystem::Reduced,
            Units::Molecular => UnitSystem::Molecular,
        }
    }
}

/// `[defaults]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDefaults {
    pub(super) temperature: Option<Written>,
    pub(super) timestep: Option<Written>,
    pub(super) friction: Option<Written>,
    pub(super) observables: Vec<String>,
    pub(super) remove_com: Option<bool>,
}

/// A number, or a text with a unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Written {
    Number(f64),
    Text(String),
}

impl Written {
    pub(super) fn quantity(&self) -> std::result::Result<Quantity, Misfit> {
        match self {
            Written::Number(x) => Ok(Quantity::bare(*x)),
            Written::Text(t) => Quantity::parse(t),
        }
    }

    /// In internal units.
    pub(super) fn resolve(&self, source: &Source, key: &str, kind: Kind, units: UnitSystem) -> Result<f64> {
        let number = self.quantity().and_then(|q| q.resolve(key, kind, units));
        number.map_err(|m| Error::input(format!("{}: {}", source.name, m.what), m.remedy))
    }
}

/// reference.toml.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct References {
    #[serde(default)]
    reference: Vec<Spanned<Reference>>,
}

/// Reads a TOML text.
pub(super) fn parse<T: DeserializeOwned>(source: &Source) -> Result<T> {
    toml::from_str(&source.text).map_err(|e| {
        let span = e.span().unwrap_or(0..0);
        Error::input_at(source, span, e.message().to_owned(), "see `ergodica describe lj13-efm` and its folder for an example")
    })
}

/// Reads reference.toml: every value has an error and a source.
pub(super) fn references(source: &Source) -> Result<Vec<Reference>> {
    let all: References = parse(source)?;
    let mut complaints = Vec::new();
    for r in &all.reference {
        let (span, r) = (r.span(), r.get_ref());
        let mut complain = |what: String, remedy: &str| {
            let at = Some(At { source: source.clone(), span: span.clone() });
            complaints.push(Complaint { what, at, remedy: remedy.to_owned() });
        };
        if !r.value.is_finite() {
            complain(format!("`{}` is {}", r.quantity, r.value), "give a finite value");
        }
        if !(r.error.is_finite() && r.error >= 0.0) {
            complain(format!("the error of `{}` is {}", r.quantity, r.error), "give its standard error; 0 for an exact value");
        }
        if r.source.trim().is_empty() {
            complain(format!("`{}` has no source", r.quantity), "say where the value comes from, or how it is derived");
        }
    }
    if complaints.is_empty() { Ok(all.reference.into_iter().map(Spanned::into_inner).collect()) } else { Err(Error::Input(complaints)) }
}

impl Description {
    /// The parameters with their places.
    pub(super) fn given(&self, source: &Source) -> Result<Vec<Given>> {
        let mut given = Vec::new();
        for (name, value) in &self.parameters {
            let span: Range<usize> = value.span();
            let converted = convert(value.get_ref())
                .map_err(|m| Error::input_at(source, span.clone(), format!("parameter `{}`: {}", name.get_ref(), m.what), m.remedy))?;
            given.push(Given { name: name.get_ref().clone(), value: converted, at: Some(At { source: source.clone(), span }) });
        }
        Ok(given)
    }
}

/// Texts that start with a number are quantities with a unit and come out in internal units; others are words.
fn convert(value: &toml::Value) -> std::result::Result<Value, Misfit> {
    let misfit = |what: &str| Misfit { what: what.to_owned(), remedy: "write a number, a text, true or false, or a list".to_owned() };
    match value {
        toml::Value::Integer(i) => Ok(Value::Number(*i as f64)),
        toml::Value::Float(x) => Ok(Value::Number(*x)),
        toml::Value::Boolean(b) => Ok(Value::Flag(*b)),
        toml::Value::String(s) => match s.trim_start().as_bytes().first() {
            Some(b'0'..=b'9' | b'-' | b'+' | b'.') => Quantity::parse(s)?.resolve_any().map(Value::Number),
            _ => Ok(Value::Text(s.clone())),
        },
        toml::Value::Array(items) => items.iter().map(convert).collect::<std::result::Result<_, _>>().map(Value::List),
        toml::Value::Table(_) => Err(misfit("is a table")),
        toml::Value::Datetime(_) => Err(misfit("is a date")),
    }
}
