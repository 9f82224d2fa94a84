//! Systems as OpenMM serialises them: the text that `openmm.XmlSerializer.serialize(system)` returns.
//!
//! What is read is read whole; what is not supported is refused by class and count, all of it at once, with the line of
//! Python that re-creates the System without it where that is right. Nothing is silently ignored, except settings that
//! have no effect on the energy: force groups, Ewald tolerances and grids without Ewald, the dispersion correction without
//! a periodic box, a switching function without a cutoff, and the version that wrote the file.

mod bonded;
mod custom_gb;
mod document;
mod formula;
mod gbsa_obc;
mod nonbonded;
mod refused;
mod system;

use std::path::Path;

use roxmltree::Node;

use crate::error::Source;
use crate::{Error, Result};
use document::{Reader, short, tag};
pub use system::{
    Angle, Bond, Bonded, COULOMB, Exception, ForceInfo, Implicit, ImplicitKind, MAX_PERIODICITY, Method, MolecularSystem, Neck, Nonbonded,
    Torsion,
};

/// Reads a System from a file.
///
/// Errors: `Error::Io` if it cannot be read, otherwise as [`read_system`].
pub fn read_system_file(path: impl AsRef<Path>) -> Result<MolecularSystem> {
    let path = path.as_ref();
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, "reading the System XML", &e))?.len();
    if size > document::MAX_BYTES as u64 {
        return Err(document::too_large(&path.display().to_string(), size));
    }
    let text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidData => {
            let remedy = "it is not text; give the file that openmm.XmlSerializer.serialize(system) wrote, uncompressed";
            Error::input(format!("{}: not UTF-8", path.display()), remedy)
        }
        _ => Error::io(path, "reading the System XML", &e),
    })?;
    read_system(&Source::new(path.display().to_string(), text))
}

/// Reads a System from a text.
///
/// Units: nm, kJ/mol, amu, e, radians. Errors: `Error::Input` with every complaint found, each pointing into the text.
pub fn read_system(source: &Source) -> Result<MolecularSystem> {
    let document = document::parse(source)?;
    let root = document.root_element();
    is_a_system(source, root)?;
    let mut reader = Reader::new(source);
    let system = system(&mut reader, root);
    reader.finish()?;
    // Without a complaint every part is there.
    system.ok_or_else(|| {
        Error::input_at(source, tag(root), "this System cannot be read", "write it again with openmm.XmlSerializer.serialize(system)")
    })
}

/// Refuses the other things that OpenMM writes as XML.
fn is_a_system(source: &Source, root: Node<'_, '_>) -> Result<()> {
    let remedy = match root.tag_name().name() {
        "System" if root.tag_name().namespace().is_none() => return Ok(()),
        "State" | "Integrator" => "this is a serialised State or Integrator; give the System: openmm.XmlSerializer.serialize(system)",
        "ForceField" | "Residues" => {
            "this is a force field; apply it first: system = ForceField('this.xml').createSystem(pdb.topology, constraints=None), \
             then openmm.XmlSerializer.serialize(system)"
        }
        _ => "give the text that openmm.XmlSerializer.serialize(system) returns",
    };
    Err(Error::input_at(source, tag(root), format!("the root is <{}>, not <System>", short(root.tag_name().name())), remedy))
}

fn system(reader: &mut Reader<'_>, root: Node<'_, '_>) -> Option<MolecularSystem> {
    reader.attributes(root, &["version"], &["type", "openmmVersion"]);
    version(reader, root, "System", 1);
    reader.children(root, &["PeriodicBoxVectors", "Particles", "Constraints", "Forces"]);
    let box_vectors = box_vectors(reader, root);
    let masses = masses(reader, root);
    let constraints = reader.child(root, "Constraints");
    for constraint in reader.items(constraints, "Constraint") {
        reader.refuse("constraint", tag(constraint), refused::CONSTRAINTS);
    }
    let mut system = MolecularSystem {
        masses,
        box_vectors,
        forces: Vec::new(),
        bonds: Vec::new(),
        angles: Vec::new(),
        torsions: Vec::new(),
        nonbonded: None,
        implicit: None,
        cm_motion_remover: None,
        warnings: Vec::new(),
    };
    let list = reader.child(root, "Forces");
    let forces = reader.items(list, "Force");
    if let (Some(list), true) = (list, forces.is_empty()) {
        reader.complain(
            tag(list),
            "the System has no forces",
            "add the forces before serialising, for example with forcefield.createSystem(...)",
        );
    }
    for (term, node) in forces.into_iter().enumerate() {
        force(reader, node, term, &mut system);
    }
    bonds_without_exception(&mut system);
    Some(system)
}

/// Reads one force into its place.
fn force(reader: &mut Reader<'_>, node: Node<'_, '_>, term: usize, system: &mut MolecularSystem) {
    let atoms = system.masses.len();
    let class = node.attribute("type").unwrap_or_default();
    let newest = match class {
        "HarmonicBondForce" | "HarmonicAngleForce" | "PeriodicTorsionForce" | "GBSAOBCForce" | "CustomGBForce" => 2,
        "NonbondedForce" => 4,
        "CMMotionRemover" => 1,
        "" => {
            reader.complain(
                tag(node),
                "<Force> has no type",
                "the file is damaged; write it again with openmm.XmlSerializer.serialize(system)",
            );
            return;
        }
        other => {
            reader.refuse(&short(other), tag(node), refused::remedy(other));
            return;
        }
    };
    version(reader, node, class, newest);
    let group = if node.has_attribute("forceGroup") { reader.whole(node, "forceGroup", 0, 31) } else { 0 };
    let name = node.attribute("name").unwrap_or(class).to_owned();
    system.forces.push(ForceInfo { class: class.to_owned(), name, group });
    match class {
        "HarmonicBondForce" => system.bonds.push(Bonded { term, items: bonded::bonds(reader, node, atoms) }),
        "HarmonicAngleForce" => system.angles.push(Bonded { term, items: bonded::angles(reader, node, atoms) }),
        "PeriodicTorsionForce" => system.torsions.push(Bonded { term, items: bonded::torsions(reader, node, atoms) }),
        "NonbondedForce" => {
            let force = nonbonded::nonbonded(reader, node, atoms, term);
            only_one(reader, node, class, system.nonbonded.is_some());
            system.nonbonded = Some(force);
        }
        "GBSAOBCForce" | "CustomGBForce" => {
            let force = match class {
                "GBSAOBCForce" => Some(gbsa_obc::gbsa_obc(reader, node, atoms, term)),
                _ => custom_gb::custom_gb(reader, node, atoms, term),
            };
            only_one(reader, node, "implicit solvent", system.implicit.is_some());
            system.implicit = force.or(system.implicit.take());
        }
        _ => {
            reader.attributes(node, &["type", "version", "frequency"], &["name", "forceGroup"]);
            reader.children(node, &[]);
            only_one(reader, node, class, system.cm_motion_remover.is_some());
            system.cm_motion_remover = Some(reader.whole(node, "frequency", 1, u32::MAX >> 1));
        }
    }
}

fn only_one(reader: &mut Reader<'_>, node: Node<'_, '_>, what: &str, another: bool) {
    if another {
        reader.refuse(&format!("second {what}"), tag(node), "one is supported; merge them into one before serialising");
    }
}

/// Refuses a format version that is newer than the one this reader knows.
fn version(reader: &mut Reader<'_>, node: Node<'_, '_>, class: &str, newest: u32) {
    let Some(a) = node.attribute_node("version") else { return };
    if !a.value().trim().parse::<u32>().is_ok_and(|v| (1..=newest).contains(&v)) {
        let what = format!("version=\"{}\" of {class} is not known; this program knows 1 to {newest}", short(a.value()));
        reader.complain(a.range(), what, "serialise the System with OpenMM 8.6 or older");
    }
}

fn box_vectors(reader: &mut Reader<'_>, root: Node<'_, '_>) -> [[f64; 3]; 3] {
    let mut out = [[0.0; 3]; 3];
    let Some(list) = reader.child(root, "PeriodicBoxVectors") else { return out };
    reader.attributes(list, &[], &[]);
    reader.children(list, &["A", "B", "C"]);
    for (row, name) in out.iter_mut().zip(["A", "B", "C"]) {
        if let Some(node) = reader.child(list, name) {
            reader.attributes(node, &["x", "y", "z"], &[]);
            reader.children(node, &[]);
            *row = ["x", "y", "z"].map(|axis| reader.number(node, axis));
        }
    }
    out
}

fn masses(reader: &mut Reader<'_>, root: Node<'_, '_>) -> Vec<f64> {
    let list = reader.child(root, "Particles");
    let mut masses = Vec::new();
    for node in reader.items(list, "Particle") {
        reader.attributes(node, &["mass"], &[]);
        masses.push(reader.number_that(node, "mass", "at least 0", |v| v >= 0.0));
        let sites = ["TwoParticleAverageSite", "ThreeParticleAverageSite", "OutOfPlaneSite", "LocalCoordinatesSite", "SymmetrySite"];
        if node.children().any(|c| c.is_element() && sites.contains(&c.tag_name().name())) {
            reader.refuse("virtual site", tag(node), refused::VIRTUAL_SITES);
        } else {
            reader.children(node, &[]);
            if masses.last() == Some(&0.0) {
                reader.refuse("particle of mass 0", tag(node), refused::MASSLESS);
            }
        }
    }
    if let (Some(list), true) = (list, masses.is_empty()) {
        reader.complain(tag(list), "the System has no particles", "check that it is the right file");
    }
    masses
}

/// Warns of bonded pairs that also repel and attract as if they were not bonded: lawful, but usually a missing exception.
fn bonds_without_exception(system: &mut MolecularSystem) {
    let Some(nonbonded) = &system.nonbonded else { return };
    let mut excepted: Vec<[usize; 2]> = nonbonded.exceptions.iter().map(|e| ordered(e.atoms)).collect();
    excepted.sort_unstable();
    let interacts = |i: usize| nonbonded.charges.get(i) != Some(&0.0) || nonbonded.epsilon.get(i) != Some(&0.0);
    let mut missing = Vec::new();
    for bond in system.bonds.iter().flat_map(|b| &b.items) {
        let pair = ordered(bond.atoms);
        if excepted.binary_search(&pair).is_err() && interacts(pair[0]) && interacts(pair[1]) {
            missing.push(pair);
        }
    }
    if let Some([i, j]) = missing.first() {
        let n = missing.len();
        system.warnings.push(format!(
            "{n} bonded pairs (first: particles {i} and {j}) have no exception in NonbondedForce and so interact as if they were not bonded; \
             force.createExceptionsFromBonds(...) makes them"
        ));
    }
}

fn ordered([i, j]: [usize; 2]) -> [usize; 2] {
    [i.min(j), i.max(j)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(path: &str) -> Result<MolecularSystem> {
        read_system_file(format!("{}/{path}", env!("CARGO_MANIFEST_DIR")))
    }

    #[test]
    fn the_shipped_systems_are_read() {
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/systems")).unwrap() {
            let folder = entry.unwrap().path();
            if !folder.join("system.xml").exists() {
                continue;
            }
            let system = read_system_file(folder.join("system.xml")).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
            let reference: serde_json::Value =
                serde_json::from_str(&std::fs::read_to_string(folder.join("energies.json")).unwrap()).unwrap();
            assert_eq!(reference["n_atoms"], system.atoms());
            let names: Vec<&str> = reference["terms"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
            assert_eq!(names, system.term_names());
            assert!(system.warnings.is_empty(), "{:?}", system.warnings);
        }
    }

    #[test]
    fn alanine_dipeptide_has_its_known_parameters() {
        let s = shipped("systems/ala2-ff14sb-obc1/system.xml").unwrap();
        assert_eq!((s.bonds[0].items.len(), s.angles[0].items.len()), (21, 36));
        assert_eq!(s.bonds[0].items[0], Bond { atoms: [1, 0], length: 0.10900000000000001, k: 284511.99999999994 });
        let n = s.nonbonded.unwrap();
        assert_eq!((n.method, n.cutoff, n.rf_dielectric, n.exceptions.len()), (Method::CutoffNonPeriodic, 2.0, 1.0, 98));
        let (k_rf, c_rf) = n.reaction_field();
        assert_eq!((k_rf, c_rf), (0.0, 0.5));
        let gb = s.implicit.unwrap();
        assert_eq!((gb.kind, gb.pair_shift, gb.surface, gb.solvent_dielectric), (ImplicitKind::Obc1, 0.5, 28.3919551, 78.5));
        assert_eq!((gb.alpha[3], gb.beta[3], gb.gamma[3], gb.coulomb), (0.8, 0.0, 2.909125, 138.935485));
        assert_eq!((gb.offset_radii[0], gb.scaled_radii[0], gb.radii[0]), (0.111, 0.09435, 0.12));
        assert_eq!(s.cm_motion_remover, Some(1));
        assert_eq!(shipped("systems/ala2-ff99sbildn-obc/system.xml").unwrap().implicit.unwrap().kind, ImplicitKind::GbsaObc);
        let gbn2 = shipped("systems/ala2-ff14sb-gbn2/system.xml").unwrap().implicit.unwrap();
        assert_eq!((gbn2.kind, gbn2.neck.as_ref().unwrap().size), (ImplicitKind::Gbn2, 5));
    }
}
