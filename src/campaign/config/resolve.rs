//! From quantities as written to numbers in internal units, with the physical checks: the second pass, once the units are known.

use std::ops::Range;

use super::campaign::Campaign;
use super::estimates::{Axis, Basin, Diagnostics, Estimate, Side};
use super::placed::{NOWHERE, Placed};
use super::texts::Drafts;
use super::types::{Discard, Minimise, Resolved, Sample, Stage, StageKind, Start, System, SystemFrom, Thermal, Value};
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
        resolver.system(&self.system);
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

    fn stage(&mut self, stage: &Stage<Quantity>, earlier: &[Stage], basins: &[Basin]) -> Stage {
        let scope = format!("stage `{}`", stage.name.value);
        let kind = match &stage.kind {
            StageKind::Minimise(raw) => StageKind::Minimise(self.minimise(&scope, raw)),
            StageKind::Sample(raw) => {
                let sample = self.sample(&scope, raw);
                physics::sample(&sample, stage.observe.as_ref(), self.units, &mut Objections { scope: &scope, list: &mut self.objections });
                StageKind::Sample(sample)
            }
            StageKind::Estimate(raw) => {
                let estimate = self.estimate(&scope, raw);
                let source = earlier.iter().find(|s| s.name == estimate.from);
                physics::estimate(&estimate, source, basins, self.units, &mut Objections { scope: &scope, list: &mut self.objections });
                StageKind::Estimate(estimate)
            }
        };
        Stage { name: stage.name.clone(), kind, observe: stage.observe.clone() }
    }

    fn start(&mut self, scope: &str, start: &Start<Quantity>) -> Start {
        match start {
            Start::System => Start::System,
            Start::Stage(name) => Start::Stage(name.clone()),
            Start::Run { dir, stage, frames } => Start::Run { dir: dir.clone(), stage: stage.clone(), frames: frames.clone() },
            Start::Structures(files) => Start::Structures(files.clone()),
            Start::Random(width) => {
                let width = self.number(scope, "random", width, Kind::Length);
                if width.value <= 0.0 || width.value.is_infinite() {
                    let what = format!("`random` of {scope} is {}: it is a standard deviation, so positive and finite", width.value);
                    self.drafts.add(scope, &width.span, what, "write a positive width, or start = \"minimum\"");
                }
                Start::Random(width)
            }
        }
    }

    fn minimise(&mut self, scope: &str, raw: &Minimise<Quantity>) -> Minimise {
        let default = raw.tolerance.with(default_tolerance(self.units));
        let written = if raw.tolerance.span == NOWHERE { &default } else { &raw.tolerance };
        let tolerance = self.number(scope, "tolerance", written, Kind::Force);
        self.positive(scope, "tolerance", &tolerance.span, tolerance.value);
        for (key, count) in [("max_steps", Some(&raw.max_steps)), ("replicas", raw.replicas.as_ref())] {
            if let Some(count) = count.filter(|c| c.value == 0) {
                self.drafts.add(
                    scope,
                    &count.span,
                    format!("`{key}` of {scope} is 0: nothing would happen"),
                    format!("write {key} = 1 or more"),
                );
            }
        }
        Minimise { tolerance, max_steps: raw.max_steps.clone(), replicas: raw.replicas.clone(), start: self.start(scope, &raw.start) }
    }

    fn sample(&mut self, scope: &str, raw: &Sample<Quantity>) -> Sample {
        let timestep = self.number(scope, "timestep", &raw.timestep, Kind::Time);
        let friction = raw.friction.as_ref().map(|g| self.number(scope, "friction", g, Kind::InverseTime));
        let thermal = match &raw.thermal.value {
            Thermal::Temperature(t) => {
                let t = self.number(scope, "temperature", &raw.thermal.with(t.clone()), Kind::Temperature);
                raw.thermal.with(Thermal::Temperature(t.value))
            }
            Thermal::Beta(beta) => {
                let beta = self.number(scope, "beta", &raw.thermal.with(beta.clone()), Kind::InverseEnergy);
                raw.thermal.with(Thermal::Beta(beta.value))
            }
        };
        let discard = match &raw.discard.value {
            Discard::Auto => Discard::Auto,
            Discard::Steps(n) => Discard::Steps(*n),
            Discard::Time(t) => Discard::Time(self.number(scope, "discard", &raw.discard.with(t.clone()), Kind::Time).value),
        };
        Sample {
            propagator: raw.propagator.clone(),
            timestep,
            friction,
            thermal,
            replicas: raw.replicas.clone(),
            steps: raw.steps.clone(),
            start: self.start(scope, &raw.start),
            discard: raw.discard.with(discard),
            warmup: raw.warmup.clone(),
            target_acceptance: raw.target_acceptance.clone(),
            leapfrog_steps: raw.leapfrog_steps.clone(),
            remove_com: raw.remove_com.clone(),
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
        Estimate { method: raw.method.clone(), from: raw.from.clone(), of: raw.of.clone(), axes, basins: raw.basins.clone() }
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
    fn system(&mut self, system: &System) {
        if let SystemFrom::Formula(formula) = &system.from {
            let named = crate::expr::parse(&formula.text).ok();
            let occurs = |name: &str| named.as_ref().is_some_and(|tree| tree.names().iter().any(|(n, _)| *n == name));
            for (key, _) in system.parameters.iter().filter(|(key, _)| !occurs(key)) {
                let what = format!("parameter `{}` does not occur in the formula", key.value);
                self.objections.push(Objection { span: key.span.clone(), what, remedy: "remove it".to_owned(), refuse: false });
            }
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
