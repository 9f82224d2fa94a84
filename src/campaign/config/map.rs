//! `map` of an anneal or switch stage: a stretch and a shift of coordinates that goes with each change of lambda.

use schemars::JsonSchema;
use serde::Deserialize;

use super::column::{Column, ColumnKind};
use super::formula::{numbers, place};
use super::leaf::Word;
use super::levels::{Along, Levels};
use super::placed::Placed;
use super::quote;
use super::stage::{Stage, StageKind};
use super::system::{System, SystemFrom};
use super::texts::{Drafts, Texts};
use crate::campaign::units::Quantity;
use crate::expr::{Compiled, Mistake, Scope};

/// As serde reads it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table { scale, shift, centre, of }")]
pub(super) struct RawMap {
    /// s > 0 in y = centre + s (x - centre) + shift: a formula of lambda0 and lambda1, the values before and after a change. Default "1".
    pub(super) scale: Option<Placed<Word>>,
    /// A formula, in internal units of length. Default "0".
    pub(super) shift: Option<Placed<Word>>,
    /// A formula, in internal units of length. Default "0".
    pub(super) centre: Option<Placed<Word>>,
    /// Which coordinates, ["coordinate:x", "coordinate:3"]; all without it.
    pub(super) of: Option<Placed<Vec<Placed<Column>>>>,
}

/// y = centre + scale (x - centre) + shift, all three formulas of lambda0, lambda1 and the parameters of the system's formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Above 0.
    pub scale: Placed<String>,
    /// In internal units.
    pub shift: Placed<String>,
    /// In internal units.
    pub centre: Placed<String>,
    /// Which coordinates; all of them if there is none.
    pub of: Vec<Placed<Column>>,
}

/// A mistake in one of the texts of a map.
pub(in crate::campaign) type MapMistake<'a> = (&'a Placed<String>, Mistake);

impl Map {
    /// s and b of y = s x + b for each step between levels.
    ///
    /// # Errors
    /// The text and its mistake: one that cannot be read, or what it gives where it must not.
    pub(in crate::campaign) fn steps(&self, lambdas: &[f64], parameters: &[(String, f64)]) -> Result<Vec<(f64, f64)>, MapMistake<'_>> {
        let scope = Scope { inputs: vec!["lambda0".to_owned(), "lambda1".to_owned()], constants: parameters.to_vec() };
        let texts = [&self.scale, &self.shift, &self.centre];
        let formulas: Vec<&str> = texts.iter().map(|t| t.as_str()).collect();
        let formulas = Compiled::new(&formulas, &scope, 0).map_err(|(i, m)| (texts[i], m))?;
        let (mut slots, mut steps) = (vec![0.0; formulas.slots()], Vec::new());
        for pair in lambdas.windows(2) {
            slots[..2].copy_from_slice(pair);
            let mut out = [0.0; 3];
            formulas.values(&mut slots, &mut out);
            let wrong = |k: usize, what: &str, remedy: &str| {
                let text = texts[k];
                let what = format!("{} from lambda {} to {}: {what}", out[k], pair[0], pair[1]);
                (text, Mistake { span: 0..text.len(), what, remedy: remedy.to_owned() })
            };
            if !(out[0] > 0.0 && out[0].is_finite()) {
                return Err(wrong(0, "a scale is positive and finite", "write a formula that is above 0 for every step of lambda"));
            }
            if let Some(k) = (1..3).find(|k| !out[*k].is_finite()) {
                return Err(wrong(k, "a length is finite", "write a formula that is finite for every step of lambda"));
            }
            steps.push((out[0], out[2] * (1.0 - out[0]) + out[1]));
        }
        Ok(steps)
    }

    /// As TOML.
    pub(super) fn text(&self) -> String {
        let of: Vec<String> = self.of.iter().map(|c| quote(&c.text)).collect();
        let of = if of.is_empty() { String::new() } else { format!(", of = [{}]", of.join(", ")) };
        format!("{{ scale = {}, shift = {}, centre = {}{of} }}", quote(&self.scale), quote(&self.shift), quote(&self.centre))
    }
}

/// What can be said of a map alone.
pub(super) fn map(scope: &str, raw: Option<&Placed<RawMap>>, drafts: &mut Drafts) -> Option<Placed<Map>> {
    let raw = raw?;
    if raw.scale.is_none() && raw.shift.is_none() {
        let remedy = "write map = { scale = \"...\" } or { shift = \"...\" }, formulas of lambda0 and lambda1";
        drafts.missing(scope, &raw.span, format!("the map of {scope} has neither scale nor shift: it moves nothing"), remedy);
        return None;
    }
    let text = |given: &Option<Placed<Word>>, default: &str| {
        given.as_ref().map_or(Placed::default_of(default.to_owned()), |w| w.with(w.value.0.clone()))
    };
    let of = raw.of.as_ref().map_or(Vec::new(), |of| of.value.clone());
    if let Some(none) = raw.of.as_ref().filter(|of| of.value.is_empty()) {
        drafts.add(scope, &none.span, "`of` of the map is empty", "name coordinates, or leave it out to move all");
    }
    for column in &of {
        if !matches!(column.kind, ColumnKind::Coordinate(_) | ColumnKind::Variable(_)) {
            drafts.add(
                scope,
                &column.span,
                format!("\"{}\" is no coordinate that a map could move", column.text),
                "write \"coordinate:x\"",
            );
        }
    }
    Some(raw.with(Map { scale: text(&raw.scale, "1"), shift: text(&raw.shift, "0"), centre: text(&raw.centre, "0"), of }))
}

/// The map of a stage with the values of lambda that it goes along.
pub(in crate::campaign) fn mapped<Q>(kind: &StageKind<Q>) -> Option<(&Placed<Map>, &Levels)> {
    match kind {
        StageKind::Switch(s) => Some((s.map.as_ref()?, &s.levels.value)),
        StageKind::Anneal(a) => match &a.along.value {
            Along::Lambda(levels) => Some((a.map.as_ref()?, levels)),
            Along::Temperature(_) => None,
        },
        _ => None,
    }
}

/// The parameters that formulas of a map may name.
pub(in crate::campaign) fn parameters(system: &System) -> Vec<(String, f64)> {
    if let SystemFrom::Formula(_) = &system.from { numbers(&system.parameters) } else { Vec::new() }
}

/// The formulas of all maps, once the system is known: they must read, know their names, and scale by something positive.
pub(super) fn maps(stages: &[Stage<Quantity>], system: &System, texts: &Texts, drafts: &mut Drafts) {
    for stage in stages {
        let Some((map, levels)) = mapped(&stage.kind) else { continue };
        if let Err((text, mistake)) = map.steps(&levels.values(), &parameters(system)) {
            let scope = format!("stage `{}`", stage.name.value);
            drafts.add(&scope, &place(text, &mistake.span, texts), mistake.what, mistake.remedy);
        }
    }
}
