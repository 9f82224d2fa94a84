//! A molecule along a path of its couplings.

use super::implicit::Solvent;
use super::nonbonded::{Listed, Pairs, listed};
use super::soft_core::SoftPairs;
use super::{Force, LambdaPath, Molecule, Nonbonded};
use crate::Result;
use crate::energy::{Knob, Potential};
use crate::io::openmm::MolecularSystem;
use crate::real::{Dual, Lanewise, Octet, Real, Wide, dispatch};
use std::sync::Arc;

/// [`Molecule`] with couplings that depend on lambda, as a [`LambdaPath`] says; the same terms in the same order.
///
/// With all knobs at 1 it is the molecule's energy to rounding. While the `solvent` knob is at 0 in a whole block, the implicit solvent is not
/// evaluated; a solvent energy that is not finite does not count there.
/// Speed (one core, AVX-512, alanine dipeptide with GBSA-OBC): as [`Molecule`] within 2 %, as in vacuum where the solvent is off.
#[derive(Clone, Debug)]
pub struct Coupled {
    dof: usize,
    names: Vec<String>,
    parts: Vec<Part>,
    path: LambdaPath,
    /// Place of the implicit solvent among the terms.
    solvent: Option<usize>,
}

#[derive(Clone, Debug)]
enum Part {
    Plain(Force),
    Pairs(CoupledPairs),
    Solvent(Solvent),
}

/// The pairs of `NonbondedForce` by how many of their atoms are chosen.
#[derive(Clone, Debug)]
struct CoupledPairs {
    plain: Pairs,
    /// One chosen: c times the charges' factor.
    once: Pairs,
    /// Two chosen: c times its square.
    twice: Pairs,
    /// One chosen, Lennard-Jones soft.
    soft: SoftPairs,
}

/// The molecule along a path, as a potential.
///
/// # Errors
/// `Error::Input` when the path does not fit the system; otherwise as [`Molecule::new`].
pub fn coupled(system: &MolecularSystem, path: &LambdaPath) -> Result<Arc<dyn Potential>> {
    Ok(Arc::new(Coupled::new(system, path)?))
}

impl Coupled {
    /// Prepares the lists of a system.
    ///
    /// # Errors
    /// As [`coupled`].
    pub fn new(system: &MolecularSystem, path: &LambdaPath) -> Result<Self> {
        let molecule = Molecule::new(system)?;
        let chosen = path.chosen(system)?;
        let mut parts: Vec<Part> = molecule.forces.into_iter().map(Part::Plain).collect();
        if let Some(n) = system.nonbonded.as_ref().filter(|_| path.charges.is_some() || path.lj.is_some()) {
            parts[n.term] = Part::Pairs(CoupledPairs::new(n, path, &chosen));
        }
        if let Some(s) = &system.implicit {
            parts[s.term] = Part::Solvent(Solvent::new(s).choosing(&chosen));
        }
        let solvent = system.implicit.as_ref().map(|s| s.term);
        Ok(Coupled { dof: molecule.dof, names: molecule.names, parts, path: path.clone(), solvent })
    }

    /// The energy, kJ/mol, that the implicit solvent has left at lambda = 0: nothing on the path `solvent`; with all charges off, the surface
    /// term. None without implicit solvent.
    pub fn left_over(&self, x: &[f64]) -> Option<f64> {
        let (mut f, mut terms) = (vec![0.0; self.dof], vec![0.0; self.names.len()]);
        self.eval_one(x, 0.0, &mut f, &mut terms);
        self.solvent.map(|term| terms[term])
    }

    /// `wet`: the solvent is evaluated; without it, it counts as switched off.
    #[inline(always)]
    fn evaluate<T: Real>(&self, x: &[T], lambda: T, f: &mut [T], terms: Option<&mut [T]>, wet: bool) -> T {
        let zero = T::of(0.0);
        let (x, f) = (&x[..self.dof], &mut f[..self.dof]);
        for slot in f.iter_mut() {
            *slot = zero;
        }
        let charges = at(&self.path.charges, lambda);
        let lj = at(&self.path.lj, lambda);
        let mut total = zero;
        let mut terms = terms;
        for k in 0..self.parts.len() {
            let u = match &self.parts[k] {
                Part::Plain(force) => force.energy_force(x, f),
                Part::Pairs(p) => p.energy_force(x, f, charges, lj),
                Part::Solvent(s) => {
                    if wet {
                        self.solvent(s, x, f, lambda, charges)
                    } else {
                        zero
                    }
                }
            };
            total += u;
            if let Some(terms) = terms.as_deref_mut() {
                terms[k] = u;
            }
        }
        total
    }

    #[inline(always)]
    fn solvent<T: Real>(&self, solvent: &Solvent, x: &[T], f: &mut [T], lambda: T, charges: T) -> T {
        let scaled = self.path.charges.is_some() || self.path.solvent_charges.is_some();
        let charges = charges * at(&self.path.solvent_charges, lambda);
        let Some(knob) = &self.path.solvent else {
            return if scaled { solvent.charged(x, f, charges) } else { solvent.energy_force(x, f) };
        };
        let s = knob.at(lambda);
        let mut own = vec![T::of(0.0); self.dof];
        let u = if scaled { solvent.charged(x, &mut own, charges) } else { solvent.energy_force(x, &mut own) };
        for k in 0..self.dof {
            f[k] += share(s, own[k]);
        }
        share(s, u)
    }

    /// Is the solvent on in some replica?
    fn wet(&self, lambda: &[f64]) -> bool {
        self.path.solvent.as_ref().is_none_or(|knob| lambda.iter().any(|l| knob.at(*l) != 0.0))
    }
}

/// s v; 0, and not -0, where s is 0, also if v is not finite.
#[inline(always)]
fn share<T: Real>(s: T, v: T) -> T {
    let zero = T::of(0.0);
    let product = s.mul_add(v, zero);
    T::select(v.is_finite(), product, T::select(s.le(zero), zero, product))
}

/// The value of a knob, 1 without one.
#[inline(always)]
fn at<T: Real>(knob: &Option<Knob>, lambda: T) -> T {
    match knob {
        Some(knob) => knob.at(lambda),
        None => T::of(1.0),
    }
}

impl CoupledPairs {
    fn new(force: &Nonbonded, path: &LambdaPath, chosen: &[bool]) -> Self {
        let [mut plain, mut once, mut twice, mut soft]: [Vec<Listed>; 4] = Default::default();
        for l in listed(force) {
            let n = usize::from(chosen[l.i]) + usize::from(chosen[l.pair.j]);
            let list = match n {
                1 if path.lj.is_some() && l.pair.b > 0.0 => &mut soft,
                1 if path.charges.is_some() => &mut once,
                2 if path.charges.is_some() => &mut twice,
                _ => &mut plain,
            };
            list.push(l);
        }
        CoupledPairs {
            plain: Pairs::of(force, plain),
            once: Pairs::of(force, once),
            twice: Pairs::of(force, twice),
            soft: SoftPairs::of(force, soft),
        }
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], f: &mut [T], charges: T, lj: T) -> T {
        let mut u = self.plain.energy_force(x, f);
        u += self.once.charged(x, f, charges);
        u += self.twice.charged(x, f, charges * charges);
        u + self.soft.energy_force(x, f, lj, charges)
    }
}

struct EvalBlock<'a> {
    molecule: &'a Coupled,
    x: &'a [Octet],
    lambda: Octet,
    f: &'a mut [Octet],
    terms: Option<&'a mut [Octet]>,
    wet: bool,
}

impl Lanewise for EvalBlock<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let (x, f) = (L::of_octets(self.x), L::of_octets_mut(self.f));
        let lambda = L::load(self.lambda);
        match self.terms {
            None => self.molecule.evaluate(x, lambda, f, None, self.wet).store(),
            Some(t) => self.molecule.evaluate(x, lambda, f, Some(L::of_octets_mut(t)), self.wet).store(),
        }
    }
}

impl Potential for Coupled {
    fn dof(&self) -> usize {
        self.dof
    }

    fn terms(&self) -> Vec<String> {
        self.names.clone()
    }

    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        let wet = self.wet(&lambda.0);
        dispatch(EvalBlock { molecule: self, x, lambda, f, terms, wet })
    }

    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        self.evaluate(x, lambda, f, Some(terms), self.wet(&[lambda]))
    }

    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        let mut duals = Vec::with_capacity(x.len());
        for (re, eps) in x.iter().zip(dx) {
            duals.push(Dual::new(*re, *eps));
        }
        let mut f = vec![Dual::<f64>::of(0.0); x.len()];
        let u = self.evaluate(&duals, Dual::new(lambda, dlambda), &mut f, None, true);
        (u.re, u.eps)
    }

    fn linear(&self, lambda: f64) -> Option<f64> {
        let solvent = self.path.solvent.as_ref()?;
        let alone = self.path.charges.is_none() && self.path.solvent_charges.is_none() && self.path.lj.is_none();
        if alone { solvent.of_its_way(lambda) } else { None }
    }
}
