//! What a campaign will do: its sweep points, each with its system, and the seed. Nothing is done yet.

use super::config::{self, Campaign, Resolved, StageKind};
use super::inputs::Inputs;
use super::named_system::load_system;
use super::system::System;
use super::units::UnitSystem;
use super::{along, provenance};
use crate::error::{Complaint, Source};
use crate::{Error, Result};
use std::sync::Arc;

/// A campaign with its systems: what will be done, nothing done yet.
pub(super) struct Plan {
    /// The campaign, sweep unexpanded.
    pub(super) campaign: Campaign,
    /// One job a sweep point.
    pub(super) points: Vec<PlannedPoint>,
    /// Seed of all randomness.
    pub(super) seed: u64,
}

/// One sweep point.
pub(super) struct PlannedPoint {
    /// Folder name; "" without a sweep.
    pub(super) label: String,
    /// Swept keys and values.
    pub(super) values: Vec<(String, String)>,
    /// The campaign in numbers.
    pub(super) resolved: Resolved,
    /// What is sampled.
    pub(super) system: Arc<System>,
    pub(super) campaign: Campaign,
    pub(super) config_hash: String,
}

impl Plan {
    /// Reads a campaign and its systems, and gathers every complaint.
    ///
    /// # Errors
    /// `Error::Input` with all that is wrong.
    pub(super) fn new(source: &Source, sets: &[(String, String)], inputs: &Inputs) -> Result<Self> {
        let mut sets = sets.to_vec();
        let mut campaign = Campaign::parse(source, &sets)?;
        let seed = match &campaign.seed {
            Some(seed) => seed.value,
            None => {
                let seed = provenance::fresh_seed();
                sets.push(("campaign.seed".to_owned(), seed.to_string()));
                campaign = Campaign::parse(source, &sets)?;
                seed
            }
        };
        let mut points: Vec<PlannedPoint> = Vec::new();
        let mut complaints: Vec<Complaint> = Vec::new();
        let mut loaded: Vec<(config::System, Arc<System>)> = Vec::new();
        for point in campaign.points() {
            let shared = loaded.iter().find(|(from, _)| *from == point.campaign.system).map(|(_, system)| system.clone());
            let system = match shared {
                Some(s) => s,
                None => {
                    let system = Arc::new(load_system(&point.campaign, inputs)?);
                    loaded.push((point.campaign.system.clone(), system.clone()));
                    system
                }
            };
            let built = point.campaign.resolve(system.units).and_then(|r| {
                inputs.present(&point.campaign, &r)?;
                let along = along::apply(&system, &r, &point.campaign, inputs)?;
                let r = super::check::system_checks(&point.campaign, r, &along)?;
                super::other_runs::compare(&point.campaign, r, &along, inputs).map(|r| (r, along))
            });
            match built {
                Ok((resolved, system)) => {
                    let config_hash = stage_hash(&resolved, &system);
                    points.push(PlannedPoint {
                        label: point.label,
                        values: point.values,
                        resolved,
                        system,
                        campaign: point.campaign,
                        config_hash,
                    });
                }
                Err(Error::Input(list)) => complaints
                    .extend(list.into_iter().filter(|c| !complaints.iter().any(|o| o.to_string() == c.to_string())).collect::<Vec<_>>()),
                Err(other) => return Err(other),
            }
        }
        if !complaints.is_empty() {
            return Err(Error::Input(complaints));
        }
        Ok(Plan { campaign, points, seed })
    }

    /// How bare numbers are read.
    pub(super) fn units(&self) -> UnitSystem {
        self.points.first().map_or(UnitSystem::Reduced, |p| p.system.units)
    }

    /// resolved.toml.
    pub(super) fn text(&self) -> String {
        self.campaign.to_toml(self.units())
    }
}

/// Hash of what the stages' states depend on: everything but lengths, estimates and thresholds.
fn stage_hash(resolved: &Resolved, system: &System) -> String {
    let mut h = blake3::Hasher::new();
    h.update(system.digest.as_bytes());
    for (key, value) in resolved.canonical() {
        let table = key.split('.').next().unwrap_or_default();
        let moves = resolved.stages.iter().any(|s| s.name.value == table && !matches!(s.kind, StageKind::Estimate(_)));
        if (moves || matches!(table, "campaign" | "system" | "path")) && !key.ends_with(".steps") {
            h.update(format!("{key} = {value}\n").as_bytes());
        }
    }
    h.finalize().to_hex().to_string()
}
