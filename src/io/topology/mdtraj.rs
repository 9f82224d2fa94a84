//! The topology as JSON, the way mdtraj keeps it in its HDF5 files.

use serde_json::{Value, json};

use super::Topology;

impl Topology {
    /// JSON of mdtraj's HDF5 format, dataset `topology`: chains of residues of atoms, and bonds.
    /// Particles that are no atoms have the element `VS` (mdtraj's virtual site).
    /// Source: mdtraj, `formats/hdf5.py`.
    pub fn to_mdtraj_json(&self) -> String {
        let mut chains: Vec<Vec<Value>> = Vec::new();
        for (r, residue) in self.residues.iter().enumerate() {
            let new_chain = r == 0 || self.residues[r - 1].segment != residue.segment;
            if new_chain {
                chains.push(Vec::new());
            }
            let atoms: Vec<Value> = residue
                .atoms
                .clone()
                .map(|i| json!({ "index": i, "name": self.atoms[i].name, "element": self.atoms[i].element.map_or("VS", |e| e.symbol()) }))
                .collect();
            let value = json!({ "index": r, "name": residue.name, "resSeq": residue.number, "segmentID": "", "atoms": atoms });
            if let Some(chain) = chains.last_mut() {
                chain.push(value);
            }
        }
        let chains: Vec<Value> = chains.into_iter().enumerate().map(|(c, residues)| json!({ "index": c, "residues": residues })).collect();
        json!({ "chains": chains, "bonds": self.bonds }).to_string()
    }
}
