//! Many replicas at once: their coordinates in blocks of 8, their thermodynamic states, their health.

mod coords;
mod ensemble;
mod phase;
mod snapshot;

pub use coords::Coords;
pub use ensemble::{Ensemble, Health, Thermo};
pub use phase::Phase;
pub use snapshot::{Snapshot, Value};

use crate::Result;

/// What a checkpoint must hold so that a run goes on bit-identically.
pub trait Resume {
    /// Puts everything a resume needs into `to`.
    fn save(&self, to: &mut Snapshot);
    /// Takes it back.
    ///
    /// # Errors
    /// `Error::Run` when the snapshot lacks a field or has another shape.
    fn load(&mut self, from: &Snapshot) -> Result<()>;
}

/// The replicas' microscopic state.
pub trait State: Resume + Send {
    /// Number of replicas.
    fn replicas(&self) -> usize;
    /// Replica `i` becomes a copy of what replica `from[i]` was.
    fn gather(&mut self, from: &[u32]);
    /// Multiplies the momenta of each replica by its factor; positions stay. States without momenta do nothing.
    fn rescale_momenta(&mut self, _factor: &[f64]) {}
}

/// A state with positions.
pub trait Positions: State {
    /// `[replica, dof]`.
    fn x(&self) -> &Coords;
}
