//! Uniform and normal numbers from random bits.

use crate::real::{Word, math};

/// The upper 52 bits as a uniform number in (0, 1): (k + 1/2) / 2^52.
#[inline(always)]
pub fn unit<L: Word>(bits: L::Int) -> L {
    let one_to_two = L::from_bits(L::int_or(L::int_shr(bits, 12), L::int(0x3ff0_0000_0000_0000)));
    one_to_two - L::of(1.0 - f64::EPSILON / 2.0)
}

/// Two independent standard normal numbers from 2 x 64 random bits.
///
///   sqrt(-2 ln u1) (cos 2 pi u2, sin 2 pi u2)
///
/// The largest magnitude is sqrt(2 * 53 ln 2) = 8.57. Source: Box and Muller, Ann. Math. Stat. 29, 610 (1958).
#[inline(always)]
pub fn normal_pair<L: Word>(a: L::Int, b: L::Int) -> (L, L) {
    let radius = (L::of(-2.0) * math::ln_normal(unit::<L>(a), L::of(0.0))).sqrt();
    let (s, c) = math::sin_cos_turns(unit::<L>(b));
    (radius * c, radius * s)
}
