//! Starting structures and configurations from files: PDB (every model), XYZ (every frame), NumPy arrays, JSON.

mod json;
mod npy;
mod xyz;

use std::path::Path;

use crate::error::Source;
use crate::io::pdb::{Pdb, read_pdb};
use crate::io::topology::Topology;
use crate::{Error, Result};
pub use json::{Config, read_configs};
pub use npy::read_npy;
pub use xyz::read_xyz;

/// Largest file that is read.
const MAX_BYTES: u64 = 128 << 20;

/// One configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// What the file calls it, or its number from 0.
    pub id: String,
    /// Coordinates, `[dof]`: nm in a molecule, reduced units otherwise.
    pub x: Vec<f64>,
}

/// What the structures must fit.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// Degrees of freedom of the system.
    pub dof: usize,
    /// Its atoms, if they have names: PDB and XYZ are checked against them.
    pub topology: Option<&'a Topology>,
    /// Whether it is a molecule: its XYZ files are in angstroms. Otherwise they are in the system's own unit.
    pub molecule: bool,
}

/// Reads every structure of a file; its ending decides the format: `.pdb`, `.xyz`, `.npy`, `.json`.
///
/// Units out: nm for molecules (PDB and XYZ have angstroms, `.npy` and `.json` nm), else the system's.
/// Errors: `Error::Io`; `Error::Input` for another ending, another number of coordinates, other atoms, numbers that are not finite.
pub fn read_structures(path: impl AsRef<Path>, expected: Expected<'_>) -> Result<Vec<Structure>> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).unwrap_or_default();
    if !matches!(ending.as_str(), "pdb" | "ent" | "xyz" | "npy" | "json") {
        return Err(Error::input(
            format!("{name}: structures cannot be read from a file of this kind"),
            "give a .pdb, .xyz, .npy or .json file",
        ));
    }
    let bytes = read_bytes(path)?;
    let structures = match ending.as_str() {
        "npy" => read_npy(&name, &bytes, expected.dof)?,
        "json" => read_configs(&text(&name, bytes)?)?.into_iter().map(|c| Structure { id: c.label(), x: c.x }).collect(),
        "xyz" => read_xyz(&text(&name, bytes)?, expected)?,
        _ => {
            let source = Source::new(&*name, String::from_utf8_lossy(&bytes));
            from_pdb(&source, &read_pdb(&source)?, expected)?
        }
    };
    if structures.is_empty() {
        return Err(Error::input(format!("{name} holds no structure"), "give at least one"));
    }
    for s in &structures {
        if s.x.len() != expected.dof {
            let what = format!("{name}: structure {} has {} coordinates, the system has {}", s.id, s.x.len(), expected.dof);
            return Err(Error::input(what, "check that the file belongs to this system"));
        }
        if let Some(k) = s.x.iter().position(|v| !v.is_finite()) {
            let what = format!("{name}: structure {}: coordinate {k} is {}", s.id, s.x[k]);
            return Err(Error::input(what, "every coordinate must be a finite number"));
        }
    }
    Ok(structures)
}

/// The models of a PDB file, after a check of the atoms' names.
pub fn from_pdb(source: &Source, pdb: &Pdb, expected: Expected<'_>) -> Result<Vec<Structure>> {
    if let Some(top) = expected.topology {
        if pdb.atoms.len() != top.atoms.len() {
            let what = format!("{} has {} atoms, the system has {}", source.name, pdb.atoms.len(), top.atoms.len());
            return Err(Error::input(what, "check that the file belongs to this system"));
        }
        for (i, (a, b)) in pdb.atoms.iter().zip(&top.atoms).enumerate() {
            if a.name != b.name {
                let what = format!("atom {i} is {} in this file and {} in the system", a.name, top.label(i));
                return Err(Error::input_at(source, a.span.clone(), what, "the atoms must be the same, in the same order"));
            }
        }
    }
    let models = pdb.models.iter().enumerate();
    Ok(models.map(|(k, x)| Structure { id: k.to_string(), x: x.iter().flatten().copied().collect() }).collect())
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path).map_err(|e| Error::reading(path, "reading structures", &e))?.len();
    if size > MAX_BYTES {
        let what = format!("{} has {} MB; at most {} MB are read", path.display(), size >> 20, MAX_BYTES >> 20);
        return Err(Error::input(what, "cut it to the structures that are needed"));
    }
    std::fs::read(path).map_err(|e| Error::reading(path, "reading structures", &e))
}

fn text(name: &str, bytes: Vec<u8>) -> Result<Source> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(_) => Err(Error::input(format!("{name}: not a text file (not UTF-8)"), "check that it is the right file, uncompressed")),
    }
}
