//! Leimkuhler-Matthews: the high-friction limit of BAOAB.

use super::unadjusted::{Next, Now, Rule, Unadjusted};
use super::{Center, Com, check_friction, check_step};
use crate::Result;
use crate::energy::Potential;
use crate::real::Real;
use std::sync::Arc;

/// The Leimkuhler-Matthews method for overdamped Langevin dynamics.
///
///   x += dt f/(m gamma) + sqrt(2 dt/(beta m gamma)) (xi_n + xi_n+1)/2
///
/// BAOAB with c = 0 and its step h set by h^2 / 2 = dt / gamma. The noise shared by neighbouring steps is part of the state:
/// it is kept as the velocity v = sqrt(1/(beta m)) xi, so that copies, checkpoints and exchanges carry it along; started at
/// rest, the first step has half its noise missing, started from Maxwell's velocities nothing is.
///
/// Shapes: x, v, f are `[replica, dof]`. Units: dt in the system's time unit, gamma in 1/time (diffusion kT/(m gamma)).
/// Bias: exact averages in a harmonic well of stiffness k for any stable dt (k dt/(m gamma) < 2); otherwise O(dt^2) once the
/// start is forgotten.
/// Divergence is recorded in `ens.health`.
/// Source: Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34 (2013); Leimkuhler, Matthews and Tretyakov,
/// Proc. R. Soc. A 470, 20140120 (2014).
pub type LeimkuhlerMatthews = Unadjusted<LeimkuhlerMatthewsRule>;

/// The constants of [`LeimkuhlerMatthews`].
#[derive(Clone, Debug)]
pub struct LeimkuhlerMatthewsRule {
    /// sqrt(dt / (2 gamma)): half of sqrt(2 kT dt/(m gamma)) over sqrt(kT/m).
    reach: f64,
    drift: Vec<f64>,
    sigma: Vec<f64>,
}

impl LeimkuhlerMatthews {
    /// Step `dt`, friction `gamma`, masses per degree of freedom.
    ///
    /// # Errors
    /// `Error::Shape` when there is not one mass per degree of freedom; `Error::Input` for a number outside its range.
    pub fn new(potential: Arc<dyn Potential>, mass: &[f64], dt: f64, gamma: f64, com: Com) -> Result<Self> {
        check_step(&*potential, mass, dt)?;
        check_friction(gamma, false)?;
        let rule = LeimkuhlerMatthewsRule {
            reach: (0.5 * dt / gamma).sqrt(),
            drift: mass.iter().map(|m| dt / (m * gamma)).collect(),
            sigma: mass.iter().map(|m| (1.0 / m).sqrt()).collect(),
        };
        Unadjusted::with_rule(rule, potential, mass, dt, com)
    }
}

impl Rule for LeimkuhlerMatthewsRule {
    const NOISES: usize = 1;
    const KINETIC: bool = false;

    #[inline(always)]
    fn before<T: Real>(&self, now: Now<'_, T>, next: Next<'_, T>, noise: &[T], root_kt: T, center: &Center) -> T {
        let n = next.x.len();
        let (x, v, f, xi) = (&now.x[..n], &now.v[..n], &now.f[..n], &noise[..n]);
        let (x2, v2) = (next.x, &mut next.v[..n]);
        let (drift, sigma) = (&self.drift[..n], &self.sigma[..n]);
        let reach = T::of(self.reach);
        for d in 0..n {
            v2[d] = T::of(sigma[d]) * root_kt * xi[d];
            x2[d] = (v[d] + v2[d]).mul_add(reach, f[d].mul_add(T::of(drift[d]), x[d]));
        }
        center.remove(v2);
        center.remove(x2);
        T::of(0.0)
    }

    #[inline(always)]
    fn after<T: Real>(&self, _f: &[T], _v: &mut [T], _noise: &[T], _root_kt: T, _center: &Center) -> T {
        T::of(0.0)
    }
}
