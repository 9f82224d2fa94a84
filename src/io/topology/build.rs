//! From a PDB file and a System to a topology, with the checks that catch files that do not belong together.

use super::{Atom, Residue, Topology};
use crate::error::{At, Complaint, Source};
use crate::io::elements::Element;
use crate::io::openmm::MolecularSystem;
use crate::io::pdb::Pdb;
use crate::{Error, Result};

/// Masses of one element in different force fields agree this well.
const MASS_TOLERANCE: f64 = 0.01;
/// Heaviest hydrogen that looks like mass repartitioning (4 amu is the largest in use), and lightest.
const HEAVY_HYDROGEN: [f64; 2] = [1.1, 4.2];
/// A bond is a chemical one if its rest length is below this times the covalent radii.
const BOND_FACTOR: f64 = 1.3;
/// A bond longer than this times its rest length means the wrong atoms.
const STRETCH: f64 = 2.5;
/// Places shown in one complaint.
const SHOWN: usize = 5;

/// A PDB file and the System whose atoms it names.
pub struct Inputs<'a> {
    /// The PDB file's text, to point into.
    pub pdb_source: &'a Source,
    /// The PDB file.
    pub pdb: &'a Pdb,
    /// The System's name, for messages.
    pub system_name: &'a str,
    /// The System.
    pub system: &'a MolecularSystem,
}

impl Topology {
    /// Names from the PDB file, masses and bonds from the System.
    ///
    /// Errors: different numbers of atoms; elements that do not fit the masses, or bonds of several times their length,
    /// both of which mean another order of atoms. Repartitioned hydrogen masses are warned of.
    pub fn new(inputs: &Inputs<'_>) -> Result<Topology> {
        let (pdb, system) = (inputs.pdb, inputs.system);
        if pdb.atoms.len() != system.atoms() {
            let what = format!(
                "{} has {} atoms, {} has {} particles",
                inputs.pdb_source.name,
                pdb.atoms.len(),
                inputs.system_name,
                system.atoms()
            );
            return Err(Error::input(what, ORDER));
        }
        let mut top = Topology { warnings: pdb.warnings.clone(), ..Topology::default() };
        for (i, (atom, &mass)) in pdb.atoms.iter().zip(&system.masses).enumerate() {
            // Residues are runs of atoms, so a new number is a new residue.
            if i == 0 || pdb.atoms[i - 1].residue != atom.residue {
                top.residues.push(Residue {
                    name: atom.residue_name.clone(),
                    number: atom.residue_number,
                    insertion: atom.insertion,
                    chain: atom.chain,
                    segment: atom.segment,
                    atoms: i..i,
                });
            }
            if let Some(residue) = top.residues.last_mut() {
                residue.atoms.end = i + 1;
            }
            let element = match atom.deduced {
                true => deduced(atom.element, mass),
                false => atom.element,
            };
            top.atoms.push(Atom { name: atom.name.clone(), element, residue: top.residues.len() - 1, mass });
        }
        let rest = chemical_bonds(&top, system);
        top.bonds = rest.iter().map(|(pair, _)| *pair).collect();
        if top.bonds.is_empty() {
            top.bonds.clone_from(&pdb.bonds);
        }
        masses_fit(inputs, &mut top)?;
        bonds_fit(inputs, &rest)?;
        Ok(top)
    }
}

const ORDER: &str = "the PDB file and the System must come from the same topology: write both in one script, \
    PDBFile.writeFile(modeller.topology, modeller.positions, open('my.pdb', 'w')) and XmlSerializer.serialize(system)";

/// An element deduced from a name gives way to the one that the mass tells.
fn deduced(guess: Option<Element>, mass: f64) -> Option<Element> {
    match (guess, Element::of_mass(mass)) {
        (Some(g), Some(m)) if g != m && g.symbol().starts_with(&m.symbol()[..1]) => Some(m),
        (Some(g), _) => Some(g),
        (None, m) => m,
    }
}

/// Bonds of the System that are chemical ones (not restraints, Urey-Bradley terms or the H-H of rigid water), with their
/// rest lengths, each pair once, sorted.
fn chemical_bonds(top: &Topology, system: &MolecularSystem) -> Vec<([usize; 2], f64)> {
    let radius = |i: usize| top.atoms[i].element.map_or(0.077, Element::covalent_radius);
    let mut out = Vec::new();
    for bond in system.bonds.iter().flat_map(|b| &b.items) {
        let [i, j] = bond.atoms;
        if bond.length > 0.0 && bond.length < BOND_FACTOR * (radius(i) + radius(j)) {
            out.push(([i.min(j), i.max(j)], bond.length));
        }
    }
    out.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    out.dedup_by_key(|b| b.0);
    out
}

/// Elements against masses.
fn masses_fit(inputs: &Inputs<'_>, top: &mut Topology) -> Result<()> {
    let off = |a: &Atom| a.element.is_some_and(|e| (a.mass - e.mass()).abs() > MASS_TOLERANCE * e.mass());
    let heavy = |a: &Atom| a.element == Some(Element::H) && (HEAVY_HYDROGEN[0]..=HEAVY_HYDROGEN[1]).contains(&a.mass);
    let repartitioned = top.atoms.iter().filter(|a| heavy(a)).count();
    let neighbours = top.neighbours();
    // What its hydrogens gained, an atom may have lost.
    let gained =
        |i: usize| -> f64 { neighbours[i].iter().map(|&j| &top.atoms[j]).filter(|a| heavy(a)).map(|a| a.mass - Element::H.mass()).sum() };
    let mut wrong = Vec::new();
    for (i, atom) in top.atoms.iter().enumerate() {
        let Some(element) = atom.element.filter(|_| off(atom)) else { continue };
        let explained =
            heavy(atom) || (gained(i) > 0.0 && (element.mass() - gained(i) - atom.mass).abs() <= MASS_TOLERANCE * element.mass());
        if !explained {
            wrong.push((i, element));
        }
    }
    if let Some((first, _)) = wrong.first() {
        let list: Vec<String> = wrong
            .iter()
            .take(SHOWN)
            .map(|(i, e)| format!("{} is {} but weighs {}", top.label(*i), e.symbol(), top.atoms[*i].mass))
            .collect();
        let what = format!("{} atoms have a mass that is not their element's: {}", wrong.len(), list.join(", "));
        return Err(at(inputs, *first, what));
    }
    if repartitioned > 0 {
        top.warnings.push(format!(
            "{repartitioned} hydrogens are heavier than hydrogen (repartitioned masses): kinetics are changed, averages are not"
        ));
    }
    Ok(())
}

/// Positions against bonds.
fn bonds_fit(inputs: &Inputs<'_>, bonds: &[([usize; 2], f64)]) -> Result<()> {
    let Some(x) = inputs.pdb.models.first() else { return Ok(()) };
    let mut wrong = Vec::new();
    for &([i, j], length) in bonds {
        let d = [x[i][0] - x[j][0], x[i][1] - x[j][1], x[i][2] - x[j][2]];
        let distance = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt();
        if distance > STRETCH * length {
            wrong.push((i, j, distance, length));
        }
    }
    let Some(&(first, ..)) = wrong.first() else { return Ok(()) };
    let name = |i: usize| format!("{} {}", inputs.pdb.atoms[i].residue_number, inputs.pdb.atoms[i].name);
    let list: Vec<String> =
        wrong.iter().take(SHOWN).map(|(i, j, d, l)| format!("{} to {}: {d:.3} nm instead of {l:.3}", name(*i), name(*j))).collect();
    let what = format!("{} bonds of {} are far too long in this file: {}", wrong.len(), inputs.system_name, list.join(", "));
    Err(at(inputs, first, what))
}

fn at(inputs: &Inputs<'_>, atom: usize, what: String) -> Error {
    let span = inputs.pdb.atoms[atom].span.clone();
    let remedy = format!("the order of the atoms differs, or a molecule is broken across the box; {ORDER}");
    Error::Input(vec![Complaint { what, at: Some(At { source: inputs.pdb_source.clone(), span }), remedy }])
}
