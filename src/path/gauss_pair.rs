//! Gaussian kernels both ways, with the exact ratio of their densities.

use super::{Boltzmann, Target, Transition, Way};
use crate::batch::{Coords, Ensemble, Health, Phase, Resume, Snapshot, Thermo};
use crate::dynamics::{Cache, Center, Com, FARTHEST, Tally, fits, pad};
use crate::energy::Potential;
use crate::real::{Lanewise, Octet, Wide, dispatch};
use crate::stream::{Purpose, Stream};
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::Arc;

/// What a pair of Gaussian kernels is made of: N(mean, sigma^2) in every direction, each way.
///
/// Implementers: [`super::Ula`]; controlled and bridging diffusions, whose means learn, are others.
pub trait Gaussians: Send + Sync {
    /// Mean and standard deviation, `[replica, dof]`, of F_k from `x` (`Way::Forward`) or of B_k from `x` (`Way::Backward`), at the
    /// knobs of level k + 1; `f` are the forces -dU/dx there. All of `mean` and `sigma` is written.
    ///
    /// With the centre of mass removed, sigma must go as 1/sqrt(mass); the mean is projected afterwards.
    ///
    /// # Errors
    /// `Error::Shape` when something does not fit.
    #[allow(clippy::too_many_arguments)]
    fn kernel(&self, way: Way, k: usize, thermo: &[Thermo], x: &Coords, f: &Coords, mean: &mut Coords, sigma: &mut Coords) -> Result<()>;
}

/// F_k = N(m_F(x), s_F^2), B_k = N(m_B(x'), s_B^2):
///
///   log B_k - log F_k = sum_d [ (x' - m_F)^2 / (2 s_F^2) - (x - m_B)^2 / (2 s_B^2) + ln(s_F / s_B) ]
///
/// E\[w\] = Z_1 / Z_0 at every step size, without any Metropolis decision, if the energies of the levels are finite wherever the
/// kernels lead: through a hard wall there would be ways back that no way forward has. Velocities are left alone.
/// A replica that leaves the ball of radius [`FARTHEST`] has diverged: it stays where it was, with weight 0.
/// Cost of a step of the path: one evaluation for the knobs (none where they rest), one for the move.
/// Source: Thin, Kotelevskii, Doucet, Durmus, Moulines and Panov, ICML 2021; the ratio of the kernels, not the Ito integral.
pub struct GaussPair {
    gaussians: Arc<dyn Gaussians>,
    potential: Arc<dyn Potential>,
    target: Boltzmann,
    mass: Vec<f64>,
    center: Center,
    place: u64,
    cache: Cache,
    evaluations: u64,
}

impl GaussPair {
    /// Between levels of a potential; masses per degree of freedom as in the ensemble.
    ///
    /// # Errors
    /// `Error::Shape` when there is not one mass per degree of freedom; `Error::Input` for a centre of mass that cannot be removed.
    pub fn new(gaussians: Arc<dyn Gaussians>, potential: Arc<dyn Potential>, mass: &[f64], com: Com) -> Result<Self> {
        if mass.len() != potential.dof() {
            return Err(Error::Shape { what: "masses of the kernels", expected: potential.dof(), found: mass.len() });
        }
        Ok(GaussPair {
            gaussians,
            target: Boltzmann(potential.clone()),
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

    /// Mean and sigma of a kernel from `x`.
    fn kernel(&self, way: Way, k: usize, thermo: &[Thermo], x: &Coords, f: &Coords) -> Result<[Coords; 2]> {
        let mut mean = Coords::zeros(x.replicas(), x.dof());
        let mut sigma = mean.clone();
        self.gaussians.kernel(way, k, thermo, x, f, &mut mean, &mut sigma)?;
        if self.center.removed() {
            let center = &self.center;
            mean.octets_mut().par_chunks_exact_mut(x.dof()).for_each(|m| dispatch(Project { center, m }));
        }
        Ok([mean, sigma])
    }

    fn draw(&mut self, way: Way, k: usize, ens: &mut Ensemble<Phase>) -> Result<()> {
        self.prepare(ens)?;
        let (dof, step) = (self.mass.len(), ens.step);
        let there = self.kernel(way, k, ens.thermo(), &ens.state().x, &self.cache.f)?;
        let stream = ens.root.stream(self.place, Purpose::Noise);
        let old = ens.state().x.clone();
        let (phase, _, health) = ens.parts_mut();
        let (center, [mean, sigma]) = (&self.center, &there);
        phase.x.octets_mut().par_chunks_exact_mut(dof).zip(health.par_chunks_mut(8)).enumerate().for_each(|(b, (x, health))| {
            let (mean, sigma, first) = (mean.block(b), sigma.block(b), 8 * b as u32);
            dispatch(Draw { center, stream, step, first, mean, sigma, x });
            settle(old.block(b), x, health, step + 1);
        });
        pad(&mut phase.x);
        ens.step += 1;
        self.prepare(ens)?;
        let other = if way == Way::Forward { Way::Backward } else { Way::Forward };
        let back = self.kernel(other, k, ens.thermo(), &ens.state().x, &self.cache.f)?;
        let mut ratio = vec![0.0; ens.replicas()];
        log_ratio(&old, &ens.state().x, &there, &back, &mut ratio);
        for (r, w) in ens.log_w.iter_mut().enumerate() {
            *w += if ens.health[r] == Health::Well { ratio[r] } else { f64::NEG_INFINITY };
        }
        Ok(())
    }
}

impl Transition<Phase> for GaussPair {
    fn forward(&mut self, k: usize, ens: &mut Ensemble<Phase>) -> Result<()> {
        self.draw(Way::Forward, k, ens)
    }

    fn backward(&mut self, k: usize, ens: &mut Ensemble<Phase>) -> Result<()> {
        self.draw(Way::Backward, k, ens)
    }

    fn ledger(&self, k: usize, thermo: &[Thermo], from: &Phase, to: &Phase, out: &mut [f64]) -> Result<()> {
        let force = |s: &Phase| -> Result<Coords> {
            let mut e = crate::energy::Evaluation::new();
            self.potential.eval(&s.x, thermo, &mut e)?;
            let center = &self.center;
            e.f.octets_mut().par_chunks_exact_mut(self.mass.len()).for_each(|f| center.remove_force_block(f));
            Ok(e.f)
        };
        let there = self.kernel(Way::Forward, k, thermo, &from.x, &force(from)?)?;
        let back = self.kernel(Way::Backward, k, thermo, &to.x, &force(to)?)?;
        log_ratio(&from.x, &to.x, &there, &back, out);
        Ok(())
    }

    fn target(&self) -> &dyn Target<Phase> {
        &self.target
    }

    fn reduced(&mut self, ens: &mut Ensemble<Phase>, u: &mut [f64]) -> Result<()> {
        self.prepare(ens)?;
        for (r, u) in u.iter_mut().enumerate() {
            *u = ens.thermo()[r].beta * self.cache.energy[r];
        }
        Ok(())
    }

    fn tally(&self) -> Tally {
        Tally { evaluations: self.evaluations, gradients: self.evaluations, ..Tally::default() }
    }
}

impl Resume for GaussPair {
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

/// Replicas that were not well, or are no more, stay where they were.
fn settle(old: &[Octet], x: &mut [Octet], health: &mut [Health], step: u64) {
    for (lane, h) in health.iter_mut().enumerate() {
        let mut far = 0.0;
        for o in x.iter() {
            far = o.0[lane].mul_add(o.0[lane], far);
        }
        if *h == Health::Well && far <= FARTHEST * FARTHEST {
            continue;
        }
        if *h == Health::Well {
            *h = Health::Diverged { step };
        }
        for (x, old) in x.iter_mut().zip(old) {
            x.0[lane] = old.0[lane];
        }
    }
}

/// log of the density of the way from `to` to `from` (mean and sigma `back`) over that from `from` to `to` (`there`).
fn log_ratio(from: &Coords, to: &Coords, there: &[Coords; 2], back: &[Coords; 2], out: &mut [f64]) {
    out.par_chunks_mut(8).enumerate().for_each(|(b, out)| {
        let ratio = dispatch(Ratio {
            from: from.block(b),
            to: to.block(b),
            mean: [there[0].block(b), back[0].block(b)],
            sigma: [there[1].block(b), back[1].block(b)],
        });
        out.copy_from_slice(&ratio.0[..out.len()]);
    });
}

struct Project<'a> {
    center: &'a Center,
    m: &'a mut [Octet],
}

impl Lanewise for Project<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        self.center.remove(L::of_octets_mut(self.m));
    }
}

/// x = mean + sigma xi.
struct Draw<'a> {
    center: &'a Center,
    stream: Stream,
    step: u64,
    first: u32,
    mean: &'a [Octet],
    sigma: &'a [Octet],
    x: &'a mut [Octet],
}

impl Lanewise for Draw<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        let (mean, sigma, x) = (L::of_octets(self.mean), L::of_octets(self.sigma), L::of_octets_mut(self.x));
        self.stream.normals(self.step, self.first, x);
        for d in 0..x.len() {
            x[d] = sigma[d] * x[d];
        }
        self.center.remove(x);
        for d in 0..x.len() {
            x[d] += mean[d];
        }
    }
}

struct Ratio<'a> {
    from: &'a [Octet],
    to: &'a [Octet],
    mean: [&'a [Octet]; 2],
    sigma: [&'a [Octet]; 2],
}

impl Lanewise for Ratio<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let (from, to) = (L::of_octets(self.from), L::of_octets(self.to));
        let (m_f, m_b) = (L::of_octets(self.mean[0]), L::of_octets(self.mean[1]));
        let (s_f, s_b) = (L::of_octets(self.sigma[0]), L::of_octets(self.sigma[1]));
        let (mut sum, mut log) = (L::of(0.0), L::of(0.0));
        for d in 0..from.len() {
            let (there, back) = ((to[d] - m_f[d]) / s_f[d], (from[d] - m_b[d]) / s_b[d]);
            sum += there * there - back * back;
        }
        if self.sigma[0] != self.sigma[1] {
            for d in 0..from.len() {
                log += (s_f[d] / s_b[d]).ln();
            }
        }
        L::of(0.5).mul_add(sum, log).store()
    }
}
