//! Kills the program at random moments and at fault points, resumes, and compares every number with an undisturbed run.

#[allow(dead_code)]
mod program;

use program::{campaign, command, equal, ergodica, str};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Two stages, the second from the first and with a warm-up; 12 replicas are a block and a half.
const CAMPAIGN: &str = r#"
[campaign]
name = "recovery"
seed = 7
checkpoint = "1000 steps"
[system]
name = "lj13-efm"
[[stage]]
name = "langevin"
sample = { propagator = "baoab", timestep = 0.005, friction = 1.0, temperature = 1.0, replicas = 12, steps = 8_000, discard = 1000 }
observe = { every = 100, columns = ["positions", "velocities", "energy", "kinetic_temperature"] }
[[stage]]
name = "exact"
sample = { propagator = "hmc", timestep = 0.02, temperature = 1.0, replicas = 12, steps = 4_000, warmup = 1500, start = "stage:langevin", discard = 100 }
observe = { every = 50, columns = ["energy", "radius_of_gyration"] }
[[stage]]
name = "means"
estimate = { method = "mean", from = "exact", of = ["energy"] }
"#;

/// Steps taken and saved in the first unfinished stage, and whether all stages are done.
fn saved(dir: &Path) -> Vec<(String, u64)> {
    let said = ergodica(&["status", str(dir), "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let status: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let stages = status["stages"].as_array().unwrap();
    stages.iter().map(|s| (s["stage"].as_str().unwrap().to_owned(), s["step"].as_u64().unwrap())).collect()
}

#[test]
fn killed_at_twenty_random_moments() {
    let (dir, file) = campaign(CAMPAIGN);
    let whole = dir.path().join("whole");
    let began = Instant::now();
    ergodica(&["run", str(&file), "--out", str(&whole), "--no-report"]).finished();
    let took = began.elapsed();
    let (mut killed, mut x) = (0, 12345_u64);
    for trial in 0..20 {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let moment = took.mul_f64(((x >> 33) as f64) / f64::from(1_u32 << 31));
        let out = dir.path().join(format!("killed-{trial}"));
        let mut child = command(&["run", str(&file), "--out", str(&out), "--no-report", "-q"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(moment);
        let _ = child.kill(); // SIGKILL
        let status = child.wait().unwrap();
        killed += u32::from(status.code().is_none());
        if out.join("resolved.toml").exists() {
            ergodica(&["resume", str(&out), "--no-report", "-q"]).finished();
        } else {
            // Killed before there was a run: `run` starts it.
            ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q", "--overwrite"]).finished();
        }
        equal(&whole, &out);
        std::fs::remove_dir_all(&out).unwrap();
    }
    assert!(killed >= 10, "only {killed} of 20 were caught alive");
}

#[test]
fn killed_at_every_fault_point() {
    let (dir, file) = campaign(CAMPAIGN);
    let whole = dir.path().join("whole");
    ergodica(&["run", str(&file), "--out", str(&whole)]).finished();
    let points = ergodica::io::files::FAULTS;
    let mut met = 0;
    for point in points {
        for pass in [1, 4] {
            let out = dir.path().join(format!("{point}-{pass}"));
            let status = command(&["run", str(&file), "--out", str(&out), "-q"])
                .env("ERGODICA_FAULT", format!("{point}:{pass}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            if status.code().is_some() {
                std::fs::remove_dir_all(&out).unwrap();
                continue; // this point is not passed so often
            }
            met += 1;
            // At most one interval is lost: the fault strikes in the pass-th interval at the latest.
            if !out.join("resolved.toml").exists() {
                ergodica(&["run", str(&file), "--out", str(&out), "-q"]).finished();
                equal(&whole, &out);
                continue;
            }
            let steps: u64 = saved(&out).iter().filter(|(stage, _)| stage == "langevin").map(|s| s.1).sum();
            assert!(point.starts_with("report") || steps + 1000 >= 1000 * (pass - 1), "{point}:{pass}: only {steps} steps are saved");
            ergodica(&["resume", str(&out), "-q"]).finished();
            equal(&whole, &out);
            std::fs::remove_dir_all(&out).unwrap();
        }
    }
    assert!(met > points.len(), "only {met} faults were met");
}

#[test]
fn a_kill_inside_the_warmup_loses_nothing() {
    let (dir, file) = campaign(CAMPAIGN);
    let whole = dir.path().join("whole");
    ergodica(&["run", str(&file), "--out", str(&whole), "--no-report"]).finished();
    let out = dir.path().join("warm");
    // Eight checkpoints of the first stage, then the first of the second stage lies inside its warm-up of 1500 steps.
    let status =
        command(&["run", str(&file), "--out", str(&out), "-q", "--no-report"]).env("ERGODICA_FAULT", "checkpoint-done:9").status().unwrap();
    assert_eq!(status.code(), None);
    assert_eq!(saved(&out)[1], ("exact".to_owned(), 1000));
    ergodica(&["resume", str(&out), "-q", "--no-report"]).finished();
    equal(&whole, &out);
}

#[test]
fn a_signal_leaves_a_good_checkpoint_and_exit_75() {
    let (dir, file) = campaign(&CAMPAIGN.replace("steps = 8_000", "steps = 100_000_000"));
    let out = dir.path().join("run");
    let mut child = command(&["run", str(&file), "--out", str(&out), "-q"]).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !out.join("langevin/checkpoint.bin").exists() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let term = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(term.success());
    assert_eq!(child.wait().unwrap().code(), Some(75));
    let before = saved(&out)[0].1;
    assert!(before > 0);
    // --until does the same, and goes on from there.
    let said = ergodica(&["resume", str(&out), "-q", "--until", "1s"]);
    assert_eq!(said.code, 75, "{}", said.err);
    assert!(said.err.contains("ergodica resume"));
    assert!(saved(&out)[0].1 > before);
}
