//! Paths with one thing wrong, which the laws must find.

use super::path::kinds::{DT, Kind, base, transition};
use super::path::targets::{Case, bump};
use super::path::{batch, mean};
use super::ratios;
use ergodica::Result;
use ergodica::batch::{Ensemble, Phase, Resume, Snapshot, State, Thermo};
use ergodica::dynamics::{EulerMaruyama, Propagator, Tally};
use ergodica::path::*;
use std::sync::Arc;

/// An unadjusted integrator that claims to be exact.
struct Liar(EulerMaruyama);

impl Resume for Liar {
    fn save(&self, to: &mut Snapshot) {
        self.0.save(to);
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.0.load(from)
    }
}

impl Propagator<Phase> for Liar {
    fn advance(&mut self, ens: &mut Ensemble<Phase>, steps: u64) -> Result<()> {
        self.0.advance(ens, steps)
    }
    fn exact(&self) -> bool {
        true
    }
    fn tally(&self) -> Tally {
        self.0.tally()
    }
    fn energy(&self) -> Option<&[f64]> {
        self.0.energy()
    }
    fn prepare(&mut self, ens: &mut Ensemble<Phase>) -> Result<()> {
        self.0.prepare(ens)
    }
    fn degrees_of_freedom(&self) -> usize {
        self.0.degrees_of_freedom()
    }
    fn timestep(&self) -> f64 {
        self.0.timestep()
    }
}

fn z(values: &[f64]) -> f64 {
    let (m, e) = mean(values);
    (m - 1.0) / e
}

#[test]
fn an_unadjusted_integrator_among_exact_kernels_is_found() {
    let case = bump();
    let mover = EulerMaruyama::new(case.potential.clone(), &[1.0; 2], 0.3, 1.0, case.com).unwrap();
    let lie = Invariant::new(Box::new(Liar(mover)), Arc::new(Boltzmann(case.potential.clone())), 3).unwrap();
    let z = z(&ratios(Box::new(lie), &case.base, &case, Resample::Never, "liar"));
    assert!(z.abs() > 8.0, "z = {z}");
}

/// Any transition, with something done to each step.
struct Changed {
    inner: Box<dyn Transition<Phase>>,
    step: fn(&mut dyn Transition<Phase>, usize, &mut Ensemble<Phase>) -> Result<()>,
}

impl Resume for Changed {
    fn save(&self, to: &mut Snapshot) {
        self.inner.save(to);
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.inner.load(from)
    }
}

impl Transition<Phase> for Changed {
    fn carry(&mut self, way: Way, k: usize, ens: &mut Ensemble<Phase>, log_det: &mut [f64]) -> Result<()> {
        self.inner.carry(way, k, ens, log_det)?;
        log_det.fill(0.0); // no Jacobian
        Ok(())
    }
    fn forward(&mut self, k: usize, ens: &mut Ensemble<Phase>) -> Result<()> {
        (self.step)(&mut *self.inner, k, ens)
    }
    fn backward(&mut self, k: usize, ens: &mut Ensemble<Phase>) -> Result<()> {
        self.inner.backward(k, ens)
    }
    fn ledger(&self, k: usize, thermo: &[Thermo], from: &Phase, to: &Phase, out: &mut [f64]) -> Result<()> {
        self.inner.ledger(k, thermo, from, to, out)
    }
    fn target(&self) -> &dyn Target<Phase> {
        self.inner.target()
    }
    fn tally(&self) -> Tally {
        self.inner.tally()
    }
}

/// Metropolis' usual mistake with an unadjusted kernel: u after - u before is not what it did; only the knobs are booked.
fn forgets(inner: &mut dyn Transition<Phase>, k: usize, ens: &mut Ensemble<Phase>) -> Result<()> {
    let mut u = vec![0.0; ens.replicas()];
    inner.reduced(ens, &mut u)?;
    inner.forward(k, ens)?;
    let mut v = u.clone();
    inner.reduced(ens, &mut v)?;
    for r in 0..u.len() {
        ens.log_w[r] = v[r] - u[r];
    }
    Ok(())
}

#[test]
fn a_ratio_that_is_left_out_is_found() {
    let case = bump();
    let (mass, p) = ([1.0; 2], || case.potential.clone());
    for kind in [Kind::Ula, Kind::Map, Kind::Obabo] {
        let inner: Box<dyn Transition<Phase>> = match kind {
            Kind::Ula => Box::new(GaussPair::new(Arc::new(Ula::new(&mass, 0.7).unwrap()), p(), &mass, case.com).unwrap()),
            Kind::Obabo => Box::new(Split::new(p(), &mass, Scheme::Obabo, 0.9, 1.0, case.com).unwrap()),
            _ => transition(kind, &case),
        };
        let twin = Changed { inner, step: forgets };
        let z = z(&ratios(Box::new(twin), &base(kind, &case), &case, Resample::Never, "forgets"));
        println!("{kind:?}: z = {z}");
        assert!(z.abs() > 8.0, "{kind:?}: z = {z}");
    }
}

/// Copies take the step of their first: what noise keyed by the replica's origin, not its place, would do.
fn shares(inner: &mut dyn Transition<Phase>, k: usize, ens: &mut Ensemble<Phase>) -> Result<()> {
    let before = ens.state().x.to_rows();
    inner.forward(k, ens)?;
    let dof = ens.state().x.dof();
    let from: Vec<u32> = (0..ens.replicas())
        .map(|r| {
            let row = &before[r * dof..(r + 1) * dof];
            before.chunks(dof).position(|other| other == row).unwrap() as u32
        })
        .collect();
    ens.state_mut().gather(&from);
    Ok(())
}

type Step = fn(&mut dyn Transition<Phase>, usize, &mut Ensemble<Phase>) -> Result<()>;

/// Correlation of the noise of neighbouring copies in the move after a resampling, one number a run of 64 replicas.
fn sibling_correlations(case: &Case, step: Option<Step>) -> Vec<f64> {
    let level = case.ladder[3];
    let noise = |before: &[f64], after: &[f64]| {
        let mut f = [0.0; 2];
        case.potential.eval_one(before, level.lambda, &mut f, &mut [0.0]);
        [0, 1].map(|d| after[d] - before[d] - 0.5 * DT * DT * f[d])
    };
    let mut found = Vec::new();
    for run in 0..64 {
        let inner = transition(Kind::Ula, case);
        let moves = match step {
            Some(step) => Box::new(Changed { inner, step }),
            None => inner,
        };
        let mut ens = batch(2, 64, case.ladder[0], &format!("siblings {run}"));
        let mut path = Path::new(case.ladder.clone(), moves).unwrap();
        path.start_from(&case.base, &mut ens).unwrap();
        path.knobs(Way::Forward, 2, &mut ens).unwrap();
        let from = systematic(&ens.log_w, 0.5);
        ens.gather(&from);
        ens.log_w.fill(0.0);
        let before = ens.state().x.to_rows();
        path.step(Way::Forward, 2, &mut ens).unwrap();
        let after = ens.state().x.to_rows();
        let (mut product, mut square) = (0.0, 0.0);
        for r in 1..64 {
            if from[r] == from[r - 1] {
                let [a, b] = [r, r - 1].map(|r| noise(&before[2 * r..2 * r + 2], &after[2 * r..2 * r + 2]));
                product += a[0] * b[0] + a[1] * b[1];
                square += 0.5 * (a[0] * a[0] + a[1] * a[1] + b[0] * b[0] + b[1] * b[1]);
            }
        }
        found.push(product / square);
    }
    found
}

/// Resampled copies draw different noise: |z| < 3.5 over 64 runs, smallest visible correlation 0.1. (The mean weight cannot see
/// it: E[w] is linear in the replicas.)
#[test]
fn copies_that_share_their_noise_are_found() {
    let case = bump();
    let (m, e) = mean(&sibling_correlations(&case, None));
    println!("honest: {m:.3} +- {e:.3}");
    assert!((m / e).abs() < 3.5 && e < 0.03, "copies move together: {m} +- {e}");
    let (twin, _) = mean(&sibling_correlations(&case, Some(shares)));
    assert!(twin / e > 8.0, "the twin's copies do not move together: {twin}");
}
