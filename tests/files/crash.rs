//! Writers that are killed, run out of disk, or may not write.

use super::made::*;
use ergodica::io::export;
use ergodica::io::reader::Run;
use std::path::Path;
use std::process::{Command, Output};

/// Not a test of its own: what the children of the tests below do.
#[test]
fn child() {
    let Ok(dir) = std::env::var("ERGODICA_TEST_DIR") else { return };
    let format = std::env::var("ERGODICA_TEST_FORMAT").unwrap();
    let stage = Path::new(&dir).join("production");
    if let Err(error) = run(&mut *sink(&format, &stage), &stage, &molecule(5, 6), FRAMES) {
        eprintln!("{error}");
        std::process::exit(i32::from(error.exit_code()));
    }
}

fn spawn(format: &str, dir: &Path, change: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::child", "--nocapture"]);
    command.env("ERGODICA_TEST_DIR", dir).env("ERGODICA_TEST_FORMAT", format);
    change(&mut command);
    command.output().unwrap()
}

#[test]
fn a_kill_at_any_point_loses_nothing() {
    let segment = ["segment-sync", "segment-rename", "segment-done", "index", "file-rename"];
    let checkpoint = ["checkpoint-write", "checkpoint-keep", "checkpoint-rename", "checkpoint-done"];
    for format in formats() {
        let whole = tempfile::tempdir().unwrap();
        let undisturbed = complete(format, whole.path(), &molecule(5, 6));
        for point in segment.into_iter().chain(checkpoint) {
            for count in [1, 4] {
                if (*format == "npy" && point == "index") || (point == "file-rename" && count > 1) {
                    continue;
                }
                let dir = tempfile::tempdir().unwrap();
                let killed = spawn(format, dir.path(), |c| {
                    c.env("ERGODICA_FAULT", format!("{point}:{count}"));
                });
                assert_eq!(killed.status.code(), None, "{format} {point}:{count} was not reached");
                // A reader finds whole segments or none.
                if let Ok(run) = Run::open(dir.path()) {
                    assert!(run.warnings.is_empty());
                    run.stages.iter().for_each(|s| drop(s.steps().unwrap()));
                }
                let resumed = spawn(format, dir.path(), |_| {});
                assert!(resumed.status.success(), "{format} {point}:{count}: {}", String::from_utf8_lossy(&resumed.stderr));
                let run = Run::open(dir.path()).unwrap();
                check(&run.stages[0]);
                assert_eq!(export::compare_exact(&undisturbed, &run).unwrap(), None, "{format} {point}:{count}");
                let leftovers: Vec<_> = walk(dir.path()).into_iter().filter(|p| p.contains(".part") || p.contains(".new")).collect();
                assert!(leftovers.is_empty(), "{leftovers:?}");
            }
        }
    }
}

fn walk(dir: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        names.push(path.display().to_string());
        if path.is_dir() {
            names.extend(walk(&path));
        }
    }
    names
}

#[cfg(unix)]
#[test]
fn a_full_disk_harms_nothing_that_was_saved() {
    for format in formats() {
        let dir = tempfile::tempdir().unwrap();
        let header = molecule(5, 6);
        let stage = dir.path().join("production");
        // A checkpoint by hand, then children that may not write a file of over 512 bytes, 1 kB, 4 kB, 8 kB.
        let mut sink = sink(format, &stage);
        sink.open(&header, &[]).unwrap();
        (0..4).for_each(|k| sink.write(&frame(&header, k)).unwrap());
        save(sink.commit().unwrap(), 4, &stage).unwrap();
        drop(sink);
        let limits: &[u32] = if *format == "npy" { &[1, 2] } else { &[1, 2, 8, 16] };
        for blocks in limits {
            let output = Command::new("sh")
                .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --exact crash::child --nocapture")])
                .arg(std::env::current_exe().unwrap())
                .env("ERGODICA_TEST_DIR", dir.path())
                .env("ERGODICA_TEST_FORMAT", format)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{format} {blocks}: {said}");
            assert!(said.contains("production") && said.contains("help: "), "{said}");
            let run = Run::open(dir.path()).unwrap();
            assert!(run.warnings.is_empty(), "{:?}", run.warnings);
            let frames = run.stages[0].frames() as usize;
            assert!(frames >= 4);
            assert_eq!(run.stages[0].column("energy").unwrap()[4].len(), frames);
        }
        check(complete(format, dir.path(), &header).stage("production").unwrap());
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    for format in formats() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("locked");
        std::fs::create_dir(&inner).unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o555)).unwrap();
        // Permissions do not bind the superuser: the child becomes somebody else, if it can still run this program then.
        let root = std::fs::metadata(&inner).unwrap().uid() == 0;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "crash::child", "--nocapture"]);
        command.env("ERGODICA_TEST_DIR", &inner).env("ERGODICA_TEST_FORMAT", format);
        if root {
            command.uid(65534).gid(65534);
        }
        match command.output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(1), "{said}");
                assert!(said.contains("locked") && said.contains("choose a place you may write to"), "{said}");
            }
            Err(error) => println!("not checked: {error}"),
        }
    }
}
