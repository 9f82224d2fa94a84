//! Propagators: one file each. They move the replicas of an ensemble and nothing else.

use crate::Result;
use crate::batch::{Ensemble, Resume, State};

/// A rule that moves replicas.
pub trait Propagator<S: State>: Resume + Send {
    /// Takes `steps` steps with every replica that is well. Random numbers are functions of `ens.step`, which is advanced.
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit the potential. A replica that diverges is recorded in `ens.health` and
    /// is no error.
    fn advance(&mut self, ens: &mut Ensemble<S>, steps: u64) -> Result<()>;

    /// Does it leave exp(-u) exactly invariant at every step size (in exact arithmetic)?
    fn exact(&self) -> bool;

    /// Work done so far.
    fn tally(&self) -> Tally;

    /// Kinetic energy of each replica where the propagator samples momenta best (Langevin splittings: at the last O step).
    fn kinetic(&self) -> Option<&[f64]> {
        None
    }
}

/// Work of a propagator, summed over replicas (padding not counted).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Energy (with or without force) evaluations.
    pub evaluations: u64,
    /// Metropolis proposals.
    pub proposed: u64,
    /// Accepted ones.
    pub accepted: u64,
}
