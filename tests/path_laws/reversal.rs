//! Replay through the ledger, and what a path and its reversal say about each other.

use super::path::kinds::{KINDS, base, transition};
use super::path::targets::{Case, bump, lj3, mixture, quartic, soft_three};
use super::path::{bar, batch, mean};
use ergodica::batch::{Ensemble, Health, Phase, Thermo};
use ergodica::path::*;
use ergodica::real::Real;
use ergodica::stream::Purpose;

/// The weights of a walk are what the ledger says of its states: forward, and backward with the other sign.
#[test]
fn replay_finds_the_same_weights() {
    for case in [mixture(), bump(), quartic(), soft_three(), lj3()] {
        for kind in KINDS {
            let mut ens = batch(case.dof, 19, case.ladder[0], "replay");
            let mut path = Path::new(case.ladder.clone(), transition(kind, &case)).unwrap();
            path.start_from(&base(kind, &case), &mut ens).unwrap();
            for way in [Way::Forward, Way::Backward] {
                path.start(way, &mut ens).unwrap();
                let mut states = vec![ens.state().clone()];
                for k in 0..path.steps() {
                    match way {
                        Way::Forward => path.forward(k, &mut ens).unwrap(),
                        Way::Backward => path.backward(path.steps() - 1 - k, &mut ens).unwrap(),
                    }
                    states.push(ens.state().clone());
                }
                let sign = if way == Way::Forward { 1.0 } else { -1.0 };
                if way == Way::Backward {
                    states.reverse();
                }
                let (mut sum, mut one) = (vec![0.0; 19], vec![0.0; 19]);
                for k in 0..path.steps() {
                    path.ledger(k, &states[k], &states[k + 1], &mut one).unwrap();
                    for (sum, one) in sum.iter_mut().zip(&one) {
                        *sum += sign * one;
                    }
                }
                let what = format!("{kind:?} on {}, {way:?}", case.name);
                if case.steep && !kind.bounded() {
                    assert!(ens.well().count() > 10, "{what}"); // the others flew away, with weight 0
                } else {
                    assert_eq!(ens.well().count(), 19, "{what}");
                }
                for r in ens.well() {
                    let (a, b) = (ens.log_w[r], sum[r]);
                    assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{what}, replica {r}: {a} against {b}");
                }
                ens.health.fill(Health::Well);
            }
        }
    }
}

/// Works of walks from states that are exact samples of both ends.
fn works(case: &Case, kind: super::path::kinds::Kind, ladder: &[Thermo], way: Way, draw: impl Fn(&mut Ensemble<Phase>)) -> Vec<f64> {
    let level = if way == Way::Forward { ladder[0] } else { ladder[ladder.len() - 1] };
    let mut ens = batch(case.dof, 64 * 250, level, &format!("{way:?} {kind:?} {}", case.name));
    let path = Path::new(ladder.to_vec(), transition(kind, case)).unwrap();
    draw(&mut ens);
    let mut run = Anneal::new(path, AnnealOptions { way, ..AnnealOptions::default() }).unwrap();
    run.start(&mut ens).unwrap();
    run.finish(&mut ens).unwrap();
    ens.log_w.iter().map(|w| -w).collect()
}

fn groups(forward: &[f64], backward: &[f64]) -> Vec<f64> {
    forward.chunks(250).zip(backward.chunks(250)).map(|(f, b)| bar(f, b)).collect()
}

/// There and back again ends at delta f = 0: Bennett's estimate from walks along the loop and against it, |z| < 3.5 over 64
/// groups; smallest visible bias 0.05 kT.
#[test]
fn a_loop_and_its_reversal_cancel() {
    for case in [mixture(), bump(), quartic(), soft_three(), lj3()] {
        let back = case.ladder.iter().rev().skip(1);
        let ladder: Vec<Thermo> = case.ladder.iter().chain(back).copied().collect();
        for kind in KINDS {
            if case.steep && !kind.bounded() {
                continue;
            }
            let draw = |ens: &mut Ensemble<Phase>| base(kind, &case).draw(ens).unwrap();
            let forward = works(&case, kind, &ladder, Way::Forward, draw);
            let backward = works(&case, kind, &ladder, Way::Backward, draw);
            let (m, e) = mean(&groups(&forward, &backward));
            println!("{kind:?} on {}: {m:.4} +- {e:.4}", case.name);
            assert!((m / e).abs() < 3.5, "{kind:?} on {}: {m} +- {e}", case.name);
            assert!(e < 0.015, "{kind:?} on {}: {e} sees too little", case.name);
        }
    }
}

/// Exact draws of the mixture's last level: at beta = 1 it is a sum of normals.
pub(crate) fn draw_mixture(ens: &mut Ensemble<Phase>) {
    let means = [[-1.2, 0.3], [1.0, -0.4], [0.2, 1.1]];
    let (stream, step) = (ens.root.stream(7, Purpose::Start), ens.step);
    ergodica::dynamics::draw_velocities(ens, 7, ergodica::dynamics::Com::Keep).unwrap();
    let n = ens.replicas();
    let phase = ens.state_mut();
    for r in 0..n {
        let u = stream.uniform::<f64>(9, step, r as u32);
        let m = means[if u < 0.5 {
            0
        } else if u < 0.8 {
            1
        } else {
            2
        }];
        let (a, b) = stream.normal_pair::<f64>(0, step, r as u32);
        phase.x.set_row(r, &[m[0] + 0.6 * a, m[1] + 0.6 * b]);
    }
    ens.step += 1;
}

/// lambda = s^2, beta in a hump that ends at 1. Backward, the curvature of the tails falls by less than half in each step, so that
/// exp(-delta u) has a finite variance there too.
pub(crate) fn between_ends() -> Vec<Thermo> {
    let level = |k: u32| {
        let s = f64::from(k) / 10.0;
        Thermo { beta: 1.0 + 1.2 * s * (1.0 - s), lambda: s * s, state: k }
    };
    (0..=10).map(level).collect()
}

/// From a normal density to a mixture, beta moving on the way and 1 at both ends, so that both ends can be drawn: works both ways
/// give ln(Z_0 / Z_1), by Bennett's estimate and by Jarzynski's.
#[test]
fn walks_both_ways_give_the_difference() {
    let case = mixture();
    let ladder = between_ends();
    let base = GaussianBase::new(vec![0.0; 2], 1.6).unwrap();
    let exact = base.log_norm(); // delta f = ln(Z_0 / 1)
    for kind in KINDS {
        let forward = works(&case, kind, &ladder, Way::Forward, |ens| base.draw(ens).unwrap());
        let backward = works(&case, kind, &ladder, Way::Backward, draw_mixture);
        let (m, e) = mean(&groups(&forward, &backward));
        println!("{kind:?}: {m:.4} +- {e:.4}, exact {exact:.4}");
        assert!(((m - exact) / e).abs() < 3.5, "{kind:?}: {m} +- {e}, exact {exact}");
        for (works, sign) in [(&forward, 1.0), (&backward, -1.0)] {
            if sign < 0.0 && !kind.bounded() {
                continue; // the variance of exp(-work) may be infinite on this way
            }
            let weights: Vec<f64> = works.iter().map(|w| Real::exp(sign * exact - w)).collect();
            let (m, e) = mean(&weights);
            assert!(((m - 1.0) / e).abs() < 3.5, "{kind:?}, sign {sign}: {m} +- {e}");
        }
    }
}
