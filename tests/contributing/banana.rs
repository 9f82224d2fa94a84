//! A Gaussian bent into a banana.

use ergodica::Result;
use ergodica::energy::Energy;
use ergodica::energy::formula::{Built, Formula, Kind, Parameter, Parameters};
use ergodica::real::Real;

/// U = x^2 / (2 sigma^2) + (y + b (x^2 - sigma^2))^2 / 2.
///
/// At beta = 1: Z = 2 pi sigma, <y> = 0, <x^2> = sigma^2, <y^2> = 1 + 2 b^2 sigma^4.
/// Source: Haario, Saksman and Tamminen, Comput. Stat. 14, 375 (1999).
#[derive(Clone, Debug)]
pub struct Banana {
    /// Width sigma.
    pub sigma: f64,
    /// Bend b.
    pub bend: f64,
}

/// The formula by name.
pub const FORMULA: Formula = Formula {
    name: "banana",
    equation: "U = x^2 / (2 sigma^2) + (y + bend (x^2 - sigma^2))^2 / 2",
    paper: "Haario, Saksman and Tamminen, Comput. Stat. 14, 375 (1999)",
    parameters: &[
        Parameter::number("sigma", Kind::Positive, 10.0, "width along x"),
        Parameter::number("bend", Kind::Number, 0.03, "how far it is bent"),
    ],
    build,
};

fn build(p: &Parameters) -> Result<Built> {
    Ok(Built::of(Banana { sigma: p.number("sigma")?, bend: p.number("bend")? }, 1, 2))
}

impl Energy for Banana {
    fn dof(&self) -> usize {
        2
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let (stiffness, bend) = (T::of(1.0 / (self.sigma * self.sigma)), T::of(self.bend));
        let y = x[1] + bend * (x[0] * x[0] - T::of(self.sigma * self.sigma));
        f[0] = -(stiffness * x[0] + T::of(2.0) * bend * x[0] * y);
        f[1] = -y;
        T::of(0.5) * (stiffness * x[0] * x[0] + y * y)
    }
}
