//! What an estimator answers: a value with its error, its conditions and its doubts.

use super::number;
use serde::{Deserialize, Serialize};

/// Conditions of an estimate in order: `temperature = "300 K"`, `L = 16`.
pub type Conditions = serde_json::Map<String, serde_json::Value>;

/// The root of a variance, of which rounding may have left less than nothing; what is not a number stays so.
pub(crate) fn stderr_of(variance: f64) -> f64 {
    if variance < 0.0 { 0.0 } else { variance.sqrt() }
}

/// A published or exact value to stand beside an estimate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The value, in the estimate's unit.
    pub value: f64,
    /// Its standard error; 0 if exact.
    pub error: f64,
    /// Where it comes from.
    pub source: String,
}

/// `value ± error`, two digits of the error; an exact value alone.
impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&if self.error > 0.0 { number::measured(self.value, self.error) } else { number::digits(self.value, 8) })
    }
}

/// The kind of a doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningKind {
    /// There is no number: the value is null.
    NotFinite,
    /// There is a number but no error for it.
    NoError,
    /// The series is short against its correlation time: the error is probably too small.
    TooShort,
    /// All values are equal.
    Constant,
    /// Few independent replicas: the error itself is uncertain.
    FewReplicas,
    /// Two ways to the error differ by more than a factor of two.
    ErrorsDisagree,
    /// A bin or basin that no draw has entered.
    NotVisited,
    /// Values outside the declared range.
    Outside,
    /// Part of the path, of the interval or of phase space is left out of the estimate.
    NotCovered,
    /// The grid is too coarse for the rule that was used on it.
    TooCoarse,
    /// States share few effective samples: value and error rest on a handful of them.
    PoorOverlap,
    /// An exponential average carried by its largest weights: its variance may be infinite.
    HeavyTail,
    /// The first and the second half of the data do not agree.
    Drift,
}

/// A doubt about an estimate, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// For machines.
    pub kind: WarningKind,
    /// For people.
    pub message: String,
}

impl Warning {
    /// A doubt.
    pub fn new(kind: WarningKind, message: impl Into<String>) -> Self {
        Warning { kind, message: message.into() }
    }
}

/// One estimate, as it stands in `summary.json`.
///
/// Serialised with the keys stage, quantity, conditions, value, stderr, n_eff, unit, reference, z, coords, and warnings when there
/// are any. A value or error that is not finite becomes null, and a value that is null always carries a warning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Wire", from = "Wire")]
pub struct Estimate {
    /// Name of the stage that made it; filled in by the campaign.
    pub stage: String,
    /// Name of the quantity; `name[i,j]` for an element of an array.
    pub quantity: String,
    /// Temperature, size, swept keys, with units.
    pub conditions: Conditions,
    /// The value. NaN: there is none, see `warnings`.
    pub value: f64,
    /// Standard error of `value`. NaN: unknown.
    pub stderr: f64,
    /// Effective number of independent samples behind it. NaN: unknown.
    pub n_eff: f64,
    /// Unit of value and error; none for a pure number.
    pub unit: Option<String>,
    /// A value to compare with.
    pub reference: Option<Reference>,
    /// Coordinates of an element of an array: bin centre, wave number ...
    pub coords: Vec<(String, f64)>,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

impl Estimate {
    /// A value with its error and sample size; stage, conditions, unit, reference and coordinates are added by the caller.
    pub fn new(quantity: impl Into<String>, value: f64, stderr: f64, n_eff: f64) -> Self {
        Estimate {
            stage: String::new(),
            quantity: quantity.into(),
            conditions: Conditions::new(),
            value,
            stderr,
            n_eff,
            unit: None,
            reference: None,
            coords: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// No value, and why.
    pub fn missing(quantity: impl Into<String>, kind: WarningKind, why: impl Into<String>) -> Self {
        let mut estimate = Estimate::new(quantity, f64::NAN, f64::NAN, f64::NAN);
        estimate.warnings.push(Warning::new(kind, why));
        estimate
    }

    /// Value and error times a constant: a unit, or beta^2 between an energy's variance and a heat capacity.
    pub fn scaled(mut self, factor: f64) -> Self {
        self.value *= factor;
        self.stderr *= factor.abs();
        self
    }

    /// Distance from the reference in combined standard errors: `(value - reference) / sqrt(stderr^2 + error^2)`.
    pub fn z(&self) -> Option<f64> {
        let reference = self.reference.as_ref()?;
        let z = (self.value - reference.value) / (self.stderr * self.stderr + reference.error * reference.error).sqrt();
        z.is_finite().then_some(z)
    }
}

/// The keys of `summary.json`.
#[derive(Clone, Serialize, Deserialize)]
struct Wire {
    #[serde(default)]
    stage: String,
    quantity: String,
    #[serde(default)]
    conditions: Conditions,
    value: Option<f64>,
    stderr: Option<f64>,
    n_eff: Option<f64>,
    unit: Option<String>,
    reference: Option<Reference>,
    z: Option<f64>,
    coords: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

impl From<Estimate> for Wire {
    fn from(e: Estimate) -> Self {
        let z = e.z();
        let finite = |v: f64| v.is_finite().then_some(v);
        let mut warnings = e.warnings;
        let explained = warnings.iter().any(|w| matches!(w.kind, WarningKind::NotFinite | WarningKind::NotVisited));
        if !e.value.is_finite() && !explained {
            warnings.push(Warning::new(WarningKind::NotFinite, format!("{} is not a finite number ({})", e.quantity, e.value)));
        }
        if e.value.is_finite() && !e.stderr.is_finite() && warnings.is_empty() {
            warnings.push(Warning::new(WarningKind::NoError, format!("{} has no standard error", e.quantity)));
        }
        let coords = (!e.coords.is_empty()).then(|| e.coords.into_iter().map(|(name, v)| (name, v.into())).collect());
        Wire {
            stage: e.stage,
            quantity: e.quantity,
            conditions: e.conditions,
            value: finite(e.value),
            stderr: finite(e.stderr),
            n_eff: finite(e.n_eff),
            unit: e.unit,
            reference: e.reference,
            z,
            coords,
            warnings,
        }
    }
}

impl From<Wire> for Estimate {
    fn from(w: Wire) -> Self {
        let number = |v: Option<f64>| v.unwrap_or(f64::NAN);
        let coords = w.coords.unwrap_or_default().into_iter().map(|(name, v)| (name, v.as_f64().unwrap_or(f64::NAN))).collect();
        Estimate {
            stage: w.stage,
            quantity: w.quantity,
            conditions: w.conditions,
            value: number(w.value),
            stderr: number(w.stderr),
            n_eff: number(w.n_eff),
            unit: w.unit,
            reference: w.reference,
            coords,
            warnings: w.warnings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_order_of_the_summary() {
        let mut e = Estimate::new("energy", -1.5, 0.25, 40.0);
        e.stage = "production".into();
        e.conditions.insert("temperature".into(), "300 K".into());
        e.conditions.insert("L".into(), 16.into());
        e.unit = Some("kJ/mol".into());
        e.reference = Some(Reference { value: -1.0, error: 0.0, source: "exact".into() });
        let text = serde_json::to_string(&e).unwrap();
        assert_eq!(
            text,
            r#"{"stage":"production","quantity":"energy","conditions":{"temperature":"300 K","L":16},"value":-1.5,"stderr":0.25,"n_eff":40.0,"unit":"kJ/mol","reference":{"value":-1.0,"error":0.0,"source":"exact"},"z":-2.0,"coords":null}"#
        );
        assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), e);
    }

    #[test]
    fn a_missing_value_is_null_and_says_so() {
        let mut e = Estimate::new("fes[3]", f64::NAN, 0.1, 3.0);
        e.coords = vec![("phi".into(), -175.0)];
        let v = serde_json::to_value(&e).unwrap();
        assert!(v["value"].is_null() && v["coords"]["phi"] == -175.0 && v["warnings"][0]["kind"] == "not_finite");
        let v = serde_json::to_value(Estimate::new("x", 1.0, f64::INFINITY, 3.0)).unwrap();
        assert!(v["stderr"].is_null() && v["warnings"][0]["kind"] == "no_error");
        let v = serde_json::to_value(Estimate::missing("x", WarningKind::NotVisited, "nobody came")).unwrap();
        assert_eq!(v["warnings"].as_array().unwrap().len(), 1);
    }
}
