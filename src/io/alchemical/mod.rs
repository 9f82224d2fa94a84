//! Alchemical free-energy output of other programs: GROMACS dhdl.xvg, AMBER mdout, NAMD fepout, GOMC's free-energy files.
//!
//! [`read`] turns files into [`Part`]s, one for each simulation in them, in kJ/mol; [`Leg::new`] puts the parts of one
//! transformation together, in kT. States are known by their lambda values and never by their place in a file. What a file lacks is NaN:
//! an estimator leaves out the samples whose *needed* energies are missing, and counts them.
//!
//! ```text
//! file -> texts (unpacked) -> Part: gradients [n][component], energies [n][column]   (kJ/mol)
//!      -> Leg: states in order along the path, windows[state] -> runs -> the same over all states   (kT)
//! ```
//!
//! An incomplete last line, where a run was cut, is dropped with a note. Damage anywhere else is an error with file, line and remedy.

mod amber;
pub mod arrays;
mod asked;
mod bzip2;
mod gomc;
mod gromacs;
mod leg;
mod lines;
mod namd;
mod states;
mod unpack;

pub use asked::Asked;
use bzip2::Room;
pub use leg::{Leg, Run, Window};
pub use unpack::{Text, text};
use unpack::{texts, unpacked};

use crate::error::Complaint;
use crate::{Error, Result};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Gas constant in kJ/(mol K), exact in the SI of 2019.
pub const GAS_CONSTANT: f64 = 8.314_462_618_153_24e-3;
/// Kilojoules in a kilocalorie.
pub const KCAL: f64 = 4.184;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `dhdl.xvg`.
    Gromacs,
    /// `mdout` of sander and pmemd.
    Amber,
    /// `fepout`.
    Namd,
    /// `Free_Energy_BOX_*.dat`.
    Gomc,
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Program::Gromacs => "GROMACS",
            Program::Amber => "AMBER",
            Program::Namd => "NAMD",
            Program::Gomc => "GOMC",
        })
    }
}

/// What `time` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Picoseconds.
    Picoseconds,
    /// Steps of the simulation; the file does not say how long one is.
    Steps,
}

/// Values of one alchemical state, one for each component: its name.
pub type Lambdas = Vec<f64>;

/// Programs allow lambdas beyond 1; a number beyond this is none.
fn is_lambda(l: f64) -> bool {
    l.abs() <= 1000.0
}

/// Two states are the same when all lambdas agree to 1e-6: programs print at most six decimals.
pub(crate) fn key(lambdas: &[f64]) -> Vec<i64> {
    lambdas.iter().map(|l| (l * 1e6).round() as i64).collect()
}

/// Rows of numbers with time and state of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Numbers in a row.
    pub width: usize,
    /// Time of each row, in the part's [`Clock`]; rising within a part.
    pub time: Vec<f64>,
    /// State that each row was sampled from.
    pub state: Vec<u32>,
    /// `[row][width]`; NaN: missing.
    pub values: Vec<f64>,
}

impl Table {
    /// No rows yet.
    pub fn new(width: usize) -> Self {
        Table { width, ..Table::default() }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// One row.
    pub fn row(&self, n: usize) -> &[f64] {
        &self.values[n * self.width..(n + 1) * self.width]
    }

    /// Puts a row at the end.
    pub fn push(&mut self, time: f64, state: u32, row: &[f64]) {
        self.time.push(time);
        self.state.push(state);
        self.values.extend_from_slice(row);
    }

    /// Keeps the rows that `keep` likes, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let width = self.width;
        let mut to = 0;
        for from in 0..self.len() {
            if keep(from) {
                if to != from {
                    self.time[to] = self.time[from];
                    self.state[to] = self.state[from];
                    self.values.copy_within(from * width..(from + 1) * width, to * width);
                }
                to += 1;
            }
        }
        self.time.truncate(to);
        self.state.truncate(to);
        self.values.truncate(to * width);
    }
}

/// One simulation, or the piece of one that stands in one file. Energies in kJ/mol.
#[derive(Clone, Debug)]
pub struct Part {
    /// File (and member of an archive).
    pub file: String,
    /// Whose it is.
    pub program: Program,
    /// Temperature in K, if the file says it.
    pub temperature: Option<f64>,
    /// What `time` counts.
    pub clock: Clock,
    /// Names of the lambda components.
    pub components: Vec<String>,
    /// States that the part knows: those of the energy columns in their order, then others that were sampled.
    pub states: Vec<Lambdas>,
    /// The one state that was sampled; none where each row has its own.
    pub fixed: Option<u32>,
    /// dH/dlambda, `[row][component]`; no rows: the file has none.
    pub gradients: Table,
    /// H_k - H_sampled for the first `width` states, `[row][column]`; +infinity is allowed.
    pub energies: Table,
    /// What the energies are relative to, H_sampled (with pV where the file has it), one a row of `energies`; empty: not known.
    pub base: Vec<f64>,
    /// Whether `base` is the whole energy, and not pV alone.
    pub totals: bool,
    /// Why the energies cannot be used although the file has some. Gradients may still be.
    pub refused: Option<Complaint>,
    /// What a reader of the results should know.
    pub notes: Vec<String>,
}

/// Reads files of any of the programs, told apart by what is in them; unpacks .gz, .bz2 and .tar of these.
///
/// Files are read in parallel; the result does not depend on it. Errors: `Error::Input` with the complaints of all files.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Part>> {
    // no more memory to unpack in than threads, and its pages are touched once
    let rooms = Mutex::new(Vec::<Room>::new());
    let all: Vec<Result<Read>> = paths
        .par_iter()
        .map(|path| {
            let mut room = rooms.lock().ok().and_then(|mut idle| idle.pop()).unwrap_or_default();
            let bytes = unpacked(path, &mut room);
            if let Ok(mut idle) = rooms.lock() {
                idle.push(room);
            }
            read_file(path, bytes?)
        })
        .collect();
    let mut parts = Vec::new();
    let mut namd = Vec::new();
    for file in gather(all)? {
        parts.extend(file.parts);
        namd.extend(file.namd);
    }
    if !namd.is_empty() {
        // Windows run on from file to file.
        parts.extend(namd::read(&namd)?);
    }
    Ok(parts)
}

/// What a file holds.
struct Read {
    parts: Vec<Part>,
    namd: Vec<Text>,
}

fn read_file(path: &Path, bytes: Vec<u8>) -> Result<Read> {
    let mut out = Read { parts: Vec::new(), namd: Vec::new() };
    for text in texts(path, bytes)? {
        if program(&text.text) == Some(Program::Namd) {
            out.namd.push(text);
        } else {
            out.parts.extend(read_text(&text)?);
        }
    }
    Ok(out)
}

/// All the values, or all the complaints.
fn gather<T>(results: Vec<Result<T>>) -> Result<Vec<T>> {
    let mut complaints = Vec::new();
    let mut values = Vec::new();
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(Error::Input(more)) => complaints.extend(more),
            Err(other) => return Err(other),
        }
    }
    if complaints.is_empty() { Ok(values) } else { Err(Error::Input(complaints)) }
}

/// The parts in one text that is not NAMD's.
pub fn read_text(text: &Text) -> Result<Vec<Part>> {
    match program(&text.text) {
        Some(Program::Gromacs) => gromacs::read(text),
        Some(Program::Amber) => amber::read(text).map(|p| vec![p]),
        Some(Program::Namd) => namd::read(std::slice::from_ref(text)),
        Some(Program::Gomc) => gomc::read(text).map(|p| vec![p]),
        None => Err(lines::wrong_file(
            text,
            "not an output file with free energies that this program knows",
            "give GROMACS dhdl.xvg, AMBER mdout, NAMD fepout or GOMC Free_Energy_BOX files, or arrays (.npz, .npy, .csv)",
        )),
    }
}

/// Whose text it is, by its first lines.
fn program(text: &str) -> Option<Program> {
    for line in text.lines().take(400) {
        let line = line.trim_start();
        if line.starts_with('@') {
            return Some(Program::Gromacs);
        }
        if line.starts_with("#NEW FEP WINDOW")
            || line.starts_with("FepEnergy:")
            || line.starts_with("FepE_back:")
            || line.starts_with("#Free energy change")
        {
            return Some(Program::Namd);
        }
        if line.starts_with("#T = ") && line.contains("Lambda State") {
            return Some(Program::Gomc);
        }
        if line.contains("Amber") || line.contains("AMBER") || line.contains("SANDER") || line.contains("PMEMD") {
            return Some(Program::Amber);
        }
    }
    None
}

/// Whether a path is an array file rather than some program's output.
pub fn is_array(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    [".npz", ".npy", ".csv"].iter().any(|end| name.ends_with(end))
}

/// Names in the order people count in: digits compare as numbers, so that `dhdl.2` stands before `dhdl.10`.
pub fn natural_order(a: &str, b: &str) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let split = |s: &'_ [u8]| s.iter().position(|c| !c.is_ascii_digit()).unwrap_or(s.len());
                let (n, m) = (split(a), split(b));
                let trim = |s: &'_ [u8]| s.iter().position(|c| *c != b'0').unwrap_or(s.len());
                let (x, y) = (&a[trim(&a[..n])..n], &b[trim(&b[..m])..m]);
                match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                    Ordering::Equal => (a, b) = (&a[n..], &b[m..]),
                    other => return other,
                }
            }
            (Some(x), Some(y)) if x == y => (a, b) = (&a[1..], &b[1..]),
            (Some(x), Some(y)) => return x.cmp(y),
        }
    }
}

/// A state in words: "coul-lambda 0.25, vdw-lambda 0".
pub fn state_name(components: &[String], lambdas: &[f64]) -> String {
    let parts: Vec<String> = components.iter().zip(lambdas).map(|(c, l)| format!("{c} {l}")).collect();
    parts.join(", ")
}
