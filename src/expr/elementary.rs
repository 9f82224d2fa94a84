//! The functions of the grammar that [`Real`] does not have, built from those it has.

use crate::real::Real;

/// sin x / cos x.
#[inline(always)]
pub(super) fn tan<T: Real>(x: T) -> T {
    let (s, c) = x.sin_cos();
    s / c
}

/// 2 t / (1 - t^2) with t = tanh(x/2) for small x, (e^(x/2) e^(x/2) - e^(-x/2) e^(-x/2)) / 2 beyond: no cancellation, no early overflow.
#[inline(always)]
pub(super) fn sinh<T: Real>(x: T) -> T {
    let (half, one) = (T::of(0.5), T::of(1.0));
    let h = half * x;
    let t = h.tanh();
    let near = (t + t) / (one - t * t);
    let e = h.exp();
    let i = e.recip();
    let far = (half * e) * e - (half * i) * i;
    T::select(x.abs().lt(one), near, far)
}

/// (e^(x/2) e^(x/2) + e^(-x/2) e^(-x/2)) / 2.
#[inline(always)]
pub(super) fn cosh<T: Real>(x: T) -> T {
    let half = T::of(0.5);
    let e = (half * x).exp();
    let i = e.recip();
    (half * e).mul_add(e, (half * i) * i)
}

/// The angle of the point (x, sqrt((1 - x)(1 + x))).
#[inline(always)]
pub(super) fn acos<T: Real>(x: T) -> T {
    let one = T::of(1.0);
    ((one - x) * (one + x)).sqrt().atan2(x)
}

/// `if_greater` for x > 0, `if_less` for x < 0, 0 at 0, NaN of NaN.
#[inline(always)]
fn by_sign<T: Real>(x: T, if_greater: f64, if_less: f64) -> T {
    let zero = T::of(0.0);
    let low = T::select(x.lt(zero), T::of(if_less), T::select(x.le(zero), zero, x));
    T::select(zero.lt(x), T::of(if_greater), low)
}

/// -1, 0 or 1.
#[inline(always)]
pub(super) fn sgn<T: Real>(x: T) -> T {
    by_sign(x, 1.0, -1.0)
}

/// 1 for x > 0, else 0.
#[inline(always)]
pub(super) fn step<T: Real>(x: T) -> T {
    by_sign(x, 1.0, 0.0)
}

/// The smaller one, the first where both are equal, NaN where either is.
#[inline(always)]
pub(super) fn min<T: Real>(a: T, b: T) -> T {
    T::select(b.lt(a), b, T::select(a.le(b), a, a + b))
}

/// The larger one, the first where both are equal, NaN where either is.
#[inline(always)]
pub(super) fn max<T: Real>(a: T, b: T) -> T {
    T::select(a.lt(b), b, T::select(b.le(a), a, a + b))
}

/// x - y floor(x/y), in [0, y) for y > 0 and (y, 0] for y < 0: where the rounded quotient is one off, it is mended.
#[inline(always)]
pub(super) fn modulo<T: Real>(x: T, y: T) -> T {
    let zero = T::of(0.0);
    let quotient = (x / y).floor();
    let r = quotient.mul_add(-y, x);
    // turned so that it ought to lie in [0, |y|)
    let turned = T::select(y.lt(zero), -r, r);
    let r = T::select(turned.lt(zero), r + y, r);
    T::select(y.abs().le(turned), r - y, r)
}

/// a^b = e^(b ln a) for a > 0, within (2 + |b ln a|) units in the last place; at a = 0 it is 0, 1 or infinite as b > 0, b = 0, b < 0;
/// NaN for a < 0 (a constant whole exponent is multiplied out instead).
#[inline(always)]
pub(super) fn power<T: Real>(a: T, b: T) -> T {
    let (zero, one) = (T::of(0.0), T::of(1.0));
    let nothing = a.le(zero) & zero.le(a);
    let usual = (b * T::select(nothing, one, a).ln()).exp();
    let at_zero = T::select(zero.lt(b), zero, T::select(b.lt(zero), T::of(f64::INFINITY), one));
    T::select(nothing, at_zero, usual)
}

/// x where a < b, else y.
#[inline(always)]
pub(super) fn pick<T: Real>(a: T, b: T, x: T, y: T) -> T {
    T::select(a.lt(b), x, y)
}
