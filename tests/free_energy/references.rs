//! Against published and exact references: tests/data/free-energy says where each number comes from.

use crate::names;
use ergodica::estimate::{
    Covariance, CovarianceMethod, Expectations, Initial, MbarOptions, ReducedPotentials, bar, cumulant2, exp_forward, exp_reverse, mbar,
};
use serde_json::Value;

fn reference(name: &str) -> Value {
    let path = format!("{}/tests/data/free-energy/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn matrix(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().flat_map(numbers).collect()
}

fn counts(v: &Value) -> Vec<usize> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as usize).collect()
}

/// Every element within `absolute + relative |b|`.
#[track_caller]
fn close(what: &str, a: &[f64], b: &[f64], absolute: f64, relative: f64) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= absolute + relative * b.abs(), "{what}[{i}]: {a} is not {b} (off by {:.1e})", (a - b).abs());
    }
}

/// Errors of f_j - f_0.
fn errors(theta: &Covariance) -> Vec<f64> {
    (0..theta.states).map(|j| theta.stderr(0, j)).collect()
}

/// u_k(x_n) = K_k (x_n - O_k)^2 / 2 of the harmonic set, `[k][n]`.
fn harmonic(r: &Value) -> (Vec<usize>, Vec<f64>, Vec<f64>) {
    let (o, k, x) = (numbers(&r["O_k"]), numbers(&r["K_k"]), numbers(&r["x_n"]));
    let u = o.iter().zip(&k).flat_map(|(o, k)| x.iter().map(move |x| 0.5 * k * (x - o) * (x - o))).collect();
    (counts(&r["N_k"]), x, u)
}

#[test]
fn five_harmonic_oscillators() {
    let all = reference("synthetic_reference");
    let r = &all["harmonic_K5"];
    let (n_k, _, u) = harmonic(r);
    let potentials = ReducedPotentials::from_rows(&names(5), &n_k, &u).unwrap();
    for initial in [Initial::BarLadder, Initial::Zeros, Initial::Given(vec![3.0, 1.0, 4.0, 1.0, 5.0])] {
        let fit = mbar(&potentials, &MbarOptions { initial, ..MbarOptions::default() }).unwrap();
        close("f_k", fit.f_k(), &numbers(&r["f_k"]), 1e-11, 0.0);
        assert!(fit.residual() < 1e-12);
    }
    let fit = mbar(&potentials, &MbarOptions::default()).unwrap();
    let theta = fit.covariance(CovarianceMethod::Asymptotic);
    close("Theta", &theta.theta, &matrix(&r["Theta"]), 1e-11, 1e-9);
    close("dDelta_f", &errors(&theta), &numbers(&r["dDelta_f_svd-ew"]), 1e-10, 1e-9);
    let svd = fit.covariance(CovarianceMethod::Svd);
    close("dDelta_f", &errors(&svd), &numbers(&r["dDelta_f_svd"]), 1e-10, 1e-9);
    close("Theta", &svd.theta, &theta.theta, 1e-14, 1e-10);
    let approximate = fit.covariance(CovarianceMethod::Approximate);
    close("approximate", &errors(&approximate), &numbers(&r["dDelta_f_approximate"]), 1e-10, 1e-9);
    let full: Vec<f64> = (0..25).map(|i| theta.stderr(i / 5, i % 5)).collect();
    close("dDelta_f", &full, &matrix(&r["dDelta_f"]), 1e-10, 1e-9);
    let overlap = fit.overlap();
    close("overlap", &overlap.matrix, &matrix(&r["overlap_matrix"]), 1e-10, 0.0);
    close("eigenvalues", &overlap.eigenvalues, &numbers(&r["overlap_eigenvalues"]), 1e-10, 0.0);
    close("scalar", &[overlap.scalar()], &[r["overlap_scalar"].as_f64().unwrap()], 1e-12, 0.0);
    close("n_eff", &fit.effective_sample_numbers(), &numbers(&r["n_eff"]), 0.0, 1e-9);
    let delta = fit.delta(1, 3);
    close("delta", &[delta.value, delta.stderr], &[0.835030014338, 0.2469827406], 1e-9, 0.0);
}

#[test]
fn averages_energies_entropies_and_other_states() {
    let all = reference("synthetic_reference");
    let r = &all["harmonic_K5"];
    let (n_k, x, u) = harmonic(r);
    let potentials = ReducedPotentials::from_rows(&names(5), &n_k, &u).unwrap();
    let fit = mbar(&potentials, &MbarOptions::default()).unwrap();
    let squares: Vec<f64> = x.iter().map(|x| x * x).collect();
    let wanted: Vec<(usize, usize)> = (0..10).map(|i| (i % 5, i / 5)).collect();
    let averages = fit.expectations(&wanted, &[&x, &squares]).unwrap();
    let error: Vec<f64> = (0..10).map(|l| averages.stderr(l)).collect();
    close("<x>", &averages.value[..5], &numbers(&r["mean_x"]), 1e-9, 1e-9);
    close("sd <x>", &error[..5], &numbers(&r["sd_mean_x"]), 0.0, 1e-8);
    close("<x^2>", &averages.value[5..], &numbers(&r["mean_x2"]), 1e-9, 1e-9);
    close("sd <x^2>", &error[5..], &numbers(&r["sd_mean_x2"]), 0.0, 1e-8);

    let parts = fit.entropy_enthalpy();
    let row = |e: &Expectations| -> (Vec<f64>, Vec<f64>) { (0..5).map(|k| e.difference(0, k)).unzip() };
    for (e, name) in [(&parts.u, "u"), (&parts.s, "s")] {
        let (value, error) = row(e);
        close(name, &value, &numbers(&r[format!("Delta_{name}_row0")]), 1e-9, 1e-9);
        close(name, &error, &numbers(&r[format!("dDelta_{name}_row0")]), 1e-10, 1e-8);
    }

    let p = &r["perturbed"];
    let quadratic: Vec<f64> = x.iter().map(|x| 1.25 * (x - 0.7) * (x - 0.7)).collect();
    let quartic: Vec<f64> = x.iter().map(|x| x * x * x * x / 4.0).collect();
    let others = fit.perturbed(&[&quadratic, &quartic]).unwrap();
    let delta = others.delta(0, 1);
    close("perturbed", &[delta.value], &[p["Delta_f"][0][1].as_f64().unwrap()], 1e-9, 0.0);
    close("perturbed", &[delta.stderr], &[p["dDelta_f"][0][1].as_f64().unwrap()], 0.0, 1e-9);
    // A perturbed state that is one of the fit's own.
    let own = fit.perturbed(&[&u[3 * x.len()..4 * x.len()]]).unwrap();
    let delta = own.from_state(1, 0);
    close("own", &[delta.value, delta.stderr], &[0.835030014338, 0.2469827406], 1e-9, 0.0);
    assert!(own.from_state(3, 0).stderr < 1e-7);
}

#[test]
fn neighbours_one_way_and_both_ways() {
    let all = reference("synthetic_reference");
    let r = &all["harmonic_K5"];
    let (n_k, x, u) = harmonic(r);
    let starts: Vec<usize> = n_k.iter().scan(0, |s, n| Some(std::mem::replace(s, *s + n))).collect();
    let work = |from: usize, to: usize| -> Vec<f64> {
        (starts[from]..starts[from] + n_k[from]).map(|n| u[to * x.len() + n] - u[from * x.len() + n]).collect()
    };
    for pair in r["adjacent"].as_array().unwrap() {
        let (i, j) = (pair["pair"][0].as_u64().unwrap() as usize, pair["pair"][1].as_u64().unwrap() as usize);
        let (forward, reverse) = (work(i, j), work(j, i));
        let b = bar(&forward, &reverse).unwrap();
        close("bar", &[b.delta_f, b.stderr], &numbers(&pair["bar"]), 1e-10, 1e-10);
        close("bar as mbar", &[b.stderr_mbar], &[pair["bar_sd_MBAR"].as_f64().unwrap()], 0.0, 1e-9);
        close("overlap", &[b.overlap], &[pair["bar_overlap"].as_f64().unwrap()], 0.0, 1e-9);
        let e = exp_forward(&forward).unwrap();
        close("exp forward", &[e.value, e.stderr], &numbers(&pair["exp_forward"]), 1e-10, 1e-10);
        let e = exp_reverse(&reverse).unwrap();
        close("exp reverse", &[e.value, e.stderr], &numbers(&pair["exp_reverse"]), 1e-10, 1e-10);
    }
}

#[test]
fn gaussian_work() {
    let all = reference("synthetic_reference");
    let r = &all["gaussian_work"];
    let (forward, reverse) = (numbers(&r["w_F"]), numbers(&r["w_R"]));
    let b = bar(&forward, &reverse).unwrap();
    close("bar", &[b.delta_f, b.stderr], &numbers(&r["bar"]), 1e-10, 1e-10);
    close("bar as mbar", &[b.stderr_mbar], &[r["bar_sd_MBAR"].as_f64().unwrap()], 0.0, 1e-10);
    close("overlap", &[b.overlap], &[r["bar_overlap"].as_f64().unwrap()], 0.0, 1e-9);
    for (estimate, name, sign) in [
        (exp_forward(&forward), "exp_forward", 1.0),
        (exp_reverse(&reverse), "exp_reverse", 1.0),
        (cumulant2(&forward), "exp_gauss_forward", 1.0),
        (cumulant2(&reverse), "exp_gauss_reverse", -1.0),
    ] {
        let estimate = estimate.unwrap();
        close(name, &[sign * estimate.value, estimate.stderr], &numbers(&r[name]), 1e-10, 1e-10);
    }
}

#[test]
fn benzene_coulomb_every_fortieth_frame() {
    let r = reference("gmx_benzene_coulomb_compact");
    let n_k = counts(&r["N_k"]);
    let u_nk: Vec<f64> = r["u_nk"].as_array().unwrap().iter().flat_map(matrix).collect();
    let origin: Vec<usize> = n_k.iter().enumerate().flat_map(|(k, n)| vec![k; *n]).collect();
    let potentials = ReducedPotentials::from_samples(&names(5), &origin, &u_nk).unwrap();
    let fit = mbar(&potentials, &MbarOptions::default()).unwrap();
    close("f_k", fit.f_k(), &numbers(&r["mbar_f_k"]), 1e-8, 0.0);
    close("df_k", &errors(&fit.covariance(CovarianceMethod::Asymptotic)), &numbers(&r["mbar_df_k"]), 1e-12, 1e-6);
    close("overlap", &fit.overlap().matrix, &matrix(&r["overlap"]), 1e-8, 0.0);
    for (k, pair) in r["bar_adjacent"].as_array().unwrap().iter().enumerate() {
        let work = |from: usize, to: usize| -> Vec<f64> {
            let rows = u_nk.chunks_exact(5).zip(&origin);
            rows.filter(|(_, o)| **o == from).map(|(u, _)| u[to] - u[from]).collect()
        };
        let b = bar(&work(k, k + 1), &work(k + 1, k)).unwrap();
        close("bar", &[b.delta_f, b.stderr], &numbers(pair), 1e-9, 1e-9);
    }
}

/// The solver's hard case, from the package alchemtest: 24 states, 501 samples each, reduced energies about -1e5.
#[test]
#[ignore = "ERGODICA_ALCHEMTEST_BFGS must name alchemtest's generic/BFGS/u_nk.npy"]
fn generic_bfgs() {
    let file = std::env::var("ERGODICA_ALCHEMTEST_BFGS").expect("set ERGODICA_ALCHEMTEST_BFGS to the path of u_nk.npy");
    let bytes = std::fs::read(file).unwrap();
    let values: Vec<f64> =
        bytes[bytes.len() - 8 * 24 * 12024..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    let u = ReducedPotentials::from_rows(&names(24), &[501; 24], &values).unwrap();
    let reference = reference("generic_bfgs_reference");
    for initial in [Initial::BarLadder, Initial::Zeros] {
        let start = std::time::Instant::now();
        let fit = mbar(&u, &MbarOptions { initial, ..MbarOptions::default() }).unwrap();
        assert!(start.elapsed().as_secs_f64() < 1.0);
        for (k, f) in fit.f_k().iter().enumerate() {
            assert!((f - reference["f_k"][k].as_f64().unwrap()).abs() < 1e-8, "state {k}: {f}");
        }
    }
}
