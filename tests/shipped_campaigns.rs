//! The campaigns that come with the program: each is lawful, each reads back from what it resolves to, and the smallest gives the exact
//! answer by every road that it takes.

#[allow(dead_code)]
mod program;

use ergodica::campaign::compare::summary;
use ergodica::campaign::{Campaign, UnitSystem};
use ergodica::error::Source;
use program::{ergodica, str};
use std::path::{Path, PathBuf};

fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let mut all = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|e| e == "toml") {
                all.push(entry.path());
            }
        }
    }
    all.sort();
    all
}

#[test]
fn every_campaign_is_lawful() {
    let all = shipped();
    assert!(all.len() >= 5, "{all:?}");
    for file in all {
        let said = ergodica(&["check", str(&file), "-j", "1"]);
        assert_eq!(said.code, 0, "{}: {}{}", file.display(), said.out, said.err);
        assert!(!said.out.contains("warning:"), "{}: {}", file.display(), said.out);
    }
}

#[test]
fn every_campaign_reads_back_from_what_it_resolves_to() {
    for file in shipped() {
        let text = std::fs::read_to_string(&file).unwrap();
        let units = if text.contains("300 K") || text.contains("800 K") { UnitSystem::Molecular } else { UnitSystem::Reduced };
        let mut first = Campaign::parse(&Source::new("first", text), &[]).unwrap_or_else(|e| panic!("{e}"));
        first.set_seed(12);
        let written = first.to_toml(units);
        let second = Campaign::parse(&Source::new("second", written.clone()), &[]).unwrap_or_else(|e| panic!("{written}\n{e}"));
        assert_eq!(first, second, "{written}");
        let canonical = |c: &Campaign| c.resolve(units).unwrap_or_else(|e| panic!("{e}")).canonical();
        assert_eq!(canonical(&first), canonical(&second));
    }
}

#[test]
fn four_springs_by_every_road() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/free-energy/harmonic.toml");
    let said = ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let found = summary(&out).unwrap();
    // ln Z_0 of the base: 4 ln(1.5 sqrt(2 pi))
    #[allow(clippy::disallowed_methods, reason = "a test may ask the system's mathematics")]
    let base = 4.0 * (1.5 * std::f64::consts::TAU.sqrt()).ln();
    let exact = 2.0663162203845906;
    let mut roads = 0;
    for e in &found.estimates {
        let z = match (e.stage.as_str(), e.quantity.as_str()) {
            ("mbar" | "ais", "log_z") => e.z().unwrap(),
            ("ti" | "work" | "mbar" | "ais", "delta_f") => (e.value - (base - exact)) / e.stderr,
            ("work", "jarzynski_forward" | "jarzynski_reverse") => (e.value - (base - exact)) / e.stderr,
            _ => continue,
        };
        assert!(z.abs() < 4.0 && e.stderr > 0.0 && e.stderr < 0.1, "{} of {}: {} +- {}, z = {z}", e.quantity, e.stage, e.value, e.stderr);
        roads += 1;
    }
    assert_eq!(roads, 8);
    // the twin: another ln Z is not what they agree on
    let mbar = found.estimates.iter().find(|e| e.stage == "mbar" && e.quantity == "log_z").unwrap();
    assert!(((mbar.value - exact - 0.1) / mbar.stderr).abs() > 8.0, "{} +- {}", mbar.value, mbar.stderr);
    let said = ergodica(&["compare", str(&out), "--quantity", "delta_f", "--json"]);
    let table: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let kt = table.as_array().unwrap().iter().find(|g| g["quantity"].as_str().unwrap().starts_with("delta_f in kT")).unwrap();
    assert_eq!(kt["entries"].as_array().unwrap().len(), 4, "{kt}");
    assert!(kt["entries"].as_array().unwrap().iter().all(|e| e["energy_calls"].as_u64().unwrap() > 0));
    // exchanges ask for the energies of states without their forces
    let calls = |e: &serde_json::Value| (e["energy_calls"].as_u64().unwrap(), e["gradient_calls"].as_u64().unwrap());
    assert!(kt["entries"].as_array().unwrap().iter().map(calls).all(|(energy, gradient)| 0 < gradient && gradient < energy), "{kt}");
    assert!(kt["z"][0][3].as_f64().unwrap().abs() < 4.0);
}

/// The exact values stand in the campaigns. Smallest visible bias: 4 standard errors, 0.06 kT cooled, 0.02 kT carried.
#[test]
fn cooled_and_carried_particles_find_the_exact_values() {
    for (name, stages, exact) in [("cooling", ["given", "own"], 2.332_358_1), ("carried", ["escorted-work", "targeted-work"], 0.556_715_0)]
    {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("run");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("campaigns/free-energy/{name}.toml"));
        assert!(std::fs::read_to_string(&file).unwrap().contains(&format!("{exact:.6}")));
        let said = ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q"]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let found = summary(&out).unwrap();
        for stage in stages {
            let e = found.estimates.iter().find(|e| e.stage == stage && e.quantity == "delta_f").unwrap();
            assert!(((e.value - exact) / e.stderr).abs() < 4.0 && e.stderr < 0.016, "{stage}: {} +- {}", e.value, e.stderr);
            // the twin: half the value is not found
            assert!(((e.value - 0.5 * exact) / e.stderr).abs() > 8.0, "{stage}: {} +- {}", e.value, e.stderr);
        }
    }
}

#[test]
fn benzene_from_published_files_by_three_roads() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/free-energy/benzene-hydration.toml");
    let said = ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q"]);
    assert!(said.code == 0, "{}{}", said.out, said.err);
    let found = summary(&out).unwrap();
    let get = |stage: &str, quantity: &str| found.estimates.iter().find(|e| e.stage == stage && e.quantity == quantity).unwrap();
    // alchemlyb 2.5.0 and pymbar 4.0.3 on all rows of the same files, in kT; the files here have every 20th row.
    for (stage, quantity, value) in [("coulomb", "delta_f", 3.0412), ("vdw", "delta_f", -3.0068)] {
        let e = get(stage, quantity);
        assert!(((e.value - value) / e.stderr).abs() < 4.0 && e.stderr < 0.25, "{stage}: {} +- {}", e.value, e.stderr);
        // the twin: the other leg's value is not found
        assert!(((e.value + value) / e.stderr).abs() > 8.0, "{stage}: {} +- {}", e.value, e.stderr);
    }
    let kcal = 8.314_462_618_153_24e-3 * 300.0 / 4.184;
    let sum = get("coulomb", "delta_f").value + get("vdw", "delta_f").value;
    assert!((get("mbar", "delta_f").value - kcal * sum).abs() < 1e-12);
    assert_eq!(get("mbar", "delta_f").unit.as_deref(), Some("kcal/mol"));
    for stage in ["bar", "ti"] {
        let (e, mbar) = (get(stage, "delta_f"), get("mbar", "delta_f"));
        assert!((e.value - mbar.value).abs() < 4.0 * e.stderr, "{stage}: {} against {}", e.value, mbar.value);
        assert!(get(stage, "delta_f:vdw").value < 0.0 && get(stage, "delta_f:coulomb[0,4]").value > 0.0);
    }
    // The files are kept with the run, which can be analysed again without the others.
    assert_eq!(std::fs::read_dir(out.join("inputs")).unwrap().filter(|f| f.as_ref().unwrap().path().extension().is_some()).count(), 2);
    let again = ergodica(&["compare", str(&out), str(&out), "--exact"]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
}
