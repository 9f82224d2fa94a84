//! `[sweep]`: one campaign for every combination of the values of some keys.
//!
//! ```toml
//! [sweep]
//! "production.timestep" = ["1 fs", "2 fs", "4 fs"]
//! "production.temperature" = { from = "280 K", to = "320 K", count = 5 }
//! ```
//! A key is an address as of `--set`: STAGE.KEY is a key of what the stage does, STAGE.observe.KEY one of its observe table;
//! system.parameters.KEY, basins.NAME.KEY and so on start with a table of the campaign. The points of `{ from, to, count }` are
//! equally spaced, both ends included, rounded to 12 digits. The cartesian product is taken, the last key fastest.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::config::document::{self, Tree};
use super::config::texts::{Drafts, Texts};
use super::units::{Quantity, number_text};

/// More points than this are not expanded.
pub const MOST_POINTS: usize = 1000;

const FORMS: &str = "write a list (\"production.timestep\" = [\"1 fs\", \"2 fs\"]) or { from = \"1 fs\", to = \"4 fs\", count = 4 }";

/// A swept key.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Address, shortest form.
    pub(super) key: String,
    key_span: Range<usize>,
    pub(super) values: Vec<AxisValue>,
}

/// One value of a swept key.
#[derive(Clone, Debug)]
pub(super) struct AxisValue {
    /// As TOML writes it.
    pub(super) toml: String,
    span: Range<usize>,
    /// For people, labels and random streams: numbers in their shortest form, unit after a space.
    shown: String,
}

/// Takes `[sweep]` out of the tree.
pub(super) fn take(tree: &mut Tree<'_>, texts: &Texts, drafts: &mut Drafts) -> Vec<Axis> {
    let Some(sweep) = tree.get_mut().remove("sweep") else { return Vec::new() };
    let DeValue::Table(table) = sweep.get_ref() else {
        drafts.add("[sweep]", &sweep.span(), "`sweep` is not a table", "write [sweep] on a line of its own and the keys below it");
        return Vec::new();
    };
    let mut axes: Vec<Axis> = Vec::new();
    flatten("", table, texts, drafts, &mut axes);
    for i in 0..axes.len() {
        match document::normal(tree.get_ref(), &axes[i].key) {
            Ok(address) => axes[i].key = address.short,
            Err(misfit) => drafts.add("[sweep]", &axes[i].key_span.clone(), misfit.what, misfit.remedy),
        }
        let forbidden =
            ["campaign.", "sweep.", "diagnostics."].iter().any(|t| axes[i].key.starts_with(t)) && axes[i].key != "campaign.seed";
        if forbidden {
            let what = format!("`{}` cannot be swept: it does not change what is sampled", axes[i].key);
            drafts.add("[sweep]", &axes[i].key_span.clone(), what, "sweep keys of stages, system, basins, or campaign.seed");
        }
        if axes[..i].iter().any(|a| a.key == axes[i].key) {
            drafts.add("[sweep]", &axes[i].key_span.clone(), format!("`{}` is swept twice", axes[i].key), "remove one");
        }
    }
    let points = axes.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.values.len()));
    if points.is_none_or(|n| n > MOST_POINTS) {
        let counts: Vec<String> = axes.iter().map(|a| a.values.len().to_string()).collect();
        let what = format!("the sweep has {} points, more than {MOST_POINTS}", counts.join(" x "));
        drafts.add("[sweep]", &sweep.span(), what, "sweep fewer values, or make several campaigns");
    }
    axes
}

fn flatten(prefix: &str, table: &DeTable<'_>, texts: &Texts, drafts: &mut Drafts, axes: &mut Vec<Axis>) {
    for (key, value) in table {
        let address = if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        let values = match value.get_ref() {
            DeValue::Array(items) if !items.is_empty() => items.iter().map(|item| listed(texts, item)).collect(),
            DeValue::Table(inner) if ["from", "to", "count"].iter().any(|k| inner.contains_key(*k)) => match range(inner, &value.span()) {
                Ok(values) => values,
                Err((span, what, remedy)) => {
                    drafts.add("[sweep]", &span, format!("sweep of `{address}`: {what}"), remedy);
                    continue;
                }
            },
            DeValue::Table(inner) if !inner.is_empty() => {
                flatten(&address, inner, texts, drafts, axes);
                continue;
            }
            _ => {
                drafts.add("[sweep]", &value.span(), format!("sweep of `{address}` has no values"), FORMS);
                continue;
            }
        };
        for (i, one) in values.iter().enumerate() {
            if values[..i].iter().any(|other: &AxisValue| other.shown == one.shown) {
                drafts.add("[sweep]", &one.span, format!("sweep of `{address}` lists {} twice", one.shown), "remove one");
                break;
            }
        }
        axes.push(Axis { key: address, key_span: key.span(), values });
    }
}

fn listed(texts: &Texts, item: &Spanned<DeValue<'_>>) -> AxisValue {
    let toml = texts.slice(&item.span()).to_owned();
    let shown = match item.get_ref() {
        DeValue::String(text) => Quantity::parse(text).map_or_else(|_| text.to_string(), |q| q.to_string()),
        DeValue::Integer(n) => integer(n).map_or_else(|| toml.clone(), |n| n.to_string()),
        DeValue::Float(x) => x.as_str().parse().map_or_else(|_| toml.clone(), number_text),
        _ => toml.clone(),
    };
    AxisValue { toml, span: item.span(), shown }
}

fn integer(n: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(n.as_str(), n.radix()).ok()
}

type Refusal = (Range<usize>, String, String);

/// `{ from, to, count }`: equally spaced, both ends included.
fn range(table: &DeTable<'_>, whole: &Range<usize>) -> Result<Vec<AxisValue>, Refusal> {
    let refuse = |span: Range<usize>, what: &str| (span, what.to_owned(), FORMS.to_owned());
    if let Some((key, _)) = table.iter().find(|(k, _)| !matches!(k.get_ref().as_ref(), "from" | "to" | "count")) {
        return Err(refuse(key.span(), &format!("unknown key `{}`", key.get_ref())));
    }
    let part = |key: &str| table.get(key).ok_or_else(|| refuse(whole.clone(), &format!("`{key}` is missing")));
    let end = |key: &str| -> Result<Quantity, Refusal> {
        let value = part(key)?;
        let number = match value.get_ref() {
            DeValue::String(text) => Quantity::parse(text).map_err(|m| (value.span(), m.what, m.remedy))?,
            DeValue::Integer(n) => Quantity::bare(integer(n).map_or(f64::NAN, |n| n as f64)),
            DeValue::Float(x) => Quantity::bare(x.as_str().parse().unwrap_or(f64::NAN)),
            _ => return Err(refuse(value.span(), &format!("`{key}` is not a number"))),
        };
        if number.number.is_finite() { Ok(number) } else { Err(refuse(value.span(), &format!("`{key}` is not a finite number"))) }
    };
    let (from, to) = (end("from")?, end("to")?);
    let count = part("count")?;
    let n = count.get_ref().as_integer().and_then(integer).filter(|n| (2..=MOST_POINTS as i64).contains(n));
    let Some(n) = n else {
        return Err(refuse(count.span(), &format!("`count` must be a whole number from 2 to {MOST_POINTS}")));
    };
    if from.unit != to.unit {
        return Err((
            whole.clone(),
            format!("from = {} and to = {} have different units", from.written(), to.written()),
            "write both in the same unit".to_owned(),
        ));
    }
    let values = (0..n).map(|i| {
        let x = from.number + (to.number - from.number) * (i as f64 / (n - 1) as f64);
        let rounded = format!("{x:.11e}").parse::<f64>().unwrap_or(x);
        let quantity = Quantity { number: if i == 0 { from.number } else { rounded }, unit: from.unit.clone() };
        AxisValue { toml: quantity.written(), span: whole.clone(), shown: quantity.to_string() }
    });
    Ok(values.collect())
}

/// A swept key cannot be fixed by `--set KEY=..`: the sweep would override it silently.
pub(super) fn refuse_set(axes: &[Axis], sets: &[(&str, usize)], tree: &Tree<'_>, drafts: &mut Drafts) {
    for (key, base) in sets {
        let Ok(address) = document::normal(tree.get_ref(), key) else { continue };
        if let Some(axis) = axes.iter().find(|a| a.key == address.short) {
            let values: Vec<&str> = axis.values.iter().map(|v| v.toml.as_str()).take(3).collect();
            let remedy = format!("set the sweep instead: --set 'sweep.{key}=[...]' (now {} ...)", values.join(", "));
            drafts.add("[sweep]", &(*base..base + key.len()), format!("--set {key}: this key is swept"), remedy);
        }
    }
}

/// Indices of values, one for each axis, the last axis fastest.
pub(super) fn combinations(axes: &[Axis]) -> impl Iterator<Item = Vec<usize>> {
    let lengths: Vec<usize> = axes.iter().map(|a| a.values.len()).collect();
    let total: usize = lengths.iter().product();
    (0..total).map(move |mut i| {
        let mut chosen = vec![0; lengths.len()];
        for (slot, length) in chosen.iter_mut().zip(&lengths).rev() {
            *slot = i % length;
            i /= length;
        }
        chosen
    })
}

/// Puts the chosen values into the tree.
pub(super) fn apply<'t>(axes: &'t [Axis], chosen: &[usize], tree: &mut Tree<'t>, drafts: &mut Drafts) {
    for (axis, i) in axes.iter().zip(chosen) {
        let value = &axis.values[*i];
        let read = document::read_value(&value.toml, value.span.start);
        let placed = Spanned::new(value.span.clone(), read.into_inner());
        let key = Spanned::new(axis.key_span.clone(), Cow::Borrowed(axis.key.as_str()));
        if let Err(misfit) = document::set(tree.get_mut(), &key, placed) {
            drafts.add("[sweep]", &axis.key_span, misfit.what, misfit.remedy);
        }
    }
}

/// Keys and shown values.
pub(super) fn values(axes: &[Axis], chosen: &[usize]) -> Vec<(String, String)> {
    axes.iter().zip(chosen).map(|(axis, i)| (axis.key.clone(), axis.values[*i].shown.clone())).collect()
}

/// A folder's name: last words of the keys if they differ, values without spaces.
pub(super) fn label(axes: &[Axis], chosen: &[usize]) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let unique = axes.iter().all(|a| axes.iter().filter(|b| last(&a.key) == last(&b.key)).count() == 1);
    let parts = axes.iter().zip(chosen).map(|(axis, i)| {
        let key = if unique { last(&axis.key) } else { axis.key.clone() };
        format!("{key}={}", axis.values[*i].shown)
    });
    let text = parts.collect::<Vec<_>>().join(",");
    // "1 /ps" -> "1perps"
    let text = text.replace('/', "per");
    let clean: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '"')
        .map(|c| if c.is_alphanumeric() || matches!(c, '=' | ',' | '.' | '-' | '_') { c } else { '_' })
        .collect();
    let spaced = axes.iter().zip(chosen).map(|(axis, i)| &axis.values[*i].shown).any(|v| v.contains(' ') && Quantity::parse(v).is_err());
    let lossy =
        spaced || clean.len() > 100 || text.chars().any(|c| !(c.is_alphanumeric() || matches!(c, '=' | ',' | '.' | '-' | '_' | ' ')));
    if !lossy {
        return clean;
    }
    // different texts must stay different folders
    let short: String = clean.chars().take(80).collect();
    format!("{short}-{}", &blake3::hash(text.as_bytes()).to_hex()[..8])
}
