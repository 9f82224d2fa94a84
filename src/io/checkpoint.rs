//! Checkpoints: all that a resume needs, in one small file with a hash, the last two kept.
//!
//! Layout: magic `ERGOCKPT`, format (u32), then as length (u64) and bytes: version of the program, hash of the
//! configuration, body ([`Snapshot::to_bytes`]); at the end BLAKE3 of everything before. Numbers are little-endian.
//!
//! Saving writes `checkpoint.new`, syncs it, renames `checkpoint.bin` to `checkpoint.prev.bin` and `checkpoint.new`
//! to `checkpoint.bin`. At every moment at least one whole checkpoint lies in the folder; between the two renames
//! it is `checkpoint.new`, and [`load`] knows.

use super::files::{self, fault};
use crate::batch::Snapshot;
use crate::{Error, Result};
use std::path::Path;

const MAGIC: &[u8; 8] = b"ERGOCKPT";
const FORMAT: u32 = 1;
const CURRENT: &str = "checkpoint.bin";
const PREVIOUS: &str = "checkpoint.prev.bin";
const NEW: &str = "checkpoint.new";

/// What a checkpoint says about the run that it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Version of the program that wrote it; filled in by [`save`].
    pub version: String,
    /// Hash of the resolved configuration: the caller compares it before resuming.
    pub config_hash: String,
}

/// A checkpoint that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The state.
    pub snapshot: Snapshot,
    /// Whose state.
    pub meta: Meta,
    /// Said when the newest checkpoint was damaged and an older one was taken.
    pub warning: Option<String>,
}

/// Makes the state durable as the newest checkpoint of a folder.
///
/// # Errors
/// `Error::Io` from the system: the checkpoints before it stay.
pub fn save(dir: &Path, snapshot: &Snapshot, meta: &Meta) -> Result<()> {
    let new = dir.join(NEW);
    let current = dir.join(CURRENT);
    let bytes = encode(&snapshot.to_bytes(), env!("CARGO_PKG_VERSION"), &meta.config_hash);
    fault("checkpoint-write");
    files::write_synced(&new, &bytes)?;
    fault("checkpoint-keep");
    if current.exists() {
        files::rename(&current, &dir.join(PREVIOUS))?;
    }
    fault("checkpoint-rename");
    files::rename(&new, &current)?;
    files::sync_dir(dir)?;
    fault("checkpoint-done");
    Ok(())
}

/// The newest whole checkpoint of a folder; `None` when there is none at all.
///
/// # Errors
/// `Error::Io` from the system; `Error::Damaged` when no checkpoint can be used, with what is wrong with the newest.
pub fn load(dir: &Path) -> Result<Option<Loaded>> {
    // checkpoint.new is finished only while checkpoint.bin is away: elsewhere it may be half written.
    let newest = if dir.join(CURRENT).exists() { CURRENT } else { NEW };
    let mut problems: Vec<(String, String)> = Vec::new();
    for name in [newest, PREVIOUS] {
        let path = dir.join(name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(Error::io(&path, "cannot read this checkpoint", &e)),
        };
        match decode(&bytes) {
            Ok((snapshot, meta)) => {
                let warning = (name == PREVIOUS).then(|| {
                    let (name, what) = problems.pop().unwrap_or_else(|| (CURRENT.to_owned(), "this checkpoint is missing".to_owned()));
                    format!("{}: {what}; going on from the checkpoint before it, {PREVIOUS}", dir.join(name).display())
                });
                return Ok(Some(Loaded { snapshot, meta, warning }));
            }
            Err(what) => problems.push((name.to_owned(), what)),
        }
    }
    // A half-written checkpoint.new alone is the trace of a kill during the first save.
    problems.retain(|(name, _)| name != NEW);
    let Some((name, what)) = problems.into_iter().next() else { return Ok(None) };
    let remedy = if what.contains("format") {
        "resume it with the version that wrote it, or start the run afresh with --overwrite"
    } else {
        "no other checkpoint can be used: the closed segments can still be read, analysed and exported, but the run must start afresh (--overwrite, or another --out)"
    };
    Err(Error::Damaged { path: dir.join(name), what, remedy: remedy.to_owned() })
}

fn encode(body: &[u8], version: &str, config_hash: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 128);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&FORMAT.to_le_bytes());
    for part in [version.as_bytes(), config_hash.as_bytes(), body] {
        out.extend_from_slice(&(part.len() as u64).to_le_bytes());
        out.extend_from_slice(part);
    }
    let hash = blake3::hash(&out);
    out.extend_from_slice(hash.as_bytes());
    out
}

fn decode(bytes: &[u8]) -> std::result::Result<(Snapshot, Meta), String> {
    const CUT: &str = "this checkpoint is cut short";
    if bytes.get(..8).is_some_and(|head| head != MAGIC) {
        return Err("this is not a checkpoint".to_owned());
    }
    let format = u32::from_le_bytes(bytes.get(8..12).and_then(|b| b.try_into().ok()).ok_or(CUT)?);
    let (content, hash) = bytes.split_last_chunk::<32>().ok_or(CUT)?;
    if blake3::hash(content) != *hash {
        return Err("this checkpoint was changed or cut: its hash does not fit".to_owned());
    }
    if format != FORMAT {
        return Err(format!("this checkpoint has format {format}, this program knows format {FORMAT}"));
    }
    let mut rest = &content[12..];
    let mut part = || -> Option<&[u8]> {
        let (length, tail) = rest.split_first_chunk::<8>()?;
        let (part, tail) = tail.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        rest = tail;
        Some(part)
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let version = text(part().ok_or(CUT)?);
    let config_hash = text(part().ok_or(CUT)?);
    let body = part().ok_or(CUT)?;
    let snapshot = Snapshot::from_bytes(body).ok_or_else(|| format!("this checkpoint of version {version} cannot be understood"))?;
    Ok((snapshot, Meta { version, config_hash }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(step: u64) -> Snapshot {
        let mut s = Snapshot::default();
        s.put("step", step);
        s.put("x", vec![0.1, f64::NAN]);
        s
    }

    fn meta() -> Meta {
        Meta { config_hash: "abc".to_owned(), ..Meta::default() }
    }

    fn step(dir: &Path) -> (u64, bool) {
        let loaded = load(dir).unwrap().unwrap();
        (loaded.snapshot.u64("step").unwrap(), loaded.warning.is_some())
    }

    #[test]
    fn the_newest_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        assert!(load(dir.path()).unwrap().is_none());
        for k in 1..4 {
            save(dir.path(), &state(k), &meta()).unwrap();
        }
        assert_eq!(step(dir.path()), (3, false));
        let loaded = load(dir.path()).unwrap().unwrap();
        assert_eq!(loaded.meta, Meta { version: env!("CARGO_PKG_VERSION").to_owned(), config_hash: "abc".to_owned() });
        assert_eq!(files::names(dir.path()).unwrap(), [CURRENT, PREVIOUS]);
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), &state(1), &meta()).unwrap();
        save(dir.path(), &state(2), &meta()).unwrap();
        let path = dir.path().join(CURRENT);
        let good = std::fs::read(&path).unwrap();
        for n in 0..good.len() {
            std::fs::write(&path, &good[..n]).unwrap();
            assert_eq!(step(dir.path()), (1, true), "cut to {n} bytes");
            let mut bad = good.clone();
            bad[n] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            assert_eq!(step(dir.path()), (1, true), "byte {n} flipped");
        }
    }

    #[test]
    fn between_the_renames_the_new_one_counts() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), &state(1), &meta()).unwrap();
        save(dir.path(), &state(2), &meta()).unwrap();
        std::fs::rename(dir.path().join(CURRENT), dir.path().join(NEW)).unwrap();
        assert_eq!(step(dir.path()), (2, false));
        save(dir.path(), &state(3), &meta()).unwrap();
        assert_eq!(step(dir.path()), (3, false));
    }

    #[test]
    fn a_missing_newest_is_told() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), &state(1), &meta()).unwrap();
        save(dir.path(), &state(2), &meta()).unwrap();
        std::fs::remove_file(dir.path().join(CURRENT)).unwrap();
        assert_eq!(step(dir.path()), (1, true));
    }

    #[test]
    fn a_kill_while_the_first_is_written_leaves_none() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(NEW), b"ERGOCK").unwrap();
        assert!(load(dir.path()).unwrap().is_none());
    }

    #[test]
    fn both_damaged_is_an_error_with_a_remedy() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(CURRENT), b"ERGOCKPT").unwrap();
        std::fs::write(dir.path().join(PREVIOUS), b"something else").unwrap();
        let error = load(dir.path()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("checkpoint.bin: this checkpoint is cut short"), "{error}");
    }

    #[test]
    fn another_format_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = encode(&state(1).to_bytes(), "9.0.0", "abc");
        bytes.truncate(bytes.len() - 32);
        bytes[8] = 7;
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        std::fs::write(dir.path().join(CURRENT), &bytes).unwrap();
        assert!(load(dir.path()).unwrap_err().to_string().contains("format 7, this program knows format 1"));
    }
}
