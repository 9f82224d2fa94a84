//! Formulas over common variables, compiled: their values, and their values with all first derivatives.

use super::lower::Lowering;
use super::{Graph, MAX_NODES, Mistake, Program, Scope, Tree, parse};
use crate::real::Real;

/// One formula or several over the same inputs.
///
/// Values alone and values with derivatives are equal to the bit, and so are plain numbers and lanes.
#[derive(Clone, Debug)]
pub struct Compiled {
    inputs: usize,
    outputs: usize,
    variables: usize,
    value: Program,
    full: Program,
}

impl Compiled {
    /// Formulas whose names `scope` explains, differentiated with respect to the first `variables` inputs.
    ///
    /// # Errors
    /// The number of the formula and its [`Mistake`].
    pub fn new(texts: &[&str], scope: &Scope, variables: usize) -> Result<Self, (usize, Mistake)> {
        let mut trees = Vec::with_capacity(texts.len());
        for (i, text) in texts.iter().enumerate() {
            trees.push(parse(text).map_err(|m| (i, m))?);
        }
        Self::of(&trees, scope, variables)
    }

    /// One formula.
    ///
    /// # Errors
    /// Its [`Mistake`].
    pub fn one(text: &str, scope: &Scope, variables: usize) -> Result<Self, Mistake> {
        Self::new(&[text], scope, variables).map_err(|(_, m)| m)
    }

    /// As [`Compiled::new`], of formulas already parsed.
    ///
    /// # Errors
    /// As [`Compiled::new`].
    pub fn of(trees: &[Tree], scope: &Scope, variables: usize) -> Result<Self, (usize, Mistake)> {
        let variables = variables.min(scope.inputs.len());
        let mut graph = Graph::new();
        let mut roots = Vec::with_capacity(trees.len());
        for (i, tree) in trees.iter().enumerate() {
            roots.push(graph.add(tree, scope).map_err(|m| (i, m))?);
        }
        let mut all = roots.clone();
        let too_large = |i: usize, what: String| {
            let span = trees.get(i).map_or(0..0, |t| t.twigs[t.root()].span.clone());
            (i, Mistake::new(span, what, "split it, or write it as a formula in Rust"))
        };
        for (i, root) in roots.iter().enumerate() {
            all.extend(graph.gradient(*root, variables));
            if graph.full() {
                return Err(too_large(i, format!("the formula and its derivatives make more than {MAX_NODES} operations")));
            }
        }
        let mut lowering = Lowering::new();
        let inputs = scope.inputs.len();
        let value = lowering.lower(&graph, &roots);
        let value = Program::of(&lowering.target, &value, inputs);
        let full = lowering.lower(&graph, &all);
        let full = Program::of(&lowering.target, &full, inputs);
        match (value, full, lowering.target.full()) {
            (Some(value), Some(full), false) => Ok(Compiled { inputs, outputs: roots.len(), variables, value, full }),
            _ => Err(too_large(0, "the formula needs too many operations or intermediate results".to_owned())),
        }
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of formulas.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of variables that the derivatives are taken with respect to.
    pub fn variables(&self) -> usize {
        self.variables
    }

    /// Numbers that an evaluation needs room for.
    pub fn slots(&self) -> usize {
        self.full.slots().max(self.value.slots())
    }

    /// Steps of an evaluation of the values, and of the values with their derivatives.
    pub fn steps(&self) -> (usize, usize) {
        (self.value.steps(), self.full.steps())
    }

    /// The values, written over `out` (`[output]`).
    ///
    /// `slots` are any [`Compiled::slots`] numbers, the first of which are the inputs in the scope's order; they stay as they are.
    #[inline(always)]
    pub fn values<T: Real>(&self, slots: &mut [T], out: &mut [T]) {
        self.value.run(slots);
        for k in 0..self.outputs {
            out[k] = slots[self.value.output(k)];
        }
    }

    /// The values and their derivatives, written over `jacobian` (`[output][variable]`); `slots` as in [`Compiled::values`].
    #[inline(always)]
    pub fn values_jacobian<T: Real>(&self, slots: &mut [T], out: &mut [T], jacobian: &mut [T]) {
        self.full.run(slots);
        for k in 0..self.outputs {
            out[k] = slots[self.full.output(k)];
        }
        for k in 0..self.outputs * self.variables {
            jacobian[k] = slots[self.full.output(self.outputs + k)];
        }
    }

    /// The only formula's value; `slots` as in [`Compiled::values`].
    #[inline(always)]
    pub fn value<T: Real>(&self, slots: &mut [T]) -> T {
        self.value.run(slots);
        slots[self.value.output(0)]
    }

    /// The only formula's value and its derivatives, written over `gradient` (`[variable]`); `slots` as in [`Compiled::values`].
    #[inline(always)]
    pub fn value_gradient<T: Real>(&self, slots: &mut [T], gradient: &mut [T]) -> T {
        self.full.run(slots);
        for k in 0..self.variables {
            gradient[k] = slots[self.full.output(1 + k)];
        }
        slots[self.full.output(0)]
    }
}
