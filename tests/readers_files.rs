//! Files of a run: what is written comes back, whatever kills the writer, and damage is told.

#[path = "files/crash.rs"]
mod crash;
#[path = "files/damage.rs"]
mod damage;
#[path = "files/made.rs"]
mod made;

use ergodica::io::export;
use ergodica::io::reader::Run;
use ergodica::io::sink::{Header, Kind};
use made::*;
use std::path::Path;
use std::process::Command;

#[test]
fn what_is_written_comes_back() {
    for format in formats() {
        for header in [molecule(5, 7), flat(), density()] {
            let dir = tempfile::tempdir().unwrap();
            let run = complete(format, dir.path(), &header);
            let stage = run.stage("production").unwrap();
            assert_eq!(stage.header, header);
            assert_eq!(stage.segments.len(), (FRAMES / INTERVAL) as usize);
            check(stage);
            let energy = stage.column("energy").unwrap();
            assert_eq!((energy.len(), energy[0].len()), (header.replicas, FRAMES as usize));
            let x = stage.positions(17, header.replicas - 1).unwrap();
            let width = header.columns[0].width;
            assert_eq!(x.len(), width);
            assert_eq!(x[1] as f32, number(17, 0, (header.replicas - 1) * width + 1) as f32);
        }
    }
}

#[test]
fn long_and_empty_segments() {
    for format in formats() {
        let dir = tempfile::tempdir().unwrap();
        let stage = dir.path().join("production");
        let header = Header { columns: vec![column("energy", Kind::Observable, 1, None)], ..molecule(2, 3) };
        let mut sink = sink(format, &stage);
        sink.open(&header, &[]).unwrap();
        assert!(sink.commit().unwrap().is_empty());
        for k in 0..3000 {
            sink.write(&frame(&header, k)).unwrap();
        }
        assert_eq!(sink.commit().unwrap()[0].frames, 3000);
        assert_eq!(sink.commit().unwrap().len(), 1);
        sink.close().unwrap();
        let run = Run::open(dir.path()).unwrap();
        let energy = run.stage("production").unwrap().column("energy").unwrap();
        assert!((0..3000).all(|k| energy[1][k].to_bits() == number(k as u64, 0, 1).to_bits()));
    }
}

#[test]
fn columns_by_label_and_number() {
    let dir = tempfile::tempdir().unwrap();
    let run = complete("npy", dir.path(), &molecule(3, 2));
    let stage = run.stage("production").unwrap();
    assert_eq!(stage.scalars(), ["energy", "terms.bonds", "terms.angles", "dihedral:phi"]);
    let angles = stage.column("terms.angles").unwrap();
    assert_eq!(angles[2][9].to_bits(), number(9, 4, 5).to_bits());
    assert_eq!(stage.column("terms[1]").unwrap()[2][9].to_bits(), number(9, 4, 5).to_bits());
    let text = stage.column("enrgy").unwrap_err().to_string();
    assert!(text.contains("no column 'enrgy'") && text.contains("energy, terms.bonds, terms.angles, dihedral:phi"), "{text}");
    assert!(stage.column("terms").unwrap_err().to_string().contains("name one: terms.bonds, terms.angles"));
    assert!(stage.positions(40, 0).unwrap_err().to_string().contains("40 frames of 3 replicas"));
    assert!(run.stage("warm-up").unwrap_err().to_string().contains("it has: production"));
}

#[test]
fn a_resume_forgets_what_came_after_the_checkpoint() {
    for format in formats() {
        let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let header = molecule(3, 4);
        let undisturbed = complete(format, whole.path(), &header);
        let stage = cut.path().join("production");
        {
            let mut sink = sink(format, &stage);
            sink.open(&header, &[]).unwrap();
            for k in 0..17 {
                sink.write(&frame(&header, k)).unwrap();
                if k % 6 == 5 {
                    let list = sink.commit().unwrap();
                    // The second segment never reaches a checkpoint.
                    if list.len() == 1 {
                        save(list, k + 1, &stage).unwrap();
                    }
                }
            }
        }
        let resumed = complete(format, cut.path(), &header);
        check(resumed.stage("production").unwrap());
        assert_eq!(export::compare_exact(&undisturbed, &resumed).unwrap(), None);
    }
}

#[test]
fn one_bit_is_a_difference() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let header = density();
    let first = complete(formats()[0], a.path(), &header);
    let stage = b.path().join("production");
    let mut sink = sink("npy", &stage);
    sink.open(&header, &[]).unwrap();
    for k in 0..FRAMES {
        let mut frame = frame(&header, k);
        if k == 31 {
            frame.values[1][2] = f64::from_bits(frame.values[1][2].to_bits() ^ 1);
        }
        sink.write(&frame).unwrap();
    }
    sink.close().unwrap();
    let difference = export::compare_exact(&first, &Run::open(b.path()).unwrap()).unwrap().unwrap();
    assert!(difference.starts_with("stage production: energy[draw 31, replica 2, 0]: "), "{difference}");
}

#[test]
fn tables_hold_every_scalar_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let run = complete(formats()[0], dir.path(), &molecule(3, 4));
    let out = dir.path().join("out");
    let written = export::export(&run, export::Format::Csv, false, &out).unwrap();
    let text = std::fs::read_to_string(&written[0]).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("step,time,replica,energy,terms.bonds,terms.angles,dihedral:phi"));
    let row: Vec<f64> = lines.nth(3 * 11 + 2).unwrap().split(',').map(|x| x.parse().unwrap()).collect();
    assert_eq!(row[..3], [1100.0, 11.0 * 0.1, 2.0]);
    assert_eq!(row[6].to_bits(), number(11, 5, 2).to_bits());
}

#[cfg(feature = "hdf5")]
#[test]
fn exports_stand_alone() {
    for format in formats() {
        let dir = tempfile::tempdir().unwrap();
        let run = complete(format, dir.path(), &molecule(3, 4));
        let out = dir.path().join("out");
        let merged = export::export(&run, export::Format::H5md, true, &out).unwrap();
        let replicas = export::export(&run, export::Format::Mdtraj, false, &out).unwrap();
        let chains = export::export(&run, export::Format::Arviz, false, &out).unwrap();
        assert_eq!((merged.len(), replicas.len(), chains.len()), (1, 3, 1));
        let moved = tempfile::tempdir().unwrap();
        let stage = moved.path().join("production");
        std::fs::create_dir(&stage).unwrap();
        std::fs::copy(&merged[0], stage.join("segment-000001.h5")).unwrap();
        std::fs::copy(dir.path().join("production/header.json"), stage.join("header.json")).unwrap();
        let one = Run::open(moved.path()).unwrap();
        check(&one.stages[0]);
        assert_eq!(export::compare_exact(&run, &one).unwrap(), None);
    }
}

/// MDAnalysis, mdtraj, ArviZ and h5py, where a Python that has them is named: `ERGODICA_PYTHON=venv/bin/python`.
#[cfg(feature = "hdf5")]
#[test]
fn the_real_readers_agree() {
    let Ok(python) = std::env::var("ERGODICA_PYTHON") else {
        println!("not checked: ERGODICA_PYTHON names no Python with MDAnalysis, mdtraj, ArviZ and h5py");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/stage.py");
    let root = tempfile::tempdir().unwrap();
    for (name, header) in [
        ("molecule", molecule(22, 7)),
        ("flat", flat()),
        ("density", density()),
        ("large", molecule(2, 1500)),
        ("timeless", Header { time_unit: None, ..molecule(2, 3) }),
    ] {
        let dir = root.path().join(name);
        let run = complete("default", &dir, &header);
        let standalone = dir.join("out/production");
        let exported = export::export(&run, export::Format::Mdtraj, false, &dir.join("out"));
        assert_eq!(exported.is_ok(), name != "density");
        // A run directory may be moved as a whole.
        let moved = root.path().join(format!("{name}-moved"));
        std::fs::rename(&dir, &moved).unwrap();
        let mut calls = vec![vec![moved.join("production")]];
        if name != "density" {
            calls.push(vec![moved.join("production"), "--standalone".into(), moved.join(standalone.strip_prefix(&dir).unwrap())]);
        }
        for arguments in calls {
            let output = Command::new(&python).arg(&script).args(arguments).current_dir("/").output().unwrap();
            print!("{}", String::from_utf8_lossy(&output.stdout));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
