//! May the result be believed: diagnostics of a column, and the checks they must pass.

use super::autocorrelation::{AutocorrelationTime, autocorrelation_time};
use super::basin::Basins;
use super::rank::{RankDiagnostics, rank_diagnostics};
use super::series::{Series, Unusable, circle};
use serde::{Deserialize, Serialize};

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Within the bound.
    Pass,
    /// Outside the bound, not beyond the point where the result cannot be used.
    Warn,
    /// Not to be believed.
    Fail,
}

/// Two bounds of a figure; which side is good depends on the check.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The figure passes up to here.
    pub pass: f64,
    /// Beyond this it fails; in between it warns.
    pub fail: f64,
}

impl Threshold {
    /// Of a figure that should be large; one that is no number fails.
    pub fn at_least(self, figure: f64) -> Outcome {
        if figure >= self.pass {
            Outcome::Pass
        } else if figure >= self.fail {
            Outcome::Warn
        } else {
            Outcome::Fail
        }
    }

    /// Of a figure that should be small; one that is no number fails.
    pub fn at_most(self, figure: f64) -> Outcome {
        if figure <= self.pass {
            Outcome::Pass
        } else if figure <= self.fail {
            Outcome::Warn
        } else {
            Outcome::Fail
        }
    }
}

/// The bounds of all checks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Rank-normalised split R-hat, at most.
    pub r_hat: Threshold,
    /// Bulk effective sample size, at least.
    pub ess_bulk: Threshold,
    /// Tail effective sample size, at least.
    pub ess_tail: Threshold,
    /// Draws of a replica in units of tau, at least.
    pub length: Threshold,
    /// Crossings into and out of each basin, at least.
    pub crossings: Threshold,
    /// Outcome when crossings go one way only.
    pub one_way: Outcome,
    /// Outcome when a declared basin is not visited.
    pub not_visited: Outcome,
}

impl Default for Thresholds {
    /// R-hat 1.01 and 1.05, ESS 400, 50 tau (fails below 10), 20 crossings.
    /// Source: Vehtari et al. (2021) for R-hat and ESS; Sokal (1997) for the length.
    fn default() -> Self {
        let both = |v: f64| Threshold { pass: v, fail: v };
        Thresholds {
            r_hat: Threshold { pass: 1.01, fail: 1.05 },
            ess_bulk: both(400.0),
            ess_tail: both(400.0),
            length: Threshold { pass: 50.0, fail: 10.0 },
            crossings: both(20.0),
            one_way: Outcome::Fail,
            not_visited: Outcome::Fail,
        }
    }
}

/// Diagnostics of one column after the discard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Name of the column; a periodic one comes as two, its cosine and its sine.
    pub column: String,
    /// Replicas judged.
    pub replicas: usize,
    /// Draws of each.
    pub draws: usize,
    /// R-hat and effective sample sizes, or why there are none.
    pub rank: Result<RankDiagnostics, Unusable>,
    /// Autocorrelation time, or why there is none.
    pub time: Result<AutocorrelationTime, Unusable>,
}

/// One check of the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// `r_hat`, `ess_bulk`, `ess_tail`, `length`, `crossings`, `one_way`, `not_visited`.
    pub check: String,
    /// Column or basin.
    pub of: String,
    /// The figure; null if it could not be had, which fails.
    pub value: Option<f64>,
    /// The bound it should keep.
    pub bound: Option<f64>,
    /// What was found.
    pub outcome: Outcome,
    /// One sentence.
    pub message: String,
}

/// All checks and the worst of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The worst outcome; a verdict without checks fails.
    pub outcome: Outcome,
    /// In the order columns, basins.
    pub checks: Vec<Check>,
}

/// Diagnostics of a series after the discard. What cannot be computed is said, and fails the verdict.
pub fn diagnose(column: impl Into<String>, series: Series<'_>) -> Diagnosis {
    Diagnosis {
        column: column.into(),
        replicas: series.replicas,
        draws: series.draws,
        rank: rank_diagnostics(series),
        time: autocorrelation_time(series),
    }
}

/// Diagnostics of a periodic coordinate: `cos(column)` and `sin(column)`.
pub fn diagnose_circle(column: &str, series: Series<'_>, period: f64) -> [Diagnosis; 2] {
    let (cos, sin) = circle(series.values, period);
    [
        diagnose(format!("cos({column})"), Series { values: &cos, ..series }),
        diagnose(format!("sin({column})"), Series { values: &sin, ..series }),
    ]
}

/// Holds diagnostics and basins against the thresholds.
pub fn judge(columns: &[Diagnosis], basins: &[Basins], thresholds: &Thresholds) -> Verdict {
    let mut checks = Vec::new();
    for d in columns {
        let rank = |f: fn(&RankDiagnostics) -> f64| d.rank.as_ref().map(f).map_err(ToString::to_string);
        let length = match &d.time {
            Ok(t) if t.closed => Ok(d.draws as f64 / t.tau),
            Ok(_) => Err("the series is shorter than a few of its correlation times".to_owned()),
            Err(why) => Err(why.to_string()),
        };
        checks.push(bounded("r_hat", &d.column, rank(|r| r.r_hat), thresholds.r_hat, Side::AtMost));
        checks.push(bounded("ess_bulk", &d.column, rank(|r| r.ess_bulk), thresholds.ess_bulk, Side::AtLeast));
        checks.push(bounded("ess_tail", &d.column, rank(|r| r.ess_tail), thresholds.ess_tail, Side::AtLeast));
        checks.push(bounded("length", &d.column, length, thresholds.length, Side::AtLeast));
    }
    for set in basins {
        basin_checks(set, thresholds, &mut checks);
    }
    let outcome = checks.iter().map(|c| c.outcome).max().unwrap_or(Outcome::Fail);
    Verdict { outcome, checks }
}

fn basin_checks(set: &Basins, thresholds: &Thresholds, checks: &mut Vec<Check>) {
    for basin in &set.basins {
        if basin.population.is_none() {
            let message = format!("{} was not visited: its population is unknown", basin.name);
            checks.push(Check {
                check: "not_visited".into(),
                of: basin.name.clone(),
                value: Some(0.0),
                bound: Some(1.0),
                outcome: thresholds.not_visited,
                message,
            });
        } else if set.basins.len() > 1 {
            let crossings = Ok((basin.entered + basin.left) as f64);
            checks.push(bounded("crossings", &basin.name, crossings, thresholds.crossings, Side::AtLeast));
        }
    }
    for &(from, to) in &set.one_way {
        let (a, b) = (&set.basins[from].name, &set.basins[to].name);
        let message = format!("{} crossings from {a} to {b} and no way back: populations depend on the start", set.crossings(from, to));
        checks.push(Check {
            check: "one_way".into(),
            of: format!("{a} -> {b}"),
            value: Some(0.0),
            bound: Some(1.0),
            outcome: thresholds.one_way,
            message,
        });
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    AtMost,
    AtLeast,
}

fn bounded(check: &str, of: &str, value: Result<f64, String>, bounds: Threshold, side: Side) -> Check {
    let (check, of) = (check.to_owned(), of.to_owned());
    let bound = Some(bounds.pass);
    let value = match value {
        Ok(v) if v.is_finite() => v,
        other => {
            let why = other.err().unwrap_or_else(|| "not a finite number".into());
            let message = format!("{check} of {of} could not be computed: {why}");
            return Check { check, of, value: None, bound, outcome: Outcome::Fail, message };
        }
    };
    let outcome = if side == Side::AtMost { bounds.at_most(value) } else { bounds.at_least(value) };
    let word = if side == Side::AtMost { "at most" } else { "at least" };
    let message = format!("{check} of {of} is {}, should be {word} {}", shown(value), shown(bounds.pass));
    Check { check, of, value: Some(value), bound, outcome, message }
}

/// Whole numbers as such, small ones with three decimals.
fn shown(v: f64) -> String {
    if v.abs() >= 100.0 || v == v.trunc() { format!("{v:.0}") } else { format!("{v:.3}") }
}
