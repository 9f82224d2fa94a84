//! Products of a run for other programs, and the comparison of two runs bit by bit.

use super::files;
use super::reader::{Run, Stage};
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// What [`export`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// All replicas of a stage in one HDF5 file, laid out as the segments are.
    H5md,
    /// One file a replica that stands alone, for mdtraj and MDAnalysis.
    Mdtraj,
    /// The chains of every scalar column, for ArviZ.
    Arviz,
    /// A table of every scalar column: step, time, replica and one column each.
    Csv,
}

impl Format {
    /// The formats by name.
    pub const NAMES: [(&'static str, Format); 4] =
        [("h5md", Format::H5md), ("mdtraj", Format::Mdtraj), ("arviz", Format::Arviz), ("csv", Format::Csv)];
}

/// Frames that are held in memory at a time.
const BLOCK: u64 = 256;

/// Writes every stage of a run to the folder `out`, `<stage>.h5`, `<stage>/replica-000.h5` ..., `<stage>.nc`, `<stage>.csv` (`<point>/<stage>.h5` in a sweep), and
/// tells the files. What `mdtraj`, `arviz` and `csv` write stands alone anyway.
/// With `merge`, `h5md` copies all segments into one file; without it, it rebuilds the virtual files in the run
/// directory itself and `out` stays untouched.
///
/// # Errors
/// `Error::Input` when no stage has what the format shows or this build has no HDF5; `Error::Damaged`, `Error::Io`.
pub fn export(run: &Run, format: Format, merge: bool, out: &Path) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for stage in &run.stages {
        let folder = stage.point.as_ref().map_or_else(|| out.to_owned(), |p| out.join(p));
        if format != Format::H5md || merge {
            files::make_dir(&folder)?;
        }
        match format {
            Format::Csv => written.extend(csv(stage, &folder)?),
            _ => written.extend(hdf5_files(stage, format, merge, &folder)?),
        }
    }
    if written.is_empty() {
        return Err(Error::input(
            format!("no stage of {} has what this format shows", run.dir.display()),
            "mdtraj needs \"positions\" of particles among the observed columns, arviz and csv a scalar such as \"energy\"",
        ));
    }
    Ok(written)
}

/// The table of a stage's scalar columns; a stage that has none is left out.
fn csv(stage: &Stage, folder: &Path) -> Result<Option<PathBuf>> {
    let names = stage.scalars();
    if names.is_empty() {
        return Ok(None);
    }
    let path = folder.join(format!("{}.csv", stage.header.stage));
    let part = files::part_of(&path);
    let refused = |e: std::io::Error| Error::io(&part, "cannot write this table", &e);
    let mut file = BufWriter::new(File::create(&part).map_err(refused)?);
    let quoted = |name: &String| if name.contains([',', '"', '\n']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.clone() };
    let head: Vec<_> = names.iter().map(quoted).collect();
    writeln!(file, "step,time,replica,{}", head.join(",")).map_err(refused)?;
    let (steps, times) = (stage.steps()?, stage.times()?);
    let columns: Vec<_> = stage.header.columns.iter().filter(|c| !stage.by_particle(c)).collect();
    let replicas = stage.header.replicas;
    let mut first = 0;
    while first < stage.frames() {
        let end = (first + BLOCK).min(stage.frames());
        let values = columns.iter().map(|c| stage.values(&c.name, first..end, 0..replicas)).collect::<Result<Vec<_>>>()?;
        for row in 0..(end - first) as usize * replicas {
            let (at, r) = (first as usize + row / replicas, row % replicas);
            write!(file, "{},{},{r}", steps[at], times[at]).map_err(refused)?;
            for (values, column) in values.iter().zip(&columns) {
                for x in &values[row * column.width..(row + 1) * column.width] {
                    write!(file, ",{x}").map_err(refused)?;
                }
            }
            writeln!(file).map_err(refused)?;
        }
        first = end;
    }
    file.flush().map_err(refused)?;
    drop(file);
    files::sync_file(&part)?;
    files::rename(&part, &path)?;
    Ok(Some(path))
}

#[cfg(not(feature = "hdf5"))]
fn hdf5_files(_: &Stage, _: Format, _: bool, _: &Path) -> Result<Vec<PathBuf>> {
    Err(Error::input("this build has no HDF5", "export csv, or use a build with the feature `hdf5` (the default)"))
}

#[cfg(feature = "hdf5")]
fn hdf5_files(stage: &Stage, format: Format, merge: bool, folder: &Path) -> Result<Vec<PathBuf>> {
    use super::{arviz, h5md};
    let name = &stage.header.stage;
    match format {
        Format::H5md if merge => {
            let path = folder.join(format!("{name}.h5"));
            merged(stage, &path)?;
            Ok(vec![path])
        }
        Format::Arviz => {
            let path = folder.join(format!("{name}.nc"));
            arviz::write(stage, &path)?;
            Ok(path.exists().then_some(path).into_iter().collect())
        }
        Format::Mdtraj if h5md::has_trajectory(&stage.header) && stage.frames() > 0 => {
            let folder = folder.join(name);
            files::make_dir(&folder)?;
            let mut written = Vec::new();
            for r in 0..stage.header.replicas {
                let path = folder.join(h5md::replica_name(r));
                h5md::replica_copy(stage, r, &path)?;
                written.push(path);
            }
            Ok(written)
        }
        Format::H5md => {
            h5md::index(&stage.dir, &stage.header, &stage.segments)?;
            let chains = stage.dir.join("chains.h5");
            arviz::write(stage, &chains)?;
            let traj = stage.dir.join("traj");
            let mut written: Vec<_> = files::names(&traj)?.iter().map(|n| traj.join(n)).collect();
            written.extend(chains.exists().then_some(chains));
            Ok(written)
        }
        Format::Mdtraj | Format::Csv => Ok(Vec::new()),
    }
}

/// All frames of a stage in one file, laid out as a segment.
#[cfg(feature = "hdf5")]
fn merged(stage: &Stage, path: &Path) -> Result<()> {
    use super::h5md::{Gzip, SegmentFile};
    use super::sink::Frame;
    use std::time::Instant;
    let header = &stage.header;
    let (steps, times) = (stage.steps()?, stage.times()?);
    let part = files::part_of(path);
    let mut file = SegmentFile::new(&part, header, Gzip::Always);
    let mut first = 0;
    while first < stage.frames() {
        let end = (first + BLOCK).min(stage.frames());
        let read = |c: &super::sink::Column| stage.values(&c.name, first..end, 0..header.replicas);
        let columns = header.columns.iter().map(read).collect::<Result<Vec<_>>>()?;
        for k in 0..(end - first) as usize {
            let values = columns.iter().zip(&header.columns).map(|(all, c)| {
                let n = header.replicas * c.width;
                all[k * n..(k + 1) * n].to_vec()
            });
            let at = first as usize + k;
            let frame = Frame { step: steps[at], time: times[at], values: values.collect() };
            file.push(&frame, Instant::now())?;
        }
        first = end;
    }
    file.finish()?;
    files::sync_file(&part)?;
    files::rename(&part, path)
}

/// The first difference between two runs: every number of every stage outside provenance, by its bits.
///
/// `None` means equal. Segments may be cut differently, and the formats may differ.
///
/// # Errors
/// `Error::Damaged`, `Error::Io` when a file cannot be read.
pub fn compare_exact(a: &Run, b: &Run) -> Result<Option<String>> {
    let labels = |run: &Run| run.stages.iter().map(Stage::label).collect::<Vec<_>>();
    if labels(a) != labels(b) {
        return Ok(Some(format!("stages: {} in one run, {} in the other", labels(a).join(", "), labels(b).join(", "))));
    }
    for (a, b) in a.stages.iter().zip(&b.stages) {
        if let Some(difference) = compare_stages(a, b)? {
            return Ok(Some(format!("stage {}: {difference}", a.label())));
        }
    }
    Ok(None)
}

fn compare_stages(a: &Stage, b: &Stage) -> Result<Option<String>> {
    let (ha, hb) = (&a.header, &b.header);
    if (ha.replicas, ha.particles, ha.dimension) != (hb.replicas, hb.particles, hb.dimension) {
        let shape = |h: &super::sink::Header| format!("{} replicas of {} particles in {} dimensions", h.replicas, h.particles, h.dimension);
        return Ok(Some(format!("{} in one, {} in the other", shape(ha), shape(hb))));
    }
    if ha.columns != hb.columns || ha.time_unit != hb.time_unit {
        let names = |h: &super::sink::Header| h.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        return Ok(Some(format!("columns differ in name, width or unit: ({}) and ({})", names(ha), names(hb))));
    }
    if a.frames() != b.frames() {
        return Ok(Some(format!("{} frames in one, {} in the other", a.frames(), b.frames())));
    }
    if let Some(k) = a.steps()?.iter().zip(&b.steps()?).position(|(x, y)| x != y) {
        return Ok(Some(format!("step[{k}]")));
    }
    if let Some(k) = a.times()?.iter().zip(&b.times()?).position(|(x, y)| x.to_bits() != y.to_bits()) {
        return Ok(Some(format!("time[{k}]")));
    }
    for column in &ha.columns {
        let row = ha.replicas * column.width;
        let block = ((1 << 21) / row.max(1)) as u64 + 1;
        let mut first = 0;
        while first < a.frames() {
            let end = (first + block).min(a.frames());
            let x = a.values(&column.name, first..end, 0..ha.replicas)?;
            let y = b.values(&column.name, first..end, 0..ha.replicas)?;
            if let Some(at) = x.iter().zip(&y).position(|(x, y)| x.to_bits() != y.to_bits()) {
                let (draw, rest) = (first as usize + at / row, at % row);
                let place = format!("{}[draw {draw}, replica {}, {}]", column.name, rest / column.width, rest % column.width);
                return Ok(Some(format!("{place}: {:?} in one, {:?} in the other", x[at], y[at])));
            }
            first = end;
        }
    }
    Ok(None)
}
