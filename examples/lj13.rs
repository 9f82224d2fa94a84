//! BAOAB on LJ-13: 64 replicas from the global minimum, mean energy with its error.

use ergodica::batch::{Coords, Ensemble, Phase, Thermo};
use ergodica::campaign::system::System;
use ergodica::dynamics::{Kind, Spec, build};
use ergodica::energy::Evaluation;
use ergodica::estimate::{Series, mean};
use ergodica::stream::Root;

fn main() -> ergodica::Result<()> {
    let lj = System::load("lj13-efm", &[])?;
    let x = Coords::from_rows(&lj.start[0].repeat(64), lj.dof())?;
    let mut ens = Ensemble::new(Phase::at_rest(x, lj.masses.clone())?, vec![Thermo::at(1.0); 64], Root::new(7, "lj13", ""))?;
    let mut baoab = build(&Spec { dt: 0.005, gamma: 1.0, ..Spec::new(Kind::Baoab) }, lj.potential.clone(), &lj.masses)?;
    baoab.advance(&mut ens, 5_000)?; // equilibration
    let (mut eval, mut energies) = (Evaluation::new(), vec![Vec::new(); 64]);
    for _ in 0..2_000 {
        baoab.advance(&mut ens, 20)?;
        lj.potential.eval(&ens.state().x, ens.thermo(), &mut eval)?;
        (0..64).for_each(|r| energies[r].push(eval.u.get(r, 0)));
    }
    let m = mean(Series::new(&energies.concat(), 64)?)?;
    println!("<E> = {:.3} ± {:.3} (HMC: -42.93 ± 0.03; BAOAB is biased by O(dt^2))", m.value, m.stderr);
    Ok(())
}
