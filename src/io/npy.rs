//! Output without HDF5: each segment a folder of NPY files, with the same discipline of commits.
//!
//! `segment-000001/` holds `steps.csv` (step, time) and `<column>.npy` of shape (frame, replica, width), f4 or f8, little-endian;
//! numpy reads them as they are. It is written as `segment-000001.part/` and renamed when all is on the disk.

use super::files::{self, fault};
use super::segments::{self, REMEDY, check_frame};
use super::sink::{Column, Frame, Header, Kind, Segment, Sink};
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Bytes before the numbers: NPY wants a multiple of 64.
const HEAD: usize = 128;
const STEPS: &str = "steps.csv";

/// Writes a stage's frames as folders of NPY files, one for each commit.
pub struct NpySink {
    dir: PathBuf,
    header: Option<Header>,
    segments: Vec<Segment>,
    current: Option<Current>,
}

struct Current {
    steps: (PathBuf, BufWriter<File>),
    columns: Vec<(PathBuf, BufWriter<File>)>,
    frames: u64,
}

fn is_double(column: &Column) -> bool {
    column.double || column.kind == Kind::Observable
}

/// A column's file: its name, with whatever a file name cannot hold replaced.
fn file_name(column: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "-_.:[]()=,+# ".contains(c) { c } else { '|' };
    format!("{}.npy", column.chars().map(safe).collect::<String>())
}

fn head(double: bool, shape: [u64; 3]) -> Vec<u8> {
    let kind = if double { "<f8" } else { "<f4" };
    let [frames, replicas, width] = shape;
    let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({frames}, {replicas}, {width}), }}");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend_from_slice(&((HEAD - 10) as u16).to_le_bytes());
    out.extend_from_slice(format!("{text:<width$}\n", width = HEAD - 11).as_bytes());
    out
}

fn create(path: PathBuf) -> Result<(PathBuf, BufWriter<File>)> {
    let file = File::create(&path).map_err(|e| Error::io(&path, "cannot make this file", &e))?;
    Ok((path, BufWriter::with_capacity(1 << 16, file)))
}

fn put((path, file): &mut (PathBuf, BufWriter<File>), bytes: &[u8]) -> Result<()> {
    file.write_all(bytes).map_err(|e| Error::io(&*path, "cannot write this file", &e))
}

fn finish((path, file): (PathBuf, BufWriter<File>), head: &[u8]) -> Result<()> {
    let work = || -> std::io::Result<()> {
        let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        if !head.is_empty() {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(head)?;
        }
        file.sync_all()
    };
    work().map_err(|e| Error::io(&path, "cannot write this file", &e))
}

impl NpySink {
    /// A sink for the stage's folder; nothing is touched before `open`.
    pub fn new(dir: &Path) -> Self {
        NpySink { dir: dir.to_owned(), header: None, segments: Vec::new(), current: None }
    }

    fn opened(&self) -> Result<&Header> {
        self.header.as_ref().ok_or_else(|| Error::run("the output is not open", "report this"))
    }

    fn name(&self) -> String {
        segments::name(self.segments.len() + 1, "")
    }

    fn part(&self) -> PathBuf {
        files::part_of(&self.dir.join(self.name()))
    }

    fn start(&self) -> Result<Current> {
        let part = self.part();
        files::remove(&part)?;
        files::make_dir(&part)?;
        let mut steps = create(part.join(STEPS))?;
        put(&mut steps, b"step,time\n")?;
        let mut columns = Vec::new();
        for column in &self.opened()?.columns {
            let mut file = create(part.join(file_name(&column.name)))?;
            put(&mut file, &[0; HEAD])?;
            columns.push(file);
        }
        Ok(Current { steps, columns, frames: 0 })
    }
}

impl Sink for NpySink {
    fn open(&mut self, header: &Header, kept: &[Segment]) -> Result<()> {
        self.current = None;
        files::make_dir(&self.dir)?;
        segments::verify(&self.dir, kept)?;
        for segment in kept {
            verify(&self.dir.join(&segment.file), header, segment.frames)?;
        }
        segments::sweep(&self.dir, kept)?;
        segments::write_header(&self.dir, header)?;
        self.segments = kept.to_vec();
        self.header = Some(header.clone());
        Ok(())
    }

    fn write(&mut self, frame: &Frame) -> Result<()> {
        check_frame(self.opened()?, frame)?;
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.start()?,
        };
        put(&mut current.steps, format!("{},{:?}\n", frame.step, frame.time).as_bytes())?;
        for ((file, column), values) in current.columns.iter_mut().zip(&self.opened()?.columns).zip(&frame.values) {
            let bytes: Vec<u8> = if is_double(column) {
                values.iter().flat_map(|x| x.to_le_bytes()).collect()
            } else {
                values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect()
            };
            put(file, &bytes)?;
        }
        current.frames += 1;
        self.current = Some(current);
        Ok(())
    }

    fn commit(&mut self) -> Result<Vec<Segment>> {
        let header = self.opened()?;
        let replicas = header.replicas as u64;
        let heads: Vec<_> = header.columns.iter().map(|c| (is_double(c), c.width as u64)).collect();
        let Some(current) = self.current.take() else { return Ok(self.segments.clone()) };
        let (part, name, frames) = (self.part(), self.name(), current.frames);
        finish(current.steps, &[])?;
        for (file, (double, width)) in current.columns.into_iter().zip(heads) {
            finish(file, &head(double, [frames, replicas, width]))?;
        }
        fault("segment-sync");
        files::sync_dir(&part)?;
        fault("segment-rename");
        let path = self.dir.join(&name);
        files::rename(&part, &path)?;
        files::sync_dir(&self.dir)?;
        self.segments.push(Segment { file: name, frames, bytes: segments::size(&path).unwrap_or(0) });
        fault("segment-done");
        Ok(self.segments.clone())
    }

    fn close(&mut self) -> Result<()> {
        self.commit()?;
        self.header = None;
        Ok(())
    }
}

fn damaged(path: &Path, what: impl Into<String>) -> Error {
    Error::Damaged { path: path.to_owned(), what: what.into(), remedy: REMEDY.to_owned() }
}

/// Steps and times as written.
fn table(segment: &Path) -> Result<Vec<(i64, f64)>> {
    let path = segment.join(STEPS);
    let text = std::fs::read_to_string(&path).map_err(|e| damaged(&path, format!("cannot read the steps of this segment ({e})")))?;
    let row = |line: &str| line.split_once(',').and_then(|(s, t)| Some((s.parse().ok()?, t.parse().ok()?)));
    text.lines().skip(1).map(|line| row(line).ok_or_else(|| damaged(&path, format!("'{line}' is not a step and a time")))).collect()
}

/// Number of frames in a segment.
pub(crate) fn frames(segment: &Path) -> Result<u64> {
    Ok(table(segment)?.len() as u64)
}

/// Step numbers of a segment.
pub(crate) fn steps(segment: &Path) -> Result<Vec<i64>> {
    Ok(table(segment)?.into_iter().map(|row| row.0).collect())
}

/// Times of a segment.
pub(crate) fn times(segment: &Path) -> Result<Vec<f64>> {
    Ok(table(segment)?.into_iter().map(|row| row.1).collect())
}

/// Opens a column's file after its head, which must be the one that was written.
fn open_column(segment: &Path, header: &Header, column: &Column, frames: u64) -> Result<(PathBuf, File)> {
    let path = segment.join(file_name(&column.name));
    let mut file = File::open(&path).map_err(|e| damaged(&path, format!("cannot open this column ({e})")))?;
    let mut found = vec![0; HEAD];
    let expected = head(is_double(column), [frames, header.replicas as u64, column.width as u64]);
    if file.read_exact(&mut found).is_err() || found != expected {
        return Err(damaged(&path, format!("this is not column '{}' of {frames} frames", column.name)));
    }
    Ok((path, file))
}

/// Checks that a segment holds what the header says, in this many frames.
fn verify(segment: &Path, header: &Header, expected: u64) -> Result<()> {
    if frames(segment)? != expected {
        return Err(damaged(segment, format!("this segment has {} frames, the checkpoint says {expected}", frames(segment)?)));
    }
    header.columns.iter().try_for_each(|column| open_column(segment, header, column, expected).map(|_| ()))
}

/// Numbers of a column, row-major (frame, replica, width), for some frames of this segment and some replicas.
pub(crate) fn values(segment: &Path, header: &Header, column: &Column, range: Range<usize>, replicas: Range<usize>) -> Result<Vec<f64>> {
    let (path, mut file) = open_column(segment, header, column, frames(segment)?)?;
    let size = if is_double(column) { 8 } else { 4 };
    let mut out = Vec::with_capacity(range.len() * replicas.len() * column.width);
    let mut bytes = vec![0; replicas.len() * column.width * size];
    for frame in range {
        let at = HEAD + (frame * header.replicas + replicas.start) * column.width * size;
        let read = file.seek(SeekFrom::Start(at as u64)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|e| damaged(&path, format!("this column is cut ({e})")))?;
        if size == 8 {
            out.extend(bytes.chunks_exact(8).map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])));
        } else {
            out.extend(bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_numpys() {
        let head = head(true, [5, 2, 3]);
        assert_eq!(head.len(), HEAD);
        assert_eq!(&head[..8], b"\x93NUMPY\x01\x00");
        assert!(head.ends_with(b" \n"));
    }

    #[test]
    fn names_stay_in_their_folder() {
        assert_eq!(file_name("dihedral:phi"), "dihedral:phi.npy");
        assert_eq!(file_name("../a/b"), "..|a|b.npy");
    }
}
