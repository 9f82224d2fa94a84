//! From quantities as written to numbers in internal units, with the physical checks: the second pass, once the units are known.

mod stage;

use std::ops::Range;

use super::campaign::Campaign;
use super::estimates::{Axis, Basin, Diagnostics, Estimate, Side};
use super::path::Path;
use super::placed::Placed;
use super::resolved::Resolved;
use super::stage::Stage;
use super::system::{System, SystemFrom, Value};
use super::texts::Drafts;
use crate::campaign::physics::{self, Objection, Objections};
use crate::campaign::units::{Kind, Quantity, UnitSystem};
use crate::error::Result;

/// Default of a minimisation's tolerance: OpenMM's for molecules.
pub(super) fn default_tolerance(units: UnitSystem) -> Quantity {
    match units {
        UnitSystem::Molecular => Quantity::of(10.0, "kJ/mol/nm"),
        UnitSystem::Reduced => Quantity::bare(1e-6),
    }
}

impl Campaign {
    /// Numbers in internal units, every default filled in.
    ///
    /// Errors: [`crate::Error::Input`] with all quantities of a wrong kind and all values that make no physical sense.
    /// What is only odd is in [`Resolved::warnings`].
    pub fn resolve(&self, units: UnitSystem) -> Result<Resolved> {
        let mut resolver = Resolver { units, drafts: Drafts::default(), objections: Vec::new() };
        let basins: Vec<Basin> = self.basins.iter().map(|b| resolver.basin(b)).collect();
        let mut stages: Vec<Stage> = Vec::new();
        for stage in &self.stages {
            let resolved = resolver.stage(stage, &stages, &basins);
            stages.push(resolved);
        }
        let path = self.path.as_ref().map(|p| p.with(resolver.path(p)));
        resolver.system(&self.system, self.path.as_ref().map(|p| &p.value), &self.stages);
        resolver.diagnostics(&self.diagnostics);
        let mut warnings = Vec::new();
        for objection in std::mem::take(&mut resolver.objections) {
            if objection.refuse {
                resolver.drafts.add("", &objection.span, objection.what, objection.remedy);
            } else {
                warnings.push(self.complaint(&objection.span, objection.what, objection.remedy));
            }
        }
        if !resolver.drafts.is_empty() {
            return Err(self.refuse(resolver.drafts));
        }
        Ok(Resolved {
            name: self.name.value.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            seed: self.seed.as_ref().map(|s| s.value),
            checkpoint: self.checkpoint.value,
            units,
            system: self.system.clone(),
            path,
            basins,
            stages,
            diagnostics: self.diagnostics.clone(),
            warnings,
        })
    }
}

struct Resolver {
    units: UnitSystem,
    drafts: Drafts,
    objections: Vec<Objection>,
}

impl Resolver {
    /// A number, or NaN and a complaint.
    fn number(&mut self, scope: &str, key: &str, written: &Placed<Quantity>, kind: Kind) -> Placed<f64> {
        match written.resolve(key, kind, self.units) {
            Ok(x) => written.with(x),
            Err(misfit) => {
                self.drafts.add(scope, &written.span, misfit.what, misfit.remedy);
                written.with(f64::NAN)
            }
        }
    }

    /// The same inside a list, where no key stands before the value.
    fn listed(&mut self, scope: &str, key: &str, written: &Placed<Quantity>, kind: Kind) -> Placed<f64> {
        let before = self.drafts.list.len();
        let number = self.number(scope, key, written, kind);
        for draft in &mut self.drafts.list[before..] {
            draft.remedy = draft.remedy.replace(&format!("{key} = "), "");
        }
        number
    }

    fn positive(&mut self, scope: &str, key: &str, span: &Range<usize>, x: f64) {
        if x <= 0.0 || x.is_infinite() {
            self.drafts.add(
                scope,
                span,
                format!("`{key}` of {scope} is {x}: it must be positive and finite"),
                format!("write a positive {key}"),
            );
        }
    }

    fn path(&mut self, raw: &Path<Quantity>) -> Path {
        let scope = "[path]";
        let path = raw.map(&mut |key, x, kind| self.number(scope, key, x, kind));
        match &path {
            Path::Geometric { normal } => self.positive(scope, "normal", &normal.span, normal.value),
            Path::Umbrella { stiffness, .. } => self.positive(scope, "stiffness", &stiffness.span, stiffness.value),
            _ => {}
        }
        path
    }

    /// Reduced units know no kcal/mol.
    fn free_energy_unit(&mut self, scope: &str, estimate: &Estimate) {
        if estimate.data.is_empty() && self.units == UnitSystem::Reduced && estimate.unit.value != super::estimates::EnergyUnit::Thermal {
            let what = format!("`unit` of {scope} is \"{}\", but the system has reduced units", estimate.unit.name());
            self.drafts.add(scope, &estimate.unit.span, what, "remove it: free energies are in kT");
        }
    }

    fn estimate(&mut self, scope: &str, raw: &Estimate<Quantity>) -> Estimate {
        let mut axes = Vec::new();
        for (axis, column) in raw.axes.iter().zip(&raw.of) {
            let kind = column.quantity().unwrap_or(Kind::Dimensionless);
            let range = axis.range.as_ref().map(|(lower, upper)| {
                let key = format!("range.{}", column.name());
                (self.listed(scope, &key, lower, kind), self.listed(scope, &key, upper, kind))
            });
            axes.push(Axis { bins: axis.bins.clone(), range });
        }
        Estimate {
            method: raw.method.clone(),
            from: raw.from.clone(),
            data: raw.data.clone(),
            taken: raw.taken.clone(),
            of: raw.of.clone(),
            axes,
            smooth: raw.smooth.clone(),
            basins: raw.basins.clone(),
            unit: raw.unit.clone(),
            rule: raw.rule.clone(),
            bootstraps: raw.bootstraps.clone(),
        }
    }

    fn basin(&mut self, raw: &Basin<Quantity>) -> Basin {
        let scope = format!("basin `{}`", raw.name.value);
        let mut sides = Vec::new();
        for side in &raw.sides {
            let kind = side.of.quantity().unwrap_or(Kind::Dimensionless);
            let lower = self.listed(&scope, side.of.name(), &side.lower, kind);
            let upper = self.listed(&scope, side.of.name(), &side.upper, kind);
            sides.push(Side { of: side.of.clone(), lower, upper });
        }
        let basin = Basin { name: raw.name.clone(), sides };
        physics::basin(&basin, self.units, &mut Objections { scope: &scope, list: &mut self.objections });
        basin
    }

    /// A reduced system's parameters have no units; what kind a molecule's are, only the system knows.
    fn system(&mut self, system: &System, path: Option<&Path<Quantity>>, stages: &[Stage<Quantity>]) {
        for key in system.idle_parameters(path, stages) {
            let what = format!("parameter `{}` does not occur in the formula", key.value);
            self.objections.push(Objection { span: key.span.clone(), what, remedy: "remove it".to_owned(), refuse: false });
        }
        if let SystemFrom::Name(_) = system.from
            && self.units == UnitSystem::Reduced
        {
            for (key, value) in &system.parameters {
                if let Value::Number(quantity) = &value.value
                    && quantity.unit.is_some()
                {
                    self.number("[system]", &key.value, &value.with(quantity.clone()), Kind::Dimensionless);
                }
            }
        }
    }

    fn diagnostics(&mut self, d: &Diagnostics) {
        let scope = "[diagnostics]";
        let mut judge = |fine: bool, key: &str, value: &Placed<f64>, why: &str, example: &str| {
            if !fine {
                self.drafts.add(scope, &value.span, format!("`{key}` is {}: {why}", value.value), format!("write {key} = {example}"));
            }
        };
        judge(
            d.rhat.value > 1.0 && d.rhat.is_finite(),
            "rhat",
            &d.rhat,
            "R-hat is 1 for perfect chains, so the threshold lies above 1",
            "1.01",
        );
        judge(d.ess.value > 0.0 && d.ess.is_finite(), "ess", &d.ess, "it must be positive", "400");
        judge(
            (0.0..1.0).contains(&d.max_diverged.value),
            "max_diverged",
            &d.max_diverged,
            "it is a fraction of the replicas, from 0 to below 1",
            "0.0",
        );
    }
}
