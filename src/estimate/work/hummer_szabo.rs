//! Free-energy profile along a pulled coordinate, from one or both directions.

use super::super::bar::bar;
use super::super::free_energy_error::FreeEnergyError;
use super::super::series::sum_of;
use super::super::surface::Axis;
use super::super::value::{Warning, WarningKind};
use crate::real::Real;

/// Trajectories pulled by one protocol, `[trajectory][slice]`; slice 0 is the equilibrium start.
#[derive(Clone, Copy, Debug)]
pub struct Pulls<'a> {
    /// The coordinate.
    pub z: &'a [f64],
    /// Work in kT done on the system (bias included) up to and with the change to the slice's protocol value; 0 at slice 0.
    pub work: &'a [f64],
    /// Slices of each trajectory, the start included.
    pub slices: usize,
}

/// A free-energy profile from pulling.
#[derive(Clone, Debug, PartialEq)]
pub struct PullingProfile {
    /// Bins of the coordinate.
    pub axis: Axis,
    /// Free energy of the unbiased system in kT, 0 at the lowest bin; NaN where no trajectory came.
    pub free_energy: Vec<f64>,
    /// Standard error relative to the lowest bin, by leaving out groups of trajectories; NaN where none came. Among bins that are
    /// about equally low the lowest is a chance pick: for differences between given bins use [`delta`](Self::delta).
    pub stderr: Vec<f64>,
    /// Free energy of the biased system at each slice relative to the first, in kT.
    pub slices: Vec<f64>,
    /// Index of the lowest bin.
    pub lowest: usize,
    /// Doubts.
    pub warnings: Vec<Warning>,
    /// Profiles without each group of trajectories, `[group][bin]`.
    without: Vec<Vec<f64>>,
}

impl PullingProfile {
    /// Free energy of bin j relative to bin i, and its standard error; NaN where no trajectory came, or too few for an error.
    pub fn delta(&self, i: usize, j: usize) -> (f64, f64) {
        let each: Vec<f64> = self.without.iter().map(|f| f[j] - f[i]).collect();
        let g = each.len() as f64;
        let middle = sum_of(&each) / g;
        let squares = sum_of(&each.iter().map(|v| (v - middle) * (v - middle)).collect::<Vec<_>>());
        (self.free_energy[j] - self.free_energy[i], ((g - 1.0) / g * squares).sqrt())
    }
}

/// Free-energy profile of the unbiased system from pulling with a moving bias.
///
///   G(z) = -ln { sum_t [<delta(z - z_t) e^-w_t> / <e^-w_t>] / sum_t [e^-V(z,t) / <e^-w_t>] },   <.> = sum_i omega_i (.)
///   one direction: omega = 1/N;   both: omega_i = 1 / (N_F + N_R e^-(W_i - dF)), dF by Bennett's acceptance ratio
///
/// With both directions a reverse trajectory enters as its conjugate: read backwards, w_t = -W_R + w_R(end - t).
/// `bias(z, t)`: V(z, t) in kT of forward slice t, taken at the middle of a bin, so bins must be narrow against the bias.
/// `reverse` has as many slices as `forward`, in the order it was run: from the last protocol value to the first.
/// Errors: no or one trajectory, lengths that do not fit, values that are not finite, no draw on the axis, those of [`bar`].
/// Warns where weights of the last slice rest on few trajectories.
/// Source: Hummer and Szabo, PNAS 98, 3658 (2001); Minh and Adib, Phys. Rev. Lett. 100, 180602 (2008).
pub fn hummer_szabo(
    forward: Pulls<'_>,
    reverse: Option<Pulls<'_>>,
    bias: impl Fn(f64, usize) -> f64,
    axis: Axis,
) -> Result<PullingProfile, FreeEnergyError> {
    let axis = Axis::new(axis.low, axis.high, axis.bins, axis.periodic)?;
    let slices = forward.slices;
    let n_f = forward.trajectories("forward")?;
    let mut paths = Paths { slices, bin: Vec::new(), work: Vec::new(), omega: vec![1.0 / n_f as f64; n_f] };
    paths.extend(&forward, &axis, false);
    if let Some(back) = reverse {
        let n_r = back.trajectories("reverse")?;
        if back.slices != slices {
            let what = "slices of the reverse trajectories".into();
            return Err(FreeEnergyError::Inconsistent { what, expected: slices, found: back.slices });
        }
        let total = |p: &Pulls<'_>| -> Vec<f64> { p.work.iter().skip(slices - 1).step_by(slices).copied().collect() };
        let (w_f, w_r) = (total(&forward), total(&back));
        let delta = bar(&w_f, &w_r)?.delta_f;
        paths.extend(&back, &axis, true);
        let of = |w: f64| 1.0 / (n_f as f64 + n_r as f64 * Real::exp(delta - w));
        paths.omega = w_f.iter().map(|w| of(*w)).chain(w_r.iter().map(|w| of(-w))).collect();
    } else if n_f < 2 {
        return Err(FreeEnergyError::Inconsistent { what: "forward trajectories, at least".into(), expected: 2, found: n_f });
    }
    if paths.bin.iter().all(Option::is_none) {
        return Err(FreeEnergyError::Argument { what: "no slice of any trajectory lies on the axis of the profile".into() });
    }
    let biases: Vec<f64> = (0..axis.bins * slices).map(|k| bias(axis.centre(k / slices), k % slices)).collect();
    if let Some(k) = biases.iter().position(|v| v.is_nan() || *v == f64::NEG_INFINITY) {
        let what = format!("the bias at {} in slice {} is {}", axis.centre(k / slices), k % slices, biases[k]);
        return Err(FreeEnergyError::Argument { what });
    }
    Ok(paths.profile(axis, &biases))
}

impl Pulls<'_> {
    fn trajectories(&self, which: &str) -> Result<usize, FreeEnergyError> {
        let whole = self.z.len() == self.work.len() && self.slices > 0 && self.z.len().is_multiple_of(self.slices.max(1));
        if !whole {
            let what = format!("coordinates and work of the {which} trajectories (trajectories x {} slices)", self.slices);
            return Err(FreeEnergyError::Inconsistent {
                what,
                expected: self.z.len().next_multiple_of(self.slices.max(1)),
                found: self.work.len(),
            });
        }
        if self.z.is_empty() {
            return Err(FreeEnergyError::NoSamples { what: format!("the list of {which} trajectories") });
        }
        for (what, values) in [("the pulled coordinate", self.z), ("the work of pulling", self.work)] {
            if let Some(index) = values.iter().position(|v| !v.is_finite()) {
                return Err(FreeEnergyError::NotANumber { what, index, value: values[index] });
            }
        }
        Ok(self.z.len() / self.slices)
    }
}

/// Trajectories in forward order with their weights as paths.
struct Paths {
    slices: usize,
    /// `[path][slice]`; none beyond the axis.
    bin: Vec<Option<usize>>,
    /// `[path][slice]`.
    work: Vec<f64>,
    omega: Vec<f64>,
}

impl Paths {
    fn extend(&mut self, pulls: &Pulls<'_>, axis: &Axis, conjugate: bool) {
        for (z, w) in pulls.z.chunks_exact(self.slices).zip(pulls.work.chunks_exact(self.slices)) {
            if conjugate {
                let total = w[self.slices - 1];
                self.bin.extend(z.iter().rev().map(|z| axis.bin(*z)));
                self.work.extend(w.iter().rev().map(|w| w - total));
            } else {
                self.bin.extend(z.iter().map(|z| axis.bin(*z)));
                self.work.extend_from_slice(w);
            }
        }
    }

    fn profile(&self, axis: Axis, biases: &[f64]) -> PullingProfile {
        let (paths, slices) = (self.omega.len(), self.slices);
        // e^-w_t less its largest in each slice, which cancels between numerator and denominator
        let least: Vec<f64> = (0..slices).map(|t| (0..paths).map(|i| self.work[i * slices + t]).fold(f64::INFINITY, f64::min)).collect();
        let groups = paths.min(50);
        let mut sums = vec![Sums::new(axis.bins, slices); groups];
        let (mut last, mut last_squares) = (0.0, 0.0);
        for i in 0..paths {
            // paths of both directions in every group
            let sum = &mut sums[i % groups];
            sum.omega += self.omega[i];
            for (t, least) in least.iter().enumerate() {
                let weight = self.omega[i] * Real::exp(least - self.work[i * slices + t]);
                sum.slice[t] += weight;
                if let Some(b) = self.bin[i * slices + t] {
                    sum.bin[b * slices + t] += weight;
                }
                if t + 1 == slices {
                    last += weight;
                    last_squares += weight * weight;
                }
            }
        }
        let mut all = Sums::new(axis.bins, slices);
        sums.iter().for_each(|s| all.add(s));
        let whole = all.free_energies(biases, &least);
        let mut lowest = 0;
        for b in 1..axis.bins {
            // a NaN is never lower
            if whole[b] < whole[lowest] || whole[lowest].is_nan() {
                lowest = b;
            }
        }
        // summed afresh: what only one group has seen is then exactly nothing
        let without: Vec<Vec<f64>> = (0..groups)
            .map(|left_out| {
                let mut rest = Sums::new(axis.bins, slices);
                sums.iter().enumerate().filter(|(k, _)| *k != left_out).for_each(|(_, s)| rest.add(s));
                rest.free_energies(biases, &least)
            })
            .collect();
        let mut warnings = Vec::new();
        let n_eff = last * last / last_squares;
        if n_eff < 10.0 {
            let message = format!(
                "the average over the last slice rests on {n_eff:.1} effective trajectories of {paths}: pull more slowly or add reverse ones"
            );
            warnings.push(Warning::new(WarningKind::HeavyTail, message));
        }
        let slices = (0..slices).map(|t| least[t] - Real::ln(all.slice[t] / all.omega)).collect();
        let free_energy = whole.iter().map(|f| f - whole[lowest]).collect();
        let mut profile = PullingProfile { axis, free_energy, stderr: Vec::new(), slices, lowest, warnings, without };
        profile.stderr = (0..axis.bins).map(|b| profile.delta(lowest, b).1).collect();
        let alone = profile.stderr.iter().zip(&profile.free_energy).filter(|(e, f)| e.is_nan() && !f.is_nan()).count();
        if alone > 0 {
            let message = format!("{alone} bins were entered by one trajectory or group of them only: they have no error");
            profile.warnings.push(Warning::new(WarningKind::FewReplicas, message));
        }
        profile
    }
}

/// Weighted sums over paths.
#[derive(Clone)]
struct Sums {
    omega: f64,
    /// `<e^-w_t>` by slice.
    slice: Vec<f64>,
    /// `<delta(z - z_t) e^-w_t>`, `[bin][slice]`.
    bin: Vec<f64>,
}

impl Sums {
    fn new(bins: usize, slices: usize) -> Self {
        Sums { omega: 0.0, slice: vec![0.0; slices], bin: vec![0.0; bins * slices] }
    }

    fn add(&mut self, other: &Sums) {
        self.omega += other.omega;
        self.slice.iter_mut().zip(&other.slice).for_each(|(a, b)| *a += b);
        self.bin.iter_mut().zip(&other.bin).for_each(|(a, b)| *a += b);
    }

    /// G of each bin; NaN where nothing came.
    fn free_energies(&self, biases: &[f64], least: &[f64]) -> Vec<f64> {
        let slices = self.slice.len();
        self.bin
            .chunks_exact(slices)
            .zip(biases.chunks_exact(slices))
            .map(|(here, bias)| {
                let (mut above, mut below) = (0.0, 0.0);
                for t in 0..slices {
                    above += here[t] / self.slice[t];
                    // e^-V / <e^-w_t> with the slice's own scale put back
                    below += Real::exp(least[t] - bias[t]) * self.omega / self.slice[t];
                }
                if above > 0.0 { Real::ln(below) - Real::ln(above) } else { f64::NAN }
            })
            .collect()
    }
}
