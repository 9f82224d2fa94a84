//! What can go wrong, said so that it can be mended: what, where, the value, the remedy.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// A file or text that a user gave, so that an error can point into it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path or name, as the user knows it.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

impl Source {
    /// A named text.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Source { name: name.into(), text: text.into() }
    }

    /// 1-based line and column (in characters) of a byte offset.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        (line, before[start..].chars().count() + 1)
    }
}

/// A place in a text: bytes `span` of `source`.
#[derive(Clone, Debug)]
pub struct At {
    /// The text.
    pub source: Source,
    /// Byte range.
    pub span: Range<usize>,
}

/// One complaint about something a user gave: configuration, structure file, run directory.
#[derive(Clone, Debug)]
pub struct Complaint {
    /// What is wrong, with the value: "timestep is 30 fs: ...".
    pub what: String,
    /// Where, when it has a place in a text.
    pub at: Option<At>,
    /// What to do about it.
    pub remedy: String,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(at) = &self.at {
            let (line, column) = at.source.line_column(at.span.start);
            write!(f, "{}:{line}:{column}: ", at.source.name)?;
        }
        write!(f, "{}", self.what)?;
        if !self.remedy.is_empty() {
            write!(f, "\n  help: {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Every error of the crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something a user gave cannot be used; all complaints that could be gathered (exit code 2).
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Input(Vec<Complaint>),
    /// The operating system refused: full disk, missing permission (exit code 1).
    #[error("{}: {what}: {cause}\n  help: {remedy}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        what: String,
        /// What to do.
        remedy: String,
        /// The system's words.
        cause: String,
    },
    /// A file that this program wrote was changed, cut or damaged since (exit code 2).
    #[error("{}: {what}\n  help: {remedy}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The calculation itself failed (exit code 1).
    #[error("{what}\n  help: {remedy}")]
    Run {
        /// What, with stage and replica.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The calculation was done, but its diagnostics forbid a number: no overlap, no convergence (exit code 3).
    #[error("{what}\n  help: {remedy}")]
    Diagnostics {
        /// What, with the states concerned.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// Shapes handed to a library function do not fit together.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// What it should be.
        expected: usize,
        /// What it is.
        found: usize,
    },
    /// A signal asked for a stop; a good checkpoint was written (exit code 75).
    #[error("interrupted; continue with: ergodica resume {}", dir.display())]
    Interrupted {
        /// The run directory.
        dir: PathBuf,
    },
}

impl Error {
    /// One complaint without a place in a text.
    pub fn input(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error::Input(vec![Complaint { what: what.into(), at: None, remedy: remedy.into() }])
    }

    /// One complaint that points into a text.
    pub fn input_at(source: &Source, span: Range<usize>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error::Input(vec![Complaint { what: what.into(), at: Some(At { source: source.clone(), span }), remedy: remedy.into() }])
    }

    /// The operating system's refusal, with a remedy that fits its kind.
    pub fn io(path: impl AsRef<Path>, what: impl Into<String>, cause: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let remedy = match cause.kind() {
            K::NotFound => "check the path",
            K::PermissionDenied | K::ReadOnlyFilesystem => "choose a place you may write to (--out DIR) or change its permissions",
            K::StorageFull | K::QuotaExceeded => {
                "free some space, then `ergodica resume` the run: everything up to the last checkpoint is safe"
            }
            K::AlreadyExists => "choose another name",
            _ => "see the system's message",
        };
        Error::Io { path: path.as_ref().to_owned(), what: what.into(), remedy: remedy.into(), cause: cause.to_string() }
    }

    /// A file that the user named could not be read: the user's mistake when it is not there, no file or no text.
    pub fn reading(path: impl AsRef<Path>, what: impl Into<String>, cause: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let name = path.as_ref().display();
        match cause.kind() {
            K::NotFound | K::NotADirectory => Error::input(format!("there is no file {name}"), "check the path"),
            K::IsADirectory => {
                Error::input(format!("{name} is a folder, not a file"), "name a file; to go on with a run: ergodica resume DIR")
            }
            K::InvalidData => {
                Error::input(format!("{name} is not a text file (not UTF-8)"), "check that it is the right file, uncompressed")
            }
            _ => Error::io(path, what, cause),
        }
    }

    /// A failure of the calculation.
    pub fn run(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error::Run { what: what.into(), remedy: remedy.into() }
    }

    /// Exit code of the program: 1 run failed, 2 bad usage or input, 3 diagnostics failed, 75 interrupted with a good checkpoint.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Input(_) | Error::Damaged { .. } | Error::Shape { .. } => 2,
            Error::Diagnostics { .. } => 3,
            Error::Interrupted { .. } => 75,
            _ => 1,
        }
    }
}
