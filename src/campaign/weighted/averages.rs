//! Averages over weighted frames: theory and the spread of the copies, and whether enough stands behind them.

use super::{Answer, Source, Weighted};
use crate::campaign::config::Stage;
use crate::campaign::copies::{SHARED, larger};
use crate::estimate::{Check, Estimate, Outcome, Warning, WarningKind, delete_one_error};

/// An average with both of its errors.
pub(super) struct Errors {
    value: f64,
    theory: f64,
    /// None with too few copies.
    spread: Option<f64>,
    /// Of the quantity itself.
    variance: f64,
    /// The same number in all frames: what rounding leaves of its spread is no error.
    constant: bool,
}

impl Errors {
    pub(super) fn estimate(&self, name: &str, from: &Weighted<'_>) -> Estimate {
        let stderr = if self.constant { f64::NAN } else { larger(self.theory, self.spread.unwrap_or(f64::NAN)) };
        let mut e = Estimate::new(name, self.value, stderr, self.variance / (stderr * stderr));
        if self.constant {
            e.warnings.push(Warning::new(WarningKind::Constant, format!("{name} is the same in all frames: there is no spread")));
        }
        if let Some(spread) = self.spread.filter(|s| !self.constant && (*s > 2.0 * self.theory || self.theory > 2.0 * s)) {
            let which = if spread > self.theory { "the spread of the copies" } else { "theory" };
            let message = format!("the copies spread by {spread:.2e}, theory says {:.2e}: the error is that of {which}", self.theory);
            e.warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
        }
        e.warnings.extend(from.few_copies());
        e
    }
}

impl Weighted<'_> {
    /// Averages of quantities, `[quantity][frame]`.
    pub(super) fn averages(&self, rows: &[Vec<f64>], weights: &[f64]) -> Answer<Vec<Errors>> {
        let mean = |row: &[f64], w: &[f64]| row.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
        let values: Vec<f64> = rows.iter().map(|row| mean(row, weights)).collect();
        let independent: Vec<f64> = match &self.source {
            Source::Ladder(_) => self.with_fit(&self.all(), |fit, state| {
                let wanted: Vec<(usize, usize)> = (0..rows.len()).map(|a| (state, a)).collect();
                let found = fit.expectations(&wanted, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
                Ok((0..rows.len()).map(|a| found.stderr(a)).collect())
            })?,
            _ => {
                let one = |(row, mean): (&Vec<f64>, &f64)| -> f64 {
                    row.iter().zip(weights).map(|(x, w)| w * w * (x - mean) * (x - mean)).sum::<f64>().sqrt()
                };
                rows.iter().zip(&values).map(one).collect()
            }
        };
        let left_out = self.left_out(|w| Ok(rows.iter().map(|row| mean(row, w)).collect()));
        let mut all = Vec::new();
        for (a, row) in rows.iter().enumerate() {
            let g = self.g(row, weights)?;
            all.push(Errors {
                value: values[a],
                theory: independent[a] * g.sqrt(),
                spread: left_out.as_ref().map(|sets| delete_one_error(sets.iter().map(|s| s[a]))),
                constant: row.iter().all(|x| x.to_bits() == row[0].to_bits()),
                variance: row.iter().zip(weights).map(|(x, w)| w * (x - values[a]) * (x - values[a])).sum(),
            });
        }
        Ok(all)
    }

    /// Whether independent samples stand behind the ensemble, and the states hang together; a sample stage was judged itself.
    pub(in crate::campaign) fn enough(&self, stage: &Stage, weights: &[f64], g: f64) -> Answer<Vec<Check>> {
        let doubts = match self.source {
            Source::Equal => return Ok(Vec::new()),
            Source::Bias(_) => Vec::new(),
            Source::Ladder(_) => self.with_fit(&self.all(), |fit, _| Ok(fit.warnings().to_vec()))?,
        };
        let doubt = |w: Warning| Check {
            check: "overlap".to_owned(),
            of: stage.name.value.clone(),
            value: None,
            bound: None,
            outcome: Outcome::Warn,
            message: format!("{}: {}", stage.name.value, w.message),
        };
        let n_eff = 1.0 / weights.iter().map(|w| w * w).sum::<f64>() / g;
        let of = self.target.what.as_deref().unwrap_or_default();
        let mut checks = vec![Check {
            check: "n_eff".to_owned(),
            of: stage.name.value.clone(),
            value: Some(n_eff),
            bound: Some(SHARED.pass),
            outcome: SHARED.at_least(n_eff),
            message: format!("{}: {n_eff:.0} independent samples ({of}), should be at least {:.0}", stage.name.value, SHARED.pass),
        }];
        checks.extend(doubts.into_iter().map(doubt));
        Ok(checks)
    }
}
