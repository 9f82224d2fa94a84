//! A free-energy surface over two coordinates, with the declared basins drawn in.

use super::super::frames::{Frames, Values, in_degrees, label};
use super::super::plot::{Axis, Cells, Chart, Panel, Shape, colour};
use crate::estimate::summary::{BasinsSummary, SurfaceSummary};
use crate::estimate::{self, Series, surface};
use std::f64::consts::PI;

/// A surface of an estimate stage.
pub(in crate::report) fn map(s: &SurfaceSummary, basins: Option<&BasinsSummary>) -> Option<Chart> {
    let [ex, ey] = s.edges.as_slice() else { return None };
    if ex.len() < 2 || ey.len() < 2 || s.free_energy.len() != (ex.len() - 1) * (ey.len() - 1) || s.of.len() != 2 {
        return None;
    }
    let unit = |k: usize| s.units.get(k).and_then(|u| u.as_deref());
    let scaled = |edges: &[f64], k: usize| -> Vec<f64> {
        let scale = if in_degrees(unit(k)) { 180.0 / PI } else { 1.0 };
        edges.iter().map(|e| e * scale).collect()
    };
    let cells = Cells {
        x: scaled(ex, 0),
        y: scaled(ey, 1),
        values: s.free_energy.clone(),
        errors: s.stderr.clone(),
        label: match &s.unit {
            Some(unit) => format!("free energy / {unit}"),
            None => "free energy".to_owned(),
        },
    };
    Some(chart(cells, [&s.of[0], &s.of[1]], [unit(0), unit(1)], basins))
}

/// A surface from stored series, in units of kT; none when there is nothing to count.
pub(in crate::report) fn map_of(
    frames: &Frames,
    columns: [(&str, Option<&str>, &Values); 2],
    basins: Option<&BasinsSummary>,
) -> Option<Chart> {
    let bins = if frames.times.len().saturating_sub(frames.discard) * frames.well.len() > 20_000 { 72 } else { 36 };
    let mut axes = Vec::new();
    for (_, unit, values) in columns {
        axes.push(if values.periodic && in_degrees(unit) {
            estimate::Axis::new(-180.0, 180.0, bins, true).ok()?
        } else {
            let around = Axis::around("", values.kept(frames.discard));
            estimate::Axis::new(around.low, around.high, bins, false).ok()?
        });
    }
    let kept = columns.map(|c| c.2.kept(frames.discard));
    let series: Vec<Series<'_>> = kept.iter().zip(columns).map(|(k, c)| c.2.series(k)).collect();
    let found = surface(&series, &axes, 1.0).ok()?;
    let finite = |all: &[f64]| all.iter().map(|v| v.is_finite().then_some(*v)).collect();
    let cells = Cells {
        x: axes[0].edges(),
        y: axes[1].edges(),
        values: finite(&found.free_energy),
        errors: finite(&found.stderr),
        label: "free energy / kT".to_owned(),
    };
    Some(chart(cells, [columns[0].0, columns[1].0], [columns[0].1, columns[1].1], basins))
}

fn chart(cells: Cells, of: [&str; 2], units: [Option<&str>; 2], basins: Option<&BasinsSummary>) -> Chart {
    let axis = |k: usize, edges: &[f64]| {
        let label = label(of[k], units[k]);
        let (low, high) = (edges[0], edges[edges.len() - 1]);
        let turn = in_degrees(units[k]) && (low + 180.0).abs() < 1e-6 && (high - 180.0).abs() < 1e-6;
        if turn { Axis::degrees(label) } else { Axis::new(label, low, high) }
    };
    let (x, y) = (axis(0, &cells.x), axis(1, &cells.y));
    let mut panel = Panel::new(x, y);
    panel.square = true;
    panel.mark("free energy", colour::INK, Shape::Cells(cells));
    if let Some(b) = basins.filter(|b| !b.of.is_empty() && b.of.iter().all(|o| of.contains(&o.as_str()))) {
        for basin in b.basins.iter().filter(|basin| basin.sides.len() == b.of.len()) {
            // A coordinate that the basins do not name is taken whole.
            let side = |k: usize| {
                let axis = if k == 0 { &panel.x } else { &panel.y };
                let scale = if in_degrees(units[k]) { 180.0 / PI } else { 1.0 };
                let declared = b.of.iter().position(|o| o == of[k]).map(|i| basin.sides[i]);
                declared.map_or_else(|| pieces(axis.low, axis.high, axis), |(low, high)| pieces(low * scale, high * scale, axis))
            };
            let (across, upright) = (side(0), side(1));
            let mut outline = Vec::new();
            let mut largest: Option<(f64, f64, f64)> = None;
            for p in &across {
                for q in &upright {
                    let corners = [(p.low, q.low), (p.high, q.low), (p.high, q.high), (p.low, q.high)];
                    for (k, closed) in [q.closed.0, p.closed.1, q.closed.1, p.closed.0].into_iter().enumerate() {
                        if closed {
                            let (a, b) = (corners[k], corners[(k + 1) % 4]);
                            outline.push([a.0, a.1, b.0, b.1]);
                        }
                    }
                    let area = (p.high - p.low) * (q.high - q.low);
                    if largest.is_none_or(|l| area > l.0) {
                        largest = Some((area, 0.5 * (p.low + p.high), q.high));
                    }
                }
            }
            panel.mark(format!("outline of {}", basin.name), colour::INK, Shape::Segments(outline));
            if let Some((_, x, y)) = largest {
                panel.mark(&basin.name, colour::INK, Shape::Words(x, y));
            }
        }
    }
    Chart { width: 560.0, height: 470.0, panels: vec![panel] }
}

/// A stretch of an axis that a basin takes, and which of its ends are ends of the basin.
struct Piece {
    low: f64,
    high: f64,
    closed: (bool, bool),
}

/// One piece, or two when the interval goes over the end of a turn.
fn pieces(low: f64, high: f64, axis: &Axis) -> Vec<Piece> {
    let inside = |v: f64| v > axis.low + 1e-6 && v < axis.high - 1e-6;
    let one = |a: f64, b: f64| Piece { low: a.max(axis.low), high: b.min(axis.high), closed: (inside(a), inside(b)) };
    let all = if low <= high { vec![one(low, high)] } else { vec![one(low, axis.high), one(axis.low, high)] };
    all.into_iter().filter(|p| p.low < p.high).collect()
}
