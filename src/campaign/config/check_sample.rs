//! What a sample or minimise stage says: where it starts, how it moves, what it stores.

use std::ops::Range;

use super::check_stage::{Earlier, earlier_stage, need, word};
use super::column::ColumnKind;
use super::leaf::Scalar;
use super::placed::Placed;
use super::propagator::Propagator;
use super::raw;
use super::resolve::default_tolerance;
use super::sample::{Discard, Frames, Minimise, Observe, Sample, Start, Thermal};
use super::shape::{FrameList, WordOr};
use super::stage::StageKind;
use super::texts::Drafts;
use crate::campaign::units::{Quantity, UnitSystem};

/// Where a stage starts.
pub(super) fn start(scope: &str, given: Option<&Placed<WordOr<raw::Start>>>, earlier: Earlier<'_>, drafts: &mut Drafts) -> Start<Quantity> {
    let holds_positions = |kind: &StageKind<Quantity>| {
        !matches!(kind, StageKind::Estimate(_) | StageKind::Anneal(_) | StageKind::Switch(_) | StageKind::Metadynamics(_))
    };
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

/// Checks a `minimise` table.
pub(super) fn minimise(scope: &str, raw: &Placed<raw::Minimise>, earlier: Earlier<'_>, drafts: &mut Drafts) -> Minimise<Quantity> {
    Minimise {
        // reduced units have another default, put in where the units are known
        tolerance: raw.tolerance.clone().unwrap_or(Placed::default_of(default_tolerance(UnitSystem::Molecular))),
        max_steps: raw.max_steps.as_ref().map_or(Placed::default_of(1000), |n| n.with(n.value.0)),
        replicas: raw.replicas.as_ref().map(|n| n.with(n.value.0)),
        start: start(scope, raw.start.as_ref(), earlier, drafts),
    }
}

/// Checks a `sample` table.
pub(super) fn sample(scope: &str, raw: &Placed<raw::Sample>, earlier: Earlier<'_>, drafts: &mut Drafts) -> Option<Sample<Quantity>> {
    let thermal = thermal(scope, "sample", (raw.temperature.as_ref(), raw.beta.as_ref()), &raw.span, drafts);
    chain(scope, "sample", raw, thermal, earlier, drafts)
}

/// Temperature or beta, exactly one of them.
pub(super) fn thermal(
    scope: &str,
    table: &str,
    given: (Option<&Placed<Quantity>>, Option<&Placed<Quantity>>),
    at: &Range<usize>,
    drafts: &mut Drafts,
) -> Option<Placed<Thermal<Quantity>>> {
    match given {
        (Some(t), None) => Some(t.with(Thermal::Temperature(t.value.clone()))),
        (None, Some(beta)) => Some(beta.with(Thermal::Beta(beta.value.clone()))),
        (Some(_), Some(beta)) => {
            drafts.add(scope, &beta.span, format!("`{table}` of {scope} has both temperature and beta"), "keep one of the two");
            None
        }
        (None, None) => {
            drafts.missing(
                scope,
                at,
                format!("`{table}` of {scope} has no temperature"),
                "write temperature = \"300 K\" (kT in reduced units) or beta",
            );
            None
        }
    }
}

/// Constant energy has no temperature that could be exchanged or biased.
pub(super) fn thermostatted(scope: &str, raw: &raw::Sample, drafts: &mut Drafts) {
    if let Some(p) = raw.propagator.as_ref().filter(|p| p.value == Propagator::VelocityVerlet) {
        let what = format!("velocity_verlet keeps the energy, and {scope} needs replicas at a temperature");
        drafts.add(scope, &p.span, what, "use baoab, hmc or another propagator with a heat bath");
    }
}

/// Checks the keys of a chain; `thermal` is its temperature, wherever it was written.
pub(super) fn chain(
    scope: &str,
    table: &str,
    raw: &Placed<raw::Sample>,
    thermal: Option<Placed<Thermal<Quantity>>>,
    earlier: Earlier<'_>,
    drafts: &mut Drafts,
) -> Option<Sample<Quantity>> {
    let at = &raw.span;
    let start = start(scope, raw.start.as_ref(), earlier, drafts);
    let propagator = need(scope, table, "propagator", "\"baoab\" (`ergodica list samplers`)", raw.propagator.as_ref(), at, drafts);
    let timestep = need(scope, table, "timestep", "\"1 fs\", or a bare number in reduced units", raw.timestep.as_ref(), at, drafts);
    let replicas = need(scope, table, "replicas", "64", raw.replicas.as_ref(), at, drafts);
    // of a switching they are a product
    let steps = if table == "switch" { raw.steps.as_ref() } else { need(scope, table, "steps", "500_000", raw.steps.as_ref(), at, drafts) };
    let kind = propagator?.value;
    let name = kind.name();
    keys_of_propagator(scope, table, kind, raw, drafts);
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
    let discard = discard(scope, raw.discard.as_ref(), drafts);
    Some(Sample {
        propagator: propagator?.clone(),
        timestep: timestep?.clone(),
        friction: raw.friction.clone(),
        thermal: thermal?,
        lambda: raw.lambda.as_ref().map(|l| l.with(l.value.0)),
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

/// Checks a `observe` table.
/// `ladder`: the stage stores something of its own, so that no column need be named.
pub(super) fn observe(scope: &str, raw: &Placed<raw::Observe>, sample: &raw::Sample, ladder: bool, drafts: &mut Drafts) -> Option<Observe> {
    let every = need(scope, "observe", "every", "100", raw.every.as_ref(), &raw.span, drafts).map(|n| n.with(n.value.0));
    let columns = need(scope, "observe", "columns", "[\"positions\", \"energy\"]", raw.columns.as_ref(), &raw.span, drafts);
    let columns = columns.map(|c| c.value.clone()).unwrap_or_default();
    if let (Some(given), true, false) = (&raw.columns, columns.is_empty(), ladder) {
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

/// What a sample stage leaves out at its start.
fn discard(scope: &str, given: Option<&Placed<Scalar>>, drafts: &mut Drafts) -> Placed<Discard<Quantity>> {
    match given.map(|d| (&d.value, d)) {
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
    }
}

/// Keys that the propagator needs, and keys that mean nothing to it.
fn keys_of_propagator(scope: &str, table: &str, kind: Propagator, raw: &Placed<raw::Sample>, drafts: &mut Drafts) {
    let name = kind.name();
    if kind.has_friction() {
        need(scope, table, "friction", "\"1 /ps\", or a bare number in reduced units", raw.friction.as_ref(), &raw.span, drafts);
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
}
