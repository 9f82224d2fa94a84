//! A start from another run: what was sampled there against what is sampled here.

use super::config::{Campaign, Ladder, Resolved, StageKind, Start};
use super::inputs::Inputs;
use super::system::System;
use super::units::{Kind, UnitSystem, number_text};
use crate::error::{Complaint, Source};
use crate::io::reader::Run;
use crate::{Error, Result};
use std::path::Path;

/// Adds a warning for every stage that starts from a run at another temperature or of another system.
///
/// A run that cannot be read, now or any more, is passed over: the stage itself says so when it starts.
///
/// # Errors
/// `Error::Input` when the atoms of the other run are other atoms.
pub(super) fn compare(campaign: &Campaign, mut resolved: Resolved, system: &System, inputs: &Inputs) -> Result<Resolved> {
    let (mut warnings, mut complaints) = (Vec::new(), Vec::new());
    for stage in &resolved.stages {
        let Some(Start::Run { dir, stage: name, .. }) = stage.kind.start() else { continue };
        let Some(other) = Other::read(&inputs.relative(&dir.value), &name.value, resolved.units) else { continue };
        let from = format!("stage `{}` starts from stage `{}` of {}", stage.name.value, name.value, dir.value);
        let say = |list: &mut Vec<Complaint>, what: String, remedy: &str| list.push(campaign.complaint(&dir.span, what, remedy));
        if let Some((atom, there, here)) =
            other.topology.as_deref().zip(topology(system).as_deref()).and_then(|(a, b)| first_difference(a, b))
        {
            let what = format!("{from}, whose atoms are others: atom {atom} is {there} there and {here} here");
            say(&mut complaints, what, "give a run of the same atoms in the same order");
            continue;
        }
        if let Some((key, there, here)) = other.system_differs(&resolved) {
            let what = format!("{from}, a run of another system: {key} is {there} there and {here} here");
            say(&mut warnings, what, "if that is meant, discard what it takes to equilibrate");
        }
        if let Some((there, here)) = other.temperatures.zip(temperatures(&stage.kind, resolved.units)).filter(|(a, b)| differ(*a, *b)) {
            let shown = |t| shown(t, resolved.units);
            let what = format!("{from}, which sampled at {}, and samples at {}", shown(there), shown(here));
            say(&mut warnings, what, "discard what it takes to equilibrate, or start from a run at the same temperature");
        }
    }
    resolved.warnings.extend(warnings);
    if complaints.is_empty() { Ok(resolved) } else { Err(Error::Input(complaints)) }
}

/// A stage of another run.
struct Other {
    resolved: Resolved,
    temperatures: Option<(f64, f64)>,
    topology: Option<String>,
}

impl Other {
    fn read(dir: &Path, stage: &str, units: UnitSystem) -> Option<Other> {
        let run = Run::open(dir).ok()?;
        let source = run.stage(stage).ok()?;
        let text = std::fs::read_to_string(dir.join("resolved.toml")).ok()?;
        let campaign = Campaign::parse(&Source::new("resolved.toml", text), &[]).ok()?;
        let label = source.point.as_deref().unwrap_or_default();
        let point = campaign.points().into_iter().find(|p| p.label == label)?;
        // which units it has is in its system, which may be gone; those of this campaign fit, or none can be compared
        let resolved = point.campaign.resolve(units).ok()?;
        let kind = &resolved.stages.iter().find(|s| s.name.value == source.header.stage)?.kind;
        Some(Other { temperatures: temperatures(kind, units), topology: source.header.topology_json.clone(), resolved })
    }

    /// The first key of the system that differs, with both values.
    fn system_differs(&self, here: &Resolved) -> Option<(String, String, String)> {
        let (there, here) = (self.resolved.canonical(), here.canonical());
        // where a system begins and what is known or observed of it moves nothing
        let moves = |key: &str| {
            key.starts_with("system.") && !["references.", "observables.", "start"].iter().any(|k| key["system.".len()..].starts_with(k))
        };
        let key = there.keys().chain(here.keys()).find(|key| moves(key) && there.get(*key) != here.get(*key))?;
        let value = |of: &std::collections::BTreeMap<String, String>| of.get(key).map_or("not set".to_owned(), |v| format!("\"{v}\""));
        Some((key.clone(), value(&there), value(&here)))
    }
}

/// Lowest and highest temperature of a stage's replicas; none for one that has no temperature.
fn temperatures(kind: &StageKind, units: UnitSystem) -> Option<(f64, f64)> {
    let several = match kind {
        StageKind::Anneal(a) => a.along.temperatures(),
        kind => kind.ladder().and_then(|l| if let Ladder::Temperatures(t) = l { Some(t) } else { None }),
    };
    if let Some(ladder) = several {
        let all = ladder.values(true);
        return Some(all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), t| (low.min(*t), high.max(*t))));
    }
    let thermal = match kind {
        StageKind::Anneal(a) => &a.thermal,
        kind => &kind.chain()?.thermal,
    };
    let t = thermal.value.temperature(units);
    Some((t, t))
}

fn differ(a: (f64, f64), b: (f64, f64)) -> bool {
    let off = |x: f64, y: f64| (x - y).abs() > 1e-6 * x.abs().max(y.abs());
    off(a.0, b.0) || off(a.1, b.1)
}

fn shown((low, high): (f64, f64), units: UnitSystem) -> String {
    let one = |t: f64| format!("{} {}", number_text(t), units.unit(Kind::Temperature)).trim_end().to_owned();
    if low == high { one(low) } else { format!("{} to {}", one(low), one(high)) }
}

fn topology(system: &System) -> Option<String> {
    system.topology.as_ref().map(crate::io::topology::Topology::to_mdtraj_json)
}

/// The first atom, from 0, that two topologies have differently, in words.
fn first_difference(there: &str, here: &str) -> Option<(usize, String, String)> {
    let (there, here) = (atoms(there), atoms(here));
    let at = (0..there.len().max(here.len())).find(|&k| there.get(k) != here.get(k))?;
    let word = |list: &[String]| list.get(at).cloned().unwrap_or("none".to_owned());
    Some((at, word(&there), word(&here)))
}

/// Atoms of mdtraj's JSON as "CA of ALA 2".
fn atoms(json: &str) -> Vec<String> {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let list = |v: &serde_json::Value, key: &str| v[key].as_array().cloned().unwrap_or_default();
    let mut all = Vec::new();
    for residue in list(&value, "chains").iter().flat_map(|c| list(c, "residues")) {
        for atom in list(&residue, "atoms") {
            let text = |v: &serde_json::Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
            all.push(format!("{} of {} {}", text(&atom["name"]), text(&residue["name"]), text(&residue["resSeq"])));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn atoms_are_compared_one_by_one() {
        let of = |names: [&str; 2]| {
            let atoms: Vec<_> = names.iter().map(|n| serde_json::json!({ "name": n })).collect();
            serde_json::json!({ "chains": [{ "residues": [{ "name": "ALA", "resSeq": 2, "atoms": atoms }] }] }).to_string()
        };
        assert_eq!(first_difference(&of(["N", "CA"]), &of(["N", "CA"])), None);
        let found = first_difference(&of(["N", "CA"]), &of(["N", "CB"]));
        assert_eq!(found, Some((1, "CA of ALA 2".to_owned(), "CB of ALA 2".to_owned())));
    }
}
