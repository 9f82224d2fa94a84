//! What must hold whatever the data.

use crate::{Normals, Oscillators, names, solve, two_states, z};
use ergodica::estimate::{Bootstrap, CovarianceMethod, ReducedPotentials, bar};
use ergodica::real::Real;

#[test]
fn two_states_are_bennett() {
    for (i, (k, d, n)) in
        [(1.0, 1.0, [100, 100]), (3.0, 0.5, [200, 37]), (0.4, 2.0, [50, 400]), (8.0, 2.5, [1000, 1000])].into_iter().enumerate()
    {
        let system = Oscillators::new(&[(1.0, 0.0), (k, d)]);
        let rows = system.rows(&system.draw(&n, &mut Normals::new("two states", i as u64)));
        let u = ReducedPotentials::from_rows(&names(2), &n, &rows).unwrap();
        let (one, two) = (two_states(&rows, n).unwrap(), solve(&u).unwrap());
        let delta = two.delta(0, 1);
        assert!((one.delta_f - delta.value).abs() < 1e-10, "{i}: {} {}", one.delta_f, delta.value);
        assert!((one.stderr_mbar - delta.stderr).abs() < 1e-10, "{i}: {} {}", one.stderr_mbar, delta.stderr);
        assert!((one.overlap - two.overlap().scalar()).abs() < 1e-10);
        assert!((one.delta_f - system.exact(0, 1)).abs() < 4.0 * one.stderr);
    }
}

#[test]
fn a_path_and_its_reversal_are_zero() {
    let mut normals = Normals::new("reversal", 0);
    let w: Vec<f64> = (0..500).map(|_| 2.0 + 2.0 * normals.next()).collect();
    assert!(bar(&w, &w).unwrap().delta_f.abs() < 1e-14);
    let other: Vec<f64> = (0..300).map(|_| 1.0 + normals.next()).collect();
    let (there, back) = (bar(&w, &other).unwrap(), bar(&other, &w).unwrap());
    assert!((there.delta_f + back.delta_f).abs() < 1e-12 && (there.stderr - back.stderr).abs() < 1e-12);
}

#[test]
fn constants_and_order_change_nothing() {
    let system = Oscillators::new(&[(1.0, 0.0), (2.0, 1.0), (4.0, 2.0), (3.0, 1.5)]);
    let n_k = [70, 0, 90, 110];
    let x = system.draw(&n_k, &mut Normals::new("constants", 0));
    let (rows, n) = (system.rows(&x), x.len());
    let u = ReducedPotentials::from_rows(&names(4), &n_k, &rows).unwrap();
    let plain = solve(&u).unwrap();
    // A constant of a state moves its free energy; a number of a sample moves nothing.
    let moved: Vec<f64> = rows.iter().enumerate().map(|(i, v)| v + [5.0, -7.0, 11.0, 300.0][i / n] + 1000.0 * x[i % n]).collect();
    let u = ReducedPotentials::from_rows(&names(4), &n_k, &moved).unwrap();
    let shifted = solve(&u).unwrap();
    for (k, c) in [0.0, -12.0, 6.0, 295.0].into_iter().enumerate() {
        assert!((shifted.f_k()[k] - plain.f_k()[k] - c).abs() < 1e-9);
        assert!((shifted.delta(0, k).stderr - plain.delta(0, k).stderr).abs() < 1e-9);
    }
    // Samples in any order: observables and weights follow it.
    let origin: Vec<usize> = n_k.iter().enumerate().flat_map(|(k, n)| vec![k; *n]).collect();
    let shuffled: Vec<usize> = (0..n).map(|i| (i * 101 + 17) % n).collect(); // 101 is prime to 270
    let u_nk: Vec<f64> = shuffled.iter().flat_map(|&i| (0..4).map(|k| rows[k * n + i]).collect::<Vec<_>>()).collect();
    let from: Vec<usize> = shuffled.iter().map(|&i| origin[i]).collect();
    let u = ReducedPotentials::from_samples(&names(4), &from, &u_nk).unwrap();
    let mixed = solve(&u).unwrap();
    let y: Vec<f64> = shuffled.iter().map(|&i| x[i]).collect();
    let (a, b) = (plain.expectations(&[(1, 0)], &[&x]).unwrap(), mixed.expectations(&[(1, 0)], &[&y]).unwrap());
    assert!((a.value[0] - b.value[0]).abs() < 1e-12 && (a.stderr(0) - b.stderr(0)).abs() < 1e-12);
    let weights: Vec<f64> = mixed.log_weights(1).into_iter().map(Real::exp).collect();
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!((weights.iter().zip(&y).map(|(w, y)| w * y).sum::<f64>() - b.value[0]).abs() < 1e-12);
    // Both ways to the covariance, with a state that was not sampled.
    for (a, b) in plain.covariance(CovarianceMethod::Svd).theta.iter().zip(&plain.covariance(CovarianceMethod::Asymptotic).theta) {
        assert!((a - b).abs() < 1e-13, "{a} {b}");
    }
    // A state without samples is the same as one that is perturbed to.
    let without: Vec<f64> = rows.iter().enumerate().filter(|(i, _)| i / n != 1).map(|(_, v)| *v).collect();
    let u = ReducedPotentials::from_rows(&names(3), &[70, 90, 110], &without).unwrap();
    let three = solve(&u).unwrap();
    let other = three.perturbed(&[&rows[n..2 * n]]).unwrap().from_state(0, 0);
    let inside = plain.delta(0, 1);
    assert!((other.value - inside.value).abs() < 1e-11 && (other.stderr - inside.stderr).abs() < 1e-11);
    assert!((other.n_eff - plain.effective_sample_numbers()[1]).abs() < 1e-8 * other.n_eff);
}

/// Free energies over independent replicas of a system; `n_k` is what the estimator is told, `drawn` what was drawn.
fn replicas(test: &str, system: &Oscillators, drawn: &[usize], n_k: &[usize], count: u64) -> Vec<f64> {
    let last = n_k.len() - 1;
    (0..count)
        .map(|r| {
            let rows = system.rows(&system.draw(drawn, &mut Normals::new(test, r)));
            let u = ReducedPotentials::from_rows(&names(n_k.len()), n_k, &rows).unwrap();
            solve(&u).unwrap().f_k()[last]
        })
        .collect()
}

/// 256 replicas of error 0.08: a bias of 0.02 kT is seen.
#[test]
fn harmonic_chain_is_unbiased() {
    let system = Oscillators::new(&[(1.0, 0.0), (2.0, 0.8), (4.0, 1.4)]);
    let right = z(&replicas("unbiased", &system, &[400, 300, 200], &[400, 300, 200], 256), system.exact(0, 2));
    assert!(right.abs() < 4.0, "z = {right}");
    // The twin is told wrong numbers of samples: some of one state's pass for another's.
    let wrong = z(&replicas("unbiased", &system, &[400, 300, 200], &[300, 300, 300], 256), system.exact(0, 2));
    assert!(wrong.abs() > 8.0, "z = {wrong}");
}

/// State 1 is the right half of state 0: f_1 - f_0 = ln 2, and the left half of the samples is impossible there.
#[test]
fn impossible_samples_count_nothing() {
    let run = |twin: bool| -> Vec<f64> {
        (0..128)
            .map(|r| {
                let mut normals = Normals::new("half", r);
                let x: Vec<f64> = (0..400).map(|i| if i < 200 { normals.next() } else { normals.next().abs() }).collect();
                let wall = if twin { 1.0 } else { f64::INFINITY };
                let u_nk: Vec<f64> = x.iter().flat_map(|x| [0.5 * x * x, if *x < 0.0 { wall } else { 0.5 * x * x }]).collect();
                let origin: Vec<usize> = (0..400).map(|i| i / 200).collect();
                let u = ReducedPotentials::from_samples(&["whole", "half"], &origin, &u_nk).unwrap();
                let fit = solve(&u).unwrap();
                let w_f: Vec<f64> = u_nk[..400].chunks(2).map(|u| u[1] - u[0]).collect();
                let both = bar(&w_f, &[0.0; 200]).unwrap();
                assert!(twin || (both.delta_f - fit.f_k()[1]).abs() < 1e-10);
                let average = fit.expectations(&[(1, 0)], &[&x]).unwrap();
                assert!(twin || (average.value[0] > 0.6 && average.value[0] < 1.0 && average.stderr(0) < 0.1));
                fit.f_k()[1]
            })
            .collect()
    };
    let exact = std::f64::consts::LN_2;
    assert!(z(&run(false), exact).abs() < 4.0, "z = {}", z(&run(false), exact));
    assert!(z(&run(true), exact).abs() > 8.0);
}

/// Free energies, errors, averages and resamples of a set large enough for every branch, as bits.
fn everything() -> Vec<u64> {
    let system = Oscillators::new(&[(1.0, 0.0), (2.0, 0.7), (3.0, 1.2), (1.0, 0.5)]);
    let n_k = [36_000, 32_001, 33_000, 0];
    let x = system.draw(&n_k, &mut Normals::new("bits", 0));
    let u = ReducedPotentials::from_rows(&names(4), &n_k, &system.rows(&x)).unwrap();
    let fit = solve(&u).unwrap();
    let averages = fit.expectations(&[(0, 0), (3, 0)], &[&x]).unwrap();
    let again = fit.bootstrap(&Bootstrap { replicates: 10, block: 3, seed: 5 }).unwrap();
    let parts = fit.entropy_enthalpy();
    let theta = fit.covariance(CovarianceMethod::Asymptotic).theta;
    let svd = fit.covariance(CovarianceMethod::Svd).theta;
    let overlap = fit.overlap();
    let all = [fit.f_k(), &theta, &svd, &averages.value, &averages.covariance, &again.f, &parts.s.value, &parts.s.covariance];
    all.iter().flat_map(|v| v.iter()).chain(&overlap.eigenvalues).map(|v| v.to_bits()).collect()
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let with = |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(everything);
    let one = with(1);
    assert!(one == with(2) && one == with(5));
}

#[test]
fn the_same_bits_on_every_vector_path() {
    use ergodica::real::isa::Path;
    const MARK: &str = "bits: ";
    if std::env::var_os("FREE_ENERGY_BITS").is_some() {
        println!("{MARK}{:?}", everything());
        return;
    }
    let of = |path: Path| {
        let out = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "laws::the_same_bits_on_every_vector_path", "--nocapture"])
            .env("ERGODICA_ISA", path.name())
            .env("FREE_ENERGY_BITS", "1")
            .output()
            .unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.lines().find_map(|l| l.split_once(MARK)).unwrap_or_else(|| panic!("{text}")).1.to_owned()
    };
    let paths: Vec<Path> = [Path::Portable, Path::Avx2, Path::Avx512].into_iter().filter(|p| p.available()).collect();
    let first = of(paths[0]);
    for path in &paths[1..] {
        assert_eq!(first, of(*path), "{}", path.name());
    }
}
