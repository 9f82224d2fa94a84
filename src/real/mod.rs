//! The scalar a formula is written in, and everything that depends on the machine's vectors.
//!
//! A formula is written once, generic over [`Real`], and runs as `f64` (the reference), as [`lane::Lane`] (8 replicas in
//! vector registers) and as [`dual::Dual`] (exact derivatives). All of them use the polynomials of [`math`], so `f64` and
//! every vector width agree to the bit.

pub mod dual;
pub mod isa;
pub mod lane;
pub mod math;
mod scalar;

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
pub mod portable;

pub use dual::Dual;
pub use isa::{Lanewise, dispatch};
pub use lane::{Octet, Wide};

use std::ops::{Add, AddAssign, BitAnd, BitOr, Div, Mul, MulAssign, Neg, Not, Sub, SubAssign};

/// Truth values, one per lane.
pub trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// Is any lane true?
    fn any(self) -> bool;
    /// Bit i set = lane i true (a scalar has one lane).
    fn bits(self) -> u8;
}

/// A real number, or 8 of them, or a number with its derivative.
///
/// Accuracy of `exp`, `ln`, `sin_cos` (|x| <= 1e6), `tanh`, `atan2`: within 2 units in the last place over the whole
/// range, subnormals included; zeros, infinities and NaN as IEEE 754 has them.
pub trait Real:
    Copy
    + Send
    + Sync
    + std::fmt::Debug
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
{
    /// Truth values of comparisons.
    type Mask: Mask;
    /// A constant, the same in every lane.
    fn of(c: f64) -> Self;
    /// `self * a + b`, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// To the nearest integer, ties to even.
    fn round(self) -> Self;
    /// To the integer below.
    fn floor(self) -> Self;
    /// `self < o`; false when either is NaN.
    fn lt(self, o: Self) -> Self::Mask;
    /// `self <= o`; false when either is NaN.
    fn le(self, o: Self) -> Self::Mask;
    /// `a` where `m`, `b` elsewhere.
    fn select(m: Self::Mask, a: Self, b: Self) -> Self;
    /// e to the power `self`.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Sine and cosine; accurate for |x| <= 1e6, NaN beyond 1e15.
    fn sin_cos(self) -> (Self, Self);
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Angle of the point (x, y), `self` being y, in (-pi, pi].
    fn atan2(self, x: Self) -> Self;

    /// The smaller one; `self` where `o` is NaN.
    #[inline(always)]
    fn min(self, o: Self) -> Self {
        Self::select(o.lt(self), o, self)
    }
    /// The larger one; `self` where `o` is NaN.
    #[inline(always)]
    fn max(self, o: Self) -> Self {
        Self::select(self.lt(o), o, self)
    }
    /// `1 / self`.
    #[inline(always)]
    fn recip(self) -> Self {
        Self::of(1.0) / self
    }
    /// `self` to a whole power, by repeated squaring.
    #[inline(always)]
    fn powi(self, n: i32) -> Self {
        let mut result = Self::of(1.0);
        let mut square = self;
        let mut left = n.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                result *= square;
            }
            left >>= 1;
            if left > 0 {
                square *= square;
            }
        }
        if n < 0 { result.recip() } else { result }
    }
    /// A finite number (neither infinite nor NaN)?
    #[inline(always)]
    fn is_finite(self) -> Self::Mask {
        self.abs().le(Self::of(f64::MAX))
    }
}

/// A [`Real`] made of IEEE doubles whose bits can be taken apart: `f64` and the lanes, not the dual numbers.
pub trait Word: Real {
    /// How many numbers.
    const LANES: usize;
    /// 64-bit integers, one per lane.
    type Int: Copy;
    /// The bits of the numbers.
    fn bits(self) -> Self::Int;
    /// Numbers of given bits.
    fn from_bits(i: Self::Int) -> Self;
    /// A constant integer in every lane.
    fn int(c: u64) -> Self::Int;
    /// `base + lane index`.
    fn int_lanes(base: u64) -> Self::Int;
    /// Wrapping sum.
    fn int_add(a: Self::Int, b: Self::Int) -> Self::Int;
    /// Bitwise and.
    fn int_and(a: Self::Int, b: Self::Int) -> Self::Int;
    /// Bitwise or.
    fn int_or(a: Self::Int, b: Self::Int) -> Self::Int;
    /// Bitwise exclusive or.
    fn int_xor(a: Self::Int, b: Self::Int) -> Self::Int;
    /// Shift left.
    fn int_shl(a: Self::Int, n: u32) -> Self::Int;
    /// Logical shift right.
    fn int_shr(a: Self::Int, n: u32) -> Self::Int;
    /// 64-bit product of the low 32 bits.
    fn int_mul32(a: Self::Int, b: Self::Int) -> Self::Int;
    /// The number of lane `i`.
    fn lane(self, i: usize) -> f64;
}
