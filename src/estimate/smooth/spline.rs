//! A free energy as a B-spline, by maximum likelihood.

use super::super::series::{Unusable, sum_of};
use super::super::surface::{Axis, effective};
use super::super::ti::gauss_legendre;
use super::grid;
use crate::real::Real;
use nalgebra::{DMatrix, DVector};

/// Pull between neighbouring coefficients, in draws: decides only where there are none.
const PULL: f64 = 1e-3;

/// A few functions that do not vanish at a point, and their values.
type Sparse = Vec<(usize, f64)>;

/// Cubic B-splines on the axes, ready for any weights of the same draws.
///
///   p(x) = exp(-F(x)) / int exp(-F),   F = sum_j a_j B_j,   ln L = -sum_n w_n F(x_n) - ln int exp(-F)   (sum w = 1)
///
/// ln L is concave in a, and knows the draws only through m_j = sum_n w_n B_j(x_n): at its maximum the model's averages of the B_j are the m_j.
pub(super) struct Spline {
    functions: usize,
    /// At each draw.
    draws: Vec<Sparse>,
    /// At each point of quadrature, with its weight.
    nodes: Vec<(Sparse, f64)>,
    /// At each grid point.
    points: Vec<Sparse>,
    /// Neighbours in the grid of coefficients.
    neighbours: Vec<(usize, usize)>,
}

impl Spline {
    pub(super) fn new(columns: &[&[f64]], axes: &[Axis], functions: &[usize]) -> Result<Self, Unusable> {
        if functions.len() != axes.len() {
            return Err(Unusable::Shape { what: "numbers of spline functions", expected: axes.len(), found: functions.len() });
        }
        let total: usize = functions.iter().product();
        if functions.iter().any(|n| *n < 4) || total > 1000 {
            return Err(Unusable::Argument(format!(
                "a cubic spline takes at least 4 functions an axis and 1000 in all, not {functions:?}"
            )));
        }
        let along = |k: usize, x: f64| basis(&axes[k], functions[k], x);
        let both = |first: Sparse, second: Option<Sparse>| -> Sparse {
            match second {
                None => first,
                Some(second) => first.iter().flat_map(|(i, a)| second.iter().map(move |(j, b)| (i * functions[1] + j, a * b))).collect(),
            }
        };
        let draws = (0..columns[0].len()).map(|n| both(along(0, columns[0][n]), columns.get(1).map(|c| along(1, c[n])))).collect();
        let quadrature = |k: usize| -> Vec<(Sparse, f64)> {
            let (intervals, rule) = (intervals(&axes[k], functions[k]), gauss_legendre(4));
            let h = (axes[k].high - axes[k].low) / intervals as f64;
            (0..intervals)
                .flat_map(|i| rule.iter().map(move |(t, w)| (i as f64 + t, *w)))
                .map(|(t, w)| (along(k, axes[k].low + t * h), w))
                .collect()
        };
        let nodes = match axes.len() {
            1 => quadrature(0),
            _ => {
                let second = quadrature(1);
                let pair = |(a, v): (Sparse, f64)| -> Vec<(Sparse, f64)> {
                    second.iter().map(|(b, w)| (both(a.clone(), Some(b.clone())), v * w)).collect()
                };
                quadrature(0).into_iter().flat_map(pair).collect()
            }
        };
        let points = grid(axes).map(|[i, j]| both(along(0, axes[0].centre(i)), axes.get(1).map(|a| along(1, a.centre(j))))).collect();
        let mut neighbours = Vec::new();
        let inner = functions.get(1).copied().unwrap_or(1);
        for i in 0..functions[0] {
            for j in 0..inner {
                for (k, n, next) in [(0, functions[0], (i + 1, j)), (1, inner, (i, j + 1))] {
                    let round = axes.get(k).is_some_and(|a| a.periodic);
                    let place = if k == 0 { next.0 } else { next.1 };
                    if place < n || round {
                        neighbours.push((i * inner + j, next.0 % functions[0] * inner + next.1 % inner));
                    }
                }
            }
        }
        Ok(Spline { functions: total, draws, nodes, points, neighbours })
    }

    /// F at the grid points, up to a constant.
    pub(super) fn free_energy(&self, weights: &[f64]) -> Vec<f64> {
        let a = self.coefficients(weights);
        self.points.iter().map(|p| value(p, &a)).collect()
    }

    /// Newton's method with halved steps on -ln L + pull.
    fn coefficients(&self, weights: &[f64]) -> Vec<f64> {
        let total = sum_of(weights);
        let mut moments = vec![0.0; self.functions];
        for (draw, w) in self.draws.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
            for (j, b) in draw {
                moments[*j] += w / total * b;
            }
        }
        let pull = PULL / effective(weights);
        let mut a = vec![0.0; self.functions];
        let mut here = self.objective(&a, &moments, pull);
        for _ in 0..100 {
            let (gradient, hessian) = self.derivatives(&a, &moments, pull);
            let Some(step) = nalgebra::Cholesky::new(hessian).map(|c| c.solve(&gradient)) else { break };
            let decrement = gradient.dot(&step);
            if decrement < 1e-20 {
                break;
            }
            let mut part = 1.0;
            loop {
                let tried: Vec<f64> = a.iter().zip(step.iter()).map(|(a, s)| a - part * s).collect();
                let there = self.objective(&tried, &moments, pull);
                if there <= here - 1e-4 * part * decrement || part < 1e-6 {
                    (a, here) = (tried, there);
                    break;
                }
                part *= 0.5;
            }
            if part < 1e-6 {
                break;
            }
        }
        a
    }

    /// -ln L + pull / 2 sum (a_i - a_j)^2.
    fn objective(&self, a: &[f64], moments: &[f64], pull: f64) -> f64 {
        let energies: Vec<f64> = self.nodes.iter().map(|n| value(&n.0, a)).collect();
        let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
        let z: Vec<f64> = energies.iter().zip(&self.nodes).map(|(f, n)| n.1 * Real::exp(least - f)).collect();
        let likelihood = a.iter().zip(moments).map(|(a, m)| a * m).sum::<f64>() + Real::ln(sum_of(&z)) - least;
        likelihood + 0.5 * pull * self.neighbours.iter().map(|(i, j)| (a[*i] - a[*j]) * (a[*i] - a[*j])).sum::<f64>()
    }

    /// Gradient m - <B> and Hessian cov(B), pull included; one multiple of 1 1^T fixes the constant that F is free by.
    fn derivatives(&self, a: &[f64], moments: &[f64], pull: f64) -> (DVector<f64>, DMatrix<f64>) {
        let n = self.functions;
        let energies: Vec<f64> = self.nodes.iter().map(|n| value(&n.0, a)).collect();
        let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
        let p: Vec<f64> = energies.iter().zip(&self.nodes).map(|(f, n)| n.1 * Real::exp(least - f)).collect();
        let z = sum_of(&p);
        let (mut mean, mut hessian) = (vec![0.0; n], DMatrix::zeros(n, n));
        for ((node, _), p) in self.nodes.iter().zip(&p) {
            for (i, b) in node {
                mean[*i] += p / z * b;
                for (j, c) in node {
                    hessian[(*i, *j)] += p / z * b * c;
                }
            }
        }
        let mut gradient = DVector::from_iterator(n, (0..n).map(|i| moments[i] - mean[i]));
        let fix = 1.0 / n as f64;
        for i in 0..n {
            for j in 0..n {
                hessian[(i, j)] += fix * fix - mean[i] * mean[j];
            }
        }
        for &(i, j) in &self.neighbours {
            let d = pull * (a[i] - a[j]);
            gradient[i] += d;
            gradient[j] -= d;
            for (k, l, sign) in [(i, i, 1.0), (j, j, 1.0), (i, j, -1.0), (j, i, -1.0)] {
                hessian[(k, l)] += sign * pull;
            }
        }
        (gradient, hessian)
    }
}

fn value(at: &Sparse, a: &[f64]) -> f64 {
    at.iter().map(|(j, b)| a[*j] * b).sum()
}

/// Equal intervals between knots: functions - 3 on a line, functions on a circle.
fn intervals(axis: &Axis, functions: usize) -> usize {
    if axis.periodic { functions } else { functions - 3 }
}

/// The four uniform cubic B-splines that do not vanish at x; with t the place in the interval:
/// (1 - t)^3 / 6, (3 t^3 - 6 t^2 + 4) / 6, (-3 t^3 + 3 t^2 + 3 t + 1) / 6, t^3 / 6.
fn basis(axis: &Axis, functions: usize, x: f64) -> Sparse {
    let intervals = intervals(axis, functions);
    let mut turns = (x - axis.low) / (axis.high - axis.low);
    turns = if axis.periodic { turns - turns.floor() } else { turns.clamp(0.0, 1.0) };
    let place = turns * intervals as f64;
    let i = (place as usize).min(intervals - 1);
    let t = place - i as f64;
    let s = 1.0 - t;
    let values = [s * s * s, (3.0 * t - 6.0) * t * t + 4.0, ((-3.0 * t + 3.0) * t + 3.0) * t + 1.0, t * t * t];
    values.iter().enumerate().map(|(k, v)| ((i + k) % functions, v / 6.0)).collect()
}
