//! Files that were changed, cut or lost after they were written.

use super::made::*;
use ergodica::Error;
use ergodica::io::reader::Run;
use ergodica::io::sink::{Header, Kind};
use std::path::Path;

#[test]
fn damaged_segments_are_told() {
    for format in formats() {
        let dir = tempfile::tempdir().unwrap();
        let header = molecule(3, 4);
        complete(format, dir.path(), &header);
        let stage = dir.path().join("production");
        let mut path = stage.join(&Run::open(dir.path()).unwrap().stages[0].segments[2].file);
        if path.is_dir() {
            path = path.join("positions.npy");
        }
        let good = std::fs::read(&path).unwrap();
        let remedied = |error: Error| {
            assert_eq!(error.exit_code(), 2);
            let text = error.to_string();
            assert!(text.contains("segment-000003") && text.contains("help: put the file back"), "{text}");
        };
        let resume = || run(&mut *sink(format, &stage), &stage, &header, FRAMES + 5);
        // Cut.
        std::fs::write(&path, &good[..good.len() / 2]).unwrap();
        remedied(Run::open(dir.path()).unwrap_err());
        remedied(resume().unwrap_err());
        // Noise of the same length.
        std::fs::write(&path, vec![0x55; good.len()]).unwrap();
        remedied(resume().unwrap_err());
        let noise = Run::open(dir.path()).unwrap();
        remedied(noise.stages[0].positions(11, 0).unwrap_err());
        // Gone.
        std::fs::remove_file(&path).unwrap();
        remedied(Run::open(dir.path()).unwrap_err());
        remedied(resume().unwrap_err());
        // Nothing of the rest was touched by all that.
        std::fs::write(&path, &good).unwrap();
        check(Run::open(dir.path()).unwrap().stage("production").unwrap());
    }
}

/// HDF5's checksums: of the numbers (Fletcher) and of what describes them.
#[cfg(feature = "hdf5")]
#[test]
fn a_flipped_bit_among_the_numbers_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let header = Header { columns: vec![column("positions", Kind::Positions, 12, None)], ..molecule(3, 4) };
    let run = complete("default", dir.path(), &header);
    let path = run.stages[0].dir.join(&run.stages[0].segments[0].file);
    let good = std::fs::read(&path).unwrap();
    let exact = run.stages[0].values("positions", 0..FRAMES, 0..3).unwrap();
    let (mut told, mut harmless) = (0, 0);
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 4;
        std::fs::write(&path, &bad).unwrap();
        match run.stages[0].values("positions", 0..FRAMES, 0..3) {
            Err(error) => {
                assert!(error.to_string().contains("segment-000001.h5"), "{error}");
                told += 1;
            }
            Ok(values) => {
                assert!(values.iter().zip(&exact).all(|(x, y)| x.to_bits() == y.to_bits()), "byte {at} changed numbers silently");
                harmless += 1;
            }
        }
    }
    assert!(told > 50, "{told} told, {harmless} harmless");
}

#[test]
fn a_damaged_checkpoint_costs_one_interval() {
    for format in formats() {
        let dir = tempfile::tempdir().unwrap();
        let header = molecule(3, 4);
        complete(format, dir.path(), &header);
        let path = dir.path().join("production/checkpoint.bin");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[40] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let run = Run::open(dir.path()).unwrap();
        assert_eq!(run.stages[0].frames(), FRAMES - INTERVAL);
        assert!(run.warnings[0].contains("its hash does not fit"), "{:?}", run.warnings);
        check(complete(format, dir.path(), &header).stage("production").unwrap());
    }
}

#[test]
fn what_is_no_run_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let said = |path: &Path| {
        let error = Run::open(path).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    };
    assert!(said(&dir.path().join("absent")).contains("there is no run directory"));
    assert!(said(dir.path()).contains("is not a run directory"));
    std::fs::write(dir.path().join("resolved.toml"), "").unwrap();
    assert!(said(dir.path()).contains("holds no frames yet"));
    std::fs::create_dir(dir.path().join("production")).unwrap();
    std::fs::write(dir.path().join("production/header.json"), "{").unwrap();
    assert!(said(dir.path()).contains("not the header of a stage"));
}
