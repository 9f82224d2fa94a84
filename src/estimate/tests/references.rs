//! Agreement with ArviZ, pymbar and scipy on series that integer arithmetic defines.

use super::super::*;
use super::{SplitMix, series};
use serde_json::Value;

fn facts() -> Value {
    serde_json::from_str(include_str!("../../../tests/data/timeseries_reference.json")).unwrap()
}

fn built(case: &Value) -> (Vec<f64>, usize) {
    let whole = |key: &str| case[key].as_u64().unwrap();
    let (replicas, draws, rho) = (whole("replicas") as usize, whole("draws") as usize, case["rho"].as_f64().unwrap());
    let mut rng = SplitMix(whole("seed"));
    let mut out = Vec::new();
    for r in 0..replicas {
        let (mut x, mut drift) = (0.0, 5.0);
        for _ in 0..draws {
            let e = rng.uniform() + rng.uniform() + rng.uniform() - 1.5;
            x = rho * x + e;
            out.push(match case["shape"].as_str().unwrap() {
                "plain" => x,
                "cubed" => x * x * x,
                "rounded" => (2.0f64 * x).floor() / 2.0,
                "shifted" => x + 0.5 * r as f64,
                "scaled" => x * (1.0 + r as f64),
                "transient" => x + drift,
                other => panic!("{other}"),
            });
            drift *= 0.99;
        }
    }
    assert_eq!((out[0], out[out.len() - 1]), (case["first"].as_f64().unwrap(), case["last"].as_f64().unwrap()));
    (out, replicas)
}

fn same(ours: f64, theirs: &Value, tolerance: f64, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours} against {theirs}");
}

#[test]
fn rank_diagnostics_are_those_of_arviz() {
    for case in facts()["cases"].as_array().unwrap() {
        let (values, replicas) = built(case);
        let ours = rank_diagnostics(series(&values, replicas)).unwrap();
        let name = format!("seed {}", case["seed"]);
        if replicas > 1 {
            same(ours.r_hat, &case["r_hat"], 1e-12, &name);
            same(ours.r_hat_bulk, &case["r_hat_bulk"], 1e-12, &name);
            same(ours.r_hat_folded, &case["r_hat_folded"], 1e-12, &name);
        }
        same(ours.ess_bulk, &case["ess_bulk"], 1e-11, &name);
        same(ours.ess_tail, &case["ess_tail"], 1e-11, &name);
        same(ess_mean(series(&values, replicas)).unwrap(), &case["ess_mean"], 1e-11, &name);
    }
}

#[test]
fn statistical_inefficiency_is_that_of_pymbar() {
    for case in facts()["cases"].as_array().unwrap() {
        let (values, replicas) = built(case);
        let all = series(&values, replicas);
        let one = Series::single(all.replica(0));
        let name = format!("seed {}", case["seed"]);
        same(statistical_inefficiency(one).unwrap().g, &case["g_first"], 1e-11, &name);
        if replicas > 1 {
            same(statistical_inefficiency(all).unwrap().g, &case["g_all"], 1e-11, &name);
        }
    }
}

#[test]
fn equilibration_is_that_of_pymbar() {
    let mut seen = 0;
    for case in facts()["cases"].as_array().unwrap() {
        let (values, replicas) = built(case);
        let all = series(&values, replicas);
        let one = Series::single(all.replica(0));
        let draws = all.draws;
        if let Some(starts) = case["starts"].as_array() {
            let starts: Vec<usize> = starts.iter().map(|t| t.as_u64().unwrap() as usize).collect();
            let found = detect_equilibration_at(one, &starts).unwrap();
            for (&(t, n_eff), g) in found.tried.iter().zip(case["g_from"].as_array().unwrap()) {
                same((draws - t) as f64 / n_eff, g, 1e-11, "g from t0");
            }
        }
        let reference = &case["equilibration_every_10"];
        if reference.is_object() {
            let starts: Vec<usize> = (0..draws - 4).step_by(10).collect();
            let found = detect_equilibration_at(one, &starts).unwrap();
            assert_eq!(found.start as u64, reference["t"].as_u64().unwrap(), "seed {}", case["seed"]);
            same(found.g, &reference["g"], 1e-6, "g in f32");
            let plus = found.n_eff * (draws - found.start + 1) as f64 / (draws - found.start) as f64;
            same(plus, &reference["n_eff_plus"], 1e-6, "n_eff in f32");
            seen += 1;
        }
    }
    assert!(seen >= 8);
}

#[test]
fn quantiles_are_those_of_scipy() {
    let facts = facts();
    for pair in facts["normal_quantile"].as_array().unwrap() {
        let (p, z) = (pair[0].as_f64().unwrap(), pair[1].as_f64().unwrap());
        assert!((normal_quantile(p) - z).abs() <= 4e-15 * z.abs().max(0.1), "{p}: {} {z}", normal_quantile(p));
    }
    for row in facts["student_t"].as_array().unwrap() {
        let (level, dof, t) = (row[0].as_f64().unwrap(), row[1].as_u64().unwrap() as usize, row[2].as_f64().unwrap());
        assert!((student_t_quantile(level, dof) / t - 1.0).abs() < 3e-10, "{level} {dof}: {} {t}", student_t_quantile(level, dof));
    }
}

#[test]
fn autocovariance_is_the_double_sum() {
    for (replicas, draws, lags) in
        [(1usize, 700usize, 699usize), (3, 257, 256), (2, 2000, 40), (5, 1025, 512), (4, 64, 63), (1, 9, 8), (2, 513, 300)]
    {
        let values: Vec<f64> = super::ar1(7, replicas, draws, 0.9).iter().map(|x| x + 3.0).collect();
        let s = series(&values, replicas);
        for centre in [Centre::Common, Centre::Own] {
            let ours = autocovariance(s, centre, lags).unwrap();
            assert_eq!(ours.len(), lags + 1);
            let common = values.iter().sum::<f64>() / values.len() as f64;
            for t in [0, 1, 2, 17, lags / 2, lags - 1, lags].into_iter().filter(|t| *t <= lags) {
                let mut sum = 0.0;
                for r in 0..replicas {
                    let x = s.replica(r);
                    let m = if centre == Centre::Common { common } else { x.iter().sum::<f64>() / draws as f64 };
                    sum += (0..draws - t).map(|u| (x[u] - m) * (x[u + t] - m)).sum::<f64>();
                }
                let brute = sum / values.len() as f64;
                assert!((ours[t] - brute).abs() < 1e-13 * ours[0].max(1.0), "{replicas} {draws} {t}: {} {brute}", ours[t]);
            }
        }
    }
}
