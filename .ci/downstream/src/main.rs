//! An energy that ergodica has never heard of, sampled by HMC, with an answer that is known exactly.

use ergodica::batch::{Coords, Ensemble, Phase, Positions, Thermo};
use ergodica::dynamics::{Hmc, HmcOptions, Propagator};
use ergodica::energy::{Batched, Energy, Evaluation, Potential};
use ergodica::real::Real;
use ergodica::stream::Root;
use std::sync::Arc;

/// U = sum_d x_d^4 / 4. Since <x dU/dx> = kT for each degree of freedom, <U> = dof kT / 4.
struct Quartic {
    dof: usize,
}

impl Energy for Quartic {
    fn dof(&self) -> usize {
        self.dof
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for d in 0..x.len() {
            let cube = x[d] * x[d] * x[d];
            f[d] = -cube;
            u = (T::of(0.25) * cube).mul_add(x[d], u);
        }
        u
    }
}

fn main() -> ergodica::Result<()> {
    const REPLICAS: usize = 64;
    const DOF: usize = 5;
    const DRAWS: u64 = 2000;
    let potential = Arc::new(Batched(Quartic { dof: DOF }));
    let x = Coords::from_rows(&[0.5; REPLICAS * DOF], DOF)?;
    let phase = Phase::at_rest(x, vec![1.0; DOF])?;
    let mut ens = Ensemble::new(phase, vec![Thermo::at(1.0); REPLICAS], Root::new(1, "downstream", ""))?;
    let mut hmc = Hmc::new(potential.clone(), &[1.0; DOF], HmcOptions { dt: 0.3, warmup: 200, ..HmcOptions::default() })?;
    hmc.advance(&mut ens, 400)?;

    let (mut out, mut sums) = (Evaluation::new(), [0.0; REPLICAS]);
    for _ in 0..DRAWS {
        hmc.advance(&mut ens, 1)?;
        potential.eval(ens.state().x(), ens.thermo(), &mut out)?;
        for (r, sum) in sums.iter_mut().enumerate() {
            *sum += out.u.get(r, 0);
        }
    }
    // Replicas are independent: the error bar comes from them.
    let means = sums.map(|s| s / DRAWS as f64);
    let mean = means.iter().sum::<f64>() / REPLICAS as f64;
    let variance = means.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / (REPLICAS - 1) as f64;
    let stderr = (variance / REPLICAS as f64).sqrt();
    let exact = DOF as f64 / 4.0;
    let z = (mean - exact) / stderr;
    println!("<U> = {mean:.4} +- {stderr:.4}, exact {exact}, z = {z:.2}");
    assert!(stderr < 0.02 && z.abs() < 4.0);
    Ok(())
}
