//! A potential given as text.

use super::Potential;
use super::room::with_room;
use crate::expr::{Compiled, Mistake, Scope, check_name, parse};
use crate::real::{Dual, Lanewise, Octet, Real, Wide, dispatch};
use crate::{Error, Result};

/// U(x; lambda) as an expression in named variables and parameters and in `lambda`, with its exact gradient.
///
/// Grammar, and derivatives at kinks: [`crate::expr`]. Term: `energy`. Parameters are numbers of the compiled formula.
/// Bits: a lane is the plain number, and the energy alone ([`Potential::derivative`]) is that beside the forces.
#[derive(Clone, Debug)]
pub struct TextPotential {
    variables: usize,
    function: Compiled,
    /// The same with lambda first, differentiated by it; none where lambda does not occur.
    slope: Option<Compiled>,
}

/// The coupling parameter in a formula.
pub const LAMBDA: &str = "lambda";

impl TextPotential {
    /// A formula in `variables`, one for each degree of freedom, and `parameters`.
    ///
    /// # Errors
    /// `Error::Input`: a name that cannot be one or stands for two things; a mistake in the formula, pointing into it.
    pub fn new(text: &str, variables: &[String], parameters: &[(String, f64)]) -> Result<Self> {
        check_names(variables, parameters)?;
        Self::compile(text, variables, parameters).map_err(|m| m.within(text))
    }

    /// As [`TextPotential::new`] for names already checked; the caller knows where the formula stands.
    ///
    /// # Errors
    /// The formula's mistake.
    pub fn compile(text: &str, variables: &[String], parameters: &[(String, f64)]) -> std::result::Result<Self, Mistake> {
        let tree = parse(text)?;
        let (tree, lambda) = (std::slice::from_ref(&tree), [LAMBDA.to_owned()]);
        let scope = |inputs: Vec<String>| Scope { inputs, constants: parameters.to_vec() };
        let function = Compiled::of(tree, &scope([variables, &lambda[..]].concat()), variables.len()).map_err(|(_, m)| m)?;
        let slope = if tree[0].names().iter().any(|(name, _)| *name == LAMBDA) {
            Some(Compiled::of(tree, &scope([&lambda[..], variables].concat()), 1).map_err(|(_, m)| m)?)
        } else {
            None
        };
        Ok(TextPotential { variables: variables.len(), function, slope })
    }

    /// Does `lambda` occur in the formula?
    pub fn has_lambda(&self) -> bool {
        self.slope.is_some()
    }

    /// Steps of the interpreter for an energy with its forces.
    pub fn steps(&self) -> usize {
        self.function.steps().1
    }
}

/// Names of variables and parameters: readable, not taken, each for one thing.
fn check_names(variables: &[String], parameters: &[(String, f64)]) -> Result<()> {
    let mut seen: Vec<&str> = vec![LAMBDA];
    for name in variables.iter().chain(parameters.iter().map(|(n, _)| n)) {
        check_name(name).map_err(|(what, remedy)| Error::input(what, remedy))?;
        if seen.contains(&name.as_str()) {
            let what = if name == LAMBDA { "is the coupling parameter".to_owned() } else { "stands for two things".to_owned() };
            return Err(Error::input(format!("the name \"{name}\" {what}"), "choose another name"));
        }
        seen.push(name);
    }
    Ok(())
}

/// Energies alone.
struct Value<'a> {
    of: &'a TextPotential,
    x: &'a [Octet],
    lambda: Octet,
    slots: &'a mut [Octet],
}

impl Lanewise for Value<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let slots = L::of_octets_mut(self.slots);
        self.of.load(L::of_octets(self.x), L::load(self.lambda), slots);
        self.of.function.value(slots).store()
    }
}

/// dU/dlambda.
struct Slope<'a> {
    of: &'a Compiled,
    x: &'a [Octet],
    lambda: Octet,
    slots: &'a mut [Octet],
}

impl Lanewise for Slope<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let (x, slots) = (L::of_octets(self.x), L::of_octets_mut(self.slots));
        slots[0] = L::load(self.lambda);
        slots[1..=x.len()].copy_from_slice(x);
        let mut slope = [L::of(0.0)];
        self.of.value_gradient(slots, &mut slope);
        slope[0].store()
    }
}

struct Block<'a> {
    of: &'a TextPotential,
    x: &'a [Octet],
    lambda: Octet,
    slots: &'a mut [Octet],
    f: &'a mut [Octet],
}

impl Lanewise for Block<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let (x, slots, f) = (L::of_octets(self.x), L::of_octets_mut(self.slots), L::of_octets_mut(self.f));
        self.of.energy_force(x, L::load(self.lambda), slots, f).store()
    }
}

impl TextPotential {
    #[inline(always)]
    fn load<T: Real>(&self, x: &[T], lambda: T, slots: &mut [T]) {
        slots[..self.variables].copy_from_slice(&x[..self.variables]);
        slots[self.variables] = lambda;
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], lambda: T, slots: &mut [T], f: &mut [T]) -> T {
        self.load(x, lambda, slots);
        let u = self.function.value_gradient(slots, f);
        for i in 0..self.variables {
            f[i] = -f[i];
        }
        u
    }
}

impl Potential for TextPotential {
    fn dof(&self) -> usize {
        self.variables
    }
    fn terms(&self) -> Vec<String> {
        vec!["energy".to_owned()]
    }
    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        let u = with_room(self.function.slots(), |slots| dispatch(Block { of: self, x, lambda, slots, f }));
        if let Some(terms) = terms {
            terms[0] = u;
        }
        u
    }
    fn energies_block(&self, x: &[Octet], lambdas: &[f64], u: &mut [Octet]) {
        with_room(self.function.slots(), |slots| {
            for (u, lambda) in u.iter_mut().zip(lambdas) {
                *u = dispatch(Value { of: self, x, lambda: Octet::of(*lambda), slots: &mut *slots });
            }
        });
    }
    fn slope_block(&self, x: &[Octet], lambda: Octet) -> Octet {
        match &self.slope {
            Some(of) => with_room(of.slots(), |slots| dispatch(Slope { of, x, lambda, slots })),
            None => Octet::of(0.0),
        }
    }
    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        let mut slots = vec![0.0; self.function.slots()];
        let u = self.energy_force(x, lambda, &mut slots, f);
        terms[0] = u;
        u
    }
    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        let mut duals = Vec::with_capacity(x.len());
        for (re, eps) in x.iter().zip(dx) {
            duals.push(Dual::new(*re, *eps));
        }
        let mut slots = vec![Dual::<f64>::of(0.0); self.function.slots()];
        self.load(&duals, Dual::new(lambda, dlambda), &mut slots);
        let u = self.function.value(&mut slots);
        (u.re, u.eps)
    }
}
