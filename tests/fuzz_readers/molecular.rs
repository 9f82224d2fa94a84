//! Molecules, structures and selections.

use std::sync::OnceLock;

use ergodica::error::Source;
use ergodica::io::openmm::{MolecularSystem, read_system};
use ergodica::io::pdb::{read_pdb, write_pdb};
use ergodica::io::selection::{atom, dihedral, distance};
use ergodica::io::structures::{Expected, read_configs, read_npy, read_xyz};
use ergodica::io::topology::{Inputs, Topology};

use super::fuzz::{MEMORY_KB, Mutator, TIME, cpu, folder, peak_kb, shipped};
use std::time::Duration;

/// What is put in anywhere.
const PIECES: [&[u8]; 24] = [
    b"<",
    b">",
    b"/>",
    b"<a>",
    b"</a>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"&lt;",
    b"&#x41;",
    b"\"",
    b"=",
    b"\n",
    b"\r\n",
    b"\t",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\xe2\x80\xb2",
    b"\x00",
];

fn source(bytes: &[u8]) -> Source {
    Source::new("fuzz", String::from_utf8_lossy(bytes))
}

fn fuzz(name: &str, count: u64, seeds: &[Vec<u8>], read: impl Fn(&[u8]) -> bool) {
    super::fuzz::fuzz(name, count, &Mutator { seeds, pieces: &PIECES, chunk: 2000 }, read);
}

/// What the reader promises of a System.
fn promises(s: &MolecularSystem) {
    let n = s.atoms();
    assert!(n > 0 && s.masses.iter().all(|m| m.is_finite() && *m > 0.0));
    assert_eq!(s.term_names().len(), s.forces.len());
    for b in s.bonds.iter().flat_map(|b| &b.items) {
        assert!(b.atoms.iter().all(|i| *i < n) && b.atoms[0] != b.atoms[1] && b.length.is_finite() && b.k.is_finite());
    }
    for a in s.angles.iter().flat_map(|b| &b.items) {
        assert!(a.atoms.iter().all(|i| *i < n) && a.angle.is_finite() && a.k.is_finite());
    }
    for t in s.torsions.iter().flat_map(|b| &b.items) {
        assert!(t.atoms.iter().all(|i| *i < n) && (1..=16).contains(&t.periodicity) && t.phase.is_finite() && t.k.is_finite());
    }
    if let Some(f) = &s.nonbonded {
        assert!([&f.charges, &f.sigma, &f.epsilon].iter().all(|v| v.len() == n && v.iter().all(|x| x.is_finite())));
        assert!(f.exceptions.iter().all(|e| e.atoms.iter().all(|i| *i < n) && e.charge_product.is_finite()));
    }
    if let Some(f) = &s.implicit {
        let lists = [&f.charges, &f.radii, &f.offset_radii, &f.scaled_radii, &f.alpha, &f.beta, &f.gamma];
        assert!(lists.iter().all(|v| v.len() == n && v.iter().all(|x| x.is_finite())));
        assert!(f.offset_radii.iter().all(|r| *r > 0.0) && f.solvent_dielectric > 0.0 && f.solute_dielectric > 0.0);
        if let Some(neck) = &f.neck {
            assert!(neck.index.len() == n && neck.index.iter().all(|i| *i < neck.size));
            assert!(neck.d0.len() == neck.size * neck.size && neck.m0.len() == neck.d0.len());
        }
    }
}

pub(super) fn xml(count: u64) {
    let mut seeds = folder("tests/data/bad_xml", "xml");
    for name in ["ala2-ff96-vacuum", "ala2-ff99sbildn-obc", "ala2-ff14sb-obc1", "ala2-ff14sb-gbn2"] {
        // Often, so that much of what is mutated was sound before.
        seeds.extend(std::iter::repeat_n(shipped(&format!("systems/{name}/system.xml")), 5));
    }
    let pdb_source = source(&shipped("systems/ala2-ff96-vacuum/structure.pdb"));
    let pdb = read_pdb(&pdb_source).unwrap();
    fuzz("xml", count, &seeds, |bytes| match read_system(&source(bytes)) {
        Ok(system) => {
            promises(&system);
            let _ = Topology::new(&Inputs { pdb_source: &pdb_source, pdb: &pdb, system_name: "fuzz", system: &system })
                .map_err(|e| e.to_string());
            true
        }
        Err(e) => e.to_string().is_empty(),
    });
}

fn alanine() -> &'static (MolecularSystem, Topology) {
    static ALANINE: OnceLock<(MolecularSystem, Topology)> = OnceLock::new();
    ALANINE.get_or_init(|| {
        let system = read_system(&source(&shipped("systems/ala2-ff96-vacuum/system.xml"))).unwrap();
        let pdb_source = source(&shipped("systems/ala2-ff96-vacuum/structure.pdb"));
        let pdb = read_pdb(&pdb_source).unwrap();
        let top = Topology::new(&Inputs { pdb_source: &pdb_source, pdb: &pdb, system_name: "ala2", system: &system }).unwrap();
        (system, top)
    })
}

pub(super) fn pdb(count: u64) {
    let (system, _) = alanine();
    let mut seeds = folder("tests/data/bad_pdb", "pdb");
    seeds.push(shipped("systems/ala2-ff96-vacuum/structure.pdb"));
    seeds.push(shipped("systems/chignolin-ff14sb-obc1/structure.pdb"));
    fuzz("pdb", count, &seeds, |bytes| {
        let source = source(bytes);
        match read_pdb(&source) {
            Ok(pdb) => {
                assert!(pdb.models.iter().all(|m| m.len() == pdb.atoms.len() && m.iter().flatten().all(|x| x.is_finite())));
                assert!(pdb.bonds.iter().flatten().all(|i| *i < pdb.atoms.len()));
                if let Ok(top) = Topology::new(&Inputs { pdb_source: &source, pdb: &pdb, system_name: "ala2", system }) {
                    let _ = dihedral(&top, "phi");
                    let _ = top.to_mdtraj_json();
                    if let Ok(text) = write_pdb(&top, &pdb.models[0]) {
                        let again = read_pdb(&Source::new("again", text.as_str())).unwrap_or_else(|e| panic!("{e}\n{text}"));
                        assert_eq!(again.atoms.len(), pdb.atoms.len());
                    }
                }
                true
            }
            Err(e) => e.to_string().is_empty(),
        }
    });
}

pub(super) fn selections(count: u64) {
    let (_, top) = alanine();
    let seeds: Vec<Vec<u8>> =
        ["phi", "psi:2", "omega:A:1", "chi1", "#4,#6,#8,#14", "1:C,2:N,2:CA,A:2:C", "A:2:CA", "CA", "2:HB1", "#21", "CH3,N", "A::CA"]
            .map(|s| s.as_bytes().to_vec())
            .to_vec();
    fuzz("selection", count, &seeds, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let atoms = atom(top, &text).map(|i| vec![i]);
        let pair = distance(top, &text).map(|a| a.to_vec());
        let four = dihedral(top, &text).map(|a| a.to_vec());
        let mut any = false;
        for found in [atoms, pair, four] {
            match found {
                Ok(list) => {
                    assert!(list.iter().all(|i| *i < top.atoms.len()));
                    any = true;
                }
                Err(e) => assert!(e.to_string().len() < 4000),
            }
        }
        any
    });
}

pub(super) fn npy(count: u64) {
    let mut seeds = Vec::new();
    for (descr, shape, width, n) in [("<f8", "(2, 22, 3)", 8, 132), ("<f4", "(3, 66)", 4, 198), ("<f8", "(66,)", 8, 66)] {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.bytes());
        file.resize(file.len() + n * width, 1);
        seeds.push(file);
    }
    fuzz("npy", count, &seeds, |bytes| match read_npy("fuzz", bytes, 66) {
        Ok(list) => {
            assert!(!list.is_empty() && list.iter().all(|s| s.x.len() == 66));
            true
        }
        Err(e) => e.to_string().is_empty(),
    });
}

pub(super) fn xyz(count: u64) {
    let (_, top) = alanine();
    let mut text = String::new();
    for frame in 0..3 {
        text += "22\ncomment\n";
        for (i, a) in top.atoms.iter().enumerate() {
            text += &format!("{} {}.5 -0.25 {frame}\n", a.element.map_or("X", |e| e.symbol()), i);
        }
    }
    let seeds = [text.clone().into_bytes(), text.replace('\n', "\r\n").into_bytes()];
    fuzz("xyz", count, &seeds, |bytes| match read_xyz(&source(bytes), Expected { dof: 66, topology: Some(top), molecule: true }) {
        Ok(list) => {
            assert!(list.iter().all(|s| s.x.len() == 66 && s.x.iter().all(|v| v.is_finite())));
            true
        }
        Err(e) => e.to_string().is_empty(),
    });
}

pub(super) fn json(count: u64) {
    let seeds = [
        br#"{"configs": [{"id": 0, "x": [0.1, -2e-3], "f": [1, 2]}, {"id": "a", "x": [], "t": 0.5}], "note": {"a": [[[]]]}}"#.to_vec(),
        shipped("systems/ala2-ff96-vacuum/energies.json"),
    ];
    fuzz("json", count, &seeds, |bytes| match read_configs(&source(bytes)) {
        Ok(list) => {
            assert!(list.iter().all(|c| c.x.iter().all(|v| v.is_finite()) && !c.label().is_empty() || c.id.is_string()));
            true
        }
        Err(e) => e.to_string().is_empty(),
    });
}

/// Inputs that cost a careless reader time or memory out of proportion to their size.
#[test]
fn disproportionate_inputs_are_answered_in_time() {
    let start = cpu();
    let deep = "<a>".repeat(1_000_000);
    let wide = format!("<System {}/>", (0..200_000).map(|i| format!("a{i}=\"\" ")).collect::<String>());
    let spaces = format!("<System {}/>", (0..100_000).map(|i| format!("xmlns:a{i}=\"{i}\" ")).collect::<String>());
    let forces = format!("<System version=\"1\"><Forces>{}</Forces></System>", "<Force type=\"X\" q=\"\"/>".repeat(100_000));
    let classes: String = (0..100_000).map(|i| format!("<Force type=\"X{i}\"/>")).collect();
    let classes = format!("<System version=\"1\"><Forces>{classes}</Forces></System>");
    let particles = format!("<System version=\"1\"><Particles>{}</Particles></System>", "<Particle mass=\"nan\"/>".repeat(300_000));
    for text in [deep, wide, spaces, forces, classes, particles] {
        let one = cpu();
        assert!(read_system(&Source::new("big", text)).map_err(|e| e.to_string().len()).is_err_and(|n| n < 100_000));
        assert!(cpu() - one < TIME, "{:?}", cpu() - one);
    }
    let same = "ATOM      1  CA  ALA A   1       0.000   0.000   0.000\n".repeat(100_000);
    let names: String = (0..100_000).map(|i| format!("ATOM      1 {:<4} ALA A   1       0.000   0.000   0.000\n", i % 10_000)).collect();
    let models = "MODEL\nATOM      1  CA  ALA A   1       0.000   0.000   0.000\nENDMDL\n".repeat(50_000);
    let conect = format!("ATOM      1  CA  ALA A   1       0.000   0.000   0.000\n{}", "CONECT    1    2    3    4    5\n".repeat(100_000));
    for text in [same, names, models, conect] {
        let one = cpu();
        let _ = read_pdb(&Source::new("big", text)).map_err(|e| e.to_string());
        assert!(cpu() - one < TIME, "{:?}", cpu() - one);
    }
    let nested = format!("{{\"configs\": {}", "[".repeat(1_000_000));
    let ignored = format!("{{\"a\": {}", "[".repeat(1_000_000));
    for text in [nested, ignored] {
        assert!(read_configs(&Source::new("big", text)).is_err());
    }
    let (_, top) = alanine();
    for text in [",".repeat(1_000_000), ":".repeat(1_000_000), "A".repeat(1_000_000), "\u{e9}".repeat(500_000)] {
        assert!(dihedral(top, &text).map_err(|e| e.to_string()).is_err_and(|e| e.len() < 4000));
        assert!(atom(top, &text).is_err());
    }
    assert!(cpu() - start < Duration::from_secs(10), "{:?}", cpu() - start);
    assert!(peak_kb().is_none_or(|kb| kb < MEMORY_KB));
}
