//! Molecules: an OpenMM System and a PDB file become a potential, masses, a topology and starts.

use crate::Result;
use crate::energy::molecular::{Molecule, stiffest};
use crate::energy::{Batched, Potential};
use crate::error::Source;
use crate::io::openmm::{self, MolecularSystem};
use crate::io::pdb;
use crate::io::structures::{Expected, from_pdb};
use crate::io::topology::{Inputs, Topology};
use std::sync::Arc;

/// A molecule, built.
pub(super) struct Molecular {
    pub(super) potential: Arc<dyn Potential>,
    pub(super) system: Arc<MolecularSystem>,
    /// Per degree of freedom, amu.
    pub(super) masses: Vec<f64>,
    /// One for each model of the PDB file, nm.
    pub(super) start: Vec<Vec<f64>>,
    pub(super) topology: Topology,
    pub(super) omega_max: Option<(f64, String)>,
    pub(super) warnings: Vec<String>,
}

/// From the texts of a System XML and of its structure.
pub(super) fn build(xml: &Source, structure: &Source) -> Result<Molecular> {
    let system = openmm::read_system(xml)?;
    let pdb = pdb::read_pdb(structure)?;
    let topology = Topology::new(&Inputs { pdb_source: structure, pdb: &pdb, system_name: &xml.name, system: &system })?;
    let expected = Expected { dof: 3 * system.atoms(), topology: Some(&topology), molecule: true };
    let start = from_pdb(structure, &pdb, expected)?.into_iter().map(|s| s.x).collect();
    let potential: Arc<dyn Potential> = Arc::new(Batched(Molecule::new(&system)?));
    let masses = system.masses.iter().flat_map(|m| [*m; 3]).collect();
    let warnings = system.warnings.iter().chain(&topology.warnings).cloned().collect();
    let omega_max = fastest(&system, &topology);
    Ok(Molecular { potential, system: Arc::new(system), masses, start, omega_max, topology, warnings })
}

/// omega_max with the atoms that make it: "the bond A:1:C-A:1:H".
fn fastest(system: &MolecularSystem, topology: &Topology) -> Option<(f64, String)> {
    let s = stiffest(system)?;
    let names: Vec<String> = s.atoms.iter().map(|&a| topology.label(a)).collect();
    let what = if names.len() == 2 { "bond" } else { "angle" };
    Some((s.omega, format!("the {what} {}", names.join("-"))))
}
