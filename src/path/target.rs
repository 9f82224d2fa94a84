//! Reduced energies of a batch, whatever its states are made of.

use crate::batch::{Phase, State, Thermo};
use crate::energy::{Evaluation, Potential};
use crate::real::Octet;
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::Arc;

/// What a state weighs: exp(-u) at a thermodynamic state.
pub trait Target<S: State>: Send + Sync {
    /// The reduced energy of every replica at its own element of `thermo`; NaN or infinite energies are handed over as they are.
    ///
    /// # Errors
    /// `Error::Shape` when state, `thermo` and `u` do not fit together.
    fn reduced(&self, s: &S, thermo: &[Thermo], u: &mut [f64]) -> Result<()>;

    /// The reduced energy of every replica at every state of a ladder, `u[replica][state]`: what MBAR calls u_kn.
    ///
    /// # Errors
    /// `Error::Shape` when `u` has another length.
    fn u_kn(&self, s: &S, ladder: &[Thermo], u: &mut [f64]) -> Result<()> {
        let (n, states) = (s.replicas(), ladder.len());
        if u.len() != n * states {
            return Err(Error::Shape { what: "reduced energies at every state", expected: n * states, found: u.len() });
        }
        let mut at_one = vec![0.0; n];
        for (k, thermo) in ladder.iter().enumerate() {
            self.reduced(s, &vec![*thermo; n], &mut at_one)?;
            for (r, u_r) in at_one.iter().enumerate() {
                u[r * states + k] = *u_r;
            }
        }
        Ok(())
    }

    /// Is the reduced energy beta U(s; lambda)? Then U known at one lambda gives it at every beta, without an evaluation.
    fn is_boltzmann(&self) -> bool {
        false
    }

    /// Is U(s; lambda) linear in lambda? Then two lambdas give it at all.
    fn linear(&self) -> bool {
        false
    }

    /// Evaluations a replica that [`Target::u_kn`] makes.
    fn calls(&self, ladder: &[Thermo]) -> u64 {
        ladder.len() as u64
    }

    /// Does u depend on momenta? Then only kernels that keep them will do.
    fn counts_momenta(&self) -> bool {
        false
    }
}

/// beta U(x; lambda) of a potential: configurations only, momenta do not count.
#[derive(Clone)]
pub struct Boltzmann(pub Arc<dyn Potential>);

impl Target<Phase> for Boltzmann {
    fn reduced(&self, s: &Phase, thermo: &[Thermo], u: &mut [f64]) -> Result<()> {
        if u.len() != s.replicas() {
            return Err(Error::Shape { what: "reduced energies", expected: s.replicas(), found: u.len() });
        }
        let mut out = Evaluation::new();
        self.0.eval(&s.x, thermo, &mut out)?;
        for (r, u) in u.iter_mut().enumerate() {
            *u = thermo[r].beta * out.u.get(r, 0);
        }
        Ok(())
    }

    /// One evaluation a coupling that occurs, not one a state; [`Potential::energies_block`] may need fewer still.
    fn u_kn(&self, s: &Phase, ladder: &[Thermo], u: &mut [f64]) -> Result<()> {
        let (n, states, dof) = (s.replicas(), ladder.len(), self.0.dof());
        if u.len() != n * states {
            return Err(Error::Shape { what: "reduced energies at every state", expected: n * states, found: u.len() });
        }
        if s.x.dof() != dof {
            return Err(Error::Shape { what: "degrees of freedom", expected: dof, found: s.x.dof() });
        }
        let (lambdas, column) = couplings(ladder);
        u.par_chunks_mut((8 * states).max(1)).enumerate().for_each(|(b, u)| {
            let mut energies = vec![Octet::of(0.0); lambdas.len()];
            self.0.energies_block(s.x.block(b), &lambdas, &mut energies);
            for (lane, u) in u.chunks_exact_mut(states).enumerate() {
                for (k, u) in u.iter_mut().enumerate() {
                    *u = ladder[k].beta * energies[column[k]].0[lane];
                }
            }
        });
        Ok(())
    }

    fn is_boltzmann(&self) -> bool {
        true
    }

    fn linear(&self) -> bool {
        self.0.linear()
    }

    fn calls(&self, ladder: &[Thermo]) -> u64 {
        self.0.calls(couplings(ladder).0.len()) as u64
    }
}

/// The couplings that occur, and which of them each state has.
fn couplings(ladder: &[Thermo]) -> (Vec<f64>, Vec<usize>) {
    let mut lambdas: Vec<f64> = Vec::new();
    let mut column = Vec::with_capacity(ladder.len());
    for t in ladder {
        let known = lambdas.iter().position(|l| l.to_bits() == t.lambda.to_bits());
        column.push(known.unwrap_or(lambdas.len()));
        if known.is_none() {
            lambdas.push(t.lambda);
        }
    }
    (lambdas, column)
}
