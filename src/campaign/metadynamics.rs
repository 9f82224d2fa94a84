//! A metadynamics stage: several independent biases, each filled by its own walkers.

use super::analyse::{Scalar, diverged_check, frame};
use super::config::{ColumnKind, Metadynamics, Stage};
use super::job::Job;
use super::moves::{self, Moves};
use super::sample::{self, Chain, Mover, Place};
use super::session::Session;
use super::system::System;
use crate::batch::{Ensemble, Phase, Snapshot, Thermo};
use crate::dynamics::{self, Propagator, Tally};
use crate::energy::biased::Biased;
use crate::energy::collective::{Collective, Coordinate, Dihedral, Distance, RadiusOfGyration};
use crate::energy::table::Axis;
use crate::estimate::summary::{StageSummary, SurfaceSummary};
use crate::estimate::{Check, Estimate, Outcome, Threshold, Warning, WarningKind};
use crate::io::reader;
use crate::io::sink::{Column, Frame, Header, Kind};
use crate::observe::Measure;
use crate::path::{self, MetadynamicsOptions};
use crate::{Error, Result};
use std::f64::consts::PI;
use std::sync::Arc;

/// The column of ln of the weights that undo the bias.
const LOG_W: &str = "log_w";
/// Standard error of the free energy among copies, in kT where it is below 10 kT.
const AGREED: Threshold = Threshold { pass: 0.5, fail: 1.0 };

/// An observable as something that a bias or a restraint can act on.
///
/// # Errors
/// `Error::Input` for an observable without a force along it, or one that the system has not.
pub(super) fn collective(kind: &ColumnKind, system: &System) -> Result<Arc<dyn Collective>> {
    let dof = system.dof();
    Ok(match sample::measure(kind, system)? {
        Measure::Coordinate(i) => Arc::new(Coordinate::new(i, dof)?),
        Measure::Distance(a, b) => Arc::new(Distance::new(a, b, system.dimension, dof)?),
        Measure::Dihedral(atoms) => Arc::new(Dihedral::new(atoms, dof)?),
        Measure::Collective(along) => along.0,
        Measure::RadiusOfGyration => Arc::new(RadiusOfGyration::new(&system.masses, system.dimension)?),
        other => {
            return Err(Error::input(
                format!("{other:?} cannot be biased"),
                "use a dihedral, a distance, a coordinate or radius_of_gyration",
            ));
        }
    })
}

/// The grid of the bias along each observable.
fn axes(bias: &Metadynamics) -> Result<Vec<Axis>> {
    let ranges = bias.range.iter().map(|r| r.as_ref().map(|(low, high)| (low.value, high.value)));
    let all = bias.of.iter().zip(&bias.width).zip(ranges).map(|((column, width), range)| match range {
        _ if column.periodic() => Axis::new(-PI, PI, width.value, true),
        Some((low, high)) => Axis::new(low, high, width.value, false),
        None => Err(Error::input(format!("`{}` has no range", column.name()), "write range = { NAME = [lower, upper] }")),
    });
    all.collect()
}

/// Runs a metadynamics stage.
///
/// # Errors
/// As [`moves::run`].
pub(super) fn run(job: &Job<'_>, stage: &Stage, bias: &Metadynamics, session: &Session) -> Result<()> {
    moves::run(job, stage, session, |saved| {
        let mut copies = Vec::new();
        for copy in 0..bias.copies.value {
            let saved = match saved {
                Some(s) => Some(s.nested(&name(copy))?),
                None => None,
            };
            copies.push(chain(job, stage, bias, session, copy, saved)?);
        }
        let mut header = copies[0].header().clone();
        header.replicas *= copies.len();
        Ok(Copies { copies, header })
    })
}

fn name(copy: u64) -> String {
    format!("copy {copy}")
}

fn chain(job: &Job<'_>, stage: &Stage, bias: &Metadynamics, session: &Session, copy: u64, saved: Option<&Snapshot>) -> Result<Chain> {
    let (system, sample) = (job.system, &bias.sample);
    let beta = sample.thermal.value.beta(job.resolved.units);
    let of = bias.of.iter().map(|c| collective(&c.value.kind, system)).collect::<Result<Vec<_>>>()?;
    let biased = Arc::new(Biased::new(system.potential.clone(), of, axes(bias)?)?);
    let spec = sample::spec(sample, sample::com_of(sample, system), system.dimension);
    let propagator = dynamics::build(&spec, biased.clone(), &system.masses)?;
    let options = MetadynamicsOptions {
        every: bias.every.value,
        height: bias.height.value,
        width: bias.width.iter().map(|w| w.value).collect(),
        bias_factor: bias.bias_factor.value,
    };
    let hills = path::Metadynamics::new(propagator, biased, beta, options)?;
    let thermo = vec![Thermo::at(beta); sample.replicas.value as usize];
    let place = Place { name: format!("{}/{}", stage.name.value, name(copy)), first: copy as usize * thermo.len() };
    Chain::at(job, stage, sample, session, &place, thermo, Box::new(Filling { hills }), saved)
}

struct Filling {
    hills: path::Metadynamics,
}

impl Mover for Filling {
    fn propagator(&self) -> &dyn Propagator<Phase> {
        &self.hills
    }
    fn propagator_mut(&mut self) -> &mut dyn Propagator<Phase> {
        &mut self.hills
    }
    fn columns(&self) -> Vec<Column> {
        vec![Column { name: LOG_W.to_owned(), kind: Kind::Observable, width: 1, unit: None, labels: Vec::new(), double: true }]
    }
    fn observe(&mut self, ens: &Ensemble<Phase>) -> Result<Vec<Vec<f64>>> {
        Ok(vec![self.hills.log_weights(ens)])
    }
    fn facts(&self, to: &mut Snapshot) {
        to.put("free_energy", self.hills.free_energy());
        to.put("hills", self.hills.gaussians());
        to.put("outside", self.hills.outside());
    }
}

/// Independent copies that take their steps together; their frames stand side by side.
struct Copies {
    copies: Vec<Chain>,
    header: Header,
}

impl Moves for Copies {
    fn replicas(&self) -> usize {
        self.header.replicas
    }
    fn clock(&self) -> u64 {
        self.copies[0].clock()
    }
    fn total(&self) -> u64 {
        self.copies[0].total()
    }
    fn next(&self) -> u64 {
        self.copies[0].next()
    }
    fn due(&self) -> bool {
        self.copies[0].due()
    }
    fn advance(&mut self, ticks: u64) -> Result<()> {
        self.copies.iter_mut().try_for_each(|c| c.advance(ticks))
    }
    fn header(&self) -> &Header {
        &self.header
    }
    fn frame(&mut self, frame: &mut Frame) -> Result<()> {
        let mut one = Frame::default();
        frame.values.clear();
        for copy in &mut self.copies {
            copy.frame(&mut one)?;
            frame.values.resize_with(one.values.len(), Vec::new);
            for (all, values) in frame.values.iter_mut().zip(&one.values) {
                all.extend_from_slice(values);
            }
        }
        (frame.step, frame.time) = (one.step, one.time);
        Ok(())
    }
    fn tally(&self) -> Tally {
        let mut all = Tally::default();
        for copy in &self.copies {
            all += copy.tally();
        }
        all
    }
    fn note(&self) -> String {
        self.copies[0].note()
    }
    fn save(&self, s: &mut Snapshot) {
        for (k, copy) in self.copies.iter().enumerate() {
            s.nest(&name(k as u64), |s| copy.save(s));
        }
        // where every stage has its ensemble: of the first copy
        self.copies[0].save_ensemble(s);
    }
}

/// Free energy along the biased observables with the spread of the copies, and what the filling was like.
///
/// # Errors
/// What checkpoints give.
pub(super) fn analyse(
    job: &Job<'_>,
    stage: &Stage,
    bias: &Metadynamics,
    saved: &Snapshot,
) -> Result<(StageSummary, Vec<Estimate>, Filled)> {
    let mut summary = frame(job, stage, &bias.sample, saved)?;
    let (mut free, mut outside, mut hills, mut diverged) = (Vec::new(), 0, 0, Vec::new());
    for copy in 0..bias.copies.value {
        let s = saved.nested(&name(copy))?;
        free.push(s.f64s("free_energy")?.to_vec());
        outside += s.u64("outside")?;
        hills += s.u64("hills")?;
        let steps = s.nested("ensemble")?.u64s("diverged")?;
        diverged.extend(steps.iter().enumerate().filter(|(_, s)| **s != u64::MAX).map(|(r, s)| (copy as usize * steps.len() + r, *s)));
    }
    summary.replicas = (bias.copies.value * bias.sample.replicas.value) as usize;
    let read = Filled::read(job, stage, bias, &diverged)?;
    (summary.draws, summary.discard, summary.discard_by) = (read.draws, read.discard, read.discard_by.clone());
    summary.checks.extend(diverged_check(job, stage, &diverged, summary.replicas));
    let axes = axes(bias)?;
    let kt = bias.sample.thermal.value.kt(job.resolved.units);
    // up to a constant: each copy relative to its own mean where all of them are below 10 kT
    let low: Vec<usize> = (0..free[0].len()).filter(|i| free.iter().all(|f| f[*i] < 10.0)).collect();
    for f in &mut free {
        let mean = low.iter().map(|i| f[*i]).sum::<f64>() / low.len().max(1) as f64;
        f.iter_mut().for_each(|f| *f -= mean);
    }
    let n = free.len() as f64;
    let mut mean: Vec<f64> = (0..free[0].len()).map(|i| free.iter().map(|f| f[i]).sum::<f64>() / n).collect();
    let spread = |i: usize| (free.iter().map(|f| (f[i] - mean[i]) * (f[i] - mean[i])).sum::<f64>() / (n - 1.0) / n).sqrt();
    let stderr: Vec<f64> = (0..mean.len()).map(spread).collect();
    let least = mean.iter().copied().fold(f64::INFINITY, f64::min);
    mean.iter_mut().for_each(|f| *f = (*f - least) * kt);
    let stderr: Vec<f64> = stderr.iter().map(|e| e * kt).collect();
    let worst = low.iter().map(|i| stderr[*i] / kt).fold(0.0, f64::max);
    summary.checks.push(Check {
        check: "copies".to_owned(),
        of: stage.name.value.clone(),
        value: worst.is_finite().then_some(worst),
        bound: Some(AGREED.pass),
        outcome: if low.is_empty() { Outcome::Fail } else { AGREED.at_most(worst) },
        message: format!(
            "the biases of {n} copies agree to {worst:.2} kT where the free energy is below 10 kT, should be to 0.5: fill longer"
        ),
    });
    let unit = job.energy_unit();
    let edges = |a: &Axis| {
        let half = 0.5 * a.step();
        (0..=a.nodes()).map(|i| a.node(i) - half).collect::<Vec<f64>>()
    };
    let names: Vec<String> = bias.of.iter().map(|c| c.value.name().to_owned()).collect();
    let finite = |x: &f64| x.is_finite().then_some(*x);
    summary.surfaces.push(SurfaceSummary {
        stage: stage.name.value.clone(),
        of: bias.of.iter().map(|c| c.value.text.clone()).collect(),
        units: bias
            .of
            .iter()
            .map(|c| c.value.quantity().map(|q| job.resolved.units.unit(q).to_owned()).filter(|u| !u.is_empty()))
            .collect(),
        edges: axes.iter().map(edges).collect(),
        free_energy: mean.iter().map(finite).collect(),
        stderr: stderr.iter().map(finite).collect(),
        unit: unit.map(str::to_owned),
        how: Some("from the biases, the mean of their copies".to_owned()),
    });
    let row = axes.get(1).map_or(1, Axis::nodes);
    let mut estimates = Vec::new();
    for (i, f) in mean.iter().enumerate() {
        let index = if row > 1 { format!("{},{}", i / row, i % row) } else { i.to_string() };
        let mut e = Estimate::new(format!("free_energy[{index}]"), *f, stderr[i], n);
        e.unit = unit.map(str::to_owned);
        e.coords = vec![(names[0].clone(), axes[0].node(i / row))];
        if let Some(axis) = axes.get(1) {
            e.coords.push((names[1].clone(), axis.node(i % row)));
        }
        if bias.copies.value < 4 {
            e.warnings.push(Warning::new(WarningKind::FewReplicas, format!("the error is the spread of {n} copies only")));
        }
        estimates.push(e);
    }
    estimates.push(Estimate::new("hills", hills as f64, (hills as f64).sqrt(), n));
    if outside > 0 {
        let mut e = Estimate::new("outside", outside as f64, (outside as f64).sqrt(), n);
        e.warnings.push(Warning::new(WarningKind::Outside, "walkers were outside the range and laid no hill"));
        estimates.push(e);
    }
    for e in &mut estimates {
        job.complete(e, &stage.name.value, Some(&bias.sample));
    }
    Ok((summary, estimates, read))
}

/// The frames of a metadynamics stage with their weights, after the discard, copies with a diverged walker left out.
pub(super) struct Filled {
    /// `[copy][walker][draw]`.
    pub(super) scalars: Vec<Scalar>,
    /// beta (V - c), the same order.
    pub(super) log_w: Vec<f64>,
    pub(super) copies: usize,
    pub(super) walkers: usize,
    draws: usize,
    discard: usize,
    discard_by: String,
}

impl Filled {
    fn read(job: &Job<'_>, stage: &Stage, bias: &Metadynamics, diverged: &[(usize, u64)]) -> Result<Self> {
        let dir = job.dir.join(&stage.name.value);
        let Some((files, _)) = reader::Stage::open(&dir)? else {
            return Err(Error::run(format!("{} holds no frames", dir.display()), "`ergodica resume` the run: it was not finished"));
        };
        let (walkers, draws) = (bias.sample.replicas.value as usize, files.frames() as usize);
        // a bias that a lost walker has helped to fill is no bias of its own any more
        let well = |copy: &usize| diverged.iter().all(|(r, _)| r / walkers != *copy);
        let copies: Vec<usize> = (0..bias.copies.value as usize).filter(well).collect();
        let every = stage.observe.as_ref().map_or(1, |o| o.every.value);
        let (discard, discard_by) = match bias.sample.discard_steps() {
            Some(steps) => ((steps.div_ceil(every) as usize).min(draws), "declared".to_owned()),
            None => (draws / 2, "automatic: the first half, in which the bias fills up".to_owned()),
        };
        let kept = |name: &str| -> Result<Vec<f64>> {
            let all = files.column(name)?;
            let walkers = copies.iter().flat_map(|c| c * walkers..(c + 1) * walkers);
            Ok(walkers.flat_map(|r| all[r][discard..].iter().copied()).collect())
        };
        let mut scalars = Vec::new();
        for column in stage.observe.iter().flat_map(|o| &o.columns).filter(|c| c.value.scalar()) {
            let unit = files.header.columns.iter().find(|c| c.name == column.value.text).and_then(|c| c.unit.clone());
            scalars.push(Scalar::of(&column.value.text, unit, column.value.periodic(), kept(&column.value.text)?));
        }
        for column in files.header.columns.iter().filter(|c| c.name == "terms") {
            for label in &column.labels {
                scalars.push(Scalar::of(&format!("energy:{label}"), column.unit.clone(), false, kept(&format!("terms.{label}"))?));
            }
        }
        Ok(Filled { log_w: kept(LOG_W)?, scalars, copies: copies.len(), walkers, draws, discard, discard_by })
    }
}
