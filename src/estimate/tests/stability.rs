//! Forward and reverse tables and blocks of any estimator: the parts themselves, and whether drift and correlation are seen.

use super::super::*;
use super::{SplitMix, ar1, z_of};
use std::ops::Range;

fn mean_and_error(x: &[f64]) -> Measured {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let spread = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    (mean, (spread / n).sqrt())
}

/// BAR between two Gaussian work distributions, exact 3.5.
fn bar_of(forward: &[f64], reverse: &[f64], ranges: &[Range<usize>]) -> Result<Measured, FreeEnergyError> {
    bar(&forward[ranges[0].clone()], &reverse[ranges[1].clone()]).map(|b| (b.delta_f, b.stderr))
}

fn works(seed: u64, forward: usize, reverse: usize) -> (Vec<f64>, Vec<f64>) {
    let mut rng = SplitMix(seed * 977 + 3);
    let f = (0..forward).map(|_| 4.0 + rng.normal()).collect();
    (f, (0..reverse).map(|_| -3.0 + rng.normal()).collect())
}

#[test]
fn the_parts_are_those_of_alchemlyb() {
    let mut seen: Vec<Vec<Range<usize>>> = Vec::new();
    let found = forward_reverse_of(&[4001, 538, 0], 5, |ranges| {
        seen.push(ranges.to_vec());
        Ok::<_, Unusable>((ranges[0].len() as f64, 1.0))
    })
    .unwrap();
    // 4001 // 5 * k and the last -(-4001 // 5) * k rows; 538 likewise; the whole is asked for once, then the two halves.
    let forward: Vec<usize> = seen.iter().step_by(2).take(4).map(|r| r[0].end).collect();
    assert_eq!(forward, [800, 1600, 2400, 3200]);
    let reverse: Vec<(usize, usize)> = seen.iter().skip(1).step_by(2).take(4).map(|r| (r[0].len(), r[1].len())).collect();
    assert_eq!(reverse, [(801, 108), (1602, 216), (2403, 324), (3204, 432)]);
    assert_eq!(seen[8], [0..4001, 0..538, 0..0]);
    assert_eq!(seen[9..], [[0..2000, 0..269, 0..0], [2001..4001, 269..538, 0..0]]);
    assert_eq!(found.parts.len(), 5);
    assert_eq!((found.parts[4].forward, found.parts[4].reverse, found.parts[4].fraction), ((4001.0, 1.0), (4001.0, 1.0), 1.0));
    assert_eq!(found.converged_at, 1.0);
}

#[test]
fn steady_data_pass_and_drift_is_seen() {
    let (mut z, mut drift) = (Vec::new(), Vec::new());
    for seed in 0..64 {
        let (f, r) = works(seed, 400, 300);
        let found = forward_reverse_of(&[400, 300], 10, |ranges| bar_of(&f, &r, ranges)).unwrap();
        assert!((found.parts[9].forward.0 - bar(&f, &r).unwrap().delta_f).abs() < 1e-15);
        z.push(found.halves_z);
        // Twin: forward work that starts too high and relaxes.
        let f: Vec<f64> = f.iter().enumerate().map(|(i, w)| w + 2.0 * (1.0 - i as f64 / 400.0)).collect();
        let found = forward_reverse_of(&[400, 300], 10, |ranges| bar_of(&f, &r, ranges)).unwrap();
        drift.push(found.halves_z);
        assert!(found.converged_at > 0.5);
    }
    assert!(z_of(&z, 0.0).abs() < 4.0 && z.iter().all(|z| z.abs() < 5.0), "{}", z_of(&z, 0.0));
    assert!(z_of(&drift, 0.0).abs() > 8.0, "{}", z_of(&drift, 0.0));
}

#[test]
fn blocks_tell_whether_the_errors_are_right() {
    let (mut independent, mut correlated, mut means) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..64 {
        let (f, r) = works(100 + seed, 1000, 1000);
        let found = block_estimates(&[1000, 1000], 10, |ranges| bar_of(&f, &r, ranges)).unwrap();
        independent.push(found.variance_ratio);
        means.push((found.mean - 3.5) / found.stderr);
        let x = ar1(seed, 1, 1000, 0.9);
        let found = block_estimates(&[1000], 10, |ranges| Ok::<_, Unusable>(mean_and_error(&x[ranges[0].clone()]))).unwrap();
        correlated.push(found.variance_ratio);
    }
    assert!(z_of(&independent, 1.0).abs() < 4.0 && z_of(&means, 0.0).abs() < 4.0, "{}", z_of(&independent, 1.0));
    assert!(z_of(&correlated, 1.0) > 8.0, "{}", z_of(&correlated, 1.0));
}

#[test]
fn the_converged_fraction_is_that_of_the_definition() {
    // Means of the first u: 4, 2, 4/3, 1, 0.8; of the last u: 0, 0, 0, 0, 0.8.
    let x = [4.0, 0.0, 0.0, 0.0, 0.0];
    assert_eq!(converged_fraction(&x, 0.81).unwrap(), 3.0 / 5.0);
    assert_eq!(converged_fraction(&x, 0.5).unwrap(), 1.0);
    assert_eq!(converged_fraction(&x, 4.0).unwrap(), 1.0 / 5.0);
    assert_eq!(converged_area(&[0.2, 0.6, 1.0]).unwrap(), 1.0 - 0.6);
    let steady = ar1(1, 1, 4000, 0.5);
    let drifting: Vec<f64> = steady.iter().enumerate().map(|(i, v)| v + i as f64 / 500.0).collect();
    assert!(converged_fraction(&steady, 0.5).unwrap() < 0.05 && converged_fraction(&drifting, 0.5).unwrap() > 0.7);
}

#[test]
fn what_is_too_little_is_refused() {
    let zero = |_: &[Range<usize>]| Ok::<_, Unusable>((0.0, 1.0));
    assert!(matches!(forward_reverse_of(&[], 5, zero), Err(Unusable::TooShort { found: 0, .. })));
    assert!(matches!(forward_reverse_of(&[0, 0], 5, zero), Err(Unusable::TooShort { found: 0, .. })));
    assert!(matches!(forward_reverse_of(&[100, 4], 5, zero), Err(Unusable::TooShort { needed: 5, found: 4, .. })));
    assert!(matches!(block_estimates(&[100], 1, zero), Err(Unusable::TooShort { needed: 2, found: 1, .. })));
    let fails = forward_reverse_of(&[100, 100], 5, |_| Err::<Measured, _>(FreeEnergyError::NoSamples { what: "state b".into() }));
    assert_eq!(fails.unwrap_err().to_string(), "state b has no samples");
    let short = block_estimates(&[3], 5, |_| Ok::<_, FreeEnergyError>((0.0, 1.0))).unwrap_err();
    assert_eq!(short.to_string(), "parts of the data (draws of a state), at least: expected 5, found 3");
    assert!(converged_fraction(&[], 1.0).is_err() && converged_fraction(&[1.0], 0.0).is_err());
    assert!(converged_fraction(&[1.0, f64::NAN], 1.0).is_err() && converged_area(&[]).is_err() && converged_area(&[1.2]).is_err());
}
