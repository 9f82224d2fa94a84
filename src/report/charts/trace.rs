//! A column against time: single replicas, the mean of all, the discard, and the histogram of what was kept.

use super::super::frames::{Frames, Values, decimate};
use super::super::plot::{Axis, Chart, Panel, Shape, colour};

/// Bins of the histogram.
const BINS: usize = 50;

/// Trace and histogram, sharing the axis of the values.
pub(in crate::report) fn trace(frames: &Frames, values: &Values) -> Chart {
    let times = &frames.times;
    let y = if values.periodic && values.label.ends_with('\u{b0}') {
        Axis::degrees(&values.label)
    } else {
        Axis::around(&values.label, values.rows.iter().flatten().copied())
    };
    let x = Axis::new(&frames.time_label, times[0].min(0.0), times[times.len() - 1]);
    let mut left = Panel::new(x, y.clone());
    if frames.discard > 0 {
        let end = times.get(frames.discard).copied().unwrap_or(times[times.len() - 1]);
        left.named("left out", "#c9ced4", Shape::Shade(left.x.low, end));
    }
    for (row, (r, colour)) in chosen(values.rows.len()).into_iter().zip(colour::PALE.iter().enumerate()) {
        let points: Vec<(f64, f64)> = times.iter().copied().zip(values.rows[row].iter().copied()).collect();
        let name = format!("replica {}", frames.well[row]);
        let colour = if values.periodic { colour::SERIES[r] } else { *colour };
        let shape = if values.periodic { Shape::Dots(every(points, 400), 0.8) } else { Shape::Line(decimate(points, 200), 1.0) };
        if values.periodic { left.named(name, colour, shape) } else { left.mark(name, colour, shape) }
    }
    if !values.periodic {
        let n = values.rows.len() as f64;
        let mean = (0..times.len()).map(|d| (times[d], values.rows.iter().map(|row| row[d]).sum::<f64>() / n)).collect();
        left.named(format!("mean of {} replicas", values.rows.len()), colour::BLUE, Shape::Line(decimate(mean, 300), 1.6));
    }
    left.weight = 4.0;
    let kept = values.kept(frames.discard);
    let (edges, lengths) = histogram(&kept, y.low, y.high);
    let highest = lengths.iter().copied().fold(0.0, f64::max);
    let mut x = Axis::new("density", 0.0, if highest > 0.0 { highest * 1.08 } else { 1.0 });
    x.shown = false;
    let mut right = Panel::new(x, Axis { shown: false, ..y });
    right.mark("density", colour::BLUE, Shape::Sideways { edges, lengths });
    Chart { width: 720.0, height: 260.0, panels: vec![left, right] }
}

/// Up to three replicas: first, middle, last.
fn chosen(replicas: usize) -> Vec<usize> {
    let mut list = vec![0, replicas / 2, replicas.saturating_sub(1)];
    list.dedup();
    list
}

/// Every k-th point, at most `most` of them.
fn every(points: Vec<(f64, f64)>, most: usize) -> Vec<(f64, f64)> {
    let stride = points.len().div_ceil(most).max(1);
    points.into_iter().step_by(stride).collect()
}

/// Normalised to an area of 1.
fn histogram(values: &[f64], low: f64, high: f64) -> (Vec<f64>, Vec<f64>) {
    let width = (high - low) / BINS as f64;
    let mut count = vec![0.0; BINS];
    for v in values.iter().filter(|v| v.is_finite()) {
        count[(((v - low) / width) as usize).min(BINS - 1)] += 1.0;
    }
    let total = count.iter().sum::<f64>().max(1.0) * width;
    ((0..=BINS).map(|b| low + b as f64 * width).collect(), count.into_iter().map(|n| n / total).collect())
}
