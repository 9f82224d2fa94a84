//! Stages with numbers that are known, and a writer that goes on from its checkpoint.

use ergodica::Error;
use ergodica::batch::Snapshot;
use ergodica::io::reader::{Run, Stage};
use ergodica::io::sink::{Column, Frame, Header, Kind, Segment, Sink};
use ergodica::io::{checkpoint, npy, open_sink, segments};
use std::path::Path;

pub(crate) const FRAMES: u64 = 40;
pub(crate) const INTERVAL: u64 = 5;

pub(crate) fn column(name: &str, kind: Kind, width: usize, unit: Option<&str>) -> Column {
    Column { name: name.to_owned(), kind, width, unit: unit.map(str::to_owned), labels: Vec::new(), double: false }
}

/// A molecule in nm and ps: particles, labelled terms, a scalar with a colon in its name.
pub(crate) fn molecule(replicas: usize, particles: usize) -> Header {
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
pub(crate) fn flat() -> Header {
    Header {
        dimension: 2,
        columns: vec![column("positions", Kind::Positions, 8, None), column("energy", Kind::Observable, 1, None)],
        time_unit: None,
        ..molecule(3, 4)
    }
}

/// A density on R^5.
pub(crate) fn density() -> Header {
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
pub(crate) fn number(frame: u64, column: usize, k: usize) -> f64 {
    let hash = (frame * 1_000_003 + column as u64 * 7919 + k as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    if column == 3 && hash.is_multiple_of(97) {
        return [f64::NAN, -0.0, f64::INFINITY, f64::MIN_POSITIVE / 8.0][hash as usize % 4];
    }
    (hash >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
}

pub(crate) fn frame(header: &Header, k: u64) -> Frame {
    let values = header.columns.iter().enumerate();
    let values = values.map(|(c, column)| (0..header.replicas * column.width).map(|i| number(k, c, i)).collect());
    Frame { step: 100 * k, time: k as f64 * 0.1, values: values.collect() }
}

/// What the writer of a run does: goes on from the newest checkpoint, commits and saves every few frames.
pub(crate) fn run(sink: &mut dyn Sink, dir: &Path, header: &Header, frames: u64) -> ergodica::Result<()> {
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

pub(crate) fn save(list: Vec<Segment>, done: u64, dir: &Path) -> ergodica::Result<()> {
    let mut snapshot = Snapshot::default();
    snapshot.put("done", done);
    segments::to_snapshot(&list, &mut snapshot);
    checkpoint::save(dir, &snapshot, &checkpoint::Meta::default())
}

pub(crate) fn sink(format: &str, dir: &Path) -> Box<dyn Sink> {
    if format == "npy" { Box::new(npy::NpySink::new(dir)) } else { open_sink(dir) }
}

/// Formats of this build.
pub(crate) fn formats() -> &'static [&'static str] {
    if cfg!(feature = "hdf5") { &["default", "npy"] } else { &["npy"] }
}

pub(crate) fn complete(format: &str, dir: &Path, header: &Header) -> Run {
    let stage = dir.join("production");
    run(&mut *sink(format, &stage), &stage, header, FRAMES).unwrap();
    Run::open(dir).unwrap()
}

pub(crate) fn check(stage: &Stage) {
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
