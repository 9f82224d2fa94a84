//! Every kind of transition, at step sizes that no sampler would dare.

use super::targets::Case;
use ergodica::Result;
use ergodica::batch::{Coords, Phase, State, Thermo};
use ergodica::dynamics::{Com, Hmc, HmcOptions};
use ergodica::path::*;
use ergodica::real::Real;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Mala,
    Hmc,
    Ula,
    Map,
    EscortedMala,
    EscortedUla,
    Obabo,
    Baoab,
    EscortedObabo,
}

pub(crate) const KINDS: [Kind; 9] =
    [Kind::Mala, Kind::Hmc, Kind::Ula, Kind::Map, Kind::EscortedMala, Kind::EscortedUla, Kind::Obabo, Kind::Baoab, Kind::EscortedObabo];

impl Kind {
    /// Their weights are bounded on every target here: w is a product of exp(-delta u), each bounded.
    pub(crate) fn bounded(self) -> bool {
        matches!(self, Kind::Mala | Kind::Hmc | Kind::Map | Kind::EscortedMala)
    }

    pub(crate) fn momenta(self) -> bool {
        matches!(self, Kind::Obabo | Kind::Baoab | Kind::EscortedObabo)
    }
}

/// x_d -> s x_d, and in the plane, before it, x_1 -> x_1 + 0.1 tanh(x_0).
pub(crate) struct Squeeze {
    pub(crate) factor: f64,
    pub(crate) com: Com,
}

impl Squeeze {
    fn all(&self, x: &mut Coords, ahead: bool, log_det: &mut [f64]) {
        let dof = x.dof();
        let held = if self.com == Com::Keep { 0 } else { 3 };
        let factor = if ahead { self.factor } else { 1.0 / self.factor };
        let mut row = vec![0.0; dof];
        for (r, log_det) in log_det.iter_mut().enumerate() {
            x.row(r, &mut row);
            if ahead && dof == 2 {
                row[1] += 0.1 * Real::tanh(row[0]);
            }
            for x in &mut row {
                *x *= factor;
            }
            if !ahead && dof == 2 {
                row[1] -= 0.1 * Real::tanh(row[0]);
            }
            x.set_row(r, &row);
            *log_det = (dof - held) as f64 * Real::ln(factor);
        }
    }
}

impl Bijection<Phase> for Squeeze {
    fn forward(&self, _k: usize, _thermo: &[Thermo], s: &mut Phase, log_det: &mut [f64]) -> Result<()> {
        self.all(&mut s.x, true, log_det);
        Ok(())
    }
    fn inverse(&self, _k: usize, _thermo: &[Thermo], s: &mut Phase, log_det: &mut [f64]) -> Result<()> {
        self.all(&mut s.x, false, log_det);
        Ok(())
    }
    fn distance(&self, a: &Phase, b: &Phase, replica: usize) -> f64 {
        assert!(replica < a.replicas());
        (0..a.x.dof()).map(|d| (a.x.get(replica, d) - b.x.get(replica, d)).abs()).fold(0.0, f64::max)
    }
}

/// Step of the unadjusted kernels in the plane; less where three particles meet.
pub(crate) const DT: f64 = 0.35;

/// A transition of a kind for a case; the masses are 1.
pub(crate) fn transition(kind: Kind, case: &Case) -> Box<dyn Transition<Phase>> {
    let mass = vec![1.0; case.dof];
    let (p, com) = (case.potential.clone(), case.com);
    let target = Arc::new(Boltzmann(p.clone()));
    let dt = if case.dof == 2 { DT } else { 0.15 };
    let squeeze = Arc::new(Squeeze { factor: 0.97, com });
    let metropolis = |dt: f64, leapfrog: u32| {
        let options = HmcOptions { dt, leapfrog, com, ..HmcOptions::default() };
        let mover = Hmc::new(p.clone(), &mass, options).unwrap();
        Box::new(Invariant::new(Box::new(mover), target.clone(), 2).unwrap())
    };
    let ula = || Box::new(GaussPair::new(Arc::new(Ula::new(&mass, dt).unwrap()), p.clone(), &mass, com).unwrap());
    let split = |scheme| Box::new(Split::new(p.clone(), &mass, scheme, dt, 1.0, com).unwrap());
    match kind {
        Kind::Mala => metropolis(1.1, 1),
        Kind::Hmc => metropolis(0.5, 3),
        Kind::Ula => ula(),
        Kind::Map => Box::new(Map::new(squeeze, target)),
        Kind::EscortedMala => Box::new(Escorted::new(squeeze, metropolis(0.7, 1))),
        Kind::EscortedUla => Box::new(Escorted::new(squeeze, ula())),
        Kind::Obabo => split(Scheme::Obabo),
        Kind::Baoab => split(Scheme::Baoab),
        Kind::EscortedObabo => Box::new(Escorted::new(squeeze, split(Scheme::Obabo))),
    }
}

/// The base for a kind: with momenta where they count.
pub(crate) fn base(kind: Kind, case: &Case) -> GaussianBase {
    if kind.momenta() { case.base.clone().with_momenta() } else { case.base.clone() }
}
