//! Rules with one force evaluation a step and no Metropolis decision, run over a batch.

use super::cache::{Cache, bury, fits, freeze, pad, real_lanes, sane, well};
use super::{Center, Com, Propagator, Tally};
use crate::Result;
use crate::batch::{Ensemble, Health, Phase, Resume, Snapshot};
use crate::energy::{Potential, betas, lambdas};
use crate::real::{Lanewise, Mask, Octet, Real, Wide, dispatch};
use crate::stream::{Purpose, Stream};
use rayon::prelude::*;
use std::sync::Arc;

/// Where a step starts: `[dof]` each.
pub struct Now<'a, T> {
    /// Positions.
    pub x: &'a [T],
    /// Velocities.
    pub v: &'a [T],
    /// Forces at `x`.
    pub f: &'a [T],
}

/// Where it ends.
pub struct Next<'a, T> {
    /// Positions.
    pub x: &'a mut [T],
    /// Velocities.
    pub v: &'a mut [T],
}

/// One step of a rule, cut in two by the evaluation of the force: a pure function of state and noise.
pub trait Rule: Send + Sync + std::fmt::Debug {
    /// Standard normal numbers per step and degree of freedom; `noise` has `NOISES * dof` of them.
    const NOISES: usize;

    /// Does [`Propagator::kinetic`] mean something?
    const KINETIC: bool;

    /// Everything up to the new positions. `root_kt` is sqrt(kT). Returns the kinetic energy if it is measured here, else 0.
    fn before<T: Real>(&self, now: Now<'_, T>, next: Next<'_, T>, noise: &[T], root_kt: T, center: &Center) -> T;

    /// The rest, with the force at the new positions. Returns the kinetic energy if it is measured here, else 0.
    fn after<T: Real>(&self, f: &[T], v: &mut [T], noise: &[T], root_kt: T, center: &Center) -> T;
}

/// A rule with its potential: moves whole batches, blocks of 8 replicas shared among threads.
///
/// Replica r draws from stream number r of `ens.root.stream(place, Purpose::Noise)`, so its trajectory depends neither on
/// how many replicas there are, nor on threads, vector width, or how the steps are cut into calls.
///
/// A replica whose energy or force stops being finite, or whose positions leave the ball of radius [`super::FARTHEST`],
/// is recorded in `ens.health` with the number of the step, and stays where it was before that step; the others do not
/// notice.
pub struct Unadjusted<R> {
    rule: R,
    potential: Arc<dyn Potential>,
    mass: Vec<f64>,
    center: Center,
    dt: f64,
    place: u64,
    cache: Cache,
    kinetic: Vec<f64>,
    tally: Tally,
}

impl<R: Rule> Unadjusted<R> {
    /// A rule made for these masses (per degree of freedom) and this step.
    ///
    /// # Errors
    /// `Error::Shape` when there is not one mass per degree of freedom of the potential; `Error::Input` for a step that is
    /// not positive, or a centre of mass that cannot be removed.
    pub fn with_rule(rule: R, potential: Arc<dyn Potential>, mass: &[f64], dt: f64, com: Com) -> Result<Self> {
        super::check_step(&*potential, mass, dt)?;
        let center = Center::new(com, mass)?;
        let cache = Cache::new();
        Ok(Unadjusted { rule, potential, mass: mass.to_vec(), center, dt, place: 0, cache, kinetic: Vec::new(), tally: Tally::default() })
    }

    /// The mover's place in its stage, which names its random stream (0 unless set).
    #[must_use]
    pub fn at_place(mut self, place: u64) -> Self {
        self.place = place;
        self
    }

    /// The rule.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// One step of one replica in plain `f64`, with given noise (`R::NOISES * dof` numbers): the reference of the batch, and
    /// the way to take a rule apart. Returns the kinetic energy as the rule measures it.
    pub fn step_one(&self, x: &mut [f64], v: &mut [f64], beta: f64, lambda: f64, noise: &[f64]) -> f64 {
        let n = x.len();
        let (mut f, mut terms) = (vec![0.0; n], vec![0.0; self.potential.terms().len()]);
        let (mut x2, mut v2) = (vec![0.0; n], vec![0.0; n]);
        let root_kt = (1.0 / beta).sqrt();
        self.potential.eval_one(x, lambda, &mut f, &mut terms);
        self.center.remove_force(&mut f);
        let mut k = self.rule.before(Now { x, v, f: &f }, Next { x: &mut x2, v: &mut v2 }, noise, root_kt, &self.center);
        self.potential.eval_one(&x2, lambda, &mut f, &mut terms);
        self.center.remove_force(&mut f);
        k += self.rule.after(&f, &mut v2, noise, root_kt, &self.center);
        x.copy_from_slice(&x2);
        v.copy_from_slice(&v2);
        k
    }
}

impl<R: Rule> Propagator<Phase> for Unadjusted<R> {
    fn advance(&mut self, ens: &mut Ensemble<Phase>, steps: u64) -> Result<()> {
        fits(ens, &self.mass)?;
        self.tally.with_forces(self.cache.renew(ens, &*self.potential, &self.center));
        let (dof, blocks, first) = (self.mass.len(), ens.state().x.blocks(), ens.step);
        let stream = ens.root.stream(self.place, Purpose::Noise);
        let (phase, thermo, health) = ens.parts_mut();
        let mut kinetic = vec![Octet::of(0.0); blocks];
        for (r, k) in self.kinetic.iter().enumerate().take(health.len()) {
            kinetic[r / 8].0[r % 8] = *k;
        }
        let (rule, center, potential) = (&self.rule, &self.center, &*self.potential);
        let states = phase.x.octets_mut().par_chunks_exact_mut(dof).zip(phase.v.octets_mut().par_chunks_exact_mut(dof));
        let caches = self.cache.f.octets_mut().par_chunks_exact_mut(dof).zip(self.cache.u.par_iter_mut());
        let rest = kinetic.par_iter_mut().zip(health.par_chunks_mut(8));
        let evaluations: u64 = states
            .zip(caches)
            .zip(rest)
            .enumerate()
            .map_init(
                || Scratch::new::<R>(dof),
                |scratch, (b, (((x, v), (f, u)), (kinetic, health)))| {
                    let (beta, lambda) = (betas(thermo, b), lambdas(thermo, b));
                    let run = Run { stream, step: first, steps, first: 8 * b as u32, beta, lambda };
                    dispatch(Block { rule, center, potential, run, x, v, f, u, kinetic, health, scratch })
                },
            )
            .sum();
        self.tally.with_forces(evaluations);
        pad(&mut phase.x);
        pad(&mut phase.v);
        ens.step += steps;
        self.kinetic.clear();
        for r in 0..ens.replicas() {
            self.kinetic.push(kinetic[r / 8].0[r % 8]);
        }
        self.cache.seal(ens, &*self.potential);
        Ok(())
    }

    fn exact(&self) -> bool {
        false
    }

    fn tally(&self) -> Tally {
        self.tally
    }

    fn kinetic(&self) -> Option<&[f64]> {
        (R::KINETIC && !self.kinetic.is_empty()).then_some(&self.kinetic)
    }

    fn energy(&self) -> Option<&[f64]> {
        (!self.cache.energy.is_empty()).then_some(&self.cache.energy)
    }

    fn degrees_of_freedom(&self) -> usize {
        self.center.degrees_of_freedom(self.mass.len())
    }

    fn timestep(&self) -> f64 {
        self.dt
    }

    fn prepare(&mut self, ens: &mut Ensemble<Phase>) -> Result<()> {
        fits(ens, &self.mass)?;
        self.tally.with_forces(self.cache.renew(ens, &*self.potential, &self.center));
        Ok(())
    }
}

impl<R> Resume for Unadjusted<R> {
    fn save(&self, to: &mut Snapshot) {
        to.nest("tally", |s| self.tally.save(s));
        self.cache.save(to);
        to.put("kinetic", self.kinetic.clone());
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.tally.load(from.nested("tally")?)?;
        self.cache.load(from);
        self.kinetic = from.f64s("kinetic")?.to_vec();
        Ok(())
    }
}

/// Memory of one block, of which each thread has one.
struct Scratch {
    x: Vec<Octet>,
    v: Vec<Octet>,
    f: Vec<Octet>,
    noise: Vec<Octet>,
}

impl Scratch {
    fn new<R: Rule>(dof: usize) -> Self {
        let zeros = |n| vec![Octet::of(0.0); n];
        Scratch { x: zeros(dof), v: zeros(dof), f: zeros(dof), noise: zeros(R::NOISES * dof) }
    }
}

struct Run {
    stream: Stream,
    step: u64,
    steps: u64,
    first: u32,
    beta: Octet,
    lambda: Octet,
}

struct Block<'a, R> {
    rule: &'a R,
    center: &'a Center,
    potential: &'a dyn Potential,
    run: Run,
    x: &'a mut [Octet],
    v: &'a mut [Octet],
    f: &'a mut [Octet],
    u: &'a mut Octet,
    kinetic: &'a mut Octet,
    health: &'a mut [Health],
    scratch: &'a mut Scratch,
}

impl<R: Rule> Lanewise for Block<'_, R> {
    type Out = u64;

    /// All steps of one block; returns the evaluations of replicas that were well.
    ///
    /// Two sets of x, v, f take turns, so that a lane which fails can stay where it was.
    #[inline(always)]
    fn run<L: Wide>(self) -> u64 {
        let Block { rule, center, potential, run, x, v, f, u, kinetic, health, scratch } = self;
        let Scratch { x: x2, v: v2, f: f2, noise } = scratch;
        let root_kt = (L::of(1.0) / L::load(run.beta)).sqrt();
        let replicas = real_lanes(health);
        let (mut now, mut next) = ((x, v, f), (&mut x2[..], &mut v2[..], &mut f2[..]));
        let mut alive = bury(well(health), sane(L::of_octets(now.0), L::of_octets(now.2), L::load(*u)).bits(), health, run.step);
        let (mut evaluations, mut swapped) = (0, false);
        for k in 0..run.steps {
            if alive == 0 {
                break;
            }
            let noise = L::of_octets_mut(noise);
            run.stream.normals(run.step + k, run.first, noise);
            let from = Now { x: L::of_octets(now.0), v: L::of_octets(now.1), f: L::of_octets(now.2) };
            let to = Next { x: L::of_octets_mut(next.0), v: L::of_octets_mut(next.1) };
            let early = rule.before(from, to, noise, root_kt, center);
            let mut energy = potential.eval_block(next.0, run.lambda, next.2, None);
            let f = L::of_octets_mut(next.2);
            center.remove_force(f);
            let late = rule.after(f, L::of_octets_mut(next.1), noise, root_kt, center);
            let mut measured = (early + late).store();
            alive = bury(alive, sane(L::of_octets(next.0), L::of_octets(next.2), L::load(energy)).bits(), health, run.step + k + 1);
            if alive != 0xff {
                freeze(alive, now.0, next.0);
                freeze(alive, now.1, next.1);
                freeze(alive, now.2, next.2);
                freeze(alive, std::slice::from_ref(u), std::slice::from_mut(&mut energy));
                freeze(alive, std::slice::from_ref(kinetic), std::slice::from_mut(&mut measured));
            }
            evaluations += u64::from((alive & replicas).count_ones());
            (*u, *kinetic) = (energy, measured);
            std::mem::swap(&mut now, &mut next);
            swapped = !swapped;
        }
        if swapped {
            next.0.copy_from_slice(now.0);
            next.1.copy_from_slice(now.1);
            next.2.copy_from_slice(now.2);
        }
        evaluations
    }
}
