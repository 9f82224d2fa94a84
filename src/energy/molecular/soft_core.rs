//! Lennard-Jones that can be switched off without a singularity.

use super::nonbonded::Listed;
use super::vector::Vector;
use super::{Nonbonded, Rows};
use crate::real::{Mask, Real};

/// alpha of the literature: 0.5 for the linear path in s.
const ALPHA: f64 = 0.5;

/// Keeps 1/r finite; without effect on distances above 1e-30 nm.
const FLOOR: f64 = 1e-60;

/// Pairs whose Lennard-Jones part depends on s, with a, b, c as in [`Pairs`](super::Pairs):
///
///   E = s [a/D^2 - b/D] + q c/r,   D = alpha (1 - s) sigma^6 + r^6,   sigma^6 = a/b
///
/// s = 1 is a/r^12 - b/r^6, s = 0 is nothing, and between them E is finite at r = 0 where q is 0.
/// A cutoff cuts both parts, and makes c/r a reaction field, as in [`Pairs`](super::Pairs).
/// Source: Beutler et al., Chem. Phys. Lett. 222, 529 (1994).
#[derive(Clone, Debug)]
pub(super) struct SoftPairs {
    /// Without a cutoff.
    free: Rows<Pair>,
    /// With a cutoff.
    cut: Rows<Pair>,
    /// r_c^2, nm^2.
    cutoff2: f64,
    k_rf: f64,
    c_rf: f64,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    j: usize,
    a: f64,
    b: f64,
    c: f64,
    /// alpha sigma^6.
    softness: f64,
}

impl SoftPairs {
    /// Of pairs with a and b above 0.
    pub(super) fn of(force: &Nonbonded, some: Vec<Listed>) -> Self {
        let (mut free, mut cut) = (Vec::new(), Vec::new());
        for l in some {
            let (a, b) = (l.pair.a, l.pair.b);
            let pair = Pair { j: l.pair.j, a, b, c: l.pair.c, softness: ALPHA * a / b };
            let list = if l.cut { &mut cut } else { &mut free };
            list.push((l.i, pair));
        }
        let (k_rf, c_rf) = force.reaction_field();
        SoftPairs { free: Rows::new(free), cut: Rows::new(cut), cutoff2: force.cutoff * force.cutoff, k_rf, c_rf }
    }

    /// At Lennard-Jones coupling s and with all c times q.
    #[inline(always)]
    pub(super) fn energy_force<T: Real>(&self, x: &[T], f: &mut [T], s: T, q: T) -> T {
        self.rows::<T, false>(&self.free, x, f, s, q) + self.rows::<T, true>(&self.cut, x, f, s, q)
    }

    #[inline(always)]
    fn rows<T: Real, const CUT: bool>(&self, rows: &Rows<Pair>, x: &[T], f: &mut [T], s: T, q: T) -> T {
        let (zero, cutoff2) = (T::of(0.0), T::of(self.cutoff2));
        let gone = T::of(1.0) - s;
        let mut u = zero;
        for k in 0..rows.len() {
            let (i, row) = rows.row(k);
            let xi = Vector::of_atom(x, i);
            let mut fi = Vector::zero();
            for pair in row {
                let d = xi.minus(Vector::of_atom(x, pair.j));
                let r2 = d.dot(d).max(T::of(FLOOR));
                let near = !cutoff2.lt(r2);
                if CUT && !near.any() {
                    continue;
                }
                let r4 = r2 * r2;
                let inverse = T::of(pair.softness).mul_add(gone, r4 * r2).recip();
                let repulsion = T::of(pair.a) * inverse;
                let well = inverse * (repulsion - T::of(pair.b));
                let c = T::of(pair.c) * q;
                let inverse_r2 = r2.recip();
                let inverse_r = inverse_r2.sqrt();
                let (mut coulomb, mut pull) = (c * inverse_r, c * inverse_r);
                if CUT {
                    let field = T::of(self.k_rf) * r2;
                    coulomb = c * (inverse_r + (field - T::of(self.c_rf)));
                    pull = c * (inverse_r - (field + field));
                }
                let e = s.mul_add(well, coulomb);
                // -(dE/dr) / r, with -d(a/D^2 - b/D)/dr = 6 r^5 (2 a/D - b) / D^2
                let push = (T::of(6.0) * s) * (r4 * inverse) * inverse.mul_add(repulsion, well);
                let force = d.times(pull.mul_add(inverse_r2, push));
                let force = if CUT { force.only(near) } else { force };
                u += if CUT { T::select(near, e, zero) } else { e };
                fi = fi.plus(force);
                force.take_from_atom(f, pair.j);
            }
            fi.add_to_atom(f, i);
        }
        u
    }
}
