//! What is said about one stage.

use super::charts;
use super::figures::Figures;
use super::frames::{Frames, Values, in_degrees, measured, name_of, unit_of};
use super::number::{self, NONE};
use super::page::{Block, Cell, Section, Table};
use super::plot::Chart;
use crate::Result;
use crate::estimate::Outcome;
use crate::estimate::summary::{BasinsSummary, ColumnSummary, Minimised, StageSummary, Summary};
use std::path::Path;

/// Provenance as the files tell it.
pub(super) type Provenance = Vec<(String, String)>;

/// Name of a figure of a stage.
pub(super) fn figure_name(stage: &StageSummary, what: &str) -> String {
    if stage.point.is_empty() { format!("{}-{what}", stage.stage) } else { format!("{}-{}-{what}", stage.stage, stage.point) }
}

/// A minimisation: energies and largest forces before and after.
pub(super) fn minimise(stage: &StageSummary, level: usize, figures: &mut Figures) -> Result<Section> {
    let all = &stage.minimised;
    let mut section = Section::new(level, format!("Minimisation: {}", stage.stage));
    let reached = all.iter().filter(|m| m.converged).count();
    section.blocks.push(Block::Text(format!(
        "{reached} of {} replicas reached the tolerance, after at most {} steps.",
        all.len(),
        all.iter().map(|m| m.steps).max().unwrap_or(0)
    )));
    section.blocks.push(Block::Table(if all.len() <= FEW { each_minimised(all) } else { spread_of_minimised(all) }));
    if let Some(chart) = charts::minimised(all) {
        let caption = "Energy and largest force component of each replica before and after";
        section.blocks.push(Block::Figures(vec![figures.add(&figure_name(stage, "minimised"), caption, &chart)?]));
    }
    Ok(section)
}

/// Up to so many replicas get a row each.
const FEW: usize = 8;

fn each_minimised(all: &[Minimised]) -> Table {
    let head =
        ["#replica", "#energy before", "#energy after", "#largest force before", "#largest force after", "#steps", "tolerance reached"];
    let mut table = Table::new("", &head);
    for (r, m) in all.iter().enumerate() {
        let number = |v| Cell::number(number::maybe(v, 7));
        let reached = if m.converged { Cell::text("yes") } else { Cell::text("no").coloured(Outcome::Warn) };
        let mut row = vec![Cell::number(r.to_string())];
        row.extend([m.energy_before, m.energy_after, m.force_before, m.force_after].map(number));
        row.extend([Cell::number(number::count(m.steps)), reached]);
        table.rows.push(row);
    }
    table
}

fn spread_of_minimised(all: &[Minimised]) -> Table {
    let mut table = Table::new("", &["", "#lowest", "#median", "#highest"]);
    type Of = fn(&Minimised) -> Option<f64>;
    let rows: [(&str, Of); 4] = [
        ("energy before", |m| m.energy_before),
        ("energy after", |m| m.energy_after),
        ("largest force before", |m| m.force_before),
        ("largest force after", |m| m.force_after),
    ];
    for (name, f) in rows {
        let mut values: Vec<f64> = all.iter().filter_map(f).collect();
        values.sort_by(f64::total_cmp);
        let at = |k: usize| Cell::number(number::maybe(values.get(k).copied(), 7));
        table.rows.push(vec![Cell::text(name), at(0), at(values.len() / 2), at(values.len().saturating_sub(1))]);
    }
    table
}

/// An estimate stage: its surfaces and profiles; its numbers stand in the table of estimates.
pub(super) fn estimate(stage: &StageSummary, all: &[&StageSummary], level: usize, figures: &mut Figures) -> Result<Section> {
    let mut section = Section::new(level, format!("Estimate: {}", stage.stage));
    // Basins over some of the coordinates of a surface, the most of them.
    let basins_of = |of: &[String]| {
        let fitting = all.iter().filter_map(|s| s.basins.as_ref()).filter(|b| !b.of.is_empty() && b.of.iter().all(|o| of.contains(o)));
        fitting.max_by_key(|b| b.of.len())
    };
    let mut drawn = Vec::new();
    for s in &stage.surfaces {
        let names: Vec<String> = s.of.iter().map(|n| name_of(n)).collect();
        let chart = if s.of.len() == 1 { charts::profile(s, basins_of(&s.of)) } else { charts::map(s, basins_of(&s.of)) };
        let Some(chart) = chart else { continue };
        let name = figure_name(stage, &format!("free-energy-{}", s.of.join("-")));
        let how = s.how.as_ref().map_or_else(String::new, |how| format!(" ({how})"));
        drawn.push(figures.add(&name, format!("Free energy over {}{how}; blank bins were never visited", names.join(" and ")), &chart)?);
    }
    if !drawn.is_empty() {
        section.blocks.push(Block::Figures(drawn));
    }
    if let Some(basins) = &stage.basins {
        section.blocks.extend(basin_tables(basins));
    }
    if !stage.columns.is_empty() {
        section.blocks.push(Block::Table(diagnostics(&stage.columns, None)));
    }
    super::ladder::free_energies(stage, &mut section, figures)?;
    if section.blocks.is_empty() {
        section.blocks.push(Block::Text("Its numbers stand in the table of estimates.".to_owned()));
    }
    Ok(section)
}

/// A sample stage: facts, maps, traces, correlations, diagnostics, basins.
pub(super) fn sample(
    dir: &Path,
    summary: &Summary,
    stage: &StageSummary,
    all: &[&StageSummary],
    level: usize,
    figures: &mut Figures,
    provenance: &mut Option<Provenance>,
) -> Result<Section> {
    let mut section = Section::new(level, format!("Sampling: {}", stage.stage));
    section.blocks.push(Block::Table(facts(stage)));
    if let Some(table) = diverged(stage) {
        section.blocks.push(table);
    }
    let frames = Frames::open(dir, stage)?;
    if provenance.is_none() {
        *provenance = Some(frames.provenance().to_vec());
    }
    let mut values: Vec<(&ColumnSummary, Values)> = Vec::new();
    for column in &stage.columns {
        if let Some(v) = frames.values(column)? {
            values.push((column, v));
        }
    }
    let mut maps = Vec::new();
    for (of, chart) in surfaces(&frames, stage, all, &values) {
        let name = figure_name(stage, &format!("map-{}", of.join("-")));
        let names: Vec<String> = of.iter().map(|n| name_of(n)).collect();
        maps.push(figures.add(
            &name,
            format!("Free energy over {} from the stored frames; blank bins were never visited", names.join(" and ")),
            &chart,
        )?);
    }
    if !maps.is_empty() {
        section.blocks.push(Block::Figures(maps));
    }
    let one = summary.stages.iter().filter(|s| s.kind == "sample").count() == 1;
    let cpu_s = (one && summary.performance.cpu_s > 0.0).then_some(summary.performance.cpu_s);
    if !stage.columns.is_empty() {
        section.blocks.push(Block::Table(diagnostics(&stage.columns, cpu_s)));
    }
    section.blocks.extend(temperatures(summary, stage));
    if let Some(basins) = &stage.basins {
        section.blocks.extend(basin_tables(basins));
    }
    for (column, v) in &values {
        let mut row = Vec::new();
        let caption = format!(
            "{}: {}{}; right: histogram after the start that was left out",
            name_of(&column.name),
            if v.periodic { "single replicas" } else { "single replicas (pale) and their mean" },
            if stage.draws > 800 { ", thinned to its extremes" } else { "" },
        );
        row.push(figures.add(&figure_name(stage, &format!("trace-{}", column.name)), caption, &charts::trace(&frames, v))?);
        if let Some((chart, caption)) = charts::correlation(&frames, v) {
            row.push(figures.add(&figure_name(stage, &format!("autocorrelation-{}", column.name)), caption, &chart)?);
        }
        section.blocks.push(Block::Figures(row));
    }
    Ok(section)
}

pub(super) fn facts(stage: &StageSummary) -> Table {
    let unit = stage.time_unit.as_ref().map_or_else(String::new, |u| format!(" {u}"));
    let timed = stage.timestep > 0.0;
    let of_time = |steps: u64| if timed { format!(" ({}{unit})", number::digits(steps as f64 * stage.timestep, 4)) } else { String::new() };
    let discard = format!("{} of {} ({})", stage.discard, stage.draws, stage.discard_by);
    Table::facts(
        "",
        vec![
            ("propagator", stage.propagator.clone().unwrap_or_default()),
            ("replicas", stage.replicas.to_string()),
            ("steps of each", format!("{}{}", number::count(stage.steps), of_time(stage.steps))),
            ("timestep", if timed { format!("{}{unit}", number::digits(stage.timestep, 6)) } else { String::new() }),
            ("frames", format!("{}, one every {} steps{}", stage.draws, number::count(stage.every), of_time(stage.every))),
            ("frames left out at the start", discard),
            ("proposals accepted", stage.acceptance.map_or_else(String::new, |a| format!("{} %", number::digits(100.0 * a, 3)))),
            ("replicas that diverged", if stage.diverged.is_empty() { "none".to_owned() } else { stage.diverged.len().to_string() }),
        ],
    )
}

pub(super) fn diverged(stage: &StageSummary) -> Option<Block> {
    if stage.diverged.is_empty() {
        return None;
    }
    let mut text: Vec<String> =
        stage.diverged.iter().take(20).map(|(r, step)| format!("replica {r} at step {}", number::count(*step))).collect();
    if stage.diverged.len() > 20 {
        text.push(format!("and {} more", stage.diverged.len() - 20));
    }
    Some(Block::Text(format!("Diverged, and left out of everything below: {}.", text.join(", "))))
}

/// Diagnostics of columns; effective samples per processor second where the time belongs to this stage alone.
fn diagnostics(columns: &[ColumnSummary], cpu_s: Option<f64>) -> Table {
    let mut head =
        vec!["column", "#mean", "unit", "#R-hat", "#bulk ESS", "#tail ESS", "#\u{3c4} / draws", "#g", "#block error", "#equilibrated at"];
    if cpu_s.is_some() {
        head.push("#bulk ESS / CPU s");
    }
    let remarks = columns.iter().any(|c| c.remark.is_some());
    if remarks {
        head.push("remark");
    }
    let mut table = Table::new("Diagnostics", &head);
    for c in columns {
        let unit = c.unit.as_deref();
        let tau = match (c.tau, c.tau_stderr) {
            (Some(tau), error) => number::measured(tau, error.unwrap_or(f64::NAN)),
            _ => NONE.to_owned(),
        };
        let mut row = vec![
            Cell::text(name_of(&c.name)),
            Cell::number(measured(c.mean, c.stderr, unit)),
            Cell::text(unit_of(unit)),
            Cell::number(c.r_hat.map_or_else(|| NONE.to_owned(), |r| format!("{r:.3}"))),
            Cell::number(number::maybe(c.ess_bulk, 3)),
            Cell::number(number::maybe(c.ess_tail, 3)),
            Cell::number(tau),
            Cell::number(number::maybe(c.g, 3)),
            Cell::number(number::maybe(c.stderr_blocks.map(|e| if in_degrees(unit) && !c.periodic { e.to_degrees() } else { e }), 2)),
            Cell::number(c.equilibrated.map_or_else(|| NONE.to_owned(), |n| n.to_string())),
        ];
        if let Some(s) = cpu_s {
            row.push(Cell::number(number::maybe(c.ess_bulk.map(|e| e / s), 3)));
        }
        if remarks {
            row.push(Cell::text(c.remark.clone().unwrap_or_default()));
        }
        table.rows.push(row);
    }
    table
}

/// Kinetic beside configurational temperature, and the one that was set.
fn temperatures(summary: &Summary, stage: &StageSummary) -> Vec<Block> {
    let found: Vec<&ColumnSummary> = stage.columns.iter().filter(|c| c.name.ends_with("_temperature")).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let same = |e: &&crate::estimate::Estimate| e.stage == stage.stage && e.conditions.contains_key("temperature");
    let of_point = |e: &&crate::estimate::Estimate| stage.columns.iter().any(|c| c.name == e.quantity && c.mean == Some(e.value));
    let set = summary.estimates.iter().filter(same).find(of_point).and_then(|e| e.conditions.get("temperature")).map(charts::shown);
    let mut table = Table::new("Temperatures", &["", "#mean", "unit", "#off the one set by, in standard errors"]);
    let number_set = set.as_ref().and_then(|s| s.split(' ').next()?.parse::<f64>().ok());
    if let Some(set) = &set {
        let (value, unit) = set.split_once(' ').unwrap_or((set, ""));
        table.rows.push(vec![Cell::text("set"), Cell::number(value), Cell::text(unit), Cell::number("")]);
    }
    for c in found {
        let off = match (c.mean, c.stderr, number_set) {
            (Some(m), Some(e), Some(t)) if e > 0.0 => Some((m - t) / e),
            _ => None,
        };
        let cell = Cell::number(off.map_or_else(String::new, |z| format!("{z:.1}")));
        let cell = if off.is_some_and(|z| z.abs() > 4.0) { cell.coloured(Outcome::Warn) } else { cell };
        table.rows.push(vec![
            Cell::text(name_of(c.name.trim_end_matches("_temperature"))),
            Cell::number(measured(c.mean, c.stderr, c.unit.as_deref())),
            Cell::text(unit_of(c.unit.as_deref())),
            cell,
        ]);
    }
    vec![Block::Table(table)]
}

/// Populations, visits, crossings.
fn basin_tables(b: &BasinsSummary) -> Vec<Block> {
    let mut table = Table::new("Basins", &["basin", "#population", "#visits", "#replicas inside", "#entered", "#left"]);
    for basin in &b.basins {
        let population = match basin.population {
            Some(p) => Cell::number(number::measured(p, basin.stderr.unwrap_or(f64::NAN))),
            None => Cell::number("not visited").coloured(Outcome::Fail),
        };
        table.rows.push(vec![
            Cell::text(&basin.name),
            population,
            Cell::number(number::count(basin.visits)),
            Cell::number(basin.replicas.to_string()),
            Cell::number(number::count(basin.entered)),
            Cell::number(number::count(basin.left)),
        ]);
    }
    let mut blocks = vec![Block::Table(table), Block::Text(format!("{} frames lie in no basin.", number::count(b.between)))];
    let k = b.basins.len();
    if k > 1 && b.crossings.len() == k * k {
        let mut head = vec!["from, to".to_owned()];
        head.extend(b.basins.iter().map(|b| format!("#{}", b.name)));
        let mut table = Table::new("Crossings", &head.iter().map(String::as_str).collect::<Vec<_>>());
        for (i, from) in b.basins.iter().enumerate() {
            let mut row = vec![Cell::text(&from.name)];
            row.extend((0..k).map(|j| Cell::number(if i == j { String::new() } else { number::count(b.crossings[i * k + j]) })));
            table.rows.push(row);
        }
        blocks.push(Block::Table(table));
    }
    blocks
}

/// Maps over pairs of columns that no estimate stage has drawn: phi and psi of a residue, and the two that span the basins.
fn surfaces(
    frames: &Frames,
    stage: &StageSummary,
    all: &[&StageSummary],
    values: &[(&ColumnSummary, Values)],
) -> Vec<([String; 2], Chart)> {
    let mut pairs: Vec<[&str; 2]> = Vec::new();
    for (phi, _) in values {
        let Some(rest) = phi.name.strip_prefix("dihedral:phi") else { continue };
        if let Some((psi, _)) = values.iter().find(|v| v.0.name.strip_prefix("dihedral:psi") == Some(rest)) {
            pairs.push([&phi.name, &psi.name]);
        }
    }
    if let Some([a, b]) = stage.basins.as_ref().map(|b| b.of.as_slice())
        && !pairs.iter().any(|p| p.contains(&a.as_str()) && p.contains(&b.as_str()))
    {
        pairs.push([a, b]);
    }
    let drawn =
        |p: &[&str; 2]| all.iter().flat_map(|s| &s.surfaces).any(|s| s.of.len() == 2 && s.of.iter().all(|o| p.contains(&o.as_str())));
    let mut charts = Vec::new();
    for pair in pairs.into_iter().filter(|p| !drawn(p)) {
        let find = |name: &str| values.iter().find(|v| v.0.name == name);
        let (Some(a), Some(b)) = (find(pair[0]), find(pair[1])) else { continue };
        let columns = [(pair[0], a.0.unit.as_deref(), &a.1), (pair[1], b.0.unit.as_deref(), &b.1)];
        charts.extend(charts::map_of(frames, columns, stage.basins.as_ref()).map(|c| (pair.map(str::to_owned), c)));
    }
    charts
}
