//! The Metropolis-adjusted Langevin algorithm.

use super::{Hmc, HmcOptions};
use crate::Result;
use crate::energy::Potential;
use std::sync::Arc;

/// The Metropolis-adjusted Langevin algorithm.
///
///   x' = x + (dt^2/2m) f + dt sqrt(kT/m) xi, accepted with probability
///   min(1, exp(-beta (U' - U)) q(x | x')/q(x' | x)),   q(y | x) = N(y; x + (dt^2/2m) f(x), dt^2 kT/m)
///
/// This is HMC with one leapfrog step, v = sqrt(kT/m) xi: the mean of the way back differs from x by -dt v', so
/// q(x | x')/q(x' | x) = exp(-beta (K' - K)). `options.leapfrog` is therefore ignored and `options.jitter` may be 0.
/// In the notation of the Langevin equation dx = -grad U dt' + ..., the step is dt' = dt^2/2 beta.
///
/// # Errors
/// As [`Hmc::new`].
/// Source: Roberts and Tweedie, Bernoulli 2, 341 (1996).
pub fn mala(potential: Arc<dyn Potential>, mass: &[f64], options: HmcOptions) -> Result<Hmc> {
    Hmc::new(potential, mass, HmcOptions { leapfrog: 1, ..options })
}
