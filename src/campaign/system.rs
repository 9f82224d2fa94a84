//! Systems: a folder of data becomes a potential with masses, a start, references and sane defaults.

mod description;
mod folder;
mod molecule;
mod stiffness;
mod text;
mod xyz;

use super::along::AlongPath;
use crate::campaign::registry;
use crate::campaign::units::{Kind, Quantity, UnitSystem};
use crate::energy::Potential;
use crate::energy::collective::Collective;
use crate::energy::formula::{Built, Given, Parameters};
use crate::energy::restraint::Restrained;
use crate::error::Complaint;
use crate::error::Source;
use crate::estimate;
use crate::io::topology::Topology;
use crate::{Error, Result};
use description::{Description, Written};
use folder::Folder;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What leaves the energy unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Symmetry {
    /// Moving all particles alike.
    Translation,
    /// Turning all particles about the origin.
    Rotation,
    /// x -> -x.
    Parity,
    /// Exchanging two particles.
    Permutation,
}

/// A value from elsewhere to compare with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// What: the name of a column for its canonical mean (`energy`, `coordinate:0`), `log_z`, `minimum`, ...
    pub quantity: String,
    /// The value, in internal units.
    pub value: f64,
    /// Its standard error; 0 for an exact value.
    pub error: f64,
    /// Under which conditions, for example `temperature = 1.0`.
    #[serde(default)]
    pub conditions: BTreeMap<String, f64>,
    /// Where it comes from, or how it is derived.
    pub source: String,
}

impl Reference {
    /// What a campaign says of its own formula, whatever the conditions.
    pub(super) fn anywhere(quantity: &str, known: &estimate::Reference) -> Self {
        let estimate::Reference { value, error, source } = known.clone();
        Reference { quantity: quantity.to_owned(), value, error, conditions: BTreeMap::new(), source }
    }
}

/// Sane settings for a first run, in internal units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// K; kT in reduced units.
    pub temperature: Option<f64>,
    /// ps; the system's time in reduced units.
    pub timestep: Option<f64>,
    /// 1/ps.
    pub friction: Option<f64>,
    /// Columns worth storing.
    pub observables: Vec<String>,
}

/// A region worth counting visits to: a box in one or more observables.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemBasin {
    /// Name.
    pub name: String,
    /// Observable, lower end, upper end.
    pub sides: Vec<(String, Quantity, Quantity)>,
}

/// Something to sample: a potential with all that goes with it.
#[derive(Clone)]
pub struct System {
    /// The folder's name.
    pub name: String,
    /// One line.
    pub title: String,
    /// More.
    pub description: String,
    /// Where the target comes from.
    pub paper: String,
    /// Name of the formula.
    pub formula: String,
    /// Its parameters, overrides included; none for a molecule.
    pub parameters: Option<Parameters>,
    /// The energy.
    pub potential: Arc<dyn Potential>,
    /// Number of particles; 1 for a point in `dimension` dimensions.
    pub particles: usize,
    /// Dimensions of one particle.
    pub dimension: usize,
    /// Names of the degrees of freedom of a system given as a formula; else none.
    pub variables: Vec<String>,
    /// Collective variables that the campaign gave a name and a formula.
    pub observables: Vec<(String, Arc<dyn Collective>)>,
    /// The restraint that is part of the potential.
    pub restraint: Option<Arc<Restrained>>,
    /// Mass of each degree of freedom, `[dof]`.
    pub masses: Vec<f64>,
    /// How bare numbers are read.
    pub units: UnitSystem,
    /// Structures to start from, each `[dof]`; replica r takes structure r modulo their number.
    pub start: Vec<Vec<f64>>,
    /// Width of the normal displacement that spreads the replicas about the start; 0 for none.
    pub spread: f64,
    /// What leaves the energy unchanged.
    pub symmetries: Vec<Symmetry>,
    /// Whether the motion of the centre of mass is removed unless the campaign says otherwise.
    pub remove_com: bool,
    /// Values from elsewhere.
    pub references: Vec<Reference>,
    /// Settings for a first run.
    pub defaults: Defaults,
    /// Regions.
    pub basins: Vec<SystemBasin>,
    /// Fastest angular frequency, and where it comes from: a timestep must stay well below 2 over it.
    pub omega_max: Option<(f64, String)>,
    /// Names of the atoms; of a cluster, particles without names; none for a density on R^n.
    pub topology: Option<Topology>,
    /// Of a molecule: its forces as read, of which a path makes other potentials.
    pub molecule: Option<Arc<crate::io::openmm::MolecularSystem>>,
    /// What the campaign's path made of the potential; none without a path.
    pub path: Option<AlongPath>,
    /// What is lawful but looks like a mistake.
    pub warnings: Vec<String>,
    /// Hash of everything that the system was made of, overrides included.
    pub digest: String,
}

impl System {
    /// The systems that come with the program, sorted.
    pub fn names() -> Vec<&'static str> {
        folder::names()
    }

    /// A system by its name in `systems/`, or by the path of a folder; `overrides` replace its parameters.
    ///
    /// # Errors
    /// `Error::Input` for an unknown name, formula or parameter (with the known ones), and for everything wrong in the
    /// folder's files; `Error::Io` when they cannot be read.
    pub fn load(name: &str, overrides: &[Given]) -> Result<Self> {
        let folder = Folder::find(name)?;
        let source = folder.text("system.toml")?;
        let description: Description = description::parse(&source)?;
        let mut hash = blake3::Hasher::new();
        hash.update(source.text.as_bytes());
        let references = match folder.optional("reference.toml")? {
            Some(text) => description::references(&text)?,
            None => Vec::new(),
        };
        let mut given = description.given(&source)?;
        given.extend(overrides.iter().cloned());
        for g in overrides {
            hash.update(format!("{} = {:?}\n", g.name, g.value).as_bytes());
        }
        let units = description.units.into();
        let mut system = if description.formula.get_ref() == MOLECULE {
            let (xml, pdb) = (needed(&description.file, "file", &source)?, needed(&description.coordinates, "coordinates", &source)?);
            let text = |file: &toml::Spanned<String>| folder.text(file.get_ref()).map_err(|e| place(e, &source, file.span()));
            let (xml, pdb) = (text(xml)?, text(pdb)?);
            hash.update(xml.text.as_bytes());
            hash.update(pdb.text.as_bytes());
            if let Some(g) = given.first() {
                let remedy = "parameters of a molecule stand in its System XML: change them in OpenMM and serialise it again";
                return Err(Error::Input(vec![Complaint {
                    what: format!("unknown parameter `{}`: a molecule takes none", g.name),
                    at: g.at.clone(),
                    remedy: remedy.to_owned(),
                }]));
            }
            System::of_molecule(molecule::build(&xml, &pdb)?)
        } else {
            let (built, known) = match &description.variables {
                Some(variables) => (text::of_folder(variables, &description.formula, &given, &source)?, None),
                None => {
                    let formula = registry::formula(description.formula.get_ref());
                    let formula = formula.map_err(|e| place(e, &source, description.formula.span()))?;
                    let (built, parameters) = formula.build(&given)?;
                    (built, Some((formula, parameters)))
                }
            };
            declared(&description, &built, &source)?;
            let start = start(&folder, &description, &source, &built, &mut hash)?;
            let masses = masses(&description, &source, built.potential.dof())?;
            let omega_max = stiffness::omega_max(&*built.potential, &masses, &start[0]);
            let per_particle: Vec<f64> = masses.iter().step_by(built.dimension).copied().collect();
            System {
                formula: description.formula.get_ref().clone(),
                paper: known.as_ref().map_or("", |(formula, _)| formula.paper).to_owned(),
                parameters: known.map(|(_, parameters)| parameters),
                variables: description.variables.iter().flatten().map(|v| v.get_ref().clone()).collect(),
                topology: (built.particles > 1).then(|| Topology::particles(&per_particle, "X")),
                start,
                omega_max,
                ..System::bare(built.potential, built.particles, built.dimension, masses)
            }
        };
        system.name = folder.name();
        system.units = units;
        system.defaults = defaults(&description, &source, units)?;
        system.basins = basins(&description, &source)?;
        system.remove_com = description.defaults.remove_com.unwrap_or(description.symmetries.contains(&Symmetry::Translation));
        if !description.paper.is_empty() {
            system.paper = description.paper;
        }
        system.title = description.title;
        system.description = description.description;
        system.spread = description.spread;
        system.symmetries = description.symmetries;
        system.references = references;
        system.digest = hash.finalize().to_hex().to_string();
        Ok(system)
    }

    /// A molecule from an OpenMM System XML and a PDB file.
    ///
    /// # Errors
    /// `Error::Io` when they cannot be read; `Error::Input` with everything that is unsupported or does not fit.
    pub fn from_files(xml: &Path, pdb: &Path) -> Result<Self> {
        let read = |path: &Path| -> Result<Source> {
            let text = std::fs::read_to_string(path).map_err(|e| Error::reading(path, "reading the system", &e))?;
            Ok(Source::new(path.display().to_string(), text))
        };
        let (xml_text, pdb_text) = (read(xml)?, read(pdb)?);
        let mut hash = blake3::Hasher::new();
        hash.update(xml_text.text.as_bytes());
        hash.update(pdb_text.text.as_bytes());
        let mut system = System::of_molecule(molecule::build(&xml_text, &pdb_text)?);
        system.name = xml.file_stem().map_or_else(|| "molecule".to_owned(), |n| n.to_string_lossy().into_owned());
        system.title = format!("{} as OpenMM wrote it", system.name);
        system.digest = hash.finalize().to_hex().to_string();
        Ok(system)
    }

    fn of_molecule(m: molecule::Molecular) -> Self {
        let particles = m.topology.atoms.len();
        System {
            formula: MOLECULE.to_owned(),
            paper: "OpenMM 8: Eastman et al., J. Phys. Chem. B 128, 109 (2024)".to_owned(),
            units: UnitSystem::Molecular,
            start: m.start,
            symmetries: vec![Symmetry::Translation, Symmetry::Rotation],
            remove_com: true,
            omega_max: m.omega_max,
            topology: Some(m.topology),
            molecule: Some(m.system),
            warnings: m.warnings,
            ..System::bare(m.potential, particles, 3, m.masses)
        }
    }

    /// Nothing but a potential.
    fn bare(potential: Arc<dyn Potential>, particles: usize, dimension: usize, masses: Vec<f64>) -> Self {
        System {
            name: String::new(),
            title: String::new(),
            description: String::new(),
            paper: String::new(),
            formula: String::new(),
            parameters: None,
            potential,
            particles,
            dimension,
            variables: Vec::new(),
            observables: Vec::new(),
            restraint: None,
            masses,
            units: UnitSystem::Reduced,
            start: Vec::new(),
            spread: 0.0,
            symmetries: Vec::new(),
            remove_com: false,
            references: Vec::new(),
            defaults: Defaults::default(),
            basins: Vec::new(),
            omega_max: None,
            topology: None,
            molecule: None,
            path: None,
            warnings: Vec::new(),
            digest: String::new(),
        }
    }

    /// Particles with positions in space: 0 for a density on R^n.
    pub fn atoms(&self) -> usize {
        if self.particles > 1 { self.particles } else { 0 }
    }

    /// Degrees of freedom.
    pub fn dof(&self) -> usize {
        self.potential.dof()
    }

    /// The reference of a quantity under given conditions; those that either side leaves out match.
    pub fn reference(&self, quantity: &str, conditions: &BTreeMap<String, f64>) -> Option<&Reference> {
        self.references.iter().find(|r| {
            r.quantity == quantity && r.conditions.iter().all(|(k, v)| conditions.get(k).is_none_or(|x| (x - v).abs() <= 1e-9 * v.abs()))
        })
    }
}

/// `formula = "molecule"`: everything stands in an OpenMM System XML.
const MOLECULE: &str = "molecule";

/// A key that a molecule cannot do without.
fn needed<'a>(key: &'a Option<toml::Spanned<String>>, name: &str, source: &Source) -> Result<&'a toml::Spanned<String>> {
    key.as_ref().ok_or_else(|| {
        Error::input(format!("{}: a molecule needs `{name}`", source.name), "name its System XML (file) and its PDB (coordinates)")
    })
}

/// The same complaints, pointing at `span`.
fn place(e: Error, source: &Source, span: std::ops::Range<usize>) -> Error {
    match e {
        Error::Input(mut complaints) => {
            for c in &mut complaints {
                c.at.get_or_insert_with(|| crate::error::At { source: source.clone(), span: span.clone() });
            }
            Error::Input(complaints)
        }
        other => other,
    }
}

/// Particles and dimensions as declared must be those of the formula. Overrides may change them: then nothing is declared.
fn declared(d: &Description, built: &Built, source: &Source) -> Result<()> {
    for (what, declared, is) in [("particles", &d.particles, built.particles), ("dimension", &d.dimension, built.dimension)] {
        if let Some(n) = declared.as_ref().filter(|n| *n.get_ref() != is) {
            let message = format!("`{what}` is {}, but the formula with these parameters has {is}", n.get_ref());
            return Err(Error::input_at(source, n.span(), message, "change one of them; a system of another size is another folder"));
        }
    }
    Ok(())
}

fn start(folder: &Folder, d: &Description, source: &Source, built: &Built, hash: &mut blake3::Hasher) -> Result<Vec<Vec<f64>>> {
    let dof = built.potential.dof();
    if !(d.spread.is_finite() && d.spread >= 0.0) {
        return Err(Error::input(format!("{}: `spread` is {}", source.name, d.spread), "give a width, 0 or above"));
    }
    let (structures, span) = match (&d.start, &d.coordinates) {
        (Some(points), None) => (points.get_ref().clone(), points.span()),
        (None, Some(file)) if file.get_ref().ends_with(".xyz") => {
            let text = folder.text(file.get_ref()).map_err(|e| place(e, source, file.span()))?;
            hash.update(text.text.as_bytes());
            (xyz::read(&text)?, file.span())
        }
        (None, Some(file)) => {
            let what = format!("\"{}\" is not a file of structures that a formula can start from", file.get_ref());
            return Err(Error::input_at(source, file.span(), what, "give an .xyz file"));
        }
        (Some(points), Some(_)) => {
            let remedy = "give one of them";
            return Err(Error::input_at(source, points.span(), "both `start` and `coordinates` are given", remedy));
        }
        (None, None) => return Ok(vec![vec![0.0; dof]]),
    };
    match structures.iter().find(|x| x.len() != dof || x.iter().any(|v| !v.is_finite())) {
        None if !structures.is_empty() => Ok(structures),
        wrong => {
            let n = wrong.map_or(0, Vec::len);
            let what = format!("a start has {n} finite numbers, but the system has {dof} degrees of freedom");
            Err(Error::input_at(source, span, what, "give one number for each degree of freedom"))
        }
    }
}

fn masses(d: &Description, source: &Source, dof: usize) -> Result<Vec<f64>> {
    match &d.mass {
        None => Ok(vec![1.0; dof]),
        Some(m) if m.get_ref().is_finite() && *m.get_ref() > 0.0 => Ok(vec![*m.get_ref(); dof]),
        Some(m) => Err(Error::input_at(source, m.span(), format!("`mass` is {}", m.get_ref()), "give a mass above 0")),
    }
}

fn defaults(d: &Description, source: &Source, units: UnitSystem) -> Result<Defaults> {
    let number = |w: &Option<Written>, key: &str, kind: Kind| match w {
        None => Ok(None),
        Some(w) => w.resolve(source, key, kind, units).map(Some),
    };
    Ok(Defaults {
        temperature: number(&d.defaults.temperature, "temperature", Kind::Temperature)?,
        timestep: number(&d.defaults.timestep, "timestep", Kind::Time)?,
        friction: number(&d.defaults.friction, "friction", Kind::InverseTime)?,
        observables: d.defaults.observables.clone(),
    })
}

fn basins(d: &Description, source: &Source) -> Result<Vec<SystemBasin>> {
    let misfit = |m: crate::campaign::units::Misfit| Error::input(format!("{}: {}", source.name, m.what), m.remedy);
    let mut all = Vec::new();
    for (name, boxed) in &d.basins {
        let mut sides = Vec::new();
        for (observable, [lower, upper]) in boxed {
            sides.push((observable.clone(), lower.quantity().map_err(misfit)?, upper.quantity().map_err(misfit)?));
        }
        all.push(SystemBasin { name: name.clone(), sides });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::formula::Value;

    #[test]
    fn a_system_loads_with_overrides() {
        let s = System::load("dw4", &[]).unwrap();
        assert_eq!((s.dof(), s.particles, s.dimension, s.units), (8, 4, 2, UnitSystem::Reduced));
        assert_eq!(s.references[0].value, -22.535);
        let t = System::load("dw4", &[Given::new("offset", Value::Number(3.0))]).unwrap();
        assert_ne!(s.digest, t.digest);
        let (omega, _) = System::load("lj13-efm", &[]).unwrap().omega_max.unwrap();
        println!("{omega}");
        assert!(omega > 10.0 && omega < 60.0, "{omega}");
    }

    #[test]
    fn mistakes_name_what_is_right() {
        let say = |name: &str, given: &[Given]| System::load(name, given).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(say("lj13_efm", &[]).contains("did you mean \"lj13-efm\"?"));
        let e = say("dw4", &[Given::new("offest", Value::Number(3.0)), Given::new("a", Value::Number(-1.0))]);
        assert!(e.contains("did you mean `offset`?") && e.contains("`a` is -1, but must be a number above 0"), "{e}");
        assert!(say("dw4", &[Given::new("particles", Value::Number(5.0))]).contains("`particles` is 4"));
        assert!(say("./nowhere", &[]).contains("there is no folder"));
    }
}
