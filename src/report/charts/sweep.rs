//! Estimates against a swept value, with error bars.

use super::super::frames::{in_degrees, label};
use super::super::plot::{Axis, Chart, Panel, Shape, colour};
use crate::estimate::Estimate;
use std::f64::consts::PI;

/// One chart of a sweep.
pub(in crate::report) struct Swept {
    /// Stage and quantity.
    pub(in crate::report) stage: String,
    pub(in crate::report) quantity: String,
    /// The swept key along x.
    pub(in crate::report) key: String,
    pub(in crate::report) chart: Chart,
}

/// A name and (x, value, error).
type Line = (String, Vec<(f64, f64, f64)>);

/// A chart for every stage and scalar quantity that has at least two points, along the swept key with most values.
pub(in crate::report) fn sweeps(estimates: &[Estimate]) -> Vec<Swept> {
    let mut groups: Vec<(&str, &str, Vec<&Estimate>)> = Vec::new();
    for e in estimates.iter().filter(|e| e.coords.is_empty()) {
        match groups.iter_mut().find(|g| g.0 == e.stage && g.1 == e.quantity) {
            Some(group) => group.2.push(e),
            None => groups.push((&e.stage, &e.quantity, vec![e])),
        }
    }
    groups.into_iter().filter(|g| g.2.len() > 1).filter_map(|(stage, quantity, all)| swept(stage, quantity, &all)).collect()
}

fn swept(stage: &str, quantity: &str, all: &[&Estimate]) -> Option<Swept> {
    let mut keys: Vec<(&String, Vec<String>)> = Vec::new();
    for (key, value) in all.iter().flat_map(|e| e.conditions.iter()) {
        let value = shown(value);
        match keys.iter_mut().find(|k| k.0 == key) {
            Some(known) if known.1.contains(&value) => {}
            Some(known) => known.1.push(value),
            None => keys.push((key, vec![value])),
        }
    }
    keys.retain(|k| k.1.len() > 1);
    // A swept temperature also stands under its own name: the address in the campaign says more.
    let most = keys.iter().map(|k| k.1.len()).max()?;
    let (key, values) = keys.iter().filter(|k| k.1.len() == most).max_by_key(|k| k.0.contains('.'))?.clone();
    let others: Vec<&String> = keys.iter().map(|k| k.0).filter(|k| *k != key && k.contains('.')).collect();
    let numbers: Option<Vec<(f64, String)>> = values.iter().map(|v| number(v)).collect();
    let same_unit = numbers.as_ref().is_some_and(|n| n.iter().all(|v| v.1 == n[0].1));
    let place = |e: &Estimate| -> Option<f64> {
        let text = shown(e.conditions.get(key.as_str())?);
        if same_unit { number(&text).map(|n| n.0) } else { values.iter().position(|v| *v == text).map(|i| i as f64) }
    };
    let unit = all[0].unit.as_deref();
    let scale = if in_degrees(unit) { 180.0 / PI } else { 1.0 };
    let mut lines: Vec<Line> = Vec::new();
    for e in all.iter().filter(|e| e.value.is_finite()) {
        let name: Vec<String> =
            others.iter().filter_map(|k| e.conditions.get(k.as_str()).map(|v| format!("{} {}", last(k), shown(v)))).collect();
        let (name, point) = (name.join(", "), (place(e)?, e.value * scale, e.stderr * scale));
        match lines.iter_mut().find(|l| l.0 == name) {
            Some(line) => line.1.push(point),
            None => lines.push((name, vec![point])),
        }
    }
    let reference = all[0].reference.as_ref().filter(|r| all.iter().all(|e| e.reference.as_ref() == Some(r)));
    let ends = lines.iter().flat_map(|l| &l.1).flat_map(|p| [p.1, p.1 - p.2, p.1 + p.2]).chain(reference.map(|r| r.value * scale));
    let y = Axis::around(label(quantity, unit), ends);
    let xs: Vec<f64> = lines.iter().flat_map(|l| l.1.iter().map(|p| p.0)).collect();
    let mut x = Axis::around(last(key), xs.iter().copied());
    if same_unit {
        if let Some(unit) = numbers.as_ref().map(|n| n[0].1.as_str()).filter(|u| !u.is_empty()) {
            x.label = format!("{} / {unit}", last(key));
        }
        // Steps and temperatures mean something against 0 when 0 is near.
        if x.low > 0.0 && x.low < 0.5 * x.high {
            x.low = 0.0;
        }
    } else {
        (x.low, x.high) = (-0.5, values.len() as f64 - 0.5);
        x.ticks = (0..values.len()).map(|i| i as f64).collect();
        x.names.clone_from(&values);
    }
    let mut panel = Panel::new(x, y);
    if let Some(r) = reference {
        panel.named("reference", colour::GREY, Shape::Across(r.value * scale));
    }
    for (k, (name, mut points)) in lines.into_iter().enumerate() {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let colour = colour::SERIES[k % colour::SERIES.len()];
        if same_unit {
            panel.mark(format!("{name} line"), colour, Shape::Line(points.iter().map(|p| (p.0, p.1)).collect(), 1.0));
        }
        if name.is_empty() { panel.mark(quantity, colour, Shape::Errors(points)) } else { panel.named(name, colour, Shape::Errors(points)) }
    }
    let chart = Chart { width: 480.0, height: 300.0, panels: vec![panel] };
    Some(Swept { stage: stage.to_owned(), quantity: quantity.to_owned(), key: key.clone(), chart })
}

/// The last part of an address: `timestep` of `production.timestep`.
fn last(key: &str) -> String {
    key.rsplit('.').next().unwrap_or(key).to_owned()
}

/// A condition's value as text.
pub(in crate::report) fn shown(v: &serde_json::Value) -> String {
    v.as_str().map_or_else(|| v.to_string(), str::to_owned)
}

/// `"2 fs"` as 2 and `fs`.
fn number(text: &str) -> Option<(f64, String)> {
    let (value, unit) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    value.replace('_', "").parse::<f64>().ok().filter(|v| v.is_finite()).map(|v| (v, unit.trim().to_owned()))
}
