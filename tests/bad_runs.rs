//! Run directories that cannot be used: each refusal names the thing, the value and the remedy, exits with 2 (1 where the
//! system refuses), and harms nothing that was saved.

#[allow(dead_code)]
mod program;

use program::{Said, campaign, command, equal, ergodica, str};
use std::path::{Path, PathBuf};

const CAMPAIGN: &str = r#"
[campaign]
name = "small"
seed = 7
checkpoint = "200 steps"
[system]
name = "dw4"
[[stage]]
name = "production"
sample = { propagator = "baoab", timestep = 0.01, friction = 1.0, temperature = 1.0, replicas = 8, steps = 1000, discard = 100 }
observe = { every = 10, columns = ["energy", "coordinate:0"] }
"#;

/// A finished run.
fn finished() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let (dir, file) = campaign(CAMPAIGN);
    let out = dir.path().join("run");
    ergodica(&["run", str(&file), "--out", str(&out), "-q", "--no-report"]).finished();
    (dir, file, out)
}

fn resume(dir: &Path) -> Said {
    ergodica(&["resume", str(dir), "-q", "--no-report"])
}

/// Changes one byte in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn not_a_run_directory() {
    let dir = tempfile::tempdir().unwrap();
    resume(&dir.path().join("nowhere")).refuses(2, &["there is no", "nowhere"]);
    resume(dir.path()).refuses(2, &["is not a run directory", "resolved.toml"]);
    ergodica(&["status", str(dir.path())]).refuses(2, &["is not a run directory"]);
    ergodica(&["report", str(dir.path())]).refuses(2, &["is not a run directory"]);
    ergodica(&["compare", str(dir.path()), str(dir.path())]).refuses(2, &["summary.json"]);
    ergodica(&["export", str(dir.path())]).refuses(2, &["run directory"]);
}

#[test]
fn an_existing_run_is_never_overwritten_by_accident() {
    let (dir, file, out) = finished();
    ergodica(&["run", str(&file), "--out", str(&out), "-q"]).refuses(2, &["exists", "ergodica resume", "--overwrite"]);
    let foreign = dir.path().join("photographs");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("cat.png"), "precious").unwrap();
    ergodica(&["run", str(&file), "--out", str(&foreign), "--overwrite", "-q"]).refuses(2, &["not a run directory", "will not be deleted"]);
    assert!(foreign.join("cat.png").exists());
    ergodica(&["run", str(&file), "--out", str(&out), "-q", "--no-report", "--overwrite"]).finished();
}

#[test]
fn a_changed_campaign_is_named_key_by_key() {
    let (_dir, file, out) = finished();
    let edited = CAMPAIGN.replace("timestep = 0.01", "timestep = 0.02").replace("replicas = 8", "replicas = 16");
    std::fs::write(out.join("config.toml"), &edited).unwrap();
    resume(&out).refuses(2, &["production.timestep", "0.01", "0.02", "production.replicas"]);
    std::fs::write(&file, edited).unwrap();
    ergodica(&["run", str(&file), "--out", str(&out), "--resume", "-q"]).refuses(2, &["production.timestep"]);
    // More steps are what `extend` is for.
    std::fs::write(out.join("config.toml"), CAMPAIGN.replace("steps = 1000", "steps = 2000")).unwrap();
    resume(&out).refuses(2, &["production.steps", "ergodica extend"]);
    // A comment is no change.
    std::fs::write(out.join("config.toml"), format!("# a remark\n{CAMPAIGN}")).unwrap();
    resume(&out).finished();
}

#[test]
fn a_changed_resolved_campaign_is_refused_by_the_checkpoint() {
    let (_dir, _, out) = finished();
    let path = out.join("resolved.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("0.01"), "{text}");
    std::fs::write(&path, text.replace("0.01", "0.015")).unwrap();
    let said = resume(&out);
    assert_eq!(said.code, 2, "{}", said.err);
    std::fs::write(&path, "this is no campaign").unwrap();
    resume(&out).refuses(2, &["resolved.toml", "not TOML"]);
}

#[test]
fn damaged_checkpoints() {
    for damage in [flip as fn(&Path), cut] {
        let (dir, file, out) = finished();
        let stage = out.join("production");
        // The newest is damaged: the one before serves, with a warning, and the results are the same.
        damage(&stage.join("checkpoint.bin"));
        let said = ergodica(&["resume", str(&out), "--no-report"]).finished();
        assert!(said.err.contains("checkpoint"), "no warning in:\n{}", said.err);
        let again = dir.path().join("again");
        ergodica(&["run", str(&file), "--out", str(&again), "-q", "--no-report"]).finished();
        equal(&again, &out);
        // Both are damaged: an error, and nothing is removed.
        cut(&stage.join("checkpoint.bin"));
        cut(&stage.join("checkpoint.prev.bin"));
        let before = std::fs::read_dir(&stage).unwrap().count();
        resume(&out).refuses(2, &["checkpoint"]);
        assert_eq!(before, std::fs::read_dir(&stage).unwrap().count());
    }
}

#[cfg(feature = "hdf5")]
#[test]
fn damaged_and_missing_segments() {
    let (_dir, _, out) = finished();
    let segment = out.join("production/segment-000002.h5");
    let bytes = std::fs::read(&segment).unwrap();
    std::fs::remove_file(&segment).unwrap();
    ergodica(&["report", str(&out)]).refuses(2, &["segment-000002.h5"]);
    ergodica(&["export", str(&out), "--merge"]).refuses(2, &["segment-000002.h5"]);
    std::fs::write(&segment, &bytes[..bytes.len() / 2]).unwrap();
    ergodica(&["report", str(&out)]).refuses(2, &["segment-000002.h5"]);
    std::fs::write(&segment, &bytes).unwrap();
    ergodica(&["report", str(&out)]).finished();
}

#[test]
fn extend_refuses_what_makes_no_sense() {
    let (_dir, _, out) = finished();
    ergodica(&["extend", str(&out), "--stage", "produktion", "--by", "10"]).refuses(2, &["no stage 'produktion'", "production"]);
    ergodica(&["extend", str(&out), "--stage", "production", "--to", "10"]).refuses(2, &["has 1000 steps"]);
    let said = ergodica(&["extend", str(&out), "--stage", "production"]);
    assert_eq!(said.code, 2, "{}", said.err);
    // Frames are stored every 10 steps, and a stage ends with one.
    let resolved = std::fs::read(out.join("resolved.toml")).unwrap();
    let said = ergodica(&["extend", str(&out), "--stage", "production", "--by", "5", "-q"]);
    assert_eq!(said.code, 2, "{}", said.err);
    // A refusal leaves the run as it was.
    assert_eq!(resolved, std::fs::read(out.join("resolved.toml")).unwrap());
    assert!(out.join("summary.json").exists());
    resume(&out).finished();
}

#[test]
fn a_run_directory_has_one_writer() {
    let (_dir, _, out) = finished();
    let lock = std::fs::File::open(out.join(".lock")).unwrap();
    lock.lock().unwrap();
    resume(&out).refuses(2, &["another process is running"]);
    drop(lock);
    resume(&out).finished();
}

#[test]
fn a_full_disk_harms_nothing() {
    let (dir, file) = campaign(CAMPAIGN);
    let (whole, full) = (dir.path().join("whole"), dir.path().join("full"));
    let bigger = ["--set", "production.steps=20000", "--set", "campaign.checkpoint=2000 steps", "-q", "--no-report"];
    ergodica(&[&["run", str(&file), "--out", str(&whole)][..], &bigger].concat()).finished();
    // Files may grow to 16 kB only: a full disk as far as the program can tell.
    let arguments = [&["run", str(&file), "--out", str(&full)][..], &bigger].concat().join("' '");
    let script = format!("trap '' XFSZ; ulimit -f 16; exec '{}' '{arguments}'", env!("CARGO_BIN_EXE_ergodica"));
    let said = Said::of(&std::process::Command::new("bash").args(["-c", &script]).output().unwrap());
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.err.contains(str(&full)), "the file is not named:\n{}", said.err);
    if full.join("resolved.toml").exists() {
        resume(&full).finished();
        equal(&whole, &full);
    }
}

#[test]
fn a_place_that_cannot_be_written_to() {
    let (dir, file) = campaign(CAMPAIGN);
    let blocked = dir.path().join("a-file");
    std::fs::write(&blocked, "").unwrap();
    let said = Said::of(&command(&["run", str(&file), "--out", str(&blocked.join("run")), "-q"]).output().unwrap());
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("a-file"), "{}", said.err);
}
