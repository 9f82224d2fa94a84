//! `check`: what a campaign will do, before it does it.

use super::config::map::mapped;
use super::config::{Campaign, ColumnKind, Resolved, StageKind};
use super::inputs::Inputs;
use super::physics::{check_timestep, footprint};
use super::plan::{Plan, PlannedPoint};
use super::progress::span;
use super::system::System;
use super::units::Kind;
use crate::dynamics;
use crate::error::Source;
use crate::{Error, Result};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

/// The checks that need the system: the time step against the fastest vibration, names of atoms and terms.
pub(super) fn system_checks(campaign: &Campaign, mut resolved: Resolved, system: &System) -> Result<Resolved> {
    let mut complaints = Vec::new();
    let mut warnings = Vec::new();
    let terms = system.potential.terms();
    for stage in &resolved.stages {
        if ["figures", "inputs", "export", "sweep"].contains(&stage.name.value.as_str()) {
            let what = format!("a stage cannot be called \"{}\": the run directory has a folder of that name", stage.name.value);
            complaints.push(campaign.complaint(&stage.name.span, what, "give it another name"));
        }
        if let StageKind::Estimate(estimate) = &stage.kind {
            for column in &estimate.of {
                if let ColumnKind::Term(name) = &column.value.kind
                    && !terms.contains(name)
                {
                    let near = super::nearest(name, terms.iter().map(String::as_str))
                        .map_or(String::new(), |n| format!("did you mean \"energy:{n}\"? "));
                    let what = format!("{} has no energy term \"{name}\"", system.name);
                    complaints.push(campaign.complaint(&column.span, what, format!("{near}Its terms: {}", terms.join(", "))));
                }
            }
        }
        if let Some((span, what)) = needs_lambda(stage)
            && !depends_on_lambda(system)
        {
            let what = format!(
                "{what} of stage '{}' goes along lambda, but the energy of {} does not depend on it",
                stage.name.value, system.name
            );
            complaints.push(campaign.complaint(
                span,
                what,
                "write a [path], or use lambda in the formula; a ladder may go along temperatures too",
            ));
        }
        if let StageKind::Anneal(a) = &stage.kind
            && !super::anneal::from_base(a, system)
            && a.start == super::config::Start::System
        {
            let kind = system.path.as_ref().map_or("none", |p| p.kind);
            if a.along.temperatures().is_some() {
                let what = format!("stage '{}' has no draws at its first temperature", stage.name.value);
                complaints.push(campaign.complaint(
                    &a.along.span,
                    what,
                    "sample there in a stage before it and write start = \"stage:NAME\"",
                ));
                continue;
            }
            let what = format!("stage '{}' has no draws at lambda = 0: a path of kind {kind} has no normalised base", stage.name.value);
            let remedy = "sample with lambda = 0 in a stage before it and write start = \"stage:NAME\"; delta_f is then what there is";
            complaints.push(campaign.complaint(&a.kernel.span, what, remedy));
        }
        if let Some((map, levels)) = mapped(&stage.kind) {
            let own = match &stage.kind {
                StageKind::Anneal(a) => a.remove_com.as_ref(),
                kind => kind.chain().and_then(|s| s.remove_com.as_ref()),
            };
            let com = own.map_or(system.remove_com, |c| c.value);
            if let Err(Error::Input(list)) = super::carry::bijection((map, levels, 1), system, &resolved.system, com) {
                complaints.extend(list.into_iter().map(|c| campaign.complaint(&map.span, c.what, c.remedy)));
            }
        }
        if let StageKind::Metadynamics(m) = &stage.kind {
            for column in &m.of {
                if let Err(Error::Input(list)) = super::metadynamics::collective(&column.value.kind, system) {
                    complaints.extend(list.into_iter().map(|c| campaign.complaint(&column.span, c.what, c.remedy)));
                }
            }
        }
        let Some(sample) = stage.kind.chain() else { continue };
        let need = footprint(sample, stage.observe.as_ref(), system.dof() as u64, terms.len() as u64).memory * stage.kind.places();
        if let Some(free) = free_memory().filter(|free| need > *free) {
            let what = format!("stage '{}' needs about {} of memory, this machine has {} free", stage.name.value, bytes(need), bytes(free));
            complaints.push(campaign.complaint(&sample.replicas.span, what, "use fewer replicas"));
        }
        if let Some((omega, what)) = &system.omega_max
            && let Some(o) = check_timestep(sample, *omega, Some(what), system.units)
        {
            let list = if o.refuse { &mut complaints } else { &mut warnings };
            list.push(campaign.complaint(&o.span, o.what, o.remedy));
        }
        for column in stage.observe.iter().flat_map(|o| &o.columns) {
            if let Err(Error::Input(list)) = super::sample::measure(&column.value.kind, system) {
                complaints.extend(list.into_iter().map(|c| campaign.complaint(&column.span, c.what, c.remedy)));
            }
        }
        let wants_com = sample.remove_com.as_ref().is_some_and(|c| c.value);
        if wants_com && !system.symmetries.contains(&super::system::Symmetry::Translation) {
            let span = sample.remove_com.as_ref().map_or(0..0, |c| c.span.clone());
            complaints.push(campaign.complaint(
                &span,
                format!("remove_com = true, but the energy of {} changes when all particles move alike", system.name),
                "set remove_com = false",
            ));
        }
    }
    resolved.warnings.extend(warnings);
    resolved.warnings.extend(system.warnings.iter().map(|w| crate::error::Complaint { what: w.clone(), at: None, remedy: String::new() }));
    if complaints.is_empty() { Ok(resolved) } else { Err(Error::Input(complaints)) }
}

/// What of a stage goes along lambda, and where it says so.
fn needs_lambda(stage: &super::config::Stage) -> Option<(&std::ops::Range<usize>, &'static str)> {
    match &stage.kind {
        StageKind::Switch(s) => Some((&s.levels.span, "the switching")),
        StageKind::Anneal(a) if a.along.temperatures().is_none() => Some((&a.kernel.span, "the annealing")),
        StageKind::Sample(s) => s.lambda.as_ref().filter(|l| l.value != 1.0).map(|l| (&l.span, "lambda")),
        StageKind::Exchange(e) if matches!(e.ladder.value, super::config::Ladder::Lambdas(_)) => Some((&e.ladder.span, "the ladder")),
        StageKind::Expanded(e) if matches!(e.ladder.value, super::config::Ladder::Lambdas(_)) => Some((&e.ladder.span, "the ladder")),
        _ => None,
    }
}

/// Does the energy change with lambda anywhere near the starts?
fn depends_on_lambda(system: &System) -> bool {
    let still = vec![0.0; system.dof()];
    system.path.is_some()
        || system.start.iter().take(8).any(|x| {
            [0.25, 0.5, 1.0].iter().any(|lambda| {
                let shifted: Vec<f64> = x.iter().enumerate().map(|(d, x)| x + 0.1 * (1.0 + d as f64 % 3.0) * lambda).collect();
                [x, &shifted].iter().any(|x| system.potential.derivative(x, *lambda, &still, 1.0).1 != 0.0)
            })
        })
}

/// Memory that can be had, where the system tells.
fn free_memory() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find(|l| l.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb * 1024)
}

/// The plan of a campaign in words.
///
/// # Errors
/// `Error::Input` with everything that is wrong.
pub fn check(file: &Path, sets: &[(String, String)], threads: Option<usize>) -> Result<String> {
    let text = std::fs::read_to_string(file).map_err(|e| Error::reading(file, "reading the campaign", &e))?;
    let source = Source::new(file.display().to_string(), text);
    let inputs = Inputs::fresh(file.parent().unwrap_or(Path::new("")));
    let plan = Plan::new(&source, sets, &inputs)?;
    let cores = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let mut out = String::new();
    let w = &mut out;
    let _ = writeln!(w, "campaign {}: {}", plan.campaign.name.value, points(plan.points.len()));
    let mut seconds = 0.0;
    let mut disk = 0;
    for point in &plan.points {
        if !point.label.is_empty() {
            let _ = writeln!(w, "\npoint {}", point.label);
        }
        let (s, d) = describe_point(w, point, cores)?;
        seconds += s;
        disk += d;
    }
    let _ = writeln!(w, "\nin all: about {} on {cores} threads, {} on disk", span(seconds), bytes(disk));
    let mut shown = Vec::new();
    for warning in plan.points.iter().flat_map(|p| &p.resolved.warnings) {
        let text = warning.to_string();
        if !shown.contains(&text) {
            let _ = writeln!(w, "warning: {text}");
            shown.push(text);
        }
    }
    Ok(out)
}

fn points(n: usize) -> String {
    if n == 1 { "one point".to_owned() } else { format!("{n} sweep points") }
}

fn describe_point(w: &mut String, point: &PlannedPoint, cores: usize) -> Result<(f64, u64)> {
    let (system, resolved) = (&point.system, &point.resolved);
    let _ = writeln!(
        w,
        "system {}: {} degrees of freedom, {} terms ({})",
        system.name,
        system.dof(),
        system.potential.terms().len(),
        system.title
    );
    let (mut seconds, mut disk) = (0.0, 0);
    for remark in system.path.iter().flat_map(|p| &p.remarks) {
        let _ = writeln!(w, "  path: {remark}");
    }
    for stage in &resolved.stages {
        match &stage.kind {
            StageKind::Minimise(m) => {
                let _ = writeln!(
                    w,
                    "  {}: minimise until no force is above {} {}, at most {} steps",
                    stage.name.value,
                    m.tolerance.value,
                    system.units.unit(Kind::Force),
                    m.max_steps.value
                );
            }
            StageKind::Estimate(e) => {
                let count = e.data.iter().map(|l| l.files.len()).sum::<usize>();
                let files = if count == 1 { "file" } else { "files" };
                let from = if count > 0 { format!("{count} {files}") } else { format!("'{}'", e.from.value) };
                let _ = writeln!(w, "  {}: estimate {} from {from}", stage.name.value, e.method.value.name());
            }
            StageKind::Anneal(a) => {
                let _ = writeln!(
                    w,
                    "  {}: anneal {} particles in {} runs of {} levels, {}",
                    stage.name.value,
                    a.replicas.value,
                    a.runs.value,
                    if a.schedule.value == super::config::Schedule::Adaptive { "adaptive".to_owned() } else { a.along.count().to_string() },
                    a.kernel.value.name()
                );
            }
            kind => {
                let Some(s) = kind.chain() else { continue };
                let places = kind.places();
                let f = footprint(s, stage.observe.as_ref(), system.dof() as u64, system.potential.terms().len() as u64);
                let ladder = kind.ladder().map_or(0, |l| 8 + 8 * l.count() as u64);
                let f = super::physics::Footprint {
                    disk: f.disk.saturating_add(ladder.saturating_mul(f.frames).saturating_mul(s.replicas.value)).saturating_mul(places),
                    memory: f.memory.saturating_mul(places),
                    ..f
                };
                let replicas = s.replicas.value.saturating_mul(places);
                let blocks = replicas.div_ceil(8);
                let used = (cores as u64).min(blocks);
                let rounds = blocks.div_ceil(used);
                let per_step = time_per_step(point, s)?;
                let steps = s.warmup.value + s.steps.value;
                let expected = per_step * rounds as f64 * steps as f64;
                seconds += expected;
                disk += f.disk;
                let unit = system.units.unit(Kind::Time);
                let length = match s.propagator.value.metropolised() {
                    true => format!("{} proposals", s.steps.value),
                    false => format!("{} steps, {} {unit}", s.steps.value, s.steps.value as f64 * s.timestep.value),
                };
                let _ =
                    writeln!(w, "  {}: {} with {} replicas, {}", stage.name.value, s.propagator.value.name(), replicas, length.trim_end());
                if let Some(ladder) = kind.ladder() {
                    let names = ladder.names(system.units);
                    let _ = writeln!(w, "    {} of {} states: {}", kind.name(), names.len(), names.join(", "));
                }
                let empty = 8 * blocks - replicas;
                let waste = 100.0 * empty as f64 / (8 * blocks) as f64;
                let _ = writeln!(
                    w,
                    "    cores {used} of {cores}{}; padding {} of {} lanes ({waste:.0} % wasted)",
                    if used < cores as u64 {
                        format!(" (replicas come in blocks of 8: {} or more replicas use all)", 8 * cores)
                    } else {
                        String::new()
                    },
                    empty,
                    8 * blocks
                );
                if let Some((omega, what)) = &system.omega_max {
                    let _ = writeln!(
                        w,
                        "    omega_max dt = {:.2} ({what}); above 0.8 averages are biased, from 1.9 on it is refused",
                        omega * s.timestep.value
                    );
                }
                let _ = writeln!(
                    w,
                    "    {} frames, {} on disk, {} of memory, about {}",
                    f.frames,
                    bytes(f.disk),
                    bytes(f.memory),
                    span(expected)
                );
            }
        }
    }
    Ok((seconds, disk))
}

/// Seconds that one block of 8 replicas takes for a step: measured on the system's start.
fn time_per_step(point: &PlannedPoint, sample: &super::config::Sample) -> Result<f64> {
    use crate::batch::{Coords, Ensemble, Phase, Thermo};
    let system = &point.system;
    let com = sample.remove_com.as_ref().map_or(system.remove_com, |c| c.value);
    let spec = super::sample::spec(sample, com, system.dimension);
    let mut propagator = dynamics::build(&spec, system.potential.clone(), &system.masses)?;
    let phase = Phase::at_rest(Coords::from_rows(&system.start[0].repeat(8), system.dof())?, system.masses.clone())?;
    let beta = sample.thermal.value.beta(point.resolved.units);
    let mut ens = Ensemble::new(phase, vec![Thermo::at(beta); 8], crate::stream::Root::new(0, "check", ""))?;
    propagator.advance(&mut ens, 1)?;
    let (mut steps, mut batch) = (0, 1);
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < 0.1 {
        propagator.advance(&mut ens, batch)?;
        steps += batch;
        batch *= 2;
    }
    Ok(began.elapsed().as_secs_f64() / steps as f64)
}

fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} bytes"),
        1_000..1_000_000 => format!("{:.0} kB", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.0} MB", n as f64 / 1e6),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}
