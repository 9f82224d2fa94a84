//! Periodic torsions.

use super::Torsion;
use super::vector::Vector;
use crate::real::Real;

/// `PeriodicTorsionForce`: E = sum k (1 + cos(n phi - delta)).
///
/// Items on the same four atoms share one phi:  E = K + sum_n [A_n cos(n phi) + B_n sin(n phi)]  with  K = sum k,
/// A_n = sum k cos(delta), B_n = sum k sin(delta). No angle is computed: cos(n phi) = T_n(c) and sin(n phi) = s U_(n-1)(c)
/// from c = cos(phi), s = sin(phi) by the Chebyshev recurrence.
/// Where three of the atoms lie on a line, phi does not exist; the energy there is that of c = s = 0 and the force is 0.
#[derive(Clone, Debug)]
pub(super) struct Torsions {
    groups: Vec<Group>,
    /// Of all groups, one after the other, n = 1, 2, ...
    harmonics: Vec<Harmonic>,
}

#[derive(Clone, Debug)]
struct Group {
    atoms: [usize; 4],
    /// K, kJ/mol.
    constant: f64,
    /// Range of `harmonics`.
    first: usize,
    count: usize,
    /// Some B_n is not 0.
    skew: bool,
}

#[derive(Clone, Copy, Debug)]
struct Harmonic {
    a: f64,
    b: f64,
    n: f64,
}

/// The same phi: a torsion read backwards is itself.
fn oriented(t: [usize; 4]) -> [usize; 4] {
    let [i, j, k, l] = t;
    if (k, l) < (j, i) { [l, k, j, i] } else { t }
}

impl Torsions {
    pub(super) fn new(items: &[Torsion]) -> Self {
        let mut sorted: Vec<(usize, Torsion)> = Vec::with_capacity(items.len());
        for (place, t) in items.iter().enumerate().filter(|(_, t)| t.k != 0.0) {
            sorted.push((place, Torsion { atoms: oriented(t.atoms), ..*t }));
        }
        sorted.sort_by_key(|(place, t)| (t.atoms, *place));
        let mut torsions = Torsions { groups: Vec::new(), harmonics: Vec::new() };
        for same in sorted.chunk_by(|a, b| a.1.atoms == b.1.atoms) {
            torsions.push(same);
        }
        torsions
    }

    fn push(&mut self, same: &[(usize, Torsion)]) {
        let count = same.iter().map(|(_, t)| t.periodicity as usize).max().unwrap_or(0);
        let mut harmonics: Vec<Harmonic> = (1..=count).map(|n| Harmonic { a: 0.0, b: 0.0, n: n as f64 }).collect();
        let mut constant = 0.0;
        for (_, t) in same {
            let (sin, cos) = Real::sin_cos(t.phase);
            let h = &mut harmonics[t.periodicity as usize - 1];
            constant += t.k;
            h.a += t.k * cos;
            // The sine of pi as written in 64 bits, 1.2e-16, is a rounding error.
            h.b += if sin.abs() < 4e-16 { 0.0 } else { t.k * sin };
        }
        let skew = harmonics.iter().any(|h| h.b != 0.0);
        self.groups.push(Group { atoms: same[0].1.atoms, constant, first: self.harmonics.len(), count, skew });
        self.harmonics.extend(harmonics);
    }

    /// With a, b, c the bonds' vectors, p = a x b, q = b x c:  cos phi = p . q / (|p| |q|),  sin phi = |b| a . q / (|p| |q|).
    /// Force by Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996).
    #[inline(always)]
    pub(super) fn energy_force<T: Real>(&self, x: &[T], f: &mut [T]) -> T {
        let (zero, one) = (T::of(0.0), T::of(1.0));
        let mut u = zero;
        for group in &self.groups {
            let [i, j, k, l] = group.atoms;
            let (xj, xk) = (Vector::of_atom(x, j), Vector::of_atom(x, k));
            let a = Vector::of_atom(x, i).minus(xj);
            let b = xk.minus(xj);
            let c = xk.minus(Vector::of_atom(x, l));
            let (p, q) = (a.cross(b), b.cross(c));
            let (p2, q2, b2) = (p.dot(p), q.dot(q), b.dot(b));
            // 1 / (|p|^2 |q|^2 |b|^2), 0 where phi does not exist: one division for three.
            let pq = p2 * q2;
            let all = pq * b2;
            let inverse = T::select(all.le(zero), zero, one / all);
            let inverse_pq = inverse * b2;
            let b_length = b2.sqrt();
            let norm = inverse_pq.sqrt();
            let cos = p.dot(q) * norm;
            let sin = a.dot(q) * (norm * b_length);

            let (e, slope) = self.series(group, cos, sin);
            u += e;
            let turn = slope * b_length;
            let on_i = p.times(-(turn * (inverse_pq * q2)));
            let on_l = q.times(turn * (inverse_pq * p2));
            let inverse_b2 = inverse * pq;
            let shift = on_i.times(a.dot(b) * inverse_b2).minus(on_l.times(c.dot(b) * inverse_b2));
            on_i.add_to_atom(f, i);
            on_i.minus(shift).take_from_atom(f, j);
            on_l.plus(shift).take_from_atom(f, k);
            on_l.add_to_atom(f, l);
        }
        u
    }

    /// The energy of a group and its derivative by phi.
    #[inline(always)]
    fn series<T: Real>(&self, group: &Group, cos: T, sin: T) -> (T, T) {
        let two_cos = cos + cos;
        let (mut t_before, mut t) = (T::of(1.0), cos);
        let (mut u_before, mut u) = (T::of(0.0), T::of(1.0));
        let mut even = T::of(group.constant);
        let mut even_slope = T::of(0.0);
        let harmonics = &self.harmonics[group.first..group.first + group.count];
        if !group.skew {
            for h in harmonics {
                even = t.mul_add(T::of(h.a), even);
                even_slope = u.mul_add(T::of(h.n * h.a), even_slope);
                (t_before, t) = (t, two_cos.mul_add(t, -t_before));
                (u_before, u) = (u, two_cos.mul_add(u, -u_before));
            }
            return (even, -(sin * even_slope));
        }
        let (mut odd, mut odd_slope) = (T::of(0.0), T::of(0.0));
        for h in harmonics {
            even = t.mul_add(T::of(h.a), even);
            even_slope = u.mul_add(T::of(h.n * h.a), even_slope);
            odd = u.mul_add(T::of(h.b), odd);
            odd_slope = t.mul_add(T::of(h.n * h.b), odd_slope);
            (t_before, t) = (t, two_cos.mul_add(t, -t_before));
            (u_before, u) = (u, two_cos.mul_add(u, -u_before));
        }
        (sin.mul_add(odd, even), odd_slope - sin * even_slope)
    }
}
