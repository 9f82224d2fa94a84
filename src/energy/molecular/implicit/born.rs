//! The Born radius as a function of the descreening integral.

use super::super::{Implicit, ImplicitKind};
use crate::real::Real;

/// 1/B = 1/or - I (HCT), or
/// 1/B = 1/or - tanh(alpha psi - beta psi^2 + gamma psi^3) / R with psi = I or (OBC1, OBC2, GBn, GBn2).
#[derive(Clone, Debug)]
pub(super) struct Born {
    hct: bool,
    offset_radius: f64,
    inverse_offset_radius: f64,
    inverse_radius: f64,
    alpha: f64,
    beta: f64,
    gamma: f64,
}

impl Born {
    pub(super) fn new(force: &Implicit, i: usize) -> Self {
        Born {
            hct: force.kind == ImplicitKind::Hct,
            offset_radius: force.offset_radii[i],
            inverse_offset_radius: 1.0 / force.offset_radii[i],
            inverse_radius: 1.0 / force.radii[i],
            alpha: force.alpha[i],
            beta: force.beta[i],
            gamma: force.gamma[i],
        }
    }

    /// 1/B.
    #[inline(always)]
    pub(super) fn inverse<T: Real>(&self, integral: T) -> T {
        let inverse_or = T::of(self.inverse_offset_radius);
        if self.hct {
            return inverse_or - integral;
        }
        let psi = integral * T::of(self.offset_radius);
        let p = psi * psi.mul_add(psi.mul_add(T::of(self.gamma), T::of(-self.beta)), T::of(self.alpha));
        p.tanh().mul_add(T::of(-self.inverse_radius), inverse_or)
    }

    /// dB/dI, given 1/B and B; the tanh is (1/or - 1/B) R.
    #[inline(always)]
    pub(super) fn slope<T: Real>(&self, integral: T, inverse: T, radius: T) -> T {
        let one = T::of(1.0);
        if self.hct {
            return radius * radius;
        }
        let psi = integral * T::of(self.offset_radius);
        let dp = psi.mul_add(psi.mul_add(T::of(3.0 * self.gamma), T::of(-2.0 * self.beta)), T::of(self.alpha));
        let tanh = (T::of(self.inverse_offset_radius) - inverse) * T::of(1.0 / self.inverse_radius);
        (radius * radius) * ((one - tanh * tanh) * dp) * T::of(self.offset_radius * self.inverse_radius)
    }
}
