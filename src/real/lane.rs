//! Eight replicas in vector registers; the instruction set is part of the type.

use super::{Mask, Real, Word, math};
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// One degree of freedom of 8 replicas, as it lies in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Octet(pub [f64; 8]);

impl Octet {
    /// The same number eight times.
    pub const fn of(c: f64) -> Self {
        Octet([c; 8])
    }
}

/// The operations of an instruction set on 8 doubles.
#[allow(missing_docs)]
pub trait Isa: Copy + Send + Sync + Debug + 'static {
    type F: Copy + Send + Sync + Debug;
    type I: Copy;
    type M: Mask;
    const REGISTERS: usize;
    fn splat(c: f64) -> Self::F;
    fn add(a: Self::F, b: Self::F) -> Self::F;
    fn sub(a: Self::F, b: Self::F) -> Self::F;
    fn mul(a: Self::F, b: Self::F) -> Self::F;
    fn div(a: Self::F, b: Self::F) -> Self::F;
    fn fma(a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    fn sqrt(a: Self::F) -> Self::F;
    fn round(a: Self::F) -> Self::F;
    fn floor(a: Self::F) -> Self::F;
    fn lt(a: Self::F, b: Self::F) -> Self::M;
    fn le(a: Self::F, b: Self::F) -> Self::M;
    fn select(m: Self::M, a: Self::F, b: Self::F) -> Self::F;
    fn bits(a: Self::F) -> Self::I;
    fn from_bits(a: Self::I) -> Self::F;
    fn int(c: u64) -> Self::I;
    fn int_load(a: [u64; 8]) -> Self::I;
    fn int_add(a: Self::I, b: Self::I) -> Self::I;
    fn int_and(a: Self::I, b: Self::I) -> Self::I;
    fn int_or(a: Self::I, b: Self::I) -> Self::I;
    fn int_xor(a: Self::I, b: Self::I) -> Self::I;
    fn int_shl(a: Self::I, n: u32) -> Self::I;
    fn int_shr(a: Self::I, n: u32) -> Self::I;
    fn int_mul32(a: Self::I, b: Self::I) -> Self::I;
    fn to_array(a: Self::F) -> [f64; 8];
    #[inline(always)]
    fn exp(x: Lane<Self>) -> Lane<Self> {
        math::exp(x)
    }
    #[inline(always)]
    fn ln(x: Lane<Self>) -> Lane<Self> {
        math::ln(x)
    }
    #[inline(always)]
    fn sin_cos(x: Lane<Self>) -> (Lane<Self>, Lane<Self>) {
        math::sin_cos(x)
    }
    #[inline(always)]
    fn tanh(x: Lane<Self>) -> Lane<Self> {
        math::tanh(x)
    }
    #[inline(always)]
    fn atan2(y: Lane<Self>, x: Lane<Self>) -> Lane<Self> {
        math::atan2(y, x)
    }
}

/// Eight doubles of instruction set `I`: 64 bytes on every path.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Lane<I: Isa>(pub(super) I::F);

/// A [`Word`] that is one [`Octet`] in memory.
pub trait Wide: Word {
    /// How many of them the register file holds: what the tile of a matrix product is chosen by.
    const REGISTERS: usize;
    /// Octets seen as lanes, in place.
    fn of_octets(o: &[Octet]) -> &[Self];
    /// Octets seen as lanes, in place.
    fn of_octets_mut(o: &mut [Octet]) -> &mut [Self];
    /// Lanes of given numbers.
    fn load(o: Octet) -> Self;
    /// Back to memory.
    fn store(self) -> Octet;
}

impl<I: Isa> Wide for Lane<I> {
    const REGISTERS: usize = I::REGISTERS;
    #[inline(always)]
    fn of_octets(o: &[Octet]) -> &[Self] {
        const { assert!(size_of::<Lane<I>>() == 64 && align_of::<Lane<I>>() <= 64) };
        // SAFETY: same size, no stricter alignment, and every bit pattern is a value of both types.
        unsafe { std::slice::from_raw_parts(o.as_ptr().cast(), o.len()) }
    }
    #[inline(always)]
    fn of_octets_mut(o: &mut [Octet]) -> &mut [Self] {
        const { assert!(size_of::<Lane<I>>() == 64 && align_of::<Lane<I>>() <= 64) };
        // SAFETY: same size, no stricter alignment, and every bit pattern is a value of both types.
        unsafe { std::slice::from_raw_parts_mut(o.as_mut_ptr().cast(), o.len()) }
    }
    #[inline(always)]
    fn load(o: Octet) -> Self {
        Self::of_octets(std::slice::from_ref(&o))[0]
    }
    #[inline(always)]
    fn store(self) -> Octet {
        Octet(I::to_array(self.0))
    }
}

impl<I: Isa> Add for Lane<I> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Lane(I::add(self.0, o.0))
    }
}
impl<I: Isa> Sub for Lane<I> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Lane(I::sub(self.0, o.0))
    }
}
impl<I: Isa> Mul for Lane<I> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Lane(I::mul(self.0, o.0))
    }
}
impl<I: Isa> Div for Lane<I> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        Lane(I::div(self.0, o.0))
    }
}
impl<I: Isa> Neg for Lane<I> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Lane(I::from_bits(I::int_xor(I::bits(self.0), I::int(1 << 63))))
    }
}
impl<I: Isa> AddAssign for Lane<I> {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}
impl<I: Isa> SubAssign for Lane<I> {
    #[inline(always)]
    fn sub_assign(&mut self, o: Self) {
        *self = *self - o;
    }
}
impl<I: Isa> MulAssign for Lane<I> {
    #[inline(always)]
    fn mul_assign(&mut self, o: Self) {
        *self = *self * o;
    }
}

impl<I: Isa> Real for Lane<I> {
    type Mask = I::M;
    #[inline(always)]
    fn of(c: f64) -> Self {
        Lane(I::splat(c))
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Lane(I::fma(self.0, a.0, b.0))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Lane(I::sqrt(self.0))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Lane(I::from_bits(I::int_and(I::bits(self.0), I::int(!(1 << 63)))))
    }
    #[inline(always)]
    fn round(self) -> Self {
        Lane(I::round(self.0))
    }
    #[inline(always)]
    fn floor(self) -> Self {
        Lane(I::floor(self.0))
    }
    #[inline(always)]
    fn lt(self, o: Self) -> I::M {
        I::lt(self.0, o.0)
    }
    #[inline(always)]
    fn le(self, o: Self) -> I::M {
        I::le(self.0, o.0)
    }
    #[inline(always)]
    fn select(m: I::M, a: Self, b: Self) -> Self {
        Lane(I::select(m, a.0, b.0))
    }
    #[inline(always)]
    fn exp(self) -> Self {
        I::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        I::ln(self)
    }
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        I::sin_cos(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        I::tanh(self)
    }
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        I::atan2(self, x)
    }
}

impl<I: Isa> Word for Lane<I> {
    const LANES: usize = 8;
    type Int = I::I;
    #[inline(always)]
    fn bits(self) -> I::I {
        I::bits(self.0)
    }
    #[inline(always)]
    fn from_bits(i: I::I) -> Self {
        Lane(I::from_bits(i))
    }
    #[inline(always)]
    fn int(c: u64) -> I::I {
        I::int(c)
    }
    #[inline(always)]
    fn int_lanes(base: u64) -> I::I {
        I::int_add(I::int(base), I::int_load([0, 1, 2, 3, 4, 5, 6, 7]))
    }
    #[inline(always)]
    fn int_add(a: I::I, b: I::I) -> I::I {
        I::int_add(a, b)
    }
    #[inline(always)]
    fn int_and(a: I::I, b: I::I) -> I::I {
        I::int_and(a, b)
    }
    #[inline(always)]
    fn int_or(a: I::I, b: I::I) -> I::I {
        I::int_or(a, b)
    }
    #[inline(always)]
    fn int_xor(a: I::I, b: I::I) -> I::I {
        I::int_xor(a, b)
    }
    #[inline(always)]
    fn int_shl(a: I::I, n: u32) -> I::I {
        I::int_shl(a, n)
    }
    #[inline(always)]
    fn int_shr(a: I::I, n: u32) -> I::I {
        I::int_shr(a, n)
    }
    #[inline(always)]
    fn int_mul32(a: I::I, b: I::I) -> I::I {
        I::int_mul32(a, b)
    }
    #[inline(always)]
    fn lane(self, i: usize) -> f64 {
        I::to_array(self.0)[i]
    }
}
