//! The campaign file: TOML text to typed, located values.
//!
//! text -> tree (`document`: syntax, `--set`) -> one tree for each point of the sweep -> raw values (`raw`, `typing`: serde, every
//! complaint) -> [`Campaign`] (`check`: what must fit together) -> [`Resolved`] (`resolve`: internal units, physics).

mod campaign;
mod canonical;
mod check;
mod check_estimate;
mod check_kinds;
mod check_path;
mod check_published;
mod check_rungs;
mod check_sample;
mod check_stage;
pub mod column;
pub(in crate::campaign) mod document;
pub mod estimates;
mod formula;
pub mod kinds;
mod leaf;
pub(in crate::campaign) mod map;
mod observables;
pub mod path;
pub(in crate::campaign) mod placed;
mod raw;
mod raw_kinds;
mod resolve;
mod shape;
mod syntax;
pub(in crate::campaign) mod texts;
pub mod types;
mod typing;
mod write;

pub use campaign::{Campaign, Point, SweptKey};
pub use canonical::{Change, Digest, changed_error, changes, diff};
pub use column::{Column, ColumnKind};
pub use estimates::*;
pub use formula::Formula;
pub(in crate::campaign) use formula::numbers;
pub use kinds::{
    Along, Anneal, Directions, Exchange, Expanded, Kernel, Ladder, Levels, Metadynamics, Mixing, Rungs, Schedule, Switch, Weights,
};
pub use map::Map;
pub use observables::{NamedObservable, Observable};
pub use path::{LinearBase, Path};
pub use placed::Placed;
pub(in crate::campaign) use raw::Document as RawDocument;
pub use texts::Texts;
pub use types::*;
pub(in crate::campaign) use write::quote;

#[cfg(test)]
mod tests;
