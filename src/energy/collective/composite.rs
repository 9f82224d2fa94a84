//! An expression in coordinates and collective variables, with the chain rule.

use super::Collective;
use crate::energy::room::with_room;
use crate::expr::{Compiled, Mistake, Scope, parse};
use crate::real::{Dual, Lanewise, Octet, Real, Wide, dispatch};
use std::sync::Arc;

/// What a name in such an expression stands for.
#[derive(Clone)]
pub enum Symbol {
    /// This degree of freedom.
    Coordinate(usize),
    /// Another collective variable.
    Collective(Arc<dyn Collective>),
    /// A number.
    Number(f64),
}

/// One input of the expression.
#[derive(Clone)]
struct Input {
    /// A collective variable, or the degree of freedom itself.
    of: Result<Arc<dyn Collective>, usize>,
    /// Its part of the gradients.
    first: usize,
    /// Where each element of its gradient goes in the gradient of the whole.
    places: Vec<usize>,
}

/// E(xi_1, ..., xi_n, lambda) and dE/dx = sum_k dE/dxi_k dxi_k/dx, over the degrees of freedom that occur.
#[derive(Clone)]
pub(in crate::energy) struct Composite {
    dof: usize,
    support: Vec<usize>,
    inputs: Vec<Input>,
    gradients: usize,
    last: bool,
    function: Compiled,
}

impl Composite {
    /// Of configurations of `dof` numbers; `last` names one more input, given at each evaluation (`lambda`).
    pub(in crate::energy) fn new(text: &str, names: &[(String, Symbol)], last: &str, dof: usize) -> Result<Self, Mistake> {
        let tree = parse(text)?;
        let occurring: Vec<&str> = tree.names().iter().map(|(name, _)| *name).collect();
        let has_last = occurring.contains(&last);
        let (mut scope, mut of) = (Scope::default(), Vec::new());
        for (name, symbol) in names {
            match symbol {
                Symbol::Number(value) => scope.constants.push((name.clone(), *value)),
                // what does not occur is not computed
                _ if !occurring.contains(&name.as_str()) => {}
                Symbol::Coordinate(i) => of.push((name, Err(*i))),
                Symbol::Collective(xi) => of.push((name, Ok(Arc::clone(xi)))),
            }
        }
        scope.inputs = of.iter().map(|(name, _)| (*name).clone()).chain([last.to_owned()]).collect();
        let supports: Vec<Vec<usize>> = of
            .iter()
            .map(|(_, of)| match of {
                Ok(xi) => xi.support().to_vec(),
                Err(i) => vec![*i],
            })
            .collect();
        let mut support: Vec<usize> = supports.concat();
        support.sort_unstable();
        support.dedup();
        let mut inputs = Vec::new();
        let mut gradients = 0;
        for ((_, of), own) in of.into_iter().zip(&supports) {
            let places = own.iter().map(|d| support.partition_point(|s| s < d)).collect();
            inputs.push(Input { of, first: gradients, places });
            gradients += own.len();
        }
        let differentiated = inputs.len();
        let function = Compiled::of(std::slice::from_ref(&tree), &scope, differentiated).or_else(|_| {
            // once more with the names that do not occur, which a message may have to offer
            let more = names.iter().filter(|(n, s)| !matches!(s, Symbol::Number(_)) && !scope.inputs.contains(n));
            scope.inputs.extend(more.map(|(n, _)| n.clone()).collect::<Vec<_>>());
            Compiled::of(&[tree], &scope, differentiated).map_err(|(_, m)| m)
        })?;
        Ok(Composite { dof, support, inputs, gradients, last: has_last, function })
    }

    pub(in crate::energy) fn dof(&self) -> usize {
        self.dof
    }

    /// Does the last input occur?
    pub(in crate::energy) fn has_last(&self) -> bool {
        self.last
    }

    pub(in crate::energy) fn support(&self) -> &[usize] {
        &self.support
    }

    /// dE/dx over the support, from the weights dE/dxi and the gradients of the inputs, in this order of sums.
    #[inline(always)]
    fn chain<T: Real>(&self, slots: &mut [T], weights: &mut [T], gradients: &[T], gradient: &mut [T]) -> T {
        let value = self.function.value_gradient(slots, weights);
        for g in gradient.iter_mut() {
            *g = T::of(0.0);
        }
        for k in 0..self.inputs.len() {
            let input = &self.inputs[k];
            for j in 0..input.places.len() {
                let place = input.places[j];
                gradient[place] = weights[k].mul_add(gradients[input.first + j], gradient[place]);
            }
        }
        value
    }

    pub(in crate::energy) fn block(&self, x: &[Octet], last: Octet, gradient: &mut [Octet]) -> Octet {
        let (n_slots, n) = (self.function.slots(), self.inputs.len());
        with_room(n_slots + n + self.gradients, |room| {
            let (slots, room) = room.split_at_mut(n_slots);
            let (weights, gradients) = room.split_at_mut(n);
            for (slot, input) in slots.iter_mut().zip(&self.inputs) {
                let own = &mut gradients[input.first..input.first + input.places.len()];
                *slot = match &input.of {
                    Ok(xi) => xi.value_gradient_block(x, own),
                    Err(i) => {
                        own[0] = Octet::of(1.0);
                        x[*i]
                    }
                };
            }
            slots[n] = last;
            dispatch(Chain { of: self, slots, weights, gradients, gradient })
        })
    }

    pub(in crate::energy) fn one(&self, x: &[f64], last: f64, gradient: &mut [f64]) -> f64 {
        let mut slots = vec![0.0; self.function.slots()];
        let (mut weights, mut gradients) = (vec![0.0; self.inputs.len()], vec![1.0; self.gradients]);
        for (slot, input) in slots.iter_mut().zip(&self.inputs) {
            *slot = match &input.of {
                Ok(xi) => xi.value_gradient(x, &mut gradients[input.first..input.first + input.places.len()]),
                Err(i) => x[*i],
            };
        }
        slots[self.inputs.len()] = last;
        self.chain(&mut slots, &mut weights, &gradients, gradient)
    }

    pub(in crate::energy) fn derivative(&self, x: &[f64], last: Dual<f64>, dx: &[f64]) -> (f64, f64) {
        let mut slots = vec![Dual::<f64>::of(0.0); self.function.slots()];
        for (slot, input) in slots.iter_mut().zip(&self.inputs) {
            let (re, eps) = match &input.of {
                Ok(xi) => xi.derivative(x, dx),
                Err(i) => (x[*i], dx[*i]),
            };
            *slot = Dual::new(re, eps);
        }
        slots[self.inputs.len()] = last;
        let value = self.function.value(&mut slots);
        (value.re, value.eps)
    }
}

struct Chain<'a> {
    of: &'a Composite,
    slots: &'a mut [Octet],
    weights: &'a mut [Octet],
    gradients: &'a [Octet],
    gradient: &'a mut [Octet],
}

impl Lanewise for Chain<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let (slots, weights) = (L::of_octets_mut(self.slots), L::of_octets_mut(self.weights));
        self.of.chain(slots, weights, L::of_octets(self.gradients), L::of_octets_mut(self.gradient)).store()
    }
}
