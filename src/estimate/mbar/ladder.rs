//! Which states overlap, and free energies along the strongest overlaps: where Newton's method starts.

use super::super::bar::{Bar, bar_unjudged};
use super::super::free_energy_error::FreeEnergyError;
use super::super::reduced::ReducedPotentials;
use crate::real::Real;

/// Samples of a state that rank a pair; the tree's own differences use more.
const RANK: usize = 128;
/// Samples of a state for the difference along an edge of the tree.
const CLIMB: usize = 4096;
/// Two states that share fewer effective samples than this say nothing about each other.
const NOTHING: f64 = 1e-6;

/// Free energies (of the sampled states, that of the first 0) by BAR along a spanning tree of greatest overlap.
///
/// Errors: `Disconnected` with the groups of states when no tree holds them together.
pub(super) fn ladder(u: &ReducedPotentials, sampled: &[usize]) -> Result<Vec<f64>, FreeEnergyError> {
    let s = sampled.len();
    let mut score = vec![f64::NEG_INFINITY; s * s];
    for i in 0..s {
        for j in 0..i {
            if let Some(bar) = pair(u, sampled[j], sampled[i], RANK) {
                score[i * s + j] = Real::ln(bar.shared);
                score[j * s + i] = score[i * s + j];
            }
        }
    }
    let mut f = vec![0.0; s];
    let mut group: Vec<usize> = (0..s).collect();
    let mut weakest = 0.0f64;
    for (parent, child) in spanning_tree(&score, s) {
        let edge = match pair(u, sampled[parent], sampled[child], CLIMB) {
            Some(bar) if bar.shared >= NOTHING => Some((parent, child, bar)),
            // The thinned samples saw nothing: ask every pair across the cut, with all samples.
            _ => strongest(u, sampled, &group, group[parent], group[child]),
        };
        if let Some((i, j, bar)) = edge {
            weakest = weakest.max(if bar.shared < NOTHING { bar.shared } else { 0.0 });
            if bar.shared >= NOTHING {
                let (from, to) = (group[i], group[j]);
                let shift = f[i] + bar.delta_f - f[j];
                for k in 0..s {
                    if group[k] == to {
                        f[k] += shift;
                        group[k] = from;
                    }
                }
            }
        }
    }
    if group.iter().any(|g| *g != group[0]) {
        let mut groups: Vec<(usize, Vec<String>)> = Vec::new();
        for (k, g) in group.iter().enumerate() {
            let name = u.states()[sampled[k]].clone();
            match groups.iter_mut().find(|(id, _)| id == g) {
                Some((_, names)) => names.push(name),
                None => groups.push((*g, vec![name])),
            }
        }
        return Err(FreeEnergyError::Disconnected { groups: groups.into_iter().map(|g| g.1).collect(), shared: weakest });
    }
    let first = f[0];
    f.iter_mut().for_each(|v| *v -= first);
    Ok(f)
}

/// BAR between two states on at most `most` evenly spaced samples of each; `None` where it has no root.
fn pair(u: &ReducedPotentials, i: usize, j: usize, most: usize) -> Option<Bar> {
    bar_unjudged(&work(u, i, j, most), &work(u, j, i, most)).ok()
}

/// u_to - u_from on samples of `from` (whose own energy is the offset, hence 0).
fn work(u: &ReducedPotentials, from: usize, to: usize, most: usize) -> Vec<f64> {
    let (start, n) = (u.starts()[from], u.n_k()[from]);
    let m = n.min(most);
    (0..m).map(|i| u.blocked().get(to, start + i * n / m)).collect()
}

/// The pair that shares most, one state in each group, on all samples.
fn strongest(u: &ReducedPotentials, sampled: &[usize], group: &[usize], a: usize, b: usize) -> Option<(usize, usize, Bar)> {
    let mut best: Option<(usize, usize, Bar)> = None;
    for i in (0..group.len()).filter(|i| group[*i] == a) {
        for j in (0..group.len()).filter(|j| group[*j] == b) {
            if let Some(bar) = pair(u, sampled[i], sampled[j], usize::MAX)
                && best.as_ref().is_none_or(|(_, _, known)| bar.shared > known.shared)
            {
                best = Some((i, j, bar));
            }
        }
    }
    best
}

/// Edges (inside, outside) of a spanning tree of greatest total score, strongest first from the first node (Prim).
pub(super) fn spanning_tree(score: &[f64], n: usize) -> Vec<(usize, usize)> {
    let mut inside = vec![false; n];
    inside[0] = true;
    let mut best: Vec<(f64, usize)> = (0..n).map(|j| (score[j], 0)).collect();
    let mut edges = Vec::with_capacity(n - 1);
    for _ in 1..n {
        let mut next = usize::MAX;
        for j in (0..n).filter(|j| !inside[*j]) {
            if next == usize::MAX || best[j].0 > best[next].0 {
                next = j;
            }
        }
        edges.push((best[next].1, next));
        inside[next] = true;
        for j in 0..n {
            if !inside[j] && score[next * n + j] > best[j].0 {
                best[j] = (score[next * n + j], next);
            }
        }
    }
    edges
}
