//! One coordinate.

use super::Variable;
use crate::real::Real;
use crate::{Error, Result};

/// xi = x_i.
#[derive(Clone, Debug)]
pub struct Coordinate {
    dof: usize,
    index: [usize; 1],
}

impl Coordinate {
    /// Coordinate `index` of `dof`, counted from 0.
    ///
    /// # Errors
    /// `Error::Input` when there is no such coordinate.
    pub fn new(index: usize, dof: usize) -> Result<Self> {
        if index >= dof {
            return Err(Error::input(format!("there is no coordinate {index} of {dof}"), "count coordinates from 0"));
        }
        Ok(Coordinate { dof, index: [index] })
    }
}

impl Variable for Coordinate {
    fn dof(&self) -> usize {
        self.dof
    }
    fn support(&self) -> &[usize] {
        &self.index
    }
    #[inline(always)]
    fn value_gradient<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T {
        gradient[0] = T::of(1.0);
        x[self.index[0]]
    }
}
