//! Eight doubles without vector instructions: the path of every other machine, and the oracle of the fast ones.

use super::Mask;
use super::lane::{Isa, Lane};
use std::ops::{BitAnd, BitOr, Not};

/// Plain arrays; `f64::mul_add` is exact everywhere, in software where the machine has none.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// One bit a lane.
#[derive(Clone, Copy, Debug)]
pub struct Bits8(pub(super) u8);

impl BitAnd for Bits8 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, o: Self) -> Self {
        Bits8(self.0 & o.0)
    }
}
impl BitOr for Bits8 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, o: Self) -> Self {
        Bits8(self.0 | o.0)
    }
}
impl Not for Bits8 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Bits8(!self.0)
    }
}
impl Mask for Bits8 {
    #[inline(always)]
    fn any(self) -> bool {
        self.0 != 0
    }
    #[inline(always)]
    fn bits(self) -> u8 {
        self.0
    }
}

macro_rules! each {
    ($i:ident => $e:expr) => {{
        let mut r = [Default::default(); 8];
        let mut $i = 0;
        while $i < 8 {
            r[$i] = $e;
            $i += 1;
        }
        r
    }};
}

macro_rules! mask {
    ($i:ident => $e:expr) => {{
        let mut r = 0u8;
        let mut $i = 0;
        while $i < 8 {
            r |= u8::from($e) << $i;
            $i += 1;
        }
        Bits8(r)
    }};
}

// lanes: exempt, out of line where the machine's own vectors do the work: this path is then the oracle, and unrolled
// eightfold it would be most of the program and of its build.
impl Isa for Portable {
    type F = [f64; 8];
    type I = [u64; 8];
    type M = Bits8;
    const REGISTERS: usize = 8;
    #[inline(always)]
    fn splat(c: f64) -> [f64; 8] {
        [c; 8]
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn add(a: [f64; 8], b: [f64; 8]) -> [f64; 8] {
        each!(i => a[i] + b[i])
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn sub(a: [f64; 8], b: [f64; 8]) -> [f64; 8] {
        each!(i => a[i] - b[i])
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn mul(a: [f64; 8], b: [f64; 8]) -> [f64; 8] {
        each!(i => a[i] * b[i])
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn div(a: [f64; 8], b: [f64; 8]) -> [f64; 8] {
        each!(i => a[i] / b[i])
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn fma(a: [f64; 8], b: [f64; 8], c: [f64; 8]) -> [f64; 8] {
        each!(i => f64::mul_add(a[i], b[i], c[i]))
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn sqrt(a: [f64; 8]) -> [f64; 8] {
        each!(i => f64::sqrt(a[i]))
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn round(a: [f64; 8]) -> [f64; 8] {
        each!(i => f64::round_ties_even(a[i]))
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn floor(a: [f64; 8]) -> [f64; 8] {
        each!(i => f64::floor(a[i]))
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn lt(a: [f64; 8], b: [f64; 8]) -> Bits8 {
        mask!(i => a[i] < b[i])
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn le(a: [f64; 8], b: [f64; 8]) -> Bits8 {
        mask!(i => a[i] <= b[i])
    }
    #[cfg_attr(target_arch = "x86_64", inline(never))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(always))]
    fn select(m: Bits8, a: [f64; 8], b: [f64; 8]) -> [f64; 8] {
        each!(i => if m.0 >> i & 1 == 1 { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn bits(a: [f64; 8]) -> [u64; 8] {
        each!(i => a[i].to_bits())
    }
    #[inline(always)]
    fn from_bits(a: [u64; 8]) -> [f64; 8] {
        each!(i => f64::from_bits(a[i]))
    }
    #[inline(always)]
    fn int(c: u64) -> [u64; 8] {
        [c; 8]
    }
    #[inline(always)]
    fn int_load(a: [u64; 8]) -> [u64; 8] {
        a
    }
    #[inline(always)]
    fn int_add(a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        each!(i => a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    fn int_and(a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        each!(i => a[i] & b[i])
    }
    #[inline(always)]
    fn int_or(a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        each!(i => a[i] | b[i])
    }
    #[inline(always)]
    fn int_xor(a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        each!(i => a[i] ^ b[i])
    }
    #[inline(always)]
    fn int_shl(a: [u64; 8], n: u32) -> [u64; 8] {
        each!(i => a[i] << n)
    }
    #[inline(always)]
    fn int_shr(a: [u64; 8], n: u32) -> [u64; 8] {
        each!(i => a[i] >> n)
    }
    #[inline(always)]
    fn int_mul32(a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        each!(i => (a[i] & 0xffff_ffff) * (b[i] & 0xffff_ffff))
    }
    #[inline(always)]
    fn to_array(a: [f64; 8]) -> [f64; 8] {
        a
    }
    #[inline(always)]
    fn exp(x: Lane<Self>) -> Lane<Self> {
        outlined::exp(x)
    }
    #[inline(always)]
    fn ln(x: Lane<Self>) -> Lane<Self> {
        outlined::ln(x)
    }
    #[inline(always)]
    fn sin_cos(x: Lane<Self>) -> (Lane<Self>, Lane<Self>) {
        outlined::sin_cos(x)
    }
    #[inline(always)]
    fn tanh(x: Lane<Self>) -> Lane<Self> {
        outlined::tanh(x)
    }
    #[inline(always)]
    fn atan2(y: Lane<Self>, x: Lane<Self>) -> Lane<Self> {
        outlined::atan2(y, x)
    }
}

/// One copy of each function for all formulas, for the size of the program and the time of its build.
mod outlined {
    use super::super::math;
    use super::{Lane, Portable};

    type L = Lane<Portable>;

    #[inline(never)]
    pub(super) fn exp(x: L) -> L {
        math::exp(x)
    }
    #[inline(never)]
    pub(super) fn ln(x: L) -> L {
        math::ln(x)
    }
    #[inline(never)]
    pub(super) fn sin_cos(x: L) -> (L, L) {
        math::sin_cos(x)
    }
    #[inline(never)]
    pub(super) fn tanh(x: L) -> L {
        math::tanh(x)
    }
    #[inline(never)]
    pub(super) fn atan2(y: L, x: L) -> L {
        math::atan2(y, x)
    }
}
