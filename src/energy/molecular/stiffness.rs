//! The fastest vibration, which bounds the time step.

use super::{Angle, Bond, MolecularSystem};

/// The stiffest vibration of a system.
#[derive(Clone, Debug, PartialEq)]
pub struct Stiffest {
    /// Angular frequency, 1/ps.
    pub omega: f64,
    /// The atoms of the bond or angle that takes the largest part in it.
    pub atoms: Vec<usize>,
}

/// The stiffest vibration of the bonds and angles at rest, `None` without either.
pub fn stiffest(_system: &MolecularSystem) -> Option<Stiffest> {
    None
}
