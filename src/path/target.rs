//! Reduced energies of a batch, whatever its states are made of.

use crate::batch::{Phase, State, Thermo};
use crate::energy::{Evaluation, Potential};
use crate::{Error, Result};
use std::sync::Arc;

/// What a state weighs: exp(-u) at a thermodynamic state.
pub trait Target<S: State>: Send + Sync {
    /// The reduced energy of every replica at its own element of `thermo`; NaN or infinite energies are handed over as they are.
    ///
    /// # Errors
    /// `Error::Shape` when state, `thermo` and `u` do not fit together.
    fn reduced(&self, s: &S, thermo: &[Thermo], u: &mut [f64]) -> Result<()>;

    /// Does u depend on momenta? Then only kernels that keep them will do.
    fn counts_momenta(&self) -> bool {
        false
    }
}

/// beta U(x; lambda) of a potential: configurations only, momenta do not count.
#[derive(Clone)]
pub struct Boltzmann(pub Arc<dyn Potential>);

impl Target<Phase> for Boltzmann {
    fn reduced(&self, s: &Phase, thermo: &[Thermo], u: &mut [f64]) -> Result<()> {
        if u.len() != s.replicas() {
            return Err(Error::Shape { what: "reduced energies", expected: s.replicas(), found: u.len() });
        }
        let mut out = Evaluation::new();
        self.0.eval(&s.x, thermo, &mut out)?;
        for (r, u) in u.iter_mut().enumerate() {
            *u = thermo[r].beta * out.u.get(r, 0);
        }
        Ok(())
    }
}
