//! The distance of two particles.

use super::{Variable, ascending, of_atoms};
use crate::Result;
use crate::real::Real;

/// xi = |x_b - x_a|, in the system's unit of length. Where the two coincide the gradient does not exist and 0 is given.
#[derive(Clone, Debug)]
pub struct Distance {
    dof: usize,
    dimension: usize,
    atoms: [usize; 2],
    /// Where the gradients of a and of b begin.
    first: [usize; 2],
    support: Vec<usize>,
}

impl Distance {
    /// Of particles `a` and `b` in `dimension` dimensions, in configurations of `dof` numbers `[atom][dimension]`.
    ///
    /// # Errors
    /// `Error::Input` when there is no such particle, or both are the same.
    pub fn new(a: usize, b: usize, dimension: usize, dof: usize) -> Result<Self> {
        let (place, support) = ascending(&of_atoms(&[a, b], dimension, dof)?);
        Ok(Distance { dof, dimension, atoms: [a, b], first: [place[0], place[dimension]], support })
    }
}

impl Variable for Distance {
    fn dof(&self) -> usize {
        self.dof
    }
    fn support(&self) -> &[usize] {
        &self.support
    }
    #[inline(always)]
    fn value_gradient<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T {
        let (zero, n) = (T::of(0.0), self.dimension);
        let [a, b] = self.atoms;
        let mut r2 = zero;
        for k in 0..n {
            let d = x[n * b + k] - x[n * a + k];
            r2 += d * d;
        }
        let r = r2.sqrt();
        let inverse = T::select(r.le(zero), zero, r.recip());
        for k in 0..n {
            let along = (x[n * b + k] - x[n * a + k]) * inverse;
            gradient[self.first[0] + k] = -along;
            gradient[self.first[1] + k] = along;
        }
        r
    }
}
