//! A harmonic restraint of a collective variable whose centre lambda moves: umbrella windows, steered pulling.

use super::collective::{Collective, Gradient, shortest};
use super::{Potential, plus};
use crate::real::{Lanewise, Octet, Real, Wide, dispatch};
use crate::{Error, Result};
use std::sync::Arc;

/// U(x) + k/2 (xi(x) - c(lambda))^2,  c(lambda) = from + lambda (to - from);  around the circle the shortest way where xi is periodic.
///
/// The one lambda moves the centre, and U is taken at full coupling, lambda = 1. `from` and `to` are plain numbers: from 170 to 190
/// degrees passes 180. Energies at many centres ([`Potential::energies_block`]) evaluate U once. Last of the terms: "umbrella".
/// Units: those of xi, k in energy / xi^2.
/// Source: Torrie and Valleau, J. Comput. Phys. 23, 187 (1977).
pub struct Umbrella {
    base: Arc<dyn Potential>,
    of: Arc<dyn Collective>,
    from: f64,
    to: f64,
    stiffness: f64,
}

impl Umbrella {
    /// Windows over `base` along `of`, centred at `from` for lambda = 0 and at `to` for lambda = 1.
    ///
    /// # Errors
    /// `Error::Shape` when the variable is measured on other configurations; `Error::Input` for centres that are not finite or a
    /// stiffness that is negative.
    pub fn new(base: Arc<dyn Potential>, of: Arc<dyn Collective>, from: f64, to: f64, stiffness: f64) -> Result<Self> {
        if of.dof() != base.dof() {
            let what = "degrees of freedom of the collective variable";
            return Err(Error::Shape { what, expected: base.dof(), found: of.dof() });
        }
        if !(from.is_finite() && to.is_finite()) {
            return Err(Error::input(format!("the umbrella moves from {from} to {to}"), "give finite centres"));
        }
        if !(stiffness.is_finite() && stiffness >= 0.0) {
            return Err(Error::input(format!("the stiffness of the umbrella is {stiffness}"), "give 0 or more, in energy / xi^2"));
        }
        Ok(Umbrella { base, of, from, to, stiffness })
    }

    /// c(lambda).
    pub fn centre(&self, lambda: f64) -> f64 {
        lambda.mul_add(self.to - self.from, self.from)
    }

    /// k/2 (xi - c(lambda))^2 and k (xi - c(lambda)).
    #[inline(always)]
    fn pull<T: Real>(&self, xi: T, lambda: T, period: Option<f64>) -> (T, T) {
        let away = shortest(xi - lambda.mul_add(T::of(self.to - self.from), T::of(self.from)), period);
        let slope = T::of(self.stiffness) * away;
        (T::of(0.5) * slope * away, slope)
    }
}

struct Pull<'a> {
    umbrella: &'a Umbrella,
    xi: Octet,
    lambda: Octet,
    gradient: &'a [Octet],
    f: &'a mut [Octet],
}

impl Lanewise for Pull<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let Pull { umbrella, xi, lambda, gradient, f } = self;
        let (u, slope) = umbrella.pull(L::load(xi), L::load(lambda), umbrella.of.period());
        let (gradient, f) = (L::of_octets(gradient), L::of_octets_mut(f));
        for (k, d) in umbrella.of.support().iter().enumerate() {
            f[*d] -= slope * gradient[k];
        }
        u.store()
    }
}

/// Energies of the restraint alone, added to `base`, at several centres.
struct Windows<'a> {
    umbrella: &'a Umbrella,
    xi: Octet,
    base: Octet,
    lambdas: &'a [f64],
    u: &'a mut [Octet],
}

impl Lanewise for Windows<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        let Windows { umbrella, xi, base, lambdas, u } = self;
        let period = umbrella.of.period();
        for k in 0..u.len() {
            u[k] = (L::load(base) + umbrella.pull(L::load(xi), L::of(lambdas[k]), period).0).store();
        }
    }
}

/// dU/dlambda.
struct Slope<'a> {
    umbrella: &'a Umbrella,
    xi: Octet,
    lambda: Octet,
}

impl Lanewise for Slope<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let Slope { umbrella, xi, lambda } = self;
        let (_, slope) = umbrella.pull(L::load(xi), L::load(lambda), umbrella.of.period());
        (-(slope * L::of(umbrella.to - umbrella.from))).store()
    }
}

impl Potential for Umbrella {
    fn dof(&self) -> usize {
        self.base.dof()
    }

    fn terms(&self) -> Vec<String> {
        let mut terms = self.base.terms();
        terms.push("umbrella".to_owned());
        terms
    }

    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        let mut gradient = Gradient::new(&*self.of);
        let xi = self.of.value_gradient_block(x, gradient.get());
        let (mut base_terms, mut last) = (None, None);
        if let Some((end, rest)) = terms.and_then(<[Octet]>::split_last_mut) {
            (base_terms, last) = (Some(rest), Some(end));
        }
        let base = self.base.eval_block(x, Octet::of(1.0), f, base_terms);
        let u = dispatch(Pull { umbrella: self, xi, lambda, gradient: gradient.get(), f });
        if let Some(last) = last {
            *last = u;
        }
        plus(base, u)
    }

    fn energies_block(&self, x: &[Octet], lambdas: &[f64], u: &mut [Octet]) {
        let mut gradient = Gradient::new(&*self.of);
        let xi = self.of.value_gradient_block(x, gradient.get());
        let mut base = [Octet::of(0.0)];
        self.base.energies_block(x, &[1.0], &mut base);
        dispatch(Windows { umbrella: self, xi, base: base[0], lambdas, u });
    }

    fn calls(&self, couplings: usize) -> usize {
        couplings.min(1)
    }

    /// -k (xi - c) c': no evaluation of U.
    fn slope_block(&self, x: &[Octet], lambda: Octet) -> Octet {
        let mut gradient = Gradient::new(&*self.of);
        let xi = self.of.value_gradient_block(x, gradient.get());
        dispatch(Slope { umbrella: self, xi, lambda })
    }

    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        let mut gradient = vec![0.0; self.of.support().len()];
        let xi = self.of.value_gradient(x, &mut gradient);
        let n = self.base.terms().len();
        let base = self.base.eval_one(x, 1.0, f, &mut terms[..n]);
        let (u, slope) = self.pull(xi, lambda, self.of.period());
        for (g, d) in gradient.iter().zip(self.of.support()) {
            f[*d] -= slope * g;
        }
        terms[n] = u;
        base + u
    }

    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        let (base, along) = self.base.derivative(x, 1.0, dx, 0.0);
        let (xi, xi_along) = self.of.derivative(x, dx);
        let (u, slope) = self.pull(xi, lambda, self.of.period());
        (base + u, along + slope * (xi_along - (self.to - self.from) * dlambda))
    }

    fn version(&self) -> u64 {
        self.base.version()
    }
}
