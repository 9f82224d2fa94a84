//! Jarzynski's equality, with its bias judged in four ways.

use super::super::exponential::{Delta, cumulant2, exp_forward, pareto_k};
use super::super::free_energy_error::FreeEnergyError;
use super::super::series::{mean_of, sum_of};
use super::super::value::{Warning, WarningKind};
use crate::real::Real;

/// Below this Wu and Kofke find the bias of an exponential average no longer negligible.
const TRUSTED_PI: f64 = 0.5;

/// Above this shape of the weights' tail their variance is infinite.
const FINITE_SHAPE: f64 = 0.5;

/// What [`jarzynski`] answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Jarzynski {
    /// The plain average with its error, effective number `(sum e^-w)^2 / sum e^-2w`, and doubts.
    pub delta: Delta,
    /// Freed of the bias of order 1/N by the jackknife: `N dF - (N - 1) mean dF_(i)`, dF_(i) without value i.
    pub jackknife: f64,
    /// Standard error of both by the jackknife.
    pub jackknife_stderr: f64,
    /// Means over blocks of n values, `(n, mean dF_n)`, for n = N, N/2, N/4, ... down to 2.
    pub blocks: Vec<(usize, f64)>,
    /// Straight line through the three largest blocks against 1/n, at 1/n = 0; `None` with fewer than 3 block sizes.
    pub extrapolated: Option<f64>,
    /// Dissipated work `<w> - dF`: the relative entropy of the paths. NaN if a value is infinite.
    pub dissipated: f64,
    /// Wu and Kofke's Pi; above 0.5 the bias is small. NaN if a value is infinite.
    pub pi: f64,
    /// Second cumulant, if all work is finite.
    pub gaussian: Option<Delta>,
}

/// Free-energy difference from the work of one direction, and how far its bias reaches.
///
///   dF = -ln <e^-w>
///
/// The estimate is biased upwards, by about `var(e^-w) / (2 N mean^2)` when N is large and by much more when the paths that matter
/// were never drawn, which no resampling can see: that is what `pi` and the tail of the weights are for.
/// `w`: independent values in kT, from equilibrium in the first state; +inf is allowed.
/// Warns: a tail of the weights whose variance is infinite; most work alike and a few lower values that carry the average; all work
/// alike; Pi below 0.5; the blocks' line and the whole differ by more than the error.
/// Errors: fewer than 2 values, NaN, -inf, only +inf.
/// Source: Jarzynski, Phys. Rev. Lett. 78, 2690 (1997); bias: Zuckerman and Woolf, Phys. Rev. Lett. 89, 180602 (2002), Gore, Ritort and
/// Bustamante, PNAS 100, 12564 (2003); Wu and Kofke, J. Chem. Phys. 123, 054103 (2005).
pub fn jarzynski(w: &[f64]) -> Result<Jarzynski, FreeEnergyError> {
    let mut delta = exp_forward(w)?;
    if w.len() < 2 {
        return Err(FreeEnergyError::Inconsistent { what: "work values, at least".into(), expected: 2, found: w.len() });
    }
    let n = w.len() as f64;
    let least = w.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = w.iter().map(|w| Real::exp(least - w)).collect();
    let total = sum_of(&weights);
    // without value i: ln of (total - weight_i) / (N - 1), summed afresh where little is left
    let without: Vec<f64> = weights
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let rest = if total - x > 1e-3 * total { total - x } else { sum_of(&[&weights[..i], &weights[i + 1..]].concat()) };
            least - Real::ln(rest / (n - 1.0))
        })
        .collect();
    let (jackknife, jackknife_stderr) = if without.iter().all(|f| f.is_finite()) {
        let middle = mean_of(&without);
        let squares: Vec<f64> = without.iter().map(|f| (f - middle) * (f - middle)).collect();
        (n * delta.value - (n - 1.0) * middle, ((n - 1.0) / n * sum_of(&squares)).sqrt())
    } else {
        (f64::NAN, f64::NAN) // one value alone is finite
    };
    if delta.warnings.iter().all(|w| w.kind != WarningKind::HeavyTail)
        && let Some(shape) = pareto_k(&weights).filter(|k| *k > FINITE_SHAPE)
    {
        let message =
            format!("the weights have a Pareto tail of shape {shape:.2}: above 0.5 their variance is infinite and the error too small");
        delta.warnings.push(Warning::new(WarningKind::HeavyTail, message));
    }
    delta.warnings.extend(atom(w));
    let blocks = blocks(&weights, least, delta.value);
    let extrapolated = line_at_zero(&blocks);
    let finite = w.iter().all(|w| w.is_finite());
    let dissipated = if finite { mean_of(w) - delta.value } else { f64::NAN };
    let pi = if finite { wu_kofke(w.len(), dissipated) } else { f64::NAN };
    if pi < TRUSTED_PI {
        let message = format!(
            "Wu and Kofke's Pi is {pi:.2}, below 0.5: {dissipated:.1} kT are dissipated and {} paths hardly reach those that count; switch more slowly or use both directions",
            w.len()
        );
        delta.warnings.push(Warning::new(WarningKind::NotCovered, message));
    }
    if let Some(line) = extrapolated.filter(|line| (line - delta.value).abs() > delta.stderr) {
        let message = format!(
            "the blocks extrapolate to {line:.3}, {:.3} from the average over all: its bias exceeds its error",
            (line - delta.value).abs()
        );
        delta.warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
    }
    let gaussian = if finite { Some(cumulant2(w)?) } else { None };
    Ok(Jarzynski { delta, jackknife, jackknife_stderr, blocks, extrapolated, dissipated, pi, gaussian })
}

/// Most values the same and some lower, or all the same: a far tail that draws do not show.
/// Source: Lua and Grosberg, J. Phys. Chem. B 109, 6805 (2005): a fast piston, whose particles are hardly ever hit.
fn atom(w: &[f64]) -> Option<Warning> {
    let mut sorted = w.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (n, middle) = (w.len(), sorted[w.len() / 2]);
    let width = 1e-12 * middle.abs().max(1.0);
    let lower = sorted.iter().filter(|v| **v < middle - width).count();
    let alike = sorted.iter().filter(|v| (**v - middle).abs() <= width).count();
    if alike == n {
        let message = format!(
            "all work is {middle}: exact for a perfect protocol, but paths that were never drawn leave no trace; check with reverse work"
        );
        return Some(Warning::new(WarningKind::Constant, message));
    }
    (2 * alike > n && lower > 0).then(|| {
        let message = format!(
            "{alike} of {n} values are {middle}, and {lower} lower ones carry the average: rarer paths may count more; use both directions"
        );
        Warning::new(WarningKind::NotCovered, message)
    })
}

/// Wu and Kofke's measure of whether N values with relative entropy s reach the important ones; no bias is expected above 0.5.
///
///   Pi = sqrt(W((N - 1)^2 / (2 pi))) - sqrt(2 s),   W e^W = argument
///
/// The first term is how many standard deviations out the least of N Gaussian values lies, the second how far out the values lie that
/// dominate the average, when the work is Gaussian. -inf for one value; a negative s (an estimate may be) counts as 0.
/// Source: Wu and Kofke, J. Chem. Phys. 123, 054103 (2005).
pub fn wu_kofke(samples: usize, s: f64) -> f64 {
    if samples < 2 {
        return f64::NEG_INFINITY;
    }
    let m = samples as f64 - 1.0;
    let ln_z = 2.0 * Real::ln(m) - Real::ln(std::f64::consts::TAU);
    // W + ln W = ln z, by Newton's method in ln W
    let mut ln_w = if ln_z > 1.0 { Real::ln(ln_z) } else { ln_z.min(-0.5) };
    for _ in 0..50 {
        let w = Real::exp(ln_w);
        let step = (w + ln_w - ln_z) / (w + 1.0);
        ln_w -= step;
        if step.abs() < 1e-15 {
            break;
        }
    }
    Real::exp(0.5 * ln_w) - (2.0 * s.max(0.0)).sqrt()
}

/// Mean of `-ln <e^-w>` over blocks of N, N/2, N/4 ... values; sizes below 2 or blocks without a finite value end the list.
fn blocks(weights: &[f64], least: f64, whole: f64) -> Vec<(usize, f64)> {
    let mut all = vec![(weights.len(), whole)];
    let mut size = weights.len() / 2;
    while size >= 2 {
        let each: Vec<f64> = weights.chunks_exact(size).map(|block| least - Real::ln(sum_of(block) / size as f64)).collect();
        if each.iter().any(|f| !f.is_finite()) {
            break;
        }
        all.push((size, mean_of(&each)));
        size /= 2;
    }
    all
}

/// Straight line through the means of the three largest block sizes against 1/n, where the bias is nearest to linear.
fn line_at_zero(blocks: &[(usize, f64)]) -> Option<f64> {
    let [a, b, c] = *blocks.first_chunk::<3>()?;
    let points = [a, b, c].map(|(n, y)| (1.0 / n as f64, y));
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / 3.0, points.iter().map(|p| p.1).sum::<f64>() / 3.0);
    let (mut xx, mut xy) = (0.0, 0.0);
    for p in points {
        xx += (p.0 - x) * (p.0 - x);
        xy += (p.0 - x) * (p.1 - y);
    }
    Some(y - xy / xx * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reach_of_samples() {
        // W(1) = 0.5671432904097838, W(e) = 1: N - 1 = sqrt(2 pi e) is no whole number, so the equation itself is checked.
        for samples in [2, 3, 10, 1000, 1_000_000_000] {
            let root = wu_kofke(samples, 0.0);
            let w = root * root;
            let m = samples as f64 - 1.0;
            assert!((w * Real::exp(w) / (m * m / std::f64::consts::TAU) - 1.0).abs() < 1e-12, "{samples} {w}");
        }
        assert_eq!(wu_kofke(1, 0.0), f64::NEG_INFINITY);
        assert!((wu_kofke(100, 2.0) - (wu_kofke(100, 0.0) - 2.0)).abs() < 1e-15);
        assert_eq!(wu_kofke(100, -1.0), wu_kofke(100, 0.0));
    }
}
