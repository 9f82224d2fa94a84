//! The system of a campaign: by name, from files, or as a formula.

use super::config::{Campaign, Formula, SystemFrom, Value};
use super::inputs::{Inputs, is_path};
use super::system::{Reference, System};
use super::units::{Misfit, Quantity};
use crate::energy::formula::{self, Given};
use crate::{Error, Result};
use std::ops::Range;
use std::path::Path;

/// A system by name, or by the path of its folder beside the campaign.
pub(super) fn named_system(name: &str, given: &[Given], inputs: &Inputs) -> Result<System> {
    let place = if is_path(name) { inputs.path(name)?.display().to_string() } else { name.to_owned() };
    System::load(&place, given)
}

/// The system of a campaign.
pub(super) fn load_system(campaign: &Campaign, inputs: &Inputs) -> Result<System> {
    let system = match &campaign.system.from {
        SystemFrom::Name(name) => {
            let loaded = given(campaign).and_then(|given| named_system(&name.value, &given, inputs));
            loaded.map_err(|e| locate(e, campaign, name.span.clone()))?
        }
        SystemFrom::File { file, coordinates } => {
            let xml = inputs.path(&file.value).map_err(|e| locate(e, campaign, file.span.clone()))?;
            let pdb = inputs.path(&coordinates.value).map_err(|e| locate(e, campaign, coordinates.span.clone()))?;
            if let Some((key, _)) = campaign.system.parameters.first() {
                let what = format!("unknown parameter `{}`: a molecule takes none", key.value);
                return Err(Error::Input(vec![campaign.complaint(&key.span, what, "change the System in OpenMM and serialise it again")]));
            }
            let mut system = System::from_files(&xml, &pdb)?;
            // The kept copy has another name than the file the user knows.
            system.name = Path::new(&file.value).file_stem().map_or(system.name, |n| n.to_string_lossy().into_owned());
            system
        }
        SystemFrom::Data => {
            // A place for what every run has: one coordinate that feels nothing.
            let formula = Formula::nothing();
            let potential = formula.potential(&[]).map_err(|m| Error::Input(vec![campaign.mistake(&formula.text, m)]))?;
            let mut system = System::of_formula(&formula, potential, &[])?;
            system.name = "published data".to_owned();
            system
        }
        SystemFrom::Formula(formula) => {
            let potential = formula.potential(&campaign.system.parameters);
            let potential = potential.map_err(|m| Error::Input(vec![campaign.mistake(&formula.text, m)]))?;
            let mut system = System::of_formula(formula, potential, &campaign.system.parameters).map_err(|e| {
                let span = formula.start.as_ref().map_or(&formula.text.span, |s| &s.span);
                locate(e, campaign, span.clone())
            })?;
            system.references = formula.references.iter().map(|(quantity, r)| Reference::anywhere(&quantity.value, r)).collect();
            system
        }
    };
    super::observables::apply(system, campaign)
}

/// The campaign's parameters in internal units.
fn given(campaign: &Campaign) -> Result<Vec<Given>> {
    let mut all = Vec::new();
    for (name, value) in &campaign.system.parameters {
        let converted = parameter(value).map_err(|m| Error::Input(vec![campaign.complaint(&value.span, m.what, m.remedy)]))?;
        all.push(Given { name: name.value.clone(), value: converted, at: campaign.locate(&name.span) });
    }
    Ok(all)
}

/// A parameter written outside a campaign: a number (with a unit where it has one), a list, a word.
pub(super) fn parameter_text(text: &str) -> Result<formula::Value> {
    if let Ok(q) = Quantity::parse(text)
        && let Ok(x) = q.resolve_any()
    {
        return Ok(formula::Value::Number(x));
    }
    match text {
        "true" => return Ok(formula::Value::Flag(true)),
        "false" => return Ok(formula::Value::Flag(false)),
        _ => {}
    }
    if let Some(items) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return items.split(',').map(|t| parameter_text(t.trim())).collect::<Result<_>>().map(formula::Value::List);
    }
    Ok(formula::Value::Text(text.trim_matches('"').to_owned()))
}

fn parameter(value: &Value) -> std::result::Result<formula::Value, Misfit> {
    Ok(match value {
        Value::Number(q) => formula::Value::Number(q.resolve_any()?),
        Value::Text(t) => formula::Value::Text(t.clone()),
        Value::Flag(b) => formula::Value::Flag(*b),
        Value::List(items) => formula::Value::List(items.iter().map(parameter).collect::<std::result::Result<_, _>>()?),
    })
}

/// An error about a value of the campaign points at it.
pub(super) fn locate(error: Error, campaign: &Campaign, span: Range<usize>) -> Error {
    match error {
        Error::Input(list) => {
            Error::Input(list.into_iter().map(|c| if c.at.is_some() { c } else { campaign.complaint(&span, c.what, c.remedy) }).collect())
        }
        other => other,
    }
}
