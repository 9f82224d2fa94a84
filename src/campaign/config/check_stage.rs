//! One stage: exactly one thing to do, references to earlier stages only, only the keys that its propagator or method understands.

use std::ops::Range;

use super::check::path_safe;
use super::check_anneal::anneal;
use super::check_estimate::estimate;
use super::check_ladder::{exchange, expanded};
use super::check_metadynamics::metadynamics;
use super::check_sample::{minimise, observe, sample};
use super::check_switch::switch;
use super::document::TABLES;
use super::leaf::{Count, Word};
use super::path::Path;
use super::placed::Placed;
use super::raw;
use super::sample::{Observe, Precision};
use super::stage::{Stage, StageKind};
use super::texts::Drafts;
use crate::campaign::nearest;
use crate::campaign::units::Quantity;

/// The stages before this one.
#[derive(Clone, Copy)]
pub(super) struct Earlier<'a> {
    /// Those that could be read.
    pub(super) stages: &'a [Stage<Quantity>],
    /// Names of those that could not: no complaint that they are not there. None stands for a stage without a name.
    pub(super) lost: &'a [Option<String>],
    /// Names of all stages of the campaign.
    pub(super) all: &'a [String],
    /// What lambda does.
    pub(super) path: Option<&'a Path<Quantity>>,
}

/// A word with its place.
pub(super) fn word(w: &Placed<Word>) -> Placed<String> {
    w.with(w.value.0.clone())
}

/// Checks one stage; none if too little of it is there to refer to.
pub(super) fn stage(
    index: usize,
    raw: Placed<raw::Stage>,
    earlier: Earlier<'_>,
    basins: &[String],
    drafts: &mut Drafts,
) -> Option<Stage<Quantity>> {
    let span = raw.span.clone();
    let raw = raw.value;
    let Some(name) = raw.name.as_ref().map(word) else {
        drafts.missing(
            &format!("stage number {}", index + 1),
            &span,
            format!("stage number {} has no name", index + 1),
            "write name = \"...\" below [[stage]]",
        );
        return None;
    };
    let scope = format!("stage `{}`", name.value);
    path_safe(&scope, "name of a stage", &name, drafts);
    if TABLES.contains(&name.as_str()) {
        drafts.add(
            &scope,
            &name.span,
            format!("a stage cannot be called \"{}\": that is a table of the campaign", name.value),
            "choose another name",
        );
    }
    if earlier.stages.iter().any(|s| s.name == name) {
        drafts.add(&scope, &name.span, format!("two stages are called `{}`", name.value), "names of stages are unique: rename one");
    }
    let given: Vec<(&str, &Range<usize>)> = [
        raw.minimise.as_ref().map(|t| ("minimise", &t.span)),
        raw.sample.as_ref().map(|t| ("sample", &t.span)),
        raw.exchange.as_ref().map(|t| ("exchange", &t.span)),
        raw.expanded.as_ref().map(|t| ("expanded", &t.span)),
        raw.metadynamics.as_ref().map(|t| ("metadynamics", &t.span)),
        raw.anneal.as_ref().map(|t| ("anneal", &t.span)),
        raw.switch.as_ref().map(|t| ("switch", &t.span)),
        raw.estimate.as_ref().map(|t| ("estimate", &t.span)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let [(first, _), (second, at), ..] = given[..] {
        drafts.add(&scope, at, format!("{scope} has both {first} and {second}"), "a stage does one thing: make two stages of it");
    }
    // the keys of the chain that an observe table describes, and the spacing of its frames unless it says otherwise
    let watched: Option<(raw::Sample, Option<u64>)> = raw
        .sample
        .as_ref()
        .map(|t| (t.value.clone(), None))
        .or(raw.exchange.as_ref().map(|t| (t.chain(), t.swap_every.as_ref().map(|n| n.value.0))))
        .or(raw.expanded.as_ref().map(|t| (t.chain(), t.jump_every.as_ref().map(|n| n.value.0))))
        .or(raw.metadynamics.as_ref().map(|t| (t.chain(), t.every.as_ref().map(|n| n.value.0))));
    if let (Some(observe), None, false) = (&raw.observe, &watched, given.is_empty()) {
        let what = match given[0].0 {
            "anneal" | "switch" => format!("{scope} stores its works and weights, and nothing else: there is nothing to observe"),
            _ => format!("{scope} does not sample, so there is nothing to observe"),
        };
        drafts.add(&scope, &observe.span, what, "move observe to the sample stage");
    }
    let raw_sample = raw.sample.as_ref();
    let observe = match (&watched, raw.observe) {
        (Some((chain, _)), Some(raw)) => observe(&scope, &raw, chain, raw_sample.is_none(), drafts),
        (Some((_, Some(every))), None) => Some(every_frame(*every)),
        _ => None,
    };
    let budget = budget(&scope, raw.budget, &given, observe.as_ref(), drafts);
    let kind = if let Some(raw) = raw.sample {
        StageKind::Sample(sample(&scope, &raw, earlier, drafts)?)
    } else if let Some(raw) = raw.minimise {
        StageKind::Minimise(minimise(&scope, &raw, earlier, drafts))
    } else if let Some(raw) = raw.exchange {
        StageKind::Exchange(exchange(&scope, &raw, earlier, drafts)?)
    } else if let Some(raw) = raw.expanded {
        StageKind::Expanded(expanded(&scope, &raw, earlier, drafts)?)
    } else if let Some(raw) = raw.metadynamics {
        StageKind::Metadynamics(metadynamics(&scope, &raw, earlier, drafts)?)
    } else if let Some(raw) = raw.anneal {
        StageKind::Anneal(anneal(&scope, &raw, earlier, drafts)?)
    } else if let Some(raw) = raw.switch {
        StageKind::Switch(switch(&scope, &raw, earlier, drafts)?)
    } else if let Some(raw) = raw.estimate {
        StageKind::Estimate(estimate(&scope, &raw, earlier, basins, drafts)?)
    } else {
        let remedy = "write one of minimise = { ... }, sample = { ... }, exchange, expanded, metadynamics, anneal, switch, estimate";
        drafts.missing(&scope, &name.span, format!("{scope} does nothing: it has neither minimise nor sample nor estimate"), remedy);
        return None;
    };
    Some(Stage { name, kind, observe, budget })
}

/// What a stage on a ladder stores when nothing is said: the state and the reduced energies.
fn every_frame(every: u64) -> Observe {
    Observe { every: Placed::default_of(every), columns: Vec::new(), precision: Precision::default() }
}

/// The budget of a stage that evaluates energies.
fn budget(
    scope: &str,
    raw: Option<Placed<raw::Budget>>,
    given: &[(&str, &Range<usize>)],
    observe: Option<&Observe>,
    drafts: &mut Drafts,
) -> Option<Placed<u64>> {
    let raw = raw?;
    if let Some((kind @ ("minimise" | "estimate"), _)) = given.first() {
        drafts.add(scope, &raw.span, format!("{scope} does not sample ({kind}), so it has no budget"), "move it to a stage that samples");
        return None;
    }
    if let (Some(("sample", _)), None) = (given.first(), observe) {
        let what = format!("{scope} has a budget and stores no frames: it is with a frame that the calls are counted");
        drafts.add(scope, &raw.span, what, "write observe = { every = .., columns = [..] }");
    }
    let calls = need(scope, "budget", "energy_calls", "1_000_000", raw.energy_calls.as_ref(), &raw.span, drafts)?;
    if calls.value.0 == 0 {
        drafts.add(scope, &calls.span, format!("the budget of {scope} is 0: nothing would happen"), "write energy_calls = 1 or more");
    }
    Some(calls.with(calls.value.0))
}

/// Asks for a key that must be there.
pub(super) fn need<'a, T>(
    scope: &str,
    table: &str,
    key: &str,
    example: &str,
    given: Option<&'a T>,
    at: &Range<usize>,
    drafts: &mut Drafts,
) -> Option<&'a T> {
    if given.is_none() {
        drafts.missing(scope, at, format!("`{table}` of {scope} has no `{key}`"), format!("write {key} = {example}"));
    }
    given
}

/// A count with a default.
pub(super) fn count(given: Option<&Placed<Count>>, default: u64) -> Placed<u64> {
    given.map_or(Placed::default_of(default), |n| n.with(n.value.0))
}

/// Complains unless `name` is an earlier stage that `fits`. `want`: what it should do, `kinds`: which stages do.
pub(super) fn earlier_stage(
    scope: &str,
    name: &Placed<String>,
    earlier: Earlier<'_>,
    (want, kinds): (&str, &str),
    fits: impl Fn(&StageKind<Quantity>) -> bool,
    drafts: &mut Drafts,
) {
    let names: Vec<&str> = earlier.stages.iter().filter(|s| fits(&s.kind)).map(|s| s.name.as_str()).collect();
    let lost = earlier.lost.iter().any(|l| l.as_deref().is_none_or(|l| l == name.value));
    if names.contains(&name.as_str()) || lost {
        return;
    }
    let what = match earlier.stages.iter().find(|s| s.name == *name) {
        Some(other) => format!("stage `{}` does not {want}: what it does is {}", name.value, other.kind.name()),
        None if scope == format!("stage `{}`", name.value) => format!("{scope} refers to itself"),
        None if earlier.all.contains(&name.value) => format!("stage `{}` comes after {scope}, so there is nothing to read yet", name.value),
        None => format!("no stage before {scope} is called `{}`", name.value),
    };
    let lost = earlier.lost.iter().flatten().map(String::as_str);
    let remedy = match (nearest(name, names.iter().copied().chain(lost)), names.is_empty()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, true) => format!("a {kinds} stage must come before it"),
        (None, false) => format!("earlier stages that {want}: {}", names.join(", ")),
    };
    drafts.add(scope, &name.span, what, remedy);
}
