//! Where the files of a system lie: in the binary, or on disk.

use crate::campaign::nearest;
use crate::error::Source;
use crate::{Error, Result};
use include_dir::{Dir, include_dir};
use std::path::{Path, PathBuf};

static SYSTEMS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/systems");

/// The files of one system.
#[derive(Clone, Debug)]
pub(super) enum Folder {
    /// Part of the binary.
    Embedded(&'static Dir<'static>),
    /// Somebody's own.
    Path(PathBuf),
}

/// The systems that come with the program, sorted.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = SYSTEMS.dirs().filter_map(|d| d.path().to_str()).collect();
    names.sort_unstable();
    names
}

impl Folder {
    /// A name of [`names`], else the path of a folder.
    pub(super) fn find(name: &str) -> Result<Self> {
        if let Some(dir) = SYSTEMS.get_dir(name).filter(|_| !name.contains(['/', '\\'])) {
            return Ok(Folder::Embedded(dir));
        }
        let path = Path::new(name);
        if path.is_dir() {
            return Ok(Folder::Path(path.to_owned()));
        }
        if name.contains(['/', '\\']) {
            return Err(Error::input(format!("there is no folder \"{name}\""), "give the path of a folder with a system.toml"));
        }
        let hint = nearest(name, names().into_iter()).map(|n| format!("did you mean \"{n}\"? ")).unwrap_or_default();
        let remedy = format!("{hint}known systems: {}; or the path of a folder with a system.toml", names().join(", "));
        Err(Error::input(format!("unknown system \"{name}\""), remedy))
    }

    /// The last part of its path.
    pub(super) fn name(&self) -> String {
        match self {
            Folder::Embedded(dir) => dir.path().display().to_string(),
            Folder::Path(path) => {
                let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
                whole.file_name().map_or_else(|| whole.display().to_string(), |n| n.to_string_lossy().into_owned())
            }
        }
    }

    /// A file's text.
    pub(super) fn text(&self, file: &str) -> Result<Source> {
        self.optional(file)?.ok_or_else(|| {
            let remedy = "a system's folder holds system.toml and the files it names";
            Error::input(format!("{} has no file {file}", self.place(file)), remedy)
        })
    }

    /// A file's text, or none if there is no such file.
    pub(super) fn optional(&self, file: &str) -> Result<Option<Source>> {
        let text = match self {
            Folder::Embedded(dir) => dir.get_file(dir.path().join(file)).map(|f| f.contents().to_vec()),
            Folder::Path(path) => match std::fs::read(path.join(file)) {
                Ok(bytes) => Some(bytes),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
                Err(e) => return Err(Error::io(path.join(file), "reading a file of the system", &e)),
            },
        };
        let Some(bytes) = text else { return Ok(None) };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(Source::new(self.place(file), text))),
            Err(_) => Err(Error::input(format!("{} is not a text", self.place(file)), "save it as UTF-8")),
        }
    }

    fn place(&self, file: &str) -> String {
        match self {
            Folder::Embedded(dir) => format!("systems/{}/{file}", dir.path().display()),
            Folder::Path(path) => path.join(file).display().to_string(),
        }
    }
}
