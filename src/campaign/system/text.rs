//! A system given as a formula in the campaign.

use super::{System, stiffness};
use crate::campaign::config::{Formula, Placed, Value};
use crate::campaign::nearest;
use crate::energy::Potential;
use crate::energy::text::TextPotential;
use crate::{Error, Result};
use std::sync::Arc;

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
            title: format!("U = {}", formula.text.value),
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
