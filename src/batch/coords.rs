//! Coordinates of a batch, in blocks of 8 replicas.

use super::{Positions, Resume, Snapshot, State};
use crate::real::Octet;
use crate::{Error, Result};

/// `[replica, dof]` numbers, stored as `[replica / 8][dof][replica % 8]`, 64-byte aligned.
///
/// The last block is padded with copies of the last replica; padding never reaches an observer.
#[derive(Clone, Debug, PartialEq)]
pub struct Coords {
    replicas: usize,
    dof: usize,
    octets: Vec<Octet>,
}

impl Coords {
    /// All zero.
    pub fn zeros(replicas: usize, dof: usize) -> Self {
        Coords { replicas, dof, octets: vec![Octet::of(0.0); replicas.div_ceil(8) * dof] }
    }

    /// From rows `[replica][dof]`.
    ///
    /// # Errors
    /// `Error::Shape` unless `rows.len()` is a multiple of `dof`.
    pub fn from_rows(rows: &[f64], dof: usize) -> Result<Self> {
        let replicas = rows.len().checked_div(dof).unwrap_or(0);
        if replicas * dof != rows.len() || replicas == 0 {
            return Err(Error::Shape { what: "rows of coordinates", expected: replicas.max(1) * dof, found: rows.len() });
        }
        let mut c = Coords::zeros(replicas, dof);
        for r in 0..replicas {
            c.set_row(r, &rows[r * dof..(r + 1) * dof]);
        }
        Ok(c)
    }

    /// Number of replicas, padding not counted.
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    /// Degrees of freedom of one replica.
    pub fn dof(&self) -> usize {
        self.dof
    }

    /// Number of blocks of 8.
    pub fn blocks(&self) -> usize {
        self.replicas.div_ceil(8)
    }

    /// All blocks, `[block][dof]`.
    pub fn octets(&self) -> &[Octet] {
        &self.octets
    }

    /// All blocks, `[block][dof]`.
    pub fn octets_mut(&mut self) -> &mut [Octet] {
        &mut self.octets
    }

    /// One block, `[dof]`.
    pub fn block(&self, b: usize) -> &[Octet] {
        &self.octets[b * self.dof..(b + 1) * self.dof]
    }

    /// One block, `[dof]`.
    pub fn block_mut(&mut self, b: usize) -> &mut [Octet] {
        &mut self.octets[b * self.dof..(b + 1) * self.dof]
    }

    /// One number.
    pub fn get(&self, replica: usize, dof: usize) -> f64 {
        self.octets[(replica / 8) * self.dof + dof].0[replica % 8]
    }

    /// Sets one number; the last replica's also in the padding.
    pub fn set(&mut self, replica: usize, dof: usize, value: f64) {
        let octet = &mut self.octets[(replica / 8) * self.dof + dof].0;
        octet[replica % 8] = value;
        if replica + 1 == self.replicas {
            for lane in &mut octet[replica % 8 + 1..] {
                *lane = value;
            }
        }
    }

    /// Copies out one replica, `[dof]`.
    pub fn row(&self, replica: usize, out: &mut [f64]) {
        let block = self.block(replica / 8);
        for (o, octet) in out.iter_mut().zip(block) {
            *o = octet.0[replica % 8];
        }
    }

    /// Sets one replica.
    pub fn set_row(&mut self, replica: usize, row: &[f64]) {
        for (d, &value) in row.iter().enumerate().take(self.dof) {
            self.set(replica, d, value);
        }
    }

    /// All replicas as rows `[replica][dof]`.
    pub fn to_rows(&self) -> Vec<f64> {
        let mut rows = vec![0.0; self.replicas * self.dof];
        for (r, row) in rows.chunks_exact_mut(self.dof.max(1)).enumerate() {
            self.row(r, row);
        }
        rows
    }
}

impl Resume for Coords {
    fn save(&self, to: &mut Snapshot) {
        to.put("replicas", self.replicas as u64);
        to.put("dof", self.dof as u64);
        to.put("rows", self.to_rows());
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        let rows = from.f64s("rows")?;
        let loaded = Coords::from_rows(rows, from.u64("dof")? as usize)?;
        if loaded.replicas as u64 != from.u64("replicas")? {
            return Err(Error::Shape {
                what: "replicas in the snapshot",
                expected: from.u64("replicas")? as usize,
                found: loaded.replicas,
            });
        }
        *self = loaded;
        Ok(())
    }
}

impl State for Coords {
    fn replicas(&self) -> usize {
        self.replicas
    }
    fn gather(&mut self, from: &[u32]) {
        let old = self.to_rows();
        for (r, &source) in from.iter().enumerate() {
            let s = source as usize * self.dof;
            self.set_row(r, &old[s..s + self.dof]);
        }
    }
}

impl Positions for Coords {
    fn x(&self) -> &Coords {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_padding_copies_the_last() {
        let rows: Vec<f64> = (0..33).map(f64::from).collect();
        let c = Coords::from_rows(&rows, 3).unwrap();
        assert_eq!((c.replicas(), c.blocks()), (11, 2));
        assert_eq!(c.to_rows(), rows);
        assert_eq!(c.block(1)[0].0, [24.0, 27.0, 30.0, 30.0, 30.0, 30.0, 30.0, 30.0]);
        assert!(Coords::from_rows(&rows, 2).is_err());
    }

    #[test]
    fn gather_copies_and_snapshots_return() {
        let mut c = Coords::from_rows(&[1.0, 2.0, 3.0, 4.0], 2).unwrap();
        c.gather(&[1, 1]);
        assert_eq!(c.to_rows(), [3.0, 4.0, 3.0, 4.0]);
        let mut s = Snapshot::default();
        c.save(&mut s);
        let mut d = Coords::zeros(1, 1);
        d.load(&s).unwrap();
        assert_eq!(c, d);
    }
}
