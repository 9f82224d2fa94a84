//! What stands on the page, before it is HTML. The template (templates/report.html) escapes every text.

use crate::estimate::Outcome;
use askama::Template;

/// report.html.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) version: String,
    /// The verdict in words.
    pub(super) verdict: String,
    /// `pass`, `warn` or `fail`.
    pub(super) class: &'static str,
    /// What is wrong, one sentence each.
    pub(super) reasons: Vec<String>,
    pub(super) sections: Vec<Section>,
}

/// A heading and what follows it.
pub(super) struct Section {
    pub(super) level: usize,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section.
pub(super) enum Block {
    Text(String),
    List(Vec<String>),
    Verbatim(String),
    Table(Table),
    /// A table behind a line that opens it.
    Folded(String, Table),
    Figures(Vec<Figure>),
}

/// Rows under a head.
#[derive(Default)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) head: Vec<Cell>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Clone)]
pub(super) struct Cell {
    pub(super) text: String,
    /// Aligned to the right.
    pub(super) number: bool,
    /// Colour: `pass`, `warn`, `fail` or none.
    pub(super) class: &'static str,
}

/// A figure; its files lie in `figures/`.
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) caption: String,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) picture: Picture,
}

/// How a figure comes into the page.
pub(super) enum Picture {
    Svg(String),
    /// In base 64.
    Png(String),
    /// Only as files, to keep the page small.
    Linked,
}

impl Section {
    /// An empty section; its id is made of its title.
    pub(super) fn new(level: usize, title: impl Into<String>) -> Section {
        let title = title.into();
        Section { level, id: plain(&title), title, blocks: Vec::new() }
    }

    /// The same with blocks.
    pub(super) fn of(level: usize, title: impl Into<String>, blocks: Vec<Block>) -> Section {
        Section { blocks, ..Section::new(level, title) }
    }
}

impl Table {
    /// A table whose columns named with a leading `#` hold numbers.
    pub(super) fn new(caption: impl Into<String>, head: &[&str]) -> Table {
        let head = head.iter().map(|h| match h.strip_prefix('#') {
            Some(rest) => Cell { text: rest.to_owned(), number: true, class: "" },
            None => Cell::text(*h),
        });
        Table { caption: caption.into(), head: head.collect(), rows: Vec::new() }
    }

    /// Names and values, without a head.
    pub(super) fn facts(caption: impl Into<String>, facts: Vec<(&str, String)>) -> Table {
        let row = |(name, value): (&str, String)| vec![Cell::text(name), Cell::text(value)];
        let rows = facts.into_iter().filter(|f| !f.1.is_empty()).map(row).collect();
        Table { caption: caption.into(), head: Vec::new(), rows }
    }
}

impl Cell {
    /// Words.
    pub(super) fn text(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), number: false, class: "" }
    }

    /// A number.
    pub(super) fn number(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), number: true, class: "" }
    }

    /// In the colour of an outcome.
    pub(super) fn coloured(self, outcome: Outcome) -> Cell {
        Cell { class: class(outcome), ..self }
    }
}

/// Colour class of an outcome.
pub(super) fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Warn => "warn",
        Outcome::Fail => "fail",
    }
}

/// Letters, digits, `_`, `-`, and points between them: fit for file names and ids. Never empty.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let inner = c == '.' && out.ends_with(|o: char| o.is_ascii_alphanumeric());
        if c.is_ascii_alphanumeric() || c == '_' || inner {
            out.push(c);
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    let out = out.trim_end_matches(['-', '.']);
    if out.is_empty() { "x".to_owned() } else { out.chars().take(200).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert_eq!(plain("sweep/T=0.5/<b>..%"), "sweep-T-0.5-b");
        assert_eq!((plain("../../x"), plain("..")), ("x".to_owned(), "x".to_owned()));
        assert_eq!((plain("\u{3c6}"), plain("dihedral:phi")), ("x".to_owned(), "dihedral-phi".to_owned()));
    }
}
