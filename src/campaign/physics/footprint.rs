//! What a sample stage will need of disk and memory.

use crate::campaign::config::{Column, ColumnKind, Observe, Sample};

/// What a sample stage will need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Stored frames of each replica.
    pub frames: u64,
    /// Replicas including the padding to whole blocks of 8.
    pub padded: u64,
    /// Bytes of all columns before compression.
    pub disk: u64,
    /// Bytes of positions, velocities and forces in memory.
    pub memory: u64,
}

/// Size of a sample stage over a system of `atoms` atoms, `dof` coordinates and `terms` energy terms; saturates rather than wraps.
pub fn footprint(sample: &Sample, observe: Option<&Observe>, dof: u64, terms: u64) -> Footprint {
    let replicas = sample.replicas.value;
    let padded = replicas.div_ceil(8).saturating_mul(8);
    let frames = observe.map_or(0, |o| sample.steps.value.checked_div(o.every.value).unwrap_or(0));
    let bytes_of = |column: &Column| -> u64 {
        let width = observe.map_or(4, |o| o.precision.bytes());
        match column.kind {
            ColumnKind::Positions | ColumnKind::Velocities | ColumnKind::Forces => width.saturating_mul(dof),
            ColumnKind::Terms => 8 * terms,
            _ => 8,
        }
    };
    let frame: u64 = observe.map_or(0, |o| o.columns.iter().map(|c| bytes_of(c)).fold(0, u64::saturating_add));
    let disk = frame.saturating_mul(frames).saturating_mul(replicas);
    Footprint { frames, padded, disk, memory: padded.saturating_mul(dof).saturating_mul(3 * 8) }
}
