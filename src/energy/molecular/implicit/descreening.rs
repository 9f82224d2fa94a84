//! The descreening of an atom by another.

use crate::real::{Mask, Real};

/// H(r, or, sr) and dH/dr, after Hawkins, Cramer, Truhlar, Chem. Phys. Lett. 246, 122 (1995):
///
///   H = 1/2 [1/L - 1/U + (r - sr^2/r)(1/U^2 - 1/L^2)/4 + ln(L/U)/(2r) + C],  0 if r + sr <= or
///   L = max(or, |r - sr|),  U = r + sr,  C = 2 (1/or - 1/L) if or < sr - r and `engulfed`, else 0
///   dH/dr = 1/2 [(1 + sr^2/r^2)(1/U^2 - 1/L^2)/4 - ln(L/U)/(2r^2)] + D
///
/// The derivatives by L and U cancel but for D = 1/L^2 if or < sr - r and not `engulfed`.
#[inline(always)]
pub(super) fn descreening<T: Real>(r: T, inverse_r: T, or: T, inverse_or: T, sr: T, engulfed: bool) -> (T, T) {
    let (zero, one, half, quarter) = (T::of(0.0), T::of(1.0), T::of(0.5), T::of(0.25));
    let upper = r + sr;
    let lower = or.max((r - sr).abs());
    let inverse = (lower * upper).recip();
    let (inverse_l, inverse_u) = (upper * inverse, lower * inverse);
    let log = half * (lower * inverse_u).ln() * inverse_r;
    let ratio = sr * inverse_r;
    let difference = inverse_l - inverse_u;
    let quarter_sum = quarter * (inverse_l + inverse_u);
    let mut h = half * difference.mul_add(one - (r - sr * ratio) * quarter_sum, log);
    let mut slope = -(half * ratio.mul_add(ratio, one).mul_add(difference * quarter_sum, log * inverse_r));
    let inside = or.lt(sr - r);
    if inside.any() {
        if engulfed {
            h += T::select(inside, inverse_or - inverse_l, zero);
        } else {
            slope += T::select(inside, inverse_l * inverse_l, zero);
        }
    }
    let reached = or.lt(upper);
    (T::select(reached, h, zero), T::select(reached, slope, zero))
}
