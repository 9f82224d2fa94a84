//! Gauss-Legendre quadrature on [0, 1], and grids of lambda that are its points.

use crate::real::Real;

/// Most points of a grid that is looked for.
pub const LARGEST_GRID: usize = 16;

/// How far a state may lie from a quadrature point: programs print 4 or 5 decimals.
const ROUNDED: f64 = 1e-4;

/// Points and weights on [0, 1], ascending, to rounding: exact for polynomials of degree 2 n - 1.
///
///   x = (1 + t) / 2 with P_n(t) = 0,   w = 1 / ((1 - t^2) P_n'(t)^2)
///
/// Source: Abramowitz and Stegun 25.4.29; Newton's method on the three-term recurrence.
pub fn gauss_legendre(points: usize) -> Vec<(f64, f64)> {
    let n = points as f64;
    let mut all = Vec::with_capacity(points);
    for i in (0..points).rev() {
        let mut t = Real::sin_cos(std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).1;
        for _ in 0..100 {
            let step = value(points, t) / slope(points, t);
            t -= step;
            if step.abs() < 4.0 * f64::EPSILON {
                break;
            }
        }
        let slope = slope(points, t);
        all.push((0.5 * (1.0 + t), 1.0 / ((1.0 - t * t) * slope * slope)));
    }
    all
}

/// Number of points of the grid that these values in (0, 1) are, in either order; `None` if they are no grid of 1 to 16 points.
///
/// A value may differ from its point by 1e-4, as files hold 4 or 5 decimals.
pub fn gauss_legendre_grid(lambda: &[f64]) -> Option<usize> {
    let n = lambda.len();
    if n == 0 || n > LARGEST_GRID {
        return None;
    }
    let grid = gauss_legendre(n);
    let is = |order: &dyn Fn(usize) -> usize| (0..n).all(|i| (lambda[i] - grid[order(i)].0).abs() <= ROUNDED);
    (is(&|i| i) || is(&|i| n - 1 - i)).then_some(n)
}

/// Integral from 0 to `x` of the polynomial through values at the n points, as weights of these values.
///
///   f(t) = sum_m a_m P_m(t),   a_m = (2 m + 1) sum_k w_k f_k P_m(t_k),   int_{-1}^t P_m = (P_{m+1} - P_{m-1}) / (2 m + 1)
///
/// At x = 1 these are the weights of the quadrature.
pub(super) fn partial_weights(points: usize, x: f64) -> Vec<f64> {
    let t = 2.0 * x - 1.0;
    let integral = |m: usize| if m == 0 { 1.0 + t } else { value(m + 1, t) - value(m - 1, t) };
    gauss_legendre(points)
        .into_iter()
        .map(|(node, weight)| {
            let s = 2.0 * node - 1.0;
            let mut sum = 0.0;
            for m in 0..points {
                sum += 0.5 * value(m, s) * integral(m);
            }
            weight * sum
        })
        .collect()
}

/// P_n(t).
fn value(n: usize, t: f64) -> f64 {
    let (mut before, mut here) = (1.0, t);
    if n == 0 {
        return before;
    }
    for k in 2..=n {
        let k = k as f64;
        (before, here) = (here, ((2.0 * k - 1.0) * t * here - (k - 1.0) * before) / k);
    }
    here
}

/// P_n'(t) for |t| < 1 and n > 0.
fn slope(n: usize, t: f64) -> f64 {
    n as f64 * (value(n - 1, t) - t * value(n, t)) / (1.0 - t * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_exact_and_partial_integrals_too() {
        for n in 1..=32 {
            let grid = gauss_legendre(n);
            for degree in 0..2 * n as i32 {
                let sum: f64 = grid.iter().map(|(x, w)| w * Real::powi(*x, degree)).sum();
                assert!((sum - 1.0 / f64::from(degree + 1)).abs() < 2e-15 * n as f64, "{n} points, degree {degree}: {sum}");
            }
            for x in [0.0, 0.03, 0.5, 0.9, 1.0] {
                let weights = partial_weights(n, x);
                let degree = n as i32 - 1;
                let sum: f64 = weights.iter().zip(&grid).map(|(w, (node, _))| w * Real::powi(*node, degree)).sum();
                assert!((sum - Real::powi(x, degree + 1) / f64::from(degree + 1)).abs() < 1e-14 * n as f64, "{n} {x}");
            }
        }
        // Abramowitz and Stegun, table 25.4, moved to [0, 1].
        let five = gauss_legendre(5);
        for (k, t, w) in [(2, 0.0, 0.568_888_888_888_888_9), (3, 0.538_469_310_105_683_1, 0.478_628_670_499_366_5)] {
            assert!((five[k].0 - 0.5 * (1.0 + t)).abs() < 1e-15 && (five[k].1 - 0.5 * w).abs() < 1e-15);
        }
    }

    #[test]
    fn grids_are_recognised_and_others_are_not() {
        assert_eq!(
            gauss_legendre_grid(&[
                0.00922, 0.04794, 0.11505, 0.20634, 0.31608, 0.43738, 0.56262, 0.68392, 0.79366, 0.88495, 0.95206, 0.99078
            ]),
            Some(12)
        );
        assert_eq!(gauss_legendre_grid(&[0.8873, 0.5, 0.1127]), Some(3));
        assert_eq!(gauss_legendre_grid(&[0.5]), Some(1));
        for other in [&[][..], &[0.2, 0.8], &[0.0, 0.5, 1.0], &[0.25, 0.5, 0.75], &[0.1127, 0.5, 0.8863], &[0.5; 17]] {
            assert_eq!(gauss_legendre_grid(other), None, "{other:?}");
        }
    }
}
