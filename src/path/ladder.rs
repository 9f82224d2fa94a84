//! Ladders of thermodynamic states.

use crate::batch::Thermo;
use crate::real::Real;
use crate::{Error, Result};

/// lambda = 0, 1/n, .., 1 at one beta: n + 1 levels, numbered.
///
/// # Errors
/// `Error::Input` for n = 0 or a beta that is not positive.
pub fn linear_lambdas(beta: f64, n: usize) -> Result<Vec<Thermo>> {
    let levels: Vec<Thermo> = (0..=n).map(|k| Thermo { beta, lambda: k as f64 / n.max(1) as f64, state: k as u32 }).collect();
    check(&levels)?;
    Ok(levels)
}

/// beta_k = beta_0 (beta_n / beta_0)^(k/n) at one lambda: n + 1 levels, numbered.
///
/// # Errors
/// As [`linear_lambdas`].
pub fn geometric_betas(first: f64, last: f64, lambda: f64, n: usize) -> Result<Vec<Thermo>> {
    let log = Real::ln(last / first);
    let beta = |k: usize| match k {
        0 => first,
        k if k == n => last,
        k => first * Real::exp(log * k as f64 / n as f64),
    };
    let levels: Vec<Thermo> = (0..=n).map(|k| Thermo { beta: beta(k), lambda, state: k as u32 }).collect();
    check(&levels)?;
    Ok(levels)
}

/// Every level but the first `times` times over: that many moves at each, of which only the first changes the knobs.
pub fn repeat_levels(ladder: &[Thermo], times: usize) -> Vec<Thermo> {
    let mut levels = Vec::with_capacity(1 + ladder.len() * times);
    for (k, level) in ladder.iter().enumerate() {
        levels.extend(std::iter::repeat_n(*level, if k == 0 { 1 } else { times }));
    }
    levels
}

/// Two levels or more, beta positive and finite, lambda finite.
pub(super) fn check(ladder: &[Thermo]) -> Result<()> {
    if ladder.len() < 2 {
        return Err(Error::input(format!("a path of {} levels leads nowhere", ladder.len()), "give at least two levels"));
    }
    numbers(ladder, "level")
}

/// beta positive and finite, lambda finite, of each `what` in order.
pub(super) fn numbers(ladder: &[Thermo], what: &str) -> Result<()> {
    for (k, t) in ladder.iter().enumerate() {
        if !(t.beta.is_finite() && t.beta > 0.0) {
            return Err(Error::input(format!("beta of {what} {k} is {}", t.beta), "beta = 1 / kT is positive and finite"));
        }
        if !t.lambda.is_finite() {
            return Err(Error::input(format!("lambda of {what} {k} is {}", t.lambda), "lambda is a finite number"));
        }
    }
    Ok(())
}
