//! A minimise stage: every replica walks downhill from its start.

use super::config::{Minimise, Stage};
use super::job::Job;
use super::session::Session;
use super::start;
use super::units::UnitSystem;
use crate::batch::{Coords, Resume, Snapshot, Thermo};
use crate::dynamics;
use crate::estimate::summary::{Minimised, StageSummary};
use crate::io::{checkpoint, files};
use crate::stream::Root;
use crate::{Error, Result};

/// Minimises, unless the stage's checkpoint says that it is done.
///
/// # Errors
/// `Error::Run` when no replica has a finite energy; what files and starts give.
pub(super) fn run(job: &Job<'_>, stage: &Stage, minimise: &Minimise, session: &Session) -> Result<()> {
    let dir = job.dir.join(&stage.name.value);
    files::make_dir(&dir)?;
    if session.load(&dir, &job.config_hash)?.is_some() {
        return Ok(());
    }
    let root = Root::new(job.seed, &stage.name.value, &job.point);
    let replicas = match &minimise.replicas {
        Some(n) => n.value as usize,
        None => start::starts(&minimise.start, job, session)?.len(),
    };
    let rows = start::rows(&minimise.start, replicas, job, &root, session)?;
    let mut x = Coords::from_rows(&rows, job.system.dof())?;
    // A tenth of an angstrom; in reduced units a tenth of the length unit.
    let max_step = if job.resolved.units == UnitSystem::Molecular { 0.01 } else { 0.1 };
    let settings = dynamics::Minimise { tolerance: minimise.tolerance.value, max_iterations: minimise.max_steps.value, max_step };
    let found = dynamics::minimise(&mut x, &vec![Thermo::at(1.0); replicas], &*job.system.potential, &settings)?;
    let bad = found.iter().filter(|m| !m.converged).count();
    if found.iter().all(|m| !m.energy_after.is_finite()) {
        return Err(Error::run(
            format!("stage '{}': no replica of {} has a finite energy", stage.name.value, job.system.name),
            "check the starting structure: particles may lie on top of each other",
        ));
    }
    if bad > 0 {
        session.warn(format!(
            "stage '{}': {bad} of {replicas} replicas did not reach the tolerance in {} steps (largest force left: {:.3e}); raise max_steps",
            stage.name.value,
            minimise.max_steps.value,
            found.iter().map(|m| m.force_after).fold(0.0, f64::max)
        ));
    }
    let mut s = Snapshot::default();
    s.nest("ensemble", |s| s.nest("state", |s| s.nest("x", |s| x.save(s))));
    for (name, value) in [
        ("energy_before", found.iter().map(|m| m.energy_before).collect::<Vec<f64>>()),
        ("energy_after", found.iter().map(|m| m.energy_after).collect()),
        ("force_before", found.iter().map(|m| m.force_before).collect()),
        ("force_after", found.iter().map(|m| m.force_after).collect()),
    ] {
        s.put(name, value);
    }
    s.put("steps", found.iter().map(|m| m.iterations).collect::<Vec<u64>>());
    s.put("converged", found.iter().map(|m| u64::from(m.converged)).collect::<Vec<u64>>());
    s.put("done", 1_u64);
    checkpoint::save(&dir, &s, &checkpoint::Meta { version: String::new(), config_hash: job.config_hash.clone() })
}

/// What the stage did, for summary.json.
pub(super) fn summary(job: &Job<'_>, stage: &Stage, saved: &Snapshot) -> Result<StageSummary> {
    let number = |name: &str| saved.f64s(name).map(<[f64]>::to_vec);
    let (e0, e1, f0, f1) = (number("energy_before")?, number("energy_after")?, number("force_before")?, number("force_after")?);
    let (steps, converged) = (saved.u64s("steps")?, saved.u64s("converged")?);
    let finite = |x: f64| x.is_finite().then_some(x);
    let minimised = (0..steps.len()).map(|r| Minimised {
        energy_before: finite(e0[r]),
        energy_after: finite(e1[r]),
        force_before: finite(f0[r]),
        force_after: finite(f1[r]),
        steps: steps[r],
        converged: converged[r] == 1,
    });
    Ok(StageSummary {
        stage: stage.name.value.clone(),
        point: job.point.clone(),
        folder: job.folder(stage),
        kind: "minimise".to_owned(),
        replicas: steps.len(),
        minimised: minimised.collect(),
        ..StageSummary::default()
    })
}
