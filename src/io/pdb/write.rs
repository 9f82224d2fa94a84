//! Writing PDB files.

use std::fmt::Write;

use super::columns::POLYMER;
use crate::io::elements::Element;
use crate::io::topology::Topology;
use crate::{Error, Result};

/// Serial numbers have five columns; larger systems get no CONECT records.
const MAX_SERIAL: usize = 99_999;

/// A PDB file of one structure: `coordinates` in nm, `[atom]`. MDAnalysis and mdtraj read it as a topology.
///
/// Angstroms with three decimals, fewer where a coordinate needs the room. Serial and residue numbers start over when their
/// columns are full. Errors: `Error::Shape` for another number of atoms; a coordinate beyond 1 cm, or not finite.
pub fn write_pdb(topology: &Topology, coordinates: &[[f64; 3]]) -> Result<String> {
    if coordinates.len() != topology.atoms.len() {
        return Err(Error::Shape { what: "coordinates of write_pdb", expected: topology.atoms.len(), found: coordinates.len() });
    }
    let mut out = String::from("REMARK   1 WRITTEN BY ERGODICA\n");
    let mut segment = None;
    for (r, residue) in topology.residues.iter().enumerate() {
        let polymer = POLYMER.contains(&residue.name.as_str()) && !matches!(residue.name.as_str(), "HOH" | "WAT" | "SOL" | "TIP3");
        if segment.is_some_and(|s| s != residue.segment) {
            out.push_str("TER\n");
        }
        segment = Some(residue.segment);
        for i in residue.atoms.clone() {
            let atom = &topology.atoms[i];
            let symbol = atom.element.map_or(String::new(), |e| e.symbol().to_ascii_uppercase());
            let record = if polymer { "ATOM  " } else { "HETATM" };
            let _ = write!(out, "{record}{:>5} {} ", (i + 1) % (MAX_SERIAL + 1), name_field(&atom.name, atom.element));
            let chain = if residue.chain.is_ascii_graphic() { residue.chain } else { ' ' };
            let insertion = residue.insertion.filter(char::is_ascii_graphic).unwrap_or(' ');
            let _ = write!(out, "{}{chain}{:>4}{insertion}   ", residue_field(&residue.name), residue_number(residue.number));
            for x in coordinates[i] {
                out.push_str(&number_field(10.0 * x).ok_or_else(|| {
                    let what = format!("atom {} (residue {}) is at {x} nm: no PDB file can hold that", topology.label(i), r + 1);
                    Error::run(what, "the structure has blown up or drifted away; look at the energies")
                })?);
            }
            let _ = writeln!(out, "  1.00  0.00          {symbol:>2}");
        }
    }
    out.push_str("TER\n");
    if topology.atoms.len() <= MAX_SERIAL {
        for (i, neighbours) in topology.neighbours().iter().enumerate() {
            for four in neighbours.chunks(4) {
                let _ = write!(out, "CONECT{:>5}", i + 1);
                for j in four {
                    let _ = write!(out, "{:>5}", j + 1);
                }
                out.push('\n');
            }
        }
    }
    out.push_str("END\n");
    Ok(out)
}

/// Columns 13-16: names of one-letter elements begin in column 14 unless they need all four.
fn name_field(name: &str, element: Option<Element>) -> String {
    let name: String = name.chars().take(4).collect();
    if name.chars().count() < 4 && element.is_none_or(|e| e.symbol().len() == 1) { format!(" {name:<3}") } else { format!("{name:<4}") }
}

/// Columns 18-20, and 21 for a fourth letter.
fn residue_field(name: &str) -> String {
    let name: String = name.chars().take(4).collect();
    if name.chars().count() < 4 { format!("{name:>3} ") } else { name }
}

/// Columns 23-26.
fn residue_number(number: i32) -> i32 {
    if (-999..=9999).contains(&number) { number } else { number.rem_euclid(10_000) }
}

/// Eight columns with as many decimals as fit, at most three.
fn number_field(x: f64) -> Option<String> {
    (0..=3).rev().map(|decimals| format!("{x:8.decimals$}")).find(|s| x.is_finite() && s.len() == 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Source;
    use crate::io::pdb::read_pdb;

    #[test]
    fn coordinates_fill_their_columns_and_no_more() {
        assert_eq!(number_field(-1.23456).as_deref(), Some("  -1.235"));
        assert_eq!(number_field(-12345.678).as_deref(), Some("-12345.7"));
        assert_eq!(number_field(99_999_999.0).as_deref(), Some("99999999"));
        assert_eq!(number_field(1e9), None);
        assert_eq!(number_field(f64::NAN), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let top = Topology::particles(&[1.0; 3], "AR");
        let x = [[0.1, -0.2, 0.3], [1234.5, 0.0, 0.0], [0.0, -999.0, 0.0]];
        let pdb = read_pdb(&Source::new("t", write_pdb(&top, &x).unwrap())).unwrap();
        assert_eq!(pdb.atoms.len(), 3);
        for (a, b) in pdb.models[0].iter().zip(&x) {
            assert!((0..3).all(|k| (a[k] - b[k]).abs() < 1e-2), "{a:?} {b:?}");
        }
    }
}
