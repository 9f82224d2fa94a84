//! Methods that learn their weights or their bias: known free energies, resumes to the byte.

mod trial;

use ergodica::batch::{Coords, Ensemble, Phase, Resume, Snapshot, Thermo};
use ergodica::dynamics::{Baoab, Com, Hmc, HmcOptions, Propagator};
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::path::{self, Boltzmann, Expanded, ExpandedOptions, Target, WangLandau, Weighting};
use ergodica::real::Real;
use ergodica::stream::{Purpose, Root};
use ergodica::{Error, Result};
use std::sync::Arc;
use trial::z;

/// U = (1 + 3 lambda) |x - lambda|^2 / 2 in three dimensions: ln Z = 3/2 ln(2 pi / (beta (1 + 3 lambda))).
struct Stiffening;
impl Energy for Stiffening {
    fn dof(&self) -> usize {
        3
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], lambda: T, f: &mut [T]) -> T {
        let k = lambda.mul_add(T::of(3.0), T::of(1.0));
        let mut u = T::of(0.0);
        for d in 0..3 {
            let r = x[d] - lambda;
            f[d] = -(k * r);
            u += T::of(0.5) * k * r * r;
        }
        u
    }
}

fn minus_log_z(t: &Thermo) -> f64 {
    1.5 * Real::ln(t.beta * (1.0 + 3.0 * t.lambda))
}

/// The twin forgets beta: it jumps by U alone.
struct NoBeta;
impl Target<Phase> for NoBeta {
    fn reduced(&self, s: &Phase, thermo: &[Thermo], u: &mut [f64]) -> Result<()> {
        Boltzmann(Arc::new(Batched(Stiffening))).reduced(s, thermo, u)?;
        for (u, t) in u.iter_mut().zip(thermo) {
            *u /= t.beta;
        }
        Ok(())
    }
}

fn expanded(ladder: &[Thermo], replicas: usize, walkers: usize, weighting: Weighting, twin: bool) -> (Ensemble<Phase>, Expanded<Phase>) {
    let potential: Arc<dyn Potential> = Arc::new(Batched(Stiffening));
    let mass = vec![1.0; 3];
    let phase = Phase::at_rest(Coords::zeros(replicas, 3), mass.clone()).unwrap();
    let thermo = (0..replicas).map(|r| ladder[r % ladder.len()]).collect();
    let ens = Ensemble::new(phase, thermo, Root::new(4, "expanded", "")).unwrap();
    let hmc = HmcOptions { dt: 0.5, leapfrog: 3, ..HmcOptions::default() };
    let inner = Box::new(Hmc::new(potential.clone(), &mass, hmc).unwrap());
    let options = ExpandedOptions { every: 1, weighting, walkers, place: 0 };
    let target: Arc<dyn Target<Phase>> = if twin { Arc::new(NoBeta) } else { Arc::new(Boltzmann(potential)) };
    (ens, Expanded::new(inner, target, ladder.to_vec(), replicas, options).unwrap())
}

fn ladders() -> [Vec<Thermo>; 2] {
    let mut mixed = path::couplings(1.0, &[0.0, 0.3, 0.6, 1.0]);
    mixed[3].beta = 1.3;
    [path::temperatures(&[2.0, 1.4, 0.9, 0.6]), mixed]
}

/// z of f_k - f_0 of every state, from independent groups of walkers.
fn learned(ladder: &[Thermo], weighting: &Weighting, walkers: usize, steps: u64, twin: bool) -> Vec<f64> {
    let groups = 32;
    let (mut ens, mut expanded) = expanded(ladder, groups * walkers, walkers, weighting.clone(), twin);
    expanded.advance(&mut ens, steps).unwrap();
    assert!(expanded.settled().iter().all(|s| *s));
    let f = expanded.delta_f();
    let mut zs = Vec::new();
    for k in 1..ladder.len() {
        let values: Vec<f64> = (0..groups).map(|g| f[g * ladder.len() + k]).collect();
        let exact = minus_log_z(&ladder[k]) - minus_log_z(&ladder[0]);
        let (m, e) = trial::mean(&values);
        println!("  f_{k}: {m:.4} +- {e:.4}, exact {exact:.4}");
        zs.push(z(&values, exact, 0.0));
    }
    zs
}

/// Smallest visible bias: 0.02 kT.
#[test]
fn weights_learn_known_free_energies() {
    for ladder in ladders() {
        for (weighting, walkers) in [(Weighting::Sams, 1), (Weighting::WangLandau, 1), (Weighting::Sams, 4)] {
            println!("{weighting:?}, {walkers} walkers");
            let zs = learned(&ladder, &weighting, walkers, 20_000 / walkers as u64, false);
            assert!(zs.iter().all(|z| z.abs() < 4.0), "{weighting:?} {walkers}: {zs:.2?}");
            let zs = learned(&ladder, &weighting, walkers, 20_000 / walkers as u64, true);
            assert!(zs.iter().any(|z| z.abs() > 8.0), "{weighting:?} {walkers}: the twin passes {zs:.2?}");
        }
    }
}
