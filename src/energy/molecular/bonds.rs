//! Bonds and angles that are springs.

use super::vector::{Vector, over_or_zero};
use super::{Angle, Bond};
use crate::real::Real;

/// `HarmonicBondForce`: E = sum k/2 (r - r_0)^2.
///
/// Two atoms in one place have the energy k r_0^2 / 2 and, for want of a direction, no force.
#[derive(Clone, Debug)]
pub(super) struct Bonds(Vec<Bond>);

impl Bonds {
    pub(super) fn new(items: &[Bond]) -> Self {
        Bonds(items.iter().copied().filter(|b| b.k != 0.0).collect())
    }

    #[inline(always)]
    pub(super) fn energy_force<T: Real>(&self, x: &[T], f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for bond in &self.0 {
            let [i, j] = bond.atoms;
            let k = T::of(bond.k);
            let d = Vector::of_atom(x, i).minus(Vector::of_atom(x, j));
            let r = d.dot(d).sqrt();
            let stretch = r - T::of(bond.length);
            let pull = k * stretch;
            u = (T::of(0.5) * pull).mul_add(stretch, u);
            let force = d.times(over_or_zero(pull, r));
            force.take_from_atom(f, i);
            force.add_to_atom(f, j);
        }
        u
    }
}

/// `HarmonicAngleForce`: E = sum k/2 (theta - theta_0)^2, theta = atan2(|a x b|, a . b) between the arms a and b.
///
/// The force is finite for every configuration. Where the arms lie on a line (theta = 0 or pi) it has no direction and is 0.
#[derive(Clone, Debug)]
pub(super) struct Angles(Vec<Angle>);

impl Angles {
    pub(super) fn new(items: &[Angle]) -> Self {
        Angles(items.iter().copied().filter(|a| a.k != 0.0).collect())
    }

    /// With p = a x b: d theta/da = a x p / (|a|^2 |p|), d theta/db = -b x p / (|b|^2 |p|).
    #[inline(always)]
    pub(super) fn energy_force<T: Real>(&self, x: &[T], f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for angle in &self.0 {
            let [i, corner, k] = angle.atoms;
            let at = Vector::of_atom(x, corner);
            let a = Vector::of_atom(x, i).minus(at);
            let b = Vector::of_atom(x, k).minus(at);
            let p = a.cross(b);
            let (a2, b2, sine) = (a.dot(a), b.dot(b), p.dot(p).sqrt());
            let bend = sine.atan2(a.dot(b)) - T::of(angle.angle);
            let torque = T::of(angle.k) * bend;
            u = (T::of(0.5) * torque).mul_add(bend, u);
            // torque / (|a|^2 |b|^2 |p|): one division for both arms.
            let s = over_or_zero(torque, a2 * b2 * sine);
            let on_a = a.cross(p).times(s * b2);
            let on_b = b.cross(p).times(s * a2);
            on_a.take_from_atom(f, i);
            on_b.add_to_atom(f, k);
            on_a.minus(on_b).add_to_atom(f, corner);
        }
        u
    }
}
