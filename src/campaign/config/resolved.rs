//! A campaign as the runner reads it: numbers in internal units.

use super::estimates::{Basin, Diagnostics};
use super::path::Path;
use super::placed::Placed;
use super::stage::Stage;
use super::system::System;
use crate::campaign::units::UnitSystem;

/// When checkpoints are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interval {
    /// So many seconds on the clock apart.
    Seconds(f64),
    /// So many steps apart.
    Steps(u64),
}

/// A campaign in numbers: everything in internal units, every default filled in.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Name; also that of the run directory.
    pub name: String,
    /// One line for the report.
    pub title: Option<String>,
    /// More for the report.
    pub description: Option<String>,
    /// Seed; none: the runner draws one and stores it.
    pub seed: Option<u64>,
    /// When checkpoints are written.
    pub checkpoint: Interval,
    /// What bare numbers mean.
    pub units: UnitSystem,
    /// Which system.
    pub system: System,
    /// What lambda does.
    pub path: Option<Placed<Path>>,
    /// Declared regions.
    pub basins: Vec<Basin>,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// Thresholds of the verdict.
    pub diagnostics: Diagnostics,
    /// What looks odd but is allowed.
    pub warnings: Vec<crate::error::Complaint>,
}
