//! Crossing of two Gaussians fitted to forward and reverse work, and whether they are Gaussian.

use super::super::exponential::{Delta, check};
use super::super::free_energy_error::FreeEnergyError;
use super::super::quantile::normal_quantile;
use super::super::resample::Resample;
use super::super::series::{mean_of, spread_of};
use super::super::value::{Warning, WarningKind};
use crate::real::Real;

/// Critical value of Stephens' modified statistic at 5 %, mean and variance estimated.
const CRITICAL: f64 = 0.895;
/// The same at 1 %: beyond it there is no crossing to believe in.
const NOT_GAUSSIAN: f64 = 1.035;

/// What [`crossed_gaussians`] answers.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossedGaussians {
    /// The crossing with its error: by bootstrap if asked for, else by propagation.
    pub delta: Delta,
    /// Error by propagation of those of means and variances, right for Gaussian work.
    pub stderr_propagated: f64,
    /// Error by bootstrap.
    pub stderr_bootstrap: Option<f64>,
    /// Mean and standard deviation of the forward work.
    pub forward: (f64, f64),
    /// Mean and standard deviation of minus the reverse work.
    pub reverse: (f64, f64),
    /// [`normality`] of both; above 0.895 a Gaussian is unlikely (5 %).
    pub normality: (f64, f64),
}

impl CrossedGaussians {
    /// Whether the works may be Gaussian, without which the crossing is off by any amount: [`normality`] of both sides is at most 1.035,
    /// which Gaussian works exceed in 1 % of cases.
    pub fn gaussian(&self) -> bool {
        self.normality.0.max(self.normality.1) <= NOT_GAUSSIAN
    }
}

/// Crooks Gaussian intersection: where the Gaussians through forward work and minus the reverse work cross.
///
///   P_F(dF) = P_R(-dF):   (x - m_F)^2 / (2 s_F^2) + ln s_F = (x - m_R)^2 / (2 s_R^2) + ln s_R,   the root nearest (m_F + m_R) / 2
///
/// s^2 with N - 1. The mid-point itself when the widths agree. `bootstraps` resampled pairs give the error (0: propagation only);
/// they are a function of `seed`. Exact only for Gaussian work; warns if it is not, or if both crossings are about as near.
/// Errors: fewer than 3 values of a side, values that are not finite, a side of equal values.
/// Source: Goette and Grubmueller, J. Comput. Chem. 30, 447 (2009).
pub fn crossed_gaussians(w_f: &[f64], w_r: &[f64], bootstraps: usize, seed: u64) -> Result<CrossedGaussians, FreeEnergyError> {
    let mut fits = Vec::new();
    for (w, what, sign) in [(w_f, "the forward work", 1.0), (w_r, "the reverse work", -1.0)] {
        check(w, what)?;
        if let Some(index) = w.iter().position(|v| !v.is_finite()) {
            return Err(FreeEnergyError::NotANumber { what, index, value: w[index] });
        }
        if w.len() < 3 {
            return Err(FreeEnergyError::Inconsistent { what: format!("values of {what}, at least"), expected: 3, found: w.len() });
        }
        let (mean, sd) = fit(w, sign);
        if sd <= 8.0 * f64::EPSILON * mean.abs() {
            return Err(FreeEnergyError::Argument { what: format!("{what} is always {}: there is no Gaussian to fit", w[0]) });
        }
        fits.push((mean, sd));
    }
    let (forward, reverse) = (fits[0], fits[1]);
    let [value, other] = crossing(forward, reverse);
    let middle = 0.5 * (forward.0 + reverse.0);
    let stderr_propagated = propagated(forward, reverse, w_f.len(), w_r.len());
    let stderr_bootstrap = (bootstraps > 1).then(|| {
        let again: Vec<f64> = (0..bootstraps)
            .map(|b| {
                let mut stream = Resample::new(seed, b as u64);
                let (f, r) = (fit(&stream.draw(w_f), 1.0), fit(&stream.draw(w_r), -1.0));
                // a resample of one value drawn over and over has no width
                if f.1 > 0.0 && r.1 > 0.0 { crossing(f, r)[0] } else { 0.5 * (f.0 + r.0) }
            })
            .collect();
        spread_of(&again).sqrt()
    });
    let normality = (normality(w_f), normality(w_r));
    let mut warnings = Vec::new();
    for (d, what) in [(normality.0, "forward"), (normality.1, "reverse")] {
        if d > CRITICAL {
            let message = format!("the {what} work is not Gaussian (Kolmogorov-Smirnov {d:.2}, at most {CRITICAL} expected): use BAR");
            warnings.push(Warning::new(WarningKind::NotCovered, message));
        }
    }
    if (other - middle).abs() < 2.0 * (value - middle).abs() {
        let message = format!("the two Gaussians cross at {value:.3} and at {other:.3}, both near the middle {middle:.3}: use BAR");
        warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
    }
    let stderr = stderr_bootstrap.unwrap_or(stderr_propagated);
    let delta = Delta { value, stderr, n_eff: (w_f.len() + w_r.len()) as f64, warnings };
    Ok(CrossedGaussians { delta, stderr_propagated, stderr_bootstrap, forward, reverse, normality })
}

fn fit(w: &[f64], sign: f64) -> (f64, f64) {
    (sign * mean_of(w), spread_of(w).sqrt())
}

/// Crossings nearest to and farther from the middle of the means; the farther one is infinite for equal widths.
///
/// With the middle as origin, a = s_R^2 - s_F^2, d = (m_F - m_R) / 2:
///   a x^2 - 2 b x + c = 0,   b = d (s_F^2 + s_R^2),   c = d^2 a + 2 s_F^2 s_R^2 ln(s_F / s_R)
fn crossing((m_f, s_f): (f64, f64), (m_r, s_r): (f64, f64)) -> [f64; 2] {
    let (middle, d) = (0.5 * (m_f + m_r), 0.5 * (m_f - m_r));
    let (v_f, v_r) = (s_f * s_f, s_r * s_r);
    let a = v_r - v_f;
    let b = d * (v_f + v_r);
    let c = d * d * a + 2.0 * v_f * v_r * Real::ln(s_f / s_r);
    // b^2 - a c, as a sum of two numbers that are not negative
    let root = s_f * s_r * (4.0 * d * d + 2.0 * (v_f - v_r) * Real::ln(s_f / s_r)).max(0.0).sqrt();
    let far = if b < 0.0 { b - root } else { b + root };
    if far == 0.0 { [middle, f64::INFINITY] } else { [middle + c / far, middle + far / a] }
}

/// var(m) = s^2 / N, var(s) = s^2 / (2 (N - 1)), through the crossing by central differences.
fn propagated(f: (f64, f64), r: (f64, f64), n_f: usize, n_r: usize) -> f64 {
    let mut variance = 0.0;
    for (side, n) in [(0, n_f as f64), (1, n_r as f64)] {
        let sd = if side == 0 { f.1 } else { r.1 };
        for (moment, error) in [(0, sd / n.sqrt()), (1, sd / (2.0 * (n - 1.0)).sqrt())] {
            let at = |sign: f64| {
                let mut fits = [f, r];
                let h = sign * 1e-4 * sd;
                if moment == 0 {
                    fits[side].0 += h
                } else {
                    fits[side].1 += h
                }
                crossing(fits[0], fits[1])[0]
            };
            let slope = (at(1.0) - at(-1.0)) / (2e-4 * sd);
            variance += slope * slope * error * error;
        }
    }
    variance.sqrt()
}

/// Kolmogorov-Smirnov distance from the Gaussian of the same mean and variance, in Stephens' form for estimated moments.
///
///   D* = D (sqrt N - 0.01 + 0.85 / sqrt N): 0.775, 0.819, 0.895, 0.955, 1.035 are exceeded with 15, 10, 5, 2.5, 1 %
///
/// `values`: finite, at least 3, not all equal. Source: Stephens, J. Am. Stat. Assoc. 69, 730 (1974), table 1A, case 3.
pub fn normality(values: &[f64]) -> f64 {
    let (mean, sd) = fit(values, 1.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mut distance = 0.0_f64;
    for (i, x) in sorted.iter().enumerate() {
        let p = below((x - mean) / sd);
        distance = distance.max(p - i as f64 / n).max((i + 1) as f64 / n - p);
    }
    distance * (n.sqrt() - 0.01 + 0.85 / n.sqrt())
}

/// Normal distribution function, by bisection of its inverse and one Newton step: to 1e-12.
fn below(z: f64) -> f64 {
    if !(-8.0..=8.0).contains(&z) {
        return if z < 0.0 { 0.0 } else { 1.0 };
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if normal_quantile(middle) < z { low = middle } else { high = middle }
    }
    let p = 0.5 * (low + high);
    let q = normal_quantile(p);
    (p + (z - q) * Real::exp(-0.5 * q * q) / std::f64::consts::TAU.sqrt()).clamp(0.0, 1.0)
}
