//! A potential with a restraint on top: an energy in collective variables.

use super::collective::{Composite, Symbol, fits};
use super::text::LAMBDA;
use super::{Potential, plus};
use crate::expr::Mistake;
use crate::real::{Dual, Octet};
use crate::{Error, Result};
use std::sync::Arc;

/// U(x; lambda) + E(xi_1(x), ..., xi_n(x); lambda), E an expression: `k*(r - 1)^2/2`, flat-bottomed `k*max(0, r - 2)^2/2`, a wall
/// `step(x - 3)*(x - 3)^4`, switched on by `lambda*...`.
///
/// Terms: those of U, then `restraint`. An angle in E is a number in (-pi, pi]: write `1 - cos(phi - 2)` where it may go around.
#[derive(Clone)]
pub struct Restrained {
    potential: Arc<dyn Potential>,
    energy: Composite,
}

impl Restrained {
    /// `names` says what the names in the energy's formula stand for; `lambda` is known beside them.
    ///
    /// # Errors
    /// `Error::Input` that points into the formula; `Error::Shape` for a name that stands for more than there is.
    pub fn new(potential: Arc<dyn Potential>, energy: &str, names: &[(String, Symbol)]) -> Result<Self> {
        fits(names, potential.dof())?;
        if names.iter().any(|(name, _)| name == LAMBDA) {
            return Err(Error::input("the name \"lambda\" is the coupling parameter", "choose another name"));
        }
        Self::compile(potential, energy, names).map_err(|m| m.within(energy))
    }

    /// The same restraint on another potential of the same coordinates.
    ///
    /// # Errors
    /// `Error::Shape` when it has other degrees of freedom.
    pub fn over(&self, potential: Arc<dyn Potential>) -> Result<Self> {
        if potential.dof() != self.energy.dof() {
            return Err(Error::Shape { what: "degrees of freedom under a restraint", expected: self.energy.dof(), found: potential.dof() });
        }
        Ok(Restrained { potential, energy: self.energy.clone() })
    }

    /// The same for a caller who knows where the formula stands, with names that fit.
    ///
    /// # Errors
    /// The formula's [`Mistake`].
    pub fn compile(potential: Arc<dyn Potential>, energy: &str, names: &[(String, Symbol)]) -> std::result::Result<Self, Mistake> {
        let energy = Composite::new(energy, names, LAMBDA, potential.dof())?;
        Ok(Restrained { potential, energy })
    }
}

impl Potential for Restrained {
    fn dof(&self) -> usize {
        self.potential.dof()
    }
    fn terms(&self) -> Vec<String> {
        let mut terms = self.potential.terms();
        terms.push("restraint".to_owned());
        terms
    }
    fn linear(&self) -> bool {
        self.potential.linear() && !self.energy.has_last()
    }
    fn calls(&self, couplings: usize) -> usize {
        self.potential.calls(couplings)
    }
    fn version(&self) -> u64 {
        self.potential.version()
    }
    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        let mut gradient = vec![Octet::of(0.0); self.energy.support().len()];
        let e = self.energy.block(x, lambda, &mut gradient);
        let u = match terms.and_then(<[Octet]>::split_last_mut) {
            Some((last, terms)) => {
                *last = e;
                self.potential.eval_block(x, lambda, f, Some(terms))
            }
            None => self.potential.eval_block(x, lambda, f, None),
        };
        for (d, g) in self.energy.support().iter().zip(&gradient) {
            for (f, g) in f[*d].0.iter_mut().zip(g.0) {
                *f -= g;
            }
        }
        plus(u, e)
    }
    fn energies_block(&self, x: &[Octet], lambdas: &[f64], u: &mut [Octet]) {
        self.potential.energies_block(x, lambdas, u);
        let mut gradient = vec![Octet::of(0.0); self.energy.support().len()];
        let mut e = Octet::of(0.0);
        for (k, (u, lambda)) in u.iter_mut().zip(lambdas).enumerate() {
            if k == 0 || self.energy.has_last() {
                e = self.energy.block(x, Octet::of(*lambda), &mut gradient);
            }
            *u = plus(*u, e);
        }
    }
    fn slope_block(&self, x: &[Octet], lambda: Octet) -> Octet {
        let mut slope = self.potential.slope_block(x, lambda);
        if self.energy.has_last() {
            let still = vec![0.0; x.len()];
            for (lane, slope) in slope.0.iter_mut().enumerate() {
                let one: Vec<f64> = x.iter().map(|o| o.0[lane]).collect();
                *slope += self.energy.derivative(&one, Dual::new(lambda.0[lane], 1.0), &still).1;
            }
        }
        slope
    }
    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        let mut gradient = vec![0.0; self.energy.support().len()];
        let e = self.energy.one(x, lambda, &mut gradient);
        let n = terms.len().saturating_sub(1);
        let u = self.potential.eval_one(x, lambda, f, &mut terms[..n]);
        terms[n] = e;
        for (d, g) in self.energy.support().iter().zip(&gradient) {
            f[*d] -= g;
        }
        u + e
    }
    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        let (u, du) = self.potential.derivative(x, lambda, dx, dlambda);
        let (e, de) = self.energy.derivative(x, Dual::new(lambda, dlambda), dx);
        (u + e, du + de)
    }
}
