//! Rates of Ergodica's inner loops, per CPU-second: what benches/run sets beside the peers.
//!
//!     cargo bench --bench kernels                            # every case, one line each
//!     cargo bench --bench kernels -- lj13 --seconds 1 --json
//!     cargo bench --bench kernels -- lj13 --threads 2        # still per CPU-second, of both threads together

#[path = "kernels/free_energy.rs"]
mod free_energy;

use ergodica::batch::{Coords, Ensemble, Phase, Positions, Thermo};
use ergodica::campaign::system::System;
use ergodica::dynamics::{Baoab, Com, Hmc, HmcOptions, Propagator, draw_velocities};
use ergodica::energy::Evaluation;
use ergodica::path::{Anneal, AnnealOptions, Boltzmann, Invariant, Path, Resample, geometric_betas};
use ergodica::real::{Lanewise, Octet, Wide, dispatch, isa};
use ergodica::stream::{Purpose, Root, Stream};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The work of a case, repeated `k` times.
type Work = Box<dyn FnMut(u64) + Send>;

/// A case: its name, what its rate counts, and what makes the work (with how many of those one repetition does).
struct Case {
    name: &'static str,
    unit: &'static str,
    build: fn() -> Result<(u64, Work)>,
}

const CASES: &[Case] = &[
    Case { name: "lj13", unit: "evaluations/cpu_s", build: || evaluations(&cluster("lj13-efm")?) },
    Case { name: "lj55", unit: "evaluations/cpu_s", build: || evaluations(&cluster("lj55-efm")?) },
    Case { name: "ala2-vacuum-baoab", unit: "replica steps/cpu_s", build: || steps("ala2-ff99sbildn-vacuum") },
    Case { name: "ala2-gbsa-baoab", unit: "replica steps/cpu_s", build: || steps("ala2-ff99sbildn-obc") },
    Case { name: "ala2-obc1-evals", unit: "evaluations/cpu_s", build: || evaluations(&thermal("ala2-ff96-obc1", 1024)?) },
    Case { name: "normals", unit: "normals/cpu_s", build: normals },
    Case { name: "mbar-20x5000", unit: "fits/cpu_s", build: || free_energy::fits(20, 5000) },
    Case { name: "mbar-40x20000", unit: "fits/cpu_s", build: || free_energy::fits(40, 20_000) },
    Case { name: "mbar-100x10000", unit: "fits/cpu_s", build: || free_energy::fits(100, 10_000) },
    Case { name: "mbar-bootstrap", unit: "resamples/cpu_s", build: || free_energy::resamples(20, 5000) },
    Case { name: "smc-mw32", unit: "evaluations/cpu_s", build: annealed },
];

/// Cases that need something from outside, hence only by name.
const ON_REQUEST: &[Case] = &[Case { name: "mbar-bfgs", unit: "fits/cpu_s", build: free_energy::bfgs }];

fn main() -> Result<()> {
    let (mut seconds, mut json, mut threads, mut names) = (1.0, false, 1, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {} // cargo says so
            "--json" => json = true,
            "--seconds" => seconds = args.next().ok_or("--seconds needs a number")?.parse()?,
            "--threads" => threads = args.next().ok_or("--threads needs a number")?.parse()?,
            name if CASES.iter().chain(ON_REQUEST).any(|c| c.name == name) => names.push(arg),
            other => {
                let known: Vec<_> = CASES.iter().chain(ON_REQUEST).map(|c| c.name).collect();
                return Err(format!("no case or option '{other}'; cases: {}", known.join(", ")).into());
            }
        }
    }
    let path = isa::path()?.name();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let on_request = ON_REQUEST.iter().filter(|c| names.iter().any(|n| n == c.name));
    for case in CASES.iter().filter(|c| names.is_empty() || names.iter().any(|n| n == c.name)).chain(on_request) {
        let (count, work) = pool.install(|| (case.build)().map_err(|e| e.to_string()))?;
        let (per_s, cpu_s, k) = pool.install(|| rate(work, Duration::from_secs_f64(seconds)));
        let (rate, n) = (per_s * count as f64, k * count);
        if json {
            let line = serde_json::json!({
                "case": case.name, "rate": rate, "unit": case.unit, "cpu_s": cpu_s, "n": n, "threads": threads, "isa": path,
                "peak_bytes": free_energy::peak_memory(),
            });
            println!("{line}");
        } else {
            println!("{:20} {rate:12.4e} {:20} {path}, {threads} threads, {cpu_s:.2} CPU-seconds", case.name, case.unit);
        }
    }
    Ok(())
}

/// Calls `work(k)` until one call takes at least `least` of CPU time: (repetitions per CPU-second, CPU-seconds, repetitions)
/// of that call. The calls before it are the warm-up.
fn rate(mut work: Work, least: Duration) -> (f64, f64, u64) {
    let (least, mut k) = (least.as_secs_f64(), 1_u64);
    loop {
        let start = cpu_seconds();
        work(k);
        let spent = cpu_seconds() - start;
        if spent >= least {
            return (k as f64 / spent, spent, k);
        }
        k = (k + 1).max((k as f64 * (1.1 * least / spent.max(1e-4)).min(10.0)) as u64);
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

/// A system with distinct configurations of it.
struct Batch {
    system: System,
    x: Coords,
}

/// 1024 clusters: the minimum, every coordinate displaced by 0.05.
fn cluster(name: &str) -> Result<Batch> {
    const REPLICAS: usize = 1024;
    let system = System::load(name, &[])?;
    let stream = Root::new(1, name, "").stream(0, Purpose::Start);
    let mut rows = Vec::new();
    for r in 0..REPLICAS {
        let mut xi = vec![0.0; system.dof()];
        stream.normals::<f64>(0, r as u32, &mut xi);
        rows.extend(system.start[0].iter().zip(&xi).map(|(x, xi)| x + 0.05 * xi));
    }
    let x = Coords::from_rows(&rows, system.dof())?;
    Ok(Batch { system, x })
}

/// Energies and forces of the whole batch, over and over.
fn evaluations(batch: &Batch) -> Result<(u64, Work)> {
    let (potential, x) = (batch.system.potential.clone(), batch.x.clone());
    let thermo = vec![Thermo::at(1.0); x.replicas()];
    let mut out = Evaluation::new();
    potential.eval(&x, &thermo, &mut out)?;
    let replicas = x.replicas() as u64;
    let work = move |k| {
        for _ in 0..k {
            // The shapes were right a moment ago.
            let _ = potential.eval(&x, &thermo, &mut out);
            black_box(&out);
        }
    };
    Ok((replicas, Box::new(work)))
}

/// A molecule at 300 K with BAOAB, 1 fs, 1/ps: what the peers do.
fn molecule(name: &str, replicas: usize) -> Result<(System, Ensemble<Phase>, Baoab)> {
    const KT: f64 = 8.314_462_618e-3 * 300.0;
    let system = System::load(name, &[])?;
    let rows = system.start[0].repeat(replicas);
    let phase = Phase::at_rest(Coords::from_rows(&rows, system.dof())?, system.masses.clone())?;
    let mut ens = Ensemble::new(phase, vec![Thermo::at(1.0 / KT); replicas], Root::new(1, name, ""))?;
    draw_velocities(&mut ens, 0, Com::Keep)?;
    let mut baoab = Baoab::new(system.potential.clone(), &system.masses, 0.001, 1.0, Com::Keep)?;
    baoab.advance(&mut ens, 500)?;
    let well = ens.well().count();
    if well < replicas {
        return Err(format!("{name}: {} of {replicas} replicas diverged", replicas - well).into());
    }
    Ok((system, ens, baoab))
}

/// Configurations of a molecule at 300 K.
fn thermal(name: &str, replicas: usize) -> Result<Batch> {
    let (system, ens, _) = molecule(name, replicas)?;
    let x = ens.state().x().clone();
    Ok(Batch { system, x })
}

/// Langevin steps of 64 replicas, as many as the shipped campaign has.
fn steps(name: &str) -> Result<(u64, Work)> {
    const REPLICAS: usize = 64;
    let (_, mut ens, mut baoab) = molecule(name, REPLICAS)?;
    let work = move |k| {
        // The shapes were right a moment ago; a replica that diverges is counted in `ens.health` and costs as much as before.
        let _ = baoab.advance(&mut ens, k);
        black_box(&ens);
    };
    Ok((REPLICAS as u64, Box::new(work)))
}

/// Levels of sequential Monte Carlo: 2000 replicas of many-well-32, one HMC move of three leapfrog steps a level, and the knobs.
fn annealed() -> Result<(u64, Work)> {
    const REPLICAS: usize = 2000;
    let system = System::load("many-well-32", &[])?;
    let (potential, mass) = (system.potential.clone(), system.masses.clone());
    let ladder = geometric_betas(0.1, 1.0, 1.0, 1024)?;
    let phase = Phase::at_rest(Coords::from_rows(&system.start[0].repeat(REPLICAS), system.dof())?, mass.clone())?;
    let mut ens = Ensemble::new(phase, vec![ladder[0]; REPLICAS], Root::new(1, "smc", ""))?;
    let mut mover = Hmc::new(potential.clone(), &mass, HmcOptions { dt: 0.2, leapfrog: 3, ..HmcOptions::default() })?;
    mover.advance(&mut ens, 100)?;
    let kernel = Invariant::new(Box::new(mover), Arc::new(Boltzmann(potential)), 1)?;
    let options = AnnealOptions { resample: Resample::Below(0.5), ..AnnealOptions::default() };
    let mut run = Anneal::new(Path::new(ladder, Box::new(kernel))?, options)?;
    run.start(&mut ens)?;
    let work = move |k| {
        for _ in 0..k {
            // The shapes were right a moment ago.
            if matches!(run.advance(&mut ens, 1), Ok(0)) {
                let _ = run.start(&mut ens);
            }
        }
        black_box(&ens);
    };
    Ok((4 * REPLICAS as u64, Box::new(work)))
}

/// Standard normals as the Langevin propagators draw them: 8 replicas at a time, one per degree of freedom.
fn normals() -> Result<(u64, Work)> {
    const DOF: usize = 66;
    let stream = Root::new(1, "normals", "").stream(0, Purpose::Noise);
    let mut out = vec![Octet::of(0.0); DOF];
    let mut step = 0;
    let work = move |k| {
        for _ in 0..k {
            dispatch(Draw { stream, step, out: &mut out });
            step += 1;
        }
        black_box(&out);
    };
    Ok((8 * DOF as u64, Box::new(work)))
}

struct Draw<'a> {
    stream: Stream,
    step: u64,
    out: &'a mut [Octet],
}

impl Lanewise for Draw<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        self.stream.normals::<L>(self.step, 0, L::of_octets_mut(self.out));
    }
}
