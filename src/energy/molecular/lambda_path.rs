//! What the one lambda of a path does to a molecule.

use super::nonbonded::listed;
use crate::energy::Knob;
use crate::io::openmm::MolecularSystem;
use crate::{Error, Result};

/// Names of the knobs, as campaigns write them.
const KNOBS: [&str; 4] = ["solvent", "charges", "solvent_charges", "lj"];

/// Couplings of a molecule as functions of lambda. One that is left out stays at 1.
///
/// Nothing here changes bonds, angles and torsions, or the Lennard-Jones energies of the chosen atoms among themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LambdaPath {
    /// The chosen atoms: those that `charges`, `solvent_charges` and `lj` act on. None: all.
    pub atoms: Option<Vec<usize>>,
    /// Factor of the whole implicit solvent, surface term included: at 0 the energy is that of the vacuum.
    pub solvent: Option<Knob>,
    /// Factor of the charges of the chosen atoms, in Coulomb pairs (exceptions included) and in the implicit solvent. The solvent's surface
    /// term stays: see [`Coupled::left_over`](super::Coupled::left_over).
    pub charges: Option<Knob>,
    /// Factor of the charges of the chosen atoms in the implicit solvent alone, so that at 0 the energy is that of the vacuum and the surface
    /// term (FEAT, arXiv:2504.11516).
    pub solvent_charges: Option<Knob>,
    /// Lennard-Jones coupling of the chosen atoms with all others, soft on the way.
    pub lj: Option<Knob>,
}

impl LambdaPath {
    /// Implicit solvent switched on: vacuum at 0, the whole system at 1.
    pub fn solvent() -> Self {
        LambdaPath { solvent: Some(Knob::identity()), ..Self::default() }
    }

    /// The charges of the chosen atoms switched on everywhere.
    pub fn charges(atoms: Option<Vec<usize>>) -> Self {
        LambdaPath { atoms, charges: Some(Knob::identity()), ..Self::default() }
    }

    /// The charges in the implicit solvent switched on.
    pub fn solvent_charges(atoms: Option<Vec<usize>>) -> Self {
        LambdaPath { atoms, solvent_charges: Some(Knob::identity()), ..Self::default() }
    }

    /// Lennard-Jones of the chosen atoms with the others, from nothing at 0.
    pub fn soft_core(atoms: Vec<usize>) -> Self {
        LambdaPath { atoms: Some(atoms), lj: Some(Knob::identity()), ..Self::default() }
    }

    /// By the names of knobs: `solvent`, `charges`, `solvent_charges`, `lj`, each with its points (lambda, value).
    ///
    /// # Errors
    /// `Error::Input` for an unknown name, one given twice, or unfit points.
    pub fn of_knobs<'a>(atoms: Option<Vec<usize>>, knobs: impl IntoIterator<Item = (&'a str, Vec<[f64; 2]>)>) -> Result<Self> {
        let mut path = LambdaPath { atoms, ..Self::default() };
        for (name, points) in knobs {
            let place = match name {
                "solvent" => &mut path.solvent,
                "charges" => &mut path.charges,
                "solvent_charges" => &mut path.solvent_charges,
                "lj" => &mut path.lj,
                _ => return Err(Error::input(format!("`{name}` is not a knob of a molecule"), format!("known are: {}", KNOBS.join(", ")))),
            };
            if place.replace(Knob::new(points)?).is_some() {
                return Err(Error::input(format!("the knob `{name}` is given twice"), "give it once"));
            }
        }
        Ok(path)
    }

    /// Which atoms are chosen, after a check of everything against a system.
    pub(super) fn chosen(&self, system: &MolecularSystem) -> Result<Vec<bool>> {
        let n = system.atoms();
        if [&self.solvent, &self.charges, &self.solvent_charges, &self.lj].iter().all(|k| k.is_none()) {
            return Err(Error::input("the path drives nothing", format!("give one of the knobs {}", KNOBS.join(", "))));
        }
        let mut chosen = vec![self.atoms.is_none(); n];
        for &a in self.atoms.iter().flatten() {
            let Some(slot) = chosen.get_mut(a) else {
                return Err(Error::input(format!("the path names atom {a} of a system of {n}"), "atoms count from 0"));
            };
            *slot = true;
        }
        if !chosen.contains(&true) {
            return Err(Error::input("the path is for no atom", "choose at least one"));
        }
        if system.implicit.is_none() && (self.solvent.is_some() || self.solvent_charges.is_some()) {
            return Err(Error::input(
                "the path drives the implicit solvent, but the system has none",
                "take a system with implicit solvent",
            ));
        }
        self.charges_there(system, &chosen)?;
        self.decoupling(system, &chosen)?;
        Ok(chosen)
    }

    fn charges_there(&self, system: &MolecularSystem, chosen: &[bool]) -> Result<()> {
        let lists = [system.nonbonded.as_ref().map(|f| &f.charges), system.implicit.as_ref().map(|f| &f.charges)];
        let lists = match (&self.charges, &self.solvent_charges) {
            (None, None) => return Ok(()),
            (Some(_), _) => &lists[..],
            (None, Some(_)) => &lists[1..],
        };
        let there = |q: &Vec<f64>| q.iter().zip(chosen).any(|(q, chosen)| *chosen && *q != 0.0);
        if lists.iter().flatten().any(|q| there(q)) {
            return Ok(());
        }
        Err(Error::input("the path scales charges, but the chosen atoms have none", "choose other atoms, or leave the knob out"))
    }

    /// What a soft core asks for.
    fn decoupling(&self, system: &MolecularSystem, chosen: &[bool]) -> Result<()> {
        let Some(lj) = &self.lj else { return Ok(()) };
        let mut between = system.nonbonded.as_ref().map(listed).unwrap_or_default();
        between.retain(|l| chosen[l.i] != chosen[l.pair.j]);
        if !between.iter().any(|l| l.pair.b > 0.0) {
            return Err(Error::input(
                "the path decouples Lennard-Jones energies, but there are none between the chosen atoms and the others",
                "choose some of the atoms, not all, and such that attract others",
            ));
        }
        let at = |knob: &Option<Knob>, lambda: f64| knob.as_ref().map_or(1.0, |k| k.at(lambda));
        let mut corners: Vec<f64> = vec![0.0, 1.0];
        for knob in [&self.lj, &self.charges, &self.solvent].into_iter().flatten() {
            corners.extend(knob.points().iter().map(|p| p[0]));
        }
        corners.sort_by(f64::total_cmp);
        let attract = between.iter().any(|l| l.pair.c < 0.0);
        for w in corners.windows(2) {
            let soft = lj.at(w[0]).min(lj.at(w[1])) < 1.0;
            let lambda = if at(&self.charges, w[0]) > 0.0 { w[0] } else { w[1] };
            if attract && soft && at(&self.charges, lambda) > 0.0 {
                return Err(Error::input(
                    format!(
                        "near lambda = {lambda} the chosen atoms attract others by their charges while their Lennard-Jones cores are soft: the energy has no bottom"
                    ),
                    "switch the charges off first: knobs = { charges = [[0, 0], [0.5, 0], [1, 1]], lj = [[0, 0], [0.5, 1]] }",
                ));
            }
        }
        for &lambda in &corners {
            if system.implicit.is_some() && lj.at(lambda) == 0.0 && at(&self.solvent, lambda) > 0.0 {
                return Err(Error::input(
                    format!(
                        "at lambda = {lambda} the Lennard-Jones energies are decoupled, but the implicit solvent still couples the chosen atoms with the others"
                    ),
                    "switch it off before: knobs = { solvent = [[0, 0], [0.5, 0], [1, 1]], ... }",
                ));
            }
        }
        Ok(())
    }
}
