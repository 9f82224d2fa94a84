//! Targets whose Z is known by quadrature, at the end of a path on which beta and lambda both move.

use super::{Bowl, between};
use ergodica::batch::Thermo;
use ergodica::dynamics::Com;
use ergodica::energy::{Energy, Potential, double_well::DoubleWell, gaussian_mixture::GaussianMixture, lennard_jones::LennardJones};
use ergodica::path::GaussianBase;
use ergodica::real::Real;
use std::sync::Arc;

/// A path from a Gaussian to a target.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) dof: usize,
    pub(crate) com: Com,
    pub(crate) potential: Arc<dyn Potential>,
    pub(crate) ladder: Vec<Thermo>,
    pub(crate) base: GaussianBase,
    /// Does its force grow faster than linearly, so that unadjusted kernels have weights of infinite variance?
    pub(crate) steep: bool,
    /// ln of the integral of exp(-beta U) at the last level.
    pub(crate) log_z: f64,
}

pub(crate) const FIRST: f64 = 0.8;
pub(crate) const LAST: f64 = 1.2;
pub(crate) const STEPS: usize = 6;

/// lambda 0 to 1 and beta 0.8 to 1.2 at once.
fn ladder() -> Vec<Thermo> {
    let s = |k: usize| k as f64 / STEPS as f64;
    (0..=STEPS).map(|k| Thermo { beta: FIRST + (LAST - FIRST) * s(k), lambda: s(k), state: k as u32 }).collect()
}

fn case<E: Energy + Clone>(name: &'static str, energy: E, sigma: f64, com: Com, log_z: f64) -> Case {
    let dof = energy.dof();
    let base = GaussianBase::new(vec![0.0; dof], sigma / FIRST.sqrt()).unwrap().with_com(com);
    let steep = matches!(name, "double well" | "LJ-3");
    Case { name, dof, com, potential: between(Bowl { dof, sigma }, energy), ladder: ladder(), base, steep, log_z }
}

/// A well with a bump in it, and a spring beside it: forces grow linearly at most.
///
/// U = x^2 / 2 + h exp(-2 x^2) + y^2 / 2. Unadjusted kernels have weights of finite variance only where the curvature is
/// bounded: a step from far out in a steeper well overshoots, and E[w^2] contains exp(u) of where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Bump(pub(crate) f64);

impl Energy for Bump {
    fn dof(&self) -> usize {
        2
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let bump = T::of(self.0) * (T::of(-2.0) * x[0] * x[0]).exp();
        f[0] = T::of(4.0) * x[0] * bump - x[0];
        f[1] = -x[1];
        T::of(0.5) * (x[0] * x[0] + x[1] * x[1]) + bump
    }
}

/// Three particles, each pair with s^2 - 2 s, s = 1 / (r^2 + a)^3, and springs to their centre: Lennard-Jones for a = 0.
#[derive(Clone, Debug)]
pub(crate) struct SoftThree(pub(crate) f64);

impl Energy for SoftThree {
    fn dof(&self) -> usize {
        9
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for k in 0..3 {
            let mean = T::of(1.0 / 3.0) * (x[k] + x[3 + k] + x[6 + k]);
            for i in 0..3 {
                let d = x[3 * i + k] - mean;
                u += T::of(0.5) * d * d;
                f[3 * i + k] = -d;
            }
        }
        for i in 0..3 {
            for j in 0..i {
                let mut r2 = T::of(self.0);
                for k in 0..3 {
                    let d = x[3 * i + k] - x[3 * j + k];
                    r2 += d * d;
                }
                let inverse = T::of(1.0) / r2;
                let s = inverse * inverse * inverse;
                let g = T::of(12.0) * (s * s - s) * inverse;
                u += s * s - T::of(2.0) * s;
                for k in 0..3 {
                    let d = g * (x[3 * i + k] - x[3 * j + k]);
                    f[3 * i + k] += d;
                    f[3 * j + k] -= d;
                }
            }
        }
        u
    }
}

fn plane(u: impl Fn(f64, f64) -> f64) -> f64 {
    let (n, a) = (600, 7.0);
    let h = 2.0 * a / f64::from(n);
    let mut z = 0.0;
    for i in 0..n {
        for j in 0..n {
            z += Real::exp(-LAST * u(h * (f64::from(i) + 0.5) - a, h * (f64::from(j) + 0.5) - a));
        }
    }
    Real::ln(z * h * h)
}

/// The six dimensions of three particles without their centre: r = x_2 - x_1, R = x_3 - (x_1 + x_2) / 2, and the angle between.
/// In lengths of the subspace dy = 3^(-3/2) dr dR.
fn three(u: impl Fn(f64) -> f64, n: usize) -> f64 {
    let (far, angles) = (6.0, 100);
    let h = far / n as f64;
    let mut z = 0.0;
    for i in 0..n {
        let r = h * (i as f64 + 0.5);
        let pair = u(r * r);
        for j in 0..n {
            let big = h * (j as f64 + 0.5);
            let spring = 0.25 * r * r + big * big / 3.0;
            if LAST * (pair + spring - 2.0) > 45.0 {
                continue;
            }
            let mut sum = 0.0;
            for k in 0..angles {
                let c = (k as f64 + 0.5) / angles as f64; // both halves are equal
                let (a, b) = (big * big + 0.25 * r * r, r * big * c);
                sum += Real::exp(-LAST * (pair + spring + u(a + b) + u((a - b).max(1e-12))));
            }
            z += sum / angles as f64 * 2.0 * r * r * big * big;
        }
    }
    let turns = 8.0 * std::f64::consts::PI * std::f64::consts::PI;
    Real::ln(z * h * h * turns / 27.0_f64.sqrt())
}

fn soft(a: f64) -> impl Fn(f64) -> f64 {
    move |r2: f64| {
        let s = 1.0 / ((r2 + a) * (r2 + a) * (r2 + a));
        s * s - 2.0 * s
    }
}

pub(crate) fn mixture() -> Case {
    let c = vec![0.36, 0.0, 0.0, 0.36];
    let m = GaussianMixture::new(&[vec![-1.2, 0.3], vec![1.0, -0.4], vec![0.2, 1.1]], &[0.5, 0.3, 0.2], &vec![c; 3]).unwrap();
    let log_z = plane(|x, y| m.energy_force(&[x, y], 1.0, &mut [0.0; 2]));
    case("mixture", m, 1.6, Com::Keep, log_z)
}

pub(crate) fn bump() -> Case {
    let e = Bump(3.0);
    let log_z = plane(|x, y| e.energy_force(&[x, y], 1.0, &mut [0.0; 2]));
    case("double well with a bump", e, 1.3, Com::Keep, log_z)
}

pub(crate) fn quartic() -> Case {
    let e = DoubleWell { wells: 1, harmonic: 1, barrier: 3.0, minimum: 1.2, tilt: 0.4, k: 1.0 };
    let log_z = plane(|x, y| e.energy_force(&[x, y], 1.0, &mut [0.0; 2]));
    case("double well", e, 1.3, Com::Keep, log_z)
}

pub(crate) fn soft_three() -> Case {
    case("LJ-3, soft core", SoftThree(0.8), 1.2, Com::Remove { dim: 3 }, three(soft(0.8), 150))
}

pub(crate) fn lj3() -> Case {
    let e = LennardJones { particles: 3, pair_coefficient: 1.0, oscillator: 1.0 };
    case("LJ-3", e, 1.2, Com::Remove { dim: 3 }, three(soft(0.0), 400))
}
