//! Reduced energies of every sample in every state, laid out for the multistate estimators.

use super::free_energy_error::FreeEnergyError;
use crate::real::Octet;
use rayon::prelude::*;

/// Samples in a block.
pub(super) const BLOCK: usize = 64;
/// Octets of one state in a block.
pub(super) const OCTETS: usize = BLOCK / 8;

/// Numbers of several rows for every sample: `[block][row][64]`, 8 octets a row and block; the last block is padded with zeros.
#[derive(Clone)]
pub(super) struct Blocked {
    pub(super) rows: usize,
    pub(super) octets: Vec<Octet>,
}

impl std::fmt::Debug for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows, {} octets", self.rows, self.octets.len())
    }
}

impl Blocked {
    pub(super) fn new(rows: usize, samples: usize) -> Self {
        let mut blocked = Blocked::reserved(rows, samples);
        blocked.grow(samples);
        blocked
    }

    /// Address space for all samples: memory comes with [`grow`](Self::grow), block by block while it is filled.
    fn reserved(rows: usize, samples: usize) -> Self {
        Blocked { rows, octets: Vec::with_capacity(rows * samples.div_ceil(BLOCK) * OCTETS) }
    }

    /// Blocks of zeros for the first `samples` samples, those that are not there yet.
    fn grow(&mut self, samples: usize) {
        let needed = self.rows * samples.div_ceil(BLOCK) * OCTETS;
        if self.octets.len() < needed {
            self.octets.resize(needed, Octet::of(0.0));
        }
    }

    /// Octet and lane of a sample in a row.
    fn place(&self, row: usize, n: usize) -> (usize, usize) {
        ((n / BLOCK * self.rows + row) * OCTETS + n % BLOCK / 8, n % 8)
    }

    pub(super) fn set(&mut self, row: usize, n: usize, value: f64) {
        let (octet, lane) = self.place(row, n);
        self.octets[octet].0[lane] = value;
    }

    pub(super) fn get(&self, row: usize, n: usize) -> f64 {
        let (octet, lane) = self.place(row, n);
        self.octets[octet].0[lane]
    }

    /// Subtracts a number of each sample from all rows.
    pub(super) fn subtract(&mut self, offset: &[f64]) {
        let rows = self.rows.max(1);
        for (block, offset) in self.octets.chunks_exact_mut(rows * OCTETS).zip(offset.chunks_exact(BLOCK)) {
            take_off(block, offset);
        }
    }

    /// All rows of a block.
    pub(super) fn block(&self, b: usize) -> &[Octet] {
        &self.octets[b * self.rows * OCTETS..(b + 1) * self.rows * OCTETS]
    }
}

/// Reduced energies u_k(x_n) of N samples in K states (in kT: beta_k U_k plus pV and the like), grouped by the state that each
/// sample was drawn from.
///
/// States may have no samples. A value of +inf says that the sample is impossible in that state; it must not be the state that
/// the sample was drawn from. From every sample its energy in its own state is subtracted, which changes no free energy and
/// keeps digits; the layout is blocks of 64 samples, `[block][state][64]`, 8 bytes a value and 8 bytes a sample.
#[derive(Clone)]
pub struct ReducedPotentials {
    states: Vec<String>,
    n_k: Vec<usize>,
    samples: usize,
    u: Blocked,
    /// Energy of each stored sample in its own state.
    offset: Vec<f64>,
    /// Position in the caller's order of each stored sample, where the two differ.
    order: Option<Vec<usize>>,
}

impl std::fmt::Debug for ReducedPotentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReducedPotentials").field("states", &self.states).field("n_k", &self.n_k).finish_non_exhaustive()
    }
}

impl ReducedPotentials {
    /// From rows `[k][n]` with the samples in groups: the first `n_k[0]` were drawn from state 0, the next `n_k[1]` from state 1 ...
    ///
    /// Errors: `Inconsistent` lengths, `NoSamples`, `NonFinite`.
    pub fn from_rows<S: AsRef<str>>(states: &[S], n_k: &[usize], u_kn: &[f64]) -> Result<Self, FreeEnergyError> {
        let mut parts = ReducedPotentialsBuilder::new(states, n_k)?.parts;
        let (k, samples, starts) = (states.len(), parts.samples, parts.starts());
        expect("reduced energies (states x samples)", k * samples, u_kn.len())?;
        parts.u.grow(samples);
        for state in 0..k {
            let own = starts[state]..starts[state + 1];
            parts.offset[own.clone()].copy_from_slice(&u_kn[state * samples..][own]);
        }
        let blocks = parts.u.octets.par_chunks_exact_mut(k * OCTETS).zip(parts.offset.par_chunks_exact(BLOCK)).enumerate();
        let sound = blocks.map(|(b, (block, offset))| {
            for (row, values) in block.chunks_exact_mut(OCTETS).zip(u_kn.chunks_exact(samples)) {
                copy_in(row, &values[b * BLOCK..samples.min((b + 1) * BLOCK)]);
            }
            take_off(block, offset)
        });
        match sound.collect::<Vec<bool>>().iter().position(|s| !s) {
            Some(b) => Err(parts.complaint(b)),
            None => Ok(parts),
        }
    }

    /// From one row of K energies for each sample, `[n][k]`, in any order; `origin[n]` is the state that sample n was drawn from.
    ///
    /// Observables given later, and weights handed out, keep the order of these samples.
    /// Errors: `Inconsistent` lengths, an `Argument` origin that is no state, `NoSamples`, `NonFinite`.
    pub fn from_samples<S: AsRef<str>>(states: &[S], origin: &[usize], u_nk: &[f64]) -> Result<Self, FreeEnergyError> {
        let k = states.len();
        expect("reduced energies (samples x states)", origin.len() * k, u_nk.len())?;
        let mut n_k = vec![0; k];
        for (n, &o) in origin.iter().enumerate() {
            *n_k.get_mut(o).ok_or_else(|| FreeEnergyError::Argument { what: format!("sample {n} comes from state {o} of {k}") })? += 1;
        }
        let mut builder = ReducedPotentialsBuilder::new(states, &n_k)?;
        let mut order: Vec<usize> = (0..origin.len()).collect();
        order.sort_by_key(|&n| origin[n]); // stable
        let mixed = order.iter().enumerate().any(|(i, &n)| i != n);
        builder.parts.order = mixed.then(|| order.clone());
        for &n in &order {
            builder.sample(&u_nk[n * k..(n + 1) * k])?;
        }
        builder.finish()
    }

    /// Names of the states.
    pub fn states(&self) -> &[String] {
        &self.states
    }

    /// Samples drawn from each state.
    pub fn n_k(&self) -> &[usize] {
        &self.n_k
    }

    /// Number of samples N.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The state of a name.
    pub fn state(&self, name: &str) -> Option<usize> {
        self.states.iter().position(|s| s == name)
    }

    /// Energies less the sample's energy in its own state.
    pub(super) fn blocked(&self) -> &Blocked {
        &self.u
    }

    /// Energy of each stored sample in its own state, padded to whole blocks with zeros.
    pub(super) fn offsets(&self) -> &[f64] {
        &self.offset
    }

    /// Number of blocks.
    pub(super) fn blocks(&self) -> usize {
        self.samples.div_ceil(BLOCK)
    }

    /// First stored sample of each state, and the end.
    pub(super) fn starts(&self) -> Vec<usize> {
        let mut starts = vec![0];
        starts.extend(self.n_k.iter().scan(0, |sum, n| {
            *sum += n;
            Some(*sum)
        }));
        starts
    }

    /// The caller's position of a stored sample.
    pub(super) fn position(&self, stored: usize) -> usize {
        self.order.as_ref().map_or(stored, |o| o[stored])
    }
}

/// Fills [`ReducedPotentials`] piece by piece, so that nothing else of their size needs to exist.
///
/// Either sample by sample ([`sample`](Self::sample), those of state 0 first) or state by state ([`row`](Self::row)).
#[derive(Clone, Debug)]
pub struct ReducedPotentialsBuilder {
    parts: ReducedPotentials,
    /// Samples given by `sample`.
    filled: usize,
    /// The state that the next of them comes from.
    origin: usize,
    /// Rows given by `row`.
    rows: Vec<bool>,
}

impl ReducedPotentialsBuilder {
    /// Room for `n_k[k]` samples from each state. Errors: `Inconsistent` lengths, two states of one name, `NoSamples`.
    pub fn new<S: AsRef<str>>(states: &[S], n_k: &[usize]) -> Result<Self, FreeEnergyError> {
        expect("numbers of samples (one for each state)", states.len(), n_k.len())?;
        let states: Vec<String> = states.iter().map(|s| s.as_ref().to_owned()).collect();
        let mut names: Vec<&String> = states.iter().collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
            return Err(FreeEnergyError::Argument { what: format!("two states are called {}", twice[0]) });
        }
        let samples = n_k.iter().sum();
        if samples == 0 {
            return Err(FreeEnergyError::NoSamples { what: "the whole set of states".into() });
        }
        let rows = vec![false; states.len()];
        let u = Blocked::reserved(states.len(), samples);
        let offset = vec![0.0; samples.div_ceil(BLOCK) * BLOCK];
        let parts = ReducedPotentials { states, n_k: n_k.to_vec(), samples, u, offset, order: None };
        let mut builder = ReducedPotentialsBuilder { parts, filled: 0, origin: 0, rows };
        builder.skip_empty();
        Ok(builder)
    }

    /// To the first state from `origin` on whose samples are not all given.
    fn skip_empty(&mut self) {
        let mut end: usize = self.parts.n_k[..self.origin].iter().sum();
        while self.origin < self.parts.n_k.len() && end + self.parts.n_k[self.origin] <= self.filled {
            end += self.parts.n_k[self.origin];
            self.origin += 1;
        }
    }

    /// The next sample's energies in all states, `[k]`. Samples of state 0 come first, then those of state 1 ...
    ///
    /// Errors: `Inconsistent` lengths, more samples than there is room for, `NonFinite` values.
    pub fn sample(&mut self, u: &[f64]) -> Result<(), FreeEnergyError> {
        expect("energies of a sample (one for each state)", self.parts.states.len(), u.len())?;
        if self.rows.contains(&true) {
            return Err(FreeEnergyError::Argument { what: "samples after rows: give either".into() });
        }
        let n = self.filled;
        if n == self.parts.samples {
            return Err(FreeEnergyError::Inconsistent { what: "samples".into(), expected: n, found: n + 1 });
        }
        self.parts.u.grow(n + 1);
        let own = u[self.origin];
        self.parts.offset[n] = own;
        let (first, lane) = self.parts.u.place(0, n);
        let mut bad = false;
        for (octets, u) in self.parts.u.octets[first..].chunks_mut(OCTETS).zip(u) {
            let left = u - own;
            bad |= left.is_nan() | (left == f64::NEG_INFINITY);
            octets[0].0[lane] = left;
        }
        if bad {
            return Err(self.parts.complaint(n / BLOCK));
        }
        self.filled += 1;
        self.skip_empty();
        Ok(())
    }

    /// The energies of all samples in one state, `[n]`.
    ///
    /// Errors: `Inconsistent` lengths, no such state.
    pub fn row(&mut self, state: usize, u: &[f64]) -> Result<(), FreeEnergyError> {
        expect("energies of a state (one for each sample)", self.parts.samples, u.len())?;
        if state >= self.rows.len() || self.filled > 0 {
            let what = format!("row {state}: there are {} states and {} samples given already", self.rows.len(), self.filled);
            return Err(FreeEnergyError::Argument { what });
        }
        self.parts.u.grow(self.parts.samples);
        let k = self.parts.u.rows;
        for (block, values) in self.parts.u.octets.chunks_exact_mut(k * OCTETS).zip(u.chunks(BLOCK)) {
            copy_in(&mut block[state * OCTETS..(state + 1) * OCTETS], values);
        }
        self.rows[state] = true;
        Ok(())
    }

    /// The finished set.
    ///
    /// Errors: samples or rows missing (`Inconsistent`), `NonFinite` values.
    pub fn finish(self) -> Result<ReducedPotentials, FreeEnergyError> {
        let ReducedPotentialsBuilder { mut parts, filled, rows, .. } = self;
        if filled == parts.samples {
            return Ok(parts);
        }
        match rows.iter().filter(|r| **r).count() {
            0 => expect("samples", parts.samples, filled)?,
            given => expect("rows (one for each state)", rows.len(), given)?,
        }
        let starts = parts.starts();
        for k in 0..parts.n_k.len() {
            for n in starts[k]..starts[k + 1] {
                parts.offset[n] = parts.u.get(k, n);
            }
        }
        let k = parts.u.rows;
        let blocks = parts.u.octets.par_chunks_exact_mut(k * OCTETS).zip(parts.offset.par_chunks_exact(BLOCK));
        let sound: Vec<bool> = blocks.map(|(block, offset)| take_off(block, offset)).collect();
        match sound.iter().position(|s| !s) {
            Some(b) => Err(parts.complaint(b)),
            None => Ok(parts),
        }
    }
}

/// Up to 64 numbers into the 8 octets of a row.
fn copy_in(row: &mut [Octet], values: &[f64]) {
    for (octet, eight) in row.iter_mut().zip(values.chunks(8)) {
        match <[f64; 8]>::try_from(eight) {
            Ok(all) => octet.0 = all,
            Err(_) => octet.0[..eight.len()].copy_from_slice(eight),
        }
    }
}

/// Subtracts the offsets from all rows of a block; false if a value is then NaN or -inf.
fn take_off(block: &mut [Octet], offset: &[f64]) -> bool {
    let mut bad = false;
    for row in block.chunks_exact_mut(OCTETS) {
        for (octet, offset) in row.iter_mut().zip(offset.chunks_exact(8)) {
            for (u, o) in octet.0.iter_mut().zip(offset) {
                *u -= o;
                bad |= u.is_nan() | (*u == f64::NEG_INFINITY);
            }
        }
    }
    !bad
}

impl ReducedPotentials {
    /// The first unusable value of a block whose offsets are already off.
    fn complaint(&self, block: usize) -> FreeEnergyError {
        let starts = self.starts();
        for n in block * BLOCK..((block + 1) * BLOCK).min(self.samples) {
            let origin = starts.iter().rposition(|s| *s <= n).unwrap_or(0);
            let own = self.offset[n];
            for k in 0..self.states.len() {
                let left = self.u.get(k, n);
                // A finite own energy leaves its mark on nothing else: value = difference + own.
                let (state, value) = if own.is_finite() { (k, left + own) } else { (origin, own) };
                if left.is_nan() || left == f64::NEG_INFINITY {
                    let name = |k: usize| self.states[k].clone();
                    return FreeEnergyError::NonFinite { state: name(state), sample: self.position(n), origin: name(origin), value };
                }
            }
        }
        FreeEnergyError::Argument { what: format!("reduced energies of block {block} are not numbers") }
    }
}

fn expect(what: &str, expected: usize, found: usize) -> Result<(), FreeEnergyError> {
    if expected == found { Ok(()) } else { Err(FreeEnergyError::Inconsistent { what: what.to_owned(), expected, found }) }
}
