//! Numbers out of segments.

use super::layout::{Slab, failed, open};
use super::segment::{element, tail};
use crate::io::segments::REMEDY;
use crate::io::sink::{Column, Header};
use crate::{Error, Result};
use hdf5::{Dataset, File};
use std::ops::Range;
use std::path::Path;

fn damaged(path: &Path, what: impl Into<String>) -> Error {
    Error::Damaged { path: path.to_owned(), what: what.into(), remedy: REMEDY.to_owned() }
}

fn open_segment(path: &Path) -> Result<File> {
    if !path.exists() {
        return Err(damaged(path, "this segment of the trajectory is missing"));
    }
    open(path).map_err(|e| damaged(path, format!("this segment is cut or damaged ({})", cause(&e))))
}

fn cause(error: &Error) -> String {
    match error {
        Error::Io { cause, .. } => cause.lines().next().unwrap_or_default().to_owned(),
        other => other.to_string(),
    }
}

/// Number of frames in a segment.
pub(crate) fn frames(path: &Path) -> Result<u64> {
    let file = open_segment(path)?;
    let step = file.dataset("step").map_err(|_| damaged(path, "this is not a segment: it has no dataset 'step'"))?;
    Ok(step.shape().first().copied().unwrap_or(0) as u64)
}

/// Checks that a segment holds what the header says, in this many frames.
pub(crate) fn verify(path: &Path, header: &Header, frames: u64) -> Result<()> {
    let file = open_segment(path)?;
    let check = |dataset: Dataset, tail: &[usize], name: &str| {
        let shape = dataset.shape();
        if shape.first().map(|&n| n as u64) == Some(frames) && shape.get(1..) == Some(tail) {
            return Ok(());
        }
        Err(damaged(path, format!("'{name}' has shape {shape:?} instead of ({frames} frames, {tail:?})")))
    };
    let find = |at: &str, name: &str| file.dataset(at).map_err(|_| damaged(path, format!("this segment has no '{name}'")));
    check(find("step", "step")?, &[], "step")?;
    check(find("time", "time")?, &[], "time")?;
    for column in &header.columns {
        let value = find(&format!("{}/value", element(header, column)), &column.name)?;
        check(value, &tail(header, column), &column.name)?;
    }
    Ok(())
}

/// Step numbers of a segment.
pub(crate) fn steps(path: &Path) -> Result<Vec<i64>> {
    let read = |file: &File| file.dataset("step")?.read_raw::<i64>();
    read(&open_segment(path)?).map_err(failed(path, "cannot read the steps")).map_err(|e| damaged(path, cause(&e)))
}

/// Times of a segment.
pub(crate) fn times(path: &Path) -> Result<Vec<f64>> {
    let read = |file: &File| file.dataset("time")?.read_raw::<f64>();
    read(&open_segment(path)?).map_err(failed(path, "cannot read the times")).map_err(|e| damaged(path, cause(&e)))
}

/// Numbers of a column, row-major (frame, replica, width), for some frames of this segment and some replicas.
pub(crate) fn values(path: &Path, header: &Header, column: &Column, frames: Range<usize>, replicas: Range<usize>) -> Result<Vec<f64>> {
    let file = open_segment(path)?;
    let mut axes = vec![(frames.start, frames.len()), (replicas.start, replicas.len())];
    axes.extend(tail(header, column).iter().skip(1).map(|&n| (0, n)));
    let read = || Slab::new(&axes).read::<f64>(&file.dataset(&format!("{}/value", element(header, column)))?);
    read().map_err(|e| damaged(path, format!("'{}' cannot be read: {}", column.name, e.to_string().lines().next().unwrap_or_default())))
}
