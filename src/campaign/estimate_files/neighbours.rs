//! Estimators between neighbouring windows: BAR and exponential averages.

use super::answer::{Answer, Point};
use super::choose::{Chosen, inefficiency, thinned};
use super::doubt;
use super::trouble::{Answered, Trouble, absent, failed};
use crate::Error;
use crate::estimate::{Bar, BarChain, Delta, FreeEnergyError, Warning, Works, bar_chain, exp_forward, exp_reverse};
use crate::io::alchemical::{Leg, Program};

/// Works of the samples of `from` towards `to`, nearly independent.
fn works(leg: &Leg, chosen: &Chosen, from: usize, to: usize) -> Works {
    let mut out = Works::default();
    let mut base = 0;
    for (run, choice) in leg.windows[from].runs.iter().zip(&chosen.windows[from]) {
        if !run.energies.is_empty() {
            let known = |n: usize| [from, to].iter().all(|&k| !run.energies.row(n)[k].is_nan());
            let there: Vec<usize> = choice.after.iter().copied().filter(|&n| known(n)).collect();
            let rows = if there == choice.complete {
                choice.used.clone()
            } else if chosen.thin {
                let series: Vec<f64> = there.iter().map(|&n| run.energies.row(n)[to]).collect();
                thinned(&there, inefficiency(&series))
            } else {
                there
            };
            for n in rows {
                let row = run.energies.row(n);
                out.sample.push(base + n);
                out.work.push(row[to] - row[from]);
            }
        }
        base += run.energies.len();
    }
    out
}

/// Neighbouring sampled states with the works between them.
pub(super) type Links = (Vec<usize>, Vec<(Works, Works)>);

pub(super) fn links(leg: &Leg, chosen: &Chosen) -> Answered<Links> {
    if let Some(complaint) = leg.refused.first() {
        return absent(complaint.what.clone(), complaint.remedy.clone());
    }
    let states = leg.sampled();
    if states.len() < 2 {
        return absent(
            "fewer than two states have samples",
            "give the files of other states too; one state alone: the method mbar with the energies of all states, or exp of a NAMD window",
        );
    }
    let mut all = Vec::new();
    for pair in states.windows(2) {
        let (forward, reverse) = (works(leg, chosen, pair[0], pair[1]), works(leg, chosen, pair[1], pair[0]));
        for (works, from, to) in [(&forward, pair[0], pair[1]), (&reverse, pair[1], pair[0])] {
            if works.work.is_empty() {
                let what = format!("no sample of state {} has its energy in state {}", leg.name(from), leg.name(to));
                return absent(what, "energies of both neighbours are needed; one direction alone: the method exp");
            }
        }
        all.push((forward, reverse));
    }
    Ok((states, all))
}

pub(super) fn named(leg: &Leg, states: &[usize]) -> Vec<Point> {
    states.iter().map(|&s| Point { name: leg.name(s), state: Some(s) }).collect()
}

pub(super) fn bar(leg: &Leg, chosen: &Chosen) -> Answered<Answer> {
    let (states, links) = links(leg, chosen)?;
    let chain = bar_chain(&links).map_err(|(p, why)| between(leg, "BAR", (states[p], states[p + 1]), &why))?;
    Ok(bar_answer(named(leg, &states), &chain))
}

pub(super) fn bar_answer(points: Vec<Point>, chain: &BarChain) -> Answer {
    let warn = |(p, bar): (usize, &Bar)| -> Vec<_> {
        bar.warnings.iter().map(|w| doubt(format!("{} to {}: {}", points[p].name, points[p + 1].name, w.message))).collect()
    };
    let last = points.len() - 1;
    Answer {
        key: "bar".into(),
        label: "BAR".into(),
        f: chain.f_k(),
        covariance: chain.f_k_covariance(),
        n_eff: chain.links.iter().map(|l| l.shared).fold(f64::INFINITY, f64::min),
        ends: (0, last),
        effective: Vec::new(),
        overlap: Vec::new(),
        warnings: chain.links.iter().enumerate().flat_map(warn).collect(),
        points,
        left: Vec::new(),
        redrawn: None,
        decomposition: None,
    }
}

/// An estimator's error about two neighbours.
fn between(leg: &Leg, method: &str, (a, b): (usize, usize), why: &FreeEnergyError) -> Trouble {
    let (a, b) = (leg.name(a), leg.name(b));
    match why {
        FreeEnergyError::Disconnected { shared, .. } => {
            let what = format!("{method}: no overlap between the states {a} and {b}: they share {shared:.1e} effective samples");
            failed(what, "add states between the two or sample longer")
        }
        other if other.is_bad_input() => Trouble::Failed(Error::input(format!("{method}, states {a} and {b}: {other}"), other.remedy())),
        other => failed(format!("{method}, states {a} and {b}: {other}"), other.remedy()),
    }
}

/// Exponential averages between neighbours: one answer from each direction that has samples.
pub(super) fn exponential(leg: &Leg, chosen: &Chosen) -> Answered<Vec<Answer>> {
    if let Some(complaint) = leg.refused.first() {
        return absent(complaint.what.clone(), complaint.remedy.clone());
    }
    let mut answers = Vec::new();
    for (key, label) in [("exp forward", "EXP, from each state to the next"), ("exp reverse", "EXP, from each state to the one before")] {
        let ahead = key == "exp forward";
        let from_to = |pair: &[usize]| if ahead { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
        let states = one_way(leg, chosen, ahead);
        let lists: Vec<Vec<f64>> = states.windows(2).map(from_to).map(|(from, to)| works(leg, chosen, from, to).work).collect();
        if lists.is_empty() || lists.iter().any(Vec::is_empty) {
            continue;
        }
        let mut deltas = Vec::new();
        for (p, work) in lists.iter().enumerate() {
            let delta = if ahead { exp_forward(work) } else { exp_reverse(work) };
            deltas.push(delta.map_err(|why| between(leg, "EXP", (states[p], states[p + 1]), &why))?);
        }
        answers.push(chain_answer(key, label, named(leg, &states), &deltas));
    }
    if answers.is_empty() {
        return absent("no direction in which every state has the energies of its neighbour", "give the files of all windows");
    }
    Ok(answers)
}

/// The sampled states. A window of NAMD says where it goes, so the last one's end is part of the path although nothing is sampled there.
fn one_way(leg: &Leg, chosen: &Chosen, ahead: bool) -> Vec<usize> {
    let mut states = leg.sampled();
    let end = if ahead { states.last().map(|s| (*s, s + 1)) } else { states.first().and_then(|s| Some((*s, s.checked_sub(1)?))) };
    if let Some((from, to)) = end.filter(|(_, to)| leg.program == Program::Namd && *to < leg.states.len())
        && !works(leg, chosen, from, to).work.is_empty()
    {
        states.insert(if ahead { states.len() } else { 0 }, to);
    }
    states
}

/// Independent differences one after the other.
pub(super) fn chain_answer(key: &str, label: &str, points: Vec<Point>, deltas: &[Delta]) -> Answer {
    let k = points.len();
    let (mut f, mut covariance) = (vec![0.0; k], vec![0.0; k * k]);
    let mut variance = vec![0.0; k];
    for (p, delta) in deltas.iter().enumerate() {
        f[p + 1] = f[p] + delta.value;
        variance[p + 1] = variance[p] + delta.stderr * delta.stderr;
    }
    for i in 0..k {
        for j in 0..k {
            covariance[i * k + j] = variance[i.min(j)];
        }
    }
    let warn = |(p, d): (usize, &Delta)| -> Vec<_> {
        d.warnings.iter().map(|w| Warning::new(w.kind, format!("{} to {}: {}", points[p].name, points[p + 1].name, w.message))).collect()
    };
    let warnings = deltas.iter().enumerate().flat_map(warn).collect();
    let n_eff = deltas.iter().map(|d| d.n_eff).fold(f64::INFINITY, f64::min);
    Answer {
        key: key.into(),
        label: label.into(),
        points,
        f,
        covariance,
        n_eff,
        ends: (0, k - 1),
        effective: Vec::new(),
        overlap: Vec::new(),
        warnings,
        left: Vec::new(),
        redrawn: None,
        decomposition: None,
    }
}
