//! What the stages of [`super::kinds`] say: a chain, a ladder, levels, hills.

use std::ops::Range;

use super::check_rungs::{plain, quadrature, rungs};
use super::check_sample::{chain, start, thermal};
use super::check_stage::{Earlier, need};
use super::kinds::{
    Along, Anneal, Directions, Exchange, Expanded, Kernel, Ladder, Levels, Metadynamics, Mixing, Rungs, Schedule, Span, Switch, Weights,
};
use super::leaf::{Count, Number};
use super::map::map;
use super::observables::has_force;
use super::placed::Placed;
use super::raw;
use super::raw_kinds;
use super::shape::Spread;
use super::texts::Drafts;
use super::types::{Propagator, Sample, Start, Thermal};
use crate::campaign::units::Quantity;

/// A count with a default.
fn count(given: Option<&Placed<Count>>, default: u64) -> Placed<u64> {
    given.map_or(Placed::default_of(default), |n| n.with(n.value.0))
}

type Temperatures<'a> = Option<&'a Placed<Spread<Quantity>>>;
type Lambdas<'a> = Option<&'a Placed<Spread<Number>>>;

/// The ladder of a stage and the chain on it.
fn on_ladder(
    scope: &str,
    table: &str,
    raw: &Placed<raw::Sample>,
    (temperatures, lambdas): (Temperatures<'_>, Lambdas<'_>),
    earlier: Earlier<'_>,
    drafts: &mut Drafts,
) -> (Option<Sample<Quantity>>, Option<Placed<Ladder<Quantity>>>) {
    let (ladder, warmth) = match (temperatures, lambdas) {
        (Some(t), None) => {
            for (key, other) in [("temperature", &raw.temperature), ("beta", &raw.beta)] {
                if let Some(other) = other {
                    let what = format!("`{table}` of {scope} has temperatures and a {key}");
                    drafts.add(scope, &other.span, what, format!("remove {key}: each state has its own temperature"));
                }
            }
            let rungs = rungs(scope, "temperatures", t, Placed::clone, drafts);
            let first = rungs.as_ref().and_then(|r| r.first().map(|f| f.with(Thermal::Temperature(f.value.clone()))));
            (rungs.map(|r| t.with(Ladder::Temperatures(r))), first)
        }
        (None, Some(l)) => {
            let rungs = match quadrature(scope, table, l, drafts) {
                Some(points) => points,
                None => rungs(scope, "lambdas", l, plain, drafts),
            };
            let warmth = thermal(scope, table, (raw.temperature.as_ref(), raw.beta.as_ref()), &raw.span, drafts);
            (rungs.map(|r| l.with(Ladder::Lambdas(r))), warmth)
        }
        (Some(_), Some(l)) => {
            let what = format!("`{table}` of {scope} has both temperatures and lambdas");
            drafts.add(scope, &l.span, what, "keep one: a ladder goes along one of them");
            (None, None)
        }
        (None, None) => {
            let what = format!("`{table}` of {scope} has no ladder");
            let remedy =
                "write temperatures = { from = \"300 K\", to = \"600 K\", count = 8 }, or lambdas = { from = 0, to = 1, count = 8 }";
            drafts.missing(scope, &raw.span, what, remedy);
            (None, None)
        }
    };
    thermostatted(scope, raw, drafts);
    (chain(scope, table, raw, warmth, earlier, drafts), ladder)
}

/// Constant energy has no temperature that could be exchanged or biased.
fn thermostatted(scope: &str, raw: &raw::Sample, drafts: &mut Drafts) {
    if let Some(p) = raw.propagator.as_ref().filter(|p| p.value == Propagator::VelocityVerlet) {
        let what = format!("velocity_verlet keeps the energy, and {scope} needs replicas at a temperature");
        drafts.add(scope, &p.span, what, "use baoab, hmc or another propagator with a heat bath");
    }
}

/// Checks an `exchange` table.
pub(super) fn exchange(
    scope: &str,
    raw: &Placed<raw_kinds::Exchange>,
    earlier: Earlier<'_>,
    drafts: &mut Drafts,
) -> Option<Exchange<Quantity>> {
    let ladders = (raw.temperatures.as_ref(), raw.lambdas.as_ref());
    let (sample, ladder) = on_ladder(scope, "exchange", &raw.with(raw.chain()), ladders, earlier, drafts);
    let swap_every = need(scope, "exchange", "swap_every", "50", raw.swap_every.as_ref(), &raw.span, drafts);
    Some(Exchange {
        sample: sample?,
        ladder: ladder?,
        swap_every: swap_every.map(|n| n.with(n.value.0))?,
        mixing: raw.mixing.clone().unwrap_or(Placed::default_of(Mixing::Neighbour)),
    })
}

/// Checks an `expanded` table.
pub(super) fn expanded(
    scope: &str,
    raw: &Placed<raw_kinds::Expanded>,
    earlier: Earlier<'_>,
    drafts: &mut Drafts,
) -> Option<Expanded<Quantity>> {
    let ladders = (raw.temperatures.as_ref(), raw.lambdas.as_ref());
    let (sample, ladder) = on_ladder(scope, "expanded", &raw.with(raw.chain()), ladders, earlier, drafts);
    let jump_every = need(scope, "expanded", "jump_every", "50", raw.jump_every.as_ref(), &raw.span, drafts);
    Some(Expanded {
        sample: sample?,
        ladder: ladder?,
        jump_every: jump_every.map(|n| n.with(n.value.0))?,
        weights: raw.weights.clone().unwrap_or(Placed::default_of(Weights::Sams)),
    })
}

/// Checks a `metadynamics` table.
pub(super) fn metadynamics(
    scope: &str,
    raw: &Placed<raw_kinds::Metadynamics>,
    earlier: Earlier<'_>,
    drafts: &mut Drafts,
) -> Option<Metadynamics<Quantity>> {
    let at = &raw.span;
    let keys = raw.with(raw.chain());
    thermostatted(scope, &keys, drafts);
    let warmth = thermal(scope, "metadynamics", (raw.temperature.as_ref(), raw.beta.as_ref()), at, drafts);
    let sample = chain(scope, "metadynamics", &keys, warmth, earlier, drafts);
    let of = need(scope, "metadynamics", "of", "[\"dihedral:phi\"]", raw.of.as_ref(), at, drafts);
    let width = need(scope, "metadynamics", "width", "[\"20 deg\"]", raw.width.as_ref(), at, drafts);
    let height = need(scope, "metadynamics", "height", "\"1 kJ/mol\"", raw.height.as_ref(), at, drafts);
    let factor = need(scope, "metadynamics", "bias_factor", "10", raw.bias_factor.as_ref(), at, drafts);
    let every = need(scope, "metadynamics", "every", "500", raw.every.as_ref(), at, drafts);
    if let Some(of) = of {
        if !(1..=2).contains(&of.value.len()) {
            drafts.add(
                scope,
                &of.span,
                format!("`of` of {scope} names {} observables: hills fill one or two", of.value.len()),
                "name one or two",
            );
        }
        for column in &of.value {
            if !has_force(&column.kind) {
                let what = format!("\"{}\" cannot be biased: no force along it is known", column.text);
                drafts.add(
                    scope,
                    &column.span,
                    what,
                    "use dihedral:NAME, distance:A,B, coordinate:I, radius_of_gyration or observable:NAME",
                );
            }
        }
        if let Some(width) = width.filter(|w| w.value.len() != of.value.len()) {
            let what = format!("`width` of {scope} has {} entries, `of` has {}", width.value.len(), of.value.len());
            drafts.add(scope, &width.span, what, "write one width for each observable");
        }
    }
    if let Some(factor) = factor.filter(|f| !(f.value.0 > 1.0 && f.value.0.is_finite())) {
        let what = format!("`bias_factor` of {scope} is {}: it is (T + delta T)/T", factor.value.0);
        drafts.add(scope, &factor.span, what, "write a number above 1, for example 10");
    }
    Some(Metadynamics {
        sample: sample?,
        of: of?.value.clone(),
        width: width?.value.clone(),
        height: height?.clone(),
        bias_factor: factor.map(|f| f.with(f.value.0))?,
        every: every.map(|n| n.with(n.value.0))?,
        copies: count(raw.copies.as_ref(), 4),
        range: ranges(scope, raw, drafts)?,
    })
}

/// The range of every biased observable that is no angle.
fn ranges(scope: &str, raw: &Placed<raw_kinds::Metadynamics>, drafts: &mut Drafts) -> Option<Vec<Option<Span<Quantity>>>> {
    let of = raw.of.as_ref()?;
    let given = raw.range.as_ref().map(|r| r.value.0.as_slice()).unwrap_or_default();
    for (key, ends) in given {
        if !of.value.iter().any(|c| c.answers_to(key) && !c.periodic()) {
            let what = format!("range of `{}`, which is no biased observable on a line", key.value);
            drafts.add(scope, &key.span, what, "name one of `of`; an angle has the whole circle");
        }
        if ends.value.len() != 2 {
            drafts.add(
                scope,
                &ends.span,
                format!("the range of `{}` is a list of {}", key.value, ends.value.len()),
                "write [lower, upper]",
            );
        }
    }
    let mut all = Vec::new();
    for column in &of.value {
        let found = given.iter().find(|(key, _)| column.answers_to(key)).map(|(_, ends)| &ends.value[..]);
        match (column.periodic(), found) {
            (true, _) => all.push(None),
            (false, Some([lower, upper])) => all.push(Some((lower.clone(), upper.clone()))),
            (false, Some(_)) => return None,
            (false, None) => {
                let what = format!("`{}` of {scope} has no range: its bias lives on a grid", column.name());
                drafts.add(scope, &column.span, what, format!("write range = {{ \"{}\" = [lower, upper] }}", column.text));
                return None;
            }
        }
    }
    Some(all)
}

/// The levels of an annealing or a switching.
fn levels(
    scope: &str,
    table: &str,
    (number, list): (Option<&Placed<Count>>, Lambdas<'_>),
    at: &Range<usize>,
    drafts: &mut Drafts,
) -> Option<Placed<Levels>> {
    match (number, list) {
        (Some(n), None) => {
            if n.value.0 == 0 {
                drafts.add(scope, &n.span, format!("`levels` of {scope} is 0: nothing leads from 0 to 1"), "write levels = 1 or more");
                return None;
            }
            if n.value.0 > 1_000_000 {
                let what = format!("`levels` of {scope} is {}: more than a million", n.value.0);
                drafts.add(scope, &n.span, what, "write fewer, and more steps_per_level");
                return None;
            }
            Some(n.with(Levels::Count(n.value.0)))
        }
        (None, Some(list)) => {
            let values = match rungs(scope, "lambdas", list, plain, drafts)? {
                Rungs::List(list) => list,
                even => even.values(false).into_iter().map(|x| list.with(x)).collect(),
            };
            let ends = (values.first().map(|x| x.value), values.last().map(|x| x.value));
            if ends != (Some(0.0), Some(1.0)) || values.windows(2).any(|w| w[1].value <= w[0].value) {
                let what = format!("`lambdas` of {scope} do not rise from 0 to 1");
                drafts.add(scope, &list.span, what, "begin with 0, end with 1, and let every value be larger than the one before");
                return None;
            }
            Some(list.with(Levels::List(values)))
        }
        (Some(_), Some(list)) => {
            let what = format!("`{table}` of {scope} has both levels and lambdas");
            drafts.add(scope, &list.span, what, "keep one of the two");
            None
        }
        (None, None) => {
            let what = format!("`{table}` of {scope} has no levels");
            drafts.missing(scope, at, what, "write levels = 128, or lambdas = [0, 0.1, .., 1]");
            None
        }
    }
}

/// What an annealing goes along, and its temperature: the first where there are several.
fn along(
    scope: &str,
    raw: &Placed<raw_kinds::Anneal>,
    schedule: Schedule,
    drafts: &mut Drafts,
) -> (Option<Placed<Along<Quantity>>>, Warmth) {
    let (given, at) = ((raw.levels.as_ref(), raw.lambdas.as_ref()), &raw.span);
    if let Some(list) = &raw.temperatures {
        let others = [
            ("temperature", raw.temperature.as_ref().map(|t| &t.span)),
            ("beta", raw.beta.as_ref().map(|t| &t.span)),
            ("levels", raw.levels.as_ref().map(|t| &t.span)),
            ("lambdas", raw.lambdas.as_ref().map(|t| &t.span)),
        ];
        for (key, span) in others {
            if let Some(span) = span {
                let what = format!("`anneal` of {scope} has temperatures and {key}");
                drafts.add(scope, span, what, format!("remove {key}: an annealing goes along one of temperature and lambda"));
            }
        }
        let rungs = rungs(scope, "temperatures", list, Placed::clone, drafts);
        if let Some(n) = rungs.as_ref().map(Rungs::count).filter(|n| schedule == Schedule::Adaptive && *n != 2) {
            let what = format!("an adaptive schedule finds its own levels between two temperatures, not {n}");
            drafts.add(scope, &list.span, what, "write temperatures = [hot, cold], or schedule = \"fixed\"");
        }
        let first = rungs.as_ref().and_then(|r| r.first().map(|f| f.with(Thermal::Temperature(f.value.clone()))));
        return (rungs.map(|r| list.with(Along::Temperature(r))), first);
    }
    let warmth = thermal(scope, "anneal", (raw.temperature.as_ref(), raw.beta.as_ref()), at, drafts);
    let levels = match (schedule, given) {
        (Schedule::Fixed, _) => levels(scope, "anneal", given, at, drafts),
        // the number of intervals is then found on the way
        (Schedule::Adaptive, (None, None)) => Some(Placed::default_of(Levels::Count(1))),
        (Schedule::Adaptive, (l, s)) => {
            let span = l.map(|l| &l.span).or(s.map(|s| &s.span)).unwrap_or(at);
            drafts.add(scope, span, "an adaptive schedule finds its own levels", "remove the levels, or write schedule = \"fixed\"");
            None
        }
    };
    (levels.map(|l| l.with(Along::Lambda(l.value.clone()))), warmth)
}

type Warmth = Option<Placed<Thermal<Quantity>>>;

/// Checks an `anneal` table.
pub(super) fn anneal(scope: &str, raw: &Placed<raw_kinds::Anneal>, earlier: Earlier<'_>, drafts: &mut Drafts) -> Option<Anneal<Quantity>> {
    let at = &raw.span;
    let kernel = need(scope, "anneal", "kernel", "\"hmc\" (or \"mala\", \"langevin\", \"ula\")", raw.kernel.as_ref(), at, drafts);
    let timestep = need(scope, "anneal", "timestep", "\"1 fs\", or a bare number in reduced units", raw.timestep.as_ref(), at, drafts);
    let replicas = need(scope, "anneal", "replicas", "1000", raw.replicas.as_ref(), at, drafts);
    let schedule = raw.schedule.clone().unwrap_or(Placed::default_of(Schedule::Fixed));
    let (along, warmth) = along(scope, raw, schedule.value, drafts);
    let resample = raw.resample.as_ref().map_or(Placed::default_of(true), |r| r.with(r.value.0));
    if let (Schedule::Adaptive, false) = (schedule.value, resample.value) {
        drafts.add(
            scope,
            &resample.span,
            "an adaptive schedule keeps the effective sample size by resampling",
            "write resample = true, or schedule = \"fixed\" with levels",
        );
    }
    let kernel_kind = kernel.map(|k| k.value);
    if let (Some(Kernel::Langevin), None) = (kernel_kind, &raw.friction) {
        need(scope, "anneal", "friction", "\"1 /ps\", or a bare number in reduced units", raw.friction.as_ref(), at, drafts);
    }
    if let (Some(kind @ (Kernel::Hmc | Kernel::Mala | Kernel::Ula)), Some(friction)) = (kernel_kind, &raw.friction) {
        drafts.add(scope, &friction.span, format!("{} has no friction", kind.name()), "remove it, or use langevin");
    }
    if let (Some(kind @ (Kernel::Ula | Kernel::Mala | Kernel::Langevin)), Some(leapfrog)) = (kernel_kind, &raw.leapfrog_steps) {
        drafts.add(scope, &leapfrog.span, format!("{} has no leapfrog_steps", kind.name()), "remove it, or use hmc");
    }
    if let (Some(kind @ (Kernel::Ula | Kernel::Langevin)), Some(target)) = (kernel_kind, &raw.target_acceptance) {
        drafts.add(
            scope,
            &target.span,
            format!("{} accepts every step, so it has no target_acceptance", kind.name()),
            "remove it, or use hmc",
        );
    }
    if let Some(target) = raw.target_acceptance.as_ref().filter(|t| !(t.value.0 > 0.0 && t.value.0 < 1.0)) {
        let what = format!("`target_acceptance` of {scope} is {}: a probability between 0 and 1 is meant", target.value.0);
        drafts.add(scope, &target.span, what, "write for example 0.8");
    }
    if let (Some(kind @ (Kernel::Ula | Kernel::Langevin)), Schedule::Adaptive, Some(steps)) =
        (kernel_kind, schedule.value, raw.steps_per_level.as_ref().filter(|n| n.value.0 > 1))
    {
        let what = format!("steps of {} are levels of their own, which an adaptive schedule finds: each takes one step", kind.name());
        drafts.add(scope, &steps.span, what, "remove it, or use hmc or mala");
    }
    let map = map(scope, raw.map.as_ref(), drafts);
    if let Some(map) = map.as_ref().filter(|_| schedule.value == Schedule::Adaptive || raw.temperatures.is_some()) {
        let what = format!("the map of {scope} goes with steps of lambda that are known beforehand");
        drafts.add(scope, &map.span, what, "write levels or lambdas with schedule = \"fixed\", or remove the map");
    }
    let ess = raw.ess.as_ref().map_or(Placed::default_of(0.5), |e| e.with(e.value.0));
    if !(ess.value > 0.0 && ess.value < 1.0) {
        let what = format!("`ess` of {scope} is {}: it is a fraction of the particles, between 0 and 1", ess.value);
        drafts.add(scope, &ess.span, what, "write for example 0.5");
    }
    let start = start(scope, raw.start.as_ref(), earlier, drafts);
    if let (Some(given), false) = (&raw.start, matches!(start, Start::Stage(_) | Start::Run { .. })) {
        let (first, draws) = if raw.temperatures.is_some() {
            ("the first temperature", "")
        } else {
            ("lambda = 0", "remove it: exact draws of the base are taken; or ")
        };
        let what = format!("{scope} cannot start from one structure: its weights are about draws at {first}");
        drafts.add(scope, &given.span, what, format!("{draws}write \"stage:NAME\" of a stage in equilibrium at {first}"));
    }
    Some(Anneal {
        kernel: kernel?.clone(),
        timestep: timestep?.clone(),
        friction: raw.friction.clone(),
        leapfrog_steps: (kernel_kind == Some(Kernel::Hmc)).then(|| count(raw.leapfrog_steps.as_ref(), 10)),
        target_acceptance: raw.target_acceptance.as_ref().map(|t| t.with(t.value.0)),
        thermal: warmth?,
        replicas: replicas.map(|n| n.with(n.value.0))?,
        along: along?,
        map,
        steps_per_level: count(raw.steps_per_level.as_ref(), 1),
        schedule,
        ess,
        resample,
        runs: count(raw.runs.as_ref(), 8),
        start,
        remove_com: raw.remove_com.as_ref().map(|f| f.with(f.value.0)),
    })
}

/// Checks a `switch` table.
pub(super) fn switch(scope: &str, raw: &Placed<raw_kinds::Switch>, earlier: Earlier<'_>, drafts: &mut Drafts) -> Option<Switch<Quantity>> {
    let at = &raw.span;
    let warmth = thermal(scope, "switch", (raw.temperature.as_ref(), raw.beta.as_ref()), at, drafts);
    if let Some(p) = raw.propagator.as_ref().filter(|p| !p.value.metropolised()) {
        let what = format!("{} does not keep the states of {scope} exactly: its works would be biased silently", p.value.name());
        drafts.add(scope, &p.span, what, "use hmc or mala");
    }
    let equilibrate = need(scope, "switch", "equilibrate", "10_000", raw.equilibrate.as_ref(), at, drafts);
    let shots = need(scope, "switch", "shots", "20", raw.shots.as_ref(), at, drafts);
    let spacing = need(scope, "switch", "spacing", "1000", raw.spacing.as_ref(), at, drafts);
    for (key, n) in [("shots", shots), ("spacing", spacing)] {
        if let Some(n) = n.filter(|n| n.value.0 == 0) {
            drafts.add(scope, &n.span, format!("`{key}` of {scope} is 0"), format!("write {key} = 1 or more"));
        }
    }
    let mut sample = chain(scope, "switch", &raw.with(raw.chain()), warmth, earlier, drafts);
    if let (Some(sample), Some(n)) = (&mut sample, equilibrate) {
        sample.discard = Placed::default_of(super::types::Discard::Steps(0));
        // equilibration is no adaptation: the steps before the first shot are counted, the step size is as given
        sample.steps.value = sample.steps.value.saturating_add(n.value.0);
    }
    let levels = levels(scope, "switch", (raw.levels.as_ref(), raw.lambdas.as_ref()), at, drafts);
    Some(Switch {
        sample: sample?,
        equilibrate: equilibrate.map(|n| n.with(n.value.0))?,
        shots: shots.map(|n| n.with(n.value.0))?,
        spacing: spacing.map(|n| n.with(n.value.0))?,
        levels: levels?,
        map: map(scope, raw.map.as_ref(), drafts),
        steps_per_level: count(raw.steps_per_level.as_ref(), 1),
        directions: raw.directions.clone().unwrap_or(Placed::default_of(Directions::Both)),
    })
}
