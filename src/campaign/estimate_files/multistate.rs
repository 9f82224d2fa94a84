//! MBAR on the windows of a leg.

use super::answer::{Answer, Point};
use super::beside::{Beside, Redrawn, block_of, decomposition};
use super::choose::{Chosen, inefficiency, neighbour};
use super::neighbours::named;
use super::trouble::{Answered, Trouble, absent, failed};
use super::{Method, Request};
use crate::estimate::{
    Bootstrap, CovarianceMethod, FreeEnergyError, Mbar, MbarOptions, ReducedPotentialsBuilder, Warning, WarningKind, mbar,
};
use crate::io::alchemical::Leg;

/// MBAR between all states whose energies every sample has.
pub(super) fn multistate(leg: &Leg, chosen: &Chosen, request: &Request) -> Answered<Answer> {
    if let Some(complaint) = leg.refused.first() {
        return absent(complaint.what.clone(), complaint.remedy.clone());
    }
    if !leg.complete() {
        let energies = leg.sampled().iter().any(|&k| leg.windows[k].runs.iter().any(|r| !r.energies.is_empty()));
        if !energies {
            return absent("the files hold no energies of other states", energies_advice(leg));
        }
        let what = "the energy of every sample in every state is needed, and the files have those of some states only";
        return absent(what, energies_advice(leg));
    }
    let columns = &chosen.columns;
    let known = leg.sampled().iter().all(|&k| leg.windows[k].runs.iter().all(|r| r.totals && r.base.len() == r.energies.len()));
    if request.entropy && !known && request.method == Method::Mbar {
        return absent("the files hold differences of energies only, in which energy and entropy are not apart", totals_advice(leg));
    }
    let beside = Beside {
        bootstrap: request.bootstrap.map(|b| Bootstrap { replicates: b.replicates, seed: b.seed, block: block(leg, chosen) }),
        entropy: request.entropy && known,
    };
    let names: Vec<String> = columns.iter().map(|&k| leg.name(k)).collect();
    let n_k = numbers(chosen);
    let why = |e: FreeEnergyError| Trouble::Failed(e.into());
    let mut builder = ReducedPotentialsBuilder::new(&names, &n_k).map_err(why)?;
    each(leg, chosen, beside.entropy, |sample| builder.sample(sample)).map_err(why)?;
    let u = builder.finish().map_err(why)?;
    let fit = mbar(&u, &MbarOptions::default()).map_err(why)?;
    let mut answer = mbar_answer(&named(leg, columns), &n_k, &fit, &beside).map_err(why)?;
    if n_k.iter().filter(|n| **n > 0).count() == 1 {
        // A prediction: its ends are those of all states that the samples reach.
        answer.ends = (0, answer.points.len() - 1);
    }
    if let ([only], reached) = (&answer.points[..], answer.left.len()) {
        let what = format!("all samples are of the one state {}", only.name);
        return match reached {
            0 => absent(what, "give the files of other states too"),
            _ => Err(failed(format!("MBAR: {what}, and too few of them reach another"), "give the files of other states too")),
        };
    }
    if request.entropy && !known {
        let what = format!("energy and entropy are not apart: the files hold differences of energies only; {}", totals_advice(leg));
        answer.warnings.push(Warning::new(WarningKind::NotCovered, what));
    }
    Ok(answer)
}

/// Samples that are used of each state that MBAR can treat.
fn numbers(chosen: &Chosen) -> Vec<usize> {
    chosen.columns.iter().map(|&k| chosen.windows[k].iter().map(|c| c.used.len()).sum()).collect()
}

/// The energies of every sample that is used, grouped by state; with `total` those of the sample's own state are added.
fn each<E>(leg: &Leg, chosen: &Chosen, total: bool, mut take: impl FnMut(&[f64]) -> Result<(), E>) -> Result<(), E> {
    let columns = &chosen.columns;
    let mut sample = vec![0.0; columns.len()];
    for &state in columns {
        for (run, choice) in leg.windows[state].runs.iter().zip(&chosen.windows[state]) {
            for &n in &choice.used {
                let (row, base) = (run.energies.row(n), if total { run.base[n] } else { 0.0 });
                sample.iter_mut().zip(columns).for_each(|(to, &k)| *to = row[k] + base);
                take(&sample)?;
            }
        }
    }
    Ok(())
}

/// Numbers of samples and their energies `[n][K]`, for estimates from parts of them.
pub(super) fn samples(leg: &Leg, chosen: &Chosen) -> (Vec<usize>, Vec<f64>) {
    let n_k = numbers(chosen);
    let mut u_nk = Vec::with_capacity(n_k.iter().sum::<usize>() * n_k.len());
    let all: Result<(), std::convert::Infallible> = each(leg, chosen, false, |sample| {
        u_nk.extend_from_slice(sample);
        Ok(())
    });
    let Ok(()) = all;
    (n_k, u_nk)
}

/// Length of blocks of samples as they are used: 1 where they were thinned.
fn block(leg: &Leg, chosen: &Chosen) -> usize {
    if chosen.thin {
        return 1;
    }
    let mut least = 1;
    for &state in &chosen.columns {
        for (run, choice) in leg.windows[state].runs.iter().zip(&chosen.windows[state]) {
            let series = neighbour(run, state, &choice.complete);
            least = least.max(series.map_or(1, |s| block_of(inefficiency(&s), s.len())));
        }
    }
    least
}

fn totals_advice(leg: &Leg) -> &'static str {
    use crate::io::alchemical::Program;
    match leg.program {
        Program::Gromacs => "run with dhdl-print-energy = total",
        _ => "leave --entropy out",
    }
}

fn energies_advice(leg: &Leg) -> &'static str {
    use crate::io::alchemical::Program;
    match leg.program {
        Program::Gromacs => "run with calc-lambda-neighbors = -1, which writes the energies of all states; TI and BAR do without",
        Program::Amber => "run with ifmbar = 1 and all lambdas in mbar_lambda; TI does without",
        Program::Namd => "NAMD writes the energies of neighbours only: use bar or exp",
        Program::Gomc => "write the energies of all states",
    }
}

/// Effective samples that a state without samples of its own needs before its free energy is told.
const REACHED: f64 = 50.0;

/// What a fit says of the states that its samples reach.
///
/// Errors: those of resampling.
pub(super) fn mbar_answer(points: &[Point], n_k: &[usize], fit: &Mbar<'_>, beside: &Beside) -> Result<Answer, FreeEnergyError> {
    let (effective, states) = (fit.effective_sample_numbers(), n_k.len());
    let (kept, left): (Vec<usize>, Vec<usize>) =
        (0..states).partition(|&k| n_k[k] > 0 || (effective[k] >= REACHED && fit.f_k()[k].is_finite()));
    let mut warnings = fit.warnings().to_vec();
    if !left.is_empty() {
        let names: Vec<String> = left.iter().map(|&k| format!("{} ({:.1})", points[k].name, effective[k])).collect();
        let what = "states without samples that too few samples of others reach (effective number below 50), left out";
        warnings.push(Warning::new(WarningKind::PoorOverlap, format!("{what}: {}", names.join("; "))));
    }
    let sampled: Vec<usize> = (0..kept.len()).filter(|&i| n_k[kept[i]] > 0).collect();
    let ends = (sampled[0], sampled[sampled.len() - 1]);
    let (theta, overlap) = (fit.covariance(CovarianceMethod::Asymptotic).theta, fit.overlap().matrix);
    let square = |m: &[f64]| kept.iter().flat_map(|&i| kept.iter().map(move |&j| m[i * states + j])).collect::<Vec<f64>>();
    let mut answer = Answer {
        key: "mbar".into(),
        label: "MBAR".into(),
        points: kept.iter().map(|&k| points[k].clone()).collect(),
        f: kept.iter().map(|&k| fit.f_k()[k] - fit.f_k()[kept[0]]).collect(),
        covariance: square(&theta),
        n_eff: fit.delta(kept[ends.0], kept[ends.1]).n_eff,
        ends,
        effective: kept.iter().map(|&k| effective[k]).collect(),
        overlap: square(&overlap),
        warnings,
        left: left.iter().map(|&k| points[k].clone()).collect(),
        redrawn: beside.bootstrap.map(|how| Redrawn::new(fit, how, &kept)).transpose()?,
        decomposition: beside.entropy.then(|| decomposition(fit, &kept)),
    };
    answer.warnings.extend(answer.disagreement());
    Ok(answer)
}
