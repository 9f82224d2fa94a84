//! What a metadynamics stage says: what is biased, and with which hills.

use super::check_sample::{chain, thermal, thermostatted};
use super::check_stage::{Earlier, count, need};
use super::metadynamics::{Metadynamics, Span};
use super::observables::has_force;
use super::placed::Placed;
use super::raw_kinds;
use super::texts::Drafts;
use crate::campaign::units::Quantity;

/// Checks a `metadynamics` table.
pub(super) fn metadynamics(
    scope: &str,
    raw: &Placed<raw_kinds::Metadynamics>,
    earlier: Earlier<'_>,
    drafts: &mut Drafts,
) -> Option<Metadynamics<Quantity>> {
    let at = &raw.span;
    let keys = raw.with(raw.chain());
    thermostatted(scope, &keys, drafts);
    let warmth = thermal(scope, "metadynamics", (raw.temperature.as_ref(), raw.beta.as_ref()), at, drafts);
    let sample = chain(scope, "metadynamics", &keys, warmth, earlier, drafts);
    let of = need(scope, "metadynamics", "of", "[\"dihedral:phi\"]", raw.of.as_ref(), at, drafts);
    let width = need(scope, "metadynamics", "width", "[\"20 deg\"]", raw.width.as_ref(), at, drafts);
    let height = need(scope, "metadynamics", "height", "\"1 kJ/mol\"", raw.height.as_ref(), at, drafts);
    let factor = need(scope, "metadynamics", "bias_factor", "10", raw.bias_factor.as_ref(), at, drafts);
    let every = need(scope, "metadynamics", "every", "500", raw.every.as_ref(), at, drafts);
    if let Some(of) = of {
        if !(1..=2).contains(&of.value.len()) {
            drafts.add(
                scope,
                &of.span,
                format!("`of` of {scope} names {} observables: hills fill one or two", of.value.len()),
                "name one or two",
            );
        }
        for column in &of.value {
            if !has_force(&column.kind) {
                let what = format!("\"{}\" cannot be biased: no force along it is known", column.text);
                drafts.add(
                    scope,
                    &column.span,
                    what,
                    "use dihedral:NAME, distance:A,B, coordinate:I, radius_of_gyration or observable:NAME",
                );
            }
        }
        if let Some(width) = width.filter(|w| w.value.len() != of.value.len()) {
            let what = format!("`width` of {scope} has {} entries, `of` has {}", width.value.len(), of.value.len());
            drafts.add(scope, &width.span, what, "write one width for each observable");
        }
    }
    if let Some(factor) = factor.filter(|f| !(f.value.0 > 1.0 && f.value.0.is_finite())) {
        let what = format!("`bias_factor` of {scope} is {}: it is (T + delta T)/T", factor.value.0);
        drafts.add(scope, &factor.span, what, "write a number above 1, for example 10");
    }
    Some(Metadynamics {
        sample: sample?,
        of: of?.value.clone(),
        width: width?.value.clone(),
        height: height?.clone(),
        bias_factor: factor.map(|f| f.with(f.value.0))?,
        every: every.map(|n| n.with(n.value.0))?,
        copies: count(raw.copies.as_ref(), 4),
        range: ranges(scope, raw, drafts)?,
    })
}

/// The range of every biased observable that is no angle.
fn ranges(scope: &str, raw: &Placed<raw_kinds::Metadynamics>, drafts: &mut Drafts) -> Option<Vec<Option<Span<Quantity>>>> {
    let of = raw.of.as_ref()?;
    let given = raw.range.as_ref().map(|r| r.value.0.as_slice()).unwrap_or_default();
    for (key, ends) in given {
        if !of.value.iter().any(|c| c.answers_to(key) && !c.periodic()) {
            let what = format!("range of `{}`, which is no biased observable on a line", key.value);
            drafts.add(scope, &key.span, what, "name one of `of`; an angle has the whole circle");
        }
        if ends.value.len() != 2 {
            drafts.add(
                scope,
                &ends.span,
                format!("the range of `{}` is a list of {}", key.value, ends.value.len()),
                "write [lower, upper]",
            );
        }
    }
    let mut all = Vec::new();
    for column in &of.value {
        let found = given.iter().find(|(key, _)| column.answers_to(key)).map(|(_, ends)| &ends.value[..]);
        match (column.periodic(), found) {
            (true, _) => all.push(None),
            (false, Some([lower, upper])) => all.push(Some((lower.clone(), upper.clone()))),
            (false, Some(_)) => return None,
            (false, None) => {
                let what = format!("`{}` of {scope} has no range: its bias lives on a grid", column.name());
                drafts.add(scope, &column.span, what, format!("write range = {{ \"{}\" = [lower, upper] }}", column.text));
                return None;
            }
        }
    }
    Some(all)
}
