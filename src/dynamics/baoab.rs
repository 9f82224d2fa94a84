//! BAOAB.

use super::unadjusted::{Next, Now, Rule, Unadjusted};
use super::{Center, Com, check_friction, check_step};
use crate::Result;
use crate::energy::Potential;
use crate::real::Real;
use std::sync::Arc;

/// BAOAB splitting of underdamped Langevin dynamics.
///
///   B: v += (dt/2) f/m     A: x += (dt/2) v     O: v = c v + sqrt((1 - c^2)/(beta m)) xi,  c = exp(-gamma dt)
///
/// Shapes: x, v, f are `[replica, dof]`. Units: dt in the system's time unit, gamma in 1/time.
/// Bias: exact configurational averages in a harmonic well for any stable dt (omega dt < 2); otherwise O(dt^2).
/// Kinetic energy: the mean of those before and after O. In a harmonic well of frequency omega the density
///
///   exp(-beta m (v^2 + omega^2 x^2 / (1 - (omega dt/2)^2)) / 2)
///
/// is invariant under O (v is Maxwell's and independent of x) and under A B B A (v^2 (1 - (omega dt/2)^2) + omega^2 x^2 is
/// its conserved form), so at O v has variance exactly kT/m, before and after, for any stable dt; at the end of the step it
/// has (1 - (omega dt/2)^2) kT/m only.
/// Divergence is recorded in `ens.health`.
/// Source: Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34 (2013).
pub type Baoab = Unadjusted<BaoabRule>;

/// The constants of [`Baoab`].
#[derive(Clone, Debug)]
pub struct BaoabRule {
    half_dt: f64,
    c: f64,
    kick: Vec<f64>,
    sigma: Vec<f64>,
    mass: Vec<f64>,
}

impl Baoab {
    /// Step `dt`, friction `gamma`, masses per degree of freedom.
    ///
    /// # Errors
    /// `Error::Shape` when there is not one mass per degree of freedom; `Error::Input` for a number outside its range.
    pub fn new(potential: Arc<dyn Potential>, mass: &[f64], dt: f64, gamma: f64, com: Com) -> Result<Self> {
        check_step(&*potential, mass, dt)?;
        check_friction(gamma, true)?;
        let (c, one_minus_c2) = ornstein_uhlenbeck(gamma * dt);
        let rule = BaoabRule {
            half_dt: 0.5 * dt,
            c,
            kick: mass.iter().map(|m| 0.5 * dt / m).collect(),
            sigma: mass.iter().map(|m| (one_minus_c2 / m).sqrt()).collect(),
            mass: mass.to_vec(),
        };
        Unadjusted::with_rule(rule, potential, mass, dt, com)
    }
}

/// c = exp(-y) and 1 - c^2 = 2 tanh(y) / (1 + tanh(y)), without cancellation at small y.
pub(crate) fn ornstein_uhlenbeck(y: f64) -> (f64, f64) {
    let t = Real::tanh(y);
    (Real::exp(-y), 2.0 * t / (1.0 + t))
}

impl Rule for BaoabRule {
    const NOISES: usize = 1;
    const KINETIC: bool = true;

    #[inline(always)]
    fn before<T: Real>(&self, now: Now<'_, T>, next: Next<'_, T>, noise: &[T], root_kt: T, center: &Center) -> T {
        let n = next.x.len();
        let (x, v, f, xi) = (&now.x[..n], &now.v[..n], &now.f[..n], &noise[..n]);
        let (x2, v2) = (next.x, &mut next.v[..n]);
        let (kick, sigma, mass) = (&self.kick[..n], &self.sigma[..n], &self.mass[..n]);
        let (half_dt, c) = (T::of(self.half_dt), T::of(self.c));
        let (mut k_before, mut k_after) = (T::of(0.0), T::of(0.0));
        for d in 0..n {
            let v1 = f[d].mul_add(T::of(kick[d]), v[d]); // B
            x2[d] = v1.mul_add(half_dt, x[d]); // A
            k_before = (v1 * v1).mul_add(T::of(mass[d]), k_before);
            v2[d] = v1.mul_add(c, T::of(sigma[d]) * root_kt * xi[d]); // O
        }
        center.remove(v2);
        for d in 0..n {
            k_after = (v2[d] * v2[d]).mul_add(T::of(mass[d]), k_after);
            x2[d] = v2[d].mul_add(half_dt, x2[d]); // A
        }
        center.remove(x2);
        T::of(0.25) * (k_before + k_after)
    }

    #[inline(always)]
    fn after<T: Real>(&self, f: &[T], v: &mut [T], _noise: &[T], _root_kt: T, _center: &Center) -> T {
        let n = v.len();
        let (f, kick) = (&f[..n], &self.kick[..n]);
        for d in 0..n {
            v[d] = f[d].mul_add(T::of(kick[d]), v[d]); // B
        }
        T::of(0.0)
    }
}
