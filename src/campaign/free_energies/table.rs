//! Free energies of all states for the summary: the figure and the table of the report.

use super::found::Found;
use crate::campaign::config::Estimate as Wanted;
use crate::campaign::copies::COPIES;
use crate::campaign::ladders::OnLadder;
use crate::estimate::TiRule;
use crate::estimate::summary::FreeEnergySummary;

/// `values` of the ladder's variable at the states; `factor` from kT to the wanted unit.
pub(super) fn table(wanted: &Wanted, read: &OnLadder, values: &[f64], g: f64, found: &Found, factor: f64) -> FreeEnergySummary {
    let (k, first) = (values.len(), found.before);
    let mut shown = values.to_vec();
    let mut names = read.names.clone();
    // ends that only a quadrature reaches
    if first > 0 {
        shown.insert(0, if values[0] < values[k - 1] { 0.0 } else { 1.0 });
    }
    if found.f.len() > first + k {
        shown.push(if values[0] < values[k - 1] { 1.0 } else { 0.0 });
    }
    let by_quadrature: Vec<usize> = (0..shown.len()).filter(|p| *p < first || *p >= first + k).collect();
    for &p in &by_quadrature {
        names.insert(p, format!("end {}", shown[p]));
    }
    FreeEnergySummary {
        method: wanted.method.name().to_owned(),
        unit: wanted.unit.value.name().to_owned(),
        values: shown,
        states: names,
        by_quadrature,
        rule: found.rule.map(|r| rule_name(r).to_owned()),
        f: found.f.iter().map(|f| f * factor).collect(),
        stderr: (0..found.f.len()).map(|i| found.error(0, i) * factor).collect(),
        g: Some(g),
        errors: errors_from(found) + &redrawn(found, factor),
        overlap: found.matrix.clone(),
        gradients: found.gradients.clone(),
        convergence: found
            .convergence
            .iter()
            .map(|row| [row[0], row[1] * factor, row[2] * factor, row[3] * factor, row[4] * factor])
            .collect(),
    }
}

/// In the report.
fn rule_name(rule: TiRule) -> &'static str {
    match rule {
        TiRule::Trapezoid => "the trapezoid",
        TiRule::NaturalCubic => "a natural cubic spline",
        TiRule::Simpson => "Simpson's rule",
        TiRule::GaussLegendre => "Gauss-Legendre quadrature",
    }
}

fn errors_from(found: &Found) -> String {
    if found.left_out.is_none() {
        format!("theory of the estimator with correlated frames; fewer than {COPIES} copies cannot be left out in turn")
    } else if found.by_spread(0, found.end()) {
        "the spread of independent copies, which is larger than theory".to_owned()
    } else {
        "theory of the estimator with correlated frames, which is larger than the spread of independent copies".to_owned()
    }
}

/// What frames that were drawn again say of the ends.
fn redrawn(found: &Found, factor: f64) -> String {
    let Some((how, redrawn)) = &found.redrawn else { return String::new() };
    let (low, high) = redrawn.interval(0, found.end(), 0.95);
    format!(
        "; {} resamples in blocks of {} frames give an error of {:.2e} between the ends and a 95 % interval from {:.4} to {:.4}",
        how.replicates,
        how.block,
        redrawn.stderr(0, found.end()) * factor,
        low * factor,
        high * factor
    )
}
