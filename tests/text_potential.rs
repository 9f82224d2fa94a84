//! Potentials given as text: the same numbers as their formula in Rust, lanes equal to plain numbers, exact derivatives.

use ergodica::batch::{Coords, Thermo};
use ergodica::energy::mueller_brown::MuellerBrown;
use ergodica::energy::text::TextPotential;
use ergodica::energy::{Batched, Evaluation, Potential};
use ergodica::real::Octet;

const MUELLER_BROWN: &str = "s*(-200*exp(-(x - 1)^2 - 10*y^2) - 100*exp(-x^2 - 10*(y - 0.5)^2)
    - 170*exp(-6.5*(x + 0.5)^2 + 11*(x + 0.5)*(y - 1.5) - 6.5*(y - 1.5)^2)
    + 15*exp(0.7*(x + 1)^2 + 0.6*(x + 1)*(y - 1) + 0.7*(y - 1)^2))";

fn text(formula: &str, variables: &[&str], parameters: &[(&str, f64)]) -> ergodica::Result<TextPotential> {
    let variables: Vec<String> = variables.iter().map(|v| (*v).to_owned()).collect();
    let parameters: Vec<(String, f64)> = parameters.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    TextPotential::new(formula, &variables, &parameters)
}

fn said(formula: &str, variables: &[&str], parameters: &[(&str, f64)]) -> String {
    text(formula, variables, parameters).err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn a_text_is_its_formula_in_rust() {
    let (typed, rust) = (text(MUELLER_BROWN, &["x", "y"], &[("s", 0.15)]).unwrap(), Batched(MuellerBrown { scale: 0.15 }));
    let mut worst = 0.0_f64;
    for i in 0..200 {
        let x = [-1.5 + 0.013 * f64::from(i), -0.3 + 0.011 * f64::from(i)];
        let (mut f, mut g) = ([0.0; 2], [0.0; 2]);
        let u = typed.eval_one(&x, 1.0, &mut f, &mut [0.0]);
        let v = rust.eval_one(&x, 1.0, &mut g, &mut [0.0]);
        let scale = v.abs().max(g[0].abs()).max(g[1].abs()).max(1.0);
        for (a, b) in [(u, v), (f[0], g[0]), (f[1], g[1])] {
            worst = worst.max((a - b).abs() / scale);
        }
    }
    assert!(worst < 1e-13, "{worst:e}");
}

#[test]
fn lanes_equal_plain_numbers_and_derivatives_are_exact() {
    let p = text(
        "(1 - lambda)*(x^2 + y^2)/2 + lambda*(a*(x^2 - 1)^2 + tanh(x*y)*sqrt(1 + z^2) + exp(-abs(z)))",
        &["x", "y", "z"],
        &[("a", 4.0)],
    );
    let p = p.unwrap();
    assert!(p.has_lambda() && p.dof() == 3 && p.terms() == ["energy"]);
    let rows: Vec<f64> = (0..60).map(|i| (f64::from(i) * 0.731).rem_euclid(3.0) - 1.5).collect();
    let x = Coords::from_rows(&rows, 3).unwrap();
    let thermo: Vec<Thermo> = (0..20).map(|r| Thermo { beta: 1.0, lambda: 0.05 * f64::from(r), state: 0 }).collect();
    let mut out = Evaluation::with_terms();
    p.eval(&x, &thermo, &mut out).unwrap();
    for r in 0..20 {
        let (row, lambda) = (&rows[3 * r..3 * r + 3], thermo[r].lambda);
        let (mut f, mut terms) = ([0.0; 3], [0.0]);
        let u = p.eval_one(row, lambda, &mut f, &mut terms);
        assert_eq!(u.to_bits(), out.u.get(r, 0).to_bits());
        assert_eq!((terms[0], out.terms.as_ref().unwrap().get(r, 0)), (u, u));
        for d in 0..3 {
            assert_eq!(f[d].to_bits(), out.f.get(r, d).to_bits());
            let mut dx = [0.0; 3];
            dx[d] = 1.0;
            let (same, slope) = p.derivative(row, lambda, &dx, 0.0);
            assert_eq!(same.to_bits(), u.to_bits());
            assert!((slope + f[d]).abs() <= 1e-10 * f[d].abs().max(1.0));
        }
        let (mut block, mut alone) = (vec![Octet::of(0.0); 3], [Octet::of(0.0); 2]);
        for (o, v) in block.iter_mut().zip(row) {
            *o = Octet::of(*v);
        }
        p.energies_block(&block, &[0.2, lambda], &mut alone);
        assert_eq!(alone[1].0[3].to_bits(), u.to_bits());
        let slope = p.slope_block(&block, Octet::of(lambda)).0[5];
        assert!((slope - p.derivative(row, lambda, &[0.0; 3], 1.0).1).abs() < 1e-12);
        // linear in lambda
        let at = |lambda: f64| p.eval_one(row, lambda, &mut [0.0; 3], &mut [0.0]);
        assert!((p.derivative(row, lambda, &[0.0; 3], 1.0).1 - (at(1.0) - at(0.0))).abs() < 1e-12);
    }
}

#[test]
fn names_and_mistakes_are_located() {
    assert_eq!(
        said("a*x^2 +\n  b*y^2", &["x", "y"], &[("a", 1.0)]),
        "formula:2:3: unknown name `b`\n  help: known names: x, y, lambda, a, pi"
    );
    assert!(said("x", &["x", "x"], &[]).contains("the name \"x\" stands for two things"));
    assert!(said("x", &["x"], &[("x", 1.0)]).contains("the name \"x\" stands for two things"));
    assert!(said("lambda", &["lambda"], &[]).contains("coupling parameter"));
    assert!(said("x", &["sin"], &[]).contains("taken by the grammar"));
    assert!(!text("x", &["x"], &[]).unwrap().has_lambda());
}

/// A replica that runs off leaves the others of its block alone.
#[test]
fn what_is_not_finite_stays_in_its_lane() {
    let p = text("log(x) + exp(y)", &["x", "y"], &[]).unwrap();
    let mut rows = [1.0; 16];
    (rows[4], rows[7]) = (-1.0, 1e6);
    let x = Coords::from_rows(&rows, 2).unwrap();
    let mut out = Evaluation::new();
    p.eval(&x, &[Thermo::at(1.0); 8], &mut out).unwrap();
    for r in 0..8 {
        assert_eq!(out.u.get(r, 0).is_finite(), r != 2 && r != 3, "{r}");
    }
}
