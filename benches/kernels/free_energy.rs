//! MBAR on harmonic oscillators: centres 0 to 5, stiffness 1 to 3, as benches/peers/pymbar_mbar.py has them.

use crate::{Result, Work};
use ergodica::estimate::{Bootstrap, CovarianceMethod, MbarOptions, ReducedPotentials, ReducedPotentialsBuilder, mbar};
use ergodica::stream::{Purpose, Root};
use std::hint::black_box;

/// Samples of each oscillator and what the energies need.
struct Oscillators {
    names: Vec<String>,
    n_k: Vec<usize>,
    centre: Vec<f64>,
    stiffness: Vec<f64>,
    x: Vec<f64>,
}

impl Oscillators {
    fn draw(states: usize, samples: usize) -> Self {
        let part = |k: usize| k as f64 / (states - 1) as f64;
        let centre: Vec<f64> = (0..states).map(|k| 5.0 * part(k)).collect();
        let stiffness: Vec<f64> = (0..states).map(|k| 1.0 + 2.0 * part(k)).collect();
        let stream = Root::new(1, "oscillators", "").stream(0, Purpose::Start);
        let mut x = vec![0.0; states * samples];
        for (k, x) in x.chunks_exact_mut(samples).enumerate() {
            stream.normals::<f64>(0, k as u32, x);
            x.iter_mut().for_each(|v| *v = centre[k] + *v / stiffness[k].sqrt());
        }
        Oscillators { names: (0..states).map(|k| k.to_string()).collect(), n_k: vec![samples; states], centre, stiffness, x }
    }

    /// The energies, sample by sample: no other array of their size exists.
    fn potentials(&self) -> Result<ReducedPotentials> {
        let mut builder = ReducedPotentialsBuilder::new(&self.names, &self.n_k)?;
        let mut u = vec![0.0; self.names.len()];
        for x in &self.x {
            for ((u, o), k) in u.iter_mut().zip(&self.centre).zip(&self.stiffness) {
                *u = 0.5 * k * (x - o) * (x - o);
            }
            builder.sample(&u)?;
        }
        Ok(builder.finish()?)
    }
}

/// Energies made and loaded, equations solved, covariance of all states.
pub(crate) fn fits(states: usize, samples: usize) -> Result<(u64, Work)> {
    let system = Oscillators::draw(states, samples);
    let work = move |k| {
        for _ in 0..k {
            let u = system.potentials().expect("finite energies");
            let fit = mbar(&u, &MbarOptions::default()).expect("the oscillators overlap");
            black_box(fit.covariance(CovarianceMethod::Asymptotic));
        }
    };
    Ok((1, Box::new(work)))
}

/// Resamples of 200, loading and first solution included.
pub(crate) fn resamples(states: usize, samples: usize) -> Result<(u64, Work)> {
    const REPLICATES: usize = 200;
    let system = Oscillators::draw(states, samples);
    let work = move |k| {
        for seed in 0..k {
            let u = system.potentials().expect("finite energies");
            let fit = mbar(&u, &MbarOptions::default()).expect("the oscillators overlap");
            black_box(fit.bootstrap(&Bootstrap { replicates: REPLICATES, block: 1, seed }).expect("every resample has a solution"));
        }
    };
    Ok((REPLICATES as u64, Box::new(work)))
}

/// alchemtest's generic/BFGS, which `ERGODICA_ALCHEMTEST_BFGS` names (u_nk.npy): 24 states, 501 samples of each.
pub(crate) fn bfgs() -> Result<(u64, Work)> {
    const STATES: usize = 24;
    const SAMPLES: usize = 501;
    let file = std::env::var("ERGODICA_ALCHEMTEST_BFGS").map_err(|_| "ERGODICA_ALCHEMTEST_BFGS must name generic/BFGS/u_nk.npy")?;
    let bytes = std::fs::read(file)?;
    let values = STATES * STATES * SAMPLES;
    let tail = &bytes[bytes.len().checked_sub(8 * values).ok_or("the file is too short")?..];
    let u: Vec<f64> = tail.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    let names: Vec<String> = (0..STATES).map(|k| k.to_string()).collect();
    let work = move |k| {
        for _ in 0..k {
            let u = ReducedPotentials::from_rows(&names, &[SAMPLES; STATES], &u).expect("finite energies");
            let fit = mbar(&u, &MbarOptions::default()).expect("the states hang together");
            black_box(fit.covariance(CovarianceMethod::Asymptotic));
        }
    };
    Ok((1, Box::new(work)))
}

/// Most memory that this process has had, in bytes; 0 where the system does not say.
pub(crate) fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0");
    1024 * line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0)
}
