//! Momenta that count: the canonical density of positions and velocities.

use super::{Boltzmann, Target};
use crate::Result;
use crate::batch::{Phase, Thermo};
use crate::dynamics::{Center, Com};
use crate::energy::Potential;
use crate::real::Real;
use std::sync::Arc;

const LN_2PI: f64 = 1.8378770664093453;

/// beta (U(x; lambda) + K(v)) + sum_d ln(2 pi / (beta m_d)) / 2: positions and velocities, the velocities normalised.
///
/// Z is therefore that of the configurations alone, at every beta, and a knob that moves beta counts K. With the centre of
/// mass removed, the velocities live in the subspace of zero momentum, whose density has (dof - dim) dimensions; constants
/// that depend on neither beta nor the state are left out there.
#[derive(Clone)]
pub struct Canonical {
    potential: Boltzmann,
    com: Com,
}

impl Canonical {
    /// Of a potential.
    pub fn new(potential: Arc<dyn Potential>, com: Com) -> Self {
        Canonical { potential: Boltzmann(potential), com }
    }
}

impl Target<Phase> for Canonical {
    fn reduced(&self, s: &Phase, thermo: &[Thermo], u: &mut [f64]) -> Result<()> {
        self.potential.reduced(s, thermo, u)?;
        for (r, u) in u.iter_mut().enumerate() {
            *u -= log_maxwell(s, r, thermo[r].beta, self.com)?;
        }
        Ok(())
    }

    fn counts_momenta(&self) -> bool {
        true
    }
}

/// ln of Maxwell's density of the velocities of one replica.
pub(super) fn log_maxwell(s: &Phase, replica: usize, beta: f64, com: Com) -> Result<f64> {
    let center = Center::new(com, s.mass())?;
    let moving = center.degrees_of_freedom(s.mass().len()) as f64;
    let mut log_norm = 0.5 * moving * (Real::ln(beta) - LN_2PI);
    if !center.removed() {
        for m in s.mass() {
            log_norm += 0.5 * Real::ln(*m);
        }
    }
    Ok(log_norm - beta * s.kinetic(replica))
}
