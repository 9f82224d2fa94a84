//! Molecules as OpenMM describes them: bonds, angles, torsions, pairs and implicit solvent as one [`Energy`].

mod bonds;
mod coupled;
mod implicit;
mod lambda_path;
mod nonbonded;
mod rows;
mod soft_core;
mod stiffness;
mod torsions;
mod vector;

use self::bonds::{Angles, Bonds};
use self::implicit::Solvent;
use self::nonbonded::Pairs;
use self::rows::Rows;
use self::torsions::Torsions;
use super::Energy;
use crate::io::openmm::{
    Angle, Bond, COULOMB as OPENMM_COULOMB, Implicit, ImplicitKind, Method, MolecularSystem, Neck, Nonbonded, Torsion,
};
use crate::real::Real;
use crate::{Error, Result};

pub use self::coupled::{Coupled, coupled};
pub use self::lambda_path::LambdaPath;
pub use self::stiffness::{Stiffest, stiffest};

/// The energy of a molecular system.
///
/// Shapes: x and f are `[atom][3]`. Units: nm, kJ/mol, kJ/mol/nm. Terms: one for each force of the system, in its order
/// (`CMMotionRemover`: 0). Replicas that evaluate to something not finite leave their neighbours in the batch untouched.
/// The energy does not depend on lambda: for paths see [`LambdaPath`] and [`coupled`].
/// Speed (one core of a Xeon with AVX-512, f64, energy and force of alanine dipeptide, per replica): 0.55 us in vacuum,
/// 2.6 us with GBSA-OBC.
/// Source: OpenMM 8 user guide, "Standard Forces"; each term names its own papers.
#[derive(Clone, Debug)]
pub struct Molecule {
    dof: usize,
    names: Vec<String>,
    forces: Vec<Force>,
}

#[derive(Clone, Debug)]
enum Force {
    None,
    Bonds(Bonds),
    Angles(Angles),
    Torsions(Torsions),
    Pairs(Pairs),
    Solvent(Solvent),
}

impl Force {
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], f: &mut [T]) -> T {
        match self {
            Force::None => T::of(0.0),
            Force::Bonds(b) => b.energy_force(x, f),
            Force::Angles(a) => a.energy_force(x, f),
            Force::Torsions(t) => t.energy_force(x, f),
            Force::Pairs(p) => p.energy_force(x, f),
            Force::Solvent(s) => s.energy_force(x, f),
        }
    }
}

impl Molecule {
    /// Prepares the lists of a system.
    ///
    /// # Errors
    /// `Error::Shape` when a list has not one entry per particle; `Error::Input` when a force names a particle, a term or
    /// a place in a table that does not exist. Systems that the reader made have neither.
    pub fn new(system: &MolecularSystem) -> Result<Self> {
        check(system)?;
        let mut forces = vec![Force::None; system.forces.len()];
        for b in &system.bonds {
            forces[b.term] = Force::Bonds(Bonds::new(&b.items));
        }
        for a in &system.angles {
            forces[a.term] = Force::Angles(Angles::new(&a.items));
        }
        for t in &system.torsions {
            forces[t.term] = Force::Torsions(Torsions::new(&t.items));
        }
        if let Some(n) = &system.nonbonded {
            forces[n.term] = Force::Pairs(Pairs::new(n));
        }
        if let Some(s) = &system.implicit {
            forces[s.term] = Force::Solvent(Solvent::new(s));
        }
        Ok(Molecule { dof: 3 * system.atoms(), names: system.term_names(), forces })
    }

    #[inline(always)]
    fn evaluate<T: Real>(&self, x: &[T], f: &mut [T], terms: Option<&mut [T]>) -> T {
        let (x, f) = (&x[..self.dof], &mut f[..self.dof]);
        for slot in f.iter_mut() {
            *slot = T::of(0.0);
        }
        let mut total = T::of(0.0);
        let mut terms = terms;
        for k in 0..self.forces.len() {
            let u = self.forces[k].energy_force(x, f);
            total += u;
            if let Some(terms) = terms.as_deref_mut() {
                terms[k] = u;
            }
        }
        total
    }
}

impl Energy for Molecule {
    fn dof(&self) -> usize {
        self.dof
    }

    fn terms(&self) -> Vec<String> {
        self.names.clone()
    }

    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        self.evaluate(x, f, None)
    }

    #[inline(always)]
    fn energy_terms<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T], terms: &mut [T]) -> T {
        self.evaluate(x, f, Some(terms))
    }
}

/// Everything that the loops index with.
fn check(system: &MolecularSystem) -> Result<()> {
    let n = system.atoms();
    let remedy = "build the system with `read_system`, which checks it";
    let exists = |atoms: &[usize]| match atoms.iter().find(|a| **a >= n) {
        Some(a) => Err(Error::input(format!("a force names particle {a} of a system of {n}"), remedy)),
        None => Ok(()),
    };
    let one_each = |what: &'static str, list: &[f64]| match list.len() == n {
        true => Ok(()),
        false => Err(Error::Shape { what, expected: n, found: list.len() }),
    };
    let mut terms: Vec<usize> = Vec::new();
    for b in &system.bonds {
        terms.push(b.term);
        b.items.iter().try_for_each(|b| exists(&b.atoms))?;
    }
    for a in &system.angles {
        terms.push(a.term);
        a.items.iter().try_for_each(|a| exists(&a.atoms))?;
    }
    for t in &system.torsions {
        terms.push(t.term);
        t.items.iter().try_for_each(|t| exists(&t.atoms))?;
        if t.items.iter().any(|t| t.periodicity == 0) {
            return Err(Error::input("a torsion has periodicity 0", remedy));
        }
    }
    if let Some(f) = &system.nonbonded {
        terms.push(f.term);
        one_each("charges", &f.charges)?;
        one_each("sigma", &f.sigma)?;
        one_each("epsilon", &f.epsilon)?;
        f.exceptions.iter().try_for_each(|e| exists(&e.atoms))?;
    }
    if let Some(f) = &system.implicit {
        terms.push(f.term);
        one_each("charges of the implicit solvent", &f.charges)?;
        one_each("radii", &f.radii)?;
        one_each("offset radii", &f.offset_radii)?;
        one_each("scaled radii", &f.scaled_radii)?;
        one_each("alpha", &f.alpha)?;
        one_each("beta", &f.beta)?;
        one_each("gamma", &f.gamma)?;
        if let Some(neck) = &f.neck {
            let size = neck.size * neck.size;
            if neck.index.len() != n || neck.d0.len() != size || neck.m0.len() != size || neck.index.iter().any(|k| *k >= neck.size) {
                return Err(Error::input("the tables of the necks do not fit the particles", remedy));
            }
        }
    }
    terms.sort_unstable();
    if terms.windows(2).any(|t| t[0] == t[1]) || terms.last().is_some_and(|t| *t >= system.forces.len()) {
        return Err(Error::input("two forces have one place among the terms, or one has none", remedy));
    }
    Ok(())
}
