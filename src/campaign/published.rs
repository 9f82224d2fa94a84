//! Estimate stages that read other programs' files: `ergodica estimate` within a campaign.

use super::analyse::estimate_frame;
use super::config::{EnergyUnit, Estimate as Wanted, Method, Stage};
use super::copies::SHARED;
use super::estimate_files::{self, Answer, Asked, Bootstrap, LegAnalysis, Request, Unit};
use super::inputs::Inputs;
use super::job::Job;
use crate::estimate::summary::{FreeEnergySummary, StageSummary, WorkSummary};
use crate::estimate::{Check, Estimate, Outcome, Part, WarningKind};
use crate::{Error, Result};

/// Estimates, the summary with its checks, and remarks on the files.
///
/// # Errors
/// Files that cannot be read or do not hold what the method needs. What the data do not carry becomes a check that fails.
pub(super) fn wanted(job: &Job<'_>, stage: &Stage, wanted: &Wanted, inputs: &Inputs) -> Result<(StageSummary, Vec<Estimate>, Vec<String>)> {
    let mut summary = estimate_frame(job, stage, wanted);
    let request = request(job, wanted, inputs)?;
    let analysis = match estimate_files::estimate(&request) {
        Ok(analysis) => analysis,
        Err(Error::Diagnostics { what, remedy }) => {
            let message = format!("no free energy: {what}; {remedy}");
            summary.checks.push(check(stage, stage.name.value.clone(), None, Outcome::Fail, message));
            let mut e = Estimate::missing("delta_f", WarningKind::PoorOverlap, format!("{what}; {remedy}"));
            job.complete_at(&mut e, &stage.name.value, None);
            return Ok((summary, vec![e], Vec::new()));
        }
        Err(other) => return Err(job.at(other, wanted.method.span.clone())),
    };
    for leg in &analysis.legs {
        // Of both directions alone each is an answer; else what stands beside the first is there for comparison.
        let asked = if wanted.method.value == Method::Exp { leg.answers.len() } else { 1 };
        for answer in leg.answers.iter().take(asked) {
            summary.checks.push(samples(stage, leg, answer));
        }
    }
    for why in &analysis.failed {
        summary.checks.push(check(stage, stage.name.value.clone(), None, Outcome::Fail, why.clone()));
    }
    if let [leg] = &analysis.legs[..] {
        summary.works = works(leg, analysis.unit);
        summary.free_energies = leg.answers.first().map(|a| free_energies(wanted.method.value, leg, a, analysis.unit));
    }
    let mut estimates = analysis.estimates();
    // Other rules of integration are there for comparison on the command line.
    estimates.retain(|e| !key(e).starts_with("ti "));
    // The answer to the question stands first.
    estimates.sort_by_key(|e| !e.stage.starts_with("sum/"));
    // Of both directions alone none is the answer; of works it is what stands first.
    let first = analysis.legs[0].answers.first().map_or("", |a| a.key.as_str());
    let main = if wanted.method.value == Method::Exp { "" } else { first };
    for e in &mut estimates {
        e.quantity = named(e, main, wanted.data.len() > 1);
        job.complete_at(e, &stage.name.value, None);
    }
    let said = |w: &String| format!("{}: {w}", stage.name.value);
    Ok((summary, estimates, analysis.warnings.iter().map(said).collect()))
}

fn key(e: &Estimate) -> &str {
    e.conditions.get("method").and_then(|m| m.as_str()).unwrap_or_default()
}

/// `delta_f[0,1]` of a leg is `delta_f:LEG[0,1]`, by a method beside the main one `delta_f:exp forward[0,1]`.
fn named(e: &Estimate, main: &str, several: bool) -> String {
    let (base, index) = e.quantity.split_at(e.quantity.find('[').unwrap_or(e.quantity.len()));
    let leg = e.conditions.get("leg").and_then(|l| l.as_str()).filter(|_| several).map_or(String::new(), |l| format!(":{l}"));
    let second = key(e).strip_prefix(main).and_then(|k| k.strip_prefix(' ')).filter(|_| !main.is_empty());
    let way = if let Some(second) = second {
        format!(":{second}")
    } else if [main, "windows"].contains(&key(e)) {
        String::new()
    } else {
        format!(":{}", key(e))
    };
    format!("{base}{leg}{way}{index}")
}

fn request(job: &Job<'_>, wanted: &Wanted, inputs: &Inputs) -> Result<Request> {
    let method = match wanted.method.value {
        Method::Bar => estimate_files::Method::Bar,
        Method::Ti => estimate_files::Method::Ti,
        Method::Exp => estimate_files::Method::Exp,
        Method::Work => estimate_files::Method::Work,
        _ => estimate_files::Method::Mbar,
    };
    let unit = match wanted.unit.value {
        EnergyUnit::Thermal => Unit::Kt,
        EnergyUnit::Kilojoule => Unit::KilojoulePerMole,
        EnergyUnit::Kilocalorie => Unit::KilocaloriePerMole,
    };
    let mut legs = Vec::new();
    for leg in &wanted.data {
        let mut files = Vec::new();
        for file in &leg.files {
            files.push(inputs.path(&file.value).map_err(|e| job.at(e, file.span.clone()))?);
        }
        legs.push((leg.name.as_ref().map(|n| n.value.clone()), files));
    }
    let rule = wanted.rule.as_ref().map(|r| r.value.of_ti());
    let bootstrap = wanted.bootstraps.as_ref().map(|n| Bootstrap { replicates: n.value as usize, seed: job.seed });
    let taken = &wanted.taken;
    Ok(Request {
        legs,
        discard: taken.discard.as_ref().map(|d| d.value).unwrap_or_default(),
        subsample: !taken.no_subsample.as_ref().is_some_and(|n| n.value),
        unit,
        temperature: taken.temperature.as_ref().map(|t| t.value),
        rule,
        bootstrap,
        convergence: true,
        asked: Asked::Campaign,
        ..Request::new(method, Vec::new())
    })
}

fn samples(stage: &Stage, leg: &LegAnalysis, answer: &Answer) -> Check {
    let of = leg.name.as_ref().map_or(answer.label.clone(), |name| format!("{}, {name}", answer.label));
    let message = format!("{of}: {:.0} independent samples stand behind the weakest step", answer.n_eff);
    check(stage, of, Some(answer.n_eff), SHARED.at_least(answer.n_eff), message)
}

fn check(stage: &Stage, of: String, value: Option<f64>, outcome: Outcome, message: String) -> Check {
    let message = format!("{}: {message}", stage.name.value);
    Check { check: "samples".to_owned(), of, value, bound: Some(SHARED.pass), outcome, message }
}

/// Histograms for the report, in kT, with what both directions together say.
fn works(leg: &LegAnalysis, unit: Unit) -> Option<WorkSummary> {
    let (forward, reverse) = leg.works.clone()?;
    let per_kt = unit.per_kt(leg.temperature)?;
    let total = leg.answers.first().map(|a| a.total());
    let delta_f = total.map(|t| t.0 / per_kt);
    Some(WorkSummary { forward, reverse, delta_f, stderr: total.map(|t| t.1 / per_kt) })
}

/// What drawing the samples again gave of the ends.
fn redrawn(answer: &Answer) -> String {
    let Some(redrawn) = &answer.redrawn else { return String::new() };
    let (error, [low, high]) = redrawn.error(answer.ends.0, answer.ends.1);
    format!(
        "; {} resamples in blocks of {} give an error of {error:.2e} between the ends and a 95 % interval from {low:.4} to {high:.4}",
        redrawn.how.replicates, redrawn.how.block
    )
}

/// For the report.
fn free_energies(method: Method, leg: &LegAnalysis, answer: &Answer, unit: Unit) -> FreeEnergySummary {
    let k = answer.points.len();
    let window = |i: usize| answer.points[i].state.and_then(|s| leg.windows.iter().find(|w| w.state == s));
    // One component: its lambda; several: the place on the path.
    let value = |i: usize| match window(i).map(|w| &w.lambdas[..]) {
        Some([lambda]) => *lambda,
        _ => i as f64,
    };
    FreeEnergySummary {
        method: method.name().to_owned(),
        unit: unit.name().to_owned(),
        values: (0..k).map(value).collect(),
        states: answer.points.iter().map(|p| p.name.clone()).collect(),
        f: answer.f.clone(),
        stderr: (0..k).map(|j| answer.delta(0, j).1).collect(),
        by_quadrature: (0..k).filter(|&i| answer.points[i].state.is_none()).collect(),
        rule: answer.label.strip_prefix("TI, ").map(str::to_owned),
        g: None,
        errors: "the method's own theory, on samples thinned by their statistical inefficiency".to_owned() + &redrawn(answer),
        overlap: if answer.overlap.is_empty() { Vec::new() } else { answer.overlap.chunks(k).map(<[f64]>::to_vec).collect() },
        gradients: Vec::new(),
        convergence: leg.convergence.iter().find(|c| c.key == answer.key).map_or(Vec::new(), |c| {
            let row = |p: &Part| [p.fraction, p.forward.0, p.forward.1, p.reverse.0, p.reverse.1];
            c.stability.parts.iter().map(row).collect()
        }),
    }
}
