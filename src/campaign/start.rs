//! Where the replicas of a stage start.

use super::config::{Frames, Placed, Start};
use super::job::Job;
use super::session::Session;
use super::units::UnitSystem;
use crate::batch::Coords;
use crate::io::reader::Run;
use crate::io::structures::{self, Expected};
use crate::stream::{Purpose, Root};
use crate::{Error, Result};

/// Starting positions, `[replica][dof]`; with fewer starts than replicas they are taken in turn.
pub(super) fn rows(start: &Start, replicas: usize, job: &Job<'_>, root: &Root, session: &Session) -> Result<Vec<f64>> {
    rows_from(start, 0, replicas, job, root, session)
}

/// The same for replicas that follow `first` others.
pub(super) fn rows_from(start: &Start, first: usize, replicas: usize, job: &Job<'_>, root: &Root, session: &Session) -> Result<Vec<f64>> {
    let starts = starts(start, job, session)?;
    let mut rows = Vec::with_capacity(replicas * job.system.dof());
    for r in first..first + replicas {
        rows.extend_from_slice(&starts[r % starts.len()]);
    }
    let width = match start {
        Start::Random(width) => Some(width.value),
        Start::System if job.system.spread > 0.0 => Some(job.system.spread),
        _ => None,
    };
    if let Some(width) = width {
        displace(&mut rows, job.system.dof(), width, root);
    }
    Ok(rows)
}

/// How many starts there are, without replicas: what a minimise stage takes as its number of replicas.
pub(super) fn starts(start: &Start, job: &Job<'_>, session: &Session) -> Result<Vec<Vec<f64>>> {
    let dof = job.system.dof();
    let found = match start {
        Start::System | Start::Random(_) => job.system.start.clone(),
        Start::Stage(name) => {
            let dir = job.dir.join(&name.value);
            let Some(saved) = session.load(&dir, &job.config_hash)? else {
                return Err(Error::run(format!("stage '{}' has not run", name.value), "resume the run from its first stage"));
            };
            let mut x = Coords::zeros(1, dof);
            crate::batch::Resume::load(&mut x, saved.nested("ensemble")?.nested("state")?.nested("x")?)?;
            chunks(&x.to_rows(), dof)
        }
        Start::Run { dir, stage, frames } => from_run(dir, stage, frames, job, session)?,
        Start::Structures(files) => {
            let mut all = Vec::new();
            for file in files {
                let path = session.inputs.path(&file.value).map_err(|e| job.at(e, file.span.clone()))?;
                let expected =
                    Expected { dof, topology: job.system.topology.as_ref(), molecule: job.resolved.units == UnitSystem::Molecular };
                let read = structures::read_structures(&path, expected).map_err(|e| job.at(e, file.span.clone()))?;
                all.extend(read.into_iter().map(|s| s.x));
            }
            all
        }
    };
    if found.is_empty() {
        return Err(Error::input("the start holds no configuration", "name a file with at least one structure"));
    }
    Ok(found)
}

fn from_run(dir: &Placed<String>, stage: &Placed<String>, frames: &Frames, job: &Job<'_>, session: &Session) -> Result<Vec<Vec<f64>>> {
    let dof = job.system.dof();
    let path = session.inputs.relative(&dir.value);
    let run = Run::open(&path).map_err(|e| job.at(e, dir.span.clone()))?;
    let source = run.stage(&stage.value).map_err(|e| job.at(e, stage.span.clone()))?;
    let draws = source.frames();
    let wanted = match frames {
        Frames::Last if draws == 0 => Vec::new(),
        Frames::Last => vec![draws - 1],
        Frames::At(list) => list.clone(),
    };
    let mut all = Vec::new();
    for k in wanted {
        for replica in 0..source.header.replicas {
            let x = source.positions(k, replica).map_err(|e| job.at(e, stage.span.clone()))?;
            if x.len() != dof {
                let what = format!(
                    "stage '{}' of {} stores {} coordinates a replica, the system {} has {dof}",
                    stage.value,
                    dir.value,
                    x.len(),
                    job.system.name
                );
                return Err(job.at(Error::input(what, "give a run of the same system"), dir.span.clone()));
            }
            if x.iter().all(|v| v.is_finite()) {
                all.push(x);
            }
        }
    }
    Ok(all)
}

fn chunks(rows: &[f64], dof: usize) -> Vec<Vec<f64>> {
    rows.chunks_exact(dof).map(<[f64]>::to_vec).collect()
}

/// Adds a normal displacement of standard deviation `width` to every coordinate.
fn displace(rows: &mut [f64], dof: usize, width: f64, root: &Root) {
    let stream = root.stream(0, Purpose::Start);
    let mut xi = vec![0.0; dof];
    for (r, row) in rows.chunks_exact_mut(dof).enumerate() {
        stream.normals::<f64>(0, r as u32, &mut xi);
        for (x, xi) in row.iter_mut().zip(&xi) {
            *x += width * xi;
        }
    }
}
