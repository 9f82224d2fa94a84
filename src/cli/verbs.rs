//! What each verb does with its arguments.

use super::{Check, Compare, Doctor, Evaluate, Export, Extend, Format, How, Init, Report, Resume, Run, Status, Verb};
use clap::CommandFactory;
use ergodica::campaign::progress::{Show, span};
use ergodica::campaign::run::{Existing, Lengthen, Options};
use ergodica::campaign::signals::Stop;
use ergodica::campaign::{Outcome, Summary, Verdict, catalogue, check, compare, doctor, evaluate, export, ranking, reader, run, status};
use ergodica::{Error, Result};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// Does what was asked; the exit code.
pub(crate) fn act(verb: Verb) -> Result<u8> {
    ergodica::campaign::isa::path()?;
    match verb {
        Verb::Init(a) => init(&a),
        Verb::List(a) => {
            print(&catalogue::list(a.what.map(|w| w as usize)));
            Ok(0)
        }
        Verb::Describe(a) => {
            print(&catalogue::describe(&a.name)?);
            Ok(0)
        }
        Verb::Check(a) => check_campaign(&a),
        Verb::Run(a) => run_campaign(&a),
        Verb::Resume(a) => resume(&a),
        Verb::Extend(a) => extend(&a),
        Verb::Status(a) => show_status(&a),
        Verb::Evaluate(a) => evaluate_system(&a),
        Verb::Estimate(a) => super::estimate::act(&a),
        Verb::Report(a) => report(&a),
        Verb::Compare(a) => compare_runs(&a),
        Verb::Export(a) => export_run(&a),
        Verb::Doctor(a) => diagnose(&a),
        Verb::Schema => {
            print(&ergodica::campaign::schema::json());
            Ok(0)
        }
        Verb::Completions(a) => {
            clap_complete::generate(a.shell, &mut super::Cli::command(), "ergodica", &mut std::io::stdout());
            Ok(0)
        }
        Verb::Man => {
            let page = clap_mangen::Man::new(super::Cli::command());
            page.render(&mut std::io::stdout()).map_err(|e| Error::io("standard output", "writing", &e))?;
            Ok(0)
        }
    }
}

/// An error for people: the place underlined on a terminal.
pub(crate) fn render(error: &Error) -> String {
    use std::io::IsTerminal;
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    ergodica::campaign::render::render(error, color)
}

/// Prints; a closed pipe (`| head`) is no error.
pub(super) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
}

/// `key=value` pairs of --set.
fn sets(list: &[String]) -> Result<Vec<(String, String)>> {
    list.iter()
        .map(|s| match s.split_once('=') {
            Some((k, v)) if !k.trim().is_empty() => Ok((k.trim().to_owned(), v.trim().to_owned())),
            _ => Err(Error::input(format!("--set {s}"), "write --set KEY=VALUE, for example --set production.steps=1000")),
        })
        .collect()
}

fn options(how: &How) -> Result<Options> {
    if how.threads == Some(0) {
        return Err(Error::input("-j 0", "ask for at least one thread, or leave -j out for all cores"));
    }
    let until = how.until.as_ref().map(|t| duration(t)).transpose()?;
    let show = if how.quiet { Show::Nothing } else { Show::Auto };
    Ok(Options { threads: how.threads, until, report: !how.no_report, show, stop: Stop::on_signals()? })
}

/// "90s", "30min", "2h".
fn duration(text: &str) -> Result<Duration> {
    use ergodica::campaign::units::{Kind, Quantity, UnitSystem};
    let wrong = || Error::input(format!("--until {text}"), "write a time with a unit: 90s, 30min, 2h");
    let quantity = Quantity::parse(text).map_err(|_| wrong())?;
    let seconds = quantity.resolve("until", Kind::WallClock, UnitSystem::Molecular).map_err(|_| wrong())?;
    if seconds.is_finite() && seconds > 0.0 { Ok(Duration::from_secs_f64(seconds)) } else { Err(wrong()) }
}

fn init(a: &Init) -> Result<u8> {
    let text = catalogue::first_campaign(&a.system)?;
    if a.file.as_os_str() == "-" {
        print(&text);
        return Ok(0);
    }
    if a.file.exists() && !a.overwrite {
        return Err(Error::input(format!("{} exists", a.file.display()), "name another file, or replace it with --overwrite"));
    }
    std::fs::write(&a.file, text).map_err(|e| Error::io(&a.file, "writing the campaign", &e))?;
    print(&format!("{} written; next: ergodica check {0} && ergodica run {0}", a.file.display()));
    Ok(0)
}

fn check_campaign(a: &Check) -> Result<u8> {
    print(&check::check(&a.file, &sets(&a.sets)?, a.threads)?);
    Ok(0)
}

fn run_campaign(a: &Run) -> Result<u8> {
    let existing = match (a.resume, a.overwrite) {
        (true, _) => Existing::Resume,
        (_, true) => Existing::Overwrite,
        _ => Existing::Refuse,
    };
    let (dir, summary) = run::run(&a.file, a.out.as_deref(), &sets(&a.sets)?, existing, &options(&a.how)?)?;
    Ok(conclude(&dir, &summary))
}

fn resume(a: &Resume) -> Result<u8> {
    let (dir, summary) = run::resume(&a.dir, &options(&a.how)?)?;
    Ok(conclude(&dir, &summary))
}

fn extend(a: &Extend) -> Result<u8> {
    let lengthen = match (a.to, a.by) {
        (Some(n), _) => Lengthen::To(n),
        (None, Some(n)) => Lengthen::By(n),
        (None, None) => return Err(Error::input("extend without a length", "say --to STEPS or --by STEPS")),
    };
    let (dir, summary) = run::extend(&a.dir, &a.stage, lengthen, &options(&a.how)?)?;
    Ok(conclude(&dir, &summary))
}

/// Checks that are shown on the console.
const SHOWN: usize = 8;

/// Prints what came out; 3 when the diagnostics failed.
fn conclude(dir: &Path, summary: &Summary) -> u8 {
    let mut text = table(summary);
    let p = &summary.performance;
    // files alone are read without a step
    let rate = if p.replica_steps_per_cpu_s > 0.0 {
        format!("{:.3e} replica steps per CPU second, ", p.replica_steps_per_cpu_s)
    } else {
        String::new()
    };
    text.push_str(&format!("\n{rate}{} of CPU time, {} threads, {}\n", span(p.cpu_s), p.threads, p.isa));
    for note in &summary.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let mut missed: Vec<_> = summary.verdict.checks.iter().filter(|c| c.outcome != Outcome::Pass).collect();
    missed.sort_by_key(|c| std::cmp::Reverse(c.outcome));
    for check in missed.iter().take(SHOWN) {
        text.push_str(&format!("{}: {}\n", if check.outcome == Outcome::Fail { "FAILED" } else { "warning" }, check.message));
    }
    if missed.len() > SHOWN {
        text.push_str(&format!("and {} more, all in the report and in summary.json\n", missed.len() - SHOWN));
    }
    text.push_str(&format!("{}\n", verdict(&summary.verdict)));
    let report = dir.join("report.html");
    text.push_str(&format!(
        "results: {}{}\n",
        dir.join("summary.json").display(),
        if report.exists() { format!(", {}", report.display()) } else { String::new() }
    ));
    print(&text);
    if summary.verdict.outcome == Outcome::Fail { 3 } else { 0 }
}

fn verdict(v: &Verdict) -> String {
    let count = |o: Outcome| v.checks.iter().filter(|c| c.outcome == o).count();
    match v.outcome {
        Outcome::Pass => format!("verdict: converged ({} checks passed)", v.checks.len()),
        Outcome::Warn => {
            format!("verdict: usable, with warnings: {} of {} checks missed their bound", count(Outcome::Warn), v.checks.len())
        }
        Outcome::Fail if v.checks.is_empty() => "verdict: nothing to judge: no scalar column was observed".to_owned(),
        Outcome::Fail => format!("verdict: NOT CONVERGED, {} of {} checks failed", count(Outcome::Fail), v.checks.len()),
    }
}

/// Estimates that are single numbers; arrays stand in the files.
fn table(summary: &Summary) -> String {
    let mut rows = vec![["stage", "quantity", "value", "stderr", "unit", "n_eff", "reference", "z"].map(str::to_owned)];
    for e in summary.estimates.iter().filter(|e| e.coords.is_empty()) {
        let number = |x: f64| if x.is_finite() { format!("{x:.6}") } else { "-".to_owned() };
        let point: Vec<String> =
            e.conditions.iter().filter(|(k, _)| k.contains('.')).map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or(""))).collect();
        rows.push([
            if point.is_empty() { e.stage.clone() } else { format!("{} {}", e.stage, point.join(",")) },
            e.quantity.clone(),
            number(e.value),
            number(e.stderr),
            e.unit.clone().unwrap_or_default(),
            if e.n_eff.is_finite() { format!("{:.0}", e.n_eff) } else { "-".to_owned() },
            e.reference.as_ref().map_or_else(String::new, ToString::to_string),
            e.z().map_or_else(String::new, |z| format!("{z:+.1}")),
        ]);
    }
    let mut widths = [0; 8];
    for row in &rows {
        for (w, cell) in widths.iter_mut().zip(row) {
            *w = (*w).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .enumerate()
            .map(|(k, (cell, w))| if matches!(k, 2 | 3 | 5 | 7) { format!("{cell:>w$}") } else { format!("{cell:<w$}") })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    // A number with a doubt is not shown without it.
    for e in summary.estimates.iter().filter(|e| e.coords.is_empty()) {
        for doubt in &e.warnings {
            text.push_str(&format!("doubt: {} {}: {}\n", e.stage, e.quantity, doubt.message));
        }
    }
    text
}

fn show_status(a: &Status) -> Result<u8> {
    let s = status::status(&a.dir)?;
    if a.json {
        print(&serde_json::to_string_pretty(&s).map_err(|e| Error::run(e.to_string(), "report this as a bug"))?);
    } else {
        print(&s.to_string());
    }
    Ok(0)
}

fn evaluate_system(a: &Evaluate) -> Result<u8> {
    let evaluated = evaluate::evaluate(&a.system, a.coordinates.as_deref(), &sets(&a.sets)?, &a.configs)?;
    print(&if a.json { evaluated.json() } else { evaluated.table() });
    Ok(0)
}

#[cfg(feature = "report")]
fn report(a: &Report) -> Result<u8> {
    let (dir, summary) = run::analyse(&a.dir)?;
    Ok(conclude(&dir, &summary))
}

#[cfg(not(feature = "report"))]
fn report(_: &Report) -> Result<u8> {
    Err(Error::input("this build makes no reports", "build it with the feature `report` (on by default)"))
}

fn compare_runs(a: &Compare) -> Result<u8> {
    if a.exact && a.runs.len() < 2 {
        return Err(Error::input("one run has nothing to be compared with", "name another"));
    }
    if a.exact {
        let mut equal = true;
        for other in &a.runs[1..] {
            match compare::exact(&a.runs[0], other)? {
                None => print(&format!("{} and {} are equal to the bit", a.runs[0].display(), other.display())),
                Some(difference) => {
                    equal = false;
                    print(&format!("{} and {} differ: {difference}", a.runs[0].display(), other.display()));
                }
            }
        }
        return Ok(u8::from(!equal));
    }
    if let Some(quantity) = &a.quantity {
        let ranking = ranking::ranking(&a.runs, quantity)?;
        print(&if a.json { ranking.json() } else { ranking.to_string() });
        return Ok(0);
    }
    if a.runs.len() < 2 {
        return Err(Error::input("one run has nothing to be compared with", "name another, or --quantity for the stages of one run"));
    }
    let table = compare::table(&a.runs)?;
    print(&if a.json { table.json() } else { table.to_string() });
    Ok(0)
}

fn export_run(a: &Export) -> Result<u8> {
    let run = reader::Run::open(&a.dir)?;
    let format = match a.format {
        Format::H5md => export::Format::H5md,
        Format::Mdtraj => export::Format::Mdtraj,
        Format::Arviz => export::Format::Arviz,
        Format::Csv => export::Format::Csv,
    };
    if a.out.is_some() && !a.merge && matches!(a.format, Format::H5md) {
        return Err(Error::input(
            "--out with --format h5md: the virtual files link to the segments and stay in the run directory",
            "add --merge for self-contained files",
        ));
    }
    let out = a.out.clone().unwrap_or_else(|| a.dir.join("export"));
    for file in export::export(&run, format, a.merge, &out)? {
        print(&file.display().to_string());
    }
    Ok(0)
}

fn diagnose(a: &Doctor) -> Result<u8> {
    let (text, well) = doctor::doctor(&a.dir);
    print(&text);
    Ok(u8::from(!well))
}
