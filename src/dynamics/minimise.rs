//! Minimisation of every replica for itself.

use super::cache::{pad, sane};
use crate::batch::{Coords, Thermo};
use crate::energy::{Potential, lambdas};
use crate::real::{Lanewise, Mask, Octet, Real, Wide, dispatch};
use crate::{Error, Result};
use rayon::prelude::*;

/// Settings of [`minimise`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minimise {
    /// A replica is done when no component of its force is larger, energy / length.
    pub tolerance: f64,
    /// Steps that lower the energy, at most, per replica.
    pub max_iterations: u64,
    /// No coordinate moves farther in one step, length.
    pub max_step: f64,
}

/// What became of one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minimised {
    /// Energy at the start.
    pub energy_before: f64,
    /// Energy at the end, never above that at the start.
    pub energy_after: f64,
    /// Largest component of the force at the start.
    pub force_before: f64,
    /// Largest component of the force at the end.
    pub force_after: f64,
    /// Steps taken.
    pub iterations: u64,
    /// Did the force come down to the tolerance?
    pub converged: bool,
}

/// Minimises the energy of each replica by L-BFGS with a backtracking line search.
///
///   d = H f, H from the last 8 pairs s = x' - x, y = f - f' (two-loop recursion, H_0 = s.y / y.y);
///   x' = x + t d with the first t of 1, then by parabola, that gives U' <= U - 1e-4 t f.d, or U' <= U and a smaller max|f|
///
/// A step longer than `max_step` in any coordinate is shortened. When no t is good enough the memory is cleared once, then
/// the replica stops without having converged. A replica with an energy or force that is not finite stays where it is.
/// Replicas share nothing but vector registers: what one does is the same, to the bit, in any batch.
///
/// Shapes: `x` is `[replica, dof]`; the answer has one entry per replica.
///
/// # Errors
/// `Error::Shape` when `x` or `thermo` do not fit; `Error::Input` for a tolerance or step that is not positive.
/// Source: Nocedal, Math. Comput. 35, 773 (1980); Nocedal and Wright, Numerical Optimization (2006), algorithm 7.4.
pub fn minimise(x: &mut Coords, thermo: &[Thermo], potential: &dyn Potential, settings: &Minimise) -> Result<Vec<Minimised>> {
    let dof = potential.dof();
    if x.dof() != dof || dof == 0 {
        return Err(Error::Shape { what: "degrees of freedom", expected: dof.max(1), found: x.dof() });
    }
    if thermo.len() != x.replicas() {
        return Err(Error::Shape { what: "thermodynamic states", expected: x.replicas(), found: thermo.len() });
    }
    for (name, value) in [("tolerance", settings.tolerance), ("max_step", settings.max_step)] {
        if !(value.is_finite() && value > 0.0) {
            return Err(Error::input(format!("{name} is {value}"), "it is positive and finite"));
        }
    }
    let blocks: Vec<Lanes> = x
        .octets_mut()
        .par_chunks_exact_mut(dof)
        .enumerate()
        .map(|(b, x)| dispatch(Block { potential, settings, lambda: lambdas(thermo, b), x }))
        .collect();
    pad(x);
    let mut answer = Vec::with_capacity(x.replicas());
    for r in 0..x.replicas() {
        let (b, lane) = (&blocks[r / 8], r % 8);
        answer.push(Minimised {
            energy_before: b.u0.0[lane],
            energy_after: b.u1.0[lane],
            force_before: b.f0.0[lane],
            force_after: b.f1.0[lane],
            iterations: b.iterations.0[lane] as u64,
            converged: b.f1.0[lane] <= settings.tolerance && b.u1.0[lane].is_finite(),
        });
    }
    Ok(answer)
}

struct Lanes {
    u0: Octet,
    u1: Octet,
    f0: Octet,
    f1: Octet,
    iterations: Octet,
}

struct Block<'a> {
    potential: &'a dyn Potential,
    settings: &'a Minimise,
    lambda: Octet,
    x: &'a mut [Octet],
}

const MEMORY: usize = 8;
const ARMIJO: f64 = 1e-4;
const SHORTEST: f64 = 1e-12;

/// The pairs (s, y) of 8 replicas, newest first, with 1 / s.y, which is 0 where there is none.
struct Pairs<L> {
    s: Vec<L>,
    y: Vec<L>,
    rho: [L; MEMORY],
    /// H_0.
    scale: L,
}

#[inline(always)]
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let b = &b[..a.len()];
    let mut sum = T::of(0.0);
    for d in 0..a.len() {
        sum = a[d].mul_add(b[d], sum);
    }
    sum
}

#[inline(always)]
fn largest<T: Real>(a: &[T]) -> T {
    let mut m = T::of(0.0);
    for d in 0..a.len() {
        m = m.max(a[d].abs());
    }
    m
}

impl<L: Wide> Pairs<L> {
    #[inline(always)]
    fn new(dof: usize) -> Self {
        let zero = L::of(0.0);
        Pairs { s: vec![zero; MEMORY * dof], y: vec![zero; MEMORY * dof], rho: [zero; MEMORY], scale: zero }
    }

    /// Lanes in `which` forget everything.
    #[inline(always)]
    fn clear(&mut self, which: L::Mask) {
        for rho in &mut self.rho {
            *rho = L::select(which, L::of(0.0), *rho);
        }
        self.scale = L::select(which, L::of(0.0), self.scale);
    }

    /// Lanes in `which` learn the step from (x, f) to (x2, f2), unless the energy is not convex along it.
    #[inline(always)]
    fn learn(&mut self, which: L::Mask, x: &[L], f: &[L], x2: &[L], f2: &[L]) {
        let n = x.len();
        let (f, x2, f2) = (&f[..n], &x2[..n], &f2[..n]);
        let (mut sy, mut ss, mut yy) = (L::of(0.0), L::of(0.0), L::of(0.0));
        for d in 0..n {
            let (s, y) = (x2[d] - x[d], f[d] - f2[d]);
            sy = s.mul_add(y, sy);
            ss = s.mul_add(s, ss);
            yy = y.mul_add(y, yy);
        }
        let convex = which & (L::of(1e-10) * (ss * yy).sqrt()).lt(sy);
        if !convex.any() {
            return;
        }
        let mut k = MEMORY - 1;
        while k > 0 {
            for d in 0..n {
                self.s[k * n + d] = L::select(convex, self.s[(k - 1) * n + d], self.s[k * n + d]);
                self.y[k * n + d] = L::select(convex, self.y[(k - 1) * n + d], self.y[k * n + d]);
            }
            self.rho[k] = L::select(convex, self.rho[k - 1], self.rho[k]);
            k -= 1;
        }
        for d in 0..n {
            self.s[d] = L::select(convex, x2[d] - x[d], self.s[d]);
            self.y[d] = L::select(convex, f[d] - f2[d], self.y[d]);
        }
        self.rho[0] = L::select(convex, L::of(1.0) / sy, self.rho[0]);
        self.scale = L::select(convex, sy / yy, self.scale);
    }

    /// d = H f; without any pair, down the force by a tenth of the longest step.
    #[inline(always)]
    fn direction(&self, f: &[L], max_step: L, d: &mut [L]) {
        let n = f.len();
        let zero = L::of(0.0);
        let mut alpha = [zero; MEMORY];
        d.copy_from_slice(f);
        for k in 0..MEMORY {
            alpha[k] = self.rho[k] * dot(&self.s[k * n..(k + 1) * n], d);
            let y = &self.y[k * n..(k + 1) * n];
            for i in 0..n {
                d[i] -= alpha[k] * y[i];
            }
        }
        let first = L::of(0.1) * max_step / largest(f).max(L::of(f64::MIN_POSITIVE));
        let scale = L::select(zero.lt(self.scale), self.scale, first);
        for i in 0..n {
            d[i] *= scale;
        }
        let mut k = MEMORY;
        while k > 0 {
            k -= 1;
            let b = alpha[k] - self.rho[k] * dot(&self.y[k * n..(k + 1) * n], d);
            let s = &self.s[k * n..(k + 1) * n];
            for i in 0..n {
                d[i] = b.mul_add(s[i], d[i]);
            }
        }
        let shorter = (max_step / largest(d).max(L::of(f64::MIN_POSITIVE))).min(L::of(1.0));
        for i in 0..n {
            d[i] *= shorter;
        }
    }
}

impl Lanewise for Block<'_> {
    type Out = Lanes;

    #[inline(always)]
    fn run<L: Wide>(self) -> Lanes {
        let Block { potential, settings, lambda, x } = self;
        let n = x.len();
        let (zero, one) = (L::of(0.0), L::of(1.0));
        let (max_step, tolerance) = (L::of(settings.max_step), L::of(settings.tolerance));
        let most = L::of(settings.max_iterations.min(1 << 52) as f64);
        let mut memory = [vec![Octet::of(0.0); n], vec![Octet::of(0.0); n], vec![Octet::of(0.0); n], vec![Octet::of(0.0); n]];
        let [f, d, x2, f2] = &mut memory;
        let mut pairs = Pairs::<L>::new(n);
        let mut u = L::load(potential.eval_block(x, lambda, f, None));
        let mut force = largest(L::of_octets(f));
        let (u0, force0) = (u, force);
        // NaN never exceeds the largest component found so far, so a force with NaN in it is told apart by `sane`.
        let mut active = sane(L::of_octets(x), L::of_octets(f), u) & tolerance.lt(force) & zero.lt(most);
        let (mut t, mut iterations) = (one, zero);
        pairs.direction(L::of_octets(f), max_step, L::of_octets_mut(d));
        while active.any() {
            t = L::select(active, t, zero);
            {
                let (x, d, x2) = (L::of_octets(x), L::of_octets(d), L::of_octets_mut(x2));
                for i in 0..n {
                    x2[i] = L::select(active, d[i].mul_add(t, x[i]), x[i]);
                }
            }
            let u2 = L::load(potential.eval_block(x2, lambda, f2, None));
            let (lx, lf, ld) = (L::of_octets_mut(x), L::of_octets_mut(f), L::of_octets_mut(d));
            let (lx2, lf2) = (L::of_octets(x2), L::of_octets(f2));
            let slope = -dot(lf, ld);
            let force2 = largest(lf2);
            let possible = active & sane(lx2, lf2, u2);
            let lower = u2.le((L::of(ARMIJO) * t).mul_add(slope, u)) & slope.lt(zero);
            let good = possible & u2.le(u) & (lower | force2.lt(force));
            // Shorter: the minimum of the parabola through U, its slope and U', within a tenth and a half of t.
            let rise = u2 - u - slope * t;
            let best = L::select(zero.lt(rise) & possible, -(slope * t * t) / (L::of(2.0) * rise), zero);
            let shorter = best.max(L::of(0.1) * t).min(L::of(0.5) * t);
            let hopeless = active & !good & shorter.lt(L::of(SHORTEST));
            let fresh = !zero.lt(pairs.scale);
            active = active & !(hopeless & fresh);
            pairs.clear(hopeless);
            pairs.learn(good, lx, lf, lx2, lf2);
            for i in 0..n {
                lx[i] = L::select(good, lx2[i], lx[i]);
                lf[i] = L::select(good, lf2[i], lf[i]);
            }
            u = L::select(good, u2, u);
            force = L::select(good, force2, force);
            iterations += L::select(good, one, zero);
            active = active & tolerance.lt(force) & iterations.lt(most);
            let turn = good | hopeless;
            t = L::select(turn, one, shorter);
            if turn.any() {
                let new = L::of_octets_mut(x2);
                pairs.direction(lf, max_step, new);
                for i in 0..n {
                    ld[i] = L::select(turn, new[i], ld[i]);
                }
            }
        }
        Lanes { u0: u0.store(), u1: u.store(), f0: force0.store(), f1: force.store(), iterations: iterations.store() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::FARTHEST;
    use crate::energy::{Batched, Energy};

    /// Rosenbrock's valley, minimum 0 at (1, 1), in pairs.
    struct Rosenbrock;
    impl Energy for Rosenbrock {
        fn dof(&self) -> usize {
            2
        }
        #[inline(always)]
        fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
            let (a, b) = (T::of(1.0) - x[0], x[1] - x[0] * x[0]);
            f[0] = T::of(2.0) * a + T::of(400.0) * x[0] * b;
            f[1] = T::of(-200.0) * b;
            a * a + T::of(100.0) * b * b
        }
    }

    fn starts() -> Coords {
        let mut rows = Vec::new();
        for r in 0..19 {
            rows.push(-1.2 + 0.13 * f64::from(r));
            rows.push(1.0 - 0.2 * f64::from(r));
        }
        Coords::from_rows(&rows, 2).unwrap()
    }

    const SETTINGS: Minimise = Minimise { tolerance: 1e-8, max_iterations: 500, max_step: 0.5 };

    #[test]
    fn finds_the_bottom_of_the_valley() {
        let mut x = starts();
        let report = minimise(&mut x, &[Thermo::at(1.0); 19], &Batched(Rosenbrock), &SETTINGS).unwrap();
        for (r, m) in report.iter().enumerate() {
            assert!(m.converged && m.energy_after <= m.energy_before && m.force_after <= 1e-8, "{r}: {m:?}");
            assert!((x.get(r, 0) - 1.0).abs() < 1e-6 && (x.get(r, 1) - 1.0).abs() < 1e-6);
            assert!(m.iterations < 100, "{m:?}");
        }
    }

    #[test]
    fn a_replica_does_not_notice_its_neighbours() {
        let mut all = starts();
        let report = minimise(&mut all, &[Thermo::at(1.0); 19], &Batched(Rosenbrock), &SETTINGS).unwrap();
        for r in [0, 7, 8, 18] {
            let old = starts();
            let mut one = Coords::from_rows(&[old.get(r, 0), old.get(r, 1)], 2).unwrap();
            let alone = minimise(&mut one, &[Thermo::at(1.0)], &Batched(Rosenbrock), &SETTINGS).unwrap();
            assert_eq!(alone[0], report[r]);
            assert_eq!(one.get(0, 0).to_bits(), all.get(r, 0).to_bits());
        }
    }

    #[test]
    fn a_hopeless_start_stays_and_few_iterations_say_so() {
        let mut x = Coords::from_rows(&[f64::NAN, 0.0, -1.2, 1.0, 2.0 * FARTHEST, 0.0], 2).unwrap();
        let few = Minimise { max_iterations: 3, ..SETTINGS };
        let report = minimise(&mut x, &[Thermo::at(1.0); 3], &Batched(Rosenbrock), &few).unwrap();
        assert!(!report[0].converged && report[0].iterations == 0 && x.get(0, 0).is_nan());
        assert!(!report[1].converged && report[1].iterations == 3 && report[1].energy_after < report[1].energy_before);
        assert!(!report[2].converged && x.get(2, 0).to_bits() == (2.0 * FARTHEST).to_bits());
        assert!(minimise(&mut x, &[Thermo::at(1.0)], &Batched(Rosenbrock), &few).is_err());
        let none = Minimise { tolerance: 0.0, ..SETTINGS };
        assert!(minimise(&mut x, &[Thermo::at(1.0); 3], &Batched(Rosenbrock), &none).is_err());
    }
}
