//! The parts of one transformation put together: states along the path, samples of each, in kT.

use super::lines::few;
use super::states::{States, path, permuted};
use super::{Asked, Clock, GAS_CONSTANT, Lambdas, Part, Program, Table, state_name};
use crate::error::Complaint;
use crate::{Error, Result};

/// Kelvin: temperatures that differ by more are different.
const SAME_TEMPERATURE: f64 = 0.01;

/// A transformation between two end states, as simulated. Energies in kT at `temperature`.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Whose files.
    pub program: Program,
    /// Temperature in K.
    pub temperature: f64,
    /// What times count.
    pub clock: Clock,
    /// Names of the lambda components.
    pub components: Vec<String>,
    /// All states, sampled or not, in the order of the path: from small to large lambdas where these rise together (from large to small
    /// where that is how the files number them), else as in the input.
    pub states: Vec<Lambdas>,
    /// Samples of each state; states that nobody sampled have no runs.
    pub windows: Vec<Window>,
    /// Why energies of some files cannot be used.
    pub refused: Vec<Complaint>,
    /// What a reader of the results should know.
    pub notes: Vec<String>,
}

/// All samples of one state.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Independent simulations, each a time series.
    pub runs: Vec<Run>,
}

/// A time series sampled from one state, in kT.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Files it comes from.
    pub files: Vec<String>,
    /// First time of the simulation that the run is from.
    pub begin: f64,
    /// du/dlambda `[n][component]`; empty without.
    pub gradients: Table,
    /// u_k - u_sampled for every state of the leg, `[n][K]`; NaN: the file has no such column. Empty without.
    pub energies: Table,
    /// u_sampled (with pV), one for each row of `energies`; empty: not known.
    pub base: Vec<f64>,
    /// Whether `base` is all of u_sampled, and not pV alone: what a split into energy and entropy needs.
    pub totals: bool,
}

impl Leg {
    /// Puts parts together. `temperature` is what the user says, needed where the files do not.
    ///
    /// Times that several parts of one simulation cover count once. Parts that cover the same times with other values are independent
    /// simulations of the same state. Errors: parts of different programs, components or temperatures; no temperature.
    pub fn new(parts: Vec<Part>, temperature: Option<f64>) -> Result<Leg> {
        Leg::asked(parts, temperature, Asked::CommandLine)
    }

    /// The same, with messages in the words of who asks.
    ///
    /// Errors: as [`Leg::new`].
    pub(crate) fn asked(parts: Vec<Part>, temperature: Option<f64>, asked: Asked) -> Result<Leg> {
        let Some(first) = parts.first() else {
            return Err(Error::input("no files", "name the files to analyse"));
        };
        let (program, clock, components) = (first.program, first.clock, first.components.clone());
        for part in &parts {
            same_kind(first, part, asked)?;
        }
        let temperature = common_temperature(&parts, temperature, asked)?;
        let states = path(&parts);
        let mut notes: Vec<String> = parts.iter().flat_map(|p| p.notes.iter().cloned()).collect();
        let refused: Vec<Complaint> = parts.iter().filter_map(|p| p.refused.clone()).collect();
        let beta = 1.0 / (GAS_CONSTANT * temperature);
        let series: Vec<Series> = parts.into_iter().map(|p| Series::new(p, &states, &components, beta)).collect();
        let mut windows: Vec<Window> = states.list().iter().map(|_| Window::default()).collect();
        for series in chains(series, &mut notes) {
            for (state, run) in series.by_state() {
                windows[state as usize].runs.push(run);
            }
        }
        Ok(Leg { program, temperature, clock, components, states: states.list().to_vec(), windows, refused, notes })
    }

    /// A state in words.
    pub fn name(&self, state: usize) -> String {
        state_name(&self.components, &self.states[state])
    }

    /// States that have samples, in order.
    pub fn sampled(&self) -> Vec<usize> {
        (0..self.states.len()).filter(|&k| !self.windows[k].runs.is_empty()).collect()
    }

    /// Whether every sample has its energy in every state that was sampled: what MBAR needs.
    pub fn complete(&self) -> bool {
        let sampled = self.sampled();
        let runs = sampled.iter().flat_map(|&k| &self.windows[k].runs);
        self.refused.is_empty() && runs.clone().all(|r| !r.energies.is_empty() && sampled.iter().all(|&k| r.has(k)))
    }
}

impl Run {
    /// Whether energies of state k are there at all.
    pub fn has(&self, k: usize) -> bool {
        (0..self.energies.len()).any(|n| !self.energies.row(n)[k].is_nan())
    }

    /// Whether every sample has its energy in state k.
    pub fn whole(&self, k: usize) -> bool {
        (0..self.energies.len()).all(|n| !self.energies.row(n)[k].is_nan())
    }
}

fn same_kind(first: &Part, part: &Part, asked: Asked) -> Result<()> {
    let legs = || format!("give each leg of its own: {}", asked.legs());
    if part.program != first.program {
        let what = format!("{} is {}'s and {} is {}'s", first.file, first.program, part.file, part.program);
        return Err(Error::input(what, legs()));
    }
    let mut names = (first.components.clone(), part.components.clone());
    names.0.sort();
    names.1.sort();
    if names.0 != names.1 {
        let what = format!(
            "the files have different lambdas: {} in {}, {} in {}",
            few(&first.components),
            first.file,
            few(&part.components),
            part.file
        );
        return Err(Error::input(what, legs()));
    }
    Ok(())
}

fn common_temperature(parts: &[Part], given: Option<f64>, asked: Asked) -> Result<f64> {
    let known: Vec<(f64, &str)> = parts.iter().filter_map(|p| Some((p.temperature?, p.file.as_str()))).collect();
    if let Some(&(other, file)) = known.iter().find(|(t, _)| (t - known[0].0).abs() > SAME_TEMPERATURE) {
        let what = format!("different temperatures: {} K in {} and {other} K in {file}", known[0].0, known[0].1);
        let remedy = "free energies between states of different temperatures need another method; leave the odd files out";
        return Err(Error::input(what, remedy));
    }
    let found = match (given, known.first()) {
        (Some(given), Some(&(found, file))) if (given - found).abs() > SAME_TEMPERATURE => {
            let name = asked.name("temperature");
            return Err(Error::input(format!("{name} says {given} K and {file} says {found} K"), format!("leave {name} out")));
        }
        (Some(given), _) => given,
        (None, Some(&(found, _))) => found,
        (None, None) => {
            let what = format!("{} does not say at which temperature it was simulated", parts[0].file);
            return Err(Error::input(what, format!("say it: {}", asked.set("temperature", "300 K"))));
        }
    };
    if found > 0.0 && found.is_finite() {
        Ok(found)
    } else {
        Err(Error::input(format!("the temperature is {found} K"), "it must be positive"))
    }
}

/// A part on the leg's states and components.
struct Series {
    files: Vec<String>,
    fixed: Option<u32>,
    gradients: Table,
    energies: Table,
    base: Vec<f64>,
    totals: bool,
}

impl Series {
    fn new(part: Part, states: &States, components: &[String], beta: f64) -> Self {
        let global: Vec<u32> =
            part.states.iter().map(|s| states.find(&permuted(s, &part.components, components)).unwrap_or(0) as u32).collect();
        let components_at: Vec<usize> = components.iter().map(|c| part.components.iter().position(|p| p == c).unwrap_or(0)).collect();
        let mut gradients = Table::new(part.gradients.width);
        let mut row = vec![0.0; gradients.width];
        for n in 0..part.gradients.len() {
            let from = part.gradients.row(n);
            for (to, &k) in row.iter_mut().zip(&components_at) {
                *to = beta * from[k];
            }
            gradients.push(part.gradients.time[n], global[part.gradients.state[n] as usize], &row);
        }
        let wide = if part.energies.width > 0 { states.list().len() } else { 0 };
        let mut energies = Table::new(wide);
        energies.values.reserve(part.energies.len() * wide);
        let mut row = vec![f64::NAN; wide];
        for n in 0..part.energies.len() {
            for (&to, &from) in global.iter().zip(part.energies.row(n)) {
                row[to as usize] = beta * from;
            }
            energies.push(part.energies.time[n], global[part.energies.state[n] as usize], &row);
        }
        Series {
            files: vec![part.file],
            fixed: part.fixed.map(|f| global[f as usize]),
            gradients,
            energies,
            base: part.base.iter().map(|b| b * beta).collect(),
            totals: part.totals,
        }
    }

    /// First and last time of any row.
    fn span(&self) -> Option<(f64, f64)> {
        let ends = |t: &Table| Some((*t.time.first()?, *t.time.last()?));
        let both = [ends(&self.gradients), ends(&self.energies)];
        both.into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    fn retain(&mut self, keep: impl Fn(f64) -> bool) -> usize {
        let before = self.gradients.len().max(self.energies.len());
        let gradients: Vec<bool> = self.gradients.time.iter().map(|&t| keep(t)).collect();
        let energies: Vec<bool> = self.energies.time.iter().map(|&t| keep(t)).collect();
        self.gradients.retain(|n| gradients[n]);
        self.energies.retain(|n| energies[n]);
        if !self.base.is_empty() {
            let mut n = 0;
            self.base.retain(|_| {
                n += 1;
                energies[n - 1]
            });
        }
        before - self.gradients.len().max(self.energies.len())
    }

    fn append(&mut self, other: Series) {
        let based = (self.energies.is_empty() || !self.base.is_empty()) && (other.energies.is_empty() || !other.base.is_empty());
        for (to, from) in [(&mut self.gradients, other.gradients), (&mut self.energies, other.energies)] {
            if to.is_empty() {
                *to = from;
            } else if !from.is_empty() {
                to.time.extend(from.time);
                to.state.extend(from.state);
                to.values.extend(from.values);
            }
        }
        self.totals &= other.totals;
        self.base.extend(other.base);
        if !based {
            self.base.clear();
        }
        self.files.extend(other.files);
        self.files.dedup();
    }

    /// The rows of each state as a series of its own, in order of the states.
    fn by_state(self) -> Vec<(u32, Run)> {
        let begin = self.span().map_or(0.0, |(low, _)| low);
        if let Some(state) = self.fixed {
            let Series { files, gradients, energies, base, totals, .. } = self;
            return vec![(state, Run { files, begin, gradients, energies, base, totals })];
        }
        let mut runs: std::collections::BTreeMap<u32, Run> = std::collections::BTreeMap::new();
        let fresh = || Run {
            files: self.files.clone(),
            begin,
            gradients: Table::new(self.gradients.width),
            energies: Table::new(self.energies.width),
            base: Vec::new(),
            totals: self.totals,
        };
        for n in 0..self.gradients.len() {
            let run = runs.entry(self.gradients.state[n]).or_insert_with(fresh);
            run.gradients.push(self.gradients.time[n], self.gradients.state[n], self.gradients.row(n));
        }
        for n in 0..self.energies.len() {
            let run = runs.entry(self.energies.state[n]).or_insert_with(fresh);
            run.energies.push(self.energies.time[n], self.energies.state[n], self.energies.row(n));
            run.base.extend(self.base.get(n));
        }
        runs.into_iter().collect()
    }
}

/// Joins the series of one simulation, each time once.
fn chains(mut series: Vec<Series>, notes: &mut Vec<String>) -> Vec<Series> {
    series.retain(|s| s.span().is_some());
    let start = |s: &Series| s.span().map_or(0.0, |(low, _)| low);
    series.sort_by(|a, b| a.fixed.cmp(&b.fixed).then(start(a).total_cmp(&start(b))));
    let (mut joined, mut independent) = (Vec::<Series>::new(), 0);
    for next in series {
        let mut next = Some(next);
        for chain in joined.iter_mut().rev() {
            if let Some(series) = next.take_if(|n| n.fixed == chain.fixed && widths_fit(chain, n)) {
                next = join(chain, series, notes, &mut independent);
            }
        }
        joined.extend(next);
    }
    if independent > 0 {
        notes.push(format!("{independent} times a state has files for the same times with other values: taken as independent simulations"));
    }
    joined
}

fn widths_fit(a: &Series, b: &Series) -> bool {
    let fits = |x: &Table, y: &Table| x.is_empty() || y.is_empty() || x.width == y.width;
    fits(&a.gradients, &b.gradients) && fits(&a.energies, &b.energies)
}

/// Appends `next` to the chain if both are one simulation; gives it back otherwise.
fn join(chain: &mut Series, mut next: Series, notes: &mut Vec<String>, independent: &mut usize) -> Option<Series> {
    let ((first, last), (begin, end)) = (chain.span()?, next.span()?);
    if begin > last {
        chain.append(next);
        return None;
    }
    let who = (chain.files.last().cloned().unwrap_or_default(), next.files.first().cloned().unwrap_or_default());
    if agree(&chain.gradients, &next.gradients) && agree(&chain.energies, &next.energies) {
        let repeated = next.retain(|t| t > last);
        notes.push(format!("{}: {repeated} samples that {} has as well were counted once", who.1, who.0));
        if next.span().is_some() {
            chain.append(next);
        }
        return None;
    }
    if begin > first && end > last {
        let superseded = chain.retain(|t| t < begin);
        notes.push(format!("{}: {superseded} samples were replaced by those that {} has for the same times", who.0, who.1));
        chain.append(next);
        return None;
    }
    *independent += 1;
    Some(next)
}

/// Whether rows at equal times are equal; tables without common times do not agree.
fn agree(a: &Table, b: &Table) -> bool {
    if a.is_empty() && b.is_empty() {
        return true;
    }
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let (s, t) = (a.time[i], b.time[j]);
        if s < t {
            i += 1;
        } else if t < s {
            j += 1;
        } else {
            let same = |(x, y): (&f64, &f64)| x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= 1e-9 * x.abs().max(y.abs());
            if a.state[i] != b.state[j] || !a.row(i).iter().zip(b.row(j)).all(same) {
                return false;
            }
            common += 1;
            i += 1;
            j += 1;
        }
    }
    common > 0
}
