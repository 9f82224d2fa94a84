//! Reading a run back: arrays by stage and column, in either format.
//!
//! Only closed segments are read, and of those the ones that the newest checkpoint lists (all that lie there when a stage
//! has no checkpoint). A missing or damaged one is an error: nothing is filled with zeros.

use super::sink::{Column, Header, Segment};
use super::{checkpoint, files, npy, segments};
use crate::{Error, Result};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A run directory.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder.
    pub dir: PathBuf,
    /// Stages with output, sorted by sweep point and name.
    pub stages: Vec<Stage>,
    /// What the reader must tell: a damaged checkpoint.
    pub warnings: Vec<String>,
}

/// The output of one stage at one sweep point.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Name of the sweep point, `None` without a sweep.
    pub point: Option<String>,
    /// The stage's folder.
    pub dir: PathBuf,
    /// What the stage wrote.
    pub header: Header,
    /// Segments, in order.
    pub segments: Vec<Segment>,
}

impl Run {
    /// Opens a run directory: `DIR/<stage>/` and `DIR/sweep/<point>/<stage>/`.
    ///
    /// # Errors
    /// `Error::Input` when this is not a run directory, `Error::Damaged`, `Error::Io`.
    pub fn open(dir: impl AsRef<Path>) -> Result<Run> {
        let dir = dir.as_ref();
        if !dir.is_dir() {
            return Err(Error::input(
                format!("there is no run directory {}", dir.display()),
                "give the folder that `ergodica run` wrote (its --out, or runs/<name>)",
            ));
        }
        let mut run = Run { dir: dir.to_owned(), stages: Vec::new(), warnings: Vec::new() };
        run.gather(dir, None)?;
        for point in files::names(&dir.join("sweep"))? {
            run.gather(&dir.join("sweep").join(&point), Some(&point))?;
        }
        if run.stages.is_empty() {
            let (what, remedy) = if dir.join("resolved.toml").exists() || dir.join("config.toml").exists() {
                ("holds no frames yet", "let it run until the first checkpoint; a stage without `observe` writes none")
            } else {
                (
                    "is not a run directory: it has no stage with a header.json",
                    "give the folder that `ergodica run` wrote, not one above or below it",
                )
            };
            return Err(Error::input(format!("{} {what}", dir.display()), remedy));
        }
        Ok(run)
    }

    fn gather(&mut self, dir: &Path, point: Option<&str>) -> Result<()> {
        for name in files::names(dir)? {
            if let Some((mut stage, warning)) = Stage::open(&dir.join(name))? {
                stage.point = point.map(str::to_owned);
                self.stages.push(stage);
                self.warnings.extend(warning);
            }
        }
        Ok(())
    }

    /// A stage by name: `production`, or `T=300/production` in a sweep (`production` alone when only one point has it).
    ///
    /// # Errors
    /// `Error::Input` lists the stages there are.
    pub fn stage(&self, name: &str) -> Result<&Stage> {
        let exact = self.stages.iter().find(|s| s.label() == name);
        let mut by_name = self.stages.iter().filter(|s| s.header.stage == name);
        match (exact, by_name.next(), by_name.next()) {
            (Some(stage), ..) | (None, Some(stage), None) => Ok(stage),
            _ => {
                let known: Vec<_> = self.stages.iter().map(Stage::label).collect();
                Err(Error::input(format!("{} has no single stage '{name}'", self.dir.display()), format!("it has: {}", known.join(", "))))
            }
        }
    }
}

impl Stage {
    /// Opens one stage's folder; `None` when it is none. The text is a warning.
    ///
    /// # Errors
    /// `Error::Damaged`, `Error::Io`.
    pub fn open(dir: &Path) -> Result<Option<(Stage, Option<String>)>> {
        let Some(header) = segments::read_header(dir)? else { return Ok(None) };
        let (list, warning) = match checkpoint::load(dir)? {
            Some(loaded) => (segments::from_snapshot(&loaded.snapshot)?, loaded.warning),
            None => (segments::found(dir, segment_frames)?, None),
        };
        segments::verify(dir, &list)?;
        Ok(Some((Stage::of(dir, header, list), warning)))
    }

    /// A stage of known segments.
    pub fn of(dir: &Path, header: Header, segments: Vec<Segment>) -> Stage {
        Stage { point: None, dir: dir.to_owned(), header, segments }
    }

    /// `point/name`, or the name alone.
    pub fn label(&self) -> String {
        self.point.as_ref().map_or_else(|| self.header.stage.clone(), |p| format!("{p}/{}", self.header.stage))
    }

    /// Number of frames.
    pub fn frames(&self) -> u64 {
        self.segments.iter().map(|s| s.frames).sum()
    }

    /// Step numbers of the frames.
    ///
    /// # Errors
    /// `Error::Damaged`, `Error::Io`.
    pub fn steps(&self) -> Result<Vec<u64>> {
        let mut all = Vec::new();
        for segment in &self.segments {
            let path = self.dir.join(&segment.file);
            let steps = if is_npy(&path) { npy::steps(&path)? } else { h5::steps(&path)? };
            self.expect(&path, segment.frames as usize, steps.len())?;
            all.extend(steps.iter().map(|&s| s.max(0) as u64));
        }
        Ok(all)
    }

    /// Times of the frames, in the header's unit.
    ///
    /// # Errors
    /// `Error::Damaged`, `Error::Io`.
    pub fn times(&self) -> Result<Vec<f64>> {
        let mut all = Vec::new();
        for segment in &self.segments {
            let path = self.dir.join(&segment.file);
            let times = if is_npy(&path) { npy::times(&path)? } else { h5::times(&path)? };
            self.expect(&path, segment.frames as usize, times.len())?;
            all.extend(times);
        }
        Ok(all)
    }

    /// A column of one number a replica and frame, `[replica][draw]`. A number of a wider column is
    /// `name.label` or `name[k]`.
    ///
    /// # Errors
    /// `Error::Input` lists the columns there are; `Error::Damaged`, `Error::Io`.
    pub fn column(&self, name: &str) -> Result<Vec<Vec<f64>>> {
        let (column, k) = self.find(name)?;
        let Some(k) = k else {
            let names: Vec<_> = self.scalars().into_iter().filter(|n| self.find(n).is_ok_and(|(c, _)| c.name == column.name)).collect();
            return Err(Error::input(
                format!("column '{name}' has {} numbers a frame", column.width),
                format!("name one: {}", names.join(", ")),
            ));
        };
        let (replicas, width) = (self.header.replicas, column.width);
        let mut out = vec![Vec::with_capacity(self.frames() as usize); replicas];
        let block = (1 << 20) / (replicas * width).max(1) + 1;
        let mut first = 0;
        while first < self.frames() {
            let end = (first + block as u64).min(self.frames());
            let values = self.values(&column.name, first..end, 0..replicas)?;
            for row in values.chunks_exact(replicas * width) {
                for (r, series) in out.iter_mut().enumerate() {
                    series.push(row[r * width + k]);
                }
            }
            first = end;
        }
        Ok(out)
    }

    /// Names that [`Stage::column`] takes: every number of every observable.
    pub fn scalars(&self) -> Vec<String> {
        let mut names = Vec::new();
        for column in self.header.columns.iter().filter(|c| !self.by_particle(c)) {
            match column.width {
                1 => names.push(column.name.clone()),
                n if column.labels.len() == n => names.extend(column.labels.iter().map(|l| format!("{}.{l}", column.name))),
                n => names.extend((0..n).map(|k| format!("{}[{k}]", column.name))),
            }
        }
        names
    }

    /// Positions of one replica in one frame, `[atom * dimension]`: what `start = frames of a run` wants.
    ///
    /// # Errors
    /// `Error::Input` when the stage has no such frame or replica, or stored no positions.
    pub fn positions(&self, frame: u64, replica: usize) -> Result<Vec<f64>> {
        let column = self.header.columns.iter().find(|c| c.kind == super::sink::Kind::Positions);
        let Some(column) = column else {
            return Err(Error::input(
                format!("stage '{}' stored no positions", self.label()),
                "add \"positions\" to the columns of its `observe`",
            ));
        };
        if frame >= self.frames() || replica >= self.header.replicas {
            return Err(Error::input(
                format!("stage '{}' has no frame {frame} of replica {replica}", self.label()),
                format!("it has {} frames of {} replicas (both count from 0)", self.frames(), self.header.replicas),
            ));
        }
        self.values(&column.name, frame..frame + 1, replica..replica + 1)
    }

    /// Numbers of a whole column, row-major (frame, replica, width), of some frames and replicas.
    ///
    /// # Errors
    /// `Error::Input` for a column, frames or replicas that do not exist; `Error::Damaged`, `Error::Io`.
    pub fn values(&self, name: &str, frames: Range<u64>, replicas: Range<usize>) -> Result<Vec<f64>> {
        let (column, _) = self.find(name)?;
        if frames.end > self.frames() || replicas.end > self.header.replicas {
            return Err(Error::input(
                format!("stage '{}' has no frames {frames:?} of replicas {replicas:?}", self.label()),
                format!("it has {} frames of {} replicas", self.frames(), self.header.replicas),
            ));
        }
        let mut out = Vec::with_capacity((frames.end.saturating_sub(frames.start)) as usize * replicas.len() * column.width);
        let mut first = 0;
        for segment in &self.segments {
            let end = first + segment.frames;
            let (from, to) = (frames.start.max(first), frames.end.min(end));
            if from < to {
                let path = self.dir.join(&segment.file);
                let part = (from - first) as usize..(to - first) as usize;
                let values = if is_npy(&path) {
                    npy::values(&path, &self.header, column, part.clone(), replicas.clone())?
                } else {
                    h5::values(&path, &self.header, column, part.clone(), replicas.clone())?
                };
                self.expect(&path, part.len() * replicas.len() * column.width, values.len())?;
                out.extend(values);
            }
            first = end;
        }
        Ok(out)
    }

    /// The column of a name, and which of its numbers is meant when that is clear.
    fn find(&self, name: &str) -> Result<(&Column, Option<usize>)> {
        let columns = &self.header.columns;
        if let Some(column) = columns.iter().find(|c| c.name == name) {
            return Ok((column, (column.width == 1).then_some(0)));
        }
        for column in columns {
            let Some(rest) = name.strip_prefix(column.name.as_str()) else { continue };
            let label = rest.strip_prefix('.').and_then(|label| column.labels.iter().position(|l| l == label));
            let number = rest.strip_prefix('[').and_then(|r| r.strip_suffix(']')).and_then(|k| k.parse::<usize>().ok());
            if let Some(k) = label.or(number).filter(|&k| k < column.width) {
                return Ok((column, Some(k)));
            }
        }
        let mut known = self.scalars();
        known.extend(columns.iter().filter(|c| c.width != 1).map(|c| c.name.clone()));
        Err(Error::input(format!("stage '{}' has no column '{name}'", self.label()), format!("it has: {}", known.join(", "))))
    }

    /// Stored by particle: no scalars.
    pub(super) fn by_particle(&self, column: &Column) -> bool {
        column.kind != super::sink::Kind::Observable && self.header.particles > 0
    }

    fn expect(&self, path: &Path, expected: usize, found: usize) -> Result<()> {
        if expected == found {
            return Ok(());
        }
        Err(Error::Damaged {
            path: path.to_owned(),
            what: format!("this segment holds {found} numbers where {expected} are expected"),
            remedy: segments::REMEDY.to_owned(),
        })
    }
}

fn is_npy(path: &Path) -> bool {
    path.extension().is_none()
}

fn segment_frames(path: &Path) -> Result<u64> {
    if is_npy(path) { npy::frames(path) } else { h5::frames(path) }
}

#[cfg(feature = "hdf5")]
use super::h5md::read as h5;

/// Without HDF5 its segments are refused.
#[cfg(not(feature = "hdf5"))]
mod h5 {
    use super::{Column, Error, Header, Path, Range, Result};

    fn refuse<T>(path: &Path) -> Result<T> {
        Err(Error::input(
            format!("{} is HDF5, which this build cannot read", path.display()),
            "use a build with the feature `hdf5` (the default)",
        ))
    }
    pub(super) fn frames(path: &Path) -> Result<u64> {
        refuse(path)
    }
    pub(super) fn steps(path: &Path) -> Result<Vec<i64>> {
        refuse(path)
    }
    pub(super) fn times(path: &Path) -> Result<Vec<f64>> {
        refuse(path)
    }
    pub(super) fn values(path: &Path, _: &Header, _: &Column, _: Range<usize>, _: Range<usize>) -> Result<Vec<f64>> {
        refuse(path)
    }
}
