//! Unadjusted Langevin kernels.

use super::{Gaussians, Way};
use crate::batch::{Coords, Thermo};
use crate::energy::betas;
use crate::real::{Lanewise, Octet, Wide, dispatch};
use crate::{Error, Result};
use rayon::prelude::*;

/// One step of overdamped Langevin dynamics, the same both ways:
///
///   mean = x + (dt^2 / 2m) f(x),   sigma = dt sqrt(kT / m)
///
/// Annealed Langevin dynamics without a Metropolis decision; dt means what it means for [`crate::dynamics::mala`].
/// Source: Roberts and Tweedie, Bernoulli 2, 341 (1996).
#[derive(Clone, Debug)]
pub struct Ula {
    mass: Vec<f64>,
    dt: Vec<f64>,
}

impl Ula {
    /// With masses per degree of freedom, and one step size for all steps k of the path.
    ///
    /// # Errors
    /// As [`Ula::each`].
    pub fn new(mass: &[f64], dt: f64) -> Result<Self> {
        Ula::each(mass, vec![dt])
    }

    /// With a step size for each step k of the path; the last one for all that follow.
    ///
    /// # Errors
    /// `Error::Input` for a size or mass that is not positive, or no size at all.
    pub fn each(mass: &[f64], dt: Vec<f64>) -> Result<Self> {
        if let Some(wrong) = dt.iter().chain(mass).find(|v| !(v.is_finite() && **v > 0.0)) {
            return Err(Error::input(
                format!("a step or mass of the Langevin kernel is {wrong}"),
                "steps and masses are positive and finite",
            ));
        }
        if dt.is_empty() {
            return Err(Error::input("a Langevin kernel without step", "give one step size at least"));
        }
        Ok(Ula { mass: mass.to_vec(), dt })
    }
}

impl Gaussians for Ula {
    fn kernel(&self, _way: Way, k: usize, thermo: &[Thermo], x: &Coords, f: &Coords, mean: &mut Coords, sigma: &mut Coords) -> Result<()> {
        let dof = self.mass.len();
        if x.dof() != dof {
            return Err(Error::Shape { what: "degrees of freedom of the Langevin kernel", expected: dof, found: x.dof() });
        }
        let dt = self.dt[k.min(self.dt.len() - 1)];
        let mass = &self.mass;
        let out = mean.octets_mut().par_chunks_exact_mut(dof).zip(sigma.octets_mut().par_chunks_exact_mut(dof));
        out.enumerate().for_each(|(b, (mean, sigma))| {
            dispatch(Kernel { dt, mass, beta: betas(thermo, b), x: x.block(b), f: f.block(b), mean, sigma });
        });
        Ok(())
    }
}

struct Kernel<'a> {
    dt: f64,
    mass: &'a [f64],
    beta: Octet,
    x: &'a [Octet],
    f: &'a [Octet],
    mean: &'a mut [Octet],
    sigma: &'a mut [Octet],
}

impl Lanewise for Kernel<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        let (x, f) = (L::of_octets(self.x), L::of_octets(self.f));
        let (mean, sigma) = (L::of_octets_mut(self.mean), L::of_octets_mut(self.sigma));
        let root_kt = (L::of(1.0) / L::load(self.beta)).sqrt();
        for d in 0..x.len() {
            let m = self.mass[d];
            mean[d] = f[d].mul_add(L::of(0.5 * self.dt * self.dt / m), x[d]);
            sigma[d] = L::of(self.dt / m.sqrt()) * root_kt;
        }
    }
}
