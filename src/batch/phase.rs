//! Positions and velocities.

use super::{Coords, Positions, Resume, Snapshot, State};
use crate::{Error, Result};

/// Positions, velocities and masses of a batch.
///
/// Units: the system's (molecular: nm, nm/ps, amu, so that m v^2 is in kJ/mol).
#[derive(Clone, Debug)]
pub struct Phase {
    /// Positions, `[replica, dof]`.
    pub x: Coords,
    /// Velocities, `[replica, dof]`.
    pub v: Coords,
    mass: Vec<f64>,
}

impl Phase {
    /// At rest at `x`; `mass` is per degree of freedom.
    ///
    /// # Errors
    /// `Error::Shape` when `mass` has another length than `x` has degrees of freedom; `Error::Input` for a mass that is not
    /// positive and finite.
    pub fn at_rest(x: Coords, mass: Vec<f64>) -> Result<Self> {
        if mass.len() != x.dof() {
            return Err(Error::Shape { what: "masses", expected: x.dof(), found: mass.len() });
        }
        if let Some((d, m)) = mass.iter().enumerate().find(|(_, m)| !(m.is_finite() && **m > 0.0)) {
            return Err(Error::input(format!("mass of degree of freedom {d} is {m}"), "masses are positive and finite"));
        }
        let v = Coords::zeros(x.replicas(), x.dof());
        Ok(Phase { x, v, mass })
    }

    /// Mass of each degree of freedom.
    pub fn mass(&self) -> &[f64] {
        &self.mass
    }

    /// m v^2 / 2 of one replica, summed in the order of the degrees of freedom.
    pub fn kinetic(&self, replica: usize) -> f64 {
        let mut k = 0.0;
        for (d, m) in self.mass.iter().enumerate() {
            let v = self.v.get(replica, d);
            k += 0.5 * m * v * v;
        }
        k
    }
}

impl Resume for Phase {
    fn save(&self, to: &mut Snapshot) {
        to.nest("x", |s| self.x.save(s));
        to.nest("v", |s| self.v.save(s));
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.x.load(from.nested("x")?)?;
        self.v.load(from.nested("v")?)
    }
}

impl State for Phase {
    fn replicas(&self) -> usize {
        self.x.replicas()
    }
    fn gather(&mut self, from: &[u32]) {
        self.x.gather(from);
        self.v.gather(from);
    }
    fn rescale_momenta(&mut self, factor: &[f64]) {
        let (dof, last) = (self.v.dof(), factor.last().copied().unwrap_or(1.0));
        for (b, block) in self.v.octets_mut().chunks_exact_mut(dof.max(1)).enumerate() {
            for octet in block {
                for (lane, v) in octet.0.iter_mut().enumerate() {
                    *v *= factor.get(8 * b + lane).copied().unwrap_or(last);
                }
            }
        }
    }
}

impl Positions for Phase {
    fn x(&self) -> &Coords {
        &self.x
    }
}
