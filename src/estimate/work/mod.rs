//! Free energies from nonequilibrium work. All work in kT.

mod gaussian;
mod hummer_szabo;
mod jarzynski;

pub use gaussian::{CrossedGaussians, crossed_gaussians, normality};
pub use hummer_szabo::{PullingProfile, Pulls, hummer_szabo};
pub use jarzynski::{Jarzynski, jarzynski, wu_kofke};

use super::bar::{Bar, bar};
use super::free_energy_error::FreeEnergyError;

/// Crooks' estimate: Bennett's acceptance ratio on the work of both directions, the minimum-variance answer to
/// `P_F(w) / P_R(-w) = exp(w - dF)`.
///
/// `w_f`: total work 0 -> 1 from equilibrium in state 0, `w_r`: 1 -> 0 by the reversed protocol from equilibrium in state 1.
/// Errors and warnings: those of [`bar`]. Source: Crooks, Phys. Rev. E 61, 2361 (2000).
pub fn crooks(w_f: &[f64], w_r: &[f64]) -> Result<Bar, FreeEnergyError> {
    bar(w_f, w_r)
}
