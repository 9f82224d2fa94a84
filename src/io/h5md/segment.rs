//! One HDF5 file with frames of all replicas: a segment, or a whole stage merged.

use super::layout::{Slab, attribute, attribute_list, create, failed, group_name, h5md_unit, provenance};
use crate::Result;
use crate::io::segments::check_frame;
use crate::io::sink::{Column, Frame, Header, Kind};
use hdf5::{Dataset, Extent, Extents, File, Group, H5Type, SimpleExtents};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes of a chunk, about: large enough to be read fast, small enough that one replica is read without the others.
const CHUNK_BYTES: usize = 1 << 18;
/// Bytes that are gathered before they are written, about.
const BLOCK_BYTES: usize = 1 << 20;
/// What gzip 1 compresses in a second here, in bytes (shuffled coordinates, one core; measured 28e6 to 44e6).
const GZIP_PER_SECOND: f64 = 28e6;
/// Full-precision numbers shrink by a quarter at best, so they are compressed only where that costs less than this share of the run.
const GZIP_SHARE: f64 = 0.02;

/// When numbers are compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gzip {
    /// Always: files made once and kept.
    Always,
    /// When it costs little beside what makes the frames.
    IfCheap,
}

/// Numbers of one column, gathered.
enum Block {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

impl Block {
    fn push(&mut self, values: &[f64]) {
        match self {
            Block::Single(b) => b.extend(values.iter().map(|&x| x as f32)),
            Block::Double(b) => b.extend_from_slice(values),
        }
    }
}

struct Opened {
    file: File,
    step: Dataset,
    time: Dataset,
    columns: Vec<Dataset>,
}

/// A file being written. Datasets are made with the first block, when it is known whether more will come.
pub(crate) struct SegmentFile<'h> {
    path: PathBuf,
    header: &'h Header,
    gzip: Gzip,
    /// Frames of a block; a power of two, so that chunks fill it evenly.
    block: usize,
    steps: Vec<i64>,
    times: Vec<f64>,
    blocks: Vec<Block>,
    written: usize,
    first: Option<Instant>,
    opened: Option<Opened>,
}

/// True for a column that is stored by particle: positions, velocities, forces of a system that has particles.
pub(crate) fn by_particle(header: &Header, column: &Column) -> bool {
    header.particles > 0 && header.dimension > 0 && column.kind != Kind::Observable && column.width == header.particles * header.dimension
}

/// True for a column stored as f64.
pub(crate) fn is_double(column: &Column) -> bool {
    column.double || column.kind == Kind::Observable
}

/// Path of the H5MD element of a column: its datasets are `value`, `step` and `time` below it.
pub(crate) fn element(header: &Header, column: &Column) -> String {
    if !by_particle(header, column) {
        return format!("observables/{}", group_name(&column.name));
    }
    let name = match column.kind {
        Kind::Velocities => "velocity",
        Kind::Forces => "force",
        Kind::Positions | Kind::Observable => "position",
    };
    format!("particles/trajectory/{name}")
}

/// Axes of a column after the draws.
pub(crate) fn tail(header: &Header, column: &Column) -> Vec<usize> {
    if by_particle(header, column) {
        vec![header.replicas, header.particles, header.dimension]
    } else if column.width == 1 {
        vec![header.replicas]
    } else {
        vec![header.replicas, column.width]
    }
}

/// The box of H5MD: none, so no edges. MDAnalysis wants three dimensions.
pub(super) fn no_box(trajectory: &Group, dimension: usize) -> hdf5::Result<()> {
    let group = trajectory.create_group("box")?;
    group.new_attr::<i32>().create("dimension")?.write_scalar(&i32::try_from(dimension).unwrap_or(3))?;
    attribute_list(&group, "boundary", &vec!["none"; dimension])
}

/// Makes groups on the way to a name, as needed.
pub(super) fn group_at(file: &File, path: &str) -> hdf5::Result<Group> {
    let mut at = file.as_group()?;
    for name in path.split('/') {
        at = if at.link_exists(name) { at.group(name)? } else { at.create_group(name)? };
    }
    Ok(at)
}

impl<'h> SegmentFile<'h> {
    /// A file of this path; nothing is on the disk before the first block is full.
    pub(crate) fn new(path: &Path, header: &'h Header, gzip: Gzip) -> Self {
        let bytes = |c: &Column| header.replicas * c.width * if is_double(c) { 8 } else { 4 };
        let frame: usize = 16 + header.columns.iter().map(bytes).sum::<usize>();
        let wanted = (BLOCK_BYTES / frame).clamp(16, 1024).min(((BLOCK_BYTES << 5) / frame).max(1));
        let blocks = header.columns.iter().map(|c| if is_double(c) { Block::Double(Vec::new()) } else { Block::Single(Vec::new()) });
        SegmentFile {
            path: path.to_owned(),
            header,
            gzip,
            block: 1 << wanted.ilog2(),
            steps: Vec::new(),
            times: Vec::new(),
            blocks: blocks.collect(),
            written: 0,
            first: None,
            opened: None,
        }
    }

    /// Takes one frame that was handed over at this time.
    pub(crate) fn push(&mut self, frame: &Frame, at: Instant) -> Result<()> {
        check_frame(self.header, frame)?;
        self.steps.push(i64::try_from(frame.step).unwrap_or(i64::MAX));
        self.times.push(frame.time);
        for (block, values) in self.blocks.iter_mut().zip(&frame.values) {
            block.push(values);
        }
        let first = *self.first.get_or_insert(at);
        if self.steps.len() == self.block {
            self.flush(false, at.duration_since(first))?;
        }
        Ok(())
    }

    /// Writes what is left and closes the file. Returns the number of frames.
    pub(crate) fn finish(mut self) -> Result<u64> {
        if !self.steps.is_empty() || self.opened.is_none() {
            let elapsed = self.first.map_or(Duration::ZERO, |t| t.elapsed());
            self.flush(true, elapsed)?;
        }
        let refused = failed(&self.path, "cannot write this segment");
        if let Some(Opened { file, step, time, columns }) = self.opened.take() {
            drop((step, time, columns));
            file.flush().map_err(&refused)?;
            file.close().map_err(&refused)?;
        }
        Ok(self.written as u64)
    }

    fn flush(&mut self, last: bool, elapsed: Duration) -> Result<()> {
        let refused = failed(&self.path, "cannot write this segment");
        if self.opened.is_none() {
            let gzip = self.gzip == Gzip::Always || self.is_cheap(elapsed);
            let file = create(&self.path)?;
            self.opened = Some(self.datasets(file, last, gzip).map_err(&refused)?);
        }
        let n = self.steps.len();
        if let (Some(opened), true) = (&self.opened, n > 0) {
            self.write(opened, n).map_err(&refused)?;
        }
        self.written += n;
        self.steps.clear();
        self.times.clear();
        for block in &mut self.blocks {
            match block {
                Block::Single(b) => b.clear(),
                Block::Double(b) => b.clear(),
            }
        }
        Ok(())
    }

    /// Would compressing these frames cost little beside the time in which they came?
    fn is_cheap(&self, elapsed: Duration) -> bool {
        let bytes: usize = self
            .blocks
            .iter()
            .map(|b| match b {
                Block::Single(b) => 4 * b.len(),
                Block::Double(b) => 8 * b.len(),
            })
            .sum();
        bytes as f64 / GZIP_PER_SECOND < GZIP_SHARE * elapsed.as_secs_f64()
    }

    fn datasets(&self, file: File, last: bool, gzip: bool) -> hdf5::Result<Opened> {
        let header = self.header;
        provenance(&file, header)?;
        let root = file.as_group()?;
        let step = self.dataset::<i64>(&root, "step", &[], last, true)?;
        let time = self.dataset::<f64>(&root, "time", &[], last, true)?;
        if let Some(unit) = &header.time_unit {
            attribute(&time, "unit", &h5md_unit(unit))?;
        }
        let mut columns = Vec::new();
        for column in &header.columns {
            let group = group_at(&file, &element(header, column))?;
            let tail = tail(header, column);
            let value = if is_double(column) {
                self.dataset::<f64>(&group, "value", &tail, last, gzip)?
            } else {
                self.dataset::<f32>(&group, "value", &tail, last, gzip)?
            };
            attribute(&group, "column", &column.name)?;
            if let Some(unit) = &column.unit {
                attribute(&value, "unit", &h5md_unit(unit))?;
            }
            if !column.labels.is_empty() {
                attribute_list(&value, "labels", &column.labels)?;
            }
            for name in ["step", "time"] {
                file.link_hard(&format!("/{name}"), &format!("{}/{name}", element(header, column)))?;
            }
            columns.push(value);
        }
        if root.link_exists("particles") {
            no_box(&root.group("particles/trajectory")?, header.dimension)?;
        }
        Ok(Opened { file, step, time, columns })
    }

    /// A dataset (draw, tail...), chunked, with checksums.
    fn dataset<T: H5Type>(&self, group: &Group, name: &str, tail: &[usize], last: bool, gzip: bool) -> hdf5::Result<Dataset> {
        let frames = if last { self.steps.len() } else { self.block };
        let row = tail.iter().skip(1).product::<usize>().max(1) * size_of::<T>();
        let mut chunk = vec![frames.max(1)];
        while chunk[0] > 1 && chunk[0] * row > BLOCK_BYTES {
            chunk[0] /= 2;
        }
        if let Some(&replicas) = tail.first() {
            // Chunks of equal size: what sticks out over the last replica takes space on the disk.
            let fitting = (CHUNK_BYTES / (row * chunk[0])).clamp(1, replicas.max(1));
            chunk.push(replicas.div_ceil(replicas.div_ceil(fitting).max(1)).max(1));
            chunk.extend(tail[1..].iter().map(|&n| n.max(1)));
        }
        let extents: Extents = if last {
            let mut shape = vec![frames];
            shape.extend_from_slice(tail);
            shape.into()
        } else {
            let growing = std::iter::once(Extent::resizable(0));
            SimpleExtents::from(growing.chain(tail.iter().map(|&n| Extent::fixed(n))).collect::<Vec<_>>()).into()
        };
        let mut builder = group.new_dataset_builder().empty::<T>().shape(extents).chunk(chunk).obj_track_times(false);
        if gzip {
            builder = builder.shuffle().deflate(1);
        }
        builder.fletcher32().create(name)
    }

    fn write(&self, opened: &Opened, n: usize) -> hdf5::Result<()> {
        let at = self.written;
        let put = |dataset: &Dataset, tail: &[usize]| -> hdf5::Result<Slab> {
            let mut shape = vec![at + n];
            shape.extend_from_slice(tail);
            if dataset.is_resizable() {
                dataset.resize(shape)?;
            }
            let mut axes = vec![(at, n)];
            axes.extend(tail.iter().map(|&len| (0, len)));
            Ok(Slab::new(&axes))
        };
        put(&opened.step, &[])?.write(&opened.step, &self.steps)?;
        put(&opened.time, &[])?.write(&opened.time, &self.times)?;
        for ((column, dataset), block) in self.header.columns.iter().zip(&opened.columns).zip(&self.blocks) {
            let slab = put(dataset, &tail(self.header, column))?;
            match block {
                Block::Single(b) => slab.write(dataset, b)?,
                Block::Double(b) => slab.write(dataset, b)?,
            }
        }
        Ok(())
    }
}
