//! `f64` as a [`Real`]: the reference that every lane must equal to the bit.

use super::{Mask, Real, Word, math};

impl Mask for bool {
    #[inline(always)]
    fn any(self) -> bool {
        self
    }
    #[inline(always)]
    fn bits(self) -> u8 {
        u8::from(self)
    }
}

impl Real for f64 {
    type Mask = bool;
    #[inline(always)]
    fn of(c: f64) -> Self {
        c
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f64::mul_add(self, a, b)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn round(self) -> Self {
        f64::round_ties_even(self)
    }
    #[inline(always)]
    fn floor(self) -> Self {
        f64::floor(self)
    }
    #[inline(always)]
    fn lt(self, o: Self) -> bool {
        self < o
    }
    #[inline(always)]
    fn le(self, o: Self) -> bool {
        self <= o
    }
    #[inline(always)]
    fn select(m: bool, a: Self, b: Self) -> Self {
        if m { a } else { b }
    }
    #[inline(always)]
    fn exp(self) -> Self {
        math::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        math::ln(self)
    }
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        math::sin_cos(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        math::tanh(self)
    }
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        math::atan2(self, x)
    }
}

impl Word for f64 {
    const LANES: usize = 1;
    type Int = u64;
    #[inline(always)]
    fn bits(self) -> u64 {
        self.to_bits()
    }
    #[inline(always)]
    fn from_bits(i: u64) -> Self {
        f64::from_bits(i)
    }
    #[inline(always)]
    fn int(c: u64) -> u64 {
        c
    }
    #[inline(always)]
    fn int_lanes(base: u64) -> u64 {
        base
    }
    #[inline(always)]
    fn int_add(a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn int_and(a: u64, b: u64) -> u64 {
        a & b
    }
    #[inline(always)]
    fn int_or(a: u64, b: u64) -> u64 {
        a | b
    }
    #[inline(always)]
    fn int_xor(a: u64, b: u64) -> u64 {
        a ^ b
    }
    #[inline(always)]
    fn int_shl(a: u64, n: u32) -> u64 {
        a << n
    }
    #[inline(always)]
    fn int_shr(a: u64, n: u32) -> u64 {
        a >> n
    }
    #[inline(always)]
    fn int_mul32(a: u64, b: u64) -> u64 {
        (a & 0xffff_ffff) * (b & 0xffff_ffff)
    }
    #[inline(always)]
    fn lane(self, _: usize) -> f64 {
        self
    }
}
