//! Same campaign and seed, same results, bit for bit: threads, vector paths, cuts into runs, and what a sweep point must not feel.

#[allow(dead_code)]
mod program;

use ergodica::io::reader::Run;
use program::{Said, campaign, command, differ, equal, ergodica, str};
use std::path::Path;

const MOLECULE: &str = r#"
[campaign]
name = "molecule"
seed = 7
[system]
name = "ala2-ff99sbildn-obc"
[[stage]]
name = "relax"
minimise = { replicas = 20, max_steps = 30 }
[[stage]]
name = "production"
sample = { propagator = "baoab", timestep = "1 fs", friction = "1 /ps", temperature = "300 K", replicas = 20, steps = 400, start = "stage:relax", discard = 100 }
observe = { every = 20, columns = ["positions", "energy", "terms", "kinetic_temperature", "dihedral:phi", "dihedral:psi"] }
[[stage]]
name = "surface"
estimate = { method = "fes", from = "production", of = ["phi", "psi"], bins = 12 }
"#;

const CLUSTER: &str = r#"
[campaign]
name = "cluster"
seed = 7
checkpoint = "700 steps"
[system]
name = "lj13-efm"
[[stage]]
name = "exact"
sample = { propagator = "hmc", timestep = 0.02, temperature = 1.0, replicas = 20, steps = 2000, warmup = 300, discard = 100 }
observe = { every = 20, columns = ["energy", "positions"] }
[[stage]]
name = "after"
sample = { propagator = "obabo", timestep = 0.005, friction = 1.0, temperature = 1.0, replicas = 20, steps = 600, start = "stage:exact", discard = 100 }
observe = { every = 20, columns = ["energy"] }
"#;

#[test]
fn threads_do_not_matter() {
    for text in [MOLECULE, CLUSTER] {
        let (dir, file) = campaign(text);
        let run = |j: &str| {
            let out = dir.path().join(format!("j{j}"));
            ergodica(&["run", str(&file), "--out", str(&out), "-j", j, "-q", "--no-report"]).finished();
            out
        };
        let one = run("1");
        for j in ["2", "8"] {
            equal(&one, &run(j));
        }
    }
}

#[test]
fn vector_paths_do_not_matter() {
    for text in [MOLECULE, CLUSTER] {
        let (dir, file) = campaign(&text.replace("steps = 2000", "steps = 200").replace("steps = 600", "steps = 200"));
        let mut runs = Vec::new();
        for isa in ["portable", "avx2", "avx512"] {
            let out = dir.path().join(isa);
            let said = Said::of(
                &command(&["run", str(&file), "--out", str(&out), "-q", "--no-report"]).env("ERGODICA_ISA", isa).output().unwrap(),
            );
            if said.code == 2 && said.err.contains("this machine does not have it") {
                println!("skipped: no {isa} here");
                continue;
            }
            said.finished();
            runs.push(out);
        }
        for other in &runs[1..] {
            equal(&runs[0], other);
        }
    }
    let said = Said::of(&command(&["doctor"]).env("ERGODICA_ISA", "avx1024").output().unwrap());
    said.refuses(2, &["ERGODICA_ISA = \"avx1024\" names no vector path"]);
}

#[test]
fn n_steps_extended_to_2n_are_2n_steps() {
    let (dir, file) = campaign(CLUSTER);
    let (whole, longer, shorter) = (dir.path().join("whole"), dir.path().join("longer"), dir.path().join("shorter"));
    ergodica(&["run", str(&file), "--out", str(&whole), "-q", "--no-report"]).finished();
    ergodica(&["run", str(&file), "--out", str(&longer), "-q", "--no-report", "--set", "exact.steps=1000"]).finished();
    differ(&whole, &longer);
    ergodica(&["extend", str(&longer), "--stage", "exact", "--by", "1000", "-q", "--no-report"]).finished();
    equal(&whole, &longer);
    // The last stage alone is extended: the first stays as it is.
    ergodica(&["run", str(&file), "--out", str(&shorter), "-q", "--no-report", "--set", "after.steps=200"]).finished();
    ergodica(&["extend", str(&shorter), "--stage", "after", "--to", "600", "-q", "--no-report"]).finished();
    equal(&whole, &shorter);
    // Resuming a finished run changes nothing and says that it is done.
    ergodica(&["resume", str(&whole), "-q", "--no-report"]).finished();
    equal(&whole, &shorter);
    let refused = ergodica(&["extend", str(&whole), "--stage", "exact", "--to", "10", "-q"]);
    refused.refuses(2, &["has 2000 steps, more than 10", "only become longer"]);
}

/// Energies `[replica][draw]` of a stage at a sweep point.
fn energies(dir: &Path, point: &str, stage: &str) -> Vec<Vec<f64>> {
    let run = Run::open(dir).unwrap();
    let found = run.stages.iter().find(|s| s.point.as_deref().unwrap_or("") == point && s.header.stage == stage);
    found.unwrap_or_else(|| panic!("no {stage} at '{point}'")).column("energy").unwrap()
}

#[test]
fn a_further_sweep_point_leaves_the_others_alone() {
    let sweep = |list: &str| {
        CLUSTER.replace("[[stage]]\nname = \"exact\"", &format!("[sweep]\n\"exact.temperature\" = {list}\n[[stage]]\nname = \"exact\""))
    };
    let (dir, file) = campaign(&sweep("[1.0, 0.5]"));
    let (two, three) = (dir.path().join("two"), dir.path().join("three"));
    ergodica(&["run", str(&file), "--out", str(&two), "-q", "--no-report"]).finished();
    std::fs::write(&file, sweep("[0.7, 1.0, 0.5]")).unwrap();
    ergodica(&["run", str(&file), "--out", str(&three), "-q", "--no-report"]).finished();
    let points: Vec<String> = Run::open(&two).unwrap().stages.iter().filter_map(|s| s.point.clone()).collect();
    assert_eq!(points.len(), 4, "{points:?}");
    for point in &points {
        for stage in ["exact", "after"] {
            assert_eq!(energies(&two, point, stage), energies(&three, point, stage), "{point} {stage}");
        }
    }
    // The stage that does not feel the swept key still draws other noise at each point.
    let (a, b) = (energies(&two, &points[0], "after"), energies(&two, points.iter().find(|p| **p != points[0]).unwrap(), "after"));
    assert_ne!(a[0], b[0]);
}
