//! The radius of gyration.

use super::Variable;
use crate::real::Real;
use crate::{Error, Result};

/// xi = sqrt(sum m |x - x_cm|^2 / sum m), mass-weighted. Where all particles coincide the gradient does not exist and 0 is given.
#[derive(Clone, Debug)]
pub struct RadiusOfGyration {
    dimension: usize,
    /// Of each degree of freedom, divided by the whole mass of the particles.
    weight: Vec<f64>,
    support: Vec<usize>,
}

impl RadiusOfGyration {
    /// `mass` of each degree of freedom, `[particle][dimension]`.
    ///
    /// # Errors
    /// `Error::Input` unless there are whole particles of finite mass, not all of it 0.
    pub fn new(mass: &[f64], dimension: usize) -> Result<Self> {
        let total: f64 = mass.iter().sum::<f64>() / dimension.max(1) as f64;
        let whole = dimension > 0 && !mass.is_empty() && mass.len().is_multiple_of(dimension);
        if !(whole && total.is_finite() && total > 0.0) {
            let what = format!("{} masses in {dimension} dimensions, {total} in sum, have no radius of gyration", mass.len());
            return Err(Error::input(what, "give one mass for each degree of freedom of whole particles"));
        }
        Ok(RadiusOfGyration { dimension, weight: mass.iter().map(|m| m / total).collect(), support: (0..mass.len()).collect() })
    }
}

impl Variable for RadiusOfGyration {
    fn dof(&self) -> usize {
        self.weight.len()
    }
    fn support(&self) -> &[usize] {
        &self.support
    }
    #[inline(always)]
    fn value_gradient<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T {
        let (zero, n) = (T::of(0.0), self.dimension);
        let mut r2 = zero;
        for k in 0..n {
            let mut centre = zero;
            for i in (k..x.len()).step_by(n) {
                centre = T::of(self.weight[i]).mul_add(x[i], centre);
            }
            for i in (k..x.len()).step_by(n) {
                let r = x[i] - centre;
                gradient[i] = T::of(self.weight[i]) * r;
                r2 = gradient[i].mul_add(r, r2);
            }
        }
        let size = r2.sqrt();
        let inverse = T::select(size.le(zero), zero, size.recip());
        for i in 0..x.len() {
            gradient[i] *= inverse;
        }
        size
    }
}
