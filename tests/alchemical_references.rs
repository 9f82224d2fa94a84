//! Free energies from other programs' files against alchemlyb 2.5.0 and pymbar 4.0.3, record by record.
//!
//! The files are the PyPI package alchemtest 1.0.0 (data CC0): `benches/peers/setup --alchemtest`, then
//! `ERGODICA_ALCHEMTEST=FOLDER cargo test --test alchemical_references -- --ignored`, FOLDER being the one that holds `alchemtest/`.

use ergodica::campaign::estimate_files::{Analysis, Answer, Discard, Method, Request, Unit, estimate_leg};
use ergodica::estimate::{
    CovarianceMethod, FreeEnergyError, LagWindow, Lags, MbarOptions, ReducedPotentials, Series, Spacing, detect_equilibration_with,
    forward_reverse_of, mbar, statistical_inefficiency, statistical_inefficiency_with, subsample,
};
use ergodica::io::alchemical::{Leg, read};
use serde_json::Value;
use std::path::PathBuf;

fn reference() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/free-energy/alchemtest_reference.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(what: &str, a: f64, b: f64, absolute: f64, relative: f64) {
    assert!((a - b).abs() <= absolute + relative * b.abs(), "{what}: {a} is not {b} (off by {:.1e})", (a - b).abs());
}

/// The package's files of a record.
fn leg(record: &Value) -> Leg {
    let root =
        PathBuf::from(std::env::var_os("ERGODICA_ALCHEMTEST").expect("set ERGODICA_ALCHEMTEST to the folder that holds alchemtest/"));
    let files: Vec<PathBuf> = record["files"].as_array().unwrap().iter().map(|f| root.join(f.as_str().unwrap())).collect();
    let given = (record["parser"] == "namd").then(|| record["T"].as_f64().unwrap());
    let mut leg = Leg::new(read(&files).unwrap(), given).unwrap();
    assert_eq!(leg.temperature, record["T"].as_f64().unwrap());
    if record["dataset"] == "gmx_expanded_case1" {
        drop_rows_with_any_gap(&mut leg);
    }
    if record["dataset"] == "namd_idws" {
        pair_both_directions(&mut leg);
    }
    leg
}

/// What alchemlyb does with interleaved double-wide sampling: it pairs forward and backward samples and drops the odd last one.
fn pair_both_directions(leg: &mut Leg) {
    for (state, window) in leg.windows.iter_mut().enumerate() {
        for run in &mut window.runs {
            let there = |n: usize, k: usize| !run.energies.row(n)[k].is_nan();
            let rows = |k: usize| (0..run.energies.len()).filter(|&n| there(n, k)).collect::<Vec<usize>>();
            let (ahead, back) =
                (if state < 10 { rows(state + 1) } else { Vec::new() }, if state > 0 { rows(state - 1) } else { Vec::new() });
            if !ahead.is_empty() && !back.is_empty() {
                let common = ahead.len().min(back.len());
                let keep: Vec<usize> = [&ahead[..common], &back[..common]].concat();
                run.energies.retain(|n| keep.contains(&n));
            }
        }
    }
}

/// What alchemlyb's default filter does: a gap in any column costs the whole row.
fn drop_rows_with_any_gap(leg: &mut Leg) {
    for run in leg.windows.iter_mut().flat_map(|w| &mut w.runs) {
        let whole: Vec<bool> = (0..run.gradients.len()).map(|n| run.gradients.row(n).iter().all(|v| !v.is_nan())).collect();
        assert_eq!(run.gradients.time, run.energies.time);
        run.gradients.retain(|n| whole[n]);
        run.energies.retain(|n| whole[n]);
        run.base.clear();
    }
}

fn analysis(leg: &Leg, method: Method) -> Analysis {
    let (discard, unit) = (Discard::Nothing, Unit::Kt);
    estimate_leg(&Request { legs: Vec::new(), discard, subsample: false, unit, ..Request::new(method, Vec::new()) }, leg).unwrap()
}

fn answer(analysis: &Analysis, key: &str) -> Answer {
    let all = &analysis.legs[0].answers;
    all.iter().find(|a| a.key == key).unwrap_or_else(|| panic!("no {key}: {:?}", analysis.warnings)).clone()
}

fn states(leg: &Leg, name: &str, expected: &Value) {
    for (found, state) in leg.states.iter().zip(expected.as_array().unwrap()) {
        let lambdas = if state.is_array() { numbers(state) } else { vec![state.as_f64().unwrap()] };
        assert_eq!(*found, lambdas, "{name}");
    }
    assert_eq!(leg.states.len(), expected.as_array().unwrap().len(), "{name}");
}

/// TI by trapezoid, spline, Simpson is the series' test; here the means that the files give, and totals.
fn ti(name: &str, leg: &Leg, record: &Value) {
    let Some(r) = record.get("ti") else { return };
    states(leg, name, &r["states"]);
    let all = analysis(leg, Method::Ti);
    let moving: Vec<usize> = (0..leg.components.len()).filter(|&c| leg.states.iter().any(|s| s[c] != leg.states[0][c])).collect();
    for (k, w) in all.legs[0].windows.iter().enumerate() {
        assert_eq!(w.gradients, r["N_k"][k].as_u64().unwrap() as usize, "{name}");
        let (means, sems) = (numbers(&r["mean_dhdl"][k]), numbers(&r["sem_dhdl"][k]));
        for (i, &c) in moving.iter().enumerate() {
            // The references have ten digits.
            close(&format!("{name} mean {k}"), w.mean_gradient[i].0, means[c], 1e-9, 1e-9);
            close(&format!("{name} sem {k}"), w.mean_gradient[i].1, sems[c], 1e-9, 1e-9);
        }
    }
    let main = answer(&all, "ti");
    let trapezoid = if main.label.contains("trapezoid") { main.clone() } else { answer(&all, "ti trapezoid") };
    let (value, stderr) = trapezoid.total();
    close(&format!("{name} TI"), value, r["delta_f"].as_f64().unwrap(), 1e-9, 1e-9);
    if moving.len() == 1 {
        // With several components alchemlyb adds their variances; the covariance is kept here.
        close(&format!("{name} TI error"), stderr, r["d_delta_f"].as_f64().unwrap(), 0.0, 1e-9);
        let spline = answer(&all, "ti natural_cubic").total().0;
        close(&format!("{name} spline"), spline, r["natural_cubic_spline_delta_f"].as_f64().unwrap(), 1e-9, 1e-9);
    }
    for (k, f) in numbers(&r["cumulative"]).into_iter().enumerate() {
        close(&format!("{name} TI profile"), trapezoid.f[k], f, 2e-9, 1e-9);
    }
    if let Some(r) = record.get("ti_gq") {
        assert!(main.label.contains("Gauss"), "{name}");
        // alchemlyb rounds the weights to five digits.
        close("quadrature", main.total().0, r["delta_f"].as_f64().unwrap(), 1e-3, 0.0);
    }
}

fn bar_and_exp(name: &str, leg: &Leg, record: &Value) {
    let Some(r) = record.get("bar") else { return };
    states(leg, name, &record["u_nk_states"]);
    let bar = answer(&analysis(leg, Method::Bar), "bar");
    let both = analysis(leg, Method::Exp);
    let mut squares = 0.0;
    for (key, answer) in
        [("adjacent", bar.clone()), ("exp_forward", answer(&both, "exp forward")), ("exp_reverse", answer(&both, "exp reverse"))]
    {
        let (values, errors) = (numbers(&r[format!("{key}_delta_f").as_str()]), numbers(&r[format!("{key}_d_delta_f").as_str()]));
        assert_eq!(values.len() + 1, answer.points.len());
        for (k, (v, e)) in values.iter().zip(&errors).enumerate() {
            let (value, stderr) = answer.delta(k, k + 1);
            close(&format!("{name} {key} {k}"), value, *v, 2e-9, 1e-9);
            close(&format!("{name} {key} error {k}"), stderr, *e, 1e-10, 1e-7);
            squares += if key == "adjacent" { stderr * stderr } else { 0.0 };
        }
    }
    close(&format!("{name} BAR"), bar.total().0, r["delta_f"].as_f64().unwrap(), 1e-9, 1e-9);
    close(&format!("{name} BAR error"), squares.sqrt(), r["d_delta_f_independent"].as_f64().unwrap(), 0.0, 1e-7);
}

fn multistate(name: &str, leg: &Leg, record: &Value) {
    let Some(r) = record.get("mbar") else { return };
    let all = analysis(leg, Method::Mbar);
    let fit = answer(&all, "mbar");
    for (w, n) in all.legs[0].windows.iter().zip(numbers(&r["N_k"])) {
        assert_eq!(w.used, n as usize, "{name}");
    }
    let (f, df, n_eff) = (numbers(&r["f_k"]), numbers(&r["df_k"]), numbers(&r["n_effective"]));
    for k in 0..f.len() {
        close(&format!("{name} f_{k}"), fit.f[k], f[k], 1e-8, 1e-9);
        close(&format!("{name} df_{k}"), fit.delta(0, k).1, df[k], 1e-9, 1e-6);
        close(&format!("{name} n_eff {k}"), fit.effective[k], n_eff[k], 0.0, 1e-8);
    }
    let (value, stderr) = fit.total();
    close(&format!("{name} MBAR"), value, r["delta_f"].as_f64().unwrap(), 1e-8, 0.0);
    close(&format!("{name} MBAR error"), stderr, r["d_delta_f"].as_f64().unwrap(), 0.0, 1e-6);
    for (k, o) in numbers(&r["overlap_adjacent"]).into_iter().enumerate() {
        close(&format!("{name} overlap {k}"), fit.overlap[k * f.len() + k + 1], o, 1e-8, 0.0);
    }
}

/// u in the first row of each file, base energy included.
fn first_rows(name: &str, leg: &Leg, record: &Value) {
    for (row, run) in record["u_nk_first_row_per_file"].as_array().into_iter().flatten().zip(leg.windows.iter().flat_map(|w| &w.runs)) {
        // alchemlyb takes AMBER's energies relative to the sampled state; expanded ensembles are split by state here.
        if !(name.starts_with("gmx_benzene") || name.starts_with("gomc")) {
            continue;
        }
        for (k, u) in numbers(row).into_iter().enumerate() {
            close(&format!("{name} u {k}"), run.energies.row(0)[k] + run.base[0], u, 1e-5, 1e-9);
        }
    }
}

fn timeseries(name: &str, leg: &Leg, record: &Value) {
    let Some(list) = record["timeseries_dhdl"].as_array() else { return };
    let files: Vec<&str> = record["files"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    for (file, r) in files.iter().zip(list) {
        let run = leg.windows.iter().flat_map(|w| &w.runs).find(|r| r.files[0].contains(file)).unwrap();
        let series: Vec<f64> = (0..run.gradients.len()).map(|n| run.gradients.row(n).iter().sum()).collect();
        let single = Series::single(&series);
        let g = statistical_inefficiency(single).unwrap().g;
        close(&format!("{name} g of {file}"), g, r["g"].as_f64().unwrap(), 0.0, 2e-9);
        let fast = statistical_inefficiency_with(single, LagWindow::SINGLE.with(Lags::Growing)).unwrap().g;
        close(&format!("{name} fast g of {file}"), fast, r["g_fast"].as_f64().unwrap(), 0.0, 2e-9);
        let kept = subsample(series.len(), g, Spacing::Average).unwrap().len();
        assert_eq!(kept, r["n_subsampled"].as_u64().unwrap() as usize, "{name} {file}");
        let r = &record["equilibration_dhdl"][files.iter().position(|f| f == file).unwrap()];
        let starts: Vec<usize> = (0..series.len() - 1).step_by(r["nskip"].as_u64().unwrap() as usize).collect();
        let found = detect_equilibration_with(single, &starts, Lags::Growing).unwrap();
        assert_eq!(found.start, r["t0"].as_u64().unwrap() as usize, "{name} {file}");
        // pymbar keeps f32 and counts one draw more
        close(&format!("{name} g of the rest of {file}"), found.g, r["g"].as_f64().unwrap(), 0.0, 1e-6);
        let plus = found.n_eff + 1.0 / found.g;
        close(&format!("{name} n_eff of the rest of {file}"), plus, r["n_eff_max"].as_f64().unwrap(), 0.0, 1e-6);
    }
}

/// MBAR from the first and the last parts of every file. alchemlyb's last forward part drops a remainder, ours is all data.
fn forward_and_backward(name: &str, leg: &Leg, record: &Value) {
    let Some(r) = record.get("forward_backward_mbar_num5") else { return };
    let k = leg.states.len();
    let names: Vec<String> = (0..k).map(|s| leg.name(s)).collect();
    let runs: Vec<_> = leg.windows.iter().enumerate().flat_map(|(s, w)| w.runs.iter().map(move |run| (s, run))).collect();
    let lengths: Vec<usize> = runs.iter().map(|(_, run)| run.energies.len()).collect();
    let found = forward_reverse_of(&lengths, 5, |ranges| {
        let (mut origin, mut u) = (Vec::new(), Vec::new());
        for ((state, run), range) in runs.iter().zip(ranges) {
            for n in range.clone() {
                origin.push(*state);
                u.extend_from_slice(run.energies.row(n));
            }
        }
        let u = ReducedPotentials::from_samples(&names, &origin, &u)?;
        let fit = mbar(&u, &MbarOptions::default())?;
        Ok::<_, FreeEnergyError>((fit.f_k()[k - 1] - fit.f_k()[0], fit.covariance(CovarianceMethod::Asymptotic).stderr(0, k - 1)))
    })
    .unwrap();
    for (i, part) in found.parts.iter().enumerate() {
        let of = |key: &str| r[key][i].as_f64().unwrap();
        if i < 4 {
            close(&format!("{name} forward {i}"), part.forward.0, of("Forward"), 1e-8, 1e-9);
            close(&format!("{name} forward error {i}"), part.forward.1, of("Forward_Error"), 1e-9, 1e-6);
        }
        close(&format!("{name} backward {i}"), part.reverse.0, of("Backward"), 1e-8, 1e-9);
        close(&format!("{name} backward error {i}"), part.reverse.1, of("Backward_Error"), 1e-9, 1e-6);
    }
}

/// alchemlyb's decorrelate_u_nk: every ceil(g)-th sample, g of the energy difference to the next state, the last to the one before.
fn decorrelated(name: &str, leg: &Leg, record: &Value) {
    let Some(r) = record.get("decorrelated_dE") else { return };
    let k = leg.states.len();
    let (mut origin, mut u, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for (state, window) in leg.windows.iter().enumerate() {
        for run in &window.runs {
            let near = if state + 1 < k { state + 1 } else { state - 1 };
            let series: Vec<f64> = (0..run.energies.len()).map(|n| run.energies.row(n)[near] - run.energies.row(n)[state]).collect();
            let g = statistical_inefficiency(Series::single(&series)).unwrap().g;
            let kept = subsample(series.len(), g, Spacing::Conservative).unwrap();
            counts.push(kept.len() as f64);
            for n in kept {
                origin.push(state);
                u.extend_from_slice(run.energies.row(n));
            }
        }
    }
    let mut expected = numbers(&r["n"]);
    counts.sort_by(f64::total_cmp);
    expected.sort_by(f64::total_cmp);
    assert_eq!(counts, expected, "{name}");
    let names: Vec<String> = (0..k).map(|s| leg.name(s)).collect();
    let u = ReducedPotentials::from_samples(&names, &origin, &u).unwrap();
    let fit = mbar(&u, &MbarOptions::default()).unwrap();
    close(&format!("{name} decorrelated"), fit.f_k()[k - 1] - fit.f_k()[0], r["delta_f"].as_f64().unwrap(), 1e-8, 0.0);
    let stderr = fit.covariance(CovarianceMethod::Asymptotic).stderr(0, k - 1);
    close(&format!("{name} decorrelated error"), stderr, r["d_delta_f"].as_f64().unwrap(), 0.0, 1e-6);
}

fn whole(name: &str) {
    let all = reference();
    let record = &all["datasets"][name];
    let leg = leg(record);
    ti(name, &leg, record);
    bar_and_exp(name, &leg, record);
    multistate(name, &leg, record);
    first_rows(name, &leg, record);
    timeseries(name, &leg, record);
    decorrelated(name, &leg, record);
    forward_and_backward(name, &leg, record);
}

macro_rules! records {
    ($($name:ident)*) => { $(
        #[test]
        #[ignore = "needs the PyPI package alchemtest"]
        fn $name() {
            whole(stringify!($name));
        }
    )*

        #[test]
        fn every_record_has_its_test() {
            let names: Vec<String> = reference()["datasets"].as_object().unwrap().keys().cloned().collect();
            let mut tested = vec![$(stringify!($name).to_owned()),*];
            tested.sort();
            let mut all = names;
            all.sort();
            assert_eq!(all, tested);
        }
    };
}

records!(gmx_benzene_coulomb gmx_benzene_vdw gmx_expanded_case1 gmx_expanded_case1_filter_false gmx_water_particle_with_total_energy
    amber_simplesolvated_charge amber_simplesolvated_vdw amber_bace_complex_decharge amber_bace_complex_recharge amber_bace_complex_vdw
    amber_tyk2_complex namd_tyr2ala namd_idws gomc_benzene);
