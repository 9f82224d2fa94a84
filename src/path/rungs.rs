//! Ladders: the thermodynamic states that replicas exchange, visit or are reweighted to.

use super::Target;
use super::ladder::numbers;
use crate::batch::{State, Thermo};
use crate::{Error, Result};

/// One rung a temperature, at full coupling.
pub fn temperatures(betas: &[f64]) -> Vec<Thermo> {
    betas.iter().enumerate().map(|(k, beta)| Thermo { beta: *beta, lambda: 1.0, state: k as u32 }).collect()
}

/// One rung a coupling, at one temperature.
pub fn couplings(beta: f64, lambdas: &[f64]) -> Vec<Thermo> {
    lambdas.iter().enumerate().map(|(k, lambda)| Thermo { beta, lambda: *lambda, state: k as u32 }).collect()
}

/// The states of `copies` whole ladders: replica `copy * K + k` starts at rung k, so that ladders of 8 fill blocks of 8.
pub fn spread(ladder: &[Thermo], copies: usize) -> Vec<Thermo> {
    ladder.repeat(copies)
}

/// Do all rungs have one coupling? Then the energies of a configuration at all of them follow from one.
pub(super) fn one_coupling(ladder: &[Thermo]) -> bool {
    ladder.iter().all(|t| t.lambda.to_bits() == ladder[0].lambda.to_bits())
}

/// Is it a ladder: at least one rung, numbered from 0, with numbers that mean something?
pub(super) fn check(ladder: &[Thermo]) -> Result<()> {
    if ladder.is_empty() {
        return Err(Error::input("the ladder has no states", "give it two or more"));
    }
    for (k, t) in ladder.iter().enumerate() {
        if t.state as usize != k {
            return Err(Error::input(
                format!("state {k} of the ladder is numbered {}", t.state),
                "number the states of a ladder 0, 1, 2, ... in its order",
            ));
        }
    }
    numbers(ladder, "state")
}

/// Does every copy of the ladder hold each state once?
pub(super) fn holds(ladder: &[Thermo], thermo: &[Thermo]) -> Result<()> {
    at_rungs(ladder, thermo)?;
    let mut seen = vec![usize::MAX; ladder.len()];
    for (copy, thermo) in thermo.chunks(ladder.len()).enumerate() {
        for t in thermo {
            if std::mem::replace(&mut seen[t.state as usize], copy) == copy {
                return Err(Error::input(
                    format!("copy {copy} of the ladder has state {} twice", t.state),
                    "start the replicas with path::spread(&ladder, copies)",
                ));
            }
        }
    }
    Ok(())
}

/// Is every replica at a state of the ladder?
pub(super) fn at_rungs(ladder: &[Thermo], thermo: &[Thermo]) -> Result<()> {
    for (r, t) in thermo.iter().enumerate() {
        if ladder.get(t.state as usize) != Some(t) {
            return Err(Error::input(
                format!("replica {r} is at beta {}, lambda {}, state {}, which is not a state of the ladder", t.beta, t.lambda, t.state),
                "start the replicas with path::spread(&ladder, copies)",
            ));
        }
    }
    Ok(())
}

/// Labels move with momenta at fixed sqrt(beta) v, so energies of configurations decide: kinetic energy must not count twice.
pub(super) fn configurational<S: State>(target: &dyn Target<S>) -> Result<()> {
    if target.counts_momenta() {
        return Err(Error::input(
            "the target of a move among states counts momenta",
            "give the energy of configurations alone: the momenta are rescaled with the label",
        ));
    }
    Ok(())
}
