//! Independent springs.

use super::Energy;
use super::formula::{Built, Formula, Kind, Parameter, Parameters};
use crate::Result;
use crate::real::Real;

/// U = sum_i k_i (x_i - c_i)^2 / 2.
///
/// Shapes: `k`, `centre` are `[dof]`. log Z(beta) = sum_i ln(2 pi / (beta k_i)) / 2.
#[derive(Clone, Debug)]
pub struct Harmonic {
    /// Spring constants.
    pub k: Vec<f64>,
    /// Centre.
    pub centre: Vec<f64>,
}

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "harmonic",
    equation: "U = sum_i k_i (x_i - c_i)^2 / 2",
    paper: "",
    parameters: &[
        Parameter::required("k", Kind::List, "spring constants k_i, one for each coordinate, above 0"),
        Parameter::optional("centre", Kind::List, "centre c, one number for each coordinate; left out: the origin"),
    ],
    build,
};

fn build(p: &Parameters) -> Result<Built> {
    let k = p.list("k")?;
    if k.iter().any(|k| *k <= 0.0) {
        return Err(p.unfit("k", "has a spring constant that is not above 0"));
    }
    let centre = if p.has("centre") { p.list("centre")? } else { vec![0.0; k.len()] };
    if centre.len() != k.len() {
        return Err(p.unfit("centre", &format!("has {} numbers, but `k` has {}", centre.len(), k.len())));
    }
    let dof = k.len();
    Ok(Built::of(Harmonic { k, centre }, 1, dof))
}

impl Energy for Harmonic {
    fn dof(&self) -> usize {
        self.k.len()
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for i in 0..self.k.len() {
            let d = x[i] - T::of(self.centre[i]);
            let kd = T::of(self.k[i]) * d;
            f[i] = -kd;
            u = kd.mul_add(d, u);
        }
        T::of(0.5) * u
    }
}
