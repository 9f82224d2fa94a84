//! Measured orders, and the exactness of the Metropolised schemes, in a well with exact averages from quadrature.
//!
//! U = x^2/2 + 2 exp(-(x - 1)^2/2), kT = 1, m = 1: lopsided and flat at the top, with a curvature between -1 and 1.9, so that
//! large steps are biased and stable. Bias of <x> or <U> at a step h and at h/2, from 512 independent replicas of 8 degrees of
//! freedom each; the order is log2 of their ratio, with its error from theirs. (<x> and gamma = 0.2 for BAOAB, because the
//! h^2 term dominates there; its <U> at gamma = 1 is mostly h^4.)
#![allow(clippy::needless_range_loop)] // replicas and degrees of freedom are indices

mod trial;

use ergodica::batch::{Coords, Ensemble, Phase, Thermo};
use ergodica::dynamics::*;
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::real::Real;
use ergodica::stream::Root;
use std::sync::Arc;
use trial::{Well, ensemble, mean, quadrature};

struct Bump;
impl Energy for Bump {
    fn dof(&self) -> usize {
        8
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for d in 0..x.len() {
            let y = x[d] - T::of(1.0);
            let bump = T::of(2.0) * (T::of(-0.5) * y * y).exp();
            f[d] = bump * y - x[d];
            u += T::of(0.5) * x[d] * x[d] + bump;
        }
        u
    }
}

fn bump() -> Arc<dyn Potential> {
    Arc::new(Batched(Bump))
}

#[derive(Clone, Copy, Debug)]
enum Of {
    X,
    U,
}

fn exact(of: Of) -> f64 {
    let u = |x: f64| 0.5 * x * x + 2.0 * Real::exp(-0.5 * (x - 1.0) * (x - 1.0));
    match of {
        Of::X => quadrature(1.0, u, |x| x, 9.0),
        Of::U => quadrature(1.0, u, u, 9.0),
    }
}

fn quartic() -> Arc<dyn Potential> {
    Arc::new(Batched(Well { k: vec![1.0; 8], q: 1.0 }))
}

/// How a bias is measured.
#[derive(Clone, Copy, Debug)]
struct Run {
    kind: Kind,
    of: Of,
    dt: f64,
    gamma: f64,
    /// Where all replicas start.
    start: f64,
    /// Steps left out.
    settle: u64,
    /// Time sampled, every 1.4 units.
    time: f64,
}

/// Deviation from the exact mean and its standard error.
fn bias(run: &Run) -> (f64, f64) {
    let replicas = 512;
    let mut ens = ensemble(&[run.start; 8], &[1.0; 8], replicas, 1.0, Root::new(20, "orders", run.kind.info().name));
    draw_velocities(&mut ens, 0, Com::Keep).unwrap();
    let spec = Spec { dt: run.dt, gamma: run.gamma, leapfrog: 4, ..Spec::new(run.kind) };
    let mut p = build(&spec, bump(), &[1.0; 8]).unwrap();
    p.advance(&mut ens, run.settle).unwrap();
    let (stride, frames) = (((1.4 / run.dt).round() as u64).max(1), (run.time / 1.4) as usize);
    let mut sums = vec![0.0; replicas];
    for _ in 0..frames {
        p.advance(&mut ens, stride).unwrap();
        match run.of {
            Of::X => {
                for (b, block) in ens.state().x.octets().chunks_exact(8).enumerate() {
                    for octet in block {
                        for (sum, x) in sums[8 * b..8 * b + 8].iter_mut().zip(&octet.0) {
                            *sum += x;
                        }
                    }
                }
            }
            Of::U => {
                for (sum, u) in sums.iter_mut().zip(p.energy().unwrap()) {
                    *sum += u;
                }
            }
        }
    }
    assert_eq!(ens.well().count(), replicas);
    let (m, e) = mean(&sums.iter().map(|s| s / (8.0 * frames as f64)).collect::<Vec<_>>());
    (m - exact(run.of), e)
}

/// Order and its standard error from the biases at h and h/2.
fn order(kind: Kind, of: Of, h: f64, gamma: f64, time: f64) -> (f64, f64) {
    let settle = (40.0 / (h * gamma.min(1.0))) as u64;
    let coarse = Run { kind, of, dt: h, gamma, start: 0.0, settle, time };
    let (a, ea) = bias(&coarse);
    let (b, eb) = bias(&Run { dt: 0.5 * h, settle: 2 * settle, ..coarse });
    let log2 = |x: f64| Real::ln(x) / Real::ln(2.0);
    let (p, e) = (log2((a / b).abs()), ((ea / a) * (ea / a) + (eb / b) * (eb / b)).sqrt() / Real::ln(2.0));
    println!("{:20} h = {h}: bias of {of:?} {a:+.5}({ea:.5}), h/2: {b:+.5}({eb:.5}), order {p:.2}({e:.2})", kind.info().name);
    assert!((b / eb).abs() > 8.0, "a bias that is not seen says nothing about its order");
    (p, e)
}

/// Half an order is allowed for the next term of the series: orders 1 and 2 are told apart by 8 errors.
#[test]
fn splittings_and_leimkuhler_matthews_are_of_second_order() {
    for (p, e) in [
        order(Kind::Baoab, Of::X, 0.7, 0.2, 50_000.0),
        order(Kind::Obabo, Of::U, 0.5, 1.0, 1000.0),
        order(Kind::LeimkuhlerMatthews, Of::X, 0.5, 1.0, 50_000.0),
    ] {
        assert!(8.0 * e < 1.0 && (p - 2.0).abs() < 0.5, "order {p}({e})");
    }
}

#[test]
fn euler_maruyama_is_of_first_order() {
    let (p, e) = order(Kind::EulerMaruyama, Of::U, 0.1, 1.0, 1500.0);
    assert!(8.0 * e < 1.0 && (p - 1.0).abs() < 0.5, "order {p}({e})");
}

/// MALA and HMC at a step where the unadjusted schemes are visibly wrong, started far away. Smallest visible bias: 1e-3.
#[test]
fn metropolised_schemes_are_exact() {
    let far = Run { kind: Kind::Mala, of: Of::U, dt: 0.9, gamma: 1.0, start: 6.0, settle: 2000, time: 6000.0 };
    for run in [far, Run { kind: Kind::Hmc, dt: 0.6, ..far }] {
        let (b, e) = bias(&run);
        println!("{:5} <U> - exact = {b:+.5}({e:.5})", run.kind.info().name);
        assert!(4.0 * e < 2e-3 && (b / e).abs() < 4.0, "{:?}: z = {}", run.kind, b / e);
    }
    // Broken twin: the same proposal without the decision is Euler-Maruyama with dt' = dt^2/2.
    let (b, e) = bias(&Run { kind: Kind::EulerMaruyama, dt: 0.5 * far.dt * far.dt, start: 0.0, time: 900.0, ..far });
    assert!((b / e).abs() > 8.0);
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
