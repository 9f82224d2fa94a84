//! What `[path]` says: one kind with its keys, or knobs.

use super::check_stage::word;
use super::formula::place;
use super::observables::has_force;
use super::path::{LinearBase, Path};
use super::placed::Placed;
use super::raw_kinds::{self, PathKind};
use super::system::{System, SystemFrom};
use super::texts::{Drafts, Texts};
use crate::campaign::units::Quantity;
use crate::energy::text::LAMBDA;
use crate::expr::parse;

const SCOPE: &str = "[path]";

/// Checks the table.
pub(super) fn path(raw: &Placed<raw_kinds::Path>, drafts: &mut Drafts) -> Option<Placed<Path<Quantity>>> {
    let kind = match (&raw.kind, &raw.knobs) {
        (Some(kind), None) => kind,
        (None, Some(knobs)) => return knobs_path(raw, knobs, drafts),
        (Some(_), Some(knobs)) => {
            drafts.add(SCOPE, &knobs.span, "[path] has both a kind and knobs", "keep one: knobs say all that lambda does");
            return None;
        }
        (None, None) => {
            let remedy =
                "write kind = \"geometric\" (or linear, solvent, charges, solvent_charges, soft_core, umbrella), or knobs = { ... }";
            drafts.missing(SCOPE, &raw.span, "[path] says nothing of what lambda does", remedy);
            return None;
        }
    };
    foreign(kind.value, raw, drafts);
    let path = match kind.value {
        PathKind::Geometric => {
            let normal = raw.base.as_ref().and_then(|b| b.normal.clone());
            base(raw, "normal", drafts);
            Path::Geometric { normal: normal? }
        }
        PathKind::Linear => {
            let found = raw.base.as_ref().map(|b| (b.system.as_ref(), b.formula.as_ref()));
            match found {
                Some((Some(system), None)) => {
                    base(raw, "system", drafts);
                    Path::Linear { base: LinearBase::System(word(system)) }
                }
                Some((None, Some(formula))) => {
                    base(raw, "formula", drafts);
                    Path::Linear { base: LinearBase::Formula(word(formula)) }
                }
                _ => {
                    base(raw, "system", drafts);
                    return None;
                }
            }
        }
        PathKind::Solvent => Path::Solvent,
        PathKind::Charges => Path::Charges { atoms: raw.atoms.as_ref().map(word) },
        PathKind::SolventCharges => Path::SolventCharges { atoms: raw.atoms.as_ref().map(word) },
        PathKind::SoftCore => {
            let Some(atoms) = &raw.atoms else {
                drafts.missing(SCOPE, &kind.span, "a soft_core path needs `atoms`", "write atoms = \"...\": those that are decoupled at 0");
                return None;
            };
            Path::SoftCore { atoms: word(atoms) }
        }
        PathKind::Umbrella => umbrella(raw, drafts)?,
    };
    Some(raw.with(path))
}

/// Keys that the kind does not have.
fn foreign(kind: PathKind, raw: &raw_kinds::Path, drafts: &mut Drafts) {
    use PathKind::{Charges, Geometric, Linear, SoftCore, SolventCharges, Umbrella};
    let keys = [
        ("base", raw.base.as_ref().map(|b| &b.span), matches!(kind, Geometric | Linear)),
        ("atoms", raw.atoms.as_ref().map(|b| &b.span), matches!(kind, SoftCore | Charges | SolventCharges)),
        ("of", raw.of.as_ref().map(|b| &b.span), kind == Umbrella),
        ("centres", raw.centres.as_ref().map(|b| &b.span), kind == Umbrella),
        ("stiffness", raw.stiffness.as_ref().map(|b| &b.span), kind == Umbrella),
    ];
    for (key, span, fits) in keys {
        if let (Some(span), false) = (span, fits) {
            drafts.add(SCOPE, span, format!("a {} path has no `{key}`", kind.name()), "remove it");
        }
    }
}

/// The base has this key and no other.
fn base(raw: &Placed<raw_kinds::Path>, wanted: &str, drafts: &mut Drafts) {
    let remedy = if wanted == "normal" {
        "write base = { normal = 1.5 }: the standard deviation of a normalised Gaussian"
    } else {
        "write base = { system = \"NAME\" } or base = { formula = \"...\" }"
    };
    let Some(base) = &raw.base else {
        drafts.missing(SCOPE, &raw.span, "[path] has no `base`", remedy);
        return;
    };
    let keys = [
        ("normal", base.normal.as_ref().map(|b| &b.span)),
        ("system", base.system.as_ref().map(|b| &b.span)),
        ("formula", base.formula.as_ref().map(|b| &b.span)),
    ];
    if keys.iter().all(|(key, span)| *key != wanted || span.is_none()) {
        drafts.missing(SCOPE, &base.span, format!("`base` has no `{wanted}`"), remedy);
    }
    for (key, span) in keys {
        if let (Some(span), true) = (span, key != wanted) {
            drafts.add(SCOPE, span, format!("this `base` has no `{key}`"), remedy);
        }
    }
}

fn umbrella(raw: &raw_kinds::Path, drafts: &mut Drafts) -> Option<Path<Quantity>> {
    let at = raw.kind.as_ref().map_or(0..0, |k| k.span.clone());
    if let Some(of) = &raw.of {
        if !has_force(&of.kind) {
            let what = format!("\"{}\" cannot be restrained: no force along it is known", of.text);
            drafts.add(SCOPE, &of.span, what, "use dihedral:NAME, distance:A,B, coordinate:I, radius_of_gyration or observable:NAME");
        }
    } else {
        drafts.missing(SCOPE, &at, "an umbrella path needs `of`", "write of = \"dihedral:phi\"");
    }
    if raw.stiffness.is_none() {
        drafts.missing(SCOPE, &at, "an umbrella path needs `stiffness`", "write stiffness = \"200 kJ/mol/rad^2\"");
    }
    let ends = raw.centres.as_ref().map(|c| (c.from.clone(), c.to.clone()));
    let Some((Some(from), Some(to))) = ends else {
        let span = raw.centres.as_ref().map_or(at, |c| c.span.clone());
        drafts.missing(SCOPE, &span, "an umbrella path needs `centres`", "write centres = { from = \"-180 deg\", to = \"180 deg\" }");
        return None;
    };
    Some(Path::Umbrella { of: raw.of.clone()?, from, to, stiffness: raw.stiffness.clone()? })
}

fn knobs_path(raw: &Placed<raw_kinds::Path>, given: &Placed<raw_kinds::Knobs>, drafts: &mut Drafts) -> Option<Placed<Path<Quantity>>> {
    let others = [
        raw.base.as_ref().map(|x| ("base", &x.span)),
        raw.of.as_ref().map(|x| ("of", &x.span)),
        raw.centres.as_ref().map(|x| ("centres", &x.span)),
        raw.stiffness.as_ref().map(|x| ("stiffness", &x.span)),
    ];
    for (key, span) in others.into_iter().flatten() {
        drafts.add(SCOPE, span, format!("a path of knobs has no `{key}`"), "remove it");
    }
    let mut all = Vec::new();
    for (name, points) in &given.value.0 {
        let mut list: Vec<[f64; 2]> = Vec::new();
        for point in &points.value {
            match &point.value[..] {
                [lambda, value] => list.push([lambda.value.0, value.value.0]),
                other => drafts.add(
                    SCOPE,
                    &point.span,
                    format!("a point of `{}` is a list of {}", name.value, other.len()),
                    "write [lambda, value]",
                ),
            }
        }
        if list.windows(2).any(|w| w[1][0] <= w[0][0]) || list.iter().any(|p| !(0.0..=1.0).contains(&p[0])) || list.is_empty() {
            let what = format!("the points of `{}` do not rise within lambda from 0 to 1", name.value);
            drafts.add(
                SCOPE,
                &points.span,
                what,
                "write for example [[0, 0], [0.5, 1]]: constant before the first and after the last point",
            );
        }
        all.push((name.clone(), points.with(list)));
    }
    if all.is_empty() {
        drafts.missing(SCOPE, &given.span, "`knobs` is empty", "write knobs = { charges = [[0, 0], [1, 1]] }");
    }
    Some(raw.with(Path::Knobs { atoms: raw.atoms.as_ref().map(word), knobs: all }))
}

/// Paths that take the whole energy at its own lambda = 1, restraint included: a lambda in a formula would have no effect there.
pub(super) fn own_lambda(path: &Path<Quantity>, system: &System, texts: &Texts, drafts: &mut Drafts) {
    let base = match path {
        Path::Linear { base: LinearBase::Formula(text) } => Some(("base", text)),
        Path::Linear { .. } | Path::Geometric { .. } | Path::Umbrella { .. } => None,
        _ => return,
    };
    let formula = match &system.from {
        SystemFrom::Formula(formula) => Some(("formula", &formula.text)),
        _ => None,
    };
    let restraint = system.restraint.as_ref().map(|r| ("restraint", r));
    for (key, text) in [formula, restraint, base].into_iter().flatten() {
        let Ok(tree) = parse(text) else { continue };
        if let Some((_, at)) = tree.names().into_iter().find(|(name, _)| *name == LAMBDA) {
            let what = format!("the {key} has a lambda of its own, and a path of kind {} takes it at lambda = 1", path.name());
            let remedy = "remove lambda from it; or remove [path], and say all that lambda does in the formula and the restraint";
            drafts.add(SCOPE, &place(text, &at, texts), what, remedy);
        }
    }
}
