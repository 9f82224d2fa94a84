//! `evaluate`: energies, terms and forces of given configurations.

use super::config::Campaign;
use super::inputs::Inputs;
use super::named_system::{load_system, parameter_text};
use super::system::System;
use super::units::{Kind, UnitSystem};
use crate::batch::{Coords, Thermo};
use crate::energy::Evaluation;
use crate::energy::formula::Given;
use crate::error::Source;
use crate::io::structures::{Expected, read_structures};
use crate::{Error, Result};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// Energies of some configurations.
#[derive(Clone, Debug)]
pub struct Evaluated {
    system: String,
    terms: Vec<String>,
    unit: &'static str,
    dof: usize,
    ids: Vec<String>,
    energies: Vec<f64>,
    term_values: Vec<f64>,
    forces: Vec<f64>,
}

/// Evaluates the configurations of a file (`.json`, `.pdb`, `.xyz`, `.npy`) on a system: a name, a folder, or an OpenMM System XML.
///
/// An XML system takes its atoms' names from `coordinates`, a PDB file; `sets` override parameters of a formula.
///
/// # Errors
/// `Error::Input` when the system or the configurations cannot be read or do not fit together.
pub fn evaluate(system: &str, coordinates: Option<&Path>, sets: &[(String, String)], configs: &Path) -> Result<Evaluated> {
    let system = load(system, coordinates, sets)?;
    let expected = Expected { dof: system.dof(), topology: system.topology.as_ref(), molecule: system.units == UnitSystem::Molecular };
    let structures = read_structures(configs, expected)?;
    let rows: Vec<f64> = structures.iter().flat_map(|s| s.x.iter().copied()).collect();
    let x = Coords::from_rows(&rows, system.dof())?;
    let mut out = Evaluation::with_terms();
    system.potential.eval(&x, &vec![Thermo::at(1.0); x.replicas()], &mut out)?;
    Ok(Evaluated {
        system: system.name.clone(),
        terms: system.potential.terms(),
        unit: system.units.unit(Kind::Energy),
        dof: system.dof(),
        ids: structures.into_iter().map(|s| s.id).collect(),
        energies: out.u.to_rows(),
        term_values: out.terms.map(|t| t.to_rows()).unwrap_or_default(),
        forces: out.f.to_rows(),
    })
}

fn load(system: &str, coordinates: Option<&Path>, sets: &[(String, String)]) -> Result<System> {
    if Path::new(system).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml")) {
        return of_campaign(Path::new(system), sets);
    }
    if Path::new(system).extension().is_some_and(|e| e.eq_ignore_ascii_case("xml")) {
        if let Some((key, _)) = sets.first() {
            return Err(Error::input(
                format!("--set {key}: a molecule takes no parameters"),
                "change the System in OpenMM and serialise it again",
            ));
        }
        let Some(pdb) = coordinates else {
            return Err(Error::input(format!("{system} needs the names of its atoms"), "give its structure with --coordinates FILE.pdb"));
        };
        return System::from_files(Path::new(system), pdb);
    }
    let mut given = Vec::new();
    for (key, value) in sets {
        let name = key.strip_prefix("system.parameters.").unwrap_or(key);
        given.push(Given::new(name, parameter_text(value)?));
    }
    System::load(system, &given)
}

/// The system of a campaign file.
fn of_campaign(file: &Path, sets: &[(String, String)]) -> Result<System> {
    let text = std::fs::read_to_string(file).map_err(|e| Error::reading(file, "reading the campaign", &e))?;
    let campaign = Campaign::parse(&Source::new(file.display().to_string(), text), sets)?;
    let points = campaign.points();
    let [point] = &points[..] else {
        let what = format!("{} sweeps over {} points", file.display(), points.len());
        return Err(Error::input(what, "take the [sweep] out, or copy the campaign and choose a point"));
    };
    load_system(&point.campaign, &Inputs::fresh(file.parent().unwrap_or(Path::new(""))))
}

impl Evaluated {
    /// `{"system", "unit", "terms", "configs": [{"id", "energy", "terms", "f"}]}`.
    pub fn json(&self) -> String {
        let number = |x: f64| if x.is_finite() { json!(x) } else { serde_json::Value::Null };
        let n = self.terms.len();
        let configs: Vec<serde_json::Value> = self
            .ids
            .iter()
            .enumerate()
            .map(|(k, id)| {
                json!({
                    "id": id.parse::<i64>().map_or_else(|_| json!(id), |i| json!(i)),
                    "energy": number(self.energies[k]),
                    "terms": self.term_values[k * n..(k + 1) * n].iter().map(|t| number(*t)).collect::<Vec<_>>(),
                    "f": self.forces[k * self.dof..(k + 1) * self.dof].iter().map(|f| number(*f)).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({ "system": self.system, "unit": self.unit, "terms": self.terms, "configs": configs }).to_string()
    }

    /// A table of energies and terms.
    pub fn table(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", self.unit) };
        let mut text = format!("{}{unit}\n{:>8} {:>16}", self.system, "id", "energy");
        for term in &self.terms {
            let _ = write!(text, " {:>1$}", term, term.len().max(14));
        }
        let n = self.terms.len();
        for (k, id) in self.ids.iter().enumerate() {
            let _ = write!(text, "\n{id:>8} {:>16.6}", self.energies[k]);
            for (term, value) in self.terms.iter().zip(&self.term_values[k * n..(k + 1) * n]) {
                let _ = write!(text, " {value:>0$.6}", term.len().max(14));
            }
        }
        text.push('\n');
        text
    }
}
