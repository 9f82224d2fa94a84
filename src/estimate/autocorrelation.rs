//! Integrated autocorrelation time with its own error.

use super::autocovariance::{Centre, growing};
use super::series::{Series, Unusable};
use super::value::{Estimate, Warning, WarningKind};
use serde::Serialize;

/// Integrated autocorrelation time of a stationary series, in draws.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AutocorrelationTime {
    /// `tau = 1/2 + sum_{t=1}^{W} rho(t)`; 1/2 for independent draws.
    pub tau: f64,
    /// Its standard error.
    pub stderr: f64,
    /// W, the last lag summed.
    pub window: usize,
    /// Whether the rule ended the window. If not, the series is shorter than a few tau and `tau` is only a lower bound.
    pub closed: bool,
    /// Variance of a draw, `gamma(0)` around the common mean.
    pub variance: f64,
    /// Total draws, R n.
    pub total: usize,
}

impl AutocorrelationTime {
    /// Statistical inefficiency `g = 2 tau`: draws per independent draw.
    pub fn g(&self) -> f64 {
        2.0 * self.tau
    }

    /// Effective number of independent draws, `R n / g`.
    pub fn n_eff(&self) -> f64 {
        self.total as f64 / self.g()
    }

    /// tau, in draws, as an [`Estimate`].
    pub fn estimate(&self, quantity: impl Into<String>) -> Estimate {
        let mut estimate = Estimate::new(quantity, self.tau, self.stderr, self.n_eff());
        if !self.closed {
            estimate.warnings.push(Warning::new(WarningKind::TooShort, "the correlation never decays within the series: a lower bound"));
        }
        estimate
    }

    /// Standard error of the mean over all draws, `sqrt(2 tau gamma(0) / (R n))`.
    pub fn mean_stderr(&self) -> f64 {
        (self.g() * self.variance / self.total as f64).sqrt()
    }
}

/// Integrated autocorrelation time with Sokal's window, c = 5.
///
///   tau(W) = 1/2 + sum_{t=1}^{W} rho(t),   W = the smallest with W >= c tau(W)
///   stderr = tau sqrt(2 (2 W + 1) / N)
///
/// rho is the autocovariance of all replicas around their common mean, divided by its value at lag 0. The factor 1 + (2W+1)/N
/// undoes the bias of subtracting an estimated mean. With c = 5 an exponential decay loses exp(-5) = 0.7 % of tau.
/// When rho(1) < 0 the window ends at an even lag, so that alternating series are judged from the safe side.
///
/// Errors: fewer than 8 draws, a constant series, values that are not finite.
/// Source: Madras and Sokal, J. Stat. Phys. 50, 109 (1988), appendix C; the bias factor: Wolff, Comput. Phys. Commun. 156, 143 (2004), eq. 49.
pub fn autocorrelation_time(series: Series<'_>) -> Result<AutocorrelationTime, Unusable> {
    autocorrelation_time_with(series, 5.0)
}

/// The same with another window constant c.
pub fn autocorrelation_time_with(series: Series<'_>, c: f64) -> Result<AutocorrelationTime, Unusable> {
    series.check_varying("autocorrelation time (draws)", 8)?;
    let total = series.replicas * series.draws;
    let finish = |tau: f64, window: usize, closed: bool, variance: f64| {
        let n = total as f64;
        let width = (2 * window + 1) as f64;
        let tau = tau * (1.0 + width / n);
        AutocorrelationTime { tau, stderr: tau * (2.0 * width / n).sqrt(), window, closed, variance, total }
    };
    let found = growing(series, Centre::Common, |gamma, all| {
        let mut tau = 0.5;
        for t in 1..gamma.len() {
            tau += gamma[t] / gamma[0];
            let safe = gamma[1] >= 0.0 || t % 2 == 0;
            if safe && tau > 0.0 && t as f64 >= c * tau {
                return Some(finish(tau, t, true, gamma[0]));
            }
        }
        all.then(|| finish(tau.max(0.5), gamma.len() - 1, false, gamma[0]))
    });
    found.ok_or(Unusable::TooShort { what: "autocorrelation time (draws)", needed: 8, found: series.draws })
}
