//! Pages of stages that compare states: ladders, annealing, switching, and the free energies in them.

use super::charts::free_energy::{self as draw, FreeEnergyFigure};
use super::figures::Figures;
use super::frames::Frames;
use super::number;
use super::page::{Block, Cell, Figure, Section, Table};
use super::stage::{diverged, facts, figure_name};
use crate::Result;
use crate::estimate::Part;
use crate::estimate::summary::{AnnealSummary, FreeEnergySummary, LadderSummary, StageSummary, WorkSummary};
use std::path::Path;

/// Replicas whose walk is drawn.
const WALKS: usize = 4;
/// Frames of a walk that are drawn.
const FRAMES: u64 = 200;

/// A stage on a ladder, an annealing, a switching or a metadynamics: what it did.
pub(super) fn moved(dir: &Path, stage: &StageSummary, level: usize, figures: &mut Figures) -> Result<Section> {
    let title = match stage.kind.as_str() {
        "exchange" => "Replica exchange",
        "expanded" => "Expanded ensemble",
        "anneal" => "Annealing",
        "switch" => "Switching",
        "metadynamics" => "Metadynamics",
        other => other,
    };
    let mut section = Section::new(level, format!("{title}: {}", stage.stage));
    section.blocks.push(Block::Table(facts(stage)));
    section.blocks.extend(diverged(stage));
    if let Some(ladder) = &stage.ladder {
        on_ladder(dir, stage, ladder, &mut section, figures)?;
    }
    if let Some(anneal) = &stage.annealing {
        if let [hot, .., cold] = anneal.temperatures[..] {
            section.blocks.push(Block::Text(format!(
                "Population annealing from temperature {} to {} over {} levels: delta_f is ln Z at the first less ln Z at the last, in kT each.",
                number::digits(hot, 6),
                number::digits(cold, 6),
                anneal.temperatures.len(),
            )));
        }
        section.blocks.push(Block::Table(runs(anneal, stage.replicas)));
    }
    if let Some(works) = stage.works.as_ref().filter(|_| stage.kind == "switch") {
        let text = format!("{} works from lambda = 0, {} from lambda = 1.", works.forward.len(), works.reverse.len());
        section.blocks.push(Block::Text(text));
    }
    Ok(section)
}

fn on_ladder(dir: &Path, stage: &StageSummary, ladder: &LadderSummary, section: &mut Section, figures: &mut Figures) -> Result<()> {
    let trips: u64 = ladder.round_trips.iter().sum();
    let eigenvalue = ladder.second_eigenvalue.map_or_else(String::new, |v| {
        format!(" The second eigenvalue of the mixing matrix is {}: 1 would be a ladder that falls apart.", number::digits(v, 4))
    });
    section.blocks.push(Block::Text(format!(
        "{} independent copies of {} states; {trips} round trips from {} {} to {} and back.{eigenvalue}",
        ladder.copies,
        ladder.states.len(),
        ladder.variable,
        ladder.states.first().map_or("", String::as_str),
        ladder.states.last().map_or("", String::as_str),
    )));
    let mut table =
        Table::new("", &["state", &format!("#{}", ladder.variable), "#frames", "#accepted with the next", "#from the first state"]);
    for (k, name) in ladder.states.iter().enumerate() {
        let percent =
            |v: Option<&Option<f64>>| Cell::number(v.copied().flatten().map_or_else(String::new, |a| format!("{:.1} %", 100.0 * a)));
        table.rows.push(vec![
            Cell::text(name.clone()),
            Cell::number(ladder.values.get(k).map_or_else(String::new, |v| number::digits(*v, 6))),
            Cell::number(ladder.visits.get(k).map_or_else(String::new, |v| number::count(*v))),
            percent(ladder.acceptance.get(k)),
            percent(ladder.upward.get(k)),
        ]);
    }
    section.blocks.push(Block::Table(table));
    let mut drawn = Vec::new();
    let acceptance: Vec<f64> = ladder.acceptance.iter().map(|a| a.unwrap_or(f64::NAN)).collect();
    let round_trips: Vec<f64> = ladder.round_trips.iter().map(|n| *n as f64).collect();
    add(&mut drawn, figures, stage, "ladder", draw::ladder(&ladder.states, &acceptance, &round_trips))?;
    let frames = Frames::open(dir, stage)?;
    let state = frames.whole("state", WALKS, FRAMES)?;
    if !state.is_empty() {
        let walks: Vec<Vec<usize>> = state.iter().map(|w| w.iter().map(|s| *s as usize).collect()).collect();
        let steps: Vec<f64> = (1..=walks.first().map_or(0, Vec::len)).map(|k| (k as u64 * stage.every) as f64).collect();
        add(&mut drawn, figures, stage, "walks", draw::walks(&ladder.states, &steps, "step", &walks))?;
    }
    if !drawn.is_empty() {
        section.blocks.push(Block::Figures(drawn));
    }
    Ok(())
}

fn runs(anneal: &AnnealSummary, particles: usize) -> Table {
    let mut table = Table::new("", &["#run", "#ln of the mean weight", "#effective particles", "#families"]);
    for (r, log_z) in anneal.log_z.iter().enumerate().take(32) {
        table.rows.push(vec![
            Cell::number((r + 1).to_string()),
            Cell::number(number::digits(*log_z, 8)),
            Cell::number(anneal.ess.get(r).map_or_else(String::new, |e| number::digits(e * particles as f64, 4))),
            Cell::number(anneal.families.get(r).map_or_else(String::new, |f| number::digits(*f, 5))),
        ]);
    }
    table
}

/// Free energies of a ladder and works, of an estimate stage.
pub(super) fn free_energies(stage: &StageSummary, section: &mut Section, figures: &mut Figures) -> Result<()> {
    if let Some(found) = &stage.free_energies {
        states(stage, found, section, figures)?;
    }
    if let Some(works) = &stage.works {
        work(stage, works, section, figures)?;
    }
    Ok(())
}

fn states(stage: &StageSummary, found: &FreeEnergySummary, section: &mut Section, figures: &mut Figures) -> Result<()> {
    let g = found.g.map_or_else(String::new, |g| format!(" Samples that states share are counted one in {}.", number::digits(g, 3)));
    let ends = if found.by_quadrature.is_empty() { "" } else { " No state stands at the ends: the quadrature reaches them." };
    let by = found.rule.as_ref().map_or(found.method.clone(), |rule| format!("{} with {rule}", found.method));
    section.blocks.push(Block::Text(format!("Free energies by {by} in {}. The errors are {}.{g}{ends}", found.unit, found.errors)));
    let mut table = Table::new("", &["state", "#free energy", "#standard error"]);
    for (k, name) in found.states.iter().enumerate() {
        table.rows.push(vec![
            Cell::text(name.clone()),
            Cell::number(number::digits(found.f[k], 7)),
            Cell::number(number::digits(found.stderr[k], 2)),
        ]);
    }
    section.blocks.push(Block::Table(table));
    let mut drawn = Vec::new();
    let matrix: Vec<f64> = found.overlap.concat();
    if !matrix.is_empty() {
        add(&mut drawn, figures, stage, "overlap", draw::overlap(&found.states, &matrix))?;
    }
    add(&mut drawn, figures, stage, "states", draw::states(&found.states, &found.f, &found.stderr, &found.unit))?;
    let ends = (found.f.last().copied().unwrap_or(f64::NAN), found.stderr.last().copied().unwrap_or(f64::NAN));
    if !found.gradients.is_empty() {
        let mean: Vec<f64> = found.gradients.iter().map(|g| g.0).collect();
        let stderr: Vec<f64> = found.gradients.iter().map(|g| g.1).collect();
        let sampled = |k: &usize| !found.by_quadrature.contains(k);
        let lambda: Vec<f64> = (0..found.values.len()).filter(sampled).map(|k| found.values[k]).collect();
        let gradient = draw::Gradient { name: "", lambda: &lambda, mean: &mean, stderr: &stderr };
        add(&mut drawn, figures, stage, "gradients", draw::gradients(&[gradient], ends, &found.unit))?;
    }
    let row = |r: &[f64; 5]| Part { fraction: r[0], forward: (r[1], r[2]), reverse: (r[3], r[4]) };
    let parts: Vec<Part> = found.convergence.iter().map(row).collect();
    add(&mut drawn, figures, stage, "convergence", draw::convergence(&parts, "ΔF of the ends", &found.unit))?;
    if !drawn.is_empty() {
        section.blocks.push(Block::Figures(drawn));
    }
    Ok(())
}

fn work(stage: &StageSummary, works: &WorkSummary, section: &mut Section, figures: &mut Figures) -> Result<()> {
    let Some(value) = works.delta_f else { return Ok(()) };
    let mut drawn = Vec::new();
    let chart = draw::work(&works.forward, &works.reverse, (value, works.stderr.unwrap_or(f64::NAN)), "kT");
    add(&mut drawn, figures, stage, "work", chart)?;
    if !drawn.is_empty() {
        section.blocks.push(Block::Figures(drawn));
    }
    Ok(())
}

fn add(drawn: &mut Vec<Figure>, figures: &mut Figures, stage: &StageSummary, what: &str, figure: Option<FreeEnergyFigure>) -> Result<()> {
    if let Some(figure) = figure {
        drawn.push(figures.add(&figure_name(stage, what), figure.caption().to_owned(), figure.chart())?);
    }
    Ok(())
}
