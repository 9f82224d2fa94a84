//! Free-energy surfaces in any state of a fit, and weights of resampled data for everything else.

use super::super::free_energy_error::FreeEnergyError;
use super::super::surface::{Axis, Surface, bin_of};
use super::super::value::{Warning, WarningKind};
use super::Mbar;
use super::bootstrap::{Bootstrap, Resampled};
use crate::real::Real;
use crate::stream::{Purpose, Root};

/// Bins whose covariance with the lowest is worked out together.
const CHUNK: usize = 31;

impl Mbar<'_> {
    /// Free-energy surface of one or two coordinates in a state, by histogram over the samples of all states.
    ///
    ///   p_b = sum_n W_n,state [x_n in b],   F_b = -kT ln(p_b / p_min)
    ///
    /// Each bin is a state of its own (the state's energy inside, +inf outside), so that errors, correlated ones included, come from
    /// the covariance of the fit. `columns`: coordinates `[axis][n]` in the order in which the samples were given; `kt` in the unit
    /// wanted for F. Unvisited bins are NaN with count 0. Warns for bins with fewer than 5 effective samples.
    /// Errors: a state that is not there, not one or two axes, lengths, values that are not finite, no sample within the axes.
    /// Source: Shirts and Ferguson, J. Chem. Theory Comput. 16, 4107 (2020).
    pub fn surface(&self, state: usize, columns: &[&[f64]], axes: &[Axis], kt: f64) -> Result<Surface, FreeEnergyError> {
        if state >= self.f_k.len() {
            return Err(FreeEnergyError::Argument { what: format!("there is no state {state} of {}", self.f_k.len()) });
        }
        if !(1..=2).contains(&axes.len()) {
            return Err(FreeEnergyError::Argument { what: format!("one or two coordinates, not {}", axes.len()) });
        }
        if columns.len() != axes.len() {
            return Err(FreeEnergyError::Inconsistent { what: "columns".into(), expected: axes.len(), found: columns.len() });
        }
        let samples = self.u.samples();
        for column in columns {
            if column.len() != samples {
                return Err(FreeEnergyError::Inconsistent {
                    what: "values of a coordinate".into(),
                    expected: samples,
                    found: column.len(),
                });
            }
            if let Some(index) = column.iter().position(|v| !v.is_finite()) {
                return Err(FreeEnergyError::NotANumber { what: "a coordinate", index, value: column[index] });
            }
        }
        for axis in axes {
            Axis::new(axis.low, axis.high, axis.bins, axis.periodic)?;
        }
        let bins: usize = axes.iter().map(|a| a.bins).product();
        let bin: Vec<Option<usize>> = (0..samples).map(|n| bin_of(axes, |k| columns[k][n])).collect();
        let weights: Vec<f64> = self.log_weights(state).into_iter().map(Real::exp).collect();
        let (origin, energy) = self.origins_and_energies(state);
        let (mut count, mut population, mut seen) = (vec![0u64; bins], vec![0.0; bins], vec![0u64; bins * self.sampled.len()]);
        for (n, b) in bin.iter().enumerate() {
            if let Some(b) = *b {
                count[b] += 1;
                population[b] += weights[n];
                seen[b * self.sampled.len() + origin[n]] += 1;
            }
        }
        let visitors: Vec<u32> = seen.chunks_exact(self.sampled.len()).map(|s| s.iter().filter(|c| **c > 0).count() as u32).collect();
        let visited: Vec<usize> = (0..bins).filter(|&b| population[b] > 0.0).collect();
        let mut lowest =
            *visited.first().ok_or_else(|| FreeEnergyError::Argument { what: "no sample lies within the axes of the surface".into() })?;
        for &b in &visited {
            if population[b] > population[lowest] {
                lowest = b;
            }
        }
        let inside =
            |b: usize| -> Vec<f64> { bin.iter().zip(&energy).map(|(at, u)| if *at == Some(b) { *u } else { f64::INFINITY }).collect() };
        let (mut free_energy, mut stderr, mut population_stderr) = (vec![f64::NAN; bins], vec![f64::NAN; bins], vec![f64::NAN; bins]);
        let mut thin = 0;
        for chunk in visited.chunks(CHUNK) {
            let rows: Vec<Vec<f64>> = std::iter::once(&lowest).chain(chunk).map(|b| inside(*b)).collect();
            let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
            let states = self.perturbed(&rows)?;
            for (l, &b) in chunk.iter().enumerate() {
                let from_lowest = states.delta(0, l + 1);
                free_energy[b] = kt * from_lowest.value;
                stderr[b] = kt * from_lowest.stderr;
                population_stderr[b] = population[b] * states.from_state(state, l + 1).stderr;
                thin += usize::from(states.n_eff[l + 1] < 5.0);
            }
        }
        free_energy[lowest] = 0.0;
        stderr[lowest] = 0.0;
        let mut warnings = self.warnings.clone();
        if thin > 0 {
            let message = format!("{thin} bins rest on fewer than 5 effective samples: their errors are not to be relied on");
            warnings.push(Warning::new(WarningKind::FewReplicas, message));
        }
        let (total, inside) = (samples as u64, count.iter().sum::<u64>());
        if inside < total {
            warnings.push(Warning::new(WarningKind::Outside, format!("{} of {total} samples lie outside the axes", total - inside)));
        }
        Ok(Surface {
            axes: axes.to_vec(),
            count,
            visitors,
            population,
            population_stderr,
            free_energy,
            stderr,
            lowest,
            outside: total - inside,
            total,
            groups: self.sampled.len(),
            warnings,
        })
    }

    /// Position among the sampled states of each sample's own state, and its energy in `state`, in the order of the samples.
    fn origins_and_energies(&self, state: usize) -> (Vec<usize>, Vec<f64>) {
        let (samples, starts) = (self.u.samples(), self.u.starts());
        let (mut origin, mut energy) = (vec![0; samples], vec![0.0; samples]);
        for (i, &k) in self.sampled.iter().enumerate() {
            for n in starts[k]..starts[k + 1] {
                let at = self.u.position(n);
                origin[at] = i;
                energy[at] = self.u.blocked().get(state, n) + self.u.offsets()[n];
            }
        }
        (origin, energy)
    }

    /// ln of the weight of every sample in a state after a resampling of [`bootstrap`](Self::bootstrap), in the order in which the
    /// samples were given: -inf for those that were not drawn.
    ///
    ///   W_n = c_n exp(f_state - u_state(n)) / sum_j N_j exp(f_j - u_j(n)),   c_n: how often n was drawn, f: of the resample
    ///
    /// `how` must be what `resampled` was made with.
    ///
    /// # Panics
    /// When there is no such state or replicate.
    pub fn resampled_log_weights(&self, how: &Bootstrap, resampled: &Resampled, replicate: usize, state: usize) -> Vec<f64> {
        let stream = Root::new(how.seed, "bootstrap", "").stream(0, Purpose::Estimate);
        let counts = self.draw(stream, replicate, how.block);
        let f = &resampled.f[replicate * resampled.states..(replicate + 1) * resampled.states];
        let u = self.u.blocked();
        let mut out = vec![f64::NEG_INFINITY; self.u.samples()];
        for n in 0..out.len() {
            let c = counts[n / 8].0[n % 8];
            if c == 0.0 {
                continue;
            }
            let terms: Vec<f64> = self.sampled.iter().zip(&self.n).map(|(&k, n_k)| Real::ln(*n_k) + f[k] - u.get(k, n)).collect();
            let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = terms.iter().map(|t| Real::exp(t - most)).sum();
            out[self.u.position(n)] = Real::ln(c) + f[state] - u.get(state, n) - most - Real::ln(sum);
        }
        out
    }
}
