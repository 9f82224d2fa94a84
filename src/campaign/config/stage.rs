//! One stage, whatever it does.

use super::anneal::Anneal;
use super::estimates::Estimate;
use super::exchange::Exchange;
use super::expanded::Expanded;
use super::ladder::Ladder;
use super::metadynamics::Metadynamics;
use super::placed::Placed;
use super::sample::{Minimise, Observe, Sample, Start};
use super::switch::{Directions, Switch};

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage<Q = f64> {
    /// Its name: unique, part of every key of its random numbers.
    pub name: Placed<String>,
    /// What it does.
    pub kind: StageKind<Q>,
    /// What is stored; only of stages that move replicas in time.
    pub observe: Option<Observe>,
    /// Energy evaluations after which the stage ends at the next frame.
    pub budget: Option<Placed<u64>>,
}

/// What a stage does.
#[derive(Clone, Debug, PartialEq)]
pub enum StageKind<Q = f64> {
    /// Walks downhill.
    Minimise(Minimise<Q>),
    /// Samples.
    Sample(Sample<Q>),
    /// Exchanges replicas on a ladder.
    Exchange(Exchange<Q>),
    /// Jumps on a ladder with learned weights.
    Expanded(Expanded<Q>),
    /// Fills the free energy of observables with hills.
    Metadynamics(Metadynamics<Q>),
    /// Anneals from a base to the system.
    Anneal(Anneal<Q>),
    /// Drives replicas from one end of the path to the other.
    Switch(Switch<Q>),
    /// Makes numbers of what was sampled.
    Estimate(Estimate<Q>),
}

impl<Q> StageKind<Q> {
    /// The key of its table.
    pub fn name(&self) -> &'static str {
        match self {
            StageKind::Minimise(_) => "minimise",
            StageKind::Sample(_) => "sample",
            StageKind::Exchange(_) => "exchange",
            StageKind::Expanded(_) => "expanded",
            StageKind::Metadynamics(_) => "metadynamics",
            StageKind::Anneal(_) => "anneal",
            StageKind::Switch(_) => "switch",
            StageKind::Estimate(_) => "estimate",
        }
    }

    /// Where its replicas start.
    pub fn start(&self) -> Option<&Start<Q>> {
        match self {
            StageKind::Minimise(m) => Some(&m.start),
            StageKind::Anneal(a) => Some(&a.start),
            StageKind::Estimate(_) => None,
            _ => self.chain().map(|s| &s.start),
        }
    }

    /// The chain of a stage that moves replicas in time.
    pub fn chain(&self) -> Option<&Sample<Q>> {
        match self {
            StageKind::Sample(s) => Some(s),
            StageKind::Exchange(e) => Some(&e.sample),
            StageKind::Expanded(e) => Some(&e.sample),
            StageKind::Metadynamics(m) => Some(&m.sample),
            StageKind::Switch(s) => Some(&s.sample),
            StageKind::Minimise(_) | StageKind::Anneal(_) | StageKind::Estimate(_) => None,
        }
    }

    /// Independent replicas times this are moved: the states of a ladder, the ends of a switching.
    pub fn places(&self) -> u64 {
        match self {
            StageKind::Exchange(e) => e.ladder.count() as u64,
            StageKind::Metadynamics(m) => m.copies.value,
            StageKind::Switch(s) if s.directions.value == Directions::Both => 2,
            _ => 1,
        }
    }

    /// Stores frames that `observe` describes.
    pub fn observes(&self) -> bool {
        matches!(self, StageKind::Sample(_) | StageKind::Exchange(_) | StageKind::Expanded(_) | StageKind::Metadynamics(_))
    }

    /// Stores the state and the reduced energies of a ladder.
    pub fn ladder(&self) -> Option<&Ladder<Q>> {
        match self {
            StageKind::Exchange(e) => Some(&e.ladder),
            StageKind::Expanded(e) => Some(&e.ladder),
            _ => None,
        }
    }
}
