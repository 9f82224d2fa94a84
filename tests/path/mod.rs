//! What the tests of paths share: energies between two formulas, targets with their exact Z, kinds of transitions.
#![allow(dead_code)] // no test uses all of it

pub(crate) mod kinds;
pub(crate) mod targets;

use ergodica::batch::{Coords, Ensemble, Phase, Thermo};
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::real::Real;
use ergodica::stream::Root;
use std::sync::Arc;

/// U = (1 - lambda) U_0 + lambda U_1.
pub(crate) struct Between<A, B>(pub(crate) A, pub(crate) B);

impl<A: Energy, B: Energy> Energy for Between<A, B> {
    fn dof(&self) -> usize {
        self.0.dof()
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], lambda: T, f: &mut [T]) -> T {
        let n = x.len();
        let one = T::of(1.0);
        let mut g = [T::of(0.0); 32];
        let a = self.0.energy_force(x, one, &mut g[..n]);
        let b = self.1.energy_force(x, one, f);
        let rest = one - lambda;
        for d in 0..n {
            f[d] = lambda * f[d] + rest * g[d];
        }
        lambda * b + rest * a
    }
}

/// sum_d x_d^2 / (2 sigma^2).
pub(crate) struct Bowl {
    pub(crate) dof: usize,
    pub(crate) sigma: f64,
}

impl Energy for Bowl {
    fn dof(&self) -> usize {
        self.dof
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let k = T::of(1.0 / (self.sigma * self.sigma));
        let mut u = T::of(0.0);
        for d in 0..x.len() {
            f[d] = -(k * x[d]);
            u += T::of(0.5) * k * x[d] * x[d];
        }
        u
    }
}

pub(crate) fn between<A: Energy, B: Energy>(from: A, to: B) -> Arc<dyn Potential> {
    Arc::new(Batched(Between(from, to)))
}

/// Replicas of mass 1 at the origin, at rest, at the first level.
pub(crate) fn batch(dof: usize, replicas: usize, level: Thermo, name: &str) -> Ensemble<Phase> {
    let state = Phase::at_rest(Coords::zeros(replicas, dof), vec![1.0; dof]).unwrap();
    Ensemble::new(state, vec![level; replicas], Root::new(20, name, "")).unwrap()
}

/// Mean and its standard error of independent numbers.
pub(crate) fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    assert!(n >= 32.0, "a standard error wants 32 independent values");
    let m = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / (n - 1.0);
    (m, (variance / n).sqrt())
}

/// Bennett's estimate of delta f from works forward and backward, by bisection.
pub(crate) fn bar(forward: &[f64], backward: &[f64]) -> f64 {
    let m = Real::ln(forward.len() as f64 / backward.len() as f64);
    let fermi = |x: f64| 1.0 / (1.0 + Real::exp(x.min(700.0)));
    let excess = |f: f64| {
        let a: f64 = forward.iter().map(|w| fermi(m + w - f)).sum();
        let b: f64 = backward.iter().map(|w| fermi(-m + w + f)).sum();
        a - b
    };
    let (mut low, mut high) = (-200.0, 200.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if excess(middle) < 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
