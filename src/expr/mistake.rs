//! What is wrong with a text.

use crate::Error;
use crate::error::Source;
use std::ops::Range;

/// Something wrong with a formula: where, what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the formula's text.
    pub span: Range<usize>,
    /// What is wrong, with the text in question.
    pub what: String,
    /// What would be right.
    pub remedy: String,
}

impl Mistake {
    pub(super) fn new(span: Range<usize>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Mistake { span, what: what.into(), remedy: remedy.into() }
    }

    /// The error of a formula that stands at byte `offset` of `source`.
    pub fn at(self, source: &Source, offset: usize) -> Error {
        Error::input_at(source, self.span.start + offset..self.span.end + offset, self.what, self.remedy)
    }

    /// The error of a formula that stands in no file: it points into the formula itself.
    pub fn within(self, text: &str) -> Error {
        self.at(&Source::new("formula", text), 0)
    }
}

/// The one of `known` that is nearest to a wrong name, if any is near: not every letter may differ.
pub(super) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|k| (strsim::osa_distance(wrong, k), k)).min()?;
    let length = wrong.chars().count();
    (near.0 <= (length / 3).max(1) && near.0 < length).then_some(near.1)
}
