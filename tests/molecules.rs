//! Molecules against OpenMM's Reference platform, term by term.

use ergodica::batch::Coords;
use ergodica::batch::Thermo;
use ergodica::energy::molecular::Molecule;
use ergodica::energy::{Batched, Evaluation, Potential};
use ergodica::io::openmm::{Implicit, ImplicitKind, Method, MolecularSystem, read_system_file};
use std::path::{Path, PathBuf};

/// Largest relative error of a term: an error of 2e-7 in the Coulomb constant must show.
const TERM: f64 = 1e-9;
/// Largest error, kJ/mol, of a term that is nearly zero: a difference of large numbers, of which the references have 12 digits.
const FLOOR: f64 = 1e-8;
/// Largest error of a force component over the largest component.
const FORCE: f64 = 1e-9;

struct Reference {
    terms: Vec<String>,
    configurations: Vec<Configuration>,
}

struct Configuration {
    x: Vec<f64>,
    f: Vec<f64>,
    terms: Vec<f64>,
    energy: f64,
}

fn numbers(v: &serde_json::Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn reference(path: &Path) -> Reference {
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let terms = json["terms"].as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect();
    let mut configurations = Vec::new();
    for c in json["configs"].as_array().unwrap() {
        configurations.push(Configuration {
            x: numbers(&c["x"]),
            f: numbers(&c["f"]),
            terms: numbers(&c["terms"]),
            energy: c["energy"].as_f64().unwrap(),
        });
    }
    Reference { terms, configurations }
}

/// What is not a number is the worst of errors.
fn or_infinite(v: f64) -> f64 {
    if v.is_nan() { f64::INFINITY } else { v }
}

/// Worst errors of a system over all configurations of its reference: of a term (over TERM |E| + FLOOR), of a force
/// component (over FORCE max|F|).
fn worst(system: &MolecularSystem, reference: &Reference) -> (f64, f64, String) {
    let molecule = Batched(Molecule::new(system).unwrap());
    let mut rows = Vec::new();
    for c in &reference.configurations {
        rows.extend_from_slice(&c.x);
    }
    let x = Coords::from_rows(&rows, 3 * system.atoms()).unwrap();
    let thermo = vec![Thermo { beta: 1.0, lambda: 1.0, state: 0 }; x.replicas()];
    let mut out = Evaluation::with_terms();
    molecule.eval(&x, &thermo, &mut out).unwrap();
    let terms = out.terms.unwrap();
    let (mut worst_term, mut worst_force, mut which): (f64, f64, String) = (0.0, 0.0, String::new());
    for (r, c) in reference.configurations.iter().enumerate() {
        let mut errors: Vec<(f64, f64)> = Vec::new();
        for (k, expected) in c.terms.iter().enumerate() {
            errors.push((terms.get(r, k) - expected, *expected));
        }
        errors.push((out.u.get(r, 0) - c.energy, c.energy));
        for (k, (error, expected)) in errors.iter().enumerate() {
            let ratio = or_infinite(error.abs() / (TERM * expected.abs() + FLOOR));
            if ratio > worst_term {
                worst_term = ratio;
                which = format!("{}: {error:e} of {expected}", reference.terms.get(k).map_or("total", String::as_str));
            }
        }
        let largest = c.f.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for (k, expected) in c.f.iter().enumerate() {
            let ratio = (out.f.get(r, k) - expected).abs() / (FORCE * largest);
            worst_force = worst_force.max(or_infinite(ratio));
        }
    }
    (worst_term, worst_force, which)
}

/// System XML and reference: of every folder of `systems/` that has both, and of tests/data/molecules.
fn all() -> Vec<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pairs = Vec::new();
    for entry in std::fs::read_dir(root.join("systems")).unwrap() {
        let folder = entry.unwrap().path();
        pairs.push((folder.join("system.xml"), folder.join("energies.json")));
    }
    pairs.extend(beside(&root.join("tests/data/molecules")));
    pairs.retain(|(xml, json)| xml.exists() && json.exists());
    pairs.sort();
    pairs
}

/// Every `name.xml` beside a `name.ref.json`.
fn beside(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut pairs = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "xml") {
            pairs.push((path.clone(), path.with_extension("ref.json")));
        }
    }
    pairs.retain(|(_, json)| json.exists());
    pairs.sort();
    pairs
}

#[test]
fn molecules_have_openmms_energies_and_forces() {
    let all = all();
    assert!(all.len() >= 30, "{} molecules found", all.len());
    for (xml, json) in all {
        let (term, force, which) = worst(&read_system_file(&xml).unwrap(), &reference(&json));
        assert!(term <= 1.0 && force <= 1.0, "{}: term {term:.2e}, force {force:.2e} of what is allowed ({which})", xml.display());
    }
}

/// Any folder of `name.xml` beside `name.ref.json`: ERGODICA_MOLECULES=folder cargo test --test molecules -- --ignored --nocapture
#[test]
#[ignore = "needs a folder of references"]
fn a_folder_of_molecules_has_openmms_energies_and_forces() {
    let folder = PathBuf::from(std::env::var("ERGODICA_MOLECULES").unwrap());
    let mut failed = false;
    for (xml, json) in beside(&folder) {
        match read_system_file(&xml) {
            Err(e) => println!("{}: refused: {}", xml.display(), e.to_string().lines().next().unwrap_or_default()),
            Ok(system) => {
                let (term, force, which) = worst(&system, &reference(&json));
                println!("{}: term {term:.2e}, force {force:.2e} of what is allowed ({which})", xml.display());
                failed |= !(term <= 1.0 && force <= 1.0);
            }
        }
    }
    assert!(!failed);
}

/// The broken twin: a small mistake in a system must show in its reference.
fn must_show(name: &str, mistake: impl Fn(&mut MolecularSystem)) {
    let (xml, json) = all().into_iter().find(|(xml, _)| xml.to_string_lossy().contains(name)).unwrap();
    let mut system = read_system_file(&xml).unwrap();
    mistake(&mut system);
    let (term, force, which) = worst(&system, &reference(&json));
    assert!(term > 8.0 && force > 8.0, "{name}: a mistake stays at {term:.2e} and {force:.2e} of what is allowed ({which})");
}

#[test]
fn mistakes_in_bonded_terms_show() {
    must_show("ala2-ff96-vacuum", |s| s.bonds[0].items[3].k *= 1.0 + 1e-5);
    must_show("ala2-ff96-vacuum", |s| s.angles[0].items[3].angle += 1e-5);
    must_show("random_bonded", |s| s.torsions[1].items[0].phase *= -1.0);
    must_show("random_bonded", |s| s.torsions[0].items[5].periodicity += 1);
    must_show("random_bonded", |s| s.torsions[0].items.iter_mut().for_each(|t| t.atoms.swap(1, 2)));
}

#[test]
fn mistakes_in_pairs_show() {
    // The other value of the Coulomb constant in use.
    must_show("ala2-ff96-vacuum", |s| {
        let ratio = (138.935485_f64 / ergodica::io::openmm::COULOMB).sqrt();
        s.nonbonded.as_mut().unwrap().charges.iter_mut().for_each(|q| *q *= ratio);
    });
    must_show("ala2-ff96-vacuum", |s| s.nonbonded.as_mut().unwrap().exceptions.truncate(97));
    must_show("ala2-ff96-vacuum", |s| s.nonbonded.as_mut().unwrap().exceptions.iter_mut().for_each(|e| e.epsilon *= 0.999));
    must_show("random_pairs_cutoff.xml", |s| s.nonbonded.as_mut().unwrap().rf_dielectric = 78.5);
    must_show("random_pairs_cutoff.xml", |s| s.nonbonded.as_mut().unwrap().cutoff *= 1.1);
    must_show("random_pairs_cutoff_rf1", |s| s.nonbonded.as_mut().unwrap().method = Method::NoCutoff);
}

#[test]
fn mistakes_in_implicit_solvent_show() {
    let with = |name: &str, mistake: fn(&mut Implicit)| {
        must_show(name, |s| mistake(s.implicit.as_mut().unwrap()));
    };
    with("ala2-ff96-obc1", |s| s.coulomb = ergodica::io::openmm::COULOMB);
    with("ala2-ff96-gbsaobc", |s| s.coulomb = 138.935485);
    with("ala2-ff96-gbsaobc", |s| s.solvent_dielectric = 78.5);
    with("ala2-ff96-obc1", |s| s.kind = ImplicitKind::Hct);
    with("ala2-ff96-obc1", |s| s.probe = 0.1401);
    with("ala2-ff14sb-obc2", |s| s.beta.iter_mut().for_each(|b| *b *= 1.0001));
    with("random_gbsaobc.xml", |s| s.engulfed = false);
    with("random_obc1.xml", |s| s.engulfed = true);
    with("random_obc2_cutoff", |s| s.cutoff *= 1.1);
    with("random_gbn2_cutoff", |s| s.scaled_radii.iter_mut().for_each(|r| *r = r.abs()));
    with("ala2-ff14sb-gbn2", |s| {
        let neck = s.neck.as_mut().unwrap();
        let before = neck.m0.clone();
        for row in 0..neck.size {
            for column in 0..neck.size {
                neck.m0[row * neck.size + column] = before[column * neck.size + row];
            }
        }
    });
    with("ala2-ff14sb-gbn2", |s| s.neck = None);
}
