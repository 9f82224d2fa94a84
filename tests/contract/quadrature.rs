//! References of systems of one or two dimensions (or made of such), recomputed from our own energies on a grid.
//! Smooth functions that vanish at the ends of the grid: the trapezoidal rule converges exponentially.

use ergodica::campaign::registry;
use ergodica::campaign::system::System;
use ergodica::energy::Potential;
use ergodica::energy::formula::{Given, Value};
use ergodica::real::{Octet, Real};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A grid of `n` points from `low` to `high` along one degree of freedom.
pub(crate) type Axis = (usize, f64, f64, usize);

/// log Z and the means of some functions of (x, U), the other degrees of freedom being 0.
pub(crate) fn integrate(u: &dyn Potential, axes: &[Axis], kt: f64, of: &[&dyn Fn(&[f64], f64) -> f64]) -> (f64, Vec<f64>) {
    let points: usize = axes.iter().map(|a| a.3).product();
    let place = |i: usize| {
        let (mut x, mut rest) = (vec![0.0; u.dof()], i);
        for &(dof, low, high, n) in axes {
            x[dof] = low + (high - low) * (rest % n) as f64 / (n - 1) as f64;
            rest /= n;
        }
        x
    };
    let cell: f64 = axes.iter().map(|&(_, low, high, n)| (high - low) / (n - 1) as f64).product();
    let mut energies = Vec::with_capacity(points);
    let mut f = vec![Octet::of(0.0); u.dof()];
    for first in (0..points).step_by(8) {
        let rows: Vec<Vec<f64>> = (first..first + 8).map(|i| place(i.min(points - 1))).collect();
        let x: Vec<Octet> = (0..u.dof()).map(|d| Octet(std::array::from_fn(|r| rows[r][d]))).collect();
        energies.extend_from_slice(&u.eval_block(&x, Octet::of(1.0), &mut f, None).0);
    }
    energies.truncate(points);
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let (mut z, mut sums) = (0.0, vec![0.0; of.len()]);
    for (i, energy) in energies.iter().enumerate() {
        let w = Real::exp((lowest - energy) / kt);
        z += w;
        let x = place(i);
        for (sum, g) in sums.iter_mut().zip(of) {
            *sum += w * g(&x, *energy);
        }
    }
    (Real::ln(z * cell) - lowest / kt, sums.iter().map(|s| s / z).collect())
}

/// Quantity, value found, tolerance.
type Found = (&'static str, f64, f64);

fn compare(name: &str, kt: f64, found: &[Found]) -> Result<(), String> {
    let system = System::load(name, &[]).unwrap();
    let conditions = BTreeMap::from([("temperature".to_owned(), kt)]);
    for (quantity, value, tolerance) in found {
        let r = system.reference(quantity, &conditions).ok_or_else(|| format!("{name} has no reference for {quantity}"))?;
        if (value - r.value).abs() > r.error + tolerance {
            return Err(format!("{name}: {quantity} = {value}, the reference says {}", r.value));
        }
    }
    Ok(())
}

fn formula(name: &str, given: &[(&str, f64)]) -> Arc<dyn Potential> {
    let given: Vec<Given> = given.iter().map(|(n, v)| Given::new(*n, Value::Number(*v))).collect();
    registry::formula(name).unwrap().build(&given).unwrap().0.potential
}

pub(crate) fn double_well(barrier: f64) -> Result<(), String> {
    let (log_z, m) = integrate(
        &*formula("double_well", &[("barrier", barrier)]),
        &[(0, -3.0, 3.0, 2001)],
        1.0,
        &[&|_, u| u, &|x, _| x[0], &|x, _| x[0] * x[0]],
    );
    let found = [("log_z", log_z, 1e-11), ("energy", m[0], 1e-11), ("coordinate:0", m[1], 1e-11), ("square(coordinate:0)", m[2], 1e-11)];
    compare("double-well", 1.0, &found)
}

#[test]
fn double_wells() {
    double_well(5.0).unwrap();
    let one = formula("double_well", &[("barrier", 16.0), ("minimum", 2.0)]);
    let (log_z, m) = integrate(&*one, &[(0, -5.0, 5.0, 2001)], 1.0, &[&|_, u| u, &|x, _| x[0] * x[0]]);
    let found = [("log_z", 5.0 * log_z, 1e-10), ("energy", 5.0 * m[0], 1e-10), ("square(coordinate:0)", m[1], 1e-10)];
    compare("many-well-5", 1.0, &found).unwrap();
}

#[test]
fn a_block_of_the_many_well() {
    let block = formula("many_well", &[("blocks", 1.0)]);
    let axes = [(0, -4.5, 4.5, 601), (1, -9.0, 9.0, 301)];
    let right = |x: &[f64], _: f64| if x[0] > 0.0 { 1.0 } else { 0.0 } + if x[0] == 0.0 { 0.5 } else { 0.0 };
    let (log_z, m) = integrate(&*block, &axes, 1.0, &[&|_, u| u, &|x, _| x[0], &|x, _| x[0] * x[0], &right, &|x, _| x[1] * x[1]]);
    let found = [
        ("log_z", 16.0 * log_z, 1e-9),
        ("energy", 16.0 * m[0], 1e-9),
        ("coordinate:0", m[1], 1e-10),
        ("square(coordinate:0)", m[2], 1e-10),
        ("probability(coordinate:0 > 0)", m[3], 1e-6),
        ("square(coordinate:1)", m[4], 1e-10),
    ];
    compare("many-well-32", 1.0, &found).unwrap();
}

#[test]
fn the_mixture_is_normalised() {
    let u = System::load("gmm-40", &[]).unwrap().potential;
    let axes = [(0, -55.0, 55.0, 301), (1, -55.0, 55.0, 301)];
    let (log_z, m) = integrate(&*u, &axes, 1.0, &[&|x, _| x[0], &|x, _| x[1], &|x, _| x[0] * x[0], &|x, _| x[1] * x[1]]);
    let found = [
        ("log_z", log_z, 1e-10),
        ("coordinate:0", m[0], 1e-9),
        ("coordinate:1", m[1], 1e-9),
        ("square(coordinate:0)", m[2], 1e-8),
        ("square(coordinate:1)", m[3], 1e-8),
    ];
    compare("gmm-40", 1.0, &found).unwrap();
}

#[test]
fn the_funnel_is_normalised() {
    let u = formula("funnel", &[("dimension", 2.0)]);
    // At fixed x_0 the other direction is Gaussian of width exp(x_0 / 2): a strip of the plane that a grid can hold.
    let strip = |x0: f64| {
        let width = Real::exp(0.5 * x0);
        let (log_z, _) = integrate(&ShiftedFirst(u.clone(), x0), &[(1, -12.0 * width, 12.0 * width, 201)], 1.0, &[]);
        log_z + 0.5 * x0 * x0 / 9.0 + 0.5 * Real::ln(2.0 * std::f64::consts::PI * 9.0)
    };
    for x0 in [-20.0, -3.0, 0.0, 2.5, 20.0] {
        assert!(strip(x0).abs() < 1e-10, "{x0}: {}", strip(x0));
    }
}

/// The potential with its first coordinate moved.
struct ShiftedFirst(Arc<dyn Potential>, f64);
impl Potential for ShiftedFirst {
    fn dof(&self) -> usize {
        self.0.dof()
    }
    fn terms(&self) -> Vec<String> {
        self.0.terms()
    }
    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        let mut y = x.to_vec();
        y[0] = Octet(y[0].0.map(|v| v + self.1));
        self.0.eval_block(&y, lambda, f, terms)
    }
    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        self.0.eval_one(x, lambda, f, terms)
    }
    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        self.0.derivative(x, lambda, dx, dlambda)
    }
}

#[test]
fn mueller_brown() {
    let u = System::load("mueller-brown", &[]).unwrap().potential;
    for kt in [10.0, 15.0] {
        let axes = [(0, -3.0, 2.5, 551), (1, -2.0, 3.5, 551)];
        let (_, m) = integrate(&*u, &axes, kt, &[&|_, u| u, &|x, _| x[0], &|x, _| x[1]]);
        let found = [("energy", m[0], 1e-6), ("coordinate:0", m[1], 1e-7), ("coordinate:1", m[2], 1e-7)];
        compare("mueller-brown", kt, &found).unwrap();
    }
}

#[test]
fn two_particles_in_a_double_well() {
    let u = System::load("dw2", &[]).unwrap().potential;
    let distance = |x: &[f64], _: f64| (x[2] * x[2] + x[3] * x[3]).sqrt();
    let (_, m) = integrate(&*u, &[(2, -9.0, 9.0, 721), (3, -9.0, 9.0, 721)], 1.0, &[&|_, u| u, &distance]);
    compare("dw2", 1.0, &[("energy", m[0], 1e-6), ("distance:0,1", m[1], 1e-6)]).unwrap();
}
