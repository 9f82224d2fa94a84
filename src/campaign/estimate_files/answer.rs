//! What one method says about one leg, and what the samples of each window are worth.

use super::Unit;
use super::beside::Redrawn;
use super::convergence::Convergence;
use super::pulling::Profile;
use crate::estimate::{EntropyEnthalpy, Estimate, Warning, WarningKind, stderr_of};

/// A state in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// Its position among the states of the leg; none for ends that only a quadrature reaches.
    pub state: Option<usize>,
}

/// Free energies of states by one method.
#[derive(Clone, Debug)]
pub struct Answer {
    /// For machines: `mbar`, `bar`, `ti`, `ti natural_cubic`, `exp forward` ...
    pub key: String,
    /// For people.
    pub label: String,
    /// The states, in the order of the path.
    pub points: Vec<Point>,
    /// Free energy of each state relative to the first.
    pub f: Vec<f64>,
    /// Covariance of `f`, `[k][k]`, up to a constant that cancels in differences.
    pub covariance: Vec<f64>,
    /// Effective number of samples behind the total.
    pub n_eff: f64,
    /// First and last of the points that the total is between.
    pub ends: (usize, usize),
    /// Effective number of samples of each point, where the method has them.
    pub effective: Vec<f64>,
    /// Overlap matrix `[i][j]`, where the method has one.
    pub overlap: Vec<f64>,
    /// Doubts.
    pub warnings: Vec<Warning>,
    /// States that the samples do not reach well enough for a number.
    pub left: Vec<Point>,
    /// The same from samples drawn again, where that was asked for.
    pub redrawn: Option<Redrawn>,
    /// Energy and entropy of each point, where that was asked for: f = u - s, all in the unit of f.
    pub decomposition: Option<EntropyEnthalpy>,
}

impl Answer {
    /// Free energy of point j relative to point i, with its standard error.
    pub fn delta(&self, i: usize, j: usize) -> (f64, f64) {
        let k = self.points.len();
        let c = |a: usize, b: usize| self.covariance[a * k + b];
        (self.f[j] - self.f[i], stderr_of(c(i, i) + c(j, j) - 2.0 * c(i, j)))
    }

    /// Between the ends.
    pub fn total(&self) -> (f64, f64) {
        self.delta(self.ends.0, self.ends.1)
    }

    /// The point of a state of the leg.
    pub fn point(&self, state: usize) -> Option<usize> {
        self.points.iter().position(|p| p.state == Some(state))
    }
}

/// What the samples of one state are worth.
#[derive(Clone, Debug)]
pub struct WindowRow {
    /// Position among the states of the leg.
    pub state: usize,
    /// Its name.
    pub name: String,
    /// Its lambdas.
    pub lambdas: Vec<f64>,
    /// Samples with gradients, after the discard.
    pub gradients: usize,
    /// Samples left out because the gradient is missing.
    pub gradients_missing: usize,
    /// Statistical inefficiency of the gradient.
    pub g_gradient: f64,
    /// Mean gradient of each component that moves, in kT, with standard error.
    pub mean_gradient: Vec<(f64, f64)>,
    /// Samples with energies, after the discard.
    pub energies: usize,
    /// Samples left out because a needed energy is missing.
    pub energies_missing: usize,
    /// Statistical inefficiency of the energy difference to the next state.
    pub g_energy: f64,
    /// Samples of energies that are used.
    pub used: usize,
    /// First draw of equilibrium, counted from 0 after the discard, where its detection was asked for; of several runs the last.
    pub equilibrated: Option<usize>,
}

/// One leg, analysed.
#[derive(Clone, Debug, Default)]
pub struct LegAnalysis {
    /// Its name, where there are several.
    pub name: Option<String>,
    /// Where the data come from: "GROMACS, 5 files".
    pub source: String,
    /// K; none for arrays.
    pub temperature: Option<f64>,
    /// Names of the states in order.
    pub states: Vec<String>,
    /// Names of the components that move.
    pub components: Vec<String>,
    /// The states that have samples.
    pub windows: Vec<WindowRow>,
    /// One a method.
    pub answers: Vec<Answer>,
    /// Forward and reverse work in kT, where that is what was given.
    pub works: Option<(Vec<f64>, Vec<f64>)>,
    /// Free-energy profile along a pulled coordinate, where that was asked for.
    pub profile: Option<Profile>,
    /// Answers from growing parts of the data, where they were asked for.
    pub convergence: Vec<Convergence>,
    /// How many of the states, the last ones, are perturbed: known by energies of the samples alone, and no part of the path.
    pub perturbed: usize,
}

/// States up to which every pair is an estimate of its own; of more, neighbours and pairs with the first are.
const ALL_PAIRS: usize = 64;

impl LegAnalysis {
    pub(super) fn scale(&mut self, factor: f64) {
        self.answers.iter_mut().for_each(|a| a.scale(factor));
        self.convergence.iter_mut().for_each(|c| c.scale(factor));
        self.profile.iter_mut().for_each(|p| p.scale(factor));
    }

    /// Whether a state is no part of the path.
    pub(super) fn is_perturbed(&self, state: usize) -> bool {
        state + self.perturbed >= self.states.len()
    }

    /// The whole, without a name, the neighbours along the path as they are counted, and perturbed states against the initial one.
    pub(super) fn steps(&self, answer: &Answer) -> Vec<(usize, usize, String)> {
        let mut all = vec![(answer.ends.0, answer.ends.1, String::new())];
        for j in 1..answer.points.len() {
            let Some(b) = answer.points[j].state else { continue };
            let i = if self.is_perturbed(b) { answer.ends.0 } else { j - 1 };
            if let Some(a) = answer.points[i].state {
                all.push((i, j, format!("[{a},{b}]")));
            }
        }
        all
    }

    fn stage(&self, key: &str) -> String {
        self.name.as_ref().map_or(key.to_owned(), |name| format!("{name}/{key}"))
    }

    fn condition(&self, e: &mut Estimate, method: &str) {
        if let Some(t) = self.temperature {
            e.conditions.insert("temperature".into(), format!("{t} K").into());
        }
        if let Some(name) = &self.name {
            e.conditions.insert("leg".into(), name.clone().into());
        }
        e.conditions.insert("method".into(), method.into());
    }

    /// The profile, bin by bin.
    pub(super) fn profile_estimates(&self, unit: Unit) -> Vec<Estimate> {
        let Some(profile) = &self.profile else { return Vec::new() };
        let bin = |b: usize| {
            let (value, stderr) = profile.f[b];
            let mut e = if value.is_nan() {
                Estimate::missing(format!("pmf[{b}]"), WarningKind::NotVisited, "no trajectory came here")
            } else {
                Estimate::new(format!("pmf[{b}]"), value, stderr, f64::NAN)
            };
            e.stage = self.stage("pmf");
            e.unit = Some(unit.name().to_owned());
            self.condition(&mut e, "pmf");
            e.coords = vec![("z".into(), profile.z[b])];
            e
        };
        (0..profile.z.len()).map(bin).collect()
    }

    /// g, sample numbers, equilibration and mean gradients of every window.
    pub(super) fn window_estimates(&self) -> Vec<Estimate> {
        let mut all = Vec::new();
        for w in &self.windows {
            let mut put = |quantity: String, value: f64, stderr: f64, n_eff: f64, unit: Option<&str>| {
                let mut e = Estimate::new(quantity, value, stderr, n_eff);
                e.stage = self.stage("windows");
                e.unit = unit.map(str::to_owned);
                self.condition(&mut e, "windows");
                e.conditions.insert("state".into(), w.name.clone().into());
                e.coords = vec![("state".into(), w.state as f64)];
                all.push(e);
            };
            let k = w.state;
            if w.energies > 0 {
                put(format!("g_energy[{k}]"), w.g_energy, f64::NAN, w.energies as f64 / w.g_energy, None);
                put(format!("samples[{k}]"), w.used as f64, 0.0, w.used as f64, None);
            }
            if let Some(start) = w.equilibrated {
                put(format!("equilibrated[{k}]"), start as f64, f64::NAN, f64::NAN, None);
            }
            if w.gradients > 0 {
                let n_eff = w.gradients as f64 / w.g_gradient;
                put(format!("g_gradient[{k}]"), w.g_gradient, f64::NAN, n_eff, None);
                for (c, (value, stderr)) in w.mean_gradient.iter().enumerate() {
                    put(format!("du_dlambda[{k},{c}]"), *value, *stderr, n_eff, Some("kT"));
                }
            }
        }
        all
    }
}

/// delta_f of pairs and of the whole, f, effective numbers and overlap.
pub(super) fn delta_estimates(leg: &LegAnalysis, answer: &Answer, unit: Unit) -> Vec<Estimate> {
    let k = answer.points.len();
    let mut all = Vec::new();
    let finish = |mut e: Estimate, unit: Option<&str>, coords: &[(&str, usize)]| {
        e.stage = leg.stage(&answer.key);
        e.unit = unit.map(str::to_owned);
        let mut conditions = std::mem::take(&mut e.conditions);
        leg.condition(&mut e, &answer.key);
        e.conditions.append(&mut conditions);
        e.coords = coords.iter().map(|(name, v)| ((*name).to_owned(), *v as f64)).collect();
        e
    };
    let between = |quantity: String, i: usize, j: usize| {
        let (value, stderr) = answer.delta(i, j);
        let mut e = Estimate::new(quantity, value, stderr, answer.n_eff);
        e.conditions.insert("from".into(), answer.points[i].name.clone().into());
        e.conditions.insert("to".into(), answer.points[j].name.clone().into());
        e
    };
    let (first, last) = answer.ends;
    let mut whole = between("delta_f".to_owned(), first, last);
    whole.warnings = answer.warnings.clone();
    all.push(finish(whole, Some(unit.name()), &[]));
    for i in 0..k {
        for j in i + 1..k {
            let (Some(a), Some(b)) = (answer.points[i].state, answer.points[j].state) else { continue };
            if k <= ALL_PAIRS || i == first || j == i + 1 {
                all.push(finish(between(format!("delta_f[{a},{b}]"), i, j), Some(unit.name()), &[("i", a), ("j", b)]));
            }
        }
    }
    // Of a state that was asked about and is not reached the answer is that there is none.
    for (point, a) in answer.left.iter().filter_map(|p| Some((p, p.state.filter(|&s| leg.is_perturbed(s))?))) {
        let from = answer.points[first].state.unwrap_or(0);
        let why = format!("fewer than 50 effective samples reach {}: put a sampled state near it", point.name);
        let mut e = Estimate::missing(format!("delta_f[{from},{a}]"), WarningKind::PoorOverlap, why);
        e.conditions.insert("from".into(), answer.points[first].name.clone().into());
        e.conditions.insert("to".into(), point.name.clone().into());
        all.push(finish(e, Some(unit.name()), &[("i", from), ("j", a)]));
    }
    for (i, n) in answer.effective.iter().enumerate() {
        if let Some(a) = answer.points[i].state {
            let mut e = Estimate::new(format!("n_eff[{a}]"), *n, 0.0, *n);
            e.conditions.insert("state".into(), answer.points[i].name.clone().into());
            all.push(finish(e, None, &[("i", a)]));
        }
    }
    for (i, j, name) in leg.steps(answer) {
        let of = |p: usize| answer.points[p].state.unwrap_or(0);
        let coords: &[(&str, usize)] = if name.is_empty() { &[] } else { &[("i", of(i)), ("j", of(j))] };
        let step = |name: &str, value: f64, stderr: f64| {
            let mut e = Estimate::new(name, value, stderr, answer.n_eff);
            e.conditions.insert("from".into(), answer.points[i].name.clone().into());
            e.conditions.insert("to".into(), answer.points[j].name.clone().into());
            e
        };
        if let Some(both) = &answer.decomposition {
            for (part, of) in [("u", &both.u), ("s", &both.s)] {
                let (value, stderr) = of.difference(i, j);
                all.push(finish(step(&format!("delta_{part}{name}"), value, stderr), Some(unit.name()), coords));
            }
        }
        if let Some(redrawn) = &answer.redrawn {
            let (stderr, [low, high]) = redrawn.error(i, j);
            let mut e = step(&format!("delta_f{name}"), answer.delta(i, j).0, stderr);
            e.conditions.insert("interval_95".into(), serde_json::json!([low, high]));
            e.conditions.insert("resamples".into(), redrawn.how.replicates.into());
            e.conditions.insert("block".into(), redrawn.how.block.into());
            e.conditions.insert("seed".into(), redrawn.how.seed.into());
            let mut e = finish(e, Some(unit.name()), coords);
            e.stage = leg.stage(&format!("{} bootstrap", answer.key));
            e.conditions.insert("method".into(), format!("{} bootstrap", answer.key).into());
            all.push(e);
        }
    }
    for (at, value) in answer.overlap.iter().enumerate() {
        if let (Some(a), Some(b)) = (answer.points[at / k].state, answer.points[at % k].state) {
            all.push(finish(Estimate::new(format!("overlap[{a},{b}]"), *value, f64::NAN, answer.n_eff), None, &[("i", a), ("j", b)]));
        }
    }
    all
}
