//! Estimators on arrays: reduced energies, work values, series. Values are taken as independent.

use super::answer::{Answer, LegAnalysis, Point, WindowRow};
use super::beside::{Beside, block_of};
use super::choose::inefficiency;
use super::convergence::{Parts, converging};
use super::multistate::mbar_answer;
use super::neighbours::{Links, bar_answer, chain_answer};
use super::pulling::profile;
use super::work::work;
use super::{Analysis, Discard, Method, Request};
use crate::estimate::{
    Bootstrap, Delta, FreeEnergyError, MbarOptions, ReducedPotentials, Series, Works, bar_chain, detect_equilibration, exp_forward,
    exp_reverse, mbar,
};
use crate::io::alchemical::arrays::{Arrays, read_arrays};
use crate::{Error, Result};
use std::path::PathBuf;

/// Everything the method asks of arrays.
pub(super) fn analyse(request: &Request, files: &[PathBuf], out: &mut Analysis) -> Result<LegAnalysis> {
    if request.discard != Discard::Nothing {
        let name = request.asked.name("discard");
        let what = format!("{name} with arrays: samples of several states stand in them one after the other, without times");
        return Err(Error::input(what, "cut the arrays before"));
    }
    let arrays = read_arrays(files)?;
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    let mut leg = match (&arrays, request.method) {
        (Arrays::Potentials { perturbed, .. }, Method::Bar | Method::Exp) if !perturbed.is_empty() => {
            let what = format!("u_ln, energies in perturbed states, and `{}`, which has no answer for them", request.method.name());
            return Err(Error::input(what, "use mbar, or leave u_ln out"));
        }
        (Arrays::Potentials { states, n_k, u_kn, perturbed }, Method::All | Method::Bar | Method::Mbar | Method::Exp) => {
            let mut set = Set { states: states.clone(), n_k: n_k.clone(), u_kn: u_kn.clone(), perturbed: 0 };
            set.perturb(perturbed);
            potentials(request, &set, out)?
        }
        (Arrays::Work { forward, reverse }, Method::Work | Method::All | Method::Bar | Method::Exp) => {
            work(request, forward, reverse, out)?
        }
        (Arrays::Pulling(pulled), Method::Pmf) => profile(request, pulled, out)?,
        (Arrays::Series(series), Method::Timeseries) => timeseries(series)?,
        (Arrays::Work { forward, reverse }, Method::Timeseries) => {
            let mut series = vec![("w_f".to_owned(), forward.clone())];
            if !reverse.is_empty() {
                series.push(("w_r".to_owned(), reverse.clone()));
            }
            timeseries(&series)?
        }
        (held, method) => {
            let holds = match held {
                Arrays::Potentials { .. } => "reduced energies, which allow all, mbar, bar and exp",
                Arrays::Work { .. } => "work values, which allow work, bar, exp and timeseries",
                Arrays::Pulling(_) => "pulled trajectories, which allow pmf",
                Arrays::Series(_) => "series, which allow timeseries",
            };
            return Err(Error::input(format!("{}: no `{}` of {holds}", names.join(", "), method.name()), "choose one of these methods"));
        }
    };
    leg.source = names.join(", ");
    leg.temperature = request.temperature;
    Ok(leg)
}

/// Statistical inefficiency from which samples are not independent any more.
const CORRELATED: f64 = 1.5;

/// What to say of samples of arrays, which are taken as independent, when they are not.
pub(super) fn correlated(name: &str, g: f64, redrawn: bool) -> Option<String> {
    let advice = if redrawn { "trust the bootstrap, whose blocks know of it" } else { "thin them" };
    (g > CORRELATED).then(|| {
        format!("samples of {name} are correlated (g = {g:.1}) if they stand in the order of time, and the errors count each: {advice}")
    })
}

/// Reduced energies; perturbed states are states without samples, the last ones.
struct Set {
    states: Vec<String>,
    n_k: Vec<usize>,
    u_kn: Vec<f64>,
    perturbed: usize,
}

impl Set {
    fn perturb(&mut self, u_ln: &[f64]) {
        let samples: usize = self.n_k.iter().sum();
        for (l, row) in u_ln.chunks_exact(samples.max(1)).enumerate() {
            self.states.push(format!("perturbed {l}"));
            self.n_k.push(0);
            self.u_kn.extend_from_slice(row);
            self.perturbed += 1;
        }
    }

    /// Samples of arrays are taken as independent; says where they are not.
    fn correlated(&self, redrawn: bool) -> Option<String> {
        let worst = (0..self.n_k.len()).filter_map(|k| Some((k, self.inefficiency(k)?))).max_by(|a, b| a.1.total_cmp(&b.1))?;
        correlated(&self.states[worst.0], worst.1, redrawn)
    }

    /// Statistical inefficiency of a state's energies, relative to a neighbour's; none for values that are not finite or too few.
    fn inefficiency(&self, k: usize) -> Option<f64> {
        let (samples, start) = (self.n_k.iter().sum::<usize>(), self.n_k[..k].iter().sum::<usize>());
        let other = if k + 1 < self.n_k.len() { k + 1 } else { k.saturating_sub(1) };
        let series: Vec<f64> = (start..start + self.n_k[k]).map(|s| self.u_kn[other * samples + s] - self.u_kn[k * samples + s]).collect();
        (series.len() > 1 && series.iter().all(|v| v.is_finite())).then(|| inefficiency(&series))
    }

    /// Length of blocks that keep the correlation of consecutive samples of a state.
    fn block(&self) -> usize {
        let blocks = (0..self.n_k.len()).filter_map(|k| Some(block_of(self.inefficiency(k)?, self.n_k[k])));
        blocks.fold(1, usize::max)
    }
}

fn potentials(request: &Request, set: &Set, out: &mut Analysis) -> Result<LegAnalysis> {
    let (method, Set { states, n_k, u_kn, perturbed }) = (request.method, set);
    if states.len() < 2 {
        return Err(Error::input("one state has no difference of free energies", "give energies at other states too"));
    }
    let u = ReducedPotentials::from_rows(states, n_k, u_kn)?;
    out.warnings.extend(set.correlated(request.bootstrap.is_some()));
    let points: Vec<Point> = states.iter().enumerate().map(|(k, name)| Point { name: name.clone(), state: Some(k) }).collect();
    let mut answers: Vec<Answer> = Vec::new();
    let mut attempt = |name: &str, result: Result<Vec<Answer>>| -> Result<()> {
        match result {
            Ok(more) => answers.extend(more),
            Err(error @ Error::Diagnostics { .. }) if method == Method::All => out.failed.push(format!("no {name}: {error}")),
            Err(error) => return Err(error),
        }
        Ok(())
    };
    if matches!(method, Method::All | Method::Bar) {
        attempt("BAR", chain(states, n_k, u_kn, &points))?;
    }
    if matches!(method, Method::All | Method::Mbar) {
        let bootstrap = request.bootstrap.map(|b| Bootstrap { replicates: b.replicates, seed: b.seed, block: set.block() });
        let beside = Beside { bootstrap, entropy: request.entropy };
        let fit = mbar(&u, &MbarOptions::default()).and_then(|fit| mbar_answer(&points, n_k, &fit, &beside));
        attempt("MBAR", fit.map(|answer| vec![answer]).map_err(Error::from))?;
    }
    if method == Method::Exp {
        attempt("EXP", exponential(n_k, u_kn, &points))?;
    }
    let parts = |key: &str| match key {
        "bar" => Some(Parts::of_links(pairs(n_k, u_kn).ok()?.1)),
        "mbar" => {
            let (own, samples) = (n_k.len() - perturbed, n_k.iter().sum::<usize>());
            let u_nk = (0..samples).flat_map(|n| (0..own).map(move |k| k * samples + n)).map(|at| u_kn[at]).collect();
            Some(Parts::of_samples(n_k[..own].to_vec(), u_nk))
        }
        _ => None,
    };
    let convergence = converging(&mut answers, request.convergence, parts, out);
    let windows = (0..n_k.len()).filter(|&k| n_k[k] > 0).map(|k| row(k, &states[k], n_k[k], 1.0, None)).collect();
    Ok(LegAnalysis { states: states.clone(), windows, answers, convergence, perturbed: *perturbed, ..LegAnalysis::default() })
}

/// A row of energies that are all used.
pub(super) fn row(state: usize, name: &str, n: usize, g: f64, equilibrated: Option<usize>) -> WindowRow {
    WindowRow {
        state,
        name: name.to_owned(),
        lambdas: Vec::new(),
        gradients: 0,
        gradients_missing: 0,
        g_gradient: 1.0,
        mean_gradient: Vec::new(),
        energies: n,
        energies_missing: 0,
        g_energy: g,
        used: n,
        equilibrated,
    }
}

/// Works between sampled neighbours.
fn pairs(n_k: &[usize], u_kn: &[f64]) -> Result<Links> {
    let sampled: Vec<usize> = (0..n_k.len()).filter(|&k| n_k[k] > 0).collect();
    if sampled.len() < 2 {
        return Err(Error::input("fewer than two states have samples", "give samples of other states too"));
    }
    let total: usize = n_k.iter().sum();
    let start = |k: usize| n_k[..k].iter().sum::<usize>();
    let works = |from: usize, to: usize| Works {
        sample: (0..n_k[from]).collect(),
        work: (start(from)..start(from) + n_k[from]).map(|n| u_kn[to * total + n] - u_kn[from * total + n]).collect(),
    };
    let links = sampled.windows(2).map(|w| (works(w[0], w[1]), works(w[1], w[0]))).collect();
    Ok((sampled, links))
}

fn chain(states: &[String], n_k: &[usize], u_kn: &[f64], points: &[Point]) -> Result<Vec<Answer>> {
    let (sampled, links) = pairs(n_k, u_kn)?;
    let chain = bar_chain(&links).map_err(|(p, why)| match why {
        FreeEnergyError::Disconnected { shared, .. } => Error::Diagnostics {
            what: format!(
                "BAR: no overlap between the states {} and {}: they share {shared:.1e} effective samples",
                states[sampled[p]],
                states[sampled[p + 1]]
            ),
            remedy: "add states between the two or sample longer".into(),
        },
        other => other.into(),
    })?;
    Ok(vec![bar_answer(sampled.iter().map(|&k| points[k].clone()).collect(), &chain)])
}

fn exponential(n_k: &[usize], u_kn: &[f64], points: &[Point]) -> Result<Vec<Answer>> {
    let (sampled, links) = pairs(n_k, u_kn)?;
    let points: Vec<Point> = sampled.iter().map(|&k| points[k].clone()).collect();
    let forward: std::result::Result<Vec<Delta>, _> = links.iter().map(|(f, _)| exp_forward(&f.work)).collect();
    let reverse: std::result::Result<Vec<Delta>, _> = links.iter().map(|(_, r)| exp_reverse(&r.work)).collect();
    Ok(vec![
        chain_answer("exp forward", "EXP, from each state to the next", points.clone(), &forward?),
        chain_answer("exp reverse", "EXP, from each state to the one before", points, &reverse?),
    ])
}

fn timeseries(series: &[(String, Vec<f64>)]) -> Result<LegAnalysis> {
    let mut windows = Vec::new();
    for (k, (name, values)) in series.iter().enumerate() {
        if let Some(n) = values.iter().position(|v| !v.is_finite()) {
            return Err(Error::input(format!("value {n} of {name} is {}", values[n]), "leave damaged values out"));
        }
        let equilibrated = detect_equilibration(Series::single(values)).ok().map(|e| e.start);
        windows.push(row(k, name, values.len(), inefficiency(values), equilibrated));
    }
    Ok(LegAnalysis { states: series.iter().map(|s| s.0.clone()).collect(), windows, ..LegAnalysis::default() })
}
