//! Potentials: formulas written once, evaluated over batches.
#![allow(clippy::needless_range_loop)] // plain loops over indices are what becomes vector code in a generic formula

pub mod biased;
pub mod collective;
pub mod double_well;
pub mod double_well_n;
pub mod formula;
pub mod funnel;
pub mod gaussian_mixture;
pub mod harmonic;
pub mod interpolated;
pub mod knob;
pub mod lennard_jones;
pub mod many_well;
pub mod molecular;
pub mod mueller_brown;
pub mod restraint;
mod room;
pub mod soft_lennard_jones;
pub mod table;
pub mod text;
pub mod umbrella;

pub use self::interpolated::Interpolated;
pub use self::knob::Knob;

use crate::batch::{Coords, Thermo};
use crate::real::{Dual, Lanewise, Octet, Real, Wide, dispatch};
use crate::{Error, Result};
use rayon::prelude::*;

/// A formula U(x; lambda) with its force, generic over the scalar: what a user writes.
///
/// Mark both functions `#[inline(always)]` and use plain `for` loops: closures and iterator chains do not inherit the
/// vector instructions and cost a factor of 25 and more.
///
/// ```
/// use ergodica::energy::Energy;
/// use ergodica::real::Real;
///
/// /// U = k x^2 / 2 in each of `dof` directions.
/// struct Spring { k: f64, dof: usize }
/// impl Energy for Spring {
///     fn dof(&self) -> usize { self.dof }
///     #[inline(always)]
///     fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
///         let k = T::of(self.k);
///         let mut u = T::of(0.0);
///         for i in 0..x.len() {
///             f[i] = -(k * x[i]);
///             u = (T::of(0.5) * k * x[i]).mul_add(x[i], u);
///         }
///         u
///     }
/// }
/// ```
pub trait Energy: Send + Sync + 'static {
    /// Degrees of freedom of one replica.
    fn dof(&self) -> usize;

    /// Energy; the force -dU/dx is written over `f`, which has `dof` elements like `x`.
    fn energy_force<T: Real>(&self, x: &[T], lambda: T, f: &mut [T]) -> T;

    /// Names of the terms that [`Energy::energy_terms`] tells apart.
    fn terms(&self) -> Vec<String> {
        vec!["energy".to_owned()]
    }

    /// [`Energy::energy_force`] with the energy of each term, in the order of [`Energy::terms`].
    #[inline(always)]
    fn energy_terms<T: Real>(&self, x: &[T], lambda: T, f: &mut [T], terms: &mut [T]) -> T {
        let u = self.energy_force(x, lambda, f);
        terms[0] = u;
        u
    }
}

/// A potential over batches, open to users: anything that can evaluate a block of 8 replicas.
pub trait Potential: Send + Sync {
    /// Degrees of freedom of one replica.
    fn dof(&self) -> usize;

    /// Names of the terms.
    fn terms(&self) -> Vec<String>;

    /// Energies of one block of 8 replicas; forces are written over `f` (`[dof]`), terms over `terms` when asked for.
    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet;

    /// Energies of one block at each of several couplings, each the same for all its replicas: `u[k]` at `lambdas[k]`.
    ///
    /// Worth overriding where couplings share work: a path linear in lambda needs two evaluations, a restraint the energy once.
    fn energies_block(&self, x: &[Octet], lambdas: &[f64], u: &mut [Octet]) {
        let mut f = vec![Octet::of(0.0); x.len()];
        for (u, lambda) in u.iter_mut().zip(lambdas) {
            *u = self.eval_block(x, Octet::of(*lambda), &mut f, None);
        }
    }

    /// Evaluations that [`Potential::energies_block`] makes for so many couplings: one for each, unless they share work.
    fn calls(&self, couplings: usize) -> usize {
        couplings
    }

    /// Is U(x; lambda) = (1 - lambda) U(x; 0) + lambda U(x; 1), so that two couplings give all others?
    fn linear(&self) -> bool {
        false
    }

    /// One configuration in plain `f64`: the reference of every lane, equal to it bit for bit.
    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64;

    /// Energy and its exact derivative along (`dx`, `dlambda`), from dual numbers.
    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64);

    /// dU/dlambda of one block of 8 replicas: what thermodynamic integration averages.
    ///
    /// From dual numbers one replica at a time, 25 times the cost of energies in lanes; linear paths need an evaluation or two.
    fn slope_block(&self, x: &[Octet], lambda: Octet) -> Octet {
        slopes_from_duals(self, x, lambda)
    }

    /// Changes whenever the energy of the same configuration changes (a growing bias).
    fn version(&self) -> u64 {
        0
    }

    /// Energies, forces and, if `out.terms` is there, terms of a whole batch; blocks are shared among threads.
    ///
    /// # Errors
    /// `Error::Shape` when the batch has other degrees of freedom or `thermo` another length.
    fn eval(&self, x: &Coords, thermo: &[Thermo], out: &mut Evaluation) -> Result<()> {
        let dof = self.dof();
        if x.dof() != dof {
            return Err(Error::Shape { what: "degrees of freedom", expected: dof, found: x.dof() });
        }
        if thermo.len() != x.replicas() {
            return Err(Error::Shape { what: "thermodynamic states", expected: x.replicas(), found: thermo.len() });
        }
        let n_terms = if out.terms.is_some() { self.terms().len() } else { 0 };
        out.shape(x, n_terms);
        let Evaluation { u, f, terms } = out;
        let terms: Vec<Option<&mut [Octet]>> = match terms {
            Some(t) => t.octets_mut().chunks_exact_mut(n_terms.max(1)).map(Some).collect(),
            None => (0..x.blocks()).map(|_| None).collect(),
        };
        u.octets_mut().par_iter_mut().zip(f.octets_mut().par_chunks_exact_mut(dof)).zip(terms).enumerate().for_each(
            |(b, ((u, f), terms))| {
                *u = self.eval_block(x.block(b), lambdas(thermo, b), f, terms);
            },
        );
        Ok(())
    }
}

struct Plus(Octet, Octet);

impl Lanewise for Plus {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        (L::load(self.0) + L::load(self.1)).store()
    }
}

/// The energy of a potential and that of what was put on top: an umbrella, a bias, a restraint.
fn plus(u: Octet, on_top: Octet) -> Octet {
    dispatch(Plus(u, on_top))
}

/// [`Potential::slope_block`] of any potential.
fn slopes_from_duals<P: Potential + ?Sized>(potential: &P, x: &[Octet], lambda: Octet) -> Octet {
    let still = vec![0.0; x.len()];
    let mut slope = Octet::of(0.0);
    for (lane, slope) in slope.0.iter_mut().enumerate() {
        let one: Vec<f64> = x.iter().map(|o| o.0[lane]).collect();
        *slope = potential.derivative(&one, lambda.0[lane], &still, 1.0).1;
    }
    slope
}

/// The coupling parameters of block `b`, padded with the last replica's.
pub fn lambdas(thermo: &[Thermo], b: usize) -> Octet {
    let mut lambda = Octet::of(1.0);
    for (i, slot) in lambda.0.iter_mut().enumerate() {
        if let Some(t) = thermo.get(8 * b + i).or(thermo.last()) {
            *slot = t.lambda;
        }
    }
    lambda
}

/// The inverse temperatures of block `b`, padded with the last replica's.
pub fn betas(thermo: &[Thermo], b: usize) -> Octet {
    let mut beta = Octet::of(1.0);
    for (i, slot) in beta.0.iter_mut().enumerate() {
        if let Some(t) = thermo.get(8 * b + i).or(thermo.last()) {
            *slot = t.beta;
        }
    }
    beta
}

/// What [`Potential::eval`] fills.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Energies, `[replica, 1]`.
    pub u: Coords,
    /// Forces, `[replica, dof]`.
    pub f: Coords,
    /// Energies of the terms, `[replica, term]`, when wanted.
    pub terms: Option<Coords>,
}

impl Evaluation {
    /// Energies and forces.
    pub fn new() -> Self {
        Evaluation { u: Coords::zeros(0, 1), f: Coords::zeros(0, 0), terms: None }
    }

    /// Energies, forces and terms.
    pub fn with_terms() -> Self {
        Evaluation { terms: Some(Coords::zeros(0, 0)), ..Self::new() }
    }

    fn shape(&mut self, x: &Coords, n_terms: usize) {
        let fits = |c: &Coords, dof| c.replicas() == x.replicas() && c.dof() == dof;
        if !fits(&self.u, 1) {
            self.u = Coords::zeros(x.replicas(), 1);
        }
        if !fits(&self.f, x.dof()) {
            self.f = Coords::zeros(x.replicas(), x.dof());
        }
        if let Some(t) = &mut self.terms
            && !fits(t, n_terms)
        {
            *t = Coords::zeros(x.replicas(), n_terms);
        }
    }
}

impl Default for Evaluation {
    fn default() -> Self {
        Self::new()
    }
}

/// A formula as a potential: 8 replicas in lanes, blocks shared among threads.
#[derive(Clone, Debug)]
pub struct Batched<E>(pub E);

struct EvalBlock<'a, E> {
    energy: &'a E,
    x: &'a [Octet],
    lambda: Octet,
    f: &'a mut [Octet],
    terms: Option<&'a mut [Octet]>,
}

impl<E: Energy> Lanewise for EvalBlock<'_, E> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let (x, f) = (L::of_octets(self.x), L::of_octets_mut(self.f));
        let lambda = L::load(self.lambda);
        match self.terms {
            None => self.energy.energy_force(x, lambda, f).store(),
            Some(t) => self.energy.energy_terms(x, lambda, f, L::of_octets_mut(t)).store(),
        }
    }
}

impl<E: Energy> Potential for Batched<E> {
    fn dof(&self) -> usize {
        self.0.dof()
    }
    fn terms(&self) -> Vec<String> {
        self.0.terms()
    }
    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        dispatch(EvalBlock { energy: &self.0, x, lambda, f, terms })
    }
    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        self.0.energy_terms(x, lambda, f, terms)
    }
    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        let mut duals = Vec::with_capacity(x.len());
        for (re, eps) in x.iter().zip(dx) {
            duals.push(Dual::new(*re, *eps));
        }
        let mut f = vec![Dual::<f64>::of(0.0); x.len()];
        let u = self.0.energy_force(&duals, Dual::new(lambda, dlambda), &mut f);
        (u.re, u.eps)
    }
}
