//! Independent double wells, with harmonic directions beside them if wanted.

use super::Energy;
use super::formula::{Built, Formula, Kind, Parameter, Parameters};
use crate::Result;
use crate::real::Real;

/// U = sum_{i < wells} [h ((x_i / a)^2 - 1)^2 + t x_i] + (k/2) sum_{i >= wells} x_i^2.
///
/// Minima at +-a (without tilt), h above them at 0. (x^2 - delta)^2 is h = delta^2, a = sqrt(delta).
/// Source: the form of Hanggi, Talkner and Borkovec, Rev. Mod. Phys. 62, 251 (1990).
#[derive(Clone, Debug)]
pub struct DoubleWell {
    /// Number of dimensions with two wells.
    pub wells: usize,
    /// Number of harmonic dimensions after them.
    pub harmonic: usize,
    /// Height h of the barrier.
    pub barrier: f64,
    /// Place a of the minima.
    pub minimum: f64,
    /// Tilt t.
    pub tilt: f64,
    /// Spring constant k of the harmonic dimensions.
    pub k: f64,
}

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "double_well",
    equation: "U = sum_{i<wells} [barrier ((x_i/minimum)^2 - 1)^2 + tilt x_i] + (k/2) sum_{i>=wells} x_i^2",
    paper: "Hanggi, Talkner, Borkovec, Rev. Mod. Phys. 62, 251 (1990)",
    parameters: &[
        Parameter::number("wells", Kind::Count, 1.0, "number of dimensions with two wells"),
        Parameter::number("dimension", Kind::Count, 1.0, "number of dimensions, the harmonic ones included"),
        Parameter::number("barrier", Kind::Positive, 5.0, "height of the barrier between the wells"),
        Parameter::number("minimum", Kind::Positive, 1.0, "place of the minima"),
        Parameter::number("tilt", Kind::Number, 0.0, "tilt, raises the right well"),
        Parameter::number("k", Kind::Positive, 1.0, "spring constant of the harmonic dimensions"),
    ],
    build,
};

fn build(p: &Parameters) -> Result<Built> {
    let (wells, dimension) = (p.count("wells")?, p.count("dimension")?);
    if wells > dimension {
        return Err(p.unfit("wells", &format!("is {wells}, but `dimension` is {dimension}")));
    }
    let (barrier, minimum, tilt, k) = (p.number("barrier")?, p.number("minimum")?, p.number("tilt")?, p.number("k")?);
    Ok(Built::of(DoubleWell { wells, harmonic: dimension - wells, barrier, minimum, tilt, k }, 1, dimension))
}

impl Energy for DoubleWell {
    fn dof(&self) -> usize {
        self.wells + self.harmonic
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let (h, tilt) = (T::of(self.barrier), T::of(self.tilt));
        let per_a2 = T::of(1.0 / (self.minimum * self.minimum));
        let slope = T::of(-4.0 * self.barrier / (self.minimum * self.minimum));
        let mut u = T::of(0.0);
        for i in 0..self.wells {
            let w = (x[i] * x[i]).mul_add(per_a2, T::of(-1.0));
            u += (h * w).mul_add(w, tilt * x[i]);
            f[i] = (slope * w).mul_add(x[i], -tilt);
        }
        for i in self.wells..self.wells + self.harmonic {
            let kx = T::of(self.k) * x[i];
            u = (T::of(0.5) * kx).mul_add(x[i], u);
            f[i] = -kx;
        }
        u
    }
}
