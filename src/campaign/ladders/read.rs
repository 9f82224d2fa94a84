//! Reads what a stage on a ladder has stored.

use super::{Observed, OnLadder};
use crate::batch::{Resume, Snapshot};
use crate::campaign::config::{Ladder, Path, Sample, Stage, StageKind};
use crate::campaign::exchange::{GRADIENT, STATE, U_KN};
use crate::campaign::job::Job;
use crate::io::reader;
use crate::path::Traffic;
use crate::{Error, Result};

impl OnLadder {
    /// Reads a stage's frames.
    ///
    /// # Errors
    /// What the readers give; `Error::Run` when there are no frames.
    pub(super) fn read(job: &Job<'_>, stage: &Stage, sample: &Sample, ladder: &Ladder, saved: &Snapshot) -> Result<Self> {
        let dir = job.dir.join(&stage.name.value);
        let Some((files, _)) = reader::Stage::open(&dir)? else {
            return Err(Error::run(format!("{} holds no frames", dir.display()), "`ergodica resume` the run: it was not finished"));
        };
        let states = ladder.states(sample.thermal.value, 1.0, job.resolved.units);
        let exchanged = matches!(stage.kind, StageKind::Exchange(_));
        let (all, draws, k) = (files.header.replicas, files.frames() as usize, states.len());
        let per_copy = if exchanged { k } else { 1 };
        let steps = saved.nested("ensemble")?.u64s("diverged")?;
        let diverged: Vec<(usize, u64)> = steps.iter().enumerate().filter(|(_, s)| **s != u64::MAX).map(|(r, s)| (r, *s)).collect();
        let well: Vec<usize> = (0..all).filter(|r| diverged.iter().all(|(d, _)| d / per_copy != r / per_copy)).collect();
        let place = files.column(STATE)?;
        let state: Vec<Vec<u32>> = well.iter().map(|&r| place[r].iter().map(|s| *s as u32).collect()).collect();
        let mut u = vec![Vec::with_capacity(draws * k); well.len()];
        // a few megabytes at a time
        let block = ((1 << 20) / (all * k).max(1) + 1) as u64;
        let mut first = 0;
        while first < draws as u64 {
            let end = (first + block).min(draws as u64);
            let values = files.values(U_KN, first..end, 0..all)?;
            for frame in values.chunks_exact(all * k) {
                for (kept, &r) in u.iter_mut().zip(&well) {
                    kept.extend_from_slice(&frame[r * k..(r + 1) * k]);
                }
            }
            first = end;
        }
        let gradient = match ladder {
            Ladder::Lambdas(_) => {
                let every = files.column(GRADIENT)?;
                well.iter().map(|&r| every[r].clone()).collect()
            }
            Ladder::Temperatures(_) => Vec::new(),
        };
        let mut columns = Vec::new();
        for column in stage.observe.iter().flat_map(|o| &o.columns).filter(|c| c.value.scalar()) {
            let every = files.column(&column.value.text)?;
            let unit = files.header.columns.iter().find(|c| c.name == column.value.text).and_then(|c| c.unit.clone());
            let values = well.iter().map(|&r| every[r].clone()).collect();
            columns.push(Observed { name: column.value.text.clone(), unit, periodic: column.value.periodic(), values });
        }
        let mut terms = Vec::new();
        for column in files.header.columns.iter().filter(|c| c.name == "terms") {
            for label in &column.labels {
                let every = files.column(&format!("terms.{label}"))?;
                let values = well.iter().map(|&r| every[r].clone()).collect();
                terms.push(Observed { name: format!("energy:{label}"), unit: column.unit.clone(), periodic: false, values });
            }
        }
        let pull = match (&job.resolved.path.as_ref().map(|p| &p.value), ladder) {
            (Some(Path::Umbrella { from, to, stiffness, .. }), Ladder::Lambdas(_)) if from.value != to.value => {
                let way = to.value - from.value;
                Some(1.0 / (2.0 * states[0].beta * stiffness.value * way * way))
            }
            _ => None,
        };
        let traffic = if exchanged {
            let mut traffic = Traffic::new(k, all);
            traffic.load(saved.nested("propagator")?.nested("traffic")?)?;
            Some(traffic)
        } else {
            None
        };
        let learned = if exchanged { Vec::new() } else { learned(saved, &well, k)? };
        let mut read = OnLadder {
            names: ladder.names(job.resolved.units),
            variable: if matches!(ladder, Ladder::Lambdas(_)) { "lambda" } else { "temperature" },
            target: ladder.target(),
            states,
            copies: well.len() / per_copy,
            per_copy,
            draws,
            discard: 0,
            discard_by: String::new(),
            diverged,
            holder: if exchanged { holders(&state, k, draws) } else { Vec::new() },
            state,
            u,
            gradient,
            columns,
            terms,
            pull,
            traffic,
            learned,
            exchanged,
        };
        let every = stage.observe.as_ref().map_or(1, |o| o.every.value);
        (read.discard, read.discard_by) = match sample.discard_steps() {
            Some(steps) => ((steps.div_ceil(every) as usize).min(draws), "declared".to_owned()),
            None => read.detect(),
        };
        Ok(read)
    }
}

fn learned(saved: &Snapshot, well: &[usize], k: usize) -> Result<Vec<(Vec<f64>, bool)>> {
    let (f, settled) = (saved.f64s("learned")?, saved.u64s("settled")?);
    Ok(well.iter().map(|&r| (f[r * k..(r + 1) * k].to_vec(), settled[r] == 1)).collect())
}

/// Which replica of a copy is at each state of each frame.
fn holders(state: &[Vec<u32>], k: usize, draws: usize) -> Vec<Vec<u32>> {
    let mut all = vec![vec![u32::MAX; draws * k]; state.len() / k];
    for (r, states) in state.iter().enumerate() {
        for (draw, s) in states.iter().enumerate() {
            if let Some(slot) = all[r / k].get_mut(draw * k + *s as usize) {
                *slot = r as u32;
            }
        }
    }
    all
}
