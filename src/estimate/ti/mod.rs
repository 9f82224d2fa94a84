//! Thermodynamic integration: free energies from mean gradients along a path of states.

mod gauss_legendre;
mod weights;

pub use gauss_legendre::{LARGEST_GRID, gauss_legendre, gauss_legendre_grid};

use super::series::Unusable;
use super::value::{Warning, WarningKind, stderr_of};
use serde::Serialize;
use weights::Weights;

/// Mean dU/dlambda in the states of a path, in the order in which they are passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// Components of lambda: 1, or more when several knobs move.
    components: usize,
    /// `[state][component]`.
    lambda: Vec<f64>,
    /// `[state][component]`, reduced (in kT) or in any other unit.
    mean: Vec<f64>,
    /// Covariance of the means of one state, `[state][component][component]`; states are independent.
    covariance: Vec<f64>,
}

impl Gradients {
    /// From means and their standard errors, all `[state][component]`; components of one state count as independent.
    ///
    /// Errors: no component, fewer than 2 states, lengths that differ, a number that is not finite, a negative error, two states in
    /// turn with the same lambda.
    pub fn new(components: usize, lambda: &[f64], mean: &[f64], stderr: &[f64]) -> Result<Self, Unusable> {
        for (what, found) in [("mean dU/dlambda (states x components)", mean), ("errors of dU/dlambda (states x components)", stderr)] {
            if found.len() != lambda.len() {
                return Err(Unusable::Shape { what, expected: lambda.len(), found: found.len() });
            }
        }
        if let Some(k) = stderr.iter().position(|s| !(s.is_finite() && *s >= 0.0)) {
            let state = k / components.max(1);
            return Err(Unusable::Argument(format!("the error of dU/dlambda in state {state} is {}, not a number >= 0", stderr[k])));
        }
        let mut covariance = vec![0.0; lambda.len() * components];
        for (k, s) in stderr.iter().enumerate() {
            covariance[k * components + k % components.max(1)] = s * s;
        }
        Gradients { components, lambda: lambda.to_vec(), mean: mean.to_vec(), covariance }.checked()
    }

    /// From draws of dU/dlambda, `[draw][component]` for each state, with the statistical inefficiency of each state (1 for
    /// independent draws). The covariance of components within a state is kept.
    ///
    /// Errors: as [`Gradients::new`]; fewer than 2 draws of a state, an inefficiency below 1, a draw that is not finite.
    pub fn from_draws(components: usize, lambda: &[f64], draws: &[&[f64]], g: &[f64]) -> Result<Self, Unusable> {
        let c = components.max(1);
        let states = lambda.len() / c;
        for (what, found) in [("states with draws of dU/dlambda", draws.len()), ("statistical inefficiencies", g.len())] {
            if found != states {
                return Err(Unusable::Shape { what, expected: states, found });
            }
        }
        let (mut mean, mut covariance) = (Vec::new(), Vec::new());
        for (state, (rows, g)) in draws.iter().zip(g).enumerate() {
            let n = rows.len() / c;
            if !rows.len().is_multiple_of(c) {
                return Err(Unusable::Shape { what: "dU/dlambda of a state (draws x components)", expected: n * c, found: rows.len() });
            }
            if n < 2 {
                return Err(Unusable::TooShort { what: "thermodynamic integration (draws of each state)", needed: 2, found: n });
            }
            if !(*g >= 1.0 && g.is_finite()) {
                return Err(Unusable::Argument(format!("the statistical inefficiency of state {state} is {g}, not a number >= 1")));
            }
            if let Some(k) = rows.iter().position(|v| !v.is_finite()) {
                return Err(Unusable::Argument(format!("dU/dlambda of state {state}, draw {} is {}", k / c, rows[k])));
            }
            let columns: Vec<Vec<f64>> = (0..c).map(|k| rows.iter().skip(k).step_by(c).copied().collect()).collect();
            let means: Vec<f64> = columns.iter().map(|x| super::series::mean_of(x)).collect();
            for a in 0..c {
                for b in 0..c {
                    let products: Vec<f64> = columns[a].iter().zip(&columns[b]).map(|(x, y)| (x - means[a]) * (y - means[b])).collect();
                    covariance.push(g * super::series::sum_of(&products) / (n as f64 - 1.0) / n as f64);
                }
            }
            mean.extend(means);
        }
        Gradients { components, lambda: lambda.to_vec(), mean, covariance }.checked()
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.lambda.len() / self.components
    }

    fn column(&self, of: &[f64], component: usize) -> Vec<f64> {
        of.iter().skip(component).step_by(self.components).copied().collect()
    }

    fn checked(self) -> Result<Self, Unusable> {
        let c = self.components;
        if c == 0 || !self.lambda.len().is_multiple_of(c) {
            let expected = self.lambda.len().next_multiple_of(c.max(1));
            return Err(Unusable::Shape { what: "lambda (states x components)", expected, found: self.lambda.len() });
        }
        if self.states() < 1 {
            return Err(Unusable::TooShort { what: "thermodynamic integration (states)", needed: 2, found: 0 });
        }
        for (what, of) in [("lambda", &self.lambda), ("the mean of dU/dlambda", &self.mean)] {
            if let Some(k) = of.iter().position(|v| !v.is_finite()) {
                return Err(Unusable::Argument(format!("{what} of state {}, component {} is {}", k / c, k % c, of[k])));
            }
        }
        if let Some(k) = self.lambda.chunks_exact(c).zip(self.lambda.chunks_exact(c).skip(1)).position(|(a, b)| a == b) {
            let message = format!("states {k} and {} have the same lambda: pool their samples into one state", k + 1);
            return Err(Unusable::Argument(message));
        }
        Ok(self)
    }
}

/// How the gradient is integrated between states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TiRule {
    /// Straight lines: second order, and what most papers report.
    Trapezoid,
    /// Natural cubic spline through each stretch along which a component moves one way.
    NaturalCubic,
    /// Parabolas through three states.
    Simpson,
    /// States at the points of Gauss-Legendre quadrature on [0, 1]; reaches lambda = 0 and 1 without states there.
    GaussLegendre,
}

/// A free-energy profile by thermodynamic integration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ti {
    /// The rule.
    pub rule: TiRule,
    /// Lambda of each point of the profile: the states; with Gauss-Legendre also both ends of [0, 1].
    pub lambda: Vec<Vec<f64>>,
    /// Free energy of each point relative to the first.
    pub profile: Vec<f64>,
    /// Covariance of the profile, `[point][point]`.
    pub covariance: Vec<f64>,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

impl Ti {
    /// Free energy of the last point relative to the first, and its standard error.
    pub fn total(&self) -> (f64, f64) {
        self.delta(0, self.profile.len() - 1)
    }

    /// Free energy of point j relative to point i, and its standard error.
    pub fn delta(&self, i: usize, j: usize) -> (f64, f64) {
        let c = |a: usize, b: usize| self.covariance[a * self.profile.len() + b];
        (self.profile[j] - self.profile[i], stderr_of(c(i, i) + c(j, j) - 2.0 * c(i, j)))
    }
}

/// The rule that fits the states: Gauss-Legendre if every moving component is on such a grid, else the trapezoid.
pub fn ti_rule(gradients: &Gradients) -> TiRule {
    if quadrature(gradients).is_ok() { TiRule::GaussLegendre } else { TiRule::Trapezoid }
}

/// Thermodynamic integration.
///
///   F_j - F_0 = sum_c int <dU/dlambda_c> dlambda_c = sum_c sum_k W_c,jk m_kc,   cov(F_i, F_j) = sum_k W_ik cov(m_k) W_jk^T
///
/// A path of several components is the sum over them; the error goes through the rule's own weights. It warns when the states leave out
/// lambda = 0 or 1, and when trapezoid and spline differ by more than their error: then the states are too far apart.
/// Errors: fewer than 2 states (1 for Gauss-Legendre); states that are no Gauss-Legendre grid where that rule is asked for.
/// Source: Kirkwood, J. Chem. Phys. 3, 300 (1935); Shyu and Ytreberg, J. Comput. Chem. 30, 2297 (2009) for splines.
pub fn thermodynamic_integration(gradients: &Gradients, rule: TiRule) -> Result<Ti, Unusable> {
    let needed = if rule == TiRule::GaussLegendre { 1 } else { 2 };
    if gradients.states() < needed {
        return Err(Unusable::TooShort { what: "thermodynamic integration (states)", needed, found: gradients.states() });
    }
    let (lambda, weights) = if rule == TiRule::GaussLegendre { quadrature(gradients)? } else { stretches(gradients, rule) };
    let mut ti = through(gradients, rule, lambda, &weights);
    if rule != TiRule::GaussLegendre {
        ti.warnings.extend(uncovered(gradients));
    }
    if matches!(rule, TiRule::Trapezoid | TiRule::NaturalCubic) {
        ti.warnings.extend(too_coarse(gradients, &ti));
    }
    Ok(ti)
}

/// Profile and covariance from the weights of each component, `[component][point][state]`.
fn through(gradients: &Gradients, rule: TiRule, lambda: Vec<Vec<f64>>, weights: &[Weights]) -> Ti {
    let (c, points) = (gradients.components, lambda.len());
    let mut profile = vec![0.0; points];
    for (j, f) in profile.iter_mut().enumerate() {
        for (k, means) in gradients.mean.chunks_exact(c).enumerate() {
            for (a, mean) in means.iter().enumerate() {
                *f += weights[a][j][k] * mean;
            }
        }
    }
    let mut covariance = vec![0.0; points * points];
    for i in 0..points {
        for j in 0..=i {
            let mut sum = 0.0;
            for (k, block) in gradients.covariance.chunks_exact(c * c).enumerate() {
                for a in 0..c {
                    for b in 0..c {
                        sum += weights[a][i][k] * block[a * c + b] * weights[b][j][k];
                    }
                }
            }
            covariance[i * points + j] = sum;
            covariance[j * points + i] = sum;
        }
    }
    Ti { rule, lambda, profile, covariance, warnings: Vec::new() }
}

/// Weights along the stretches in which a component moves one way; where it rests it contributes nothing.
fn stretches(gradients: &Gradients, rule: TiRule) -> (Vec<Vec<f64>>, Vec<Weights>) {
    let states = gradients.states();
    let of = match rule {
        TiRule::NaturalCubic => weights::natural_cubic,
        TiRule::Simpson => weights::simpson,
        TiRule::Trapezoid | TiRule::GaussLegendre => weights::trapezoid,
    };
    let all = (0..gradients.components)
        .map(|c| {
            let x = gradients.column(&gradients.lambda, c);
            let mut rows = vec![vec![0.0; states]];
            while rows.len() < states {
                let first = rows.len() - 1;
                let way = (x[first + 1] - x[first]).total_cmp(&0.0);
                let mut last = first + 1;
                while last + 1 < states && (x[last + 1] - x[last]).total_cmp(&0.0) == way {
                    last += 1;
                }
                let before = rows[first].clone();
                let stretch = if way.is_eq() { vec![vec![0.0; last - first + 1]; last - first + 1] } else { of(&x[first..=last]) };
                for row in &stretch[1..] {
                    let mut whole = before.clone();
                    whole[first..=last].iter_mut().zip(row).for_each(|(w, r)| *w += r);
                    rows.push(whole);
                }
            }
            rows
        })
        .collect();
    (gradients.lambda.chunks_exact(gradients.components).map(<[f64]>::to_vec).collect(), all)
}

/// Weights of Gauss-Legendre quadrature: of each moving component, the states at which it is neither 0 nor 1 are the points.
fn quadrature(gradients: &Gradients) -> Result<(Vec<Vec<f64>>, Vec<Weights>), Unusable> {
    let (components, states) = (gradients.components, gradients.states());
    let mut ends = (Vec::new(), Vec::new());
    let mut grids = Vec::new();
    for c in 0..components {
        let x = gradients.column(&gradients.lambda, c);
        let inside: Vec<usize> = (0..states).filter(|&k| x[k] != 0.0 && x[k] != 1.0).collect();
        let rests = x.iter().all(|v| *v == x[0]) && (states > 1 || inside.is_empty());
        let values: Vec<f64> = inside.iter().map(|&k| x[k]).collect();
        let grid = gauss_legendre_grid(&values).filter(|&n| rests || n > 1 || states == 1);
        if rests {
            ends.0.push(x[0]);
            ends.1.push(x[0]);
            grids.push(None);
        } else if let Some(n) = grid {
            let up = values[0] <= values[n - 1];
            ends.0.push(if up { 0.0 } else { 1.0 });
            ends.1.push(if up { 1.0 } else { 0.0 });
            grids.push(Some((n, inside, up)));
        } else {
            let message = format!(
                "component {c} of lambda is on no Gauss-Legendre grid of 1 to {LARGEST_GRID} points ({}): integrate by trapezoid or spline",
                values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
            );
            return Err(Unusable::Argument(message));
        }
    }
    if grids.iter().all(Option::is_none) {
        return Err(Unusable::Argument("no component of lambda moves along the states".into()));
    }
    let mut lambda: Vec<Vec<f64>> = gradients.lambda.chunks_exact(components).map(<[f64]>::to_vec).collect();
    if lambda[0] != ends.0 {
        lambda.insert(0, ends.0.clone());
    }
    if lambda[lambda.len() - 1] != ends.1 {
        lambda.push(ends.1);
    }
    let all = (0..components)
        .map(|c| {
            let Some((n, inside, up)) = &grids[c] else { return vec![vec![0.0; states]; lambda.len()] };
            let start = gauss_legendre::partial_weights(*n, ends.0[c]);
            lambda
                .iter()
                .map(|point| {
                    let mut row = vec![0.0; states];
                    let here = gauss_legendre::partial_weights(*n, point[c]);
                    for i in 0..*n {
                        let k = inside[if *up { i } else { n - 1 - i }];
                        row[k] = here[i] - start[i];
                    }
                    row
                })
                .collect()
        })
        .collect();
    Ok((lambda, all))
}

/// A component that stays within [0, 1] and reaches only one end, or none.
fn uncovered(gradients: &Gradients) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for c in 0..gradients.components {
        let x = gradients.column(&gradients.lambda, c);
        let (low, high) = super::series::range(&x);
        let (short, within) = (low > 1e-9 || high < 1.0 - 1e-9, low >= 0.0 && high <= 1.0);
        if low < high && short && within {
            let advice = match quadrature(gradients) {
                Ok(_) => "the states are points of Gauss-Legendre quadrature: use its weights",
                Err(_) => "add states at the ends",
            };
            let shown = |l: f64| (l * 1e6).round() / 1e6;
            let (low, high) = (shown(low), shown(high));
            let message = format!("component {c} of lambda runs from {low} to {high}: the rest up to 0 and 1 is left out; {advice}");
            warnings.push(Warning::new(WarningKind::NotCovered, message));
        }
    }
    warnings
}

/// Trapezoid and spline on the same data: what they differ by is an error of the grid.
fn too_coarse(gradients: &Gradients, ti: &Ti) -> Option<Warning> {
    let other = if ti.rule == TiRule::Trapezoid { TiRule::NaturalCubic } else { TiRule::Trapezoid };
    let (lambda, here) = stretches(gradients, ti.rule);
    let (_, there) = stretches(gradients, other);
    let difference: Vec<Weights> = here
        .iter()
        .zip(&there)
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect()).collect())
        .collect();
    let (gap, noise) = through(gradients, other, lambda, &difference).total();
    let (value, stderr) = ti.total();
    (gap.abs() > stderr && gap.abs() > 2.0 * noise).then(|| {
        let message = format!(
            "trapezoid and spline differ by {:.3} ({value:.3} with an error of {stderr:.3}): the states are too far apart for the rule",
            gap.abs()
        );
        Warning::new(WarningKind::TooCoarse, message)
    })
}
