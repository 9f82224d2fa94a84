//! Profiles, means and populations of a double well from frames that do not count alike, as campaigns report them, against quadrature.
//!
//! 32 copies each. The twins take the same frames without their weights, or with those of another ensemble.
#![allow(clippy::needless_range_loop)]

#[allow(dead_code)]
mod program;

use ergodica::campaign::compare::summary;
use ergodica::estimate::summary::Summary;
use ergodica::estimate::{Axis, Series, surface};
use ergodica::io::reader::Stage;
use ergodica::real::Real;
use program::{campaign, ergodica, str};
use std::path::Path;

const WELLS: &str = r#"
[campaign]
name = "wells"
seed = 3
[system]
formula = "6*(x^2 - 1)^2 + 0.5*x + 2*(y - x)^2"
variables = ["x", "y"]
start = [-1, -1]
[basins.left]
x = [-2, -0.4]
[basins.right]
x = [0.4, 2]
"#;
const BINS: usize = 36;
/// Up to 7 kT at the walls: beyond, a spline of 20 functions is too stiff for them, and its check says so.
const RANGE: f64 = 1.44;

/// What is asked of the frames of a stage.
fn asked(from: &str) -> String {
    let fes = format!("method = \"fes\", from = \"{from}\", of = [\"x\"], bins = {BINS}, range = {{ x = [-{RANGE}, {RANGE}] }}");
    format!(
        "[[stage]]\nname = \"profile\"\nestimate = {{ {fes} }}\n\
         [[stage]]\nname = \"spline\"\nestimate = {{ {fes}, smooth = \"spline\", bootstraps = 30 }}\n\
         [[stage]]\nname = \"kernels\"\nestimate = {{ {fes}, smooth = \"kde\", bootstraps = 2 }}\n\
         [[stage]]\nname = \"means\"\nestimate = {{ method = \"mean\", from = \"{from}\", of = [\"energy\", \"x\"] }}\n\
         [[stage]]\nname = \"populations\"\nestimate = {{ method = \"basins\", from = \"{from}\" }}\n"
    )
}

fn u(x: f64) -> f64 {
    let w = x * x - 1.0;
    6.0 * w * w + 0.5 * x
}

/// The integral of f exp(-u) over an interval, by the midpoint rule.
fn integral(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let n = 2000;
    let h = (high - low) / f64::from(n);
    (0..n).map(|i| low + (f64::from(i) + 0.5) * h).map(|x| h * f(x) * Real::exp(-u(x))).sum()
}

fn average(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    integral(low, high, f) / integral(-3.0, 3.0, |_| 1.0)
}

/// -ln of the probability of each bin.
fn exact() -> Vec<f64> {
    let axis = Axis::new(-RANGE, RANGE, BINS, false).unwrap();
    axis.edges().windows(2).map(|e| -Real::ln(average(e[0], e[1], |_| 1.0))).collect()
}

/// z of every bin below 6 kT, relative to the lowest bin.
fn z_of(f: &[Option<f64>], stderr: &[Option<f64>], exact: &[f64]) -> Vec<f64> {
    let number = |all: &[Option<f64>], b: usize| all[b].unwrap_or(f64::NAN);
    let lowest = (0..f.len()).find(|b| f[*b] == Some(0.0)).unwrap();
    let least = exact.iter().copied().fold(f64::INFINITY, f64::min);
    let below: Vec<usize> = (0..f.len()).filter(|b| *b != lowest && exact[*b] - least < 6.0).collect();
    assert!(below.len() > 20);
    below.iter().map(|&b| (number(f, b) - exact[b] + exact[lowest]) / number(stderr, b)).collect()
}

fn worst(z: &[f64]) -> f64 {
    // a bin without a number is as bad as can be
    z.iter().fold(0.0, |most, z| if z.is_nan() { f64::INFINITY } else { most.max(z.abs()) })
}

fn profile(found: &Summary, stage: &str) -> f64 {
    let s = &found.stages.iter().find(|s| s.stage == stage).unwrap().surfaces[0];
    let exact = if stage == "spline" {
        // a spline stands at the middle of each bin
        let axis = Axis::new(-RANGE, RANGE, BINS, false).unwrap();
        (0..BINS).map(|i| u(axis.centre(i))).collect()
    } else {
        exact()
    };
    worst(&z_of(&s.free_energy, &s.stderr, &exact))
}

/// Frames of a stage as if all counted alike: worst z of the profile.
fn without_weights(dir: &Path, stage: &str, discard: usize) -> f64 {
    let (files, _) = Stage::open(&dir.join(stage)).unwrap().unwrap();
    let all = files.column("coordinate:x").unwrap();
    let values: Vec<f64> = all.iter().flat_map(|r| r[discard..].iter().copied()).collect();
    let series = Series { values: &values, replicas: all.len(), draws: all[0].len() - discard };
    let s = surface(&[series], &[Axis::new(-RANGE, RANGE, BINS, false).unwrap()], 1.0).unwrap();
    let some = |all: &[f64]| all.iter().map(|v| v.is_finite().then_some(*v)).collect::<Vec<_>>();
    // bins that one replica alone has entered have no error worth the name, and a twin needs none of them
    z_of(&some(&s.free_energy), &some(&s.stderr), &exact()).into_iter().filter(|z| z.is_finite()).fold(0.0, |m: f64, z| m.max(z.abs()))
}

/// Runs the stage with what is asked of it and holds everything against quadrature; the twin takes the frames as they come.
fn judge(stage: &str, name: &str, discard: usize) {
    let (dir, file) = campaign(&format!("{WELLS}{stage}{}", asked(name)));
    let out = dir.path().join("run");
    ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q"]).finished();
    let found = summary(&out).unwrap();
    let (rough, spline, kernels) = (profile(&found, "profile"), profile(&found, "spline"), profile(&found, "kernels"));
    let twin = without_weights(&out, name, discard);
    println!("{name}: histogram {rough:.2}, spline {spline:.2}, kernels {kernels:.1}, without weights {twin:.1}");
    assert!(rough < 4.0 && spline < 4.0 && twin > 8.0, "{name}: {rough} {spline} {twin}");
    // kernels blur these wells, and it is said
    assert!(kernels > 8.0);
    let blur = |s: &str| found.verdict.checks.iter().find(|c| c.check == "smoothing" && c.of.starts_with(s)).unwrap().value.unwrap();
    println!("{name}: kernels {:.1} and spline {:.1} away from the histogram", blur("kernels"), blur("spline"));
    assert!(blur("kernels") > 4.0 && blur("spline") < 4.0);
    let left = average(-2.0, -0.4, |_| 1.0);
    let right = average(0.4, 2.0, |_| 1.0);
    let energy = average(-3.0, 3.0, u) + 0.5;
    let x = average(-3.0, 3.0, |x| x);
    for (quantity, exact) in [("population:left", left), ("population:right", right), ("energy", energy), ("coordinate:x", x)] {
        let e = found.estimates.iter().find(|e| e.stage != name && e.quantity == quantity).unwrap();
        let z = (e.value - exact) / e.stderr;
        println!("{name}: {quantity} {:.4}({:.4}), exact {exact:.4}, z {z:.2}", e.value, e.stderr);
        assert!(z.abs() < 4.0 && e.stderr < 0.03 && e.n_eff > 100.0, "{name}: {e:?}, exact {exact}");
    }
}

#[test]
fn parallel_tempering_at_its_lowest_temperature() {
    let stage = "[[stage]]\nname = \"ladder\"\nexchange = { propagator = \"hmc\", timestep = 0.12, leapfrog_steps = 6, replicas = 32, steps = 1000, \
                 temperatures = { from = 1, to = 4, count = 4 }, swap_every = 2, discard = 100 }\n\
                 observe = { every = 2, columns = [\"energy\", \"coordinate:x\"] }\n";
    judge(stage, "ladder", 50);
}

#[test]
fn an_expanded_ensemble_at_its_lowest_temperature() {
    let stage = "[[stage]]\nname = \"jumps\"\nexpanded = { propagator = \"hmc\", timestep = 0.12, leapfrog_steps = 6, replicas = 32, steps = 4000, \
                 temperatures = { from = 1, to = 4, count = 4 }, jump_every = 2, discard = 800, weights = \"sams\" }\n\
                 observe = { every = 4, columns = [\"energy\", \"coordinate:x\"] }\n";
    judge(stage, "jumps", 200);
}

#[test]
fn umbrella_windows_without_their_restraint() {
    let stage = "[path]\nkind = \"umbrella\"\nof = \"coordinate:x\"\ncentres = { from = -1.5, to = 1.5 }\nstiffness = 20\n\
                 [[stage]]\nname = \"windows\"\nexchange = { propagator = \"hmc\", timestep = 0.1, leapfrog_steps = 6, temperature = 1, replicas = 32, \
                 steps = 600, lambdas = { from = 0, to = 1, count = 13 }, swap_every = 2, mixing = \"none\", discard = 100 }\n\
                 observe = { every = 2, columns = [\"energy\", \"coordinate:x\"] }\n";
    judge(stage, "windows", 50);
}

#[test]
fn metadynamics_without_its_bias() {
    let stage = "[[stage]]\nname = \"bias\"\nmetadynamics = { propagator = \"hmc\", timestep = 0.12, leapfrog_steps = 6, temperature = 1, replicas = 4, \
                 copies = 32, steps = 8000, of = [\"coordinate:x\"], width = [0.2], height = 0.3, bias_factor = 4, every = 5, range = { x = [-2.2, 2.2] } }\n\
                 observe = { every = 5, columns = [\"energy\", \"coordinate:x\"] }\n";
    judge(stage, "bias", 800);
}

#[test]
fn where_there_is_nothing_there_is_no_number() {
    let ladder = |steps: u32| {
        format!(
            "[[stage]]\nname = \"ladder\"\nexchange = {{ propagator = \"hmc\", timestep = 0.12, replicas = 4, steps = {steps}, \
             temperatures = [1, 2], swap_every = 2, discard = 0 }}\nobserve = {{ every = 2, columns = [\"coordinate:x\"] }}\n"
        )
    };
    let fes = "[[stage]]\nname = \"profile\"\nestimate = { method = \"fes\", from = \"ladder\", of = [\"x\"], bins = 9, range = { x = [-9, 9] }, \
               smooth = \"kde\", bootstraps = 3 }\n";
    for (text, said) in [
        (format!("{WELLS}{}{fes}", ladder(8)), "profile: no number: 4 frames of each of 8 replicas are left after the discard"),
        (format!("{WELLS}{}{}", ladder(100), fes.replace("-9, 9", "50, 60")), "profile: no number: no sample lies within the axes"),
    ] {
        let (dir, file) = campaign(&text);
        let out = dir.path().join("run");
        let run = ergodica(&["run", str(&file), "--out", str(&out), "--no-report"]);
        assert_eq!(run.code, 3, "{}{}", run.out, run.err);
        let found = summary(&out).unwrap();
        assert!(found.verdict.checks.iter().any(|c| c.message.contains(said)), "{said}: {:?}", found.verdict.checks);
        assert!(found.estimates.iter().all(|e| e.stage != "profile" || e.value.is_nan()));
    }
    // kernels reach everywhere, but a bin without a frame keeps silent
    let (dir, file) = campaign(&format!("{WELLS}{}{fes}", ladder(100)));
    let out = dir.path().join("run");
    ergodica(&["run", str(&file), "--out", str(&out), "--no-report"]).finished();
    let found = summary(&out).unwrap();
    let e = |b: usize| found.estimates.iter().find(|e| e.quantity == format!("free_energy[{b}]")).unwrap();
    assert!(e(0).value.is_nan() && e(8).value.is_nan() && e(4).value.is_finite());
}
