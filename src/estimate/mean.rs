//! Mean with its standard error.

use super::autocorrelation::{AutocorrelationTime, autocorrelation_time};
use super::quantile::student_t_quantile;
use super::series::{Series, Unusable, range, spread_of, squares_and_sum};
use super::value::{Estimate, Warning, WarningKind};
use serde::Serialize;

/// From this many replicas on, the spread of their means is the error; below, the correlation time gives it.
pub const REPLICAS_FOR_SPREAD: usize = 16;

/// Where a standard error comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorRoute {
    /// The spread of independent replicas' means.
    Replicas,
    /// Variance and autocorrelation time of the pooled draws.
    Autocorrelation,
    /// Neither is possible.
    None,
}

/// A mean, two ways to its error, and which one was used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// Mean over all replicas and draws.
    pub value: f64,
    /// Standard error by `route`; NaN if unknown.
    pub stderr: f64,
    /// Independent draws that would give this error: variance / stderr^2.
    pub n_eff: f64,
    /// Degrees of freedom of the error: R - 1, or N / (2 W + 1).
    pub dof: usize,
    /// Which error `stderr` is.
    pub route: ErrorRoute,
    /// `s / sqrt(R)` from the replicas' means (at least 2 replicas).
    pub stderr_replicas: Option<f64>,
    /// `sqrt(2 tau gamma(0) / (R n))`.
    pub stderr_autocorrelation: Option<f64>,
    /// Autocorrelation time of the pooled draws.
    pub time: Option<AutocorrelationTime>,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

impl Mean {
    /// Student's interval that holds the exact mean with probability `level`.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let half = student_t_quantile(level, self.dof) * self.stderr;
        (self.value - half, self.value + half)
    }

    /// As an [`Estimate`] of a named quantity.
    pub fn estimate(&self, quantity: impl Into<String>) -> Estimate {
        let mut estimate = Estimate::new(quantity, self.value, self.stderr, self.n_eff);
        estimate.warnings = self.warnings.clone();
        estimate
    }
}

/// Mean of a series with standard error.
///
/// With 16 or more replicas each replica's time mean is one sample (Student t, R - 1 degrees of freedom); with fewer, the pooled
/// autocorrelation gives the error, or the replicas' spread where the chains are too short for a correlation time. Both are
/// returned; a warning says when they differ by more than a factor of two: replicas that sit in different places, or chains that
/// are not stationary. A constant series has a mean and no error.
///
/// Errors: no draws; one replica of fewer than 8 draws; values that are not finite.
pub fn mean(series: Series<'_>) -> Result<Mean, Unusable> {
    series.check("mean (draws)", 1)?;
    let replicas = series.replicas;
    let (each, value) = series.means();
    let time = match autocorrelation_time(series) {
        Ok(time) => Some(time),
        Err(Unusable::Constant { .. }) => return Ok(constant(value)),
        Err(why) if replicas < 2 => return Err(why),
        Err(_) if range(series.values).0 == range(series.values).1 => return Ok(constant(value)),
        Err(_) => None,
    };
    let variance = squares_and_sum(series.values, value).0 / series.values.len() as f64;
    let stderr_replicas = (replicas >= 2).then(|| (spread_of(&each) / replicas as f64).sqrt());
    let stderr_autocorrelation = time.map(|t| t.mean_stderr());
    let by_time = |t: AutocorrelationTime| {
        let dof = (t.total as f64 / (2 * t.window + 1) as f64) as usize;
        (t.mean_stderr(), dof.max(1), ErrorRoute::Autocorrelation)
    };
    let mut warnings = Vec::new();
    let (stderr, dof, route) = match (stderr_replicas, time) {
        (Some(s), _) if replicas >= REPLICAS_FOR_SPREAD => (s, replicas - 1, ErrorRoute::Replicas),
        // a window that never closed gives a lower bound only
        (Some(s), Some(t)) if !t.closed && s > t.mean_stderr() => (s, replicas - 1, ErrorRoute::Replicas),
        (_, Some(t)) => by_time(t),
        (Some(s), None) => (s, replicas - 1, ErrorRoute::Replicas),
        (None, None) => (f64::NAN, 0, ErrorRoute::None),
    };
    if route == ErrorRoute::Replicas && replicas < REPLICAS_FOR_SPREAD {
        warnings.push(Warning::new(WarningKind::FewReplicas, format!("the error rests on the spread of only {replicas} replicas")));
    }
    if let (ErrorRoute::Autocorrelation, Some(t)) = (route, time) {
        let lengths = series.draws as f64 / t.tau;
        if lengths < 20.0 || !t.closed {
            let message = format!("{} draws are only {lengths:.1} autocorrelation times: the error is probably too small", series.draws);
            warnings.push(Warning::new(WarningKind::TooShort, message));
        }
    }
    if let (Some(spread), Some(correlation)) = (stderr_replicas, stderr_autocorrelation) {
        let under = spread > 2.0 * correlation && replicas >= 4;
        let over = correlation > 2.0 * spread && replicas >= REPLICAS_FOR_SPREAD;
        if under || over {
            let used = if route == ErrorRoute::Replicas { "replicas" } else { "autocorrelation" };
            let message = format!(
                "standard error {spread:.3e} from {replicas} replicas, {correlation:.3e} from the autocorrelation; the one from the {used} is given"
            );
            warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
        }
    }
    let n_eff = variance / (stderr * stderr);
    Ok(Mean { value, stderr, n_eff, dof, route, stderr_replicas, stderr_autocorrelation, time, warnings })
}

fn constant(value: f64) -> Mean {
    let warning = Warning::new(WarningKind::Constant, format!("every draw is {value}: there is no spread to take an error from"));
    Mean {
        value,
        stderr: f64::NAN,
        n_eff: f64::NAN,
        dof: 0,
        route: ErrorRoute::None,
        stderr_replicas: None,
        stderr_autocorrelation: None,
        time: None,
        warnings: vec![warning],
    }
}
