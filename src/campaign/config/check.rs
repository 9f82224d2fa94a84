//! What must be there and what must fit together, before any number is looked at: the head, the system, the basins, the stages in order.

use std::ops::Range;
use std::sync::Arc;

use super::campaign::Campaign;
use super::check_path::{own_lambda, path};
use super::check_stage::{Earlier, stage};
use super::estimates::{Basin, Diagnostics, Side};
use super::formula;
use super::leaf::{Any, Scalar, Word};
use super::observables;
use super::placed::{NOWHERE, Placed};
use super::raw;
use super::resolved::Interval;
use super::stage::{Stage, StageKind};
use super::system::{System, SystemFrom, Value};
use super::texts::{ANY, Drafts, Texts};
use crate::campaign::nearest;
use crate::campaign::units::{Kind, Misfit, Quantity, UnitSystem};

/// Builds the campaign; the caller adds the sweep.
pub(super) fn campaign(document: raw::Document, texts: &Arc<Texts>, drafts: &mut Drafts) -> Campaign {
    let end = 0..0;
    if document.campaign.is_none() {
        drafts.missing("[campaign]", &end, "there is no [campaign] table", "begin with [campaign] and name = \"...\"");
    }
    let (head, head_span) = document.campaign.map_or((raw::Head::default(), None), |h| (h.value, Some(h.span)));
    if let (None, Some(span)) = (&head.name, &head_span) {
        drafts.missing("[campaign]", span, "the campaign has no name", "write name = \"...\" in [campaign]; the run directory gets it too");
    }
    let name = head.name.map_or(Placed::default_of(String::new()), |n| n.with(n.value.0.clone()));
    if !name.span.is_empty() && name.span != NOWHERE {
        path_safe("[campaign]", "name of the campaign", &name, drafts);
    }
    let seed = head.seed.map(|s| s.with(s.value.0));
    let checkpoint = head.checkpoint.map_or(Placed::default_of(Interval::Seconds(300.0)), |c| interval(&c, drafts));
    let system = match document.system {
        Some(system) => self::system(system, texts, drafts),
        None if document.stage.as_ref().is_some_and(|all| !all.is_empty() && all.iter().all(|s| reads_files(&s.value))) => {
            System { from: SystemFrom::Data, ..nothing() }
        }
        None => {
            drafts.missing(
                "[system]",
                &end,
                "there is no [system] table",
                "write [system] with name = \"...\" (`ergodica list systems`), or file and coordinates, or formula and variables",
            );
            nothing()
        }
    };
    let path = document.path.as_ref().and_then(|p| path(p, drafts));
    let raw_stages = document.stage.unwrap_or_default();
    if raw_stages.is_empty() {
        drafts.missing("stages", &end, "the campaign has no stage", "write [[stage]] with a name and one of minimise, sample, estimate");
    }
    let mut stages: Vec<Stage<Quantity>> = Vec::new();
    let mut lost: Vec<Option<String>> = Vec::new();
    let all: Vec<String> = raw_stages.iter().filter_map(|s| Some(s.value.name.as_ref()?.value.0.clone())).collect();
    let declared: Vec<String> = document.basins.iter().flat_map(|b| b.0.iter().map(|(name, _)| name.value.clone())).collect();
    for (i, raw) in raw_stages.into_iter().enumerate() {
        let name = raw.value.name.as_ref().map(|n| n.value.0.clone());
        match stage(i, raw, Earlier { stages: &stages, lost: &lost, all: &all, path: path.as_deref() }, &declared, drafts) {
            Some(next) => stages.push(next),
            None => lost.push(name),
        }
    }
    let basins = document
        .basins
        .map_or(Vec::new(), |b| b.0.into_iter().map(|(name, sides)| basin(name, sides, &stages, !lost.is_empty(), drafts)).collect());
    basins_of_estimates(&stages, &basins, drafts);
    if path.is_none() && document.path.is_none() {
        path_needed(&stages, drafts);
    }
    if let Some(path) = &path {
        own_lambda(path, &system, texts, drafts);
    }
    super::map::maps(&stages, &system, texts, drafts);
    let text = |word: Option<Placed<Word>>| word.map(|w| w.value.0);
    Campaign {
        name,
        title: text(head.title),
        description: text(head.description),
        seed,
        checkpoint,
        system,
        path,
        basins,
        stages,
        diagnostics: diagnostics(document.diagnostics),
        sweep: Vec::new(),
        points: Vec::new(),
        texts: Arc::clone(texts),
    }
}

/// Annealing and switching go along a path; a formula may have its own lambda.
fn path_needed(stages: &[Stage<Quantity>], drafts: &mut Drafts) {
    for stage in stages {
        if let StageKind::Anneal(anneal) = &stage.kind
            && anneal.along.temperatures().is_none()
        {
            let scope = format!("stage `{}`", stage.name.value);
            let remedy = "write [path] with kind = \"geometric\" and base = { normal = 1.5 }, or another kind; or go along temperatures";
            drafts.add(&scope, &anneal.kernel.span, format!("{scope} anneals, but the campaign has no [path]"), remedy);
        }
    }
}

/// Names become folders, keys of [sweep] and of random streams.
pub(super) fn path_safe(scope: &str, what: &str, name: &Placed<String>, drafts: &mut Drafts) {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > 100 || !name.chars().all(good) {
        let suggestion: String = name.chars().take(100).map(|c| if good(c) { c } else { '-' }).collect();
        let remedy = match suggestion.as_str() {
            "" => "write at least one letter".to_owned(),
            _ => format!("use letters, digits, - and _ only (at most 100): \"{suggestion}\""),
        };
        drafts.add(scope, &name.span, format!("\"{}\" cannot be the {what}", name.chars().take(40).collect::<String>()), remedy);
    }
}

fn interval(written: &Placed<Scalar>, drafts: &mut Drafts) -> Placed<Interval> {
    let remedy = "write a time on the clock (\"5 min\", \"90 s\") or a number of steps (\"10000 steps\")";
    let read = |text: &str| -> Result<Interval, Misfit> {
        if let Some(steps) = text.trim().strip_suffix("steps").or_else(|| text.trim().strip_suffix("step")) {
            let steps = steps.trim().replace('_', "").parse::<u64>();
            return steps
                .map(Interval::Steps)
                .map_err(|_| Misfit { what: format!("\"{text}\" is not a whole number of steps"), remedy: remedy.to_owned() });
        }
        let quantity = Quantity::parse(text)?;
        Ok(Interval::Seconds(quantity.resolve("checkpoint", Kind::WallClock, UnitSystem::Molecular)?))
    };
    let result = match &written.value {
        Scalar::Text(text) => read(text),
        Scalar::Whole(steps) => read(&format!("{steps} steps")),
        Scalar::Real(number) => Err(Misfit { what: format!("`checkpoint` is the bare number {number}"), remedy: remedy.to_owned() }),
    };
    let result = result.and_then(|interval| match interval {
        Interval::Steps(0) => Err(Misfit { what: "`checkpoint` is 0 steps".to_owned(), remedy: remedy.to_owned() }),
        Interval::Seconds(s) if s <= 0.0 || s > 1e9 => {
            Err(Misfit { what: format!("`checkpoint` is {s} s: it must be more than 0 and at most 30 years"), remedy: remedy.to_owned() })
        }
        fine => Ok(fine),
    });
    match result {
        Ok(interval) => written.with(interval),
        Err(misfit) => {
            drafts.add("[campaign]", &written.span, misfit.what, misfit.remedy);
            written.with(Interval::Seconds(300.0))
        }
    }
}

/// Such stages need no system.
fn reads_files(stage: &raw::Stage) -> bool {
    stage.estimate.as_ref().is_some_and(|e| e.value.files.is_some() || e.value.legs.is_some())
}

fn nothing() -> System {
    System { from: SystemFrom::Name(Placed::default_of(String::new())), parameters: Vec::new(), observables: Vec::new(), restraint: None }
}

fn system(raw: Placed<raw::System>, texts: &Texts, drafts: &mut Drafts) -> System {
    let span = raw.span.clone();
    let mut raw = raw.value;
    let scope = "[system]";
    let mut parameters = Vec::new();
    for (key, any) in raw.parameters.take().map_or(Vec::new(), |p| p.0) {
        match value(&any.value) {
            Ok(value) => parameters.push((key, any.with(value))),
            Err(misfit) => drafts.add(scope, &any.span, format!("parameter `{}`: {}", key.value, misfit.what), misfit.remedy),
        }
    }
    let observables = observables::observables(raw.observables.take(), texts, drafts);
    let restraint = observables::restraint(raw.restraint.take(), texts, drafts);
    if let Some(text) = raw.formula.take() {
        let (from, parameters) = formula::system(text, raw, parameters, texts, drafts);
        return System { from, parameters, observables, restraint };
    }
    formula::stray(&raw, drafts);
    let word = |w: Placed<Word>| w.with(w.value.0.clone());
    let from = match (raw.name, raw.file, raw.coordinates) {
        (Some(name), None, None) => SystemFrom::Name(word(name)),
        (None, Some(file), Some(coordinates)) => SystemFrom::File { file: word(file), coordinates: word(coordinates) },
        (Some(_), Some(file), _) => {
            drafts.add(
                scope,
                &file.span,
                "[system] has both a name and a file",
                "keep one: name = \"...\", or file = \"...\" with coordinates = \"...\"",
            );
            return nothing();
        }
        (Some(_), None, Some(coordinates)) => {
            let remedy = "remove it; to start elsewhere write start = \"my.pdb\" in a stage";
            drafts.add(scope, &coordinates.span, "a named system brings its own coordinates", remedy);
            return nothing();
        }
        (None, Some(file), None) => {
            drafts.missing(
                scope,
                &file.span,
                "[system] has a file but no coordinates",
                "write coordinates = \"my.pdb\": atom names and a start come from there",
            );
            return nothing();
        }
        (None, None, Some(coordinates)) => {
            drafts.missing(scope, &coordinates.span, "[system] has coordinates but no file", "write file = \"my.xml\" (an OpenMM System)");
            return nothing();
        }
        (None, None, None) => {
            drafts.missing(
                scope,
                &span,
                "[system] names no system",
                "write name = \"...\" (`ergodica list systems`), or file and coordinates, or formula and variables",
            );
            return nothing();
        }
    };
    for text in match &from {
        SystemFrom::Name(name) => vec![name],
        SystemFrom::File { file, coordinates } => vec![file, coordinates],
        SystemFrom::Formula(_) | SystemFrom::Data => Vec::new(),
    } {
        if text.trim().is_empty() {
            drafts.add(scope, &text.span, "an empty text names nothing", "write the name of a system or the path of a file");
        }
    }
    System { from, parameters, observables, restraint }
}

fn value(any: &Any) -> Result<Value, Misfit> {
    Ok(match any {
        Any::Number(x) if x.is_finite() => Value::Number(Quantity::bare(*x)),
        Any::Number(x) => return Err(Misfit { what: format!("{x} is not a finite number"), remedy: "write a finite number".to_owned() }),
        Any::Flag(flag) => Value::Flag(*flag),
        Any::List(items) => Value::List(items.iter().map(value).collect::<Result<_, _>>()?),
        // a text that begins with a number is meant as a quantity, so a mistyped unit is an error
        Any::Text(text) if text.trim().starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+' || c == '.') => {
            Value::Number(Quantity::parse(text)?)
        }
        Any::Text(text) => Value::Text(text.clone()),
    })
}

fn basin(name: Placed<String>, raw: raw::Intervals, stages: &[Stage<Quantity>], lost: bool, drafts: &mut Drafts) -> Basin<Quantity> {
    let scope = format!("basin `{}`", name.value);
    path_safe(&scope, "name of a basin", &name, drafts);
    let mut sides = Vec::new();
    if raw.value.0.is_empty() {
        drafts.missing(&scope, &name.span, format!("{scope} has no side"), "write for example phi = [\"0 deg\", \"120 deg\"]");
    }
    for (key, ends) in raw.value.0 {
        let Some(of) = stored(&key, stages) else {
            let (what, remedy) = not_stored(&key, &format!("{scope} is in"), stages);
            if !lost {
                drafts.missing(ANY, &key.span, what, remedy);
            }
            continue;
        };
        match &ends.value[..] {
            [lower, upper] => sides.push(Side { of, lower: lower.clone(), upper: upper.clone() }),
            other => {
                let what = format!("`{}` of {scope} is a list of {}", key.value, other.len());
                drafts.add(&scope, &ends.span, what, "write [lower, upper], for example [\"0 deg\", \"120 deg\"]");
            }
        }
    }
    Basin { name, sides }
}

/// The column of any sample stage that answers to a word.
fn stored(key: &Placed<String>, stages: &[Stage<Quantity>]) -> Option<Placed<super::Column>> {
    let mut columns = stages.iter().filter_map(|s| s.observe.as_ref()).flat_map(|o| o.columns.iter());
    columns.find(|c| c.scalar() && c.answers_to(key)).map(|c| key.with(c.value.clone()))
}

fn not_stored(key: &str, who: &str, stages: &[Stage<Quantity>]) -> (String, String) {
    let mut names: Vec<&str> = Vec::new();
    for column in stages.iter().filter_map(|s| s.observe.as_ref()).flat_map(|o| o.columns.iter()) {
        if column.scalar() && !names.contains(&column.name()) {
            names.push(column.name());
        }
    }
    let remedy = match (nearest(key, names.iter().copied()), names.is_empty()) {
        (Some(near), _) => format!("did you mean `{near}`? Stored: {}; else add the column to a sample stage's observe", names.join(", ")),
        (None, true) => "add it to the columns of a sample stage's observe, for example \"dihedral:phi\"".to_owned(),
        (None, false) => format!("stored: {}; add it to the columns of a sample stage's observe", names.join(", ")),
    };
    (format!("{who} `{key}`, which no sample stage stores"), remedy)
}

/// Every basin that an estimate counts must lie in columns that its source stores.
fn basins_of_estimates(stages: &[Stage<Quantity>], basins: &[Basin<Quantity>], drafts: &mut Drafts) {
    for stage in stages {
        let StageKind::Estimate(estimate) = &stage.kind else { continue };
        let from = stages.iter().find(|s| s.name == estimate.from);
        let Some(observe) = from.and_then(|s| s.observe.as_ref()) else { continue };
        for named in &estimate.basins {
            let Some(basin) = basins.iter().find(|b| b.name == *named) else { continue };
            for side in &basin.sides {
                if !observe.columns.iter().any(|c| c.value == side.of.value) {
                    let scope = format!("stage `{}`", stage.name.value);
                    let what =
                        format!("basin `{}` is in `{}`, which stage `{}` does not store", named.value, side.of.name(), estimate.from.value);
                    let span: &Range<usize> = if named.span == NOWHERE { &estimate.method.span } else { &named.span };
                    drafts.add(&scope, span, what, format!("add \"{}\" to its columns", side.of.text));
                }
            }
        }
    }
}

fn diagnostics(raw: Option<raw::Diagnostics>) -> Diagnostics {
    let raw = raw.unwrap_or_default();
    let number =
        |given: Option<Placed<super::leaf::Number>>, default: f64| given.map_or(Placed::default_of(default), |n| n.with(n.value.0));
    Diagnostics {
        rhat: number(raw.rhat, 1.01),
        ess: number(raw.ess, 400.0),
        min_crossings: raw.min_crossings.map_or(Placed::default_of(20), |n| n.with(n.value.0)),
        max_diverged: number(raw.max_diverged, 0.0),
    }
}
