//! Energies and forces at the current positions, kept between calls; and what every propagator checks first.

use super::{Center, FARTHEST};
use crate::batch::{Coords, Ensemble, Health, Phase, Snapshot};
use crate::energy::{Potential, lambdas};
use crate::real::{Octet, Real};
use crate::{Error, Result};
use rayon::prelude::*;

/// Forces at the positions of one ensemble; stale as soon as its state or the potential changes.
#[derive(Debug)]
pub(crate) struct Cache {
    /// The next evaluation only repeats one from before a resume.
    resumed: bool,
    key: Option<(u64, u64)>,
    pub(crate) u: Vec<Octet>,
    pub(crate) f: Coords,
    /// Energies once more, `[replica]`.
    pub(crate) energy: Vec<f64>,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Cache { resumed: false, key: None, u: Vec::new(), f: Coords::zeros(0, 0), energy: Vec::new() }
    }

    /// Evaluates unless nothing changed since [`Cache::seal`]; says whether it did.
    pub(crate) fn refresh(&mut self, ens: &Ensemble<Phase>, potential: &dyn Potential, center: &Center) -> bool {
        let key = Some((ens.force_epoch(), potential.version()));
        if self.key == key {
            return false;
        }
        let x = &ens.state().x;
        if self.f.replicas() != x.replicas() || self.f.dof() != x.dof() {
            self.f = Coords::zeros(x.replicas(), x.dof());
            self.u = vec![Octet::of(0.0); x.blocks()];
        }
        let dof = x.dof();
        let blocks = self.u.par_iter_mut().zip(self.f.octets_mut().par_chunks_exact_mut(dof)).enumerate();
        blocks.for_each(|(b, (u, f))| {
            *u = potential.eval_block(x.block(b), lambdas(ens.thermo(), b), f, None);
            center.remove_force_block(f);
        });
        self.key = key;
        true
    }

    /// [`Cache::refresh`], and the energies of the replicas beside it.
    pub(crate) fn prepare(&mut self, ens: &Ensemble<Phase>, potential: &dyn Potential, center: &Center) -> bool {
        let evaluated = self.refresh(ens, potential, center);
        if evaluated || self.energy.len() != ens.replicas() {
            self.list(ens.replicas());
        }
        evaluated
    }

    /// [`Cache::prepare`]; how many evaluations it made, that which only repeats one from before a resume not counted.
    pub(crate) fn renew(&mut self, ens: &Ensemble<Phase>, potential: &dyn Potential, center: &Center) -> u64 {
        let evaluated = self.prepare(ens, potential, center);
        if evaluated && !std::mem::take(&mut self.resumed) { ens.replicas() as u64 } else { 0 }
    }

    /// Whether there are forces, for a snapshot.
    pub(crate) fn save(&self, to: &mut Snapshot) {
        to.put("forces", u64::from(self.key.is_some() || self.resumed));
    }

    /// Forgets all; what the snapshot says was known is then evaluated once more, without counting.
    pub(crate) fn load(&mut self, from: &Snapshot) {
        *self = Cache::new();
        self.resumed = from.u64("forces").map_or(true, |known| known != 0);
    }

    fn list(&mut self, replicas: usize) {
        self.energy.clear();
        for r in 0..replicas {
            self.energy.push(self.u[r / 8].0[r % 8]);
        }
    }

    /// The cache holds for the state as it is now.
    pub(crate) fn seal(&mut self, ens: &Ensemble<Phase>, potential: &dyn Potential) {
        pad(&mut self.f);
        self.list(ens.replicas());
        self.key = Some((ens.force_epoch(), potential.version()));
    }
}

/// The padding becomes copies of the last replica again.
pub(crate) fn pad(c: &mut Coords) {
    let n = c.replicas();
    if n.is_multiple_of(8) {
        return;
    }
    let last = (n - 1) % 8;
    for octet in c.block_mut((n - 1) / 8) {
        let value = octet.0[last];
        for lane in &mut octet.0[last + 1..] {
            *lane = value;
        }
    }
}

/// Does the ensemble fit the propagator?
pub(crate) fn fits(ens: &Ensemble<Phase>, mass: &[f64]) -> Result<()> {
    let dof = ens.state().x.dof();
    if dof != mass.len() {
        return Err(Error::Shape { what: "degrees of freedom of the ensemble", expected: mass.len(), found: dof });
    }
    if ens.state().mass() != mass {
        return Err(Error::input("the ensemble has other masses than the propagator", "build both from the same masses"));
    }
    if ens.replicas() > u32::MAX as usize {
        return Err(Error::input(format!("{} replicas", ens.replicas()), "a stream numbers at most 2^32 replicas"));
    }
    if let Some((r, t)) = ens.thermo().iter().enumerate().find(|(_, t)| t.beta.is_nan() || t.beta <= 0.0) {
        return Err(Error::input(format!("beta of replica {r} is {}", t.beta), "beta = 1 / kT is positive"));
    }
    Ok(())
}

/// Is a configuration with its energy and force still one? `|x| <= FARTHEST`, energy and force finite.
#[inline(always)]
pub(crate) fn sane<T: Real>(x: &[T], f: &[T], u: T) -> T::Mask {
    let (mut far, mut steep) = (T::of(0.0), T::of(0.0));
    for d in 0..x.len() {
        far = x[d].mul_add(x[d], far);
        steep = f[d].mul_add(f[d], steep);
    }
    far.le(T::of(FARTHEST * FARTHEST)) & steep.le(T::of(f64::MAX)) & u.is_finite()
}

/// Bits of the lanes that are well; padding follows the last replica.
pub(crate) fn well(health: &[Health]) -> u8 {
    let mut bits = 0;
    for lane in 0..8 {
        if let Some(h) = health.get(lane).or(health.last())
            && *h == Health::Well
        {
            bits |= 1 << lane;
        }
    }
    bits
}

/// Bits of the lanes that are replicas, not padding.
pub(crate) fn real_lanes(health: &[Health]) -> u8 {
    if health.len() >= 8 { 0xff } else { (1 << health.len()) - 1 }
}

/// Records the lanes that stopped being well; returns those that still are.
#[inline]
pub(crate) fn bury(alive: u8, sane: u8, health: &mut [Health], step: u64) -> u8 {
    let fallen = alive & !sane;
    if fallen != 0 {
        for (lane, h) in health.iter_mut().enumerate() {
            if fallen >> lane & 1 == 1 {
                *h = Health::Diverged { step };
            }
        }
    }
    alive & !fallen
}

/// Copies the lanes that are not in `alive`.
pub(crate) fn freeze(alive: u8, from: &[Octet], to: &mut [Octet]) {
    for (t, f) in to.iter_mut().zip(from) {
        for lane in 0..8 {
            if alive >> lane & 1 == 0 {
                t.0[lane] = f.0[lane];
            }
        }
    }
}
