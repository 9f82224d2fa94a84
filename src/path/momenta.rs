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

    /// The reduced energies, from potential energies that are known.
    pub(super) fn add_momenta(&self, s: &Phase, thermo: &[Thermo], energy: &[f64], u: &mut [f64]) -> Result<()> {
        let maxwell = Maxwell::new(s.mass(), self.com)?;
        for (r, u) in u.iter_mut().enumerate() {
            *u = thermo[r].beta * energy[r] - maxwell.log_p(s, r, thermo[r].beta);
        }
        Ok(())
    }
}

impl Target<Phase> for Canonical {
    fn reduced(&self, s: &Phase, thermo: &[Thermo], u: &mut [f64]) -> Result<()> {
        self.potential.reduced(s, thermo, u)?;
        let maxwell = Maxwell::new(s.mass(), self.com)?;
        for (r, u) in u.iter_mut().enumerate() {
            *u -= maxwell.log_p(s, r, thermo[r].beta);
        }
        Ok(())
    }

    fn counts_momenta(&self) -> bool {
        true
    }
}

/// Maxwell's density of velocities.
pub(super) struct Maxwell {
    moving: f64,
    log_masses: f64,
}

impl Maxwell {
    pub(super) fn new(mass: &[f64], com: Com) -> Result<Self> {
        let center = Center::new(com, mass)?;
        let mut log_masses = 0.0;
        if !center.removed() {
            for m in mass {
                log_masses += 0.5 * Real::ln(*m);
            }
        }
        Ok(Maxwell { moving: center.degrees_of_freedom(mass.len()) as f64, log_masses })
    }

    /// Its logarithm for one replica.
    pub(super) fn log_p(&self, s: &Phase, replica: usize, beta: f64) -> f64 {
        0.5 * self.moving * (Real::ln(beta) - LN_2PI) + self.log_masses - beta * s.kinetic(replica)
    }
}
