//! Values from elsewhere: the data files, and the references that need no sampling.

use crate::case;
use crate::checks::{Case, largest};
use ergodica::campaign::system::System;
use ergodica::energy::formula::{Given, Value};

/// Python's energies and forces of DW-4 and the Lennard-Jones clusters (tests/data/analytic_targets.ref.json: reduced units,
/// formula in its note).
fn analytic() -> Vec<(String, Vec<f64>, f64, Vec<f64>)> {
    let text = include_str!("../data/analytic_targets.ref.json");
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let numbers = |v: &serde_json::Value| v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<f64>>();
    let mut all = Vec::new();
    for c in json["configs"].as_array().unwrap() {
        let target = c["target"].as_str().unwrap().to_lowercase();
        let system = match target.strip_prefix("lj") {
            Some(n) => format!("lj{n}-{}", if c["pair_coefficient"] == 2.0 { "efm" } else { "eacf" }),
            None => target,
        };
        all.push((system, numbers(&c["x"]), c["energy"].as_f64().unwrap(), numbers(&c["f"])));
    }
    all
}

/// Worst relative error of an energy (1e-12 is allowed: 16 digits) and of a force over max|F| (1e-11: 12 digits).
pub(crate) fn analytic_error(change: impl Fn(&str) -> Case) -> (f64, f64) {
    let mut worst: (f64, f64) = (0.0, 0.0);
    for (name, x, energy, force) in analytic() {
        let (u, f, _) = change(&name).one(&x);
        let off = f.iter().zip(&force).fold(0.0, |a: f64, (p, q)| a.max((p - q).abs()));
        worst = (worst.0.max(((u - energy) / energy).abs()), worst.1.max(off / largest(&force)));
    }
    worst
}

#[test]
fn energies_and_forces_of_the_data_files() {
    let (energy, force) = analytic_error(case);
    println!("energies {energy:.1e}, forces {force:.1e}");
    assert!(energy <= 1e-12 && force <= 1e-11, "{energy:e} {force:e}");
}

/// `minimum` is the energy of the first start, where no force acts.
#[test]
fn minima_are_minima() {
    let mut seen = 0;
    for name in System::names() {
        let c = case(name);
        for r in c.system.references.iter().filter(|r| r.quantity == "minimum") {
            let (u, f, _) = c.one(&c.system.start[0]);
            let stiffness = c.system.omega_max.as_ref().unwrap().0;
            assert!((u - r.value).abs() <= r.error.max(1e-9), "{name}: {u} is not {}", r.value);
            assert!(largest(&f) <= 1e-8 * stiffness * stiffness, "{name}: max|F| = {}", largest(&f));
            seen += 1;
        }
    }
    assert!(seen >= 7);
}

/// Energy after steepest descent with the step of Barzilai and Borwein, IMA J. Numer. Anal. 8, 141 (1988).
fn descend(c: &Case, mut x: Vec<f64>) -> f64 {
    let mut step = 1e-4;
    let (mut u, mut f, _) = c.one(&x);
    for _ in 0..400 {
        let y: Vec<f64> = x.iter().zip(&f).map(|(x, f)| x + step * f).collect();
        let (v, g, _) = c.one(&y);
        let (mut ss, mut sy) = (0.0, 0.0);
        for i in 0..x.len() {
            ss += (y[i] - x[i]) * (y[i] - x[i]);
            sy -= (y[i] - x[i]) * (g[i] - f[i]);
        }
        step = if sy > 0.0 { (ss / sy).min(1e-2) } else { 1e-4 };
        (x, u, f) = (y, v, g);
        if largest(&f) < 1e-9 {
            break;
        }
    }
    u
}

/// The starts lie in the funnels of the known global minima (Wales and Doye, J. Phys. Chem. A 101, 5111 (1997)).
#[test]
fn clusters_start_at_the_global_minimum() {
    for (n, minimum) in [(13, -44.326801), (38, -173.928427), (55, -279.248470)] {
        for name in [format!("lj{n}-efm"), format!("lj{n}-eacf")] {
            let plain = [Given::new("oscillator", Value::Number(0.0)), Given::new("pair_coefficient", Value::Number(1.0))];
            let system = System::load(&name, &plain).unwrap();
            let c = Case { potential: system.potential.clone(), configurations: Vec::new(), system };
            let u = descend(&c, c.system.start[0].clone());
            assert!((u - minimum).abs() < 1e-6, "{name}: {u}");
        }
    }
}

/// Far from all modes a mixture is its nearest component: no underflow to infinity.
#[test]
fn a_mixture_is_right_far_from_its_modes() {
    let c = case("gmm-40");
    for x in [[1e4, 1e4], [-3e5, 2e4], [0.0, -1e8]] {
        let (u, f, _) = c.one(&x);
        let Some(Value::List(means)) = c.system.parameters.as_ref().and_then(|p| p.iter().find(|v| v.0 == "means").map(|v| v.1.clone()))
        else {
            panic!("no means")
        };
        let nearest = means.iter().map(|m| {
            let Value::List(m) = m else { panic!("no row") };
            let [Value::Number(a), Value::Number(b)] = m[..] else { panic!("no numbers") };
            (x[0] - a) * (x[0] - a) + (x[1] - b) * (x[1] - b)
        });
        let nearest = nearest.fold(f64::INFINITY, f64::min);
        let variance = 1.31326162815094 * 1.31326162815094;
        assert!((u / (nearest / (2.0 * variance)) - 1.0).abs() < 1e-6 && f.iter().all(|f| f.is_finite()), "{x:?}: {u} {f:?}");
    }
}

/// A mixture against the sum as the textbook writes it, with weights and full covariances.
#[test]
fn a_mixture_is_the_sum_of_its_components() {
    let number = Value::Number;
    let row = |r: &[f64]| Value::List(r.iter().copied().map(number).collect());
    let given = [
        Given::new("means", Value::List(vec![row(&[0.0, 1.0]), row(&[2.0, -1.0])])),
        Given::new("weights", row(&[1.0, 3.0])),
        Given::new("covariances", Value::List(vec![row(&[1.0, 0.5, 0.5, 2.0]), row(&[0.3, 0.0, 0.0, 0.7])])),
    ];
    let formula = ergodica::campaign::registry::formula("gaussian_mixture").unwrap();
    let (built, _) = formula.build(&given).unwrap();
    let (x, y): (f64, f64) = (0.8, -0.4);
    let normal = |w: f64, m: [f64; 2], c: [f64; 3]| {
        let (p, q, det) = (x - m[0], y - m[1], c[0] * c[2] - c[1] * c[1]);
        let exponent = (c[2] * p * p - 2.0 * c[1] * p * q + c[0] * q * q) / det;
        w * ergodica::real::Real::exp(-0.5 * exponent) / (2.0 * std::f64::consts::PI * det.sqrt())
    };
    let density = normal(0.25, [0.0, 1.0], [1.0, 0.5, 2.0]) + normal(0.75, [2.0, -1.0], [0.3, 0.0, 0.7]);
    let u = built.potential.eval_one(&[x, y], 1.0, &mut [0.0; 2], &mut [0.0]);
    assert!((u + ergodica::real::Real::ln(density)).abs() < 1e-14, "{u}");
    assert!(formula.build(&given[..2]).is_err());
}

/// The formula of the Lennard-Jones clusters, as it stands in the papers.
#[test]
fn lennard_jones_is_the_plain_double_loop() {
    for name in ["lj13-efm", "lj13-eacf", "lj38-efm", "lj55-efm"] {
        let c = case(name);
        let coefficient = if name.ends_with("efm") { 2.0 } else { 1.0 };
        for x in &c.configurations {
            let n = x.len() / 3;
            let mut energy = 0.0;
            for i in 0..n {
                for j in i + 1..n {
                    let r2: f64 = (0..3).map(|k| (x[3 * i + k] - x[3 * j + k]) * (x[3 * i + k] - x[3 * j + k])).sum();
                    let s = 1.0 / (r2 * r2 * r2);
                    energy += coefficient * (s * s - 2.0 * s);
                }
            }
            let mean: Vec<f64> = (0..3).map(|k| (0..n).map(|i| x[3 * i + k]).sum::<f64>() / n as f64).collect();
            let spring: f64 = x.iter().enumerate().map(|(g, x)| 0.5 * (x - mean[g % 3]) * (x - mean[g % 3])).sum();
            let (u, _, terms) = c.one(x);
            assert!((u - energy - spring).abs() <= 1e-13 * (energy.abs() + spring) * n as f64, "{name}: {u} {}", energy + spring);
            assert!((terms[0] + terms[1] - u).abs() <= 1e-12 * (1.0 + u.abs()) && (terms[1] - spring).abs() < 1e-10);
        }
    }
}
