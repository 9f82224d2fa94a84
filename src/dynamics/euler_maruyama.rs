//! Euler-Maruyama.

use super::unadjusted::{Next, Now, Rule, Unadjusted};
use super::{Center, Com, check_friction, check_step};
use crate::Result;
use crate::energy::Potential;
use crate::real::Real;
use std::sync::Arc;

/// Euler-Maruyama for overdamped Langevin dynamics.
///
///   x += dt f/(m gamma) + sqrt(2 dt/(beta m gamma)) xi
///
/// Shapes: x, f are `[replica, dof]`; velocities are left alone. Units: dt in the system's time unit, gamma in 1/time, so
/// that the diffusion constant is kT/(m gamma), as for the underdamped splittings.
/// Bias: O(dt); in a harmonic well of stiffness k, x has variance kT / (k (1 - k dt/(2 m gamma))).
/// Divergence is recorded in `ens.health`.
/// Source: Maruyama, Rend. Circ. Mat. Palermo 4, 48 (1955).
pub type EulerMaruyama = Unadjusted<EulerMaruyamaRule>;

/// The constants of [`EulerMaruyama`].
#[derive(Clone, Debug)]
pub struct EulerMaruyamaRule {
    drift: Vec<f64>,
    sigma: Vec<f64>,
}

impl EulerMaruyama {
    /// Step `dt`, friction `gamma`, masses per degree of freedom.
    ///
    /// # Errors
    /// `Error::Shape` when there is not one mass per degree of freedom; `Error::Input` for a number outside its range.
    pub fn new(potential: Arc<dyn Potential>, mass: &[f64], dt: f64, gamma: f64, com: Com) -> Result<Self> {
        check_step(&*potential, mass, dt)?;
        check_friction(gamma, false)?;
        let rule = EulerMaruyamaRule {
            drift: mass.iter().map(|m| dt / (m * gamma)).collect(),
            sigma: mass.iter().map(|m| (2.0 * dt / (m * gamma)).sqrt()).collect(),
        };
        Unadjusted::with_rule(rule, potential, mass, dt, com)
    }
}

impl Rule for EulerMaruyamaRule {
    const NOISES: usize = 1;
    const KINETIC: bool = false;

    #[inline(always)]
    fn before<T: Real>(&self, now: Now<'_, T>, next: Next<'_, T>, noise: &[T], root_kt: T, center: &Center) -> T {
        let n = next.x.len();
        let (x, v, f, xi) = (&now.x[..n], &now.v[..n], &now.f[..n], &noise[..n]);
        let (x2, v2) = (next.x, &mut next.v[..n]);
        let (drift, sigma) = (&self.drift[..n], &self.sigma[..n]);
        for d in 0..n {
            let moved = f[d].mul_add(T::of(drift[d]), x[d]);
            x2[d] = (T::of(sigma[d]) * root_kt).mul_add(xi[d], moved);
            v2[d] = v[d];
        }
        center.remove(x2);
        T::of(0.0)
    }

    #[inline(always)]
    fn after<T: Real>(&self, _f: &[T], _v: &mut [T], _noise: &[T], _root_kt: T, _center: &Center) -> T {
        T::of(0.0)
    }
}
