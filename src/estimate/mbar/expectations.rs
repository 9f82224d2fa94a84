//! Averages in any state, states that were not sampled, energies and entropies: all with their covariance.

use super::super::exponential::Delta;
use super::super::free_energy_error::FreeEnergyError;
use super::super::reduced::Blocked;
use super::super::value::Warning;
use super::columns::{Column, Row};
use super::covariance::Covariance;
use super::{FEWEST, Mbar, reach};

/// Averages of observables, `[l]`, with their covariance.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectations {
    /// The averages.
    pub value: Vec<f64>,
    /// Their covariance, `[l][l]`.
    pub covariance: Vec<f64>,
}

impl Expectations {
    /// Standard error of an average.
    pub fn stderr(&self, l: usize) -> f64 {
        self.covariance[l * self.value.len() + l].clamp(0.0, f64::INFINITY).sqrt()
    }

    /// Average l less average m, with its standard error.
    pub fn difference(&self, m: usize, l: usize) -> (f64, f64) {
        let at = |i: usize, j: usize| self.covariance[i * self.value.len() + j];
        (self.value[l] - self.value[m], (at(l, l) + at(m, m) - 2.0 * at(l, m)).clamp(0.0, f64::INFINITY).sqrt())
    }
}

/// Free energies of states that nobody sampled.
#[derive(Clone, Debug, PartialEq)]
pub struct Perturbed {
    /// Free energies relative to the fit's zero: first those of its own states, then those of the new ones.
    pub f: Vec<f64>,
    /// Their covariance, up to a constant that cancels in differences.
    pub covariance: Covariance,
    /// Effective numbers of samples behind the new states.
    pub n_eff: Vec<f64>,
    /// Doubts about the new states: few samples that reach them, a heavy tail of weights.
    pub doubts: Vec<Option<Warning>>,
}

impl Perturbed {
    /// f of new state m less f of new state l; no error (NaN) below 5 effective samples.
    pub fn delta(&self, l: usize, m: usize) -> Delta {
        let own = self.f.len() - self.n_eff.len();
        self.between(own + l, own + m, &[l, m])
    }

    /// f of new state l less f of one of the fit's states; no error (NaN) below 5 effective samples.
    pub fn from_state(&self, state: usize, l: usize) -> Delta {
        self.between(state, self.f.len() - self.n_eff.len() + l, &[l])
    }

    fn between(&self, i: usize, j: usize, new: &[usize]) -> Delta {
        let n_eff = new.iter().fold(f64::INFINITY, |m, l| m.min(self.n_eff[*l]));
        let warnings: Vec<Warning> = new.iter().filter_map(|l| self.doubts[*l].clone()).collect();
        let stderr = if !warnings.is_empty() && n_eff < FEWEST { f64::NAN } else { self.covariance.stderr(i, j) };
        Delta { value: self.f[j] - self.f[i], stderr, n_eff, warnings }
    }
}

/// Free energies split into energy and entropy: f = u - s, in kT and k.
#[derive(Clone, Debug, PartialEq)]
pub struct EntropyEnthalpy {
    /// Average reduced energy of each state in itself.
    pub u: Expectations,
    /// Reduced entropy u_k - f_k of each state, up to one constant, with a covariance whose differences count.
    pub s: Expectations,
}

impl Mbar<'_> {
    /// Averages of observables in states: `(state, observable)` names what is wanted, `observables` holds the values a(x_n) of each,
    /// `[a][n]` in the order in which the samples were given.
    ///
    ///   \<A\>_k = sum_n W_nk A_n,   cov = Z^T (1 - W N W^T)^+ Z,   Z_nl = W_nk (A_n - \<A\>_k)
    ///
    /// Errors: lengths, states or observables that do not exist, values that are not finite.
    pub fn expectations(&self, wanted: &[(usize, usize)], observables: &[&[f64]]) -> Result<Expectations, FreeEnergyError> {
        let rows = self.blocked("an observable", observables, |v| v.is_finite())?;
        for &(state, a) in wanted {
            self.known(state)?;
            if a >= observables.len() {
                return Err(FreeEnergyError::Argument { what: format!("there is no observable {a} of {}", observables.len()) });
            }
        }
        let factor = |a: usize| Row { of: &rows, row: a };
        let columns = wanted.iter().map(|&(state, a)| Column { factor: Some((factor(a), 0.0)), ..self.weight_of(state) }).collect();
        Ok(self.averages(columns))
    }

    /// Averages from columns whose shift is 0.
    fn averages(&self, mut columns: Vec<Column<'_>>) -> Expectations {
        let value = self.sum_columns(&columns, false).first;
        for (column, value) in columns.iter_mut().zip(&value) {
            column.factor = column.factor.map(|(row, _)| (row, *value));
        }
        Expectations { covariance: self.covariance_of(&self.sum_columns(&columns, true)), value }
    }

    /// Free energies of other states, from the reduced energies of all samples in them, `[l][n]` in the order of the samples; these
    /// must be in the same units and with the same constants as those of the fit. +inf is allowed.
    ///
    /// Errors: lengths, NaN or -inf, and `NoSamples` where no sample is possible in a new state.
    pub fn perturbed(&self, u_ln: &[&[f64]]) -> Result<Perturbed, FreeEnergyError> {
        let mut rows = self.blocked("a perturbed energy", u_ln, |v| !v.is_nan() && v > f64::NEG_INFINITY)?;
        rows.subtract(self.u.offsets());
        let mut f = self.f_k.clone();
        let mut columns: Vec<Column<'_>> = (0..f.len()).map(|k| self.weight_of(k)).collect();
        for l in 0..u_ln.len() {
            let energy = Row { of: &rows, row: l };
            let value = self.free_energy(energy);
            if value == f64::INFINITY {
                return Err(FreeEnergyError::NoSamples { what: format!("perturbed state {l} (all of its energies are infinite)") });
            }
            f.push(value);
            columns.push(Column { energy, f: value, factor: None, offset: false });
        }
        let sums = self.sum_columns(&columns, true);
        let states = f.len();
        let n_eff = (self.f_k.len()..states).map(|l| 1.0 / sums.own[l * states + l]).collect();
        let doubts = (0..u_ln.len())
            .map(|l| {
                let weights = self.log_weights_in(Row { of: &rows, row: l }, f[self.f_k.len() + l]);
                reach(&format!("perturbed state {l}"), &weights)
            })
            .collect();
        Ok(Perturbed { f, covariance: Covariance { states, theta: self.covariance_of(&sums) }, n_eff, doubts })
    }

    /// Average reduced energy and reduced entropy of every state in itself.
    ///
    /// Samples that are impossible in a state count 0 there.
    pub fn entropy_enthalpy(&self) -> EntropyEnthalpy {
        let states = self.f_k.len();
        let energies: Vec<Column<'_>> = (0..states)
            .map(|k| {
                let weight = self.weight_of(k);
                Column { factor: Some((weight.energy, 0.0)), offset: true, ..weight }
            })
            .collect();
        let u = self.averages(energies.clone());
        // s_k = u_k - f_k; f_k = -ln of a mean whose column is W_nk, so that of s_k is W_nk (u_k(n) - u_k + 1).
        let columns: Vec<Column<'_>> = energies
            .iter()
            .zip(&u.value)
            .map(|(column, u)| Column { factor: column.factor.map(|(row, _)| (row, u - 1.0)), ..*column })
            .collect();
        let covariance = self.covariance_of(&self.sum_columns(&columns, true));
        let value = u.value.iter().zip(&self.f_k).map(|(u, f)| u - f).collect();
        EntropyEnthalpy { u, s: Expectations { value, covariance } }
    }

    fn known(&self, state: usize) -> Result<(), FreeEnergyError> {
        let states = self.f_k.len();
        if state < states { Ok(()) } else { Err(FreeEnergyError::Argument { what: format!("there is no state {state} of {states}") }) }
    }

    /// Rows in the order of the samples, checked and blocked.
    fn blocked(&self, what: &'static str, rows: &[&[f64]], fine: impl Fn(f64) -> bool) -> Result<Blocked, FreeEnergyError> {
        let samples = self.u.samples();
        let mut blocked = Blocked::new(rows.len(), samples);
        for (l, row) in rows.iter().enumerate() {
            if row.len() != samples {
                return Err(FreeEnergyError::Inconsistent { what: format!("{what} (samples)"), expected: samples, found: row.len() });
            }
            if let Some(index) = row.iter().position(|v| !fine(*v)) {
                return Err(FreeEnergyError::NotANumber { what, index, value: row[index] });
            }
            for n in 0..samples {
                blocked.set(l, n, row[self.u.position(n)]);
            }
        }
        Ok(blocked)
    }
}
