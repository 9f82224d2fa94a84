//! What the tests of propagators share: wells, ensembles, z values.
#![allow(dead_code)] // no test uses all of it

use ergodica::batch::{Coords, Ensemble, Phase, Thermo};
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::real::Real;
use ergodica::stream::Root;
use std::sync::Arc;

/// U = sum_d (k_d x_d^2 / 2 + q x_d^4 / 4).
#[derive(Clone, Debug)]
pub struct Well {
    pub k: Vec<f64>,
    pub q: f64,
}

impl Energy for Well {
    fn dof(&self) -> usize {
        self.k.len()
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for d in 0..x.len() {
            let x2 = x[d] * x[d];
            let (k, q) = (T::of(self.k[d]), T::of(self.q));
            f[d] = -(k + q * x2) * x[d];
            u += (T::of(0.5) * k + T::of(0.25) * q * x2) * x2;
        }
        u
    }
}

/// A harmonic well, or none where k = 0.
pub fn harmonic(k: &[f64]) -> Arc<dyn Potential> {
    Arc::new(Batched(Well { k: k.to_vec(), q: 0.0 }))
}

/// A batch at rest, one row of positions for all, one beta for all.
pub fn ensemble(row: &[f64], mass: &[f64], replicas: usize, beta: f64, root: Root) -> Ensemble<Phase> {
    let x = Coords::from_rows(&row.repeat(replicas), row.len()).unwrap();
    Ensemble::new(Phase::at_rest(x, mass.to_vec()).unwrap(), vec![Thermo::at(beta); replicas], root).unwrap()
}

/// Mean over independent replicas and its standard error.
pub fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    assert!(n >= 32.0, "a standard error wants 32 independent replicas");
    let m = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / (n - 1.0);
    (m, (variance / n).sqrt())
}

/// (mean - exact) in standard errors of the mean and of the exact value.
pub fn z(values: &[f64], exact: f64, exact_error: f64) -> f64 {
    let (m, e) = mean(values);
    (m - exact) / (e * e + exact_error * exact_error).sqrt()
}

/// Means over x in (-a, a) with density exp(-beta u(x)), by the trapezoidal rule (spectrally accurate here).
pub fn quadrature(beta: f64, u: impl Fn(f64) -> f64, observable: impl Fn(f64) -> f64, a: f64) -> f64 {
    let n = 20_000;
    let (mut z, mut sum) = (0.0, 0.0);
    for i in 0..=n {
        let x = a * (2.0 * f64::from(i) / f64::from(n) - 1.0);
        let w = Real::exp(-beta * u(x));
        z += w;
        sum += w * observable(x);
    }
    sum / z
}
