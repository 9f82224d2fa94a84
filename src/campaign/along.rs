//! What `[path]` makes of a system: a potential that depends on lambda, and where it begins.

use super::config::{Campaign, LinearBase, Path, Resolved, StageKind, SystemFrom};
use super::inputs::Inputs;
use super::named_system::{locate, named_system};
use super::system::{Symmetry, System};
use crate::dynamics::Com;
use crate::energy::molecular::{LambdaPath, coupled};
use crate::energy::umbrella::Umbrella;
use crate::energy::{Interpolated, Potential};
use crate::io::selection;
use crate::io::topology::Topology;
use crate::path::GaussianBase;
use crate::{Error, Result};
use std::sync::Arc;

/// A path that a system was put on.
#[derive(Clone)]
pub struct AlongPath {
    /// Its kind, as campaigns write it.
    pub kind: &'static str,
    /// The normalised density at lambda = 0, where it is one that can be drawn from.
    pub base: Option<GaussianBase>,
    /// What the reader must know of it: what is left over at lambda = 0, what log Z is about.
    pub remarks: Vec<String>,
}

/// The system on the campaign's path; as it is without one.
///
/// # Errors
/// `Error::Input`, at the table of the path, when the path does not fit the system.
pub(super) fn apply(system: &Arc<System>, resolved: &Resolved, campaign: &Campaign, inputs: &Inputs) -> Result<Arc<System>> {
    let Some(path) = &resolved.path else { return Ok(system.clone()) };
    let built = build(system, &path.value, resolved, campaign, inputs).map_err(|e| locate(e, campaign, path.span.clone()))?;
    Ok(Arc::new(built))
}

fn build(system: &System, path: &Path, resolved: &Resolved, campaign: &Campaign, inputs: &Inputs) -> Result<System> {
    let mut on = system.clone();
    let mut along = AlongPath { kind: path.name(), base: None, remarks: Vec::new() };
    match path {
        Path::Geometric { normal } => {
            let beta = beta_of_the_path(resolved, campaign)?;
            let base = gaussian(system, normal.value)?;
            on.potential = Arc::new(Interpolated::new(base.potential(beta), system.potential.clone())?);
            along.remarks.push(convention(system));
            along.base = Some(base);
        }
        Path::Linear { base: LinearBase::System(name) } => {
            let base = named_system(&name.value, &[], inputs).map_err(|e| locate(e, campaign, name.span.clone()))?;
            if base.dof() != system.dof() {
                let what = format!("{} has {} degrees of freedom, {} has {}", base.name, base.dof(), system.name, system.dof());
                return Err(locate(Error::input(what, "name a system of the same coordinates"), campaign, name.span.clone()));
            }
            on.potential = Arc::new(Interpolated::new(base.potential, system.potential.clone())?);
            on.digest.push_str(&base.digest);
        }
        Path::Linear { base: LinearBase::Formula(text) } => {
            let SystemFrom::Formula(formula) = &campaign.system.from else {
                let no = Error::input("a base given as a formula needs a system given as a formula", "name a system instead");
                return Err(locate(no, campaign, text.span.clone()));
            };
            let base = formula.another(text, &campaign.system.parameters);
            let base = base.map_err(|m| Error::Input(vec![campaign.mistake(text, m)]))?;
            on.potential = Arc::new(Interpolated::new(Arc::new(base), system.potential.clone())?);
            on.digest.push_str(&text.value);
        }
        Path::Solvent => on.potential = molecular(system, &LambdaPath::solvent())?,
        Path::Charges { atoms } => {
            let atoms = chosen(system, atoms.as_ref(), campaign)?;
            left_over(system, &LambdaPath::charges(atoms), &mut on, &mut along)?;
        }
        Path::SolventCharges { atoms } => {
            let atoms = chosen(system, atoms.as_ref(), campaign)?;
            left_over(system, &LambdaPath::solvent_charges(atoms), &mut on, &mut along)?;
        }
        Path::SoftCore { atoms } => {
            let atoms = chosen(system, Some(atoms), campaign)?.unwrap_or_default();
            on.potential = molecular(system, &LambdaPath::soft_core(atoms))?;
        }
        Path::Knobs { atoms, knobs } => {
            let atoms = chosen(system, atoms.as_ref(), campaign)?;
            let knobs = knobs.iter().map(|(name, points)| (name.value.as_str(), points.value.clone()));
            on.potential = molecular(system, &LambdaPath::of_knobs(atoms, knobs)?)?;
        }
        Path::Umbrella { of, from, to, stiffness } => {
            let xi = super::metadynamics::collective(&of.value.kind, system).map_err(|e| locate(e, campaign, of.span.clone()))?;
            on.potential = Arc::new(Umbrella::new(system.potential.clone(), xi, from.value, to.value, stiffness.value)?);
        }
    }
    // a path of a molecule's own terms was built without it
    let rebuilt = !matches!(path, Path::Geometric { .. } | Path::Linear { .. } | Path::Umbrella { .. });
    if let Some(restraint) = system.restraint.as_ref().filter(|_| rebuilt) {
        on.potential = Arc::new(restraint.over(on.potential)?);
    }
    on.path = Some(along);
    Ok(on)
}

/// The one inverse temperature at which the base of a geometric path is normalised.
fn beta_of_the_path(resolved: &Resolved, campaign: &Campaign) -> Result<f64> {
    let mut found: Option<f64> = None;
    for stage in &resolved.stages {
        let thermal = match &stage.kind {
            StageKind::Anneal(a) if a.along.temperatures().is_none() => &a.thermal,
            kind => match kind.chain() {
                Some(chain) if kind.ladder().is_some() || chain.lambda.is_some() || matches!(kind, StageKind::Switch(_)) => &chain.thermal,
                _ => continue,
            },
        };
        let beta = thermal.value.beta(resolved.units);
        if let Some(first) = found
            && (first - beta).abs() > 1e-12 * first
        {
            let what = "stages on a geometric path have different temperatures: its base is normalised at one of them only";
            return Err(Error::Input(vec![campaign.complaint(&thermal.span, what, "give them one temperature, or make two campaigns")]));
        }
        found = Some(beta);
    }
    // without a stage on the path any will do
    Ok(found.unwrap_or(1.0))
}

/// The normal density of a geometric path: about the centre of a cloud of particles, about 0 otherwise.
fn gaussian(system: &System, sigma: f64) -> Result<GaussianBase> {
    let (dof, dim) = (system.dof(), system.dimension.max(1));
    let mut mean = vec![0.0; dof];
    let free = system.symmetries.contains(&Symmetry::Translation) && system.remove_com;
    if system.atoms() > 0 && !free {
        for (d, m) in mean.iter_mut().enumerate() {
            *m = system.start[0].iter().skip(d % dim).step_by(dim).sum::<f64>() / system.particles as f64;
        }
    }
    let com = if free { Com::Remove { dim } } else { Com::Keep };
    Ok(GaussianBase::new(mean, sigma)?.with_com(com))
}

/// What log Z integrates over.
fn convention(system: &System) -> String {
    let free = system.symmetries.contains(&Symmetry::Translation) && system.remove_com;
    let over = if free { "configurations whose centre of mass is at the origin" } else { "all configurations" };
    format!("log Z is ln of the integral of exp(-u) dx over {over}, in units of length to the power of the degrees of freedom")
}

fn molecular(system: &System, path: &LambdaPath) -> Result<Arc<dyn Potential>> {
    let Some(molecule) = &system.molecule else {
        return Err(Error::input(
            format!("{} is no molecule: it has no solvent, charges or Lennard-Jones terms to switch", system.name),
            "write kind = \"geometric\" or \"linear\"",
        ));
    };
    coupled(molecule, path)
}

/// A path of charges, with what it leaves of the solvent.
fn left_over(system: &System, path: &LambdaPath, on: &mut System, along: &mut AlongPath) -> Result<()> {
    on.potential = molecular(system, path)?;
    if let Some(molecule) = &system.molecule
        && let Some(energy) = crate::energy::molecular::Coupled::new(molecule, path)?.left_over(&system.start[0])
    {
        let what = format!(
            "at lambda = 0 the implicit solvent still has {energy:.4} kJ/mol at the start: its surface term does not depend on charges"
        );
        along.remarks.push(what);
    }
    Ok(())
}

/// The atoms of a list: names as everywhere, ranges of indices, residues by name.
fn chosen(system: &System, text: Option<&super::config::Placed<String>>, campaign: &Campaign) -> Result<Option<Vec<usize>>> {
    let Some(text) = text else { return Ok(None) };
    let topology =
        system.topology.as_ref().ok_or_else(|| Error::input(format!("{} has no atoms to name", system.name), "remove `atoms`"))?;
    atoms(topology, &text.value).map(Some).map_err(|e| locate(e, campaign, text.span.clone()))
}

fn atoms(topology: &Topology, text: &str) -> Result<Vec<usize>> {
    let mut all = Vec::new();
    for word in text.split(',').map(str::trim) {
        let named: Vec<usize> = topology.residues.iter().filter(|r| r.name == word).flat_map(|r| r.atoms.clone()).collect();
        if !named.is_empty() {
            all.extend(named);
        } else if let Some((first, last)) = word.split_once('-').filter(|(a, b)| a.starts_with('#') && b.trim().starts_with('#')) {
            let (first, last) = (selection::atom(topology, first)?, selection::atom(topology, last.trim())?);
            all.extend(first..=last);
        } else {
            all.push(selection::atom(topology, word)?);
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}
