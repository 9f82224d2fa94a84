//! Eight doubles in two 256-bit registers.
//!
//! SAFETY, once for the file: a `Lane<Avx2>` is only computed with inside `isa::dispatch`, which enters this path after
//! the processor said that it has AVX2 and FMA; every function here is inlined into that entry.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::Mask;
use super::lane::Isa;
use std::arch::x86_64::*;
use std::ops::{BitAnd, BitOr, Not};

/// AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

/// Two registers, as an array would not always stay in them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Two<T>(T, T);

/// All bits of a true lane are set.
#[derive(Clone, Copy, Debug)]
pub struct Mask2(__m256d, __m256d);

impl BitAnd for Mask2 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, o: Self) -> Self {
        unsafe { Mask2(_mm256_and_pd(self.0, o.0), _mm256_and_pd(self.1, o.1)) }
    }
}
impl BitOr for Mask2 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, o: Self) -> Self {
        unsafe { Mask2(_mm256_or_pd(self.0, o.0), _mm256_or_pd(self.1, o.1)) }
    }
}
impl Not for Mask2 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        unsafe {
            let ones = _mm256_castsi256_pd(_mm256_set1_epi64x(-1));
            Mask2(_mm256_xor_pd(self.0, ones), _mm256_xor_pd(self.1, ones))
        }
    }
}
impl Mask for Mask2 {
    #[inline(always)]
    fn any(self) -> bool {
        self.bits() != 0
    }
    #[inline(always)]
    fn bits(self) -> u8 {
        unsafe { (_mm256_movemask_pd(self.0) | (_mm256_movemask_pd(self.1) << 4)) as u8 }
    }
}

type F = Two<__m256d>;
type I = Two<__m256i>;

impl Isa for Avx2 {
    type F = F;
    type I = I;
    type M = Mask2;
    const REGISTERS: usize = 8;
    #[inline(always)]
    fn splat(c: f64) -> F {
        unsafe { Two(_mm256_set1_pd(c), _mm256_set1_pd(c)) }
    }
    #[inline(always)]
    fn add(a: F, b: F) -> F {
        unsafe { Two(_mm256_add_pd(a.0, b.0), _mm256_add_pd(a.1, b.1)) }
    }
    #[inline(always)]
    fn sub(a: F, b: F) -> F {
        unsafe { Two(_mm256_sub_pd(a.0, b.0), _mm256_sub_pd(a.1, b.1)) }
    }
    #[inline(always)]
    fn mul(a: F, b: F) -> F {
        unsafe { Two(_mm256_mul_pd(a.0, b.0), _mm256_mul_pd(a.1, b.1)) }
    }
    #[inline(always)]
    fn div(a: F, b: F) -> F {
        unsafe { Two(_mm256_div_pd(a.0, b.0), _mm256_div_pd(a.1, b.1)) }
    }
    #[inline(always)]
    fn fma(a: F, b: F, c: F) -> F {
        unsafe { Two(_mm256_fmadd_pd(a.0, b.0, c.0), _mm256_fmadd_pd(a.1, b.1, c.1)) }
    }
    #[inline(always)]
    fn sqrt(a: F) -> F {
        unsafe { Two(_mm256_sqrt_pd(a.0), _mm256_sqrt_pd(a.1)) }
    }
    #[inline(always)]
    fn round(a: F) -> F {
        unsafe { Two(_mm256_round_pd::<0x08>(a.0), _mm256_round_pd::<0x08>(a.1)) }
    }
    #[inline(always)]
    fn floor(a: F) -> F {
        unsafe { Two(_mm256_round_pd::<0x09>(a.0), _mm256_round_pd::<0x09>(a.1)) }
    }
    #[inline(always)]
    fn lt(a: F, b: F) -> Mask2 {
        unsafe { Mask2(_mm256_cmp_pd::<_CMP_LT_OQ>(a.0, b.0), _mm256_cmp_pd::<_CMP_LT_OQ>(a.1, b.1)) }
    }
    #[inline(always)]
    fn le(a: F, b: F) -> Mask2 {
        unsafe { Mask2(_mm256_cmp_pd::<_CMP_LE_OQ>(a.0, b.0), _mm256_cmp_pd::<_CMP_LE_OQ>(a.1, b.1)) }
    }
    #[inline(always)]
    fn select(m: Mask2, a: F, b: F) -> F {
        unsafe { Two(_mm256_blendv_pd(b.0, a.0, m.0), _mm256_blendv_pd(b.1, a.1, m.1)) }
    }
    #[inline(always)]
    fn bits(a: F) -> I {
        unsafe { Two(_mm256_castpd_si256(a.0), _mm256_castpd_si256(a.1)) }
    }
    #[inline(always)]
    fn from_bits(a: I) -> F {
        unsafe { Two(_mm256_castsi256_pd(a.0), _mm256_castsi256_pd(a.1)) }
    }
    #[inline(always)]
    fn int(c: u64) -> I {
        unsafe { Two(_mm256_set1_epi64x(c.cast_signed()), _mm256_set1_epi64x(c.cast_signed())) }
    }
    #[inline(always)]
    fn int_load(a: [u64; 8]) -> I {
        unsafe { Two(_mm256_loadu_si256(a.as_ptr().cast()), _mm256_loadu_si256(a.as_ptr().add(4).cast())) }
    }
    #[inline(always)]
    fn int_add(a: I, b: I) -> I {
        unsafe { Two(_mm256_add_epi64(a.0, b.0), _mm256_add_epi64(a.1, b.1)) }
    }
    #[inline(always)]
    fn int_and(a: I, b: I) -> I {
        unsafe { Two(_mm256_and_si256(a.0, b.0), _mm256_and_si256(a.1, b.1)) }
    }
    #[inline(always)]
    fn int_or(a: I, b: I) -> I {
        unsafe { Two(_mm256_or_si256(a.0, b.0), _mm256_or_si256(a.1, b.1)) }
    }
    #[inline(always)]
    fn int_xor(a: I, b: I) -> I {
        unsafe { Two(_mm256_xor_si256(a.0, b.0), _mm256_xor_si256(a.1, b.1)) }
    }
    #[inline(always)]
    fn int_shl(a: I, n: u32) -> I {
        unsafe {
            let n = _mm_cvtsi64_si128(i64::from(n));
            Two(_mm256_sll_epi64(a.0, n), _mm256_sll_epi64(a.1, n))
        }
    }
    #[inline(always)]
    fn int_shr(a: I, n: u32) -> I {
        unsafe {
            let n = _mm_cvtsi64_si128(i64::from(n));
            Two(_mm256_srl_epi64(a.0, n), _mm256_srl_epi64(a.1, n))
        }
    }
    #[inline(always)]
    fn int_mul32(a: I, b: I) -> I {
        unsafe { Two(_mm256_mul_epu32(a.0, b.0), _mm256_mul_epu32(a.1, b.1)) }
    }
    #[inline(always)]
    fn to_array(a: F) -> [f64; 8] {
        let mut r = [0.0; 8];
        unsafe {
            _mm256_storeu_pd(r.as_mut_ptr(), a.0);
            _mm256_storeu_pd(r.as_mut_ptr().add(4), a.1);
        }
        r
    }
}
