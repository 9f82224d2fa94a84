//! Campaigns: what a user asks for, from the text of a TOML file to typed stages in internal units.
//!
//! [`Campaign::parse`] reads a file (with its `--set` overrides and its sweep) and gathers every complaint it can;
//! [`Campaign::resolve`] turns the quantities into numbers once the system's [`UnitSystem`] is known.

mod along;
mod analyse;
mod anneal;
mod annealed;
mod basins;
mod carry;
pub mod catalogue;
pub mod check;
pub mod compare;
pub mod config;
mod copies;
mod directory;
pub mod doctor;
pub mod estimate_files;
pub mod evaluate;
mod exchange;
mod expanded;
mod finish;
mod free_energies;
pub mod init;
mod inputs;
mod job;
mod ladders;
mod metadynamics;
mod minimise;
mod moments;
mod moves;
mod named_system;
mod observables;
mod other_runs;
pub mod physics;
mod plan;
pub mod progress;
pub mod provenance;
mod published;
pub mod ranking;
pub mod registry;
pub mod render;
pub mod run;
mod sample;
pub mod schema;
mod session;
pub mod signals;
mod start;
pub mod status;
mod surfaces;
pub mod sweep;
mod switch;
pub mod system;
pub mod units;
mod weighted;
mod works;

pub use crate::estimate::summary::Summary;
pub use crate::estimate::{Outcome, Verdict};
pub use crate::io::{export, reader};
pub use crate::real::isa;
pub use config::{Campaign, Placed, Point, Resolved};
pub use units::{Kind, Quantity, UnitSystem};

/// The known name that a misspelt one was probably meant to be.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wrong: String = wrong.chars().take(64).collect();
    let allowed = (wrong.chars().count() / 3).max(1);
    known
        .map(|name| (strsim::osa_distance(&wrong, name), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
