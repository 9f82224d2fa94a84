//! The texts a campaign is made of (the file, then each `--set`), laid end to end so that one offset names a place in any of them.

use std::ops::Range;

use crate::error::{At, Complaint, Error, Source};

/// The campaign's texts. A span is a byte range in their concatenation.
#[derive(Clone, Debug)]
pub struct Texts {
    /// First offset of a text, and the text.
    parts: Vec<(usize, Source)>,
}

impl Texts {
    pub(in crate::campaign) fn new(source: &Source) -> Self {
        Texts { parts: vec![(0, source.clone())] }
    }

    /// Adds a text; returns its first offset.
    pub(in crate::campaign) fn add(&mut self, source: Source) -> usize {
        let base = self.end() + 1;
        self.parts.push((base, source));
        base
    }

    fn end(&self) -> usize {
        self.parts.last().map_or(0, |(base, source)| base + source.text.len())
    }

    /// The place of a span; none if it was not written by the user (a default).
    pub fn locate(&self, span: &Range<usize>) -> Option<At> {
        let (base, source) = self.parts.iter().rev().find(|(base, _)| *base <= span.start)?;
        let length = source.text.len();
        let start = span.start - base;
        if start > length {
            return None;
        }
        let end = span.end.saturating_sub(*base).clamp(start, length);
        Some(At { source: source.clone(), span: start..end })
    }

    /// The text of a span; empty if there is none.
    pub(in crate::campaign) fn slice(&self, span: &Range<usize>) -> &str {
        let part = self.parts.iter().rev().find(|(base, _)| *base <= span.start);
        let found = part.and_then(|(base, source)| source.text.get(span.start - base..span.end.saturating_sub(*base)));
        found.unwrap_or_default()
    }

    /// A complaint about a span.
    pub fn complaint(&self, span: &Range<usize>, what: impl Into<String>, remedy: impl Into<String>) -> Complaint {
        Complaint { what: what.into(), at: self.locate(span), remedy: remedy.into() }
    }
}

/// A complaint in the making.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::campaign) struct Draft {
    pub(in crate::campaign) span: Range<usize>,
    pub(in crate::campaign) what: String,
    pub(in crate::campaign) remedy: String,
    /// Part of the campaign it is about: "stage production".
    pub(in crate::campaign) scope: String,
    /// Says that something is missing: dropped when another complaint of the same scope may be the reason.
    pub(in crate::campaign) missing: bool,
}

/// Complaints gathered so far.
#[derive(Debug, Default)]
pub(in crate::campaign) struct Drafts {
    pub(in crate::campaign) list: Vec<Draft>,
}

/// The scope of what may be missing because of a complaint anywhere.
pub(in crate::campaign) const ANY: &str = "*";

/// More complaints than this help nobody.
pub(in crate::campaign) const MOST: usize = 40;

impl Drafts {
    pub(in crate::campaign) fn add(&mut self, scope: &str, span: &Range<usize>, what: impl Into<String>, remedy: impl Into<String>) {
        self.push(Draft { span: span.clone(), what: what.into(), remedy: remedy.into(), scope: scope.to_owned(), missing: false });
    }

    pub(in crate::campaign) fn missing(&mut self, scope: &str, span: &Range<usize>, what: impl Into<String>, remedy: impl Into<String>) {
        self.push(Draft { span: span.clone(), what: what.into(), remedy: remedy.into(), scope: scope.to_owned(), missing: true });
    }

    fn push(&mut self, draft: Draft) {
        if self.list.len() < 2 * MOST && !self.list.contains(&draft) {
            self.list.push(draft);
        }
    }

    pub(in crate::campaign) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether more would help nobody.
    pub(in crate::campaign) fn full(&self) -> bool {
        self.list.len() >= MOST
    }

    /// Leaves out what is missing only because something else in its scope could not be read.
    pub(in crate::campaign) fn into_error(self, texts: &Texts) -> Error {
        let blamed: Vec<String> = self.list.iter().filter(|d| !d.missing).map(|d| d.scope.clone()).collect();
        let everything = blamed.iter().any(String::is_empty);
        let mut kept: Vec<Draft> = self
            .list
            .into_iter()
            .filter(|d| !d.missing || !(everything || blamed.contains(&d.scope) || d.scope == ANY && !blamed.is_empty()))
            .collect();
        kept.sort_by_key(|d| d.span.start);
        kept.truncate(MOST);
        Error::Input(kept.into_iter().map(|d| texts.complaint(&d.span, d.what, d.remedy)).collect())
    }
}
