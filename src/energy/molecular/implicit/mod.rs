//! Generalised-Born implicit solvent.
//!
//! With or_i the offset radius, sr_j the scaled radius, r the distance of i and j:
//!
//!   I_i = sum_j H(r, or_i, sr_j) + necks              `descreening`, `necks`
//!   B_i = B(I_i)                                      `born`
//!   E   = -k sum_i q_i^2 / (2 B_i) - k sum_(i<j) q_i q_j (1/f_ij - shift) + sum_i s_i / B_i^6
//!   f_ij = sqrt(r^2 + B_i B_j exp(-r^2 / (4 B_i B_j))),  k = C (1/eps_solute - 1/eps_solvent)
//!
//! s_i = surface (R_i + probe)^2 R_i^6 is the surface term of Schaefer, Bartels, Karplus, J. Mol. Biol. 284, 835 (1998).
//! The force has three parts: E by r at fixed B, and E by B by I by r for both atoms of a pair. So the pairs are walked
//! three times: for the I (keeping the derivatives of H), for f, and for the forces.
//! All pairs count, bonded or not; with a cutoff, those within it.
//! Sources: the references of [`ImplicitKind`](super::ImplicitKind); Still et al., J. Am. Chem. Soc. 112, 6127 (1990).

mod born;
mod descreening;
mod necks;

use self::born::Born;
use self::descreening::descreening;
use self::necks::Necks;
use super::vector::Vector;
use super::{Implicit, Method};
use crate::real::{Mask, Real};

/// `GBSAOBCForce`, or `CustomGBForce` with the formulas of HCT, OBC1, OBC2, GBn or GBn2.
#[derive(Clone, Debug)]
pub(super) struct Solvent {
    atoms: Vec<Atom>,
    necks: Option<Necks>,
    /// Whether an atom wholly inside its neighbour has the term 2 (1/or - 1/L) in H.
    engulfed: bool,
    /// k, kJ nm / (mol e^2).
    coulomb: f64,
    /// nm^-1.
    shift: f64,
    /// r_c^2, nm^2; infinite without a cutoff.
    cutoff2: f64,
}

#[derive(Clone, Debug)]
struct Atom {
    charge: f64,
    /// Its charge is among those that `charged` scales.
    chosen: bool,
    /// or, nm.
    offset_radius: f64,
    /// 1 / or.
    inverse_offset_radius: f64,
    /// sr, nm.
    scaled_radius: f64,
    /// k q^2 / 2.
    self_energy: f64,
    /// s_i.
    surface: f64,
    born: Born,
}

/// What the first walk over the pairs keeps for the others.
#[derive(Clone, Copy)]
struct Kept<T> {
    /// r^2, then the force at fixed B: (dE/dr) / r.
    r2_or_slope: T,
    /// (dH(r, or_i, sr_j)/dr) / r.
    on_i: T,
    /// (dH(r, or_j, sr_i)/dr) / r.
    on_j: T,
}

/// Per atom, while an evaluation lasts.
#[derive(Clone, Copy)]
struct State<T> {
    /// I, then dE/dI.
    integral: T,
    /// B.
    radius: T,
    /// 1/B.
    inverse: T,
    /// dE/dB.
    slope: T,
}

impl Solvent {
    pub(super) fn new(force: &Implicit) -> Self {
        let coulomb = force.coulomb * (1.0 / force.solute_dielectric - 1.0 / force.solvent_dielectric);
        let mut atoms = Vec::with_capacity(force.charges.len());
        for i in 0..force.charges.len() {
            let (charge, radius, offset_radius) = (force.charges[i], force.radii[i], force.offset_radii[i]);
            let (r2, reach) = (radius * radius, radius + force.probe);
            atoms.push(Atom {
                charge,
                chosen: false,
                offset_radius,
                inverse_offset_radius: 1.0 / offset_radius,
                scaled_radius: force.scaled_radii[i],
                self_energy: 0.5 * coulomb * charge * charge,
                surface: force.surface * (reach * reach) * (r2 * r2 * r2),
                born: Born::new(force, i),
            });
        }
        let cutoff2 = match force.method {
            Method::NoCutoff => f64::INFINITY,
            Method::CutoffNonPeriodic => force.cutoff * force.cutoff,
        };
        let necks = force.neck.as_ref().map(|neck| Necks::new(neck, &force.radii));
        Solvent { atoms, necks, engulfed: force.engulfed, coulomb, shift: force.pair_shift, cutoff2 }
    }

    /// Marks the atoms whose charges [`Solvent::charged`] scales.
    pub(super) fn choosing(mut self, chosen: &[bool]) -> Self {
        for (atom, chosen) in self.atoms.iter_mut().zip(chosen) {
            atom.chosen = *chosen;
        }
        self
    }

    #[inline(always)]
    pub(super) fn energy_force<T: Real>(&self, x: &[T], f: &mut [T]) -> T {
        self.whole::<T, false>(x, f, T::of(1.0))
    }

    /// The same with the chosen charges times `charges`.
    #[inline(always)]
    pub(super) fn charged<T: Real>(&self, x: &[T], f: &mut [T], charges: T) -> T {
        self.whole::<T, true>(x, f, charges)
    }

    #[inline(always)]
    fn whole<T: Real, const CHARGED: bool>(&self, x: &[T], f: &mut [T], charges: T) -> T {
        let n = self.atoms.len();
        let zero = T::of(0.0);
        let mut states = vec![State { integral: zero, radius: zero, inverse: zero, slope: zero }; n];
        let mut kept = Vec::with_capacity(n * (n - 1) / 2);
        if self.cutoff2 < f64::INFINITY {
            self.walk::<T, true, CHARGED>(x, f, &mut states, &mut kept, charges)
        } else {
            self.walk::<T, false, CHARGED>(x, f, &mut states, &mut kept, charges)
        }
    }

    #[inline(always)]
    fn walk<T: Real, const CUT: bool, const CHARGED: bool>(
        &self,
        x: &[T],
        f: &mut [T],
        states: &mut [State<T>],
        kept: &mut Vec<Kept<T>>,
        charges: T,
    ) -> T {
        self.integrals::<T, CUT>(x, states, kept);
        let mut u = T::of(0.0);
        for (atom, state) in self.atoms.iter().zip(states.iter_mut()) {
            state.inverse = atom.born.inverse(state.integral);
            state.radius = state.inverse.recip();
            let (y, y2) = (state.inverse, state.inverse * state.inverse);
            let mut self_energy = T::of(atom.self_energy);
            if CHARGED && atom.chosen {
                self_energy *= charges * charges;
            }
            let (single, surface) = (self_energy * y, T::of(atom.surface) * (y2 * y2 * y2));
            u += surface - single;
            state.slope = T::of(-6.0).mul_add(surface, single) * y;
        }
        u += self.pairs::<T, CUT, CHARGED>(states, kept, charges);
        for (atom, state) in self.atoms.iter().zip(states.iter_mut()) {
            let slope = atom.born.slope(state.integral, state.inverse, state.radius);
            state.integral = state.slope * slope;
        }
        self.forces::<T, CUT>(x, f, states, kept);
        u
    }

    /// First walk: I, and the derivatives of its parts.
    #[inline(always)]
    fn integrals<T: Real, const CUT: bool>(&self, x: &[T], states: &mut [State<T>], kept: &mut Vec<Kept<T>>) {
        let (zero, cutoff2) = (T::of(0.0), T::of(self.cutoff2));
        for i in 0..self.atoms.len() {
            let xi = Vector::of_atom(x, i);
            let a = &self.atoms[i];
            let (or_i, inverse_or_i, sr_i) = (T::of(a.offset_radius), T::of(a.inverse_offset_radius), T::of(a.scaled_radius));
            let mut integral_i = states[i].integral;
            for j in i + 1..self.atoms.len() {
                let d = xi.minus(Vector::of_atom(x, j));
                let r2 = d.dot(d);
                let near = !cutoff2.lt(r2);
                if CUT && !near.any() {
                    kept.push(Kept { r2_or_slope: r2, on_i: zero, on_j: zero });
                    continue;
                }
                let b = &self.atoms[j];
                let (or_j, inverse_or_j, sr_j) = (T::of(b.offset_radius), T::of(b.inverse_offset_radius), T::of(b.scaled_radius));
                let inverse_r2 = r2.recip();
                let inverse_r = inverse_r2.sqrt();
                let r = r2 * inverse_r;
                let (mut h_i, mut slope_i) = descreening(r, inverse_r, or_i, inverse_or_i, sr_j, self.engulfed);
                let (mut h_j, mut slope_j) = descreening(r, inverse_r, or_j, inverse_or_j, sr_i, self.engulfed);
                if let Some(necks) = &self.necks {
                    let [(neck_i, bend_i), (neck_j, bend_j)] = necks.pair(r, i, j);
                    (h_i, slope_i) = (h_i + neck_i, slope_i + bend_i);
                    (h_j, slope_j) = (h_j + neck_j, slope_j + bend_j);
                }
                (slope_i, slope_j) = (slope_i * inverse_r, slope_j * inverse_r);
                if CUT {
                    (h_i, slope_i) = (T::select(near, h_i, zero), T::select(near, slope_i, zero));
                    (h_j, slope_j) = (T::select(near, h_j, zero), T::select(near, slope_j, zero));
                }
                integral_i += h_i;
                states[j].integral += h_j;
                kept.push(Kept { r2_or_slope: r2, on_i: slope_i, on_j: slope_j });
            }
            states[i].integral = integral_i;
        }
    }

    /// Second walk: the pair energy, its derivatives by both B and, in place of r^2, by r.
    #[inline(always)]
    fn pairs<T: Real, const CUT: bool, const CHARGED: bool>(&self, states: &mut [State<T>], kept: &mut [Kept<T>], charges: T) -> T {
        let (zero, one, quarter) = (T::of(0.0), T::of(1.0), T::of(0.25));
        let (cutoff2, shift) = (T::of(self.cutoff2), T::of(self.shift));
        let mut u = zero;
        let mut at = 0;
        for i in 0..self.atoms.len() {
            let mut k_q_i = T::of(self.coulomb * self.atoms[i].charge);
            if CHARGED && self.atoms[i].chosen {
                k_q_i *= charges;
            }
            let (radius_i, inverse_i) = (states[i].radius, states[i].inverse);
            let mut slope_i = states[i].slope;
            for j in i + 1..self.atoms.len() {
                let r2 = kept[at].r2_or_slope;
                let near = !cutoff2.lt(r2);
                if CUT && !near.any() {
                    kept[at].r2_or_slope = zero;
                    at += 1;
                    continue;
                }
                let mut k_q_q = k_q_i * T::of(self.atoms[j].charge);
                if CHARGED && self.atoms[j].chosen {
                    k_q_q *= charges;
                }
                let radius_j = states[j].radius;
                // y = r^2 / (4 B_i B_j)
                let y = r2 * (inverse_i * states[j].inverse) * quarter;
                let e = (-y).exp();
                let inverse_f2 = (radius_i * radius_j).mul_add(e, r2).recip();
                let inverse_f = inverse_f2.sqrt();
                let energy = k_q_q * (inverse_f - shift);
                // dE/d(f^2); d(f^2)/d(r^2) = 1 - e/4; d(f^2)/d(B_i B_j) = e (1 + y)
                let by_f2 = (T::of(0.5) * k_q_q) * (inverse_f * inverse_f2);
                let mut by_r = by_f2 * T::of(-0.5).mul_add(e, T::of(2.0));
                let mut by_radii = by_f2 * (e * (one + y));
                if CUT {
                    u -= T::select(near, energy, zero);
                    by_r = T::select(near, by_r, zero);
                    by_radii = T::select(near, by_radii, zero);
                } else {
                    u -= energy;
                }
                slope_i = by_radii.mul_add(radius_j, slope_i);
                states[j].slope = by_radii.mul_add(radius_i, states[j].slope);
                kept[at].r2_or_slope = by_r;
                at += 1;
            }
            states[i].slope = slope_i;
        }
        u
    }

    /// Third walk: all forces lie along the pair's vector.
    #[inline(always)]
    fn forces<T: Real, const CUT: bool>(&self, x: &[T], f: &mut [T], states: &[State<T>], kept: &[Kept<T>]) {
        let cutoff2 = T::of(self.cutoff2);
        let mut at = 0;
        for i in 0..self.atoms.len() {
            let xi = Vector::of_atom(x, i);
            let mut fi = Vector::zero();
            let by_integral_i = states[i].integral;
            for j in i + 1..self.atoms.len() {
                let pair = &kept[at];
                at += 1;
                let d = xi.minus(Vector::of_atom(x, j));
                let near = !cutoff2.lt(d.dot(d));
                if CUT && !near.any() {
                    continue;
                }
                let s = by_integral_i.mul_add(pair.on_i, states[j].integral.mul_add(pair.on_j, pair.r2_or_slope));
                let force = if CUT { d.times(s).only(near) } else { d.times(s) };
                fi = fi.plus(force);
                force.add_to_atom(f, j);
            }
            fi.take_from_atom(f, i);
        }
    }
}
