//! Files that are either wholly there or not there at all.
//!
//! A new file is written beside its final name, synced, renamed, and its folder is synced: after a crash the
//! name holds the old content or the new one. Every step between has a named fault point for the crash tests.

use crate::{Error, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// All fault points.
pub const FAULTS: &[&str] = &[
    "segment-sync",
    "segment-rename",
    "segment-done",
    "index",
    "checkpoint-write",
    "checkpoint-keep",
    "checkpoint-rename",
    "checkpoint-done",
    "file-rename",
    "report",
];

/// A place where a crash is interesting. **A hook for tests**: when the environment variable `ERGODICA_FAULT` is
/// `point:count`, the `count`-th pass (from 1) through this point ends the process at once, with no clean-up of
/// any kind. Otherwise it costs one comparison.
///
/// The points are [`FAULTS`].
pub fn fault(point: &str) {
    static ARMED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSES: AtomicU64 = AtomicU64::new(0);
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var("ERGODICA_FAULT").ok()?;
        let (name, count) = text.rsplit_once(':')?;
        Some((name.to_owned(), count.parse().ok()?))
    });
    if let Some((name, count)) = armed
        && name == point
        && PASSES.fetch_add(1, Ordering::Relaxed) + 1 == *count
    {
        std::process::abort();
    }
}

/// Makes a folder and its parents.
///
/// # Errors
/// `Error::Io` from the system.
pub fn make_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(|e| Error::io(dir, "cannot make this folder", &e))
}

/// Brings a file's content to the disk.
///
/// # Errors
/// `Error::Io` from the system.
pub fn sync_file(path: &Path) -> Result<()> {
    File::open(path).and_then(|f| f.sync_all()).map_err(|e| Error::io(path, "cannot bring this file to the disk", &e))
}

/// Brings the names in a folder to the disk. Systems whose folders cannot be opened or synced keep names by themselves.
///
/// # Errors
/// `Error::Io` from the system.
pub fn sync_dir(dir: &Path) -> Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    File::open(dir).and_then(|f| f.sync_all()).map_err(|e| Error::io(dir, "cannot bring this folder to the disk", &e))
}

/// Renames; an existing file of the new name is replaced.
///
/// # Errors
/// `Error::Io` from the system.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| Error::io(from, format!("cannot rename this to {}", to.display()), &e))
}

/// Removes a file or a folder with all it holds; nothing there is no error.
///
/// # Errors
/// `Error::Io` from the system.
pub fn remove(path: &Path) -> Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match gone {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, "cannot remove this", &e)),
        _ => Ok(()),
    }
}

/// Writes a new file of this name and syncs it; whatever had the name is replaced.
///
/// # Errors
/// `Error::Io` from the system; what was written so far is removed.
pub fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = File::create(path).and_then(|mut f| {
        f.write_all(bytes)?;
        f.sync_all()
    });
    written.map_err(|e| {
        let _ = fs::remove_file(path);
        Error::io(path, "cannot write this file", &e)
    })
}

/// Writes a file so that a crash leaves the old content or the new one, never a mixture.
///
/// # Errors
/// `Error::Io` from the system; the old content stays.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = part_of(path);
    write_synced(&part, bytes)?;
    fault("file-rename");
    rename(&part, path)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// The name that a file has while it is being written: `x.json` -> `x.json.part`.
pub fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Names in a folder, sorted; an absent folder has none.
///
/// # Errors
/// `Error::Io` from the system.
pub fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(dir, "cannot list this folder", &e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(dir, "cannot list this folder", &e))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary.json");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(dir.path()).unwrap(), ["summary.json"]);
    }

    #[test]
    fn removing_nothing_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        remove(&dir.path().join("absent")).unwrap();
        assert!(names(&dir.path().join("absent")).unwrap().is_empty());
    }

    #[test]
    fn a_refusal_names_the_file() {
        let error = write_atomic(Path::new("/nowhere/at/all/x"), b"").unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all/x") && error.contains("check the path"), "{error}");
    }
}
