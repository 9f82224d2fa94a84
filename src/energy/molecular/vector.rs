//! Vectors of three reals, and atoms in the flat arrays of coordinates and forces.

use crate::real::Real;

/// A vector in space.
#[derive(Clone, Copy)]
pub(super) struct Vector<T>(pub(super) T, pub(super) T, pub(super) T);

impl<T: Real> Vector<T> {
    #[inline(always)]
    pub(super) fn zero() -> Self {
        Vector(T::of(0.0), T::of(0.0), T::of(0.0))
    }

    /// Atom `i` of `[atom][3]`.
    #[inline(always)]
    pub(super) fn of_atom(x: &[T], i: usize) -> Self {
        let at = &x[3 * i..3 * i + 3];
        Vector(at[0], at[1], at[2])
    }

    /// Adds the vector to atom `i`.
    #[inline(always)]
    pub(super) fn add_to_atom(self, f: &mut [T], i: usize) {
        let at = &mut f[3 * i..3 * i + 3];
        at[0] += self.0;
        at[1] += self.1;
        at[2] += self.2;
    }

    /// Takes the vector from atom `i`.
    #[inline(always)]
    pub(super) fn take_from_atom(self, f: &mut [T], i: usize) {
        let at = &mut f[3 * i..3 * i + 3];
        at[0] -= self.0;
        at[1] -= self.1;
        at[2] -= self.2;
    }

    #[inline(always)]
    pub(super) fn plus(self, o: Self) -> Self {
        Vector(self.0 + o.0, self.1 + o.1, self.2 + o.2)
    }

    #[inline(always)]
    pub(super) fn minus(self, o: Self) -> Self {
        Vector(self.0 - o.0, self.1 - o.1, self.2 - o.2)
    }

    #[inline(always)]
    pub(super) fn times(self, s: T) -> Self {
        Vector(self.0 * s, self.1 * s, self.2 * s)
    }

    #[inline(always)]
    pub(super) fn dot(self, o: Self) -> T {
        self.2.mul_add(o.2, self.1.mul_add(o.1, self.0 * o.0))
    }

    #[inline(always)]
    pub(super) fn cross(self, o: Self) -> Self {
        Vector(self.1.mul_add(o.2, -(self.2 * o.1)), self.2.mul_add(o.0, -(self.0 * o.2)), self.0.mul_add(o.1, -(self.1 * o.0)))
    }

    /// The vector where `m`, zero elsewhere.
    #[inline(always)]
    pub(super) fn only(self, m: T::Mask) -> Self {
        let zero = T::of(0.0);
        Vector(T::select(m, self.0, zero), T::select(m, self.1, zero), T::select(m, self.2, zero))
    }
}

/// `numerator / d`, or 0 where `d` is 0 (a direction that does not exist).
#[inline(always)]
pub(super) fn over_or_zero<T: Real>(numerator: T, d: T) -> T {
    let zero = T::of(0.0);
    T::select(d.le(zero), zero, numerator / d)
}
