//! Replica exchange: parallel tempering, Hamiltonian exchange, coupled umbrella windows.

use super::known::Known;
use super::rungs::{check, configurational, holds, one_coupling};
use super::swaps::{Counts, log_uniforms, shuffle};
use super::{Target, Traffic};
use crate::batch::{Ensemble, Health, Resume, Snapshot, State, Thermo};
use crate::dynamics::{Propagator, Tally};
use crate::stream::{Purpose, Root, Stream};
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::Arc;

/// How states are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mixing {
    /// Not at all: the same replicas, uncoupled.
    None,
    /// Swaps of states (0, 1), (2, 3), ... and (1, 2), (3, 4), ... in turn.
    Neighbour,
    /// K^3 swaps of random pairs of the K states, one after the other: close to a fresh draw of the whole permutation.
    Gibbs,
}

/// Settings of [`Exchange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeOptions {
    /// Steps of the propagator between exchanges; they happen where `ens.step` is a multiple of it.
    pub every: u64,
    /// How.
    pub mixing: Mixing,
    /// The mover's place in its stage, which names its random stream.
    pub place: u64,
}

/// Replica exchange over a ladder of thermodynamic states: a propagator whose replicas trade their states.
///
///   swap of the states i, j of replicas a, b: accepted with probability min(1, exp(u_i(a) + u_j(b) - u_j(a) - u_i(b)))
///
/// with u_k(x) = beta_k U(x; lambda_k). The ensemble holds whole ladders: replicas `c K .. (c + 1) K` are copy c, start at
/// [`super::spread`], and trade among themselves only, so copies are independent. Labels move, coordinates stay: a replica's
/// trajectory is continuous, `ens.thermo()[r].state` says where it is.
/// Exactness: the product law prod_k exp(-u_k(x_k)) / Z_k is invariant under every swap, whatever the propagator. Momenta are those of
/// the new temperature at fixed sqrt(beta) v ([`Ensemble::relabel`]), so that configurations alone decide.
/// `Mixing::Gibbs` draws pairs independently of the permutation, which keeps each swap reversible (Chodera and Shirts, J. Chem. Phys.
/// 135, 194110 (2011)); `Mixing::Neighbour` alternates with the number of the exchange. A replica that diverged keeps its state and is
/// passed over; an infinite or NaN energy at a state forbids the swap that would need it.
/// Cost: on a ladder of temperatures nothing is evaluated, and cached forces stay valid. On a ladder of couplings `Neighbour` evaluates
/// the batch once an exchange, at each replica's proposed partner (and its forces anew once a swap was accepted), `Gibbs` at every
/// coupling ([`Target::u_kn`]).
/// Randomness: [`Purpose::Resample`], (swap, step, copy). Saved: the propagator and [`Traffic`]; the permutation is in the ensemble.
/// Source: Swendsen and Wang, Phys. Rev. Lett. 57, 2607 (1986); Sugita, Kitao and Okamoto, J. Chem. Phys. 113, 6042 (2000).
pub struct Exchange<S: State> {
    propagator: Box<dyn Propagator<S>>,
    target: Arc<dyn Target<S>>,
    ladder: Vec<Thermo>,
    options: ExchangeOptions,
    traffic: Traffic,
    evaluations: u64,
    stream: Option<(Root, Stream)>,
    known: Known,
}

impl<S: State> Exchange<S> {
    /// Exchange over `ladder` (state k is its element k) for `replicas` replicas that `propagator` moves at their own states;
    /// `target` is the same energy that the propagator knows.
    ///
    /// # Errors
    /// `Error::Input` for a ladder that is none, an interval of 0 steps, or replicas that are no whole number of ladders.
    pub fn new(
        propagator: Box<dyn Propagator<S>>,
        target: Arc<dyn Target<S>>,
        ladder: Vec<Thermo>,
        replicas: usize,
        options: ExchangeOptions,
    ) -> Result<Self> {
        check(&ladder)?;
        configurational(&*target)?;
        if options.every == 0 {
            return Err(Error::input("replicas exchange every 0 steps", "give 1 or more steps between exchanges"));
        }
        if replicas == 0 || !replicas.is_multiple_of(ladder.len()) {
            return Err(Error::input(
                format!("{replicas} replicas on a ladder of {} states", ladder.len()),
                "have a whole number of ladders: copies times states",
            ));
        }
        let traffic = Traffic::new(ladder.len(), replicas);
        Ok(Exchange { propagator, target, ladder, options, traffic, evaluations: 0, stream: None, known: Known::default() })
    }

    /// The states.
    pub fn ladder(&self) -> &[Thermo] {
        &self.ladder
    }

    /// What moved so far, the propagator's own warm-up left out.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The reduced energy of every replica at every state, `out[replica][state]`: with `ens.thermo()[r].state` what MBAR needs of a frame.
    ///
    /// Free on a ladder of temperatures right after [`Propagator::advance`]; otherwise see [`Target::u_kn`].
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit.
    pub fn u_kn(&mut self, ens: &Ensemble<S>, out: &mut Vec<f64>) -> Result<()> {
        self.evaluations += self.known.u_kn(&*self.target, &self.ladder, ens, out)?;
        Ok(())
    }

    /// u of every replica at its own state and at the one of `other`.
    fn own_and_other(&mut self, ens: &Ensemble<S>, other: &[Thermo]) -> Result<(Vec<f64>, Vec<f64>)> {
        let n = ens.replicas();
        let (mut own, mut there) = (vec![0.0; n], vec![0.0; n]);
        let known = self.known.of(&*self.target, ens);
        if known {
            for (r, t) in ens.thermo().iter().enumerate() {
                own[r] = t.beta * self.known.energy[r];
            }
        } else {
            self.target.reduced(ens.state(), ens.thermo(), &mut own)?;
            self.evaluations += n as u64;
        }
        if known && one_coupling(&self.ladder) {
            for (r, t) in other.iter().enumerate() {
                there[r] = t.beta * self.known.energy[r];
            }
        } else {
            self.target.reduced(ens.state(), other, &mut there)?;
            self.evaluations += n as u64;
        }
        Ok((own, there))
    }

    /// Swaps of neighbours; returns the new states and, where it is known, U at them.
    fn neighbours(&mut self, ens: &Ensemble<S>, stream: Stream, count: bool) -> Result<(Vec<Thermo>, Vec<f64>)> {
        let (states, number) = (self.ladder.len(), ens.step / self.options.every);
        let first = if states == 2 { 0 } else { (number % 2) as usize };
        let mut place = vec![0; ens.replicas()];
        for (r, t) in ens.thermo().iter().enumerate() {
            place[r / states * states + t.state as usize] = r;
        }
        let mut thermo = ens.thermo().to_vec();
        let mut other = thermo.clone();
        let well = |r: usize| ens.health[r] == Health::Well;
        let mut pairs = Vec::with_capacity(ens.replicas() / 2);
        for copy in 0..ens.replicas() / states {
            for k in (first..states - 1).step_by(2) {
                let (a, b) = (place[copy * states + k], place[copy * states + k + 1]);
                if well(a) && well(b) {
                    (other[a], other[b]) = (thermo[b], thermo[a]);
                    pairs.push((copy, k, a, b));
                }
            }
        }
        let (own, there) = self.own_and_other(ens, &other)?;
        let mut energy = if self.known.of(&*self.target, ens) { self.known.energy.clone() } else { Vec::new() };
        let log_uniform = log_uniforms(stream, ens.step, states, ens.replicas() / states);
        for (copy, k, a, b) in pairs {
            let log_ratio = own[a] + own[b] - there[a] - there[b];
            let accepted = log_uniform[copy / 8 * (states - 1) + k].0[copy % 8] < log_ratio;
            if accepted {
                (thermo[a], thermo[b]) = (other[a], other[b]);
                for r in [a, b] {
                    if let Some(energy) = energy.get_mut(r) {
                        *energy = there[r] / other[r].beta;
                    }
                }
            }
            if count {
                self.traffic.attempt(k, accepted);
            }
        }
        Ok((thermo, energy))
    }

    /// Swaps of random pairs.
    fn pairs(&mut self, ens: &Ensemble<S>, stream: Stream, count: bool) -> Result<(Vec<Thermo>, Vec<f64>)> {
        let states = self.ladder.len();
        let mut u = Vec::new();
        self.evaluations += self.known.u_kn(&*self.target, &self.ladder, ens, &mut u)?;
        let mut thermo = ens.thermo().to_vec();
        let (ladder, step) = (&self.ladder, ens.step);
        let counts: Vec<Counts> = thermo
            .par_chunks_mut(8 * states)
            .zip(u.par_chunks(8 * states * states))
            .zip(ens.health.par_chunks(8 * states))
            .enumerate()
            .map(|(block, ((thermo, u), health))| shuffle(ladder, thermo, u, health, stream, (step, 8 * block as u32)))
            .collect();
        if count {
            for c in &counts {
                self.traffic.add_attempts(&c.proposed, &c.accepted);
            }
        }
        let mut energy = if self.known.of(&*self.target, ens) { self.known.energy.clone() } else { Vec::new() };
        for (r, energy) in energy.iter_mut().enumerate() {
            if thermo[r] != ens.thermo()[r] {
                *energy = u[r * states + thermo[r].state as usize] / thermo[r].beta;
            }
        }
        Ok((thermo, energy))
    }

    fn exchange(&mut self, ens: &mut Ensemble<S>) -> Result<()> {
        let stream = match self.stream {
            Some((root, stream)) if root == ens.root => stream,
            _ => ens.root.stream(self.options.place, Purpose::Resample),
        };
        self.stream = Some((ens.root, stream));
        let count = self.propagator.warming() == 0;
        let old = ens.thermo().to_vec();
        let (thermo, energy) = match self.options.mixing {
            _ if self.ladder.len() < 2 => return Ok(()),
            Mixing::None => return Ok(()),
            Mixing::Neighbour => self.neighbours(ens, stream, count)?,
            Mixing::Gibbs => self.pairs(ens, stream, count)?,
        };
        if !one_coupling(&self.ladder) {
            self.known.energy = energy;
        }
        ens.relabel(&thermo)?;
        self.known.relabelled(ens.epoch(), &old, &thermo);
        if count {
            for r in 0..thermo.len() {
                if ens.health[r] == Health::Well {
                    self.traffic.moved(r, old[r].state as usize, thermo[r].state as usize, ens.step);
                }
            }
        }
        Ok(())
    }
}

impl<S: State> Propagator<S> for Exchange<S> {
    /// As the propagator's own, with exchanges wherever `ens.step` becomes a multiple of the interval.
    fn advance(&mut self, ens: &mut Ensemble<S>, steps: u64) -> Result<()> {
        let replicas = self.traffic.visits().len() / self.ladder.len();
        if ens.replicas() != replicas {
            return Err(Error::Shape { what: "replicas of the exchange", expected: replicas, found: ens.replicas() });
        }
        holds(&self.ladder, ens.thermo())?;
        let mut left = steps;
        while left > 0 {
            let every = self.options.every;
            let go = if self.options.mixing == Mixing::None { left } else { left.min(every - ens.step % every) };
            self.propagator.advance(ens, go)?;
            self.known.learn(&*self.propagator, ens.epoch());
            left -= go;
            if ens.step.is_multiple_of(every) {
                let forces = ens.force_epoch();
                self.exchange(ens)?;
                if ens.force_epoch() != forces {
                    self.propagator.prepare(ens)?;
                }
            }
        }
        Ok(())
    }

    fn exact(&self) -> bool {
        self.propagator.exact()
    }

    /// The propagator's, and the evaluations of exchanges.
    fn tally(&self) -> Tally {
        let tally = self.propagator.tally();
        Tally { evaluations: tally.evaluations + self.evaluations, ..tally }
    }

    fn kinetic(&self) -> Option<&[f64]> {
        if self.known.kinetic.is_empty() { self.propagator.kinetic() } else { Some(&self.known.kinetic) }
    }

    fn energy(&self) -> Option<&[f64]> {
        (!self.known.energy.is_empty()).then_some(&self.known.energy)
    }

    fn degrees_of_freedom(&self) -> usize {
        self.propagator.degrees_of_freedom()
    }

    fn warming(&self) -> u64 {
        self.propagator.warming()
    }

    fn timestep(&self) -> f64 {
        self.propagator.timestep()
    }
}

impl<S: State> Resume for Exchange<S> {
    fn save(&self, to: &mut Snapshot) {
        to.nest("propagator", |s| self.propagator.save(s));
        to.nest("traffic", |s| self.traffic.save(s));
        to.put("evaluations", self.evaluations);
        to.put("kinetic", self.known.kinetic.clone());
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.propagator.load(from.nested("propagator")?)?;
        self.traffic.load(from.nested("traffic")?)?;
        self.evaluations = from.u64("evaluations")?;
        self.known = Known { kinetic: from.f64s("kinetic")?.to_vec(), ..Known::default() };
        Ok(())
    }
}
