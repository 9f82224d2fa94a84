//! From stored frames to summary.json, estimates.csv and estimates.h5, and to the report.

use super::config::map::mapped;
use super::config::{Method, Sample, Smooth, StageKind};
use super::job::Job;
use super::plan::Plan;
use super::provenance;
use super::session::Session;
use super::weighted::Weighted;
use super::{analyse, annealed, free_energies, ladders, metadynamics, minimise, moves, published, weighted, works};
use crate::estimate::summary::{Performance, SCHEMA, StageSummary, Summary};
use crate::estimate::{Check, Estimate, Outcome, Verdict};
use crate::io::files;
use crate::real::isa;
use crate::{Error, Result};
use std::path::Path;

/// Analyses every stage of every point and writes what a run ends with.
pub(super) fn finish(plan: &Plan, jobs: &[Job<'_>], session: &Session, mut warnings: Vec<String>, report: bool) -> Result<Summary> {
    let mut stages: Vec<StageSummary> = Vec::new();
    let mut estimates: Vec<Estimate> = Vec::new();
    let mut checks: Vec<Check> = Vec::new();
    let mut performance =
        Performance { threads: rayon::current_num_threads(), isa: isa::path()?.name().to_owned(), ..Performance::default() };
    let mut replica_steps = 0.0;
    let mut partial = false;
    let moving = |job: &Job<'_>| job.resolved.stages.iter().filter(|s| moves(&s.kind)).count();
    let several = jobs.len() > 1 || jobs.iter().any(|j| moving(j) > 1);
    for job in jobs {
        let mut stored: Vec<(&str, Stored<'_>)> = Vec::new();
        for stage in &job.resolved.stages {
            let mut add = |summary: StageSummary, found: Vec<Estimate>| {
                for check in &summary.checks {
                    let mut check = check.clone();
                    if several {
                        check.of = format!("{}, {}", check.of, job.label(stage));
                        check.message = format!("{}: {}", job.label(stage), check.message);
                    }
                    checks.push(check);
                }
                stages.push(summary);
                estimates.extend(found);
            };
            if let StageKind::Minimise(_) = &stage.kind {
                add(minimise::summary(job, stage, &saved(session, job, &stage.name.value)?)?, Vec::new());
                continue;
            }
            if let StageKind::Estimate(wanted) = &stage.kind
                && !wanted.data.is_empty()
            {
                let (summary, found, doubts) = published::wanted(job, stage, wanted, &session.inputs)?;
                warnings.extend(doubts);
                add(summary, found);
                continue;
            }
            if let StageKind::Estimate(wanted) = &stage.kind {
                let Some((_, source)) = stored.iter().find(|(name, _)| *name == wanted.from.value) else {
                    return Err(Error::run(
                        format!("stage '{}' stored nothing for '{}'", wanted.from.value, stage.name.value),
                        "observe columns in it",
                    ));
                };
                let (summary, found) = match source {
                    Stored::Chain(sample, read) if wanted.smooth.is_some() => {
                        weighted::wanted(job, stage, wanted, &Weighted::of_chain(job, sample, read))?
                    }
                    Stored::Chain(sample, read) => analyse::wanted(job, stage, wanted, sample, read)?,
                    Stored::Biased(sample, read) => weighted::wanted(job, stage, wanted, &Weighted::of_bias(job, sample, read))?,
                    Stored::Ladder(read) if wanted.method.value.averages() => {
                        weighted::wanted(job, stage, wanted, &Weighted::of_ladder(job, read))?
                    }
                    Stored::Ladder(read) => free_energies::wanted(job, stage, wanted, read)?,
                    Stored::Annealed(runs) => annealed::log_z(job, stage, wanted, runs)?,
                    Stored::Works(read) => works::work(job, stage, wanted, read)?,
                };
                add(summary, found);
                continue;
            }
            let saved = saved(session, job, &stage.name.value)?;
            performance.cpu_s += saved.f64("cpu")?;
            performance.wall_s += saved.f64("wall")?;
            performance.io_s += saved.f64("io")?;
            performance.evaluations += saved.u64("evaluations")?;
            let (step, total) = (saved.u64("clock")?, saved.u64("total")?.max(planned(&stage.kind)));
            replica_steps += (saved.nested("ensemble")?.f64s("log_w")?.len() as u64 * step) as f64;
            let ended = saved.u64("done")? == 1 && (moves::spent(stage, &saved) || stage.kind.chain().is_none());
            let mut unfinished = None;
            if step < total && !ended {
                partial = true;
                let message = format!(
                    "{}: stands at step {step} of {total}: this is not the whole run; `ergodica resume` finishes it",
                    job.label(stage)
                );
                unfinished = Some(Check {
                    check: "finished".to_owned(),
                    of: job.label(stage),
                    value: Some(step as f64),
                    bound: Some(total as f64),
                    outcome: Outcome::Fail,
                    message,
                });
            }
            let found = match &stage.kind {
                _ if stage.kind.observes() && stage.observe.is_none() => None,
                StageKind::Sample(sample) => {
                    let (summary, means, read) = analyse::sample(job, stage, sample, &saved)?;
                    Some((summary, means, Stored::Chain(sample, read)))
                }
                StageKind::Exchange(e) => {
                    let (summary, means, read) = ladders::analyse(job, stage, &e.sample, &e.ladder, &saved)?;
                    Some((summary, means, Stored::Ladder(Box::new(read))))
                }
                StageKind::Anneal(a) => {
                    let (summary, found, runs) = annealed::annealed(job, stage, a, &saved)?;
                    Some((summary, found, Stored::Annealed(runs)))
                }
                StageKind::Switch(s) => {
                    let (summary, found, read) = works::switched(job, stage, s, &saved)?;
                    Some((summary, found, Stored::Works(read)))
                }
                StageKind::Expanded(e) => {
                    let (summary, means, read) = ladders::analyse(job, stage, &e.sample, &e.ladder, &saved)?;
                    Some((summary, means, Stored::Ladder(Box::new(read))))
                }
                StageKind::Metadynamics(m) => {
                    let (summary, found, read) = metadynamics::analyse(job, stage, m, &saved)?;
                    Some((summary, found, Stored::Biased(&m.sample, read)))
                }
                StageKind::Minimise(_) | StageKind::Estimate(_) => None,
            };
            if let Some((summary, means, source)) = found {
                add(summary, means);
                stored.push((stage.name.value.as_str(), source));
            }
            checks.extend(unfinished);
        }
    }
    performance.replica_steps_per_cpu_s = replica_steps / performance.cpu_s.max(1e-9);
    performance.evaluations_per_cpu_s = performance.evaluations as f64 / performance.cpu_s.max(1e-9);
    let outcome = checks.iter().map(|c| c.outcome).max().unwrap_or(Outcome::Fail);
    if checks.is_empty() {
        warnings.push("no sample stage observes a scalar column: there is nothing to judge".to_owned());
    }
    let summary = Summary {
        schema: SCHEMA,
        status: if partial { "partial" } else { "done" }.to_owned(),
        campaign: plan.campaign.name.value.clone(),
        title: plan.campaign.title.clone(),
        system: jobs.first().map_or_else(String::new, |j| j.system.name.clone()),
        seed: plan.seed,
        version: provenance::VERSION.to_owned(),
        verdict: Verdict { outcome, checks },
        estimates,
        stages,
        performance,
        warnings,
        notes: notes(jobs),
        papers: papers(jobs),
    };
    write(&session.dir, &summary)?;
    #[cfg(feature = "report")]
    if report {
        files::fault("report");
        crate::report::write(&session.dir)?;
    }
    #[cfg(not(feature = "report"))]
    let _ = report;
    Ok(summary)
}

/// What a stage has stored, for the estimate stages after it.
enum Stored<'a> {
    Chain(&'a Sample, analyse::Stored),
    Ladder(Box<ladders::OnLadder>),
    Annealed(annealed::Annealed),
    Biased(&'a Sample, metadynamics::Filled),
    Works(works::Works),
}

/// Stages that move replicas.
fn moves(kind: &StageKind) -> bool {
    !matches!(kind, StageKind::Minimise(_) | StageKind::Estimate(_))
}

/// Steps that a chain was asked for: more than its checkpoint knows after `extend`.
fn planned(kind: &StageKind) -> u64 {
    kind.chain().map_or(0, |s| s.warmup.value + s.steps.value)
}

fn saved(session: &Session, job: &Job<'_>, stage: &str) -> Result<crate::batch::Snapshot> {
    session
        .load(&job.dir.join(stage), &job.config_hash)?
        .ok_or_else(|| Error::run(format!("stage '{stage}' has no checkpoint"), "`ergodica resume` the run: it was not finished"))
}

/// What the paths of the points say about their numbers, each once.
fn notes(jobs: &[Job<'_>]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for remark in jobs.iter().filter_map(|j| j.system.path.as_ref()).flat_map(|p| &p.remarks) {
        if !all.contains(remark) {
            all.push(remark.clone());
        }
    }
    all
}

/// Papers of the methods used, in the order of their use.
fn papers(jobs: &[Job<'_>]) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let mut add = |paper: &str| {
        if !paper.is_empty() && !list.iter().any(|p| p == paper) {
            list.push(paper.to_owned());
        }
    };
    for job in jobs {
        add(&job.system.paper);
        for stage in &job.resolved.stages {
            match &stage.kind {
                StageKind::Minimise(_) => add("L-BFGS: Liu and Nocedal, Math. Program. 45, 503 (1989)"),
                StageKind::Estimate(e) => {
                    method_papers(e.method.value).iter().for_each(|p| add(p));
                    let from = job.resolved.stages.iter().find(|s| s.name == e.from).map(|s| &s.kind);
                    weights_papers(e, from).into_iter().for_each(&mut add);
                    if e.bootstraps.is_some() && e.method.value == Method::Mbar {
                        add("Bootstrap in blocks: Politis and Romano, in Exploring the Limits of Bootstrap, 263 (1992)");
                    }
                }
                kind => {
                    let name = kind.chain().map_or("", |s| s.propagator.value.name());
                    add(crate::dynamics::PROPAGATORS.iter().find(|p| p.name == name).map_or("", |p| p.paper));
                    stage_papers(kind).iter().for_each(|p| add(p));
                    match kind {
                        StageKind::Switch(s) if s.map.is_some() && s.steps_per_level.value == 0 => add(TARGETED),
                        kind if mapped(kind).is_some() => [TARGETED, ESCORTED].into_iter().for_each(&mut add),
                        _ => {}
                    }
                }
            }
        }
    }
    add("Random numbers: Salmon, Moraes, Dror, Shaw, SC'11 (2011), Philox4x32-10");
    add("R-hat and effective sample sizes: Vehtari, Gelman, Simpson, Carpenter, Buerkner, Bayesian Analysis 16, 667 (2021)");
    add("Equilibration detection: Chodera, J. Chem. Theory Comput. 12, 1799 (2016)");
    list
}

const TARGETED: &str = "Targeted perturbation: Jarzynski, Phys. Rev. E 65, 046122 (2002)";
const ESCORTED: &str = "Escorted trajectories: Vaikuntanathan and Jarzynski, Phys. Rev. Lett. 100, 190601 (2008)";

/// Where the method of a stage comes from.
fn stage_papers(kind: &StageKind) -> &'static [&'static str] {
    match kind {
        StageKind::Exchange(_) => &["Replica exchange: Sugita, Kitao and Okamoto, J. Chem. Phys. 113, 6042 (2000)"],
        StageKind::Expanded(_) => {
            &["Expanded ensembles: Lyubartsev et al., J. Chem. Phys. 96, 1776 (1992); SAMS: Tan, J. Comput. Graph. Stat. 26, 54 (2017)"]
        }
        StageKind::Metadynamics(_) => &["Well-tempered metadynamics: Barducci, Bussi and Parrinello, Phys. Rev. Lett. 100, 020603 (2008)"],
        StageKind::Anneal(a) if a.along.temperatures().is_some() => &[
            "Population annealing: Hukushima and Iba, AIP Conf. Proc. 690, 200 (2003); Machta, Phys. Rev. E 82, 026704 (2010)",
            "Sequential Monte Carlo: Del Moral, Doucet and Jasra, J. R. Stat. Soc. B 68, 411 (2006)",
        ],
        StageKind::Anneal(_) => &[
            "Annealed importance sampling: Neal, Stat. Comput. 11, 125 (2001)",
            "Sequential Monte Carlo: Del Moral, Doucet and Jasra, J. R. Stat. Soc. B 68, 411 (2006)",
        ],
        StageKind::Switch(_) => &["Jarzynski, Phys. Rev. Lett. 78, 2690 (1997)", "Crooks, Phys. Rev. E 60, 2721 (1999)"],
        _ => &[],
    }
}

/// Where the method of an estimate comes from.
fn method_papers(method: Method) -> &'static [&'static str] {
    match method {
        Method::Mbar | Method::Reweight | Method::LogZ => &["MBAR: Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008)"],
        Method::Bar => &["BAR: Bennett, J. Comput. Phys. 22, 245 (1976)"],
        Method::Ti => &["Thermodynamic integration: Kirkwood, J. Chem. Phys. 3, 300 (1935)"],
        Method::Exp => &["Zwanzig, J. Chem. Phys. 22, 1420 (1954)"],
        _ => &[],
    }
}

/// Where the weights of frames and the smoothing of a surface come from.
fn weights_papers(e: &super::config::Estimate, from: Option<&StageKind>) -> Vec<&'static str> {
    let mut all = Vec::new();
    match from {
        Some(StageKind::Exchange(_) | StageKind::Expanded(_)) if e.method.value.averages() => {
            all.extend(method_papers(Method::Reweight));
        }
        Some(StageKind::Metadynamics(_)) => {
            all.push("Weights of metadynamics: Tiwary and Parrinello, J. Phys. Chem. B 119, 736 (2015)");
        }
        _ => {}
    }
    match e.smooth.as_deref() {
        Some(Smooth::Kde) => all.push("Kernel densities: Silverman, Density Estimation (1986)"),
        Some(Smooth::Spline) => all.push("Free energies as splines: Shirts and Ferguson, J. Chem. Theory Comput. 16, 4107 (2020)"),
        None => {}
    }
    all
}

/// summary.json, estimates.csv and estimates.h5.
fn write(dir: &Path, summary: &Summary) -> Result<()> {
    let json = serde_json::to_string_pretty(summary)
        .map_err(|e| Error::run(format!("summary.json could not be made: {e}"), "report this as a bug"))?;
    files::write_atomic(&dir.join("estimates.csv"), csv(&summary.estimates).as_bytes())?;
    #[cfg(feature = "hdf5")]
    crate::io::estimates::write(&dir.join("estimates.h5"), summary)?;
    files::write_atomic(&dir.join("summary.json"), (json + "\n").as_bytes())
}

/// The estimates as a tidy table: one row each, conditions and coordinates as `key=value` lists.
fn csv(estimates: &[Estimate]) -> String {
    let quote = |s: &str| if s.contains([',', '"', '\n']) { format!("\"{}\"", s.replace('"', "\"\"")) } else { s.to_owned() };
    let number = |x: f64| if x.is_finite() { format!("{x:?}") } else { String::new() };
    let mut text = "stage,quantity,conditions,coords,value,stderr,n_eff,unit,reference,reference_error,z,warnings\n".to_owned();
    for e in estimates {
        let condition = |v: &serde_json::Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        let conditions: Vec<String> = e.conditions.iter().map(|(k, v)| format!("{k}={}", condition(v))).collect();
        let coords: Vec<String> = e.coords.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
        let warnings: Vec<&str> = e.warnings.iter().map(|w| w.message.as_str()).collect();
        let row = [
            quote(&e.stage),
            quote(&e.quantity),
            quote(&conditions.join(";")),
            quote(&coords.join(";")),
            number(e.value),
            number(e.stderr),
            number(e.n_eff),
            quote(e.unit.as_deref().unwrap_or("")),
            e.reference.as_ref().map_or_else(String::new, |r| number(r.value)),
            e.reference.as_ref().map_or_else(String::new, |r| number(r.error)),
            e.z().map_or_else(String::new, number),
            quote(&warnings.join("; ")),
        ];
        text.push_str(&row.join(","));
        text.push('\n');
    }
    text
}
