//! Statistical inefficiency with the window of the first zero crossing, in pymbar's modes.

use super::autocovariance::{Centre, growing};
use super::series::{Series, Unusable, mean_of, squares_and_sum, sum_of};
use serde::Serialize;

/// Statistical inefficiency of a stationary series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Inefficiency {
    /// `g = 1 + 2 sum_t (1 - t/n) C(t)`, at least 1.
    pub g: f64,
    /// The lag at which the sum ended (not included).
    pub window: usize,
}

/// Which lags enter the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lags {
    /// Every lag, by fast Fourier transforms; pymbar's `fast=False` and `fft=True`.
    Every,
    /// Lags 1, 2, 4, 7, 11 ..., each standing for the gap after it; pymbar's `fast=True`. Noisier and biased upwards: for comparison.
    Growing,
}

/// How the sum over lags runs and when it may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LagWindow {
    /// Which lags are summed.
    pub lags: Lags,
    /// The sum does not end at or before this lag, however negative the correlation (pymbar's `mintime`).
    pub least: usize,
}

impl LagWindow {
    /// pymbar's rule for one series: every lag, at least 3.
    pub const SINGLE: LagWindow = LagWindow { lags: Lags::Every, least: 3 };
    /// pymbar's rule for several series: every lag, at least 10.
    pub const SEVERAL: LagWindow = LagWindow { lags: Lags::Every, least: 10 };

    /// The rule for so many replicas.
    pub fn of(replicas: usize) -> LagWindow {
        if replicas == 1 { LagWindow::SINGLE } else { LagWindow::SEVERAL }
    }

    /// The same with other lags.
    pub fn with(self, lags: Lags) -> LagWindow {
        LagWindow { lags, ..self }
    }
}

/// Statistical inefficiency g as pymbar computes it: the sum over lags ends where the correlation first falls to zero.
///
///   g = 1 + 2 sum_{t=1} (1 - t/n) C(t),   until C(t) <= 0 and t > 3 (one replica) or t > 10 (several), at most n - 2
///
/// Several replicas are taken around their common mean.
/// Errors: fewer than 4 draws, a constant series, values that are not finite.
/// Source: Chodera et al., JCTC 3, 26 (2007), eq. 20; pymbar 4 `statistical_inefficiency`, `statistical_inefficiency_multiple`.
pub fn statistical_inefficiency(series: Series<'_>) -> Result<Inefficiency, Unusable> {
    statistical_inefficiency_with(series, LagWindow::of(series.replicas))
}

/// The same with another window. Errors: as [`statistical_inefficiency`].
pub fn statistical_inefficiency_with(series: Series<'_>, window: LagWindow) -> Result<Inefficiency, Unusable> {
    series.check_varying("statistical inefficiency (draws)", 4)?;
    Ok(first_crossing(series, window))
}

/// Statistical inefficiency of several series that may differ in length, around their common mean.
///
///   C(t) = sum_k sum_u d_k(u) d_k(u+t) / (sum_k (n_k - t) sigma^2),   g = 1 + 2 sum_t (1 - t/<n_k>) C(t)
///
/// Series shorter than a lag do not enter it. Cost: lags summed x draws.
/// Errors: no series, none with 4 draws, all values equal, values that are not finite (`replica` is the series).
/// Source: pymbar 4 `statistical_inefficiency_multiple`.
pub fn statistical_inefficiency_of(parts: &[&[f64]], window: LagWindow) -> Result<Inefficiency, Unusable> {
    let what = "statistical inefficiency (draws of the longest series)";
    let longest = parts.iter().map(|p| p.len()).max().unwrap_or(0);
    if longest < 4 {
        return Err(Unusable::TooShort { what, needed: 4, found: longest });
    }
    for (replica, part) in parts.iter().enumerate().filter(|(_, p)| !p.is_empty()) {
        Series::single(part).check(what, 1).map_err(|why| match why {
            Unusable::NotFinite { draw, .. } => Unusable::NotFinite { replica, draw },
            other => other,
        })?;
    }
    let pooled: Vec<f64> = parts.concat();
    Series::single(&pooled).check_varying(what, 4)?;
    let mean = mean_of(&pooled);
    let centred: Vec<Vec<f64>> = parts.iter().map(|p| p.iter().map(|x| x - mean).collect()).collect();
    let both: Vec<(&[f64], &[f64])> = centred.iter().map(|d| (d.as_slice(), d.as_slice())).collect();
    Ok(direct(&both, window))
}

/// Statistical inefficiency of the covariance of two observables along one trajectory.
///
///   C(t) = sum_u (a_u b_{u+t} + b_u a_{u+t}) / (2 (n - t) \<a b\>),   a and b less their means
///
/// Errors: lengths that differ, fewer than 4 draws, values that are not finite, a covariance of exactly 0.
/// Source: pymbar 4 `statistical_inefficiency(A_n, B_n)`.
pub fn cross_inefficiency(a: &[f64], b: &[f64], window: LagWindow) -> Result<Inefficiency, Unusable> {
    if a.len() != b.len() {
        return Err(Unusable::Shape { what: "draws of the second observable", expected: a.len(), found: b.len() });
    }
    let mut centred = Vec::new();
    for x in [a, b] {
        Series::single(x).check_varying("cross inefficiency (draws)", 4)?;
        let mean = mean_of(x);
        centred.push(x.iter().map(|v| v - mean).collect::<Vec<f64>>());
    }
    let covariance = product(&centred[0], &centred[1]);
    if covariance == 0.0 {
        return Err(Unusable::Argument("the covariance of the two observables is 0: their correlation time does not exist".into()));
    }
    Ok(direct(&[(&centred[0], &centred[1])], window))
}

/// The window's sum for a series already checked.
pub(super) fn first_crossing(series: Series<'_>, window: LagWindow) -> Inefficiency {
    if window.lags == Lags::Growing {
        let (_, mean) = series.means();
        let centred: Vec<f64> = series.values.iter().map(|x| x - mean).collect();
        let both: Vec<(&[f64], &[f64])> = centred.chunks_exact(series.draws).map(|d| (d, d)).collect();
        return direct(&both, window);
    }
    let last = series.draws.saturating_sub(2);
    let found = growing(series, Centre::Common, |gamma, all| {
        let mut g = 1.0_f64;
        for (t, &value) in gamma.iter().enumerate().take(last + 1).skip(1) {
            if value <= 0.0 && t > window.least {
                return Some(Inefficiency { g: g.max(1.0), window: t });
            }
            g += 2.0 * value / gamma[0];
        }
        all.then_some(Inefficiency { g: g.max(1.0), window: last + 1 })
    });
    found.unwrap_or(Inefficiency { g: (series.replicas * series.draws) as f64, window: last })
}

/// The sum lag by lag over pairs of centred series.
fn direct(parts: &[(&[f64], &[f64])], window: LagWindow) -> Inefficiency {
    let total: usize = parts.iter().map(|p| p.0.len()).sum();
    let longest = parts.iter().map(|p| p.0.len()).max().unwrap_or(0);
    let average = total as f64 / parts.len() as f64;
    let variance = parts.iter().map(|(a, b)| product(a, b)).sum::<f64>() / total as f64;
    let (mut g, mut t, mut step) = (1.0_f64, 1, 1);
    while t + 1 < longest {
        let (mut sum, mut pairs) = (0.0, 0);
        for (a, b) in parts.iter().filter(|p| p.0.len() > t) {
            let n = a.len();
            sum += 0.5 * (product(&a[..n - t], &b[t..]) + product(&b[..n - t], &a[t..]));
            pairs += n - t;
        }
        let c = sum / pairs as f64 / variance;
        if c <= 0.0 && t > window.least {
            break;
        }
        g += 2.0 * c * (1.0 - t as f64 / average) * step as f64;
        t += step;
        step += usize::from(window.lags == Lags::Growing);
    }
    Inefficiency { g: g.max(1.0), window: t }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    if std::ptr::eq(a, b) {
        return squares_and_sum(a, 0.0).0;
    }
    let products: Vec<f64> = a.iter().zip(b).map(|(a, b)| a * b).collect();
    sum_of(&products)
}
