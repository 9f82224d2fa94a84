//! Hamiltonian Monte Carlo.

use super::cache::{Cache, bury, fits, pad, real_lanes, sane, well};
use super::{Center, Com, DualAveraging, Propagator, Tally, check_step};
use crate::batch::{Ensemble, Health, Phase, Resume, Snapshot};
use crate::energy::{Potential, betas, lambdas};
use crate::real::{Lanewise, Mask, Octet, Real, Wide, dispatch};
use crate::stream::{Purpose, Stream};
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::Arc;

/// Settings of [`Hmc`].
#[derive(Clone, Debug, PartialEq)]
pub struct HmcOptions {
    /// Leapfrog step; with a warm-up, where the search starts.
    pub dt: f64,
    /// Leapfrog steps of a proposal.
    pub leapfrog: u32,
    /// Each proposal of each replica multiplies dt by 1 + jitter (2 r - 1), r uniform in (0, 1) from slot 1 of the
    /// acceptance stream: it breaks the closed orbits that a fixed length has in a harmonic well. 0 switches it off.
    pub jitter: f64,
    /// Steps at the beginning during which dt adapts; they do not sample the target.
    pub warmup: u64,
    /// Acceptance probability that the warm-up aims at.
    pub target_acceptance: f64,
    /// Centre of mass.
    pub com: Com,
}

impl Default for HmcOptions {
    fn default() -> Self {
        HmcOptions { dt: 0.01, leapfrog: 10, jitter: 0.1, warmup: 0, target_acceptance: 0.8, com: Com::Keep }
    }
}

/// Hamiltonian (hybrid) Monte Carlo.
///
///   v ~ N(0, kT/m);  (x', v') = leapfrog^L(x, v);  accept with probability min(1, exp(-beta (U' + K' - U - K)))
///
/// Shapes: x, v are `[replica, dof]`. Units: dt in the system's time unit. One step of the propagator is one proposal
/// (`leapfrog` force evaluations). After a step x and v together sample exp(-beta (U + K)).
/// Bias: none, at any step size: the leapfrog map is volume-preserving and reversible. A jittered dt is drawn before and
/// independently of the state, so it changes nothing in this.
/// A proposal with an energy or force that is not finite, or farther out than [`super::FARTHEST`], is rejected and no
/// divergence; a replica that *starts* at such a place has diverged.
/// Adaptation: [`DualAveraging`] with the acceptance averaged over the batch, for the first `warmup` steps that this
/// propagator takes, then frozen; its state is saved. Randomness: [`Purpose::Velocities`] and [`Purpose::Accept`].
/// Source: Duane, Kennedy, Pendleton and Roweth, Phys. Lett. B 195, 216 (1987).
pub struct Hmc {
    options: HmcOptions,
    potential: Arc<dyn Potential>,
    mass: Vec<f64>,
    inverse_mass: Vec<f64>,
    sigma: Vec<f64>,
    center: Center,
    place: u64,
    cache: Cache,
    adapt: DualAveraging,
    tally: Tally,
}

impl Hmc {
    /// Masses per degree of freedom: they set the momenta, not the target.
    ///
    /// # Errors
    /// `Error::Shape` when there is not one mass per degree of freedom; `Error::Input` for a number outside its range.
    pub fn new(potential: Arc<dyn Potential>, mass: &[f64], options: HmcOptions) -> Result<Self> {
        check_step(&*potential, mass, options.dt)?;
        if options.leapfrog == 0 {
            return Err(Error::input("HMC with 0 leapfrog steps does not move", "leapfrog is 1 or more"));
        }
        if !(0.0..1.0).contains(&options.jitter) {
            return Err(Error::input(format!("the jitter is {}", options.jitter), "jitter is at least 0 and less than 1"));
        }
        let target = options.target_acceptance;
        if !(target > 0.0 && target < 1.0) {
            return Err(Error::input(format!("the target acceptance is {target}"), "it lies between 0 and 1"));
        }
        Ok(Hmc {
            center: Center::new(options.com, mass)?,
            adapt: DualAveraging::new(options.dt, target),
            potential,
            mass: mass.to_vec(),
            inverse_mass: mass.iter().map(|m| 1.0 / m).collect(),
            sigma: mass.iter().map(|m| (1.0 / m).sqrt()).collect(),
            place: 0,
            cache: Cache::new(),
            tally: Tally::default(),
            options,
        })
    }

    /// The mover's place in its stage, which names its random streams (0 unless set).
    #[must_use]
    pub fn at_place(mut self, place: u64) -> Self {
        self.place = place;
        self
    }

    /// `steps` proposals of every replica with one step size; returns the mean acceptance probability of the last ones.
    fn pass(&mut self, ens: &mut Ensemble<Phase>, steps: u64) -> f64 {
        self.tally.with_forces(self.cache.renew(ens, &*self.potential, &self.center));
        let (dof, first, dt) = (self.mass.len(), ens.step, self.timestep());
        let streams = (ens.root.stream(self.place, Purpose::Velocities), ens.root.stream(self.place, Purpose::Accept));
        let (phase, thermo, health) = ens.parts_mut();
        let mut chance = vec![Octet::of(0.0); phase.x.blocks()];
        let Hmc { options, potential, mass, inverse_mass, sigma, center, cache, .. } = &mut *self;
        let rule = Leapfrog { steps: options.leapfrog, jitter: options.jitter, dt, mass, inverse_mass, sigma, center };
        let (rule, potential) = (&rule, &**potential);
        let states = phase.x.octets_mut().par_chunks_exact_mut(dof).zip(phase.v.octets_mut().par_chunks_exact_mut(dof));
        let caches = cache.f.octets_mut().par_chunks_exact_mut(dof).zip(cache.u.par_iter_mut());
        let rest = chance.par_iter_mut().zip(health.par_chunks_mut(8));
        let [evaluations, proposed, accepted] = states
            .zip(caches)
            .zip(rest)
            .enumerate()
            .map_init(
                || [vec![Octet::of(0.0); dof], vec![Octet::of(0.0); dof], vec![Octet::of(0.0); dof]],
                |scratch, (b, (((x, v), (f, u)), (chance, health)))| {
                    let (beta, lambda) = (betas(thermo, b), lambdas(thermo, b));
                    let run = Run { streams, step: first, steps, first: 8 * b as u32, beta, lambda };
                    dispatch(Block { rule, potential, run, x, v, f, u, chance, health, scratch })
                },
            )
            .reduce(|| [0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
        self.tally.with_forces(evaluations);
        self.tally.proposed += proposed;
        self.tally.accepted += accepted;
        pad(&mut phase.x);
        pad(&mut phase.v);
        let (mut sum, mut count) = (0.0, 0.0);
        for (r, h) in health.iter().enumerate() {
            if *h == Health::Well {
                sum += chance[r / 8].0[r % 8];
                count += 1.0;
            }
        }
        ens.step += steps;
        self.cache.seal(ens, &*self.potential);
        if count > 0.0 { sum / count } else { 0.0 }
    }
}

impl Propagator<Phase> for Hmc {
    fn advance(&mut self, ens: &mut Ensemble<Phase>, steps: u64) -> Result<()> {
        fits(ens, &self.mass)?;
        let warm = steps.min(self.warming());
        for _ in 0..warm {
            let acceptance = self.pass(ens, 1);
            self.adapt.update(acceptance);
        }
        if steps > warm {
            self.pass(ens, steps - warm);
        }
        Ok(())
    }

    fn exact(&self) -> bool {
        true
    }

    fn tally(&self) -> Tally {
        self.tally
    }

    fn energy(&self) -> Option<&[f64]> {
        (!self.cache.energy.is_empty()).then_some(&self.cache.energy)
    }

    fn degrees_of_freedom(&self) -> usize {
        self.center.degrees_of_freedom(self.mass.len())
    }

    fn warming(&self) -> u64 {
        self.options.warmup - self.adapt.count().min(self.options.warmup)
    }

    fn timestep(&self) -> f64 {
        match (self.options.warmup, self.warming()) {
            (0, _) => self.options.dt,
            (_, 0) => self.adapt.mean(),
            _ => self.adapt.step(),
        }
    }

    /// The velocities are drawn afresh by each step, and the leapfrog map is its own inverse up to their sign.
    fn reversible(&self) -> bool {
        true
    }

    fn prepare(&mut self, ens: &mut Ensemble<Phase>) -> Result<()> {
        fits(ens, &self.mass)?;
        self.tally.with_forces(self.cache.renew(ens, &*self.potential, &self.center));
        Ok(())
    }

    fn set_timestep(&mut self, dt: f64) -> Result<()> {
        check_step(&*self.potential, &self.mass, dt)?;
        if self.options.warmup > 0 {
            return Err(Error::input("a step that a warm-up adapts cannot be set as well", "build the propagator with warmup = 0"));
        }
        self.options.dt = dt;
        Ok(())
    }
}

impl Resume for Hmc {
    fn save(&self, to: &mut Snapshot) {
        to.nest("tally", |s| self.tally.save(s));
        self.cache.save(to);
        to.nest("adaptation", |s| self.adapt.save(s));
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.tally.load(from.nested("tally")?)?;
        self.cache.load(from);
        self.adapt.load(from.nested("adaptation")?)
    }
}

struct Leapfrog<'a> {
    steps: u32,
    jitter: f64,
    dt: f64,
    mass: &'a [f64],
    inverse_mass: &'a [f64],
    sigma: &'a [f64],
    center: &'a Center,
}

impl Leapfrog<'_> {
    /// Twice the kinetic energy, in the order of the degrees of freedom.
    #[inline(always)]
    fn twice_kinetic<T: Real>(&self, v: &[T]) -> T {
        let n = v.len();
        let mass = &self.mass[..n];
        let mut k = T::of(0.0);
        for d in 0..n {
            k = (v[d] * v[d]).mul_add(T::of(mass[d]), k);
        }
        k
    }

    /// v += time f/m.
    #[inline(always)]
    fn kick<T: Real>(&self, time: T, f: &[T], v: &mut [T]) {
        let n = v.len();
        let (f, inverse_mass) = (&f[..n], &self.inverse_mass[..n]);
        for d in 0..n {
            v[d] = f[d].mul_add(time * T::of(inverse_mass[d]), v[d]);
        }
    }

    /// x += time v.
    #[inline(always)]
    fn drift<T: Real>(&self, time: T, v: &[T], x: &mut [T]) {
        let n = x.len();
        let v = &v[..n];
        for d in 0..n {
            x[d] = v[d].mul_add(time, x[d]);
        }
        self.center.remove(x);
    }
}

struct Run {
    streams: (Stream, Stream),
    step: u64,
    steps: u64,
    first: u32,
    beta: Octet,
    lambda: Octet,
}

struct Block<'a> {
    rule: &'a Leapfrog<'a>,
    potential: &'a dyn Potential,
    run: Run,
    x: &'a mut [Octet],
    v: &'a mut [Octet],
    f: &'a mut [Octet],
    u: &'a mut Octet,
    chance: &'a mut Octet,
    health: &'a mut [Health],
    scratch: &'a mut [Vec<Octet>; 3],
}

impl Lanewise for Block<'_> {
    type Out = [u64; 3];

    /// All proposals of one block; returns evaluations, proposals and acceptances of replicas that are well.
    #[inline(always)]
    fn run<L: Wide>(self) -> [u64; 3] {
        let Block { rule, potential, run, x, v, f, u, chance, health, scratch } = self;
        let [x2, v2, f2] = scratch;
        let n = x.len();
        let (one, beta) = (L::of(1.0), L::load(run.beta));
        let root_kt = (one / beta).sqrt();
        let replicas = real_lanes(health);
        let alive = bury(well(health), sane(L::of_octets(x), L::of_octets(f), L::load(*u)).bits(), health, run.step);
        let mut living = Octet::of(0.0);
        for lane in 0..8 {
            if alive >> lane & 1 == 1 {
                living.0[lane] = 1.0;
            }
        }
        let living = L::of(0.5).lt(L::load(living));
        let count = u64::from((alive & replicas).count_ones());
        let mut tally = [0; 3];
        if alive == 0 {
            return tally;
        }
        for k in 0..run.steps {
            let step = run.step + k;
            {
                let (v, v2, sigma) = (L::of_octets_mut(v), L::of_octets_mut(v2), &rule.sigma[..n]);
                run.streams.0.normals(step, run.first, v2);
                for d in 0..n {
                    v2[d] = L::of(sigma[d]) * root_kt * v2[d];
                }
                rule.center.remove(v2);
                for d in 0..n {
                    v[d] = L::select(living, v2[d], v[d]);
                }
            }
            x2.copy_from_slice(x);
            f2.copy_from_slice(f);
            let wiggle = run.streams.1.uniform::<L>(1, step, run.first);
            let dt = L::of(rule.dt) * (wiggle - L::of(0.5)).mul_add(L::of(2.0 * rule.jitter), one);
            let half = L::of(0.5) * dt;
            let k1 = rule.twice_kinetic(L::of_octets(v2));
            let mut u2 = *u;
            for _ in 0..rule.steps {
                rule.kick(half, L::of_octets(f2), L::of_octets_mut(v2));
                rule.drift(dt, L::of_octets(v2), L::of_octets_mut(x2));
                u2 = potential.eval_block(x2, run.lambda, f2, None);
                rule.center.remove_force(L::of_octets_mut(f2));
                rule.kick(half, L::of_octets(f2), L::of_octets_mut(v2));
            }
            let k2 = rule.twice_kinetic(L::of_octets(v2));
            let (u1, u2) = (L::load(*u), L::load(u2));
            let log_ratio = beta * (L::of(0.5) * (k1 - k2) + (u1 - u2));
            let possible = sane(L::of_octets(x2), L::of_octets(f2), u2) & log_ratio.le(log_ratio) & living;
            let accept = run.streams.1.uniform::<L>(0, step, run.first).ln().lt(log_ratio) & possible;
            *chance = L::select(possible, log_ratio.min(L::of(0.0)).exp(), L::of(0.0)).store();
            *u = L::select(accept, u2, u1).store();
            let (x, x2) = (L::of_octets_mut(x), L::of_octets(x2));
            let (v, v2) = (L::of_octets_mut(v), L::of_octets(v2));
            let (f, f2) = (L::of_octets_mut(f), L::of_octets(f2));
            for d in 0..n {
                x[d] = L::select(accept, x2[d], x[d]);
                v[d] = L::select(accept, v2[d], v[d]);
                f[d] = L::select(accept, f2[d], f[d]);
            }
            tally[0] += count * u64::from(rule.steps);
            tally[1] += count;
            tally[2] += u64::from((accept.bits() & replicas).count_ones());
        }
        tally
    }
}
