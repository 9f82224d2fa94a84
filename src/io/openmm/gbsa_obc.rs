//! `GBSAOBCForce`: OBC2 with its constants built in.

use roxmltree::Node;

use super::document::Reader;
use super::nonbonded::{cutoff, method};
use super::system::{COULOMB, Implicit, ImplicitKind, Method};

/// Built-in constants. Source: Onufriev, Bashford, Case, Proteins 55, 383 (2004), model II; OpenMM user guide, "GBSAOBCForce".
const OFFSET: f64 = 0.009;
const ALPHA: f64 = 1.0;
const BETA: f64 = 0.8;
const GAMMA: f64 = 4.85;
const PROBE: f64 = 0.14;
/// kJ/mol/nm^2, when the file (version 1) does not say.
const SURFACE_AREA_ENERGY: f64 = 2.25936;

pub(super) fn gbsa_obc(reader: &mut Reader<'_>, force: Node<'_, '_>, atoms: usize, term: usize) -> Implicit {
    let required = ["type", "version", "method", "cutoff", "soluteDielectric", "solventDielectric"];
    reader.attributes(force, &required, &["name", "forceGroup", "surfaceAreaEnergy"]);
    reader.children(force, &["Particles"]);
    let method = method(reader, force, "GBSAOBCForce");
    let cutoff = cutoff(reader, force, method);
    let solvent_dielectric = reader.number_that(force, "solventDielectric", "positive", |v| v > 0.0);
    let solute_dielectric = reader.number_that(force, "soluteDielectric", "positive", |v| v > 0.0);
    let surface_area_energy = match force.has_attribute("surfaceAreaEnergy") {
        true => reader.number(force, "surfaceAreaEnergy"),
        false => SURFACE_AREA_ENERGY,
    };
    let list = reader.child(force, "Particles");
    let particles = reader.items(list, "Particle");
    reader.one_each(force, "GBSAOBCForce", particles.len(), atoms);
    let (mut charges, mut radii, mut offset_radii, mut scaled_radii) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for node in particles {
        reader.attributes(node, &["q", "r", "scale"], &[]);
        reader.children(node, &[]);
        charges.push(reader.number(node, "q"));
        let radius = reader.number_that(node, "r", "more than 0.009 (nm; the offset is taken from it)", |v| v > OFFSET);
        let scale = reader.number(node, "scale");
        radii.push(radius);
        offset_radii.push(radius - OFFSET);
        scaled_radii.push(scale * (radius - OFFSET));
    }
    let n = charges.len();
    Implicit {
        term,
        kind: ImplicitKind::GbsaObc,
        charges,
        radii,
        offset_radii,
        scaled_radii,
        alpha: vec![ALPHA; n],
        beta: vec![BETA; n],
        gamma: vec![GAMMA; n],
        engulfed: true,
        neck: None,
        offset: OFFSET,
        solvent_dielectric,
        solute_dielectric,
        coulomb: COULOMB,
        surface: 4.0 * std::f64::consts::PI * surface_area_energy,
        probe: PROBE,
        method,
        cutoff,
        pair_shift: if method == Method::NoCutoff { 0.0 } else { 1.0 / cutoff },
    }
}
