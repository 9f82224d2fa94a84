//! One sweep point of a plan at work: its folder, and what every file and estimate of its stages carries.

use super::config::{self, Campaign, EnergyUnit, Placed, Resolved, Sample, Stage, SystemFrom};
use super::named_system::locate;
use super::plan::Plan;
use super::provenance;
use super::system::System;
use super::units::{Kind as Quantity, UnitSystem};
use crate::Error;
use crate::estimate::{Estimate, Reference};
use crate::io::sink::Header;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Plan {
    /// The jobs in a run directory.
    pub(super) fn jobs<'a>(&'a self, dir: &Path) -> Vec<Job<'a>> {
        let provenance = Arc::new(provenance::of(self));
        self.points
            .iter()
            .map(|p| Job {
                dir: if p.label.is_empty() { dir.to_owned() } else { dir.join("sweep").join(&p.label) },
                point: p.values.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(";"),
                folder: if p.label.is_empty() { String::new() } else { format!("sweep/{}/", p.label) },
                values: &p.values,
                seed: p.resolved.seed.unwrap_or(self.seed),
                resolved: &p.resolved,
                system: &p.system,
                campaign: &p.campaign,
                config_hash: p.config_hash.clone(),
                provenance: provenance.clone(),
            })
            .collect()
    }
}

/// One sweep point at work.
pub(super) struct Job<'a> {
    pub(super) dir: PathBuf,
    /// The swept values as text: part of every key of random numbers.
    pub(super) point: String,
    folder: String,
    values: &'a [(String, String)],
    pub(super) seed: u64,
    pub(super) resolved: &'a Resolved,
    pub(super) system: &'a System,
    campaign: &'a Campaign,
    pub(super) config_hash: String,
    provenance: Arc<Vec<(String, String)>>,
}

impl Job<'_> {
    /// For progress: "production", "production (timestep=2 fs)".
    pub(super) fn label(&self, stage: &Stage) -> String {
        if self.point.is_empty() { stage.name.value.clone() } else { format!("{} ({})", stage.name.value, self.point) }
    }

    /// Folder of a stage within the run directory.
    pub(super) fn folder(&self, stage: &Stage) -> String {
        format!("{}{}", self.folder, stage.name.value)
    }

    /// An error about a value of the campaign points at it.
    pub(super) fn at(&self, error: Error, span: Range<usize>) -> Error {
        locate(error, self.campaign, span)
    }

    /// Is the system at lambda = 1 under the restraint of an umbrella path?
    pub(super) fn restrained(&self) -> bool {
        matches!(self.resolved.path.as_deref(), Some(config::Path::Umbrella { .. }))
    }

    pub(super) fn time_unit(&self) -> Option<&'static str> {
        Some(self.resolved.units.unit(Quantity::Time)).filter(|u| !u.is_empty())
    }

    pub(super) fn energy_unit(&self) -> Option<&'static str> {
        Some(self.resolved.units.unit(Quantity::Energy)).filter(|u| !u.is_empty())
    }

    /// Header of a stage's files, columns still to be filled in.
    pub(super) fn header(&self, stage: &Stage) -> Header {
        // A Metropolised sampler counts proposals: its steps are no time.
        let chain = stage.kind.chain();
        let (replicas, timed) = chain.map_or((0, false), |s| (s.replicas.value as usize, !s.propagator.value.metropolised()));
        Header {
            stage: stage.name.value.clone(),
            replicas,
            particles: self.system.atoms(),
            dimension: self.system.dimension,
            columns: Vec::new(),
            time_unit: self.time_unit().filter(|_| timed).map(str::to_owned),
            topology_json: self.system.topology.as_ref().map(|t| t.to_mdtraj_json()),
            provenance: self.provenance.to_vec(),
        }
    }

    /// Stage, conditions and reference of an estimate.
    pub(super) fn complete(&self, estimate: &mut Estimate, stage: &str, sample: Option<&Sample>) {
        self.complete_at(estimate, stage, sample.map(|s| s.thermal.value.temperature(self.resolved.units)));
    }

    /// The same at a temperature, or at none.
    pub(super) fn complete_at(&self, estimate: &mut Estimate, stage: &str, temperature: Option<f64>) {
        estimate.stage = stage.to_owned();
        if let Some(temperature) = temperature {
            let value = match self.resolved.units {
                UnitSystem::Molecular => serde_json::Value::from(format!("{temperature} K")),
                UnitSystem::Reduced => serde_json::Value::from(temperature),
            };
            estimate.conditions.insert("temperature".to_owned(), value);
            let found = self.system.reference(&estimate.quantity, &[("temperature".to_owned(), temperature)].into());
            estimate.reference = found.map(|r| Reference { value: r.value, error: r.error, source: r.source.clone() });
            if estimate.quantity == "delta_f" && self.of_the_campaign().is_none() {
                estimate.reference = self.along_the_path(estimate.unit.as_deref(), temperature);
            }
        } else if let Some(own) = self.of_the_campaign() {
            let found = own.iter().find(|(quantity, _)| quantity.value == estimate.quantity);
            estimate.reference = found.map(|(_, r)| r.clone());
        }
        for (key, value) in self.values {
            estimate.conditions.insert(key.clone(), serde_json::Value::from(value.clone()));
        }
    }

    /// What the campaign says of its own formula.
    fn of_the_campaign(&self) -> Option<&[(Placed<String>, Reference)]> {
        let SystemFrom::Formula(formula) = &self.campaign.system.from else { return None };
        Some(formula.references.as_slice()).filter(|r| !r.is_empty())
    }

    /// A reference for the free energy of the whole path: `delta_f:KIND` of the system, in kT, for kinds that say all about the path.
    fn along_the_path(&self, unit: Option<&str>, temperature: f64) -> Option<Reference> {
        let kind = self.system.path.as_ref().map(|p| p.kind).filter(|kind| *kind == "solvent")?;
        let found = self.system.reference(&format!("delta_f:{kind}"), &[("temperature".to_owned(), temperature)].into())?;
        let kt = self.resolved.units.kb() * temperature;
        let factor =
            [EnergyUnit::Thermal, EnergyUnit::Kilojoule, EnergyUnit::Kilocalorie].iter().find(|u| Some(u.name()) == unit)?.of_kt(kt);
        Some(Reference { value: found.value * factor, error: found.error * factor, source: found.source.clone() })
    }
}
