//! The dihedrals of a peptide, found by names and bonds, never by the order of atoms.

use crate::io::topology::Topology;

/// A named dihedral of a residue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torsion {
    /// C(i-1) - N - CA - C.
    Phi,
    /// N - CA - C - N(i+1).
    Psi,
    /// CA - C - N(i+1) - CA(i+1): the peptide bond after residue i. In the caps ACE and NME the methyl carbon stands for CA.
    Omega,
    /// N - CA - CB - gamma (CG, CG1, SG, OG or OG1).
    Chi1,
}
// Source: IUPAC-IUB Commission on Biochemical Nomenclature, Biochemistry 9, 3471 (1970).

impl Torsion {
    /// `phi`, `psi`, `omega`, `chi1`.
    pub fn of_word(word: &str) -> Option<Torsion> {
        match word {
            "phi" => Some(Torsion::Phi),
            "psi" => Some(Torsion::Psi),
            "omega" => Some(Torsion::Omega),
            "chi1" => Some(Torsion::Chi1),
            _ => None,
        }
    }
}

/// Every dihedral of that kind: residue index and the four atoms, in the order of the residues.
pub fn dihedrals(topology: &Topology, kind: Torsion) -> Vec<(usize, [usize; 4])> {
    let bonds = Bonds { topology, neighbours: topology.neighbours() };
    let mut out = Vec::new();
    for r in 0..topology.residues.len() {
        if let Some(atoms) = bonds.dihedral(r, kind) {
            out.push((r, atoms));
        }
    }
    out
}

struct Bonds<'a> {
    topology: &'a Topology,
    neighbours: Vec<Vec<usize>>,
}

impl Bonds<'_> {
    fn dihedral(&self, r: usize, kind: Torsion) -> Option<[usize; 4]> {
        match kind {
            Torsion::Phi => {
                let (n, ca, c) = (self.named(r, "N")?, self.named(r, "CA")?, self.named(r, "C")?);
                let before = self.bonded_elsewhere(n, "C")?;
                self.chain([before, n, ca, c])
            }
            Torsion::Psi => {
                let (n, ca, c) = (self.named(r, "N")?, self.named(r, "CA")?, self.named(r, "C")?);
                let after = self.bonded_elsewhere(c, "N")?;
                self.chain([n, ca, c, after])
            }
            Torsion::Omega => {
                let c = self.named(r, "C")?;
                let n = self.bonded_elsewhere(c, "N")?;
                let before = self.alpha(c, &["CA", "CH3"])?;
                let after = self.alpha(n, &["CA", "CH3", "C"])?;
                self.chain([before, c, n, after])
            }
            Torsion::Chi1 => {
                let (n, ca, cb) = (self.named(r, "N")?, self.named(r, "CA")?, self.named(r, "CB")?);
                let gamma = ["CG", "CG1", "SG", "OG", "OG1"].iter().find_map(|name| self.named(r, name))?;
                self.chain([n, ca, cb, gamma])
            }
        }
    }

    /// The atom of that name in a residue.
    fn named(&self, r: usize, name: &str) -> Option<usize> {
        self.topology.residues[r].atoms.clone().find(|&i| self.topology.atoms[i].name == name)
    }

    /// The neighbour of that name in another residue.
    fn bonded_elsewhere(&self, atom: usize, name: &str) -> Option<usize> {
        let home = self.topology.atoms[atom].residue;
        self.neighbours[atom].iter().copied().find(|&j| self.topology.atoms[j].residue != home && self.topology.atoms[j].name == name)
    }

    /// The neighbour in the same residue that is CA or stands for it, by the first of `names` that occurs.
    fn alpha(&self, atom: usize, names: &[&str]) -> Option<usize> {
        let home = self.topology.atoms[atom].residue;
        let inside = |name: &str| {
            let mut all = self.neighbours[atom].iter().copied();
            all.find(|&j| self.topology.atoms[j].residue == home && self.topology.atoms[j].name == name)
        };
        names.iter().find_map(|name| inside(name))
    }

    /// The four atoms, if each is bonded to the next.
    fn chain(&self, atoms: [usize; 4]) -> Option<[usize; 4]> {
        atoms.windows(2).all(|w| self.neighbours[w[0]].contains(&w[1])).then_some(atoms)
    }
}
