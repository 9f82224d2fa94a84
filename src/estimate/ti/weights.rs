//! Integration rules as weights: the integral along a stretch of states is linear in the mean gradients.

/// Weights of the integral from the first point to each point of a stretch, `[point][value]`.
pub(super) type Weights = Vec<Vec<f64>>;

/// Straight lines between points.
pub(super) fn trapezoid(x: &[f64]) -> Weights {
    cumulative(x, |i, row| {
        let h = x[i + 1] - x[i];
        row[i] += 0.5 * h;
        row[i + 1] += 0.5 * h;
    })
}

/// Natural cubic spline: M_0 = M_n = 0 and, inside,
///
///   h_{i-1} M_{i-1} + 2 (h_{i-1} + h_i) M_i + h_i M_{i+1} = 6 ((y_{i+1} - y_i) / h_i - (y_i - y_{i-1}) / h_{i-1})
///   int_i^{i+1} = h_i (y_i + y_{i+1}) / 2 - h_i^3 (M_i + M_{i+1}) / 24
pub(super) fn natural_cubic(x: &[f64]) -> Weights {
    let n = x.len();
    let h: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
    let mut curvature = vec![vec![0.0; n]; n]; // M_i as weights of the y
    for i in 1..n.saturating_sub(1) {
        curvature[i][i - 1] = 6.0 / h[i - 1];
        curvature[i][i] = -6.0 / h[i - 1] - 6.0 / h[i];
        curvature[i][i + 1] = 6.0 / h[i];
    }
    // Thomas' elimination, all right-hand sides together.
    let mut diagonal: Vec<f64> = (0..n).map(|i| if i == 0 || i + 1 >= n { 1.0 } else { 2.0 * (h[i - 1] + h[i]) }).collect();
    for i in 2..n.saturating_sub(1) {
        let factor = h[i - 1] / diagonal[i - 1];
        diagonal[i] -= factor * h[i - 1];
        let (above, here) = curvature.split_at_mut(i);
        subtract(&mut here[0], factor, &above[i - 1]);
    }
    for i in (1..n.saturating_sub(1)).rev() {
        if i + 2 < n {
            let (here, below) = curvature.split_at_mut(i + 1);
            subtract(&mut here[i], h[i], &below[0]);
        }
        curvature[i].iter_mut().for_each(|v| *v /= diagonal[i]);
    }
    cumulative(x, |i, row| {
        row[i] += 0.5 * h[i];
        row[i + 1] += 0.5 * h[i];
        for k in 0..n {
            row[k] -= h[i] * h[i] * h[i] / 24.0 * (curvature[i][k] + curvature[i + 1][k]);
        }
    })
}

/// Simpson's rule for unequal steps: parabolas through three points; of an odd last step, the parabola through its two points and the
/// one before. Source: Cartwright, J. Math. Sci. Math. Educ. 12, 1 (2017), eq. 8; scipy's `simpson` from 1.11 on.
pub(super) fn simpson(x: &[f64]) -> Weights {
    (0..x.len()).map(|last| simpson_to(&x[..=last], x.len())).collect()
}

fn simpson_to(x: &[f64], width: usize) -> Vec<f64> {
    let mut row = vec![0.0; width];
    let steps = x.len() - 1;
    if steps == 1 {
        row[0] = 0.5 * (x[1] - x[0]);
        row[1] = row[0];
        return row;
    }
    for i in (0..steps.saturating_sub(1)).step_by(2) {
        let (a, b) = (x[i + 1] - x[i], x[i + 2] - x[i + 1]);
        let sixth = (a + b) / 6.0;
        row[i] += sixth * (2.0 - b / a);
        row[i + 1] += sixth * (a + b) * (a + b) / (a * b);
        row[i + 2] += sixth * (2.0 - a / b);
    }
    if steps % 2 == 1 {
        let (a, b) = (x[steps - 1] - x[steps - 2], x[steps] - x[steps - 1]);
        row[steps] += (2.0 * b * b + 3.0 * a * b) / (6.0 * (a + b));
        row[steps - 1] += (b * b + 3.0 * a * b) / (6.0 * a);
        row[steps - 2] -= b * b * b / (6.0 * a * (a + b));
    }
    row
}

fn cumulative(x: &[f64], add: impl Fn(usize, &mut [f64])) -> Weights {
    let mut rows = vec![vec![0.0; x.len()]];
    for i in 0..x.len() - 1 {
        let mut row = rows[i].clone();
        add(i, &mut row);
        rows.push(row);
    }
    rows
}

fn subtract(from: &mut [f64], factor: f64, what: &[f64]) {
    for (a, b) in from.iter_mut().zip(what) {
        *a -= factor * b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_exact_for_its_polynomials() {
        let x = [0.0, 0.1, 0.4, 0.5, 0.55, 0.9, 1.0];
        let integral = |weights: &Weights, j: usize, f: fn(f64) -> f64| -> f64 { weights[j].iter().zip(x).map(|(w, x)| w * f(x)).sum() };
        for j in 0..x.len() {
            assert!((integral(&trapezoid(&x), j, |x| 3.0 + 2.0 * x) - (3.0 * x[j] + x[j] * x[j])).abs() < 1e-15);
            assert!((integral(&natural_cubic(&x), j, |x| 3.0 + 2.0 * x) - (3.0 * x[j] + x[j] * x[j])).abs() < 1e-15);
            if j > 1 {
                assert!((integral(&simpson(&x), j, |x| x * x) - x[j] * x[j] * x[j] / 3.0).abs() < 1e-15);
            }
        }
        // The other direction is the negative, and a parabola is not in reach of the trapezoid.
        let back: Vec<f64> = x.iter().rev().copied().collect();
        for rule in [trapezoid, natural_cubic, simpson] {
            let (there, here) = (rule(&x), rule(&back));
            let square = |w: &Weights, x: &[f64]| -> f64 { w[x.len() - 1].iter().zip(x).map(|(w, x)| w * x * x).sum() };
            assert!((square(&there, &x) + square(&here, &back)).abs() < 1e-15);
        }
        assert!((integral(&trapezoid(&x), 6, |x| x * x) - 1.0 / 3.0).abs() > 1e-3);
    }

    #[test]
    fn a_natural_spline_of_four_points_by_hand() {
        // y = 0, 1, 0, 1 at 0, 1, 2, 3: 4 M1 + M2 = -12, M1 + 4 M2 = 12, so M1 = -4, M2 = 4.
        let w = natural_cubic(&[0.0, 1.0, 2.0, 3.0]);
        let at = |j: usize| w[j][1] + w[j][3];
        for (j, exact) in [(0, 0.0), (1, 0.5 + 4.0 / 24.0), (2, 1.0 + 4.0 / 24.0), (3, 1.5)] {
            assert!((at(j) - exact).abs() < 1e-15, "{j}: {}", at(j));
        }
    }
}
