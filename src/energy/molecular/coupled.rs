//! A molecule along a path of its couplings.

use super::bonds::{Angles, Bonds};
use super::implicit::Solvent;
use super::nonbonded::{Listed, Pairs, listed};
use super::soft_core::SoftPairs;
use super::torsions::Torsions;
use super::{Force, LambdaPath, Molecule, Nonbonded};
use crate::Result;
use crate::energy::{Knob, Potential, slopes_from_duals};
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
    None,
    Bonds(Bonds),
    Angles(Angles),
    Torsions(Torsions),
    Pairs(Box<CoupledPairs>),
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
        let mut parts: Vec<Part> = Vec::with_capacity(molecule.forces.len());
        for force in molecule.forces {
            parts.push(match force {
                Force::Bonds(b) => Part::Bonds(b),
                Force::Angles(a) => Part::Angles(a),
                Force::Torsions(t) => Part::Torsions(t),
                // Those two differ along a path.
                Force::None | Force::Pairs(_) | Force::Solvent(_) => Part::None,
            });
        }
        if let Some(n) = &system.nonbonded {
            parts[n.term] = Part::Pairs(Box::new(CoupledPairs::new(n, path, &chosen)));
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

    #[inline(always)]
    fn couplings<T: Real>(&self, lambda: T) -> Couplings<T> {
        let charges = at(&self.path.charges, lambda);
        Couplings {
            solvent: at(&self.path.solvent, lambda),
            charges,
            solvent_charges: charges * at(&self.path.solvent_charges, lambda),
            lj: at(&self.path.lj, lambda),
        }
    }

    /// Energy, forces and terms. `wet`: the solvent is evaluated; without it, it counts as switched off.
    #[inline(always)]
    fn evaluate<T: Real>(&self, x: &[T], g: Couplings<T>, f: &mut [T], terms: &mut [T], wet: bool) -> T {
        let zero = T::of(0.0);
        let (x, f) = (&x[..self.dof], &mut f[..self.dof]);
        for slot in f.iter_mut() {
            *slot = zero;
        }
        let mut total = zero;
        for k in 0..self.parts.len() {
            let u = match &self.parts[k] {
                Part::None => zero,
                Part::Bonds(b) => b.energy_force(x, f),
                Part::Angles(a) => a.energy_force(x, f),
                Part::Torsions(t) => t.energy_force(x, f),
                Part::Pairs(p) => p.energy_force(x, f, g.charges, g.lj),
                Part::Solvent(_) if !wet => zero,
                Part::Solvent(s) => self.solvent(s, x, f, g),
            };
            total += u;
            terms[k] = u;
        }
        total
    }

    #[inline(always)]
    fn solvent<T: Real>(&self, solvent: &Solvent, x: &[T], f: &mut [T], g: Couplings<T>) -> T {
        let mut own = vec![T::of(0.0); self.dof];
        let u = solvent.charged(x, &mut own, g.solvent_charges);
        for k in 0..self.dof {
            f[k] += share(g.solvent, own[k]);
        }
        share(g.solvent, u)
    }

    /// Term and knob of the solvent, if lambda acts through it as a whole and through nothing else.
    fn linear_solvent(&self) -> Option<(usize, &Knob)> {
        let p = &self.path;
        let alone = p.charges.is_none() && p.solvent_charges.is_none() && p.lj.is_none();
        self.solvent.zip(p.solvent.as_ref()).filter(|_| alone)
    }

    /// The terms of a block with everything at full strength.
    fn full_terms(&self, x: &[Octet], wet: bool) -> Vec<Octet> {
        let (mut f, mut terms) = (vec![Octet::of(0.0); x.len()], vec![Octet::of(0.0); self.names.len()]);
        dispatch(EvalBlock { molecule: self, x, lambda: None, f: &mut f, terms: &mut terms, wet });
        terms
    }

    /// Is the solvent on in some replica?
    fn wet(&self, lambda: &[f64]) -> bool {
        self.path.solvent.as_ref().is_none_or(|knob| lambda.iter().any(|l| knob.at(*l) != 0.0))
    }
}

/// The values of the knobs.
#[derive(Clone, Copy)]
struct Couplings<T> {
    solvent: T,
    charges: T,
    /// Those of `charges` included.
    solvent_charges: T,
    lj: T,
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
        let mut u = T::of(0.0);
        for (pairs, factor) in [(&self.plain, T::of(1.0)), (&self.once, charges), (&self.twice, charges * charges)] {
            u += pairs.charged(x, f, factor);
        }
        u + self.soft.energy_force(x, f, lj, charges)
    }
}

struct EvalBlock<'a> {
    molecule: &'a Coupled,
    x: &'a [Octet],
    /// None: everything at full strength.
    lambda: Option<Octet>,
    f: &'a mut [Octet],
    terms: &'a mut [Octet],
    wet: bool,
}

impl Lanewise for EvalBlock<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let (x, f, terms) = (L::of_octets(self.x), L::of_octets_mut(self.f), L::of_octets_mut(self.terms));
        let one = L::of(1.0);
        let g = match self.lambda {
            Some(lambda) => self.molecule.couplings(L::load(lambda)),
            None => Couplings { solvent: one, charges: one, solvent_charges: one, lj: one },
        };
        self.molecule.evaluate(x, g, f, terms, self.wet).store()
    }
}

/// The sum of terms of which term `solvent` counts as much as its knob says.
struct Total<'a> {
    terms: &'a [Octet],
    solvent: usize,
    strength: f64,
}

impl Lanewise for Total<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let terms = L::of_octets(self.terms);
        let mut total = L::of(0.0);
        for k in 0..terms.len() {
            total += if k == self.solvent { share(L::of(self.strength), terms[k]) } else { terms[k] };
        }
        total.store()
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
        let mut unwanted = Vec::new();
        let terms = terms.unwrap_or_else(|| {
            unwanted.resize(self.names.len(), Octet::of(0.0));
            &mut unwanted
        });
        dispatch(EvalBlock { molecule: self, x, lambda: Some(lambda), f, terms, wet })
    }

    /// On the path `solvent`, one evaluation whatever the number of couplings; the same bits as from `eval_block`.
    fn energies_block(&self, x: &[Octet], lambdas: &[f64], u: &mut [Octet]) {
        if let Some((solvent, knob)) = self.linear_solvent() {
            let terms = self.full_terms(x, self.wet(lambdas));
            for (u, lambda) in u.iter_mut().zip(lambdas) {
                *u = dispatch(Total { terms: &terms, solvent, strength: knob.at(*lambda) });
            }
            return;
        }
        let mut f = vec![Octet::of(0.0); x.len()];
        for (u, lambda) in u.iter_mut().zip(lambdas) {
            *u = self.eval_block(x, Octet::of(*lambda), &mut f, None);
        }
    }

    fn calls(&self, couplings: usize) -> usize {
        if self.linear_solvent().is_some() { couplings.min(1) } else { couplings }
    }

    fn linear(&self) -> bool {
        self.linear_solvent().is_some_and(|(_, knob)| *knob == Knob::identity())
    }

    /// On the path `solvent`, one evaluation.
    fn slope_block(&self, x: &[Octet], lambda: Octet) -> Octet {
        if let Some((solvent, knob)) = self.linear_solvent() {
            let energy = self.full_terms(x, true)[solvent];
            let mut slope = knob.slopes(lambda);
            for (slope, energy) in slope.0.iter_mut().zip(energy.0) {
                *slope *= energy;
            }
            return slope;
        }
        slopes_from_duals(self, x, lambda)
    }

    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        self.evaluate(x, self.couplings(lambda), f, terms, self.wet(&[lambda]))
    }

    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        let mut duals = Vec::with_capacity(x.len());
        for (re, eps) in x.iter().zip(dx) {
            duals.push(Dual::new(*re, *eps));
        }
        let zero = Dual::<f64>::of(0.0);
        let (mut f, mut terms) = (vec![zero; x.len()], vec![zero; self.names.len()]);
        let u = self.evaluate(&duals, self.couplings(Dual::new(lambda, dlambda)), &mut f, &mut terms, true);
        (u.re, u.eps)
    }
}
