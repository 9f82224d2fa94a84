//! Sums over samples of weights, and of weights times observables, in any states: what expectations and covariances are made of.

use super::super::bar::across;
use super::super::reduced::{Blocked, OCTETS, ReducedPotentials};
use super::Mbar;
use super::gram::{PAD, add_gram};
use super::pass::{denominators, normalise, plain_weights};
use crate::real::{Lanewise, Octet, Real, Wide, dispatch};
use rayon::prelude::*;

/// One row of blocked numbers.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) of: &'a Blocked,
    pub(super) row: usize,
}

impl Row<'_> {
    /// The 8 octets of a block.
    fn block(&self, b: usize) -> &[Octet] {
        &self.of.block(b)[self.row * OCTETS..(self.row + 1) * OCTETS]
    }
}

/// A number for every sample: z(n) = exp(f - u(n)) / D(n) times (a(n) + o(n) - shift), where D(n) = sum_k N_k exp(f_k - u_k(n)).
#[derive(Clone, Copy)]
pub(super) struct Column<'a> {
    /// u, less the sample's offset.
    pub(super) energy: Row<'a>,
    pub(super) f: f64,
    /// a and shift, if the weight is multiplied by an observable.
    pub(super) factor: Option<(Row<'a>, f64)>,
    /// Is o(n) the sample's offset (a is an energy), or 0?
    pub(super) offset: bool,
}

/// Sums over the samples.
pub(super) struct ColumnSums {
    /// `sum_n z_l(n)`.
    pub(super) first: Vec<f64>,
    /// `sum_n z_l(n) z_m(n)`, `[l][m]`.
    pub(super) own: Vec<f64>,
    /// `sum_n z_l(n) p_k(n)`, `[l][k]` over the states with samples.
    pub(super) with_states: Vec<f64>,
}

/// Chunks that the blocks are cut into, whatever the number of threads.
const CHUNKS: usize = 64;

impl Mbar<'_> {
    /// ln D(n) of every sample.
    pub(super) fn log_denominators(&self) -> &[Octet] {
        self.log_denominators.get_or_init(|| {
            let c = self.log_numbers();
            let mut out = vec![Octet::of(0.0); self.u.blocks() * OCTETS];
            out.par_chunks_mut(OCTETS * CHUNKS).enumerate().for_each(|(chunk, out)| {
                dispatch(Denominators { u: self.u, sampled: &self.sampled, c: &c, first: chunk * CHUNKS, out });
            });
            out
        })
    }

    /// f_k + ln N_k of the states with samples.
    pub(super) fn log_numbers(&self) -> Vec<f64> {
        self.solution.f.iter().zip(&self.n).map(|(f, n)| f + Real::ln(*n)).collect()
    }

    /// Free energy of a state: -ln sum_n exp(-u(n)) / D(n).
    pub(super) fn free_energy(&self, energy: Row<'_>) -> f64 {
        let log_d = self.log_denominators();
        let exponents: Vec<f64> = (0..self.u.samples()).map(|n| -energy.of.get(energy.row, n) - log_d[n / 8].0[n % 8]).collect();
        let most = exponents.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
        if most == f64::NEG_INFINITY {
            return f64::INFINITY;
        }
        -most - Real::ln(dispatch(Exponentials { of: &exponents, shift: -most }))
    }

    /// Sums of columns; without products `own` and `with_states` are empty.
    pub(super) fn sum_columns(&self, columns: &[Column<'_>], products: bool) -> ColumnSums {
        let (c, blocks) = (self.log_numbers(), self.u.blocks());
        let chunk = blocks.div_ceil(CHUNKS);
        let chunks: Vec<ColumnSums> = (0..blocks.div_ceil(chunk))
            .into_par_iter()
            .map(|i| {
                let (from, to) = (i * chunk, ((i + 1) * chunk).min(blocks));
                dispatch(Summing { u: self.u, sampled: &self.sampled, c: &c, columns, products, from, to })
            })
            .collect();
        let add = |total: &mut Vec<f64>, one: &Vec<f64>| total.iter_mut().zip(one).for_each(|(t, v)| *t += v);
        let empty = ColumnSums { first: Vec::new(), own: Vec::new(), with_states: Vec::new() };
        chunks
            .into_iter()
            .reduce(|mut total, one| {
                add(&mut total.first, &one.first);
                add(&mut total.own, &one.own);
                add(&mut total.with_states, &one.with_states);
                total
            })
            .unwrap_or(empty)
    }
}

struct Denominators<'a> {
    u: &'a ReducedPotentials,
    sampled: &'a [usize],
    c: &'a [f64],
    first: usize,
    out: &'a mut [Octet],
}

impl Lanewise for Denominators<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        let mut p = vec![Octet::of(0.0); self.sampled.len() * OCTETS];
        for (i, out) in self.out.chunks_exact_mut(OCTETS).enumerate() {
            let u = L::of_octets(self.u.blocked().block(self.first + i));
            let (log, _) = denominators(u, self.sampled, self.c, L::of_octets_mut(&mut p));
            L::of_octets_mut(out).copy_from_slice(&log);
        }
    }
}

/// sum exp(v + shift).
struct Exponentials<'a> {
    of: &'a [f64],
    shift: f64,
}

impl Lanewise for Exponentials<'_> {
    type Out = f64;
    #[inline(always)]
    fn run<L: Wide>(self) -> f64 {
        let mut sum = L::of(0.0);
        for eight in self.of.chunks(8) {
            let mut v = Octet::of(f64::NEG_INFINITY);
            v.0[..eight.len()].copy_from_slice(eight);
            sum += (L::load(v) + L::of(self.shift)).exp();
        }
        across(sum.store())
    }
}

struct Summing<'a> {
    u: &'a ReducedPotentials,
    sampled: &'a [usize],
    c: &'a [f64],
    columns: &'a [Column<'a>],
    products: bool,
    from: usize,
    to: usize,
}

impl Lanewise for Summing<'_> {
    type Out = ColumnSums;
    #[inline(always)]
    fn run<L: Wide>(self) -> ColumnSums {
        let Summing { u, sampled, c, columns, products, from, to } = self;
        let (s, l) = (sampled.len(), columns.len());
        let rows = (s + l).next_multiple_of(PAD);
        let mut scratch = vec![Octet::of(0.0); rows * OCTETS];
        let (mut first, mut sum_p) = (vec![Octet::of(0.0); l], vec![Octet::of(0.0); s]);
        let depth = std::hint::black_box(OCTETS);
        let mut sums = vec![Octet::of(0.0); if products { rows * rows } else { 0 }];
        for b in from..to {
            let root = plain_weights(u, b);
            let root = L::of_octets(&root);
            let p = L::of_octets_mut(&mut scratch);
            let (log_d, mut scale) = denominators(L::of_octets(u.blocked().block(b)), sampled, c, p);
            for o in 0..OCTETS {
                scale[o] *= root[o];
            }
            normalise(p, &scale, root, L::of_octets_mut(&mut sum_p));
            let mut offsets = [Octet::of(0.0); OCTETS];
            for (octet, eight) in offsets.iter_mut().zip(u.offsets()[b * OCTETS * 8..].chunks_exact(8)) {
                octet.0.copy_from_slice(eight);
            }
            for (i, column) in columns.iter().enumerate() {
                let to = &mut p[(s + i) * OCTETS..(s + i + 1) * OCTETS];
                fill(column, b, &log_d, root, L::of_octets(&offsets), to);
                let mut sum = L::of(0.0);
                for z in to.iter() {
                    sum += *z;
                }
                L::of_octets_mut(&mut first)[i] += sum;
            }
            if products {
                add_gram(p, rows, depth, L::of_octets_mut(&mut sums));
            }
        }
        let mut out = ColumnSums { first: vec![0.0; l], own: Vec::new(), with_states: Vec::new() };
        for (to, sum) in out.first.iter_mut().zip(&first) {
            *to = across(*sum);
        }
        if products {
            for i in s..s + l {
                for j in 0..s {
                    out.with_states.push(across(sums[j * rows + i]));
                }
                for j in s..s + l {
                    out.own.push(across(sums[i.min(j) * rows + i.max(j)]));
                }
            }
        }
        out
    }
}

/// The 64 numbers of a column in a block.
#[inline(always)]
pub(super) fn fill<L: Wide>(column: &Column<'_>, b: usize, log_d: &[L], root: &[L], offsets: &[L], to: &mut [L]) {
    let energy = L::of_octets(column.energy.block(b));
    let f = L::of(column.f);
    for o in 0..OCTETS {
        to[o] = root[o] * ((f - energy[o]) - log_d[o]).exp();
    }
    if let Some((row, shift)) = column.factor {
        let (factor, shift) = (L::of_octets(row.block(b)), L::of(shift));
        let with = L::of(if column.offset { 1.0 } else { 0.0 });
        for o in 0..OCTETS {
            let value = with.mul_add(offsets[o], factor[o]) - shift;
            // A sample of weight 0 counts nothing, even where the observable is infinite.
            to[o] = L::select(to[o].le(L::of(0.0)), L::of(0.0), to[o] * value);
        }
    }
}
