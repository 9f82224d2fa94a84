//! The observables and the restraint of `[system]`, once the system is there: names become collective variables.

use super::config::{Campaign, Observable, SystemFrom};
use super::named_system::locate;
use super::system::System;
use crate::energy::collective::{Collective, Dihedral, RadiusOfGyration, Symbol, TextCollective};
use crate::energy::restraint::Restrained;
use crate::io::selection;
use crate::{Error, Result};
use std::sync::Arc;

/// Gives the system its named observables, and puts the restraint on its potential.
///
/// # Errors
/// `Error::Input`, at its place in the formula, for a name that stands for nothing, or for two things.
pub(super) fn apply(mut system: System, campaign: &Campaign) -> Result<System> {
    let asked = &campaign.system;
    if asked.observables.is_empty() && asked.restraint.is_none() {
        return Ok(system);
    }
    let own = own_names(&system, campaign);
    // what the user names comes before what a molecule's torsions are called
    let mut named: Vec<(String, Symbol)> = Vec::new();
    for observable in &asked.observables {
        if own.iter().any(|(n, _)| *n == observable.name.value) {
            let what = format!("the name \"{}\" stands for two things", observable.name.value);
            return Err(Error::Input(vec![campaign.complaint(&observable.name.span, what, "choose another name for one of them")]));
        }
        let xi: Arc<dyn Collective> = match &observable.is {
            Observable::Column(column) => {
                super::metadynamics::collective(&column.kind, &system).map_err(|e| locate(e, campaign, observable.text.span.clone()))?
            }
            Observable::Formula => {
                let names = [&own[..], &named, &builtin(&system, &named)].concat();
                let xi = TextCollective::compile(&observable.text, &names, system.dof());
                Arc::new(xi.map_err(|m| Error::Input(vec![campaign.mistake(&observable.text, m)]))?)
            }
        };
        named.push((observable.name.value.clone(), Symbol::Collective(xi.clone())));
        if observable.is == Observable::Formula {
            system.observables.push((observable.name.value.clone(), xi));
        }
    }
    if let Some(text) = &asked.restraint {
        let names = [&own[..], &named, &builtin(&system, &named)].concat();
        let restrained = Restrained::compile(system.potential.clone(), text, &names);
        let restrained = Arc::new(restrained.map_err(|m| Error::Input(vec![campaign.mistake(text, m)]))?);
        system.potential = restrained.clone();
        system.restraint = Some(restrained);
    }
    Ok(system)
}

/// Variables and parameters of a formula.
fn own_names(system: &System, campaign: &Campaign) -> Vec<(String, Symbol)> {
    let mut names: Vec<(String, Symbol)> = Vec::new();
    for (d, name) in system.variables.iter().enumerate() {
        names.push((name.clone(), Symbol::Coordinate(d)));
    }
    if let SystemFrom::Formula(_) = campaign.system.from {
        names.extend(super::config::numbers(&campaign.system.parameters).into_iter().map(|(n, v)| (n, Symbol::Number(v))));
    }
    names
}

/// What is known by name without being declared: the torsions of a small molecule, the radius of gyration of particles.
fn builtin(system: &System, declared: &[(String, Symbol)]) -> Vec<(String, Symbol)> {
    let mut names: Vec<(String, Symbol)> = Vec::new();
    let free = |name: &str| !declared.iter().any(|(n, _)| n == name);
    for word in ["phi", "psi", "omega", "chi1"].into_iter().filter(|w| free(w)) {
        let atoms = system.topology.as_ref().and_then(|t| selection::dihedral(t, word).ok());
        if let Some(phi) = atoms.and_then(|atoms| Dihedral::new(atoms, system.dof()).ok()) {
            names.push((word.to_owned(), Symbol::Collective(Arc::new(phi))));
        }
    }
    if system.atoms() > 0
        && free("radius_of_gyration")
        && let Ok(size) = RadiusOfGyration::new(&system.masses, system.dimension)
    {
        names.push(("radius_of_gyration".to_owned(), Symbol::Collective(Arc::new(size))));
    }
    names
}

impl System {
    /// A named observable.
    ///
    /// # Errors
    /// `Error::Input` for an unknown name, with the nearest one.
    pub(super) fn observable(&self, name: &str) -> Result<Arc<dyn Collective>> {
        if let Some((_, xi)) = self.observables.iter().find(|(n, _)| n == name) {
            return Ok(xi.clone());
        }
        let names = || self.observables.iter().map(|(n, _)| n.as_str());
        let hint = super::nearest(name, names()).map_or(String::new(), |n| format!("did you mean \"observable:{n}\"? "));
        let remedy = match names().count() {
            0 => "write [system.observables] and NAME = \"formula\" in it; what is a column already is asked for as such".to_owned(),
            _ => format!("{hint}Formulas in [system.observables]: {}", names().collect::<Vec<_>>().join(", ")),
        };
        Err(Error::input(format!("there is no observable \"{name}\" with a formula"), remedy))
    }
}
