//! Free-energy files of other programs.

use std::io::Write;
use std::path::{Path, PathBuf};

use ergodica::Error;
use ergodica::campaign::estimate_files::{Analysis, Method, Request, estimate_leg};
use ergodica::io::alchemical::{Leg, Part, Program, Table, read, read_text, text};

use super::alchemical_files as made;
use super::fuzz::{MEMORY_KB, Mutator, TIME, cpu, peak_kb, shipped};

pub(super) const LAMBDAS: [f64; 3] = [0.0, 0.5, 1.0];

/// What is put in anywhere.
const PIECES: [&[u8]; 24] = [
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"#",
    b"@",
    b"&\n",
    b",",
    b"=",
    b"(",
    b")",
    b"[",
    b"]",
    b"\"",
    b"nan",
    b"-inf",
    b"\x00",
    b"\xc3\xa9",
    b"@ s3 legend \"pV (kJ/mol)\"\n",
    b"@ s99 legend \"\\xD\\f{}H \\xl\\f{} to 0.5\"\n",
    b"#STARTING COLLECTION OF ENSEMBLE AVERAGE\n",
    b"MBAR Energy analysis:\n",
    b"      A V E R A G E S   O V E R\n",
    b"state",
];

pub(super) fn fuzz(name: &str, count: u64, seeds: &[Vec<u8>], read: impl Fn(&[u8]) -> bool) {
    super::fuzz::fuzz(name, count, &Mutator { seeds, pieces: &PIECES, chunk: 300 }, read);
}

/// What every reader's error is: the user's, with a text and a remedy.
pub(super) fn refused(error: &Error) -> bool {
    let Error::Input(list) = error else { panic!("not an input error: {error}") };
    assert!(!list.is_empty() && list.iter().all(|c| !c.what.is_empty() && !c.remedy.is_empty()), "{error}");
    assert!(error.to_string().len() < 4000);
    false
}

/// What an estimator's is: the user's, or that the samples do not carry.
pub(super) fn unanswered(error: &Error) -> bool {
    match error {
        Error::Diagnostics { what, remedy } => assert!(!what.is_empty() && !remedy.is_empty()),
        other => assert!(!refused(other)),
    }
    false
}

/// What a reader promises of a table.
fn whole(t: &Table, states: usize) {
    assert!(t.time.len() == t.state.len() && t.values.len() == t.len() * t.width);
    assert!(t.time.iter().all(|t| t.is_finite()) && t.time.windows(2).all(|w| w[0] < w[1]), "{:?}", t.time);
    assert!(t.state.iter().all(|s| (*s as usize) < states));
}

/// What a reader promises of a part.
fn promises(part: &Part) {
    let states = part.states.len();
    assert!(!part.components.is_empty() && part.states.iter().all(|s| s.len() == part.components.len()));
    assert!(part.states.iter().flatten().all(|l| l.is_finite()) && part.fixed.is_none_or(|f| (f as usize) < states));
    whole(&part.gradients, states);
    whole(&part.energies, states);
    assert!(part.gradients.is_empty() || part.gradients.width == part.components.len());
    assert!(part.energies.is_empty() || part.energies.width <= states);
    assert!(part.energies.values.iter().all(|e| *e != f64::NEG_INFINITY));
    assert!(part.base.is_empty() || part.base.len() == part.energies.len());
}

/// A number comes with an error, or with a warning that says why not.
pub(super) fn finite(analysis: &Analysis) {
    for answer in analysis.legs.iter().flat_map(|l| &l.answers) {
        let (value, stderr) = answer.total();
        assert!(value.is_finite() && (stderr.is_finite() || !answer.warnings.is_empty()), "{}: {value} {stderr}\n{analysis}", answer.label);
        assert!(answer.f.iter().all(|f| f.is_finite()), "{}: {:?}", answer.label, answer.f);
    }
}

/// Puts a read file together with the others of its leg and estimates; false where that is refused.
fn estimated(parts: Vec<Part>, others: &[Part]) -> bool {
    let all: Vec<Part> = parts.into_iter().chain(others.iter().cloned()).collect();
    let method = if all[0].program == Program::Namd { Method::Bar } else { Method::All };
    let leg = match Leg::new(all, Some(300.0)) {
        Ok(leg) => leg,
        Err(e) => return refused(&e),
    };
    for run in leg.windows.iter().flat_map(|w| &w.runs) {
        whole(&run.gradients, leg.states.len());
        whole(&run.energies, leg.states.len());
    }
    match estimate_leg(&Request::new(method, Vec::new()), &leg) {
        Ok(analysis) => {
            finite(&analysis);
            true
        }
        Err(e) => unanswered(&e),
    }
}

/// Texts of one program, each alone; `others` are the sound windows beside the one that is mutated.
fn texts(name: &str, count: u64, seeds: &[Vec<u8>], others: &[Part]) {
    fuzz(name, count, seeds, |bytes| {
        let parts = match text(name.to_owned(), bytes.to_vec()).and_then(|t| read_text(&t)) {
            Ok(parts) => parts,
            Err(e) => return refused(&e),
        };
        assert!(!parts.is_empty());
        parts.iter().for_each(promises);
        estimated(parts, others)
    });
}

fn parts(texts: &[String]) -> Vec<Part> {
    let one = |t: &String| read_text(&text("other".to_owned(), t.clone().into_bytes()).unwrap()).unwrap();
    texts.iter().flat_map(one).collect()
}

pub(super) fn gromacs(count: u64) {
    let window = |l: f64| made::gromacs(l, &LAMBDAS, 8, 0.0);
    let gap = window(0.5).replacen("0.77155721", "nan", 2);
    let neighbours = gromacs_at(0.5, &[0.0, 0.5]);
    let expanded = window(0.5).replace("\\xl\\f{} state 0: fep-lambda = 0.5000", "").replace("pV (kJ/mol)", "Thermodynamic state");
    let expanded = expanded.replace(" 0.77155721", " 1.0000000");
    let two = "@ s0 legend \"dH/d\\xl\\f{} coul-lambda = 0.0\"\n@ s1 legend \"dH/d\\xl\\f{} vdw-lambda = 0.5\"\n\
               @ s2 legend \"\\xD\\f{}H \\xl\\f{} to (0.0, 0.5)\"\n@ s3 legend \"\\xD\\f{}H \\xl\\f{} to (0.0, 1.0)\"\n";
    let two =
        format!("@ subtitle \"T = 300 (K) \\xl\\f{{}} state 1: (coul-lambda, vdw-lambda) = (0.0, 0.5)\"\n{two}0 1 2 0 3\n1 2 3 0 4\n");
    let seeds: Vec<Vec<u8>> = [window(0.5), gap, neighbours, expanded, two].map(String::into_bytes).to_vec();
    texts("gromacs", count, &seeds, &parts(&[window(0.0), window(1.0)]));
}

pub(super) fn gromacs_at(lambda: f64, columns: &[f64]) -> String {
    made::gromacs(lambda, columns, 8, 0.0)
}

pub(super) fn amber(count: u64) {
    let window = |l: f64| made::amber(l, &LAMBDAS, 6, 300.0);
    let overflow = window(0.5).replacen("-144", "****", 3);
    let plain = window(0.5).replace("MBAR", "mbar");
    let seeds: Vec<Vec<u8>> = [window(0.5), overflow, plain].map(String::into_bytes).to_vec();
    texts("amber", count, &seeds, &parts(&[window(0.0), window(1.0)]));
}

pub(super) fn namd(count: u64) {
    let window = |k: usize| made::namd(&LAMBDAS, k, 10);
    let all: String = (0..3).map(window).collect();
    // A run that was killed in its first window and went on from the window's beginning.
    let first = window(0);
    let restarted = first[..first.find("#Free").unwrap()].to_owned() + &all;
    let seeds: Vec<Vec<u8>> = [all.clone(), all, restarted].map(String::into_bytes).to_vec();
    texts("namd", count, &seeds, &[]);
}

pub(super) fn gomc(count: u64) {
    let window = |l: f64| made::gomc(l, &LAMBDAS, 8);
    let seeds = [window(0.5).into_bytes(), gomc_at(0.5, &[0.0, 1.0]).into_bytes()];
    texts("gomc", count, &seeds, &parts(&[window(0.0), window(1.0)]));
}

fn gomc_at(lambda: f64, columns: &[f64]) -> String {
    made::gomc(lambda, columns, 8)
}

/// A folder with one file that is written again for every input.
pub(super) struct Place {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    pub(super) fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Place { path: dir.path().join(name), _dir: dir }
    }

    pub(super) fn put(&self, bytes: &[u8]) -> &Path {
        // a new file each time: some file systems put a truncated one on the disk when it is closed
        let _ = std::fs::remove_file(&self.path);
        std::fs::write(&self.path, bytes).unwrap();
        &self.path
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(bytes).unwrap();
    to.finish().unwrap()
}

/// A tar archive of one member.
fn tar(text: &[u8]) -> Vec<u8> {
    let mut out = vec![0_u8; 512];
    out[..8].copy_from_slice(b"dhdl.xvg");
    out[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
    out[156] = b'0';
    out[257..262].copy_from_slice(b"ustar");
    out.extend(text);
    out.resize(out.len().next_multiple_of(512) + 1024, 0);
    out
}

/// Packed files, their bytes mutated; every other one is packed again afterwards, so that what is inside is reached.
pub(super) fn packed(count: u64) {
    // Files are read in parallel: on this thread alone its time is told.
    let _here = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().unwrap();
    let place = Place::new("dhdl.xvg");
    let window = gromacs_at(0.5, &LAMBDAS).into_bytes();
    let bz2 = shipped("tests/fuzz_readers/dhdl.xvg.bz2");
    let seeds = [bz2.clone(), [bz2.clone(), bz2].concat(), gzip(&window), gzip(&tar(&window)), tar(&window)];
    fuzz("packed", count, &seeds, |bytes| {
        let body = if bytes.len() % 2 == 0 { gzip(bytes) } else { bytes.to_vec() };
        let parts = match read(&[place.put(&body).to_owned()]) {
            Ok(parts) => parts,
            Err(e) => return refused(&e),
        };
        parts.iter().for_each(promises);
        !parts.is_empty()
    });
}

/// The rows of a table are the first of another's, to the bit.
fn first_rows(short: &Table, long: &Table) -> bool {
    let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
    short.len() <= long.len() && short.time.iter().zip(&long.time).all(same) && short.values.iter().zip(&long.values).all(same)
}

/// Of a file that was cut the rows before the cut are left, and whoever loses a row is told; nothing else comes out.
#[test]
fn a_cut_file_gives_an_error_or_fewer_rows_with_a_note() {
    let files = [
        gromacs_at(0.5, &LAMBDAS),
        made::amber(0.5, &LAMBDAS, 6, 300.0),
        gomc_at(0.5, &LAMBDAS),
        (0..3).map(|k| made::namd(&LAMBDAS, k, 10)).collect(),
    ];
    for file in files {
        let of = |bytes: &[u8]| text("cut".to_owned(), bytes.to_vec()).and_then(|t| read_text(&t));
        let whole = of(file.as_bytes()).unwrap();
        let (mut refusals, mut fewer) = (0, 0);
        for cut in 0..file.len() {
            let found = match of(&file.as_bytes()[..cut]) {
                Ok(found) => found,
                Err(e) => {
                    refused(&e);
                    refusals += 1;
                    continue;
                }
            };
            assert!(found.len() <= whole.len());
            let program = whole[0].program;
            for (a, b) in found.iter().zip(&whole) {
                assert_eq!((&a.components, a.temperature, a.fixed), (&b.components, b.temperature, b.fixed), "{program} cut at {cut}");
                assert!(first_rows(&a.gradients, &b.gradients) && first_rows(&a.energies, &b.energies), "{program} cut at {cut}");
            }
            let rows = |parts: &[Part]| parts.iter().map(|p| p.gradients.len().max(p.energies.len())).sum::<usize>();
            // within a row: at the end of a line nothing tells that more was to come
            let within = !file.as_bytes()[..cut].ends_with(b"\n");
            if program != Program::Namd && rows(&found) < rows(&whole) && within {
                assert!(found.iter().any(|p| p.notes.iter().any(|n| n.contains("incomplete"))), "{program} cut at {cut}: no note");
                fewer += 1;
            }
        }
        assert!(refusals > 100 && (fewer > 50 || whole[0].program == Program::Namd), "{refusals} refused, {fewer} with a note");
    }
}

/// Inputs that cost a careless reader time or memory out of proportion to their size.
#[test]
fn disproportionate_files_are_answered_in_time() {
    let of = |bytes: String| text("big".to_owned(), bytes.into_bytes()).and_then(|t| read_text(&t));
    let legends = |n: usize, name: &dyn Fn(usize) -> String| (0..n).map(|k| format!("@ s{k} legend \"{}\"\n", name(k))).collect::<String>();
    let head = "@ subtitle \"T = 300 (K) \\xl\\f{} state 0: fep-lambda = 0.0\"\n";
    let rows = |n: usize, row: &dyn Fn(usize) -> String| (0..n).map(row).collect::<String>();
    let states = format!("{head}{}", legends(9_000, &|k| format!("\\xD\\f{{}}H \\xl\\f{{}} to {}", k as f64 * 1e-4)));
    let many_states = format!("{states}0 {}\n", "0 ".repeat(9_000));
    let gradient = format!("{head}@ s0 legend \"dH/d\\xl\\f{{}} fep-lambda = 0.0\"\n");
    let texts = [
        many_states,
        format!("{head}{}", legends(100_000, &|_| "pV".to_owned())),
        format!("{head}{}0 {}\n", legends(9_000, &|k| format!("dH/d\\xl\\f{{}} l{k} = 0.0")), "0 ".repeat(9_000)),
        // a restart at every row, or no time at all
        format!("{gradient}{}", rows(200_000, &|_| "0 1\n".to_owned())),
        format!("{gradient}{}", rows(200_000, &|k| format!("{} 1\n", 200_000 - k))),
        format!("{gradient}0 1\n").repeat(20_000),
        format!(
            "#T = 300.0(K), Lambda State 0: (lambda Coulomb) = (0.0)\n#Steps {}\n",
            rows(50_000, &|k| format!("DelE(L->({})) ", k as f64 * 1e-5))
        ),
        format!(
            "Amber\n   2.  CONTROL  DATA  FOR  THE  RUN\n clambda = 0.5\n ifmbar = 1\n MBAR - lambda values considered:\n 50000 total: {}\n Extra\n   4.  RESULTS\n{}",
            rows(50_000, &|k| format!("{:.6} ", k as f64 * 1e-5)),
            "MBAR Energy analysis:\nEnergy at 0.7 = 1\n".repeat(50_000)
        ),
        rows(100_000, &|_| "#NEW FEP WINDOW: LAMBDA SET TO 0 LAMBDA2 1\n".to_owned()),
        rows(50_000, &|k| format!("#NEW FEP WINDOW: LAMBDA SET TO 0 LAMBDA2 1\nFepEnergy: {k} 0 0 0 0 1 0 0 0\n#STARTING COLLECTION\n")),
        "@\n".repeat(2_000_000),
        " ".repeat(4 << 20),
    ];
    for (n, bytes) in texts.into_iter().enumerate() {
        let start = cpu();
        match of(bytes).and_then(|parts| Leg::new(parts, Some(300.0))) {
            Ok(leg) => assert!(!leg.states.is_empty()),
            Err(e) => assert!(!refused(&e)),
        }
        assert!(cpu() - start < TIME, "text {n} takes {:?}", cpu() - start);
    }
    assert!(peak_kb().is_none_or(|kb| kb < MEMORY_KB), "{:?} kB", peak_kb());
}
