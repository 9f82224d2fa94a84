//! From a chart to drawing primitives of kuva: places, axes, ticks, legend, colour bar.

use super::ticks::{text, ticks};
use super::{Axis, Cells, Chart, Mark, Panel, Shape, colour};
use kuva::plot::ColorMap;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};

/// Size of tick labels, legends and axis labels.
const SIZE: u32 = 13;
/// Mean width of a character of that size.
const CHARACTER: f64 = 7.9;

/// A panel's frame in pixels.
#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Places a chart's panels side by side.
pub(super) fn scene(chart: &Chart) -> Scene {
    let mut scene = Scene::new(chart.width, chart.height);
    scene.font_family = Some("DejaVu Sans, Verdana, sans-serif".to_owned());
    scene.text_color = Some(colour::INK.to_owned());
    let top = 32.0;
    let bottom = chart.height - 46.0;
    let y_ticks: Vec<Vec<(f64, String)>> = chart.panels.iter().map(|p| axis_ticks(&p.y, ((bottom - top) / 48.0) as usize)).collect();
    let left_of = |k: usize| if chart.panels[k].y.shown { 10.0 + widest(&y_ticks[k]) } else { 10.0 };
    let used: f64 = chart.panels.iter().enumerate().map(|(k, p)| left_of(k) + bar_width(p)).sum();
    let weights: f64 = chart.panels.iter().map(|p| p.weight).sum();
    let share = (chart.width - used - 16.0).max(40.0) / weights.max(1e-9);
    let mut at = 0.0;
    for (k, panel) in chart.panels.iter().enumerate() {
        let left = left_of(k);
        let width = share * panel.weight;
        let mut frame = Frame { left: at + left, right: at + left + width, top, bottom };
        at = frame.right + bar_width(panel);
        if panel.square {
            let side = (frame.right - frame.left).min(bottom - top);
            frame.right = frame.left + side;
            frame.bottom = frame.top + side;
        }
        for edge in [&mut frame.left, &mut frame.right, &mut frame.top, &mut frame.bottom] {
            *edge = edge.round();
        }
        let x_ticks = axis_ticks(&panel.x, (width / 85.0).max(2.0) as usize);
        draw_panel(&mut scene, panel, frame, &x_ticks, &y_ticks[k]);
    }
    scene
}

fn axis_ticks(axis: &Axis, wanted: usize) -> Vec<(f64, String)> {
    if axis.ticks.is_empty() {
        return ticks(axis.low, axis.high, wanted.max(2));
    }
    let named = |(i, v): (usize, &f64)| (*v, axis.names.get(i).cloned().unwrap_or_else(|| text(*v, smallest_step(&axis.ticks), v.abs())));
    axis.ticks.iter().enumerate().map(named).collect()
}

fn smallest_step(ticks: &[f64]) -> f64 {
    ticks.windows(2).map(|w| (w[1] - w[0]).abs()).filter(|d| *d > 0.0).fold(f64::INFINITY, f64::min).min(1.0)
}

fn widest(ticks: &[(f64, String)]) -> f64 {
    ticks.iter().map(|t| t.1.chars().count()).max().unwrap_or(0) as f64 * CHARACTER + 4.0
}

fn bar_width(panel: &Panel) -> f64 {
    cells(panel).map_or(0.0, |c| 44.0 + widest(&ticks(scale(c).0, scale(c).1, 5)))
}

/// Width of a text, about.
fn length(text: &str) -> f64 {
    text.chars().count() as f64 * 7.4
}

fn cells(panel: &Panel) -> Option<&Cells> {
    panel.marks.iter().find_map(|m| if let Shape::Cells(c) = &m.shape { Some(c) } else { None })
}

/// Ends of the colour scale.
fn scale(c: &Cells) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for v in c.values.iter().flatten().filter(|v| v.is_finite()) {
        (low, high) = (low.min(*v), high.max(*v));
    }
    if low < high { (low, high) } else { (if low.is_finite() { low } else { 0.0 }, if low.is_finite() { low + 1.0 } else { 1.0 }) }
}

struct Pen<'a> {
    scene: &'a mut Scene,
    frame: Frame,
    x: (f64, f64),
    y: (f64, f64),
}

impl Pen<'_> {
    fn x(&self, v: f64) -> f64 {
        let t = ((v - self.x.0) / (self.x.1 - self.x.0)).clamp(0.0, 1.0);
        self.frame.left + t * (self.frame.right - self.frame.left)
    }

    fn y(&self, v: f64) -> f64 {
        let t = ((v - self.y.0) / (self.y.1 - self.y.0)).clamp(0.0, 1.0);
        self.frame.bottom - t * (self.frame.bottom - self.frame.top)
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str, width: f64, dash: Option<&str>) {
        self.scene.add(Primitive::Line {
            x1: from.0,
            y1: from.1,
            x2: to.0,
            y2: to.1,
            stroke: stroke.into(),
            stroke_width: width,
            stroke_dasharray: dash.map(str::to_owned),
        });
    }

    fn rect(&mut self, x: (f64, f64), y: (f64, f64), fill: &str, opacity: f64) {
        self.scene.add(Primitive::Rect {
            x: x.0.min(x.1),
            y: y.0.min(y.1),
            width: (x.1 - x.0).abs(),
            height: (y.1 - y.0).abs(),
            fill: fill.into(),
            stroke: None,
            stroke_width: None,
            opacity: (opacity < 1.0).then_some(opacity),
        });
    }

    fn words(&mut self, at: (f64, f64), content: &str, anchor: TextAnchor) {
        // kuva reads $...$ as formulas.
        let content = content.replace('$', "\\$");
        self.scene.add(Primitive::Text { x: at.0, y: at.1, content, size: SIZE, anchor, rotate: None, bold: false, color: None });
    }

    fn path(&mut self, d: String, fill: &str, opacity: f64) {
        let path = PathData {
            d,
            fill: Some(fill.into()),
            stroke: "none".into(),
            stroke_width: 0.0,
            opacity: Some(opacity),
            stroke_dasharray: None,
        };
        self.scene.add(Primitive::Path(Box::new(path)));
    }
}

fn draw_panel(scene: &mut Scene, panel: &Panel, frame: Frame, x_ticks: &[(f64, String)], y_ticks: &[(f64, String)]) {
    let mut pen = Pen { scene, frame, x: (panel.x.low, panel.x.high), y: (panel.y.low, panel.y.high) };
    let bare = cells(panel).is_some();
    for (v, _) in y_ticks.iter().filter(|_| !bare) {
        let y = pen.y(*v);
        pen.line((frame.left, y), (frame.right, y), colour::FAINT, 1.0, None);
    }
    for mark in &panel.marks {
        draw_mark(&mut pen, mark);
    }
    for (a, b) in [
        ((frame.left, frame.top), (frame.right, frame.top)),
        ((frame.right, frame.top), (frame.right, frame.bottom)),
        ((frame.left, frame.bottom), (frame.right, frame.bottom)),
        ((frame.left, frame.top), (frame.left, frame.bottom)),
    ] {
        pen.line(a, b, colour::GREY, 1.0, None);
    }
    if panel.x.shown {
        let mut free = f64::NEG_INFINITY;
        for (v, label) in x_ticks {
            let x = pen.x(*v);
            pen.line((x, frame.bottom), (x, frame.bottom + 4.0), colour::GREY, 1.0, None);
            let half = label.chars().count() as f64 * CHARACTER / 2.0;
            if x - half > free {
                pen.words((x, frame.bottom + 18.0), label, TextAnchor::Middle);
                free = x + half + 4.0;
            }
        }
    }
    pen.words(((frame.left + frame.right) / 2.0, frame.bottom + 38.0), &panel.x.label, TextAnchor::Middle);
    if panel.y.shown {
        for (v, label) in y_ticks {
            let y = pen.y(*v);
            pen.line((frame.left - 4.0, y), (frame.left, y), colour::GREY, 1.0, None);
            pen.words((frame.left - 7.0, y + 4.5), label, TextAnchor::End);
        }
        // Upright, above its axis: nobody has to turn their head, and turned letters come out rough in a PNG.
        let x = frame.left - widest(y_ticks) - 6.0;
        pen.words((x, 19.5), &panel.y.label, TextAnchor::Start);
        legend(&mut pen, panel, (x + length(&panel.y.label) + 24.0).max(frame.left));
    }
    if let Some(c) = cells(panel) {
        colour_bar(&mut pen, c);
    }
}

fn draw_mark(pen: &mut Pen<'_>, mark: &Mark) {
    let frame = pen.frame;
    match &mark.shape {
        Shape::Line(points, width) => lines(pen, points, *width, mark.colour, None),
        Shape::Band(points) => {
            for piece in points.split(|p| !(p.1.is_finite() && p.2.is_finite())).filter(|p| p.len() > 1) {
                let there = piece.iter().map(|p| (p.0, p.2));
                let back = piece.iter().rev().map(|p| (p.0, p.1));
                let d: Vec<String> = there.chain(back).map(|(x, y)| format!("{:.1} {:.1}", pen.x(x), pen.y(y))).collect();
                pen.path(format!("M{} Z", d.join(" L")), mark.colour, 0.25);
            }
        }
        Shape::Dots(points, radius) => dots(pen, points, *radius, mark.colour),
        Shape::Errors(points) => {
            for &(x, y, e) in points.iter().filter(|p| p.1.is_finite()) {
                let x = pen.x(x);
                if e.is_finite() {
                    let (low, high) = (pen.y(y - e), pen.y(y + e));
                    pen.line((x, low), (x, high), mark.colour, 1.6, None);
                    pen.line((x - 4.0, low), (x + 4.0, low), mark.colour, 1.6, None);
                    pen.line((x - 4.0, high), (x + 4.0, high), mark.colour, 1.6, None);
                }
            }
            dots(pen, &points.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(), 3.5, mark.colour);
        }
        Shape::Sideways { edges, lengths } => {
            for (edge, n) in edges.windows(2).zip(lengths).filter(|(_, n)| **n > 0.0) {
                let (x, y0, y1) = (pen.x(*n), pen.y(edge[0]), pen.y(edge[1]));
                pen.rect((frame.left, x), (y0, y1), mark.colour, 0.75);
            }
        }
        Shape::Shade(a, b) => {
            let (a, b) = (pen.x(*a), pen.x(*b));
            pen.rect((a, b), (frame.top, frame.bottom), mark.colour, 0.35);
        }
        Shape::Down(x) => {
            let x = pen.x(*x);
            pen.line((x, frame.top), (x, frame.bottom), mark.colour, 1.3, Some("5,4"));
        }
        Shape::Across(y) => {
            let y = pen.y(*y);
            pen.line((frame.left, y), (frame.right, y), mark.colour, 1.3, Some("5,4"));
        }
        Shape::Cells(c) => draw_cells(pen, c),
        Shape::Segments(all) => {
            // White below, so that it is seen on dark cells too.
            for (stroke, width) in [("#ffffff", 3.0), (mark.colour, 1.4)] {
                for l in all {
                    let (from, to) = ((pen.x(l[0]), pen.y(l[1])), (pen.x(l[2]), pen.y(l[3])));
                    pen.line(from, to, stroke, width, None);
                }
            }
        }
        Shape::Words(x, y) => {
            let half = mark.name.chars().count() as f64 * CHARACTER / 2.0 + 3.0;
            let (x, y) = (
                pen.x(*x).clamp(frame.left + half, (frame.right - half).max(frame.left + half)),
                (pen.y(*y) + 13.0).clamp(frame.top + 12.0, frame.bottom - 10.0),
            );
            pen.rect((x - half, x + half), (y - 9.0, y + 8.0), "#ffffff", 0.85);
            pen.words((x, y + 4.5), &mark.name, TextAnchor::Middle);
        }
    }
}

fn lines(pen: &mut Pen<'_>, points: &[(f64, f64)], width: f64, stroke: &str, dash: Option<&str>) {
    for piece in points.split(|p| !p.1.is_finite()) {
        if let [one] = piece {
            dots(pen, &[*one], width, stroke);
        }
        let points: Vec<(f64, f64)> = piece.iter().map(|p| (tenth(pen.x(p.0)), tenth(pen.y(p.1)))).collect();
        if points.len() > 1 {
            pen.scene.add(Primitive::PolyLine {
                points,
                stroke: stroke.into(),
                stroke_width: width,
                stroke_dasharray: dash.map(str::to_owned),
            });
        }
    }
}

/// One decimal is a twentieth of a pixel, and half the size of the file.
fn tenth(v: f64) -> f64 {
    (v * 10.0).round() / 10.0
}

fn dots(pen: &mut Pen<'_>, points: &[(f64, f64)], radius: f64, fill: &str) {
    let places: Vec<(f64, f64)> =
        points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()).map(|p| (tenth(pen.x(p.0)), tenth(pen.y(p.1)))).collect();
    if radius >= 1.5 {
        for (cx, cy) in places {
            pen.scene.add(Primitive::Circle {
                cx,
                cy,
                r: radius,
                fill: fill.into(),
                fill_opacity: Some(0.85),
                stroke: None,
                stroke_width: None,
            });
        }
        return;
    }
    // Many small ones as one path of squares.
    let r = radius;
    let d: Vec<String> =
        places.iter().map(|(x, y)| format!("M{:.1} {:.1}h{:.1}v{:.1}h-{:.1}Z", x - r, y - r, 2.0 * r, 2.0 * r, 2.0 * r)).collect();
    if !d.is_empty() {
        pen.path(d.join(""), fill, 0.9);
    }
}

fn shade(t: f64) -> kuva::render::color::Color {
    let (r, g, b) = ColorMap::Viridis.map_rgb(t).unwrap_or((128, 128, 128));
    kuva::render::color::Color::Rgb(r, g, b)
}

fn draw_cells(pen: &mut Pen<'_>, c: &Cells) {
    // Edges on half pixels: whole pixels of the PNG, so neighbours leave no seam.
    let snap = |v: f64| (v * 2.0).round() / 2.0;
    let xs: Vec<f64> = c.x.iter().map(|v| snap(pen.x(*v))).collect();
    let ys: Vec<f64> = c.y.iter().map(|v| snap(pen.y(*v))).collect();
    let (low, high) = scale(c);
    let rows = ys.len().saturating_sub(1).max(1);
    let (mut x, mut y, mut w, mut h, mut fills) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (b, value) in c.values.iter().enumerate() {
        let (i, j) = (b / rows, b % rows);
        let (Some(v), true) = (value, i + 1 < xs.len()) else { continue };
        // Half a pixel under the next cell, which is drawn later: no seam shows through, whoever draws the SVG.
        let filled = |k: usize| c.values.get(k).is_some_and(Option::is_some);
        let right = if filled(b + rows) { 0.5 } else { 0.0 };
        let up = if j + 1 < rows && filled(b + 1) { 0.5 } else { 0.0 };
        x.push(xs[i]);
        y.push(ys[j + 1] - up);
        w.push(xs[i + 1] - xs[i] + right);
        h.push(ys[j] - ys[j + 1] + up);
        fills.push(shade((v - low) / (high - low)));
    }
    pen.scene.add(Primitive::GroupStart { transform: None, title: None, extra_attrs: Some("shape-rendering=\"crispEdges\"".to_owned()) });
    pen.scene.add(Primitive::RectBatch { x, y, w, h, fills });
    pen.scene.add(Primitive::GroupEnd);
}

fn colour_bar(pen: &mut Pen<'_>, c: &Cells) {
    let (low, high) = scale(c);
    let (left, right) = (pen.frame.right + 12.0, pen.frame.right + 28.0);
    let (top, bottom) = (pen.frame.top, pen.frame.bottom);
    let steps = ((bottom - top) / 2.0).floor().max(1.0) as usize;
    let edge = |k: usize| ((bottom - (bottom - top) * k as f64 / steps as f64) * 2.0).round() / 2.0;
    for k in 0..steps {
        let t = (k as f64 + 0.5) / steps as f64;
        let fill = shade(t).to_svg_string();
        pen.rect((left, right), (edge(k + 1) - if k + 1 < steps { 0.5 } else { 0.0 }, edge(k)), &fill, 1.0);
    }
    let of = |v: f64| bottom - (v - low) / (high - low) * (bottom - top);
    let labels = ticks(low, high, 5);
    for (v, label) in &labels {
        let y = of(*v);
        pen.line((right, y), (right + 4.0, y), colour::GREY, 1.0, None);
        pen.words((right + 7.0, y + 4.5), label, TextAnchor::Start);
    }
    pen.words((right + 7.0 + widest(&labels), 19.5), &c.label, TextAnchor::End);
}

fn legend(pen: &mut Pen<'_>, panel: &Panel, left: f64) {
    let mut at = left;
    for mark in panel.marks.iter().filter(|m| m.legend) {
        match mark.shape {
            Shape::Band(_) | Shape::Shade(..) | Shape::Sideways { .. } => {
                let opacity = if matches!(mark.shape, Shape::Band(_)) { 0.25 } else { 0.4 };
                pen.rect((at, at + 20.0), (9.0, 21.0), mark.colour, opacity);
            }
            Shape::Dots(..) => dots_at(pen, at + 10.0, mark.colour),
            Shape::Errors(_) => {
                pen.line((at + 10.0, 8.0), (at + 10.0, 22.0), mark.colour, 1.6, None);
                dots_at(pen, at + 10.0, mark.colour);
            }
            Shape::Down(_) | Shape::Across(_) => pen.line((at, 15.0), (at + 20.0, 15.0), mark.colour, 1.6, Some("5,4")),
            _ => pen.line((at, 15.0), (at + 20.0, 15.0), mark.colour, 2.0, None),
        }
        pen.words((at + 26.0, 19.5), &mark.name, TextAnchor::Start);
        at += 26.0 + length(&mark.name) + 18.0;
    }
}

fn dots_at(pen: &mut Pen<'_>, x: f64, fill: &str) {
    pen.scene.add(Primitive::Circle { cx: x, cy: 15.0, r: 3.5, fill: fill.into(), fill_opacity: None, stroke: None, stroke_width: None });
}
