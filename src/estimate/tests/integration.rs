//! Thermodynamic integration against alchemlyb on published simulations, against exact integrals, and whether its errors cover.

use super::super::*;
use super::{SplitMix, z_of};
use crate::real::Real;
use serde_json::Value;

fn facts() -> Value {
    serde_json::from_str(include_str!("../../../tests/data/free-energy/alchemtest_reference.json")).unwrap()
}

fn flat(v: &Value) -> Vec<f64> {
    match v {
        Value::Array(all) => all.iter().flat_map(flat).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

/// The references are printed with ten digits.
fn same(ours: f64, theirs: &Value, largest: f64, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() < 1e-9 * largest.max(1.0), "{what}: {ours} against {theirs}");
}

fn gradients(record: &Value) -> Gradients {
    let ti = &record["ti"];
    let components = record["lambda_names"].as_array().unwrap().len();
    Gradients::new(components, &flat(&ti["states"]), &flat(&ti["mean_dhdl"]), &flat(&ti["sem_dhdl"])).unwrap()
}

#[test]
fn every_published_record() {
    let mut seen = 0;
    let mut coarse = Vec::new();
    for (name, record) in facts()["datasets"].as_object().unwrap() {
        let ti = &record["ti"];
        if !ti["delta_f"].is_number() {
            continue;
        }
        seen += 1;
        let data = gradients(record);
        let found = thermodynamic_integration(&data, TiRule::Trapezoid).unwrap();
        let largest = flat(&ti["mean_dhdl"]).iter().fold(0.0f64, |a, b| a.max(b.abs()));
        same(found.total().0, &ti["delta_f"], largest, name);
        same(found.total().1, &ti["d_delta_f"], 1.0, name);
        for j in 0..data.states() {
            same(found.delta(0, j).0, &ti["cumulative"][j], largest, name);
            same(found.delta(0, j).1, &ti["d_cumulative"][j], 1.0, name);
            let (there, back) = (found.delta(j, 0), found.delta(0, j));
            assert!(there.0 == -back.0 && there.1 == back.1);
        }
        if ti["natural_cubic_spline_delta_f"].is_number() {
            let spline = thermodynamic_integration(&data, TiRule::NaturalCubic).unwrap();
            same(spline.total().0, &ti["natural_cubic_spline_delta_f"], largest, name);
            let parabolas = thermodynamic_integration(&data, TiRule::Simpson).unwrap();
            same(parabolas.total().0, &ti["simpson_scipy_delta_f"], largest, name);
        }
        if found.warnings.iter().any(|w| w.kind == WarningKind::TooCoarse) {
            coarse.push(name.clone());
        }
        let quadrature = record["ti_gq"].is_object();
        assert_eq!(ti_rule(&data) == TiRule::GaussLegendre, quadrature, "{name}");
        let not_covered = found.warnings.iter().find(|w| w.kind == WarningKind::NotCovered);
        assert_eq!(not_covered.is_some(), quadrature, "{name}: {not_covered:?}");
        if quadrature {
            assert!(not_covered.unwrap().message.contains("0.0092 to 0.9908") && not_covered.unwrap().message.contains("Gauss-Legendre"));
            let found = thermodynamic_integration(&data, TiRule::GaussLegendre).unwrap();
            let reference = &record["ti_gq"];
            // theirs has weights of five digits
            let rounding: f64 = flat(&ti["mean_dhdl"]).iter().map(|m| 5e-6 * m.abs()).sum();
            assert!((found.total().0 - reference["delta_f"].as_f64().unwrap()).abs() < rounding);
            assert!((found.total().1 - reference["d_delta_f"].as_f64().unwrap()).abs() < 1e-4 * found.total().1);
            let rounded: f64 = gauss_legendre(12).iter().zip(flat(&ti["mean_dhdl"])).map(|((_, w), m)| (w * 1e5).round() * 1e-5 * m).sum();
            same(rounded, &reference["delta_f"], largest, "weights rounded to five digits");
            assert!(found.warnings.is_empty() && found.lambda.len() == 14);
            assert_eq!((found.lambda[0][0], found.lambda[13][0]), (0.0, 1.0));
            assert!((found.total().0 - -50.002).abs() > 0.4, "the trapezoid leaves out the ends");
        }
    }
    assert_eq!(seen, 12);
    assert_eq!(coarse, ["gmx_benzene_coulomb", "amber_simplesolvated_vdw", "amber_tyk2_complex"]);
}

/// Draws of dU/dlambda of U = k(lambda) x^2 / 2 - f lambda x with k from 1 to 16, exactly: F = ln(k) / 2 - f^2 lambda^2 / (2 k).
fn draws(rng: &mut SplitMix, lambda: f64, n: usize) -> Vec<f64> {
    let (k, f) = (1.0 + 15.0 * lambda, 2.0);
    (0..n)
        .map(|_| {
            let x = f * lambda / k + rng.normal() / Real::sqrt(k);
            7.5 * x * x - f * x
        })
        .collect()
}

fn exact(lambda: f64) -> f64 {
    let k = 1.0 + 15.0 * lambda;
    0.5 * Real::ln(k) - 4.0 * lambda * lambda / (2.0 * k)
}

#[test]
fn errors_cover_and_the_rule_matters() {
    let nodes: Vec<f64> = gauss_legendre(9).iter().map(|p| p.0).collect();
    let even: Vec<f64> = (0..=8).map(|i| f64::from(i) / 8.0).collect();
    let (mut z, mut coarse, mut inside, mut warned) = (Vec::new(), Vec::new(), 0, 0);
    for seed in 0..400 {
        let mut rng = SplitMix(31 * seed + 5);
        let of = |grid: &[f64], rng: &mut SplitMix| {
            let rows: Vec<Vec<f64>> = grid.iter().map(|&l| draws(rng, l, 400)).collect();
            let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
            Gradients::from_draws(1, grid, &rows, &vec![1.0; grid.len()]).unwrap()
        };
        let found = thermodynamic_integration(&of(&nodes, &mut rng), TiRule::GaussLegendre).unwrap().total();
        z.push((found.0 - exact(1.0)) / found.1);
        inside += usize::from((found.0 - exact(1.0)).abs() < 1.96 * found.1);
        // Twin: straight lines between states too far apart.
        let lines = thermodynamic_integration(&of(&even, &mut rng), TiRule::Trapezoid).unwrap();
        coarse.push((lines.total().0 - exact(1.0)) / lines.total().1);
        warned += usize::from(lines.warnings.iter().any(|w| w.kind == WarningKind::TooCoarse));
    }
    assert!(z_of(&z, 0.0).abs() < 4.0 && (368..=392).contains(&inside), "{} {inside}", z_of(&z, 0.0));
    assert!(z_of(&coarse, 0.0).abs() > 8.0 && warned > 380, "{} {warned}", z_of(&coarse, 0.0));
}

#[test]
fn two_knobs_at_once_keep_their_covariance() {
    // Both components are the same number plus a little: along (1, 1) the errors add, along (1, -1) they cancel.
    let mut rng = SplitMix(9);
    let rows: Vec<Vec<f64>> = (0..3)
        .map(|_| {
            (0..500)
                .flat_map(|_| {
                    let common = rng.normal();
                    [common + 0.01 * rng.normal(), common]
                })
                .collect()
        })
        .collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let error = |second: f64| {
        let lambda: Vec<f64> = (0..3).flat_map(|i| [0.5 * f64::from(i), 0.5 + second * (0.5 * f64::from(i) - 0.5)]).collect();
        let data = Gradients::from_draws(2, &lambda, &rows, &[1.0; 3]).unwrap();
        thermodynamic_integration(&data, TiRule::Trapezoid).unwrap().total().1
    };
    let one = (0.375f64 / 500.0).sqrt();
    assert!((error(1.0) / (2.0 * one) - 1.0).abs() < 0.1, "{} {one}", error(1.0));
    assert!(error(-1.0) < 0.02 * one);
}

#[test]
fn a_path_around_a_corner() {
    // Charges first, then van der Waals, both on Gauss-Legendre grids: F = a^3 (grid of 3), then b^2 (grid of 2).
    let three = gauss_legendre(3);
    let two = gauss_legendre(2);
    let mut lambda: Vec<f64> = three.iter().flat_map(|p| [p.0, 1.0]).collect();
    lambda.extend(two.iter().rev().flat_map(|p| [1.0, p.0]));
    let mean: Vec<f64> = lambda.chunks_exact(2).flat_map(|l| [3.0 * l[0] * l[0], 2.0 * l[1]]).collect();
    let data = Gradients::new(2, &lambda, &mean, &[0.1; 10]).unwrap();
    assert_eq!(ti_rule(&data), TiRule::GaussLegendre);
    let found = thermodynamic_integration(&data, TiRule::GaussLegendre).unwrap();
    assert!(found.total().0.abs() < 1e-14, "1 up and 1 down: {}", found.total().0);
    assert_eq!((found.lambda[0].clone(), found.lambda[6].clone()), (vec![0.0, 1.0], vec![1.0, 0.0]));
    assert!((found.profile[1] - Real::powi(three[0].0, 3)).abs() < 1e-14);
    assert!((found.profile[4] - two[1].0 * two[1].0).abs() < 1e-14, "{:?}", found.profile);
    // On the corner itself, with states at 0, 1/2 and 1 of each: straight lines.
    let lambda = [0.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 1.0, 0.0];
    let mean: Vec<f64> = lambda.chunks_exact(2).flat_map(|l| [l[0], 2.0 * l[1]]).collect();
    for rule in [TiRule::Trapezoid, TiRule::NaturalCubic, TiRule::Simpson] {
        let found = thermodynamic_integration(&Gradients::new(2, &lambda, &mean, &[0.0; 10]).unwrap(), rule).unwrap();
        for (f, exact) in found.profile.iter().zip([0.0, 0.125, 0.5, -0.25, -0.5]) {
            assert!((f - exact).abs() < 1e-14, "{rule:?} {:?}", found.profile);
        }
        assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    }
}

#[test]
fn what_cannot_be_integrated_says_so() {
    let says = |r: Result<Gradients, Unusable>, what: &str| {
        let text = r.unwrap_err().to_string();
        assert!(text.contains(what), "{text}");
    };
    says(Gradients::new(1, &[0.0, 1.0], &[1.0], &[0.1, 0.1]), "expected 2, found 1");
    says(Gradients::new(1, &[0.0, 1.0], &[1.0, f64::NAN], &[0.1, 0.1]), "the mean of dU/dlambda of state 1, component 0 is NaN");
    says(Gradients::new(1, &[0.0, 1.0], &[1.0, 1.0], &[0.1, -0.1]), "state 1 is -0.1");
    says(Gradients::new(1, &[0.0, 0.5, 0.5], &[1.0; 3], &[0.1; 3]), "states 1 and 2 have the same lambda");
    says(Gradients::new(2, &[0.0, 0.5, 0.5], &[1.0; 3], &[0.1; 3]), "expected 4, found 3");
    says(Gradients::new(0, &[], &[], &[]), "");
    says(Gradients::from_draws(1, &[0.0, 1.0], &[&[1.0, 2.0]], &[1.0, 1.0]), "expected 2, found 1");
    says(Gradients::from_draws(1, &[0.0, 1.0], &[&[1.0, 2.0], &[1.0]], &[1.0, 1.0]), "needs at least 2, found 1");
    says(Gradients::from_draws(1, &[0.0, 1.0], &[&[1.0, 2.0], &[]], &[1.0, 1.0]), "needs at least 2, found 0");
    says(Gradients::from_draws(1, &[0.0, 1.0], &[&[1.0, 2.0], &[1.0, f64::INFINITY]], &[1.0, 1.0]), "state 1, draw 1 is inf");
    says(Gradients::from_draws(1, &[0.0, 1.0], &[&[1.0, 2.0], &[1.0, 3.0]], &[1.0, 0.5]), "state 1 is 0.5");
    let even = Gradients::new(1, &[0.0, 0.5, 1.0], &[1.0; 3], &[0.1; 3]).unwrap();
    let why = thermodynamic_integration(&even, TiRule::GaussLegendre).unwrap_err().to_string();
    assert!(why.contains("no Gauss-Legendre grid"), "{why}");
    let one = Gradients::new(1, &[0.5], &[2.0], &[0.1]).unwrap();
    assert!(matches!(thermodynamic_integration(&one, TiRule::Trapezoid), Err(Unusable::TooShort { needed: 2, found: 1, .. })));
    let (value, stderr) = thermodynamic_integration(&one, TiRule::GaussLegendre).unwrap().total();
    assert!((value - 2.0).abs() < 1e-15 && (stderr - 0.1).abs() < 1e-15);
    // A path that stops short is told, one over another interval is nobody's business.
    let short = thermodynamic_integration(&Gradients::new(1, &[0.0, 0.9], &[1.0; 2], &[0.1; 2]).unwrap(), TiRule::Trapezoid).unwrap();
    assert!(short.warnings[0].message.contains("from 0 to 0.9") && short.warnings[0].message.contains("add states"));
    let other = thermodynamic_integration(&Gradients::new(1, &[0.5, 3.0], &[1.0; 2], &[0.1; 2]).unwrap(), TiRule::Trapezoid).unwrap();
    assert!(other.warnings.is_empty());
}
