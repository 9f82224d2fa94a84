//! Which system a campaign samples, and its parameters.

use super::formula::Formula;
use super::observables::NamedObservable;
use super::placed::Placed;
use crate::campaign::units::Quantity;

/// Which system is sampled.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Where it comes from.
    pub from: SystemFrom,
    /// Parameters that replace the system's own.
    pub parameters: Vec<(Placed<String>, Placed<Value>)>,
    /// Names for collective variables, in order.
    pub observables: Vec<NamedObservable>,
    /// An energy on top, as a formula.
    pub restraint: Option<Placed<String>>,
}

/// Where a system comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum SystemFrom {
    /// A folder of systems/, or the path of one.
    Name(Placed<String>),
    /// An OpenMM System and its structure.
    File {
        /// System XML.
        file: Placed<String>,
        /// PDB.
        coordinates: Placed<String>,
    },
    /// A formula in the campaign itself.
    Formula(Formula),
    /// None: the campaign only reads other programs' files.
    Data,
}

/// The value of a system's parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number with or without a unit; [`Quantity::resolve_any`] gives it in internal units.
    Number(Quantity),
    /// A word.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Several.
    List(Vec<Value>),
}
