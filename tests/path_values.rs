//! Free energies that are known exactly, by annealing.

mod path;

use ergodica::dynamics::{HmcOptions, mala};
use ergodica::energy::{Energy, double_well::DoubleWell, many_well::ManyWell};
use ergodica::path::*;
use path::{Between, Bowl, batch, between};
use std::sync::Arc;

fn smc(energy: impl Energy, sigma: f64, replicas: usize, levels: usize, name: &str) -> (f64, u64, f64) {
    let dof = energy.dof();
    let base = GaussianBase::new(vec![0.0; dof], sigma).unwrap();
    let potential = between(Bowl { dof, sigma }, energy);
    let options = HmcOptions { dt: 0.3, ..HmcOptions::default() };
    let mover = mala(potential.clone(), &vec![1.0; dof], options).unwrap();
    let kernel = Invariant::new(Box::new(mover), Arc::new(Boltzmann(potential)), 1).unwrap();
    let kernel = kernel.with_sizes(Steps::Adapt { acceptance: 0.574 }).unwrap();
    let ladder = linear_lambdas(1.0, levels).unwrap();
    let mut ens = batch(dof, replicas, ladder[0], name);
    let path = Path::new(ladder, Box::new(kernel)).unwrap();
    let mut run = Anneal::new(path, AnnealOptions { resample: Resample::Below(0.5), ..AnnealOptions::default() }).unwrap();
    let time = cpu_time::ProcessTime::now();
    run.start_from(&base, &mut ens).unwrap();
    run.finish(&mut ens).unwrap();
    let last = run.levels().last().unwrap();
    println!("{name}: {:?} ess {} acc {} dt {} fam {:?}", run.log_z(&ens), last.ess, last.acceptance, last.timestep, last.families);
    (run.log_z(&ens)[0], run.evaluations(), time.elapsed().as_secs_f64())
}

#[test]
fn many_wells() {
    let wells = ManyWell { blocks: 16, coefficients: [-0.5, -6.0, 1.0, 0.5] };
    println!("{:?}", smc(wells, 1.5, 2000, 1024, "many-well-32"));
    let five = DoubleWell { wells: 5, harmonic: 0, barrier: 16.0, minimum: 2.0, tilt: 0.0, k: 1.0 };
    println!("{:?}", smc(five, 1.5, 2000, 1024, "many-well-5"));
}
