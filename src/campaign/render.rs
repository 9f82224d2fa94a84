//! Errors for people: the place in the file underlined, the remedy below.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceSpan, ThemeCharacters, ThemeStyles,
};

use crate::error::{Complaint, Error};

/// An error as text for a terminal, with colours and lines if `color`, else in plain ASCII for logs and files.
///
/// Complaints about a place in a text show it with the line underlined; all others are `error: what` and `help: remedy`.
pub fn render(error: &Error, color: bool) -> String {
    match error {
        Error::Input(complaints) => {
            let parts: Vec<String> = complaints.iter().map(|complaint| one(complaint, color)).collect();
            let count = if complaints.len() > 1 { format!("{} errors\n", complaints.len()) } else { String::new() };
            parts.join("\n") + &count
        }
        other => {
            let text = other.to_string();
            let (what, remedy) = text.split_once("\n  help: ").unwrap_or((&text, ""));
            one(&Complaint { what: what.to_owned(), at: None, remedy: remedy.to_owned() }, color)
        }
    }
}

fn one(complaint: &Complaint, color: bool) -> String {
    let theme = if color {
        GraphicalTheme::unicode()
    } else {
        // without miette's severity sign, which the word in front replaces
        GraphicalTheme { characters: ThemeCharacters { error: String::new(), ..ThemeCharacters::ascii() }, styles: ThemeStyles::none() }
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(color).with_width(110).with_context_lines(1);
    let mut out = String::new();
    let shown = Shown::new(complaint);
    match handler.render_report(&mut out, &shown) {
        Ok(()) => out,
        // a span that miette cannot show: the plain form says the same
        Err(_) => format!("error: {complaint}\n"),
    }
}

/// A complaint in miette's terms.
struct Shown<'a> {
    complaint: &'a Complaint,
    source: Option<NamedSource<String>>,
    span: SourceSpan,
}

impl<'a> Shown<'a> {
    fn new(complaint: &'a Complaint) -> Self {
        let source = complaint.at.as_ref().map(|at| NamedSource::new(&at.source.name, at.source.text.to_string()));
        let span = complaint.at.as_ref().map_or(0..0, |at| {
            let text = &at.source.text;
            let mut start = at.span.start.min(text.len());
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            // one line is enough to find the place
            let first_line = text[start..].find('\n').map_or(text.len(), |i| start + i);
            let mut end = at.span.end.clamp(start, first_line);
            while !text.is_char_boundary(end) {
                end += 1;
            }
            start..end
        });
        Shown { complaint, source, span: span.into() }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.complaint.what)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let remedy = &self.complaint.remedy;
        (!remedy.is_empty()).then(|| Box::new(remedy) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(self.span))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Source;

    #[test]
    fn underlines_the_place_and_says_the_remedy() {
        let source = Source::new("a.toml", "[campaign]\nname = \"x\"\ntimestp = 2\n");
        let error = Error::input_at(&source, 22..29, "unknown key `timestp`", "did you mean `timestep`?");
        let text = render(&error, false);
        for part in ["error: unknown key `timestp`", "a.toml:3:1", "timestp = 2", "^^^^^^^", "help: did you mean `timestep`?"] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains('\u{1b}') && text.is_ascii(), "{text}");
        assert!(render(&error, true).contains('\u{1b}'));
    }

    #[test]
    fn odd_spans_are_shown_all_the_same() {
        for text in ["", "é", "a\n", "\u{feff}x = 1\r\n"] {
            for span in [0..0, 0..1, 1..2, 1..1000, 7..9] {
                let error = Error::input_at(&Source::new("odd", text), span, "odd", "mend it");
                assert!(render(&error, false).contains("mend it"));
                assert!(render(&error, true).contains("mend it"));
            }
        }
    }
}
