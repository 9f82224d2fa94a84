//! The formulas by name. A new one is a file in `energy/`, a line here and a row in tests/contract.rs.

use super::nearest;
use crate::energy::formula::Formula;
use crate::energy::{double_well_n, harmonic, lennard_jones};
use crate::{Error, Result};

/// Every formula that `formula = "..."` can name.
pub const FORMULAS: &[&Formula] = &[&double_well_n::FORMULA, &harmonic::FORMULA, &lennard_jones::FORMULA];

/// The formula of a name.
///
/// # Errors
/// `Error::Input` that lists all names and the nearest one.
pub fn formula(name: &str) -> Result<&'static Formula> {
    FORMULAS.iter().find(|f| f.name == name).copied().ok_or_else(|| {
        let all: Vec<&str> = FORMULAS.iter().map(|f| f.name).collect();
        let hint = nearest(name, all.iter().copied()).map(|n| format!("did you mean \"{n}\"? ")).unwrap_or_default();
        Error::input(format!("unknown formula \"{name}\""), format!("{hint}formulas: {}", all.join(", ")))
    })
}
