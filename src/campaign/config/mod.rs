//! The campaign file: TOML text to typed, located values.
//!
//! text -> tree (`document`: syntax, `--set`) -> one tree for each point of the sweep -> raw values (`raw`, `typing`: serde, every
//! complaint) -> [`Campaign`] (`check`: what must fit together) -> [`Resolved`] (`resolve`: internal units, physics).

mod anneal;
mod campaign;
mod canonical;
mod check;
mod check_anneal;
mod check_estimate;
mod check_ladder;
mod check_metadynamics;
mod check_path;
mod check_published;
mod check_rungs;
mod check_sample;
mod check_stage;
mod check_switch;
pub mod column;
pub(in crate::campaign) mod document;
pub mod estimates;
mod exchange;
mod expanded;
mod fields;
mod formula;
mod ladder;
mod leaf;
mod levels;
pub(in crate::campaign) mod map;
mod metadynamics;
mod observables;
pub mod path;
pub(in crate::campaign) mod placed;
mod propagator;
mod raw;
mod raw_kinds;
mod resolve;
mod resolved;
mod sample;
mod shape;
mod stage;
mod switch;
mod syntax;
mod system;
pub(in crate::campaign) mod texts;
mod typing;
mod write;

pub use anneal::{Anneal, Kernel, Schedule};
pub use campaign::{Campaign, Point, SweptKey};
pub use canonical::{Change, Digest, changed_error, changes, diff};
pub use column::{Column, ColumnKind};
pub use estimates::*;
pub use exchange::{Exchange, Mixing};
pub use expanded::{Expanded, Weights};
pub use formula::Formula;
pub(in crate::campaign) use formula::numbers;
pub use ladder::{Ladder, Rungs};
pub use levels::{Along, Levels};
pub use map::Map;
pub use metadynamics::{Metadynamics, Span};
pub use observables::{NamedObservable, Observable};
pub use path::{LinearBase, Path};
pub use placed::Placed;
pub use propagator::Propagator;
pub(in crate::campaign) use raw::Document as RawDocument;
pub use resolved::{Interval, Resolved};
pub use sample::{Discard, Frames, Minimise, Observe, Precision, Sample, Start, Thermal};
pub use stage::{Stage, StageKind};
pub use switch::{Directions, Switch};
pub use system::{System, SystemFrom, Value};
pub use texts::Texts;
pub(in crate::campaign) use write::quote;

#[cfg(test)]
mod tests;
