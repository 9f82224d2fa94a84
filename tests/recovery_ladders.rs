//! Kills stages that compare states (exchange, annealing, switching, expanded ensembles, metadynamics) between and within their
//! checkpoints, resumes, and compares every number with an undisturbed run.

#[allow(dead_code)]
mod program;

use program::{campaign, command, equal, ergodica, str};
use std::process::Stdio;
use std::time::Instant;

/// Checkpoints fall between swaps, between levels, within a run of particles, between shots and between hills. 3 copies of a ladder of 5
/// are two blocks less one replica; the second annealing finds its own levels.
const CAMPAIGN: &str = r#"
[campaign]
name = "ladders"
seed = 11
checkpoint = "37 steps"
[system]
name = "double-well"
[path]
kind = "geometric"
base = { normal = 1.5 }
[[stage]]
name = "ladder"
exchange = { propagator = "hmc", timestep = 0.2, temperature = 1.0, replicas = 3, steps = 240, lambdas = { from = 0, to = 1, count = 5 }, swap_every = 5 }
observe = { every = 10, columns = ["energy", "coordinate:0"] }
[[stage]]
name = "dynamics"
exchange = { propagator = "baoab", timestep = 0.05, friction = 1.0, temperature = 1.0, replicas = 2, steps = 200, lambdas = [0, 0.5, 1], swap_every = 7, mixing = "gibbs", start = "stage:ladder" }
observe = { every = 4, columns = ["positions", "velocities", "kinetic_temperature"] }
[[stage]]
name = "smc"
anneal = { kernel = "hmc", timestep = 0.2, temperature = 1.0, replicas = 50, levels = 25, runs = 4 }
[[stage]]
name = "adaptive"
anneal = { kernel = "mala", timestep = 0.2, temperature = 1.0, replicas = 50, schedule = "adaptive", ess = 0.95, runs = 3, target_acceptance = 0.6 }
[[stage]]
name = "momenta"
anneal = { kernel = "langevin", timestep = 0.1, friction = 1.0, temperature = 1.0, replicas = 20, levels = 20, steps_per_level = 2, resample = false, runs = 3 }
[[stage]]
name = "drive"
switch = { propagator = "mala", timestep = 0.2, temperature = 1.0, replicas = 10, equilibrate = 50, shots = 6, spacing = 20, levels = 10 }
[[stage]]
name = "jumps"
expanded = { propagator = "hmc", timestep = 0.2, temperature = 1.0, replicas = 9, steps = 240, lambdas = [0, 0.3, 1], jump_every = 3 }
[[stage]]
name = "hills"
metadynamics = { propagator = "hmc", timestep = 0.2, temperature = 1.0, replicas = 3, steps = 200, of = ["coordinate:0"], width = [0.2], height = 0.5, bias_factor = 6, every = 8, copies = 2, range = { "coordinate:0" = [-3, 3] } }
[[stage]]
name = "mbar"
estimate = { method = "mbar", from = "ladder" }
[[stage]]
name = "ti"
estimate = { method = "ti", from = "ladder" }
[[stage]]
name = "logz"
estimate = { method = "log_z", from = "smc" }
[[stage]]
name = "work"
estimate = { method = "work", from = "drive" }
"#;

#[test]
fn killed_at_every_checkpoint_of_every_kind_of_stage() {
    let (dir, file) = campaign(CAMPAIGN);
    let whole = dir.path().join("whole");
    ergodica(&["run", str(&file), "--out", str(&whole), "--no-report"]).finished();
    let mut met = 0;
    // the n-th checkpoint of the run, whichever stage it belongs to: before it is written, and right after
    for pass in 1..200 {
        let point = ["checkpoint-done", "segment-rename", "checkpoint-rename"][pass % 3];
        let out = dir.path().join(format!("killed-{pass}"));
        let status = command(&["run", str(&file), "--out", str(&out), "-q", "--no-report"])
            .env("ERGODICA_FAULT", format!("{point}:{pass}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        if status.code().is_some() {
            break; // the run has no more checkpoints
        }
        met += 1;
        ergodica(&["resume", str(&out), "--no-report", "-q"]).finished();
        equal(&whole, &out);
        std::fs::remove_dir_all(&out).unwrap();
    }
    assert!(met >= 35, "only {met} checkpoints were met");
}

#[test]
fn killed_at_random_moments() {
    let (dir, file) = campaign(&CAMPAIGN.replace("steps = 240", "steps = 24_000").replace("37 steps", "370 steps"));
    let whole = dir.path().join("whole");
    let began = Instant::now();
    ergodica(&["run", str(&file), "--out", str(&whole), "--no-report"]).finished();
    let took = began.elapsed();
    let mut x = 777_u64;
    for trial in 0..6 {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let out = dir.path().join(format!("killed-{trial}"));
        let mut child = command(&["run", str(&file), "--out", str(&out), "--no-report", "-q"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(took.mul_f64(((x >> 33) as f64) / f64::from(1_u32 << 31)));
        let _ = child.kill(); // SIGKILL
        child.wait().unwrap();
        let verb: &[&str] = if out.join("resolved.toml").exists() {
            &["resume", str(&out), "--no-report", "-q"]
        } else {
            &["run", str(&file), "--out", str(&out), "--no-report", "-q", "--overwrite"]
        };
        ergodica(verb).finished();
        equal(&whole, &out);
    }
}
