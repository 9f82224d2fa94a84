//! Estimators of nonequilibrium work on processes whose free energy is known exactly, each beside a broken twin.

use super::super::*;
use super::{SplitMix, z_of};
use crate::real::Real;
use serde_json::Value;

fn facts() -> Value {
    serde_json::from_str(include_str!("../../../tests/data/free-energy/synthetic_reference.json")).unwrap()
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap()
}

fn gaussian(seed: u64, n: usize, mean: f64, sd: f64) -> Vec<f64> {
    let mut rng = SplitMix(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) + 11);
    (0..n).map(|_| mean + sd * rng.normal()).collect()
}

#[test]
fn gaussian_work_of_the_reference() {
    let data = &facts()["gaussian_work"];
    let (f, r) = (numbers(&data["w_F"]), numbers(&data["w_R"]));
    let both = crooks(&f, &r).unwrap();
    let reference = numbers(&data["bar"]);
    assert!((both.delta_f - reference[0]).abs() < 1e-9 && (both.stderr - reference[1]).abs() < 1e-9);
    let crossed = crossed_gaussians(&f, &r, 200, 1).unwrap();
    assert!((crossed.delta.value - number(&data["cgi_ddof1"])).abs() < 1e-12, "{}", crossed.delta.value);
    assert!((crossed.delta.value - 3.875).abs() < 3.0 * crossed.delta.stderr);
    assert!((crossed.delta.stderr / crossed.stderr_propagated - 1.0).abs() < 0.2, "{crossed:?}");
    assert!(crossed.delta.warnings.is_empty(), "{crossed:?}");
    let one = jarzynski(&f).unwrap();
    assert!((one.delta.value - number(&data["exp_forward"][0])).abs() < 1e-11);
    assert!((one.gaussian.as_ref().unwrap().value - number(&data["exp_gauss_forward"][0])).abs() < 1e-11);
    assert_eq!(crossed, crossed_gaussians(&f, &r, 200, 1).unwrap());
}

#[test]
fn crossed_gaussians_cover_and_lean_on_their_assumption() {
    let exact = 5.0 - 1.5 * 1.5 / 2.0;
    let (mut z, mut inside, mut rejected, mut bootstrap, mut twin) = (Vec::new(), 0, 0, Vec::new(), Vec::new());
    for seed in 0..1000 {
        let f = gaussian(2 * seed, 120, 5.0, 1.5);
        let r = gaussian(2 * seed + 1, 80, -5.0 + 2.25, 1.5);
        let found = crossed_gaussians(&f, &r, if seed < 40 { 100 } else { 0 }, seed).unwrap();
        z.push((found.delta.value - exact) / found.delta.stderr);
        inside += usize::from(z[z.len() - 1].abs() < 1.96);
        rejected += usize::from(found.normality.0 > 0.895) + usize::from(found.normality.1 > 0.895);
        bootstrap.extend(found.stderr_bootstrap.map(|b| b / found.stderr_propagated));
        // Twin: the reverse work without its sign turned.
        let wrong: Vec<f64> = r.iter().map(|w| -w).collect();
        twin.push((crossed_gaussians(&f, &wrong, 0, 0).unwrap().delta.value - exact) / found.delta.stderr);
    }
    assert!(z_of(&z, 0.0).abs() < 4.0 && (930..=970).contains(&inside), "{} {inside}", z_of(&z, 0.0));
    assert!(z_of(&twin, 0.0).abs() > 8.0);
    assert!((60..=140).contains(&rejected), "5 % of 2000 expected: {rejected}");
    assert!((bootstrap.iter().sum::<f64>() / 40.0 - 1.0).abs() < 0.05);
    // Work that is no Gaussian is told: the exponential distribution.
    let mut rng = SplitMix(3);
    let skewed: Vec<f64> = (0..200).map(|_| -Real::ln(rng.uniform() + 1e-300)).collect();
    let found = crossed_gaussians(&skewed, &gaussian(4, 200, -1.0, 1.0), 0, 0).unwrap();
    assert!(found.normality.0 > 2.0 && found.delta.warnings.iter().any(|w| w.message.contains("forward work is not Gaussian")));
}

#[test]
fn crossings_in_the_limits() {
    let cross = |f: &[f64], r: &[f64]| crossed_gaussians(f, r, 0, 0).unwrap();
    // Equal widths: the middle. Nearly equal ones: next to it.
    let f = [1.0, 2.0, 3.0, 4.0, 5.0];
    let r = [0.0, -1.0, -2.0, 1.0, 2.0];
    assert_eq!(cross(&f, &r).delta.value, 1.5);
    let stretched: Vec<f64> = r.iter().map(|x| x * (1.0 + 1e-9)).collect();
    assert!((cross(&f, &stretched).delta.value - 1.5).abs() < 1e-7);
    // By hand: N(0, 1) and N(3, 2), 3 x^2 + 6 x - 9 - 8 ln 2 = 0.
    let found = cross(&[-1.0, 0.0, 1.0], &[-1.0, -3.0, -5.0]);
    assert!((found.delta.value - (-1.0 + (4.0 + 8.0 * 2f64.ln() / 3.0).sqrt())).abs() < 1e-12, "{}", found.delta.value);
    // One middle, two widths: both crossings are equally near.
    let found = cross(&[-1.0, 0.0, 1.0], &[-2.0, 0.0, 2.0]);
    assert!(found.delta.warnings.iter().any(|w| w.message.contains("both near")), "{found:?}");
}

/// Work of moving a trap k by n shifts of d, each followed by exact relaxation exp(-k dt / gamma) = a; and positions.
fn moving_trap(rng: &mut SplitMix, k: f64, d: f64, n: usize, a: f64) -> f64 {
    let (mut x, mut w) = (rng.normal() / k.sqrt(), 0.0);
    for i in 1..=n {
        let (before, after) = (d * (i - 1) as f64, d * i as f64);
        w += 0.5 * k * ((x - after) * (x - after) - (x - before) * (x - before));
        x = after + a * (x - after) + ((1.0 - a * a) / k).sqrt() * rng.normal();
    }
    w
}

#[test]
fn a_moving_trap_costs_nothing() {
    for (which, case) in facts()["moving_trap_exact"]["cases"].as_array().unwrap().iter().enumerate() {
        let (k, length, n) = (number(&case["k"]), number(&case["L"]), case["n_steps"].as_u64().unwrap() as usize);
        let a = Real::exp(-number(&case["k_dt_over_gamma"]));
        let (mut plain, mut corrected, mut means, mut gauss, mut twin) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut inside = 0;
        for seed in 0..200 {
            let mut rng = SplitMix(7 + 1000 * which as u64 + seed);
            let w: Vec<f64> = (0..400).map(|_| moving_trap(&mut rng, k, length / n as f64, n, a)).collect();
            let found = jarzynski(&w).unwrap();
            plain.push(found.delta.value);
            corrected.push(found.jackknife);
            means.push(w.iter().sum::<f64>() / 400.0);
            gauss.push(found.gaussian.unwrap().value);
            inside += usize::from(found.delta.value.abs() < 1.96 * found.delta.stderr);
            // Twin: a tenth of the work forgotten.
            twin.push(jarzynski(&w.iter().map(|w| 0.9 * w).collect::<Vec<_>>()).unwrap().jackknife);
        }
        assert!(z_of(&means, number(&case["exact_mean_W"])).abs() < 4.0);
        assert!(z_of(&corrected, 0.0).abs() < 4.0 && z_of(&gauss, 0.0).abs() < 4.0, "{} {}", z_of(&corrected, 0.0), z_of(&gauss, 0.0));
        // var(e^-w) / (2 N mean^2) = (e^(2 <W>) - 1) / 800: the bias that the plain average still has
        let bias = (Real::exp(2.0 * number(&case["exact_mean_W"])) - 1.0) / 800.0;
        assert!(z_of(&plain, bias).abs() < 4.0, "{} {bias}", z_of(&plain, bias));
        assert!((172..=198).contains(&inside), "{inside}");
        assert!(z_of(&twin, 0.0).abs() > 8.0, "{}", z_of(&twin, 0.0));
    }
}

#[test]
fn both_ways_with_a_moving_trap() {
    // By symmetry the work of moving back has the distribution of moving forth; dF = 0. Twin: the sign of one side forgotten.
    let (mut z, mut twin, mut inside) = (Vec::new(), Vec::new(), 0);
    for seed in 0..1000 {
        let mut rng = SplitMix(60_000 + seed);
        let mut run = |n: usize| (0..n).map(|_| moving_trap(&mut rng, 1.0, 0.1, 20, Real::exp(-0.1))).collect::<Vec<f64>>();
        let (forward, back) = (run(100), run(60));
        let found = crooks(&forward, &back).unwrap();
        z.push(found.delta_f / found.stderr);
        inside += usize::from((found.delta_f / found.stderr).abs() < 1.96);
        let wrong: Vec<f64> = back.iter().map(|w| -w).collect();
        twin.push(crooks(&forward, &wrong).unwrap().delta_f);
    }
    assert!(z_of(&z, 0.0).abs() < 4.0 && (930..=970).contains(&inside), "{} {inside}", z_of(&z, 0.0));
    assert!(z_of(&twin, 0.0).abs() > 8.0);
}

#[test]
fn blocks_and_jackknife_take_bias_off() {
    // 64 values of sd 1.5: the bias is 0.066 in first order, half of it more in truth.
    let (mut plain, mut corrected, mut line) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..4000 {
        let found = jarzynski(&gaussian(50_000 + seed, 64, 1.125, 1.5)).unwrap();
        plain.push(found.delta.value);
        corrected.push(found.jackknife);
        line.push(found.extrapolated.unwrap());
        assert_eq!(found.blocks.iter().map(|b| b.0).collect::<Vec<_>>(), [64, 32, 16, 8, 4, 2]);
    }
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (plain_bias, corrected_bias, line_bias) = (mean(&plain), mean(&corrected), mean(&line));
    assert!(z_of(&plain, 0.0) > 8.0, "the plain average is the twin: {plain_bias} {corrected_bias} {line_bias} z {}", z_of(&plain, 0.0));
    assert!(
        corrected_bias.abs() < 0.4 * plain_bias && line_bias.abs() < 0.5 * plain_bias,
        "plain {plain_bias} jack {corrected_bias} line {line_bias}"
    );
}

#[test]
fn a_spring_that_softens_too_much_is_flagged() {
    // U = k x^2 / 2 from 1 to k at once: dF = ln(k) / 2; the variance of e^-w is infinite below k = 1/2.
    let run = |k: f64, seed: u64| {
        let w: Vec<f64> = gaussian(seed, 2000, 0.0, 1.0).iter().map(|x| 0.5 * (k - 1.0) * x * x).collect();
        jarzynski(&w).unwrap()
    };
    let heavy = |j: &Jarzynski| j.delta.warnings.iter().any(|w| w.kind == WarningKind::HeavyTail);
    let (mut stiff, mut flagged, mut sound) = (Vec::new(), 0, 0);
    for seed in 0..100 {
        let found = run(3.0, seed);
        sound += usize::from(found.delta.warnings.is_empty());
        stiff.push(found.jackknife);
        flagged += usize::from(heavy(&run(0.2, seed)));
    }
    assert!(z_of(&stiff, 0.5 * 3f64.ln()).abs() < 4.0 && z_of(&stiff, 0.5 * 3.3f64.ln()).abs() > 8.0);
    assert!(flagged >= 90 && sound == 100, "{flagged} {sound}");
}

#[test]
fn a_small_chain_by_its_distribution() {
    let case = &facts()["two_level_exact"][0];
    let (w, p) = (numbers(&case["W"]), numbers(&case["P"]));
    let exact = number(&case["exact_dF"]);
    let average: f64 = w.iter().zip(&p).map(|(w, p)| p * Real::exp(-w)).sum();
    assert!((-Real::ln(average) - exact).abs() < 1e-9);
    let (mut found, mut twin) = (Vec::new(), Vec::new());
    for seed in 0..64 {
        let mut rng = SplitMix(99 + seed);
        let drawn: Vec<f64> = (0..2000)
            .map(|_| {
                let (u, mut k, mut sum) = (rng.uniform(), 0, p[0]);
                while u > sum && k + 1 < w.len() {
                    k += 1;
                    sum += p[k];
                }
                w[k]
            })
            .collect();
        found.push(jarzynski(&drawn).unwrap().jackknife);
        twin.push(drawn.iter().sum::<f64>() / 2000.0); // the mean work
    }
    assert!(z_of(&found, exact).abs() < 4.0 && z_of(&twin, exact).abs() > 8.0, "{}", z_of(&found, exact));
}

#[test]
fn a_fast_piston_is_flagged() {
    // One particle of mass 1 at kT = 1 in [0, 1]; the piston leaves at speed u until [0, 2]: exact dF = -ln 2. A particle that reaches it
    // bounces off with v - 2 u, W = -2 u (v - u).
    for (u, n) in [(3.0, 1000), (4.0, 20_000)] {
        let mut missed = 0;
        for seed in 0..50 {
            let mut rng = SplitMix(5 + 77 * seed);
            let w: Vec<f64> = (0..n)
                .map(|_| {
                    let (x, v) = (rng.uniform(), rng.normal());
                    if x + v / u > 2.0 { -2.0 * u * (v - u) } else { 0.0 }
                })
                .collect();
            let found = jarzynski(&w).unwrap();
            let kinds: Vec<WarningKind> = found.delta.warnings.iter().map(|w| w.kind).collect();
            let flagged = kinds.iter().any(|k| matches!(k, WarningKind::HeavyTail | WarningKind::NotCovered | WarningKind::Constant));
            assert!(flagged, "{:?}", found.delta);
            missed += usize::from((found.delta.value + 2f64.ln()).abs() > 4.0 * found.delta.stderr);
        }
        assert!(missed > 25, "an unflagged answer would be a wrong one: {missed}");
    }
}

#[test]
fn too_few_slow_or_damaged() {
    let heavy = jarzynski(&gaussian(1, 50, 20.0, 6.0)).unwrap();
    assert!(heavy.pi < 0.5 && heavy.delta.warnings.iter().any(|w| w.message.contains("Wu and Kofke")));
    let says = |e: FreeEnergyError, what: &str| assert!(e.to_string().contains(what), "{e}");
    says(jarzynski(&[]).unwrap_err(), "no samples");
    says(jarzynski(&[1.0]).unwrap_err(), "at least: expected 2, found 1");
    says(jarzynski(&[1.0, f64::NAN]).unwrap_err(), "value 1 of the forward work is NaN");
    says(jarzynski(&[f64::INFINITY, f64::INFINITY]).unwrap_err(), "no overlap");
    let one = jarzynski(&[1.0, f64::INFINITY, f64::INFINITY]).unwrap();
    assert!((one.delta.value - (1.0 + 3f64.ln())).abs() < 1e-14 && one.dissipated.is_nan() && one.gaussian.is_none());
    assert!(one.jackknife.is_nan(), "without its only finite value there is nothing");
    let some = jarzynski(&[1.0, 2.0, f64::INFINITY]).unwrap();
    assert!(some.jackknife.is_finite() && some.jackknife_stderr > 0.0);
    says(crossed_gaussians(&[1.0, 2.0], &[1.0, 2.0, 3.0], 0, 0).unwrap_err(), "expected 3, found 2");
    says(crossed_gaussians(&[1.0, 2.0, 3.0], &[1.0, 1.0, 1.0], 0, 0).unwrap_err(), "reverse work is always 1");
    says(crossed_gaussians(&[1.0, 2.0, f64::INFINITY], &[1.0, 2.0, 3.0], 0, 0).unwrap_err(), "value 2 of the forward work is inf");
    says(crossed_gaussians(&[], &[1.0, 2.0, 3.0], 0, 0).unwrap_err(), "no samples");
}

/// Trajectories of a particle in G(z) = z^2 / 2 pulled by a trap K from 0 to 1.5 in 15 shifts, each followed by relaxation; or back.
fn pull(rng: &mut SplitMix, trajectories: usize, back: bool) -> (Vec<f64>, Vec<f64>) {
    let (a, total) = (0.7, 1.0 + K);
    let (mut z, mut work) = (Vec::new(), Vec::new());
    for _ in 0..trajectories {
        let centre = |t: usize| 0.1 * t as f64;
        let relax = |x: f64, t: usize, rng: &mut SplitMix| {
            let mean = K * centre(t) / total;
            mean + a * (x - mean) + ((1.0 - a * a) / total).sqrt() * rng.normal()
        };
        let shift = |x: f64, from: usize, to: usize| {
            let v = |t: usize| 0.5 * K * (x - centre(t)) * (x - centre(t));
            v(to) - v(from)
        };
        let start = if back { 15 } else { 0 };
        let (mut x, mut w) = (K * centre(start) / total + rng.normal() / total.sqrt(), 0.0);
        z.push(x);
        work.push(w);
        for i in 1..=15 {
            // backwards the relaxation comes first: the exact reverse of the forward step
            if back {
                x = relax(x, 16 - i, rng);
                w += shift(x, 16 - i, 15 - i);
            } else {
                w += shift(x, i - 1, i);
                x = relax(x, i, rng);
            }
            z.push(x);
            work.push(w);
        }
    }
    (z, work)
}

/// Stiffness of the pulling trap.
const K: f64 = 6.0;

#[test]
fn a_profile_by_pulling_one_way_and_both() {
    let axis = Axis::new(-0.5, 1.5, 25, false).unwrap();
    // A bin's own probability in exp(-z^2 / 2), relative to bin 6 that starts at 0.
    let cell = |b: usize| {
        let z = |i: usize| axis.low + axis.width() * (b as f64 + i as f64 / 8.0);
        (0..=8).map(|i| if i % 8 == 0 { 0.5 } else { 1.0 } * Real::exp(-0.5 * z(i) * z(i))).sum::<f64>()
    };
    let bias = |z: f64, t: usize| 0.5 * K * (z - 0.1 * t as f64) * (z - 0.1 * t as f64);
    let bins = [3, 10, 14, 18];
    let runs = 64;
    let mut g = vec![vec![Vec::new(); 3]; bins.len()];
    let mut chi = Vec::new();
    let (mut ends, mut ends_both) = (Vec::new(), Vec::new());
    for seed in 0..runs {
        let mut rng = SplitMix(4242 + 31 * seed);
        let (zf, wf) = pull(&mut rng, 400, false);
        let (zr, wr) = pull(&mut rng, 300, true);
        let forward = Pulls { z: &zf, work: &wf, slices: 16 };
        let reverse = Pulls { z: &zr, work: &wr, slices: 16 };
        let one = hummer_szabo(forward, None, bias, axis).unwrap();
        let both = hummer_szabo(forward, Some(reverse), bias, axis).unwrap();
        let twin = hummer_szabo(forward, Some(reverse), |z, t| bias(z, (t + 2).min(15)), axis).unwrap();
        for (k, &b) in bins.iter().enumerate() {
            for (way, p) in [&one, &both, &twin].into_iter().enumerate() {
                g[k][way].push(p.free_energy[b] - p.free_energy[6] + Real::ln(cell(b) / cell(6)));
            }
        }
        for b in (0..25).filter(|b| *b != 6) {
            let (value, error) = both.delta(6, b);
            let z = (value + Real::ln(cell(b) / cell(6))) / error;
            chi.extend(error.is_finite().then_some(z * z));
        }
        ends.push(one.slices[15]);
        ends_both.push(both.slices[15]);
    }
    for (k, b) in bins.iter().enumerate() {
        assert!(
            z_of(&g[k][0], 0.0).abs() < 4.0 && z_of(&g[k][1], 0.0).abs() < 4.0,
            "bin {b}: {} {}",
            z_of(&g[k][0], 0.0),
            z_of(&g[k][1], 0.0)
        );
    }
    assert!(z_of(&g[3][2], 0.0).abs() > 8.0, "the twin whose bias runs ahead: {}", z_of(&g[3][2], 0.0));
    // F(trap at l) = K / (1 + K) l^2 / 2
    let exact = 0.5 * K / (1.0 + K) * 2.25;
    assert!(z_of(&ends, exact).abs() < 4.0 && z_of(&ends_both, exact).abs() < 4.0, "{} {}", z_of(&ends, exact), z_of(&ends_both, exact));
    let spread = |x: &[f64]| x.iter().map(|v| (v - exact) * (v - exact)).sum::<f64>();
    assert!(spread(&ends_both) < spread(&ends));
    let mean = chi.iter().sum::<f64>() / chi.len() as f64;
    assert!((0.7..1.4).contains(&mean), "stated errors: {mean}");
}

#[test]
fn pulls_that_do_not_fit() {
    let axis = Axis::new(-1.0, 1.0, 4, false).unwrap();
    let none = |_: f64, _: usize| 0.0;
    let says = |r: Result<PullingProfile, FreeEnergyError>, what: &str| {
        let text = r.unwrap_err().to_string();
        assert!(text.contains(what), "{text}");
    };
    let z = [0.0, 0.1, 0.2, 0.3];
    let w = [0.0, 1.0, 0.0, 1.0];
    let pulls = |z: &'static [f64], work: &'static [f64], slices| Pulls { z, work, slices };
    let good = Pulls { z: &z, work: &w, slices: 2 };
    says(hummer_szabo(pulls(&[], &[], 2), None, none, axis), "the list of forward trajectories has no samples");
    says(hummer_szabo(pulls(&[0.0, 1.0], &[0.0, 1.0], 2), None, none, axis), "expected 2, found 1");
    says(hummer_szabo(pulls(&[0.0, 1.0, 2.0], &[0.0, 1.0, 2.0], 2), None, none, axis), "expected 4");
    says(hummer_szabo(pulls(&[0.0, 1.0], &[0.0], 2), None, none, axis), "found 1");
    says(hummer_szabo(pulls(&[0.0; 4], &[0.0, 1.0, 0.0, f64::NAN], 2), None, none, axis), "value 3 of the work of pulling is NaN");
    says(hummer_szabo(pulls(&[5.0; 4], &[0.0; 4], 2), None, none, axis), "no slice of any trajectory");
    says(hummer_szabo(good, None, |_, _| f64::NAN, axis), "the bias at -0.75 in slice 0 is NaN");
    says(hummer_szabo(good, Some(pulls(&[0.0; 3], &[0.0; 3], 3)), none, axis), "slices of the reverse trajectories");
    let found = hummer_szabo(good, None, none, axis).unwrap();
    assert!(found.free_energy[0].is_nan() && found.stderr[0].is_nan() && found.free_energy[found.lowest] == 0.0);
}
