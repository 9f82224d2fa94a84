//! What numbers must satisfy to make sense: signs, stability, lengths, sizes. Each rule gives its reason.

mod annealing;
mod footprint;
mod timestep;

use std::ops::Range;

pub(in crate::campaign) use annealing::{anneal, anneal_start};
pub use footprint::{Footprint, footprint};
pub use timestep::{STIFF, UNSTABLE, check_timestep, stiffness};

use crate::campaign::config::estimates::{Basin, Estimate, Side};
use crate::campaign::config::placed::{NOWHERE, Placed};
use crate::campaign::config::{Column, Stage};
use crate::campaign::config::{Discard, Observe, Sample, StageKind, Thermal};
use crate::campaign::units::{Kind, UnitSystem, number_text};

/// What is wrong with a value, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Objection {
    /// Where, in the campaign.
    pub span: Range<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
    /// Refused, or only worth a warning.
    pub refuse: bool,
}

/// Objections of one stage, with the name of its scope.
pub(in crate::campaign) struct Objections<'a> {
    pub(in crate::campaign) scope: &'a str,
    pub(in crate::campaign) list: &'a mut Vec<Objection>,
}

impl Objections<'_> {
    fn refuse(&mut self, span: &Range<usize>, what: impl Into<String>, remedy: impl Into<String>) {
        self.list.push(Objection { span: span.clone(), what: what.into(), remedy: remedy.into(), refuse: true });
    }

    fn warn(&mut self, span: &Range<usize>, what: impl Into<String>, remedy: impl Into<String>) {
        self.list.push(Objection { span: span.clone(), what: what.into(), remedy: remedy.into(), refuse: false });
    }

    fn at_least_one(&mut self, key: &str, count: &Placed<u64>, why: &str) {
        if count.value == 0 {
            self.refuse(&count.span, format!("`{key}` of {} is 0: {why}", self.scope), format!("write {key} = 1 or more"));
        }
    }
}

/// Rules of a sample stage, once it is in numbers. NaN stands for what could not be resolved and was complained about already.
pub(in crate::campaign) fn sample(sample: &Sample, observe: Option<&Observe>, units: UnitSystem, out: &mut Objections<'_>) {
    let scope = out.scope;
    let dt = &sample.timestep;
    if dt.value <= 0.0 || dt.value.is_infinite() {
        out.refuse(
            &dt.span,
            format!("`timestep` of {scope} is {}: time must go forward in finite steps", shown(dt.value, Kind::Time, units)),
            "write a positive timestep",
        );
    }
    if let Some(friction) = &sample.friction {
        let overdamped = sample.propagator.overdamped();
        if friction.value < 0.0 || friction.value.is_infinite() {
            out.refuse(
                &friction.span,
                format!(
                    "`friction` of {scope} is {}: friction takes energy out, so it is not negative",
                    shown(friction.value, Kind::InverseTime, units)
                ),
                "write 0 or more",
            );
        } else if friction.value == 0.0 && overdamped {
            out.refuse(
                &friction.span,
                format!("`friction` of {scope} is 0: overdamped dynamics divides by it"),
                "write a positive friction, or use velocity_verlet",
            );
        } else if friction.value == 0.0 {
            out.warn(
                &friction.span,
                format!("`friction` of {scope} is 0: no heat bath acts, so the temperature is not kept"),
                "write a positive friction, or use velocity_verlet",
            );
        } else if !overdamped && friction.value * dt.value > 1.0 {
            let what =
                format!("friction times timestep is {:.2} in {scope}: velocities are forgotten within a step", friction.value * dt.value);
            out.warn(&friction.span, what, "lower the friction, or use leimkuhler_matthews");
        }
    }
    thermal(&sample.thermal, units, out);
    out.at_least_one("replicas", &sample.replicas, "there is nothing to sample");
    if sample.replicas.value > u64::from(u32::MAX) {
        out.refuse(
            &sample.replicas.span,
            format!("`replicas` of {scope} is {}: random streams are numbered by 32 bits", sample.replicas.value),
            "write less than 4294967296",
        );
    }
    out.at_least_one("steps", &sample.steps, "nothing would be sampled");
    if sample.steps.value.checked_add(sample.warmup.value).is_none() {
        out.refuse(&sample.steps.span, format!("`steps` and `warmup` of {scope} exceed 64 bits"), "write fewer");
    }
    if let Some(target) = &sample.target_acceptance
        && !(target.value > 0.0 && target.value < 1.0)
    {
        out.refuse(
            &target.span,
            format!("`target_acceptance` of {scope} is {}: a probability between 0 and 1 is meant", target.value),
            "write for example 0.8",
        );
    }
    if let Some(leapfrog) = &sample.leapfrog_steps {
        out.at_least_one("leapfrog_steps", leapfrog, "a proposal needs at least one");
    }
    discard(sample, units, out);
    if let Some(observe) = observe {
        self::observe(sample, observe, out);
    }
}

fn thermal(thermal: &Placed<Thermal>, units: UnitSystem, out: &mut Objections<'_>) {
    let (key, value, kind) = match thermal.value {
        Thermal::Temperature(t) => ("temperature", t, Kind::Temperature),
        Thermal::Beta(beta) => ("beta", beta, Kind::InverseEnergy),
    };
    let scope = out.scope;
    if value <= 0.0 || value.is_infinite() {
        let why = if value == 0.0 && key == "temperature" {
            "at 0 nothing moves; to go downhill use a minimise stage"
        } else {
            "it must be positive and finite"
        };
        out.refuse(&thermal.span, format!("`{key}` of {scope} is {}: {why}", shown(value, kind, units)), format!("write a positive {key}"));
    } else if units == UnitSystem::Molecular && thermal.value.temperature(units) > 5000.0 {
        let what = format!(
            "{scope} is at {:.0} K: molecules of a force field without bond breaking are no molecules there",
            thermal.value.temperature(units)
        );
        out.warn(&thermal.span, what, "check the temperature");
    }
}

fn discard(sample: &Sample, units: UnitSystem, out: &mut Objections<'_>) {
    let scope = out.scope;
    let span = &sample.discard.span;
    if let Discard::Time(time) = sample.discard.value {
        if sample.propagator.metropolised() {
            let what = format!("`discard` of {scope} is a time, but proposals of {} are no time", sample.propagator.name());
            out.refuse(span, what, "write a whole number of steps, or \"auto\"");
            return;
        }
        if time < 0.0 || time.is_infinite() {
            out.refuse(span, format!("`discard` of {scope} is {}", shown(time, Kind::Time, units)), "write 0 or more, or \"auto\"");
            return;
        }
    }
    let Some(steps) = sample.discard_steps() else { return };
    if steps >= sample.steps.value && sample.timestep.value > 0.0 && sample.steps.value > 0 {
        let length = if sample.propagator.metropolised() {
            String::new()
        } else {
            format!(" ({})", shown(sample.steps.value as f64 * sample.timestep.value, Kind::Time, units))
        };
        let what = format!(
            "`discard` of {scope} is {steps} steps, but the stage is only {} steps long{length}: nothing would be left",
            sample.steps.value
        );
        out.refuse(span, what, "discard less, raise steps, or write discard = \"auto\"");
    }
}

fn observe(sample: &Sample, observe: &Observe, out: &mut Objections<'_>) {
    let (every, steps) = (observe.every.value, sample.steps.value);
    let scope = out.scope;
    out.at_least_one("every", &observe.every, "frames are some steps apart");
    if every > steps && steps > 0 {
        let what = format!("`every` of {scope} is {every}, but the stage has only {steps} steps: nothing would be stored");
        out.refuse(&observe.every.span, what, format!("write every = {} or less", (steps / 10).max(1)));
    } else if every > 0 && !steps.is_multiple_of(every) {
        let down = steps - steps % every;
        let what = format!(
            "`every` = {every} does not divide the {steps} steps of {scope}: the last {} steps would leave no frame",
            steps % every
        );
        let up = down.checked_add(every).map_or(String::new(), |up| format!(" or {up}"));
        out.refuse(&observe.every.span, what, format!("write steps = {down}{up}, or an `every` that divides {steps}"));
    }
}

/// Rules of an estimate, with the stage that it reads.
pub(in crate::campaign) fn estimate(
    estimate: &Estimate,
    source: Option<&Stage>,
    basins: &[Basin],
    units: UnitSystem,
    out: &mut Objections<'_>,
) {
    let scope = out.scope;
    for (axis, column) in estimate.axes.iter().zip(&estimate.of) {
        let bins = axis.bins.value;
        if !(2..=10_000).contains(&bins) {
            out.refuse(
                &axis.bins.span,
                format!("`bins` of {scope} is {bins}: a histogram has 2 to 10000 bins"),
                "write for example bins = 60",
            );
        }
        if let Some((lower, upper)) = &axis.range {
            let span = &lower.span;
            if lower.value.is_infinite() || upper.value.is_infinite() {
                out.refuse(span, format!("the range of `{}` in {scope} is not finite", column.name()), "write finite edges");
            } else {
                interval(column, lower, upper, false, units, out);
            }
        }
    }
    let bins = estimate.axes.iter().map(|a| a.bins.value).fold(1u64, u64::saturating_mul);
    if bins > 4_000_000 && estimate.axes.iter().all(|a| a.bins.value <= 10_000) {
        let span = estimate.axes.first().map_or(NOWHERE, |a| a.bins.span.clone());
        out.refuse(&span, format!("the histogram of {scope} has {bins} bins"), "write fewer");
    }
    if let (Some(_), Some(n)) = (&estimate.smooth, &estimate.bootstraps)
        && !(2..=10_000).contains(&n.value)
    {
        let what = format!("`bootstraps` of {scope} is {}: a spread takes 2 to 10000 of them", n.value);
        out.refuse(&n.span, what, "write for example bootstraps = 100");
    }
    if let (Some(smooth), Some(axis)) = (&estimate.smooth, estimate.axes.iter().find(|a| a.bins.value < 8)) {
        let what = format!("{scope} is smooth on a grid of {} points", axis.bins.value);
        out.refuse(&smooth.span, what, "write bins = 8 or more: they are where the surface is shown");
    }
    if let Some(Stage { name, kind: StageKind::Sample(sample), .. }) = source
        && !estimate.axes.is_empty()
        && sample.replicas.value == 1
    {
        let what = format!("{scope} takes its errors from independent replicas, but stage `{}` has one", name.value);
        out.refuse(&estimate.from.span, what, "write replicas = 8 or more there");
    }
    for (i, a) in estimate.basins.iter().enumerate() {
        for b in &estimate.basins[..i] {
            let find = |name: &Placed<String>| basins.iter().find(|basin| basin.name == *name);
            if let (Some(x), Some(y)) = (find(a), find(b))
                && overlap(x, y)
            {
                let span = if a.span == NOWHERE { &x.name.span } else { &a.span };
                let what = format!(
                    "basins `{}` and `{}` of {scope} overlap: a frame in both has no place in a count of crossings",
                    b.value, a.value
                );
                out.refuse(span, what, "make them disjoint, or count them in two stages");
            }
        }
    }
}

/// Rules of a basin's sides.
pub(in crate::campaign) fn basin(basin: &Basin, units: UnitSystem, out: &mut Objections<'_>) {
    for side in &basin.sides {
        interval(&side.of, &side.lower, &side.upper, true, units, out);
    }
}

fn interval(column: &Column, lower: &Placed<f64>, upper: &Placed<f64>, wraps: bool, units: UnitSystem, out: &mut Objections<'_>) {
    let scope = out.scope;
    let kind = column.quantity().unwrap_or(Kind::Dimensionless);
    let show = |x: f64| shown(x, kind, units);
    let name = column.name();
    if column.periodic() {
        let half = std::f64::consts::PI * (1.0 + 1e-12);
        for end in [lower, upper] {
            if end.value.abs() > half {
                out.refuse(
                    &end.span,
                    format!("`{name}` of {scope} ends at {}: angles run from -180 to 180 deg", show(end.value)),
                    "write the same angle between -180 and 180 deg; an interval may pass through 180",
                );
                return;
            }
        }
    }
    let empty = if wraps && column.periodic() { lower.value == upper.value } else { lower.value >= upper.value };
    if empty {
        let what = format!("`{name}` of {scope} runs from {} to {}: nothing lies between", show(lower.value), show(upper.value));
        out.refuse(&lower.span, what, "write the lower end first");
    }
}

/// Two boxes share a point, as far as the observables that both name can tell.
fn overlap(a: &Basin, b: &Basin) -> bool {
    a.sides.iter().all(|x| b.sides.iter().filter(|y| x.of == y.of).all(|y| sides_meet(x, y)))
}

fn sides_meet(x: &Side, y: &Side) -> bool {
    // half-open intervals meet if one contains the other's lower end
    x.contains(y.lower.value) || y.contains(x.lower.value)
}

/// A number in the unit that people use.
fn shown(x: f64, kind: Kind, units: UnitSystem) -> String {
    let unit = units.unit(kind);
    let (x, unit) = match (unit, kind) {
        ("rad", _) => ((x * 180.0 / std::f64::consts::PI * 1e9).round() / 1e9, "deg"),
        ("ps", _) if x.abs() < 0.1 && x != 0.0 => (x * 1e3, "fs"),
        _ => (x, unit),
    };
    let x = format!("{x:.11e}").parse::<f64>().unwrap_or(x);
    if unit.is_empty() { number_text(x) } else { format!("{} {unit}", number_text(x)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Campaign;
    use crate::campaign::config::{Resolved, StageKind};
    use crate::error::Source;

    fn resolved(extra: &str) -> Resolved {
        let text = format!(
            "[campaign]\nname = \"x\"\n[system]\nname = \"x\"\n[[stage]]\nname = \"run\"\nsample = {{ temperature = \"300 K\", replicas = 13, steps = 1000, {extra} }}\n\
             observe = {{ every = 100, columns = [\"positions\", \"energy\", \"terms\"], precision = \"double\" }}\n"
        );
        let campaign = Campaign::parse(&Source::new("x", text), &[]).unwrap_or_else(|e| panic!("{e}"));
        campaign.resolve(UnitSystem::Molecular).unwrap_or_else(|e| panic!("{e}"))
    }

    fn judge(extra: &str, omega_max: f64) -> Option<bool> {
        let resolved = resolved(extra);
        let StageKind::Sample(sample) = &resolved.stages[0].kind else { panic!("a sample stage") };
        check_timestep(sample, omega_max, Some("the bond C-H"), resolved.units).map(|o| {
            assert!(o.what.contains("the bond C-H") && o.remedy.contains(" fs\""), "{} | {}", o.what, o.remedy);
            o.refuse
        })
    }

    #[test]
    fn time_steps_are_judged_by_the_fastest_vibration() {
        // a C-H bond: 284512 kJ/mol/nm^2 and a reduced mass of 0.93 amu turn by 553 rad/ps
        let omega = 553.0;
        let baoab = |dt: &str| judge(&format!("propagator = \"baoab\", friction = \"1 /ps\", timestep = \"{dt}\""), omega);
        assert_eq!(baoab("1 fs"), None);
        assert_eq!(baoab("2 fs"), Some(false));
        assert_eq!(baoab("3.4 fs"), Some(false));
        assert_eq!(baoab("3.5 fs"), Some(true));
        let hmc = |warmup: u32| judge(&format!("propagator = \"hmc\", timestep = \"4 fs\", warmup = {warmup}"), omega);
        assert_eq!((hmc(0), hmc(100)), (Some(true), Some(false)));
        // overdamped: omega^2 dt / gamma
        let euler =
            |friction: &str| judge(&format!("propagator = \"euler_maruyama\", timestep = \"1 fs\", friction = \"{friction}\""), omega);
        assert_eq!(euler("1 /ps"), Some(true));
        assert_eq!(euler("1 /fs"), None);
    }

    #[test]
    fn footprints_count_padding_frames_and_columns() {
        let resolved = resolved("propagator = \"baoab\", friction = \"1 /ps\", timestep = \"1 fs\"");
        let StageKind::Sample(sample) = &resolved.stages[0].kind else { panic!("a sample stage") };
        let size = footprint(sample, resolved.stages[0].observe.as_ref(), 66, 5);
        let want = Footprint { frames: 10, padded: 16, disk: 10 * 13 * (66 * 8 + 8 + 5 * 8), memory: 16 * 66 * 3 * 8 };
        assert_eq!(size, want);
        let huge = footprint(sample, resolved.stages[0].observe.as_ref(), u64::MAX, u64::MAX / 8);
        assert_eq!(huge.disk, u64::MAX);
    }
}
