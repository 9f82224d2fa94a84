//! How much every sample has moved the free energies: what correlated samples need for an error.

use super::super::algebra::solve;
use super::Mbar;
use super::newton::hessian_factor;
use crate::real::Real;

/// Influence of every sample on the solution, `[n]` in the order in which the samples were given, over the states with samples.
///
///   phi_n = -H^-1 (p(n) - mean of p over the samples of the same state),   H_jk = delta_jk N_j - sum_n p_j(n) p_k(n),   p_k(n) = N_k W_nk
///
/// is what sample n has added to f. Over independent samples sum_n (phi_nj - phi_ni)^2 is the asymptotic variance of f_j - f_i; over
/// correlated ones it is the variance of the sum that counts, along whatever order in time the caller knows of.
/// Source: the delta method on the MBAR equations, Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008).
#[derive(Clone, Debug, PartialEq)]
pub struct Influences {
    /// The states with samples.
    pub states: Vec<usize>,
    /// Which of them each sample was drawn from, as a position in `states`.
    pub origin: Vec<usize>,
    /// p_k(n), `[n][k]`.
    pub probability: Vec<f64>,
    /// Number of samples of each state.
    number: Vec<f64>,
    /// Mean of p_k over the samples of state i, `[i][k]`.
    mean: Vec<f64>,
    /// Cholesky factor of H without its first row and column; none where the overlap is too poor for any error.
    factor: Option<Vec<f64>>,
}

impl Mbar<'_> {
    /// Influences of all samples.
    pub fn influences(&self) -> Influences {
        let (samples, s, starts) = (self.u.samples(), self.sampled.len(), self.u.starts());
        let mut origin = vec![0; samples];
        for (i, &k) in self.sampled.iter().enumerate() {
            for n in starts[k]..starts[k + 1] {
                origin[self.u.position(n)] = i;
            }
        }
        let mut probability = vec![0.0; samples * s];
        for (i, (&k, n_k)) in self.sampled.iter().zip(&self.n).enumerate() {
            for (n, log) in self.log_weights(k).into_iter().enumerate() {
                probability[n * s + i] = n_k * Real::exp(log);
            }
        }
        let mut mean = vec![0.0; s * s];
        for (p, &i) in probability.chunks_exact(s).zip(&origin) {
            for k in 0..s {
                mean[i * s + k] += p[k] / self.n[i];
            }
        }
        let factor = hessian_factor(&self.solution.products, s);
        Influences { states: self.sampled.clone(), origin, probability, number: self.n.clone(), mean, factor }
    }
}

impl Influences {
    /// phi_n summed over groups of samples, `[group][k]`, that of the first state being 0; `group` of each sample. NaN where the overlap is
    /// too poor for any error.
    pub fn summed(&self, groups: usize, group: impl Fn(usize) -> usize) -> Vec<f64> {
        let s = self.states.len();
        let mut phi = vec![0.0; groups * s];
        for (n, (p, &i)) in self.probability.chunks_exact(s).zip(&self.origin).enumerate() {
            let phi = &mut phi[group(n) * s..][..s];
            for k in 1..s {
                phi[k] += self.mean[i * s + k] - p[k];
            }
        }
        // phi is linear in p: once a group is enough
        for phi in phi.chunks_exact_mut(s) {
            match &self.factor {
                Some(l) => solve(l, s - 1, &mut phi[1..]),
                None => phi.fill(f64::NAN),
            }
        }
        phi
    }

    /// What exp(-f) = sum_n w_n over weights of the fit, of some of the samples, takes from the solution: (c, mean), both `[k]`, in
    ///
    ///   psi_n = -(z_n - mean_k) + sum_j c_j phi_nj,   z_n = w_n / sum_m w_m,   c_j = sum_n z_n p_j(n)
    ///
    /// which is what sample n of state k has added to f; the mean of z is that over the samples of state k. `weights`: (n, z_n), no more than
    /// once a sample, those that are 0 left out.
    pub fn of_average(&self, weights: &[(usize, f64)]) -> (Vec<f64>, Vec<f64>) {
        let s = self.states.len();
        let (mut with_states, mut mean) = (vec![0.0; s], vec![0.0; s]);
        for &(n, z) in weights {
            mean[self.origin[n]] += z;
            for (c, p) in with_states.iter_mut().zip(&self.probability[n * s..(n + 1) * s]) {
                *c += z * p;
            }
        }
        mean.iter_mut().zip(&self.number).for_each(|(m, n)| *m /= n);
        (with_states, mean)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{MbarOptions, ReducedPotentials, mbar};
    use super::super::CovarianceMethod;
    use crate::stream::{Purpose, Root};

    /// Over independent samples the squares of the influences sum to the asymptotic covariance: of f_j - f_i, and of a state without
    /// samples. The twin leaves the samples of each state uncentred.
    #[test]
    fn squares_sum_to_the_covariance() {
        let stream = Root::new(1, "influence", "").stream(0, Purpose::Noise);
        let (n, k) = (4000, 4);
        let centres = [0.0, 0.7, 1.5, 0.4];
        let (mut origin, mut u_nk) = (Vec::new(), Vec::new());
        for i in 0..3 * n {
            // not in groups, and the last state without samples
            let x = centres[i % 3] + stream.normal_pair::<f64>(0, i as u64, 0).0;
            origin.push(i % 3);
            u_nk.extend(centres.iter().map(|c| 0.5 * (x - c) * (x - c)));
        }
        let u = ReducedPotentials::from_samples(&["a", "b", "c", "d"], &origin, &u_nk).unwrap();
        let fit = mbar(&u, &MbarOptions::default()).unwrap();
        let (theta, found) = (fit.covariance(CovarianceMethod::Asymptotic), fit.influences());
        let weights: Vec<(usize, f64)> = fit.log_weights(3).iter().map(|l| crate::real::Real::exp(*l)).enumerate().collect();
        let (c, mean) = found.of_average(&weights);
        let phi = found.summed(3 * n, |n| n);
        let psi = |i: usize, j: usize, centred: f64| -> f64 {
            let phi = &phi[3 * i..3 * i + 3];
            if j < 3 {
                return phi[j];
            }
            phi.iter().zip(&c).map(|(phi, c)| phi * c).sum::<f64>() - weights[i].1 + centred * mean[found.origin[i]]
        };
        for i in 0..k {
            for j in 0..i {
                let squares = |centred| -> f64 { (0..3 * n).map(|n| psi(n, i, centred) - psi(n, j, centred)).map(|d| d * d).sum() };
                let ratio = squares(1.0) / theta.variance(i, j);
                assert!((ratio - 1.0).abs() < 0.02, "{i} {j}: {ratio}");
                let sum: f64 = (0..3 * n).map(|n| psi(n, i, 1.0) - psi(n, j, 1.0)).sum();
                assert!(sum.abs() < 1e-9, "{i} {j}: {sum}");
                let twin = squares(0.0) / theta.variance(i, j);
                assert!(i < 3 || twin > 1.2, "{i} {j}: {twin}");
            }
        }
    }
}
