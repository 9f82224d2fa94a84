//! Velocity Verlet.

use super::unadjusted::{Next, Now, Rule, Unadjusted};
use super::{Center, Com, check_step};
use crate::Result;
use crate::energy::Potential;
use crate::real::Real;
use std::sync::Arc;

/// Velocity Verlet: Newton's equations at constant energy.
///
///   v += (dt/2) f/m     x += dt v     v += (dt/2) f/m
///
/// Shapes: x, v, f are `[replica, dof]`. Units: dt in the system's time unit.
/// Order 2, symplectic and reversible: the energy error stays bounded and scales as dt^2; in a harmonic well of frequency
/// omega, v^2 + omega^2 (1 - (omega dt/2)^2) x^2 is conserved to rounding. It does not sample a temperature.
/// Kinetic energy: of the velocities at the end of the step.
/// Divergence is recorded in `ens.health`.
/// Source: Swope, Andersen, Berens and Wilson, J. Chem. Phys. 76, 637 (1982).
pub type VelocityVerlet = Unadjusted<VelocityVerletRule>;

/// The constants of [`VelocityVerlet`].
#[derive(Clone, Debug)]
pub struct VelocityVerletRule {
    dt: f64,
    kick: Vec<f64>,
    mass: Vec<f64>,
}

impl VelocityVerlet {
    /// Step `dt`, masses per degree of freedom.
    ///
    /// # Errors
    /// `Error::Shape` when there is not one mass per degree of freedom; `Error::Input` for a number outside its range.
    pub fn new(potential: Arc<dyn Potential>, mass: &[f64], dt: f64, com: Com) -> Result<Self> {
        check_step(&*potential, mass, dt)?;
        let rule = VelocityVerletRule { dt, kick: mass.iter().map(|m| 0.5 * dt / m).collect(), mass: mass.to_vec() };
        Unadjusted::with_rule(rule, potential, mass, dt, com)
    }
}

impl Rule for VelocityVerletRule {
    const NOISES: usize = 0;
    const KINETIC: bool = true;

    #[inline(always)]
    fn before<T: Real>(&self, now: Now<'_, T>, next: Next<'_, T>, _noise: &[T], _root_kt: T, center: &Center) -> T {
        let n = next.x.len();
        let (x, v, f) = (&now.x[..n], &now.v[..n], &now.f[..n]);
        let (x2, v2) = (next.x, &mut next.v[..n]);
        let (dt, kick) = (T::of(self.dt), &self.kick[..n]);
        for d in 0..n {
            v2[d] = f[d].mul_add(T::of(kick[d]), v[d]);
        }
        center.remove(v2);
        for d in 0..n {
            x2[d] = v2[d].mul_add(dt, x[d]);
        }
        center.remove(x2);
        T::of(0.0)
    }

    #[inline(always)]
    fn after<T: Real>(&self, f: &[T], v: &mut [T], _noise: &[T], _root_kt: T, _center: &Center) -> T {
        let n = v.len();
        let (f, kick, mass) = (&f[..n], &self.kick[..n], &self.mass[..n]);
        let mut k = T::of(0.0);
        for d in 0..n {
            v[d] = f[d].mul_add(T::of(kick[d]), v[d]);
            k = (v[d] * v[d]).mul_add(T::of(mass[d]), k);
        }
        T::of(0.5) * k
    }
}
