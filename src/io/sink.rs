//! What a run hands to its files: columns, frames, and the trait that writes them.

use crate::Result;
use serde::{Deserialize, Serialize};

/// What the numbers of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Positions, `[replica][atom * dim]`.
    Positions,
    /// Velocities, `[replica][atom * dim]`.
    Velocities,
    /// Forces, `[replica][atom * dim]`.
    Forces,
    /// Anything else, `[replica][width]`.
    Observable,
}

/// One column of the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// As in the campaign: `energy`, `dihedral:phi`, `positions`.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Numbers per replica and frame.
    pub width: usize,
    /// Unit of the values, `None` in reduced units.
    pub unit: Option<String>,
    /// Names of the `width` numbers when they have names (energy terms).
    pub labels: Vec<String>,
    /// Stored as f64 rather than f32.
    pub double: bool,
}

/// What every file of a stage says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Name of the stage.
    pub stage: String,
    /// Number of replicas.
    pub replicas: usize,
    /// Particles of one replica; 0 when the system has none (a density on R^n).
    pub particles: usize,
    /// Dimensions of space: 3 for molecules and clusters.
    pub dimension: usize,
    /// Columns, in the order of every frame.
    pub columns: Vec<Column>,
    /// Unit of time, `None` in reduced units.
    pub time_unit: Option<String>,
    /// Topology as mdtraj's JSON, when there are particles.
    pub topology_json: Option<String>,
    /// Provenance: version, commit, host, configuration and its hash, seed ...
    pub provenance: Vec<(String, String)>,
}

/// One observation of all replicas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// Step number within the stage.
    pub step: u64,
    /// Time (or step, for propagators without one).
    pub time: f64,
    /// Per column of the header: `[replica][width]`.
    pub values: Vec<Vec<f64>>,
}

/// A closed, durable piece of output.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// File name within the stage's folder.
    pub file: String,
    /// Frames in it.
    pub frames: u64,
    /// Size in bytes.
    pub bytes: u64,
}

/// Takes frames and makes them durable.
pub trait Sink: Send {
    /// Starts a stage; `kept` are the segments that a resumed run goes on from, whatever else lies there is removed.
    ///
    /// # Errors
    /// `Error::Io` from the system, `Error::Damaged` when a kept segment is missing or cut.
    fn open(&mut self, header: &Header, kept: &[Segment]) -> Result<()>;

    /// Takes one frame.
    ///
    /// # Errors
    /// `Error::Io` from the system: nothing durable is harmed.
    fn write(&mut self, frame: &Frame) -> Result<()>;

    /// Makes all frames so far durable: closes the segment (synced, renamed) and tells all segments of the stage.
    ///
    /// # Errors
    /// `Error::Io` from the system: earlier segments stay as they are.
    fn commit(&mut self) -> Result<Vec<Segment>>;

    /// The stage is done (or stops here): indexes over the segments are rebuilt.
    ///
    /// # Errors
    /// `Error::Io` from the system.
    fn close(&mut self) -> Result<()>;
}
