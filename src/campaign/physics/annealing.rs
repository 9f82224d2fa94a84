//! Rules of annealing: its numbers, and the stage that its particles come from.

use super::{Objections, shown, thermal};
use crate::campaign::config::Thermal;
use crate::campaign::config::placed::Placed;
use crate::campaign::config::{Anneal, Stage, StageKind};
use crate::campaign::units::{Kind, UnitSystem};

/// Rules of an anneal stage, once it is in numbers.
pub(in crate::campaign) fn anneal(anneal: &Anneal, units: UnitSystem, out: &mut Objections<'_>) {
    let scope = out.scope;
    let dt = &anneal.timestep;
    if dt.value <= 0.0 || dt.value.is_infinite() {
        let what = format!("`timestep` of {scope} is {}: time must go forward in finite steps", shown(dt.value, Kind::Time, units));
        out.refuse(&dt.span, what, "write a positive timestep");
    }
    if let Some(friction) = anneal.friction.as_ref().filter(|g| g.value <= 0.0 || g.value.is_infinite()) {
        let what =
            format!("`friction` of {scope} is {}: without it momenta are never forgotten", shown(friction.value, Kind::InverseTime, units));
        out.refuse(&friction.span, what, "write a positive friction");
    }
    thermal(&anneal.thermal, units, out);
    out.at_least_one("replicas", &anneal.replicas, "there is nothing to anneal");
    out.at_least_one("runs", &anneal.runs, "nothing would happen");
    if anneal.replicas.value > u64::from(u32::MAX) {
        let what = format!("`replicas` of {scope} is {}: random streams are numbered by 32 bits", anneal.replicas.value);
        out.refuse(&anneal.replicas.span, what, "write less than 4294967296");
    }
    if anneal.replicas.value == 1 {
        out.refuse(&anneal.replicas.span, format!("{scope} has one particle: a mean of weights needs many"), "write replicas = 1000 or so");
    }
    if let Some(leapfrog) = &anneal.leapfrog_steps {
        out.at_least_one("leapfrog_steps", leapfrog, "a proposal needs at least one");
    }
    if anneal.along.count().saturating_mul(anneal.runs.value).saturating_mul(anneal.steps_per_level.value.max(1)) > 1 << 40 {
        out.refuse(&anneal.along.span, format!("{scope} takes more than 10^12 steps"), "write fewer levels or runs");
    }
    let Some(temperatures) = anneal.along.temperatures() else { return };
    let values = temperatures.values(true);
    if values.iter().any(|t| *t <= 0.0 || t.is_infinite()) {
        out.refuse(&anneal.along.span, format!("a temperature of {scope} is not positive and finite"), "write positive temperatures");
    } else if values.windows(2).any(|w| w[1] >= w[0]) {
        let what = format!("`temperatures` of {scope} do not fall");
        out.refuse(&anneal.along.span, what, "begin with the hottest and end with the coldest: particles are cooled, not heated");
    }
}

/// The stage that particles come from is in equilibrium where the annealing begins.
pub(in crate::campaign) fn anneal_start(
    anneal: &Anneal,
    name: &Placed<String>,
    source: &Stage,
    units: UnitSystem,
    out: &mut Objections<'_>,
) {
    let scope = out.scope;
    let StageKind::Sample(sample) = &source.kind else {
        let what = format!("{scope} starts from `{}`, a stage that does not sample one state: it does {}", name.value, source.kind.name());
        out.refuse(&name.span, what, "start from a sample stage in equilibrium where the annealing begins");
        return;
    };
    let shown = |t: Thermal| shown(t.temperature(units), Kind::Temperature, units);
    let (first, hot) = (anneal.thermal.value.beta(units), sample.thermal.value.beta(units));
    // NaN where a temperature was not understood, and complained about
    if (first - hot).abs() > 1e-9 * first {
        let (here, there) = (shown(anneal.thermal.value), shown(sample.thermal.value));
        let what = format!("{scope} begins at temperature {here}, but stage `{}` samples at {there}", name.value);
        out.refuse(&name.span, what, format!("sample at {here}, or begin at {there}"));
    }
    let wanted = if anneal.along.temperatures().is_some() { 1.0 } else { 0.0 };
    let lambda = sample.lambda.as_ref().map_or(1.0, |l| l.value);
    if lambda != wanted {
        let what = format!("{scope} begins at lambda = {wanted}, but stage `{}` samples at lambda = {lambda}", name.value);
        out.refuse(&name.span, what, format!("write lambda = {wanted} in stage `{}`", name.value));
    }
}
