//! What the samples of each window are worth, and their gradients.

use super::answer::WindowRow;
use super::choose::{Chosen, RunChoice};
use crate::io::alchemical::{Leg, Run};

/// One row for each state with samples.
pub(super) fn windows(leg: &Leg, chosen: &Chosen) -> Vec<WindowRow> {
    let mut rows = Vec::new();
    for state in leg.sampled() {
        let (runs, choices) = (&leg.windows[state].runs, &chosen.windows[state]);
        let (draws, g_gradient) = gradients(runs, choices, &chosen.moving);
        let n = draws.len() / chosen.moving.len().max(1);
        let mean_gradient = (0..chosen.moving.len())
            .map(|c| {
                let column: Vec<f64> = draws.iter().skip(c).step_by(chosen.moving.len()).copied().collect();
                let mean = column.iter().sum::<f64>() / n as f64;
                let squares: f64 = column.iter().map(|v| (v - mean) * (v - mean)).sum();
                (mean, (g_gradient * squares / (n as f64 - 1.0) / n as f64).sqrt())
            })
            .collect();
        let count = |of: fn(&RunChoice) -> usize| choices.iter().map(of).sum::<usize>();
        let (complete, effective) =
            choices.iter().fold((0.0, 0.0), |(n, e), c| (n + c.complete.len() as f64, e + c.complete.len() as f64 / c.g_energy));
        rows.push(WindowRow {
            state,
            name: leg.name(state),
            lambdas: chosen.moving.iter().map(|&c| leg.states[state][c]).collect(),
            gradients: n,
            gradients_missing: count(|c| c.gradients_missing),
            g_gradient,
            mean_gradient: if n == 0 { Vec::new() } else { mean_gradient },
            energies: count(|c| c.after.len()),
            energies_missing: count(|c| c.after.len() - c.complete.len()),
            g_energy: if effective > 0.0 { complete / effective } else { 1.0 },
            used: count(|c| c.used.len()),
            equilibrated: choices.iter().filter_map(|c| c.equilibrated).max(),
        });
    }
    rows
}

/// Gradients of all runs, `[draw][moving component]`, and the inefficiency of them together.
pub(super) fn gradients(runs: &[Run], choices: &[RunChoice], moving: &[usize]) -> (Vec<f64>, f64) {
    let mut draws = Vec::new();
    let (mut n, mut effective) = (0.0, 0.0);
    for (run, choice) in runs.iter().zip(choices) {
        for &row in &choice.gradients {
            draws.extend(moving.iter().map(|&c| run.gradients.row(row)[c]));
        }
        n += choice.gradients.len() as f64;
        effective += choice.gradients.len() as f64 / choice.g_gradient;
    }
    (draws, if effective > 0.0 { n / effective } else { 1.0 })
}
