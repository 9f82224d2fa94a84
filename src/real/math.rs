//! exp, ln, sin, cos, tanh and atan2 on any [`Word`]: the same operations in the same order for `f64` and every lane.
//!
//! Each function reduces its argument to a small interval, evaluates a polynomial there (near-minimax coefficients,
//! fitted with 300-bit arithmetic on Chebyshev nodes; the error of each fit stands beside it) and puts the result
//! together with as few roundings as possible. Reductions after Cody and Waite, and W. J. Cody, "Software Manual for the
//! Elementary Functions" (1980); with fused multiply-add the products of the reductions are exact.
//!
//! Largest errors found against 160-bit arithmetic (tests/math.rs: 20 000 and more arguments a function over all exponents,
//! hard cases included), in units in the last place: exp 1.02, ln 0.76, sin and cos (|x| <= 1e6) 0.75, tanh 1.20,
//! atan2 1.16.
#![allow(clippy::excessive_precision, clippy::approx_constant)] // high and low parts of sums stand side by side

use super::{Real, Word};

const LN2_HI: f64 = 0.6931471805599453;
const LN2_LO: f64 = 2.3190468138462996e-17;
const LOG2_E: f64 = 1.4426950408889634;
const TWO_OVER_PI: f64 = 0.6366197723675814;
const PI_2: [f64; 3] = [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33];
const PI_4: [f64; 2] = [0.7853981633974483, 3.061616997868383e-17];
const PI: [f64; 2] = [3.141592653589793, 1.2246467991473532e-16];
const SIGN: u64 = 1 << 63;

/// (exp(r) - 1 - r) / r^2 on |r| <= ln(2)/2, |error| < 1.1e-16.
const EXP: [f64; 10] = [
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666662413,
    0.008333333333330062,
    0.0013888888917213717,
    0.00019841269863053618,
    2.4801521295954376e-05,
    2.7557268459997064e-06,
    2.7620088445409746e-07,
    2.510038549551032e-08,
];
/// (ln((1+s)/(1-s)) - 2s) / s^3 in s^2, |s| <= 0.1716, |error| < 3.1e-16.
const LN: [f64; 7] = [
    0.666666666666667,
    0.3999999999989938,
    0.28571428626031065,
    0.2222221112572281,
    0.18182889786191042,
    0.15331699633543858,
    0.14616721179861816,
];
/// (sin(r) - r) / r^3 in r^2, |r| <= pi/4, |error| < 2.0e-17.
const SIN: [f64; 6] = [
    -0.16666666666666666,
    0.008333333333330946,
    -0.0001984126983675497,
    2.755731610068303e-06,
    -2.5051131455427946e-08,
    1.591810123027412e-10,
];
/// (cos(r) - 1 + r^2/2) / r^4 in r^2, |r| <= pi/4, |error| < 1.3e-18.
const COS: [f64; 6] = [
    0.041666666666666664,
    -0.0013888888888887395,
    2.4801587298763433e-05,
    -2.7557317270560326e-07,
    2.0876146024689747e-09,
    -1.1382614868556325e-11,
];
/// (tanh(x) - x) / x^3 in x^2, |x| <= 0.625, |error| < 4.0e-18.
const TANH: [f64; 12] = [
    -0.3333333333333333,
    0.13333333333333042,
    -0.05396825396789699,
    0.021869488519008305,
    -0.008863235103240878,
    0.0035921217511549622,
    -0.0014557754120478055,
    0.0005896606577757043,
    -0.0002375906496055562,
    9.257116129556769e-05,
    -3.12011014257974e-05,
    6.485163482793113e-06,
];
/// (atan(t) - t) / t^3 in t^2, |t| <= tan(pi/8), |error| < 1.2e-18.
const ATAN: [f64; 12] = [
    -0.3333333333333333,
    0.19999999999999804,
    -0.14285714285659729,
    0.11111111105145725,
    -0.09090908753017178,
    0.07692296361048218,
    -0.06666424634599337,
    0.05878926110528101,
    -0.052304330074828924,
    0.0455149623749493,
    -0.034568068014968874,
    0.016282993238924487,
];

/// Horner's rule, lowest coefficient first.
#[inline(always)]
fn polynomial<T: Real, const N: usize>(c: &[f64; N], x: T) -> T {
    let mut p = T::of(c[N - 1]);
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        p = p.mul_add(x, T::of(c[i]));
    }
    p
}

/// |a| with the sign bit of b.
#[inline(always)]
fn copysign<T: Word>(a: T, b: T) -> T {
    let magnitude = T::int_and(a.bits(), T::int(!SIGN));
    T::from_bits(T::int_or(magnitude, T::int_and(b.bits(), T::int(SIGN))))
}

/// 2^n for a whole n in [-1022, 1023]: n + 1023 stands in the low bits of n + 1023 + 2^52, and moves to the exponent.
#[inline(always)]
fn pow2<T: Word>(n: T) -> T {
    T::from_bits(T::int_shl((n + T::of(4503599627370496.0 + 1023.0)).bits(), 52))
}

/// e^x = 2^k e^r, r = x - k ln 2.
#[inline(always)]
pub(super) fn exp<T: Word>(x: T) -> T {
    let x = x.min(T::of(720.0)).max(T::of(-760.0));
    let k = (x * T::of(LOG2_E)).round();
    let r = k.mul_add(T::of(-LN2_HI), x);
    let r = k.mul_add(T::of(-LN2_LO), r);
    let p = T::of(1.0) + (r * r).mul_add(polynomial(&EXP, r), r);
    let half = (k * T::of(0.5)).floor(); // two steps, so that results below the normal range are rounded once
    p * pow2(half) * pow2(k - half)
}

/// e^x for x <= 0, as exp but for three shortcuts: no overflow to guard, no subnormal results (below -708 it is e^-708 = 3e-308, not
/// less), and rounding by adding 1.5 2^52, in whose low bits k then stands. The same error bound; 1.5 times as fast.
#[inline(always)]
pub(crate) fn exp_falling<T: Word>(x: T) -> T {
    const WHOLE: f64 = 6755399441055744.0;
    let x = x.max(T::of(-708.0));
    let shifted = x.mul_add(T::of(LOG2_E), T::of(WHOLE));
    let k = shifted - T::of(WHOLE);
    let r = k.mul_add(T::of(-LN2_HI), x);
    let r = k.mul_add(T::of(-LN2_LO), r);
    let p = T::of(1.0) + (r * r).mul_add(polynomial(&EXP, r), r);
    T::from_bits(T::int_add(p.bits(), T::int_shl(shifted.bits(), 52)))
}

/// ln of a positive, finite, normal number: x = 2^e m, m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f),
/// ln(1 + f) = f - (f^2/2 - s (f^2/2 + R(s^2))).
#[inline(always)]
pub(crate) fn ln_normal<T: Word>(x: T, shift: T) -> T {
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let i = T::int_add(x.bits(), T::int(0x3ff0_0000_0000_0000 - ROOT_HALF));
    let e = T::from_bits(T::int_or(T::int_shr(i, 52), T::int(0x4330_0000_0000_0000))) - T::of(4503599627370496.0 + 1023.0) + shift;
    let m = T::from_bits(T::int_add(T::int_and(i, T::int(0x000f_ffff_ffff_ffff)), T::int(ROOT_HALF)));
    let f = m - T::of(1.0);
    let s = f / (f + T::of(2.0));
    let z = s * s;
    let half_f2 = T::of(0.5) * f * f;
    let tail = s.mul_add(z.mul_add(polynomial(&LN, z), half_f2), e * T::of(LN2_LO));
    e.mul_add(T::of(LN2_HI), f - (half_f2 - tail))
}

#[inline(always)]
pub(super) fn ln<T: Word>(x: T) -> T {
    let zero = T::of(0.0);
    let small = x.lt(T::of(f64::MIN_POSITIVE));
    let scaled = T::select(small, x * T::of(18014398509481984.0), x);
    let r = ln_normal(scaled, T::select(small, T::of(-54.0), zero));
    let r = T::select(x.lt(T::of(f64::INFINITY)), r, x);
    let r = T::select(x.lt(zero), T::of(f64::NAN), r);
    T::select(x.le(zero) & zero.le(x), T::of(f64::NEG_INFINITY), r)
}

/// sin and cos of r + y, |r| <= pi/4, y the rounding error of r, turned by k quarters.
#[inline(always)]
fn sin_cos_reduced<T: Word>(r: T, y: T, k: T) -> (T, T) {
    let one = T::of(1.0);
    let z = r * r;
    let half_z = T::of(0.5) * z;
    let s = r + (z * r).mul_add(polynomial(&SIN, z), y * (one - half_z));
    let w = one - half_z;
    let c = w + ((one - w) - half_z + (z * z).mul_add(polynomial(&COS, z), -(r * y)));
    let h = k * T::of(0.5);
    let odd = T::of(0.25).lt(h - h.floor());
    let q = (k + T::of(6755399441055744.0)).bits(); // 1.5 2^52: k in the low bits, two's complement
    let sin_sign = T::int_shl(T::int_and(q, T::int(2)), 62);
    let cos_sign = T::int_shl(T::int_and(T::int_add(q, T::int(1)), T::int(2)), 62);
    let sin = T::from_bits(T::int_xor(T::select(odd, c, s).bits(), sin_sign));
    let cos = T::from_bits(T::int_xor(T::select(odd, s, c).bits(), cos_sign));
    (sin, cos)
}

/// x = k pi/2 + r + y. x - k pi/2_1 is exact; the second product is taken with its error, the third closes the sum.
#[inline(always)]
pub(super) fn sin_cos<T: Word>(x: T) -> (T, T) {
    let k = (x * T::of(TWO_OVER_PI)).round();
    let a = k.mul_add(T::of(-PI_2[0]), x);
    let w = k * T::of(PI_2[1]);
    let w_error = k.mul_add(T::of(PI_2[1]), -w);
    let r = a - w;
    let b = r - a; // two-sum
    let r_error = (a - (r - b)) - (w + b);
    let y = r_error - w_error - k * T::of(PI_2[2]);
    let r2 = r + y;
    let y2 = (r - r2) + y;
    let (s, c) = sin_cos_reduced(r2, y2, k);
    let magnitude = x.abs();
    let s = T::select(magnitude.lt(T::of(7.450580596923828e-9)), x, s);
    let ok = magnitude.le(T::of(1e15));
    (T::select(ok, s, T::of(f64::NAN)), T::select(ok, c, T::of(f64::NAN)))
}

/// sin and cos of 2 pi u, 0 <= u <= 1: the reduction is exact.
#[inline(always)]
pub(crate) fn sin_cos_turns<T: Word>(u: T) -> (T, T) {
    let quarters = u * T::of(4.0);
    let k = quarters.round();
    sin_cos_reduced((quarters - k) * T::of(PI_2[0]), T::of(0.0), k)
}

/// A polynomial up to 0.625, 1 - 2 / (e^(2x) + 1) above.
#[inline(always)]
pub(super) fn tanh<T: Word>(x: T) -> T {
    let z = x * x;
    let near = (x * z).mul_add(polynomial(&TANH, z), x);
    let t = x.abs();
    let far = T::of(1.0) - T::of(2.0) / (exp(t + t) + T::of(1.0));
    copysign(T::select(t.lt(T::of(0.625)), near, far), x) // near of -0 is +0
}

/// atan of the smaller by the larger coordinate, about 0 or about pi/4, then turned into its octant.
#[inline(always)]
pub(super) fn atan2<T: Word>(y: T, x: T) -> T {
    let (zero, one, infinity) = (T::of(0.0), T::of(1.0), T::of(f64::INFINITY));
    let (ax, ay) = (x.abs(), y.abs());
    let steep = ax.lt(ay);
    let (mut low, mut high) = (T::select(steep, ax, ay), T::select(steep, ay, ax));
    let endless = infinity.le(high);
    low = T::select(endless, T::select(infinity.le(low), one, zero), low);
    high = T::select(endless | high.le(zero), one, high);
    let huge = T::of(1e300).lt(high);
    let tiny = high.lt(T::of(1e-270));
    let scale = T::select(huge, T::of(6.223015277861142e-61), T::select(tiny, T::of(1.6069380442589903e60), one)); // 2^-200, 2^200
    (low, high) = (low * scale, high * scale);
    let upper = (high * T::of(0.41421356237309503)).lt(low);
    let t = T::select(upper, low - high, low) / T::select(upper, low + high, high);
    let z = t * t;
    let a = (t * z).mul_add(polynomial(&ATAN, z), T::select(upper, T::of(PI_4[1]), zero));
    let a = T::select(upper, T::of(PI_4[0]), zero) + (t + a);
    let behind = copysign(one, x).lt(zero); // a, pi/2 - a, pi/2 + a or pi - a, added up once
    let turn = T::select(steep, T::of(PI_2[0]), T::select(behind, T::of(PI[0]), zero));
    let rest = T::select(steep, T::of(PI_2[1]), T::select(behind, T::of(PI[1]), zero));
    let a = turn + (T::select((steep | behind) & !(steep & behind), -a, a) + rest);
    T::select(x.le(x) & y.le(y), copysign(a, y), x + y)
}
