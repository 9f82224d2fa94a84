//! Estimates over a ladder: free energies of its states, with errors that independent copies and correlated frames both have a say in.

use super::analyse::estimate_frame;
use super::config::{Estimate as Wanted, Method, Stage};
use super::ladders::OnLadder;
use super::run::Job;
use crate::Result;
use crate::estimate::summary::{FreeEnergySummary, StageSummary};
use crate::estimate::{Check, Estimate, FreeEnergyError, Outcome, Warning, WarningKind, bar, exp_forward, exp_reverse};

/// Least number of independent copies whose spread is an error.
const COPIES: usize = 4;
/// Most groups that are left out in turn.
const GROUPS: usize = 16;
/// Off-diagonal elements of the overlap matrix between neighbours: reliable from here on.
/// Source: Klimovich, Shirts and Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015).
const OVERLAP: f64 = 0.03;
/// Independent samples that neighbours share: worth a warning below the first, no result below the second.
const SHARED: (f64, f64) = (50.0, 10.0);

/// Free energies of all states, in kT, with two ways to an error.
struct Found {
    /// f_k - f_0.
    f: Vec<f64>,
    /// Error of f_j - f_i by the estimator's own theory, correlation of the frames included, `[i][j]`.
    theory: Vec<Vec<f64>>,
    /// f of the data without each group of copies; none with too few copies.
    left_out: Option<Vec<Vec<f64>>>,
    /// Independent samples behind the difference to the next state.
    shared: Vec<f64>,
    /// Overlap with the next state, 0 to 1 as an element of the overlap matrix.
    overlap: Vec<f64>,
    /// Overlap matrix.
    matrix: Vec<Vec<f64>>,
    warnings: Vec<Warning>,
    gradients: Vec<(f64, f64)>,
}

impl Found {
    /// Error of f_j - f_i by leaving out groups of copies in turn.
    ///
    ///   sigma^2 = (G - 1)/G sum_g (theta_g - mean theta)^2
    fn spread(&self, i: usize, j: usize) -> Option<f64> {
        let left_out = self.left_out.as_ref()?;
        let n = left_out.len() as f64;
        let differences: Vec<f64> = left_out.iter().map(|f| f[j] - f[i]).collect();
        let mean = differences.iter().sum::<f64>() / n;
        let sum: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
        Some(((n - 1.0) / n * sum).sqrt())
    }

    /// The larger of the two errors; whether the spread is the larger.
    fn error(&self, i: usize, j: usize) -> (f64, bool) {
        let theory = self.theory[i][j];
        match self.spread(i, j) {
            Some(spread) if spread > theory || theory.is_nan() => (spread, true),
            _ => (theory, false),
        }
    }
}

/// The estimates of a stage that reads a ladder.
///
/// # Errors
/// Only what is a bug; what the data do not allow becomes a check that fails.
pub(super) fn wanted(job: &Job<'_>, stage: &Stage, wanted: &Wanted, read: &OnLadder) -> Result<(StageSummary, Vec<Estimate>)> {
    let mut summary = estimate_frame(job, stage, wanted);
    let g = read.g();
    let found = match wanted.method.value {
        Method::Bar => pairs(read, g),
        Method::Exp => one_sided(read, g),
        _ => unreachable_method(wanted.method.value),
    };
    let mut estimates = match found {
        Ok(found) => report(job, wanted, read, g, &found, &mut summary),
        Err(why) => {
            summary.checks.push(failed(stage, &why));
            let names = format!("delta_f[0,{}]", read.states.len() - 1);
            ["delta_f".to_owned(), names]
                .into_iter()
                .map(|name| Estimate::missing(name, WarningKind::PoorOverlap, format!("{why}; {}", why.remedy())))
                .collect()
        }
    };
    for e in &mut estimates {
        complete(job, stage, read, e);
    }
    Ok((summary, estimates))
}

fn unreachable_method(method: Method) -> std::result::Result<Found, FreeEnergyError> {
    Err(FreeEnergyError::Argument { what: format!("{} does not read a ladder", method.name()) })
}

/// Conditions and reference: the temperature, where there is one.
fn complete(job: &Job<'_>, stage: &Stage, read: &OnLadder, e: &mut Estimate) {
    let sample = job
        .resolved
        .stages
        .iter()
        .filter(|s| matches!(&stage.kind, super::config::StageKind::Estimate(w) if w.from == s.name))
        .find_map(|s| s.kind.chain());
    job.complete(e, &stage.name.value, sample.filter(|_| read.variable == "lambda"));
}

/// A check that says why there is no number.
pub(super) fn failed(stage: &Stage, why: &FreeEnergyError) -> Check {
    Check {
        check: "overlap".to_owned(),
        of: stage.name.value.clone(),
        value: None,
        bound: None,
        outcome: Outcome::Fail,
        message: format!("{}: no free energy: {why}; {}", stage.name.value, why.remedy()),
    }
}

/// The copies in at most [`GROUPS`] groups, as lists of those that stay when a group is left out.
fn without_each_group(copies: usize) -> Option<Vec<Vec<usize>>> {
    if copies < COPIES {
        return None;
    }
    let groups = copies.min(GROUPS);
    Some((0..groups).map(|g| (0..copies).filter(|c| c * groups / copies != g).collect()).collect())
}

/// Differences of neighbours one after the other, for all copies and without each group.
fn chained(
    read: &OnLadder,
    differences: impl Fn(&[usize]) -> std::result::Result<Vec<f64>, FreeEnergyError>,
) -> std::result::Result<(Vec<f64>, Option<Vec<Vec<f64>>>), FreeEnergyError> {
    let total = |d: Vec<f64>| {
        let mut f = vec![0.0];
        for d in d {
            f.push(f[f.len() - 1] + d);
        }
        f
    };
    let all: Vec<usize> = (0..read.copies).collect();
    let f = total(differences(&all)?);
    let left_out = match without_each_group(read.copies) {
        None => None,
        // a group without which there is no number leaves the theory alone to speak
        Some(sets) => sets.iter().map(|s| differences(s).map(total)).collect::<std::result::Result<Vec<_>, _>>().ok(),
    };
    Ok((f, left_out))
}

/// Works from state `i` to state `j` of the frames at `i` of some copies.
fn works(read: &OnLadder, copies: &[usize], i: usize, j: usize) -> Vec<f64> {
    let step = |r: usize, d: usize| {
        let u = read.u_of(r, d);
        u[j] - u[i]
    };
    copies.iter().flat_map(|&c| read.at_state(c, i, step)).collect()
}

/// Errors of sums of independent differences.
fn quadrature(errors: &[f64]) -> Vec<Vec<f64>> {
    let k = errors.len() + 1;
    let mut sum = vec![0.0];
    for e in errors {
        sum.push(sum[sum.len() - 1] + e * e);
    }
    (0..k).map(|i| (0..k).map(|j| (sum[i.max(j)] - sum[i.min(j)]).sqrt()).collect()).collect()
}

/// BAR between neighbours.
fn pairs(read: &OnLadder, g: f64) -> std::result::Result<Found, FreeEnergyError> {
    let k = read.states.len();
    let named = |why: FreeEnergyError, i: usize| match why {
        FreeEnergyError::Disconnected { shared, .. } => {
            FreeEnergyError::Disconnected { groups: vec![vec![read.names[i].clone()], vec![read.names[i + 1].clone()]], shared }
        }
        FreeEnergyError::NoSamples { .. } => FreeEnergyError::NoSamples { what: format!("one of the states {} and {}", read.names[i], read.names[i + 1]) },
        other => other,
    };
    let one = |copies: &[usize], i: usize| {
        bar(&works(read, copies, i, i + 1), &works(read, copies, i + 1, i)).map_err(|why| named(why, i))
    };
    let all: Vec<usize> = (0..read.copies).collect();
    let each = (0..k - 1).map(|i| one(&all, i)).collect::<std::result::Result<Vec<_>, _>>()?;
    let (f, left_out) = chained(read, |copies| (0..k - 1).map(|i| one(copies, i).map(|b| b.delta_f)).collect())?;
    let errors: Vec<f64> = each.iter().map(|b| b.stderr * g.sqrt()).collect();
    Ok(Found {
        f,
        theory: quadrature(&errors),
        left_out,
        shared: each.iter().map(|b| b.shared / g).collect(),
        overlap: each.iter().map(|b| 0.5 * b.overlap).collect(),
        matrix: Vec::new(),
        warnings: each.into_iter().flat_map(|b| b.warnings).collect(),
        gradients: Vec::new(),
    })
}

/// Zwanzig from the lower state alone; the way back stands in the warnings where the two do not agree.
fn one_sided(read: &OnLadder, g: f64) -> std::result::Result<Found, FreeEnergyError> {
    let k = read.states.len();
    let all: Vec<usize> = (0..read.copies).collect();
    let forward = (0..k - 1).map(|i| exp_forward(&works(read, &all, i, i + 1))).collect::<std::result::Result<Vec<_>, _>>()?;
    let back = (0..k - 1).map(|i| exp_reverse(&works(read, &all, i + 1, i))).collect::<std::result::Result<Vec<_>, _>>()?;
    let (f, left_out) =
        chained(read, |copies| (0..k - 1).map(|i| exp_forward(&works(read, copies, i, i + 1)).map(|d| d.value)).collect())?;
    let errors: Vec<f64> = forward.iter().map(|d| d.stderr * g.sqrt()).collect();
    let mut warnings: Vec<Warning> = forward.iter().flat_map(|d| d.warnings.clone()).collect();
    for (i, (a, b)) in forward.iter().zip(&back).enumerate() {
        let z = (a.value - b.value) / ((a.stderr * a.stderr + b.stderr * b.stderr) * g).sqrt();
        if !(z.abs() <= 4.0) {
            let message = format!("forward and reverse averages between {} and {} disagree by {z:.1} standard errors", read.names[i], read.names[i + 1]);
            warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
        }
    }
    Ok(Found {
        f,
        theory: quadrature(&errors),
        left_out,
        shared: forward.iter().map(|d| d.n_eff / g).collect(),
        overlap: Vec::new(),
        matrix: Vec::new(),
        warnings,
        gradients: Vec::new(),
    })
}

/// Estimates, checks and the summary of free energies.
fn report(job: &Job<'_>, wanted: &Wanted, read: &OnLadder, g: f64, found: &Found, summary: &mut StageSummary) -> Vec<Estimate> {
    let k = read.states.len();
    let kt = 1.0 / read.states[0].beta;
    let unit = wanted.unit.value;
    let factor = unit.of_kt(kt);
    let values = read.values(job.resolved.units.kb());
    let weakest = found.shared.iter().copied().fold(f64::INFINITY, f64::min);
    let difference = |name: String, i: usize, j: usize, n_eff: f64| {
        let (stderr, by_spread) = found.error(i, j);
        let mut e = Estimate::new(name, found.f[j] - found.f[i], stderr, n_eff).scaled(factor);
        e.unit = Some(unit.name().to_owned());
        if let (Some(spread), theory) = (found.spread(i, j), found.theory[i][j])
            && (spread > 2.0 * theory || theory > 2.0 * spread)
        {
            let which = if by_spread { "the spread of the copies" } else { "the theory of the estimator" };
            let message = format!(
                "the copies spread by {:.2e}, theory with g = {g:.1} says {:.2e}: the error is that of {which}",
                spread * factor,
                theory * factor
            );
            e.warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
        }
        e
    };
    let mut all = vec![difference("delta_f".to_owned(), 0, k - 1, weakest)];
    all[0].warnings.extend(found.warnings.iter().cloned());
    let pair = |mut e: Estimate, i: usize, j: usize| {
        e.coords = vec![("from".to_owned(), values[i]), ("to".to_owned(), values[j])];
        e
    };
    all.push(pair(difference(format!("delta_f[0,{}]", k - 1), 0, k - 1, weakest), 0, k - 1));
    for i in 0..k - 1 {
        if k > 2 {
            all.push(pair(difference(format!("delta_f[{i},{}]", i + 1), i, i + 1, found.shared.get(i).copied().unwrap_or(f64::NAN)), i, i + 1));
        }
    }
    for i in 0..k {
        let mut e = difference(format!("f[{i}]"), 0, i, f64::NAN);
        e.coords = vec![(read.variable.to_owned(), values[i])];
        all.push(e);
    }
    for (i, overlap) in found.overlap.iter().enumerate() {
        let mut e = Estimate::new(format!("overlap[{i},{}]", i + 1), *overlap, f64::NAN, found.shared[i]);
        e.warnings.push(Warning::new(WarningKind::NoError, "a diagnostic, without an error of its own"));
        all.push(pair(e, i, i + 1));
    }
    checks(read, found, &mut summary.checks);
    summary.free_energies = Some(FreeEnergySummary {
        method: wanted.method.name().to_owned(),
        unit: unit.name().to_owned(),
        values,
        states: read.names.clone(),
        f: found.f.iter().map(|f| f * factor).collect(),
        stderr: (0..k).map(|i| found.error(0, i).0 * factor).collect(),
        g: Some(g),
        errors: errors_from(found, k),
        overlap: found.matrix.clone(),
        gradients: found.gradients.clone(),
        convergence: Vec::new(),
    });
    all
}

fn errors_from(found: &Found, k: usize) -> String {
    match (&found.left_out, found.error(0, k - 1).1) {
        (None, _) => format!("theory of the estimator with correlated frames; fewer than {COPIES} independent copies have no spread"),
        (Some(_), true) => "the spread of independent copies, which is larger than theory".to_owned(),
        (Some(_), false) => "theory of the estimator with correlated frames, which is larger than the spread of independent copies".to_owned(),
    }
}

fn checks(read: &OnLadder, found: &Found, checks: &mut Vec<Check>) {
    for (i, shared) in found.shared.iter().enumerate() {
        let of = format!("{} and {}", read.names[i], read.names[i + 1]);
        if let Some(overlap) = found.overlap.get(i) {
            let good = *overlap >= OVERLAP;
            let advice = if good { "" } else { ": add states between them" };
            checks.push(Check {
                check: "overlap".to_owned(),
                of: of.clone(),
                value: Some(*overlap),
                bound: Some(OVERLAP),
                outcome: if good { Outcome::Pass } else { Outcome::Fail },
                message: format!("overlap of {} {of} is {overlap:.3}, should be at least {OVERLAP}{advice}", read.variable),
            });
        }
        let outcome = if *shared >= SHARED.0 { Outcome::Pass } else if *shared >= SHARED.1 { Outcome::Warn } else { Outcome::Fail };
        checks.push(Check {
            check: "n_eff".to_owned(),
            of: of.clone(),
            value: shared.is_finite().then_some(*shared),
            bound: Some(SHARED.0),
            outcome,
            message: format!("{shared:.0} independent samples connect {} {of}, should be at least {:.0}", read.variable, SHARED.0),
        });
    }
}
