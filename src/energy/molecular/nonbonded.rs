//! Lennard-Jones and Coulomb.

use super::vector::Vector;
use super::{Method, Nonbonded, OPENMM_COULOMB, Rows};
use crate::real::{Mask, Real};

/// `NonbondedForce` without images, with C = 138.935457644 kJ nm/(mol e^2):
///
///   E = sum_(i<j) a/r^12 - b/r^6 + c/r,   a = 4 eps sigma^12, b = 4 eps sigma^6, c = C q_i q_j
///
/// sigma = (sigma_i + sigma_j)/2, eps = sqrt(eps_i eps_j). With a cutoff r_c the Lennard-Jones part is truncated and
/// c/r becomes a reaction field, c (1/r + k_rf r^2 - c_rf). Exceptions have their own a, b, c, no cutoff and no field.
/// Source: OpenMM user guide, "NonbondedForce"; k_rf and c_rf after Tironi et al., J. Chem. Phys. 102, 5451 (1995).
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    /// Pairs without a cutoff: the exceptions and, if there is no cutoff, all others.
    free: Rows<Pair>,
    /// Pairs with a cutoff.
    cut: Rows<Pair>,
    /// r_c^2, nm^2.
    cutoff2: f64,
    /// nm^-3.
    k_rf: f64,
    /// nm^-1.
    c_rf: f64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) j: usize,
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) c: f64,
}

/// A pair that acts, and whether the cutoff is for it.
pub(super) struct Listed {
    pub(super) i: usize,
    pub(super) pair: Pair,
    pub(super) cut: bool,
}

impl Pair {
    fn new(j: usize, sigma: f64, epsilon: f64, charge_product: f64) -> Self {
        let s2 = sigma * sigma;
        let s6 = s2 * s2 * s2;
        let b = 4.0 * epsilon * s6;
        Pair { j, a: b * s6, b, c: OPENMM_COULOMB * charge_product }
    }

    fn acts(&self) -> bool {
        self.a != 0.0 || self.b != 0.0 || self.c != 0.0
    }
}

/// All pairs that act, by i and j.
pub(super) fn listed(force: &Nonbonded) -> Vec<Listed> {
    let n = force.charges.len();
    let mut exceptions = Vec::with_capacity(force.exceptions.len());
    for e in &force.exceptions {
        let (i, j) = (e.atoms[0].min(e.atoms[1]), e.atoms[0].max(e.atoms[1]));
        exceptions.push((i, Pair::new(j, e.sigma, e.epsilon, e.charge_product)));
    }
    exceptions.sort_by_key(|(i, pair)| (*i, pair.j));
    let mut exceptions = exceptions.into_iter().peekable();
    let mut all = Vec::new();
    for i in 0..n {
        for j in i + 1..n {
            let own = exceptions.next_if(|(k, pair)| (*k, pair.j) == (i, j));
            let sigma = 0.5 * (force.sigma[i] + force.sigma[j]);
            let epsilon = (force.epsilon[i] * force.epsilon[j]).sqrt();
            let general = Pair::new(j, sigma, epsilon, force.charges[i] * force.charges[j]);
            let (cut, pair) = match (own, force.method) {
                (Some((_, exception)), _) => (false, exception),
                (None, Method::NoCutoff) => (false, general),
                (None, Method::CutoffNonPeriodic) => (true, general),
            };
            if pair.acts() {
                all.push(Listed { i, pair, cut });
            }
        }
    }
    all
}

impl Pairs {
    pub(super) fn new(force: &Nonbonded) -> Self {
        Self::of(force, listed(force))
    }

    /// Some of the pairs of a force.
    pub(super) fn of(force: &Nonbonded, some: Vec<Listed>) -> Self {
        let (mut free, mut cut) = (Vec::new(), Vec::new());
        for l in some {
            let list = if l.cut { &mut cut } else { &mut free };
            list.push((l.i, l.pair));
        }
        let (k_rf, c_rf) = force.reaction_field();
        Pairs { free: Rows::new(free), cut: Rows::new(cut), cutoff2: force.cutoff * force.cutoff, k_rf, c_rf }
    }

    #[inline(always)]
    pub(super) fn energy_force<T: Real>(&self, x: &[T], f: &mut [T]) -> T {
        let one = T::of(1.0);
        self.free::<T, false>(x, f, one) + self.within_cutoff::<T, false>(x, f, one)
    }

    /// The same with all c times `charges`.
    #[inline(always)]
    pub(super) fn charged<T: Real>(&self, x: &[T], f: &mut [T], charges: T) -> T {
        self.free::<T, true>(x, f, charges) + self.within_cutoff::<T, true>(x, f, charges)
    }

    #[inline(always)]
    fn free<T: Real, const CHARGED: bool>(&self, x: &[T], f: &mut [T], charges: T) -> T {
        let mut u = T::of(0.0);
        for k in 0..self.free.len() {
            let (i, row) = self.free.row(k);
            let xi = Vector::of_atom(x, i);
            let mut fi = Vector::zero();
            for pair in row {
                let d = xi.minus(Vector::of_atom(x, pair.j));
                let inverse_r2 = d.dot(d).recip();
                let inverse_r6 = inverse_r2 * inverse_r2 * inverse_r2;
                let c = if CHARGED { T::of(pair.c) * charges } else { T::of(pair.c) };
                let coulomb = c * inverse_r2.sqrt();
                let repulsion = T::of(pair.a) * inverse_r6;
                let lennard_jones = inverse_r6 * (repulsion - T::of(pair.b));
                u += lennard_jones + coulomb;
                // -(dE/dr) / r = (12 a/r^12 - 6 b/r^6 + c/r) / r^2
                let s = T::of(6.0).mul_add(inverse_r6.mul_add(repulsion, lennard_jones), coulomb) * inverse_r2;
                let force = d.times(s);
                fi = fi.plus(force);
                force.take_from_atom(f, pair.j);
            }
            fi.add_to_atom(f, i);
        }
        u
    }

    #[inline(always)]
    fn within_cutoff<T: Real, const CHARGED: bool>(&self, x: &[T], f: &mut [T], charges: T) -> T {
        let (zero, cutoff2) = (T::of(0.0), T::of(self.cutoff2));
        let (k_rf, c_rf) = (T::of(self.k_rf), T::of(self.c_rf));
        let mut u = zero;
        for k in 0..self.cut.len() {
            let (i, row) = self.cut.row(k);
            let xi = Vector::of_atom(x, i);
            let mut fi = Vector::zero();
            for pair in row {
                let d = xi.minus(Vector::of_atom(x, pair.j));
                let r2 = d.dot(d);
                // Not "r2 <= cutoff2": a coordinate that is not a number must show.
                let near = !cutoff2.lt(r2);
                if !near.any() {
                    continue;
                }
                let c = if CHARGED { T::of(pair.c) * charges } else { T::of(pair.c) };
                let inverse_r2 = r2.recip();
                let inverse_r6 = inverse_r2 * inverse_r2 * inverse_r2;
                let inverse_r = inverse_r2.sqrt();
                let repulsion = T::of(pair.a) * inverse_r6;
                let lennard_jones = inverse_r6 * (repulsion - T::of(pair.b));
                let field = k_rf * r2;
                let e = c.mul_add(inverse_r + (field - c_rf), lennard_jones);
                u += T::select(near, e, zero);
                let coulomb = c * (inverse_r - (field + field));
                let s = T::of(6.0).mul_add(inverse_r6.mul_add(repulsion, lennard_jones), coulomb) * inverse_r2;
                let force = d.times(s).only(near);
                fi = fi.plus(force);
                force.take_from_atom(f, pair.j);
            }
            fi.add_to_atom(f, i);
        }
        u
    }
}
