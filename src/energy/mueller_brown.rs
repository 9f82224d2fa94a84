//! The Mueller-Brown surface.

use super::Energy;
use super::formula::{Built, Formula, Kind, Parameter, Parameters};
use crate::Result;
use crate::real::Real;

/// U = s sum_k A_k exp(a_k (x - X_k)^2 + b_k (x - X_k)(y - Y_k) + c_k (y - Y_k)^2).
///
/// Minimum -146.69952 s at (-0.55822, 1.44173); bgflow uses s = 0.15.
/// Source: K. Mueller and L. D. Brown, Theor. Chim. Acta 53, 75 (1979).
#[derive(Clone, Debug)]
pub struct MuellerBrown {
    /// Factor s.
    pub scale: f64,
}

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "mueller_brown",
    equation: "U = scale sum_k A_k exp(a_k (x-X_k)^2 + b_k (x-X_k)(y-Y_k) + c_k (y-Y_k)^2)",
    paper: "Mueller and Brown, Theor. Chim. Acta 53, 75 (1979)",
    parameters: &[Parameter::number("scale", Kind::Positive, 1.0, "factor of the whole surface")],
    build,
};

fn build(p: &Parameters) -> Result<Built> {
    Ok(Built::of(MuellerBrown { scale: p.number("scale")? }, 1, 2))
}

/// Rows (A, a, b, c, X, Y).
const TERMS: [[f64; 6]; 4] = [
    [-200.0, -1.0, 0.0, -10.0, 1.0, 0.0],
    [-100.0, -1.0, 0.0, -10.0, 0.0, 0.5],
    [-170.0, -6.5, 11.0, -6.5, -0.5, 1.5],
    [15.0, 0.7, 0.6, 0.7, -1.0, 1.0],
];

impl Energy for MuellerBrown {
    fn dof(&self) -> usize {
        2
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        let (mut du_dx, mut du_dy) = (T::of(0.0), T::of(0.0));
        for k in 0..TERMS.len() {
            let [big_a, a, b, c, x_k, y_k] = TERMS[k];
            let (p, q) = (x[0] - T::of(x_k), x[1] - T::of(y_k));
            let (ap_bq, cq) = (T::of(a).mul_add(p, T::of(b) * q), T::of(c) * q);
            let e = T::of(self.scale * big_a) * ap_bq.mul_add(p, cq * q).exp();
            u += e;
            du_dx = e.mul_add(T::of(2.0 * a).mul_add(p, T::of(b) * q), du_dx);
            du_dy = e.mul_add(T::of(b).mul_add(p, cq + cq), du_dy);
        }
        f[0] = -du_dx;
        f[1] = -du_dy;
        u
    }
}
