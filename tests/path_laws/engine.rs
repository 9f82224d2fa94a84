//! Bits: threads, resumes.

use super::path::kinds::{KINDS, Kind, base, transition};
use super::path::targets::{mixture, soft_three};
use super::path::{batch, targets::Case};
use ergodica::batch::{Ensemble, Phase, Resume, Snapshot};
use ergodica::dynamics::{HmcOptions, mala};
use ergodica::path::*;
use std::sync::Arc;

/// A run of a kind, resampling now and then; with `Kind::Mala` schedule and steps adapt.
fn run(kind: Kind, case: &Case) -> (Anneal<Phase>, Ensemble<Phase>) {
    let mut ladder = case.ladder.clone();
    let mut options = AnnealOptions { resample: Resample::Below(0.9), runs: 3, ..AnnealOptions::default() };
    let mut moves = transition(kind, case);
    if kind == Kind::Mala {
        ladder = vec![ladder[0], *ladder.last().unwrap()];
        options.schedule = Schedule::Adaptive { ess: 0.9, most: 40 };
        let mover = mala(case.potential.clone(), &vec![1.0; case.dof], HmcOptions { dt: 0.3, com: case.com, ..HmcOptions::default() });
        let kernel = Invariant::new(Box::new(mover.unwrap()), Arc::new(Boltzmann(case.potential.clone())), 1).unwrap();
        moves = Box::new(kernel.with_sizes(Steps::Adapt { acceptance: 0.574 }).unwrap());
    }
    let ens = batch(case.dof, 57, ladder[0], "engine");
    (Anneal::new(Path::new(ladder, moves).unwrap(), options).unwrap(), ens)
}

fn bits(run: &Anneal<Phase>, ens: &Ensemble<Phase>) -> Vec<u8> {
    let mut s = Snapshot::default();
    s.nest("run", |s| run.save(s));
    s.nest("ensemble", |s| ens.save(s));
    s.put("evaluations", run.tally().evaluations);
    s.put("gradients", run.tally().gradients);
    s.to_bytes()
}

fn all() -> Vec<Vec<u8>> {
    let mut results = Vec::new();
    for case in [mixture(), soft_three()] {
        for kind in KINDS {
            let (mut run, mut ens) = run(kind, &case);
            run.start_from(&base(kind, &case), &mut ens).unwrap();
            run.finish(&mut ens).unwrap();
            assert!(run.levels().iter().any(|l| l.resampled > 0), "{kind:?} never resampled");
            results.push(bits(&run, &ens));
        }
    }
    results
}

#[test]
fn threads_do_not_matter() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(all);
    for threads in [2, 3] {
        assert!(one == rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(all));
    }
}

/// Stopped after every single level, saved to bytes, and gone on with by fresh objects: the same bits, evaluations counted alike.
#[test]
fn resumes_go_on_exactly() {
    let case = mixture();
    for kind in KINDS {
        let (mut whole, mut ens) = run(kind, &case);
        whole.start_from(&base(kind, &case), &mut ens).unwrap();
        whole.finish(&mut ens).unwrap();
        let expected = bits(&whole, &ens);

        let (mut first, mut ens) = run(kind, &case);
        first.start_from(&base(kind, &case), &mut ens).unwrap();
        let mut saved = bits(&first, &ens);
        loop {
            let snapshot = Snapshot::from_bytes(&saved).unwrap();
            let (mut again, mut ens) = run(kind, &case);
            again.load(snapshot.nested("run").unwrap()).unwrap();
            ens.load(snapshot.nested("ensemble").unwrap()).unwrap();
            let took = again.advance(&mut ens, 1).unwrap();
            saved = bits(&again, &ens);
            if took == 0 {
                break;
            }
        }
        assert!(saved == expected, "{kind:?}");
    }
}

#[test]
fn what_cannot_be_right_is_refused() {
    let case = mixture();
    let says = |e: ergodica::Result<()>, words: &str| {
        let text = e.unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    };
    let target: Arc<dyn Target<Phase>> = Arc::new(Boltzmann(case.potential.clone()));
    let unadjusted = ergodica::dynamics::Baoab::new(case.potential.clone(), &[1.0; 2], 0.1, 1.0, case.com).unwrap();
    says(Invariant::new(Box::new(unadjusted), target.clone(), 1).map(drop), "does not leave exp(-u) invariant");
    let warm = HmcOptions { warmup: 5, ..HmcOptions::default() };
    let warm = mala(case.potential.clone(), &[1.0; 2], warm).unwrap();
    says(Invariant::new(Box::new(warm), target.clone(), 1).map(drop), "adapts during its first 5 steps");
    let plain = || Box::new(mala(case.potential.clone(), &[1.0; 2], HmcOptions::default()).unwrap());
    let counting = Arc::new(Canonical::new(case.potential.clone(), case.com));
    says(Invariant::new(plain(), counting, 1).map(drop), "counts momenta");
    says(Invariant::new(plain(), target.clone(), 0).map(drop), "0 steps");

    // The propagator moves in another potential than the levels weigh.
    let other: Arc<dyn Target<Phase>> = Arc::new(Boltzmann(super::bump().potential));
    let wrong = Invariant::new(plain(), other, 1).unwrap();
    let mut path = Path::new(case.ladder.clone(), Box::new(wrong)).unwrap();
    let mut ens = batch(2, 4, case.ladder[0], "refused");
    says(path.start_from(&case.base, &mut ens).and_then(|()| path.forward(0, &mut ens)), "for the propagator and");

    // Backward with steps that adapt.
    let kernel = Invariant::new(plain(), target, 1).unwrap().with_sizes(Steps::Adapt { acceptance: 0.574 }).unwrap();
    let mut path = Path::new(case.ladder.clone(), Box::new(kernel)).unwrap();
    path.start(Way::Backward, &mut ens).unwrap();
    says(path.backward(0, &mut ens), "freeze the steps");

    says(Path::new(vec![case.ladder[0]], transition(Kind::Ula, &case)).map(drop), "leads nowhere");
    let path = || Path::new(case.ladder.clone(), transition(Kind::Ula, &case)).unwrap();
    let with = |options: AnnealOptions| Anneal::new(path(), options).map(drop);
    says(with(AnnealOptions { resample: Resample::Below(0.0), ..AnnealOptions::default() }), "effective share of 0");
    says(with(AnnealOptions { schedule: Schedule::Adaptive { ess: 1.0, most: 9 }, ..AnnealOptions::default() }), "between 0 and 1");
    says(with(AnnealOptions { runs: 0, ..AnnealOptions::default() }), "0 runs");
    let mut run = Anneal::new(path(), AnnealOptions { runs: 3, ..AnnealOptions::default() }).unwrap();
    says(run.start(&mut ens), "4 replicas cannot be shared among 3 runs");
    let mut run = Anneal::new(path(), AnnealOptions::default()).unwrap();
    says(run.advance(&mut ens, 1).map(drop), "has not been started");
    says(run.start_from(&case.base.clone().with_momenta(), &mut ens), "counts momenta, the other does not");
}
