//! The MBAR equations solved by damped Newton steps on their convex objective.

use super::super::algebra::{cholesky, solve};
use super::super::free_energy_error::FreeEnergyError;
use super::super::reduced::ReducedPotentials;
use super::pass::{Pass, Sums};
use crate::real::{Octet, Real};

/// What is to be solved.
#[derive(Clone, Copy)]
pub(super) struct Equations<'a> {
    pub(super) u: &'a ReducedPotentials,
    /// The states with samples.
    pub(super) sampled: &'a [usize],
    /// Their (weighted) numbers of samples.
    pub(super) n: &'a [f64],
    /// Square roots of the samples' weights, if any.
    pub(super) root_weights: Option<&'a [Octet]>,
    /// Only every `stride`-th block.
    pub(super) stride: usize,
    pub(super) tolerance: f64,
    pub(super) max_iterations: usize,
}

/// The answer.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    /// f_k of the sampled states; that of the first is 0.
    pub(super) f: Vec<f64>,
    /// `sum_n p_j p_k` there.
    pub(super) products: Vec<f64>,
    /// Largest `|sum_n W_nk - 1|`.
    pub(super) residual: f64,
    pub(super) iterations: usize,
}

/// A point of the iteration with all that is known there.
struct Point {
    f: Vec<f64>,
    sums: Sums,
    /// `sum_n w_n ln sum_k N_k exp(f_k - u_k(n)) - sum_k N_k f_k`, which is convex.
    objective: f64,
    /// Largest `|sum_n p_k / N_k - 1|` and where.
    residual: f64,
    worst: usize,
}

impl Equations<'_> {
    fn at(&self, f: Vec<f64>) -> Point {
        let c: Vec<f64> = f.iter().zip(self.n).map(|(f, n)| f + Real::ln(*n)).collect();
        let Equations { u, sampled, root_weights, stride, .. } = *self;
        let sums = Pass { u, sampled, c: &c, root_weights, stride, products: true }.run();
        let objective = sums.log_sum - f.iter().zip(self.n).map(|(f, n)| f * n).sum::<f64>();
        let (mut residual, mut worst) = (0.0, 0);
        for (k, (p, n)) in sums.p.iter().zip(self.n).enumerate() {
            let off = (p / n - 1.0).abs();
            if off > residual || off.is_nan() {
                (residual, worst) = (off, k);
            }
        }
        Point { f, sums, objective, residual, worst }
    }

    /// Newton's step, that of the first state 0; `None` where the Hessian is singular. The gradient is sum_n p_k - N_k.
    fn newton(&self, at: &Point) -> Option<Vec<f64>> {
        let mut step: Vec<f64> = self.n.iter().zip(&at.sums.p).skip(1).map(|(n, p)| n - p).collect();
        solve(&hessian_factor(&at.sums.products, self.n.len())?, step.len(), &mut step);
        step.insert(0, 0.0);
        step.iter().all(|d| d.is_finite()).then_some(step)
    }

    /// The self-consistent step f_k -> f_k - ln(sum_n p_k / N_k): it always lowers the objective, slowly.
    fn self_consistent(&self, at: &Point) -> Vec<f64> {
        let mut f: Vec<f64> =
            at.f.iter().zip(at.sums.p.iter().zip(self.n)).map(|(f, (p, n))| f - Real::ln((p / n).max(f64::MIN_POSITIVE))).collect();
        let first = f[0];
        f.iter_mut().for_each(|v| *v -= first);
        f
    }

    /// Solves from `f`. Stops when the residual is below the tolerance and the next step negligible, or when no step lowers it any
    /// more and it is down to rounding.
    pub(super) fn solve(&self, f: Vec<f64>) -> Result<Solution, FreeEnergyError> {
        let mut here = self.at(f);
        let mut iterations = 1;
        let spread = here.f.iter().fold(1.0f64, |m, f| m.max(f.abs()));
        let rounding = 16.0 * f64::EPSILON * spread;
        while iterations < self.max_iterations && here.residual.is_finite() {
            let step = self.newton(&here);
            let small = step.as_ref().is_some_and(|d| d.iter().all(|d| d.abs() <= 1e-10 * spread));
            if here.residual <= self.tolerance.max(rounding) && small {
                break;
            }
            let Some(next) = self.advance(&here, step, &mut iterations) else { break };
            here = next;
        }
        if here.residual <= self.tolerance.max(1e4 * rounding) {
            let Point { f, sums, residual, .. } = here;
            return Ok(Solution { f, products: sums.products, residual, iterations });
        }
        let state = self.u.states()[self.sampled[here.worst]].clone();
        Err(FreeEnergyError::NotConverged { iterations, state, residual: here.residual, tolerance: self.tolerance })
    }

    /// The next point: a Newton step, halved until it helps, or a self-consistent one. `None` when nothing helps.
    fn advance(&self, here: &Point, step: Option<Vec<f64>>, iterations: &mut usize) -> Option<Point> {
        let noise = 1e-14 * here.sums.log_sum.abs();
        if let Some(step) = step {
            let slope: f64 = step.iter().zip(here.sums.p.iter().zip(self.n)).map(|(d, (p, n))| d * (p - n)).sum();
            let mut length = 1.0;
            while length > 1e-3 && *iterations < self.max_iterations {
                let there = self.at(here.f.iter().zip(&step).map(|(f, d)| f + length * d).collect());
                *iterations += 1;
                let lower = there.objective <= here.objective + 1e-4 * length * slope - noise;
                if there.residual.is_finite() && (lower || there.residual < here.residual) {
                    return Some(there);
                }
                if here.residual < 1e-9 {
                    return None; // rounding: nothing to gain
                }
                length *= 0.5;
            }
        }
        let there = self.at(self.self_consistent(here));
        *iterations += 1;
        (there.residual.is_finite() && (there.objective < here.objective - noise || there.residual < here.residual)).then_some(there)
    }
}

/// Cholesky factor of the Hessian H_jk = delta_jk sum_n p_j - sum_n p_j p_k of `s` states without the first; `None` where it is singular.
///
/// The diagonal is the sum of the other products of its row, since the p_k of a sample sum to 1: no cancellation.
pub(super) fn hessian_factor(products: &[f64], s: usize) -> Option<Vec<f64>> {
    let m = s - 1;
    let mut h = vec![0.0; m * m];
    for i in 1..s {
        for j in (0..s).filter(|j| *j != i) {
            let shared = products[i * s + j];
            h[(i - 1) * m + i - 1] += shared;
            if j > 0 {
                h[(i - 1) * m + j - 1] = -shared;
            }
        }
    }
    cholesky(&h, m)
}
