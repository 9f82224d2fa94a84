//! Stages that compare or bias thermodynamic states: a ladder of states with exchanges or jumps, annealing, switching, metadynamics.
//!
//! What all chains share (propagator, step, replicas, ...) is a [`Sample`]; each kind adds its own keys. `map` turns quantities into
//! numbers; `fields` lists the own keys and their values as TOML, for `resolved.toml` and for the comparison of campaigns alike.

use schemars::JsonSchema;
use serde::Deserialize;

use super::column::Column;
use super::map::Map;
use super::placed::Placed;
use super::types::{Sample, Start, Thermal};
use crate::batch::Thermo;
use crate::campaign::units::{Kind, UnitSystem, number_text};
use crate::real::Real;

/// Lower and upper end.
pub type Span<Q> = (Placed<Q>, Placed<Q>);

/// How a quantity is turned into a number.
pub(super) type Number<'a, Q> = &'a mut dyn FnMut(&str, &Placed<Q>, Kind) -> Placed<f64>;
/// How a quantity is written.
pub(super) type Shown<'a, Q> = &'a dyn Fn(&Q, Kind) -> String;
/// Keys and values as TOML.
pub(super) type Fields = Vec<(&'static str, String)>;

/// Values in order: written one by one, or from, to and how many.
#[derive(Clone, Debug, PartialEq)]
pub enum Rungs<Q = f64> {
    /// These.
    List(Vec<Placed<Q>>),
    /// Both ends and `count - 2` between them.
    Even {
        /// The first.
        from: Placed<Q>,
        /// The last.
        to: Placed<Q>,
        /// How many, ends included.
        count: Placed<u64>,
    },
}

impl<Q> Rungs<Q> {
    /// The first value, if there is one.
    pub fn first(&self) -> Option<&Placed<Q>> {
        match self {
            Rungs::List(list) => list.first(),
            Rungs::Even { from, .. } => Some(from),
        }
    }

    /// How many values.
    pub fn count(&self) -> usize {
        match self {
            Rungs::List(list) => list.len(),
            Rungs::Even { count, .. } => count.value as usize,
        }
    }

    fn map(&self, key: &str, kind: Kind, number: Number<'_, Q>) -> Rungs {
        match self {
            Rungs::List(list) => Rungs::List(list.iter().map(|x| number(key, x, kind)).collect()),
            Rungs::Even { from, to, count } => {
                Rungs::Even { from: number(key, from, kind), to: number(key, to, kind), count: count.clone() }
            }
        }
    }

    fn text(&self, show: &dyn Fn(&Q) -> String) -> String {
        match self {
            Rungs::List(list) => format!("[{}]", list.iter().map(|x| show(x)).collect::<Vec<_>>().join(", ")),
            Rungs::Even { from, to, count } => format!("{{ from = {}, to = {}, count = {count} }}", show(from), show(to)),
        }
    }
}

impl Rungs<f64> {
    /// The values; between two ends at equal differences, or at equal ratios.
    pub fn values(&self, ratios: bool) -> Vec<f64> {
        match self {
            Rungs::List(list) => list.iter().map(|x| x.value).collect(),
            Rungs::Even { from, to, count } => {
                let (a, b, n) = (from.value, to.value, count.value);
                let step = if ratios { Real::ln(b / a) } else { b - a } / (n.max(2) - 1) as f64;
                let inner = |i: u64| if ratios { a * Real::exp(step * i as f64) } else { a + step * i as f64 };
                (0..n).map(|i| if i + 1 == n { b } else { inner(i) }).collect()
            }
        }
    }
}

/// The thermodynamic states of a ladder.
#[derive(Clone, Debug, PartialEq)]
pub enum Ladder<Q = f64> {
    /// Temperatures; between two ends at equal ratios.
    Temperatures(Rungs<Q>),
    /// Values of lambda at one temperature; between two ends at equal differences.
    Lambdas(Rungs<f64>),
}

impl<Q> Ladder<Q> {
    /// How many states.
    pub fn count(&self) -> usize {
        match self {
            Ladder::Temperatures(t) => t.count(),
            Ladder::Lambdas(l) => l.count(),
        }
    }

    /// The key it is written under.
    pub fn key(&self) -> &'static str {
        match self {
            Ladder::Temperatures(_) => "temperatures",
            Ladder::Lambdas(_) => "lambdas",
        }
    }

    fn map(&self, number: Number<'_, Q>) -> Ladder {
        match self {
            Ladder::Temperatures(t) => Ladder::Temperatures(t.map("temperatures", Kind::Temperature, number)),
            Ladder::Lambdas(l) => Ladder::Lambdas(l.clone()),
        }
    }

    fn text(&self, show: Shown<'_, Q>) -> String {
        match self {
            Ladder::Temperatures(t) => t.text(&|x| show(x, Kind::Temperature)),
            Ladder::Lambdas(l) => l.text(&|x| number_text(*x)),
        }
    }
}

impl Ladder<f64> {
    /// The states; their number is their place.
    pub fn states(&self, thermal: Thermal, lambda: f64, units: UnitSystem) -> Vec<Thermo> {
        let state = |(k, (beta, lambda)): (usize, (f64, f64))| Thermo { beta, lambda, state: k as u32 };
        match self {
            Ladder::Temperatures(t) => {
                let betas = t.values(true).into_iter().map(|t| Thermal::Temperature(t).beta(units));
                betas.map(|beta| (beta, lambda)).enumerate().map(state).collect()
            }
            Ladder::Lambdas(l) => {
                let beta = thermal.beta(units);
                l.values(false).into_iter().map(|lambda| (beta, lambda)).enumerate().map(state).collect()
            }
        }
    }

    /// The state that plain sampling would have: the first temperature, the last lambda.
    pub fn target(&self) -> usize {
        match self {
            Ladder::Temperatures(_) => 0,
            Ladder::Lambdas(_) => self.count().saturating_sub(1),
        }
    }

    /// A state in words, for tables: "300 K" or "0.25".
    pub fn names(&self, units: UnitSystem) -> Vec<String> {
        match self {
            Ladder::Temperatures(t) => {
                let unit = units.unit(Kind::Temperature);
                t.values(true).iter().map(|t| format!("{} {unit}", rounded(*t)).trim_end().to_owned()).collect()
            }
            Ladder::Lambdas(l) => l.values(false).iter().map(|l| rounded(*l)).collect(),
        }
    }
}

/// Six digits are enough for a name.
fn rounded(x: f64) -> String {
    number_text(format!("{x:.5e}").parse::<f64>().unwrap_or(x))
}

/// How states are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mixing {
    /// Pairs of neighbours, even and odd ones in turn.
    Neighbour,
    /// Many pairs drawn at random, so that the permutation is nearly independent of the one before.
    Gibbs,
    /// Never: umbrella windows.
    None,
}

impl Mixing {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Mixing::Neighbour => "neighbour",
            Mixing::Gibbs => "gibbs",
            Mixing::None => "none",
        }
    }
}

/// Replica exchange over a ladder; `replicas` of the sample are independent copies of the whole ladder.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange<Q = f64> {
    /// How the replicas move; its temperature is that of the first state.
    pub sample: Sample<Q>,
    /// The states.
    pub ladder: Placed<Ladder<Q>>,
    /// Steps between two rounds of exchanges.
    pub swap_every: Placed<u64>,
    /// Which pairs are tried.
    pub mixing: Placed<Mixing>,
}

impl<Q> Exchange<Q> {
    pub(super) fn map(&self, sample: Sample, number: Number<'_, Q>) -> Exchange {
        Exchange {
            sample,
            ladder: self.ladder.with(self.ladder.map(number)),
            swap_every: self.swap_every.clone(),
            mixing: self.mixing.clone(),
        }
    }

    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        vec![
            (self.ladder.key(), self.ladder.text(show)),
            ("swap_every", self.swap_every.to_string()),
            ("mixing", format!("\"{}\"", self.mixing.name())),
        ]
    }
}

/// How the weights of an expanded ensemble are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Self-adjusted mixture sampling (Tan 2017).
    Sams,
    /// Wang-Landau with the 1/t ending.
    WangLandau,
}

impl Weights {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Weights::Sams => "sams",
            Weights::WangLandau => "wang_landau",
        }
    }
}

/// Expanded ensemble: every replica jumps among the states of a ladder, with weights that are learned on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Expanded<Q = f64> {
    /// How the replicas move; its temperature is that of the first state.
    pub sample: Sample<Q>,
    /// The states.
    pub ladder: Placed<Ladder<Q>>,
    /// Steps between two jumps.
    pub jump_every: Placed<u64>,
    /// How the weights are learned.
    pub weights: Placed<Weights>,
}

impl<Q> Expanded<Q> {
    pub(super) fn map(&self, sample: Sample, number: Number<'_, Q>) -> Expanded {
        Expanded {
            sample,
            ladder: self.ladder.with(self.ladder.map(number)),
            jump_every: self.jump_every.clone(),
            weights: self.weights.clone(),
        }
    }

    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        vec![
            (self.ladder.key(), self.ladder.text(show)),
            ("jump_every", self.jump_every.to_string()),
            ("weights", format!("\"{}\"", self.weights.name())),
        ]
    }
}

/// Well-tempered metadynamics along one or two observables.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadynamics<Q = f64> {
    /// How the replicas move.
    pub sample: Sample<Q>,
    /// The biased observables.
    pub of: Vec<Placed<Column>>,
    /// Width of a hill along each.
    pub width: Vec<Placed<Q>>,
    /// Height of the first hill.
    pub height: Placed<Q>,
    /// (T + delta T) / T.
    pub bias_factor: Placed<f64>,
    /// Steps between two hills.
    pub every: Placed<u64>,
    /// Independent biases, each filled by the sample's replicas.
    pub copies: Placed<u64>,
    /// Where the bias is kept along each observable; none on a circle.
    pub range: Vec<Option<Span<Q>>>,
}

impl<Q> Metadynamics<Q> {
    pub(super) fn map(&self, sample: Sample, number: Number<'_, Q>) -> Metadynamics {
        let kind = |c: &Column| c.quantity().unwrap_or(Kind::Dimensionless);
        Metadynamics {
            sample,
            of: self.of.clone(),
            width: self.width.iter().zip(&self.of).map(|(w, c)| number("width", w, kind(c))).collect(),
            height: number("height", &self.height, Kind::Energy),
            bias_factor: self.bias_factor.clone(),
            every: self.every.clone(),
            copies: self.copies.clone(),
            range: (self.range.iter().zip(&self.of))
                .map(|(r, c)| r.as_ref().map(|(a, b)| (number("range", a, kind(c)), number("range", b, kind(c)))))
                .collect(),
        }
    }

    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        let kind = |c: &Column| c.quantity().unwrap_or(Kind::Dimensionless);
        let widths: Vec<String> = self.width.iter().zip(&self.of).map(|(w, c)| show(w, kind(c))).collect();
        let of: Vec<String> = self.of.iter().map(|c| super::quote(&c.text)).collect();
        let ranged = self.range.iter().zip(&self.of).filter_map(|(r, c)| r.as_ref().map(|r| (r, c)));
        let ranges: Vec<String> =
            ranged.map(|((a, b), c)| format!("{} = [{}, {}]", super::quote(&c.text), show(a, kind(c)), show(b, kind(c)))).collect();
        vec![
            ("of", format!("[{}]", of.join(", "))),
            ("width", format!("[{}]", widths.join(", "))),
            ("height", show(&self.height, Kind::Energy)),
            ("bias_factor", number_text(self.bias_factor.value)),
            ("every", self.every.to_string()),
            ("copies", self.copies.to_string()),
            ("range", format!("{{ {} }}", ranges.join(", "))),
        ]
    }
}

/// What moves the particles between two levels of an annealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// Hamiltonian Monte Carlo: exact.
    Hmc,
    /// Metropolis-adjusted Langevin: exact.
    Mala,
    /// Underdamped Langevin (the splitting OBABO), unadjusted, with the ratio of its kernels in the weight; momenta count.
    Langevin,
    /// Overdamped Langevin, unadjusted, with the ratio of its kernels in the weight.
    Ula,
}

impl Kernel {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Hmc => "hmc",
            Kernel::Mala => "mala",
            Kernel::Langevin => "langevin",
            Kernel::Ula => "ula",
        }
    }

    /// Metropolis decisions: the weights need no ratio of kernels, and the step may follow an acceptance.
    pub fn exact(self) -> bool {
        matches!(self, Kernel::Hmc | Kernel::Mala)
    }
}

/// The values of lambda that an annealing or a switching passes.
#[derive(Clone, Debug, PartialEq)]
pub enum Levels {
    /// So many intervals of equal length from 0 to 1.
    Count(u64),
    /// These, from 0 to 1.
    List(Vec<Placed<f64>>),
}

impl Levels {
    /// The values, ends included.
    pub fn values(&self) -> Vec<f64> {
        match self {
            Levels::Count(n) => (0..=*n).map(|k| k as f64 / *n as f64).collect(),
            Levels::List(list) => list.iter().map(|l| l.value).collect(),
        }
    }

    fn field(&self) -> (&'static str, String) {
        match self {
            Levels::Count(n) => ("levels", n.to_string()),
            Levels::List(list) => ("lambdas", format!("[{}]", list.iter().map(|l| number_text(l.value)).collect::<Vec<_>>().join(", "))),
        }
    }
}

/// What an annealing goes along.
#[derive(Clone, Debug, PartialEq)]
pub enum Along<Q = f64> {
    /// lambda from 0 to 1, at one temperature.
    Lambda(Levels),
    /// Temperature from hot to cold, at full coupling; between two ends at equal ratios.
    Temperature(Rungs<Q>),
}

impl<Q> Along<Q> {
    /// How many levels, both ends included.
    pub fn count(&self) -> u64 {
        match self {
            Along::Lambda(Levels::Count(n)) => n + 1,
            Along::Lambda(Levels::List(list)) => list.len() as u64,
            Along::Temperature(t) => t.count() as u64,
        }
    }

    /// The temperatures.
    pub fn temperatures(&self) -> Option<&Rungs<Q>> {
        match self {
            Along::Lambda(_) => None,
            Along::Temperature(t) => Some(t),
        }
    }

    fn map(&self, number: Number<'_, Q>) -> Along {
        match self {
            Along::Lambda(levels) => Along::Lambda(levels.clone()),
            Along::Temperature(t) => Along::Temperature(t.map("temperatures", Kind::Temperature, number)),
        }
    }

    fn field(&self, show: Shown<'_, Q>) -> (&'static str, String) {
        match self {
            Along::Lambda(levels) => levels.field(),
            Along::Temperature(t) => ("temperatures", t.text(&|x| show(x, Kind::Temperature))),
        }
    }
}

impl Along<f64> {
    /// The levels, numbered.
    pub fn states(&self, thermal: Thermal, units: UnitSystem) -> Vec<Thermo> {
        match self {
            Along::Lambda(levels) => {
                let beta = thermal.beta(units);
                let level = |(k, lambda): (usize, f64)| Thermo { beta, lambda, state: k as u32 };
                levels.values().into_iter().enumerate().map(level).collect()
            }
            Along::Temperature(t) => Ladder::Temperatures(t.clone()).states(thermal, 1.0, units),
        }
    }
}

/// How an annealing chooses its levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// As `levels` or `lambdas` say.
    Fixed,
    /// Each as far as the effective sample size allows.
    Adaptive,
}

impl Schedule {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Schedule::Fixed => "fixed",
            Schedule::Adaptive => "adaptive",
        }
    }
}

/// Annealed importance sampling, with resampling sequential Monte Carlo: from exact draws of the base to the system. Along
/// temperatures population annealing, from an equilibrated stage at the hottest.
#[derive(Clone, Debug, PartialEq)]
pub struct Anneal<Q = f64> {
    /// What moves the particles.
    pub kernel: Placed<Kernel>,
    /// Step of the kernel, a time.
    pub timestep: Placed<Q>,
    /// Friction of langevin.
    pub friction: Option<Placed<Q>>,
    /// Leapfrog steps of hmc.
    pub leapfrog_steps: Option<Placed<u64>>,
    /// Acceptance that the step of hmc and mala follows from level to level; none: the step is fixed.
    pub target_acceptance: Option<Placed<f64>>,
    /// Temperature or beta; along temperatures the first of them.
    pub thermal: Placed<Thermal<Q>>,
    /// Particles of one run.
    pub replicas: Placed<u64>,
    /// What it goes along, level by level.
    pub along: Placed<Along<Q>>,
    /// Carries the particles along with lambda, before they move.
    pub map: Option<Placed<Map>>,
    /// Steps of the kernel at each level.
    pub steps_per_level: Placed<u64>,
    /// Fixed or adaptive.
    pub schedule: Placed<Schedule>,
    /// Resample below this fraction of effective particles; the target of an adaptive schedule.
    pub ess: Placed<f64>,
    /// Sequential Monte Carlo rather than annealed importance sampling.
    pub resample: Placed<bool>,
    /// Independent runs.
    pub runs: Placed<u64>,
    /// From where: exact draws of the base, or an equilibrated stage at the first level.
    pub start: Start<Q>,
    /// Whether the motion of the centre of mass is taken out; none: as the system says.
    pub remove_com: Option<Placed<bool>>,
}

impl<Q> Anneal<Q> {
    pub(super) fn map(&self, thermal: Placed<Thermal>, start: Start, number: Number<'_, Q>) -> Anneal {
        Anneal {
            kernel: self.kernel.clone(),
            timestep: number("timestep", &self.timestep, Kind::Time),
            friction: self.friction.as_ref().map(|g| number("friction", g, Kind::InverseTime)),
            leapfrog_steps: self.leapfrog_steps.clone(),
            target_acceptance: self.target_acceptance.clone(),
            thermal,
            replicas: self.replicas.clone(),
            along: self.along.with(self.along.map(&mut *number)),
            map: self.map.clone(),
            steps_per_level: self.steps_per_level.clone(),
            schedule: self.schedule.clone(),
            ess: self.ess.clone(),
            resample: self.resample.clone(),
            runs: self.runs.clone(),
            start,
            remove_com: self.remove_com.clone(),
        }
    }

    /// All keys but `start`.
    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        let mut all = vec![
            ("kernel", format!("\"{}\"", self.kernel.name())),
            ("timestep", show(&self.timestep, Kind::Time)),
            ("replicas", self.replicas.to_string()),
            self.along.field(show),
            ("steps_per_level", self.steps_per_level.to_string()),
            ("schedule", format!("\"{}\"", self.schedule.name())),
            ("ess", number_text(self.ess.value)),
            ("resample", self.resample.to_string()),
            ("runs", self.runs.to_string()),
        ];
        all.extend(self.map.as_ref().map(|m| ("map", m.text())));
        all.extend(self.along.temperatures().is_none().then(|| thermal(&self.thermal, show)));
        all.extend(self.friction.as_ref().map(|g| ("friction", show(g, Kind::InverseTime))));
        all.extend(self.target_acceptance.as_ref().map(|a| ("target_acceptance", number_text(a.value))));
        all.extend(self.leapfrog_steps.as_ref().map(|n| ("leapfrog_steps", n.to_string())));
        all.extend(self.remove_com.as_ref().map(|c| ("remove_com", c.to_string())));
        all
    }
}

fn thermal<Q>(thermal: &Thermal<Q>, show: Shown<'_, Q>) -> (&'static str, String) {
    match thermal {
        Thermal::Temperature(t) => ("temperature", show(t, Kind::Temperature)),
        Thermal::Beta(beta) => ("beta", show(beta, Kind::InverseEnergy)),
    }
}

/// Nonequilibrium switching: replicas in equilibrium at both ends, from which `shots` trajectories are driven to the other end.
#[derive(Clone, Debug, PartialEq)]
pub struct Switch<Q = f64> {
    /// How the replicas move: its warm-up is `equilibrate`, its steps are `shots * spacing`. Replicas are counted at each end.
    pub sample: Sample<Q>,
    /// Steps before the first shot.
    pub equilibrate: Placed<u64>,
    /// Trajectories from each replica.
    pub shots: Placed<u64>,
    /// Steps between two shots.
    pub spacing: Placed<u64>,
    /// Values of lambda that a trajectory passes.
    pub levels: Placed<Levels>,
    /// Carries the trajectories along with lambda, before they move.
    pub map: Option<Placed<Map>>,
    /// Steps at each level; with a map they may be 0.
    pub steps_per_level: Placed<u64>,
    /// From both ends, or forward only.
    pub directions: Placed<Directions>,
}

/// From which ends trajectories start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// From lambda = 0 and from lambda = 1.
    Both,
    /// From lambda = 0.
    Forward,
}

impl Directions {
    /// Its name in a campaign.
    pub fn name(self) -> &'static str {
        match self {
            Directions::Both => "both",
            Directions::Forward => "forward",
        }
    }
}

impl<Q> Switch<Q> {
    pub(super) fn map(&self, sample: Sample) -> Switch {
        Switch {
            sample,
            equilibrate: self.equilibrate.clone(),
            shots: self.shots.clone(),
            spacing: self.spacing.clone(),
            levels: self.levels.clone(),
            map: self.map.clone(),
            steps_per_level: self.steps_per_level.clone(),
            directions: self.directions.clone(),
        }
    }

    /// All keys but `start`.
    pub(super) fn fields(&self, show: Shown<'_, Q>) -> Fields {
        let s = &self.sample;
        let mut all = vec![
            ("propagator", format!("\"{}\"", s.propagator.name())),
            ("timestep", show(&s.timestep, Kind::Time)),
            thermal(&s.thermal, show),
            ("replicas", s.replicas.to_string()),
            ("equilibrate", self.equilibrate.to_string()),
            ("shots", self.shots.to_string()),
            ("spacing", self.spacing.to_string()),
            self.levels.field(),
            ("steps_per_level", self.steps_per_level.to_string()),
            ("directions", format!("\"{}\"", self.directions.name())),
        ];
        all.extend(self.map.as_ref().map(|m| ("map", m.text())));
        all.extend(s.leapfrog_steps.as_ref().map(|n| ("leapfrog_steps", n.to_string())));
        all.extend(s.remove_com.as_ref().map(|c| ("remove_com", c.to_string())));
        all
    }
}
