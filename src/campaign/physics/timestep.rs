//! Whether a time step is short enough for the fastest vibration.

use super::Objection;
use crate::campaign::config::{Propagator, Sample};
use crate::campaign::units::{UnitSystem, number_text};

/// Stiffness from which a time step is worth a warning.
pub const STIFF: f64 = 0.8;
/// Stiffness from which a time step is refused; leapfrog is unstable from 2 on.
pub const UNSTABLE: f64 = 1.9;

/// How stiff a system is for a time step: omega dt, the largest angle that a mode turns in a step; for overdamped dynamics
/// omega^2 dt / gamma, the largest fraction of its displacement that a mode relaxes in a step. Both are unstable from 2 on
/// (leapfrog: Hairer, Lubich and Wanner, Geometric Numerical Integration, section I.1; Euler: |1 - s| < 1).
pub fn stiffness(propagator: Propagator, omega_max: f64, timestep: f64, friction: f64) -> f64 {
    if propagator.overdamped() { omega_max * omega_max * timestep / friction } else { omega_max * timestep }
}

/// Judges a resolved stage's time step against the fastest vibration of the system.
///
/// `omega_max` in radians per time unit, from bonds and masses; `stiffest` names the bond, if it is known: "the bond C1-H1".
/// None below 0.8 (of hmc and mala below 1.9); a warning from there; refused from 1.9, except that a warm-up that adapts the step makes it a warning.
pub fn check_timestep(sample: &Sample, omega_max: f64, stiffest: Option<&str>, units: UnitSystem) -> Option<Objection> {
    let (dt, propagator) = (sample.timestep.value, sample.propagator.value);
    let friction = sample.friction.as_ref().map_or(1.0, |g| g.value);
    let s = stiffness(propagator, omega_max, dt, friction);
    // what is accepted or rejected has no bias, only an acceptance
    let tolerable = if propagator.metropolised() { UNSTABLE } else { STIFF };
    if s.is_nan() || s < tolerable {
        return None;
    }
    let refuse = s >= UNSTABLE && sample.warmup.value == 0;
    let (measure, safe) = if propagator.overdamped() {
        ("omega_max^2 dt / friction", 0.2 * friction / (omega_max * omega_max))
    } else {
        ("omega_max dt", 0.4 / omega_max)
    };
    let show = |t: f64| match units {
        UnitSystem::Molecular => format!("\"{} fs\"", short(t * 1e3)),
        UnitSystem::Reduced => short(t),
    };
    let of = stiffest.map_or(String::new(), |bond| format!(" of {bond}"));
    let outcome = if s >= UNSTABLE { "the integration is unstable from 2 on" } else { "averages are biased" };
    let what = format!("timestep is {}: {measure} = {s:.2} for the fastest vibration{of}, and {outcome}", show(dt).replace('"', ""));
    let remedy =
        format!("write timestep = {} or less, where {measure} is {}", show(safe), if propagator.overdamped() { "0.2" } else { "0.4" });
    Some(Objection { span: sample.timestep.span.clone(), what, remedy, refuse })
}

/// Two significant digits, rounded down, for advice.
fn short(x: f64) -> String {
    if !x.is_finite() || x <= 0.0 {
        return format!("{x}");
    }
    let text = format!("{x:.1e}");
    number_text(text.parse::<f64>().unwrap_or(x))
}
