//! `list` and `describe`: what there is.

use super::init::{InitSystem, Suggestion, campaign_text};
use super::registry::FORMULAS;
use super::system::System;
use super::units::{Kind, UnitSystem};
use crate::dynamics::PROPAGATORS;
use crate::{Error, Result};
use std::fmt::Write as _;

/// Estimation methods of a campaign: name, what it gives, its keys.
const ESTIMATORS: [(&str, &str, &str); 11] = [
    ("mean", "means with standard errors from independent replicas (from the correlation time when replicas are few)", "from, of"),
    (
        "fes",
        "free-energy profile or surface, histogram or smooth, errors from independent replicas",
        "from, of, bins, range, smooth, bootstraps",
    ),
    ("timeseries", "autocorrelation time, statistical inefficiency, R-hat, effective sample sizes, equilibration", "from, of"),
    (
        "basins",
        "populations, visits and crossings of the declared [basins]; as mean and fes also of a ladder or of metadynamics, by weight",
        "from, basins",
    ),
    (
        "mbar",
        "free energies of all states of an exchange or expanded stage, with their overlap",
        "from or files, unit, bootstraps; of files temperature, discard, no_subsample",
    ),
    ("bar", "free energies between neighbours of a ladder, from both sides", "from or files, unit; of files as mbar"),
    ("exp", "free energies between neighbours of a ladder, from one side", "from or files, unit; of files as mbar"),
    (
        "ti",
        "free energies of a ladder of lambdas from the mean of dU/dlambda: quadrature, spline or trapezoid",
        "from or files, unit, rule; of files as mbar",
    ),
    (
        "work",
        "free energy from switching: Crooks both ways, Jarzynski each way, crossing of Gaussians",
        "from or files (arrays), unit; of arrays temperature",
    ),
    ("log_z", "ln of the integral of exp(-u): of an anneal stage, or of a ladder of lambdas from a normalised base", "from"),
    ("reweight", "means at the target state from the frames of all states of a ladder, by MBAR", "from, of"),
];

const COLUMNS: [(&str, &str); 15] = [
    ("positions", "all positions"),
    ("velocities", "all velocities"),
    ("forces", "all forces"),
    ("energy", "potential energy"),
    ("terms", "the energy of each term"),
    ("energy:TERM", "the energy of one term, in estimates over a stage that stores `terms`"),
    ("kinetic_temperature", "2 K / (k N_f), K from the O step where the propagator has one"),
    ("configurational_temperature", "virial theorem: sum (x - x_cm) . dU/dx / (k N_f); its mean is the temperature of a bound system"),
    ("radius_of_gyration", "mass-weighted"),
    ("dihedral:phi", "phi, psi, omega or chi1, with a residue where there are several (phi:3, phi:A:3)"),
    ("dihedral:A,B,C,D", "four atoms: CA, 12:CA, A:12:CA or #4"),
    ("distance:A,B", "two atoms"),
    ("coordinate:I", "one coordinate, counted from 0"),
    ("coordinate:NAME", "one variable of a system given as a formula"),
    ("observable:NAME", "a formula of [system.observables], in coordinates and collective variables"),
];

/// One list (0 systems, 1 samplers, 2 estimators, 3 columns) or all.
pub fn list(what: Option<usize>) -> String {
    let mut text = String::new();
    let mut section = |k: usize, title: &str, rows: Vec<(String, String)>| {
        if what.is_none_or(|w| w == k) {
            let width = rows.iter().map(|r| r.0.chars().count()).max().unwrap_or(0);
            if what.is_none() {
                let _ = writeln!(text, "{}{title}", if k > 0 { "\n" } else { "" });
            }
            for (name, line) in rows {
                let _ = writeln!(text, "  {name:<width$}  {line}");
            }
        }
    };
    let title = |name: &str| System::load(name, &[]).map_or_else(|e| e.to_string(), |s| s.title);
    section(0, "systems", System::names().into_iter().map(|n| (n.to_owned(), title(n))).collect());
    section(1, "samplers", PROPAGATORS.iter().map(|p| (p.name.to_owned(), format!("{}; {}", p.summary, p.order))).collect());
    section(2, "estimators", ESTIMATORS.iter().map(|(n, l, _)| ((*n).to_owned(), (*l).to_owned())).collect());
    section(3, "columns", COLUMNS.iter().map(|(n, l)| ((*n).to_owned(), (*l).to_owned())).collect());
    text
}

/// All about one system, sampler, estimator or formula.
///
/// # Errors
/// `Error::Input` for an unknown name, with near ones.
pub fn describe(name: &str) -> Result<String> {
    if System::names().contains(&name) || name.contains(['/', '\\']) {
        return System::load(name, &[]).map(|s| system(&s));
    }
    if let Some(p) = PROPAGATORS.iter().find(|p| p.name == name) {
        let mut text = format!("{}: {}\nbias: {}\n", p.name, p.summary, p.order);
        for parameter in p.parameters {
            let _ = writeln!(text, "  {:<18} {}{}", parameter.name, parameter.what, if parameter.required { "" } else { " (optional)" });
        }
        let _ = writeln!(text, "paper: {}", p.paper);
        return Ok(text);
    }
    if let Some((n, what, keys)) = ESTIMATORS.iter().find(|e| e.0 == name) {
        return Ok(format!("{n}: {what}\nkeys: {keys}\n"));
    }
    if let Some(f) = FORMULAS.iter().find(|f| f.name == name) {
        let mut text = format!("{}: {}\n", f.name, f.equation);
        for p in f.parameters {
            let default = p.default.map_or_else(
                || if p.optional { " (optional)".to_owned() } else { " (required)".to_owned() },
                |d| format!(" (default {d})"),
            );
            let _ = writeln!(text, "  {:<18} {}: {}{default}", p.name, p.doc, p.kind.words());
        }
        let _ = writeln!(text, "paper: {}", f.paper);
        return Ok(text);
    }
    let known = System::names()
        .into_iter()
        .chain(PROPAGATORS.iter().map(|p| p.name))
        .chain(ESTIMATORS.iter().map(|e| e.0))
        .chain(FORMULAS.iter().map(|f| f.name));
    let remedy = super::nearest(name, known)
        .map_or_else(|| "see `ergodica list`".to_owned(), |n| format!("did you mean \"{n}\"? See `ergodica list`"));
    Err(Error::input(format!("nothing here is called \"{name}\""), remedy))
}

fn system(s: &System) -> String {
    let mut text = format!("{}: {}\n{}\n", s.name, s.title, s.description.trim());
    let unit = |kind: Kind| Some(s.units.unit(kind)).filter(|u| !u.is_empty()).map_or(String::new(), |u| format!(" {u}"));
    let _ = writeln!(text, "degrees of freedom: {} ({} particles in {} dimensions)", s.dof(), s.particles, s.dimension);
    let _ = writeln!(text, "terms: {}", s.potential.terms().join(", "));
    let symmetries: Vec<String> = s.symmetries.iter().map(|s| format!("{s:?}").to_lowercase()).collect();
    let _ = writeln!(text, "symmetries: {}", if symmetries.is_empty() { "none".to_owned() } else { symmetries.join(", ") });
    if let Some((omega, what)) = &s.omega_max {
        let _ = writeln!(text, "fastest vibration: {omega:.4} rad{} ({what})", unit(Kind::InverseTime));
    }
    if let Some(p) = &s.parameters {
        let _ = writeln!(text, "formula: {}", s.formula);
        for (name, value) in p.iter() {
            let _ = writeln!(text, "  {name} = {value}");
        }
    }
    let d = &s.defaults;
    for (name, value, kind) in [
        ("temperature", d.temperature, Kind::Temperature),
        ("timestep", d.timestep, Kind::Time),
        ("friction", d.friction, Kind::InverseTime),
    ] {
        if let Some(v) = value {
            let _ = writeln!(text, "suggested {name}: {v}{}", unit(kind));
        }
    }
    for r in &s.references {
        let conditions: Vec<String> = r.conditions.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        let _ = writeln!(text, "reference {}: {} ± {} ({}) from {}", r.quantity, r.value, r.error, conditions.join(", "), r.source);
    }
    let _ = writeln!(text, "paper: {}", s.paper);
    text
}

/// The text of a first campaign for a system, with the system's own defaults.
///
/// # Errors
/// `Error::Input` for an unknown system.
pub fn first_campaign(name: &str) -> Result<String> {
    let s = System::load(name, &[])?;
    let named = InitSystem::Name(name.to_owned());
    let mut suggestion = match s.units {
        UnitSystem::Molecular => Suggestion::molecular(named, s.defaults.observables.iter().any(|o| o.starts_with("dihedral:"))),
        UnitSystem::Reduced => Suggestion::reduced(named),
    };
    let text = |value: f64, kind: Kind| {
        Some(s.units.unit(kind)).filter(|u| !u.is_empty()).map_or_else(|| format!("{value}"), |u| format!("{value} {u}"))
    };
    if let Some(t) = s.defaults.temperature {
        suggestion.temperature = text(t, Kind::Temperature);
    }
    if let Some(dt) = s.defaults.timestep {
        suggestion.timestep = if s.units == UnitSystem::Molecular { format!("{} fs", dt * 1e3) } else { format!("{dt}") };
    }
    if let Some(gamma) = s.defaults.friction {
        suggestion.friction = if s.units == UnitSystem::Molecular { format!("{gamma} /ps") } else { format!("{gamma}") };
    }
    if s.units == UnitSystem::Reduced && !s.defaults.observables.is_empty() {
        suggestion.columns = s.defaults.observables.clone();
        suggestion.means = s
            .defaults
            .observables
            .iter()
            .filter(|c| !matches!(c.as_str(), "positions" | "velocities" | "forces" | "terms"))
            .cloned()
            .collect();
    }
    Ok(campaign_text(name, &suggestion))
}
