//! Systems given as formulas in text: in the campaign, or in the system.toml of a folder.

use super::{System, stiffness};
use crate::campaign::config::{Formula, Placed, Value};
use crate::campaign::nearest;
use crate::energy::Potential;
use crate::energy::formula::{Built, Given, Value as Parameter};
use crate::energy::text::{LAMBDA, TextPotential};
use crate::error::{Complaint, Source};
use crate::expr::check_name;
use crate::{Error, Result};
use std::sync::Arc;
use toml::Spanned;

impl System {
    /// The system of a formula and its parameters, in reduced units.
    ///
    /// # Errors
    /// `Error::Input` when energy or force at the start are not finite.
    pub(in crate::campaign) fn of_formula(
        formula: &Formula,
        potential: TextPotential,
        parameters: &[(Placed<String>, Placed<Value>)],
    ) -> Result<Self> {
        let dof = potential.dof();
        let given = |row: &Option<Placed<Vec<f64>>>, default: f64| row.as_ref().map_or(vec![default; dof], |r| r.value.clone());
        let (masses, start) = (given(&formula.masses, 1.0), given(&formula.start, 0.0));
        let mut f = vec![0.0; dof];
        let u = potential.eval_one(&start, 1.0, &mut f, &mut [0.0]);
        if let Some(bad) = std::iter::once(&u).chain(&f).find(|v| !v.is_finite()) {
            let what = if u.is_finite() { format!("a force of the formula is {bad} at") } else { format!("the energy is {bad} at") };
            let place = if formula.start.is_some() { "this start" } else { "the origin, where replicas start" };
            let remedy = "write start = [...] with a place where energy and forces are finite";
            return Err(Error::input(format!("{what} {place}"), remedy));
        }
        let mut hash = blake3::Hasher::new();
        hash.update(format!("{}\n{:?}\n{masses:?}\n{start:?}\n", formula.text.value, formula.names()).as_bytes());
        for (name, value) in parameters {
            hash.update(format!("{} = {:?}\n", name.value, value.value).as_bytes());
        }
        let omega_max = stiffness::omega_max(&potential, &masses, &start);
        Ok(System {
            name: "formula".to_owned(),
            title: format!("U = {}", formula.text.split_whitespace().collect::<Vec<_>>().join(" ")),
            formula: formula.text.value.clone(),
            variables: formula.names(),
            start: vec![start],
            omega_max,
            digest: hash.finalize().to_hex().to_string(),
            ..System::bare(Arc::new(potential), 1, dof, masses)
        })
    }

    /// The degree of freedom that a variable of the formula is.
    ///
    /// # Errors
    /// `Error::Input` for an unknown name, with the nearest one, and where the system is no formula.
    pub(in crate::campaign) fn variable(&self, name: &str) -> Result<usize> {
        if let Some(d) = self.variables.iter().position(|v| v == name) {
            return Ok(d);
        }
        let what = format!("\"coordinate:{name}\" names no variable of {}", self.name);
        if self.variables.is_empty() {
            return Err(Error::input(what, format!("count its coordinates from 0 to {}: \"coordinate:0\"", self.dof().saturating_sub(1))));
        }
        let hint = nearest(name, self.variables.iter().map(String::as_str));
        let hint = hint.map_or(String::new(), |n| format!("did you mean \"coordinate:{n}\"? "));
        Err(Error::input(what, format!("{hint}Its variables: {}", self.variables.join(", "))))
    }
}

/// The formula of a system.toml that has `variables`. Parameters that come later replace earlier ones and must not be new.
///
/// # Errors
/// `Error::Input`, in the file, for names that cannot be names, parameters that are no numbers and mistakes in the formula.
pub(super) fn of_folder(variables: &[Spanned<String>], formula: &Spanned<String>, given: &[Given], source: &Source) -> Result<Built> {
    let mut names: Vec<String> = vec![LAMBDA.to_owned()];
    for variable in variables {
        let name = variable.get_ref();
        check_name(name).map_err(|(what, remedy)| Error::input_at(source, variable.span(), what, remedy))?;
        if names.contains(name) {
            let what = format!("the name \"{name}\" stands for two things");
            return Err(Error::input_at(source, variable.span(), what, "choose another name for one of them"));
        }
        names.push(name.clone());
    }
    let mut parameters: Vec<(String, f64)> = Vec::new();
    let complain = |g: &Given, what: String, remedy: String| Error::Input(vec![Complaint { what, at: g.at.clone(), remedy }]);
    for g in given {
        let Parameter::Number(value) = g.value else {
            let what = format!("parameter `{}` is {}, but must be a number", g.name, g.value);
            return Err(complain(g, what, format!("write {} = 1.0", g.name)));
        };
        check_name(&g.name).map_err(|(what, remedy)| complain(g, what, remedy))?;
        let written = g.at.as_ref().is_some_and(|at| at.source.name == source.name);
        match parameters.iter_mut().find(|(n, _)| *n == g.name) {
            Some(known) => known.1 = value,
            None if names.contains(&g.name) => {
                return Err(complain(g, format!("the name \"{}\" stands for two things", g.name), "choose another name".to_owned()));
            }
            None if written => parameters.push((g.name.clone(), value)),
            None => {
                let known = || parameters.iter().map(|(n, _)| n.as_str());
                let hint = nearest(&g.name, known()).map_or(String::new(), |n| format!("did you mean `{n}`? "));
                let remedy = format!("{hint}{} takes: {}", source.name, known().collect::<Vec<_>>().join(", "));
                return Err(complain(g, format!("unknown parameter `{}`", g.name), remedy));
            }
        }
    }
    let text = formula.get_ref();
    let potential = TextPotential::compile(text, &names[1..], &parameters).map_err(|m| {
        let (span, whole) = (m.span.clone(), formula.span());
        match source.text[whole.clone()].find(text.as_str()).filter(|_| !text.is_empty()) {
            Some(offset) => m.at(source, whole.start + offset),
            None => Error::input_at(source, whole, format!("{} (at byte {} of the formula)", m.what, span.start), m.remedy),
        }
    })?;
    Ok(Built { potential: Arc::new(potential), particles: 1, dimension: variables.len() })
}
