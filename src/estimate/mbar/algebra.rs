//! Dense symmetric algebra with a fixed order of operations: the same bits on every machine.

/// Lower Cholesky factor of a symmetric positive definite matrix `[n][n]`; `None` if it is not one.
pub(super) fn cholesky(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let mut s = a[i * n + j];
            for k in 0..j {
                s -= l[i * n + k] * l[j * n + k];
            }
            if i > j {
                l[i * n + j] = s / l[j * n + j];
            } else if s > 0.0 && s.is_finite() {
                l[i * n + i] = s.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(l)
}

/// Solves L L^T x = b in place.
pub(super) fn solve(l: &[f64], n: usize, x: &mut [f64]) {
    for i in 0..n {
        for k in 0..i {
            x[i] -= l[i * n + k] * x[k];
        }
        x[i] /= l[i * n + i];
    }
    for i in (0..n).rev() {
        for k in i + 1..n {
            x[i] -= l[k * n + i] * x[k];
        }
        x[i] /= l[i * n + i];
    }
}

/// Inverse from the Cholesky factor.
pub(super) fn inverse(l: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    let mut x = vec![0.0; n];
    for i in 0..n {
        x.iter_mut().for_each(|v| *v = 0.0);
        x[i] = 1.0;
        solve(l, n, &mut x);
        out[i * n..(i + 1) * n].copy_from_slice(&x);
    }
    out
}

/// Product of `[m][k]` and `[k][n]`.
pub(super) fn product(a: &[f64], b: &[f64], m: usize, k: usize, n: usize) -> Vec<f64> {
    let mut out = vec![0.0; m * n];
    for i in 0..m {
        let row = &mut out[i * n..(i + 1) * n];
        for (l, b) in b.chunks_exact(n).enumerate().take(k) {
            let x = a[i * k + l];
            row.iter_mut().zip(b).for_each(|(o, b)| *o += x * b);
        }
    }
    out
}

/// Eigenvalues of a symmetric matrix `[n][n]`, descending, by cyclic Jacobi rotations.
///
/// Source: Golub and Van Loan, Matrix Computations, section 8.5.
pub(super) fn eigenvalues(a: &[f64], n: usize) -> Vec<f64> {
    let mut a = a.to_vec();
    let scale: f64 = a.iter().map(|v| v * v).sum::<f64>().sqrt();
    for _ in 0..60 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let off = a[p * n + q];
                if off.abs() <= 1e-17 * scale {
                    continue;
                }
                rotated = true;
                let tau = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
                let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
                let c = 1.0 / (1.0 + t * t).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    a[p * n + k] = c * x - s * y;
                    a[q * n + k] = s * x + c * y;
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let mut values: Vec<f64> = (0..n).map(|i| a[i * n + i]).collect();
    values.sort_by(|x, y| y.total_cmp(x));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A = (i + j + 2)^-1 plus the identity.
    fn matrix(n: usize) -> Vec<f64> {
        (0..n * n).map(|i| 1.0 / (i / n + i % n + 2) as f64 + if i / n == i % n { 1.0 } else { 0.0 }).collect()
    }

    #[test]
    fn inverse_times_matrix_is_one() {
        let n = 7;
        let a = matrix(n);
        let l = cholesky(&a, n).unwrap();
        let one = product(&a, &inverse(&l, n), n, n, n);
        for (i, v) in one.iter().enumerate() {
            assert!((v - if i / n == i % n { 1.0 } else { 0.0 }).abs() < 1e-14, "{i}: {v}");
        }
        assert!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }

    #[test]
    fn eigenvalues_of_a_chain() {
        // -1, 2, -1: 2 - 2 cos(pi k / (n + 1))
        let n = 12;
        let a: Vec<f64> = (0..n * n).map(|i| [2.0, -1.0, 0.0][(i / n).abs_diff(i % n).min(2)]).collect();
        for (k, v) in eigenvalues(&a, n).iter().enumerate() {
            let angle = std::f64::consts::PI * (n - k) as f64 / (n + 1) as f64;
            let (_, cos) = crate::real::Real::sin_cos(angle);
            assert!((v - (2.0 - 2.0 * cos)).abs() < 1e-14, "{k}: {v}");
        }
    }
}
