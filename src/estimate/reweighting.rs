//! Averages at temperatures between and beside those that were sampled.

use super::free_energy_error::FreeEnergyError;
use super::jackknife::{Groups, jackknife};
use super::mbar::{MbarOptions, mbar};
use super::reduced::ReducedPotentials;
use super::series::{Series, Unusable, range};
use super::stability::Measured;
use super::surface::effective;
use super::value::{Warning, WarningKind, stderr_of};
use crate::real::Real;

/// Fewer effective draws than this at a temperature: a warning.
const TRUSTED: f64 = 50.0;

/// What is known at one inverse temperature; each pair is a value and its standard error.
#[derive(Clone, Debug, PartialEq)]
pub struct Reweighted {
    /// Inverse temperature.
    pub beta: f64,
    /// `-ln Z(beta)` relative to the temperature that was sampled (the first of several).
    pub f: Measured,
    /// Mean energy.
    pub energy: Measured,
    /// `beta^2 (<E^2> - <E>^2)`.
    pub heat_capacity: Measured,
    /// Mean of each observable.
    pub observables: Vec<Measured>,
    /// Effective number of draws behind it.
    pub n_eff: f64,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

fn thin(n_eff: f64, beta: f64) -> Option<Warning> {
    (n_eff < TRUSTED).then(|| {
        let message = format!("beta = {beta} is out of reach: the weights leave {n_eff:.1} effective draws; sample nearer to it");
        Warning::new(WarningKind::NotCovered, message)
    })
}

/// Single-histogram reweighting: averages at other inverse temperatures from a run at `beta`.
///
///   \<A\>_beta' = \<A e^-(beta' - beta) E\> / \<e^-(beta' - beta) E\>,   f(beta') - f(beta) = -ln \<e^-(beta' - beta) E\>
///
/// Errors by leaving out one replica at a time (or one of about 32 blocks, if replicas are fewer than 16), freed of the bias of order 1/groups.
/// `observables`: series of the same shape as `energy`. Warns below 50 effective draws.
/// Errors: fewer than 8 draws, shapes that differ, values or betas that are not finite, constant energies.
/// Source: Ferrenberg and Swendsen, Phys. Rev. Lett. 61, 2635 (1988).
pub fn reweight(energy: Series<'_>, beta: f64, observables: &[Series<'_>], wanted: &[f64]) -> Result<Vec<Reweighted>, Unusable> {
    energy.check_varying("reweighting (draws)", 8)?;
    for series in observables {
        if (series.replicas, series.draws) != (energy.replicas, energy.draws) {
            return Err(Unusable::Shape { what: "draws of an observable", expected: energy.values.len(), found: series.values.len() });
        }
        series.check("reweighting (draws)", 8)?;
    }
    if let Some(bad) = std::iter::once(&beta).chain(wanted).find(|b| !b.is_finite()) {
        return Err(Unusable::Argument(format!("an inverse temperature is {bad}")));
    }
    let groups = Groups::of(energy.replicas, energy.draws, &[energy]);
    let (low, high) = range(energy.values);
    wanted
        .iter()
        .map(|&to| {
            // the largest weight is 1; energies count from the end that weighs most
            let origin = if to >= beta { low } else { high };
            let weights: Vec<f64> = energy.values.iter().map(|e| Real::exp(-(to - beta) * (e - origin))).collect();
            let width = 3 + observables.len();
            let mut means = Vec::new();
            for r in 0..energy.replicas {
                let skip = energy.draws - groups.per_replica * groups.length;
                for g in 0..groups.per_replica {
                    let from = r * energy.draws + skip + g * groups.length;
                    let mut sums = vec![0.0; width];
                    for (i, w) in weights.iter().enumerate().skip(from).take(groups.length) {
                        let e = energy.values[i] - origin;
                        sums[0] += w;
                        sums[1] += w * e;
                        sums[2] += w * e * e;
                        for (sum, series) in sums[3..].iter_mut().zip(observables) {
                            *sum += w * series.values[i];
                        }
                    }
                    means.extend(sums.iter().map(|s| s / groups.length as f64));
                }
            }
            let of = |f: &dyn Fn(&[f64]) -> f64| jackknife(&means, width, f).map(|j| (j.value, j.stderr));
            let capacity = |m: &[f64]| to * to * (m[2] / m[0] - m[1] / m[0] * (m[1] / m[0]));
            let (f, e) = (of(&|m| -Real::ln(m[0]))?, of(&|m| m[1] / m[0])?);
            let n_eff = effective(&weights);
            let mut warnings = groups.warnings.clone();
            warnings.extend(thin(n_eff, to));
            Ok(Reweighted {
                beta: to,
                f: (f.0 + (to - beta) * origin, f.1),
                energy: (e.0 + origin, e.1),
                heat_capacity: of(&capacity)?,
                observables: (0..observables.len()).map(|k| of(&|m| m[3 + k] / m[0])).collect::<Result<_, _>>()?,
                n_eff,
                warnings,
            })
        })
        .collect()
}

/// Multiple-histogram reweighting without bins: averages at any inverse temperatures from runs at several, by MBAR.
///
/// `energies[k]`: independent draws at `betas[k]`; `observables`: `[observable][draw]`, draws of all runs in turn. Errors come from the
/// covariance of the fit. Warns below 50 effective draws, and where the runs hardly overlap.
/// Errors: lengths, no draws, values that are not finite, `Disconnected` runs.
/// Source: Ferrenberg and Swendsen, Phys. Rev. Lett. 63, 1195 (1989); Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008).
pub fn reweight_many(
    betas: &[f64],
    energies: &[&[f64]],
    observables: &[&[f64]],
    wanted: &[f64],
) -> Result<Vec<Reweighted>, FreeEnergyError> {
    if energies.len() != betas.len() {
        return Err(FreeEnergyError::Inconsistent { what: "lists of energies".into(), expected: betas.len(), found: energies.len() });
    }
    let all: Vec<f64> = betas.iter().chain(wanted).copied().collect();
    if let Some(bad) = all.iter().find(|b| !b.is_finite()) {
        return Err(FreeEnergyError::Argument { what: format!("an inverse temperature is {bad}") });
    }
    let drawn: Vec<f64> = energies.concat();
    if let Some(index) = drawn.iter().position(|e| !e.is_finite()) {
        return Err(FreeEnergyError::NotANumber { what: "the energies", index, value: drawn[index] });
    }
    // states are called by their inverse temperature; one asked for twice, or sampled too, has its place in the name
    let names: Vec<String> = all
        .iter()
        .enumerate()
        .map(|(k, b)| if all[..k].contains(b) { format!("beta = {b} (number {k})") } else { format!("beta = {b}") })
        .collect();
    let n_k: Vec<usize> = energies.iter().map(|e| e.len()).chain(wanted.iter().map(|_| 0)).collect();
    let u: Vec<f64> = all.iter().flat_map(|b| drawn.iter().map(move |e| b * e)).collect();
    let u = ReducedPotentials::from_rows(&names, &n_k, &u)?;
    let fit = mbar(&u, &MbarOptions::default())?;
    let n_eff = fit.effective_sample_numbers();
    let middle = drawn.iter().sum::<f64>() / drawn.len() as f64;
    let (first, second): (Vec<f64>, Vec<f64>) = drawn.iter().map(|e| (e - middle, (e - middle) * (e - middle))).unzip();
    let rows: Vec<&[f64]> = [first.as_slice(), &second].into_iter().chain(observables.iter().copied()).collect();
    let sampled = energies.iter().position(|e| !e.is_empty()).unwrap_or(0);
    wanted
        .iter()
        .enumerate()
        .map(|(k, &beta)| {
            let state = betas.len() + k;
            let pairs: Vec<(usize, usize)> = (0..rows.len()).map(|a| (state, a)).collect();
            let found = fit.expectations(&pairs, &rows)?;
            let cov = |a: usize, b: usize| found.covariance[a * rows.len() + b];
            let (e, e2) = (found.value[0], found.value[1]);
            let variance = cov(1, 1) - 4.0 * e * cov(0, 1) + 4.0 * e * e * cov(0, 0);
            let f = fit.delta(sampled, state);
            let mut warnings = fit.warnings().to_vec();
            warnings.extend(thin(n_eff[state], beta));
            Ok(Reweighted {
                beta,
                f: (f.value, f.stderr),
                energy: (e + middle, found.stderr(0)),
                heat_capacity: (beta * beta * (e2 - e * e), beta * beta * stderr_of(variance)),
                observables: (2..rows.len()).map(|a| (found.value[a], found.stderr(a))).collect(),
                n_eff: n_eff[state],
                warnings,
            })
        })
        .collect()
}
