//! One pass over all samples: probabilities of the states given each sample, and their sums.
//!
//! With c_k = f_k + ln N_k a sample x_n belongs to state k with probability p_k(n) = exp(c_k - u_k(n)) / sum_j exp(c_j - u_j(n)).
//! Everything that MBAR needs is a sum of p_k or of products p_k p_j; nothing of the size of u is stored.

use super::super::bar::across;
use super::super::reduced::{BLOCK, OCTETS, ReducedPotentials};
use super::gram::{PAD, add_gram};
use crate::real::math::exp_falling;
use crate::real::{Lanewise, Octet, Wide, dispatch};
use rayon::prelude::*;

/// Chunks that the blocks are cut into, whatever the number of threads: sums have a fixed order.
const CHUNKS: usize = 128;

/// A pass to be made.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) u: &'a ReducedPotentials,
    /// The states with samples.
    pub(super) sampled: &'a [usize],
    /// f_k + ln N_k of each of them.
    pub(super) c: &'a [f64],
    /// Square root of each sample's weight, `[block][8]` octets; `None`: all 1.
    pub(super) root_weights: Option<&'a [Octet]>,
    /// Only every `stride`-th block.
    pub(super) stride: usize,
    /// Are the products asked for?
    pub(super) products: bool,
}

/// Sums over samples with weight w_n.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    /// `sum_n w_n ln sum_k exp(c_k - u_k(n))`.
    pub(super) log_sum: f64,
    /// `sum_n w_n p_k(n)`.
    pub(super) p: Vec<f64>,
    /// `sum_n w_n p_j(n) p_k(n)`, `[j][k]`, empty if not asked for.
    pub(super) products: Vec<f64>,
}

impl Pass<'_> {
    pub(super) fn run(&self) -> Sums {
        let chosen = self.u.blocks().div_ceil(self.stride);
        let chunk = chosen.div_ceil(CHUNKS);
        let chunks: Vec<Sums> = (0..chosen.div_ceil(chunk))
            .into_par_iter()
            .map(|c| dispatch(Chunk { pass: *self, from: c * chunk, to: ((c + 1) * chunk).min(chosen) }))
            .collect();
        let mut chunks = chunks.into_iter();
        let mut total = chunks.next().unwrap_or(Sums { log_sum: 0.0, p: Vec::new(), products: Vec::new() });
        for one in chunks {
            total.log_sum += one.log_sum;
            total.p.iter_mut().zip(&one.p).for_each(|(t, v)| *t += v);
            total.products.iter_mut().zip(&one.products).for_each(|(t, v)| *t += v);
        }
        total
    }
}

/// Square roots of the weights of a block when none are given: 1, and 0 for the padding.
#[inline(always)]
pub(super) fn plain_weights(u: &ReducedPotentials, b: usize) -> [Octet; OCTETS] {
    let mut weights = [Octet::of(1.0); OCTETS];
    for n in u.samples().saturating_sub(b * BLOCK)..BLOCK {
        weights[n / 8].0[n % 8] = 0.0;
    }
    weights
}

struct Chunk<'a> {
    pass: Pass<'a>,
    from: usize,
    to: usize,
}

impl Lanewise for Chunk<'_> {
    type Out = Sums;
    #[inline(always)]
    fn run<L: Wide>(self) -> Sums {
        let Pass { u, sampled, c, root_weights, stride, products } = self.pass;
        let states = sampled.len();
        let rows = states.next_multiple_of(PAD);
        let mut p = vec![Octet::of(0.0); rows * OCTETS];
        let mut sum_p = vec![Octet::of(0.0); states];
        let mut sum_products = vec![Octet::of(0.0); if products { rows * rows } else { 0 }];
        let mut log_sum = L::of(0.0);
        let depth = std::hint::black_box(OCTETS);
        for i in self.from..self.to {
            let b = i * stride;
            let root = match root_weights {
                Some(w) => &w[b * OCTETS..(b + 1) * OCTETS],
                None => &plain_weights(u, b),
            };
            let (p, root) = (L::of_octets_mut(&mut p), L::of_octets(root));
            let (log, mut scale) = denominators(L::of_octets(u.blocked().block(b)), sampled, c, p);
            for o in 0..OCTETS {
                log_sum = (root[o] * root[o]).mul_add(log[o], log_sum);
                scale[o] *= root[o];
            }
            normalise(p, &scale, root, L::of_octets_mut(&mut sum_p));
            if products {
                add_gram(p, rows, depth, L::of_octets_mut(&mut sum_products));
            }
        }
        let mut symmetric = vec![0.0; if products { states * states } else { 0 }];
        if products {
            for i in 0..states {
                for j in i..states {
                    let sum = across(sum_products[i * rows + j]);
                    symmetric[i * states + j] = sum;
                    symmetric[j * states + i] = sum;
                }
            }
        }
        let mut sums = Vec::with_capacity(states);
        for o in &sum_p {
            sums.push(across(*o));
        }
        Sums { log_sum: across(log_sum.store()), p: sums, products: symmetric }
    }
}

/// For the 64 samples of a block: ln D(n) and the factors that turn the numbers left in `p` into the probabilities p_k(n).
#[inline(always)]
pub(super) fn denominators<L: Wide>(u: &[L], sampled: &[usize], c: &[f64], p: &mut [L]) -> ([L; OCTETS], [L; OCTETS]) {
    const HALF: usize = OCTETS / 2; // as many as leave registers for the exponential
    let mut log = [L::of(0.0); OCTETS];
    let mut scale = [L::of(0.0); OCTETS];
    for h in 0..2 {
        let at = h * HALF;
        let mut most = [L::of(f64::NEG_INFINITY); HALF];
        for (k, &state) in sampled.iter().enumerate() {
            let (ck, row) = (L::of(c[k]), &u[state * OCTETS + at..state * OCTETS + at + HALF]);
            for o in 0..HALF {
                most[o] = most[o].max(ck - row[o]);
            }
        }
        let mut sum = [L::of(0.0); HALF];
        for (k, &state) in sampled.iter().enumerate() {
            let (ck, row) = (L::of(c[k]), &u[state * OCTETS + at..state * OCTETS + at + HALF]);
            let to = &mut p[k * OCTETS + at..k * OCTETS + at + HALF];
            for o in 0..HALF {
                let e = exp_falling((ck - row[o]) - most[o]);
                sum[o] += e;
                to[o] = e;
            }
        }
        for o in 0..HALF {
            log[at + o] = most[o] + sum[o].ln();
            scale[at + o] = sum[o].recip();
        }
    }
    (log, scale)
}

/// `p[k] *= scale`, and `sums[k] += root p[k]`, lane by lane.
#[inline(always)]
pub(super) fn normalise<L: Wide>(p: &mut [L], scale: &[L; OCTETS], root: &[L], sums: &mut [L]) {
    for (k, sum) in sums.iter_mut().enumerate() {
        let row = &mut p[k * OCTETS..(k + 1) * OCTETS];
        let mut s = L::of(0.0);
        for o in 0..OCTETS {
            row[o] *= scale[o];
            s = root[o].mul_add(row[o], s);
        }
        *sum += s;
    }
}
