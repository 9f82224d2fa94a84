//! The campaign file, typed and located.

pub mod column;
mod leaf;
mod placed;
mod raw;
mod shape;
pub mod types;

pub use column::{Column, ColumnKind};
pub use placed::Placed;
pub use types::*;
