//! Charts as plain data, and the one place that knows who draws them.
//!
//! The report describes a [`Chart`]; [`layout`] places it in a kuva scene, and kuva turns that into SVG and PNG. Another
//! drawing crate needs another `layout.rs` and the two lines of [`Chart::draw`], nothing else. Every chart also tells its numbers as
//! CSV, so no figure stands without them.

mod layout;
mod ticks;

use crate::{Error, Result};
use kuva::backend::png::PngBackend;
use kuva::backend::svg::SvgBackend;
use std::fmt::Write;

/// Colours that stay apart for colour-blind readers, on white.
pub(super) mod colour {
    pub(in crate::report) const INK: &str = "#26303a";
    pub(in crate::report) const FAINT: &str = "#e4e8ec";
    pub(in crate::report) const GREY: &str = "#a3acb5";
    pub(in crate::report) const BLUE: &str = "#2468a8";
    pub(in crate::report) const ORANGE: &str = "#d97706";
    /// Lines of single replicas, all pale.
    pub(in crate::report) const PALE: [&str; 3] = ["#a9c7e3", "#b9d9c0", "#dcc6e0"];
    /// Series of one chart.
    pub(in crate::report) const SERIES: [&str; 6] = ["#2468a8", "#d97706", "#2e8b57", "#b03a6f", "#6b4fa0", "#7a6a53"];
}

/// A figure of one or several panels side by side, in pixels.
pub(super) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) panels: Vec<Panel>,
}

/// Axes with marks between them.
pub(super) struct Panel {
    /// Share of the width.
    pub(super) weight: f64,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) marks: Vec<Mark>,
    /// Width and height are to have the same scale in pixels (maps of two angles).
    pub(super) square: bool,
}

/// One axis: its ends are drawn as given, never padded.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) low: f64,
    pub(super) high: f64,
    /// Places of the ticks; empty: chosen.
    pub(super) ticks: Vec<f64>,
    /// Texts of `ticks`; empty: their numbers.
    pub(super) names: Vec<String>,
    /// Without: the panel shares the axis of the one to its left.
    pub(super) shown: bool,
}

/// One series of a panel.
pub(super) struct Mark {
    /// Name in the CSV, and in the legend when `legend` is set.
    pub(super) name: String,
    pub(super) legend: bool,
    pub(super) colour: &'static str,
    pub(super) shape: Shape,
}

/// What a mark looks like. Points that are not finite interrupt lines and are left out elsewhere.
pub(super) enum Shape {
    /// Points and stroke width.
    Line(Vec<(f64, f64)>, f64),
    /// (x, low, high), filled.
    Band(Vec<(f64, f64, f64)>),
    /// Points and radius.
    Dots(Vec<(f64, f64)>, f64),
    /// (x, y, error).
    Errors(Vec<(f64, f64, f64)>),
    /// A histogram that lies on its side: edges along y, lengths along x.
    Sideways { edges: Vec<f64>, lengths: Vec<f64> },
    /// Everything between two x.
    Shade(f64, f64),
    /// A line through the whole panel at one x.
    Down(f64),
    /// A line through the whole panel at one y.
    Across(f64),
    /// Coloured cells, with a colour bar.
    Cells(Cells),
    /// (x, y) to (x, y).
    Segments(Vec<[f64; 4]>),
    /// The mark's name, centred below a point.
    Words(f64, f64),
}

/// A grid of values, `[i][j]` with i along x; `None` stays blank.
pub(super) struct Cells {
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) values: Vec<Option<f64>>,
    pub(super) errors: Vec<Option<f64>>,
    /// Words beside the colour bar.
    pub(super) label: String,
}

/// A drawn chart.
pub(super) struct Drawn {
    pub(super) svg: String,
    pub(super) png: Vec<u8>,
    pub(super) csv: String,
}

impl Axis {
    /// An axis with chosen ticks.
    pub(super) fn new(label: impl Into<String>, low: f64, high: f64) -> Axis {
        let (low, high) = if low < high {
            (low, high)
        } else {
            let width = (low.abs() * 1e-3).max(0.5);
            (low - width, high + width)
        };
        Axis { label: label.into(), low, high, ticks: Vec::new(), names: Vec::new(), shown: true }
    }

    /// An axis around values, with a margin of a twentieth on both sides.
    pub(super) fn around(label: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Axis {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for v in values.into_iter().filter(|v| v.is_finite()) {
            (low, high) = (low.min(v), high.max(v));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let margin = (high - low) * 0.05;
        Axis::new(label, low - margin, high + margin)
    }

    /// A whole turn in degrees.
    pub(super) fn degrees(label: impl Into<String>) -> Axis {
        Axis { ticks: vec![-180.0, -90.0, 0.0, 90.0, 180.0], ..Axis::new(label, -180.0, 180.0) }
    }
}

impl Panel {
    /// A panel of weight 1.
    pub(super) fn new(x: Axis, y: Axis) -> Panel {
        Panel { weight: 1.0, x, y, marks: Vec::new(), square: false }
    }

    /// Adds a mark without an entry in the legend.
    pub(super) fn mark(&mut self, name: impl Into<String>, colour: &'static str, shape: Shape) {
        self.marks.push(Mark { name: name.into(), legend: false, colour, shape });
    }

    /// Adds a mark with an entry in the legend.
    pub(super) fn named(&mut self, name: impl Into<String>, colour: &'static str, shape: Shape) {
        self.marks.push(Mark { name: name.into(), legend: true, colour, shape });
    }
}

impl Chart {
    /// SVG, PNG (two pixels a unit) and CSV.
    ///
    /// # Errors
    /// `Error::Run` if the PNG cannot be encoded.
    pub(super) fn draw(&self) -> Result<Drawn> {
        let scene = layout::scene(self);
        let png = PngBackend::new().with_scale(2.0).render_scene(&scene).map_err(|why| {
            Error::run(format!("a figure could not be drawn: {why}"), "report this as a bug; the numbers are safe in summary.json")
        })?;
        // kuva writes width and height only; a viewBox lets the page scale it.
        let size = format!("width=\"{}\" height=\"{}\"", self.width, self.height);
        let svg =
            SvgBackend::new().render_scene(&scene).replacen(&size, &format!("viewBox=\"0 0 {} {}\" {size}", self.width, self.height), 1);
        Ok(Drawn { svg, png, csv: self.csv() })
    }

    /// Every number that was drawn: `panel,series,x,y,low,high,value`.
    fn csv(&self) -> String {
        let mut text = "panel,series,x,y,low,high,value,error\n".to_owned();
        for (p, panel) in self.panels.iter().enumerate() {
            for mark in &panel.marks {
                let mut row = |cells: [Option<f64>; 6]| {
                    let _ = write!(text, "{},{}", p + 1, quoted(&mark.name));
                    for cell in cells {
                        text.push(',');
                        if let Some(v) = cell.filter(|v| v.is_finite()) {
                            let _ = write!(text, "{v:?}");
                        }
                    }
                    text.push('\n');
                };
                let s = Some;
                match &mark.shape {
                    Shape::Line(points, _) | Shape::Dots(points, _) => {
                        points.iter().filter(|p| p.1.is_finite()).for_each(|p| row([s(p.0), s(p.1), None, None, None, None]));
                    }
                    Shape::Band(points) => {
                        points.iter().filter(|p| p.1.is_finite()).for_each(|p| row([s(p.0), None, s(p.1), s(p.2), None, None]));
                    }
                    Shape::Errors(points) => points.iter().for_each(|p| row([s(p.0), s(p.1), s(p.1 - p.2), s(p.1 + p.2), None, s(p.2)])),
                    Shape::Sideways { edges, lengths } => {
                        for (edge, n) in edges.windows(2).zip(lengths) {
                            row([None, s(0.5 * (edge[0] + edge[1])), s(edge[0]), s(edge[1]), s(*n), None]);
                        }
                    }
                    Shape::Shade(a, b) => row([None, None, s(*a), s(*b), None, None]),
                    Shape::Down(x) => row([s(*x), None, None, None, None, None]),
                    Shape::Across(y) => row([None, s(*y), None, None, None, None]),
                    Shape::Cells(c) => {
                        let rows = c.y.len() - 1;
                        for (b, value) in c.values.iter().enumerate() {
                            let (i, j) = (b / rows, b % rows);
                            let centre = |e: &[f64], k: usize| s(0.5 * (e[k] + e[k + 1]));
                            row([centre(&c.x, i), centre(&c.y, j), None, None, *value, c.errors.get(b).copied().flatten()]);
                        }
                    }
                    Shape::Segments(all) => all.iter().for_each(|l| {
                        row([s(l[0]), s(l[1]), None, None, None, None]);
                        row([s(l[2]), s(l[3]), None, None, None, None]);
                    }),
                    Shape::Words(x, y) => row([s(*x), s(*y), None, None, None, None]),
                }
            }
        }
        text
    }
}

/// A CSV field.
fn quoted(s: &str) -> String {
    if s.contains([',', '"', '\n', '\r']) { format!("\"{}\"", s.replace('"', "\"\"")) } else { s.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_says_its_numbers_and_scales() {
        let mut panel = Panel::new(Axis::new("t", 0.0, 2.0), Axis::around("u <a> & \"b\"", [1.0, 3.0]));
        panel.named("mean, all", colour::BLUE, Shape::Line(vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)], 1.5));
        let drawn = Chart { width: 300.0, height: 200.0, panels: vec![panel] }.draw().unwrap();
        assert_eq!(drawn.csv, "panel,series,x,y,low,high,value,error\n1,\"mean, all\",0.0,1.0,,,,\n1,\"mean, all\",2.0,3.0,,,,\n");
        assert!(drawn.svg.contains("viewBox=\"0 0 300 200\"") && drawn.svg.contains("&lt;a&gt; &amp;") && !drawn.svg.contains("NaN"));
        assert_eq!(&drawn.png[1..4], b"PNG");
    }

    #[test]
    fn an_axis_of_one_value_or_none_has_a_width() {
        for axis in [Axis::around("", [5.0]), Axis::around("", []), Axis::around("", [f64::NAN]), Axis::new("", 2.0, 2.0)] {
            assert!(axis.low < axis.high && axis.low.is_finite() && axis.high.is_finite());
        }
    }
}
