//! A potential of one's own, sampled by Hamiltonian Monte Carlo: the formula is written once and runs on 8 replicas a lane.

use ergodica::batch::{Coords, Ensemble, Phase, Thermo};
use ergodica::dynamics::{Kind, Spec, build};
use ergodica::energy::{Batched, Energy};
use ergodica::estimate::{Series, mean};
use ergodica::real::Real;
use ergodica::stream::Root;
use std::sync::Arc;

/// U(x, y) = (x^2 - 1)^2 + (y - x)^2 / 2.
struct Banana;

impl Energy for Banana {
    fn dof(&self) -> usize {
        2
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let well = x[0] * x[0] - T::of(1.0);
        let d = x[1] - x[0];
        f[0] = d - T::of(4.0) * x[0] * well;
        f[1] = -d;
        well.mul_add(well, T::of(0.5) * d * d)
    }
}

fn main() -> ergodica::Result<()> {
    let replicas = 128;
    let start = Coords::from_rows(&[0.0, 0.0].repeat(replicas), 2)?;
    let mut ens = Ensemble::new(Phase::at_rest(start, vec![1.0; 2])?, vec![Thermo::at(1.0); replicas], Root::new(1, "banana", ""))?;
    let spec = Spec { dt: 0.2, leapfrog: 8, warmup: 500, ..Spec::new(Kind::Hmc) };
    let mut hmc = build(&spec, Arc::new(Batched(Banana)), &[1.0; 2])?;
    hmc.advance(&mut ens, 500)?;
    let mut squares = vec![Vec::new(); replicas];
    for _ in 0..2_000 {
        hmc.advance(&mut ens, 1)?;
        for (r, series) in squares.iter_mut().enumerate() {
            let y = ens.state().x.get(r, 1);
            series.push(y * y);
        }
    }
    let m = mean(Series::new(&squares.concat(), replicas)?)?;
    let tally = hmc.tally();
    println!("<y^2> = {:.4} ± {:.4}, acceptance {:.2}", m.value, m.stderr, tally.accepted as f64 / tally.proposed as f64);
    Ok(())
}
