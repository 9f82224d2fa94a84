//! Weighted surfaces, smooth surfaces and reweighting, against pymbar and exact answers.

use super::super::*;
use super::{SplitMix, ar1, series, z_of};
use crate::real::Real;
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, Normal};

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The harmonic wells of the reference and their samples.
fn wells(facts: &Value) -> (ReducedPotentials, Vec<f64>) {
    let h = &facts["harmonic_K5"];
    let (o, k, x) = (numbers(&h["O_k"]), numbers(&h["K_k"]), numbers(&h["x_n"]));
    let n_k: Vec<usize> = h["N_k"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    let u: Vec<f64> = (0..5).flat_map(|i| x.iter().map(|x| 0.5 * k[i] * (x - o[i]) * (x - o[i])).collect::<Vec<_>>()).collect();
    let names: Vec<String> = (0..5).map(|i| i.to_string()).collect();
    (ReducedPotentials::from_rows(&names, &n_k, &u).unwrap(), x)
}

fn facts() -> Value {
    serde_json::from_str(include_str!("../../../tests/data/free-energy/synthetic_reference.json")).unwrap()
}

#[test]
fn the_surface_of_a_fit_is_that_of_pymbar() {
    let facts = facts();
    let (u, x) = wells(&facts);
    let fit = mbar(&u, &MbarOptions::default()).unwrap();
    let reference = &facts["harmonic_K5"]["fes_histogram"];
    let axis = Axis::new(-1.5, 4.5, 12, false).unwrap();
    assert_eq!(axis.edges(), numbers(&reference["bin_edges"]));
    let found = fit.surface(0, &[&x], &[axis], 1.0).unwrap();
    for (b, (f, df)) in numbers(&reference["f"]).into_iter().zip(numbers(&reference["df"])).enumerate() {
        assert!((found.free_energy[b] - f).abs() < 1e-8, "bin {b}: {} {f}", found.free_energy[b]);
        assert!((found.stderr[b] - df).abs() < 1e-6 * df.max(0.1), "bin {b}: {} {df}", found.stderr[b]);
    }
    assert_eq!(found.count.iter().sum::<u64>() + found.outside, 550);
    assert!(found.population.iter().sum::<f64>() > 0.9 && found.population.iter().sum::<f64>() < 1.0 && found.groups == 5);
    // In units, and in two dimensions with a coordinate that tells nothing.
    let scaled = fit.surface(0, &[&x], &[axis], 2.5).unwrap();
    assert!((scaled.stderr[9] - 2.5 * found.stderr[9]).abs() < 1e-12);
    let ring = Axis::new(0.0, 1.0, 1, true).unwrap();
    let flat = fit.surface(0, &[&x, &vec![7.0; x.len()]], &[axis, ring], 1.0).unwrap();
    assert_eq!((flat.free_energy, flat.stderr), (found.free_energy.clone(), found.stderr));
    // The same probabilities from the plain weights.
    let weights = fit.log_weights(0);
    let by_weight = weighted_surface(&[Series::single(&x)], Series::single(&weights), &[axis], 1.0).unwrap();
    for b in 0..12 {
        assert!((by_weight.free_energy[b] - found.free_energy[b]).abs() < 1e-9);
    }
    assert!(fit.surface(9, &[&x], &[axis], 1.0).is_err() && fit.surface(0, &[&x[1..]], &[axis], 1.0).is_err());
    assert!(fit.surface(0, &[], &[], 1.0).is_err() && fit.surface(0, &[&vec![f64::NAN; 550]], &[axis], 1.0).is_err());
    assert!(fit.surface(0, &[&vec![99.0; 550]], &[axis], 1.0).unwrap_err().to_string().contains("no sample lies within"));
}

#[test]
fn weighted_draws_give_the_target() {
    // Draws of N(0, 1.3^2) weighted to N(0, 1); the twin forgets the weights.
    let axis = Axis::new(-3.0, 3.0, 12, false).unwrap();
    let normal = Normal::new(0.0, 1.0).unwrap();
    let p: Vec<f64> = axis.edges().windows(2).map(|e| normal.cdf(e[1]) - normal.cdf(e[0])).collect();
    let (mut zs, mut twin) = (Vec::new(), Vec::new());
    for seed in 0..40 {
        let x: Vec<f64> = ar1(seed, 32, 400, 0.5).iter().map(|x| 1.3 * x).collect();
        let log_w: Vec<f64> = x.iter().map(|x| 0.5 * x * x * (1.0 / 1.69 - 1.0)).collect();
        let found = weighted_surface(&[series(&x, 32)], series(&log_w, 32), &[axis], 1.0).unwrap();
        let plain = surface(&[series(&x, 32)], &[axis], 1.0).unwrap();
        zs.extend((1..11).map(|b| (found.population[b] - p[b]) / found.population_stderr[b]));
        twin.push((plain.population[1] - p[1]) / plain.population_stderr[1]);
    }
    let square = zs.iter().map(|z| z * z).sum::<f64>() / zs.len() as f64;
    assert!((0.75..1.35).contains(&square) && zs.iter().all(|z| z.abs() < 5.0), "{square}");
    assert!(z_of(&twin, 0.0).abs() > 8.0);
    // Weights that are all alike change nothing but the name.
    let x = ar1(1, 32, 400, 0.5);
    let flat = vec![3.0; x.len()];
    let one = weighted_surface(&[series(&x, 32)], series(&flat, 32), &[axis], 1.0).unwrap();
    let other = surface(&[series(&x, 32)], &[axis], 1.0).unwrap();
    assert_eq!((one.free_energy, one.count), (other.free_energy, other.count));
    let says = |log_w: &[f64], what: &str| {
        let text = weighted_surface(&[series(&x, 32)], Series { values: log_w, replicas: 32, draws: log_w.len() / 32 }, &[axis], 1.0);
        let text = text.unwrap_err().to_string();
        assert!(text.contains(what), "{text}");
    };
    says(&flat[..32 * 399], "log-weights of the draws");
    says(&vec![f64::NEG_INFINITY; x.len()], "all weights are 0");
    let mut bad = flat.clone();
    bad[401] = f64::NAN;
    says(&bad, "replica 1, draw 1");
    let mut alone = vec![-900.0; x.len()];
    alone[5] = 0.0;
    let found = weighted_surface(&[series(&x, 32)], series(&alone, 32), &[axis], 1.0).unwrap();
    assert!(found.warnings.iter().any(|w| w.kind == WarningKind::HeavyTail));
}

fn resamples(log_weights: &[f64], strata: &[usize]) -> impl FnMut(usize) -> Vec<f64> {
    move |r| resample_weights(log_weights, strata, 1, 77, r).unwrap()
}

#[test]
fn smooth_profiles_and_their_bands() {
    // exp(-F) = 1 + 0.8 cos(x - 1) on a circle: drawn by rejection.
    let axis = Axis::new(-std::f64::consts::PI, std::f64::consts::PI, 60, true).unwrap();
    let exact = |x: f64| -Real::ln(1.0 + 0.8 * Real::sin_cos(x - 1.0).1);
    let mut centred = vec![vec![Vec::new(); 2]; 60];
    let mut covered = [0, 0];
    let runs = 40;
    for seed in 0..runs {
        let mut rng = SplitMix(100 + seed);
        let mut x = Vec::new();
        while x.len() < 4000 {
            let y = (2.0 * rng.uniform() - 1.0) * std::f64::consts::PI;
            if 1.8 * rng.uniform() < 1.0 + 0.8 * Real::sin_cos(y - 1.0).1 {
                x.push(y + if rng.uniform() < 0.3 { std::f64::consts::TAU } else { 0.0 });
            }
        }
        let zero = vec![0.0; x.len()];
        for (k, how) in [Smoothing::Kernel(vec![0.15]), Smoothing::Spline(vec![9])].iter().enumerate() {
            let found = smooth_surface(&[&x], &zero, &[axis], how, 60, resamples(&zero, &[4000]), 1.0).unwrap();
            // -ln of the mean of exp(-F) is free of the choice of the lowest point
            let shift = |f: &dyn Fn(usize) -> f64| -Real::ln((0..60).map(|i| Real::exp(-f(i))).sum::<f64>() / 60.0);
            let (ours, theirs) = (shift(&|i| found.free_energy[i]), shift(&|i| exact(axis.centre(i))));
            for (i, all) in centred.iter_mut().enumerate() {
                all[k].push(found.free_energy[i] - ours - (exact(axis.centre(i)) - theirs));
            }
            for i in [5, 15, 25, 45] {
                let truth = exact(axis.centre(i)) - exact(axis.centre(found.lowest));
                covered[k] += usize::from(found.band[i].0 <= truth && truth <= found.band[i].1);
                assert!(found.stderr[i] > 0.0 && found.stderr[i] < 0.3);
            }
            assert!(found.warnings.is_empty() && found.free_energy[found.lowest] == 0.0);
        }
    }
    for i in [3, 20, 40, 55] {
        // The kernel blurs the top of F; the spline of nine functions bends enough.
        assert!(z_of(&centred[i][1], 0.0).abs() < 4.0, "spline at {i}: {}", z_of(&centred[i][1], 0.0));
        let bias = centred[i][0].iter().sum::<f64>() / runs as f64;
        assert!(bias.abs() < 0.06, "kernel at {i}: {bias}");
    }
    assert!(covered.iter().all(|c| (140..=158).contains(c)), "{covered:?} of 160");
    // Twin: kernels as wide as the structure flatten it.
    let zero = vec![0.0; 4000];
    let mut rng = SplitMix(1);
    let x: Vec<f64> = (0..4000).map(|_| 0.5 * rng.normal()).collect();
    let height = |w: f64| {
        let found = smooth_surface(&[&x], &zero, &[axis], &Smoothing::Kernel(vec![w]), 0, |_| Vec::new(), 1.0).unwrap();
        found.free_energy[39] - found.free_energy[30]
    };
    assert!((height(0.1) / 2.0 - 1.0).abs() < 0.15 && height(1.0) < 0.5, "{} {}", height(0.1), height(1.0));
}

#[test]
fn smooth_surfaces_in_two_dimensions_and_from_a_fit() {
    // A correlated Gaussian: F = (x^2 - 2 r x y + y^2) / (2 (1 - r^2)), and a well of the reference from all five wells.
    let mut rng = SplitMix(8);
    let (r, n) = (0.6, 20_000);
    let (x, y): (Vec<f64>, Vec<f64>) = (0..n)
        .map(|_| {
            let a = rng.normal();
            (a, r * a + Real::sqrt(1.0 - r * r) * rng.normal())
        })
        .unzip();
    let axis = Axis::new(-2.0, 2.0, 11, false).unwrap();
    let zero = vec![0.0; n];
    for how in [Smoothing::Kernel(vec![0.15, 0.15]), Smoothing::Spline(vec![7, 7])] {
        let found = smooth_surface(&[&x, &y], &zero, &[axis, axis], &how, 0, |_| Vec::new(), 2.0).unwrap();
        for (i, j) in [(5, 5), (7, 7), (3, 4), (5, 8), (2, 3)] {
            let (a, b) = (axis.centre(i), axis.centre(j));
            let exact = 2.0 * (a * a - 2.0 * r * a * b + b * b) / (2.0 * (1.0 - r * r));
            let ours = found.free_energy[11 * i + j] - found.free_energy[11 * 5 + 5];
            assert!((ours - exact).abs() < 0.35, "{how:?} {i} {j}: {ours} {exact}");
        }
        assert!(found.stderr[3].is_nan() && found.warnings[0].kind == WarningKind::Outside);
    }
    let facts = facts();
    let (u, x) = wells(&facts);
    let fit = mbar(&u, &MbarOptions::default()).unwrap();
    let how = Bootstrap { replicates: 60, block: 1, seed: 4 };
    let again = fit.bootstrap(&how).unwrap();
    let axis = Axis::new(-1.5, 4.0, 55, false).unwrap();
    let weights = fit.log_weights(0);
    let of = |r: usize| fit.resampled_log_weights(&how, &again, r, 0);
    for smoothing in [Smoothing::Spline(vec![8]), Smoothing::Kernel(vec![0.25])] {
        let found = smooth_surface(&[&x], &weights, &[axis], &smoothing, 60, of, 1.0).unwrap();
        let truth = |i: usize| 0.5 * axis.centre(i) * axis.centre(i) - 0.5 * axis.centre(found.lowest) * axis.centre(found.lowest);
        for i in [8, 15, 25, 35, 45] {
            let (low, high) = (found.band[i].0.min(found.free_energy[i]), found.band[i].1.max(found.free_energy[i]));
            let width = (high - low).max(0.2);
            assert!(truth(i) > low - width && truth(i) < high + width, "{smoothing:?} {i}: {} in {low} {high}", truth(i));
        }
        // far from the well the errors of the f_k are in the band
        assert!(found.stderr[45] > 0.15, "{}", found.stderr[45]);
    }
    // weights of the resamples sum to about 1 in every state, and are those of the fit where nothing changes
    for state in 0..5 {
        let sum: f64 = fit.resampled_log_weights(&how, &again, 3, state).into_iter().map(Real::exp).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{state}: {sum}");
    }
}

#[test]
fn what_cannot_be_smoothed() {
    let x = [0.1, 0.2, 0.3, 0.4];
    let axis = Axis::new(0.0, 1.0, 4, false).unwrap();
    let kernel = Smoothing::Kernel(vec![0.0]);
    let says = |columns: &[&[f64]], log_w: &[f64], axes: &[Axis], how: &Smoothing, what: &str| {
        let text = smooth_surface(columns, log_w, axes, how, 0, |_| Vec::new(), 1.0).unwrap_err().to_string();
        assert!(text.contains(what), "{text}");
    };
    says(&[], &[], &[], &kernel, "one or two coordinates");
    says(&[&x], &[0.0; 4], &[axis, axis], &kernel, "columns: expected 2, found 1");
    says(&[&x], &[0.0; 3], &[axis], &kernel, "draws of a column: expected 3, found 4");
    says(&[&[0.1, f64::NAN]], &[0.0; 2], &[axis], &kernel, "draw 1");
    says(&[&x], &[0.0, f64::NAN, 0.0, 0.0], &[axis], &kernel, "draw 1");
    says(&[&[5.0; 4]], &[0.0; 4], &[axis], &kernel, "no draw of any weight");
    says(&[&x], &[0.0; 4], &[axis], &Smoothing::Kernel(vec![2.0]), "width 2");
    says(&[&x], &[0.0; 4], &[axis], &Smoothing::Kernel(vec![1e-6]), "too narrow");
    says(&[&x], &[0.0; 4], &[axis], &Smoothing::Spline(vec![3]), "at least 4");
    says(&[&x], &[0.0; 4], &[axis], &Smoothing::Spline(vec![5, 5]), "expected 1, found 2");
    says(&[&[0.5; 4]], &[0.0; 4], &[axis], &kernel, "width 0");
    let short = smooth_surface(&[&x], &[0.0; 4], &[axis], &Smoothing::Spline(vec![4]), 2, |_| vec![0.0; 3], 1.0);
    assert!(matches!(short, Err(Unusable::Shape { expected: 4, found: 3, .. })));
    assert!(resample_weights(&[0.0; 4], &[3], 1, 0, 0).is_err() && resample_weights(&[0.0; 4], &[4], 0, 0, 0).is_err());
    let again = resample_weights(&[0.0; 100], &[40, 0, 60], 7, 5, 1).unwrap();
    let count = |from: usize, to: usize| again[from..to].iter().map(|l| Real::exp(*l)).sum::<f64>();
    assert!((count(0, 40) - 40.0).abs() < 1e-12 && (count(40, 100) - 60.0).abs() < 1e-12);
}

/// Energies of four harmonic degrees of freedom: <E> = 2 / beta, C = 2, f = 2 ln beta.
fn energies(rng: &mut SplitMix, beta: f64, n: usize) -> Vec<f64> {
    (0..n).map(|_| (0..4).map(|_| rng.normal()).map(|x| 0.5 * x * x / beta).sum::<f64>() - 1000.0).collect()
}

#[test]
fn other_temperatures_from_one_run_and_from_several() {
    let (mut one, mut many, mut twin) = (vec![Vec::new(); 4], vec![Vec::new(); 4], Vec::new());
    let mut chi = [0.0; 2];
    let runs = 100;
    for seed in 0..runs {
        let mut rng = SplitMix(3000 + 7 * seed);
        let e = energies(&mut rng, 1.0, 3200);
        let inverse: Vec<f64> = e.iter().map(|e| 1.0 / (e + 1000.0 + 0.5)).collect();
        let found = &reweight(series(&e, 32), 1.0, &[series(&e, 32), series(&inverse, 32)], &[1.3]).unwrap()[0];
        assert!((found.observables[0].0 - found.energy.0).abs() < 1e-9 && found.warnings.is_empty());
        // f counts from the energies' zero at -1000
        for (k, v) in [found.f.0 + 300.0, found.energy.0 + 1000.0, found.heat_capacity.0].into_iter().enumerate() {
            one[k].push(v);
        }
        chi[0] += ((found.energy.0 + 1000.0 - 2.0 / 1.3) / found.energy.1).powi(2) / runs as f64;
        let wrong = &reweight(series(&e, 32), 1.3, &[], &[1.0]).unwrap()[0];
        twin.push(wrong.energy.0 + 1000.0); // from there to here instead of from here to there
        let runs_at: Vec<Vec<f64>> = [0.5, 1.0, 2.0].iter().map(|b| energies(&mut rng, *b, 600)).collect();
        let rows: Vec<&[f64]> = runs_at.iter().map(Vec::as_slice).collect();
        let all = runs_at.concat();
        let found = reweight_many(&[0.5, 1.0, 2.0], &rows, &[&all], &[1.4, 1.0]).unwrap();
        let v = &found[0];
        for (k, v) in [v.f.0 + 900.0, v.energy.0 + 1000.0, v.heat_capacity.0, v.observables[0].0 + 1000.0].into_iter().enumerate() {
            many[k].push(v);
        }
        chi[1] += ((v.heat_capacity.0 - 2.0) / v.heat_capacity.1).powi(2) / runs as f64;
        assert!(found[1].n_eff > 600.0 && found[1].warnings.is_empty());
    }
    for (k, exact) in [2.0 * Real::ln(1.3), 2.0 / 1.3, 2.0].into_iter().enumerate() {
        assert!(z_of(&one[k], exact).abs() < 4.0, "one run, {k}: {}", z_of(&one[k], exact));
    }
    for (k, exact) in [2.0 * Real::ln(1.4 / 0.5), 2.0 / 1.4, 2.0, 2.0 / 1.4].into_iter().enumerate() {
        assert!(z_of(&many[k], exact).abs() < 4.0, "several, {k}: {}", z_of(&many[k], exact));
    }
    assert!(z_of(&twin, 2.0 / 1.3).abs() > 8.0);
    assert!(chi.iter().all(|c| (0.6..1.6).contains(c)), "{chi:?}");
}

#[test]
fn temperatures_out_of_reach() {
    let mut rng = SplitMix(1);
    let e = energies(&mut rng, 1.0, 3200);
    let far = &reweight(series(&e, 32), 1.0, &[], &[60.0]).unwrap()[0];
    assert!(far.n_eff < 50.0 && far.warnings.iter().any(|w| w.kind == WarningKind::NotCovered && w.message.contains("beta = 60")));
    assert!(reweight(series(&e, 32), f64::NAN, &[], &[1.0]).is_err() && reweight(series(&[1.0; 64], 2), 1.0, &[], &[1.0]).is_err());
    assert!(reweight(series(&e, 32), 1.0, &[series(&e, 16)], &[1.0]).is_err());
    let says = |r: Result<Vec<Reweighted>, FreeEnergyError>, what: &str| {
        let text = r.unwrap_err().to_string();
        assert!(text.contains(what), "{text}");
    };
    says(reweight_many(&[1.0, 2.0], &[&e], &[], &[1.5]), "lists of energies: expected 2, found 1");
    says(reweight_many(&[1.0], &[&[1.0, f64::NAN]], &[], &[1.5]), "value 1 of the energies is NaN");
    says(reweight_many(&[1.0, f64::INFINITY], &[&e, &e], &[], &[1.5]), "an inverse temperature is inf");
    says(reweight_many(&[1.0], &[&[]], &[], &[1.5]), "no samples");
    let cold: Vec<f64> = (0..200).map(|i| -1000.0 + 1e-3 * f64::from(i % 7)).collect();
    let hot: Vec<f64> = (0..200).map(|i| f64::from(i % 11)).collect();
    says(reweight_many(&[10.0, 0.1], &[&cold, &hot], &[], &[1.0]), "no overlap between the states {beta = 10} and {beta = 0.1}");
}
