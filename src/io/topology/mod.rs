//! Who the atoms are: names, residues, chains, bonds. Energies do not need it; selections, `topology.pdb` and readers do.

mod build;
mod mdtraj;

use std::ops::Range;

use crate::io::elements::Element;
pub use build::Inputs;

/// The atoms of a system with their names and bonds.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Topology {
    /// One per particle, in the order of the System.
    pub atoms: Vec<Atom>,
    /// In file order; their atoms are consecutive.
    pub residues: Vec<Residue>,
    /// Chemical bonds, each once, smaller index first, sorted.
    pub bonds: Vec<[usize; 2]>,
    /// What is lawful but looks like a mistake, each a sentence for the user.
    pub warnings: Vec<String>,
}

/// An atom.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    /// `CA`.
    pub name: String,
    /// `None` for particles that are no atoms.
    pub element: Option<Element>,
    /// Index into [`Topology::residues`].
    pub residue: usize,
    /// Mass of the System, amu (reduced units in a particle system).
    pub mass: f64,
}

/// A residue: an amino acid, a cap, a ligand, a water.
#[derive(Clone, Debug, PartialEq)]
pub struct Residue {
    /// `ALA`.
    pub name: String,
    /// Number in its chain, as the file gives it.
    pub number: i32,
    /// Insertion code.
    pub insertion: Option<char>,
    /// Chain letter; a space if the file has none.
    pub chain: char,
    /// Counts up at each new chain letter and each TER: molecules that share a letter differ here.
    pub segment: usize,
    /// Its atoms.
    pub atoms: Range<usize>,
}

impl Residue {
    /// `A:12` (with an insertion code `A:12B`), or `12` where the chain has no letter.
    pub fn label(&self) -> String {
        let insertion = self.insertion.map(String::from).unwrap_or_default();
        match self.chain {
            ' ' => format!("{}{insertion}", self.number),
            chain => format!("{chain}:{}{insertion}", self.number),
        }
    }
}

impl Topology {
    /// A topology for particles that are no molecule: each its own residue, without bonds. A cluster of argon is
    /// `particles(&[39.95; 13], "AR")`; names that are no element (`X`) give particles without one.
    pub fn particles(masses: &[f64], name: &str) -> Topology {
        let element = Element::of_symbol(name);
        let mut top = Topology::default();
        for (i, &mass) in masses.iter().enumerate() {
            top.atoms.push(Atom { name: name.to_owned(), element, residue: i, mass });
            let number = i32::try_from(i + 1).unwrap_or(i32::MAX);
            top.residues.push(Residue { name: name.to_owned(), number, insertion: None, chain: 'A', segment: 0, atoms: i..i + 1 });
        }
        top
    }

    /// `A:12:CA`: how an atom is named in selections and messages.
    pub fn label(&self, atom: usize) -> String {
        let a = &self.atoms[atom];
        format!("{}:{}", self.residues[a.residue].label(), a.name)
    }

    /// The bonded neighbours of every atom, in ascending order.
    pub fn neighbours(&self) -> Vec<Vec<usize>> {
        let mut out = vec![Vec::new(); self.atoms.len()];
        for &[i, j] in &self.bonds {
            out[i].push(j);
            out[j].push(i);
        }
        for list in &mut out {
            list.sort_unstable();
        }
        out
    }
}
