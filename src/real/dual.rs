//! Numbers with an exact first derivative: `Dual { re, eps }` stands for re + eps d, d^2 = 0.
//!
//! `Dual<f64>` checks forces against energies; `Dual<Lane>` gives du/dlambda at lane speed.

use super::Real;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// A value and its derivative.
#[derive(Clone, Copy, Debug)]
pub struct Dual<T> {
    /// Value.
    pub re: T,
    /// Derivative.
    pub eps: T,
}

impl<T: Real> Dual<T> {
    /// A variable or an intermediate of known derivative.
    #[inline(always)]
    pub fn new(re: T, eps: T) -> Self {
        Dual { re, eps }
    }
}

impl<T: Real> Add for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Dual::new(self.re + o.re, self.eps + o.eps)
    }
}
impl<T: Real> Sub for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Dual::new(self.re - o.re, self.eps - o.eps)
    }
}
impl<T: Real> Mul for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Dual::new(self.re * o.re, self.re.mul_add(o.eps, self.eps * o.re))
    }
}
impl<T: Real> Div for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        let q = self.re / o.re;
        Dual::new(q, (self.eps - q * o.eps) / o.re)
    }
}
impl<T: Real> Neg for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual::new(-self.re, -self.eps)
    }
}
impl<T: Real> AddAssign for Dual<T> {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}
impl<T: Real> SubAssign for Dual<T> {
    #[inline(always)]
    fn sub_assign(&mut self, o: Self) {
        *self = *self - o;
    }
}
impl<T: Real> MulAssign for Dual<T> {
    #[inline(always)]
    fn mul_assign(&mut self, o: Self) {
        *self = *self * o;
    }
}

impl<T: Real> Real for Dual<T> {
    type Mask = T::Mask;
    #[inline(always)]
    fn of(c: f64) -> Self {
        Dual::new(T::of(c), T::of(0.0))
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Dual::new(self.re.mul_add(a.re, b.re), self.re.mul_add(a.eps, self.eps.mul_add(a.re, b.eps)))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let r = self.re.sqrt();
        Dual::new(r, self.eps / (r + r))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self::select(self.re.lt(T::of(0.0)), -self, self)
    }
    #[inline(always)]
    fn round(self) -> Self {
        Dual::new(self.re.round(), T::of(0.0))
    }
    #[inline(always)]
    fn floor(self) -> Self {
        Dual::new(self.re.floor(), T::of(0.0))
    }
    #[inline(always)]
    fn lt(self, o: Self) -> T::Mask {
        self.re.lt(o.re)
    }
    #[inline(always)]
    fn le(self, o: Self) -> T::Mask {
        self.re.le(o.re)
    }
    #[inline(always)]
    fn select(m: T::Mask, a: Self, b: Self) -> Self {
        Dual::new(T::select(m, a.re, b.re), T::select(m, a.eps, b.eps))
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let e = self.re.exp();
        Dual::new(e, e * self.eps)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        Dual::new(self.re.ln(), self.eps / self.re)
    }
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        let (s, c) = self.re.sin_cos();
        (Dual::new(s, c * self.eps), Dual::new(c, -s * self.eps))
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let t = self.re.tanh();
        Dual::new(t, (T::of(1.0) - t * t) * self.eps)
    }
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        let r2 = self.re.mul_add(self.re, x.re * x.re);
        Dual::new(self.re.atan2(x.re), (x.re * self.eps - self.re * x.eps) / r2)
    }
}
