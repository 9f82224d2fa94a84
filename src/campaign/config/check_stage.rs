//! One stage: exactly one thing to do, references to earlier stages only, only the keys that its propagator or method understands.

use std::ops::Range;

use super::check::path_safe;
use super::check_estimate::estimate;
use super::check_sample::{minimise, observe, sample};
use super::document::TABLES;
use super::leaf::Word;
use super::placed::Placed;
use super::raw;
use super::texts::Drafts;
use super::types::{Stage, StageKind};
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
        raw.estimate.as_ref().map(|t| ("estimate", &t.span)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let [(first, _), (second, at), ..] = given[..] {
        drafts.add(&scope, at, format!("{scope} has both {first} and {second}"), "a stage does one thing: make two stages of it");
    }
    if let (Some(observe), true) = (&raw.observe, raw.sample.is_none() && !given.is_empty()) {
        drafts.add(
            &scope,
            &observe.span,
            format!("{scope} does not sample, so there is nothing to observe"),
            "move observe to the sample stage",
        );
    }
    let observe = match (&raw.sample, raw.observe) {
        (Some(sample), Some(raw)) => observe(&scope, &raw, &sample.value, drafts),
        _ => None,
    };
    let kind = if let Some(raw) = raw.sample {
        StageKind::Sample(sample(&scope, &raw, earlier, drafts)?)
    } else if let Some(raw) = raw.minimise {
        StageKind::Minimise(minimise(&scope, &raw, earlier, drafts))
    } else if let Some(raw) = raw.estimate {
        StageKind::Estimate(estimate(&scope, &raw, earlier, basins, drafts)?)
    } else {
        let remedy = "write one of minimise = { ... }, sample = { ... }, estimate = { ... }";
        drafts.missing(&scope, &name.span, format!("{scope} does nothing: it has neither minimise nor sample nor estimate"), remedy);
        return None;
    };
    Some(Stage { name, kind, observe })
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
