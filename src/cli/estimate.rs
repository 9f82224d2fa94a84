//! `ergodica estimate`: from arguments to a request, from the analysis to the screen.

use super::verbs::print;
use super::{Estimate, Rule};
use ergodica::campaign::estimate_files::{self, Asked, Bootstrap, Discard, Request, TiRule, Unit};
use ergodica::campaign::units::{Kind, Quantity, UnitSystem};
use ergodica::{Error, Result};
use std::path::PathBuf;

/// Does what was asked; the exit code.
pub(super) fn act(a: &Estimate) -> Result<u8> {
    let analysis = estimate_files::estimate(&request(a)?)?;
    let written = a.out.as_ref().map(|dir| estimate_files::write(&analysis, dir)).transpose()?;
    print(&if a.json { analysis.json() } else { analysis.to_string() });
    if let (Some(dir), Some(files), false) = (&a.out, written, a.json) {
        print(&format!("{} files in {}", files.len(), dir.display()));
    }
    Ok(analysis.exit_code())
}

fn request(a: &Estimate) -> Result<Request> {
    let mut legs = Vec::new();
    for leg in &a.legs {
        let Some((name, pattern)) = leg.split_once('=').filter(|(n, p)| !n.trim().is_empty() && !p.is_empty()) else {
            return Err(Error::input(
                format!("--leg {leg} is no name with files"),
                "write --leg NAME=PATTERN, for example --leg 'vdw=VDW/*/dhdl.xvg'",
            ));
        };
        if legs.iter().any(|(n, _)| n == &Some(name.trim().to_owned())) {
            return Err(Error::input(
                format!("two legs are called {}", name.trim()),
                "give each leg a name of its own, and all its files in one pattern",
            ));
        }
        legs.push((Some(name.trim().to_owned()), expand(pattern)?));
    }
    if legs.is_empty() {
        let files: Vec<Vec<PathBuf>> = a.files.iter().map(|f| expand(f)).collect::<Result<_>>()?;
        legs.push((None, files.concat()));
    }
    Ok(Request {
        method: a.method,
        legs,
        discard: a.discard.as_deref().map(discard).transpose()?.unwrap_or_default(),
        asked: Asked::CommandLine,
        subsample: !a.no_subsample,
        unit: Unit::of(&a.unit)
            .ok_or_else(|| Error::input(format!("--unit {} is no unit of free energies here", a.unit), "write kT, kJ/mol or kcal/mol"))?,
        temperature: a.temperature.as_deref().map(temperature).transpose()?,
        rule: a.rule.map(|rule| match rule {
            Rule::Trapezoid => TiRule::Trapezoid,
            Rule::Cubic => TiRule::NaturalCubic,
            Rule::GaussLegendre => TiRule::GaussLegendre,
        }),
        bootstrap: a.bootstrap.map(|replicates| Bootstrap { replicates, seed: a.seed }),
        entropy: a.entropy,
        bins: a.bins,
        range: a.range.as_deref().map(range).transpose()?,
        convergence: a.out.is_some(),
    })
}

/// A file, or the files that a pattern fits, in the order of their names.
fn expand(pattern: &str) -> Result<Vec<PathBuf>> {
    let plain = PathBuf::from(pattern);
    if plain.exists() || !pattern.contains(['*', '?', '[']) {
        return Ok(vec![plain]);
    }
    let found = glob::glob(pattern).map_err(|e| Error::input(format!("{pattern}: {e}"), "patterns have * ? [..] and **"))?;
    let mut files: Vec<PathBuf> = found.filter_map(std::result::Result::ok).filter(|p| p.is_file()).collect();
    if files.is_empty() {
        return Err(Error::input(format!("no file fits {pattern}"), "check the path; a pattern is relative to the current folder"));
    }
    files.sort_by(|a, b| estimate_files::natural_order(&a.to_string_lossy(), &b.to_string_lossy()));
    Ok(files)
}

/// "1ns", "500 ps", "200 samples".
fn discard(text: &str) -> Result<Discard> {
    Discard::parse(text)
        .ok_or_else(|| Error::input(format!("--discard {text} is neither a time nor a number of samples"), Discard::WRITTEN))
}

/// "-1:2.5".
fn range(text: &str) -> Result<(f64, f64)> {
    let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    let ends = text.split_once(':').and_then(|(low, high)| Some((number(low)?, number(high)?))).filter(|(low, high)| low < high);
    ends.ok_or_else(|| {
        Error::input(
            format!("--range {text} does not run from a lower to a higher number"),
            "write two numbers, the lower first: --range 0:2.5",
        )
    })
}

/// "300 K" or 300.
fn temperature(text: &str) -> Result<f64> {
    let bare = text.trim().parse::<f64>().ok();
    let written = || Quantity::parse(text).ok()?.resolve("temperature", Kind::Temperature, UnitSystem::Molecular).ok();
    let kelvin = bare.or_else(written).filter(|t| *t > 0.0 && t.is_finite());
    kelvin.ok_or_else(|| Error::input(format!("--temperature {text} is no positive temperature"), "write --temperature \"300 K\""))
}
