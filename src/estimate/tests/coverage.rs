//! Errors cover: z values and intervals on AR(1) chains with known answers, each beside a broken twin that must fail.

use super::super::*;
use super::{ar1, series, z_of};

/// AR(1) with an exact integrated autocorrelation time.
fn exact_tau(rho: f64) -> f64 {
    0.5 * (1.0 + rho) / (1.0 - rho)
}

/// Exact standard error of the mean of n draws of a stationary AR(1) chain of unit variance.
fn exact_stderr(rho: f64, n: usize) -> f64 {
    let m = n as f64;
    ((exact_tau(rho) * 2.0 - 2.0 * rho * (1.0 - rho.powi(n as i32)) / (m * (1.0 - rho) * (1.0 - rho))) / m).sqrt()
}

#[test]
fn autocorrelation_time_and_its_error() {
    // Smallest bias seen: 4 x 0.9 % of tau; the window's own truncation is 0.5 %.
    for (rho, replicas, draws) in [(0.8, 1, 20_000), (0.0, 1, 5_000), (0.8, 16, 1_250), (0.9, 4, 10_000), (-0.3, 1, 10_000)] {
        let found: Vec<AutocorrelationTime> =
            (0..64).map(|seed| autocorrelation_time(series(&ar1(seed, replicas, draws, rho), replicas)).unwrap()).collect();
        let tau: Vec<f64> = found.iter().map(|t| t.tau).collect();
        let exact = exact_tau(rho);
        if rho >= 0.0 {
            let z = z_of(&tau, exact);
            assert!(z.abs() < 4.0, "rho {rho}, {replicas} replicas: z = {z}");
        } else {
            let mean = tau.iter().sum::<f64>() / 64.0;
            assert!(mean > 0.98 * exact && mean < 1.15 * exact, "alternating chains are judged from the safe side: {mean} {exact}");
        }
        let mean = tau.iter().sum::<f64>() / 64.0;
        let observed = (tau.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / 63.0).sqrt();
        let stated = found.iter().map(|t| t.stderr).sum::<f64>() / 64.0;
        assert!((0.7..1.5).contains(&(stated / observed)), "rho {rho}: stated {stated}, observed {observed}");
        assert!(found.iter().all(|t| t.closed));
    }
    // Broken twin: a window of one tau.
    let narrow: Vec<f64> = (0..64).map(|seed| autocorrelation_time_with(series(&ar1(seed, 1, 20_000, 0.8), 1), 1.0).unwrap().tau).collect();
    assert!(z_of(&narrow, exact_tau(0.8)).abs() > 8.0);
}

#[test]
fn intervals_of_the_mean_cover() {
    for (replicas, draws, rho, route) in [
        (1, 4_000, 0.8, ErrorRoute::Autocorrelation),
        (4, 1_500, 0.9, ErrorRoute::Autocorrelation),
        (16, 60, 0.9, ErrorRoute::Replicas),
        (32, 5, 0.5, ErrorRoute::Replicas),
        (64, 200, 0.0, ErrorRoute::Replicas),
    ] {
        let (mut inside, mut naive) = (0, 0);
        let mut z = Vec::new();
        for seed in 0..600 {
            let values: Vec<f64> = ar1(1000 + seed, replicas, draws, rho).iter().map(|x| x + 7.0).collect();
            let found = mean(series(&values, replicas)).unwrap();
            assert_eq!(found.route, route);
            let (low, high) = found.interval(0.95);
            inside += usize::from(low <= 7.0 && 7.0 <= high);
            z.push((found.value - 7.0) / found.stderr);
            // Broken twin: every draw counted as independent.
            naive += usize::from((found.value - 7.0).abs() < 1.96 / ((replicas * draws) as f64).sqrt());
        }
        let covered = inside as f64 / 600.0;
        assert!((0.92..0.98).contains(&covered), "{replicas} x {draws}, rho {rho}: {covered}");
        assert!(z_of(&z, 0.0).abs() < 4.0);
        if rho >= 0.8 {
            assert!((naive as f64) < 0.7 * 600.0, "the twin must fail: {naive}");
        }
    }
}

#[test]
fn disagreeing_errors_are_reported() {
    // replicas that sit in two places: each chain alone looks fine
    let mut values = ar1(3, 32, 500, 0.2);
    let plain = mean(series(&values, 32)).unwrap();
    assert!(plain.warnings.is_empty(), "{:?}", plain.warnings);
    for (i, v) in values.iter_mut().enumerate() {
        *v += if (i / 500) % 2 == 0 { 5.0 } else { -5.0 };
    }
    let stuck = mean(series(&values, 32)).unwrap();
    assert!(stuck.stderr > 0.8 && stuck.n_eff < 50.0 && stuck.route == ErrorRoute::Replicas);
    // few such replicas: the correlation window cannot close, the larger error is used and said to be uncertain
    for replicas in [2, 3, 4, 6] {
        let few = mean(series(&values[..replicas * 500], replicas)).unwrap();
        assert!(few.stderr > 2.0 && few.n_eff < 8.0, "{few:?}");
        assert!(few.warnings.iter().any(|w| matches!(w.kind, WarningKind::FewReplicas | WarningKind::TooShort)));
    }
    // replicas with a common slow drift: each looks alike, all are wrong together
    let drift: Vec<f64> = ar1(4, 32, 500, 0.2).iter().enumerate().map(|(i, v)| v + (i % 500) as f64 * 0.05).collect();
    assert!(mean(series(&drift, 32)).unwrap().warnings.iter().any(|w| w.kind == WarningKind::ErrorsDisagree));
}

#[test]
fn variance_and_its_error() {
    for (replicas, draws, rho) in [(32, 60, 0.8), (2, 4_000, 0.8), (1, 6_000, 0.5)] {
        let found: Vec<Jackknife> =
            (0..400).map(|seed| variance(series(&ar1(500 + seed, replicas, draws, rho), replicas)).unwrap()).collect();
        let value: Vec<f64> = found.iter().map(|j| j.value).collect();
        assert!(z_of(&value, 1.0).abs() < 4.0, "{replicas}: {}", z_of(&value, 1.0));
        let inside = found.iter().filter(|j| (j.value - 1.0).abs() < student_t_quantile(0.95, j.groups - 1) * j.stderr).count();
        assert!((0.89..0.985).contains(&(inside as f64 / 400.0)), "{replicas}: {inside}");
        // Broken twin: the spread inside replicas, around their own means.
        if draws == 60 {
            let own: Vec<f64> = (0..400)
                .map(|seed| {
                    let x = ar1(500 + seed, replicas, draws, rho);
                    autocovariance(series(&x, replicas), Centre::Own, 0).unwrap()[0]
                })
                .collect();
            assert!(z_of(&own, 1.0).abs() > 8.0);
        }
    }
}

#[test]
fn blocks_reach_the_exact_error() {
    for (replicas, draws, rho) in [(1, 16_384, 0.9), (8, 4_096, 0.8)] {
        let exact = exact_stderr(rho, draws) / (replicas as f64).sqrt();
        let found: Vec<BlockAverage> =
            (0..48).map(|seed| block_average(series(&ar1(70 + seed, replicas, draws, rho), replicas)).unwrap()).collect();
        let flat: Vec<f64> = found.iter().filter_map(BlockAverage::stderr).collect();
        assert!(flat.len() >= 40, "{} of 48 found a plateau", flat.len());
        let ratio = flat.iter().sum::<f64>() / flat.len() as f64 / exact;
        assert!((0.9..1.1).contains(&ratio), "{ratio}");
        let first: Vec<f64> = found.iter().map(|b| b.levels[0].stderr).collect();
        assert!(z_of(&first, exact).abs() > 8.0);
        assert_eq!(found[0].levels[3].length, 8);
    }
    // a drift never becomes flat
    let drift: Vec<f64> = ar1(1, 1, 4096, 0.5).iter().enumerate().map(|(i, x)| x + i as f64 * 0.01).collect();
    assert_eq!(block_average(series(&drift, 1)).unwrap().plateau, None);
}

#[test]
fn a_transient_is_found_and_its_removal_unbiases() {
    for (replicas, draws, decay) in [(32usize, 2_000usize, 50.0f64), (16, 40_000, 800.0), (1, 3_000, 60.0)] {
        let (mut kept, mut all, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        for seed in 0..40 {
            let values: Vec<f64> = ar1(9_000 + seed, replicas, draws, 0.7)
                .iter()
                .enumerate()
                .map(|(i, x)| x + 6.0 * (-((i % draws) as f64) / decay).exp())
                .collect();
            let s = series(&values, replicas);
            let found = detect_equilibration(s).unwrap();
            let rest = s.from_draw(found.start);
            kept.push(rest.iter().sum::<f64>() / rest.len() as f64);
            all.push(values.iter().sum::<f64>() / values.len() as f64);
            starts.push(found.start as f64 / decay);
        }
        starts.sort_by(f64::total_cmp);
        assert!(starts[20] > 2.0 && starts[20] < 8.0, "{replicas} x {draws}: median start {} decays", starts[20]);
        let bias = |m: &[f64]| m.iter().sum::<f64>() / m.len() as f64;
        assert!(bias(&kept).abs() < 0.1 * bias(&all).abs(), "{} of {}", bias(&kept), bias(&all));
        assert!(z_of(&all, 0.0).abs() > 8.0, "the twin that keeps everything must fail");
    }
    // nothing to discard: most starts are early
    let mut early = 0;
    for seed in 0..40 {
        let found = detect_equilibration(series(&ar1(seed, 8, 2_000, 0.9), 8)).unwrap();
        early += usize::from(found.start < 400);
        assert!(found.n_eff > 8.0 * 2_000.0 / 19.0 * 0.6);
    }
    assert!(early >= 28, "{early} of 40");
}

#[test]
fn averaging_before_the_search_changes_little() {
    let values: Vec<f64> =
        ar1(5, 4, 20_000, 0.95).iter().enumerate().map(|(i, x)| x + 8.0 * (-((i % 20_000) as f64) / 400.0).exp()).collect();
    let s = series(&values, 4);
    let quick = detect_equilibration(s).unwrap();
    let starts: Vec<usize> = quick.tried.iter().map(|t| t.0).collect();
    let full = detect_equilibration_at(s, &starts).unwrap();
    for (a, b) in quick.tried.iter().zip(&full.tried).filter(|(a, _)| a.0 < 15_000) {
        assert!((a.1 / b.1 - 1.0).abs() < 0.15, "start {}: {} against {}", a.0, a.1, b.1);
    }
}

#[test]
fn halves_agree_unless_the_series_drifts() {
    let z: Vec<f64> = (0..200).map(|seed| forward_reverse(series(&ar1(seed, 24, 400, 0.6), 24), 10).unwrap().halves_z).collect();
    assert!(z_of(&z, 0.0).abs() < 4.0);
    let square = z.iter().map(|z| z * z).sum::<f64>() / 200.0;
    assert!((0.7..1.5).contains(&square), "{square}");
    let drift: Vec<f64> = ar1(1, 24, 400, 0.6).iter().enumerate().map(|(i, x)| x + (i % 400) as f64 * 0.01).collect();
    let found = forward_reverse(series(&drift, 24), 10).unwrap();
    assert!(found.halves_z < -8.0);
    let last = found.fractions[9];
    assert_eq!((last.draws, last.forward), (400, last.reverse));
}

#[test]
fn circular_mean_covers_across_the_cut() {
    let mut inside = 0;
    for seed in 0..300 {
        let angles: Vec<f64> = ar1(seed, 20, 100, 0.5)
            .iter()
            .map(|x| {
                let a = 175.0 + 15.0 * x;
                if a >= 180.0 { a - 360.0 } else { a }
            })
            .collect();
        let found = circular_mean(series(&angles, 20), 360.0).unwrap();
        inside += usize::from((found.value - 175.0).abs() < student_t_quantile(0.95, 19) * found.stderr);
    }
    assert!((0.91..0.985).contains(&(inside as f64 / 300.0)), "{inside}");
}
