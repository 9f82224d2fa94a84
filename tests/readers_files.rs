//! Files of a run: what is written comes back, whatever kills the writer, and damage is told.

use ergodica::Error;
use ergodica::batch::Snapshot;
use ergodica::io::reader::{Run, Stage};
use ergodica::io::sink::{Column, Frame, Header, Kind, Segment, Sink};
use ergodica::io::{checkpoint, export, npy, open_sink, segments};
use std::path::Path;
use std::process::{Command, Output};

const FRAMES: u64 = 40;
const INTERVAL: u64 = 5;

fn column(name: &str, kind: Kind, width: usize, unit: Option<&str>) -> Column {
    Column { name: name.to_owned(), kind, width, unit: unit.map(str::to_owned), labels: Vec::new(), double: false }
}

/// A molecule in nm and ps: particles, labelled terms, a scalar with a colon in its name.
fn molecule(replicas: usize, particles: usize) -> Header {
    let n = 3 * particles;
    let mut terms = column("terms", Kind::Observable, 2, Some("kJ/mol"));
    terms.labels = vec!["bonds".to_owned(), "angles".to_owned()];
    let atoms: Vec<_> = (0..particles).map(|i| format!(r#"{{"index":{i},"name":"C{i}","element":"C"}}"#)).collect();
    let residue = format!(r#"{{"index":0,"resSeq":1,"name":"ALA","segmentID":"","atoms":[{}]}}"#, atoms.join(","));
    Header {
        stage: "production".to_owned(),
        replicas,
        particles,
        dimension: 3,
        columns: vec![
            column("positions", Kind::Positions, n, Some("nm")),
            column("velocities", Kind::Velocities, n, Some("nm/ps")),
            column("forces", Kind::Forces, n, Some("kJ/mol/nm")),
            column("energy", Kind::Observable, 1, Some("kJ/mol")),
            terms,
            column("dihedral:phi", Kind::Observable, 1, Some("rad")),
        ],
        time_unit: Some("ps".to_owned()),
        topology_json: Some(format!(r#"{{"chains":[{{"index":0,"residues":[{residue}]}}],"bonds":[]}}"#)),
        provenance: vec![("version".to_owned(), "0".to_owned()), ("config".to_owned(), "[campaign]\nname = \"é\"\n".to_owned())],
    }
}

/// Four particles in the plane, reduced units.
fn flat() -> Header {
    Header {
        dimension: 2,
        columns: vec![column("positions", Kind::Positions, 8, None), column("energy", Kind::Observable, 1, None)],
        time_unit: None,
        ..molecule(3, 4)
    }
}

/// A density on R^5.
fn density() -> Header {
    let mut positions = column("positions", Kind::Positions, 5, None);
    positions.double = true;
    Header {
        particles: 0,
        dimension: 1,
        columns: vec![positions, column("energy", Kind::Observable, 1, None)],
        time_unit: None,
        topology_json: None,
        ..molecule(4, 0)
    }
}

/// Numbers that depend on all their places, with awkward ones among the energies of the molecule.
fn number(frame: u64, column: usize, k: usize) -> f64 {
    let hash = (frame * 1_000_003 + column as u64 * 7919 + k as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    if column == 3 && hash.is_multiple_of(97) {
        return [f64::NAN, -0.0, f64::INFINITY, f64::MIN_POSITIVE / 8.0][hash as usize % 4];
    }
    (hash >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
}

fn frame(header: &Header, k: u64) -> Frame {
    let values = header.columns.iter().enumerate();
    let values = values.map(|(c, column)| (0..header.replicas * column.width).map(|i| number(k, c, i)).collect());
    Frame { step: 100 * k, time: k as f64 * 0.1, values: values.collect() }
}

/// What the writer of a run does: goes on from the newest checkpoint, commits and saves every few frames.
fn run(sink: &mut dyn Sink, dir: &Path, header: &Header, frames: u64) -> ergodica::Result<()> {
    std::fs::create_dir_all(dir).map_err(|e| Error::io(dir, "cannot make this folder", &e))?;
    let (mut done, kept) = match checkpoint::load(dir)? {
        Some(loaded) => (loaded.snapshot.u64("done")?, segments::from_snapshot(&loaded.snapshot)?),
        None => (0, Vec::new()),
    };
    sink.open(header, &kept)?;
    while done < frames {
        sink.write(&frame(header, done))?;
        done += 1;
        if done % INTERVAL == 0 || done == frames {
            save(sink.commit()?, done, dir)?;
        }
    }
    sink.close()
}

fn save(list: Vec<Segment>, done: u64, dir: &Path) -> ergodica::Result<()> {
    let mut snapshot = Snapshot::default();
    snapshot.put("done", done);
    segments::to_snapshot(&list, &mut snapshot);
    checkpoint::save(dir, &snapshot, &checkpoint::Meta::default())
}

fn sink(format: &str, dir: &Path) -> Box<dyn Sink> {
    if format == "npy" { Box::new(npy::NpySink::new(dir)) } else { open_sink(dir) }
}

/// Formats of this build.
fn formats() -> &'static [&'static str] {
    if cfg!(feature = "hdf5") { &["default", "npy"] } else { &["npy"] }
}

fn complete(format: &str, dir: &Path, header: &Header) -> Run {
    let stage = dir.join("production");
    run(&mut *sink(format, &stage), &stage, header, FRAMES).unwrap();
    Run::open(dir).unwrap()
}

fn check(stage: &Stage) {
    let header = &stage.header;
    assert_eq!(stage.frames(), FRAMES);
    assert_eq!(stage.steps().unwrap(), (0..FRAMES).map(|k| 100 * k).collect::<Vec<_>>());
    assert_eq!(stage.times().unwrap()[7].to_bits(), (7.0 * 0.1_f64).to_bits());
    for (c, column) in header.columns.iter().enumerate() {
        let double = column.double || column.kind == Kind::Observable;
        let all = stage.values(&column.name, 0..FRAMES, 0..header.replicas).unwrap();
        let row = header.replicas * column.width;
        for (i, x) in all.iter().enumerate() {
            let exact = number((i / row) as u64, c, i % row);
            let stored = if double { exact } else { f64::from(exact as f32) };
            assert_eq!(x.to_bits(), stored.to_bits(), "{} {i}", column.name);
        }
    }
}

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
    command.args(["--exact", "child", "--nocapture"]);
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
                .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --exact child --nocapture")])
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
        command.args(["--exact", "child", "--nocapture"]);
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
    for (name, header) in [("molecule", molecule(22, 7)), ("flat", flat()), ("density", density()), ("large", molecule(2, 1500))] {
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
