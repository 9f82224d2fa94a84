//! What .ci/vectors.py must find: a function generic over a lane that is not inlined. The results are right, the speed is lost.

use ergodica::batch::{Coords, Thermo};
use ergodica::energy::{Batched, Energy, Evaluation, Potential};
use ergodica::real::Real;

struct Spring;

impl Energy for Spring {
    fn dof(&self) -> usize {
        1
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        f[0] = -x[0];
        half_square(x[0])
    }
}

#[inline(never)]
fn half_square<T: Real>(x: T) -> T {
    T::of(0.5) * x * x
}

fn main() -> ergodica::Result<()> {
    let mut out = Evaluation::new();
    let x = Coords::from_rows(&[2.0; 8], 1)?;
    Batched(Spring).eval(&x, &[Thermo::at(1.0); 8], &mut out)?;
    println!("{}", out.u.get(0, 0));
    Ok(())
}
