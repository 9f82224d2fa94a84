//! The sum over the legs of a transformation.

use super::answer::{Answer, LegAnalysis};

/// The sum of one method over the legs, errors in quadrature.
#[derive(Clone, Debug)]
pub struct Sum {
    /// Key of the method.
    pub key: String,
    /// For people: the legs' label, or each leg's where they differ, as rules of TI may.
    pub label: String,
    /// Value.
    pub value: f64,
    /// Standard error.
    pub stderr: f64,
    /// The least effective number of the legs.
    pub n_eff: f64,
}

/// One for each method that every leg has; empty with one leg.
pub(super) fn sums(legs: &[LegAnalysis]) -> Vec<Sum> {
    let Some((first, others)) = legs.split_first().filter(|(_, others)| !others.is_empty()) else { return Vec::new() };
    let mut sums = Vec::new();
    for answer in &first.answers {
        let all: Option<Vec<&Answer>> =
            std::iter::once(Some(answer)).chain(others.iter().map(|l| l.answers.iter().find(|a| a.key == answer.key))).collect();
        let Some(all) = all else { continue };
        let (mut value, mut variance, mut n_eff) = (0.0, 0.0, f64::INFINITY);
        for answer in &all {
            let (v, e) = answer.total();
            value += v;
            variance += e * e;
            n_eff = n_eff.min(answer.n_eff);
        }
        sums.push(Sum { key: answer.key.clone(), label: label(legs, &all), value, stderr: variance.sqrt(), n_eff });
    }
    sums
}

/// "MBAR"; "TI: trapezoid in coulomb, Gauss-Legendre in vdw".
fn label(legs: &[LegAnalysis], answers: &[&Answer]) -> String {
    if answers.iter().all(|a| a.label == answers[0].label) {
        return answers[0].label.clone();
    }
    let rule = |a: &Answer| a.label.strip_prefix("TI, ").unwrap_or(&a.label).to_owned();
    let each = answers.iter().zip(legs).map(|(a, l)| format!("{} in {}", rule(a), l.name.as_deref().unwrap_or_default()));
    format!("TI: {}", each.collect::<Vec<_>>().join(", "))
}
