//! What replica exchange costs: the same replicas coupled and uncoupled, in turn, CPU time for CPU time.
//!
//!     cargo bench --bench exchange                  # every case: median ratio of the pairs, with its range
//!     cargo bench --bench exchange -- --pairs 21

use ergodica::batch::{Coords, Ensemble, Phase};
use ergodica::dynamics::{Baoab, Com, Propagator, draw_velocities};
use ergodica::energy::double_well::DoubleWell;
use ergodica::energy::lennard_jones::LennardJones;
use ergodica::energy::{Batched, Potential};
use ergodica::path::{self, Boltzmann, Exchange, ExchangeOptions, Mixing};
use ergodica::stream::{Purpose, Root};
use std::sync::Arc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// 8 temperatures, 8 copies: 64 replicas.
const STATES: usize = 8;
const COPIES: usize = 8;

fn main() -> Result<()> {
    let (mut pairs, mut args) = (11, std::env::args().skip(1));
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {} // cargo says so
            "--pairs" => pairs = args.next().ok_or("--pairs needs a number")?.parse()?,
            other => return Err(format!("no option '{other}'").into()),
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let lj13: Arc<dyn Potential> = Arc::new(Batched(LennardJones { particles: 13, pair_coefficient: 1.0, oscillator: 1.0 }));
    let well = DoubleWell { wells: 1, harmonic: 0, barrier: 5.0, minimum: 1.0, tilt: 0.2, k: 1.0 };
    let well: Arc<dyn Potential> = Arc::new(Batched(well));
    for (name, potential, steps) in [("lj13", lj13, 20_000), ("double well, 1-D", well, 400_000)] {
        for (mixing, every) in [(Mixing::Neighbour, 50), (Mixing::Gibbs, 50), (Mixing::Neighbour, 10)] {
            let mut ratios = Vec::new();
            let (mut per_step, mut accepted) = (0.0, 0.0);
            let (mut coupled, mut uncoupled) = (Run::new(&potential, mixing, every)?, Run::new(&potential, Mixing::None, every)?);
            for pair in 0..=pairs {
                let [a, b] = pool.install(|| {
                    if pair % 2 == 0 { [&mut coupled, &mut uncoupled] } else { [&mut uncoupled, &mut coupled] }.map(|r| r.cpu(steps))
                });
                let (with, without) = if pair % 2 == 0 { (a, b) } else { (b, a) };
                if pair > 0 {
                    ratios.push(with / without); // the first is the warm-up
                }
                per_step = 1e9 * without / (steps * (STATES * COPIES) as u64) as f64;
            }
            let acceptance = coupled.exchange.traffic().acceptance();
            accepted += acceptance.iter().sum::<f64>() / acceptance.len() as f64;
            ratios.sort_by(f64::total_cmp);
            let (median, low, high) = (ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1]);
            println!(
                "{name:18} {mixing:?} every {every:3}: {median:.3} [{low:.3}, {high:.3}] of uncoupled, acceptance {accepted:.2}, {per_step:.0} ns a replica step"
            );
        }
    }
    Ok(())
}

struct Run {
    ens: Ensemble<Phase>,
    exchange: Exchange<Phase>,
}

impl Run {
    fn new(potential: &Arc<dyn Potential>, mixing: Mixing, every: u64) -> Result<Self> {
        let (dof, n) = (potential.dof(), STATES * COPIES);
        let root = Root::new(1, "exchange", "");
        let start = root.stream(0, Purpose::Start);
        let mut rows = Vec::new();
        for r in 0..n {
            let mut xi = vec![0.0; dof];
            start.normals::<f64>(0, r as u32, &mut xi);
            rows.extend(xi.iter().enumerate().map(|(d, xi)| 0.05 * xi + 1.1 * [d / 3 % 3, d / 9 % 3, d / 27][d % 3] as f64));
        }
        let mass = vec![1.0; dof];
        let betas: Vec<f64> = (0..STATES).map(|k| 4.0 / (1.0 + 0.15 * k as f64)).collect();
        let states = path::temperatures(&betas);
        let phase = Phase::at_rest(Coords::from_rows(&rows, dof)?, mass.clone())?;
        let mut ens = Ensemble::new(phase, path::spread(&states, COPIES), root)?;
        draw_velocities(&mut ens, 0, Com::Keep)?;
        let baoab = Baoab::new(potential.clone(), &mass, 0.01, 1.0, Com::Keep)?;
        let options = ExchangeOptions { every, mixing, place: 0 };
        let exchange = Exchange::new(Box::new(baoab), Arc::new(Boltzmann(potential.clone())), states, n, options)?;
        Ok(Run { ens, exchange })
    }

    /// CPU seconds of so many steps.
    fn cpu(&mut self, steps: u64) -> f64 {
        let start = cpu_seconds();
        // The shapes were right a moment ago.
        let _ = self.exchange.advance(&mut self.ens, steps);
        cpu_seconds() - start
    }
}

/// User and system time of all threads of this process.
fn cpu_seconds() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, which lives here.
    let code = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut t) };
    assert_eq!(code, 0, "this system has no CPU-time clock");
    t.tv_sec as f64 + 1e-9 * t.tv_nsec as f64
}
