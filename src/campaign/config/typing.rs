//! From the TOML tree to typed values with every complaint, not only the first: serde stops at an error, so the offending key is taken
//! out of the tree and the reading begins again. Nothing is missed because no key is required here.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{TABLES, Tree, stage_names};
use super::leaf::REMEDY;
use super::raw;
use super::texts::{Drafts, MOST};
use crate::campaign::nearest;

/// Reads the tree. Whatever cannot be read is complained about and left out.
pub(super) fn read(tree: &Tree<'_>, drafts: &mut Drafts) -> raw::Document {
    let whole = tree.span();
    let mut tree = Cow::Borrowed(tree);
    for _ in 0..MOST {
        let error = match raw::Document::deserialize(toml::de::Deserializer::from(tree.as_ref().clone())) {
            Ok(document) => return document,
            Err(error) => error,
        };
        let span = error.span().unwrap_or(whole.clone());
        let names = stage_names(tree.get_ref());
        let path = remove_from_table(tree.to_mut().get_mut(), &span);
        let place = Place::new(path.clone().unwrap_or_default(), &names);
        let (what, remedy) = explain(error.message(), &place);
        drafts.add(&place.scope, &span, what, remedy);
        if path.is_none() {
            break;
        }
    }
    raw::Document::default()
}

/// One step on the way to a value.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// Takes the innermost entry out whose key or value has this span; returns the way to it.
fn remove_from_table(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<Vec<Step>> {
    let mut hit = None;
    for (key, value) in table.iter_mut() {
        if let Some(mut path) = remove_from_value(value, span) {
            path.insert(0, Step::Key(key.get_ref().to_string()));
            return Some(path);
        }
        if hit.is_none() && (key.span() == *span || value.span() == *span) {
            hit = Some(key.get_ref().to_string());
        }
    }
    let key = hit?;
    table.remove(key.as_str());
    Some(vec![Step::Key(key)])
}

fn remove_from_value(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Vec<Step>> {
    match value.get_mut() {
        DeValue::Table(table) => remove_from_table(table, span),
        DeValue::Array(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                if let Some(mut path) = remove_from_value(item, span) {
                    path.insert(0, Step::Index(i));
                    return Some(path);
                }
            }
            let at = items.iter().position(|item| item.span() == *span)?;
            let kept: Vec<_> = items.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, item)| item.clone()).collect();
            *value.get_mut() = DeValue::Array(kept.into_iter().collect());
            Some(vec![Step::Index(at)])
        }
        _ => None,
    }
}

/// A place in words.
struct Place {
    /// "stage `production`", "[system]"; empty for the whole.
    scope: String,
    /// The table that holds the key: "the sample table of stage `production`".
    table: String,
    /// The key.
    key: String,
}

impl Place {
    fn new(path: Vec<Step>, names: &[(usize, String)]) -> Self {
        let mut keys: Vec<String> = Vec::new();
        let mut scope = String::new();
        let mut rest = path.as_slice();
        if let [Step::Key(first), Step::Index(i), tail @ ..] = rest
            && first == "stage"
        {
            scope = names
                .iter()
                .find(|(at, _)| at == i)
                .map_or_else(|| format!("stage number {}", i + 1), |(_, name)| format!("stage `{name}`"));
            rest = tail;
        } else if let [Step::Key(first), tail @ ..] = rest
            && !tail.is_empty()
        {
            scope = format!("[{first}]");
            rest = tail;
        }
        for step in rest {
            match step {
                Step::Key(key) => keys.push(key.clone()),
                Step::Index(i) => {
                    if let Some(last) = keys.last_mut() {
                        last.push_str(&format!("[{i}]"));
                    }
                }
            }
        }
        let key = keys.pop().unwrap_or_else(|| scope.clone());
        let table = match (keys.is_empty(), scope.is_empty()) {
            (true, true) => "the campaign".to_owned(),
            (true, false) => scope.clone(),
            (false, true) => format!("`{}`", keys.join(".")),
            (false, false) => format!("`{}` of {scope}", keys.join(".")),
        };
        Place { scope, table, key }
    }
}

/// Names from other programs, and what they are here.
const ALIASES: [(&str, &str); 14] = [
    ("dt", "timestep"),
    ("time_step", "timestep"),
    ("integrator", "propagator"),
    ("sampler", "propagator"),
    ("gamma", "friction"),
    ("kT", "temperature"),
    ("temp", "temperature"),
    ("n_steps", "steps"),
    ("chains", "replicas"),
    ("copies", "replicas"),
    ("burn_in", "discard"),
    ("equilibration", "discard"),
    ("stride", "every"),
    ("tune", "warmup"),
];

/// What serde says, in the campaign's words.
fn explain(message: &str, place: &Place) -> (String, String) {
    if let Some((what, remedy)) = message.split_once(REMEDY) {
        return (format!("`{}` of {}: {what}", place.key, place.table).replace("`` of ", ""), remedy.to_owned());
    }
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field") {
        let (wrong, known) = quoted.split_first().map_or(("", &[][..]), |(w, k)| (*w, k));
        let known: Vec<&str> = known.iter().copied().filter(|k| *k != wrong).collect();
        return (format!("unknown key `{wrong}` in {}", place.table), key_remedy(wrong, &known));
    }
    if message.starts_with("unknown variant") {
        let (wrong, known) = quoted.split_first().map_or(("", &[][..]), |(w, k)| (*w, k));
        let list = known.iter().map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
        let remedy = match nearest(&wrong.to_lowercase(), known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"? Known: {list}"),
            None => format!("known: {list}"),
        };
        return (format!("unknown {} \"{wrong}\" in {}", place.key, place.table), remedy);
    }
    if message == "wanted string or table" || message.starts_with("wanted exactly 1 element") {
        return (format!("`{}` of {} is not a name", place.key, place.table), "write one name in quotes".to_owned());
    }
    let found = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = found.and_then(|f| f.split_once(", expected ")) {
        let found = found
            .replace("string ", "the text ")
            .replace("integer ", "")
            .replace("floating point ", "")
            .replace("boolean ", "")
            .replace('`', "");
        let found = match found.as_str() {
            "sequence" => "a list".to_owned(),
            "map" => "a table".to_owned(),
            _ => found,
        };
        let expected = expected.replace("a sequence", "a list");
        let remedy = if place.key == "stage" {
            "a stage starts with [[stage]], in two brackets".to_owned()
        } else if expected == "a table" && TABLES.contains(&place.key.trim_matches(['[', ']'])) {
            format!("write [{}] on a line of its own and the keys below it", place.key)
        } else if expected == "a table" {
            format!("write {} = {{ key = value, ... }}", place.key)
        } else if expected == "a list" {
            format!("write {} = [...]", place.key)
        } else if let Some(number) = quoted_number(&found).filter(|_| expected.contains("number")) {
            format!("write it without quotes: {} = {number}", place.key)
        } else {
            format!("write {expected}")
        };
        let of = if place.table == "the campaign" { String::new() } else { format!(" of {}", place.table) };
        return (format!("`{}`{of} is {found}", place.key), remedy);
    }
    (format!("`{}` of {}: {message}", place.key, place.table), "see `ergodica schema` for what may stand here".to_owned())
}

/// The number in `the text "1000"`.
fn quoted_number(found: &str) -> Option<&str> {
    let inner = found.strip_prefix("the text \"")?.strip_suffix('"')?;
    inner.replace('_', "").parse::<u64>().ok().map(|_| inner)
}

fn key_remedy(wrong: &str, known: &[&str]) -> String {
    let list = known.join(", ");
    if wrong == "threads" || wrong == "cores" {
        return format!("the number of threads is no part of a campaign: use `ergodica run FILE -j N`. Known keys: {list}");
    }
    let alias = ALIASES.iter().find(|(other, ours)| *other == wrong && known.contains(ours)).map(|(_, ours)| *ours);
    match alias.or_else(|| nearest(wrong, known.iter().copied())) {
        Some(near) => format!("did you mean `{near}`? Known keys: {list}"),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("known keys: {list}"),
    }
}
