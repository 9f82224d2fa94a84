//! The formulas by name. A new one is a file in `energy/`, a line here and a row in tests/contract.rs.

use super::nearest;
use crate::energy::{self, formula::Formula};
use crate::{Error, Result};

/// Every formula that `formula = "..."` can name.
pub const FORMULAS: &[&Formula] = &[
    &energy::double_well::FORMULA,
    &energy::double_well_n::FORMULA,
    &energy::funnel::FORMULA,
    &energy::gaussian_mixture::FORMULA,
    &energy::harmonic::FORMULA,
    &energy::lennard_jones::FORMULA,
    &energy::many_well::FORMULA,
    &energy::mueller_brown::FORMULA,
    &energy::soft_lennard_jones::FORMULA,
];

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
