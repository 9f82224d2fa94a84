//! Blocks of a tilted double well and a spring.

use super::Energy;
use super::formula::{Built, Formula, Kind, Parameter, Parameters};
use crate::Result;
use crate::real::Real;

/// U = sum over blocks (x, y) of a x + b x^2 + c x^4 + d y^2.
///
/// Shapes: x is `[block, 2]`. With a = -1/2, b = -6, c = 1, d = 1/2 the many-well of Noe et al. and of FAB.
/// Source: Midgley, Stimper, Simm, Schoelkopf and Hernandez-Lobato, "Flow annealed importance sampling bootstrap",
/// ICLR 2023 (arXiv:2208.01893); the block: Noe, Olsson, Koehler and Wu, Science 365, eaaw1147 (2019).
#[derive(Clone, Debug)]
pub struct ManyWell {
    /// Number of blocks.
    pub blocks: usize,
    /// Coefficients of x, x^2, x^4, y^2.
    pub coefficients: [f64; 4],
}

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "many_well",
    equation: "U = sum_blocks a x + b x^2 + c x^4 + d y^2",
    paper: "Midgley et al., ICLR 2023 (arXiv:2208.01893)",
    parameters: &[
        Parameter::required("blocks", Kind::Count, "number of blocks of two dimensions"),
        Parameter::number("a", Kind::Number, -0.5, "coefficient of x"),
        Parameter::number("b", Kind::Number, -6.0, "coefficient of x^2"),
        Parameter::number("c", Kind::Positive, 1.0, "coefficient of x^4"),
        Parameter::number("d", Kind::Positive, 0.5, "coefficient of y^2"),
    ],
    build,
};

fn build(p: &Parameters) -> Result<Built> {
    let blocks = p.count("blocks")?;
    let coefficients = [p.number("a")?, p.number("b")?, p.number("c")?, p.number("d")?];
    Ok(Built::of(ManyWell { blocks, coefficients }, 1, 2 * blocks))
}

impl Energy for ManyWell {
    fn dof(&self) -> usize {
        2 * self.blocks
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let [a, b, c, d] = self.coefficients;
        let (minus_a, minus_2b, minus_4c, minus_2d) = (T::of(-a), T::of(-2.0 * b), T::of(-4.0 * c), T::of(-2.0 * d));
        let (a, b, c, d) = (T::of(a), T::of(b), T::of(c), T::of(d));
        let mut u = T::of(0.0);
        for i in 0..self.blocks {
            let (p, q) = (x[2 * i], x[2 * i + 1]);
            let p2 = p * p;
            u += p2.mul_add(c.mul_add(p2, b), a * p);
            u = (d * q).mul_add(q, u);
            f[2 * i] = p.mul_add(minus_4c.mul_add(p2, minus_2b), minus_a);
            f[2 * i + 1] = minus_2d * q;
        }
        u
    }
}
