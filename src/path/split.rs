//! Underdamped Langevin splittings, with the exact ratio of their kernels.

use super::{Canonical, Target, Transition};
use crate::batch::{Ensemble, Health, Phase, Resume, Snapshot, Thermo};
use crate::dynamics::{Cache, Center, Com, Tally, bury, fits, freeze, ornstein_uhlenbeck, pad, real_lanes, sane, well};
use crate::energy::{Evaluation, Potential, betas, lambdas};
use crate::real::{Lanewise, Mask, Octet, Real, Wide, dispatch};
use crate::stream::{Purpose, Stream};
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::Arc;

/// The order of the parts of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// O(dt/2) B(dt/2) A(dt) B(dt/2) O(dt/2).
    Obabo,
    /// B(dt/2) A(dt/2) O(dt) A(dt/2) B(dt/2).
    Baoab,
}

/// One step of an underdamped splitting at level k + 1; B_k undoes A and B and draws the O steps anew.
///
///   O: v' ~ N(c v, (1 - c^2) kT/m)     B: v += (dt/2) f/m     A: x += dt v
///
/// A and B keep the volume, and O obeys detailed balance in v, so the ratio of the kernels is what the O steps do to K:
///
///   log B_k - log F_k = beta sum_O [K(v after O) - K(v before O)]
///
/// With the energies of the levels, -log w is the work of the knobs plus the shadow work of the splitting: E\[w\] = Z_1 / Z_0 at
/// every step size, if energies are finite wherever a step can lead (not through a hard wall). Momenta count ([`Canonical`]), and
/// persist from level to level: nonequilibrium switching by Langevin dynamics.
/// Several steps a level: [`super::repeat_levels`].
/// A replica whose energy, force or position leaves the finite has diverged: it stays where it was, with weight 0.
/// Cost of a step of the path: one evaluation for the knobs (none where they rest), one for the move.
/// Sources: Sivak, Chodera and Crooks, Phys. Rev. X 3, 011007 (2013); Bussi and Parrinello, Phys. Rev. E 75, 056707 (2007).
pub struct Split {
    scheme: Scheme,
    dt: f64,
    c: f64,
    sigma: Vec<f64>,
    potential: Arc<dyn Potential>,
    target: Canonical,
    mass: Vec<f64>,
    center: Center,
    place: u64,
    cache: Cache,
    evaluations: u64,
}

impl Split {
    /// Step `dt`, friction `gamma` (1/time), masses per degree of freedom.
    ///
    /// # Errors
    /// `Error::Shape` when there is not one mass per degree of freedom; `Error::Input` for a number outside its range.
    pub fn new(potential: Arc<dyn Potential>, mass: &[f64], scheme: Scheme, dt: f64, gamma: f64, com: Com) -> Result<Self> {
        if mass.len() != potential.dof() {
            return Err(Error::Shape { what: "masses of the splitting", expected: potential.dof(), found: mass.len() });
        }
        if !(dt.is_finite() && dt > 0.0) {
            return Err(Error::input(format!("the step is {dt}"), "dt is positive and finite"));
        }
        if !(gamma.is_finite() && gamma >= 0.0) {
            return Err(Error::input(format!("the friction is {gamma}"), "gamma is 0 or more, in 1/time"));
        }
        let (c, one_minus_c2) = ornstein_uhlenbeck(gamma * if scheme == Scheme::Obabo { 0.5 * dt } else { dt });
        Ok(Split {
            scheme,
            dt,
            c,
            sigma: mass.iter().map(|m| (one_minus_c2 / m).sqrt()).collect(),
            target: Canonical::new(potential.clone(), com),
            potential,
            mass: mass.to_vec(),
            center: Center::new(com, mass)?,
            place: 0,
            cache: Cache::new(),
            evaluations: 0,
        })
    }

    /// The mover's place in its stage, which names its random stream (0 unless set).
    #[must_use]
    pub fn at_place(mut self, place: u64) -> Self {
        self.place = place;
        self
    }

    fn prepare(&mut self, ens: &Ensemble<Phase>) -> Result<()> {
        fits(ens, &self.mass)?;
        self.evaluations += self.cache.renew(ens, &*self.potential, &self.center);
        Ok(())
    }

    /// One step ahead (`sign` 1) or back (-1).
    fn go(&mut self, sign: f64, ens: &mut Ensemble<Phase>) -> Result<()> {
        self.prepare(ens)?;
        let (dof, step) = (self.mass.len(), ens.step);
        let stream = ens.root.stream(self.place, Purpose::Noise);
        let mut ratio = vec![Octet::of(0.0); ens.state().x.blocks()];
        let (phase, thermo, health) = ens.parts_mut();
        let Split { scheme, dt, c, sigma, potential, mass, center, cache, .. } = &mut *self;
        let rule = Parts { scheme: *scheme, dt: sign * *dt, c: *c, sigma, mass, center };
        let (rule, potential) = (&rule, &**potential);
        let states = phase.x.octets_mut().par_chunks_exact_mut(dof).zip(phase.v.octets_mut().par_chunks_exact_mut(dof));
        let caches = cache.f.octets_mut().par_chunks_exact_mut(dof).zip(cache.u.par_iter_mut());
        let rest = ratio.par_iter_mut().zip(health.par_chunks_mut(8));
        let evaluations: u64 = states
            .zip(caches)
            .zip(rest)
            .enumerate()
            .map_init(
                || [vec![Octet::of(0.0); dof], vec![Octet::of(0.0); dof], vec![Octet::of(0.0); dof], vec![Octet::of(0.0); 2 * dof]],
                |scratch, (b, (((x, v), (f, u)), (ratio, health)))| {
                    let (beta, lambda, first) = (betas(thermo, b), lambdas(thermo, b), 8 * b as u32);
                    dispatch(Block { rule, potential, stream, step, first, beta, lambda, x, v, f, u, ratio, health, scratch })
                },
            )
            .sum();
        self.evaluations += evaluations;
        pad(&mut phase.x);
        pad(&mut phase.v);
        ens.step += 1;
        self.cache.seal(ens, &*self.potential);
        for (r, w) in ens.log_w.iter_mut().enumerate() {
            *w += ratio[r / 8].0[r % 8];
        }
        Ok(())
    }

    /// Forces of a state at given knobs.
    fn forces(&self, s: &Phase, thermo: &[Thermo]) -> Result<Evaluation> {
        let mut e = Evaluation::new();
        self.potential.eval(&s.x, thermo, &mut e)?;
        Ok(e)
    }
}

impl Transition<Phase> for Split {
    fn forward(&mut self, _k: usize, ens: &mut Ensemble<Phase>) -> Result<()> {
        self.go(1.0, ens)
    }

    fn backward(&mut self, _k: usize, ens: &mut Ensemble<Phase>) -> Result<()> {
        self.go(-1.0, ens)
    }

    /// The velocities between the parts follow from the ends: v after B, before B.
    fn ledger(&self, k: usize, thermo: &[Thermo], from: &Phase, to: &Phase, out: &mut [f64]) -> Result<()> {
        let (here, there) = (self.forces(from, thermo)?, self.forces(to, thermo)?);
        let n = self.mass.len();
        let mut rows = vec![vec![0.0; n]; 6];
        for (r, out) in out.iter_mut().enumerate() {
            for (row, c) in rows.iter_mut().zip([&from.x, &from.v, &here.f, &to.x, &to.v, &there.f]) {
                c.row(r, row);
            }
            let [x, v, f, x2, v2, f2] = &mut rows[..] else { unreachable!() };
            self.center.remove_force(f);
            self.center.remove_force(f2);
            let (mut twice, mut off) = (0.0, 0.0_f64);
            for d in 0..n {
                let (m, half) = (self.mass[d], 0.5 * self.dt / self.mass[d]);
                let (after_kick, before_kick) = (half.mul_add(f[d], v[d]), (-half).mul_add(f2[d], v2[d]));
                match self.scheme {
                    Scheme::Obabo => {
                        let middle = (x2[d] - x[d]) / self.dt;
                        let (first, last) = ((-half).mul_add(f[d], middle), half.mul_add(f2[d], middle));
                        twice += m * (first * first - v[d] * v[d] + v2[d] * v2[d] - last * last);
                    }
                    Scheme::Baoab => {
                        off = off.max((x[d] + 0.5 * self.dt * (after_kick + before_kick) - x2[d]).abs());
                        twice += m * (before_kick * before_kick - after_kick * after_kick);
                    }
                }
            }
            if off > 1e-8 {
                return Err(Error::run(
                    format!("no BAOAB step leads replica {r} from one state of step {k} to the other: positions are off by {off}"),
                    "replay pairs that this kernel has made",
                ));
            }
            *out = 0.5 * thermo[r].beta * twice;
        }
        Ok(())
    }

    fn target(&self) -> &dyn Target<Phase> {
        &self.target
    }

    fn reduced(&mut self, ens: &mut Ensemble<Phase>, u: &mut [f64]) -> Result<()> {
        self.prepare(ens)?;
        self.target.add_momenta(ens.state(), ens.thermo(), &self.cache.energy, u)
    }

    fn tally(&self) -> Tally {
        Tally { evaluations: self.evaluations, gradients: self.evaluations, ..Tally::default() }
    }

    fn timestep(&self) -> Option<f64> {
        Some(self.dt)
    }
}

impl Resume for Split {
    fn save(&self, to: &mut Snapshot) {
        to.put("evaluations", self.evaluations);
        self.cache.save(to);
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.evaluations = from.u64("evaluations")?;
        self.cache.load(from);
        Ok(())
    }
}

/// The parts of a step; `dt` is negative on the way back.
struct Parts<'a> {
    scheme: Scheme,
    dt: f64,
    c: f64,
    sigma: &'a [f64],
    mass: &'a [f64],
    center: &'a Center,
}

impl Parts<'_> {
    /// v = c v + sigma xi; returns what is added to 2 K.
    #[inline(always)]
    fn o<T: Real>(&self, v: &mut [T], xi: &[T], root_kt: T) -> T {
        let n = v.len();
        let (xi, sigma, mass) = (&xi[..n], &self.sigma[..n], &self.mass[..n]);
        let mut gain = T::of(0.0);
        for d in 0..n {
            gain = (v[d] * v[d]).mul_add(T::of(-mass[d]), gain);
            v[d] = v[d].mul_add(T::of(self.c), T::of(sigma[d]) * root_kt * xi[d]);
        }
        self.center.remove(v);
        for d in 0..n {
            gain = (v[d] * v[d]).mul_add(T::of(mass[d]), gain);
        }
        gain
    }

    /// v += (dt/2) f/m.
    #[inline(always)]
    fn b<T: Real>(&self, v: &mut [T], f: &[T]) {
        let n = v.len();
        let (f, mass) = (&f[..n], &self.mass[..n]);
        for d in 0..n {
            v[d] = f[d].mul_add(T::of(0.5 * self.dt / mass[d]), v[d]);
        }
    }

    /// x += share dt v.
    #[inline(always)]
    fn a<T: Real>(&self, x: &mut [T], v: &[T], share: f64) {
        let n = x.len();
        let v = &v[..n];
        for d in 0..n {
            x[d] = v[d].mul_add(T::of(share * self.dt), x[d]);
        }
        self.center.remove(x);
    }
}

struct Block<'a> {
    rule: &'a Parts<'a>,
    potential: &'a dyn Potential,
    stream: Stream,
    step: u64,
    first: u32,
    beta: Octet,
    lambda: Octet,
    x: &'a mut [Octet],
    v: &'a mut [Octet],
    f: &'a mut [Octet],
    u: &'a mut Octet,
    ratio: &'a mut Octet,
    health: &'a mut [Health],
    scratch: &'a mut [Vec<Octet>; 4],
}

impl Lanewise for Block<'_> {
    type Out = u64;

    /// One step of a block; returns the evaluations of replicas that were well.
    #[inline(always)]
    fn run<L: Wide>(self) -> u64 {
        let Block { rule, potential, stream, step, first, beta, lambda, x, v, f, u, ratio, health, scratch } = self;
        let [x2, v2, f2, noise] = scratch;
        let (n, beta) = (x.len(), L::load(beta));
        let root_kt = (L::of(1.0) / beta).sqrt();
        let before = sane(L::of_octets(x), L::of_octets(f), L::load(*u)).bits();
        let alive = bury(well(health), before, health, step);
        let real = real_lanes(health);
        if alive & real == 0 {
            *ratio = Octet::of(f64::NEG_INFINITY);
            return 0;
        }
        x2.copy_from_slice(x);
        v2.copy_from_slice(v);
        let noise = L::of_octets_mut(noise);
        let mut gain = L::of(0.0);
        match rule.scheme {
            Scheme::Obabo => {
                stream.normals(step, first, noise);
                gain += rule.o(L::of_octets_mut(v2), &noise[..n], root_kt);
                rule.b(L::of_octets_mut(v2), L::of_octets(f));
                rule.a(L::of_octets_mut(x2), L::of_octets(v2), 1.0);
            }
            Scheme::Baoab => {
                stream.normals(step, first, &mut noise[..n]);
                rule.b(L::of_octets_mut(v2), L::of_octets(f));
                rule.a(L::of_octets_mut(x2), L::of_octets(v2), 0.5);
                gain += rule.o(L::of_octets_mut(v2), &noise[..n], root_kt);
                rule.a(L::of_octets_mut(x2), L::of_octets(v2), 0.5);
            }
        }
        let mut u2 = potential.eval_block(x2, lambda, f2, None);
        rule.center.remove_force(L::of_octets_mut(f2));
        rule.b(L::of_octets_mut(v2), L::of_octets(f2));
        if rule.scheme == Scheme::Obabo {
            gain += rule.o(L::of_octets_mut(v2), &noise[n..], root_kt);
        }
        let after = sane(L::of_octets(x2), L::of_octets(f2), L::load(u2)).bits();
        let alive = bury(alive, after, health, step + 1);
        *ratio = (L::of(0.5) * beta * gain).store();
        if alive != 0xff {
            freeze(alive, x, x2);
            freeze(alive, v, v2);
            freeze(alive, f, f2);
            freeze(alive, std::slice::from_ref(u), std::slice::from_mut(&mut u2));
            freeze(alive, &[Octet::of(f64::NEG_INFINITY)], std::slice::from_mut(ratio));
        }
        x.copy_from_slice(x2);
        v.copy_from_slice(v2);
        f.copy_from_slice(f2);
        *u = u2;
        u64::from((alive & real).count_ones())
    }
}
