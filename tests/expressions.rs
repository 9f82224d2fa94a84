//! Formulas in text: what they mean, what is said about those that mean nothing, derivatives, functions against 160-bit arithmetic.

use astro_float::{BigFloat, Consts, RoundingMode};
use ergodica::expr::{Compiled, MAX_DEPTH, MAX_TEXT, Scope, check_name, parse};
use ergodica::real::{Dual, Real};
use proptest::prelude::*;

fn scope(inputs: &[&str]) -> Scope {
    Scope {
        inputs: inputs.iter().map(|n| (*n).to_owned()).collect(),
        constants: vec![("k".to_owned(), 2.0), ("third".to_owned(), 1.0 / 3.0)],
    }
}

/// The value at x = 1.5, y = -0.7.
fn value(text: &str) -> f64 {
    let c = Compiled::one(text, &scope(&["x", "y"]), 2).unwrap_or_else(|m| panic!("{}", m.within(text)));
    let mut slots = vec![0.0; c.slots()];
    slots[..2].copy_from_slice(&[1.5, -0.7]);
    c.value(&mut slots)
}

#[test]
fn the_grammar_is_the_one_stated() {
    let (x, y) = (1.5_f64, -0.7_f64);
    let cases: &[(&str, f64)] = &[
        ("-x^2", -(x * x)),
        ("(-x)^2", x * x),
        ("2^3^2", 512.0),
        ("(2^3)^2", 64.0),
        ("2^-1", 0.5),
        ("2^-x^2", Real::exp(-(x * x) * Real::ln(2.0))),
        ("x - y - 1", x - y - 1.0),
        ("x - (y - 1)", x - (y - 1.0)),
        ("x/y/2", x / y / 2.0),
        ("1/3*x", 1.0 / 3.0 * x),
        ("x*-y", x * 0.7),
        ("x--y", x + y),
        ("--x", x),
        ("-x*y", -(x * y)),
        ("1e-3 + .5 + 2. + 1E+2", 102.501),
        ("k*third", 2.0 / 3.0),
        ("pi", std::f64::consts::PI),
        ("min(x, y, 3)", y),
        ("max(x, y, 3)", 3.0),
        ("atan2(y, x)", Real::atan2(y, x)),
        ("sgn(y) + step(x) + step(0) + sgn(0)", 0.0),
        ("abs(y) + floor(y)", -0.3),
        ("mod(y, k) + mod(5, 3)", 1.3 + 2.0),
        ("mod(x, -1)", -0.5),
        ("log(exp(x))", x),
        ("x ^ 0.5", x.sqrt()),
        (" x\n\t+ y ", x + y),
        ("x^0 + y^1", 1.0 + y),
    ];
    for (text, expected) in cases {
        let found = value(text);
        assert!((found - expected).abs() <= 4e-16 * expected.abs().max(1.0), "{text} = {found}, not {expected}");
    }
}

/// What is wrong, where, and what would be right.
#[test]
fn mistakes_point_into_the_text() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("", "", "the formula is empty", "write an expression"),
        ("x + ", "+", "the formula ends after `+`", "write an operand after `+`"),
        ("2x", "2x", "there is no operator before `x`", "2*x"),
        ("2 (y)", "2 (", "there is no operator before `(`", "2*("),
        ("sin(x", "(", "this `(` is never closed", "add the `)`"),
        ("x + y)", ")", "this `)` closes nothing", "remove it"),
        ("x, y", ",", "a `,` stands outside of a call", "min(a, b)"),
        ("(x, y)", ",", "a `,` stands outside of a call", "min(a, b)"),
        ("()", "()", "nothing stands between these parentheses", "write an expression"),
        ("x * / y", "/", "`/` cannot stand after `*`", "write an operand here"),
        ("+x", "+", "`+` cannot stand at the beginning", "remove the `+`"),
        ("x ** 2", "**", "`**` is no operator here", "write ^"),
        ("x² + 1", "²", "`²` means nothing in a formula", "write ^2"),
        ("3 − x", "−", "`−` means nothing in a formula", "the plain minus"),
        ("x > 0", ">", "`>` means nothing in a formula", "step(x) is 1 for x > 0"),
        ("1e999", "1e999", "1e999 is too large", "1.7e308"),
        ("1.2.3", "1.2.3", "there is no operator before `.3`", "1.2*.3"),
        (".", ".", "`.` is no number", "0.5"),
        ("sine(x)", "sine", "there is no function `sine`", "did you mean sin?"),
        ("ln(x)", "ln", "there is no function `ln`", "write log(x)"),
        ("pow(x, 2)", "pow", "there is no function `pow`", "write x^y"),
        ("k(x + 1)", "k", "there is no function `k`", "for a product write k*(...)"),
        ("atan2(x)", "atan2(x)", "atan2 takes 2 arguments, not 1", "write atan2(y, x)"),
        ("min(x)", "min(x)", "min takes 2 arguments or more, not 1", "write min(a, b, ...)"),
        ("sin(x, y)", "sin(x, y)", "sin takes 1 argument, not 2", "write sin(x)"),
        ("sin", "sin", "`sin` is a function and has no argument here", "write sin(x)"),
        ("thrid*x", "thrid", "unknown name `thrid`", "did you mean `third`?"),
        ("x + zeta", "zeta", "unknown name `zeta`", "known names: x, y, k, third, pi"),
        ("x + log(-k)", "log(-k)", "this part has no value (NaN) whatever the variables", "change it"),
        ("x/(k - 2)", "", "", ""),
        ("1/(k - 2)", "1/(k - 2)", "this part is infinite (inf) whatever the variables", "change it"),
    ];
    for (text, place, what, remedy) in cases {
        let found = Compiled::one(text, &scope(&["x", "y"]), 2);
        if what.is_empty() {
            assert!(found.is_ok(), "{text}");
            continue;
        }
        let m = found.err().unwrap_or_else(|| panic!("{text} was accepted"));
        assert_eq!(&text[m.span.clone()], *place, "{text}: {m:?}");
        assert_eq!(m.what, *what, "{text}");
        assert!(m.remedy.contains(remedy), "{text}: {}", m.remedy);
        let said = m.within(text).to_string();
        assert!(said.starts_with("formula:1:"), "{said}");
    }
}

#[test]
fn texts_are_bounded() {
    let deep = |n: usize| format!("{}x{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&deep(MAX_DEPTH - 1)).is_ok());
    for text in [deep(MAX_DEPTH), deep(40_000), "-".repeat(50_000) + "x", "x^".repeat(30_000) + "x", "sin(".repeat(20_000)] {
        assert!(parse(&text).unwrap_err().what.contains("nested more than 200 deep"), "{}", &text[..20]);
    }
    assert!(parse(&"x+".repeat(MAX_TEXT)).unwrap_err().what.contains("200000 bytes"));
    // a long sum is deep as a tree but not nested
    let sum = "x+".repeat(40_000) + "y";
    let tree = parse(&sum).unwrap();
    assert_eq!(parse(&tree.to_string()).unwrap(), tree);
    let c = Compiled::one(&sum, &scope(&["x", "y"]), 2).unwrap();
    let (mut slots, mut g) = (vec![0.0; c.slots()], [0.0; 2]);
    slots[..2].copy_from_slice(&[1.0, 0.5]);
    assert_eq!(c.value_gradient(&mut slots, &mut g), 40_000.5);
    assert_eq!(g, [40_000.0, 1.0]);
    let huge = "x^1000000 + sin(x)*".repeat(5000) + "y";
    assert!(Compiled::one(&huge, &scope(&["x", "y"]), 2).is_ok());
}

#[test]
fn equal_subexpressions_are_computed_once() {
    let steps = |text: &str| Compiled::one(text, &scope(&["x", "y"]), 2).unwrap().steps();
    assert_eq!(steps("exp(x*y) + 1/exp(x*y)").0, steps("exp(y*x) + 1/exp(x*y)").0);
    assert_eq!(steps("exp(x*y) + 1/exp(x*y)").0, 4);
    assert_eq!(steps("sin(x) + cos(x)").0, 2);
    assert_eq!(steps("2*3*k^3*x"), (1, 3), "one product, and a constant for each derivative");
    assert_eq!(steps("x^2 + y^2").0, 2, "a square and a fused one");
}

const SMOOTH: &[&str] = &[
    "x*y - y/x + 3",
    "x^3 - y^-2 + x^1.5 + x^-0.5",
    "sin(x*y)*cos(x) + tan(0.3*y)",
    "exp(-x^2 - y^2)/(1 + exp(-x))",
    "log(x)*sqrt(x) + x^y + 2^y",
    "sinh(y) + cosh(x - y) + tanh(x*y)",
    "acos(y/2) + atan2(y, x) + atan2(-x, y)",
    "abs(y)*x + sgn(y)*x + step(x)*y",
    "min(x, y, x*y) + max(x, 2*y)",
    "mod(3*x, 0.9) + mod(x, y) + floor(x)*y",
    "(x - y)^2*(x + y)^3 - (x - y)^2",
    "k*x - (y - x*y)*third - (x*y - k) - x*y*x",
    "-(x*y) - -x/-y",
];

/// Reverse derivatives against dual numbers and both against each other's value, at 40 places.
#[test]
fn derivatives_in_reverse_are_those_of_dual_numbers() {
    for text in SMOOTH {
        let c = Compiled::one(text, &scope(&["x", "y"]), 2).unwrap();
        let mut slots = vec![0.0; c.slots()];
        let mut duals = vec![Dual::<f64>::of(0.0); c.slots()];
        for i in 0..40 {
            let (x, y) = (0.3 + 0.09 * f64::from(i), -1.1 + 0.057 * f64::from(i));
            slots[..2].copy_from_slice(&[x, y]);
            let mut g = [0.0; 2];
            let u = c.value_gradient(&mut slots, &mut g);
            for (d, g) in g.iter().enumerate() {
                duals[0] = Dual::new(x, f64::from(u8::from(d == 0)));
                duals[1] = Dual::new(y, f64::from(u8::from(d == 1)));
                let exact = c.value(&mut duals);
                assert_eq!(exact.re.to_bits(), u.to_bits(), "{text}");
                assert!((g - exact.eps).abs() <= 1e-10 * exact.eps.abs().max(1.0), "{text} at {x}, {y}: {g} {}", exact.eps);
            }
        }
    }
}

/// The broken twin of the last test: the derivative of another formula fails.
#[test]
fn a_wrong_derivative_is_seen() {
    let c = Compiled::one("x^3 + 1e-8*x", &scope(&["x"]), 1).unwrap();
    let (mut slots, mut g) = (vec![0.0; c.slots()], [0.0]);
    slots[0] = 0.7;
    c.value_gradient(&mut slots, &mut g);
    assert!((g[0] - 3.0 * 0.49_f64).abs() > 1e-10);
}

/// At kinks the derivative is the one stated, in reverse and by dual numbers.
#[test]
fn kinks_have_the_stated_derivatives() {
    let cases = [
        ("abs(x)", 0.0, 0.0, [1.0, 0.0]),
        ("min(x, y)", 1.0, 1.0, [1.0, 0.0]),
        ("max(x, y)", 1.0, 1.0, [1.0, 0.0]),
        ("step(x) + sgn(x) + floor(x)", 0.0, 0.0, [0.0, 0.0]),
        ("mod(x, y)", 7.5, 2.0, [1.0, -3.0]),
        ("x^1.5", 0.0, 0.0, [0.0, 0.0]),
        ("x^2*y", 0.0, 3.0, [0.0, 0.0]),
    ];
    for (text, x, y, expected) in cases {
        let c = Compiled::one(text, &scope(&["x", "y"]), 2).unwrap();
        let (mut slots, mut g) = (vec![0.0; c.slots()], [f64::NAN; 2]);
        slots[..2].copy_from_slice(&[x, y]);
        c.value_gradient(&mut slots, &mut g);
        assert_eq!(g, expected, "{text}");
        for (d, expected) in expected.into_iter().enumerate() {
            let mut duals = vec![Dual::<f64>::of(0.0); c.slots()];
            duals[0] = Dual::new(x, f64::from(u8::from(d == 0)));
            duals[1] = Dual::new(y, f64::from(u8::from(d == 1)));
            assert_eq!(c.value(&mut duals).eps, expected, "{text}, forward");
        }
    }
}

#[test]
fn nan_is_never_swallowed() {
    for text in ["min(x, 1)", "min(1, x)", "max(x, 1)", "max(1, x)", "step(x)", "sgn(x)", "abs(x)", "mod(x, 2)", "0*x", "floor(x)"] {
        let c = Compiled::one(text, &scope(&["x"]), 1).unwrap();
        let mut slots = vec![0.0; c.slots()];
        slots[0] = f64::NAN;
        assert!(c.value(&mut slots).is_nan(), "{text}");
    }
    let c = Compiled::one("0*x", &scope(&["x"]), 1).unwrap();
    let mut slots = vec![0.0; c.slots()];
    slots[0] = f64::INFINITY;
    assert!(c.value(&mut slots).is_nan(), "0*x is not 0 where x is infinite");
}

#[test]
fn names_are_checked() {
    for good in ["x", "_a1", "lambda", "e", "theta_2"] {
        assert!(check_name(good).is_ok());
    }
    for (bad, remedy) in [("2x", "x2x"), ("a-b", "a_b"), ("", "x"), ("sin", "sin_"), ("pi", "pi_"), ("ö", "_")] {
        let (_, said) = check_name(bad).unwrap_err();
        assert!(said.contains(remedy), "{bad}: {said}");
    }
}

/// Error in units in the last place of the exact value.
fn ulps(found: f64, exact: &BigFloat, consts: &mut Consts) -> f64 {
    let text = exact.format(astro_float::Radix::Dec, RoundingMode::None, consts).unwrap();
    let exact: f64 = text.parse().unwrap();
    if found == exact {
        return 0.0;
    }
    (found - exact).abs() / (f64::from_bits(exact.abs().to_bits() + 1) - exact.abs())
}

type Exact = fn(&BigFloat, &mut Consts) -> BigFloat;

/// tan, sinh, cosh, acos against 160-bit arithmetic: within the 4 units in the last place that are stated.
#[test]
fn functions_built_here_are_as_accurate_as_stated() {
    const P: usize = 160;
    let mut consts = Consts::new().unwrap();
    let cases: [(&str, f64, f64, Exact); 4] = [
        ("tan(x)", -20.0, 20.0, |x, c| x.tan(P, RoundingMode::ToEven, c)),
        ("sinh(x)", -30.0, 30.0, |x, c| x.sinh(P, RoundingMode::ToEven, c)),
        ("cosh(x)", -30.0, 30.0, |x, c| x.cosh(P, RoundingMode::ToEven, c)),
        ("acos(x)", -1.0, 1.0, |x, c| x.acos(P, RoundingMode::ToEven, c)),
    ];
    for (text, from, to, exact) in cases {
        let c = Compiled::one(text, &scope(&["x"]), 1).unwrap();
        let mut slots = vec![0.0; c.slots()];
        let mut worst = (0.0, 0.0);
        for i in 0..2000 {
            let mut x = from + (to - from) * (f64::from(i) + 0.37) / 2000.0;
            if i % 4 == 3 {
                x *= 1e-3; // near 0 as well
            }
            slots[0] = x;
            let off = ulps(c.value(&mut slots), &exact(&BigFloat::from_f64(x, P), &mut consts), &mut consts);
            if off > worst.0 {
                worst = (off, x);
            }
        }
        println!("{text}: {:.2} units in the last place at {}", worst.0, worst.1);
        assert!(worst.0 <= 4.0, "{text}: {worst:?}");
    }
    let at = |text: &str, x: f64| {
        let c = Compiled::one(text, &scope(&["x"]), 1).unwrap();
        let mut slots = vec![0.0; c.slots()];
        slots[0] = x;
        c.value(&mut slots)
    };
    assert!(at("sinh(x)", 710.0).is_finite() && at("cosh(x)", -710.0).is_finite() && at("sinh(x)", -710.0) < -1e308);
    assert_eq!((at("acos(x)", 1.0), at("acos(x)", -1.0)), (0.0, std::f64::consts::PI));
    assert!(at("acos(x)", 1.1).is_nan());
}

/// Splitmix64: fuzzing needs many numbers, not good ones.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// An expression, most of the time a good one.
    fn expression(&mut self, depth: usize) -> String {
        const LEAVES: &[&str] = &["x", "y", "k", "pi", "2", "0.5", "1e-3", "third", "t", "3", "0", "1e300"];
        const CALLS: &[&str] = &["sin", "cos", "tan", "exp", "log", "sqrt", "sinh", "cosh", "tanh", "acos", "abs", "sgn", "step", "floor"];
        if depth == 0 {
            return self.of(LEAVES).to_owned();
        }
        match self.below(10) {
            0 | 1 => self.of(LEAVES).to_owned(),
            2 => format!("-{}", self.expression(depth - 1)),
            3 => format!("({})", self.expression(depth - 1)),
            4 => format!("{}({})", self.of(CALLS), self.expression(depth - 1)),
            5 => format!("{}({}, {})", self.of(&["min", "max", "mod", "atan2"]), self.expression(depth - 1), self.expression(depth - 1)),
            _ => {
                format!("{}{}{}", self.expression(depth - 1), self.of(&["+", "-", "*", "/", "^", " - ", "^-"]), self.expression(depth - 1))
            }
        }
    }

    /// Some bytes changed, removed, doubled.
    fn mutated(&mut self, text: &str) -> String {
        const BYTES: &[u8] = b"xy+-*/^(),. e19sinmaxpi\n\0\xff\xc2";
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(3) {
                0 if at < bytes.len() => bytes[at] = BYTES[self.below(BYTES.len())],
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, BYTES[self.below(BYTES.len())]),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Parses, prints, parses again, compiles and evaluates; true when it was a formula.
fn survives(text: &str) -> bool {
    let Ok(tree) = parse(text) else { return false };
    let printed = tree.to_string();
    assert_eq!(parse(&printed).as_ref(), Ok(&tree), "{text:?} became {printed:?}");
    let Ok(c) = Compiled::one(text, &scope(&["x", "y"]), 2) else { return false };
    let (mut slots, mut g) = (vec![0.0; c.slots()], [0.0; 2]);
    slots[..2].copy_from_slice(&[0.3, -1.2]);
    let (u, alone) = (c.value_gradient(&mut slots, &mut g), c.value(&mut slots));
    assert!(u.to_bits() == alone.to_bits() || (u.is_nan() && alone.is_nan()), "{text:?}");
    true
}

fn fuzz(n: usize, seed: u64) {
    let mut draw = Draw(seed);
    let mut good = 0;
    for i in 0..n {
        let depth = 1 + draw.below(5);
        let text = draw.expression(depth);
        let text = if i % 2 == 0 { text } else { draw.mutated(&text) };
        good += usize::from(survives(&text));
    }
    println!("{good} of {n} texts were formulas");
    assert!(good > n / 5, "too few texts reach the evaluation: {good}");
}

#[test]
fn a_hundred_thousand_texts_never_panic() {
    fuzz(100_000, 1);
}

#[test]
#[ignore = "a million texts take a minute: cargo test --release --test expressions -- --ignored"]
fn a_million_texts_never_panic() {
    fuzz(1_000_000, 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        survives(&text);
    }
}
