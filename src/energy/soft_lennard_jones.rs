//! Lennard-Jones clusters whose pairs lambda switches on softly.

use super::Energy;
use super::formula::{Built, Formula, Kind, Parameter, Parameters};
use super::lennard_jones::LennardJones;
use crate::Result;
use crate::real::Real;

/// U = lambda c sum_{i<j} [1/D_ij^2 - 2/D_ij] + (k/2) sum_i |x_i - xbar|^2,  D = (1 - lambda)/4 + d^6.
///
/// At lambda = 1 this is [`LennardJones`], at 0 a gas in a spring: there, with the centre of mass fixed, log Z(beta) =
/// 3 (n - 1)/2 ln(2 pi / (beta k)). Between them energies are finite where particles meet.
/// In the well's units sigma^6 = 1/2, and the softness alpha sigma^6 is 1/4 for alpha = 1/2.
/// Source: Beutler et al., Chem. Phys. Lett. 222, 529 (1994).
#[derive(Clone, Debug)]
pub struct SoftLennardJones(pub LennardJones);

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "soft_lennard_jones",
    equation: "U = lambda c sum_{i<j} [D^-2 - 2 D^-1] + (oscillator/2) sum_i |x_i - xbar|^2, D = (1 - lambda)/4 + d^6",
    paper: "Beutler et al., Chem. Phys. Lett. 222, 529 (1994)",
    parameters: &[
        Parameter::required("particles", Kind::Count, "number of particles, 2 or more"),
        Parameter::required("pair_coefficient", Kind::Positive, "depth c of each pair at lambda = 1, counted once"),
        Parameter::number("oscillator", Kind::NonNegative, 1.0, "spring constant to the centre"),
    ],
    build,
};

fn build(p: &Parameters) -> Result<Built> {
    let particles = p.count("particles")?;
    if particles < 2 {
        return Err(p.unfit("particles", "is 1: there is no pair"));
    }
    let (pair_coefficient, oscillator) = (p.number("pair_coefficient")?, p.number("oscillator")?);
    Ok(Built::of(SoftLennardJones(LennardJones { particles, pair_coefficient, oscillator }), particles, 3))
}

impl SoftLennardJones {
    /// lambda sum_{i<j} of 1/D^2 - 2/D; over `f` goes the sum of its force divided by 12.
    #[inline(always)]
    fn pairs<T: Real>(&self, x: &[T], lambda: T, f: &mut [T]) -> T {
        let n = self.0.particles;
        let (x, f) = (&x[..3 * n], &mut f[..3 * n]);
        let (zero, one) = (T::of(0.0), T::of(1.0));
        for g in f.iter_mut() {
            *g = zero;
        }
        let softness = T::of(0.25) * (one - lambda);
        let mut sum = zero;
        for i in 0..n {
            let xi = [x[3 * i], x[3 * i + 1], x[3 * i + 2]];
            let mut fi = [f[3 * i], f[3 * i + 1], f[3 * i + 2]];
            for j in i + 1..n {
                let d = [xi[0] - x[3 * j], xi[1] - x[3 * j + 1], xi[2] - x[3 * j + 2]];
                let r2 = super::lennard_jones::square(d);
                let r4 = r2 * r2;
                let inverse = r4.mul_add(r2, softness).recip();
                sum += inverse * (inverse - T::of(2.0));
                // -(d/dr)[1/D^2 - 2/D] / (12 r) = r^4 (1/D - 1) / D^2
                let g = lambda * (r4 * inverse) * (inverse * (inverse - one));
                for k in 0..3 {
                    fi[k] = g.mul_add(d[k], fi[k]);
                    f[3 * j + k] = (-g).mul_add(d[k], f[3 * j + k]);
                }
            }
            for k in 0..3 {
                f[3 * i + k] = fi[k];
            }
        }
        lambda * sum
    }
}

impl Energy for SoftLennardJones {
    fn dof(&self) -> usize {
        3 * self.0.particles
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], lambda: T, f: &mut [T]) -> T {
        let pairs = T::of(self.0.pair_coefficient) * self.pairs(x, lambda, f);
        T::of(0.5 * self.0.oscillator).mul_add(self.0.spring(x, f), pairs)
    }

    fn terms(&self) -> Vec<String> {
        vec!["lennard_jones".to_owned(), "oscillator".to_owned()]
    }

    #[inline(always)]
    fn energy_terms<T: Real>(&self, x: &[T], lambda: T, f: &mut [T], terms: &mut [T]) -> T {
        terms[0] = T::of(self.0.pair_coefficient) * self.pairs(x, lambda, f);
        let sum = self.0.spring(x, f);
        terms[1] = T::of(0.5 * self.0.oscillator) * sum;
        T::of(0.5 * self.0.oscillator).mul_add(sum, terms[0])
    }
}
