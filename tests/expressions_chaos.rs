//! The equations of 135 flows and 22 maps: every one parses, and values and Jacobians are those of a 50-digit evaluation.

use ergodica::expr::{Compiled, Scope, parse};
use ergodica::real::{Lanewise, Octet, Wide, dispatch};
use serde_json::Value;

const EQUATIONS: &str = include_str!("data/chaos/equations.json");

struct System {
    name: String,
    inputs: Vec<String>,
    rhs: Vec<String>,
    constants: Vec<(String, f64)>,
    checks: Vec<Value>,
}

fn texts(v: &Value) -> Vec<String> {
    v.as_array().map(|a| a.iter().map(|t| t.as_str().unwrap().to_owned()).collect()).unwrap_or_default()
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().map(|a| a.iter().map(|x| x.as_f64().unwrap()).collect()).unwrap_or_default()
}

/// Flows and maps; delayed variables and t are further inputs.
fn systems() -> (Vec<System>, Vec<System>) {
    let all: Value = serde_json::from_str(EQUATIONS).unwrap();
    let read = |list: &Value| {
        let systems = list.as_array().unwrap().iter();
        systems
            .map(|s| {
                let mut inputs = texts(&s["vars"]);
                inputs.extend(texts(&s["delayed"]));
                inputs.push("t".to_owned());
                System {
                    name: s["name"].as_str().unwrap().to_owned(),
                    inputs,
                    rhs: texts(&s["rhs"]),
                    constants: s["params"].as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.as_f64().unwrap())).collect(),
                    checks: s["check"].as_array().unwrap().clone(),
                }
            })
            .collect::<Vec<_>>()
    };
    (read(&all["systems"]), read(&all["maps"]))
}

fn compiled(s: &System) -> Compiled {
    let scope = Scope { inputs: s.inputs.clone(), constants: s.constants.clone() };
    let texts: Vec<&str> = s.rhs.iter().map(String::as_str).collect();
    Compiled::new(&texts, &scope, s.rhs.len()).unwrap_or_else(|(i, m)| panic!("{}: {}: {}", s.name, s.rhs[i], m.within(&s.rhs[i])))
}

/// The worst of |f_i - check.f_i| / scale_i, and of the Jacobian's elements against the largest of their row.
fn misfit(s: &System, with_t: bool) -> (f64, f64) {
    let c = compiled(s);
    let n = s.rhs.len();
    let (mut worst_f, mut worst_j) = (0.0_f64, 0.0_f64);
    let mut slots = vec![0.0; c.slots()];
    let (mut f, mut jacobian, mut alone) = (vec![0.0; n], vec![0.0; n * n], vec![0.0; n]);
    for check in &s.checks {
        let mut x = numbers(&check["x"]);
        x.push(if with_t { check["t"].as_f64().unwrap() } else { 0.0 });
        slots[..x.len()].copy_from_slice(&x);
        c.values_jacobian(&mut slots, &mut f, &mut jacobian);
        c.values(&mut slots, &mut alone);
        let exact = numbers(&check["f"]);
        let scale = if check["scale"].is_null() { exact.iter().map(|f| f.abs().max(1.0)).collect() } else { numbers(&check["scale"]) };
        for i in 0..n {
            assert_eq!(f[i].to_bits(), alone[i].to_bits(), "{}: the value depends on whether derivatives are asked for", s.name);
            worst_f = worst_f.max((f[i] - exact[i]).abs() / scale[i]);
        }
        let Some(rows) = check["J"].as_array() else { continue };
        for (i, row) in rows.iter().enumerate() {
            let row = numbers(row);
            let largest = row.iter().fold(scale[i], |m, j| m.max(j.abs()));
            for (j, exact) in row.iter().enumerate() {
                worst_j = worst_j.max((jacobian[i * n + j] - exact).abs() / largest);
            }
        }
    }
    (worst_f, worst_j)
}

#[test]
fn all_flows_and_maps_agree_with_50_digits() {
    let (flows, maps) = systems();
    assert_eq!((flows.len(), maps.len()), (135, 22));
    let mut worst = [(0.0, String::new()), (0.0, String::new())];
    let mut broken = Vec::new();
    for (s, flow) in flows.iter().map(|s| (s, true)).chain(maps.iter().map(|s| (s, false))) {
        let (f, j) = misfit(s, flow);
        for (w, m) in worst.iter_mut().zip([f, j]) {
            if m > w.0 || m.is_nan() {
                *w = (m, s.name.clone());
            }
        }
        let good = f <= 1e-12 && j <= 1e-11; // NaN is not
        if !good {
            broken.push(format!("{}: f off by {f:.1e}, J by {j:.1e}", s.name));
        }
    }
    println!("worst f {:?}, worst J {:?}", worst[0], worst[1]);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The broken twin: a parameter off by 1e-10 is seen.
#[test]
fn a_wrong_parameter_fails() {
    let (flows, _) = systems();
    let mut lorenz = flows.into_iter().find(|s| s.name == "Lorenz").unwrap();
    assert!(misfit(&lorenz, true).0 <= 1e-12);
    lorenz.constants[0].1 *= 1.0 + 1e-10;
    assert!(misfit(&lorenz, true).0 > 1e-12);
}

#[test]
fn printing_and_parsing_again_changes_nothing() {
    let (flows, maps) = systems();
    for s in flows.iter().chain(&maps) {
        for text in &s.rhs {
            let tree = parse(text).unwrap();
            let printed = tree.to_string();
            assert_eq!(parse(&printed).unwrap(), tree, "{}: {text} became {printed}", s.name);
        }
    }
}

struct OnLanes<'a> {
    of: &'a Compiled,
    slots: &'a mut [Octet],
    out: &'a mut [Octet],
    jacobian: &'a mut [Octet],
}

impl Lanewise for OnLanes<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        self.of.values_jacobian(L::of_octets_mut(self.slots), L::of_octets_mut(self.out), L::of_octets_mut(self.jacobian));
    }
}

#[test]
fn lanes_equal_plain_numbers() {
    let (flows, maps) = systems();
    for s in flows.iter().chain(&maps) {
        let c = compiled(s);
        let n = s.rhs.len();
        let mut slots = vec![Octet::of(0.0); c.slots()];
        let mut rows = Vec::new();
        for lane in 0..8 {
            let check = &s.checks[lane % s.checks.len()];
            let mut x = numbers(&check["x"]);
            x.push(check["t"].as_f64().unwrap_or(0.0));
            for v in &mut x {
                *v += 0.01 * lane as f64;
            }
            for (o, v) in slots.iter_mut().zip(&x) {
                o.0[lane] = *v;
            }
            rows.push(x);
        }
        let mut out = vec![Octet::of(0.0); n];
        let mut jacobian = vec![Octet::of(0.0); n * n];
        dispatch(OnLanes { of: &c, slots: &mut slots, out: &mut out, jacobian: &mut jacobian });
        let mut plain_slots = vec![0.0; c.slots()];
        for (lane, x) in rows.iter().enumerate() {
            let (mut f, mut j) = (vec![0.0; n], vec![0.0; n * n]);
            plain_slots[..x.len()].copy_from_slice(x);
            c.values_jacobian(&mut plain_slots, &mut f, &mut j);
            for (a, b) in f.iter().chain(&j).zip(out.iter().chain(&jacobian)) {
                let same = a.to_bits() == b.0[lane].to_bits() || (a.is_nan() && b.0[lane].is_nan());
                assert!(same, "{}: {a:e} {:e}", s.name, b.0[lane]);
            }
        }
    }
}
