//! OBABO.

use super::baoab::ornstein_uhlenbeck;
use super::unadjusted::{Next, Now, Rule, Unadjusted};
use super::{Center, Com, check_friction, check_step};
use crate::Result;
use crate::energy::Potential;
use crate::real::Real;
use std::sync::Arc;

/// OBABO splitting of underdamped Langevin dynamics.
///
///   O: v = c v + sqrt((1 - c^2)/(beta m)) xi,  c = exp(-gamma dt/2)     B: v += (dt/2) f/m     A: x += dt v
///
/// Shapes: x, v, f are `[replica, dof]`. Units: dt in the system's time unit, gamma in 1/time.
/// Bias: O(dt^2); in a harmonic well of frequency omega, x has variance kT / (m omega^2 (1 - (omega dt/2)^2)).
/// Kinetic energy: the mean of those before and after the last O. In a harmonic well the density
/// exp(-beta m (v^2 + omega^2 (1 - (omega dt/2)^2) x^2) / 2) is invariant under O and under B A B, so v has variance exactly
/// kT/m at O, for any stable dt.
/// Divergence is recorded in `ens.health`.
/// Source: Bussi and Parrinello, Phys. Rev. E 75, 056707 (2007).
pub type Obabo = Unadjusted<ObaboRule>;

/// The constants of [`Obabo`].
#[derive(Clone, Debug)]
pub struct ObaboRule {
    dt: f64,
    c: f64,
    kick: Vec<f64>,
    sigma: Vec<f64>,
    mass: Vec<f64>,
}

impl Obabo {
    /// Step `dt`, friction `gamma`, masses per degree of freedom.
    ///
    /// # Errors
    /// `Error::Shape` when there is not one mass per degree of freedom; `Error::Input` for a number outside its range.
    pub fn new(potential: Arc<dyn Potential>, mass: &[f64], dt: f64, gamma: f64, com: Com) -> Result<Self> {
        check_step(&*potential, mass, dt)?;
        check_friction(gamma, true)?;
        let (c, one_minus_c2) = ornstein_uhlenbeck(0.5 * gamma * dt);
        let rule = ObaboRule {
            dt,
            c,
            kick: mass.iter().map(|m| 0.5 * dt / m).collect(),
            sigma: mass.iter().map(|m| (one_minus_c2 / m).sqrt()).collect(),
            mass: mass.to_vec(),
        };
        Unadjusted::with_rule(rule, potential, mass, dt, com)
    }
}

impl Rule for ObaboRule {
    const NOISES: usize = 2;
    const KINETIC: bool = true;

    #[inline(always)]
    fn before<T: Real>(&self, now: Now<'_, T>, next: Next<'_, T>, noise: &[T], root_kt: T, center: &Center) -> T {
        let n = next.x.len();
        let (x, v, f, xi) = (&now.x[..n], &now.v[..n], &now.f[..n], &noise[..n]);
        let (x2, v2) = (next.x, &mut next.v[..n]);
        let (kick, sigma) = (&self.kick[..n], &self.sigma[..n]);
        let (dt, c) = (T::of(self.dt), T::of(self.c));
        for d in 0..n {
            v2[d] = v[d].mul_add(c, T::of(sigma[d]) * root_kt * xi[d]); // O
        }
        center.remove(v2);
        for d in 0..n {
            v2[d] = f[d].mul_add(T::of(kick[d]), v2[d]); // B
            x2[d] = v2[d].mul_add(dt, x[d]); // A
        }
        center.remove(x2);
        T::of(0.0)
    }

    #[inline(always)]
    fn after<T: Real>(&self, f: &[T], v: &mut [T], noise: &[T], root_kt: T, center: &Center) -> T {
        let n = v.len();
        let (f, xi, kick, sigma, mass) = (&f[..n], &noise[n..2 * n], &self.kick[..n], &self.sigma[..n], &self.mass[..n]);
        let c = T::of(self.c);
        let (mut k_before, mut k_after) = (T::of(0.0), T::of(0.0));
        for d in 0..n {
            let v1 = f[d].mul_add(T::of(kick[d]), v[d]); // B
            k_before = (v1 * v1).mul_add(T::of(mass[d]), k_before);
            v[d] = v1.mul_add(c, T::of(sigma[d]) * root_kt * xi[d]); // O
        }
        center.remove(v);
        for d in 0..n {
            k_after = (v[d] * v[d]).mul_add(T::of(mass[d]), k_after);
        }
        T::of(0.25) * (k_before + k_after)
    }
}
