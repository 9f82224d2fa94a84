//! Ergodica samples physics targets and tells what the samples are worth.
//!
//! One direction: configuration -> plan -> system -> potential -> ensemble and propagator -> observer -> frame -> sink;
//! estimators are functions of arrays; the report reads the run directory only. ARCHITECTURE.md has the map.

pub mod batch;
pub mod campaign;
pub mod dynamics;
pub mod energy;
pub mod error;
pub mod estimate;
pub mod expr;
pub mod io;
pub mod observe;
pub mod path;
pub mod real;
#[cfg(feature = "report")]
pub mod report;
pub mod stream;

pub use error::{Error, Result};
