//! What an estimate stage says: which method, from which stage, of which columns.

use super::check_published::published;
use super::check_stage::{Earlier, earlier_stage, need, word};
use super::column::{Column, ColumnKind};
use super::estimates::{Axis, EnergyUnit, Estimate, Method, Rule, Taken};
use super::ladder::Ladder;
use super::path::Path;
use super::placed::{NOWHERE, Placed};
use super::raw;
use super::shape::OneOrMany;
use super::stage::StageKind;
use super::texts::Drafts;
use crate::campaign::estimate_files::FEWEST;
use crate::campaign::nearest;
use crate::campaign::units::Quantity;
use crate::estimate::gauss_legendre_grid;

/// Checks an `estimate` table.
pub(super) fn estimate(
    scope: &str,
    raw: &Placed<raw::Estimate>,
    earlier: Earlier<'_>,
    declared: &[String],
    drafts: &mut Drafts,
) -> Option<Estimate<Quantity>> {
    if raw.files.is_some() || raw.legs.is_some() {
        return published(scope, raw, drafts);
    }
    let at = &raw.span;
    let method = need(
        scope,
        "estimate",
        "method",
        "\"mean\" (or \"fes\", \"timeseries\", \"basins\", \"mbar\", ...)",
        raw.method.as_ref(),
        at,
        drafts,
    );
    let from = need(scope, "estimate", "from", "\"NAME\" of a sample stage", raw.from.as_ref(), at, drafts).map(word);
    if let Some(from) = &from {
        let wanted = method.map_or(Method::Mean, |m| m.value);
        let plain = earlier.stages.iter().any(|s| s.name == *from && matches!(s.kind, StageKind::Sample(_)));
        if wanted == Method::LogZ && plain {
            // the one question that a chain cannot answer, and the one that is asked most
            let what = format!("stage `{}` is a plain chain, and a chain has no log Z", from.value);
            drafts.add(scope, &from.span, what, "no log Z: use anneal or exchange along a [path] with a normalised base");
        } else {
            earlier_stage(scope, from, earlier, reads(wanted), |kind| readable(wanted, kind), drafts);
        }
    }
    let method = method?.clone();
    let from = from?;
    let source = earlier.stages.iter().find(|s| s.name == from && readable(method.value, &s.kind));
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
    } else if !method.of_columns() {
        if let Some(of) = &raw.of {
            let what = format!("{} takes what the stage stores of its states, not columns", method.name());
            drafts.add(scope, &of.span, what, "remove `of`");
        }
    } else {
        need(scope, "estimate", "of", "[\"energy\"]", raw.of.as_ref(), at, drafts);
    }
    let of_files = [
        raw.temperature.as_ref().map(|t| ("temperature", &t.span, "remove it: the stage that is read has its own")),
        raw.discard.as_ref().map(|d| ("discard", &d.span, "write it in the stage that is read")),
        raw.no_subsample.as_ref().map(|s| ("no_subsample", &s.span, "remove it: the correlation of stored frames is in the errors")),
    ];
    for (key, span, remedy) in of_files.into_iter().flatten() {
        drafts.add(scope, span, format!("`{key}` of {scope} belongs to files, and the stage reads `{}`", from.value), remedy);
    }
    if let (Some(unit), false) = (&raw.unit, method.free_energy()) {
        drafts.add(scope, &unit.span, format!("{} gives no free energy to have a unit", method.name()), "remove `unit`");
    }
    if let (Some(basins), true) = (&raw.basins, method.value != Method::Basins) {
        drafts.add(scope, &basins.span, format!("{} does not use basins", method.name()), "remove it, or write method = \"basins\"");
    }
    if method.value != Method::Fes {
        let fes_only = [
            raw.bins.as_ref().map(|b| ("bins", &b.span)),
            raw.range.as_ref().map(|r| ("range", &r.span)),
            raw.smooth.as_ref().map(|s| ("smooth", &s.span)),
        ];
        for (key, span) in fes_only.into_iter().flatten() {
            drafts.add(scope, span, format!("{} has no {key}", method.name()), "remove it, or write method = \"fes\"");
        }
    }
    if let (Method::Fes, None, Some(bootstraps)) = (method.value, &raw.smooth, &raw.bootstraps) {
        let what = format!("a histogram has no bootstraps: the errors of {scope} come from independent replicas");
        drafts.add(scope, &bootstraps.span, what, "remove it, or write smooth = \"kde\" or \"spline\"");
    }
    let mut of: Vec<Placed<Column>> = Vec::new();
    let words = raw.of.as_ref().filter(|_| method.of_columns()).map(|o| o.value.as_slice()).unwrap_or_default();
    if let (Some(given), true, true) = (&raw.of, words.is_empty(), method.of_columns()) {
        drafts.missing(scope, &given.span, format!("`of` of {scope} is empty"), "name at least one column, for example [\"energy\"]");
    }
    for name in words {
        let Some(stored) = stored else { continue };
        match column(&name.value.0, stored) {
            Ok(column) if column.periodic() && matches!(method.value, Method::Mean | Method::Reweight) => {
                let what = format!(
                    "\"{}\" is an angle on a circle, and means of such numbers say nothing (179 and -179 deg give 0)",
                    name.value.0
                );
                drafts.add(scope, &name.span, what, "use method = \"fes\", or basins");
            }
            Ok(column) if source.and_then(|s| of_its_own_state(&column.kind, &s.kind, earlier.path)).is_some() => {
                let why = source.and_then(|s| of_its_own_state(&column.kind, &s.kind, earlier.path)).unwrap_or_default();
                let what =
                    format!("\"{}\" of a frame of `{}` is that of {why}: no weight makes another state's of it", name.value.0, from.value);
                drafts.add(
                    scope,
                    &name.span,
                    what,
                    "use a column of positions alone, or energy; else sample the target in a stage of its own",
                );
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
    if let (Some(unit), Some(Ladder::Temperatures(_))) = (&raw.unit, source.and_then(|s| s.kind.ladder()))
        && unit.value != EnergyUnit::Thermal
    {
        let what = format!("`unit` of {scope} is \"{}\", but the states have different temperatures", unit.name());
        drafts.add(scope, &unit.span, what, "remove it: the numbers are -ln Z of one state less that of another");
    }
    let unit = raw.unit.clone().unwrap_or(Placed::default_of(EnergyUnit::Thermal));
    let (rule, bootstraps) = options(scope, raw, method.value, drafts);
    if let (Some(rule), Some(Ladder::Lambdas(l))) = (&rule, source.and_then(|s| s.kind.ladder()))
        && rule.value == Rule::GaussLegendre
    {
        // 0 and 1 may be there too: the quadrature does without them
        let inside: Vec<f64> = l.values(false).into_iter().filter(|x| *x != 0.0 && *x != 1.0).collect();
        if gauss_legendre_grid(&inside).is_none_or(|n| n < 2) {
            let what = format!("the lambdas of stage `{}` are no points of Gauss-Legendre quadrature", from.value);
            drafts.add(scope, &rule.span, what, "write lambdas = { gauss_legendre = 8 } there, or rule = \"cubic\"");
        }
    }
    let smooth = raw.smooth.clone().filter(|_| method.value == Method::Fes);
    Some(Estimate { method, from, data: Vec::new(), taken: Taken::default(), of, axes, smooth, basins, unit, rule, bootstraps })
}

/// What only TI, what only MBAR and what only smooth surfaces understand.
pub(super) fn options(
    scope: &str,
    raw: &Placed<raw::Estimate>,
    method: Method,
    drafts: &mut Drafts,
) -> (Option<Placed<Rule>>, Option<Placed<u64>>) {
    if let (Some(rule), true) = (&raw.rule, method != Method::Ti) {
        drafts.add(scope, &rule.span, format!("{} integrates nothing by a rule", method.name()), "remove it, or write method = \"ti\"");
    }
    let bootstraps = raw.bootstraps.as_ref().map(|n| n.with(n.value.0));
    if let Some(n) = bootstraps.as_ref().filter(|_| method != Method::Fes) {
        if method != Method::Mbar {
            let what = format!("{} has no bootstrap", method.name());
            drafts.add(scope, &n.span, what, "remove it, or write method = \"mbar\"");
        } else if !(FEWEST as u64..=100_000).contains(&n.value) {
            let what = format!("`bootstraps` of {scope} is {}: an interval of 95 % needs {FEWEST} to 100000 resamples", n.value);
            drafts.add(scope, &n.span, what, "write bootstraps = 200");
        }
    }
    let smooth = method == Method::Fes && raw.smooth.is_some();
    (raw.rule.clone(), bootstraps.or_else(|| smooth.then(|| Placed::default_of(BOOTSTRAPS))))
}

/// Resamples of a smooth surface when nothing is said.
const BOOTSTRAPS: u64 = 100;

/// Whose a column is when it does not depend on positions alone: then a weight does not carry it to another state.
fn of_its_own_state(column: &ColumnKind, source: &StageKind<Quantity>, path: Option<&Path<Quantity>>) -> Option<&'static str> {
    match (column, source.ladder()?) {
        (ColumnKind::KineticTemperature, Ladder::Temperatures(_)) => Some("its own temperature"),
        // U of an umbrella path is the same at every lambda
        (ColumnKind::Term(_), Ladder::Lambdas(_)) if !matches!(path, Some(Path::Umbrella { .. })) => Some("its own lambda"),
        (ColumnKind::Term(name), Ladder::Lambdas(_)) if name == "umbrella" => Some("its own lambda"),
        (ColumnKind::ConfigurationalTemperature, Ladder::Lambdas(_)) => Some("its own lambda"),
        _ => None,
    }
}

/// Which stages a method can read.
fn readable(method: Method, kind: &StageKind<Quantity>) -> bool {
    match method {
        Method::Mean | Method::Fes | Method::Basins => kind.observes(),
        Method::Timeseries => matches!(kind, StageKind::Sample(_)),
        Method::Mbar | Method::Bar | Method::Exp | Method::Reweight => matches!(kind, StageKind::Exchange(_) | StageKind::Expanded(_)),
        Method::Ti => kind.ladder().is_some_and(|l| matches!(l, Ladder::Lambdas(_))),
        Method::Work => matches!(kind, StageKind::Switch(_)),
        Method::LogZ => matches!(kind, StageKind::Anneal(_)) || kind.ladder().is_some_and(|l| matches!(l, Ladder::Lambdas(_))),
    }
}

/// What such stages do, and which they are, in words.
fn reads(method: Method) -> (&'static str, &'static str) {
    match method {
        Method::Mean | Method::Fes | Method::Basins => ("sample", "sample (or exchange, expanded, metadynamics)"),
        Method::Timeseries => ("sample without weights", "sample"),
        Method::Mbar | Method::Bar | Method::Exp | Method::Reweight => {
            ("store reduced energies at every state", "ladder (exchange or expanded)")
        }
        Method::Ti => ("sample a ladder of lambdas", "ladder (exchange or expanded)"),
        Method::Work => ("store works", "switch"),
        Method::LogZ => ("end in log Z", "suitable (anneal, or exchange over lambdas)"),
    }
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

/// Bins and ranges, one for each observable.
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

/// Which basins are counted.
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
