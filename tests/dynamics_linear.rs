//! Linear forces: each step is a linear map plus Gaussian noise, so everything has a closed form, checked to 1e-12.
//!
//! The step map z' = A z + B xi, z = (x, v), is taken out of the code itself: columns of A from unit states without noise,
//! columns of B from unit noise at the origin. Its stationary covariance S solves S = A S A' + B B'; the lag-n
//! autocovariance is A^n S.
//!
//! Closed forms, h the step, w = h sqrt(k/m), c = exp(-gamma h), y = gamma h.
//! BAOAB. At O the density exp(-beta m (v^2 + (k/m) x^2/(1 - w^2/4))/2) is invariant (BaoabRule's docs); half a drift later
//!   <x^2> = kT (1 - w^2/4)/k + (h^2/4) kT/m = kT/k;  <x v_O> = (h/2) kT/m;  after the kick v = v_O - (h k/2m) x:
//!   <x v> = (h/2)(kT/m) - (h k/2m)(kT/k) = 0;  <v^2> = kT/m - 2 (h k/2m)(h/2)(kT/m) + (h k/2m)^2 kT/k = (kT/m)(1 - w^2/4).
//!   <x' x>: x' = x + (h/2)(1 + c)(v + (h/2m) f) + noise, hence C_1 = C_0 (1 - (1 + c) w^2/4).
//! OBABO. <x^2> = kT/(k (1 - w^2/4)), <v^2> = kT/m, <x v> = 0; x' = x + h (sqrt(c) v + noise + (h/2m) f), C_1 = C_0 (1 - w^2/2).
//! Both: A is a product of maps of determinant 1 and O's of total determinant c, and by cyclic order tr A =
//!   tr(O [drift-kick-drift or kick-drift-kick]) = (1 + c)(1 - w^2/2), so (Cayley-Hamilton) C_n+1 = tr A C_n - c C_n-1.
//! Leimkuhler-Matthews, a = 1 - k h/(m gamma): <x^2> = kT/k, C_n = a^(n-1) (1 + a)/2 kT/k.
//! Euler-Maruyama: <x^2> = kT/(k (1 - k h/(2 m gamma))), C_n = a^n C_0.
//! Free flight from Maxwell's velocities, N steps:
//!   OBABO moves h u_n, <u_n u_n+j> = c^j kT/m;  BAOAB moves h (u_n + u_n+1)/2:
//!   R_0 = (kT/m)(1 + c)/2, R_j = (kT/m) c^(j-1) (1 + c)^2/4;  <(x_N - x_0)^2> = h^2 (N R_0 + 2 sum_j (N - j) R_j);
//!   both diffuse with D = (kT/m)(h/2) coth(y/2).

mod trial;

use ergodica::dynamics::*;
use ergodica::energy::Potential;
use ergodica::real::Real;
use nalgebra::{DMatrix, Matrix2, Matrix4, Vector4};
use std::sync::Arc;
use trial::harmonic;

/// What a scheme is told, or what we believe that it was told.
#[derive(Clone, Copy, Debug)]
struct Conditions {
    kt: f64,
    mass: f64,
    gamma: f64,
    dt: f64,
    k: f64,
}

const CONDITIONS: [Conditions; 4] = [
    Conditions { kt: 1.0, mass: 1.0, gamma: 1.0, dt: 0.1, k: 1.0 },
    Conditions { kt: 2.494, mass: 12.0, gamma: 5.0, dt: 0.02, k: 3000.0 },
    Conditions { kt: 0.3, mass: 0.7, gamma: 0.4, dt: 1.1, k: 1.9 },
    Conditions { kt: 1.0, mass: 2.0, gamma: 30.0, dt: 0.5, k: 4.0 },
];

/// A, B and the kinetic energy's quadratic form is not needed: K is asked for separately.
struct Linear {
    a: Matrix2<f64>,
    bbt: Matrix2<f64>,
}

fn take_apart<R: Rule>(p: &Unadjusted<R>, kt: f64) -> Linear {
    let step = |x: f64, v: f64, noise: &[f64]| {
        let (mut x, mut v) = ([x], [v]);
        p.step_one(&mut x, &mut v, 1.0 / kt, 1.0, noise);
        [x[0], v[0]]
    };
    let none = vec![0.0; R::NOISES];
    let (cx, cv) = (step(1.0, 0.0, &none), step(0.0, 1.0, &none));
    let mut bbt = Matrix2::zeros();
    for i in 0..R::NOISES {
        let mut unit = none.clone();
        unit[i] = 1.0;
        let b = nalgebra::Vector2::from(step(0.0, 0.0, &unit));
        bbt += b * b.transpose();
    }
    Linear { a: Matrix2::new(cx[0], cv[0], cx[1], cv[1]), bbt }
}

impl Linear {
    /// S = A S A' + B B', as 4 linear equations.
    fn covariance(&self) -> Matrix2<f64> {
        let kronecker: DMatrix<f64> =
            DMatrix::from_fn(2, 2, |i, j| self.a[(i, j)]).kronecker(&DMatrix::from_fn(2, 2, |i, j| self.a[(i, j)]));
        let left = Matrix4::identity() - Matrix4::from_iterator(kronecker.iter().copied());
        let right = Vector4::from_iterator(self.bbt.iter().copied());
        Matrix2::from_iterator(left.lu().solve(&right).unwrap().iter().copied())
    }

    /// Largest relative deviation of x's autocovariance from the closed form, over 200 lags.
    fn autocovariance_error(&self, s: &Matrix2<f64>, closed: impl Fn(usize) -> f64) -> f64 {
        let (mut p, mut worst) = (*s, 0.0_f64);
        for n in 0..200 {
            worst = worst.max(((p[(0, 0)] - closed(n)) / closed(0)).abs());
            p = self.a * p;
        }
        worst
    }

    /// <(x_n - x_0)^2> from Maxwell's velocities.
    fn flight(&self, start: f64, steps: usize) -> f64 {
        let mut p = Matrix2::new(0.0, 0.0, 0.0, start);
        for _ in 0..steps {
            p = self.a * p * self.a.transpose() + self.bbt;
        }
        p[(0, 0)]
    }
}

/// C_0, C_1, then C_n+1 = trace C_n - det C_n-1.
fn recurrence(c0: f64, c1: f64, trace: f64, det: f64, n: usize) -> f64 {
    let (mut a, mut b) = (c0, c1);
    for _ in 0..n {
        (a, b) = (b, trace * b - det * a);
    }
    a
}

type Build<R> = fn(Arc<dyn Potential>, &Conditions) -> Unadjusted<R>;

fn baoab(p: Arc<dyn Potential>, c: &Conditions) -> Baoab {
    Baoab::new(p, &[c.mass], c.dt, c.gamma, Com::Keep).unwrap()
}
fn obabo(p: Arc<dyn Potential>, c: &Conditions) -> Obabo {
    Obabo::new(p, &[c.mass], c.dt, c.gamma, Com::Keep).unwrap()
}

/// Largest relative deviation of an underdamped splitting, told `told`, from the closed forms at `believed`.
fn splitting_error<R: Rule>(build: Build<R>, told: &Conditions, believed: &Conditions, is_baoab: bool) -> f64 {
    let Conditions { kt, mass, gamma, dt: h, k } = *believed;
    let (c, w2) = (Real::exp(-gamma * h), h * h * k / mass);
    let linear = take_apart(&build(harmonic(&[told.k]), told), told.kt);
    let s = linear.covariance();
    let (xx, vv) = if is_baoab { (kt / k, kt / mass * (1.0 - w2 / 4.0)) } else { (kt / k / (1.0 - w2 / 4.0), kt / mass) };
    let mut worst = ((s[(0, 0)] - xx) / xx).abs().max(((s[(1, 1)] - vv) / vv).abs()).max((s[(0, 1)] / (xx * vv).sqrt()).abs());
    let c1 = if is_baoab { 1.0 - (1.0 + c) * w2 / 4.0 } else { 1.0 - w2 / 2.0 };
    worst = worst.max(linear.autocovariance_error(&s, |n| recurrence(xx, xx * c1, (1.0 + c) * (1.0 - w2 / 2.0), c, n)));

    let free = take_apart(&build(harmonic(&[0.0]), told), told.kt);
    for steps in [1_usize, 2, 10, 1000] {
        let n = steps as f64;
        let cn = Real::powi(c, steps as i32);
        // sum_{j=1}^{N-1} (N - j) c^(j-1)
        let tail = n / (1.0 - c) - (1.0 - cn) / ((1.0 - c) * (1.0 - c));
        let closed =
            h * h * kt / mass * if is_baoab { n * (1.0 + c) / 2.0 + (1.0 + c) * (1.0 + c) / 2.0 * tail } else { n + 2.0 * c * tail };
        worst = worst.max((free.flight(told.kt / told.mass, steps) / closed - 1.0).abs());
    }
    // D from the growth of <dx^2> between two late times: (kT/m)(h/2) coth(y/2), coth(y/2) = (1 + c)/(1 - c).
    let late = (60.0 / (gamma * h)) as usize + 2;
    let growth = (free.flight(told.kt / told.mass, 2 * late) - free.flight(told.kt / told.mass, late)) / (late as f64 * 2.0 * h);
    worst.max((growth / (kt / mass * h / 2.0 * (1.0 + c) / (1.0 - c)) - 1.0).abs())
}

#[test]
fn baoab_is_its_closed_form() {
    for c in &CONDITIONS {
        let e = splitting_error(baoab, c, c, true);
        assert!(e < 1e-12, "{c:?}: {e}");
    }
}

#[test]
fn obabo_is_its_closed_form() {
    for c in &CONDITIONS {
        let e = splitting_error(obabo, c, c, false);
        assert!(e < 1e-12, "{c:?}: {e}");
    }
}

/// The well of `BaoabRule` with its noise multiplied.
#[derive(Debug)]
struct Hot<R>(R, f64);
impl<R: Rule> Rule for Hot<R> {
    const NOISES: usize = R::NOISES;
    const KINETIC: bool = R::KINETIC;
    #[inline(always)]
    fn before<T: Real>(&self, now: Now<'_, T>, next: Next<'_, T>, noise: &[T], root_kt: T, center: &Center) -> T {
        self.0.before(now, next, noise, root_kt * T::of(self.1), center)
    }
    #[inline(always)]
    fn after<T: Real>(&self, f: &[T], v: &mut [T], noise: &[T], root_kt: T, center: &Center) -> T {
        self.0.after(f, v, noise, root_kt * T::of(self.1), center)
    }
}

/// Broken twins: each error of a unit or a factor is seen, by nine orders of magnitude.
#[test]
fn wrong_units_and_factors_fail() {
    let right = CONDITIONS[0];
    let twins = [
        ("friction in 1/fs for 1/ps", Conditions { gamma: right.gamma * 1e3, ..right }),
        ("friction with 2 pi", Conditions { gamma: right.gamma * std::f64::consts::TAU, ..right }),
        ("kT doubled", Conditions { kt: 2.0 * right.kt, ..right }),
        ("mass in another unit", Conditions { mass: 1.00727 * right.mass, ..right }),
        ("half the step", Conditions { dt: 0.5 * right.dt, ..right }),
        ("another spring", Conditions { k: 1.001 * right.k, ..right }),
    ];
    for (name, told) in twins {
        assert!(splitting_error(baoab, &told, &right, true) > 1e-4, "BAOAB, {name}");
        assert!(splitting_error(obabo, &told, &right, false) > 1e-4, "OBABO, {name}");
    }
    // sqrt(1 - c) in place of sqrt(1 - c^2) for the noise.
    let hot: Build<Hot<BaoabRule>> = |p, c| {
        let factor = (1.0 / (1.0 + Real::exp(-c.gamma * c.dt))).sqrt();
        Unadjusted::with_rule(Hot(baoab(p.clone(), c).rule().clone(), factor), p, &[c.mass], c.dt, Com::Keep).unwrap()
    };
    assert!(splitting_error(hot, &right, &right, true) > 1e-2);
    // The other splitting's forms do not fit either.
    assert!(splitting_error(baoab, &right, &right, false) > 1e-4);
}

#[test]
fn overdamped_schemes_are_their_closed_forms() {
    for c in &CONDITIONS {
        let Conditions { kt, mass, gamma, dt, k } = *c;
        let dt = dt.min(mass * gamma / k);
        let a = 1.0 - k * dt / (mass * gamma);
        let lm = take_apart(&LeimkuhlerMatthews::new(harmonic(&[k]), &[mass], dt, gamma, Com::Keep).unwrap(), kt);
        let s = lm.covariance();
        assert!((s[(0, 0)] * k / kt - 1.0).abs() < 1e-12);
        let e = lm.autocovariance_error(&s, |n| if n == 0 { kt / k } else { kt / k * (1.0 + a) / 2.0 * Real::powi(a, n as i32 - 1) });
        assert!(e < 1e-12, "{e}");
        let em = take_apart(&EulerMaruyama::new(harmonic(&[k]), &[mass], dt, gamma, Com::Keep).unwrap(), kt);
        // v is left alone: an eigenvalue 1 that the equation for S cannot have; only x moves.
        assert_eq!((em.a[(1, 1)], em.a[(0, 1)], em.a[(1, 0)]), (1.0, 0.0, 0.0));
        let variance = em.bbt[(0, 0)] / (1.0 - em.a[(0, 0)] * em.a[(0, 0)]);
        assert!((variance * k / kt * (1.0 - k * dt / (2.0 * mass * gamma)) - 1.0).abs() < 1e-12);
        assert!((em.a[(0, 0)] - a).abs() < 1e-15);
        // Free diffusion kT/(m gamma): 2 D dt a step.
        let free = take_apart(&EulerMaruyama::new(harmonic(&[0.0]), &[mass], dt, gamma, Com::Keep).unwrap(), kt);
        assert!((free.flight(0.0, 100) / (200.0 * dt * kt / (mass * gamma)) - 1.0).abs() < 1e-12);
        let free = take_apart(&LeimkuhlerMatthews::new(harmonic(&[0.0]), &[mass], dt, gamma, Com::Keep).unwrap(), kt);
        let growth = free.flight(kt / mass, 101) - free.flight(kt / mass, 1);
        assert!((growth / (200.0 * dt * kt / (mass * gamma)) - 1.0).abs() < 1e-12);
    }
}

/// K as the propagators measure it averages to kT/2 at any stable step: with the stationary covariance S and the noise, K is a
/// quadratic form, taken out of the code by polarisation.
#[test]
fn kinetic_energy_at_the_o_step_is_exact_in_a_harmonic_well() {
    fn average<R: Rule>(p: &Unadjusted<R>, kt: f64) -> f64 {
        let s = take_apart(p, kt).covariance();
        let n = 2 + R::NOISES;
        let k = |z: &[f64]| p.step_one(&mut [z[0]], &mut [z[1]], 1.0 / kt, 1.0, &z[2..]);
        let unit = |i: usize, j: usize| {
            let mut z = vec![0.0; n];
            z[i] += 1.0;
            z[j] += 1.0;
            k(&z)
        };
        // K(e_i) = K(2 e_i)/4; cross terms (K(e_i + e_j) - K(e_i) - K(e_j))/2.
        let mut sum = 0.0;
        for i in 0..n {
            sum += unit(i, i) / 4.0 * if i < 2 { s[(i, i)] } else { 1.0 };
        }
        sum + (unit(0, 1) - unit(0, 0) / 4.0 - unit(1, 1) / 4.0) * s[(0, 1)]
    }
    for c in &CONDITIONS {
        for e in [average(&baoab(harmonic(&[c.k]), c), c.kt), average(&obabo(harmonic(&[c.k]), c), c.kt)] {
            assert!((e / (0.5 * c.kt) - 1.0).abs() < 1e-12, "{c:?}: {e}");
        }
        // Broken twin: velocities at the end of a BAOAB step are too cold by (1 - w^2/4).
        let s = take_apart(&baoab(harmonic(&[c.k]), c), c.kt).covariance();
        let w2 = c.dt * c.dt * c.k / c.mass;
        assert!((c.mass * s[(1, 1)] / c.kt - (1.0 - w2 / 4.0)).abs() < 1e-12 && w2 / 4.0 > 1e-3);
    }
}
