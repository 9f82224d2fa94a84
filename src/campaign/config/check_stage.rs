//! One stage: exactly one thing to do, references to earlier stages only, only the keys that its propagator or method understands.

use super::column::{Column, ColumnKind};
use super::document::TABLES;
use super::leaf::{Scalar, Word};
use super::placed::Placed;
use super::raw;
use super::resolve::default_tolerance;
use super::shape::{FrameList, OneOrMany, WordOr};
use super::texts::Drafts;
use super::types::{Axis, Discard, Estimate, Frames, Method, Minimise, Observe, Sample, Stage, StageKind, Start, Thermal};
use super::{check::path_safe, placed::NOWHERE};
use crate::campaign::nearest;
use crate::campaign::units::{Quantity, UnitSystem};

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
fn word(w: &Placed<Word>) -> Placed<String> {
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
    let given: Vec<(&str, &std::ops::Range<usize>)> = [
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
fn need<'a, T>(
    scope: &str,
    table: &str,
    key: &str,
    example: &str,
    given: Option<&'a T>,
    at: &std::ops::Range<usize>,
    drafts: &mut Drafts,
) -> Option<&'a T> {
    if given.is_none() {
        drafts.missing(scope, at, format!("`{table}` of {scope} has no `{key}`"), format!("write {key} = {example}"));
    }
    given
}

fn earlier_stage(
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
        Some(other) => format!("stage `{}` does not {want}: it is an {} stage", name.value, other.kind.name())
            .replace("an minimise", "a minimise")
            .replace("an sample", "a sample"),
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

fn start(scope: &str, given: Option<&Placed<WordOr<raw::Start>>>, earlier: Earlier<'_>, drafts: &mut Drafts) -> Start<Quantity> {
    let holds_positions = |kind: &StageKind<Quantity>| !matches!(kind, StageKind::Estimate(_));
    let Some(given) = given else { return Start::System };
    let forms = "write \"minimum\", \"my.pdb\", \"stage:NAME\", { structures = [\"a.pdb\", \"b.pdb\"] }, { run = \"DIR\", stage = \"NAME\", frames = \"last\" } or { random = \"0.1 nm\" }";
    let table = match &given.value {
        WordOr::Word(text) => {
            if text == "minimum" {
                return Start::System;
            }
            if let Some(name) = text.strip_prefix("stage:") {
                let name = given.with(name.trim().to_owned());
                earlier_stage(scope, &name, earlier, ("end in positions", "minimise or sample"), holds_positions, drafts);
                return Start::Stage(name);
            }
            if !text.to_ascii_lowercase().ends_with(".pdb") {
                let hint = earlier.stages.iter().any(|s| s.name.value == *text).then(|| format!("write start = \"stage:{text}\""));
                drafts.add(
                    scope,
                    &given.span,
                    format!("\"{}\" is no start", text.chars().take(40).collect::<String>()),
                    hint.unwrap_or_else(|| forms.to_owned()),
                );
            }
            return Start::Structures(vec![given.with(text.clone())]);
        }
        WordOr::Table(table) => table,
    };
    match (&table.stage, &table.run, &table.structures, &table.random) {
        (Some(name), None, None, None) => {
            let name = word(name);
            if let Some(frames) = &table.frames {
                drafts.add(
                    scope,
                    &frames.span,
                    "frames belong to a start from another run",
                    "a start from a stage takes its last positions: remove frames, or write run = \"DIR\" too",
                );
            }
            earlier_stage(scope, &name, earlier, ("end in positions", "minimise or sample"), holds_positions, drafts);
            Start::Stage(name)
        }
        (Some(stage), Some(run), None, None) => {
            let frames = match table.frames.as_ref().map(|f| (&f.value, &f.span)) {
                None => Frames::Last,
                Some((FrameList::Word(word), span)) => {
                    if word != "last" {
                        drafts.add(
                            scope,
                            span,
                            format!("frames are \"last\" or a list of numbers, not \"{}\"", word.chars().take(40).collect::<String>()),
                            "write frames = \"last\" or frames = [0, 100]",
                        );
                    }
                    Frames::Last
                }
                Some((FrameList::At(list), span)) => {
                    if list.is_empty() {
                        drafts.add(scope, span, "the list of frames is empty", "write frames = \"last\" or frames = [0, 100]");
                    }
                    Frames::At(list.clone())
                }
            };
            Start::Run { dir: word(run), stage: word(stage), frames }
        }
        (None, Some(run), None, None) => {
            drafts.missing(
                scope,
                &run.span,
                "the start names a run but no stage of it",
                "write start = { run = \"DIR\", stage = \"NAME\", frames = \"last\" }",
            );
            Start::System
        }
        (None, None, Some(structures), None) => {
            if structures.value.is_empty() {
                drafts.add(scope, &structures.span, "the list of structures is empty", "write structures = [\"a.pdb\"]");
            }
            Start::Structures(structures.value.iter().map(word).collect())
        }
        (None, None, None, Some(width)) => Start::Random(width.clone()),
        _ => {
            drafts.add(scope, &given.span, "this start is none of the known forms, or several at once", forms);
            Start::System
        }
    }
}

fn minimise(scope: &str, raw: &Placed<raw::Minimise>, earlier: Earlier<'_>, drafts: &mut Drafts) -> Minimise<Quantity> {
    Minimise {
        // reduced units have another default, put in where the units are known
        tolerance: raw.tolerance.clone().unwrap_or(Placed::default_of(default_tolerance(UnitSystem::Molecular))),
        max_steps: raw.max_steps.as_ref().map_or(Placed::default_of(1000), |n| n.with(n.value.0)),
        replicas: raw.replicas.as_ref().map(|n| n.with(n.value.0)),
        start: start(scope, raw.start.as_ref(), earlier, drafts),
    }
}

fn sample(scope: &str, raw: &Placed<raw::Sample>, earlier: Earlier<'_>, drafts: &mut Drafts) -> Option<Sample<Quantity>> {
    let at = &raw.span;
    let start = start(scope, raw.start.as_ref(), earlier, drafts);
    let propagator = need(scope, "sample", "propagator", "\"baoab\" (`ergodica list samplers`)", raw.propagator.as_ref(), at, drafts);
    let timestep = need(scope, "sample", "timestep", "\"1 fs\", or a bare number in reduced units", raw.timestep.as_ref(), at, drafts);
    let replicas = need(scope, "sample", "replicas", "64", raw.replicas.as_ref(), at, drafts);
    let steps = need(scope, "sample", "steps", "500_000", raw.steps.as_ref(), at, drafts);
    let thermal = match (&raw.temperature, &raw.beta) {
        (Some(t), None) => Some(t.with(Thermal::Temperature(t.value.clone()))),
        (None, Some(beta)) => Some(beta.with(Thermal::Beta(beta.value.clone()))),
        (Some(_), Some(beta)) => {
            drafts.add(scope, &beta.span, format!("`sample` of {scope} has both temperature and beta"), "keep one of the two");
            None
        }
        (None, None) => {
            drafts.missing(
                scope,
                at,
                format!("`sample` of {scope} has no temperature"),
                "write temperature = \"300 K\" (kT in reduced units) or beta",
            );
            None
        }
    };
    let kind = propagator?.value;
    let name = kind.name();
    if kind.has_friction() {
        need(scope, "sample", "friction", "\"1 /ps\", or a bare number in reduced units", raw.friction.as_ref(), at, drafts);
    } else if let Some(friction) = &raw.friction {
        drafts.add(scope, &friction.span, format!("{name} has no friction"), "remove it, or use baoab");
    }
    if !kind.metropolised() {
        if let Some(warmup) = &raw.warmup {
            let remedy = "remove it; the approach to equilibrium is left out by discard = \"50 ps\" or \"auto\"";
            drafts.add(scope, &warmup.span, format!("{name} has no step size to adapt, so it has no warmup"), remedy);
        }
        if let Some(target) = &raw.target_acceptance {
            drafts.add(
                scope,
                &target.span,
                format!("{name} accepts every step, so it has no target_acceptance"),
                "remove it, or use hmc or mala",
            );
        }
    }
    if let (Some(leapfrog), false) = (&raw.leapfrog_steps, name == "hmc") {
        drafts.add(scope, &leapfrog.span, format!("{name} has no leapfrog_steps"), "remove it, or use hmc");
    }
    let warmup = raw.warmup.as_ref().map_or(Placed::default_of(0), |n| n.with(n.value.0));
    if let (Some(target), true, 0) = (&raw.target_acceptance, kind.metropolised(), warmup.value) {
        drafts.add(
            scope,
            &target.span,
            "target_acceptance without a warmup: the step size only adapts there",
            "write warmup = 1000, or remove target_acceptance",
        );
    }
    let target = raw.target_acceptance.as_ref().map(|t| t.with(t.value.0));
    let target_default = if name == "hmc" { 0.8 } else { 0.574 };
    let discard = match raw.discard.as_ref().map(|d| (&d.value, d)) {
        None => Placed::default_of(Discard::Auto),
        Some((Scalar::Whole(steps), d)) if *steps >= 0 => d.with(Discard::Steps(steps.unsigned_abs())),
        Some((Scalar::Text(text), d)) if text == "auto" => d.with(Discard::Auto),
        Some((Scalar::Text(text), d)) => match Quantity::parse(text) {
            Ok(time) => d.with(Discard::Time(time)),
            Err(misfit) => {
                drafts.add(
                    scope,
                    &d.span,
                    format!("`discard` of {scope}: {}", misfit.what),
                    format!("{} (a whole number of steps and \"auto\" are fine too)", misfit.remedy),
                );
                d.with(Discard::Auto)
            }
        },
        Some((Scalar::Real(time), d)) if time.is_infinite() => {
            drafts.add(
                scope,
                &d.span,
                format!("`discard` of {scope} is {time}: nothing would be left"),
                "write a time, a number of steps, or \"auto\"",
            );
            d.with(Discard::Auto)
        }
        Some((Scalar::Real(time), d)) => d.with(Discard::Time(Quantity::bare(*time))),
        Some((Scalar::Whole(steps), d)) => {
            drafts.add(
                scope,
                &d.span,
                format!("`discard` of {scope} is {steps}"),
                "write a time (\"50 ps\"), a number of steps that is not negative, or \"auto\"",
            );
            d.with(Discard::Auto)
        }
    };
    Some(Sample {
        propagator: propagator?.clone(),
        timestep: timestep?.clone(),
        friction: raw.friction.clone(),
        thermal: thermal?,
        replicas: replicas.map(|n| n.with(n.value.0))?,
        steps: steps.map(|n| n.with(n.value.0))?,
        start,
        discard,
        target_acceptance: (warmup.value > 0).then(|| target.unwrap_or(Placed::default_of(target_default))),
        warmup,
        leapfrog_steps: (name == "hmc").then(|| raw.leapfrog_steps.as_ref().map_or(Placed::default_of(10), |n| n.with(n.value.0))),
        remove_com: raw.remove_com.as_ref().map(|f| f.with(f.value.0)),
    })
}

fn observe(scope: &str, raw: &Placed<raw::Observe>, sample: &raw::Sample, drafts: &mut Drafts) -> Option<Observe> {
    let every = need(scope, "observe", "every", "100", raw.every.as_ref(), &raw.span, drafts).map(|n| n.with(n.value.0));
    let columns = need(scope, "observe", "columns", "[\"positions\", \"energy\"]", raw.columns.as_ref(), &raw.span, drafts);
    let columns = columns.map(|c| c.value.clone()).unwrap_or_default();
    if let (Some(given), true) = (&raw.columns, columns.is_empty()) {
        drafts.missing(scope, &given.span, format!("`columns` of {scope} is empty"), "name what is to be stored, or remove observe");
    }
    for (i, column) in columns.iter().enumerate() {
        if columns[..i].iter().any(|c| c.value == column.value) {
            drafts.add(scope, &column.span, format!("column \"{}\" is listed twice", column.text), "remove one");
        }
        if let ColumnKind::Term(term) = &column.kind {
            drafts.add(
                scope,
                &column.span,
                format!("single terms are not stored: \"{}\"", column.text),
                format!("store \"terms\"; an estimate may then use \"energy:{term}\""),
            );
        }
        let moving = matches!(column.kind, ColumnKind::Velocities | ColumnKind::KineticTemperature);
        if let (true, Some(propagator)) = (moving, &sample.propagator)
            && !propagator.has_velocities()
        {
            let why = if propagator.overdamped() {
                "overdamped dynamics has no velocities"
            } else {
                "its momenta are drawn afresh for every proposal"
            };
            let what = format!("{} cannot store \"{}\": {why}", propagator.name(), column.text);
            drafts.add(scope, &column.span, what, "remove it; \"configurational_temperature\" needs no velocities");
        }
    }
    Some(Observe { every: every?, columns, precision: raw.precision.unwrap_or_default() })
}

fn estimate(
    scope: &str,
    raw: &Placed<raw::Estimate>,
    earlier: Earlier<'_>,
    declared: &[String],
    drafts: &mut Drafts,
) -> Option<Estimate<Quantity>> {
    let at = &raw.span;
    let method = need(scope, "estimate", "method", "\"mean\" (or \"fes\", \"timeseries\", \"basins\")", raw.method.as_ref(), at, drafts);
    let from = need(scope, "estimate", "from", "\"NAME\" of a sample stage", raw.from.as_ref(), at, drafts).map(word);
    if let Some(from) = &from {
        earlier_stage(scope, from, earlier, ("sample", "sample"), |kind| matches!(kind, StageKind::Sample(_)), drafts);
    }
    let method = method?.clone();
    let from = from?;
    let source = earlier.stages.iter().find(|s| s.name == from && matches!(s.kind, StageKind::Sample(_)));
    let stored = source.map(|s| s.observe.as_ref().map(|o| o.columns.as_slice()).unwrap_or_default());
    if method.value == Method::Basins {
        if let Some(of) = &raw.of {
            drafts.add(
                scope,
                &of.span,
                "basins are declared under [basins], not by `of`",
                "write basins = [\"NAME\"], or nothing for all of them",
            );
        }
    } else {
        need(scope, "estimate", "of", "[\"energy\"]", raw.of.as_ref(), at, drafts);
        if let Some(basins) = &raw.basins {
            drafts.add(scope, &basins.span, format!("{} does not use basins", method.name()), "remove it, or write method = \"basins\"");
        }
    }
    if method.value != Method::Fes {
        let fes_only = [raw.bins.as_ref().map(|b| ("bins", &b.span)), raw.range.as_ref().map(|r| ("range", &r.span))];
        for (key, span) in fes_only.into_iter().flatten() {
            drafts.add(scope, span, format!("{} has no {key}", method.name()), "remove it, or write method = \"fes\"");
        }
    }
    let mut of: Vec<Placed<Column>> = Vec::new();
    let words = raw.of.as_ref().map(|o| o.value.as_slice()).unwrap_or_default();
    if let (Some(given), true, true) = (&raw.of, words.is_empty(), method.value != Method::Basins) {
        drafts.missing(scope, &given.span, format!("`of` of {scope} is empty"), "name at least one column, for example [\"energy\"]");
    }
    for name in words {
        let Some(stored) = stored else { continue };
        match column(&name.value.0, stored) {
            Ok(column) if column.periodic() && method.value == Method::Mean => {
                let what = format!(
                    "\"{}\" is an angle on a circle, and means of such numbers say nothing (179 and -179 deg give 0)",
                    name.value.0
                );
                drafts.add(scope, &name.span, what, "use method = \"fes\", or basins");
            }
            Ok(column) if of.iter().any(|c| c.value == column) => {
                drafts.add(scope, &name.span, format!("\"{}\" is listed twice", name.value.0), "remove one");
            }
            Ok(column) => of.push(name.with(column)),
            Err((what, remedy)) => {
                drafts.missing(&format!("stage `{}`", from.value), &name.span, what.replace("STAGE", &from.value), remedy)
            }
        }
    }
    if method.value == Method::Fes && words.len() > 2 {
        let span = raw.of.as_ref().map_or(at, |o| &o.span);
        drafts.add(
            scope,
            span,
            format!("a free-energy surface of {} observables cannot be filled or drawn", words.len()),
            "name one or two",
        );
    }
    let axes = if method.value == Method::Fes && stored.is_some() { axes(scope, raw, &of, drafts) } else { Vec::new() };
    let basins = if method.value == Method::Basins { basins(scope, raw, declared, drafts) } else { Vec::new() };
    Some(Estimate { method, from, of, axes, basins })
}

/// The stored column that a word means.
fn column(word: &str, stored: &[Placed<Column>]) -> Result<Column, (String, String)> {
    let matches: Vec<&Column> = stored.iter().map(|c| &c.value).filter(|c| c.answers_to(word)).collect();
    let names: Vec<&str> = stored.iter().filter(|c| c.scalar()).map(|c| c.name()).collect();
    let shown: String = word.chars().take(60).collect();
    match matches[..] {
        [one] if one.scalar() => Ok(one.clone()),
        [array] => Err((
            format!("\"{}\" is an array, not a number a frame", array.text),
            format!("numbers that STAGE stores: {}", names.join(", ")).replace("STAGE", "it"),
        )),
        [] => {
            if let Ok(term @ Column { kind: ColumnKind::Term(_), .. }) = Column::parse(word)
                && stored.iter().any(|c| c.kind == ColumnKind::Terms)
            {
                return Ok(term);
            }
            let remedy = match (nearest(word, names.iter().copied()), names.is_empty()) {
                (Some(near), _) => format!("did you mean \"{near}\"? It stores: {}; else add the column to its observe", names.join(", ")),
                (None, true) => "it stores no numbers: add the column to its observe".to_owned(),
                (None, false) => format!("it stores: {}; add the column to its observe", names.join(", ")),
            };
            Err((format!("stage `STAGE` does not store \"{shown}\""), remedy))
        }
        _ => {
            let texts: Vec<&str> = matches.iter().map(|c| c.text.as_str()).collect();
            Err((format!("\"{shown}\" may mean {}", texts.join(" or ")), "write the whole name".to_owned()))
        }
    }
}

fn axes(scope: &str, raw: &raw::Estimate, of: &[Placed<Column>], drafts: &mut Drafts) -> Vec<Axis<Quantity>> {
    let default = if of.len() == 2 { 36 } else { 60 };
    let bins: Vec<Placed<u64>> = match raw.bins.as_ref().map(|b| (&b.value, b)) {
        None => of.iter().map(|_| Placed::default_of(default)).collect(),
        Some((OneOrMany::One(n), b)) => of.iter().map(|_| b.with(n.value.0)).collect(),
        Some((OneOrMany::Many(list), b)) => {
            if list.len() != of.len() && !of.is_empty() {
                drafts.add(
                    scope,
                    &b.span,
                    format!("`bins` has {} entries, `of` has {}", list.len(), of.len()),
                    "write one number for all, or one for each",
                );
                return Vec::new();
            }
            list.iter().map(|n| n.with(n.value.0)).collect()
        }
    };
    let mut ranges: Vec<Option<(Placed<Quantity>, Placed<Quantity>)>> = vec![None; of.len()];
    for (key, ends) in raw.range.as_ref().map(|r| r.value.0.as_slice()).unwrap_or_default() {
        let Some(i) = of.iter().position(|c| c.answers_to(key)) else {
            let names: Vec<&str> = of.iter().map(|c| c.name()).collect();
            drafts.add(
                scope,
                &key.span,
                format!("range of `{}`, which is not in `of`", key.value),
                format!("observables: {}", names.join(", ")),
            );
            continue;
        };
        match &ends.value[..] {
            [lower, upper] => ranges[i] = Some((lower.clone(), upper.clone())),
            other => {
                drafts.add(scope, &ends.span, format!("the range of `{}` is a list of {}", key.value, other.len()), "write [lower, upper]")
            }
        }
    }
    bins.into_iter().zip(ranges).map(|(bins, range)| Axis { bins, range }).collect()
}

fn basins(scope: &str, raw: &raw::Estimate, declared: &[String], drafts: &mut Drafts) -> Vec<Placed<String>> {
    let Some(given) = &raw.basins else {
        if declared.is_empty() {
            let span = raw.method.as_ref().map_or(NOWHERE, |m| m.span.clone());
            drafts.missing(
                scope,
                &span,
                "the campaign declares no basins",
                "write [basins.NAME] with, for example, phi = [\"0 deg\", \"120 deg\"]",
            );
        }
        return declared.iter().map(|name| Placed::default_of(name.clone())).collect();
    };
    let names: Vec<Placed<String>> = given.value.iter().map(word).collect();
    for name in &names {
        if !declared.contains(&name.value) {
            let remedy = match nearest(name, declared.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declared: {}", declared.join(", ")),
            };
            drafts.add(scope, &name.span, format!("no basin is called `{}`", name.value), remedy);
        }
    }
    if names.is_empty() {
        drafts.add(scope, &given.span, "the list of basins is empty", "name some, or remove it for all of them");
    }
    names
}
