//! Weighted populations: means of weights, effective sizes, systematic resampling, families.

use crate::real::{Lanewise, Octet, Real, Wide, dispatch};

/// Weights relative to the largest, with their sums in the order of the replicas.
pub(super) struct Weights {
    largest: f64,
    w: Vec<f64>,
    sum: f64,
    squares: f64,
}

impl Weights {
    pub(super) fn of(log_w: &[f64]) -> Self {
        let mut largest = f64::NEG_INFINITY;
        for w in log_w {
            largest = Real::max(largest, *w);
        }
        let mut w = log_w.to_vec();
        if largest == f64::NEG_INFINITY {
            w.fill(0.0);
        } else {
            dispatch(Relative { largest, w: &mut w });
        }
        let (mut sum, mut squares) = (0.0, 0.0);
        for w in &w {
            sum += w;
            squares += w * w;
        }
        Weights { largest, w, sum, squares }
    }

    /// See [`log_mean_exp`].
    pub(super) fn log_mean(&self) -> f64 {
        if self.sum > 0.0 { self.largest + Real::ln(self.sum / self.w.len() as f64) } else { f64::NEG_INFINITY }
    }

    /// See [`ess`].
    pub(super) fn ess(&self) -> f64 {
        if self.sum > 0.0 { self.sum * self.sum / self.squares } else { 0.0 }
    }

    /// See [`systematic`].
    pub(super) fn systematic(&self, u: f64) -> Vec<u32> {
        let n = self.w.len();
        let mut last = n; // the last replica with any weight
        while last > 0 && self.w[last - 1] <= 0.0 {
            last -= 1;
        }
        if last == 0 {
            return (0..n as u32).collect();
        }
        let mut from = Vec::with_capacity(n);
        let (mut j, mut cumulated) = (0, self.w[0]);
        for i in 0..n {
            let point = (i as f64 + u) / n as f64 * self.sum;
            while j + 1 < last && point >= cumulated {
                j += 1;
                cumulated += self.w[j];
            }
            from.push(j as u32);
        }
        from
    }

    /// See [`families`].
    pub(super) fn families(&self, lineage: &[u64]) -> Families {
        let most = lineage.iter().max().map_or(0, |l| *l as usize + 1);
        let mut shares = vec![0.0; most];
        for (l, w) in lineage.iter().zip(&self.w) {
            shares[*l as usize] += w / self.sum;
        }
        let mut found = Families { alive: 0, entropy: 0.0, rho_t: 0.0 };
        for share in shares {
            if share > 0.0 {
                found.alive += 1;
                found.entropy -= share * Real::ln(share);
                found.rho_t += lineage.len() as f64 * share * share;
            }
        }
        found
    }
}

/// w = exp(w - largest), eight at a time.
struct Relative<'a> {
    largest: f64,
    w: &'a mut [f64],
}

impl Lanewise for Relative<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        for eight in self.w.chunks_mut(8) {
            let mut o = Octet::of(self.largest);
            o.0[..eight.len()].copy_from_slice(eight);
            let o = (L::load(o) - L::of(self.largest)).exp().store();
            eight.copy_from_slice(&o.0[..eight.len()]);
        }
    }
}

/// ln of the mean of exp(`log_w`), relative to the largest; -inf when all weights are zero.
pub fn log_mean_exp(log_w: &[f64]) -> f64 {
    Weights::of(log_w).log_mean()
}

/// Kish's effective sample size (sum w)^2 / sum w^2: between 1 and N, or 0 when all weights are zero.
pub fn ess(log_w: &[f64]) -> f64 {
    Weights::of(log_w).ess()
}

/// Systematic resampling: replica i becomes a copy of the one in whose slice of the cumulated weights (i + u) / N falls.
///
/// `u` is one uniform number in [0, 1). Replica j gets floor(N W_j) or floor(N W_j) + 1 copies, N W_j on average. Weights that
/// are all zero leave everything as it is.
/// Source: Douc, Cappe and Moulines, ISPA 2005 (arXiv:cs/0507025), section 2.4; Kitagawa, J. Comput. Graph. Stat. 5, 1 (1996).
pub fn systematic(log_w: &[f64], u: f64) -> Vec<u32> {
    Weights::of(log_w).systematic(u)
}

/// How many starting replicas a weighted population descends from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Families {
    /// Starting replicas with descendants of weight above 0.
    pub alive: usize,
    /// Family entropy -sum_i f_i ln f_i, f_i being the share of family i in the weight: ln N before any resampling.
    pub entropy: f64,
    /// Mean square family size rho_t = N sum_i f_i^2: 1 before any resampling. Errors are about sqrt(rho_t / N) per unit of
    /// standard deviation.
    pub rho_t: f64,
}

/// The families of a population; `lineage` numbers the ancestors from 0, as [`crate::batch::Ensemble`] does.
///
/// Source: Wang, Machta and Katzgraber, Phys. Rev. E 92, 063307 (2015), section IV.
pub fn families(lineage: &[u64], log_w: &[f64]) -> Families {
    Weights::of(log_w).families(lineage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_as_many_as_the_weight_says() {
        let log_w = [0.0, Real::ln(2.0), f64::NEG_INFINITY, Real::ln(5.0)];
        for i in 0..100 {
            let from = systematic(&log_w, f64::from(i) / 100.0);
            for (j, share) in [0.5, 1.0, 0.0, 2.5].into_iter().enumerate() {
                let copies = from.iter().filter(|f| **f == j as u32).count() as f64;
                assert!((copies - share).abs() < 1.0, "{from:?}");
            }
        }
        assert_eq!(systematic(&[f64::NEG_INFINITY; 3], 0.5), [0, 1, 2]);
        assert_eq!(systematic(&[0.0; 4], 0.999), [0, 1, 2, 3]);
        assert_eq!(systematic(&[-800.0, 0.0, -800.0], 0.9999), [1, 1, 1]);
    }

    #[test]
    fn effective_sizes_and_means() {
        assert!((ess(&[3.0; 7]) - 7.0).abs() < 1e-12);
        assert_eq!(ess(&[0.0, f64::NEG_INFINITY]), 1.0);
        assert_eq!(ess(&[f64::NEG_INFINITY; 2]), 0.0);
        assert!((log_mean_exp(&[1000.0, f64::NEG_INFINITY]) - 1000.0 + Real::ln(2.0)).abs() < 1e-12);
        assert_eq!(log_mean_exp(&[f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
    }

    #[test]
    fn families_count_weight() {
        let all = families(&[0, 1, 2, 3], &[0.0; 4]);
        assert_eq!(all.alive, 4);
        assert!((all.entropy - Real::ln(4.0)).abs() < 1e-12 && (all.rho_t - 1.0).abs() < 1e-12);
        let two = families(&[2, 2, 0, 0], &[0.0, 0.0, 0.0, f64::NEG_INFINITY]);
        assert_eq!(two.alive, 2);
        assert!((two.rho_t - 4.0 * (4.0 / 9.0 + 1.0 / 9.0)).abs() < 1e-12);
    }
}
