//! Expanded ensembles: every replica jumps among the states of a ladder, with weights that it learns.

use super::known::Known;
use super::rungs::{at_rungs, check, configurational};
use super::{Sams, Target, WangLandau};
use crate::batch::{Ensemble, Health, Resume, Snapshot, State, Thermo};
use crate::dynamics::{Propagator, Tally};
use crate::real::Real;
use crate::stream::Purpose;
use crate::{Error, Result};
use std::sync::Arc;

/// How the weights of the states come about.
#[derive(Clone, Debug, PartialEq)]
pub enum Weighting {
    /// [`Sams`].
    Sams,
    /// [`WangLandau`].
    WangLandau,
    /// Given ones, kept: estimates of ln Z_k, one a state. The only choice under which samples follow a fixed law.
    Fixed(Vec<f64>),
}

/// Settings of [`Expanded`].
#[derive(Clone, Debug, PartialEq)]
pub struct ExpandedOptions {
    /// Steps of the propagator between jumps; they happen where `ens.step` is a multiple of it.
    pub every: u64,
    /// How the weights come about.
    pub weighting: Weighting,
    /// Replicas that share one set of weights: 1 makes all replicas independent; more learn faster together. Groups are
    /// consecutive replicas; errors come from at least two of them.
    pub walkers: usize,
    /// The mover's place in its stage, which names its random stream.
    pub place: u64,
}

/// Expanded ensemble (on a ladder of temperatures: simulated tempering): a propagator whose replicas jump among states.
///
///   p(x, k) ~ exp(-zeta_k - u_k(x)),   k drawn from p(k | x) = exp(-zeta_k - u_k(x)) / sum_j exp(-zeta_j - u_j(x))
///
/// with u_k(x) = beta_k U(x; lambda_k); zeta_k = ln Z_k makes the visits even, and learning that is what estimates free energies.
/// Exactness: at fixed zeta the joint law is invariant, the draw being a Gibbs step; momenta go with the label at fixed
/// sqrt(beta) v ([`Ensemble::relabel`]). While zeta is learned the law is only approached, and [`Propagator::exact`] says so; the
/// learned zeta are consistent estimates of ln Z_k, and within one state samples follow exp(-u_k) in the limit.
/// A state whose energy is infinite or NaN is not jumped to. A replica that diverged stays, and teaches nothing.
/// Cost: on a ladder of temperatures nothing is evaluated; otherwise [`Target::u_kn`] at every jump.
/// Randomness: [`Purpose::Resample`], (0, step, replica). Saved: the propagator, weights and counts.
/// Source: Lyubartsev, Martsinovski, Shevkunov and Vorontsov-Velyaminov, J. Chem. Phys. 96, 1776 (1992); Marinari and Parisi, Europhys.
/// Lett. 19, 451 (1992).
pub struct Expanded<S: State> {
    propagator: Box<dyn Propagator<S>>,
    target: Arc<dyn Target<S>>,
    ladder: Vec<Thermo>,
    options: ExpandedOptions,
    weights: Vec<Weights>,
    visits: Vec<u64>,
    evaluations: u64,
    known: Known,
}

enum Weights {
    Sams(Sams),
    WangLandau(WangLandau),
    Fixed(Vec<f64>),
}

impl Weights {
    fn zeta(&self) -> &[f64] {
        match self {
            Weights::Sams(w) => w.zeta(),
            Weights::WangLandau(w) => w.log_g(),
            Weights::Fixed(zeta) => zeta,
        }
    }
}

impl<S: State> Expanded<S> {
    /// Jumps over `ladder` (state k is its element k) for `replicas` replicas that `propagator` moves at their own states, wherever on
    /// the ladder they start; `target` is the same energy that the propagator knows.
    ///
    /// # Errors
    /// `Error::Input` for a ladder that is none, an interval of 0 steps, groups that do not divide the replicas, or weights that are
    /// not one finite number a state.
    pub fn new(
        propagator: Box<dyn Propagator<S>>,
        target: Arc<dyn Target<S>>,
        ladder: Vec<Thermo>,
        replicas: usize,
        options: ExpandedOptions,
    ) -> Result<Self> {
        check(&ladder)?;
        configurational(&*target)?;
        let states = ladder.len();
        if options.every == 0 {
            return Err(Error::input("replicas jump every 0 steps", "give 1 or more steps between jumps"));
        }
        if replicas == 0 || options.walkers == 0 || !replicas.is_multiple_of(options.walkers) {
            return Err(Error::input(
                format!("{replicas} replicas in groups of {} walkers", options.walkers),
                "let the walkers of a group divide the replicas",
            ));
        }
        let mut weights = Vec::new();
        for _ in 0..replicas / options.walkers {
            weights.push(match &options.weighting {
                Weighting::Sams => Weights::Sams(Sams::new(states)?),
                Weighting::WangLandau => Weights::WangLandau(WangLandau::new(states)?),
                Weighting::Fixed(zeta) => {
                    if zeta.len() != states || zeta.iter().any(|z| !z.is_finite()) {
                        return Err(Error::input(
                            format!("weights {zeta:?} of a ladder of {states} states"),
                            "give one finite number a state: an estimate of ln Z",
                        ));
                    }
                    Weights::Fixed(zeta.clone())
                }
            });
        }
        let visits = vec![0; replicas * states];
        Ok(Expanded { propagator, target, ladder, options, weights, visits, evaluations: 0, known: Known::default() })
    }

    /// The states.
    pub fn ladder(&self) -> &[Thermo] {
        &self.ladder
    }

    /// f_k - f_0 = -(zeta_k - zeta_0) of each group of walkers, `[group][state]`: with learned weights the estimates of -ln(Z_k / Z_0).
    /// Groups are independent of each other, so their spread is the error.
    pub fn delta_f(&self) -> Vec<f64> {
        let mut f = Vec::with_capacity(self.weights.len() * self.ladder.len());
        for weights in &self.weights {
            let zeta = weights.zeta();
            f.extend(zeta.iter().map(|z| zeta[0] - z));
        }
        f
    }

    /// Is the learning in its last stage, where gains fall like 1/t, for each group of walkers? Fixed weights always are.
    pub fn settled(&self) -> Vec<bool> {
        let settled = |w: &Weights| match w {
            Weights::Sams(w) => w.switched().is_some(),
            Weights::WangLandau(w) => w.settled(),
            Weights::Fixed(_) => true,
        };
        self.weights.iter().map(settled).collect()
    }

    /// How often each replica was at each state after a jump, `[replica][state]`, the propagator's own warm-up left out.
    pub fn visits(&self) -> &[u64] {
        &self.visits
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

    fn jump(&mut self, ens: &mut Ensemble<S>) -> Result<()> {
        let (states, walkers) = (self.ladder.len(), self.options.walkers);
        let stream = ens.root.stream(self.options.place, Purpose::Resample);
        let counts = self.propagator.warming() == 0;
        let mut u = Vec::new();
        self.evaluations += self.known.u_kn(&*self.target, &self.ladder, ens, &mut u)?;
        let old = ens.thermo().to_vec();
        let mut thermo = old.clone();
        let (mut p, mut mean) = (vec![0.0; states], vec![0.0; states]);
        for (group, weights) in self.weights.iter_mut().enumerate() {
            mean.fill(0.0);
            let mut well = 0.0;
            for r in group * walkers..(group + 1) * walkers {
                if ens.health[r] != Health::Well || !conditional(weights.zeta(), &u[r * states..(r + 1) * states], &mut p) {
                    continue;
                }
                well += 1.0;
                let state = drawn(&p, stream.uniform(0, ens.step, r as u32), thermo[r].state as usize);
                thermo[r] = self.ladder[state];
                for (mean, p) in mean.iter_mut().zip(&p) {
                    *mean += p;
                }
                if counts {
                    self.visits[r * states + state] += 1;
                }
                // The law of the next walker's draw is that of the weights as they are now: any order is exact at fixed weights.
                match weights {
                    Weights::WangLandau(w) => w.visit(state),
                    Weights::Sams(w) => w.visit(state),
                    Weights::Fixed(_) => {}
                }
            }
            if let (Weights::Sams(w), true) = (weights, well > 0.0) {
                for mean in &mut mean {
                    *mean /= well;
                }
                w.update(&mean);
            }
        }
        if self.known.of(&*self.target, ens) {
            for (r, energy) in self.known.energy.iter_mut().enumerate() {
                if thermo[r].lambda.to_bits() != old[r].lambda.to_bits() {
                    *energy = u[r * states + thermo[r].state as usize] / thermo[r].beta;
                }
            }
        }
        ens.relabel(&thermo)?;
        self.known.relabelled(ens.epoch(), &old, &thermo);
        Ok(())
    }
}

/// p(k | x) ~ exp(-zeta_k - u_k), over `p`; false when no state is possible.
fn conditional(zeta: &[f64], u: &[f64], p: &mut [f64]) -> bool {
    let mut top = f64::NEG_INFINITY;
    for k in 0..p.len() {
        p[k] = -zeta[k] - u[k];
        if p[k].is_finite() && p[k] > top {
            top = p[k];
        }
    }
    if top == f64::NEG_INFINITY {
        return false;
    }
    let mut sum = 0.0;
    for p in &mut *p {
        *p = if p.is_finite() { Real::exp(*p - top) } else { 0.0 };
        sum += *p;
    }
    for p in p {
        *p /= sum;
    }
    true
}

/// The state at `uniform` of the cumulated p; `stay` when rounding leaves none.
fn drawn(p: &[f64], uniform: f64, stay: usize) -> usize {
    let mut left = uniform;
    for (k, p) in p.iter().enumerate() {
        left -= p;
        if left < 0.0 {
            return k;
        }
    }
    stay
}

impl<S: State> Propagator<S> for Expanded<S> {
    /// As the propagator's own, with jumps wherever `ens.step` becomes a multiple of the interval.
    fn advance(&mut self, ens: &mut Ensemble<S>, steps: u64) -> Result<()> {
        let replicas = self.visits.len() / self.ladder.len();
        if ens.replicas() != replicas {
            return Err(Error::Shape { what: "replicas of the expanded ensemble", expected: replicas, found: ens.replicas() });
        }
        at_rungs(&self.ladder, ens.thermo())?;
        let mut left = steps;
        while left > 0 {
            let every = self.options.every;
            let go = left.min(every - ens.step % every);
            self.propagator.advance(ens, go)?;
            self.known.learn(&*self.propagator, ens.epoch());
            left -= go;
            if ens.step.is_multiple_of(every) {
                let forces = ens.force_epoch();
                self.jump(ens)?;
                if ens.force_epoch() != forces {
                    self.propagator.prepare(ens)?;
                }
            }
        }
        Ok(())
    }

    /// With fixed weights as the propagator is; no while weights are learned.
    fn exact(&self) -> bool {
        self.propagator.exact() && matches!(self.options.weighting, Weighting::Fixed(_))
    }

    /// The propagator's, and the evaluations of jumps.
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

impl<S: State> Resume for Expanded<S> {
    fn save(&self, to: &mut Snapshot) {
        to.nest("propagator", |s| self.propagator.save(s));
        to.put("visits", self.visits.clone());
        to.put("evaluations", self.evaluations);
        to.put("kinetic", self.known.kinetic.clone());
        for (group, weights) in self.weights.iter().enumerate() {
            to.nest(&format!("weights {group}"), |s| match weights {
                Weights::Sams(w) => w.save(s),
                Weights::WangLandau(w) => w.save(s),
                Weights::Fixed(zeta) => s.put("zeta", zeta.clone()),
            });
        }
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.propagator.load(from.nested("propagator")?)?;
        let visits = from.u64s("visits")?;
        if visits.len() != self.visits.len() {
            return Err(Error::Shape { what: "visits in the snapshot", expected: self.visits.len(), found: visits.len() });
        }
        self.visits = visits.to_vec();
        self.evaluations = from.u64("evaluations")?;
        self.known = Known { kinetic: from.f64s("kinetic")?.to_vec(), ..Known::default() };
        for (group, weights) in self.weights.iter_mut().enumerate() {
            let part = from.nested(&format!("weights {group}"))?;
            match weights {
                Weights::Sams(w) => w.load(part)?,
                Weights::WangLandau(w) => w.load(part)?,
                Weights::Fixed(zeta) => *zeta = part.f64s("zeta")?.to_vec(),
            }
        }
        Ok(())
    }
}
