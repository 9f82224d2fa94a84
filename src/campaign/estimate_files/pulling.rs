//! Free-energy profile along a pulled coordinate.

use super::answer::LegAnalysis;
use super::work::work;
use super::{Analysis, Method, Request};
use crate::estimate::{Axis, PullingProfile, Pulls, hummer_szabo};
use crate::io::alchemical::arrays::{Pulled, Pulling};
use crate::{Error, Result};

/// Bins of a profile without `--bins`.
const BINS: usize = 50;
/// Width of a bin over that of the bias, beyond which the bias is no longer even within a bin.
const WIDE: f64 = 0.5;

/// Free energy of the system without its bias along the pulled coordinate.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Middles of the bins.
    pub z: Vec<f64>,
    /// Free energy relative to the bin `zero`, and its standard error; NaN where no trajectory came.
    pub f: Vec<(f64, f64)>,
    /// The bin that the others are known best against. (The lowest is often a bin that few trajectories entered.)
    pub zero: usize,
}

impl Profile {
    fn new(found: &PullingProfile) -> Self {
        let bins = found.axis.bins;
        let against = |i: usize| -> Vec<(f64, f64)> { (0..bins).map(|b| found.delta(i, b)).collect() };
        // bins without an error count for none of the candidates
        let sum = |i: usize| -> f64 { against(i).iter().map(|v| v.1 * v.1).filter(|v| v.is_finite()).sum() };
        let known = |i: &usize| found.free_energy[*i].is_finite() && found.stderr[*i].is_finite();
        let zero = (0..bins).filter(known).min_by(|a, b| sum(*a).total_cmp(&sum(*b))).unwrap_or(found.lowest);
        Profile { z: (0..bins).map(|b| found.axis.centre(b)).collect(), f: against(zero), zero }
    }

    pub(super) fn scale(&mut self, factor: f64) {
        self.f.iter_mut().for_each(|(f, stderr)| (*f, *stderr) = (*f * factor, *stderr * factor));
    }
}

/// The profile of the system without its bias, and the free energies of moving the bias from end to end.
pub(super) fn profile(request: &Request, pulled: &Pulling, out: &mut Analysis) -> Result<LegAnalysis> {
    let slices = pulled.centres.len();
    let pulls = |p: &Pulled| -> (Vec<f64>, Vec<f64>) { (p.z.clone(), p.work.clone()) };
    let (forward, reverse) = (pulls(&pulled.forward), pulled.reverse.as_ref().map(pulls));
    let axis = axis(request, pulled)?;
    let width = axis.width() * pulled.stiffness.sqrt();
    if width > WIDE {
        let needed = (width / WIDE * axis.bins as f64).ceil();
        out.warnings.push(format!(
            "bins of {:.3} are wide against the bias, which keeps the coordinate within {:.3}: take --bins {needed} or a smaller --range",
            axis.width(),
            1.0 / pulled.stiffness.sqrt()
        ));
    }
    let bias = |z: f64, t: usize| 0.5 * pulled.stiffness * (z - pulled.centres[t]) * (z - pulled.centres[t]);
    let of = |p: &'_ (Vec<f64>, Vec<f64>)| -> Vec<f64> { p.1.iter().skip(slices - 1).step_by(slices).copied().collect() };
    let found = hummer_szabo(
        Pulls { z: &forward.0, work: &forward.1, slices },
        reverse.as_ref().map(|r| Pulls { z: &r.0, work: &r.1, slices }),
        bias,
        axis,
    )?;
    out.warnings.extend(found.warnings.iter().map(|w| format!("profile: {}", w.message)));
    let ends = Request { method: Method::Work, ..request.clone() };
    let mut leg = work(&ends, &of(&forward), &reverse.as_ref().map(of).unwrap_or_default(), out)?;
    let names = [0, slices - 1].map(|t| format!("bias at {}", pulled.centres[t]));
    for (name, state) in names.iter().zip(&mut leg.states) {
        state.clone_from(name);
    }
    for window in &mut leg.windows {
        window.name.clone_from(&names[window.state]);
    }
    for point in leg.answers.iter_mut().flat_map(|a| &mut a.points) {
        point.name.clone_from(&names[point.state.unwrap_or(0)]);
    }
    leg.profile = Some(Profile::new(&found));
    Ok(leg)
}

/// The axis asked for, else over all that the trajectories reach.
fn axis(request: &Request, pulled: &Pulling) -> Result<Axis> {
    let all = pulled.forward.z.iter().chain(pulled.reverse.iter().flat_map(|r| &r.z));
    let reached = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), z| (a.min(*z), b.max(*z)));
    let (low, high) = request.range.unwrap_or(reached);
    Axis::new(low, high, request.bins.unwrap_or(BINS), false)
        .map_err(|why| Error::input(why.to_string(), "write --bins 50 --range LOW:HIGH with LOW below HIGH"))
}
