//! Products of all pairs of rows, summed over a block of samples, with accumulators kept in registers.

use crate::real::Wide;

/// Rows are padded to a multiple of this: that of the tiles below.
pub(super) const PAD: usize = 4;

/// `sums[i * rows + j] += sum_o p[i][o] p[j][o]`, lane by lane, for i <= j at least.
///
/// `p`: `[rows][depth]`, `rows` a multiple of [`PAD`]. Every sum is made in the same order whatever the tile. `depth` must be unknown
/// to the compiler ([`std::hint::black_box`]): it would otherwise unroll the loop over it and give up the tile of accumulators,
/// which costs a factor of 2 to 3.
#[inline(always)]
pub(super) fn add_gram<L: Wide>(p: &[L], rows: usize, depth: usize, sums: &mut [L]) {
    if L::REGISTERS >= 32 {
        tiles::<L, 4>(p, rows, depth, sums);
    } else {
        tiles::<L, 2>(p, rows, depth, sums);
    }
}

#[inline(always)]
fn tiles<L: Wide, const T: usize>(p: &[L], rows: usize, depth: usize, sums: &mut [L]) {
    assert!(p.len() >= rows * depth && sums.len() >= rows * rows && rows.is_multiple_of(T));
    let mut i = 0;
    while i < rows {
        let mut j = i;
        while j < rows {
            tile::<L, T>(p, rows, depth, sums, i, j);
            j += T;
        }
        i += T;
    }
}

#[inline(always)]
fn tile<L: Wide, const T: usize>(p: &[L], rows: usize, depth: usize, sums: &mut [L], i: usize, j: usize) {
    let mut acc = [[L::of(0.0); T]; T];
    let left = &p[i * depth..(i + T) * depth];
    let right = &p[j * depth..(j + T) * depth];
    for o in 0..depth {
        for b in 0..T {
            let y = right[b * depth + o];
            for a in 0..T {
                acc[a][b] = left[a * depth + o].mul_add(y, acc[a][b]);
            }
        }
    }
    for a in 0..T {
        for b in 0..T {
            sums[(i + a) * rows + j + b] += acc[a][b];
        }
    }
}
