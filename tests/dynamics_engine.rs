//! What every propagator owes its user: the same bits however the work is cut, however many replicas, threads or lanes there
//! are; a resume that goes on exactly; divergence that stays where it happened; a centre of mass that rests.
#![allow(clippy::needless_range_loop)] // replicas and degrees of freedom are indices

mod trial;

use ergodica::batch::{Coords, Ensemble, Health, Phase, Resume, Snapshot, Thermo};
use ergodica::dynamics::*;
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::real::Real;
use ergodica::stream::{Purpose, Root};
use proptest::prelude::*;
use std::sync::Arc;
use trial::{Well, ensemble};

const KINDS: [Kind; 7] =
    [Kind::Baoab, Kind::Obabo, Kind::EulerMaruyama, Kind::LeimkuhlerMatthews, Kind::VelocityVerlet, Kind::Mala, Kind::Hmc];

/// Springs between all pairs of 3 particles in the plane, with a quartic part: translation-invariant.
struct Triangle;
impl Energy for Triangle {
    fn dof(&self) -> usize {
        6
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for d in 0..6 {
            f[d] = T::of(0.0);
        }
        for i in 0..3 {
            for j in 0..i {
                for k in 0..2 {
                    let r = x[2 * i + k] - x[2 * j + k];
                    let g = lambda * (T::of(1.0) + T::of(0.2) * r * r) * r;
                    u += lambda * (T::of(0.5) + T::of(0.05) * r * r) * r * r;
                    f[2 * i + k] -= g;
                    f[2 * j + k] += g;
                }
            }
        }
        u
    }
}

const MASS: [f64; 6] = [1.0, 1.0, 2.0, 2.0, 0.5, 0.5];

fn spec(kind: Kind, com: Com) -> Spec {
    let warmup = if matches!(kind, Kind::Mala | Kind::Hmc) { 30 } else { 0 };
    let dt = if matches!(kind, Kind::EulerMaruyama | Kind::LeimkuhlerMatthews) { 0.02 } else { 0.2 };
    Spec { dt, gamma: 0.9, leapfrog: 3, warmup, com, ..Spec::new(kind) }
}

fn mover(kind: Kind, com: Com) -> Box<dyn Propagator<Phase>> {
    build(&spec(kind, com), Arc::new(Batched(Triangle)), &MASS).unwrap()
}

/// Replicas at different temperatures and couplings.
fn mixed(replicas: usize) -> Ensemble<Phase> {
    let mut rows = Vec::new();
    for r in 0..replicas {
        for d in 0..6 {
            rows.push(0.3 * (r % 5) as f64 - 0.2 * d as f64);
        }
    }
    let x = Coords::from_rows(&rows, 6).unwrap();
    let thermo = (0..replicas).map(|r| Thermo { beta: 0.5 + 0.1 * (r % 7) as f64, lambda: 1.0 - 0.05 * (r % 3) as f64, state: 0 });
    let mut ens = Ensemble::new(Phase::at_rest(x, MASS.to_vec()).unwrap(), thermo.collect(), Root::new(11, "engine", "")).unwrap();
    draw_velocities(&mut ens, 0, Com::Keep).unwrap();
    ens
}

fn bits(ens: &Ensemble<Phase>) -> Vec<u64> {
    let phase = ens.state();
    phase.x.to_rows().iter().chain(&phase.v.to_rows()).map(|x| x.to_bits()).collect()
}

/// All kinds, advanced, as one number.
fn digest() -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for kind in KINDS {
        for com in [Com::Keep, Com::Remove { dim: 2 }] {
            let (mut ens, mut p) = (mixed(19), mover(kind, com));
            p.advance(&mut ens, 60).unwrap();
            assert_eq!(ens.well().count(), 19, "{kind:?}");
            let extra = p.energy().into_iter().chain(p.kinetic()).flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
            for b in bits(&ens).into_iter().chain(extra).chain([p.timestep().to_bits(), p.tally().accepted]) {
                h = (h ^ b).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
    }
    h
}

#[test]
fn threads_do_not_matter() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(digest);
    for threads in [2, 8] {
        assert_eq!(one, rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(digest));
    }
}

/// Not a test: what [`vector_paths_do_not_matter`] runs in other processes.
#[test]
#[ignore = "run by vector_paths_do_not_matter"]
fn print_digest() {
    println!("digest {:016x}", digest());
}

#[test]
fn vector_paths_do_not_matter() {
    use ergodica::real::isa::Path;
    let expected = format!("digest {:016x}", digest());
    for path in [Path::Avx512, Path::Avx2, Path::Portable] {
        if !path.available() {
            println!("skipped: this machine has no {}", path.name());
            continue;
        }
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "print_digest", "--nocapture"])
            .env("ERGODICA_ISA", path.name())
            .output()
            .unwrap();
        let said = String::from_utf8(child.stdout).unwrap();
        assert!(said.contains(&expected), "{}: {said}", path.name());
    }
}

#[test]
fn a_lane_is_the_scalar_step() {
    fn check<R: Rule>(mut p: Unadjusted<R>) {
        let mut ens = mixed(11);
        let noise = ens.root.stream(0, Purpose::Noise);
        let (mut x, mut v) = ([0.0; 6], [0.0; 6]);
        for r in [0_usize, 7, 10] {
            let mut batch = mixed(11);
            ens.state().x.row(r, &mut x);
            ens.state().v.row(r, &mut v);
            let mut k = 0.0;
            let t = ens.thermo()[r];
            for step in 0..9 {
                let mut xi = vec![0.0; 6 * R::NOISES];
                noise.normals::<f64>(step, r as u32, &mut xi);
                k = p.step_one(&mut x, &mut v, t.beta, t.lambda, &xi);
            }
            p.advance(&mut batch, 9).unwrap();
            for d in 0..6 {
                assert_eq!(batch.state().x.get(r, d).to_bits(), x[d].to_bits());
                assert_eq!(batch.state().v.get(r, d).to_bits(), v[d].to_bits());
            }
            if let Some(kinetic) = p.kinetic() {
                assert_eq!(kinetic[r].to_bits(), k.to_bits());
            }
        }
        p.advance(&mut ens, 1).unwrap();
    }
    let potential: Arc<dyn Potential> = Arc::new(Batched(Triangle));
    for com in [Com::Keep, Com::Remove { dim: 2 }] {
        check(Baoab::new(potential.clone(), &MASS, 0.2, 0.9, com).unwrap());
        check(Obabo::new(potential.clone(), &MASS, 0.2, 0.9, com).unwrap());
        check(EulerMaruyama::new(potential.clone(), &MASS, 0.02, 0.9, com).unwrap());
        check(LeimkuhlerMatthews::new(potential.clone(), &MASS, 0.02, 0.9, com).unwrap());
        check(VelocityVerlet::new(potential.clone(), &MASS, 0.2, com).unwrap());
    }
}

#[test]
fn a_resumed_run_goes_on_to_the_bit() {
    for kind in KINDS {
        for (com, at) in [(Com::Keep, 37), (Com::Remove { dim: 2 }, 12)] {
            let (mut whole, mut p) = (mixed(13), mover(kind, com));
            p.advance(&mut whole, 100).unwrap();

            let (mut first, mut q) = (mixed(13), mover(kind, com));
            q.advance(&mut first, at).unwrap();
            let mut saved = Snapshot::default();
            saved.nest("ensemble", |s| first.save(s));
            saved.nest("propagator", |s| q.save(s));
            let saved = Snapshot::from_bytes(&saved.to_bytes()).unwrap();

            let (mut second, mut r) = (mixed(13), mover(kind, com));
            second.load(saved.nested("ensemble").unwrap()).unwrap();
            r.load(saved.nested("propagator").unwrap()).unwrap();
            assert_eq!(r.kinetic(), q.kinetic());
            r.advance(&mut second, 100 - at).unwrap();
            assert_eq!(bits(&whole), bits(&second), "{kind:?}");
            assert_eq!((p.tally(), p.kinetic(), p.energy()), (r.tally(), r.kinetic(), r.energy()), "{kind:?}");
            assert_eq!(p.timestep().to_bits(), r.timestep().to_bits());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn how_the_steps_are_cut_does_not_matter(kind in 0_usize..7, cuts in prop::collection::vec(0_u64..20, 1..6)) {
        let (mut whole, mut p) = (mixed(9), mover(KINDS[kind], Com::Keep));
        p.advance(&mut whole, cuts.iter().sum()).unwrap();
        let (mut parts, mut q) = (mixed(9), mover(KINDS[kind], Com::Keep));
        for steps in cuts {
            q.advance(&mut parts, steps).unwrap();
        }
        prop_assert_eq!(bits(&whole), bits(&parts));
        prop_assert_eq!(p.tally(), q.tally());
        prop_assert_eq!(whole.step, parts.step);
        prop_assert_eq!(whole.state().x.octets(), parts.state().x.octets()); // padding as well
    }

    #[test]
    fn how_many_replicas_there_are_does_not_matter(kind in 0_usize..7, few in 1_usize..20, more in 0_usize..20) {
        // Adaptation looks at the whole batch on purpose; without it a replica stands for itself.
        let without = Spec { warmup: 0, ..spec(KINDS[kind], Com::Keep) };
        let run = |n| {
            let mut ens = mixed(n);
            build(&without, Arc::new(Batched(Triangle)), &MASS).unwrap().advance(&mut ens, 25).unwrap();
            ens
        };
        let (a, b) = (run(few), run(few + more));
        for r in 0..few {
            for d in 0..6 {
                prop_assert_eq!(a.state().x.get(r, d).to_bits(), b.state().x.get(r, d).to_bits());
                prop_assert_eq!(a.state().v.get(r, d).to_bits(), b.state().v.get(r, d).to_bits());
            }
        }
    }
}

/// U = -x^4 on |x| > 1: whoever gets there is gone.
struct Cliff;
impl Energy for Cliff {
    fn dof(&self) -> usize {
        2
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for d in 0..2 {
            let out = T::of(1.0).lt(x[d].abs());
            f[d] = T::select(out, T::of(1e4) * x[d] * x[d] * x[d], -x[d]);
            u += T::select(out, T::of(-2.5e3) * x[d] * x[d] * x[d] * x[d], T::of(0.5) * x[d] * x[d]);
        }
        u
    }
}

#[test]
fn a_replica_that_diverges_is_frozen_and_the_others_do_not_notice() {
    let start = |fall: &[usize]| {
        let mut rows = Vec::new();
        for r in 0..12 {
            rows.extend([if fall.contains(&r) { 1.5 } else { 0.01 }, 0.02]);
        }
        let x = Coords::from_rows(&rows, 2).unwrap();
        Ensemble::new(Phase::at_rest(x, vec![1.0; 2]).unwrap(), vec![Thermo::at(1e3); 12], Root::new(3, "cliff", "")).unwrap()
    };
    for kind in [Kind::Baoab, Kind::Obabo, Kind::EulerMaruyama, Kind::LeimkuhlerMatthews, Kind::VelocityVerlet] {
        let p = || build(&Spec { dt: 0.01, gamma: 1.0, ..Spec::new(kind) }, Arc::new(Batched(Cliff)), &[1.0; 2]).unwrap();
        let (mut calm, mut storm, mut single) = (start(&[]), start(&[2, 9]), start(&[2, 9]));
        let (mut quiet, mut loud, mut each) = (p(), p(), p());
        quiet.advance(&mut calm, 400).unwrap();
        loud.advance(&mut storm, 400).unwrap();
        let mut noticed = [None; 12];
        let mut before = Vec::new();
        for step in 1..=400 {
            let old = single.clone();
            each.advance(&mut single, 1).unwrap();
            for r in 0..12 {
                if single.health[r] != Health::Well && noticed[r].is_none() {
                    noticed[r] = Some(step);
                    before.push((r, old.state().x.get(r, 0)));
                }
            }
        }
        for r in 0..12 {
            if [2, 9].contains(&r) {
                let step = noticed[r].unwrap();
                assert!(step > 1);
                assert_eq!(storm.health[r], Health::Diverged { step });
                assert!(storm.state().x.get(r, 0).is_finite() && storm.state().v.get(r, 1).is_finite());
            } else {
                assert_eq!(storm.health[r], Health::Well);
                for d in 0..2 {
                    assert_eq!(storm.state().x.get(r, d).to_bits(), calm.state().x.get(r, d).to_bits());
                    assert_eq!(storm.state().v.get(r, d).to_bits(), calm.state().v.get(r, d).to_bits());
                }
            }
        }
        for (r, x) in before {
            assert_eq!(storm.state().x.get(r, 0).to_bits(), x.to_bits(), "frozen where it was before the fatal step");
        }
        assert_eq!(bits(&single), bits(&storm));
        assert_eq!(each.tally(), loud.tally());
        // a step each, and the forces at the beginning
        assert!(loud.tally().evaluations < quiet.tally().evaluations && quiet.tally().evaluations == 12 * (400 + 1));
        assert!(loud.energy().unwrap().iter().all(|u| u.is_finite()));
    }
}

/// U = x^2/2, infinite beyond 2: a proposal out there is refused, a start out there has diverged.
struct Box2;
impl Energy for Box2 {
    fn dof(&self) -> usize {
        1
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        f[0] = -x[0];
        T::select(x[0].abs().le(T::of(2.0)), T::of(0.5) * x[0] * x[0], T::of(f64::INFINITY))
    }
}

#[test]
fn an_impossible_proposal_is_a_rejection() {
    for kind in [Kind::Mala, Kind::Hmc] {
        let x = Coords::from_rows(&[0.0, 5.0, 1.9], 1).unwrap();
        let phase = Phase::at_rest(x, vec![1.0]).unwrap();
        let mut ens = Ensemble::new(phase, vec![Thermo::at(0.1); 3], Root::new(3, "box", "")).unwrap();
        let mut p = build(&Spec { dt: 1.5, ..Spec::new(kind) }, Arc::new(Batched(Box2)), &[1.0]).unwrap();
        p.advance(&mut ens, 500).unwrap();
        assert_eq!(ens.health, [Health::Well, Health::Diverged { step: 0 }, Health::Well]);
        assert_eq!(ens.state().x.get(1, 0), 5.0);
        let tally = p.tally();
        assert_eq!(tally.proposed, 1000);
        assert!(tally.accepted > 50 && tally.accepted < 950, "{tally:?}");
    }
}

#[test]
fn the_centre_of_mass_rests() {
    for kind in KINDS {
        let (mut ens, mut p) = (mixed(16), mover(kind, Com::Remove { dim: 2 }));
        assert_eq!(p.degrees_of_freedom(), 4);
        assert_eq!(mover(kind, Com::Keep).degrees_of_freedom(), 6);
        p.advance(&mut ens, 300).unwrap();
        assert_eq!(ens.well().count(), 16, "{kind:?}");
        for r in 0..16 {
            for k in 0..2 {
                let sum = |c: &Coords| (0..3).map(|i| MASS[2 * i + k] * c.get(r, 2 * i + k)).sum::<f64>();
                assert!(sum(&ens.state().x).abs() < 1e-13, "{kind:?}");
                if kind != Kind::EulerMaruyama {
                    assert!(sum(&ens.state().v).abs() < 1e-12, "{kind:?}");
                }
            }
        }
    }
}

#[test]
fn stale_forces_are_noticed() {
    let mut p = mover(Kind::Baoab, Com::Keep);
    let (mut a, mut b, mut fresh) = (mixed(8), mixed(8), mixed(8));
    p.advance(&mut a, 3).unwrap();
    // Another ensemble, then the first one changed behind the propagator's back.
    p.advance(&mut b, 3).unwrap();
    assert_eq!(bits(&a), bits(&b));
    for ens in [&mut b, &mut fresh] {
        ens.state_mut().x.set(2, 1, 0.7);
        ens.thermo_mut()[4].lambda = 0.1;
    }
    p.advance(&mut b, 2).unwrap();
    let mut restart = a.clone();
    restart.state_mut().x.set(2, 1, 0.7);
    restart.thermo_mut()[4].lambda = 0.1;
    mover(Kind::Baoab, Com::Keep).advance(&mut restart, 2).unwrap();
    assert_eq!(bits(&b), bits(&restart));
}

#[test]
fn what_cannot_work_is_refused() {
    let potential: Arc<dyn Potential> = Arc::new(Batched(Well { k: vec![1.0; 2], q: 0.0 }));
    let good = Spec { dt: 0.1, gamma: 1.0, ..Spec::new(Kind::Baoab) };
    assert!(build(&good, potential.clone(), &[1.0; 2]).is_ok());
    let refused = |spec: Spec| build(&spec, potential.clone(), &[1.0; 2]).is_err();
    assert!(refused(Spec { dt: 0.0, ..good.clone() }));
    assert!(refused(Spec { dt: f64::NAN, ..good.clone() }));
    assert!(refused(Spec { gamma: -1.0, ..good.clone() }));
    assert!(refused(Spec { warmup: 10, ..good.clone() }));
    assert!(refused(Spec { kind: Kind::EulerMaruyama, gamma: 0.0, ..good.clone() }));
    assert!(refused(Spec { kind: Kind::Hmc, leapfrog: 0, ..good.clone() }));
    assert!(refused(Spec { kind: Kind::Hmc, jitter: 1.0, ..good.clone() }));
    assert!(refused(Spec { kind: Kind::Mala, target_acceptance: Some(1.0), ..good.clone() }));
    assert!(refused(Spec { com: Com::Remove { dim: 3 }, ..good.clone() }));
    assert!(build(&good, potential.clone(), &[1.0; 3]).is_err());
    let mut p = build(&good, potential.clone(), &[1.0; 2]).unwrap();
    let root = Root::new(1, "", "");
    assert!(p.advance(&mut ensemble(&[0.0; 3], &[1.0; 3], 8, 1.0, root), 1).is_err());
    assert!(p.advance(&mut ensemble(&[0.0; 2], &[1.0, 2.0], 8, 1.0, root), 1).is_err());
    assert!(p.advance(&mut ensemble(&[0.0; 2], &[1.0; 2], 8, -1.0, root), 1).is_err());
}

#[test]
fn every_kind_is_registered_once() {
    for kind in KINDS {
        assert_eq!(Kind::from_name(kind.info().name), Some(kind));
        assert_eq!(PROPAGATORS.iter().filter(|p| p.kind == kind).count(), 1);
        let p = build(&Spec { dt: 0.1, gamma: 1.0, ..Spec::new(kind) }, trial::harmonic(&[1.0]), &[1.0]).unwrap();
        assert_eq!(p.exact(), kind.info().exact);
    }
    assert_eq!(PROPAGATORS.len(), KINDS.len());
}
