//! Weighted populations: means of weights, effective sizes, systematic resampling, families.

use crate::real::Real;

/// ln of the mean of exp(`log_w`), relative to the largest; -inf when all weights are zero.
pub fn log_mean_exp(log_w: &[f64]) -> f64 {
    let largest = largest(log_w);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    let mut sum = 0.0;
    for w in log_w {
        sum += Real::exp(*w - largest);
    }
    largest + Real::ln(sum / log_w.len() as f64)
}

fn largest(log_w: &[f64]) -> f64 {
    let mut largest = f64::NEG_INFINITY;
    for w in log_w {
        largest = Real::max(largest, *w);
    }
    largest
}

/// Kish's effective sample size (sum w)^2 / sum w^2: between 1 and N, or 0 when all weights are zero.
pub fn ess(log_w: &[f64]) -> f64 {
    let largest = largest(log_w);
    if largest == f64::NEG_INFINITY {
        return 0.0;
    }
    let (mut sum, mut squares) = (0.0, 0.0);
    for w in log_w {
        let w = Real::exp(*w - largest);
        sum += w;
        squares += w * w;
    }
    sum * sum / squares
}

/// Systematic resampling: replica i becomes a copy of the one in whose slice of the cumulated weights (i + u) / N falls.
///
/// `u` is one uniform number in [0, 1). Replica j gets floor(N W_j) or floor(N W_j) + 1 copies, N W_j on average. Weights that
/// are all zero leave everything as it is.
/// Source: Douc, Cappe and Moulines, ISPA 2005 (arXiv:cs/0507025), section 2.4; Kitagawa, J. Comput. Graph. Stat. 5, 1 (1996).
pub fn systematic(log_w: &[f64], u: f64) -> Vec<u32> {
    let n = log_w.len();
    let largest = largest(log_w);
    if largest == f64::NEG_INFINITY {
        return (0..n as u32).collect();
    }
    let mut cumulated = Vec::with_capacity(n);
    let (mut sum, mut last) = (0.0, 0);
    for (j, w) in log_w.iter().enumerate() {
        let w = Real::exp(*w - largest);
        sum += w;
        if w > 0.0 {
            last = j;
        }
        cumulated.push(sum);
    }
    let mut from = Vec::with_capacity(n);
    let mut j = 0;
    for i in 0..n {
        let point = (i as f64 + u) / n as f64 * sum;
        while j < last && point >= cumulated[j] {
            j += 1;
        }
        from.push(j as u32);
    }
    from
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

/// The families of a population.
///
/// Source: Wang, Machta and Katzgraber, Phys. Rev. E 92, 063307 (2015), section IV.
pub fn families(lineage: &[u64], log_w: &[f64]) -> Families {
    let largest = largest(log_w);
    let mut members: Vec<(u64, f64)> = Vec::with_capacity(lineage.len());
    let mut total = 0.0;
    for (l, w) in lineage.iter().zip(log_w) {
        let w = if largest == f64::NEG_INFINITY { 0.0 } else { Real::exp(*w - largest) };
        total += w;
        members.push((*l, w));
    }
    members.sort_by_key(|m| m.0); // stable: the order of a family's members is that of the replicas
    let mut found = Families { alive: 0, entropy: 0.0, rho_t: 0.0 };
    for family in members.chunk_by(|a, b| a.0 == b.0) {
        let mut share = 0.0;
        for m in family {
            share += m.1;
        }
        if share > 0.0 {
            let share = share / total;
            found.alive += 1;
            found.entropy -= share * Real::ln(share);
            found.rho_t += lineage.len() as f64 * share * share;
        }
    }
    found
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
