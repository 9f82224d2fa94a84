//! Energies that are infinite or no numbers; paths walked backward with resampling.

use super::path::kinds::{Kind, transition};
use super::path::targets::mixture;
use super::path::{batch, mean};
use super::reversal::{between_ends, draw_mixture};
use ergodica::batch::{Health, Phase};
use ergodica::dynamics::{Hmc, HmcOptions};
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::path::*;
use ergodica::real::Real;
use std::sync::Arc;

/// U = x^2 / 2, and beyond lambda = 0 something else where x is negative.
struct Wall(f64);

impl Energy for Wall {
    fn dof(&self) -> usize {
        1
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], lambda: T, f: &mut [T]) -> T {
        let zero = T::of(0.0);
        f[0] = -x[0];
        let u = T::of(0.5) * x[0] * x[0];
        T::select(x[0].lt(zero) & zero.lt(lambda), T::of(self.0), u)
    }
}

fn kernels(potential: &Arc<dyn Potential>) -> Vec<(&'static str, Box<dyn Transition<Phase>>)> {
    let hmc = |leapfrog| {
        let options = HmcOptions { dt: 1.0, leapfrog, ..HmcOptions::default() };
        let mover = Hmc::new(potential.clone(), &[1.0], options).unwrap();
        Box::new(Invariant::new(Box::new(mover), Arc::new(Boltzmann(potential.clone())), 1).unwrap())
    };
    vec![("mala", hmc(1)), ("hmc", hmc(3))]
}

/// Half of the space is closed: Z_1 / Z_0 = 1/2. Replicas there have weight 0, which counts in the mean; runs of four in which all
/// are there have Z = 0. (Unadjusted kernels are not for walls, as their documentation says.) The same where the energy there is no number. |z| < 3.5 over 2000 runs; smallest visible bias 6 %.
#[test]
fn a_wall_takes_its_weight_and_no_more() {
    for closed in [f64::INFINITY, f64::NAN] {
        let potential: Arc<dyn Potential> = Arc::new(Batched(Wall(closed)));
        for resample in [Resample::Never, Resample::Below(0.8), Resample::Always] {
            for (name, kernel) in kernels(&potential) {
                let ladder = linear_lambdas(1.0, 4).unwrap();
                let mut ens = batch(1, 8000, ladder[0], &format!("wall {name} {resample:?} {closed}"));
                let base = GaussianBase::new(vec![0.0], 1.0).unwrap();
                let options = AnnealOptions { resample, runs: 2000, ..AnnealOptions::default() };
                let mut run = Anneal::new(Path::new(ladder, kernel).unwrap(), options).unwrap();
                run.start_from(&base, &mut ens).unwrap();
                run.finish(&mut ens).unwrap();
                let ratios: Vec<f64> = run.log_z(&ens).iter().map(|l| 2.0 * Real::exp(l - base.log_norm())).collect();
                let (m, e) = mean(&ratios);
                println!("{name}, {resample:?}, {closed}: {m:.4} +- {e:.4}");
                assert!(((m - 1.0) / e).abs() < 3.5 && e < 0.02, "{name}, {resample:?}, {closed}: {m} +- {e}");
                assert!(ratios.contains(&0.0));
                assert!(ens.log_w.iter().all(|w| !w.is_nan()));
                for r in 0..8000 {
                    let alive = ens.log_w[r] > f64::NEG_INFINITY;
                    assert!(!alive || ens.health[r] == Health::Well && ens.state().x.get(r, 0) >= 0.0);
                }
            }
        }
    }
}

#[test]
fn an_energy_without_floor_is_an_error() {
    let potential: Arc<dyn Potential> = Arc::new(Batched(Wall(f64::NEG_INFINITY)));
    let ladder = linear_lambdas(1.0, 2).unwrap();
    let mut ens = batch(1, 16, ladder[0], "floor");
    let (_, kernel) = kernels(&potential).swap_remove(1);
    let mut run = Anneal::new(Path::new(ladder, kernel).unwrap(), AnnealOptions::default()).unwrap();
    run.start_from(&GaussianBase::new(vec![0.0], 1.0).unwrap(), &mut ens).unwrap();
    let text = run.finish(&mut ens).unwrap_err().to_string();
    assert!(text.contains("infinite weight") && text.contains("bounded from below"), "{text}");
}

#[test]
fn a_replica_that_diverged_is_no_sample() {
    let case = mixture();
    let mut ens = batch(2, 8, case.ladder[0], "diverged");
    ens.health[5] = Health::Diverged { step: 17 };
    let mut path = Path::new(case.ladder.clone(), transition(Kind::Ula, &case)).unwrap();
    let text = path.start(Way::Forward, &mut ens).unwrap_err().to_string();
    assert!(text.contains("replica 5 diverged at step 17"), "{text}");
    path.start_from(&case.base, &mut ens).unwrap(); // drawn anew, all are well
    assert_eq!(ens.well().count(), 8);
}

/// From exact samples of a mixture back to the normal density, resampling on the way: E[w] = Z_0 / Z_1, |z| < 3.5 over 2000 runs
/// of 8, for the kinds whose weights have a finite variance on this way too; smallest visible bias 14 %, 2 % for the first two.
#[test]
fn resampling_works_backward_too() {
    let case = mixture();
    let ladder = between_ends();
    let exact = GaussianBase::new(vec![0.0; 2], 1.6).unwrap().log_norm();
    for kind in [Kind::Mala, Kind::Hmc, Kind::EscortedMala] {
        let mut ens = batch(2, 16_000, ladder[10], &format!("backward {kind:?}"));
        draw_mixture(&mut ens);
        let path = Path::new(ladder.clone(), transition(kind, &case)).unwrap();
        let options = AnnealOptions { way: Way::Backward, resample: Resample::Below(0.8), runs: 2000, ..AnnealOptions::default() };
        let mut run = Anneal::new(path, options).unwrap();
        run.start(&mut ens).unwrap();
        run.finish(&mut ens).unwrap();
        assert!(run.levels().iter().any(|l| l.resampled > 0));
        assert_eq!(run.levels().last().unwrap().resampled, 0);
        let (m, e) = mean(&run.log_z(&ens).iter().map(|l| Real::exp(l - exact)).collect::<Vec<_>>());
        println!("{kind:?}: {m:.4} +- {e:.4}");
        assert!(((m - 1.0) / e).abs() < 3.5 && e < 0.04, "{kind:?}: {m} +- {e}");
    }
}
