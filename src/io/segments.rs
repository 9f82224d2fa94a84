//! Segments of a stage: their names, their order, which of them count.
//!
//! The checkpoint says which segments belong to the run. Whatever else lies in the folder was written after that
//! checkpoint and is removed on resume: its frames are computed again, to the same bits.

use super::files;
use super::sink::{Header, Segment};
use crate::batch::{Snapshot, Value};
use crate::{Error, Result};
use std::path::Path;

/// Name of the `n`-th segment, from 1: `segment-000001.h5`; `ending` is empty for the folders of NPY files.
pub fn name(n: usize, ending: &str) -> String {
    format!("segment-{n:06}{ending}")
}

/// Number in a segment's name, with its ending removed.
pub fn number(file: &str) -> Option<usize> {
    let digits = file.strip_prefix("segment-")?.split('.').next()?;
    if digits.len() < 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Puts the segments into a checkpoint, under the name `segments`.
pub fn to_snapshot(segments: &[Segment], to: &mut Snapshot) {
    to.nest("segments", |s| {
        s.put("files", segments.iter().map(|x| x.file.as_str()).collect::<Vec<_>>().join("\n"));
        s.put("frames", segments.iter().map(|x| x.frames).collect::<Vec<_>>());
        s.put("bytes", segments.iter().map(|x| x.bytes).collect::<Vec<_>>());
    });
}

/// The segments of a checkpoint; none when the stage had none yet.
///
/// # Errors
/// `Error::Run` when the list does not fit together.
pub fn from_snapshot(from: &Snapshot) -> Result<Vec<Segment>> {
    let Some(Value::Nest(s)) = from.get("segments") else { return Ok(Vec::new()) };
    let (files, frames, bytes) = (s.text("files")?, s.u64s("frames")?, s.u64s("bytes")?);
    let files: Vec<&str> = if files.is_empty() { Vec::new() } else { files.split('\n').collect() };
    if files.len() != frames.len() || files.len() != bytes.len() {
        return Err(Error::run(
            format!("the checkpoint lists {} segments with {} frame counts", files.len(), frames.len()),
            "start the run afresh with --overwrite",
        ));
    }
    Ok((0..files.len()).map(|k| Segment { file: files[k].to_owned(), frames: frames[k], bytes: bytes[k] }).collect())
}

/// Checks that the kept segments are there with their sizes, numbered 1, 2, 3 ...
///
/// # Errors
/// `Error::Damaged` names the first that is not.
pub fn verify(dir: &Path, kept: &[Segment]) -> Result<()> {
    for (k, segment) in kept.iter().enumerate() {
        let path = dir.join(&segment.file);
        let damaged = |what: String| Error::Damaged { path: path.clone(), what, remedy: REMEDY.to_owned() };
        if number(&segment.file) != Some(k + 1) || segment.file.contains('/') {
            return Err(damaged(format!("this cannot be segment {} of the stage", k + 1)));
        }
        let bytes = size(&path).ok_or_else(|| damaged("this segment of the trajectory is missing".to_owned()))?;
        if bytes != segment.bytes {
            return Err(damaged(format!("this segment has {bytes} bytes, the checkpoint says {}", segment.bytes)));
        }
    }
    Ok(())
}

/// What to do about a segment that is missing or damaged.
pub(crate) const REMEDY: &str =
    "put the file back from a copy; without one, this stage must be run again: `ergodica run` with --overwrite, or with another --out";

/// Bytes of a file, or of all files in a folder.
pub(crate) fn size(path: &Path) -> Option<u64> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_dir() {
        return Some(meta.len());
    }
    let mut sum = 0;
    for entry in std::fs::read_dir(path).ok()? {
        sum += entry.ok()?.metadata().ok()?.len();
    }
    Some(sum)
}

/// Removes all segments that are not kept, and unfinished ones. True when there were any.
///
/// # Errors
/// `Error::Io` from the system.
pub fn sweep(dir: &Path, kept: &[Segment]) -> Result<bool> {
    let mut any = false;
    for name in files::names(dir)? {
        if name.starts_with("segment-") && !kept.iter().any(|k| k.file == name) {
            files::remove(&dir.join(name))?;
            any = true;
        }
    }
    if any {
        files::sync_dir(dir)?;
    }
    Ok(any)
}

/// Closed segments that lie in a folder, in order: for a stage that has no checkpoint.
///
/// # Errors
/// `Error::Io` from the system, `Error::Damaged` when one in the middle is missing.
pub fn found(dir: &Path, frames: impl Fn(&Path) -> Result<u64>) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for file in files::names(dir)? {
        let path = dir.join(&file);
        if number(&file).is_none() || file.ends_with(".part") {
            continue;
        }
        segments.push(Segment { frames: frames(&path)?, bytes: size(&path).unwrap_or(0), file });
    }
    verify(dir, &segments)?;
    Ok(segments)
}

const HEADER: &str = "header.json";

/// Writes the stage's header beside its segments.
///
/// # Errors
/// `Error::Io` from the system.
pub fn write_header(dir: &Path, header: &Header) -> Result<()> {
    let text = serde_json::to_string_pretty(header)
        .map_err(|e| Error::run(format!("the header of stage '{}' cannot be written: {e}", header.stage), "report this"))?;
    files::write_atomic(&dir.join(HEADER), text.as_bytes())
}

/// Reads the header of a stage; `None` when this folder is not one.
///
/// # Errors
/// `Error::Io` from the system, `Error::Damaged` when the file is not a header.
pub fn read_header(dir: &Path) -> Result<Option<Header>> {
    let path = dir.join(HEADER);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| Error::Damaged {
            path,
            what: format!("this is not the header of a stage: {e}"),
            remedy: REMEDY.to_owned(),
        }),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(Error::io(&path, "cannot read this", &e)),
    }
}

/// Checks that a frame has the numbers that the header promises.
///
/// # Errors
/// `Error::Shape`.
pub(crate) fn check_frame(header: &Header, frame: &super::sink::Frame) -> Result<()> {
    if frame.values.len() != header.columns.len() {
        return Err(Error::Shape { what: "columns of a frame", expected: header.columns.len(), found: frame.values.len() });
    }
    for (column, values) in header.columns.iter().zip(&frame.values) {
        let expected = header.replicas * column.width;
        if values.len() != expected {
            return Err(Error::Shape { what: "numbers of a column of a frame", expected, found: values.len() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        assert_eq!(number(&name(12, ".h5")), Some(12));
        assert_eq!(number(&name(1_234_567, "")), Some(1_234_567));
        assert_eq!(number("segment-1.h5"), None);
        assert_eq!(number("traj"), None);
    }

    #[test]
    fn a_checkpoint_keeps_the_list() {
        let list = vec![Segment { file: name(1, ".h5"), frames: 3, bytes: 100 }, Segment { file: name(2, ".h5"), frames: 4, bytes: 120 }];
        let mut snapshot = Snapshot::default();
        assert!(from_snapshot(&snapshot).unwrap().is_empty());
        to_snapshot(&list, &mut snapshot);
        assert_eq!(from_snapshot(&snapshot).unwrap(), list);
        to_snapshot(&[], &mut snapshot);
        assert!(from_snapshot(&snapshot).unwrap().is_empty());
    }

    #[test]
    fn only_listed_segments_stay() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["segment-000001.h5", "segment-000002.h5", "segment-000003.h5.part", "header.json"] {
            std::fs::write(dir.path().join(file), "abc").unwrap();
        }
        let kept = [Segment { file: name(1, ".h5"), frames: 1, bytes: 3 }];
        verify(dir.path(), &kept).unwrap();
        assert!(sweep(dir.path(), &kept).unwrap());
        assert!(!sweep(dir.path(), &kept).unwrap());
        assert_eq!(files::names(dir.path()).unwrap(), ["header.json", "segment-000001.h5"]);
        let longer = [Segment { bytes: 4, ..kept[0].clone() }];
        assert!(verify(dir.path(), &longer).unwrap_err().to_string().contains("3 bytes, the checkpoint says 4"));
        let missing = [kept[0].clone(), Segment { file: name(2, ".h5"), frames: 1, bytes: 3 }];
        assert!(verify(dir.path(), &missing).unwrap_err().to_string().contains("missing"));
    }
}
