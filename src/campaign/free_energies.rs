//! Estimates over a ladder: free energies of its states, with errors that independent copies and correlated frames both have a say in.

use super::analyse::estimate_frame;
use super::config::{Estimate as Wanted, Method, Stage};
use super::estimate_files::block_of;
use super::ladders::OnLadder;
use super::moments::Shape;
use super::run::Job;
use super::weighted::larger;
use crate::Result;
use crate::estimate::summary::{FreeEnergySummary, StageSummary};
use crate::estimate::{
    Bar, Bootstrap, Check, CovarianceMethod, Estimate, FreeEnergyError, Gradients, Mbar, MbarOptions, Outcome, ReducedPotentials,
    Resampled, Ti, TiRule, Unusable, Warning, WarningKind, Works, bar, bar_chain, exp_forward, exp_reverse, mbar,
    thermodynamic_integration, ti_rule,
};
use std::ops::Range;

/// Least number of independent copies whose spread is an error.
pub(super) const COPIES: usize = 4;
/// Most groups that are left out in turn.
const GROUPS: usize = 16;
/// Off-diagonal elements of the overlap matrix between neighbours: reliable from here on.
/// Source: Klimovich, Shirts and Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015).
const OVERLAP: f64 = 0.03;
/// Independent samples that neighbours share: worth a warning below the first, no result below the second.
pub(super) const SHARED: (f64, f64) = (50.0, 10.0);

/// Parts of the data that convergence is shown for.
const PARTS: usize = 10;

/// How free energies are made of frames.
#[derive(Clone, Copy)]
struct How {
    method: Method,
    /// Of integration; none: as the states suggest.
    rule: Option<TiRule>,
    /// Of MBAR: how often frames are drawn again, and the seed.
    bootstrap: Option<(usize, u64)>,
}

/// Free energies of all states, in kT, with two ways to an error.
#[derive(Default)]
struct Found {
    /// f of each point less that of the first; the points are the states, and around them the ends that only a quadrature reaches.
    f: Vec<f64>,
    /// Points before the first state.
    before: usize,
    /// Of integration: the rule.
    rule: Option<TiRule>,
    /// The same from frames drawn again in blocks, with how.
    redrawn: Option<(Bootstrap, Resampled)>,
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
    convergence: Vec<[f64; 5]>,
    /// Of integration: what another way says of the ends, with its error, and its name.
    against: Vec<(&'static str, f64, f64)>,
}

impl Found {
    /// Error of f_j - f_i by leaving out groups of copies in turn.
    fn spread(&self, i: usize, j: usize) -> Option<f64> {
        Some(jackknife_error(self.left_out.as_ref()?.iter().map(|f| f[j] - f[i])))
    }

    /// The error of the ends beside the one from frames that were drawn again, where they differ by more than a factor of two.
    fn second_error(&self) -> Option<Warning> {
        let (how, redrawn) = self.redrawn.as_ref()?;
        let end = self.f.len() - 1;
        let (again, error) = (redrawn.stderr(0, end), self.error(0, end).0);
        (again > 2.0 * error || error > 2.0 * again).then(|| {
            let message = format!(
                "the bootstrap in blocks of {} frames gives {:.2} times the error: believe the larger, or sample longer",
                how.block,
                again / error
            );
            Warning::new(WarningKind::ErrorsDisagree, message)
        })
    }

    /// What drawing again gave of the ends, for the report.
    fn redrawn_text(&self, factor: f64) -> String {
        let Some((how, redrawn)) = &self.redrawn else { return String::new() };
        let end = self.f.len() - 1;
        let (low, high) = redrawn.interval(0, end, 0.95);
        format!(
            "; {} resamples in blocks of {} frames give an error of {:.2e} between the ends and a 95 % interval from {:.4} to {:.4}",
            how.replicates,
            how.block,
            redrawn.stderr(0, end) * factor,
            low * factor,
            high * factor
        )
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
    let how = How {
        method: wanted.method.value,
        rule: wanted.rule.as_ref().map(|r| r.value.of_ti()),
        bootstrap: wanted.bootstraps.as_ref().map(|n| (n.value as usize, job.seed)),
    };
    let found = find(how, read, g);
    let mut estimates = match found {
        Ok(found) => {
            let mut all = report(job, wanted, read, g, &found, &mut summary);
            if wanted.method.value == Method::LogZ {
                all.insert(0, log_z(job, read, &found));
            }
            all
        }
        Err(why) => {
            summary.checks.push(failed(stage, &why));
            let ends = format!("delta_f[0,{}]", read.states.len() - 1);
            let log_z = Some("log_z".to_owned()).filter(|_| wanted.method.value == Method::LogZ);
            log_z
                .into_iter()
                .chain(["delta_f".to_owned(), ends])
                .map(|name| Estimate::missing(name, WarningKind::PoorOverlap, format!("{why}; {}", why.remedy())))
                .collect()
        }
    };
    for e in &mut estimates {
        complete(job, stage, read, e);
    }
    Ok((summary, estimates))
}

/// log Z of the system from that of the normalised base: the ladder must reach from one to the other.
fn log_z(job: &Job<'_>, read: &OnLadder, found: &Found) -> Estimate {
    let at = |lambda: f64| read.states.iter().position(|t| t.lambda == lambda);
    let base = job.system.path.as_ref().and_then(|p| p.base.as_ref());
    match (base, at(0.0), at(1.0)) {
        (Some(base), Some(i), Some(j)) => {
            let (stderr, _) = found.error(i, j);
            let weakest = found.shared.iter().copied().fold(f64::INFINITY, f64::min);
            Estimate::new("log_z", base.log_norm() - (found.f[j] - found.f[i]), stderr, weakest)
        }
        (None, ..) => {
            let why = "no log Z: the path has no normalised base, use kind = \"geometric\"; delta_f is what there is";
            Estimate::missing("log_z", WarningKind::NotFinite, why)
        }
        _ => Estimate::missing("log_z", WarningKind::NotFinite, "no log Z: the ladder does not reach from lambda = 0 to 1"),
    }
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

/// Error from leaving out groups in turn: sigma^2 = (G - 1)/G sum_g (theta_g - mean theta)^2.
pub(super) fn jackknife_error(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    ((n - 1.0) / n * values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()).sqrt()
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

/// The copies in at most [`GROUPS`] groups, as lists of those that stay when a group is left out; none below `least` copies.
pub(super) fn without_each_group(copies: usize, least: usize) -> Option<Vec<Vec<usize>>> {
    if copies < least {
        return None;
    }
    let groups = copies.min(GROUPS);
    Some((0..groups).map(|g| (0..copies).filter(|c| c * groups / copies != g).collect()).collect())
}

/// Frames of some copies.
struct Part<'a> {
    read: &'a OnLadder,
    copies: &'a [usize],
    draws: Range<usize>,
}

impl Part<'_> {
    fn states(&self) -> usize {
        self.read.states.len()
    }

    /// How its frames lie.
    fn shape(&self) -> Shape {
        Shape { copies: self.copies.len(), replicas: self.read.per_copy, draws: self.draws.len() }
    }

    /// The moment of every frame at a state, in the order of [`at_state`](Self::at_state).
    fn moments_at(&self, k: usize) -> Vec<usize> {
        let (mut all, mut first) = (Vec::new(), 0);
        for &c in self.copies {
            let mut draws = Vec::new();
            self.read.at_state_in(c, k, self.draws.clone(), &|_, d| (d - self.draws.start) as f64, &mut draws);
            all.extend(draws.into_iter().map(|d| first + d as usize));
            first += self.draws.len();
        }
        all
    }

    /// `value` of all frames at a state.
    fn at_state(&self, k: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let mut all = Vec::new();
        for &c in self.copies {
            self.read.at_state_in(c, k, self.draws.clone(), &value, &mut all);
        }
        all
    }

    /// Works from state `i` to state `j` of the frames at `i`.
    fn works(&self, i: usize, j: usize) -> Vec<f64> {
        self.at_state(i, |r, d| {
            let u = self.read.u_of(r, d);
            u[j] - u[i]
        })
    }

    /// Reduced energies of all frames at all states.
    fn potentials(&self) -> Answer<ReducedPotentials> {
        self.read.potentials(self.copies, self.draws.clone(), false)
    }
}

type Answer<T> = std::result::Result<T, FreeEnergyError>;

/// Free energies of all states from some of the frames.
fn solve(how: How, part: &Part<'_>) -> Answer<Vec<f64>> {
    let total = |differences: Vec<f64>| {
        let mut f = vec![0.0];
        for d in differences {
            f.push(f[f.len() - 1] + d);
        }
        f
    };
    let k = part.states();
    match how.method {
        Method::Mbar | Method::LogZ => {
            let u = part.potentials()?;
            let fit = mbar(&u, &MbarOptions::default())?;
            Ok(fit.f_k().iter().map(|f| f - fit.f_k()[0]).collect())
        }
        Method::Bar => (0..k - 1).map(|i| one_pair(part, i).map(|b| b.delta_f)).collect::<Answer<Vec<_>>>().map(total),
        Method::Exp => (0..k - 1).map(|i| exp_forward(&part.works(i, i + 1)).map(|d| d.value)).collect::<Answer<Vec<_>>>().map(total),
        Method::Ti => integrate(part, how.rule, 1.0).map(|(ti, _)| ti.profile),
        other => Err(FreeEnergyError::Argument { what: format!("{} does not read a ladder", other.name()) }),
    }
}

/// Thermodynamic integration by the rule, by default quadrature on its own points and else splines, with the mean and error of the
/// gradient at each state.
fn integrate(part: &Part<'_>, rule: Option<TiRule>, g: f64) -> Answer<(Ti, Vec<(f64, f64)>)> {
    let k = part.states();
    let draws: Vec<Vec<f64>> = (0..k).map(|i| part.at_state(i, |r, d| part.read.gradient_of(r, d))).collect();
    let lambda: Vec<f64> = part.read.states.iter().map(|t| t.lambda).collect();
    let argument = |why: Unusable| FreeEnergyError::Argument { what: format!("thermodynamic integration: {why}") };
    let rows: Vec<&[f64]> = draws.iter().map(Vec::as_slice).collect();
    let gradients = Gradients::from_draws(1, &lambda, &rows, &vec![g; k]).map_err(argument)?;
    let fitting = if ti_rule(&gradients) == TiRule::GaussLegendre { TiRule::GaussLegendre } else { TiRule::NaturalCubic };
    let ti = thermodynamic_integration(&gradients, rule.unwrap_or(fitting)).map_err(argument)?;
    let mut means = Vec::with_capacity(k);
    for values in &draws {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        means.push((mean, (square / (n - 1.0) / n * g).sqrt()));
    }
    Ok((ti, means))
}

/// Thermodynamic integration by straight lines, or by splines: from the first state to the last.
fn by(part: &Part<'_>, rule: TiRule) -> Answer<f64> {
    integrate(part, Some(rule), 1.0).map(|(ti, _)| ti.total().0)
}

/// BAR between state `i` and the next.
fn one_pair(part: &Part<'_>, i: usize) -> Answer<Bar> {
    let names = &part.read.names;
    bar(&part.works(i, i + 1), &part.works(i + 1, i)).map_err(|why| match why {
        FreeEnergyError::Disconnected { shared, .. } => {
            FreeEnergyError::Disconnected { groups: vec![vec![names[i].clone()], vec![names[i + 1].clone()]], shared }
        }
        FreeEnergyError::NoSamples { .. } => FreeEnergyError::NoSamples { what: format!("state {} or {}", names[i], names[i + 1]) },
        other => other,
    })
}

/// Errors of f_j - f_i by MBAR: of independent frames, or of the moments of the copies if they are larger; those of a state that no frame
/// was at by the inefficiency g of the others.
fn fitted(part: &Part<'_>, fit: &Mbar<'_>, g: f64) -> Vec<Vec<f64>> {
    let (k, influences, covariance) = (part.states(), fit.influences(), fit.covariance(CovarianceMethod::Asymptotic));
    let shape = part.shape();
    let correlated = shape.errors(&shape.sums(&influences.phi, influences.states.len()));
    let error = |i: usize, j: usize| {
        let (independent, of) = (covariance.stderr(i, j), |k: usize| influences.states.binary_search(&k));
        match (of(i), of(j)) {
            (Ok(a), Ok(b)) => larger(independent, correlated[a][b]),
            _ => independent * g.sqrt(),
        }
    };
    (0..k).map(|i| (0..k).map(|j| error(i, j)).collect()).collect()
}

/// Errors of f_j - f_i by BAR from neighbour to neighbour, which share the samples of the state between them: of independent frames, or
/// of the moments of the copies if they are larger.
fn chained(part: &Part<'_>) -> Answer<Vec<Vec<f64>>> {
    let (k, shape) = (part.states(), part.shape());
    let works = |i: usize, j: usize| {
        let work = part.works(i, j);
        Works { sample: (0..work.len()).collect(), work }
    };
    let links: Vec<(Works, Works)> = (0..k - 1).map(|i| (works(i, i + 1), works(i + 1, i))).collect();
    let chain = bar_chain(&links).map_err(|(_, why)| why)?;
    let mut psi = vec![vec![0.0; shape.moments()]];
    for (i, (forward, reverse)) in chain.influences.iter().enumerate() {
        let mut next = psi[i].clone();
        for (k, phi) in [(i, forward), (i + 1, reverse)] {
            part.moments_at(k).into_iter().zip(phi).for_each(|(m, phi)| next[m] += phi);
        }
        psi.push(next);
    }
    let (c, correlated) = (chain.f_k_covariance(), shape.errors(&psi));
    let independent = |i: usize, j: usize| (c[i * k + i] + c[j * k + j] - 2.0 * c[i * k + j]).max(0.0).sqrt();
    Ok((0..k).map(|i| (0..k).map(|j| larger(independent(i, j), correlated[i][j])).collect()).collect())
}

/// Errors of F_j - F_i by integration, points as in the profile: of independent frames, or of the moments of the copies if they are
/// larger. A rule is linear in the means, and what it makes of one of them alone is its weight.
fn integrated(part: &Part<'_>, ti: &Ti, g: f64) -> Answer<Vec<Vec<f64>>> {
    let (k, shape, points) = (part.states(), part.shape(), ti.profile.len());
    let lambda: Vec<f64> = part.read.states.iter().map(|t| t.lambda).collect();
    let mut psi = vec![vec![0.0; shape.moments()]; points];
    for i in 0..k {
        let alone: Vec<f64> = (0..k).map(|j| f64::from(u8::from(i == j))).collect();
        let weights = thermodynamic_integration(&Gradients::new(1, &lambda, &alone, &vec![0.0; k])?, ti.rule)?.profile;
        let values = part.at_state(i, |r, d| part.read.gradient_of(r, d));
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        for (m, v) in part.moments_at(i).into_iter().zip(values) {
            psi.iter_mut().zip(&weights).for_each(|(psi, w)| psi[m] += w * (v - mean) / n);
        }
    }
    let correlated = shape.errors(&psi);
    Ok((0..points).map(|i| (0..points).map(|j| larger(ti.delta(i, j).1 / g.sqrt(), correlated[i][j])).collect()).collect())
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

/// Free energies of all frames, with everything that is known of their errors.
fn find(how: How, read: &OnLadder, g: f64) -> Answer<Found> {
    let all: Vec<usize> = (0..read.copies).collect();
    let whole = Part { read, copies: &all, draws: read.discard..read.draws };
    let k = whole.states();
    let method = how.method;
    let f = solve(how, &whole)?;
    let left_out = without_each_group(read.copies, COPIES).and_then(|sets| {
        // a group without which there is no number leaves the theory alone to speak
        sets.iter().map(|s| solve(how, &Part { read, copies: s, draws: whole.draws.clone() })).collect::<Answer<Vec<_>>>().ok()
    });
    let mut found = Found { f, left_out, ..Found::default() };
    // what neighbours share is a matter of pairs, whatever the method
    let pairs: Vec<Answer<Bar>> = (0..k - 1).map(|i| one_pair(&whole, i)).collect();
    found.overlap = pairs.iter().map(|b| b.as_ref().map_or(0.0, |b| 0.5 * b.overlap)).collect();
    found.shared = pairs.iter().map(|b| b.as_ref().map_or(0.0, |b| b.shared / g)).collect();
    match method {
        Method::Mbar | Method::LogZ => {
            let u = whole.potentials()?;
            let fit = mbar(&u, &MbarOptions::default())?;
            found.theory = fitted(&whole, &fit, g);
            found.matrix = fit.overlap().matrix.chunks(k).map(<[f64]>::to_vec).collect();
            found.warnings = fit.warnings().to_vec();
            if let Some((replicates, seed)) = how.bootstrap {
                let how = Bootstrap { replicates, seed, block: block_of(g, u.n_k().iter().copied().filter(|n| *n > 0).min().unwrap_or(1)) };
                found.redrawn = Some((how, fit.bootstrap(&how)?));
            }
        }
        Method::Ti => {
            let (ti, means) = integrate(&whole, how.rule, g)?;
            found.before = usize::from(ti.lambda[0][0] != read.states[0].lambda);
            found.rule = Some(ti.rule);
            found.theory = integrated(&whole, &ti, g)?;
            found.warnings = ti.warnings;
            found.gradients = means;
            let stderr = found.theory[found.before][found.before + k - 1];
            found.against = across(&whole, ti.rule, stderr);
            // no pair of states need overlap
            found.overlap.clear();
            found.shared = (0..k - 1).map(|i| whole.at_state(i, |_, _| 0.0).len() as f64 / g).collect();
        }
        Method::Exp => {
            let forward = (0..k - 1).map(|i| exp_forward(&whole.works(i, i + 1))).collect::<Answer<Vec<_>>>()?;
            let back = (0..k - 1).map(|i| exp_reverse(&whole.works(i + 1, i))).collect::<Answer<Vec<_>>>()?;
            found.theory = quadrature(&forward.iter().map(|d| d.stderr * g.sqrt()).collect::<Vec<_>>());
            found.shared = forward.iter().map(|d| d.n_eff / g).collect();
            found.overlap.clear();
            for (i, (a, b)) in forward.iter().zip(&back).enumerate() {
                found.warnings.extend(a.warnings.iter().cloned());
                let z = (a.value - b.value) / ((a.stderr * a.stderr + b.stderr * b.stderr) * g).sqrt();
                if z.is_nan() || z.abs() > 4.0 {
                    let (from, to) = (&read.names[i], &read.names[i + 1]);
                    let message = format!("forward and reverse averages between {from} and {to} disagree by {z:.1} standard errors");
                    found.warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
                }
            }
        }
        _ => {
            let pairs = pairs.into_iter().collect::<Answer<Vec<_>>>()?;
            found.theory = chained(&whole)?;
            found.warnings = pairs.into_iter().flat_map(|b| b.warnings).collect();
        }
    }
    found.convergence = convergence(how, &whole, &found).unwrap_or_default();
    Ok(found)
}

/// What holds an integral between the first and the last state against the states being too far apart: BAR, where every pair of
/// neighbours overlaps; else straight lines instead of the spline or the other way round, with the rule's own error.
fn across(whole: &Part<'_>, rule: TiRule, stderr: f64) -> Vec<(&'static str, f64, f64)> {
    let mut all = Vec::new();
    if let Ok(f) = solve(How { method: Method::Bar, rule: None, bootstrap: None }, whole) {
        let error = chained(whole).map_or(f64::NAN, |theory| theory[0][f.len() - 1]);
        all.push(("BAR", f[f.len() - 1], (error * error + stderr * stderr).sqrt()));
    }
    let (name, other) = match rule {
        TiRule::Trapezoid | TiRule::GaussLegendre => ("the spline", TiRule::NaturalCubic),
        _ => ("the trapezoid", TiRule::Trapezoid),
    };
    if all.is_empty()
        && let Ok(total) = by(whole, other)
    {
        all.push((name, total, stderr));
    }
    all
}

/// The difference of the ends from the first and from the last frames: fraction, forward and its error, reverse and its error.
fn convergence(how: How, whole: &Part<'_>, found: &Found) -> Answer<Vec<[f64; 5]>> {
    let (from, n, end) = (whole.draws.start, whole.draws.len(), found.f.len() - 1);
    let last = found.error(0, end).0;
    let mut rows = Vec::new();
    for part in 1..=PARTS {
        let m = n * part / PARTS;
        let ends = |draws: Range<usize>| solve(how, &Part { read: whole.read, copies: whole.copies, draws }).map(|f| f[end]);
        let (forward, reverse) = (ends(from..from + m)?, ends(from + n - m..from + n)?);
        // as of independent frames, from the error of the whole
        let error = last * (PARTS as f64 / part as f64).sqrt();
        rows.push([part as f64 / PARTS as f64, forward, error, reverse, error]);
    }
    Ok(rows)
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
            let message =
                format!("the copies spread by {:.2e}, theory says {:.2e}: the error is that of {which}", spread * factor, theory * factor);
            e.warnings.push(Warning::new(WarningKind::ErrorsDisagree, message));
        }
        e
    };
    let (first, end) = (found.before, found.f.len() - 1);
    let mut all = vec![difference("delta_f".to_owned(), 0, end, weakest)];
    all[0].warnings.extend(found.warnings.iter().cloned());
    all[0].warnings.extend(found.second_error());
    let pair = |mut e: Estimate, i: usize, j: usize| {
        e.coords = vec![("from".to_owned(), values[i]), ("to".to_owned(), values[j])];
        e
    };
    all.push(pair(difference(format!("delta_f[0,{}]", k - 1), first, first + k - 1, weakest), 0, k - 1));
    for i in 0..k - 1 {
        if k > 2 {
            all.push(pair(
                difference(format!("delta_f[{i},{}]", i + 1), first + i, first + i + 1, found.shared.get(i).copied().unwrap_or(f64::NAN)),
                i,
                i + 1,
            ));
        }
    }
    for (i, value) in values.iter().enumerate() {
        let mut e = difference(format!("f[{i}]"), first, first + i, f64::NAN);
        e.coords = vec![(read.variable.to_owned(), *value)];
        all.push(e);
    }
    for (i, overlap) in found.overlap.iter().enumerate() {
        let mut e = Estimate::new(format!("overlap[{i},{}]", i + 1), *overlap, f64::NAN, found.shared[i]);
        e.warnings.push(Warning::new(WarningKind::NoError, "a diagnostic, without an error of its own"));
        all.push(pair(e, i, i + 1));
    }
    if let Some((how, redrawn)) = &found.redrawn {
        let steps = (1..k).filter(|_| k > 2).map(|j| (format!("[{},{j}]", j - 1), j - 1, j));
        for (index, i, j) in [(String::new(), 0, k - 1)].into_iter().chain(steps) {
            let (low, high) = redrawn.interval(i, j, 0.95);
            let mut e = Estimate::new(format!("delta_f:bootstrap{index}"), found.f[j] - found.f[i], redrawn.stderr(i, j), f64::NAN);
            e = e.scaled(factor);
            e.unit = Some(unit.name().to_owned());
            e.conditions.insert("interval_95".into(), serde_json::json!([low * factor, high * factor]));
            e.conditions.insert("resamples".into(), how.replicates.into());
            e.conditions.insert("block".into(), how.block.into());
            all.push(if index.is_empty() { e } else { pair(e, i, j) });
        }
    }
    checks(read, found, &mut summary.checks);
    let mut shown = values.clone();
    let mut names = read.names.clone();
    // ends that only a quadrature reaches
    if first > 0 {
        shown.insert(0, if values[0] < values[k - 1] { 0.0 } else { 1.0 });
    }
    if found.f.len() > first + k {
        shown.push(if values[0] < values[k - 1] { 1.0 } else { 0.0 });
    }
    let by_quadrature: Vec<usize> = (0..shown.len()).filter(|p| *p < first || *p >= first + k).collect();
    for &p in &by_quadrature {
        names.insert(p, format!("end {}", shown[p]));
    }
    summary.free_energies = Some(FreeEnergySummary {
        method: wanted.method.name().to_owned(),
        unit: unit.name().to_owned(),
        values: shown,
        states: names,
        by_quadrature,
        rule: found.rule.map(|r| rule_name(r).to_owned()),
        f: found.f.iter().map(|f| f * factor).collect(),
        stderr: (0..=end).map(|i| found.error(0, i).0 * factor).collect(),
        g: Some(g),
        errors: errors_from(found) + &found.redrawn_text(factor),
        overlap: found.matrix.clone(),
        gradients: found.gradients.clone(),
        convergence: found
            .convergence
            .iter()
            .map(|row| [row[0], row[1] * factor, row[2] * factor, row[3] * factor, row[4] * factor])
            .collect(),
    });
    all
}

/// In the report.
fn rule_name(rule: TiRule) -> &'static str {
    match rule {
        TiRule::Trapezoid => "the trapezoid",
        TiRule::NaturalCubic => "a natural cubic spline",
        TiRule::Simpson => "Simpson's rule",
        TiRule::GaussLegendre => "Gauss-Legendre quadrature",
    }
}

fn errors_from(found: &Found) -> String {
    match (&found.left_out, found.error(0, found.f.len() - 1).1) {
        (None, _) => format!("theory of the estimator with correlated frames; fewer than {COPIES} independent copies have no spread"),
        (Some(_), true) => "the spread of independent copies, which is larger than theory".to_owned(),
        (Some(_), false) => {
            "theory of the estimator with correlated frames, which is larger than the spread of independent copies".to_owned()
        }
    }
}

fn checks(read: &OnLadder, found: &Found, checks: &mut Vec<Check>) {
    let states = read.states.len();
    let total = found.f[found.before + states - 1] - found.f[found.before];
    for (other, value, error) in &found.against {
        let z = (total - value) / error;
        // BAR has no error of its grid; the trapezoid has one, and it is larger than the spline's
        let bounds = if *other == "BAR" { (3.0, 4.0) } else { (5.0, f64::INFINITY) };
        let outcome = if z.abs() <= bounds.0 {
            Outcome::Pass
        } else if z.abs() <= bounds.1 {
            Outcome::Warn
        } else {
            Outcome::Fail
        };
        checks.push(Check {
            check: "grid".to_owned(),
            of: format!("integral against {other}"),
            value: z.is_finite().then_some(z.abs()),
            bound: Some(bounds.0),
            outcome,
            message: format!(
                "the integral over {states} states is {total:.3} kT, {other} says {value:.3}: {:.1} standard errors apart, should be at most {}: add states where the gradient bends",
                z.abs(),
                bounds.0
            ),
        });
    }
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
        let outcome = if *shared >= SHARED.0 {
            Outcome::Pass
        } else if *shared >= SHARED.1 {
            Outcome::Warn
        } else {
            Outcome::Fail
        };
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
