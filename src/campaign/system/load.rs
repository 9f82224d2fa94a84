//! From the files of a folder, or of OpenMM, to a [`System`].

use super::description::{self, Description, Written};
use super::folder::Folder;
use super::{Defaults, Symmetry, System, SystemBasin, molecule, stiffness, text, xyz};
use crate::campaign::registry;
use crate::campaign::units::{Kind, Misfit, UnitSystem};
use crate::energy::formula::{Built, Given};
use crate::error::{At, Complaint, Source};
use crate::io::topology::Topology;
use crate::{Error, Result};
use std::path::Path;

impl System {
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
                c.at.get_or_insert_with(|| At { source: source.clone(), span: span.clone() });
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
    let misfit = |m: Misfit| Error::input(format!("{}: {}", source.name, m.what), m.remedy);
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
