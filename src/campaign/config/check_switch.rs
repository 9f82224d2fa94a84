//! What a switching says: equilibria at the ends, and how they are left.

use super::check_rungs::levels;
use super::check_sample::{chain, thermal};
use super::check_stage::{Earlier, count, need};
use super::map::map;
use super::placed::Placed;
use super::raw_kinds;
use super::sample::Discard;
use super::switch::{Directions, Switch};
use super::texts::Drafts;
use crate::campaign::units::Quantity;

/// Checks a `switch` table.
pub(super) fn switch(scope: &str, raw: &Placed<raw_kinds::Switch>, earlier: Earlier<'_>, drafts: &mut Drafts) -> Option<Switch<Quantity>> {
    let at = &raw.span;
    let warmth = thermal(scope, "switch", (raw.temperature.as_ref(), raw.beta.as_ref()), at, drafts);
    if let Some(p) = raw.propagator.as_ref().filter(|p| !p.value.metropolised()) {
        let what = format!("{} does not keep the states of {scope} exactly: its works would be biased silently", p.value.name());
        drafts.add(scope, &p.span, what, "use hmc or mala");
    }
    let equilibrate = need(scope, "switch", "equilibrate", "10_000", raw.equilibrate.as_ref(), at, drafts);
    let shots = need(scope, "switch", "shots", "20", raw.shots.as_ref(), at, drafts);
    let spacing = need(scope, "switch", "spacing", "1000", raw.spacing.as_ref(), at, drafts);
    for (key, n) in [("shots", shots), ("spacing", spacing)] {
        if let Some(n) = n.filter(|n| n.value.0 == 0) {
            drafts.add(scope, &n.span, format!("`{key}` of {scope} is 0"), format!("write {key} = 1 or more"));
        }
    }
    let mut sample = chain(scope, "switch", &raw.with(raw.chain()), warmth, earlier, drafts);
    if let (Some(sample), Some(n)) = (&mut sample, equilibrate) {
        sample.discard = Placed::default_of(Discard::Steps(0));
        // equilibration is no adaptation: the steps before the first shot are counted, the step size is as given
        sample.steps.value = sample.steps.value.saturating_add(n.value.0);
    }
    let levels = levels(scope, "switch", (raw.levels.as_ref(), raw.lambdas.as_ref()), at, drafts);
    Some(Switch {
        sample: sample?,
        equilibrate: equilibrate.map(|n| n.with(n.value.0))?,
        shots: shots.map(|n| n.with(n.value.0))?,
        spacing: spacing.map(|n| n.with(n.value.0))?,
        levels: levels?,
        map: map(scope, raw.map.as_ref(), drafts),
        steps_per_level: count(raw.steps_per_level.as_ref(), 1),
        directions: raw.directions.clone().unwrap_or(Placed::default_of(Directions::Both)),
    })
}
