//! Reduced energies and work values as arrays: `.npz`, `.npy`, `.csv` (each also .gz or .bz2).
//!
//! | what | arrays |
//! |---|---|
//! | reduced energies | `u_kn` of shape (K, N) in kT, samples grouped by state, with `n_k` (or `N_k`) of shape (K) |
//! | perturbed states | beside `u_kn` and `n_k`: `u_ln` of shape (L, N), energies of the same samples in L states that nobody sampled |
//! | work, in kT | `w_f` and, for both directions, `w_r` |
//! | pulling | `z_f` and `w_f` of shape (trajectories, times): coordinate, and work in kT up to each time; `centres` (times) and `stiffness` of the bias V = stiffness/2 (z - centre)^2 in kT; for both directions `z_r` and `w_r`, as they were run |
//! | any series | one array of one dimension |
//!
//! An `.npz` holds its arrays by name; an `.npy`, or a `.csv` of numbers only, is one array called as the file: `u_kn.npy`. A `.csv` with a
//! header has one array a column, which may end early; with a column `state` the others are the energies of one state each, a row a sample.

mod csv;
mod pulls;
mod zip;

pub use pulls::{Pulled, Pulling};

use super::bzip2::Room;
use super::unpack::unpacked;
use crate::io::numpy;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Numbers with a name and a shape, in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its name, in lower case.
    pub name: String,
    /// Where it comes from, for messages.
    pub from: String,
    /// Length along each dimension.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Vec<f64>,
}

/// What arrays were given.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrays {
    /// Reduced energies in kT.
    Potentials {
        /// Names of the states.
        states: Vec<String>,
        /// Samples from each state.
        n_k: Vec<usize>,
        /// `[k][n]`, samples grouped by the state they come from.
        u_kn: Vec<f64>,
        /// `[l][n]`: energies of the same samples in states that nobody sampled; empty without.
        perturbed: Vec<f64>,
    },
    /// Work in kT.
    Work {
        /// Of going from the initial to the final state.
        forward: Vec<f64>,
        /// Of going back; empty without.
        reverse: Vec<f64>,
    },
    /// Trajectories pulled by a moving bias.
    Pulling(Pulling),
    /// Series, each with its name.
    Series(Vec<(String, Vec<f64>)>),
}

const REMEDY: &str = "give u_kn (K, N) with n_k (K), or work values w_f and w_r, in kT: numpy.savez(\"x.npz\", u_kn=u_kn, n_k=n_k)";

/// Reads arrays from files that belong together.
///
/// Errors: `Error::Input` for files that are damaged, shapes that do not fit, numbers of samples that are not whole, NaN.
pub fn read_arrays(paths: &[PathBuf]) -> Result<Arrays> {
    let mut all = Vec::new();
    let mut room = Room::default();
    for path in paths {
        match file(path, unpacked(path, &mut room)?)? {
            File::Arrays(arrays) => all.extend(arrays),
            File::Whole(arrays) if paths.len() == 1 => return Ok(arrays),
            File::Whole(_) => {
                let what = format!("{}: a table of samples by state cannot be joined with other files", path.display());
                return Err(Error::input(what, "give this file alone"));
            }
        }
    }
    interpret(all)
}

enum File {
    Arrays(Vec<Array>),
    Whole(Arrays),
}

fn file(path: &Path, bytes: Vec<u8>) -> Result<File> {
    let name = path.display().to_string();
    let stem = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default().to_owned();
    if bytes.starts_with(b"PK") {
        let mut arrays = Vec::new();
        let called = |member: &str| member.trim_end_matches(".npy").to_lowercase();
        // Texts and objects beside the numbers are no concern of ours.
        for (member, body) in zip::members(&name, &bytes, |member| wanted(&called(member)))? {
            arrays.push(array(format!("{name}/{member}"), called(&member), &body)?);
        }
        return if arrays.is_empty() {
            Err(Error::input(format!("{name}: no array that can be used"), REMEDY))
        } else {
            Ok(File::Arrays(arrays))
        };
    }
    if bytes.starts_with(b"\x93NUMPY") {
        return Ok(File::Arrays(vec![array(name, stem, &bytes)?]));
    }
    csv::read(&super::text(name, bytes)?, stem)
}

/// The array of an `.npy`.
fn array(from: String, name: String, bytes: &[u8]) -> Result<Array> {
    let numpy::Numbers { shape, values } = numpy::read(&from, bytes)?;
    Ok(Array { name, from, shape, values })
}

/// Names under which arrays are known.
const U_KN: &[&str] = &["u_kn", "ukn"];
const N_K: &[&str] = &["n_k", "nk"];
const U_LN: &[&str] = &["u_ln", "uln"];
const FORWARD: &[&str] = &["w_f", "wf", "work_f", "forward", "forward_work", "work_forward"];
const REVERSE: &[&str] = &["w_r", "wr", "work_r", "reverse", "reverse_work", "work_reverse"];

const Z_F: &[&str] = &["z_f", "zf"];
const Z_R: &[&str] = &["z_r", "zr"];
const CENTRES: &[&str] = &["centres", "centers"];
const STIFFNESS: &[&str] = &["stiffness"];

fn wanted(name: &str) -> bool {
    [U_KN, N_K, U_LN, FORWARD, REVERSE, Z_F, Z_R, CENTRES, STIFFNESS].iter().any(|known| known.contains(&name))
}

fn interpret(all: Vec<Array>) -> Result<Arrays> {
    for (k, array) in all.iter().enumerate() {
        if let Some(other) = all[..k].iter().find(|o| o.name == array.name) {
            let what = format!("two arrays are called {}: in {} and in {}", array.name, other.from, array.from);
            return Err(Error::input(what, "leave one of the files out"));
        }
    }
    let find = |names: &[&str]| all.iter().find(|a| names.contains(&a.name.as_str()));
    if let (Some(l), None) = (find(U_LN), find(U_KN)) {
        return Err(Error::input(format!("{}: u_ln, energies in perturbed states, without u_kn and n_k", l.from), REMEDY));
    }
    match (find(Z_F), find(Z_R), find(U_KN)) {
        (Some(z), back, None) => {
            let works = (find(FORWARD), find(REVERSE));
            return pulls::pulling((z, back), works, (find(CENTRES), find(STIFFNESS))).map(Arrays::Pulling);
        }
        (Some(z), _, Some(_)) => {
            return Err(Error::input(
                format!("{}: reduced energies and pulled trajectories together", z.from),
                "analyse them one after the other",
            ));
        }
        (None, Some(z), _) => return Err(Error::input(format!("{}: z_r without z_f, the forward trajectories", z.from), REMEDY)),
        (None, None, _) => {}
    }
    match (find(U_KN), find(N_K), find(FORWARD), find(REVERSE)) {
        (Some(u), Some(n), None, None) => potentials(u, n, find(U_LN)),
        (Some(u), None, None, None) => {
            Err(Error::input(format!("{}: u_kn without n_k, the numbers of samples from each state", u.from), REMEDY))
        }
        (None, Some(n), None, None) => Err(Error::input(format!("{}: n_k without u_kn, the reduced energies", n.from), REMEDY)),
        (None, None, None, Some(r)) => Err(Error::input(format!("{}: reverse work without forward work w_f", r.from), REMEDY)),
        (None, None, Some(f), r) => {
            let reverse = r.map(|r| line(r, "reverse work")).transpose()?.unwrap_or_default();
            Ok(Arrays::Work { forward: line(f, "forward work")?, reverse })
        }
        (None, None, None, None) => {
            all.iter().map(|a| Ok((a.name.clone(), line(a, "a series")?))).collect::<Result<_>>().map(Arrays::Series)
        }
        _ => Err(Error::input("reduced energies and work values together", "analyse them one after the other")),
    }
}

/// An array of one dimension without NaN.
fn line(array: &Array, what: &str) -> Result<Vec<f64>> {
    let long = array.shape.iter().filter(|n| **n != 1).count() <= 1;
    if !long || array.values.is_empty() {
        return Err(Error::input(format!("{}: {what} has the shape {:?}", array.from, array.shape), "it must be a list of numbers"));
    }
    if let Some(k) = array.values.iter().position(|v| v.is_nan()) {
        return Err(Error::input(format!("{}: value {k} of {what} is NaN", array.from), "leave damaged values out"));
    }
    Ok(array.values.clone())
}

fn potentials(u: &Array, n: &Array, more: Option<&Array>) -> Result<Arrays> {
    if let Some((k, v)) = n.values.iter().enumerate().find(|(_, v)| !(**v >= 0.0 && v.fract() == 0.0 && **v < 1e15)) {
        return Err(Error::input(format!("{}: n_k of state {k} is {v}", n.from), "it must be a whole number of samples"));
    }
    let n_k: Vec<usize> = n.values.iter().map(|v| *v as usize).collect();
    let total = n_k.iter().try_fold(0_usize, |a, b| a.checked_add(*b)).unwrap_or(usize::MAX);
    match u.shape[..] {
        [k, samples] if k == n_k.len() && samples == total => {}
        [k, samples] => {
            let what =
                format!("{}: u_kn has the shape ({k}, {samples}), but n_k has {} states with {total} samples in all", u.from, n_k.len());
            let turned = samples == n_k.len() && k == total;
            return Err(Error::input(
                what,
                if turned { "transpose u_kn: one row a state" } else { "one row a state, one column a sample of any state" },
            ));
        }
        _ => return Err(Error::input(format!("{}: u_kn has the shape {:?}", u.from, u.shape), "it must have two dimensions (K, N)")),
    }
    let perturbed = more.map(|l| perturbed(l, total)).transpose()?.unwrap_or_default();
    Ok(Arrays::Potentials { states: (0..n_k.len()).map(|k| k.to_string()).collect(), n_k, u_kn: u.values.clone(), perturbed })
}

/// Energies of the samples of `u_kn` in states that nobody sampled.
fn perturbed(array: &Array, samples: usize) -> Result<Vec<f64>> {
    let states = match array.shape[..] {
        [states, n] if n == samples => states,
        [n] if n == samples => 1,
        _ => {
            let what = format!("{}: u_ln has the shape {:?}, but u_kn has {samples} samples", array.from, array.shape);
            let turned = array.shape.first() == Some(&samples);
            let remedy = "one row a perturbed state, one column a sample, in the order of u_kn: shape (L, N)";
            return Err(Error::input(what, if turned { "transpose u_ln: one row a perturbed state" } else { remedy }));
        }
    };
    if let Some(at) = array.values.iter().position(|v| v.is_nan() || *v == f64::NEG_INFINITY) {
        let what =
            format!("{}: the energy of sample {} in perturbed state {} is {}", array.from, at % samples, at / samples, array.values[at]);
        return Err(Error::input(what, "leave damaged samples out of u_kn and u_ln; +inf stands for \"impossible\" and is allowed"));
    }
    if let Some(l) = (0..states).find(|l| array.values[l * samples..(l + 1) * samples].iter().all(|v| *v == f64::INFINITY)) {
        return Err(Error::input(format!("{}: perturbed state {l} is possible for no sample", array.from), "leave the state out"));
    }
    Ok(array.values.clone())
}
