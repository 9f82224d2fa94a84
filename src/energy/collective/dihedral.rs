//! The dihedral angle of four atoms.

use super::{Variable, ascending, of_atoms};
use crate::Result;
use crate::real::Real;

/// phi = atan2(|b| a . q, p . q) in (-pi, pi], IUPAC sign, of the bonds a, b, c and p = a x b, q = b x c.
///
/// Where three of the atoms lie on a line, phi does not exist: the gradient given there is 0.
/// Gradient: Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996).
#[derive(Clone, Debug)]
pub struct Dihedral {
    dof: usize,
    atoms: [usize; 4],
    /// Where the gradient of each atom begins.
    first: [usize; 4],
    support: Vec<usize>,
}

impl Dihedral {
    /// Of four atoms of configurations `[atom][3]` with `dof` numbers.
    ///
    /// # Errors
    /// `Error::Input` when there is no such atom, or one is named twice.
    pub fn new(atoms: [usize; 4], dof: usize) -> Result<Self> {
        let (place, support) = ascending(&of_atoms(&atoms, 3, dof)?);
        Ok(Dihedral { dof, atoms, first: [place[0], place[3], place[6], place[9]], support })
    }
}

#[inline(always)]
fn bond<T: Real>(x: &[T], from: usize, to: usize) -> [T; 3] {
    [x[3 * to] - x[3 * from], x[3 * to + 1] - x[3 * from + 1], x[3 * to + 2] - x[3 * from + 2]]
}

#[inline(always)]
fn cross<T: Real>(a: [T; 3], b: [T; 3]) -> [T; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

#[inline(always)]
fn dot<T: Real>(a: [T; 3], b: [T; 3]) -> T {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

impl Variable for Dihedral {
    fn dof(&self) -> usize {
        self.dof
    }
    fn support(&self) -> &[usize] {
        &self.support
    }
    fn period(&self) -> Option<f64> {
        Some(std::f64::consts::TAU)
    }
    #[inline(always)]
    fn value_gradient<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T {
        let zero = T::of(0.0);
        let [i, j, k, l] = self.atoms;
        let (a, b, c) = (bond(x, i, j), bond(x, j, k), bond(x, k, l));
        let (p, q) = (cross(a, b), cross(b, c));
        let (p2, q2, b2) = (dot(p, p), dot(q, q), dot(b, b));
        let length = b2.sqrt();
        // d phi / d x_i = -|b| p / p^2 and d phi / d x_l = |b| q / q^2; what the inner atoms take keeps force and torque 0.
        let nowhere = (p2 * q2).le(zero);
        let on_i = T::select(nowhere, zero, -(length / p2));
        let on_l = T::select(nowhere, zero, length / q2);
        let (along_a, along_c) = (T::select(nowhere, zero, dot(a, b) / b2), T::select(nowhere, zero, dot(c, b) / b2));
        for axis in 0..3 {
            let (g_i, g_l) = (on_i * p[axis], on_l * q[axis]);
            let shift = along_c * g_l - along_a * g_i;
            gradient[self.first[0] + axis] = g_i;
            gradient[self.first[1] + axis] = shift - g_i;
            gradient[self.first[2] + axis] = -(shift + g_l);
            gradient[self.first[3] + axis] = g_l;
        }
        (length * dot(a, q)).atan2(dot(p, q))
    }
}
