//! Measured orders, and the exactness of the Metropolised schemes, in a quartic well with exact averages from quadrature.
//!
//! U = x^2/2 + x^4/4, kT = 1, m = 1. Bias of <x^2> at a step h and at h/2, from 512 independent replicas; the order is
//! log2 of their ratio, with its error from theirs.

mod trial;

use ergodica::batch::{Coords, Ensemble, Phase, Thermo};
use ergodica::dynamics::*;
use ergodica::energy::{Batched, Potential};
use ergodica::real::Real;
use ergodica::stream::Root;
use std::sync::Arc;
use trial::{Well, ensemble, mean, quadrature};

fn quartic() -> Arc<dyn Potential> {
    Arc::new(Batched(Well { k: vec![1.0; 8], q: 1.0 }))
}

fn exact_x2() -> f64 {
    quadrature(1.0, |x| 0.5 * x * x + 0.25 * x * x * x * x, |x| x * x, 8.0)
}

/// <x^2> of each replica (8 independent degrees of freedom each), over `time`, sampled every `every` time units.
fn second_moment(kind: Kind, dt: f64, gamma: f64, start: f64, time: f64, every: f64) -> Vec<f64> {
    let replicas = 512;
    let mut ens = ensemble(&[start; 8], &[1.0; 8], replicas, 1.0, Root::new(20, "orders", kind.info().name));
    draw_velocities(&mut ens, 0, Com::Keep).unwrap();
    let spec = Spec { dt, gamma, leapfrog: 4, jitter: 0.0, ..Spec::new(kind) };
    let mut p = build(&spec, quartic(), &[1.0; 8]).unwrap();
    p.advance(&mut ens, (20.0 / dt) as u64).unwrap();
    let (stride, frames) = (((every / dt).round() as u64).max(1), (time / every) as usize);
    let mut sums = vec![0.0; replicas];
    for _ in 0..frames {
        p.advance(&mut ens, stride).unwrap();
        for (r, sum) in sums.iter_mut().enumerate() {
            for d in 0..8 {
                let x = ens.state().x.get(r, d);
                *sum += x * x;
            }
        }
    }
    assert_eq!(ens.well().count(), replicas);
    sums.iter().map(|s| s / (8.0 * frames as f64)).collect()
}

/// Order and its standard error from the biases at h and h/2.
fn order(kind: Kind, h: f64, gamma: f64, time: f64, every: f64) -> (f64, f64) {
    let exact = exact_x2();
    let (a, ea) = mean(&second_moment(kind, h, gamma, 0.5, time, every));
    let (b, eb) = mean(&second_moment(kind, 0.5 * h, gamma, 0.5, time, every));
    let (a, b) = (a - exact, b - exact);
    println!("{:20} h = {h}: bias {a:+.5}({ea:.5}), h/2: {b:+.5}({eb:.5})", kind.info().name);
    assert!((a / ea).abs() > 8.0, "a bias that is not seen says nothing about its order");
    let log2 = |x: f64| Real::ln(x) / Real::ln(2.0);
    (log2((a / b).abs()), ((ea / a) * (ea / a) + (eb / b) * (eb / b)).sqrt() / Real::ln(2.0))
}

#[test]
fn splittings_and_leimkuhler_matthews_are_of_second_order() {
    for (kind, h, gamma) in [(Kind::Baoab, 0.9, 1.0), (Kind::Obabo, 0.5, 1.0), (Kind::LeimkuhlerMatthews, 0.24, 1.0)] {
        let (p, e) = order(kind, h, gamma, 1500.0, 1.8);
        println!("{:20} order {p:.3}({e:.3})", kind.info().name);
        // The next term of the series shifts the order seen at a finite h.
        assert!(e < 0.15 && (p - 2.0).abs() < 0.35 + 4.0 * e, "{kind:?}: order {p}({e})");
    }
}

#[test]
fn euler_maruyama_is_of_first_order() {
    let (p, e) = order(Kind::EulerMaruyama, 0.1, 1.0, 1000.0, 1.0);
    println!("euler-maruyama order {p:.3}({e:.3})");
    assert!(e < 0.1 && (p - 1.0).abs() < 0.25 + 4.0 * e, "order {p}({e})");
}

/// MALA and HMC at a step where the unadjusted schemes are visibly wrong, started far away. Smallest visible bias: 4e-3.
#[test]
fn metropolised_schemes_are_exact() {
    let exact = exact_x2();
    for kind in [Kind::Mala, Kind::Hmc] {
        let values = second_moment(kind, if kind == Kind::Mala { 0.9 } else { 0.6 }, 1.0, 4.0, 900.0, 1.8);
        let (m, e) = mean(&values);
        println!("{:5} <x^2> - exact = {:+.5}({e:.5})", kind.info().name, m - exact);
        assert!(e < 1e-3 && ((m - exact) / e).abs() < 4.0, "{kind:?}: z = {}", (m - exact) / e);
    }
    // Broken twin: the same proposal without the decision is Euler-Maruyama with dt' = dt^2/2.
    let (m, e) = mean(&second_moment(Kind::EulerMaruyama, 0.5 * 0.9 * 0.9 * 0.5, 1.0, 0.5, 900.0, 1.8));
    assert!(((m - exact) / e).abs() > 8.0);
}

/// A Verlet step that takes the whole kick first (symplectic Euler): of first order.
#[derive(Debug)]
struct Lopsided(f64);
impl Rule for Lopsided {
    const NOISES: usize = 0;
    const KINETIC: bool = true;
    fn before<T: Real>(&self, now: Now<'_, T>, next: Next<'_, T>, _: &[T], _: T, _: &Center) -> T {
        for d in 0..next.x.len() {
            next.v[d] = now.f[d].mul_add(T::of(self.0), now.v[d]);
            next.x[d] = next.v[d].mul_add(T::of(self.0), now.x[d]);
        }
        T::of(0.0)
    }
    fn after<T: Real>(&self, _: &[T], v: &mut [T], _: &[T], _: T, _: &Center) -> T {
        let mut k = T::of(0.0);
        for d in 0..v.len() {
            k += T::of(0.5) * v[d] * v[d];
        }
        k
    }
}

fn launch() -> Ensemble<Phase> {
    let rows: Vec<f64> = (0..8 * 8).map(|i| 0.2 + 0.02 * f64::from(i)).collect();
    let phase = Phase::at_rest(Coords::from_rows(&rows, 8).unwrap(), vec![1.0; 8]).unwrap();
    let mut ens = Ensemble::new(phase, vec![Thermo::at(1.0); 8], Root::new(1, "nve", "")).unwrap();
    draw_velocities(&mut ens, 0, Com::Keep).unwrap();
    ens
}

/// Largest |H - H_0| of any replica over a time of 20.
fn drift(p: &mut dyn Propagator<Phase>) -> f64 {
    let mut ens = launch();
    let h0: Vec<f64> = (0..8)
        .map(|r| {
            let mut k = ens.state().kinetic(r);
            for d in 0..8 {
                let x = ens.state().x.get(r, d);
                k += 0.5 * x * x + 0.25 * x * x * x * x;
            }
            k
        })
        .collect();
    let mut worst = 0.0_f64;
    for _ in 0..(20.0 / p.timestep()).round() as usize {
        p.advance(&mut ens, 1).unwrap();
        for r in 0..8 {
            worst = worst.max((p.energy().unwrap()[r] + p.kinetic().unwrap()[r] - h0[r]).abs());
        }
    }
    worst
}

#[test]
fn the_energy_error_of_velocity_verlet_scales_as_dt2() {
    let at = |dt| drift(&mut VelocityVerlet::new(quartic(), &[1.0; 8], dt, Com::Keep).unwrap());
    let (a, b, c) = (at(0.04), at(0.02), at(0.01));
    println!("max |H - H0| at dt 0.04, 0.02, 0.01: {a:.3e} {b:.3e} {c:.3e}");
    for ratio in [a / b, b / c] {
        assert!((ratio - 4.0).abs() < 0.1, "{ratio}");
    }
    // Broken twin: symplectic Euler's scales as dt.
    let at = |dt| drift(&mut Unadjusted::with_rule(Lopsided(dt), quartic(), &[1.0; 8], dt, Com::Keep).unwrap());
    assert!((at(0.02) / at(0.01) - 2.0).abs() < 0.2);
}

#[test]
fn velocity_verlet_is_reversible() {
    let start = launch();
    let mut ens = start.clone();
    let mut p = VelocityVerlet::new(quartic(), &[1.0; 8], 0.05, Com::Keep).unwrap();
    let there_and_back = |ens: &mut Ensemble<Phase>, p: &mut dyn Propagator<Phase>| {
        p.advance(ens, 100).unwrap();
        for octet in ens.state_mut().v.octets_mut() {
            for v in &mut octet.0 {
                *v = -*v;
            }
        }
        p.advance(ens, 100).unwrap();
    };
    let distance = |a: &Ensemble<Phase>| {
        let rows = a.state().x.to_rows();
        rows.iter().zip(start.state().x.to_rows()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    there_and_back(&mut ens, &mut p);
    assert!(distance(&ens) < 1e-11, "{}", distance(&ens));
    let mut twin = start.clone();
    there_and_back(&mut twin, &mut Unadjusted::with_rule(Lopsided(0.05), quartic(), &[1.0; 8], 0.05, Com::Keep).unwrap());
    assert!(distance(&twin) > 1e-3);
}
