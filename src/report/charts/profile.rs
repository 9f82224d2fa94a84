//! A free-energy profile along one coordinate with its error band.

use super::super::frames::{in_degrees, label};
use super::super::plot::{Axis, Chart, Panel, Shape, colour};
use crate::estimate::summary::{BasinsSummary, SurfaceSummary};
use std::f64::consts::PI;

/// The profile of an estimate stage; bins without visits interrupt it.
pub(in crate::report) fn profile(s: &SurfaceSummary, basins: Option<&BasinsSummary>) -> Option<Chart> {
    let [edges] = s.edges.as_slice() else { return None };
    if edges.len() < 2 || s.free_energy.len() != edges.len() - 1 {
        return None;
    }
    let unit = s.units.first().and_then(|u| u.as_deref());
    let scale = if in_degrees(unit) { 180.0 / PI } else { 1.0 };
    let centre = |i: usize| 0.5 * (edges[i] + edges[i + 1]) * scale;
    let line: Vec<(f64, f64)> = s.free_energy.iter().enumerate().map(|(i, f)| (centre(i), f.unwrap_or(f64::NAN))).collect();
    let error = |i: usize| s.stderr.get(i).copied().flatten().unwrap_or(f64::NAN);
    let band: Vec<(f64, f64, f64)> = line.iter().enumerate().map(|(i, p)| (p.0, p.1 - error(i), p.1 + error(i))).collect();
    let name = s.of.first().map_or("", String::as_str);
    let (low, high) = (edges[0] * scale, edges[edges.len() - 1] * scale);
    let x = if in_degrees(unit) && (high - low - 360.0).abs() < 1e-6 {
        Axis::degrees(label(name, unit))
    } else {
        Axis::new(label(name, unit), low, high)
    };
    let what = match &s.unit {
        Some(unit) => format!("free energy / {unit}"),
        None => "free energy".to_owned(),
    };
    let mut panel = Panel::new(x, Axis::around(what, band.iter().flat_map(|b| [b.1, b.2]).chain(line.iter().map(|p| p.1)).chain([0.0])));
    for basin in basins.iter().filter(|b| b.of.first().is_some_and(|o| o == name) && b.of.len() == 1).flat_map(|b| &b.basins) {
        if let Some((a, b)) = basin.sides.first().map(|s| (s.0 * scale, s.1 * scale)) {
            let stretches = if a <= b { vec![(a, b)] } else { vec![(a, high), (low, b)] };
            for (a, b) in stretches {
                panel.mark(format!("range of {}", basin.name), "#c9ced4", Shape::Shade(a, b));
                panel.mark(&basin.name, colour::INK, Shape::Words(0.5 * (a + b), panel.y.high));
            }
        }
    }
    panel.named("\u{b1} 1 standard error", colour::BLUE, Shape::Band(band));
    panel.named("free energy", colour::BLUE, Shape::Line(line, 1.8));
    Some(Chart { width: 560.0, height: 320.0, panels: vec![panel] })
}
