//! `estimate`: free energies from files of other programs and from arrays.
//!
//! ```text
//! files -> io::alchemical (Leg | Arrays) -> choose: discard, subsample -> one Answer a method -> Analysis: table, JSON, CSV, figures
//! ```

mod answer;
mod arrays;
mod beside;
mod choose;
mod convergence;
#[cfg(feature = "report")]
mod figures;
mod integrate;
mod methods;
mod multistate;
mod neighbours;
mod output;
mod pulling;
mod request;
mod sum;
mod table;
mod trouble;
mod windows;
mod work;

pub use crate::estimate::TiRule;
pub use crate::io::alchemical::{Asked, natural_order};
pub use answer::{Answer, LegAnalysis, Point, WindowRow};
pub use beside::Redrawn;
pub(super) use beside::block_of;
pub use convergence::Convergence;
pub use output::write;
pub use pulling::Profile;
pub use request::{Bootstrap, Discard, FEWEST, Method, Request, Unit};
pub use sum::Sum;

use crate::estimate::{Estimate, Warning, WarningKind};
use crate::io::alchemical::{self, Leg};
use crate::{Error, Result};
use answer::delta_estimates;
use std::path::PathBuf;

/// What came out.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// What was asked.
    pub method: Method,
    /// Unit of all free energies here.
    pub unit: Unit,
    /// Whether samples were thinned.
    pub subsample: bool,
    /// One for each leg.
    pub legs: Vec<LegAnalysis>,
    /// Sums over the legs, one a method that every leg has; empty with one leg.
    pub sums: Vec<Sum>,
    /// Methods that the data do not carry, with the reason: exit code 3.
    pub failed: Vec<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// Reads, estimates, sums.
///
/// Errors: `Error::Input` (2) for options that the method has no use for, for files that cannot be read or do not hold what the method needs, `Error::Diagnostics` (3) when the one
/// method asked for has no answer, as without overlap. With [`Method::All`] the methods that fail stand in `failed`.
pub fn estimate(request: &Request) -> Result<Analysis> {
    request.check()?;
    let mut out = Analysis::new(request);
    for (name, files) in &request.legs {
        if files.is_empty() {
            let which = name.as_ref().map_or(String::new(), |n| format!(" of leg {n}"));
            return Err(Error::input(format!("no files{which}"), "name the files to analyse"));
        }
        let leg = match files.iter().filter(|f| alchemical::is_array(f)).count() {
            0 => from_files(request, files, &mut out)?,
            n if n == files.len() => arrays::analyse(request, files, &mut out)?,
            _ => return Err(Error::input("array files together with output of a program", "analyse them one after the other")),
        };
        let leg = finite(leg, &mut out)?;
        out.legs.push(LegAnalysis { name: name.clone(), ..leg });
    }
    same_temperature(&out.legs)?;
    let factor = scale(request, &out.legs)?;
    out.legs.iter_mut().for_each(|l| l.scale(factor));
    out.sums = sum::sums(&out.legs);
    Ok(out)
}

fn from_files(request: &Request, files: &[PathBuf], out: &mut Analysis) -> Result<LegAnalysis> {
    let leg = Leg::asked(alchemical::read(files)?, request.temperature, request.asked)?;
    let source = format!("{}, {} file{}", leg.program, files.len(), if files.len() == 1 { "" } else { "s" });
    let chosen = choose::choose(&leg, request)?;
    Ok(LegAnalysis { source, ..methods::analyse(request, &leg, &chosen, out)? })
}

/// The same for samples that are in memory already: `request` names no files. Free energies are in kT whatever its unit is.
///
/// Errors: as [`estimate`].
pub fn estimate_leg(request: &Request, leg: &Leg) -> Result<Analysis> {
    let mut out = Analysis::new(request);
    let chosen = choose::choose(leg, request)?;
    let analysis = finite(methods::analyse(request, leg, &chosen, &mut out)?, &mut out)?;
    out.unit = Unit::Kt;
    out.legs.push(LegAnalysis { source: leg.program.to_string(), ..analysis });
    Ok(out)
}

/// Leaves answers out that are no numbers: energies of damaged files can be so large that their sums are none.
fn finite(mut leg: LegAnalysis, out: &mut Analysis) -> Result<LegAnalysis> {
    // an error that is none has its reason in a warning of the estimator, or none; what parts of the data say is no such reason
    let reason = |w: &Warning| !matches!(w.kind, WarningKind::Drift | WarningKind::ErrorsDisagree);
    let known = |a: &Answer| a.f.iter().all(|f| f.is_finite()) && (a.total().1.is_finite() || a.warnings.iter().any(reason));
    let (sound, lost): (Vec<Answer>, Vec<Answer>) = leg.answers.into_iter().partition(known);
    leg.answers = sound;
    leg.convergence.retain(|c| leg.answers.iter().any(|a| a.key == c.key));
    for answer in &lost {
        out.failed.push(format!("no {}: the energies or gradients are too large for their sums; look for damaged values", answer.label));
    }
    match lost.first() {
        Some(answer) if leg.answers.is_empty() => Err(Error::Diagnostics {
            what: format!("{}: the energies or gradients are too large for their sums", answer.label),
            remedy: "look for damaged values in the files".into(),
        }),
        _ => Ok(leg),
    }
}

fn same_temperature(legs: &[LegAnalysis]) -> Result<()> {
    let known: Vec<(f64, String)> = legs.iter().filter_map(|l| Some((l.temperature?, l.name.clone().unwrap_or_default()))).collect();
    match known.iter().find(|(t, _)| (t - known[0].0).abs() > 0.01) {
        Some((t, name)) => {
            let what = format!("leg {} is at {} K and leg {name} at {t} K", known[0].1, known[0].0);
            Err(Error::input(what, "free energies at different temperatures do not add up"))
        }
        None => Ok(()),
    }
}

fn scale(request: &Request, legs: &[LegAnalysis]) -> Result<f64> {
    let temperature = legs.iter().find_map(|l| l.temperature).or(request.temperature);
    request.unit.per_kt(temperature).ok_or_else(|| {
        Error::input(
            format!("{} {} needs a temperature, which arrays do not have", request.asked.name("unit"), request.unit.name()),
            format!("say it: {}", request.asked.set("temperature", "300 K")),
        )
    })
}

impl Analysis {
    fn new(request: &Request) -> Self {
        Analysis {
            method: request.method,
            unit: request.unit,
            subsample: request.subsample,
            legs: Vec::new(),
            sums: Vec::new(),
            failed: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Estimates in the schema of `summary.json`.
    pub fn estimates(&self) -> Vec<Estimate> {
        let mut all = Vec::new();
        for leg in &self.legs {
            for answer in &leg.answers {
                all.extend(delta_estimates(leg, answer, self.unit));
            }
            all.extend(leg.profile_estimates(self.unit));
            all.extend(leg.window_estimates());
        }
        for sum in &self.sums {
            let mut e = Estimate::new("delta_f", sum.value, sum.stderr, sum.n_eff);
            e.stage = format!("sum/{}", sum.key);
            e.unit = Some(self.unit.name().to_owned());
            e.conditions.insert("method".into(), sum.key.clone().into());
            let names: Vec<&str> = self.legs.iter().filter_map(|l| l.name.as_deref()).collect();
            e.conditions.insert("legs".into(), names.join(" + ").into());
            e.conditions.insert("label".into(), sum.label.clone().into());
            all.push(e);
        }
        all
    }

    /// Exit code: 3 when a method had no answer.
    pub fn exit_code(&self) -> u8 {
        if self.failed.is_empty() { 0 } else { 3 }
    }

    /// `summary.json`'s text.
    pub fn json(&self) -> String {
        let status = if self.failed.is_empty() { "done" } else { "failed" };
        let warnings: Vec<&String> = self.failed.iter().chain(&self.warnings).collect();
        let value = serde_json::json!({
            "schema": crate::estimate::summary::SCHEMA,
            "status": status,
            "method": self.method.name(),
            "version": env!("CARGO_PKG_VERSION"),
            "sign": SIGN,
            "estimates": self.estimates(),
            "performance": {},
            "warnings": warnings,
        });
        serde_json::to_string_pretty(&value).unwrap_or_default()
    }
}

/// The sign convention, printed with every answer.
pub const SIGN: &str = "delta_f = F(final) - F(initial): negative where the final state is the more probable one";

/// A doubt without a number.
fn doubt(message: impl Into<String>) -> Warning {
    Warning::new(WarningKind::NoError, message)
}
