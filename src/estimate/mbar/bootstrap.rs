//! Free energies of resampled data, several resamples in one pass.
//!
//! Near the solution f of the data themselves a resample's probabilities need no exponentials: with r_k = exp(f'_k - f_k) they are
//! p'_k(n) = r_k p_k(n) / sum_j r_j p_j(n). So a pass makes the p_k of a block once and uses them for [`BATCH`] resamples.

use super::super::algebra::solve;
use super::super::bar::across;
use super::super::free_energy_error::FreeEnergyError;
use super::super::reduced::OCTETS;
use super::super::series::{mean_of, squares_and_sum};
use super::Mbar;
use super::newton::{Equations, hessian_factor};
use super::pass::denominators;
use crate::real::{Lanewise, Octet, Real, Wide, dispatch};
use crate::stream::{Purpose, Root, Stream};
use rayon::prelude::*;

/// Resamples in a pass.
const BATCH: usize = 8;
/// Chunks that the blocks are cut into, whatever the number of threads.
const CHUNKS: usize = 64;
/// A resample is solved when its next step is below this in all states; its spread is larger by orders of magnitude.
const STEP: f64 = 1e-9;
/// Steps with the data's own Hessian before a resample is solved by itself.
const STEPS: usize = 25;

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples.
    pub replicates: usize,
    /// Length of the blocks of consecutive samples of a state that are drawn together: 1 for independent samples, a few times the
    /// statistical inefficiency for correlated ones.
    pub block: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// Free energies of resampled data.
#[derive(Clone, Debug, PartialEq)]
pub struct Resampled {
    /// Number of states.
    pub states: usize,
    /// f_k of each resample, `[replicate][k]`; 0 for the first state with samples.
    pub f: Vec<f64>,
}

impl Resampled {
    /// f_j - f_i in every resample.
    pub fn differences(&self, i: usize, j: usize) -> Vec<f64> {
        self.f.chunks_exact(self.states).map(|f| f[j] - f[i]).collect()
    }

    /// Standard error of f_j - f_i: the standard deviation over the resamples.
    pub fn stderr(&self, i: usize, j: usize) -> f64 {
        let d = self.differences(i, j);
        let (squares, _) = squares_and_sum(&d, mean_of(&d));
        (squares / (d.len() as f64 - 1.0)).sqrt()
    }

    /// Percentile interval of f_j - f_i that holds `level` (0.95, say) of the resamples.
    pub fn interval(&self, i: usize, j: usize, level: f64) -> (f64, f64) {
        let mut d = self.differences(i, j);
        d.sort_by(f64::total_cmp);
        let at = |q: f64| {
            let place = (q * (d.len() - 1) as f64).clamp(0.0, (d.len() - 1) as f64);
            let (low, part) = (place.floor() as usize, place - place.floor());
            d[low] + part * (d[(low + 1).min(d.len() - 1)] - d[low])
        };
        (at(0.5 - 0.5 * level), at(0.5 + 0.5 * level))
    }
}

impl Mbar<'_> {
    /// Solves the equations again for data resampled within each state in (circular) blocks of consecutive samples.
    ///
    /// What is drawn depends on the seed alone. Errors: fewer than 2 replicates or blocks of no samples, a resample without a
    /// solution (`NotConverged`).
    /// Source: Efron, Ann. Stat. 7, 1 (1979); Politis and Romano, in Exploring the Limits of Bootstrap, 263 (1992).
    pub fn bootstrap(&self, how: &Bootstrap) -> Result<Resampled, FreeEnergyError> {
        if how.replicates < 2 || how.block == 0 {
            let what = format!("{} resamples in blocks of {}: there must be at least 2 and 1", how.replicates, how.block);
            return Err(FreeEnergyError::Argument { what });
        }
        let states = self.f_k.len();
        let stream = Root::new(how.seed, "bootstrap", "").stream(0, Purpose::Estimate);
        let mut f = Vec::with_capacity(how.replicates * states);
        let mut first = 0;
        while first < how.replicates {
            let batch = BATCH.min(how.replicates - first);
            let weights: Vec<Vec<Octet>> = (first..first + batch).into_par_iter().map(|b| self.draw(stream, b, how.block)).collect();
            for solved in self.solve_batch(&weights)? {
                f.extend(solved);
            }
            first += batch;
        }
        Ok(Resampled { states, f })
    }

    /// How often each sample was drawn in a replicate.
    pub(super) fn draw(&self, stream: Stream, replicate: usize, block: usize) -> Vec<Octet> {
        let mut counts = vec![Octet::of(0.0); self.u.blocks() * OCTETS];
        let starts = self.u.starts();
        for &k in &self.sampled {
            let (start, n) = (starts[k], self.u.n_k()[k]);
            let mut left = n;
            let mut slot = 0;
            while left > 0 {
                for word in stream.words::<f64>(slot, replicate as u64, k as u32) {
                    let from = ((u128::from(word) * n as u128) >> 64) as usize;
                    let length = block.min(left);
                    for i in 0..length {
                        let s = start + (from + i) % n;
                        counts[s / 8].0[s % 8] += 1.0;
                    }
                    left -= length;
                }
                slot += 1;
            }
        }
        counts
    }

    /// f_k of all states for each set of weights.
    fn solve_batch(&self, weights: &[Vec<Octet>]) -> Result<Vec<Vec<f64>>, FreeEnergyError> {
        let (s, batch) = (self.sampled.len(), weights.len());
        let factor = hessian_factor(&self.solution.products, s);
        let mut shift = vec![vec![0.0; s]; batch];
        let mut done = vec![false; batch];
        for _ in 0..STEPS {
            let sums = self.resampled_sums(weights, &shift);
            for b in 0..batch {
                let mut step: Vec<f64> = (1..s).map(|k| self.n[k] - sums.p[b * s + k]).collect();
                if let Some(l) = &factor {
                    solve(l, s - 1, &mut step);
                }
                done[b] = step.iter().all(|d| d.abs() < STEP);
                for (f, d) in shift[b][1..].iter_mut().zip(&step) {
                    // The Hessian is that of other weights: a long step is not to be trusted.
                    *f += d.clamp(-1.0, 1.0);
                }
            }
            if done.iter().all(|d| *d) {
                break;
            }
        }
        for b in (0..batch).filter(|b| !done[*b]) {
            shift[b] = self.alone(&weights[b])?;
        }
        Ok(self.all_states(weights, &shift))
    }

    /// A resample that the data's Hessian does not solve: by the method for the data themselves.
    fn alone(&self, weights: &[Octet]) -> Result<Vec<f64>, FreeEnergyError> {
        let roots: Vec<Octet> = weights.iter().map(|w| Octet(w.0.map(f64::sqrt))).collect();
        let equations = Equations {
            u: self.u,
            sampled: &self.sampled,
            n: &self.n,
            root_weights: Some(&roots),
            stride: 1,
            tolerance: 1e-9,
            max_iterations: 200,
        };
        let f = equations.solve(self.solution.f.clone())?.f;
        Ok(f.iter().zip(&self.solution.f).map(|(a, b)| a - b).collect())
    }

    /// f_k of all states from the shifts of those with samples.
    fn all_states(&self, weights: &[Vec<Octet>], shift: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let unsampled: Vec<usize> = (0..self.f_k.len()).filter(|k| self.sampled.binary_search(k).is_err()).collect();
        let mut all = vec![self.f_k.clone(); weights.len()];
        for (f, shift) in all.iter_mut().zip(shift) {
            for (k, d) in self.sampled.iter().zip(shift) {
                f[*k] += d;
            }
        }
        if !unsampled.is_empty() {
            let sums = self.sums_with(weights, shift, &unsampled);
            for (b, f) in all.iter_mut().enumerate() {
                for (i, k) in unsampled.iter().enumerate() {
                    f[*k] -= Real::ln(sums.others[b * unsampled.len() + i]);
                }
            }
        }
        all
    }

    fn resampled_sums(&self, weights: &[Vec<Octet>], shift: &[Vec<f64>]) -> BatchSums {
        self.sums_with(weights, shift, &[])
    }

    fn sums_with(&self, weights: &[Vec<Octet>], shift: &[Vec<f64>], others: &[usize]) -> BatchSums {
        let ratios: Vec<f64> = shift.iter().flat_map(|s| s.iter().map(|d| Real::exp(*d))).collect();
        let (c, blocks) = (self.log_numbers(), self.u.blocks());
        let chunk = blocks.div_ceil(CHUNKS);
        let chunks: Vec<BatchSums> = (0..blocks.div_ceil(chunk))
            .into_par_iter()
            .map(|i| {
                let (from, to) = (i * chunk, ((i + 1) * chunk).min(blocks));
                dispatch(Batch { fit: self, c: &c, weights, ratios: &ratios, others, from, to })
            })
            .collect();
        let mut total = BatchSums { p: vec![0.0; weights.len() * self.sampled.len()], others: vec![0.0; weights.len() * others.len()] };
        for one in &chunks {
            total.p.iter_mut().zip(&one.p).for_each(|(t, v)| *t += v);
            total.others.iter_mut().zip(&one.others).for_each(|(t, v)| *t += v);
        }
        let s = self.sampled.len();
        total.p.iter_mut().enumerate().for_each(|(i, p)| *p *= ratios[i / s * s + i % s]);
        total
    }
}

/// Weighted sums for every resample of a batch.
struct BatchSums {
    /// `sum_n w_n p'_k(n)`, `[b][k]` over the states with samples.
    p: Vec<f64>,
    /// `sum_n w_n exp(f_k - u_k(n)) / D'(n)`, `[b][k]` over some other states.
    others: Vec<f64>,
}

struct Batch<'a> {
    fit: &'a Mbar<'a>,
    c: &'a [f64],
    weights: &'a [Vec<Octet>],
    /// exp(f'_k - f_k), `[b][k]`.
    ratios: &'a [f64],
    others: &'a [usize],
    from: usize,
    to: usize,
}

impl Lanewise for Batch<'_> {
    type Out = BatchSums;
    #[inline(always)]
    fn run<L: Wide>(self) -> BatchSums {
        let Batch { fit, c, weights, ratios, others, from, to } = self;
        let (s, rows) = (fit.sampled.len(), fit.sampled.len() + others.len());
        let mut scratch = vec![Octet::of(0.0); rows * OCTETS];
        let mut sums = vec![Octet::of(0.0); weights.len() * rows];
        for b in from..to {
            let block = L::of_octets(fit.u.blocked().block(b));
            let p = L::of_octets_mut(&mut scratch);
            let (log_d, scale) = denominators(block, &fit.sampled, c, p);
            for k in 0..s {
                for o in 0..OCTETS {
                    p[k * OCTETS + o] *= scale[o];
                }
            }
            for (i, &k) in others.iter().enumerate() {
                for o in 0..OCTETS {
                    let weight = ((L::of(fit.f_k[k]) - block[k * OCTETS + o]) - log_d[o]).exp();
                    p[(s + i) * OCTETS + o] = weight;
                }
            }
            for (w, weights) in weights.iter().enumerate() {
                let w_n = L::of_octets(&weights[b * OCTETS..(b + 1) * OCTETS]);
                let sums = L::of_octets_mut(&mut sums[w * rows..(w + 1) * rows]);
                one_resample(p, &ratios[w * s..(w + 1) * s], w_n, sums);
            }
        }
        let (mut p, mut other) = (Vec::new(), Vec::new());
        for (i, sum) in sums.iter().enumerate() {
            if i % rows < s { p.push(across(*sum)) } else { other.push(across(*sum)) }
        }
        BatchSums { p, others: other }
    }
}

/// `sums[k] += sum_n w_n p_k(n) / sum_j r_j p_j(n)` over a block.
#[inline(always)]
fn one_resample<L: Wide>(p: &[L], ratios: &[f64], weights: &[L], sums: &mut [L]) {
    const HALF: usize = OCTETS / 2;
    for h in 0..2 {
        let at = h * HALF;
        let mut d = [L::of(0.0); HALF];
        for (k, ratio) in ratios.iter().enumerate() {
            let (r, row) = (L::of(*ratio), &p[k * OCTETS + at..k * OCTETS + at + HALF]);
            for o in 0..HALF {
                d[o] = r.mul_add(row[o], d[o]);
            }
        }
        for o in 0..HALF {
            d[o] = weights[at + o] / d[o];
        }
        for (k, sum) in sums.iter_mut().enumerate() {
            let row = &p[k * OCTETS + at..k * OCTETS + at + HALF];
            let mut t = *sum;
            for o in 0..HALF {
                t = d[o].mul_add(row[o], t);
            }
            *sum = t;
        }
    }
}
