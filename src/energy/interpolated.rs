//! A path between two energies.

use super::{Knob, Potential};
use crate::real::{Dual, Lanewise, Octet, Real, Wide, dispatch};
use crate::{Error, Result};
use std::sync::Arc;

/// U(x; lambda) = (1 - g) U_0(x) + g U_1(x),  g = g(lambda): the linear path; with -ln p_0 of a normalised density as U_0, the
/// geometric one.
///
/// Both ends stand at their own lambda = 1. An end with the coefficient 0 does not count, be its energy infinite or not a number, and
/// is not evaluated when that holds for a whole block. Terms: `base`, (1 - g) U_0 as a whole; then g times those of U_1.
#[derive(Clone)]
pub struct Interpolated {
    ends: [Arc<dyn Potential>; 2],
    g: Knob,
}

impl Interpolated {
    /// From `base` at g = 0 to `potential` at g = 1, with g = lambda.
    ///
    /// # Errors
    /// `Error::Shape` when their degrees of freedom differ.
    pub fn new(base: Arc<dyn Potential>, potential: Arc<dyn Potential>) -> Result<Self> {
        Self::with_knob(base, potential, Knob::identity())
    }

    /// The same with another g(lambda).
    ///
    /// # Errors
    /// `Error::Shape` when the degrees of freedom differ.
    pub fn with_knob(base: Arc<dyn Potential>, potential: Arc<dyn Potential>, g: Knob) -> Result<Self> {
        if base.dof() != potential.dof() {
            return Err(Error::Shape { what: "degrees of freedom of the path's base", expected: potential.dof(), found: base.dof() });
        }
        Ok(Interpolated { ends: [base, potential], g })
    }
}

/// c v, where a coefficient of 0 beats everything.
#[inline(always)]
fn share<T: Real>(c: T, v: T) -> T {
    let zero = T::of(0.0);
    T::select(c.le(zero), zero, c * v)
}

/// `to` becomes c `to`, then grows by a `from` where there is one.
struct Mix<'a> {
    c: Octet,
    to: &'a mut [Octet],
    plus: Option<(Octet, &'a [Octet])>,
}

impl Lanewise for Mix<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        let (c, to) = (L::load(self.c), L::of_octets_mut(self.to));
        for v in to.iter_mut() {
            *v = share(c, *v);
        }
        let Some((a, from)) = self.plus else { return };
        let (a, from) = (L::load(a), L::of_octets(from));
        for i in 0..to.len() {
            to[i] += share(a, from[i]);
        }
    }
}

/// g and 1 - g of a block.
struct Coefficients<'a>(&'a Knob, Octet);

impl Lanewise for Coefficients<'_> {
    type Out = [Octet; 2];
    #[inline(always)]
    fn run<L: Wide>(self) -> [Octet; 2] {
        let g = self.0.at(L::load(self.1));
        [(L::of(1.0) - g).store(), g.store()]
    }
}

impl Potential for Interpolated {
    fn dof(&self) -> usize {
        self.ends[1].dof()
    }

    fn terms(&self) -> Vec<String> {
        let mut names = vec!["base".to_owned()];
        names.extend(self.ends[1].terms());
        names
    }

    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        let (zero, one) = (Octet::of(0.0), Octet::of(1.0));
        let [a, b] = dispatch(Coefficients(&self.g, lambda));
        let [base, potential] = &self.ends;
        let (mut u_0, mut u) = ([zero], [zero]);
        let mut f_0 = vec![zero; f.len()];
        let mut terms = terms;
        if a != zero {
            u_0[0] = base.eval_block(x, one, &mut f_0, None);
        }
        if b != zero {
            u[0] = potential.eval_block(x, one, f, terms.as_deref_mut().map(|t| &mut t[1..]));
        } else {
            f.fill(zero);
            if let Some(t) = &mut terms {
                t.fill(zero);
            }
        }
        dispatch(Mix { c: b, to: f, plus: Some((a, &f_0)) });
        dispatch(Mix { c: b, to: &mut u, plus: Some((a, &u_0)) });
        if let Some(t) = terms {
            dispatch(Mix { c: b, to: &mut t[1..], plus: None });
            t[0] = u_0[0];
            dispatch(Mix { c: a, to: &mut t[..1], plus: None });
        }
        u[0]
    }

    /// Each end once, whatever the number of couplings; the same bits as from `eval_block`.
    fn energies_block(&self, x: &[Octet], lambdas: &[f64], u: &mut [Octet]) {
        let one = Octet::of(1.0);
        let mut f = vec![Octet::of(0.0); x.len()];
        let coefficients: Vec<[Octet; 2]> = lambdas.iter().map(|l| dispatch(Coefficients(&self.g, Octet::of(*l)))).collect();
        let ends: [Octet; 2] = std::array::from_fn(|end| {
            let counts = coefficients.iter().any(|c| c[end] != Octet::of(0.0));
            if counts { self.ends[end].eval_block(x, one, &mut f, None) } else { Octet::of(0.0) }
        });
        for (u, [a, b]) in u.iter_mut().zip(coefficients) {
            let mut mixed = [ends[1]];
            dispatch(Mix { c: b, to: &mut mixed, plus: Some((a, &ends[..1])) });
            *u = mixed[0];
        }
    }

    fn calls(&self, couplings: usize) -> usize {
        couplings.min(1)
    }

    fn linear(&self) -> bool {
        self.g == Knob::identity()
    }

    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        let b = self.g.at(lambda);
        let a = 1.0 - b;
        let [base, potential] = &self.ends;
        let (mut u_0, mut u_1) = (0.0, 0.0);
        let mut f_0 = vec![0.0; f.len()];
        if a != 0.0 {
            u_0 = base.eval_one(x, 1.0, &mut f_0, &mut vec![0.0; base.terms().len()]);
        }
        if b != 0.0 {
            u_1 = potential.eval_one(x, 1.0, f, &mut terms[1..]);
        } else {
            f.fill(0.0);
            terms.fill(0.0);
        }
        for (f, f_0) in f.iter_mut().zip(&f_0) {
            *f = share(b, *f) + share(a, *f_0);
        }
        for t in &mut terms[1..] {
            *t = share(b, *t);
        }
        terms[0] = share(a, u_0);
        share(b, u_1) + share(a, u_0)
    }

    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        let g = self.g.at(Dual::new(lambda, dlambda));
        let (a, b) = (1.0 - g.re, g.re);
        let of = |end: &Arc<dyn Potential>, coefficient: f64| {
            if coefficient == 0.0 && g.eps == 0.0 { (0.0, 0.0) } else { end.derivative(x, 1.0, dx, 0.0) }
        };
        let ((u_0, along_0), (u_1, along_1)) = (of(&self.ends[0], a), of(&self.ends[1], b));
        let turn = if g.eps == 0.0 { 0.0 } else { g.eps * (u_1 - u_0) };
        (share(b, u_1) + share(a, u_0), share(b, along_1) + share(a, along_0) + turn)
    }

    /// g' (U_1 - U_0).
    fn slope_block(&self, x: &[Octet], lambda: Octet) -> Octet {
        let (zero, one) = (Octet::of(0.0), Octet::of(1.0));
        let mut slope = self.g.slopes(lambda);
        if slope == zero {
            return zero;
        }
        let mut f = vec![zero; x.len()];
        let [u_0, u_1] = [0, 1].map(|end: usize| self.ends[end].eval_block(x, one, &mut f, None));
        for (lane, slope) in slope.0.iter_mut().enumerate() {
            *slope = if *slope == 0.0 { 0.0 } else { *slope * (u_1.0[lane] - u_0.0[lane]) };
        }
        slope
    }

    fn version(&self) -> u64 {
        self.ends[0].version().wrapping_add(self.ends[1].version())
    }
}
