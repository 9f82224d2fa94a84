//! One-sided free-energy differences: exponential averages and their second-order expansion.

use super::free_energy_error::FreeEnergyError;
use super::series::{mean_of, squares_and_sum, sum_of};
use super::value::{Estimate, Warning, WarningKind};
use crate::real::{Lanewise, Octet, Real, Wide, dispatch};

/// A free-energy difference in kT.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    /// The difference.
    pub value: f64,
    /// Its standard error.
    pub stderr: f64,
    /// Effective number of samples behind it.
    pub n_eff: f64,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

impl Delta {
    /// As an [`Estimate`].
    pub fn estimate(&self, quantity: impl Into<String>) -> Estimate {
        let mut estimate = Estimate::new(quantity, self.value, self.stderr, self.n_eff);
        estimate.warnings = self.warnings.clone();
        estimate
    }
}

/// Pareto shape above which there is a warning. The variance is infinite above 1/2; the estimate of the shape scatters by 0.1 (20000
/// values) to 0.2 (200), and Gaussian work of spread 1, which is harmless, stays below 0.4.
const HEAVY_SHAPE: f64 = 0.4;
/// Effective samples, and their share of all, below which an average rests on too few.
const FEW: (f64, f64) = (100.0, 0.1);

/// Free-energy difference F_1 - F_0 from the work of going from 0 to 1, drawn in state 0: Zwanzig, Jarzynski.
///
///   dF = -ln mean(e^-w),   stderr = sd(e^-w) / (sqrt(N) mean(e^-w)),   N_eff = (sum e^-w)^2 / sum e^-2w
///
/// `w`: independent values in kT; +inf is allowed (weight 0). Bias: upwards, about var(e^-w) / (2 N mean^2).
/// Warns (`HeavyTail`) when the largest weights have a Pareto tail of shape above 0.4 (from 0.5 on the variance is infinite), or when fewer
/// than a hundred and a tenth of the values count: then neither value nor error can be trusted.
/// Errors: no values, NaN, -inf, or only +inf.
/// Source: Zwanzig, J. Chem. Phys. 22, 1420 (1954); Jarzynski, Phys. Rev. Lett. 78, 2690 (1997).
pub fn exp_forward(w: &[f64]) -> Result<Delta, FreeEnergyError> {
    check(w, "the forward work")?;
    average(w)
}

/// Free-energy difference F_1 - F_0 from the work of going from 1 to 0, drawn in state 1: dF = +ln mean(e^-w). See [`exp_forward`].
pub fn exp_reverse(w: &[f64]) -> Result<Delta, FreeEnergyError> {
    check(w, "the reverse work")?;
    let mut delta = average(w)?;
    delta.value = -delta.value;
    Ok(delta)
}

/// Second cumulant of the forward work, exact if it is Gaussian.
///
///   dF = mean w - s^2/2,   stderr^2 = s^2/N + s^4/(2 (N - 1)),   s^2 = mean (w - mean w)^2
///
/// Errors: fewer than 2 values, or values that are not finite.
pub fn cumulant2(w: &[f64]) -> Result<Delta, FreeEnergyError> {
    const WHAT: &str = "the work of a cumulant";
    check(w, WHAT)?;
    if w.len() < 2 {
        return Err(FreeEnergyError::Inconsistent { what: "work values (at least)".into(), expected: 2, found: w.len() });
    }
    if let Some(index) = w.iter().position(|v| !v.is_finite()) {
        return Err(FreeEnergyError::NotANumber { what: WHAT, index, value: w[index] });
    }
    let n = w.len() as f64;
    let mean = mean_of(w);
    let (squares, _) = squares_and_sum(w, mean);
    let variance = squares / n;
    let stderr = (variance / n + 0.5 * variance * variance / (n - 1.0)).sqrt();
    Ok(Delta { value: mean - 0.5 * variance, stderr, n_eff: n, warnings: Vec::new() })
}

/// No values, NaN, -inf, or nothing finite.
pub(super) fn check(w: &[f64], what: &'static str) -> Result<(), FreeEnergyError> {
    if w.is_empty() {
        return Err(FreeEnergyError::NoSamples { what: what.to_owned() });
    }
    if let Some(index) = w.iter().position(|v| v.is_nan() || *v == f64::NEG_INFINITY) {
        return Err(FreeEnergyError::NotANumber { what, index, value: w[index] });
    }
    Ok(())
}

fn average(w: &[f64]) -> Result<Delta, FreeEnergyError> {
    let least = w.iter().fold(f64::INFINITY, |m, &v| m.min(v));
    if least == f64::INFINITY {
        let groups = vec![vec!["start".to_owned()], vec!["end".to_owned()]];
        return Err(FreeEnergyError::Disconnected { groups, shared: 0.0 });
    }
    let weights = boltzmann(w, least);
    let n = w.len() as f64;
    let mean = mean_of(&weights);
    let (squares, _) = squares_and_sum(&weights, mean);
    let n_eff = n * n * mean * mean / (squares + n * mean * mean);
    let mut warnings = Vec::new();
    if w.len() < 2 {
        warnings.push(Warning::new(WarningKind::NoError, "one work value has no error"));
    }
    if let Some(doubt) = doubt(&weights, n_eff) {
        let message = format!("the exponential average {doubt}: sample both ends (BAR) or put states between");
        warnings.push(Warning::new(WarningKind::HeavyTail, message));
    }
    let stderr = if w.len() < 2 { f64::NAN } else { (squares / n).sqrt() / (n.sqrt() * mean) };
    Ok(Delta { value: least - Real::ln(mean), stderr, n_eff, warnings })
}

/// Why an average with these weights is not to be trusted, if so: a heavy tail, or few values that count.
pub(super) fn doubt(weights: &[f64], n_eff: f64) -> Option<String> {
    let n = weights.len();
    let shape = pareto_k(weights).filter(|k| *k > HEAVY_SHAPE);
    if shape.is_none() && (n_eff >= FEW.0 || n_eff >= FEW.1 * n as f64) {
        return None;
    }
    let tail = shape.map_or(String::new(), |k| format!(", with a Pareto tail of shape {k:.2} (the variance is infinite above 0.5)"));
    Some(format!("rests on {n_eff:.1} of {n} samples{tail}; value and error are not to be trusted"))
}

/// e^-(w - least).
pub(super) fn boltzmann(w: &[f64], least: f64) -> Vec<f64> {
    struct Weights<'a>(&'a [f64], f64);
    impl Lanewise for Weights<'_> {
        type Out = Vec<f64>;
        #[inline(always)]
        fn run<L: Wide>(self) -> Vec<f64> {
            let mut out = vec![0.0; self.0.len()];
            for (eight, to) in self.0.chunks(8).zip(out.chunks_mut(8)) {
                let mut w = Octet::of(f64::INFINITY);
                w.0[..eight.len()].copy_from_slice(eight);
                let weight = (L::of(self.1) - L::load(w)).exp();
                to.copy_from_slice(&weight.store().0[..eight.len()]);
            }
            out
        }
    }
    dispatch(Weights(w, least))
}

/// Shape of the generalised Pareto distribution of the largest weights: above 1/2 their variance is infinite, above 1 their mean.
///
/// Uses the largest min(N/5, 3 sqrt(N)) weights, with the posterior-mean estimate of Zhang and Stephens and a weak prior towards
/// 1/2. `None` when fewer than 5 weights are in the tail, or all of them are equal.
/// Source: Zhang and Stephens, Technometrics 51, 316 (2009); Vehtari et al., J. Mach. Learn. Res. 25, 72 (2024), algorithm 1.
pub fn pareto_k(weights: &[f64]) -> Option<f64> {
    let n = weights.len();
    let tail = ((n as f64) / 5.0).min(3.0 * (n as f64).sqrt()).floor() as usize;
    if tail < 5 {
        return None;
    }
    let mut sorted = weights.to_vec();
    let cut = *sorted.select_nth_unstable_by(n - tail - 1, f64::total_cmp).1;
    sorted[n - tail..].sort_by(f64::total_cmp);
    let x: Vec<f64> = sorted[n - tail..].iter().map(|w| w - cut).collect();
    let (largest, quartile) = (x[tail - 1], x[(tail as f64 / 4.0 + 0.5).floor() as usize - 1]);
    if largest <= 1e-12 * sorted[n - 1] || quartile <= 0.0 {
        return None;
    }
    // A grid of b = k / sigma; the profile likelihood weighs its points.
    let m = tail as f64;
    let grid = 30 + m.sqrt().floor() as usize;
    let shape = |b: f64| sum_of(&x.iter().map(|x| Real::ln(1.0 - b * x)).collect::<Vec<_>>()) / m;
    let points: Vec<f64> = (1..=grid).map(|i| 1.0 / largest + (1.0 - (grid as f64 / (i as f64 - 0.5)).sqrt()) / (3.0 * quartile)).collect();
    let likelihood: Vec<f64> = points
        .iter()
        .map(|&b| {
            let k = shape(b);
            m * (Real::ln(-b / k) - k - 1.0)
        })
        .collect();
    let best = likelihood.iter().fold(f64::NEG_INFINITY, |a, &l| a.max(l));
    let mass: Vec<f64> = likelihood.iter().map(|l| Real::exp(l - best)).collect();
    let total = sum_of(&mass);
    let b = sum_of(&points.iter().zip(&mass).map(|(b, m)| b * m).collect::<Vec<_>>()) / total;
    let k = shape(b);
    k.is_finite().then_some((k * m + 5.0) / (m + 10.0))
}
