//! Neal's funnel.

use super::Energy;
use super::formula::{Built, Formula, Kind, Parameter, Parameters};
use crate::Result;
use crate::real::Real;

/// x_0 ~ N(0, sigma^2), x_i ~ N(0, exp(x_0)) for i > 0:
///
///   U = x_0^2 / (2 sigma^2) + ln(2 pi sigma^2) / 2 + sum_{i>0} [x_i^2 exp(-x_0) + x_0 + ln(2 pi)] / 2
///
/// Normalised: log Z = 0 at beta = 1. Source: R. M. Neal, "Slice sampling", Ann. Statist. 31, 705 (2003).
#[derive(Clone, Debug)]
pub struct Funnel {
    dimension: usize,
    per_variance: f64,
    constant: f64,
}

impl Funnel {
    /// `dimension` coordinates, x_0 of standard deviation `sigma` included.
    pub fn new(dimension: usize, sigma: f64) -> Self {
        Funnel { dimension, per_variance: 1.0 / (sigma * sigma), constant: 0.5 * LN_2PI * dimension as f64 + Real::ln(sigma) }
    }
}

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "funnel",
    equation: "x_0 ~ N(0, sigma^2), x_i ~ N(0, exp(x_0)); U = -ln p, normalised",
    paper: "Neal, Ann. Statist. 31, 705 (2003)",
    parameters: &[
        Parameter::number("dimension", Kind::Count, 10.0, "number of dimensions, 2 or more"),
        Parameter::number("sigma", Kind::Positive, 3.0, "standard deviation of x_0"),
    ],
    build,
};

fn build(p: &Parameters) -> Result<Built> {
    let (dimension, sigma) = (p.count("dimension")?, p.number("sigma")?);
    if dimension < 2 {
        return Err(p.unfit("dimension", "is 1: there is no funnel"));
    }
    Ok(Built::of(Funnel::new(dimension, sigma), 1, dimension))
}

const LN_2PI: f64 = 1.8378770664093453;

impl Energy for Funnel {
    fn dof(&self) -> usize {
        self.dimension
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let (half, others) = (T::of(0.5), (self.dimension - 1) as f64);
        let precision = (-x[0]).exp();
        let mut squares = T::of(0.0);
        for i in 1..self.dimension {
            squares = x[i].mul_add(x[i], squares);
            f[i] = -(precision * x[i]);
        }
        let per_variance = T::of(self.per_variance);
        let scaled = precision * squares;
        f[0] = half.mul_add(scaled, (-per_variance).mul_add(x[0], T::of(-0.5 * others)));
        (half * per_variance * x[0]).mul_add(x[0], half.mul_add(scaled, T::of(0.5 * others).mul_add(x[0], T::of(self.constant))))
    }
}
