//! The campaign as a TOML tree: syntax, dotted addresses ("production.timestep"), `--set`.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::texts::{Drafts, MOST, Texts};
use crate::campaign::nearest;
use crate::campaign::units::Misfit;
use crate::error::Source;

/// A campaign before it is typed.
pub(in crate::campaign) type Tree<'t> = Spanned<DeTable<'t>>;

/// Tables of a campaign; no stage may have one of these names.
pub(in crate::campaign) const TABLES: [&str; 8] = ["campaign", "system", "sweep", "path", "basins", "stage", "stages", "diagnostics"];
/// Tables of a stage.
pub(in crate::campaign) const STAGE_TABLES: [&str; 10] =
    ["minimise", "sample", "exchange", "expanded", "metadynamics", "anneal", "switch", "estimate", "observe", "budget"];
/// How many of them say what the stage does.
const KINDS: usize = 8;

/// Parses a text as TOML; syntax errors become drafts, one for each line.
pub(in crate::campaign) fn parse<'t>(text: &'t str, drafts: &mut Drafts) -> Tree<'t> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    let mut lines: Vec<usize> = Vec::new();
    let mut open_table = false;
    for error in errors {
        // an inline table that is not closed swallows the lines after it: one message is enough
        let within = super::syntax::inside_inline_table(error.message());
        if within && open_table {
            continue;
        }
        open_table |= within;
        let span = error.span().unwrap_or(text.len()..text.len());
        let line = line_start(text, span.start);
        if !lines.contains(&line) && lines.len() < MOST {
            lines.push(line);
            let (what, remedy) = super::syntax::explain(&text[line..], error.message());
            drafts.add("", &span, what, remedy);
        }
    }
    tree
}

/// Offset of the first byte of the line that holds `at`.
fn line_start(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().rposition(|byte| *byte == b'\n').map_or(0, |i| i + 1)
}

/// Moves every span of a value by `base`.
pub(in crate::campaign) fn shift<'t>(value: Spanned<DeValue<'t>>, base: usize) -> Spanned<DeValue<'t>> {
    let move_by = |span: Range<usize>| span.start + base..span.end + base;
    let span = move_by(value.span());
    let inner = match value.into_inner() {
        DeValue::Array(items) => DeValue::Array(items.iter().cloned().map(|item| shift(item, base)).collect::<DeArray<'_>>()),
        DeValue::Table(table) => {
            let entries = table.into_iter().map(|(key, item)| (Spanned::new(move_by(key.span()), key.into_inner()), shift(item, base)));
            DeValue::Table(entries.collect())
        }
        other => other,
    };
    Spanned::new(span, inner)
}

/// A `--set key=value` as a text of its own: `value` is TOML, or else a string.
pub(in crate::campaign) struct Override {
    pub(in crate::campaign) key: String,
    pub(in crate::campaign) value: String,
    pub(in crate::campaign) base: usize,
}

impl Override {
    /// Registers the text `key=value` so that complaints can point into it.
    pub(in crate::campaign) fn new(key: &str, value: &str, texts: &mut Texts) -> Self {
        let base = texts.add(Source::new(format!("--set {key}"), format!("{key}={value}")));
        Override { key: key.trim().to_owned(), value: value.to_owned(), base }
    }

    fn key_span(&self) -> Range<usize> {
        self.base..self.base + self.key.len()
    }

    /// The value, with spans that point into the `--set` text.
    pub(in crate::campaign) fn read(&self) -> Spanned<DeValue<'_>> {
        let at = self.base + self.key.len() + 1;
        read_value(&self.value, at)
    }

    /// Puts the value into the tree.
    pub(in crate::campaign) fn apply<'t>(&'t self, tree: &mut Tree<'t>, drafts: &mut Drafts) {
        let key = Spanned::new(self.key_span(), Cow::Borrowed(self.key.as_str()));
        if let Err(misfit) = set(tree.get_mut(), &key, self.read()) {
            drafts.add("", &self.key_span(), format!("--set {}: {}", self.key, misfit.what), misfit.remedy);
        }
    }
}

/// A value written outside the file: TOML if it is TOML, else a string. `at` is the offset of its first byte.
pub(in crate::campaign) fn read_value(text: &str, at: usize) -> Spanned<DeValue<'_>> {
    match DeValue::parse(text) {
        Ok(value) => shift(value, at),
        Err(_) => Spanned::new(at..at + text.len(), DeValue::String(Cow::Borrowed(text.trim()))),
    }
}

/// Puts a value at a dotted address.
///
/// The first word is a table of the campaign (`campaign`, `system`, `basins`, `diagnostics`, `sweep`) or the name of a stage; after a
/// stage's name comes a key of what the stage does ("production.timestep"), or one of its tables ("production.observe.every").
pub(in crate::campaign) fn set<'t>(tree: &mut DeTable<'t>, key: &Spanned<Cow<'t, str>>, value: Spanned<DeValue<'t>>) -> Result<(), Misfit> {
    let address = normal(tree, key.get_ref())?;
    let mut table = tree;
    let (last, path) = address.path.split_last().ok_or_else(|| no_address(key.get_ref()))?;
    if let Some(stage) = address.stage {
        table = stage_mut(table, stage).ok_or_else(|| no_address(key.get_ref()))?;
    }
    for word in path {
        let entry = table
            .entry(Spanned::new(key.span(), Cow::Owned(word.clone())))
            .or_insert_with(|| Spanned::new(key.span(), DeValue::Table(DeTable::new())));
        table = match entry.get_mut() {
            DeValue::Table(inner) => inner,
            _ => return Err(Misfit { what: format!("`{word}` is not a table"), remedy: format!("`{}` has no keys of its own", word) }),
        };
    }
    table.insert(Spanned::new(key.span(), Cow::Owned(last.clone())), value);
    Ok(())
}

fn no_address(key: &str) -> Misfit {
    Misfit { what: format!("`{key}` names no value"), remedy: "write STAGE.KEY, for example production.timestep, or TABLE.KEY".to_owned() }
}

/// Where an address leads.
pub(in crate::campaign) struct Address {
    /// Index of the stage.
    stage: Option<usize>,
    /// Keys from the stage's table, or from the root.
    path: Vec<String>,
    /// The address in its shortest form: STAGE.KEY, without "sample".
    pub(in crate::campaign) short: String,
}

/// Understands an address.
pub(in crate::campaign) fn normal(tree: &DeTable<'_>, key: &str) -> Result<Address, Misfit> {
    let words: Vec<String> = key.split('.').map(|w| w.trim().trim_matches('"').to_owned()).collect();
    let named: Vec<(usize, String)> = stage_names(tree);
    if words.len() < 2 || words.len() > 8 || words.iter().any(String::is_empty) {
        return Err(no_address(key));
    }
    let (first, rest) = (words[0].as_str(), &words[1..]);
    if first == "sweep" {
        return Ok(Address { stage: None, path: vec!["sweep".to_owned(), rest.join(".")], short: words.join(".") });
    }
    if matches!(first, "campaign" | "system" | "path" | "basins" | "diagnostics") {
        return Ok(Address { stage: None, path: words.clone(), short: words.join(".") });
    }
    let Some(index) = named.iter().find(|(_, name)| name == first).map(|(i, _)| *i) else {
        let names: Vec<&str> = named.iter().map(|(_, name)| name.as_str()).collect();
        let remedy = match nearest(first, names.iter().copied().chain(TABLES)) {
            Some(near) => format!("did you mean `{near}`? Stages: {}", names.join(", ")),
            None => format!("start with the name of a stage ({}) or with campaign, system, path, basins, diagnostics", names.join(", ")),
        };
        return Err(Misfit { what: format!("no stage is called `{first}`"), remedy });
    };
    if rest == ["name"] {
        return Err(Misfit { what: "the name of a stage cannot be changed".to_owned(), remedy: "change it in the file".to_owned() });
    }
    let kind = stage_at(tree, index).and_then(|stage| STAGE_TABLES[..KINDS].iter().find(|k| stage.contains_key(**k)));
    let path: Vec<String> = match (STAGE_TABLES.contains(&rest[0].as_str()), kind) {
        (true, _) => rest.to_vec(),
        (false, Some(kind)) => std::iter::once((*kind).to_owned()).chain(rest.iter().cloned()).collect(),
        (false, None) => {
            let what = format!("stage `{first}` does nothing: it has neither sample nor another table of what it does");
            return Err(Misfit { what, remedy: format!("write {first}.sample.{}", rest.join(".")) });
        }
    };
    let short = if kind.is_some_and(|kind| rest[0] == **kind) { &rest[1..] } else { rest };
    let short = format!("{first}.{}", short.join("."));
    Ok(Address { stage: Some(index), path, short })
}

/// The stages that have a name.
pub(in crate::campaign) fn stage_names(tree: &DeTable<'_>) -> Vec<(usize, String)> {
    let Some(stages) = tree.get("stage").and_then(|s| s.get_ref().as_array()) else { return Vec::new() };
    let name = |stage: &Spanned<DeValue<'_>>| Some(stage.get_ref().as_table()?.get("name")?.get_ref().as_str()?.to_owned());
    stages.iter().enumerate().filter_map(|(i, stage)| Some((i, name(stage)?))).collect()
}

fn stage_at<'a, 't>(tree: &'a DeTable<'t>, index: usize) -> Option<&'a DeTable<'t>> {
    tree.get("stage")?.get_ref().as_array()?.get(index)?.get_ref().as_table()
}

fn stage_mut<'a, 't>(tree: &'a mut DeTable<'t>, index: usize) -> Option<&'a mut DeTable<'t>> {
    match tree.get_mut("stage")?.get_mut() {
        DeValue::Array(stages) => match stages.get_mut(index)?.get_mut() {
            DeValue::Table(stage) => Some(stage),
            _ => None,
        },
        _ => None,
    }
}
