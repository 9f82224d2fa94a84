//! Energies and largest forces before and after a minimisation.

use super::super::plot::{Axis, Chart, Panel, Shape, colour};
use crate::estimate::summary::Minimised;
use crate::real::Real;

/// Two panels over the replicas; none below two replicas.
pub(in crate::report) fn minimised(all: &[Minimised]) -> Option<Chart> {
    if all.len() < 2 {
        return None;
    }
    let points = |f: &dyn Fn(&Minimised) -> Option<f64>| -> Vec<(f64, f64)> {
        all.iter().enumerate().map(|(r, m)| (r as f64, f(m).unwrap_or(f64::NAN))).collect()
    };
    let log10 = |v: Option<f64>| v.filter(|v| *v > 0.0).map(|v| Real::ln(v) / std::f64::consts::LN_10);
    let panels = [
        ("energy", points(&|m| m.energy_before), points(&|m| m.energy_after)),
        ("log10 of max|F|", points(&|m| log10(m.force_before)), points(&|m| log10(m.force_after))),
    ];
    let panels = panels.into_iter().enumerate().map(|(k, (label, before, after))| {
        let y = Axis::around(label, before.iter().chain(&after).map(|p| p.1));
        let mut panel = Panel::new(Axis::new("replica", -0.5, all.len() as f64 - 0.5), y);
        for (name, colour, points) in [("before", colour::ORANGE, before), ("after", colour::BLUE, after)] {
            let shape = Shape::Dots(points, 2.5);
            if k == 0 { panel.named(name, colour, shape) } else { panel.mark(name, colour, shape) }
        }
        panel
    });
    Some(Chart { width: 720.0, height: 260.0, panels: panels.collect() })
}
