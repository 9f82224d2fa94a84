//! Eight doubles in one 512-bit register.
//!
//! SAFETY, once for the file: a `Lane<Avx512>` is only computed with inside `isa::dispatch`, which enters this path after
//! the processor said that it has AVX-512F and FMA; every function here is inlined into that entry.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::lane::Isa;
use super::portable::Bits8;
use std::arch::x86_64::*;

/// AVX-512F.
#[derive(Clone, Copy, Debug)]
pub struct Avx512;

impl Isa for Avx512 {
    type F = __m512d;
    type I = __m512i;
    type M = Bits8;
    const REGISTERS: usize = 32;
    #[inline(always)]
    fn splat(c: f64) -> __m512d {
        unsafe { _mm512_set1_pd(c) }
    }
    #[inline(always)]
    fn add(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_add_pd(a, b) }
    }
    #[inline(always)]
    fn sub(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_sub_pd(a, b) }
    }
    #[inline(always)]
    fn mul(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_mul_pd(a, b) }
    }
    #[inline(always)]
    fn div(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_div_pd(a, b) }
    }
    #[inline(always)]
    fn fma(a: __m512d, b: __m512d, c: __m512d) -> __m512d {
        unsafe { _mm512_fmadd_pd(a, b, c) }
    }
    #[inline(always)]
    fn sqrt(a: __m512d) -> __m512d {
        unsafe { _mm512_sqrt_pd(a) }
    }
    #[inline(always)]
    fn round(a: __m512d) -> __m512d {
        unsafe { _mm512_roundscale_pd::<0x08>(a) }
    }
    #[inline(always)]
    fn floor(a: __m512d) -> __m512d {
        unsafe { _mm512_roundscale_pd::<0x09>(a) }
    }
    #[inline(always)]
    fn lt(a: __m512d, b: __m512d) -> Bits8 {
        Bits8(unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b) })
    }
    #[inline(always)]
    fn le(a: __m512d, b: __m512d) -> Bits8 {
        Bits8(unsafe { _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b) })
    }
    #[inline(always)]
    fn select(m: Bits8, a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_mask_blend_pd(m.0, b, a) }
    }
    #[inline(always)]
    fn bits(a: __m512d) -> __m512i {
        unsafe { _mm512_castpd_si512(a) }
    }
    #[inline(always)]
    fn from_bits(a: __m512i) -> __m512d {
        unsafe { _mm512_castsi512_pd(a) }
    }
    #[inline(always)]
    fn int(c: u64) -> __m512i {
        unsafe { _mm512_set1_epi64(c.cast_signed()) }
    }
    #[inline(always)]
    fn int_load(a: [u64; 8]) -> __m512i {
        unsafe { _mm512_loadu_si512(a.as_ptr().cast()) }
    }
    #[inline(always)]
    fn int_add(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi64(a, b) }
    }
    #[inline(always)]
    fn int_and(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    fn int_or(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_or_si512(a, b) }
    }
    #[inline(always)]
    fn int_xor(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_xor_si512(a, b) }
    }
    #[inline(always)]
    fn int_shl(a: __m512i, n: u32) -> __m512i {
        unsafe { _mm512_sll_epi64(a, _mm_cvtsi64_si128(i64::from(n))) }
    }
    #[inline(always)]
    fn int_shr(a: __m512i, n: u32) -> __m512i {
        unsafe { _mm512_srl_epi64(a, _mm_cvtsi64_si128(i64::from(n))) }
    }
    #[inline(always)]
    fn int_mul32(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_mul_epu32(a, b) }
    }
    #[inline(always)]
    fn to_array(a: __m512d) -> [f64; 8] {
        let mut r = [0.0; 8];
        unsafe { _mm512_storeu_pd(r.as_mut_ptr(), a) };
        r
    }
}
