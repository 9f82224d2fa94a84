//! `resolved.toml`: the campaign with every default written out. It reads back as the same campaign.

use std::fmt::Write as _;

use super::anneal::Schedule;
use super::campaign::Campaign;
use super::estimates::{Estimate, Leg, Method};
use super::fields::Fields;
use super::ladder::Ladder;
use super::placed::NOWHERE;
use super::resolve::default_tolerance;
use super::resolved::Interval;
use super::sample::{Discard, Frames, Minimise, Observe, Sample, Start, Thermal};
use super::stage::{Stage, StageKind};
use super::system::{SystemFrom, Value};
use crate::campaign::units::{Kind, Quantity, UnitSystem, number_text};

impl Campaign {
    /// The whole campaign as TOML, all defaults filled in, `--set` applied, the sweep kept. Quantities keep the units they were written in.
    pub fn to_toml(&self, units: UnitSystem) -> String {
        let mut out =
            String::from("# The campaign as it runs: --set applied, every default filled in. Written by ergodica.\n\n[campaign]\n");
        line(&mut out, "name", &quote(&self.name));
        if let Some(title) = &self.title {
            line(&mut out, "title", &quote(title));
        }
        if let Some(description) = &self.description {
            line(&mut out, "description", &quote(description));
        }
        if let Some(seed) = &self.seed {
            line(&mut out, "seed", &seed.to_string());
        }
        let checkpoint = match self.checkpoint.value {
            Interval::Seconds(s) => format!("\"{} s\"", number_text(s)),
            Interval::Steps(n) => format!("\"{n} steps\""),
        };
        line(&mut out, "checkpoint", &checkpoint);
        self.write_system(&mut out);
        if let Some(path) = &self.path {
            out.push_str("\n[path]\n");
            fields(&mut out, path.fields(&written));
        }
        if !self.sweep.is_empty() {
            out.push_str("\n[sweep]\n");
            for axis in &self.sweep {
                line(&mut out, &quote(&axis.key), &format!("[{}]", axis.values.join(", ")));
            }
        }
        for basin in &self.basins {
            let _ = writeln!(out, "\n[basins.{}]", quote(&basin.name));
            for side in &basin.sides {
                line(&mut out, &quote(&side.of.text), &format!("[{}, {}]", side.lower.written(), side.upper.written()));
            }
        }
        for stage in &self.stages {
            write_stage(&mut out, stage, units);
        }
        let d = &self.diagnostics;
        out.push_str("\n[diagnostics]\n");
        line(&mut out, "rhat", &number_text(d.rhat.value));
        line(&mut out, "ess", &number_text(d.ess.value));
        line(&mut out, "min_crossings", &d.min_crossings.to_string());
        line(&mut out, "max_diverged", &number_text(d.max_diverged.value));
        out
    }

    fn write_system(&self, out: &mut String) {
        if self.system.from == SystemFrom::Data {
            return;
        }
        out.push_str("\n[system]\n");
        match &self.system.from {
            SystemFrom::Name(name) => line(out, "name", &quote(name)),
            SystemFrom::File { file, coordinates } => {
                line(out, "file", &quote(file));
                line(out, "coordinates", &quote(coordinates));
            }
            SystemFrom::Data => {}
            SystemFrom::Formula(formula) => {
                let row = |row: &[f64]| format!("[{}]", row.iter().map(|x| number_text(*x)).collect::<Vec<_>>().join(", "));
                line(out, "formula", &quote(&formula.text));
                line(out, "variables", &quotes(formula.variables.iter().map(|v| v.as_str())));
                for (key, numbers) in [("masses", &formula.masses), ("start", &formula.start)] {
                    if let Some(numbers) = numbers {
                        line(out, key, &row(numbers));
                    }
                }
            }
        }
        if let Some(restraint) = &self.system.restraint {
            line(out, "restraint", &quote(restraint));
        }
        if !self.system.observables.is_empty() {
            out.push_str("\n[system.observables]\n");
            for observable in &self.system.observables {
                line(out, &quote(&observable.name), &quote(&observable.text));
            }
        }
        if let SystemFrom::Formula(formula) = &self.system.from {
            for (quantity, r) in &formula.references {
                out.push_str(&format!("\n[system.references.{}]\n", quote(quantity)));
                line(out, "value", &number_text(r.value));
                line(out, "error", &number_text(r.error));
                line(out, "source", &quote(&r.source));
            }
        }
        if !self.system.parameters.is_empty() {
            out.push_str("\n[system.parameters]\n");
            for (key, value) in &self.system.parameters {
                line(out, &quote(key), &value_text(value));
            }
        }
    }
}

/// A text as a TOML string on one line.
pub(in crate::campaign) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn quotes<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", texts.map(quote).collect::<Vec<_>>().join(", "))
}

fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key} = {value}");
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Number(quantity) => quantity.written(),
        Value::Text(text) => quote(text),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(value_text).collect::<Vec<_>>().join(", ")),
    }
}

fn write_stage(out: &mut String, stage: &Stage<Quantity>, units: UnitSystem) {
    let _ = writeln!(out, "\n[[stage]]\nname = {}", quote(&stage.name));
    let _ = writeln!(out, "[stage.{}]", stage.kind.name());
    match &stage.kind {
        StageKind::Minimise(minimise) => write_minimise(out, minimise, units),
        StageKind::Sample(sample) => write_sample(out, sample, true),
        StageKind::Exchange(e) => {
            write_sample(out, &e.sample, matches!(e.ladder.value, Ladder::Lambdas(_)));
            fields(out, e.fields(&written));
        }
        StageKind::Expanded(e) => {
            write_sample(out, &e.sample, matches!(e.ladder.value, Ladder::Lambdas(_)));
            fields(out, e.fields(&written));
        }
        StageKind::Metadynamics(m) => {
            write_sample(out, &m.sample, true);
            fields(out, m.fields(&written));
        }
        StageKind::Anneal(a) => {
            let adaptive = a.schedule.value == Schedule::Adaptive && a.along.temperatures().is_none();
            fields(out, a.fields(&written).into_iter().filter(|(key, _)| !(adaptive && *key == "levels")).collect());
            if a.start != Start::System {
                line(out, "start", &start_text(&a.start));
            }
        }
        StageKind::Switch(s) => {
            fields(out, s.fields(&written));
            line(out, "start", &start_text(&s.sample.start));
        }
        StageKind::Estimate(estimate) => write_estimate(out, estimate),
    }
    if let Some(observe) = &stage.observe {
        write_observe(out, observe);
    }
    if let Some(calls) = &stage.budget {
        let _ = writeln!(out, "[stage.budget]\nenergy_calls = {calls}");
    }
}

fn start_text(start: &Start<Quantity>) -> String {
    match start {
        Start::System => "\"minimum\"".to_owned(),
        Start::Stage(name) => format!("{{ stage = {} }}", quote(name)),
        Start::Run { dir, stage, frames } => {
            let frames = match frames {
                Frames::Last => "\"last\"".to_owned(),
                Frames::At(list) => format!("{list:?}"),
            };
            format!("{{ run = {}, stage = {}, frames = {frames} }}", quote(dir), quote(stage))
        }
        Start::Structures(files) => format!("{{ structures = {} }}", quotes(files.iter().map(|f| f.as_str()))),
        Start::Random(width) => format!("{{ random = {} }}", width.written()),
    }
}

fn write_minimise(out: &mut String, minimise: &Minimise<Quantity>, units: UnitSystem) {
    let tolerance = if minimise.tolerance.span == NOWHERE { default_tolerance(units) } else { minimise.tolerance.value.clone() };
    line(out, "tolerance", &tolerance.written());
    line(out, "max_steps", &minimise.max_steps.to_string());
    if let Some(replicas) = &minimise.replicas {
        line(out, "replicas", &replicas.to_string());
    }
    line(out, "start", &start_text(&minimise.start));
}

/// As the user wrote it, for lists of fields.
fn written(quantity: &Quantity, _: Kind) -> String {
    quantity.written()
}

fn fields(out: &mut String, fields: Fields) {
    for (key, value) in fields {
        line(out, key, &value);
    }
}

/// `thermal`: whether the stage has one temperature of its own.
fn write_sample(out: &mut String, sample: &Sample<Quantity>, thermal: bool) {
    line(out, "propagator", &quote(sample.propagator.name()));
    line(out, "timestep", &sample.timestep.written());
    if let Some(friction) = &sample.friction {
        line(out, "friction", &friction.written());
    }
    match &sample.thermal.value {
        Thermal::Temperature(t) if thermal => line(out, "temperature", &t.written()),
        Thermal::Beta(beta) if thermal => line(out, "beta", &beta.written()),
        _ => {}
    }
    if let Some(lambda) = &sample.lambda {
        line(out, "lambda", &number_text(lambda.value));
    }
    line(out, "replicas", &sample.replicas.to_string());
    line(out, "steps", &sample.steps.to_string());
    line(out, "start", &start_text(&sample.start));
    let discard = match &sample.discard.value {
        Discard::Auto => "\"auto\"".to_owned(),
        Discard::Steps(n) => n.to_string(),
        // a bare whole number would be read as steps
        Discard::Time(time) => {
            Some(time.written()).filter(|t| t.contains(['"', '.', 'e'])).unwrap_or_else(|| format!("{}.0", time.written()))
        }
    };
    line(out, "discard", &discard);
    if sample.propagator.metropolised() {
        line(out, "warmup", &sample.warmup.to_string());
    }
    if let Some(target) = &sample.target_acceptance {
        line(out, "target_acceptance", &number_text(target.value));
    }
    if let Some(leapfrog) = &sample.leapfrog_steps {
        line(out, "leapfrog_steps", &leapfrog.to_string());
    }
    if let Some(remove) = &sample.remove_com {
        line(out, "remove_com", &remove.to_string());
    }
}

fn write_observe(out: &mut String, observe: &Observe) {
    out.push_str("[stage.observe]\n");
    line(out, "every", &observe.every.to_string());
    line(out, "columns", &quotes(observe.columns.iter().map(|c| c.text.as_str())));
    line(out, "precision", &quote(observe.precision.name()));
}

fn write_estimate(out: &mut String, estimate: &Estimate<Quantity>) {
    line(out, "method", &quote(estimate.method.name()));
    let list = |leg: &Leg| quotes(leg.files.iter().map(|f| f.as_str()));
    match &estimate.data[..] {
        [] => line(out, "from", &quote(&estimate.from)),
        [leg @ Leg { name: None, .. }] => line(out, "files", &list(leg)),
        legs => {
            let name = |l: &Leg| quote(l.name.as_ref().map_or("", |n| n.as_str()));
            let legs: Vec<String> = legs.iter().map(|l| format!("{} = {}", name(l), list(l))).collect();
            line(out, "legs", &format!("{{ {} }}", legs.join(", ")));
        }
    }
    if let Some(kelvin) = &estimate.taken.temperature {
        line(out, "temperature", &Quantity::of(kelvin.value, "K").written());
    }
    if let Some(discard) = &estimate.taken.discard {
        line(out, "discard", &quote(&discard.value.text()));
    }
    if let Some(all) = &estimate.taken.no_subsample {
        line(out, "no_subsample", &all.to_string());
    }
    if estimate.method.free_energy() {
        line(out, "unit", &quote(estimate.unit.name()));
    }
    if let Some(rule) = &estimate.rule {
        line(out, "rule", &quote(rule.name()));
    }
    if let Some(n) = &estimate.bootstraps {
        line(out, "bootstraps", &n.to_string());
    }
    if estimate.method.value == Method::Basins {
        line(out, "basins", &quotes(estimate.basins.iter().map(|b| b.as_str())));
        return;
    }
    if !estimate.method.of_columns() {
        return;
    }
    line(out, "of", &quotes(estimate.of.iter().map(|c| c.text.as_str())));
    if !estimate.axes.is_empty() {
        line(out, "bins", &format!("{:?}", estimate.axes.iter().map(|a| a.bins.value).collect::<Vec<_>>()));
        let ranged = estimate.axes.iter().zip(&estimate.of).filter_map(|(axis, column)| Some((column, axis.range.as_ref()?)));
        let ranges: Vec<String> = ranged
            .map(|(column, (lower, upper))| format!("{} = [{}, {}]", quote(&column.text), lower.written(), upper.written()))
            .collect();
        if !ranges.is_empty() {
            line(out, "range", &format!("{{ {} }}", ranges.join(", ")));
        }
        if let Some(smooth) = &estimate.smooth {
            line(out, "smooth", &quote(smooth.name()));
        }
    }
}
