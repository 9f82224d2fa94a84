//! Surfaces against exact bin probabilities.

use super::super::*;
use super::{ar1, series};
use statrs::distribution::{ContinuousCDF, Normal};

fn exact_bins(axis: &Axis) -> Vec<f64> {
    let normal = Normal::new(0.0, 1.0).unwrap();
    axis.edges().windows(2).map(|e| normal.cdf(e[1]) - normal.cdf(e[0])).collect()
}

/// z of F against exact, relative to the same bin, for bins with good statistics.
fn z_values(found: &Surface, p: &[f64], kt: f64) -> Vec<f64> {
    let exact = |b: usize| -kt * (p[b] / p[found.lowest]).ln();
    (0..p.len())
        .filter(|&b| b != found.lowest && found.visitors[b] >= 24)
        .map(|b| (found.free_energy[b] - exact(b)) / found.stderr[b])
        .collect()
}

#[test]
fn a_well_in_one_dimension() {
    let axis = Axis::new(-4.0, 4.0, 32, false).unwrap();
    let p = exact_bins(&axis);
    let (mut all, mut twin) = (Vec::new(), Vec::new());
    for seed in 0..20 {
        let x = ar1(seed, 48, 4_000, 0.6);
        let found = surface(&[series(&x, 48)], &[axis], 2.5).unwrap();
        all.extend(z_values(&found, &p, 2.5));
        twin.extend(z_values(&surface(&[series(&x, 48)], &[axis], 2.75).unwrap(), &p, 2.5));
        assert_eq!(found.groups, 48);
        assert_eq!(found.count.iter().sum::<u64>() + found.outside, found.total);
    }
    let square = |z: &[f64]| z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64;
    assert!(all.len() > 300);
    assert!((0.75..1.35).contains(&square(&all)), "{}", square(&all));
    assert!(all.iter().all(|z| z.abs() < 5.0));
    assert!(twin.iter().any(|z| z.abs() > 8.0), "kT wrong by 10 % must be seen");
}

#[test]
fn what_is_not_visited_is_not_zero() {
    let x = [0.1, 0.2, 0.1, 2.5, 0.3, 0.2, 0.1, 9.0];
    let axis = Axis::new(0.0, 4.0, 4, false).unwrap();
    let found = surface(&[series(&x, 2)], &[axis], 1.0).unwrap();
    assert_eq!(found.count, vec![6, 0, 1, 0]);
    assert_eq!((found.outside, found.total, found.lowest), (1, 8, 0));
    assert!(found.free_energy[1].is_nan() && found.stderr[1].is_nan() && found.free_energy[0] == 0.0);
    assert!((found.free_energy[2] - 6f64.ln()).abs() < 1e-14);
    assert!(found.warnings.iter().any(|w| w.kind == WarningKind::Outside));
    let list = found.estimates("F", &["x"], Some("kJ/mol"));
    let text = serde_json::to_value(&list).unwrap();
    assert_eq!(text[1]["quantity"], "F[1]");
    assert!(text[1]["value"].is_null() && text[1]["warnings"][0]["kind"] == "not_visited" && text[1]["coords"]["x"] == 1.5);
    assert_eq!(text[2]["unit"], "kJ/mol");
    assert!(surface(&[series(&[10.0; 8], 2)], &[axis], 1.0).is_err());
    assert!(surface(&[series(&x, 2)], &[axis, axis], 1.0).is_err());
    assert!(
        Axis::new(1.0, 1.0, 3, false).is_err() && Axis::new(0.0, 1.0, 0, true).is_err() && Axis::new(0.0, f64::INFINITY, 2, true).is_err()
    );
}

#[test]
fn edges_and_folding() {
    let line = Axis::new(-1.0, 1.0, 4, false).unwrap();
    assert_eq!([-1.0, -0.5, 0.999, 1.0, 1.0001, -1.0001].map(|x| line.bin(x)), [Some(0), Some(1), Some(3), Some(3), None, None]);
    let ring = Axis::new(-180.0, 180.0, 36, true).unwrap();
    assert_eq!([-180.0, 180.0, 179.9, 540.0, -190.0, 0.0].map(|x| ring.bin(x)), [Some(0), Some(0), Some(35), Some(0), Some(35), Some(18)]);
    assert_eq!(ring.bin(-180.0 - 1e-14), Some(0)); // rounds onto the cut
    assert_eq!((ring.centre(0), ring.width(), ring.edges().len()), (-175.0, 10.0, 37));
}

#[test]
fn two_dimensions_are_rows_of_the_first() {
    // x normal, y an angle drawn evenly: F depends on x only
    let (replicas, draws) = (32, 3_000);
    let x = ar1(11, replicas, draws, 0.4);
    let mut rng = super::SplitMix(5);
    let y: Vec<f64> = (0..x.len()).map(|_| 720.0 * rng.uniform() - 360.0).collect();
    let axes = [Axis::new(-2.0, 2.0, 8, false).unwrap(), Axis::new(-180.0, 180.0, 6, true).unwrap()];
    let found = surface(&[series(&x, replicas), series(&y, replicas)], &axes, 1.0).unwrap();
    let px = exact_bins(&axes[0]);
    let p: Vec<f64> = (0..48).map(|b| px[b / 6] / 6.0).collect();
    let z = z_values(&found, &p, 1.0);
    let square = z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64;
    assert!(z.len() == 47 && (0.3..2.5).contains(&square), "{square}");
    assert_eq!(found.estimates("F", &["x", "y"], None)[13].quantity, "F[2,1]");
    for (b, exact) in p.iter().enumerate() {
        assert!((found.population[b] - exact).abs() < 5.0 * found.population_stderr[b]);
    }
}

#[test]
fn few_replicas_are_cut_into_blocks() {
    let x = ar1(3, 2, 20_000, 0.8);
    let axis = Axis::new(-3.0, 3.0, 12, false).unwrap();
    let found = surface(&[series(&x, 2)], &[axis], 1.0).unwrap();
    assert_eq!(found.groups, 32);
    assert!(found.warnings.iter().any(|w| w.kind == WarningKind::FewReplicas));
    assert!(found.warnings.iter().all(|w| w.kind != WarningKind::TooShort));
    let z = z_values(&found, &exact_bins(&axis), 1.0);
    assert!(z.iter().all(|z| z.abs() < 5.0), "{z:?}");
    let slow = ar1(3, 2, 2_000, 0.99);
    let found = surface(&[series(&slow, 2)], &[axis], 1.0).unwrap();
    assert!(found.warnings.iter().any(|w| w.kind == WarningKind::TooShort));
}
