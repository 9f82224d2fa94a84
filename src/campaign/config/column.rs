//! Columns: what a sample stage can store, as texts.
//!
//! | text | shape | what |
//! |---|---|---|
//! | `positions`, `velocities`, `forces` | atom, 3 (or dof) | arrays |
//! | `energy` | 1 | potential energy |
//! | `terms` | terms | each force or term; one of them is `energy:NAME` in an estimate |
//! | `kinetic_temperature`, `configurational_temperature` | 1 | |
//! | `radius_of_gyration` | 1 | |
//! | `dihedral:SPEC` | 1 | phi, psi, omega, chi1, with a residue where there are several (`phi:3`, `phi:A:3`), or four atoms (`N,CA,C,#14`) |
//! | `distance:A,B` | 1 | two atoms |
//! | `coordinate:I` | 1 | one coordinate, counted from 0, or a variable of a formula by its name |
//! | `observable:NAME` | 1 | a formula of `[system.observables]` |
//!
//! An estimate or a basin may call a named dihedral by its name alone: `phi` for `dihedral:phi`.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::campaign::units::{Kind, Misfit};

/// A column, parsed as far as it can be without the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As written.
    pub text: String,
    /// What it is.
    pub kind: ColumnKind,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Positions of all atoms.
    Positions,
    /// Velocities of all atoms.
    Velocities,
    /// Forces on all atoms.
    Forces,
    /// Potential energy.
    Energy,
    /// Every term of the energy.
    Terms,
    /// One named term.
    Term(String),
    /// From the velocities, at the O step where there is one.
    KineticTemperature,
    /// From forces and their divergence.
    ConfigurationalTemperature,
    /// Mass-weighted.
    RadiusOfGyration,
    /// The selection after `dihedral:`.
    Dihedral(String),
    /// Two atoms after `distance:`.
    Distance(String, String),
    /// One coordinate.
    Coordinate(u64),
    /// A variable of a system given as a formula.
    Variable(String),
    /// An observable of `[system.observables]` that is a formula.
    Observable(String),
}

const PLAIN: [(&str, ColumnKind); 8] = [
    ("positions", ColumnKind::Positions),
    ("velocities", ColumnKind::Velocities),
    ("forces", ColumnKind::Forces),
    ("energy", ColumnKind::Energy),
    ("terms", ColumnKind::Terms),
    ("kinetic_temperature", ColumnKind::KineticTemperature),
    ("configurational_temperature", ColumnKind::ConfigurationalTemperature),
    ("radius_of_gyration", ColumnKind::RadiusOfGyration),
];
const WITH_ARGUMENT: [&str; 5] = ["dihedral", "distance", "coordinate", "energy", "observable"];
const LIST: &str = "positions, velocities, forces, energy, terms, kinetic_temperature, configurational_temperature, radius_of_gyration, \
                    dihedral:phi, distance:A,B, coordinate:0";

impl Column {
    /// Reads a column's text.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        let misfit = |what: String, remedy: &str| Misfit { what, remedy: remedy.to_owned() };
        let shown: String = text.chars().take(60).collect();
        let kind = match text.split_once(':') {
            None => {
                let found = PLAIN.iter().find(|(name, _)| *name == text).map(|(_, kind)| kind.clone());
                found.ok_or_else(|| {
                    let remedy = match text {
                        "phi" | "psi" | "omega" | "chi1" => format!("write \"dihedral:{text}\""),
                        "temperature" => "write \"kinetic_temperature\" or \"configurational_temperature\"".to_owned(),
                        "dihedral" => "say which one: \"dihedral:phi\", or four atoms \"dihedral:N,CA,C,O\"".to_owned(),
                        "distance" => "say between which atoms: \"distance:CA,O\"".to_owned(),
                        _ => match crate::campaign::nearest(text, PLAIN.iter().map(|(name, _)| *name).chain(WITH_ARGUMENT)) {
                            Some(near) => format!("did you mean \"{near}\"? Columns: {LIST}"),
                            None => format!("columns: {LIST}"),
                        },
                    };
                    misfit(format!("unknown column \"{shown}\""), &remedy)
                })?
            }
            Some(("dihedral", spec)) => {
                let atoms = spec.split(',').count();
                if spec.trim().is_empty() || !matches!(atoms, 1 | 4) || spec.split(',').any(|a| a.trim().is_empty()) {
                    return Err(misfit(
                        format!("\"{shown}\" is no dihedral"),
                        "name it (phi, psi, omega, chi1, with a residue: phi:3) or list four atoms: \"dihedral:N,CA,C,O\"",
                    ));
                }
                ColumnKind::Dihedral(spec.trim().to_owned())
            }
            Some(("distance", spec)) => match spec.split(',').map(str::trim).collect::<Vec<_>>()[..] {
                [a, b] if !a.is_empty() && !b.is_empty() => ColumnKind::Distance(a.to_owned(), b.to_owned()),
                _ => {
                    return Err(misfit(
                        format!("\"{shown}\" does not name two atoms"),
                        "write \"distance:A,B\", atoms by name (CA), residue and name (12:CA), chain too (A:12:CA) or index (#4)",
                    ));
                }
            },
            Some(("coordinate", spec)) => {
                let spec = spec.trim();
                match spec.parse::<u64>() {
                    Ok(index) => ColumnKind::Coordinate(index),
                    Err(_) if crate::expr::check_name(spec).is_ok() => ColumnKind::Variable(spec.to_owned()),
                    Err(_) => {
                        let remedy = "count coordinates from 0: \"coordinate:0\", or name a variable of the formula";
                        return Err(misfit(format!("\"{shown}\" does not name a coordinate"), remedy));
                    }
                }
            }
            Some(("observable", name)) => {
                let name = name.trim();
                if crate::expr::check_name(name).is_err() {
                    return Err(misfit(
                        format!("\"{shown}\" names no observable"),
                        "write \"observable:NAME\", NAME from [system.observables]",
                    ));
                }
                ColumnKind::Observable(name.to_owned())
            }
            Some(("energy", term)) if !term.trim().is_empty() => ColumnKind::Term(term.trim().to_owned()),
            Some((head, _)) => {
                let remedy = match crate::campaign::nearest(head, WITH_ARGUMENT.into_iter()) {
                    Some(near) => format!("did you mean \"{near}:...\"? Columns: {LIST}"),
                    None => format!("columns: {LIST}"),
                };
                return Err(misfit(format!("unknown column \"{shown}\""), &remedy));
            }
        };
        Ok(Column { text: text.to_owned(), kind })
    }

    /// The name used in tables and messages: of a named dihedral ("phi") and a variable what follows the first colon, of all others the
    /// text.
    pub fn name(&self) -> &str {
        match &self.kind {
            ColumnKind::Dihedral(spec) if !spec.contains(',') => spec,
            ColumnKind::Variable(name) | ColumnKind::Observable(name) => name,
            _ => &self.text,
        }
    }

    /// Whether an estimate or a basin that says `word` can mean this column.
    pub fn answers_to(&self, word: &str) -> bool {
        self.text == word || self.name() == word
    }

    /// One number a frame and replica.
    pub fn scalar(&self) -> bool {
        !matches!(self.kind, ColumnKind::Positions | ColumnKind::Velocities | ColumnKind::Forces | ColumnKind::Terms)
    }

    /// A number on the circle from -pi to pi.
    pub fn periodic(&self) -> bool {
        matches!(self.kind, ColumnKind::Dihedral(_))
    }

    /// What its numbers measure; none for arrays of velocities.
    pub fn quantity(&self) -> Option<Kind> {
        match self.kind {
            ColumnKind::Positions
            | ColumnKind::RadiusOfGyration
            | ColumnKind::Distance(..)
            | ColumnKind::Coordinate(_)
            | ColumnKind::Variable(_) => Some(Kind::Length),
            ColumnKind::Velocities => None,
            ColumnKind::Forces => Some(Kind::Force),
            ColumnKind::Energy | ColumnKind::Terms | ColumnKind::Term(_) => Some(Kind::Energy),
            ColumnKind::KineticTemperature | ColumnKind::ConfigurationalTemperature => Some(Kind::Temperature),
            ColumnKind::Dihedral(_) => Some(Kind::Angle),
            ColumnKind::Observable(_) => Some(Kind::Dimensionless),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = super::leaf::Word::deserialize(from)?;
        Column::parse(&text.0).map_err(|m| D::Error::custom(super::leaf::pack(&m)))
    }
}

impl JsonSchema for Column {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Column".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "description": format!("one of: {LIST}, energy:TERM") })
    }
}
