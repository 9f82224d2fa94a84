//! What is measured on the replicas: columns of numbers, one frame at a time.

mod columns;
pub mod geometry;

pub use columns::{Along, Columns, Measure, Setting};

use crate::Result;
use crate::batch::{Ensemble, State};
use crate::io::sink::Frame;

/// Looks at an ensemble and fills a frame; it never changes what it looks at.
pub trait Observer<S: State>: Send {
    /// Fills `out.values`; `kinetic` are the propagator's kinetic energies, when it measures them better than the state shows.
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit.
    fn observe(&mut self, ens: &Ensemble<S>, kinetic: Option<&[f64]>, out: &mut Frame) -> Result<()>;
}
