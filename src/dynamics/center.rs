//! The centre of mass: left alone, or held at the origin.

use crate::real::{Lanewise, Octet, Real, Wide, dispatch};
use crate::{Error, Result};

/// What happens to the centre of mass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Com {
    /// It moves like everything else.
    #[default]
    Keep,
    /// It rests at the origin: the replica moves in the subspace sum_i m_i x_i = 0, sum_i m_i v_i = 0.
    Remove {
        /// Coordinates of a particle (3, or 2 in the plane); dof d is coordinate d mod `dim` of particle d / `dim`.
        dim: usize,
    },
}

/// The projection on the subspace without centre-of-mass motion.
///
/// With the scalar product (a, b) = sum_d m_d a_d b_d, the displacements and velocities orthogonal to all translations are
/// those with sum_i m_i a_i = 0, and the orthogonal projection is
///
///   P a = a - sum_j w_j a_j,  w_j = m_j / sum m   (each coordinate for itself);  forces are m times accelerations, so
///   f_i -> f_i - w_i sum_j f_j.
///
/// Thermal noise xi_d / sqrt(m_d) is isotropic in this scalar product, so P of it is the isotropic Gaussian of the subspace:
/// what a Maxwell distribution conditioned on zero momentum is, symmetric under exchange of start and end (Metropolis
/// ratios need no correction), with (N - 1) dim degrees of freedom. Every step is linear in x, v, f and noise, hence a
/// scheme that projects forces, noise and the initial state runs exactly in the subspace. If the energy does not change
/// under translations, averages of anything that depends on differences of positions are those of the full space.
#[derive(Clone, Debug)]
pub struct Center {
    dim: usize,
    weight: Vec<f64>,
}

const MOST: usize = 4;

impl Center {
    /// For particles of these masses (per degree of freedom).
    ///
    /// # Errors
    /// `Error::Input` when the degrees of freedom are no whole particles, or one particle's coordinates differ in mass.
    pub fn new(com: Com, mass: &[f64]) -> Result<Self> {
        let Com::Remove { dim } = com else { return Ok(Center { dim: 0, weight: Vec::new() }) };
        if dim == 0 || dim > MOST || !mass.len().is_multiple_of(dim) || mass.len() < 2 * dim {
            return Err(Error::input(
                format!("the centre of mass of {} degrees of freedom cannot be removed in {dim} dimensions", mass.len()),
                "it needs at least two particles of 1 to 4 coordinates; otherwise keep the centre of mass",
            ));
        }
        let mut total = 0.0;
        for particle in mass.chunks_exact(dim) {
            if particle.iter().any(|m| *m != particle[0]) {
                return Err(Error::input(
                    format!("the coordinates of one particle have different masses: {particle:?}"),
                    "give each particle one mass, or keep the centre of mass",
                ));
            }
            total += particle[0];
        }
        Ok(Center { dim, weight: mass.iter().map(|m| m / total).collect() })
    }

    /// Is it held?
    pub fn removed(&self) -> bool {
        self.dim > 0
    }

    /// Degrees of freedom that are left of `dof`.
    pub fn degrees_of_freedom(&self, dof: usize) -> usize {
        dof - self.dim
    }

    /// Projects positions, displacements, velocities.
    #[inline(always)]
    pub fn remove<T: Real>(&self, a: &mut [T]) {
        if self.dim == 0 {
            return;
        }
        let n = a.len();
        let w = &self.weight[..n];
        for k in 0..self.dim {
            let mut mean = T::of(0.0);
            let mut d = k;
            while d < n {
                mean = a[d].mul_add(T::of(w[d]), mean);
                d += self.dim;
            }
            d = k;
            while d < n {
                a[d] -= mean;
                d += self.dim;
            }
        }
    }

    /// [`Center::remove_force`] of a block in memory.
    pub(crate) fn remove_force_block(&self, f: &mut [Octet]) {
        dispatch(Force { center: self, f });
    }

    /// Projects forces.
    #[inline(always)]
    pub fn remove_force<T: Real>(&self, f: &mut [T]) {
        if self.dim == 0 {
            return;
        }
        let n = f.len();
        let w = &self.weight[..n];
        for k in 0..self.dim {
            let mut total = T::of(0.0);
            let mut d = k;
            while d < n {
                total += f[d];
                d += self.dim;
            }
            d = k;
            while d < n {
                f[d] = total.mul_add(T::of(-w[d]), f[d]);
                d += self.dim;
            }
        }
    }
}

struct Force<'a> {
    center: &'a Center,
    f: &'a mut [Octet],
}

impl Lanewise for Force<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        self.center.remove_force(L::of_octets_mut(self.f));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn momentum_and_centre_vanish_and_the_rest_stays() {
        let mass = [1.0, 1.0, 1.0, 12.0, 12.0, 12.0, 16.0, 16.0, 16.0];
        let center = Center::new(Com::Remove { dim: 3 }, &mass).unwrap();
        let mut v = [0.3, -1.0, 2.0, 0.7, 0.1, -0.2, 5.0, 1.5, -0.4];
        let old = v;
        center.remove(&mut v);
        for k in 0..3 {
            let p: f64 = (0..3).map(|i| mass[3 * i + k] * v[3 * i + k]).sum();
            assert!(p.abs() < 1e-14);
            assert!((v[k] - v[3 + k] - (old[k] - old[3 + k])).abs() < 1e-15);
        }
        // A force projected is the mass times the acceleration projected.
        let mut f = old;
        center.remove_force(&mut f);
        let mut a: Vec<f64> = old.iter().zip(mass).map(|(f, m)| f / m).collect();
        center.remove(&mut a);
        for d in 0..9 {
            assert!((f[d] - mass[d] * a[d]).abs() < 1e-14);
        }
        assert_eq!(center.degrees_of_freedom(9), 6);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Center::new(Com::Remove { dim: 3 }, &[1.0; 7]).is_err());
        assert!(Center::new(Com::Remove { dim: 3 }, &[1.0; 3]).is_err());
        assert!(Center::new(Com::Remove { dim: 0 }, &[1.0; 3]).is_err());
        assert!(Center::new(Com::Remove { dim: 2 }, &[1.0, 2.0, 1.0, 1.0]).is_err());
    }
}
