//! Paths between thermodynamic states, and the ledger of their work.
//!
//! A state is a [`crate::batch::Thermo`]: beta, lambda and its number; a ladder is a slice of them. Everything here moves replicas
//! with [`crate::dynamics::Propagator`]s, changes their `Thermo`, and keeps the books in `ens.log_w`.

mod exchange;
mod expanded;
mod known;
mod rungs;
mod sams;
mod swaps;
mod target;
mod traffic;
mod wang_landau;

pub use exchange::{Exchange, ExchangeOptions, Mixing};
pub use expanded::{Expanded, ExpandedOptions, Weighting};
pub use rungs::{couplings, spread, temperatures};
pub use sams::Sams;
pub use target::{Boltzmann, Target};
pub use traffic::{RoundTrips, Traffic};
pub use wang_landau::WangLandau;

use crate::Result;
use crate::batch::{Ensemble, Resume, State};

/// A pair of kernels for each of the steps 0 .. K of a path: F_k from level k to level k + 1, B_k back.
///
/// `log w = -u_1(x_K) - log p_0(x_0) + sum_k [log B_k(x_k | x_k+1) - log F_k(x_k+1 | x_k)]`, so E[w] = Z_1 / Z_0 at any step size.
pub trait Transition<S: State>: Resume + Send {
    /// Draws from F_k and adds log B_k - log F_k to `ens.log_w`.
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit.
    fn forward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()>;

    /// Draws from B_k and adds log F_k - log B_k.
    ///
    /// # Errors
    /// As [`Transition::forward`].
    fn backward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()>;

    /// log B_k(from | to) - log F_k(to | from) of a given pair, one number a replica: replay.
    ///
    /// # Errors
    /// As [`Transition::forward`].
    fn ledger(&self, k: usize, from: &S, to: &S, out: &mut [f64]) -> Result<()>;
}
