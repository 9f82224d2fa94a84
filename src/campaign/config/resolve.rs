//! From quantities as written to numbers in internal units, with the physical checks: the second pass, once the units are known.

use std::ops::Range;

use super::campaign::Campaign;
use super::estimates::{Axis, Basin, Diagnostics, Estimate, Side};
use super::kinds::{Anneal, Ladder};
use super::path::Path;
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

/// The key that says how often a stage exchanges, jumps or lays a hill.
fn rhythm(kind: &StageKind) -> Option<(&'static str, &Placed<u64>)> {
    match kind {
        StageKind::Exchange(e) => Some(("swap_every", &e.swap_every)),
        StageKind::Expanded(e) => Some(("jump_every", &e.jump_every)),
        StageKind::Metadynamics(m) => Some(("every", &m.every)),
        // a map alone is targeted perturbation
        StageKind::Switch(s) if s.map.is_none() => Some(("steps_per_level", &s.steps_per_level)),
        StageKind::Anneal(a) => Some(("steps_per_level", &a.steps_per_level)),
        _ => None,
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
            StageKind::Sample(raw) => StageKind::Sample(self.chain(&scope, raw, stage, 1)),
            StageKind::Exchange(raw) => {
                let sample = self.chain(&scope, &raw.sample, stage, raw.ladder.count() as u64);
                self.ladder(&scope, &raw.ladder);
                StageKind::Exchange(raw.map(sample, &mut |key, x, kind| self.number(&scope, key, x, kind)))
            }
            StageKind::Expanded(raw) => {
                let sample = self.chain(&scope, &raw.sample, stage, 1);
                self.ladder(&scope, &raw.ladder);
                StageKind::Expanded(raw.map(sample, &mut |key, x, kind| self.number(&scope, key, x, kind)))
            }
            StageKind::Metadynamics(raw) => {
                let sample = self.chain(&scope, &raw.sample, stage, 1);
                let bias = raw.map(sample, &mut |key, x, kind| self.number(&scope, key, x, kind));
                self.positive(&scope, "height", &bias.height.span, bias.height.value);
                for width in &bias.width {
                    self.positive(&scope, "width", &width.span, width.value);
                }
                for (lower, upper) in bias.range.iter().flatten() {
                    if lower.value >= upper.value || !(lower.value.is_finite() && upper.value.is_finite()) {
                        let what = format!("the range of {scope} runs from {} to {}: nothing lies between", lower.value, upper.value);
                        self.drafts.add(&scope, &lower.span, what, "write the lower end first, both finite");
                    }
                }
                if bias.copies.value < 2 {
                    let what = format!("`copies` of {scope} is {}: one bias has no error", bias.copies.value);
                    self.drafts.add(&scope, &bias.copies.span, what, "write copies = 4 or more");
                }
                StageKind::Metadynamics(bias)
            }
            StageKind::Switch(raw) => {
                let sample = self.chain(&scope, &raw.sample, stage, 2);
                StageKind::Switch(raw.map(sample))
            }
            StageKind::Anneal(raw) => StageKind::Anneal(self.anneal(&scope, raw, earlier)),
            StageKind::Estimate(raw) => {
                let estimate = self.estimate(&scope, raw);
                let source = earlier.iter().find(|s| s.name == estimate.from);
                self.free_energy_unit(&scope, &estimate);
                physics::estimate(&estimate, source, basins, self.units, &mut Objections { scope: &scope, list: &mut self.objections });
                StageKind::Estimate(estimate)
            }
        };
        if let Some((key, every)) = rhythm(&kind).filter(|(_, every)| every.value == 0) {
            let what = format!("`{key}` of {scope} is 0: nothing would happen between");
            self.drafts.add(&scope, &every.span, what, format!("write {key} = 1 or more"));
        }
        Stage { name: stage.name.clone(), kind, observe: stage.observe.clone(), budget: stage.budget.clone() }
    }

    /// A chain with its physical checks; `times` of it are moved for each replica.
    fn chain(&mut self, scope: &str, raw: &Sample<Quantity>, stage: &Stage<Quantity>, times: u64) -> Sample {
        let sample = self.sample(scope, raw);
        physics::sample(&sample, stage.observe.as_ref(), self.units, &mut Objections { scope, list: &mut self.objections });
        if sample.replicas.value <= u64::from(u32::MAX) && sample.replicas.value.saturating_mul(times) > u64::from(u32::MAX) {
            let what = format!("{scope} has {} replicas of {times} states: random streams are numbered by 32 bits", sample.replicas.value);
            self.drafts.add(scope, &sample.replicas.span, what, "write fewer");
        }
        if let Some(lambda) = sample.lambda.as_ref().filter(|l| !(0.0..=1.0).contains(&l.value)) {
            let what = format!("`lambda` of {scope} is {}: a path runs from 0 to 1", lambda.value);
            self.drafts.add(scope, &lambda.span, what, "write a number between 0 and 1");
        }
        sample
    }

    /// States of a ladder differ, and lie where there are states.
    fn ladder(&mut self, scope: &str, raw: &Placed<Ladder<Quantity>>) {
        let mut quiet = Drafts::default();
        let mut complain = |what: String, remedy: &str| quiet.add(scope, &raw.span, what, remedy);
        let values = match &raw.value {
            Ladder::Lambdas(l) => {
                let values = l.values(false);
                if let Some(x) = values.iter().find(|x| !(0.0..=1.0).contains(*x)) {
                    complain(format!("a lambda of {scope} is {x}: a path runs from 0 to 1"), "write numbers between 0 and 1");
                }
                values
            }
            Ladder::Temperatures(t) => {
                let units = self.units;
                let number = |q: &Placed<Quantity>| q.resolve("temperatures", Kind::Temperature, units).unwrap_or(f64::NAN);
                let values: Vec<f64> = match t {
                    super::kinds::Rungs::List(list) => list.iter().map(number).collect(),
                    super::kinds::Rungs::Even { from, to, .. } => vec![number(from), number(to)],
                };
                if let Some(x) = values.iter().find(|x| **x <= 0.0 || x.is_infinite()) {
                    complain(format!("a temperature of {scope} is {x}: it must be positive and finite"), "write positive temperatures");
                }
                values
            }
        };
        let rising = values.windows(2).all(|w| w[1] > w[0] || w[1].is_nan() || w[0].is_nan());
        let falling = values.windows(2).all(|w| w[1] < w[0] || w[1].is_nan() || w[0].is_nan());
        if !rising && !falling {
            complain(
                format!("`{}` of {scope} go up and down, or repeat a value", raw.key()),
                "write each state once, in rising or falling order: neighbours are exchanged",
            );
        }
        self.drafts.list.extend(quiet.list);
    }

    fn anneal(&mut self, scope: &str, raw: &Anneal<Quantity>, earlier: &[Stage]) -> Anneal {
        let thermal = self.thermal(scope, &raw.thermal);
        let start = self.start(scope, &raw.start);
        let anneal = raw.map(thermal, start, &mut |key, x, kind| self.number(scope, key, x, kind));
        let mut objections = Objections { scope, list: &mut self.objections };
        physics::anneal(&anneal, self.units, &mut objections);
        if let Start::Stage(name) = &anneal.start
            && let Some(source) = earlier.iter().find(|s| s.name.value == name.value)
        {
            physics::anneal_start(&anneal, name, source, self.units, &mut objections);
        }
        anneal
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
        let thermal = self.thermal(scope, &raw.thermal);
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
            lambda: raw.lambda.clone(),
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

    fn thermal(&mut self, scope: &str, raw: &Placed<Thermal<Quantity>>) -> Placed<Thermal> {
        match &raw.value {
            Thermal::Temperature(t) => {
                let t = self.number(scope, "temperature", &raw.with(t.clone()), Kind::Temperature);
                raw.with(Thermal::Temperature(t.value))
            }
            Thermal::Beta(beta) => {
                let beta = self.number(scope, "beta", &raw.with(beta.clone()), Kind::InverseEnergy);
                raw.with(Thermal::Beta(beta.value))
            }
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
