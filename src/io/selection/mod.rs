//! Naming atoms and angles in a campaign.
//!
//! An atom:
//!   `CA`         by name, if it occurs once
//!   `12:CA`      by residue number and name; `12B:CA` with an insertion code
//!   `A:12:CA`    by chain, residue number and name
//!   `#4`         by its index, counted from 0
//! A dihedral:
//!   `phi`        if there is one; `phi:2` of residue 2; `phi:A:2` of residue 2 in chain A; likewise `psi`, `omega`, `chi1`
//!   four atoms separated by commas: `#4,#6,#8,#14` or `1:C,2:N,2:CA,2:C`
//! A distance: two atoms separated by a comma: `1:C,3:N`
//!
//! Space around names is ignored, case is not. A name that fits several atoms is an error that lists them.

mod backbone;

use std::ops::Range;

use crate::io::topology::Topology;
use crate::{Error, Result};
pub use backbone::{Torsion, dihedrals};

/// Matches shown in a message.
const SHOWN: usize = 12;

/// The index of the atom that `text` names.
///
/// Errors: no match (with names that are near), several (listed), an index out of range.
pub fn atom(topology: &Topology, text: &str) -> Result<usize> {
    let text = text.trim();
    if let Some(index) = text.strip_prefix('#') {
        let count = topology.atoms.len();
        return match index.trim().parse::<usize>() {
            Ok(i) if i < count => Ok(i),
            _ => Err(Error::input(
                format!("{:?} is no atom", shortened(text)),
                format!("indices count from 0: #0 to #{}", count.saturating_sub(1)),
            )),
        };
    }
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    let (place, name) = match parts[..] {
        [name] => (None, name),
        [number, name] => (Some((None, number)), name),
        [chain, number, name] => (Some((Some(chain), number)), name),
        _ => return Err(Error::input(format!("{:?} is no atom", shortened(text)), FORMS)),
    };
    if name.is_empty() {
        return Err(Error::input(format!("{:?} names no atom", shortened(text)), FORMS));
    }
    let residues = match place {
        None => (0..topology.residues.len()).collect(),
        Some((chain, number)) => residues(topology, chain, number)?,
    };
    let atoms = residues.iter().flat_map(|&r| topology.residues[r].atoms.clone());
    let matches: Vec<usize> = atoms.filter(|&i| topology.atoms[i].name == name).collect();
    match matches[..] {
        [only] => Ok(only),
        [] => Err(Error::input(format!("no atom is called {:?}", shortened(text)), near(topology, &residues, name))),
        _ => {
            let what =
                format!("{:?} is ambiguous: it fits {}", shortened(text), list(matches.iter().map(|&i| topology.label(i)), matches.len()));
            Err(Error::input(what, "add the residue's number, or the chain and the number, as in the list"))
        }
    }
}

const FORMS: &str = "an atom is a name (CA), residue:name (12:CA), chain:residue:name (A:12:CA) or an index from 0 (#4)";

/// The two atoms of a distance, `first,second`.
///
/// Errors: as [`atom`]; not two atoms, or the same one twice.
pub fn distance(topology: &Topology, text: &str) -> Result<[usize; 2]> {
    atoms(topology, text, "a distance is two atoms separated by a comma: 1:C,3:N")
}

/// The four atoms of a dihedral: `phi`, `phi:2`, `phi:A:2`, or four atoms separated by commas.
///
/// Errors: as [`atom`]; a bare name where several residues have that angle (listed); a residue that has it not.
pub fn dihedral(topology: &Topology, text: &str) -> Result<[usize; 4]> {
    let text = text.trim();
    if text.contains(',') {
        return atoms(topology, text, "a dihedral is four atoms separated by commas: 1:C,2:N,2:CA,2:C, or phi, psi, omega, chi1");
    }
    let mut parts = text.split(':').map(str::trim);
    let word = parts.next().unwrap_or_default();
    let Some(kind) = Torsion::of_word(word) else {
        let what = format!("{:?} is no dihedral", shortened(text));
        return Err(Error::input(
            what,
            "write phi, psi, omega or chi1 (phi:2 of residue 2, phi:A:2 in chain A), or four atoms separated by commas",
        ));
    };
    let found = dihedrals(topology, kind);
    let labels = |list_of: &[(usize, [usize; 4])]| {
        list(list_of.iter().map(|(r, _)| format!("{word}:{}", topology.residues[*r].label())), list_of.len())
    };
    if found.is_empty() {
        let what = format!("no residue has the angle {word}");
        return Err(Error::input(
            what,
            "it needs the backbone names N, CA, C (chi1: CB and a gamma atom) and bonds; give four atoms instead",
        ));
    }
    let rest: Vec<&str> = parts.collect();
    let (chain, number) = match rest[..] {
        [] => {
            return match found[..] {
                [(_, only)] => Ok(only),
                _ => Err(Error::input(format!("{word:?} is ambiguous: there are {}", labels(&found)), "name the residue, as in the list")),
            };
        }
        [number] => (None, number),
        [chain, number] => (Some(chain), number),
        _ => return Err(Error::input(format!("{:?} is no dihedral", shortened(text)), "write phi, phi:2 or phi:A:2")),
    };
    let residues = residues(topology, chain, number)?;
    let fitting: Vec<(usize, [usize; 4])> = found.iter().copied().filter(|(r, _)| residues.contains(r)).collect();
    match fitting[..] {
        [(_, only)] => Ok(only),
        [] => Err(Error::input(format!("residue {} has no {word}", shortened(&rest.join(":"))), format!("there are {}", labels(&found)))),
        _ => Err(Error::input(format!("{:?} is ambiguous: there are {}", shortened(text), labels(&fitting)), "name the chain")),
    }
}

/// `N` different atoms separated by commas.
fn atoms<const N: usize>(topology: &Topology, text: &str, remedy: &str) -> Result<[usize; N]> {
    let parts: Vec<&str> = text.split(',').take(N + 1).collect();
    let Ok(parts) = <[&str; N]>::try_from(parts) else {
        return Err(Error::input(format!("{:?} is not {N} atoms", shortened(text)), remedy));
    };
    let mut out = [0; N];
    for (slot, part) in out.iter_mut().zip(parts) {
        *slot = atom(topology, part)?;
    }
    for i in 1..N {
        if out[..i].contains(&out[i]) {
            return Err(Error::input(format!("{:?} names {} twice", shortened(text), topology.label(out[i])), "the atoms must differ"));
        }
    }
    Ok(out)
}

/// The residues of that number (with or without insertion code), in that chain if one is given.
fn residues(topology: &Topology, chain: Option<&str>, number: &str) -> Result<Vec<usize>> {
    let fits = |r: usize| {
        let residue = &topology.residues[r];
        let insertion = residue.insertion.map(String::from).unwrap_or_default();
        let same_chain = chain.is_none_or(|c| if residue.chain == ' ' { c.is_empty() } else { c.chars().eq([residue.chain]) });
        same_chain && number == format!("{}{insertion}", residue.number)
    };
    let matches: Vec<usize> = (0..topology.residues.len()).filter(|&r| fits(r)).collect();
    if !matches.is_empty() {
        return Ok(matches);
    }
    let all = list(topology.residues.iter().map(|r| format!("{} ({})", r.label(), r.name)), topology.residues.len());
    let place = chain.map(|c| format!("{c}:{number}")).unwrap_or(number.to_owned());
    Err(Error::input(format!("there is no residue {}", shortened(&place)), format!("the residues are {all}")))
}

/// Names in those residues that are near to `name`, for a message.
fn near(topology: &Topology, residues: &[usize], name: &str) -> String {
    let mut names: Vec<&str> =
        residues.iter().flat_map(|&r| topology.atoms[Range::clone(&topology.residues[r].atoms)].iter().map(|a| a.name.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    let name: String = name.chars().take(40).collect();
    let mut ranked: Vec<(usize, &str)> = names.iter().map(|n| (strsim::levenshtein(&n.to_uppercase(), &name.to_uppercase()), *n)).collect();
    ranked.sort_unstable();
    match ranked.first() {
        Some((d, best)) if *d <= 1 => {
            let others: Vec<&str> = ranked.iter().take_while(|(d, _)| *d <= 1).take(5).map(|(_, n)| *n).collect();
            if others.len() == 1 {
                format!("did you mean {best}? {FORMS}")
            } else {
                format!("near to it are {}; {FORMS}", others.join(", "))
            }
        }
        _ => format!("the names there are {}; {FORMS}", list(names.iter().map(ToString::to_string), names.len())),
    }
}

/// The first items of a list, and how many more there are.
fn list(items: impl Iterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = items.take(SHOWN).collect();
    let more = count.saturating_sub(SHOWN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// At most 60 characters of what the user wrote.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((i, _)) => format!("{}...", &text[..i]),
        None => text.to_owned(),
    }
}
