//! Everything of a campaign that changes results, as sorted keys and values: hashed to tell campaigns apart, compared to name what changed.
//!
//! Values are in internal units with the shortest digits that read back, so "2 fs" and "0.002 ps" are the same campaign. The title, the
//! description and the checkpoint interval are not part of it. Contents of named files are not either: their readers hash those.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::campaign::Campaign;
use super::estimates::Estimate;
use super::fields::Fields;
use super::ladder::Ladder;
use super::resolved::Resolved;
use super::sample::{Discard, Frames, Minimise, Observe, Sample, Start, Thermal};
use super::stage::StageKind;
use super::system::{SystemFrom, Value};
use crate::campaign::units::{Kind, UnitSystem, number_text};
use crate::error::{Complaint, Error, Result};

/// Hashes of a campaign and of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// BLAKE3 over all keys and values, 64 hexadecimal digits.
    pub whole: String,
    /// The same for `campaign`, `system`, `basins`, `diagnostics` and each stage by name, in alphabetical order.
    pub parts: Vec<(String, String)>,
}

/// A key whose value differs between two campaigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its address: "production.timestep".
    pub key: String,
    /// Value before, in internal units; none if the key is new.
    pub old: Option<String>,
    /// Value after; none if the key is gone.
    pub new: Option<String>,
    /// The stage, if this is its number of steps and it was raised: then `ergodica extend` does what is wanted.
    pub extends: Option<String>,
}

impl Resolved {
    /// Keys and values of everything that changes results.
    pub fn canonical(&self) -> BTreeMap<String, String> {
        let mut map = Map { units: self.units, map: BTreeMap::new() };
        map.text("campaign.seed", &self.seed.map_or("drawn by the program".to_owned(), |s| s.to_string()));
        map.text("system.units", if self.units == UnitSystem::Molecular { "molecular" } else { "reduced" });
        match &self.system.from {
            SystemFrom::Name(name) => map.text("system.name", name),
            SystemFrom::File { file, coordinates } => {
                map.text("system.file", file);
                map.text("system.coordinates", coordinates);
            }
            SystemFrom::Data => {}
            SystemFrom::Formula(formula) => {
                map.text("system.formula", &formula.text);
                map.text("system.variables", &formula.names().join(", "));
                for (key, numbers) in [("system.masses", &formula.masses), ("system.start", &formula.start)] {
                    if let Some(numbers) = numbers {
                        map.text(key, &numbers.iter().map(|x| number_text(*x)).collect::<Vec<_>>().join(", "));
                    }
                }
                for (quantity, r) in &formula.references {
                    let text = format!("{} ± {} ({})", number_text(r.value), number_text(r.error), r.source);
                    map.text(&format!("system.references.{}", quantity.value), &text);
                }
            }
        }
        for observable in &self.system.observables {
            map.text(&format!("system.observables.{}", observable.name.value), &observable.text);
        }
        if let Some(restraint) = &self.system.restraint {
            map.text("system.restraint", restraint);
        }
        for (key, value) in &self.system.parameters {
            map.text(&format!("system.parameters.{}", key.value), &value_text(value));
        }
        if let Some(path) = &self.path {
            for (key, value) in path.fields(&map.show()) {
                map.text(&format!("path.{key}"), &value);
            }
        }
        for basin in &self.basins {
            for side in &basin.sides {
                let kind = side.of.quantity().unwrap_or(Kind::Dimensionless);
                let ends = format!("{} to {}", map.shown(side.lower.value, kind), map.shown(side.upper.value, kind));
                map.text(&format!("basins.{}.{}", basin.name.value, side.of.text), &ends);
            }
        }
        let d = &self.diagnostics;
        map.text("diagnostics.rhat", &number_text(d.rhat.value));
        map.text("diagnostics.ess", &number_text(d.ess.value));
        map.text("diagnostics.min_crossings", &d.min_crossings.to_string());
        map.text("diagnostics.max_diverged", &number_text(d.max_diverged.value));
        for stage in &self.stages {
            let at = |key: &str| format!("{}.{key}", stage.name.value);
            map.text(&at("does"), stage.kind.name());
            match &stage.kind {
                StageKind::Minimise(m) => map.minimise(m, &at),
                StageKind::Sample(s) => map.sample(s, true, &at),
                StageKind::Exchange(e) => {
                    map.sample(&e.sample, matches!(e.ladder.value, Ladder::Lambdas(_)), &at);
                    map.fields(e.fields(&map.show()), &at);
                }
                StageKind::Expanded(e) => {
                    map.sample(&e.sample, matches!(e.ladder.value, Ladder::Lambdas(_)), &at);
                    map.fields(e.fields(&map.show()), &at);
                }
                StageKind::Metadynamics(m) => {
                    map.sample(&m.sample, true, &at);
                    map.fields(m.fields(&map.show()), &at);
                }
                StageKind::Anneal(a) => {
                    map.fields(a.fields(&map.show()), &at);
                    map.start(&at("start"), &a.start);
                }
                StageKind::Switch(s) => {
                    map.fields(s.fields(&map.show()), &at);
                    map.start(&at("start"), &s.sample.start);
                }
                StageKind::Estimate(e) => map.estimate(e, &at),
            }
            if let Some(observe) = &stage.observe {
                map.observe(observe, &at);
            }
            if let Some(calls) = &stage.budget {
                map.text(&at("budget.energy_calls"), &calls.to_string());
            }
        }
        map.map
    }

    /// Hashes of the whole and of the parts.
    pub fn digest(&self) -> Digest {
        let mut parts: BTreeMap<String, blake3::Hasher> = BTreeMap::new();
        let mut whole = blake3::Hasher::new();
        for (key, value) in self.canonical() {
            let part = key.split('.').next().unwrap_or_default().to_owned();
            // lengths first, so that no two lists of pairs give the same bytes
            let head = [(key.len() as u64).to_le_bytes(), (value.len() as u64).to_le_bytes()].concat();
            for hasher in [&mut whole, parts.entry(part).or_default()] {
                hasher.update(&head).update(key.as_bytes()).update(value.as_bytes());
            }
        }
        let parts = parts.into_iter().map(|(name, hasher)| (name, hasher.finalize().to_hex().to_string())).collect();
        Digest { whole: whole.finalize().to_hex().to_string(), parts }
    }
}

/// The keys that differ, sorted.
pub fn diff(old: &Resolved, new: &Resolved) -> Vec<Change> {
    let (a, b) = (old.canonical(), new.canonical());
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let changed = keys.into_iter().filter(|key| a.get(*key) != b.get(*key)).map(|key| {
        let (old, new) = (a.get(key).cloned(), b.get(key).cloned());
        let count = |text: &Option<String>| text.as_ref().and_then(|t| t.parse::<u64>().ok());
        let raised = matches!((count(&old), count(&new)), (Some(before), Some(after)) if after > before);
        let extends = key.strip_suffix(".steps").filter(|_| raised).map(str::to_owned);
        Change { key: key.clone(), old, new, extends }
    });
    changed.collect()
}

/// What differs between two campaigns with all their points: swept keys with their lists of values, then the other keys.
///
/// Errors: those of [`Campaign::resolve`].
pub fn changes(old: &Campaign, new: &Campaign, units: UnitSystem) -> Result<Vec<Change>> {
    let swept = |campaign: &Campaign| -> BTreeMap<String, String> {
        campaign.sweep.iter().map(|axis| (format!("sweep.{}", axis.key), format!("[{}]", axis.values.join(", ")))).collect()
    };
    let (a, b) = (swept(old), swept(new));
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differ = keys.into_iter().filter(|key| a.get(*key) != b.get(*key));
    let mut list: Vec<Change> =
        differ.map(|key| Change { key: key.clone(), old: a.get(key).cloned(), new: b.get(key).cloned(), extends: None }).collect();
    for (old, new) in old.points().iter().zip(new.points()) {
        for change in diff(&old.campaign.resolve(units)?, &new.campaign.resolve(units)?) {
            let swept = list.iter().any(|c| c.key == change.key || c.key == format!("sweep.{}", change.key));
            if !swept {
                list.push(change);
            }
        }
    }
    Ok(list)
}

/// The refusal to resume `dir` with a changed campaign: one complaint for each key, with both values and what to do.
pub fn changed_error(dir: &Path, changes: &[Change]) -> Error {
    let absent = "not set".to_owned();
    let complaints = changes.iter().map(|change| {
        let (old, new) = (change.old.as_ref().unwrap_or(&absent), change.new.as_ref().unwrap_or(&absent));
        let what = format!("{}: the campaign changed since this run began: `{}` was {old}, is now {new}", dir.display(), change.key);
        let remedy = match &change.extends {
            Some(stage) => format!("restore it, then ergodica extend {} --stage {stage} --to {new}", dir.display()),
            None => "restore it to resume this run, or start a new one with --out DIR".to_owned(),
        };
        Complaint { what, at: None, remedy }
    });
    Error::Input(complaints.collect())
}

struct Map {
    units: UnitSystem,
    map: BTreeMap<String, String>,
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Number(quantity) => quantity.resolve_any().map_or_else(|_| quantity.to_string(), number_text),
        Value::Text(text) => format!("\"{text}\""),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(value_text).collect::<Vec<_>>().join(", ")),
    }
}

impl Map {
    fn text(&mut self, key: &str, value: &str) {
        self.map.insert(key.to_owned(), value.to_owned());
    }

    fn shown(&self, x: f64, kind: Kind) -> String {
        let unit = self.units.unit(kind);
        if unit.is_empty() { number_text(x) } else { format!("{} {unit}", number_text(x)) }
    }

    fn number(&mut self, key: &str, x: f64, kind: Kind) {
        let text = self.shown(x, kind);
        self.text(key, &text);
    }

    /// Numbers in internal units, for lists of fields.
    fn show(&self) -> impl Fn(&f64, Kind) -> String + use<> {
        let units = self.units;
        move |x, kind| {
            let unit = units.unit(kind);
            if unit.is_empty() { number_text(*x) } else { format!("{} {unit}", number_text(*x)) }
        }
    }

    fn fields(&mut self, fields: Fields, at: &dyn Fn(&str) -> String) {
        for (key, value) in fields {
            self.text(&at(key), &value);
        }
    }

    fn start(&mut self, key: &str, start: &Start) {
        let text = match start {
            Start::System => "minimum".to_owned(),
            Start::Stage(name) => format!("stage {}", name.value),
            Start::Run { dir, stage, frames: Frames::Last } => format!("last frame of stage {} of run {}", stage.value, dir.value),
            Start::Run { dir, stage, frames: Frames::At(list) } => format!("frames {list:?} of stage {} of run {}", stage.value, dir.value),
            Start::Structures(files) => format!("structures {:?}", files.iter().map(|f| f.as_str()).collect::<Vec<_>>()),
            Start::Random(width) => format!("random {}", self.shown(width.value, Kind::Length)),
        };
        self.text(key, &text);
    }

    fn minimise(&mut self, m: &Minimise, at: &dyn Fn(&str) -> String) {
        self.number(&at("tolerance"), m.tolerance.value, Kind::Force);
        self.text(&at("max_steps"), &m.max_steps.to_string());
        if let Some(replicas) = &m.replicas {
            self.text(&at("replicas"), &replicas.to_string());
        }
        self.start(&at("start"), &m.start);
    }

    /// `thermal`: whether the stage has one temperature of its own.
    fn sample(&mut self, s: &Sample, thermal: bool, at: &dyn Fn(&str) -> String) {
        self.text(&at("propagator"), s.propagator.name());
        self.number(&at("timestep"), s.timestep.value, Kind::Time);
        if let Some(friction) = &s.friction {
            self.number(&at("friction"), friction.value, Kind::InverseTime);
        }
        match s.thermal.value {
            Thermal::Temperature(t) if thermal => self.number(&at("temperature"), t, Kind::Temperature),
            Thermal::Beta(beta) if thermal => self.number(&at("beta"), beta, Kind::InverseEnergy),
            _ => {}
        }
        if let Some(lambda) = &s.lambda {
            self.text(&at("lambda"), &number_text(lambda.value));
        }
        self.text(&at("replicas"), &s.replicas.to_string());
        self.text(&at("steps"), &s.steps.to_string());
        self.start(&at("start"), &s.start);
        let discard = match s.discard.value {
            Discard::Auto => "auto".to_owned(),
            _ => s.discard_steps().map_or(String::new(), |n| format!("{n} steps")),
        };
        self.text(&at("discard"), &discard);
        if s.propagator.metropolised() {
            self.text(&at("warmup"), &s.warmup.to_string());
        }
        if let Some(target) = &s.target_acceptance {
            self.text(&at("target_acceptance"), &number_text(target.value));
        }
        if let Some(leapfrog) = &s.leapfrog_steps {
            self.text(&at("leapfrog_steps"), &leapfrog.to_string());
        }
        let com = s.remove_com.as_ref().map_or("as the system says".to_owned(), |f| f.to_string());
        self.text(&at("remove_com"), &com);
    }

    fn observe(&mut self, o: &Observe, at: &dyn Fn(&str) -> String) {
        self.text(&at("observe.every"), &o.every.to_string());
        self.text(&at("observe.columns"), &o.columns.iter().map(|c| c.text.as_str()).collect::<Vec<_>>().join(", "));
        self.text(&at("observe.precision"), o.precision.name());
    }

    fn estimate(&mut self, e: &Estimate, at: &dyn Fn(&str) -> String) {
        self.text(&at("method"), e.method.name());
        if e.data.is_empty() {
            self.text(&at("from"), &e.from);
        }
        for leg in &e.data {
            let key = leg.name.as_ref().map_or("files".to_owned(), |n| format!("legs.{}", n.value));
            self.text(&at(&key), &leg.files.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(", "));
        }
        if let Some(kelvin) = &e.taken.temperature {
            self.text(&at("temperature"), &format!("{} K", number_text(kelvin.value)));
        }
        if let Some(discard) = &e.taken.discard {
            self.text(&at("discard"), &discard.value.text());
        }
        if let Some(all) = &e.taken.no_subsample {
            self.text(&at("no_subsample"), &all.to_string());
        }
        self.text(&at("of"), &e.of.iter().map(|c| c.text.as_str()).collect::<Vec<_>>().join(", "));
        self.text(&at("basins"), &e.basins.iter().map(|b| b.as_str()).collect::<Vec<_>>().join(", "));
        if e.method.free_energy() {
            self.text(&at("unit"), e.unit.name());
        }
        if let Some(rule) = &e.rule {
            self.text(&at("rule"), rule.name());
        }
        if let Some(smooth) = &e.smooth {
            self.text(&at("smooth"), smooth.name());
        }
        if let Some(n) = &e.bootstraps {
            self.text(&at("bootstraps"), &n.to_string());
        }
        for (axis, column) in e.axes.iter().zip(&e.of) {
            self.text(&at(&format!("bins.{}", column.text)), &axis.bins.to_string());
            if let Some((lower, upper)) = &axis.range {
                let kind = column.quantity().unwrap_or(Kind::Dimensionless);
                let text = format!("{} to {}", self.shown(lower.value, kind), self.shown(upper.value, kind));
                self.text(&at(&format!("range.{}", column.text)), &text);
            }
        }
    }
}
