//! Crossings on paths written by hand, populations against a Markov chain's exact ones.

use super::super::*;
use super::{SplitMix, series, z_of};

fn basin(name: &str, low: f64, high: f64, period: Option<f64>) -> Basin {
    Basin { name: name.into(), intervals: vec![Interval { low, high, period }] }
}

#[test]
fn crossings_are_free_of_recrossings() {
    let two = [basin("a", -2.0, -1.0, None), basin("b", 1.0, 2.0, None)];
    //        a     -    a     -    b    b    -    b    -    a     | starts between, a only
    let x = [-1.5, 0.0, -1.5, 0.5, 1.5, 1.2, 0.0, 1.1, 0.0, -1.1, 0.0, 0.0, -1.5, 0.9, -1.5, 0.0, 0.0, -1.0, 0.0, 0.0];
    let found = basins(&[series(&x, 2)], &two).unwrap();
    assert_eq!((found.crossings(0, 1), found.crossings(1, 0)), (1, 1));
    let (a, b) = (&found.basins[0], &found.basins[1]);
    assert_eq!((a.draws, a.visits, a.replicas, a.entered, a.left), (5, 3, 2, 1, 1)); // -1.0 is the open end
    assert_eq!((b.draws, b.visits, b.replicas, b.entered, b.left), (3, 1, 1, 1, 1));
    assert_eq!(found.between, 12);
    assert!(found.one_way.is_empty());
    assert!((a.population.as_ref().unwrap().value - 0.25).abs() < 1e-15);
}

#[test]
fn one_way_and_unvisited_fail_the_verdict() {
    let three = [basin("a", 0.0, 1.0, None), basin("b", 2.0, 3.0, None), basin("c", 4.0, 5.0, None)];
    let x: Vec<f64> = (0..40).map(|i| if i % 20 < 9 { 0.5 } else { 2.5 }).collect();
    let found = basins(&[series(&x, 2)], &three).unwrap();
    assert_eq!(found.one_way, vec![(0, 1)]);
    assert!(found.basins[2].population.is_none());
    let verdict = judge(&[], std::slice::from_ref(&found), &Thresholds::default());
    let outcome = |name: &str| verdict.checks.iter().find(|c| c.check == name).map(|c| c.outcome);
    assert_eq!(
        (outcome("one_way"), outcome("not_visited"), outcome("crossings")),
        (Some(Outcome::Fail), Some(Outcome::Fail), Some(Outcome::Fail))
    );
    let text = serde_json::to_value(found.estimates("population")).unwrap();
    assert_eq!((&text[0]["quantity"], &text[0]["value"]), (&"population[a]".into(), &0.45.into()));
    assert!(text[2]["value"].is_null() && text[2]["warnings"][0]["kind"] == "not_visited");
    // a ring a -> b -> c -> a has a way back
    let ring: Vec<f64> = (0..240).map(|i| [0.5, 2.5, 4.5][(i / 2) % 3]).collect();
    let found = basins(&[series(&ring, 2)], &three).unwrap();
    assert!(found.one_way.is_empty() && found.crossings.iter().sum::<u64>() == 118);
    assert_eq!(judge(&[], &[found], &Thresholds::default()).outcome, Outcome::Pass);
}

#[test]
fn periodic_intervals() {
    let across = Interval { low: 120.0, high: -120.0, period: Some(360.0) };
    for (x, inside) in [
        (120.0, true),
        (179.0, true),
        (-180.0, true),
        (180.0, true),
        (-120.1, true),
        (-120.0, false),
        (0.0, false),
        (119.9, false),
        (480.0, true),
    ] {
        assert_eq!(across.contains(x), inside, "{x}");
    }
    let third = Interval { low: 0.0, high: 120.0, period: Some(360.0) };
    assert!(third.contains(0.0) && third.contains(-300.0) && !third.contains(120.0) && !third.contains(-1.0));
    let whole = Interval { low: -180.0, high: 180.0, period: Some(360.0) };
    assert!(whole.contains(180.0) && whole.contains(-180.0) && whole.contains(12.0));
    let x = series(&[0.0; 20], 2);
    for bad in [
        basin("x", 1.0, 1.0, None),
        basin("x", 2.0, 1.0, None),
        basin("x", 0.0, 400.0, Some(360.0)),
        basin("x", 0.0, 1.0, Some(-1.0)),
        basin("x", f64::NAN, 1.0, None),
    ] {
        assert!(matches!(basins(&[x], &[bad]), Err(Unusable::Argument(_))));
    }
    assert!(basins(&[x], &[]).is_err());
    let overlap = basins(&[x], &[basin("p", -1.0, 1.0, None), basin("q", -0.5, 2.0, None)]).unwrap_err();
    assert!(overlap.to_string().contains("p and q overlap"));
    assert!(basins(&[x, x], &[basin("p", -1.0, 1.0, None)]).is_err());
}

/// Two states left with probabilities `out`: population of state 1 is out0 / (out0 + out1).
fn two_state(seed: u64, replicas: usize, draws: usize, out: [f64; 2]) -> Vec<f64> {
    let mut rng = SplitMix(seed);
    let mut x = Vec::new();
    for _ in 0..replicas {
        let mut state = usize::from(rng.uniform() < out[0] / (out[0] + out[1]));
        for _ in 0..draws {
            x.push(state as f64);
            if rng.uniform() < out[state] {
                state = 1 - state;
            }
        }
    }
    x
}

#[test]
fn populations_and_rates_of_a_markov_chain() {
    let out = [0.02, 0.06];
    let two = [basin("left", -0.5, 0.5, None), basin("right", 0.5, 1.5, None)];
    let (mut p, mut crossings, mut inside) = (Vec::new(), Vec::new(), 0);
    for seed in 0..200 {
        let x = two_state(seed, 24, 500, out);
        let found = basins(&[series(&x, 24)], &two).unwrap();
        let right = found.basins[1].population.as_ref().unwrap();
        let (low, high) = right.interval(0.95);
        inside += usize::from(low <= 0.25 && 0.25 <= high);
        p.push(right.value);
        crossings.push(found.crossings(0, 1) as f64);
    }
    assert!(z_of(&p, 0.25).abs() < 4.0);
    assert!((0.91..0.985).contains(&(inside as f64 / 200.0)), "{inside}");
    // flux from left to right: population x probability x steps
    assert!(z_of(&crossings, 0.75 * 0.02 * 24.0 * 499.0).abs() < 4.0);
    // broken twin: the other population
    assert!(z_of(&p, 0.75).abs() > 8.0);
}
