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

/// Eigenvalues of a symmetric matrix `[n][n]` and its eigenvectors, the columns of `[n][n]`, by cyclic Jacobi rotations.
///
/// Source: Golub and Van Loan, Matrix Computations, section 8.5.
pub(super) fn eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = a.to_vec();
    let mut v = identity(n);
    let scale: f64 = a.iter().map(|v| v * v).sum::<f64>().sqrt();
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let off = a[p * n + q];
                if off.abs() > 1e-17 * scale {
                    rotated = true;
                    let (c, s) = rotation((a[q * n + q] - a[p * n + p]) / (2.0 * off));
                    turn_columns(&mut a, n, p, q, c, s);
                    for k in 0..n {
                        let (x, y) = (a[p * n + k], a[q * n + k]);
                        a[p * n + k] = c * x - s * y;
                        a[q * n + k] = s * x + c * y;
                    }
                    turn_columns(&mut v, n, p, q, c, s);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), v)
}

/// Sweeps after which Jacobi rotations stop in any case; 10 are many.
const SWEEPS: usize = 60;

/// Cosine and sine of the smaller angle with cot(2 angle) = tau.
fn rotation(tau: f64) -> (f64, f64) {
    let t = if tau < 0.0 { -1.0 } else { 1.0 } / (tau.abs() + (1.0 + tau * tau).sqrt());
    let c = 1.0 / (1.0 + t * t).sqrt();
    (c, t * c)
}

fn turn_columns(a: &mut [f64], n: usize, p: usize, q: usize, c: f64, s: f64) {
    for row in a.chunks_exact_mut(n) {
        let (x, y) = (row[p], row[q]);
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
}

fn identity(n: usize) -> Vec<f64> {
    (0..n * n).map(|i| if i / n == i % n { 1.0 } else { 0.0 }).collect()
}

/// Singular values of `[n][n]` and its right singular vectors, the columns of `[n][n]`, by one-sided Jacobi rotations: small values to
/// as many digits as large ones.
///
/// Source: Demmel and Veselic, SIAM J. Matrix Anal. Appl. 13, 1204 (1992).
pub(super) fn singular(r: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut b = r.to_vec();
    let mut v = identity(n);
    let dot = |b: &[f64], p: usize, q: usize| (0..n).map(|k| b[k * n + p] * b[k * n + q]).sum::<f64>();
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let (pp, qq, pq) = (dot(&b, p, p), dot(&b, q, q), dot(&b, p, q));
                if pq.abs() > 1e-15 * (pp * qq).sqrt() {
                    rotated = true;
                    let (c, s) = rotation((qq - pp) / (2.0 * pq));
                    turn_columns(&mut b, n, p, q, c, s);
                    turn_columns(&mut v, n, p, q, c, s);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    ((0..n).map(|k| dot(&b, k, k).sqrt()).collect(), v)
}

/// Takes `rows` more rows `[rows][n]` into the triangular factor R `[n][n]` of an orthogonal factorisation, by Householder reflections
/// that each touch one row of R. The new rows are used up.
///
/// Source: Golub and Van Loan, Matrix Computations, sections 5.1 and 5.2.
pub(super) fn take_rows(r: &mut [f64], more: &mut [f64], n: usize) {
    for k in 0..n {
        let below: f64 = more.chunks_exact(n).map(|row| row[k] * row[k]).sum();
        if below == 0.0 {
            continue;
        }
        let top = r[k * n + k];
        let norm = (top * top + below).sqrt();
        let head = if top > 0.0 { top + norm } else { top - norm };
        let scale = 2.0 / (head * head + below);
        for j in k..n {
            let along = head * r[k * n + j] + more.chunks_exact(n).map(|row| row[k] * row[j]).sum::<f64>();
            let along = scale * along;
            r[k * n + j] -= along * head;
            if j > k {
                for row in more.chunks_exact_mut(n) {
                    row[j] -= along * row[k];
                }
            }
        }
    }
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
        let n: usize = 12;
        let a: Vec<f64> = (0..n * n).map(|i: usize| [2.0, -1.0, 0.0][(i / n).abs_diff(i % n).min(2)]).collect();
        let (mut values, vectors) = eigen(&a, n);
        for k in 0..n {
            for i in 0..n {
                let image: f64 = (0..n).map(|j| a[i * n + j] * vectors[j * n + k]).sum();
                assert!((image - values[k] * vectors[i * n + k]).abs() < 1e-13);
            }
        }
        values.sort_by(|x, y| y.total_cmp(x));
        for (k, v) in values.iter().enumerate() {
            let angle = std::f64::consts::PI * (n - k) as f64 / (n + 1) as f64;
            let (_, cos) = crate::real::Real::sin_cos(angle);
            assert!((v - (2.0 - 2.0 * cos)).abs() < 1e-14, "{k}: {v}");
        }
    }

    #[test]
    fn rows_taken_in_pieces_have_the_same_singular_values() {
        let n = 5;
        let tall: Vec<f64> = (0..17 * n).map(|i| crate::real::Real::sin_cos((i * i) as f64).0).collect();
        let mut r = vec![0.0; n * n];
        for piece in tall.chunks(4 * n) {
            take_rows(&mut r, &mut piece.to_vec(), n);
        }
        let gram = |a: &[f64]| -> Vec<f64> { (0..n * n).map(|i| a.chunks_exact(n).map(|row| row[i / n] * row[i % n]).sum()).collect() };
        let upper: Vec<f64> = (0..n * n).map(|i| if i % n >= i / n { r[i] } else { 0.0 }).collect();
        for (a, b) in gram(&tall).iter().zip(&gram(&upper)) {
            assert!((a - b).abs() < 1e-13, "{a} {b}");
        }
        let (mut squares, _) = eigen(&gram(&tall), n);
        let (mut values, v) = singular(&upper, n);
        for k in 0..n {
            let image: Vec<f64> = (0..n).map(|i| (0..n).map(|j| upper[i * n + j] * v[j * n + k]).sum()).collect();
            assert!((image.iter().map(|x| x * x).sum::<f64>().sqrt() - values[k]).abs() < 1e-13);
        }
        squares.sort_by(f64::total_cmp);
        values.sort_by(f64::total_cmp);
        for (s, v) in squares.iter().zip(&values) {
            assert!((s.sqrt() - v).abs() < 1e-13);
        }
    }
}
