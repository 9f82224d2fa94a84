//! Bennett's acceptance ratio between neighbours along a chain of states, with the covariance that shared samples bring.

use super::bar::{Bar, bar};
use super::free_energy_error::FreeEnergyError;
use crate::real::Real;

/// Work values of samples of one state towards a neighbour, in kT.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Works {
    /// Which sample of the state each value belongs to, ascending.
    pub sample: Vec<usize>,
    /// u_neighbour - u_own.
    pub work: Vec<f64>,
}

/// BAR along a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct BarChain {
    /// One answer for each pair of neighbours.
    pub links: Vec<Bar>,
    /// Covariance of the links' free energies, `[link][link]`; Bennett's variance on the diagonal.
    pub covariance: Vec<f64>,
    /// phi of each link: what each forward and each reverse sample has added to its free energy, in the order of the works.
    pub influences: Vec<(Vec<f64>, Vec<f64>)>,
}

impl BarChain {
    /// Free energy of every state relative to the first.
    pub fn f_k(&self) -> Vec<f64> {
        let mut f = vec![0.0];
        f.extend(self.links.iter().scan(0.0, |sum, link| {
            *sum += link.delta_f;
            Some(*sum)
        }));
        f
    }

    /// Covariance of [`f_k`](Self::f_k), `[k][k]`: neighbouring links use the same samples of the state between them, so that the
    /// variance of a sum is not the sum of variances (for close states it is up to twice that).
    pub fn f_k_covariance(&self) -> Vec<f64> {
        let (links, k) = (self.links.len(), self.links.len() + 1);
        let mut out = vec![0.0; k * k];
        for i in 1..k {
            for j in 1..k {
                let mut sum = out[(i - 1) * k + j] + out[i * k + j - 1] - out[(i - 1) * k + j - 1];
                sum += self.covariance[(i - 1) * links + j - 1];
                out[i * k + j] = sum;
            }
        }
        out
    }
}

/// BAR between neighbours: link p joins states p and p + 1 by the works of samples of p (forward) and of p + 1 (reverse).
///
///   G(dF) = sum_F f(M + w_F - dF) - sum_R f(-M + w_R + dF) = 0,   f(x) = 1/(1 + e^x)
///   phi_n = -(+) (f_n - mean f) / G'   for forward (reverse) samples;   cov(dF_p, dF_q) = sum_n phi_p,n phi_q,n
///
/// Only links that share a state are correlated. Errors: those of [`bar`] with the link they belong to.
/// Source: the delta method on Bennett, J. Comput. Phys. 22, 245 (1976), equation 12.
pub fn bar_chain(links: &[(Works, Works)]) -> Result<BarChain, (usize, FreeEnergyError)> {
    let count = links.len();
    let mut answers = Vec::with_capacity(count);
    for (p, (forward, reverse)) in links.iter().enumerate() {
        answers.push(bar(&forward.work, &reverse.work).map_err(|e| (p, e))?);
    }
    let mut covariance = vec![0.0; count * count];
    let mut influences: Vec<(Vec<f64>, Vec<f64>)> = Vec::with_capacity(count);
    for (p, (forward, reverse)) in links.iter().enumerate() {
        let (phi_f, phi_r) = influence(&forward.work, &reverse.work, answers[p].delta_f);
        covariance[p * count + p] = answers[p].stderr * answers[p].stderr;
        if let Some((_, before)) = influences.last() {
            let shared = common(&links[p - 1].1.sample, before, &forward.sample, &phi_f);
            covariance[(p - 1) * count + p] = shared;
            covariance[p * count + p - 1] = shared;
        }
        influences.push((phi_f, phi_r));
    }
    Ok(BarChain { links: answers, covariance, influences })
}

/// How much each sample moves the root.
fn influence(w_f: &[f64], w_r: &[f64], delta: f64) -> (Vec<f64>, Vec<f64>) {
    let m = Real::ln(w_f.len() as f64 / w_r.len() as f64);
    let fermi = |w: &[f64], shift: f64| -> Vec<f64> { w.iter().map(|w| 1.0 / (1.0 + Real::exp(w + shift))).collect() };
    let (mut f, mut r) = (fermi(w_f, m - delta), fermi(w_r, delta - m));
    let slope: f64 = f.iter().chain(&r).map(|f| f * (1.0 - f)).sum();
    for (values, sign) in [(&mut f, -1.0), (&mut r, 1.0)] {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter_mut().for_each(|v| *v = sign * (*v - mean) / slope);
    }
    (f, r)
}

/// Sum of products over the samples that both lists hold.
fn common(a: &[usize], x: &[f64], b: &[usize], y: &[f64]) -> f64 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while i < a.len() && j < b.len() {
        if a[i] < b[j] {
            i += 1;
        } else if b[j] < a[i] {
            j += 1;
        } else {
            sum += x[i] * y[j];
            i += 1;
            j += 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unit harmonics at 0, d, 2 d ...: works of samples x of state k are d (k + 1/2) d - x d and so on, from a fixed stream.
    fn chain(states: usize, d: f64, n: usize, seed: u64) -> Vec<(Works, Works)> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        let x: Vec<Vec<f64>> =
            (0..states).map(|k| (0..n).map(|_| k as f64 * d + super::super::normal_quantile(uniform())).collect()).collect();
        let u = |x: f64, k: usize| 0.5 * (x - k as f64 * d) * (x - k as f64 * d);
        let works =
            |from: usize, to: usize| Works { sample: (0..n).collect(), work: x[from].iter().map(|x| u(*x, to) - u(*x, from)).collect() };
        (0..states - 1).map(|k| (works(k, k + 1), works(k + 1, k))).collect()
    }

    #[test]
    fn errors_of_sums_count_shared_samples() {
        // 400 replicates: the spread of the sum against the stated error, with and without the covariance.
        let (mut squares, mut stated, mut naive) = (0.0, 0.0, 0.0);
        for seed in 0..400 {
            let answer = bar_chain(&chain(6, 0.4, 50, seed + 1)).unwrap();
            let (f, c) = (answer.f_k(), answer.f_k_covariance());
            squares += f[5] * f[5];
            stated += c[35];
            naive += answer.links.iter().map(|l| l.stderr * l.stderr).sum::<f64>();
        }
        // A variance from 400 replicates scatters by 7 %.
        let (ratio, without) = (squares / stated, squares / naive);
        assert!((0.8..1.25).contains(&ratio), "{ratio}");
        assert!(without > 1.6, "{without}: the twin without covariance must be caught");
    }
}
