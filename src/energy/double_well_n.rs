//! Particles whose distances sit in double wells (DW-2, DW-4).

use super::Energy;
use super::formula::{Built, Formula, Kind, Parameter, Parameters};
use crate::Result;
use crate::real::Real;

/// U = sum_{i<j} a (d_ij - d_0)^4 + b (d_ij - d_0)^2 + c, each pair once.
///
/// Shapes: x is `[particle, dimension]`. The centre of mass is free: fix it or remove it.
/// Source: Koehler, Klein and Noe, "Equivariant flows", ICML 2020; bgflow's `MultiDoubleWellPotential`.
#[derive(Clone, Debug)]
pub struct DoubleWellN {
    /// Number of particles.
    pub particles: usize,
    /// Dimensions of each.
    pub dimension: usize,
    /// Quartic coefficient.
    pub a: f64,
    /// Quadratic coefficient.
    pub b: f64,
    /// Constant of each pair.
    pub c: f64,
    /// Offset d_0.
    pub offset: f64,
}

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "double_well_n",
    equation: "U = sum_{i<j} a (d_ij - offset)^4 + b (d_ij - offset)^2 + c",
    paper: "Koehler, Klein, Noe, ICML 2020 (arXiv:2006.02425)",
    parameters: &[
        Parameter::required("particles", Kind::Count, "number of particles, 2 or more"),
        Parameter::number("dimension", Kind::Count, 2.0, "dimensions of each particle"),
        Parameter::number("a", Kind::Positive, 0.9, "quartic coefficient a"),
        Parameter::number("b", Kind::Number, -4.0, "quadratic coefficient b"),
        Parameter::number("c", Kind::Number, 0.0, "constant c of each pair"),
        Parameter::number("offset", Kind::NonNegative, 4.0, "distance d_0 at the top of the barrier"),
    ],
    build,
};

fn build(p: &Parameters) -> Result<Built> {
    let (particles, dimension) = (p.count("particles")?, p.count("dimension")?);
    if particles < 2 {
        return Err(p.unfit("particles", "is 1: there is no pair"));
    }
    let (a, b, c, offset) = (p.number("a")?, p.number("b")?, p.number("c")?, p.number("offset")?);
    Ok(Built::of(DoubleWellN { particles, dimension, a, b, c, offset }, particles, dimension))
}

impl Energy for DoubleWellN {
    fn dof(&self) -> usize {
        self.particles * self.dimension
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let (n, k) = (self.particles, self.dimension);
        let (a, b, c) = (T::of(self.a), T::of(self.b), T::of(self.c));
        let (four_a, two_b) = (T::of(4.0 * self.a), T::of(2.0 * self.b));
        for g in 0..n * k {
            f[g] = T::of(0.0);
        }
        let mut u = T::of(0.0);
        for i in 0..n {
            for j in i + 1..n {
                let mut r2 = T::of(1e-60); // particles in one place: a finite energy and no force
                for d in 0..k {
                    let delta = x[i * k + d] - x[j * k + d];
                    r2 = delta.mul_add(delta, r2);
                }
                let r = r2.sqrt();
                let w = r - T::of(self.offset);
                let w2 = w * w;
                u += w2.mul_add(a.mul_add(w2, b), c);
                let g = -(w * four_a.mul_add(w2, two_b)) / r;
                for d in 0..k {
                    let delta = x[i * k + d] - x[j * k + d];
                    f[i * k + d] = g.mul_add(delta, f[i * k + d]);
                    f[j * k + d] = (-g).mul_add(delta, f[j * k + d]);
                }
            }
        }
        u
    }
}
