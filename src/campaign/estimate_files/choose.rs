//! Which samples are used: after the discard, complete, nearly independent.

use super::{Discard, Method, Request};
use crate::estimate::{Series, Spacing, detect_equilibration, statistical_inefficiency, subsample};
use crate::io::alchemical::{Clock, Leg, Run};
use crate::{Error, Result};

/// The choice for every run of every window of a leg.
pub(super) struct Chosen {
    /// Components that differ between sampled states.
    pub(super) moving: Vec<usize>,
    /// States whose energies every sample has: those that MBAR can treat.
    pub(super) columns: Vec<usize>,
    /// `[state][run]`.
    pub(super) windows: Vec<Vec<RunChoice>>,
    /// Whether energies are thinned.
    pub(super) thin: bool,
}

/// The choice for one run.
pub(super) struct RunChoice {
    /// Rows with gradients.
    pub(super) gradients: Vec<usize>,
    /// Rows left out because a gradient is missing.
    pub(super) gradients_missing: usize,
    /// Inefficiency of the summed gradient; 1 without subsampling.
    pub(super) g_gradient: f64,
    /// Rows of energies after the discard.
    pub(super) after: Vec<usize>,
    /// Rows with energies in all of `columns`.
    pub(super) complete: Vec<usize>,
    /// Inefficiency of the energy difference to the neighbour; 1 without subsampling.
    pub(super) g_energy: f64,
    /// The rows that are used where all energies are needed.
    pub(super) used: Vec<usize>,
    /// First draw of equilibrium of the energy difference, or of the gradient.
    pub(super) equilibrated: Option<usize>,
}

pub(super) fn choose(leg: &Leg, request: &Request) -> Result<Chosen> {
    let (discard, thin, detect, asked) = (request.discard, request.subsample, request.method == Method::Timeseries, request.asked);
    if matches!(discard, Discard::Picoseconds(_)) && leg.clock == Clock::Steps {
        let name = asked.name("discard");
        let what = format!("{name} as a time: {} files count steps and do not say how long one is", leg.program);
        return Err(Error::input(what, format!("give a number of samples: {}", asked.set("discard", "500 samples"))));
    }
    let sampled = leg.sampled();
    let moving: Vec<usize> =
        (0..leg.components.len()).filter(|&c| sampled.iter().any(|&k| leg.states[k][c] != leg.states[sampled[0]][c])).collect();
    let runs: Vec<&Run> = sampled.iter().flat_map(|&k| &leg.windows[k].runs).collect();
    let columns: Vec<usize> = (0..leg.states.len())
        .filter(|&k| {
            let has_samples = !leg.windows[k].runs.is_empty();
            runs.iter().all(|r| !r.energies.is_empty() && if has_samples { r.has(k) } else { r.whole(k) })
        })
        .collect();
    let mut windows = Vec::with_capacity(leg.states.len());
    for (state, window) in leg.windows.iter().enumerate() {
        let mut choices = Vec::with_capacity(window.runs.len());
        for run in &window.runs {
            choices.push(one(run, state, (&moving, &columns), discard, (thin, detect)));
        }
        windows.push(choices);
    }
    let chosen = Chosen { moving, columns, windows, thin };
    if chosen.windows.iter().flatten().all(|c| c.gradients.is_empty() && c.after.is_empty()) {
        return Err(Error::input(format!("{} {} leaves no samples", asked.name("discard"), discard.text()), "discard less"));
    }
    Ok(chosen)
}

fn one(run: &Run, state: usize, (moving, columns): (&[usize], &[usize]), discard: Discard, (thin, detect): (bool, bool)) -> RunChoice {
    let kept = |times: &[f64]| -> Vec<usize> {
        match discard {
            Discard::Nothing => (0..times.len()).collect(),
            Discard::Samples(n) => (n.min(times.len())..times.len()).collect(),
            Discard::Picoseconds(t) => (0..times.len()).filter(|&n| times[n] >= run.begin + t).collect(),
        }
    };
    let all = kept(&run.gradients.time);
    let gradients: Vec<usize> = all.iter().copied().filter(|&n| moving.iter().all(|&c| run.gradients.row(n)[c].is_finite())).collect();
    let sums: Vec<f64> = gradients.iter().map(|&n| moving.iter().map(|&c| run.gradients.row(n)[c]).sum()).collect();
    let after = kept(&run.energies.time);
    let complete: Vec<usize> = after.iter().copied().filter(|&n| columns.iter().all(|&k| !run.energies.row(n)[k].is_nan())).collect();
    let differences = neighbour(run, state, &complete);
    let g_gradient = if thin { inefficiency(&sums) } else { 1.0 };
    let g_energy = match &differences {
        Some(series) if thin => inefficiency(series),
        None if thin => one_way(run, state, &after).unwrap_or(g_gradient),
        _ => 1.0,
    };
    let used = thinned(&complete, g_energy);
    let series = differences.unwrap_or(sums);
    let equilibrated = if detect { detect_equilibration(Series::single(&series)).ok().map(|e| e.start) } else { None };
    RunChoice { gradients_missing: all.len() - gradients.len(), gradients, g_gradient, after, complete, g_energy, used, equilibrated }
}

/// Energy difference to the next state, else to the one before, else to any that is there, in the rows given.
pub(super) fn neighbour(run: &Run, state: usize, rows: &[usize]) -> Option<Vec<f64>> {
    let width = run.energies.width;
    let order = [state + 1].into_iter().chain(state.checked_sub(1)).chain(0..width);
    for k in order.filter(|&k| k < width && k != state) {
        let series: Vec<f64> = rows.iter().map(|&n| run.energies.row(n)[k]).collect();
        if !series.is_empty() && series.iter().all(|v| v.abs() < 1e150) {
            return Some(series);
        }
    }
    None
}

/// The larger inefficiency of the two directions where no sample has both energies.
fn one_way(run: &Run, state: usize, rows: &[usize]) -> Option<f64> {
    let near = [Some(state + 1), state.checked_sub(1)];
    let series = |k: usize| -> Vec<f64> { rows.iter().map(|&n| run.energies.row(n)[k]).filter(|v| v.abs() < 1e150).collect() };
    near.into_iter().flatten().filter(|&k| k < run.energies.width).map(|k| inefficiency(&series(k))).reduce(f64::max)
}

/// Statistical inefficiency; 1 for series too short or too constant to have one.
pub(super) fn inefficiency(series: &[f64]) -> f64 {
    statistical_inefficiency(Series::single(series)).map_or(1.0, |i| i.g)
}

/// Rows about g apart.
pub(super) fn thinned(rows: &[usize], g: f64) -> Vec<usize> {
    match subsample(rows.len(), g, Spacing::Average) {
        Ok(kept) => kept.into_iter().map(|i| rows[i]).collect(),
        Err(_) => rows.to_vec(),
    }
}
