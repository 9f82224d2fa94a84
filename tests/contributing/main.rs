//! The worked example of CONTRIBUTING.md, compiled and run: `banana.rs` is what the page shows.

#[allow(unreachable_pub)] // as in the library
mod banana;

use ergodica::energy::Potential;
use ergodica::energy::formula::{Given, Value};
use ergodica::real::Octet;

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/CONTRIBUTING.md");
    std::fs::read_to_string(path).unwrap()
}

/// The page shows the file as it would stand in `src/energy/`.
#[test]
fn the_page_shows_this_formula() {
    let inside = include_str!("banana.rs")
        .replace("use ergodica::energy::formula", "use super::formula")
        .replace("use ergodica::energy::", "use super::")
        .replace("use ergodica::", "use crate::");
    let (mut uses, rest): (Vec<&str>, Vec<&str>) = inside.lines().partition(|l| l.starts_with("use "));
    let page = page();
    let shown: Vec<&str> = page.lines().collect();
    let stands = |line: &&str| shown.contains(line);
    uses.retain(|l| !stands(l));
    assert!(uses.is_empty(), "CONTRIBUTING.md does not show {uses:?}");
    let body = rest.join("\n");
    let body = body.trim_start_matches("//! A Gaussian bent into a banana.").trim();
    assert!(page.contains(body), "CONTRIBUTING.md shows another formula than tests/contributing/banana.rs:\n{body}");
}

/// What the page says of the registry and of the tests stands in the sources.
#[test]
fn the_page_names_what_there_is() {
    let root = env!("CARGO_MANIFEST_DIR");
    for (file, kind) in [("src/campaign/registry.rs", "&energy::"), ("src/energy/mod.rs", "pub mod "), ("tests/contract/main.rs", "(\"")] {
        assert!(page().contains(file), "CONTRIBUTING.md does not name {file}");
        let text = std::fs::read_to_string(format!("{root}/{file}")).unwrap();
        assert!(text.contains(&format!("{kind}harmonic")), "{file} lists formulas in another way than CONTRIBUTING.md says");
    }
}

#[test]
fn the_formula_is_right() {
    let given = [Given::new("sigma", Value::Number(2.0)), Given::new("bend", Value::Number(0.3))];
    let (built, _) = banana::FORMULA.build(&given).unwrap();
    let (x, mut f, mut terms) = ([1.5, -0.7], [0.0; 2], [0.0]);
    let u = built.potential.eval_one(&x, 1.0, &mut f, &mut terms);
    // By hand: y + b (x^2 - sigma^2) = -0.7 + 0.3 (2.25 - 4) = -1.225.
    assert!((u - (2.25 / 8.0 + 1.225 * 1.225 / 2.0)).abs() < 1e-14);
    for d in 0..2 {
        let mut along = [0.0; 2];
        along[d] = 1.0;
        let (_, slope) = built.potential.derivative(&x, 1.0, &along, 0.0);
        assert!((slope + f[d]).abs() < 1e-13, "force {d}: {} instead of {}", f[d], -slope);
    }
    let mut forces = [Octet::of(0.0); 2];
    let lanes = built.potential.eval_block(&[Octet::of(x[0]), Octet::of(x[1])], Octet::of(1.0), &mut forces, None);
    assert!(lanes.0.iter().all(|l| l.to_bits() == u.to_bits()) && forces[0].0[7].to_bits() == f[0].to_bits());
    assert!(banana::FORMULA.build(&[Given::new("sigma", Value::Number(-1.0))]).is_err());
}
