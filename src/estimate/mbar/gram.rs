//! Products of all pairs of rows, summed over a block of samples, with accumulators kept in registers.

use super::super::reduced::OCTETS;
use crate::real::Wide;

/// Rows are padded to a multiple of this: the common multiple of the tiles below.
pub(super) const PAD: usize = 12;

/// `sums[i * rows + j] += sum_n p[i][n] p[j][n]` lane by lane, for i <= j at least.
///
/// `p`: `[rows][8]`, `rows` a multiple of [`PAD`]. Every sum is made in the same order whatever the tile.
#[inline(always)]
pub(super) fn add_gram<L: Wide>(p: &[L], rows: usize, sums: &mut [L]) {
    if L::REGISTERS >= 32 {
        tiles::<L, 4, 4>(p, rows, sums);
    } else {
        tiles::<L, 2, 3>(p, rows, sums);
    }
}

#[inline(always)]
fn tiles<L: Wide, const A: usize, const B: usize>(p: &[L], rows: usize, sums: &mut [L]) {
    assert!(p.len() >= rows * OCTETS && sums.len() >= rows * rows && rows.is_multiple_of(A) && rows.is_multiple_of(B));
    let mut i = 0;
    while i < rows {
        let mut j = i / B * B;
        while j < rows {
            tile::<L, A, B>(p, rows, sums, i, j);
            j += B;
        }
        i += A;
    }
}

#[inline(always)]
fn tile<L: Wide, const A: usize, const B: usize>(p: &[L], rows: usize, sums: &mut [L], i: usize, j: usize) {
    let mut acc = [[L::of(0.0); B]; A];
    let left = &p[i * OCTETS..(i + A) * OCTETS];
    let right = &p[j * OCTETS..(j + B) * OCTETS];
    for o in 0..OCTETS {
        for a in 0..A {
            let x = left[a * OCTETS + o];
            for b in 0..B {
                acc[a][b] = x.mul_add(right[b * OCTETS + o], acc[a][b]);
            }
        }
    }
    for a in 0..A {
        for b in 0..B {
            sums[(i + a) * rows + j + b] += acc[a][b];
        }
    }
}
