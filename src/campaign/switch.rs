//! A switch stage: replicas in equilibrium at both ends of the path, from which trajectories are driven to the other end.

use super::carry;
use super::config::{self, Directions, Placed, Stage, Switch};
use super::job::Job;
use super::moves::{self, Moves};
use super::sample::{com_of, held, spec};
use super::session::Session;
use super::start;
use crate::Result;
use crate::batch::{Coords, Ensemble, Phase, Resume, Snapshot, Thermo};
use crate::dynamics::{self, Propagator, Spec, Tally};
use crate::io::sink::{Column, Frame, Header, Kind};
use crate::path::{Anneal, AnnealOptions, Bijection, Boltzmann, Escorted, Invariant, Map, Path, Transition, Way};
use crate::stream::Root;
use std::sync::Arc;

/// The column of works in kT: replicas that start at lambda = 0, then those that start at 1; one frame a shot.
pub(super) const WORK: &str = "work";

/// Runs a switch stage.
///
/// # Errors
/// As [`moves::run`].
pub(super) fn run(job: &Job<'_>, stage: &Stage, switch: &Switch, session: &Session) -> Result<()> {
    moves::run(job, stage, session, |saved| Switching::new(job, stage, switch, session, saved))
}

/// One end of the path: replicas in equilibrium there.
struct End {
    way: Way,
    ens: Ensemble<Phase>,
    propagator: Box<dyn Propagator<Phase>>,
}

struct Switching<'a> {
    job: &'a Job<'a>,
    switch: &'a Switch,
    header: Header,
    spec: Spec,
    levels: Vec<Thermo>,
    /// Carries trajectories along with lambda.
    map: Option<Arc<dyn Bijection<Phase>>>,
    ends: Vec<End>,
    /// What the driven trajectories have cost.
    driven: Tally,
}

impl<'a> Switching<'a> {
    fn new(job: &'a Job<'a>, stage: &Stage, switch: &'a Switch, session: &Session, saved: Option<&Snapshot>) -> Result<Self> {
        let (system, sample) = (job.system, &switch.sample);
        let beta = sample.thermal.value.beta(job.resolved.units);
        let lambdas = switch.levels.value.values();
        let levels: Vec<Thermo> = lambdas.iter().enumerate().map(|(k, lambda)| Thermo { beta, lambda: *lambda, state: k as u32 }).collect();
        let n = sample.replicas.value as usize;
        let com = com_of(sample, system);
        let spec = spec(sample, com, system.dimension);
        let carried = |m: &Placed<config::Map>| carry::bijection((m, &switch.levels, 1), system, &job.resolved.system, com);
        let map = switch.map.as_ref().map(carried).transpose()?;
        let mut ends = Vec::new();
        let ways: &[(Way, &str)] = match switch.directions.value {
            Directions::Both => &[(Way::Forward, "forward"), (Way::Backward, "reverse")],
            Directions::Forward => &[(Way::Forward, "forward")],
        };
        for (way, name) in ways {
            let root = Root::new(job.seed, &format!("{}/{name}", stage.name.value), &job.point);
            let rows = match saved {
                Some(_) => system.start[0].repeat(n),
                None => start::rows(&sample.start, n, job, &root, session)?,
            };
            let phase = Phase::at_rest(Coords::from_rows(&rows, system.dof())?, system.masses.clone())?;
            let at = if *way == Way::Forward { levels[0] } else { levels[levels.len() - 1] };
            let mut ens = Ensemble::new(phase, vec![at; n], root)?;
            let mut propagator = dynamics::build(&spec, system.potential.clone(), &system.masses)?;
            match saved {
                Some(s) => {
                    let s = s.nested(ensemble_name(*way))?;
                    ens.load(s)?;
                    propagator.load(s.nested("propagator")?)?;
                }
                None => dynamics::draw_velocities(&mut ens, 0, held(com, system.dimension))?,
            }
            ends.push(End { way: *way, ens, propagator });
        }
        let mut header = job.header(stage);
        header.replicas = n * ends.len();
        header.columns =
            vec![Column { name: WORK.to_owned(), kind: Kind::Observable, width: 1, unit: None, labels: Vec::new(), double: true }];
        let mut driven = Tally::default();
        if let Some(s) = saved {
            driven.load(s.nested("driven")?)?;
        }
        Ok(Switching { job, switch, header, spec, levels, map, ends, driven })
    }

    /// The works of one trajectory from each replica of an end; the replicas themselves stay where they are.
    fn shoot(&mut self, end: usize) -> Result<Vec<f64>> {
        let potential = &self.job.system.potential;
        let target = Arc::new(Boltzmann(potential.clone()));
        let moves = |steps| -> Result<Invariant<Phase>> {
            let propagator = dynamics::build(&self.spec, potential.clone(), &self.job.system.masses)?;
            Invariant::new(propagator, target.clone(), steps)
        };
        let transition: Box<dyn Transition<Phase>> = match (&self.map, self.switch.steps_per_level.value) {
            (Some(map), 0) => Box::new(Map::new(map.clone(), target.clone())),
            (Some(map), steps) => Box::new(Escorted::new(map.clone(), Box::new(moves(steps)?))),
            (None, steps) => Box::new(moves(steps)?),
        };
        let End { way, ens, .. } = &self.ends[end];
        let mut flight = ens.clone();
        // noise of its own: the replicas go on with theirs
        let name = format!("{}/{}/shot {}", self.header.stage, ensemble_name(*way), ens.step);
        flight.root = Root::new(self.job.seed, &name, &self.job.point);
        let options = AnnealOptions { way: *way, ..AnnealOptions::default() };
        let mut walk = Anneal::new(Path::new(self.levels.clone(), transition)?, options)?;
        walk.start(&mut flight)?;
        walk.finish(&mut flight)?;
        self.driven += walk.tally();
        Ok(flight.log_w.iter().map(|w| -w).collect())
    }
}

/// The first end stands where every stage has its ensemble.
fn ensemble_name(way: Way) -> &'static str {
    if way == Way::Forward { "ensemble" } else { "reverse" }
}

impl Moves for Switching<'_> {
    fn replicas(&self) -> usize {
        self.header.replicas
    }

    fn clock(&self) -> u64 {
        // both ends have taken the same number of steps, and drawing velocities takes none
        self.ends[0].ens.step
    }

    fn total(&self) -> u64 {
        self.switch.equilibrate.value + self.switch.shots.value * self.switch.spacing.value
    }

    fn next(&self) -> u64 {
        let (step, first, every) = (self.clock(), self.switch.equilibrate.value, self.switch.spacing.value);
        if step < first { first } else { first + ((step - first) / every + 1) * every }
    }

    fn due(&self) -> bool {
        let (step, first) = (self.clock(), self.switch.equilibrate.value);
        step > first && (step - first).is_multiple_of(self.switch.spacing.value)
    }

    fn advance(&mut self, ticks: u64) -> Result<()> {
        for end in &mut self.ends {
            end.propagator.advance(&mut end.ens, ticks)?;
        }
        Ok(())
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn frame(&mut self, frame: &mut Frame) -> Result<()> {
        frame.step = self.clock() - self.switch.equilibrate.value;
        frame.time = frame.step as f64;
        let mut works = Vec::with_capacity(self.header.replicas);
        for end in 0..self.ends.len() {
            works.extend(self.shoot(end)?);
        }
        frame.values = vec![works];
        Ok(())
    }

    fn tally(&self) -> Tally {
        let mut all = self.driven;
        for end in &self.ends {
            all += end.propagator.tally();
        }
        all
    }

    fn note(&self) -> String {
        let tally = self.tally();
        let shots = (self.clock().saturating_sub(self.switch.equilibrate.value)) / self.switch.spacing.value;
        format!("shot {shots} of {}, acceptance {:.2}", self.switch.shots, tally.accepted as f64 / tally.proposed.max(1) as f64)
    }

    fn save(&self, s: &mut Snapshot) {
        for end in &self.ends {
            s.nest(ensemble_name(end.way), |s| {
                end.ens.save(s);
                s.nest("propagator", |s| end.propagator.save(s));
            });
        }
        s.nest("driven", |s| self.driven.save(s));
    }
}
