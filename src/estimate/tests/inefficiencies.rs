//! Statistical inefficiency, subsampling and equilibration in pymbar's modes, against pymbar; and whether what is kept is independent.

use super::super::*;
use super::{SplitMix, ar1, z_of};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap()
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(number).collect()
}

fn indices(v: &Value) -> Vec<usize> {
    v.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours} against {theirs}");
}

fn g(x: &[f64]) -> f64 {
    statistical_inefficiency(Series::single(x)).unwrap().g
}

fn g_fast(x: &[f64]) -> f64 {
    statistical_inefficiency_with(Series::single(x), LagWindow::SINGLE.with(Lags::Growing)).unwrap().g
}

fn every(draws: usize, step: usize) -> Vec<usize> {
    (0..draws - 1).step_by(step).collect()
}

/// pymbar stores g and n_eff as f32 and counts one draw too many.
fn equilibration_is(found: &Equilibration, draws: usize, t: usize, g: f64, n_eff_plus: f64, what: &str) {
    assert_eq!(found.start, t, "{what}");
    close(found.g, g, 1e-6, what);
    close(found.n_eff * (draws - t + 1) as f64 / (draws - t) as f64, n_eff_plus, 1e-6, what);
}

fn built(case: &Value) -> Vec<Vec<f64>> {
    let (rho, transient) = (number(&case["rho"]), number(&case["transient"]));
    let mut rng = SplitMix(case["seed"].as_u64().unwrap());
    let parts: Vec<Vec<f64>> = indices(&case["lengths"])
        .iter()
        .map(|&n| {
            let (mut x, mut drift) = (0.0, transient);
            (0..n)
                .map(|_| {
                    x = rho * x + (rng.uniform() + rng.uniform() + rng.uniform() - 1.5);
                    let value = x + drift;
                    drift *= 0.99;
                    value
                })
                .collect()
        })
        .collect();
    assert_eq!(parts.last().unwrap().last().copied().unwrap(), number(&case["last"]));
    parts
}

#[test]
fn every_mode_is_that_of_pymbar() {
    let facts = json(include_str!("../../../tests/data/free-energy/inefficiency_reference.json"));
    for case in facts["cases"].as_array().unwrap() {
        let (parts, name) = (built(case), format!("seed {}", case["seed"]));
        let all: Vec<&[f64]> = parts.iter().map(Vec::as_slice).collect();
        let several = |lags| statistical_inefficiency_of(&all, LagWindow::SEVERAL.with(lags)).unwrap().g;
        close(several(Lags::Every), number(&case["g_several"]), 1e-11, &name);
        close(several(Lags::Growing), number(&case["g_several_fast"]), 1e-11, &name);
        if parts.len() > 1 {
            continue;
        }
        let x = &parts[0];
        let mut y = x.clone();
        y.rotate_right(3);
        close(g(x), number(&case["g"]), 1e-11, &name);
        close(g(x), number(&case["g_fft"]), 1e-11, &name);
        close(g_fast(x), number(&case["g_fast"]), 1e-11, &name);
        let later = LagWindow { lags: Lags::Every, least: 20 };
        close(statistical_inefficiency_with(Series::single(x), later).unwrap().g, number(&case["g_least_20"]), 1e-11, &name);
        close(cross_inefficiency(x, &y, LagWindow::SINGLE).unwrap().g, number(&case["g_cross"]), 1e-9, &name);
        let fast = LagWindow::SINGLE.with(Lags::Growing);
        close(cross_inefficiency(x, &y, fast).unwrap().g, number(&case["g_cross_fast"]), 1e-9, &name);
        assert_eq!(subsample(x.len(), g(x), Spacing::Average).unwrap(), indices(&case["kept"]), "{name}");
        assert_eq!(subsample(x.len(), g_fast(x), Spacing::Average).unwrap(), indices(&case["kept_fast"]), "{name}");
        assert_eq!(subsample(x.len(), g(x), Spacing::Conservative).unwrap(), indices(&case["kept_conservative"]), "{name}");
        if !case["start_search"].is_object() {
            continue;
        }
        let one = Series::single(x);
        for (key, found) in [
            ("start_25", detect_equilibration_with(one, &every(x.len(), 25), Lags::Every)),
            ("start_25_fast", detect_equilibration_with(one, &every(x.len(), 25), Lags::Growing)),
            ("start_search", detect_equilibration_search(one, 10)),
        ] {
            let theirs = &case[key];
            let t = theirs["t"].as_u64().unwrap() as usize;
            equilibration_is(&found.unwrap(), x.len(), t, number(&theirs["g"]), number(&theirs["n_eff_plus"]), &format!("{name} {key}"));
        }
    }
}

#[test]
fn the_published_series() {
    let facts = json(include_str!("../../../tests/data/free-energy/synthetic_reference.json"));
    for case in facts["timeseries"].as_array().unwrap() {
        let x = numbers(&case["x"]);
        let one = Series::single(&x);
        close(g(&x), number(&case["g"]), 1e-9, "g");
        close(g_fast(&x), number(&case["g_fast"]), 1e-9, "g fast");
        let later = LagWindow { least: 10, ..LagWindow::SINGLE };
        close(statistical_inefficiency_with(one, later).unwrap().g, number(&case["g_mintime10"]), 1e-9, "g from lag 10");
        let four = Series::new(&x, 4).unwrap();
        close(statistical_inefficiency(four).unwrap().g, number(&case["g_multiple_4_equal_chunks"]), 1e-9, "four parts");
        let kept = subsample(x.len(), g(&x), Spacing::Average).unwrap();
        assert_eq!(kept[..10], indices(&case["subsample_first10"]));
        assert_eq!(kept.len() as u64, case["n_subsample"].as_u64().unwrap());
        let conservative = subsample(x.len(), g(&x), Spacing::Conservative).unwrap();
        assert_eq!(conservative.len() as u64, case["n_subsample_conservative"].as_u64().unwrap());
        for (key, lags) in [("detect_equilibration_nskip10_fast", Lags::Growing), ("detect_equilibration_nskip10_full", Lags::Every)] {
            let theirs = numbers(&case[key]);
            let found = detect_equilibration_with(one, &every(x.len(), 10), lags).unwrap();
            equilibration_is(&found, x.len(), theirs[0] as usize, theirs[1], theirs[2], key);
        }
    }
}

#[test]
fn what_is_kept_is_independent() {
    // Intervals that take the kept draws as independent; the twin takes all draws so.
    for (rho, draws) in [(0.8, 1500), (0.5, 600), (0.95, 4000)] {
        let (mut covered, mut naive) = (0, 0);
        for seed in 0..500 {
            let x: Vec<f64> = ar1(9000 + seed, 1, draws, rho);
            let interval = |kept: &[f64]| {
                let n = kept.len() as f64;
                let mean = kept.iter().sum::<f64>() / n;
                let spread = kept.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
                mean.abs() < student_t_quantile(0.95, kept.len() - 1) * (spread / n).sqrt()
            };
            let kept: Vec<f64> = subsample(draws, g(&x), Spacing::Average).unwrap().iter().map(|&i| x[i]).collect();
            covered += usize::from(interval(&kept));
            naive += usize::from(interval(&x));
        }
        assert!((450..=490).contains(&covered), "rho {rho}: {covered} of 500");
        assert!(naive < if rho < 0.6 { 400 } else { 300 }, "the twin must fail at rho {rho}: {naive}");
    }
}

#[test]
fn the_exact_inefficiency_is_reached() {
    // Smallest bias seen: 4 x 1.2 %. The twin forgets the factor 2 of the sum.
    let exact = 1.9 / 0.1;
    let found: Vec<f64> = (0..64).map(|seed| g(&ar1(400 + seed, 1, 40_000, 0.9))).collect();
    assert!(z_of(&found, exact).abs() < 4.0, "{}", z_of(&found, exact));
    let twin: Vec<f64> = found.iter().map(|g| 1.0 + 0.5 * (g - 1.0)).collect();
    assert!(z_of(&twin, exact).abs() > 8.0);
    // Unequal parts of one process, and a process seen with itself.
    let x = ar1(77, 1, 60_000, 0.9);
    let parts = [&x[..10_000], &x[10_000..11_000], &x[11_000..]];
    close(statistical_inefficiency_of(&parts, LagWindow::SEVERAL).unwrap().g, exact, 0.1, "parts");
    close(cross_inefficiency(&x, &x, LagWindow::SINGLE).unwrap().g, g(&x), 1e-11, "with itself");
}

#[test]
fn nothing_short_or_damaged_passes() {
    let x = ar1(5, 1, 50, 0.5);
    let mut bad = x.clone();
    bad[7] = f64::NAN;
    let several = |parts: &[&[f64]]| statistical_inefficiency_of(parts, LagWindow::SEVERAL);
    assert!(matches!(several(&[]), Err(Unusable::TooShort { .. })));
    assert!(matches!(several(&[&x[..3], &x[..2]]), Err(Unusable::TooShort { .. })));
    assert_eq!(several(&[&x, &[], &bad]).unwrap_err(), Unusable::NotFinite { replica: 2, draw: 7 });
    assert!(several(&[&x, &[]]).is_ok());
    assert!(matches!(several(&[&[1.0; 9], &[1.0; 5]]), Err(Unusable::Constant { .. })));
    assert!(matches!(cross_inefficiency(&x, &x[1..], LagWindow::SINGLE), Err(Unusable::Shape { expected: 50, found: 49, .. })));
    assert!(matches!(cross_inefficiency(&x, &bad, LagWindow::SINGLE), Err(Unusable::NotFinite { .. })));
    assert!(matches!(cross_inefficiency(&[1.0, -1.0, 1.0, -1.0], &[1.0, 1.0, -1.0, -1.0], LagWindow::SINGLE), Err(Unusable::Argument(_))));
    assert!(matches!(detect_equilibration_search(Series::single(&x), 4), Err(Unusable::Argument(_))));
    assert!(matches!(detect_equilibration_search(Series::single(&x[..9]), 9), Err(Unusable::TooShort { .. })));
    assert!(matches!(detect_equilibration_with(Series::single(&bad), &[0], Lags::Growing), Err(Unusable::NotFinite { .. })));
}
