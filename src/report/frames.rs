//! The stored series of one sample stage, as figures want them.

use super::number;
use crate::estimate::Series;
use crate::estimate::summary::{ColumnSummary, StageSummary};
use crate::io::reader;
use crate::{Error, Result};
use std::f64::consts::PI;
use std::path::Path;

/// A stage's frames.
pub(super) struct Frames {
    stage: reader::Stage,
    /// Times of the frames.
    pub(super) times: Vec<f64>,
    /// Label of the axis of time.
    pub(super) time_label: String,
    /// Replicas that did not diverge.
    pub(super) well: Vec<usize>,
    /// Frames left out at the start.
    pub(super) discard: usize,
    /// Time between two frames, in the unit of `time_label`.
    pub(super) spacing: f64,
}

/// One column of the replicas that are well.
pub(super) struct Values {
    /// `[replica][draw]`; angles in degrees.
    pub(super) rows: Vec<Vec<f64>>,
    pub(super) periodic: bool,
    /// Name for people.
    pub(super) name: String,
    /// `name / unit`.
    pub(super) label: String,
}

impl Frames {
    /// Opens the folder of a sample stage.
    ///
    /// # Errors
    /// `Error::Damaged` when files are missing, cut, or fewer than summary.json speaks of; `Error::Io`.
    pub(super) fn open(dir: &Path, summary: &StageSummary) -> Result<Frames> {
        let folder = dir.join(&summary.folder);
        let damaged = |what: String| Error::Damaged {
            path: folder.clone(),
            what,
            remedy: "restore the folder from a copy, or run the campaign again: summary.json belongs to other files".to_owned(),
        };
        let Some((stage, _)) = reader::Stage::open(&folder)? else {
            return Err(damaged("header.json of this stage is missing".to_owned()));
        };
        if stage.frames() != summary.draws as u64 {
            return Err(damaged(format!("the segments hold {} frames, summary.json says {}", stage.frames(), summary.draws)));
        }
        let times = stage.times()?;
        let well = (0..stage.header.replicas).filter(|r| summary.diverged.iter().all(|d| d.0 != *r)).collect();
        let time_label = match &stage.header.time_unit {
            Some(unit) => format!("time / {unit}"),
            None => "time".to_owned(),
        };
        let spacing = if times.len() > 1 { (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64 } else { 1.0 };
        Ok(Frames { stage, times, time_label, well, discard: summary.discard.min(summary.draws), spacing })
    }

    /// A column; none when the stage did not store it.
    ///
    /// # Errors
    /// `Error::Damaged`, `Error::Io`.
    pub(super) fn values(&self, column: &ColumnSummary) -> Result<Option<Values>> {
        if self.well.is_empty() || self.times.is_empty() || !self.stage.scalars().contains(&column.name) {
            return Ok(None);
        }
        let all = self.stage.column(&column.name)?;
        let degrees = in_degrees(column.unit.as_deref());
        let scale = if degrees { 180.0 / PI } else { 1.0 };
        let rows = self.well.iter().map(|&r| all[r].iter().map(|v| v * scale).collect()).collect();
        let name = name_of(&column.name);
        let label = label(&column.name, column.unit.as_deref());
        Ok(Some(Values { rows, periodic: column.periodic, name, label }))
    }

    /// A stored column of the first replicas and frames, `[replica][frame]`, diverged ones included.
    ///
    /// # Errors
    /// `Error::Damaged`, `Error::Io`.
    pub(super) fn whole(&self, column: &str, replicas: usize, frames: u64) -> Result<Vec<Vec<f64>>> {
        if !self.stage.scalars().iter().any(|s| s == column) {
            return Ok(Vec::new());
        }
        let (replicas, frames) = (replicas.min(self.stage.header.replicas), frames.min(self.stage.frames()));
        let values = self.stage.values(column, 0..frames, 0..replicas)?;
        Ok((0..replicas).map(|r| values.iter().skip(r).step_by(replicas.max(1)).copied().collect()).collect())
    }

    /// Provenance of the stage.
    pub(super) fn provenance(&self) -> &[(String, String)] {
        &self.stage.header.provenance
    }
}

impl Values {
    /// Everything after the discard, `[replica][draw]` in one array.
    pub(super) fn kept(&self, discard: usize) -> Vec<f64> {
        self.rows.iter().flat_map(|row| row[discard.min(row.len())..].iter().copied()).collect()
    }

    /// A series over values that [`Values::kept`] gave.
    pub(super) fn series<'a>(&self, kept: &'a [f64]) -> Series<'a> {
        Series { values: kept, replicas: self.rows.len(), draws: kept.len() / self.rows.len().max(1) }
    }
}

/// Are values of this unit shown in degrees?
pub(super) fn in_degrees(unit: Option<&str>) -> bool {
    unit == Some("rad")
}

/// A unit as shown.
pub(super) fn unit_of(unit: Option<&str>) -> &str {
    if in_degrees(unit) { "\u{b0}" } else { unit.unwrap_or("") }
}

/// `name / unit`.
pub(super) fn label(name: &str, unit: Option<&str>) -> String {
    match unit_of(unit) {
        "" => name_of(name),
        unit => format!("{} / {unit}", name_of(name)),
    }
}

/// A column's name for people: Greek angles, blanks for underscores.
pub(super) fn name_of(column: &str) -> String {
    let bare = column.strip_prefix("dihedral:").unwrap_or(column);
    for (latin, greek) in [("phi", "\u{3c6}"), ("psi", "\u{3c8}"), ("omega", "\u{3c9}"), ("chi", "\u{3c7}")] {
        if let Some(rest) = bare.strip_prefix(latin).filter(|r| !r.starts_with(char::is_alphabetic) && bare.len() < column.len()) {
            return format!("{greek}{rest}");
        }
    }
    bare.replace('_', " ")
}

/// Value and error of a column, in the unit shown.
pub(super) fn measured(value: Option<f64>, error: Option<f64>, unit: Option<&str>) -> String {
    let scale = if in_degrees(unit) { 180.0 / PI } else { 1.0 };
    number::measured(value.unwrap_or(f64::NAN) * scale, error.unwrap_or(f64::NAN) * scale)
}

/// At most `2 * bins` points that keep every extreme: of each of `bins` stretches its lowest and highest, in their order.
pub(super) fn decimate(points: Vec<(f64, f64)>, bins: usize) -> Vec<(f64, f64)> {
    if points.len() <= 2 * bins || bins == 0 {
        return points;
    }
    let mut kept = Vec::with_capacity(2 * bins);
    for b in 0..bins {
        let stretch = &points[b * points.len() / bins..(b + 1) * points.len() / bins];
        let (mut low, mut high) = (0, 0);
        for (i, p) in stretch.iter().enumerate() {
            // A NaN is neither; a stretch of them keeps its first point.
            if p.1 < stretch[low].1 || stretch[low].1.is_nan() {
                low = i;
            }
            if p.1 > stretch[high].1 || stretch[high].1.is_nan() {
                high = i;
            }
        }
        kept.push(stretch[low.min(high)]);
        if low != high {
            kept.push(stretch[low.max(high)]);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimation_keeps_extremes() {
        let points: Vec<(f64, f64)> = (0..10_000).map(|i| (f64::from(i), if i == 7777 { 99.0 } else { f64::from(i % 10) })).collect();
        let kept = decimate(points, 300);
        assert!(kept.len() <= 600 && kept.contains(&(7777.0, 99.0)));
        assert!(kept.windows(2).all(|w| w[0].0 < w[1].0));
        assert_eq!(decimate(vec![(0.0, 1.0)], 300).len(), 1);
    }

    #[test]
    fn names_for_people() {
        assert_eq!(name_of("dihedral:phi"), "\u{3c6}");
        assert_eq!(name_of("dihedral:chi1"), "\u{3c7}1");
        assert_eq!(name_of("phi"), "phi");
        assert_eq!(name_of("kinetic_temperature"), "kinetic temperature");
        assert_eq!(label("dihedral:psi", Some("rad")), "\u{3c8} / \u{b0}");
    }
}
