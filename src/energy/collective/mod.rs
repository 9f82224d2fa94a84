//! Collective variables: observables xi(x) of the positions with their gradients.
//!
//! Umbrellas, metadynamics and restraints act on them through [`Collective`], a block of 8 replicas at a time. A new kind is one
//! file that implements [`Variable`] (the formula, generic over the scalar); lanes and dual numbers come with it.

mod composite;
mod coordinate;
mod dihedral;
mod distance;
mod gyration;
mod text;

pub(super) use composite::Composite;
pub use composite::Symbol;
pub use coordinate::Coordinate;
pub use dihedral::Dihedral;
pub use distance::Distance;
pub use gyration::RadiusOfGyration;
pub use text::TextCollective;
pub(super) use text::fits;

use crate::real::{Dual, Lanewise, Octet, Real, Wide, dispatch};
use crate::{Error, Result};

/// A formula xi(x) with its gradient, generic over the scalar: what a new kind of collective variable writes.
///
/// Mark [`Variable::value_gradient`] `#[inline(always)]` and use plain loops, as in [`super::Energy`].
pub trait Variable: Send + Sync + 'static {
    /// Degrees of freedom of the configurations it is measured on.
    fn dof(&self) -> usize;

    /// The degrees of freedom it depends on, ascending, each once.
    fn support(&self) -> &[usize];

    /// Length of the circle that its values live on; none for a line.
    fn period(&self) -> Option<f64> {
        None
    }

    /// xi of `x` (`[dof]`); d xi / d x_i is written over `gradient`, one element for each element of [`Variable::support`].
    fn value_gradient<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T;
}

/// A collective variable behind a pointer: what bias potentials are made with.
///
/// The gradient is sparse: element k of `gradient` belongs to degree of freedom `support()[k]`, so a bias V(xi) acts as
/// `f[support[k]] -= dV/dxi * gradient[k]`, and a dihedral of a molecule costs 12 multiplications however large the molecule is.
pub trait Collective: Send + Sync {
    /// Degrees of freedom of the configurations it is measured on.
    fn dof(&self) -> usize;

    /// The degrees of freedom it depends on, ascending, each once.
    fn support(&self) -> &[usize];

    /// Length of the circle that its values live on, with values in (-period/2, period/2]; none for a line.
    fn period(&self) -> Option<f64>;

    /// xi of one block of 8 replicas, `x` being `[dof]`; the gradient is written over `gradient`, `[support().len()]`.
    fn value_gradient_block(&self, x: &[Octet], gradient: &mut [Octet]) -> Octet;

    /// One configuration in plain `f64`, equal to the lanes bit for bit.
    fn value_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// xi and its exact derivative along `dx` (`[dof]`), from dual numbers.
    fn derivative(&self, x: &[f64], dx: &[f64]) -> (f64, f64);

    /// a - b, the shortest way around where values live on a circle.
    fn difference(&self, a: f64, b: f64) -> f64 {
        shortest(a - b, self.period())
    }
}

/// Room for the gradient of one variable: on the stack up to 12 numbers (a dihedral), which every evaluation of a bias needs.
pub(super) struct Gradient {
    few: [Octet; 12],
    many: Vec<Octet>,
    length: usize,
}

impl Gradient {
    pub(super) fn new(of: &dyn Collective) -> Self {
        let length = of.support().len();
        let many = if length > 12 { vec![Octet::of(0.0); length] } else { Vec::new() };
        Gradient { few: [Octet::of(0.0); 12], many, length }
    }

    pub(super) fn get(&mut self) -> &mut [Octet] {
        if self.length > 12 { &mut self.many } else { &mut self.few[..self.length] }
    }
}

/// `difference` less the whole turns in it: in [-period/2, period/2].
#[inline(always)]
pub fn shortest<T: Real>(difference: T, period: Option<f64>) -> T {
    match period {
        Some(p) => (difference * T::of(1.0 / p)).round().mul_add(T::of(-p), difference),
        None => difference,
    }
}

struct Block<'a, V> {
    variable: &'a V,
    x: &'a [Octet],
    gradient: &'a mut [Octet],
}

impl<V: Variable> Lanewise for Block<'_, V> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        self.variable.value_gradient(L::of_octets(self.x), L::of_octets_mut(self.gradient)).store()
    }
}

impl<V: Variable> Collective for V {
    fn dof(&self) -> usize {
        Variable::dof(self)
    }
    fn support(&self) -> &[usize] {
        Variable::support(self)
    }
    fn period(&self) -> Option<f64> {
        Variable::period(self)
    }
    fn value_gradient_block(&self, x: &[Octet], gradient: &mut [Octet]) -> Octet {
        dispatch(Block { variable: self, x, gradient })
    }
    fn value_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        Variable::value_gradient(self, x, gradient)
    }
    fn derivative(&self, x: &[f64], dx: &[f64]) -> (f64, f64) {
        let mut duals = Vec::with_capacity(x.len());
        for (re, eps) in x.iter().zip(dx) {
            duals.push(Dual::new(*re, *eps));
        }
        let mut gradient = vec![Dual::<f64>::of(0.0); Variable::support(self).len()];
        let xi = Variable::value_gradient(self, &duals, &mut gradient);
        (xi.re, xi.eps)
    }
}

/// Degrees of freedom of the atoms `atoms` of `dof / dimension`, in their order.
fn of_atoms(atoms: &[usize], dimension: usize, dof: usize) -> Result<Vec<usize>> {
    let mut support = Vec::with_capacity(atoms.len() * dimension);
    for (place, &atom) in atoms.iter().enumerate() {
        if (atom + 1) * dimension > dof {
            let remedy = format!("count atoms from 0 to {}", (dof / dimension).saturating_sub(1));
            return Err(Error::input(format!("a collective variable names atom {atom} of {}", dof / dimension), remedy));
        }
        if atoms[..place].contains(&atom) {
            return Err(Error::input(format!("a collective variable names atom {atom} twice"), "name different atoms"));
        }
        for axis in 0..dimension {
            support.push(atom * dimension + axis);
        }
    }
    Ok(support)
}

/// Where each element of `support` lies in the ascending order, and the ascending order itself.
fn ascending(support: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut sorted = support.to_vec();
    sorted.sort_unstable();
    let place = support.iter().map(|d| sorted.partition_point(|s| s < d)).collect();
    (place, sorted)
}
