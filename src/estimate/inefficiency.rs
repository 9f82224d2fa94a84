//! Statistical inefficiency with the window of the first zero crossing.

use super::autocovariance::{Centre, growing};
use super::series::{Series, Unusable};
use serde::Serialize;

/// Statistical inefficiency of a stationary series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Inefficiency {
    /// `g = 1 + 2 sum_t (1 - t/n) C(t)`, at least 1.
    pub g: f64,
    /// The lag at which the sum ended (not included).
    pub window: usize,
}

/// Statistical inefficiency g as pymbar computes it: the sum over lags ends where the correlation first falls to zero.
///
///   g = 1 + 2 sum_{t=1} (1 - t/n) C(t),   until C(t) <= 0 and t > 3 (one replica) or t > 10 (several), at most n - 2
///
/// Several replicas are taken around their common mean.
/// Errors: fewer than 4 draws, a constant series, values that are not finite.
/// Source: Chodera et al., JCTC 3, 26 (2007), eq. 20; pymbar 4 `statistical_inefficiency`, `statistical_inefficiency_multiple`.
pub fn statistical_inefficiency(series: Series<'_>) -> Result<Inefficiency, Unusable> {
    series.check_varying("statistical inefficiency (draws)", 4)?;
    Ok(first_crossing(series))
}

/// The same for a series already checked.
pub(super) fn first_crossing(series: Series<'_>) -> Inefficiency {
    let least = if series.replicas == 1 { 3 } else { 10 };
    let last = series.draws.saturating_sub(2);
    let found = growing(series, Centre::Common, |gamma, all| {
        let mut g = 1.0_f64;
        for (t, &value) in gamma.iter().enumerate().take(last + 1).skip(1) {
            if value <= 0.0 && t > least {
                return Some(Inefficiency { g: g.max(1.0), window: t });
            }
            g += 2.0 * value / gamma[0];
        }
        all.then_some(Inefficiency { g: g.max(1.0), window: last + 1 })
    });
    found.unwrap_or(Inefficiency { g: (series.replicas * series.draws) as f64, window: last })
}
