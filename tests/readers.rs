//! The readers of molecular input on the files that are shipped, and on bad ones with the message they must give.

use std::path::{Path, PathBuf};

use ergodica::Error;
use ergodica::error::Source;
use ergodica::io::openmm::{MolecularSystem, read_system_file};
use ergodica::io::pdb::{Pdb, read_pdb_file, write_pdb};
use ergodica::io::selection::{Torsion, atom, dihedral, dihedrals, distance};
use ergodica::io::structures::{Expected, from_pdb, read_configs, read_structures};
use ergodica::io::topology::{Inputs, Topology};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

struct Molecule {
    source: Source,
    pdb: Pdb,
    system: MolecularSystem,
    topology: Topology,
}

fn molecule(name: &str) -> Molecule {
    let folder = root("systems").join(name);
    let (source, pdb) = read_pdb_file(folder.join("structure.pdb")).unwrap_or_else(|e| panic!("{e}"));
    let system = read_system_file(folder.join("system.xml")).unwrap_or_else(|e| panic!("{e}"));
    let topology = Topology::new(&Inputs { pdb_source: &source, pdb: &pdb, system_name: "system.xml", system: &system })
        .unwrap_or_else(|e| panic!("{e}"));
    Molecule { source, pdb, system, topology }
}

fn molecules() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root("systems"))
        .expect("systems/ is shipped")
        .map(|e| e.expect("a folder").path())
        .filter(|p| p.join("system.xml").exists() && p.join("structure.pdb").exists())
        .map(|p| p.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 15, "{names:?}");
    names
}

#[test]
fn every_shipped_molecule_has_a_topology_without_warnings() {
    for name in molecules() {
        let m = molecule(&name);
        assert_eq!(m.topology.bonds.len(), m.system.bonds[0].items.len(), "{name}");
        assert!(m.topology.warnings.is_empty(), "{name}: {:?}", m.topology.warnings);
        assert!(m.topology.atoms.iter().all(|a| a.element.is_some()), "{name}");
        assert!(m.pdb.atoms.iter().all(|a| !a.deduced), "{name}");
    }
}

/// phi = (4,6,8,14) and psi = (6,8,14,16) in tleap's order, as the literature has them.
#[test]
fn alanine_dipeptide_has_the_angles_of_the_literature() {
    let top = molecule("ala2-ff99sbildn-obc").topology;
    assert_eq!(dihedral(&top, "phi").unwrap(), [4, 6, 8, 14]);
    assert_eq!(dihedral(&top, "phi:2").unwrap(), [4, 6, 8, 14]);
    assert_eq!(dihedral(&top, "psi:A:2").unwrap(), [6, 8, 14, 16]);
    assert_eq!(dihedral(&top, "omega:1").unwrap(), [1, 4, 6, 8]);
    assert_eq!(dihedral(&top, "omega:2").unwrap(), [8, 14, 16, 18]);
    assert_eq!(dihedral(&top, "#4,#6,#8,#14").unwrap(), [4, 6, 8, 14]);
    assert_eq!(dihedral(&top, "1:C, 2:N, CA, A:2:C").unwrap(), [4, 6, 8, 14]);
    assert_eq!(distance(&top, "ALA,#3").map_err(|e| e.to_string()).unwrap_err().lines().next(), Some("no atom is called \"ALA\""));
    assert_eq!(distance(&top, "CA,#3").unwrap(), [8, 3]);
}

/// The other files list heavy atoms first: names and bonds decide.
#[test]
fn angles_do_not_depend_on_the_order_of_atoms() {
    let counts = |name: &str| {
        let top = molecule(name).topology;
        [Torsion::Phi, Torsion::Psi, Torsion::Omega, Torsion::Chi1].map(|k| dihedrals(&top, k).len())
    };
    assert_eq!(counts("ace-aaa-nme-ff99sbildn-obc"), [3, 3, 4, 0]);
    assert_eq!(counts("aaa-ff14sb-obc1"), [2, 2, 2, 0]);
    // GYDPETGTWG: every residue but the three glycines has chi1.
    assert_eq!(counts("chignolin-ff14sb-obc1"), [9, 9, 9, 7]);
    let m = molecule("chignolin-ff14sb-obc1");
    for kind in [Torsion::Phi, Torsion::Psi, Torsion::Omega, Torsion::Chi1] {
        for (r, atoms) in dihedrals(&m.topology, kind) {
            let names: Vec<&str> = atoms.iter().map(|&a| m.topology.atoms[a].name.as_str()).collect();
            let residues: Vec<usize> = atoms.iter().map(|&a| m.topology.atoms[a].residue).collect();
            match kind {
                Torsion::Phi => assert_eq!((&names[..], &residues[..]), (&["C", "N", "CA", "C"][..], &[r - 1, r, r, r][..])),
                Torsion::Psi => assert_eq!((&names[..], &residues[..]), (&["N", "CA", "C", "N"][..], &[r, r, r, r + 1][..])),
                Torsion::Omega => assert_eq!((&names[..], &residues[..]), (&["CA", "C", "N", "CA"][..], &[r, r, r + 1, r + 1][..])),
                _ => assert_eq!((&names[..3], &residues[..]), (&["N", "CA", "CB"][..], &[r; 4][..])),
            }
        }
    }
}

#[test]
fn selections_that_do_not_fit_say_what_would() {
    let top = molecule("ala2-ff99sbildn-obc").topology;
    let peptide = molecule("aaa-ff14sb-obc1").topology;
    let message = |r: ergodica::Result<usize>| r.unwrap_err().to_string();
    assert_eq!(
        message(atom(&peptide, "CA")),
        "\"CA\" is ambiguous: it fits A:1:CA, A:2:CA, A:3:CA\n  help: add the residue's number, or the chain and the number, as in the list"
    );
    assert!(message(atom(&top, "CAA")).contains("did you mean CA?"), "{}", message(atom(&top, "CAA")));
    assert!(message(atom(&top, "2:CD")).contains("near to it are"), "{}", message(atom(&top, "2:CD")));
    assert!(message(atom(&top, "7:CA")).contains("the residues are A:1 (ACE), A:2 (ALA), A:3 (NME)"));
    assert!(message(atom(&top, "B:2:CA")).contains("there is no residue B:2"));
    assert!(message(atom(&top, "#22")).contains("#0 to #21"));
    assert!(message(atom(&top, "#-1")).contains("#0 to #21"));
    assert!(message(atom(&top, "a:b:c:d")).contains("an atom is a name"));
    assert!(message(atom(&top, "2:")).contains("names no atom"));
    assert!(message(atom(&top, "")).contains("names no atom"));
    let message = |r: ergodica::Result<[usize; 4]>| r.unwrap_err().to_string();
    assert!(message(dihedral(&peptide, "phi")).contains("\"phi\" is ambiguous: there are phi:A:2, phi:A:3"));
    assert!(message(dihedral(&peptide, "phi:1")).contains("residue 1 has no phi"));
    assert!(message(dihedral(&top, "chi1")).contains("no residue has the angle chi1"));
    assert!(message(dihedral(&top, "fi")).contains("write phi, psi, omega or chi1"));
    assert!(message(dihedral(&top, "CA,CB,#3")).contains("is not 4 atoms"));
    assert!(message(dihedral(&top, "CA,CB,#3,#8")).contains("names A:2:CA twice"));
}

#[test]
fn topology_pdb_is_read_back_the_same() {
    for name in molecules() {
        let m = molecule(&name);
        let text = write_pdb(&m.topology, &m.pdb.models[0]).unwrap();
        let source = Source::new("topology.pdb", text);
        let again = ergodica::io::pdb::read_pdb(&source).unwrap_or_else(|e| panic!("{name}: {e}"));
        let top = Topology::new(&Inputs { pdb_source: &source, pdb: &again, system_name: "system.xml", system: &m.system }).unwrap();
        assert_eq!((&top, &again.models), (&m.topology, &m.pdb.models), "{name}");
        assert_eq!(again.bonds, m.topology.bonds, "{name}");
    }
}

#[test]
fn files_that_do_not_belong_together_are_found_out() {
    let m = molecule("ala2-ff99sbildn-obc");
    let other = molecule("aaa-ff14sb-obc1");
    let build = |source: &Source, pdb: &Pdb, system: &MolecularSystem| {
        Topology::new(&Inputs { pdb_source: source, pdb, system_name: "system.xml", system }).map_err(|e| e.to_string())
    };
    let error = build(&other.source, &other.pdb, &m.system).unwrap_err();
    assert!(error.contains("structure.pdb has 33 atoms, system.xml has 22 particles"), "{error}");
    let mut pdb = m.pdb.clone();
    pdb.atoms.swap(1, 2);
    let error = build(&m.source, &pdb, &m.system).unwrap_err();
    assert!(error.contains("structure.pdb:4:1: 2 atoms have a mass that is not their element's: A:1:H2 is H but weighs 12.01"), "{error}");
    // Two hydrogens of different residues: only the bonds can tell.
    let mut pdb = m.pdb.clone();
    pdb.models[0].swap(0, 21);
    let error = build(&m.source, &pdb, &m.system).unwrap_err();
    assert!(error.contains("2 bonds of system.xml are far too long in this file"), "{error}");
    let mut repartitioned = m.system.clone();
    for bond in &m.system.bonds[0].items {
        for [i, j] in [bond.atoms, [bond.atoms[1], bond.atoms[0]]] {
            if m.system.masses[i] < 1.1 {
                repartitioned.masses[i] += 2.0;
                repartitioned.masses[j] -= 2.0;
            }
        }
    }
    let top = build(&m.source, &m.pdb, &repartitioned).unwrap();
    assert!(top.warnings[0].starts_with("12 hydrogens are heavier than hydrogen"), "{:?}", top.warnings);
}

#[test]
fn starting_structures_of_every_kind() {
    let m = molecule("ala2-ff99sbildn-obc");
    let expected = Expected { dof: 66, topology: Some(&m.topology), molecule: true };
    let folder = tempfile::tempdir().unwrap();
    let from_file = read_structures(root("systems/ala2-ff99sbildn-obc/structure.pdb"), expected).unwrap();
    assert_eq!(from_file, from_pdb(&m.source, &m.pdb, expected).unwrap());
    assert!((from_file[0].x[0] + 0.0422).abs() < 1e-12);

    let configs = read_structures(root("systems/ala2-ff99sbildn-obc/energies.json"), expected).unwrap();
    assert_eq!(configs.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["0", "8", "24", "50", "58", "74"]);

    let mut xyz = String::new();
    for _ in 0..2 {
        xyz += "22\nalanine dipeptide\n";
        for (a, x) in m.topology.atoms.iter().zip(&m.pdb.models[0]) {
            xyz += &format!("{} {} {} {}\n", a.element.unwrap().symbol(), 10.0 * x[0], 10.0 * x[1], 10.0 * x[2]);
        }
    }
    let path = folder.path().join("two.xyz");
    std::fs::write(&path, &xyz).unwrap();
    let frames = read_structures(&path, expected).unwrap();
    assert_eq!(frames.len(), 2);
    assert!(frames[1].x.iter().zip(&from_file[0].x).all(|(a, b)| (a - b).abs() < 1e-12));
    for (bad, message) in [
        (xyz.replacen("22\n", "21\n", 1), "two.xyz:1:1: a frame of 21 atoms"),
        (xyz.replacen("\nH ", "\nC ", 1), "two.xyz:3:1: atom 0 is \"C\" in this file and A:1:H1"),
        (xyz.replacen("\nH ", "\nH nan ", 1), "two.xyz:3:1: x is \"nan\""),
        (xyz.trim_end().rsplit_once('\n').unwrap().0.to_owned(), "the last frame is cut short"),
    ] {
        std::fs::write(&path, bad).unwrap();
        let error = read_structures(&path, expected).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    let path = folder.path().join("configs.json");
    for (bad, message) in [
        ("{\"configs\": [{\"id\": 1, \"x\": [1.0, \"a\"]}]}", "configs.json:1:37: invalid type: string \"a\", expected f64"),
        ("{\"configs\": [{\"id\": [], \"x\": []}]}", "configs[0]: the id is no number and no text"),
        ("{\"configs\": [{\"id\": 1}]}", "missing field `x`"),
        ("{\"configs\": []}", "holds no structure"),
        ("{\"configs\": [{\"id\": 1, \"x\": [1]}]}", "structure 1 has 1 coordinates, the system has 66"),
        ("{\"configs\": [{\"id\": 1, \"x\": [1e999]}]}", "number out of range"),
    ] {
        std::fs::write(&path, bad).unwrap();
        let error = read_structures(&path, expected).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let config = read_configs(&Source::new("x", "{\"configs\": [{\"id\": \"a\", \"x\": [], \"t\": 0.5, \"f\": null}]}")).unwrap();
    assert_eq!((config[0].label(), config[0].t), ("a".to_owned(), Some(0.5)));
    let error = read_structures("x.gro", expected).unwrap_err().to_string();
    assert!(error.contains("give a .pdb, .xyz, .npy or .json file"), "{error}");
}

/// Every bad file beside a file `.expected`: one line for each text that its message must contain.
fn bad_files(folder: &str, read: fn(&Path) -> Result<(), Error>) {
    let mut count = 0;
    for entry in std::fs::read_dir(root(folder)).expect("shipped") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|e| e == "expected") {
            continue;
        }
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let error = match read(&path) {
            Ok(()) => panic!("{} was accepted", path.display()),
            Err(e) => e,
        };
        assert_eq!(error.exit_code(), 2);
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let message = error.to_string().replace(&path.display().to_string(), &name);
        for line in expected.lines() {
            assert!(message.contains(line), "{name}:\n{message}\nlacks\n{line}");
        }
        count += 1;
    }
    assert!(count >= 8 || folder.ends_with("unsupported"), "{folder} has {count} files");
}

#[test]
fn bad_xml_is_refused_with_its_message() {
    bad_files("tests/data/bad_xml", |p| read_system_file(p).map(drop));
}

#[test]
fn unsupported_systems_are_refused_with_what_to_do() {
    bad_files("tests/data/unsupported", |p| read_system_file(p).map(drop));
}

#[test]
fn bad_pdb_is_refused_with_its_message() {
    bad_files("tests/data/bad_pdb", |p| read_pdb_file(p).map(drop));
}
