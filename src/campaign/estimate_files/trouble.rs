//! Why a method has no answer on the files that it was given.

use crate::Error;

/// Why there is no answer.
pub(super) enum Trouble {
    /// The files do not hold what the method needs.
    Absent { what: String, remedy: String },
    /// They do, and it does not carry.
    Failed(Error),
}

pub(super) type Answered<T> = std::result::Result<T, Trouble>;

pub(super) fn absent<T>(what: impl Into<String>, remedy: impl Into<String>) -> Answered<T> {
    Err(Trouble::Absent { what: what.into(), remedy: remedy.into() })
}

pub(super) fn failed(what: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble::Failed(Error::Diagnostics { what: what.into(), remedy: remedy.into() })
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Absent { what, remedy } => Error::input(what, remedy),
            Trouble::Failed(error) => error,
        }
    }
}
