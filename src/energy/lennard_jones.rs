//! Lennard-Jones clusters held together by a weak spring to their centre.

use super::Energy;
use super::formula::{Built, Formula, Kind, Parameter, Parameters};
use crate::Result;
use crate::real::Real;

/// U = c sum_{i<j} [(1/d_ij)^12 - 2 (1/d_ij)^6] + (k/2) sum_i |x_i - xbar|^2, in 3 dimensions, each pair once.
///
/// The pair minimum lies at d = 1 with energy -c. Shapes: x is `[particle, 3]`. The centre of mass xbar is free.
/// The literature has both c = 1 (each pair once) and c = 2 (a sum over ordered pairs): the coefficient is explicit here.
/// Source: Koehler, Klein and Noe, ICML 2020 (arXiv:2006.02425); Wales and Doye, J. Phys. Chem. A 101, 5111 (1997).
#[derive(Clone, Debug)]
pub struct LennardJones {
    /// Number of particles.
    pub particles: usize,
    /// Coefficient c of each pair.
    pub pair_coefficient: f64,
    /// Spring constant k.
    pub oscillator: f64,
}

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "lennard_jones",
    equation: "U = c sum_{i<j} [d^-12 - 2 d^-6] + (oscillator/2) sum_i |x_i - xbar|^2",
    paper: "Koehler, Klein, Noe, ICML 2020 (arXiv:2006.02425)",
    parameters: &[
        Parameter::required("particles", Kind::Count, "number of particles, 2 or more"),
        Parameter::required(
            "pair_coefficient",
            Kind::Positive,
            "depth c of each pair, counted once: 1 (EACF, bgflow) or 2 (iDEM, adjoint sampling, equivariant flow matching)",
        ),
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
    Ok(Built::of(LennardJones { particles, pair_coefficient, oscillator }, particles, 3))
}

/// Added to squared distances (without effect on those above 1e-44), so that particles in one place have energy +inf, not NaN.
const FLOOR: f64 = 1e-60;

/// What a pair adds: s = d^-6, t = s^2 - s, g = t / d^2. Energy t - s, force 12 g (x_i - x_j).
#[inline(always)]
fn pair<T: Real>(inverse: T) -> (T, T, T) {
    let s = inverse * inverse * inverse;
    let t = s.mul_add(s, -s);
    (s, t, t * inverse)
}

#[inline(always)]
pub(super) fn square<T: Real>(d: [T; 3]) -> T {
    d[2].mul_add(d[2], d[1].mul_add(d[1], d[0].mul_add(d[0], T::of(FLOOR))))
}

impl LennardJones {
    /// sum_{i<j} of t and of s; over `f` goes the sum of g (x_i - x_j).
    ///
    /// Two neighbours share one division, 1/a = b / (a b): 1.12 to 1.15 times as many pairs a second on AVX-512, 1.02 on
    /// AVX2 (paired runs, LJ-13 and LJ-55).
    #[inline(always)]
    fn pairs<T: Real>(&self, x: &[T], f: &mut [T]) -> T {
        let n = self.particles;
        let (x, f) = (&x[..3 * n], &mut f[..3 * n]);
        let zero = T::of(0.0);
        for g in f.iter_mut() {
            *g = zero;
        }
        let (mut sum_t, mut sum_s) = (zero, zero);
        for i in 0..n {
            let xi = [x[3 * i], x[3 * i + 1], x[3 * i + 2]];
            let mut fi = [f[3 * i], f[3 * i + 1], f[3 * i + 2]];
            let mut j = i + 1;
            while j + 1 < n {
                let xj = &x[3 * j..3 * j + 6];
                let fj = &mut f[3 * j..3 * j + 6];
                let d = [xi[0] - xj[0], xi[1] - xj[1], xi[2] - xj[2]];
                let e = [xi[0] - xj[3], xi[1] - xj[4], xi[2] - xj[5]];
                let (a, b) = (square(d), square(e));
                let r = T::of(1.0) / (a * b);
                let (s, t, g) = pair(b * r);
                let (s2, t2, h) = pair(a * r);
                sum_t += t;
                sum_s += s;
                sum_t += t2;
                sum_s += s2;
                for k in 0..3 {
                    fi[k] = h.mul_add(e[k], g.mul_add(d[k], fi[k]));
                    fj[k] = (-g).mul_add(d[k], fj[k]);
                    fj[k + 3] = (-h).mul_add(e[k], fj[k + 3]);
                }
                j += 2;
            }
            if j < n {
                let d = [xi[0] - x[3 * j], xi[1] - x[3 * j + 1], xi[2] - x[3 * j + 2]];
                let (s, t, g) = pair(T::of(1.0) / square(d));
                sum_t += t;
                sum_s += s;
                for k in 0..3 {
                    fi[k] = g.mul_add(d[k], fi[k]);
                    f[3 * j + k] = (-g).mul_add(d[k], f[3 * j + k]);
                }
            }
            for k in 0..3 {
                f[3 * i + k] = fi[k];
            }
        }
        sum_t - sum_s
    }

    /// sum_i |x_i - xbar|^2; `f` becomes 12 c f - k (x_i - xbar).
    #[inline(always)]
    pub(super) fn spring<T: Real>(&self, x: &[T], f: &mut [T]) -> T {
        let n = self.particles;
        let (x, f) = (&x[..3 * n], &mut f[..3 * n]);
        let mut mean = [T::of(0.0); 3];
        for i in 0..n {
            for k in 0..3 {
                mean[k] += x[3 * i + k];
            }
        }
        for k in 0..3 {
            mean[k] *= T::of(1.0 / n as f64);
        }
        let (scale, spring) = (T::of(12.0 * self.pair_coefficient), T::of(-self.oscillator));
        let mut sum = [T::of(0.0); 3];
        for i in 0..n {
            for k in 0..3 {
                let d = x[3 * i + k] - mean[k];
                sum[k] = d.mul_add(d, sum[k]);
                f[3 * i + k] = scale.mul_add(f[3 * i + k], spring * d);
            }
        }
        sum[0] + sum[1] + sum[2]
    }
}

impl Energy for LennardJones {
    fn dof(&self) -> usize {
        3 * self.particles
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let pairs = T::of(self.pair_coefficient) * self.pairs(x, f);
        T::of(0.5 * self.oscillator).mul_add(self.spring(x, f), pairs)
    }

    fn terms(&self) -> Vec<String> {
        vec!["lennard_jones".to_owned(), "oscillator".to_owned()]
    }

    #[inline(always)]
    fn energy_terms<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T], terms: &mut [T]) -> T {
        terms[0] = T::of(self.pair_coefficient) * self.pairs(x, f);
        let sum = self.spring(x, f);
        terms[1] = T::of(0.5 * self.oscillator) * sum;
        T::of(0.5 * self.oscillator).mul_add(sum, terms[0])
    }
}
