//! Systems: a folder of data becomes a potential with masses, a start, references and sane defaults.

mod description;
mod folder;
mod load;
mod molecule;
mod stiffness;
mod text;
mod xyz;

use super::along::AlongPath;
use crate::campaign::units::{Quantity, UnitSystem};
use crate::energy::Potential;
use crate::energy::collective::Collective;
use crate::energy::formula::Parameters;
use crate::energy::restraint::Restrained;
use crate::estimate;
use crate::io::topology::Topology;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What leaves the energy unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Symmetry {
    /// Moving all particles alike.
    Translation,
    /// Turning all particles about the origin.
    Rotation,
    /// x -> -x.
    Parity,
    /// Exchanging two particles.
    Permutation,
}

/// A value from elsewhere to compare with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// What: the name of a column for its canonical mean (`energy`, `coordinate:0`), `log_z`, `minimum`, ...
    pub quantity: String,
    /// The value, in internal units.
    pub value: f64,
    /// Its standard error; 0 for an exact value.
    pub error: f64,
    /// Under which conditions, for example `temperature = 1.0`.
    #[serde(default)]
    pub conditions: BTreeMap<String, f64>,
    /// Where it comes from, or how it is derived.
    pub source: String,
}

impl Reference {
    /// What a campaign says of its own formula, whatever the conditions.
    pub(super) fn anywhere(quantity: &str, known: &estimate::Reference) -> Self {
        let estimate::Reference { value, error, source } = known.clone();
        Reference { quantity: quantity.to_owned(), value, error, conditions: BTreeMap::new(), source }
    }
}

/// Sane settings for a first run, in internal units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// K; kT in reduced units.
    pub temperature: Option<f64>,
    /// ps; the system's time in reduced units.
    pub timestep: Option<f64>,
    /// 1/ps.
    pub friction: Option<f64>,
    /// Columns worth storing.
    pub observables: Vec<String>,
}

/// A region worth counting visits to: a box in one or more observables.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemBasin {
    /// Name.
    pub name: String,
    /// Observable, lower end, upper end.
    pub sides: Vec<(String, Quantity, Quantity)>,
}

/// Something to sample: a potential with all that goes with it.
#[derive(Clone)]
pub struct System {
    /// The folder's name.
    pub name: String,
    /// One line.
    pub title: String,
    /// More.
    pub description: String,
    /// Where the target comes from.
    pub paper: String,
    /// Name of the formula.
    pub formula: String,
    /// Its parameters, overrides included; none for a molecule.
    pub parameters: Option<Parameters>,
    /// The energy.
    pub potential: Arc<dyn Potential>,
    /// Number of particles; 1 for a point in `dimension` dimensions.
    pub particles: usize,
    /// Dimensions of one particle.
    pub dimension: usize,
    /// Names of the degrees of freedom of a system given as a formula; else none.
    pub variables: Vec<String>,
    /// Collective variables that the campaign gave a name and a formula.
    pub observables: Vec<(String, Arc<dyn Collective>)>,
    /// The restraint that is part of the potential.
    pub restraint: Option<Arc<Restrained>>,
    /// Mass of each degree of freedom, `[dof]`.
    pub masses: Vec<f64>,
    /// How bare numbers are read.
    pub units: UnitSystem,
    /// Structures to start from, each `[dof]`; replica r takes structure r modulo their number.
    pub start: Vec<Vec<f64>>,
    /// Width of the normal displacement that spreads the replicas about the start; 0 for none.
    pub spread: f64,
    /// What leaves the energy unchanged.
    pub symmetries: Vec<Symmetry>,
    /// Whether the motion of the centre of mass is removed unless the campaign says otherwise.
    pub remove_com: bool,
    /// Values from elsewhere.
    pub references: Vec<Reference>,
    /// Settings for a first run.
    pub defaults: Defaults,
    /// Regions.
    pub basins: Vec<SystemBasin>,
    /// Fastest angular frequency, and where it comes from: a timestep must stay well below 2 over it.
    pub omega_max: Option<(f64, String)>,
    /// Names of the atoms; of a cluster, particles without names; none for a density on R^n.
    pub topology: Option<Topology>,
    /// Of a molecule: its forces as read, of which a path makes other potentials.
    pub molecule: Option<Arc<crate::io::openmm::MolecularSystem>>,
    /// What the campaign's path made of the potential; none without a path.
    pub path: Option<AlongPath>,
    /// What is lawful but looks like a mistake.
    pub warnings: Vec<String>,
    /// Hash of everything that the system was made of, overrides included.
    pub digest: String,
}

impl System {
    /// The systems that come with the program, sorted.
    pub fn names() -> Vec<&'static str> {
        folder::names()
    }

    /// Nothing but a potential.
    fn bare(potential: Arc<dyn Potential>, particles: usize, dimension: usize, masses: Vec<f64>) -> Self {
        System {
            name: String::new(),
            title: String::new(),
            description: String::new(),
            paper: String::new(),
            formula: String::new(),
            parameters: None,
            potential,
            particles,
            dimension,
            variables: Vec::new(),
            observables: Vec::new(),
            restraint: None,
            masses,
            units: UnitSystem::Reduced,
            start: Vec::new(),
            spread: 0.0,
            symmetries: Vec::new(),
            remove_com: false,
            references: Vec::new(),
            defaults: Defaults::default(),
            basins: Vec::new(),
            omega_max: None,
            topology: None,
            molecule: None,
            path: None,
            warnings: Vec::new(),
            digest: String::new(),
        }
    }

    /// Particles with positions in space: 0 for a density on R^n.
    pub fn atoms(&self) -> usize {
        if self.particles > 1 { self.particles } else { 0 }
    }

    /// Degrees of freedom.
    pub fn dof(&self) -> usize {
        self.potential.dof()
    }

    /// The reference of a quantity under given conditions; those that either side leaves out match.
    pub fn reference(&self, quantity: &str, conditions: &BTreeMap<String, f64>) -> Option<&Reference> {
        self.references.iter().find(|r| {
            r.quantity == quantity && r.conditions.iter().all(|(k, v)| conditions.get(k).is_none_or(|x| (x - v).abs() <= 1e-9 * v.abs()))
        })
    }
}
