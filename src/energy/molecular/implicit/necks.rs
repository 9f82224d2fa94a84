//! The space between two atoms that is too narrow for water.

use super::super::Neck;
use crate::real::Real;

/// Adds to I_i, for every j with r < R_i + R_j + cut:
///
///   scale m_ij / (1 + 100 (r - d_ij)^2 + 3e5 (r - d_ij)^6)
///
/// Source: Mongan et al., J. Chem. Theory Comput. 3, 156 (2007), in nm.
#[derive(Clone, Debug)]
pub(super) struct Necks {
    atoms: usize,
    /// Of i and j: `[i * atoms + j]`.
    pairs: Vec<Pair>,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    /// d_ij, nm.
    distance: f64,
    /// scale m_ij, 1/nm.
    size: f64,
    /// R_i + R_j + cut, nm.
    reach: f64,
}

impl Necks {
    pub(super) fn new(neck: &Neck, radii: &[f64]) -> Self {
        let atoms = radii.len();
        let mut pairs = Vec::with_capacity(atoms * atoms);
        for i in 0..atoms {
            for j in 0..atoms {
                let at = neck.index[i] * neck.size + neck.index[j];
                pairs.push(Pair { distance: neck.d0[at], size: neck.scale * neck.m0[at], reach: radii[i] + radii[j] + neck.cut });
            }
        }
        Necks { atoms, pairs }
    }

    /// What j adds to I_i and what i adds to I_j, each with its derivative by r.
    #[inline(always)]
    pub(super) fn pair<T: Real>(&self, r: T, i: usize, j: usize) -> [(T, T); 2] {
        [self.one(r, i, j), self.one(r, j, i)]
    }

    #[inline(always)]
    fn one<T: Real>(&self, r: T, i: usize, j: usize) -> (T, T) {
        let (zero, one) = (T::of(0.0), T::of(1.0));
        let pair = &self.pairs[i * self.atoms + j];
        let z = r - T::of(pair.distance);
        let (z2, near) = (z * z, r.lt(T::of(pair.reach)));
        let z4 = z2 * z2;
        let inverse = z2.mul_add(z4.mul_add(T::of(3e5), T::of(100.0)), one).recip();
        let value = T::of(pair.size) * inverse;
        let slope = -(value * inverse) * (z * z4.mul_add(T::of(18e5), T::of(200.0)));
        (T::select(near, value, zero), T::select(near, slope, zero))
    }
}
