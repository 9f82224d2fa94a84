//! Do 95 % intervals of free energies from replica exchange hold the exact value 95 times of 100? Replicas trade their states, so frames
//! of a state are correlated along trajectories that wander over all states. And umbrella windows, coupled and not, against a closed form.

use ergodica::batch::{Coords, Ensemble, Phase};
use ergodica::dynamics::{Hmc, HmcOptions, Propagator};
use ergodica::energy::collective::Coordinate;
use ergodica::energy::double_well::DoubleWell;
use ergodica::energy::harmonic::Harmonic;
use ergodica::energy::umbrella::Umbrella;
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::estimate::{FreeEnergyError, MbarOptions, ReducedPotentials, leave_one_out, mbar, normal_quantile};
use ergodica::path::{self, Boltzmann, Exchange, ExchangeOptions, Mixing};
use ergodica::real::Real;
use ergodica::stream::Root;
use std::sync::Arc;

/// One dimension, wells of different depth: at the lowest temperature 10 kT between them, so only exchange visits both.
const WELL: DoubleWell = DoubleWell { wells: 1, harmonic: 0, barrier: 4.0, minimum: 1.0, tilt: 0.15, k: 1.0 };
const BETAS: [f64; 4] = [2.5, 1.4, 0.8, 0.45];
const COPIES: usize = 8;

/// f_k - f_0 by quadrature.
fn exact() -> Vec<f64> {
    let log_z = |beta: f64| {
        let n = 4000;
        let z: f64 = (0..n)
            .map(|i| {
                let x = 6.0 * (f64::from(i) + 0.5) / f64::from(n) - 3.0;
                Real::exp(-beta * WELL.energy_force::<f64>(&[x], 1.0, &mut [0.0]))
            })
            .sum();
        Real::ln(z)
    };
    BETAS.iter().map(|beta| log_z(BETAS[0]) - log_z(*beta)).collect()
}

/// What one run of 8 copies stores: `[copy]` (states, `[frame * 4 + place]`; u, `[frame * 4 + place][state]`).
type Stored = Vec<(Vec<usize>, Vec<f64>)>;

fn run(seed: u64, frames: usize, mixing: Mixing) -> Stored {
    let (k, n) = (BETAS.len(), BETAS.len() * COPIES);
    let potential: Arc<dyn Potential> = Arc::new(Batched(WELL));
    let phase = Phase::at_rest(Coords::from_rows(&vec![-1.0; n], 1).unwrap(), vec![1.0]).unwrap();
    let ladder = path::temperatures(&BETAS);
    let mut ens = Ensemble::new(phase, path::spread(&ladder, COPIES), Root::new(seed, "coverage", "")).unwrap();
    let hmc = Hmc::new(potential.clone(), &[1.0], HmcOptions { dt: 0.1, leapfrog: 2, ..HmcOptions::default() }).unwrap();
    let options = ExchangeOptions { every: 4, mixing, place: 0 };
    let mut exchange = Exchange::new(Box::new(hmc), Arc::new(Boltzmann(potential)), ladder, n, options).unwrap();
    exchange.advance(&mut ens, 800).unwrap();
    let mut stored: Stored = vec![(Vec::new(), Vec::new()); COPIES];
    let mut u = Vec::new();
    for _ in 0..frames {
        exchange.advance(&mut ens, 8).unwrap();
        exchange.u_kn(&ens, &mut u).unwrap();
        for (copy, (states, stored)) in stored.iter_mut().enumerate() {
            states.extend(ens.thermo()[copy * k..(copy + 1) * k].iter().map(|t| t.state as usize));
            stored.extend_from_slice(&u[copy * k * k..(copy + 1) * k * k]);
        }
    }
    stored
}

fn free_energies(stored: &Stored, copies: &[usize], states: usize) -> Result<(Vec<f64>, f64), FreeEnergyError> {
    let (mut origin, mut u) = (Vec::new(), Vec::new());
    for c in copies {
        origin.extend_from_slice(&stored[*c].0);
        u.extend_from_slice(&stored[*c].1);
    }
    let names: Vec<String> = (0..states).map(|k| format!("state {k}")).collect();
    let potentials = ReducedPotentials::from_samples(&names, &origin, &u)?;
    let fit = mbar(&potentials, &MbarOptions::default())?;
    Ok((fit.f_k().to_vec(), fit.delta(0, states - 1).stderr))
}

/// Coverage of f_3 - f_0 by the interval from whole copies, and by the twin's: MBAR's own error, as of independent frames.
fn coverage(runs: u64, frames: usize, mixing: Mixing) -> (f64, f64) {
    let exact = exact();
    let (mut held, mut naive, mut mean) = (0.0, 0.0, 0.0);
    let last = BETAS.len() - 1;
    for seed in 0..runs {
        let stored = run(seed, frames, mixing);
        let found = leave_one_out(COPIES, |copies| free_energies(&stored, copies, BETAS.len()).map(|(f, _)| f)).unwrap();
        let (value, _) = found.delta(0, last);
        let theory = free_energies(&stored, &(0..COPIES).collect::<Vec<_>>(), BETAS.len()).unwrap().1;
        held += f64::from((value - exact[last]).abs() < found.half_width(0, last, 0.95)) / runs as f64;
        naive += f64::from((value - exact[last]).abs() < normal_quantile(0.975) * theory) / runs as f64;
        mean += (value - exact[last]) / runs as f64;
    }
    println!("{mixing:?}: {held:.4} held, {naive:.4} by the twin, mean error {mean:.4}");
    (held, naive)
}

/// 400 runs: 95 % +- 1.1 %.
#[test]
fn intervals_from_copies_hold() {
    let (held, naive) = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| coverage(400, 150, Mixing::Neighbour));
    assert!((0.92..=0.98).contains(&held), "{held}");
    assert!(naive < 0.8, "errors of independent frames are taken for right: {naive}");
}

/// z of f_k - f_0 of 8 windows over a spring k_0 x^2 / 2 along x: f_k = beta k_0 k c_k^2 / (2 (k_0 + k)) + constant. Errors from 32 copies;
/// smallest visible bias 0.02 kT of 2. The twin tells MBAR energies without beta.
fn windows(mixing: Mixing, twin: bool) -> Vec<f64> {
    let (copies, beta, stiffness, spring) = (32, 1.5, 6.0, 1.0);
    let lambdas: Vec<f64> = (0..8).map(|k| f64::from(k) / 7.0).collect();
    let ladder = path::couplings(beta, &lambdas);
    let (k, n) = (ladder.len(), ladder.len() * copies);
    let base: Arc<dyn Potential> = Arc::new(Batched(Harmonic { k: vec![spring, 2.0], centre: vec![0.0; 2] }));
    let windows = Umbrella::new(base, Arc::new(Coordinate::new(0, 2).unwrap()), -2.0, 1.0, stiffness).unwrap();
    let exact: Vec<f64> =
        lambdas.iter().map(|l| 0.5 * beta * spring * stiffness / (spring + stiffness) * windows.centre(*l) * windows.centre(*l)).collect();
    let potential: Arc<dyn Potential> = Arc::new(windows);
    let phase = Phase::at_rest(Coords::zeros(n, 2), vec![1.0; 2]).unwrap();
    let mut ens = Ensemble::new(phase, path::spread(&ladder, copies), Root::new(6, "windows", "")).unwrap();
    let hmc = Hmc::new(potential.clone(), &[1.0; 2], HmcOptions { dt: 0.3, leapfrog: 4, ..HmcOptions::default() }).unwrap();
    let options = ExchangeOptions { every: 5, mixing, place: 0 };
    let mut exchange = Exchange::new(Box::new(hmc), Arc::new(Boltzmann(potential)), ladder, n, options).unwrap();
    exchange.advance(&mut ens, 100).unwrap();
    let mut stored: Stored = vec![(Vec::new(), Vec::new()); copies];
    let mut u = Vec::new();
    for _ in 0..100 {
        exchange.advance(&mut ens, 10).unwrap();
        exchange.u_kn(&ens, &mut u).unwrap();
        for u in &mut u {
            *u /= if twin { beta } else { 1.0 };
        }
        for (copy, (states, stored)) in stored.iter_mut().enumerate() {
            states.extend(ens.thermo()[copy * k..(copy + 1) * k].iter().map(|t| t.state as usize));
            stored.extend_from_slice(&u[copy * k * k..(copy + 1) * k * k]);
        }
    }
    let found = leave_one_out(copies, |chosen| free_energies(&stored, chosen, k).map(|(f, _)| f)).unwrap();
    let z = |i: usize| {
        let (value, stderr) = found.delta(0, i);
        (value - (exact[i] - exact[0])) / stderr
    };
    (1..k).map(z).collect()
}

#[test]
fn windows_have_their_free_energies() {
    for mixing in [Mixing::None, Mixing::Neighbour, Mixing::Gibbs] {
        let (right, twin) = (windows(mixing, false), windows(mixing, true));
        println!("{mixing:?}: {right:.2?}, twin {twin:.2?}");
        assert!(right.iter().all(|z| z.abs() < 4.0) && twin.iter().any(|z| z.abs() > 8.0));
    }
}
