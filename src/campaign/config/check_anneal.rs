//! What an annealing says: what it goes along, and what moves the particles.

use super::anneal::{Anneal, Kernel, Schedule};
use super::check_rungs::{levels, rungs};
use super::check_sample::{start, thermal};
use super::check_stage::{Earlier, count, need};
use super::ladder::Rungs;
use super::levels::{Along, Levels};
use super::map::map;
use super::placed::Placed;
use super::raw_kinds;
use super::sample::{Start, Thermal};
use super::texts::Drafts;
use crate::campaign::units::Quantity;

type Warmth = Option<Placed<Thermal<Quantity>>>;

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
    keys_of_kernel(scope, kernel_kind, raw, schedule.value, drafts);
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

/// Complains of the keys that the kernel has no use for, or lacks.
fn keys_of_kernel(scope: &str, kernel: Option<Kernel>, raw: &Placed<raw_kinds::Anneal>, schedule: Schedule, drafts: &mut Drafts) {
    if let (Some(Kernel::Langevin), None) = (kernel, &raw.friction) {
        need(scope, "anneal", "friction", "\"1 /ps\", or a bare number in reduced units", raw.friction.as_ref(), &raw.span, drafts);
    }
    if let (Some(kind @ (Kernel::Hmc | Kernel::Mala | Kernel::Ula)), Some(friction)) = (kernel, &raw.friction) {
        drafts.add(scope, &friction.span, format!("{} has no friction", kind.name()), "remove it, or use langevin");
    }
    if let (Some(kind @ (Kernel::Ula | Kernel::Mala | Kernel::Langevin)), Some(leapfrog)) = (kernel, &raw.leapfrog_steps) {
        drafts.add(scope, &leapfrog.span, format!("{} has no leapfrog_steps", kind.name()), "remove it, or use hmc");
    }
    if let (Some(kind @ (Kernel::Ula | Kernel::Langevin)), Some(target)) = (kernel, &raw.target_acceptance) {
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
        (kernel, schedule, raw.steps_per_level.as_ref().filter(|n| n.value.0 > 1))
    {
        let what = format!("steps of {} are levels of their own, which an adaptive schedule finds: each takes one step", kind.name());
        drafts.add(scope, &steps.span, what, "remove it, or use hmc or mala");
    }
}
