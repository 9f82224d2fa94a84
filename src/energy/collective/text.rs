//! A collective variable given as text.

use super::Collective;
use super::composite::{Composite, Symbol};
use crate::expr::Mistake;
use crate::real::{Dual, Octet};
use crate::{Error, Result};

/// An expression in coordinates and in other collective variables by name; its values live on a line.
///
/// Grammar, and derivatives at kinks: [`crate::expr`].
#[derive(Clone)]
pub struct TextCollective {
    composite: Composite,
}

/// The input that a restraint has and a collective variable has not: no formula can say this name.
const NOTHING: &str = "";

impl TextCollective {
    /// Of configurations of `dof` numbers; `names` says what the formula's names stand for.
    ///
    /// # Errors
    /// The formula's [`Mistake`].
    pub fn compile(text: &str, names: &[(String, Symbol)], dof: usize) -> std::result::Result<Self, Mistake> {
        Ok(TextCollective { composite: Composite::new(text, names, NOTHING, dof)? })
    }

    /// The same for a formula that stands in no file.
    ///
    /// # Errors
    /// `Error::Input` that points into the formula; `Error::Shape` for a name that stands for more than there is.
    pub fn new(text: &str, names: &[(String, Symbol)], dof: usize) -> Result<Self> {
        fits(names, dof)?;
        Self::compile(text, names, dof).map_err(|m| m.within(text))
    }
}

/// Everything that names stand for belongs to configurations of `dof` numbers.
pub(in crate::energy) fn fits(names: &[(String, Symbol)], dof: usize) -> Result<()> {
    for (_, symbol) in names {
        match symbol {
            Symbol::Coordinate(i) if *i >= dof => {
                return Err(Error::Shape { what: "coordinate of a name in a formula", expected: dof, found: *i });
            }
            Symbol::Collective(xi) if xi.dof() != dof => {
                return Err(Error::Shape { what: "degrees of freedom of a collective variable", expected: dof, found: xi.dof() });
            }
            _ => {}
        }
    }
    Ok(())
}

impl Collective for TextCollective {
    fn dof(&self) -> usize {
        self.composite.dof()
    }
    fn support(&self) -> &[usize] {
        self.composite.support()
    }
    fn period(&self) -> Option<f64> {
        None
    }
    fn value_gradient_block(&self, x: &[Octet], gradient: &mut [Octet]) -> Octet {
        self.composite.block(x, Octet::of(0.0), gradient)
    }
    fn value_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.composite.one(x, 0.0, gradient)
    }
    fn derivative(&self, x: &[f64], dx: &[f64]) -> (f64, f64) {
        self.composite.derivative(x, Dual::new(0.0, 0.0), dx)
    }
}
