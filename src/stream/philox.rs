//! Philox4x32-10 on lanes: each 64-bit integer carries one 32-bit word in its low half.

use crate::real::Word;

const M0: u64 = 0xD251_1F53;
const M1: u64 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// Ten rounds; `counter` and the result hold 32-bit words in 64-bit lanes.
///
/// Source: Salmon et al., SC'11, table 2 (constants) and section 3.3 (round).
#[inline(always)]
pub fn philox<L: Word>(counter: [L::Int; 4], key: [u32; 2]) -> [L::Int; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let (mut k0, mut k1) = (key[0], key[1]);
    let (m0, m1) = (L::int(M0), L::int(M1));
    let mut round = 0;
    while round < 10 {
        let p0 = L::int_mul32(c0, m0);
        let p1 = L::int_mul32(c2, m1);
        // The upper halves of c1 and c3 are left as they come: only low halves enter the next product.
        c0 = L::int_xor(L::int_xor(L::int_shr(p1, 32), c1), L::int(u64::from(k0)));
        c2 = L::int_xor(L::int_xor(L::int_shr(p0, 32), c3), L::int(u64::from(k1)));
        c1 = p1;
        c3 = p0;
        k0 = k0.wrapping_add(W0);
        k1 = k1.wrapping_add(W1);
        round += 1;
    }
    let low = L::int(0xffff_ffff);
    [L::int_and(c0, low), L::int_and(c1, low), L::int_and(c2, low), L::int_and(c3, low)]
}
