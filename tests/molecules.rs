//! Molecules against OpenMM's Reference platform, term by term.

use ergodica::batch::Coords;
use ergodica::batch::Thermo;
use ergodica::energy::molecular::Molecule;
use ergodica::energy::{Batched, Evaluation, Potential};
use ergodica::io::openmm::{MolecularSystem, read_system_file};
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
            let ratio = error.abs() / (TERM * expected.abs() + FLOOR);
            if !(ratio <= worst_term) {
                worst_term = ratio;
                which = format!("{}: {error:e} of {expected}", reference.terms.get(k).map_or("total", String::as_str));
            }
        }
        let largest = c.f.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for (k, expected) in c.f.iter().enumerate() {
            let ratio = (out.f.get(r, k) - expected).abs() / (FORCE * largest);
            if !(ratio <= worst_force) {
                worst_force = ratio;
            }
        }
    }
    (worst_term, worst_force, which)
}

/// The shipped systems: every folder under `systems/` with a System XML and energies made with OpenMM.
fn shipped() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/systems")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("system.xml").exists() && folder.join("energies.json").exists() {
            folders.push(folder);
        }
    }
    folders.sort();
    folders
}

#[test]
fn the_shipped_molecules_have_openmms_energies_and_forces() {
    let folders = shipped();
    assert!(folders.len() >= 15, "{} molecules found", folders.len());
    for folder in folders {
        let system = read_system_file(folder.join("system.xml")).unwrap();
        let (term, force, which) = worst(&system, &reference(&folder.join("energies.json")));
        println!("{}: term {term:.2e}, force {force:.2e} of what is allowed ({which})", folder.display());
        assert!(term <= 1.0 && force <= 1.0, "{}: term {term:.2e}, force {force:.2e} of what is allowed ({which})", folder.display());
    }
}

/// Any folder of `name.xml` beside `name.ref.json`: ERGODICA_MOLECULES=folder cargo test --test molecules -- --ignored --nocapture
#[test]
#[ignore = "needs a folder of references"]
fn a_folder_of_molecules_has_openmms_energies_and_forces() {
    let folder = PathBuf::from(std::env::var("ERGODICA_MOLECULES").unwrap());
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let mut failed = false;
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "xml")) {
        let json = path.with_extension("ref.json");
        if !json.exists() {
            continue;
        }
        match read_system_file(path) {
            Err(e) => println!("{}: refused: {}", path.display(), e.to_string().lines().next().unwrap_or_default()),
            Ok(system) => {
                let (term, force, which) = worst(&system, &reference(&json));
                println!("{}: term {term:.2e}, force {force:.2e} of what is allowed ({which})", path.display());
                failed |= !(term <= 1.0 && force <= 1.0);
            }
        }
    }
    assert!(!failed);
}
