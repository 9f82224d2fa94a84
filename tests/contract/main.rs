//! The contract of every registered system: one suite over all of them, and a broken twin of each check.
//!
//! A new formula adds one row to [`ROWS`].

mod checks;
mod draw;
mod quadrature;
mod references;
mod twins;

use checks::{Case, dof, extremes, force_is_the_gradient, lanes, symmetries};
use draw::Draw;
use ergodica::campaign::registry::FORMULAS;
use ergodica::campaign::system::System;
use ergodica::real::isa::Path;

/// A formula, and how far its systems are displaced from their start, in units of length.
pub(crate) const ROWS: &[(&str, f64)] = &[
    ("double_well", 0.5),
    ("double_well_n", 0.5),
    ("funnel", 1.0),
    ("gaussian_mixture", 20.0),
    ("harmonic", 1.0),
    ("lennard_jones", 0.05),
    ("many_well", 1.0),
    ("molecule", 0.005),
    ("mueller_brown", 0.3),
    ("soft_lennard_jones", 0.05),
];

/// A registered system with 8 configurations about its start.
pub(crate) fn case(name: &str) -> Case {
    let system = System::load(name, &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
    let row = ROWS.iter().find(|r| r.0 == system.formula);
    let spread = row.unwrap_or_else(|| panic!("{name}: the formula {} has no row in tests/contract/main.rs", system.formula)).1;
    let mut draw = Draw::of(name);
    let configurations =
        (0..8).map(|i| system.start[i % system.start.len()].iter().map(|x| x + spread * draw.normal()).collect()).collect();
    Case { potential: system.potential.clone(), system, configurations }
}

/// Runs a check over all systems and shows every failure.
fn all(check: impl Fn(&Case) -> Result<(), String>) {
    let mut failures = Vec::new();
    for name in System::names() {
        if let Err(e) = check(&case(name)) {
            failures.push(format!("{name}: {e}"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_formula_has_a_row_and_a_system() {
    let systems: Vec<String> = System::names().iter().map(|n| System::load(n, &[]).unwrap().formula).collect();
    for formula in FORMULAS {
        assert!(ROWS.iter().any(|r| r.0 == formula.name), "{} has no row", formula.name);
        assert!(systems.iter().any(|s| s == formula.name), "{} has no system", formula.name);
    }
}

/// The binary holds what stands in systems/ (a stale build would test something else).
#[test]
fn every_folder_is_embedded() {
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/systems")).unwrap();
    let mut names: Vec<String> = folders.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, System::names());
}

#[test]
fn degrees_of_freedom_fit_together() {
    all(dof);
}

#[test]
fn forces_are_gradients() {
    all(force_is_the_gradient);
}

#[test]
fn declared_symmetries_hold() {
    all(symmetries);
}

#[test]
fn energies_are_never_nan() {
    all(extremes);
}

/// On the vector path of this process; `lanes_equal_the_scalar_on_every_path` forces each.
#[test]
fn lanes_equal_the_scalar() {
    all(lanes);
}

/// The path is chosen once a process, so each has its own.
#[test]
fn lanes_equal_the_scalar_on_every_path() {
    for path in [Path::Avx512, Path::Avx2, Path::Portable] {
        if !path.available() {
            println!("{} is not available here: skipped", path.name());
            continue;
        }
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lanes_equal_the_scalar"])
            .env("ERGODICA_ISA", path.name())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(run.status.success() && said.contains("1 passed"), "{}:\n{said}", path.name());
    }
}
