//! The autocorrelation function of a column, with its time and the window that was summed.

use super::super::frames::{Frames, Values, decimate};
use super::super::number;
use super::super::plot::{Axis, Chart, Panel, Shape, colour};
use crate::estimate::{AutocorrelationTime, Centre, Series, autocorrelation_time, autocovariance, circle};

/// The chart and its caption; none when the series is too short or constant. Of an angle the slower of cosine and sine.
pub(in crate::report) fn correlation(frames: &Frames, values: &Values) -> Option<(Chart, String)> {
    let kept = values.kept(frames.discard);
    let parts = if values.periodic {
        let (cos, sin) = circle(&kept, 360.0);
        vec![(format!("cos {}", values.name), cos), (format!("sin {}", values.name), sin)]
    } else {
        vec![(values.name.clone(), kept)]
    };
    let mut slowest: Option<(String, Vec<f64>, AutocorrelationTime)> = None;
    for (name, part) in parts {
        if let Ok(t) = autocorrelation_time(values.series(&part))
            && slowest.as_ref().is_none_or(|s| t.tau > s.2.tau)
        {
            slowest = Some((name, part, t));
        }
    }
    let (name, part, time) = slowest?;
    let series: Series<'_> = values.series(&part);
    let lags = (time.window * 2).max(20).min(series.draws - 1);
    let gamma = autocovariance(series, Centre::Common, lags).ok().filter(|g| g[0] > 0.0)?;
    let rho: Vec<(f64, f64)> = gamma.iter().enumerate().map(|(t, g)| (t as f64 * frames.spacing, g / gamma[0])).collect();
    let label = frames.time_label.replacen("time", "lag", 1);
    let x = Axis::new(label, 0.0, lags as f64 * frames.spacing);
    let lowest = rho.iter().map(|p| p.1).fold(0.0, f64::min);
    let mut panel = Panel::new(x, Axis::new("autocorrelation", (lowest * 1.1).min(-0.05), 1.02));
    panel.mark("zero", colour::GREY, Shape::Line(vec![(0.0, 0.0), (panel.x.high, 0.0)], 1.0));
    panel.named(&name, colour::BLUE, Shape::Line(decimate(rho, 400), 1.8));
    if time.closed {
        panel.named("end of the window", colour::ORANGE, Shape::Down(time.window as f64 * frames.spacing));
    }
    let unit = frames.time_label.strip_prefix("time / ").map_or_else(String::new, |u| format!(" {u}"));
    let caption = format!(
        "Autocorrelation of {name}: \u{3c4} = {} draws ({}{unit}), summed over {} draws{}",
        number::measured(time.tau, time.stderr),
        number::digits(time.tau * frames.spacing, 3),
        time.window,
        if time.closed { "" } else { "; the window never closed: \u{3c4} is a lower bound" },
    );
    Some((Chart { width: 460.0, height: 260.0, panels: vec![panel] }, caption))
}
