//! One replica as a trajectory of its own, for MDAnalysis and mdtraj at once.
//!
//! H5MD 1.1 as MDAnalysis insists on: one group `/particles/trajectory`, a `box` of three dimensions (a flat system gets
//! z = 0), `step` and `time` in full, observables one or two levels deep and as long as the trajectory. Beside that the
//! Pande convention of mdtraj at the root: `coordinates`, `time`, `topology`.
//! Reduced units have no `unit` attribute (pass `convert_units=False` to MDAnalysis); mdtraj insists on `units`, so there
//! `nanometers` and `picoseconds` stand for the reduced ones, and the attribute `reduced_units` says so.

use super::layout::{Slab, attribute, create, failed, fixed_text, group_name, h5md_unit, provenance};
use super::segment::{by_particle, element, group_at, is_double, no_box, tail};
use crate::Result;
use crate::io::files::{self, fault};
use crate::io::reader::Stage;
use crate::io::sink::{Column, Header, Kind, Segment};
use hdf5::{Dataset, File, Group, H5Type, Selection};
use std::path::Path;

/// Which numbers of the segments a dataset of a replica file shows.
#[derive(Clone, Copy)]
enum Part<'a> {
    Step,
    Time,
    /// A column's numbers of the replica; of those, one, or all.
    Column(&'a Column, Option<usize>),
}

/// Where the numbers come from.
enum Origin<'a> {
    /// They stay in the segments.
    Virtual(&'a [Segment]),
    /// They are copied.
    Copy(&'a Stage),
}

/// Rebuilds `traj/replica-000.h5` ... over these segments. A stage without particles or positions has none.
/// They are not synced one by one (1024 replicas would wait for seconds): after a power cut, rebuild them from the segments, which are.
///
/// # Errors
/// `Error::Io` from the system.
pub fn index(dir: &Path, header: &Header, segments: &[Segment]) -> Result<()> {
    if !has_trajectory(header) || segments.is_empty() {
        return Ok(());
    }
    let traj = dir.join("traj");
    files::make_dir(&traj)?;
    for r in 0..header.replicas {
        let path = traj.join(name(r));
        let part = files::part_of(&path);
        write(&part, header, r, frames(segments), &Origin::Virtual(segments))?;
        fault("index");
        files::rename(&part, &path)?;
    }
    files::sync_dir(&traj)
}

/// One replica's trajectory as a file that stands alone.
pub(crate) fn copy(stage: &Stage, r: usize, path: &Path) -> Result<()> {
    let part = files::part_of(path);
    write(&part, &stage.header, r, frames(&stage.segments), &Origin::Copy(stage))?;
    files::sync_file(&part)?;
    files::rename(&part, path)
}

/// True when the stage has trajectories: particles and their positions.
pub(crate) fn has_trajectory(header: &Header) -> bool {
    header.columns.iter().any(|c| c.kind == Kind::Positions && by_particle(header, c))
}

/// File name of a replica.
pub(crate) fn name(r: usize) -> String {
    format!("replica-{r:03}.h5")
}

fn frames(segments: &[Segment]) -> usize {
    segments.iter().map(|s| s.frames as usize).sum()
}

fn write(path: &Path, header: &Header, r: usize, frames: usize, origin: &Origin<'_>) -> Result<()> {
    let refused = failed(path, "cannot write this replica's trajectory");
    let file = create(path)?;
    let filling = Filling { path, header, r, frames, origin };
    filling.fill(&file)?;
    file.flush().map_err(&refused)?;
    file.close().map_err(refused)
}

struct Filling<'a> {
    path: &'a Path,
    header: &'a Header,
    r: usize,
    frames: usize,
    origin: &'a Origin<'a>,
}

impl Filling<'_> {
    fn fill(&self, file: &File) -> Result<()> {
        let refused = failed(self.path, "cannot write this replica's trajectory");
        let header = self.header;
        let start = || -> hdf5::Result<Group> {
            provenance(file, header)?;
            file.new_attr::<u64>().create("replica")?.write_scalar(&(self.r as u64))?;
            let trajectory = group_at(file, "particles/trajectory")?;
            no_box(&trajectory, 3)?;
            file.as_group()
        };
        let root = start().map_err(&refused)?;
        let step = self.dataset::<i64>(&root, "step", Part::Step)?;
        let time = self.dataset::<f64>(&root, "time", Part::Time)?;
        let mut coordinates = None;
        for column in &header.columns {
            let at = element(header, column);
            for (k, label) in parts(column) {
                let place = label.map_or(at.clone(), |label| format!("{at}/{}", group_name(label)));
                let group = group_at(file, &place).map_err(&refused)?;
                let part = Part::Column(column, k);
                let value = if is_double(column) {
                    self.dataset::<f64>(&group, "value", part)?
                } else {
                    self.dataset::<f32>(&group, "value", part)?
                };
                let annotate = || -> hdf5::Result<()> {
                    for name in ["step", "time"] {
                        file.link_hard(&format!("/{name}"), &format!("{place}/{name}"))?;
                    }
                    column.unit.as_deref().map_or(Ok(()), |unit| attribute(&value, "unit", &h5md_unit(unit)))
                };
                annotate().map_err(&refused)?;
                if column.kind == Kind::Positions && by_particle(header, column) {
                    file.link_hard(&format!("/{place}/value"), "/coordinates").map_err(&refused)?;
                    coordinates = Some((value, column.unit.as_deref()));
                }
            }
        }
        let finish = || -> hdf5::Result<()> {
            if let Some(unit) = &header.time_unit {
                attribute(&time, "unit", &h5md_unit(unit))?;
            } else if coordinates.as_ref().is_some_and(|(_, unit)| unit.is_some()) {
                // MDAnalysis refuses lengths with a unit beside times without one.
                attribute(&time, "unit", "ps")?;
                attribute(&time, "meaning", "steps: this sampler has no time, the unit is there because readers insist on one")?;
            }
            attribute(&time, "units", mdtraj_unit(header.time_unit.as_deref(), "picoseconds"))?;
            if let Some((coordinates, unit)) = &coordinates {
                attribute(coordinates, "units", mdtraj_unit(*unit, "nanometers"))?;
                if unit.is_none() {
                    attribute(
                        coordinates,
                        "reduced_units",
                        "yes: a nanometer stands for the unit of length, a picosecond for that of time",
                    )?;
                }
            }
            attribute(file, "conventions", "Pande")?;
            attribute(file, "conventionVersion", "1.1")?;
            attribute(file, "program", "ergodica")?;
            attribute(file, "programVersion", env!("CARGO_PKG_VERSION"))?;
            fixed_text(&root, "topology", header.topology_json.as_deref().unwrap_or_default())
        };
        finish().map_err(&refused)?;
        drop(step);
        Ok(())
    }

    /// Shape of a part in the replica's file. Particles always have three dimensions there.
    fn shape(&self, part: Part<'_>) -> Vec<usize> {
        match part {
            Part::Step | Part::Time | Part::Column(_, Some(_)) => vec![self.frames],
            Part::Column(c, None) if by_particle(self.header, c) => vec![self.frames, self.header.particles, 3.max(self.header.dimension)],
            Part::Column(c, None) if c.width == 1 => vec![self.frames],
            Part::Column(c, None) => vec![self.frames, c.width],
        }
    }

    fn dataset<T: H5Type>(&self, group: &Group, name: &str, part: Part<'_>) -> Result<Dataset> {
        let refused = failed(self.path, "cannot write this replica's trajectory");
        match self.origin {
            Origin::Virtual(segments) => {
                let mut builder = group.new_dataset_builder().empty::<T>().shape(self.shape(part));
                let mut first = 0;
                for segment in *segments {
                    let n = segment.frames as usize;
                    let (from, extents, source, target) = self.mapping(part, first, n);
                    let file = format!("../{}", segment.file);
                    let (source, target) = (Selection::from(source.hyperslab()), Selection::from(target.hyperslab()));
                    builder = builder.virtual_map(file, from, extents, source, self.shape(part), target);
                    first += n;
                }
                builder.create(name).map_err(refused)
            }
            Origin::Copy(stage) => self.copied::<T>(group, name, part, stage),
        }
    }

    /// Path and extents of the source, its selection, and the selection here, for `n` frames from `first` on.
    fn mapping(&self, part: Part<'_>, first: usize, n: usize) -> (String, Vec<usize>, Slab, Slab) {
        let column = match part {
            Part::Step => return ("/step".to_owned(), vec![n], Slab::new(&[(0, n)]), Slab::new(&[(first, n)])),
            Part::Time => return ("/time".to_owned(), vec![n], Slab::new(&[(0, n)]), Slab::new(&[(first, n)])),
            Part::Column(column, _) => column,
        };
        let mut extents = vec![n];
        extents.extend(tail(self.header, column));
        let mut source = vec![(0, n), (self.r, 1)];
        let mut target = vec![(first, n)];
        if let Part::Column(_, Some(k)) = part {
            source.push((k, 1));
        } else {
            source.extend(extents[2..].iter().map(|&len| (0, len)));
            target.extend(extents[2..].iter().map(|&len| (0, len)));
        }
        (format!("/{}/value", element(self.header, column)), extents, Slab::new(&source), Slab::new(&target))
    }

    /// The numbers themselves, block by block.
    fn copied<T: H5Type>(&self, group: &Group, name: &str, part: Part<'_>, stage: &Stage) -> Result<Dataset> {
        const BLOCK: usize = 256;
        let refused = failed(self.path, "cannot write this replica's trajectory");
        let shape = self.shape(part);
        let mut builder = group.new_dataset_builder().empty::<T>().shape(shape.clone());
        if self.frames > 0 {
            let mut chunk = shape;
            chunk[0] = chunk[0].min(BLOCK);
            while chunk[0] > 1 && chunk.iter().product::<usize>() > 1 << 18 {
                chunk[0] /= 2;
            }
            builder = builder.chunk(chunk).shuffle().deflate(1);
        }
        let dataset = builder.create(name).map_err(&refused)?;
        match part {
            Part::Step => dataset.write(&stage.steps()?.iter().map(|&s| s as i64).collect::<Vec<_>>()).map_err(refused)?,
            Part::Time => dataset.write(&stage.times()?).map_err(refused)?,
            Part::Column(column, k) => {
                let mut first = 0;
                while first < self.frames {
                    let n = BLOCK.min(self.frames - first);
                    let mut values = stage.values(&column.name, first as u64..(first + n) as u64, self.r..self.r + 1)?;
                    if let Some(k) = k {
                        values = values.chunks_exact(column.width).map(|row| row[k]).collect();
                    }
                    let (.., target) = self.mapping(part, first, n);
                    target.write(&dataset, &values).map_err(&refused)?;
                    first += n;
                }
            }
        }
        Ok(dataset)
    }
}

/// A unit by the name that mdtraj knows; its own unit in reduced ones.
fn mdtraj_unit(unit: Option<&str>, reduced: &'static str) -> &'static str {
    match unit {
        Some("fs") => "femtoseconds",
        Some("ns") => "nanoseconds",
        Some("pm") => "picometers",
        Some("A" | "angstrom" | "Angstrom") => "angstroms",
        _ => reduced,
    }
}

/// A column of named numbers is shown as one observable a name.
fn parts(column: &Column) -> Vec<(Option<usize>, Option<&str>)> {
    if column.kind == Kind::Observable && column.labels.len() == column.width && column.width > 1 {
        return column.labels.iter().enumerate().map(|(k, label)| (Some(k), Some(label.as_str()))).collect();
    }
    vec![(None, None)]
}
