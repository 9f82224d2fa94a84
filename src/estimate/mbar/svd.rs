//! The covariance of the free energies by a singular value decomposition of the weights.

use super::super::algebra::{eigen, product, singular, take_rows};
use super::super::reduced::OCTETS;
use super::Mbar;
use super::columns::{Column, fill};
use super::pass::plain_weights;
use crate::real::{Lanewise, Octet, Wide, dispatch};
use rayon::prelude::*;

/// Chunks that the blocks are cut into, whatever the number of threads.
const CHUNKS: usize = 64;

impl Mbar<'_> {
    /// Theta = V S (1 - S V^T N V S)^+ S V^T with W = U S V^T.
    ///
    /// The columns of W are scaled by d_k = sqrt(N_k) (1 without samples) before, and S V^T is that of the triangular factor of an
    /// orthogonal factorisation made block by block. The one eigenvalue 0 of the middle is left out of its inverse: the states
    /// hang together, so there is no other.
    /// Source: Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008), appendix D; Chan, ACM Trans. Math. Softw. 8, 72 (1982).
    pub(super) fn theta_by_svd(&self) -> Vec<f64> {
        let k = self.f_k.len();
        let possible: Vec<bool> = self.f_k.iter().map(|f| f.is_finite()).collect();
        let scale: Vec<f64> = self.u.n_k().iter().map(|n| (*n as f64).max(1.0).sqrt()).collect();
        let (values, v) = singular(&self.triangle(&scale), k);
        let sv: Vec<f64> = (0..k * k).map(|i| v[i] * values[i % k]).collect(); // V S, [k][mode]
        let mut middle = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..k {
                let sampled = |l: &usize| self.u.n_k()[*l] > 0;
                let shared: f64 = (0..k).filter(sampled).map(|l| sv[l * k + i] * sv[l * k + j]).sum();
                middle[i * k + j] = if i == j { 1.0 - shared } else { -shared };
            }
        }
        let (eigenvalues, e) = eigen(&middle, k);
        let zero = (0..k).fold(0, |least, i| if eigenvalues[i].abs() < eigenvalues[least].abs() { i } else { least });
        let half = product(&sv, &e, k, k, k);
        let mut theta = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..k {
                let sum: f64 = (0..k).filter(|m| *m != zero).map(|m| half[i * k + m] * half[j * k + m] / eigenvalues[m]).sum();
                theta[i * k + j] = if possible[i] && possible[j] { sum / (scale[i] * scale[j]) } else { f64::NAN };
            }
        }
        theta
    }

    /// R of W times the scales, `[k][k]`, with zeros below the diagonal.
    fn triangle(&self, scale: &[f64]) -> Vec<f64> {
        let (k, blocks) = (self.f_k.len(), self.u.blocks());
        let columns: Vec<Column<'_>> = (0..k).map(|k| self.weight_of(k)).collect();
        let log_d = self.log_denominators();
        let chunk = blocks.div_ceil(CHUNKS);
        let pieces: Vec<Vec<f64>> = (0..blocks.div_ceil(chunk))
            .into_par_iter()
            .map(|c| {
                let mut r = vec![0.0; k * k];
                let mut octets = vec![Octet::of(0.0); k * OCTETS];
                let mut rows = vec![0.0; k * OCTETS * 8];
                for b in c * chunk..((c + 1) * chunk).min(blocks) {
                    let root = plain_weights(self.u, b);
                    let log_d = &log_d[b * OCTETS..(b + 1) * OCTETS];
                    dispatch(Weights { columns: &columns, b, log_d, root: &root, out: &mut octets });
                    for (i, x) in rows.iter_mut().enumerate() {
                        let (n, k) = (i / k, i % k);
                        *x = if self.f_k[k].is_finite() { scale[k] * octets[k * OCTETS + n / 8].0[n % 8] } else { 0.0 };
                    }
                    take_rows(&mut r, &mut rows, k);
                }
                upper(r, k)
            })
            .collect();
        let mut r = vec![0.0; k * k];
        for mut piece in pieces {
            take_rows(&mut r, &mut piece, k);
        }
        upper(r, k)
    }
}

/// The matrix with zeros below the diagonal, where reflections leave what they have used.
fn upper(mut r: Vec<f64>, k: usize) -> Vec<f64> {
    for i in 0..k {
        r[i * k..i * k + i].fill(0.0);
    }
    r
}

/// Weights of the 64 samples of a block in all states, `[k][8]` octets.
struct Weights<'a> {
    columns: &'a [Column<'a>],
    b: usize,
    log_d: &'a [Octet],
    root: &'a [Octet],
    out: &'a mut [Octet],
}

impl Lanewise for Weights<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        let (log_d, root) = (L::of_octets(self.log_d), L::of_octets(self.root));
        for (column, to) in self.columns.iter().zip(self.out.chunks_exact_mut(OCTETS)) {
            fill(column, self.b, log_d, root, root, L::of_octets_mut(to));
        }
    }
}
