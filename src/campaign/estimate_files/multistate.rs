//! MBAR on the windows of a leg.

use super::answer::{Answer, Point};
use super::choose::Chosen;
use super::neighbours::named;
use super::trouble::{Answered, Trouble, absent};
use crate::estimate::{CovarianceMethod, FreeEnergyError, Mbar, MbarOptions, ReducedPotentialsBuilder, Warning, WarningKind, mbar};
use crate::io::alchemical::Leg;

pub(super) fn multistate(leg: &Leg, chosen: &Chosen) -> Answered<Answer> {
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
    let names: Vec<String> = columns.iter().map(|&k| leg.name(k)).collect();
    let n_k: Vec<usize> = columns.iter().map(|&k| chosen.windows[k].iter().map(|c| c.used.len()).sum()).collect();
    let why = |e: FreeEnergyError| Trouble::Failed(e.into());
    let mut builder = ReducedPotentialsBuilder::new(&names, &n_k).map_err(why)?;
    let mut sample = vec![0.0; columns.len()];
    for &state in columns {
        for (run, choice) in leg.windows[state].runs.iter().zip(&chosen.windows[state]) {
            for &n in &choice.used {
                let row = run.energies.row(n);
                sample.iter_mut().zip(columns).for_each(|(to, &k)| *to = row[k]);
                builder.sample(&sample).map_err(why)?;
            }
        }
    }
    let u = builder.finish().map_err(why)?;
    let fit = mbar(&u, &MbarOptions::default()).map_err(why)?;
    Ok(mbar_answer(&named(leg, columns), &n_k, &fit))
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

pub(super) fn mbar_answer(points: &[Point], n_k: &[usize], fit: &Mbar<'_>) -> Answer {
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
    Answer {
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
    }
}
