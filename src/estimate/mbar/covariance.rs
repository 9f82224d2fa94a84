//! Uncertainties of everything that MBAR estimates, and the overlap of the states.

use super::super::algebra::{cholesky, eigen, inverse, product};
use super::Mbar;
use super::columns::{Column, ColumnSums, Row};

/// How the covariance of the free energies is worked out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CovarianceMethod {
    /// The asymptotic covariance Theta = W^T (1 - W N W^T)^+ W from the products W^T W, at next to no cost (pymbar's svd-ew).
    #[default]
    Asymptotic,
    /// The same from a singular value decomposition of W itself, which another pass over all samples makes: a check of the first (pymbar's svd).
    Svd,
    /// Theta = W^T W: too small where overlap is poor. For comparison with other programs (pymbar's approximate).
    Approximate,
}

/// A covariance matrix of free energies, up to a constant that cancels in every difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariance {
    /// Number of states.
    pub states: usize,
    /// Theta, `[k][k]`.
    pub theta: Vec<f64>,
}

impl Covariance {
    /// Variance of f_j - f_i.
    pub fn variance(&self, i: usize, j: usize) -> f64 {
        let at = |i: usize, j: usize| self.theta[i * self.states + j];
        (at(i, i) + at(j, j) - 2.0 * at(i, j)).clamp(0.0, f64::INFINITY) // NaN stays
    }

    /// Standard error of f_j - f_i.
    pub fn stderr(&self, i: usize, j: usize) -> f64 {
        self.variance(i, j).sqrt()
    }

    /// Covariance of f_j - f_i and f_l - f_k.
    pub fn between(&self, (i, j): (usize, usize), (k, l): (usize, usize)) -> f64 {
        let at = |i: usize, j: usize| self.theta[i * self.states + j];
        at(j, l) - at(j, k) - at(i, l) + at(i, k)
    }
}

/// Overlap of the states.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlap {
    /// Number of states.
    pub states: usize,
    /// O_ij = sum_n W_ni N_j W_nj, `[i][j]`: the probability that a sample of state i, seen alone, was drawn from state j. Rows sum to 1.
    pub matrix: Vec<f64>,
    /// Its eigenvalues, descending; as many as states, 0 for states without samples.
    pub eigenvalues: Vec<f64>,
}

impl Overlap {
    /// 1 less the second eigenvalue: 0 when the states fall apart, 1 when they are all the same.
    pub fn scalar(&self) -> f64 {
        1.0 - self.eigenvalues.get(1).copied().unwrap_or(0.0)
    }
}

/// Sums of products of the weights, and what follows from them.
#[derive(Clone, Debug)]
pub(super) struct Theta {
    /// `sum_n W_ni W_nj`, `[i][j]` over all states.
    weights: Vec<f64>,
    pub(super) covariance: Covariance,
    /// See [`Mbar::kernel`].
    kernel: Vec<f64>,
}

impl Theta {
    /// 1 / sum_n W_nk^2.
    pub(super) fn effective(&self, k: usize) -> f64 {
        let states = self.covariance.states;
        1.0 / self.weights[k * states + k]
    }
}

impl Mbar<'_> {
    /// Covariance of the free energies of all states.
    ///
    /// Theta = W^T (1 - W N W^T)^+ W, with W_nk = exp(f_k - u_k(n)) / D(n); for independent samples.
    /// Source: Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008), equation (8); Kong et al., J. R. Stat. Soc. B 65, 585 (2003).
    pub fn covariance(&self, method: CovarianceMethod) -> Covariance {
        match method {
            CovarianceMethod::Asymptotic => self.theta().covariance.clone(),
            CovarianceMethod::Svd => Covariance { states: self.f_k.len(), theta: self.theta_by_svd() },
            CovarianceMethod::Approximate => Covariance { states: self.f_k.len(), theta: self.theta().weights.clone() },
        }
    }

    /// The overlap matrix and its eigenvalues.
    ///
    /// Source: Klimovich, Shirts and Mobley, J. Comput.-Aided Mol. Des. 29, 397 (2015).
    pub fn overlap(&self) -> Overlap {
        let (states, s) = (self.f_k.len(), self.sampled.len());
        let weights = &self.theta().weights;
        let matrix = (0..states * states).map(|i| weights[i] * self.u.n_k()[i % states] as f64).collect();
        let symmetric = self.symmetric();
        let (mut eigenvalues, _) = eigen(&symmetric, s);
        eigenvalues.sort_by(|x, y| y.total_cmp(x));
        eigenvalues.resize(states, 0.0);
        Overlap { states, matrix, eigenvalues }
    }

    /// `C_jk = N_j^-1/2 sum_n p_j p_k N_k^-1/2` over the states with samples: similar to the overlap matrix.
    fn symmetric(&self) -> Vec<f64> {
        let s = self.sampled.len();
        (0..s * s).map(|i| self.solution.products[i] / (self.n[i / s] * self.n[i % s]).sqrt()).collect()
    }

    pub(super) fn theta(&self) -> &Theta {
        self.theta.get_or_init(|| {
            let states = self.f_k.len();
            let unsampled: Vec<usize> = (0..states).filter(|k| self.sampled.binary_search(k).is_err()).collect();
            let columns: Vec<Column<'_>> = unsampled.iter().map(|k| self.weight_of(*k)).collect();
            let sums = if columns.is_empty() { None } else { Some(self.sum_columns(&columns, true)) };
            let mut weights = vec![0.0; states * states];
            let s = self.sampled.len();
            let place = |k: usize| self.sampled.binary_search(&k);
            let index = |k: usize| unsampled.binary_search(&k).unwrap_or(0);
            for i in 0..states {
                for j in 0..states {
                    weights[i * states + j] = match (place(i), place(j), &sums) {
                        (Ok(a), Ok(b), _) => self.solution.products[a * s + b] / (self.n[a] * self.n[b]),
                        (Ok(a), Err(_), Some(sums)) => sums.with_states[index(j) * s + a] / self.n[a],
                        (Err(_), Ok(b), Some(sums)) => sums.with_states[index(i) * s + b] / self.n[b],
                        (Err(_), Err(_), Some(sums)) => sums.own[index(i) * unsampled.len() + index(j)],
                        (_, _, None) => f64::NAN,
                    };
                }
            }
            let kernel = self.kernel();
            let with_states: Vec<f64> = (0..states * s).map(|i| weights[i / s * states + self.sampled[i % s]] * self.n[i % s]).collect();
            let theta = sandwich(&weights, &with_states, &kernel, states, s);
            Theta { weights, covariance: Covariance { states, theta }, kernel }
        })
    }

    /// The column W_nk of a state.
    pub(super) fn weight_of(&self, k: usize) -> Column<'_> {
        Column { energy: Row { of: self.u.blocked(), row: k }, f: self.f_k[k], factor: None, offset: false }
    }

    /// Covariance `[l][l]` of the sums of some columns as estimators, from their products.
    ///
    ///   cov = Z^T (1 - W N W^T)^+ Z
    pub(super) fn covariance_of(&self, sums: &ColumnSums) -> Vec<f64> {
        sandwich(&sums.own, &sums.with_states, &self.theta().kernel, sums.first.len(), self.sampled.len())
    }

    /// K with (1 - W N W^T)^+ = 1 + P K P^T, where P_nk = p_k(n).
    ///
    /// With M = P N^-1/2 and C = M^T M: on a vector M x the inverse of 1 - M M^T acts as 1 + M (1 - C)^-1 M^T. C has one eigenvalue 1, of
    /// v = (N_k / N)^1/2, whose inverse is replaced by 0: K = N^-1/2 [(1 - C + v v^T)^-1 - 2 v v^T] N^-1/2. The diagonal of 1 - C is
    /// taken from the other elements of the row, so nothing cancels.
    fn kernel(&self) -> Vec<f64> {
        let s = self.sampled.len();
        let total: f64 = self.n.iter().sum();
        let root: Vec<f64> = self.n.iter().map(|n| n.sqrt()).collect();
        let c = self.symmetric();
        let mut a = vec![0.0; s * s];
        for i in 0..s {
            for j in 0..s {
                a[i * s + j] += root[i] * root[j] / total;
                if i != j {
                    a[i * s + j] -= c[i * s + j];
                    a[i * s + i] += c[i * s + j] * root[j] / root[i];
                }
            }
        }
        let Some(l) = cholesky(&a, s) else { return vec![f64::NAN; s * s] };
        let mut k = inverse(&l, s);
        for i in 0..s {
            for j in 0..s {
                k[i * s + j] = k[i * s + j] / (root[i] * root[j]) - 2.0 / total;
            }
        }
        k
    }
}

/// own + with K with^T, made symmetric; `own` is `[l][l]`, `with` `[l][s]`.
fn sandwich(own: &[f64], with: &[f64], kernel: &[f64], l: usize, s: usize) -> Vec<f64> {
    let half = product(with, kernel, l, s, s);
    let mut transposed = vec![0.0; l * s];
    for i in 0..l {
        for k in 0..s {
            transposed[k * l + i] = with[i * s + k];
        }
    }
    let mut out = product(&half, &transposed, l, s, l);
    for i in 0..l {
        for j in 0..=i {
            let sum = 0.5 * (out[i * l + j] + out[j * l + i]) + own[i * l + j];
            out[i * l + j] = sum;
            out[j * l + i] = sum;
        }
    }
    out
}
