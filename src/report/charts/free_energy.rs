//! Pictures of free-energy estimates, each a function of plain arrays.

use super::super::number;
use super::super::plot::{Axis, Cells, Chart, Panel, Shape, colour};
use crate::estimate::Part;
use crate::io::files;
use crate::{Error, Result};
use std::path::Path;

/// A picture and what it shows.
pub struct FreeEnergyFigure {
    chart: Chart,
    caption: String,
}

impl FreeEnergyFigure {
    /// One or two sentences.
    pub fn caption(&self) -> &str {
        &self.caption
    }

    /// The chart, for a page.
    #[allow(dead_code, reason = "campaign reports put it on their pages")]
    pub(in crate::report) fn chart(&self) -> &Chart {
        &self.chart
    }

    /// Writes `DIR/NAME.svg`, `.png` and `.csv`; the folder is made.
    ///
    /// # Errors
    /// `Error::Io`; `Error::Run` if it cannot be drawn.
    pub fn write(&self, dir: &Path, name: &str) -> Result<()> {
        if name.is_empty() || name.contains(['/', '\\']) {
            return Err(Error::input(format!("\"{name}\" is no name of a figure"), "give a name without folders"));
        }
        files::make_dir(dir)?;
        let drawn = self.chart.draw()?;
        files::write_atomic(&dir.join(format!("{name}.svg")), drawn.svg.as_bytes())?;
        files::write_atomic(&dir.join(format!("{name}.png")), &drawn.png)?;
        files::write_atomic(&dir.join(format!("{name}.csv")), drawn.csv.as_bytes())
    }
}

fn figure(width: f64, height: f64, panels: Vec<Panel>, caption: String) -> Option<FreeEnergyFigure> {
    Some(FreeEnergyFigure { chart: Chart { width, height, panels }, caption })
}

/// Overlap matrix of the states, `[i][j]`: the chance that a sample of state i belongs to state j. Row 0 on top.
///
/// None when the matrix is not of that size or there are fewer than two states.
pub fn overlap(states: &[String], matrix: &[f64]) -> Option<FreeEnergyFigure> {
    let k = states.len();
    if k < 2 || matrix.len() != k * k {
        return None;
    }
    let edges: Vec<f64> = (0..=k).map(|i| i as f64).collect();
    let at = |i: usize, j: usize| matrix[i * k + j];
    // cells are [x][y], upwards
    let values = (0..k * k).map(|b| Some(at(k - 1 - b % k, b / k)).filter(|v| v.is_finite())).collect();
    let cells = Cells { x: edges.clone(), y: edges, values, errors: vec![None; k * k], label: "overlap".into() };
    let mut x = Axis::new("state", 0.0, k as f64);
    (x.ticks, x.names) = labelled(states, 12);
    let mut y = Axis::new("state of the sample", 0.0, k as f64);
    (y.ticks, y.names) = labelled(states, 20);
    y.ticks.iter_mut().for_each(|v| *v = k as f64 - *v);
    let mut panel = Panel::new(x, y);
    panel.square = true;
    panel.mark("overlap", colour::INK, Shape::Cells(cells));
    if k <= 8 {
        for i in 0..k {
            for j in 0..k {
                // words hang 13 pixels below their point; the map is about 400 pixels high
                let (x, y) = (j as f64 + 0.5, (k - i) as f64 - 0.5 + 0.032 * k as f64);
                panel.mark(format!("{:.2}", at(i, j)), colour::INK, Shape::Words(x, y));
            }
        }
    }
    let weakest = (0..k - 1).min_by(|&a, &b| at(a, a + 1).total_cmp(&at(b, b + 1)))?;
    let caption = format!(
        "Overlap of the states. The weakest between neighbours is {} between {} and {}; below 0.03 errors cannot be trusted.",
        number::digits(at(weakest, weakest + 1), 2),
        states[weakest],
        states[weakest + 1]
    );
    figure(560.0, 480.0, vec![panel], caption)
}

/// Histograms of the work of going forth and of minus the work of going back, which cross at the free-energy difference.
///
/// `delta_f`: value and standard error. All in one unit. None when a side has no finite value.
pub fn work(forward: &[f64], reverse: &[f64], delta_f: (f64, f64), unit: &str) -> Option<FreeEnergyFigure> {
    let finite = |w: &[f64], sign: f64| -> Vec<f64> { w.iter().map(|v| sign * v).filter(|v| v.is_finite()).collect() };
    let (f, r) = (finite(forward, 1.0), finite(reverse, -1.0));
    if f.is_empty() || r.is_empty() {
        return None;
    }
    let mut x = Axis::around(format!("work / {unit}"), f.iter().chain(&r).copied().chain([delta_f.0]));
    let bins = ((f.len().min(r.len()) as f64).sqrt() * 2.0).clamp(12.0, 60.0) as usize;
    x.ticks = Vec::new();
    let (density_f, density_r) = (density(&f, x.low, x.high, bins), density(&r, x.low, x.high, bins));
    let top = density_f.iter().chain(&density_r).copied().fold(0.0, f64::max);
    let steps = |density: &[f64]| -> Vec<(f64, f64)> {
        let width = (x.high - x.low) / bins as f64;
        density.iter().enumerate().flat_map(|(b, d)| [(x.low + b as f64 * width, *d), (x.low + (b + 1) as f64 * width, *d)]).collect()
    };
    let mut panel = Panel::new(x.clone(), Axis::new(format!("density / (1/{unit})"), 0.0, top * 1.08));
    for (name, colour, density) in [("forward", colour::BLUE, &density_f), ("\u{2212}reverse", colour::ORANGE, &density_r)] {
        let line = steps(density);
        panel.mark(format!("{name} filled"), colour, Shape::Band(line.iter().map(|p| (p.0, 0.0, p.1)).collect()));
        panel.named(name, colour, Shape::Line(line, 1.5));
    }
    if delta_f.0.is_finite() {
        if delta_f.1.is_finite() {
            panel.mark("\u{b1} 1 standard error", colour::GREY, Shape::Shade(delta_f.0 - delta_f.1, delta_f.0 + delta_f.1));
        }
        panel.named("\u{394}F", colour::INK, Shape::Down(delta_f.0));
    }
    let mean = |w: &[f64]| w.iter().sum::<f64>() / w.len() as f64;
    let caption = format!(
        "Work of {} forward and {} reverse runs; the distributions cross at \u{394}F = {} {unit}. Dissipated: {} and {} {unit}.",
        forward.len(),
        reverse.len(),
        number::measured(delta_f.0, delta_f.1),
        number::digits(mean(&f) - delta_f.0, 3),
        number::digits(delta_f.0 - mean(&r), 3)
    );
    figure(560.0, 320.0, vec![panel], caption)
}

/// Mean gradient of one component of lambda over the states in which it moves.
pub struct Gradient<'a> {
    /// Name of the component.
    pub name: &'a str,
    /// Lambda of each state, in the order of the path.
    pub lambda: &'a [f64],
    /// Mean dU/dlambda.
    pub mean: &'a [f64],
    /// Its standard error.
    pub stderr: &'a [f64],
}

/// dU/dlambda with the area that thermodynamic integration takes; one panel for each component.
///
/// None without components, or when the lengths of one differ or it has no state.
pub fn gradients(components: &[Gradient<'_>], total: (f64, f64), unit: &str) -> Option<FreeEnergyFigure> {
    let mut panels = Vec::new();
    for (k, c) in components.iter().enumerate() {
        if c.lambda.is_empty() || c.mean.len() != c.lambda.len() || c.stderr.len() != c.lambda.len() {
            return None;
        }
        let error = |i: usize| if c.stderr[i].is_finite() { c.stderr[i] } else { 0.0 };
        let ends = (0..c.mean.len()).flat_map(|i| [c.mean[i] - error(i), c.mean[i] + error(i)]).chain([0.0]);
        let (low, high) = c.lambda.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), l| (a.min(*l), b.max(*l)));
        let mut x = Axis::around(format!("\u{3bb} {}", c.name).trim_end(), [low, high]);
        if (0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high) {
            (x.low, x.high) = (-0.03, 1.03);
            x.ticks = vec![0.0, 0.25, 0.5, 0.75, 1.0];
        }
        let mut panel = Panel::new(x, Axis::around(format!("\u{2202}U/\u{2202}\u{3bb} / {unit}"), ends));
        let colour = colour::SERIES[k % colour::SERIES.len()];
        let point = |i: usize| (c.lambda[i], c.mean[i]);
        panel.mark("area", colour, Shape::Band(area(c.lambda, c.mean)));
        panel.mark("zero", colour::GREY, Shape::Line(vec![(panel.x.low, 0.0), (panel.x.high, 0.0)], 1.0));
        panel.mark("mean line", colour, Shape::Line((0..c.mean.len()).map(point).collect(), 1.4));
        panel.mark("mean", colour, Shape::Errors((0..c.mean.len()).map(|i| (point(i).0, point(i).1, c.stderr[i])).collect()));
        panels.push(panel);
    }
    let caption = format!("Mean gradient in each state; its integral is \u{394}F = {} {unit}.", number::measured(total.0, total.1));
    let width = (280.0 * panels.len() as f64).clamp(560.0, 1100.0);
    if panels.is_empty() { None } else { figure(width, 320.0, panels, caption) }
}

/// An estimate from growing parts of the data, from the front and from the back; a band of one error around the final value.
///
/// None without parts.
pub fn convergence(parts: &[Part], quantity: &str, unit: &str) -> Option<FreeEnergyFigure> {
    let last = parts.last()?;
    let (value, error) = last.forward;
    let shown = |v: (f64, f64)| if v.1.is_finite() { [v.0 - v.1, v.0 + v.1] } else { [v.0, v.0] };
    let ends = parts.iter().flat_map(|p| [shown(p.forward), shown(p.reverse)]).flatten();
    let mut panel = Panel::new(Axis::new("part of the data", 0.0, 1.04), Axis::around(format!("{quantity} / {unit}"), ends));
    if error.is_finite() {
        panel.mark(
            "final value \u{b1} 1 standard error",
            colour::GREY,
            Shape::Band(vec![(0.0, value - error, value + error), (1.04, value - error, value + error)]),
        );
    }
    panel.mark("final value", colour::GREY, Shape::Across(value));
    // side by side, so that error bars can be told apart
    let forward: Vec<(f64, (f64, f64))> = parts.iter().map(|p| (p.fraction - 0.004, p.forward)).collect();
    let reverse: Vec<(f64, (f64, f64))> = parts.iter().map(|p| (p.fraction + 0.004, p.reverse)).collect();
    for (name, colour, side) in [("from the front", colour::BLUE, forward), ("from the back", colour::ORANGE, reverse)] {
        let points: Vec<(f64, f64, f64)> = side.into_iter().map(|(x, (y, e))| (x, y, e)).collect();
        panel.mark(format!("{name} line"), colour, Shape::Line(points.iter().map(|p| (p.0, p.1)).collect(), 1.2));
        panel.named(name, colour, Shape::Errors(points));
    }
    let caption = format!("{quantity} against the amount of data used; all of it gives {} {unit}.", number::measured(value, error));
    figure(560.0, 320.0, vec![panel], caption)
}

/// Free energy of each state relative to the first, with errors.
///
/// None with fewer than two states or when lengths differ.
pub fn states(names: &[String], f: &[f64], stderr: &[f64], unit: &str) -> Option<FreeEnergyFigure> {
    let k = names.len();
    if k < 2 || f.len() != k || stderr.len() != k {
        return None;
    }
    let mut x = Axis::new("state", -0.5, k as f64 - 0.5);
    (x.ticks, x.names) = labelled(names, 12);
    x.ticks.iter_mut().for_each(|v| *v -= 0.5);
    let points: Vec<(f64, f64, f64)> = (0..k).map(|i| (i as f64, f[i], stderr[i])).collect();
    let ends = points.iter().flat_map(|p| if p.2.is_finite() { [p.1 - p.2, p.1 + p.2] } else { [p.1, p.1] });
    let mut panel = Panel::new(x, Axis::around(format!("free energy / {unit}"), ends));
    panel.mark("line", colour::BLUE, Shape::Line(points.iter().map(|p| (p.0, p.1)).collect(), 1.2));
    panel.mark("free energy", colour::BLUE, Shape::Errors(points));
    let caption = format!(
        "Free energy of the states relative to {}; to {} it is {} {unit}.",
        names[0],
        names[k - 1],
        number::measured(f[k - 1] - f[0], stderr[k - 1])
    );
    figure(560.0, 320.0, vec![panel], caption)
}

/// Free energy along a coordinate with a band of one error; bins without a value interrupt it.
///
/// None with fewer than two bins or when lengths differ.
pub fn profile(z: &[f64], f: &[f64], stderr: &[f64], unit: &str) -> Option<FreeEnergyFigure> {
    let k = z.len();
    if k < 2 || f.len() != k || stderr.len() != k {
        return None;
    }
    let error = |i: usize| if stderr[i].is_finite() { stderr[i] } else { 0.0 };
    let band: Vec<(f64, f64, f64)> = (0..k).map(|i| (z[i], f[i] - error(i), f[i] + error(i))).collect();
    let half = 0.5 * (z[1] - z[0]);
    let x = Axis::new("coordinate", z[0] - half, z[k - 1] + half);
    let ends = band.iter().flat_map(|b| [b.1, b.2]).filter(|v| v.is_finite()).chain([0.0]);
    let mut panel = Panel::new(x, Axis::around(format!("free energy / {unit}"), ends));
    panel.named("\u{b1} 1 standard error", colour::BLUE, Shape::Band(band));
    panel.named("free energy", colour::BLUE, Shape::Line((0..k).map(|i| (z[i], f[i])).collect(), 1.8));
    let came = f.iter().filter(|f| f.is_finite()).count();
    let caption = format!("Free energy along the coordinate; {came} of {k} bins were reached.");
    figure(560.0, 320.0, vec![panel], caption)
}

/// A ladder of exchanging states: acceptance between neighbours, and round trips of each replica.
///
/// `acceptance`: one for each pair of neighbours, 0 to 1. `round_trips`: one for each replica; empty leaves the panel out. None with
/// fewer than two states or another number of pairs.
pub fn ladder(names: &[String], acceptance: &[f64], round_trips: &[f64]) -> Option<FreeEnergyFigure> {
    if names.len() < 2 || acceptance.len() + 1 != names.len() {
        return None;
    }
    let pairs = acceptance.len();
    let mut x = Axis::new("state", -0.5, pairs as f64 + 0.5);
    (x.ticks, x.names) = labelled(names, 8);
    x.ticks.iter_mut().for_each(|v| *v -= 0.5);
    let mut left = Panel::new(x, Axis::new("acceptance between neighbours", 0.0, 1.0));
    left.weight = 1.6;
    let points: Vec<(f64, f64)> = acceptance.iter().enumerate().map(|(i, a)| (i as f64 + 0.5, *a)).collect();
    left.mark("line", colour::BLUE, Shape::Line(points.clone(), 1.2));
    left.mark("acceptance", colour::BLUE, Shape::Dots(points, 3.5));
    let least = acceptance.iter().copied().fold(f64::INFINITY, f64::min);
    let mut caption = format!("Exchange between neighbouring states is accepted at least {} of the time.", number::digits(least, 2));
    let mut panels = vec![left];
    if !round_trips.is_empty() {
        let n = round_trips.len();
        let top = round_trips.iter().copied().fold(1.0, f64::max);
        let mut right = Panel::new(Axis::new("replica", -0.5, n as f64 - 0.5), Axis::new("round trips", 0.0, top * 1.08));
        let bars =
            |i: usize| [(i as f64 - 0.4, 0.0, round_trips[i]), (i as f64 + 0.4, 0.0, round_trips[i]), (i as f64 + 0.5, f64::NAN, f64::NAN)];
        right.mark("round trips", colour::BLUE, Shape::Band((0..n).flat_map(bars).collect()));
        right.mark("tops", colour::BLUE, Shape::Line((0..n).flat_map(|i| bars(i).map(|b| (b.0, b.2))).collect(), 2.0));
        panels.push(right);
        let total: f64 = round_trips.iter().sum();
        caption.push_str(&format!(
            " {} round trips over the whole ladder in all, {} a replica.",
            number::digits(total, 6),
            number::digits(total / n as f64, 3)
        ));
    }
    figure(720.0, 300.0, panels, caption)
}

/// State of a few replicas against time: how they walk on the ladder.
///
/// `walks`: `[replica][frame]`, indices of `names`. None when there is nothing to draw or lengths differ.
pub fn walks(names: &[String], times: &[f64], time_label: &str, walks: &[Vec<usize>]) -> Option<FreeEnergyFigure> {
    if names.is_empty() || times.len() < 2 || walks.is_empty() || walks.iter().any(|w| w.len() != times.len()) {
        return None;
    }
    let mut y = Axis::new("state", -0.5, names.len() as f64 - 0.5);
    (y.ticks, y.names) = labelled(names, 12);
    y.ticks.iter_mut().for_each(|v| *v -= 0.5);
    let mut panel = Panel::new(Axis::new(time_label, times[0], times[times.len() - 1]), y);
    let chosen = [0, walks.len() / 2, walks.len() - 1];
    for (k, r) in chosen.into_iter().enumerate().filter(|(k, r)| *k == 0 || chosen[k - 1] != *r) {
        let stride = times.len().div_ceil(1500);
        let points = times.iter().zip(&walks[r]).step_by(stride).map(|(t, s)| (*t, *s as f64)).collect();
        panel.named(format!("replica {r}"), colour::SERIES[k], Shape::Line(points, 1.2));
    }
    figure(720.0, 300.0, vec![panel], format!("The walk of replicas between {} states.", names.len()))
}

/// Between zero and straight lines through points, as (x, low, high); with the crossings of zero put in.
fn area(x: &[f64], y: &[f64]) -> Vec<(f64, f64, f64)> {
    let mut band = Vec::new();
    for i in 0..x.len() {
        if i > 0 && y[i - 1] * y[i] < 0.0 {
            band.push((x[i - 1] + (x[i] - x[i - 1]) * y[i - 1] / (y[i - 1] - y[i]), 0.0, 0.0));
        }
        band.push((x[i], y[i].min(0.0), y[i].max(0.0)));
    }
    band
}

/// Ticks at the middles of cells `0..k` and their names, at most `most` of them, the first among them.
fn labelled(names: &[String], most: usize) -> (Vec<f64>, Vec<String>) {
    let stride = names.len().div_ceil(most).max(1);
    names.iter().enumerate().step_by(stride).map(|(i, name)| (i as f64 + 0.5, name.clone())).unzip()
}

/// Normalised to an area of 1.
fn density(values: &[f64], low: f64, high: f64, bins: usize) -> Vec<f64> {
    let width = (high - low) / bins as f64;
    let mut count = vec![0.0; bins];
    for v in values {
        count[(((v - low) / width) as usize).min(bins - 1)] += 1.0;
    }
    count.iter().map(|c| c / (values.len() as f64 * width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(k: usize) -> Vec<String> {
        (0..k).map(|i| format!("state <{i}>")).collect()
    }

    fn whole(figure: Option<FreeEnergyFigure>) -> (String, String) {
        let figure = figure.unwrap();
        let drawn = figure.chart().draw().unwrap();
        assert!(!drawn.svg.contains("NaN") && !drawn.svg.contains("state <") && &drawn.png[1..4] == b"PNG");
        (drawn.csv, figure.caption().to_owned())
    }

    #[test]
    fn every_figure_says_its_numbers() {
        let (csv, caption) = whole(overlap(&names(3), &[0.8, 0.2, 0.0, 0.2, 0.75, 0.05, 0.0, 0.05, 0.95]));
        assert!(csv.contains("1,overlap,0.5,2.5,,,0.8,") && csv.contains("1,overlap,2.5,1.5,,,0.05,"), "{csv}");
        assert!(caption.contains("0.05 between state <1> and state <2>"));
        let (csv, caption) = whole(work(&[1.0, 2.0, f64::INFINITY], &[-1.0, 0.0], (0.75, 0.1), "kT"));
        assert!(csv.contains("\u{394}F,0.75") && caption.contains("3 forward and 2 reverse") && caption.contains("0.75 \u{b1} 0.10 kT"));
        // the densities integrate to one
        let parts = density(&[0.1, 0.2, 0.2, 0.9, 1.0], 0.0, 1.0, 20);
        assert!((parts.iter().sum::<f64>() / 20.0 - 1.0).abs() < 1e-14 && parts[19] > 0.0);
        let component = Gradient { name: "vdw", lambda: &[0.0, 0.5, 1.0], mean: &[2.0, -2.0, 1.0], stderr: &[0.1, 0.1, f64::NAN] };
        let (csv, caption) = whole(gradients(&[component], (-0.75, 0.2), "kJ/mol"));
        assert!(csv.contains("1,area,0.25,,0.0,0.0") && caption.contains("\u{2212}0.75") | caption.contains("-0.75"), "{caption} {csv}");
        let part = |fraction: f64| Part { fraction, forward: (1.0, 0.1), reverse: (1.1, f64::NAN) };
        let (csv, _) = whole(convergence(&[part(0.5), part(1.0)], "\u{394}F", "kT"));
        assert!(csv.contains("from the front,0.496,1.0,0.9,1.1,,0.1"), "{csv}");
        let (csv, caption) = whole(states(&names(2), &[0.0, 3.0], &[0.0, 0.2], "kT"));
        assert!(csv.contains("free energy,1.0,3.0") && caption.contains("3.00 \u{b1} 0.20 kT"));
        let (csv, caption) = whole(profile(&[0.5, 1.5, 2.5], &[0.0, f64::NAN, 2.0], &[0.0, f64::NAN, 0.25], "kT"));
        assert!(csv.contains("free energy,2.5,2.0") && caption.contains("2 of 3 bins"), "{csv}");
        assert!(profile(&[0.5], &[0.0], &[0.0], "kT").is_none());
        let (csv, caption) = whole(ladder(&names(3), &[0.3, 0.25], &[2.0, 0.0, 4.0]));
        assert!(csv.contains("acceptance,1.5,0.25") && caption.contains("at least 0.25") && caption.contains("6 round trips"));
        let (csv, _) = whole(walks(&names(3), &[0.0, 1.0, 2.0], "time / ps", &[vec![0, 1, 2], vec![2, 1, 0]]));
        assert!(csv.contains("replica 0,2.0,2.0") && csv.contains("replica 1,0.0,2.0"));
    }

    #[test]
    fn nothing_is_drawn_from_what_does_not_fit() {
        assert!(overlap(&names(3), &[1.0; 4]).is_none() && overlap(&names(1), &[1.0]).is_none());
        assert!(work(&[], &[1.0], (0.0, 0.1), "kT").is_none() && work(&[f64::INFINITY], &[1.0], (0.0, 0.1), "kT").is_none());
        assert!(gradients(&[], (0.0, 0.0), "kT").is_none());
        assert!(gradients(&[Gradient { name: "", lambda: &[0.0], mean: &[], stderr: &[] }], (0.0, 0.0), "kT").is_none());
        assert!(convergence(&[], "f", "kT").is_none() && states(&names(2), &[0.0], &[0.0], "kT").is_none());
        assert!(ladder(&names(3), &[0.1], &[]).is_none() && ladder(&names(2), &[0.1], &[]).is_some());
        assert!(walks(&names(2), &[0.0, 1.0], "t", &[vec![0]]).is_none() && walks(&names(2), &[0.0, 1.0], "t", &[]).is_none());
        let figure = states(&names(2), &[0.0, 1.0], &[0.0, 0.1], "kT").unwrap();
        let dir = tempfile::tempdir().unwrap();
        assert!(figure.write(dir.path(), "a/b").is_err() && figure.write(dir.path(), "").is_err());
        figure.write(&dir.path().join("figures"), "free-energy").unwrap();
        for ending in ["svg", "png", "csv"] {
            assert!(dir.path().join("figures/free-energy").with_extension(ending).is_file());
        }
    }
}
