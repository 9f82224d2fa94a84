//! `NonbondedForce`.

use roxmltree::Node;

use super::document::{Reader, short, tag};
use super::system::{Exception, Method, Nonbonded};

/// Settings without effect unless the method is Ewald, PME or LJPME.
const EWALD_ONLY: [&str; 10] = ["alpha", "nx", "ny", "nz", "ljAlpha", "ljnx", "ljny", "ljnz", "ewaldTolerance", "recipForceGroup"];
/// Settings that may be absent in older files, with OpenMM's defaults.
const OPTIONAL: [&str; 8] = [
    "name",
    "forceGroup",
    "dispersionCorrection",
    "exceptionsUsePeriodic",
    "includeDirectSpace",
    "switchingDistance",
    "useSwitchingFunction",
    "rfDielectric",
];

/// The method of a force whose choices are numbered as OpenMM numbers them; refuses the periodic ones.
pub(super) fn method(reader: &mut Reader<'_>, force: Node<'_, '_>, class: &str) -> Method {
    let Some(a) = force.attribute_node("method") else { return Method::NoCutoff };
    let name = match a.value().trim() {
        "0" => return Method::NoCutoff,
        "1" => return Method::CutoffNonPeriodic,
        "2" => "CutoffPeriodic",
        "3" if class == "NonbondedForce" => "Ewald",
        "4" if class == "NonbondedForce" => "PME",
        "5" if class == "NonbondedForce" => "LJPME",
        other => {
            let what = format!("method=\"{}\" of {class} is none that OpenMM has", short(other));
            reader.complain(a.range(), what, "0 is NoCutoff, 1 CutoffNonPeriodic; the file is damaged");
            return Method::NoCutoff;
        }
    };
    let remedy = "for a molecule in vacuum or implicit solvent re-create the System with \
                  system = forcefield.createSystem(pdb.topology, nonbondedMethod=NoCutoff, constraints=None, rigidWater=False); \
                  periodic boxes and explicit solvent are not supported yet";
    reader.refuse(&format!("{class} with method {name}"), a.range(), remedy);
    Method::NoCutoff
}

/// The cutoff, checked where it counts.
pub(super) fn cutoff(reader: &mut Reader<'_>, force: Node<'_, '_>, method: Method) -> f64 {
    match method {
        Method::NoCutoff => reader.number(force, "cutoff"),
        Method::CutoffNonPeriodic => reader.number_that(force, "cutoff", "positive", |v| v > 0.0),
    }
}

pub(super) fn nonbonded(reader: &mut Reader<'_>, force: Node<'_, '_>, atoms: usize, term: usize) -> Nonbonded {
    let optional: Vec<&str> = EWALD_ONLY.iter().chain(&OPTIONAL).copied().collect();
    reader.attributes(force, &["type", "version", "method", "cutoff"], &optional);
    reader.children(force, &["GlobalParameters", "ParticleOffsets", "ExceptionOffsets", "Particles", "Exceptions"]);
    let method = method(reader, force, "NonbondedForce");
    let cutoff = cutoff(reader, force, method);
    let rf_dielectric = match force.has_attribute("rfDielectric") {
        true => reader.number_that(force, "rfDielectric", "positive", |v| v > 0.0),
        false => 78.3,
    };
    settings(reader, force, method);

    let list = reader.child(force, "Particles");
    let particles = reader.items(list, "Particle");
    reader.one_each(force, "NonbondedForce", particles.len(), atoms);
    let (mut charges, mut sigma, mut epsilon) = (Vec::new(), Vec::new(), Vec::new());
    for node in particles {
        reader.attributes(node, &["q", "sig", "eps"], &[]);
        reader.children(node, &[]);
        charges.push(reader.number(node, "q"));
        sigma.push(reader.number_that(node, "sig", "at least 0", |v| v >= 0.0));
        epsilon.push(reader.number_that(node, "eps", "at least 0", |v| v >= 0.0));
    }

    let list = reader.child(force, "Exceptions");
    let mut exceptions = Vec::new();
    let mut pairs = Vec::new();
    for node in reader.items(list, "Exception") {
        reader.attributes(node, &["p1", "p2", "q", "sig", "eps"], &[]);
        reader.children(node, &[]);
        let charge_product = reader.number(node, "q");
        let sigma = reader.number_that(node, "sig", "at least 0", |v| v >= 0.0);
        let epsilon = reader.number_that(node, "eps", "at least 0", |v| v >= 0.0);
        if let Some(atoms) = reader.particles(node, ["p1", "p2"], atoms) {
            exceptions.push(Exception { atoms, charge_product, sigma, epsilon });
            pairs.push((atoms[0].min(atoms[1]), atoms[0].max(atoms[1]), node));
        }
    }
    // Stable, so that the later of two equal pairs is the one complained of.
    pairs.sort_by_key(|&(i, j, _)| (i, j));
    for pair in pairs.windows(2) {
        if (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1) {
            let what = format!("a second exception for particles {} and {}", pair[1].0, pair[1].1);
            reader.complain(tag(pair[1].2), what, "each pair has at most one; the file is damaged or was edited");
        }
    }
    Nonbonded { term, method, cutoff, rf_dielectric, charges, sigma, epsilon, exceptions }
}

/// Settings that would change the energy.
fn settings(reader: &mut Reader<'_>, force: Node<'_, '_>, method: Method) {
    let switching = reader.flag(force, "useSwitchingFunction");
    if switching && method == Method::CutoffNonPeriodic {
        let remedy = "it changes the Lennard-Jones energy near the cutoff; call force.setUseSwitchingFunction(False), or use NoCutoff";
        reader.refuse("NonbondedForce with a switching function", tag(force), remedy);
    }
    if reader.flag(force, "exceptionsUsePeriodic") {
        let remedy = "call force.setExceptionsUsePeriodicBoundaryConditions(False); nothing periodic is supported yet";
        reader.refuse("NonbondedForce with exceptionsUsePeriodic=\"1\"", tag(force), remedy);
    }
    if force.has_attribute("includeDirectSpace") && !reader.flag(force, "includeDirectSpace") {
        let remedy = "the pair energies would be left out; call force.setIncludeDirectSpace(True)";
        reader.refuse("NonbondedForce with includeDirectSpace=\"0\"", tag(force), remedy);
    }
    // The dispersion correction acts in periodic boxes only; it is read to see that it is a flag.
    reader.flag(force, "dispersionCorrection");
    let remedy = "parameters that depend on a global parameter are not supported: set the charges and radii you want with \
                  force.setParticleParameters and leave the offsets out";
    reader.must_be_empty(force, "ParticleOffsets", "particle parameter offset", remedy);
    reader.must_be_empty(force, "ExceptionOffsets", "exception parameter offset", remedy);
    reader.must_be_empty(force, "GlobalParameters", "global parameter of NonbondedForce", remedy);
}
