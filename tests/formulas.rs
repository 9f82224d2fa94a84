//! Systems, observables and restraints given as formulas, through the program: right averages, the same energies, located complaints.

#[allow(dead_code)]
mod program;

use program::{campaign, ergodica, str};
use serde_json::Value;

/// U = 3 (x^2 - 1)^2 + tilt x + 2 (y - x)^2 at temperature 1, and a wall.
fn text(tilt: f64, more: &str) -> String {
    format!(
        r#"
[campaign]
name = "formula"
seed = 5
[system]
formula = "height*(x^2 - 1)^2 + tilt*x + k*(y - x)^2/2"
variables = ["x", "y"]
parameters = {{ height = 3, tilt = {tilt}, k = 4 }}
start = [-1, -1]
{more}
[[stage]]
name = "run"
sample = {{ propagator = "hmc", timestep = 0.2, leapfrog_steps = 8, temperature = 1.0, replicas = 64, steps = 2000, discard = 200 }}
observe = {{ every = 4, columns = ["energy", "coordinate:x", "coordinate:y", "observable:r2"] }}
"#
    )
}

const OBSERVABLES: &str = r#"
[system.observables]
left = "coordinate:x"
r2 = "left^2 + y^2"
"#;

/// <U>, <x>, <r2> by the midpoint rule in x; y - x is normal of variance 1/4.
fn exact(tilt: f64) -> [f64; 3] {
    let (n, end) = (4000, 4.0);
    let mut sums = [0.0; 4];
    for i in 0..n {
        let x = -end + 2.0 * end * (f64::from(i) + 0.5) / f64::from(n);
        let u = 3.0 * (x * x - 1.0) * (x * x - 1.0) + tilt * x;
        let w = ergodica::real::Real::exp(-u);
        for (sum, value) in sums.iter_mut().zip([1.0, u + 0.5, x, 2.0 * x * x + 0.25]) {
            *sum += w * value;
        }
    }
    [sums[1] / sums[0], sums[2] / sums[0], sums[3] / sums[0]]
}

/// 64 independent replicas; the smallest bias seen at z = 4 is 0.1 in x (they hop between the wells some tens of times each).
#[test]
fn averages_are_those_of_the_formula() {
    let (dir, file) = campaign(&text(0.3, OBSERVABLES));
    let out = dir.path().join("out");
    ergodica(&["run", str(&file), "--out", str(&out)]).finished();
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(out.join("summary.json")).unwrap()).unwrap();
    let z = |quantity: &str, exact: f64| {
        let all = summary["estimates"].as_array().unwrap();
        let e = all.iter().find(|e| e["quantity"] == quantity).unwrap_or_else(|| panic!("no {quantity}"));
        (e["value"].as_f64().unwrap() - exact) / e["stderr"].as_f64().unwrap()
    };
    let [u, x, r2] = exact(0.3);
    for (quantity, exact) in [("energy", u), ("coordinate:x", x), ("coordinate:y", x), ("observable:r2", r2)] {
        let z = z(quantity, exact);
        println!("{quantity}: z = {z:.2}");
        assert!(z.abs() < 4.0, "{quantity}: z = {z}");
    }
    // the broken twin: the other sign of the tilt
    assert!(z("coordinate:x", exact(-0.3)[1]).abs() > 8.0);
    // what was resolved is the same campaign
    let resolved = std::fs::read_to_string(out.join("resolved.toml")).unwrap();
    assert!(resolved.contains("variables = [\"x\", \"y\"]") && resolved.contains("\"r2\" = \"left^2 + y^2\""), "{resolved}");
}

/// `evaluate` reads a campaign; a restraint is a term of its own and the sum is the formula with it inside.
#[test]
fn a_restraint_is_a_term_of_the_energy() {
    let restraint = format!("restraint = \"k*max(0, r2 - 1)^2/2 + x\"\n{OBSERVABLES}");
    let (dir, file) = campaign(&text(0.0, &restraint));
    let configs = dir.path().join("configs.json");
    std::fs::write(&configs, r#"{"configs": [{"id": 1, "x": [0.5, -1.5]}, {"id": 2, "x": [0.1, 0.2]}]}"#).unwrap();
    let said = ergodica(&["evaluate", "--system", str(&file), "--configs", str(&configs), "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let found: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(found["terms"], serde_json::json!(["energy", "restraint"]));
    // at (0.5, -1.5): 3 * 0.5625 + 2 * 4; r2 = 2.5, so 2 * 1.5^2 + 0.5
    let one = &found["configs"][0];
    let close = |value: &Value, exact: f64| assert!((value.as_f64().unwrap() - exact).abs() < 1e-12, "{value} {exact}");
    close(&one["terms"][0], 9.6875);
    close(&one["terms"][1], 5.0);
    close(&one["energy"], 14.6875);
    // -dU/dx = -12 x (x^2 - 1) - 4 (x - y) - 4 (r2 - 1) 2 x - 1
    close(&one["f"][0], 4.5 - 8.0 - 6.0 - 1.0);
    close(&found["configs"][1]["terms"][1], 0.1);
}

#[test]
fn what_only_the_system_knows_is_located_too() {
    let refused = |text: &str, said: &[&str]| {
        let (_dir, file) = campaign(text);
        ergodica(&["check", str(&file)]).refuses(2, said);
    };
    let wrong = OBSERVABLES.replace("left^2 + y^2", "left^2 + z^2");
    refused(&text(0.3, &wrong), &["unknown name `z`", "campaign.toml:13:16", "known names: left, x, y"]);
    let wrong = format!("restraint = \"k*max(0, q - 2)\"\n{OBSERVABLES}");
    refused(&text(0.3, &wrong), &["unknown name `q`", "campaign.toml:10:23"]);
    let wrong = OBSERVABLES.replace("r2 =", "y =");
    refused(&text(0.3, &wrong), &["the name \"y\" stands for two things", "campaign.toml:13:1"]);
    refused(&text(0.3, OBSERVABLES).replace("coordinate:y", "coordinate:z"), &["names no variable", "Its variables: x, y"]);
    refused(&text(0.3, OBSERVABLES).replace("observable:r2", "observable:left"), &["no observable \"left\" with a formula", "r2"]);
    let endless = text(0.3, OBSERVABLES).replace("tilt*x", "tilt*log(x + 1)");
    refused(&endless, &["the energy is -inf at this start", "campaign.toml:9:9"]);
}

/// A folder of one's own, no Rust: the formula stands in its system.toml.
#[test]
fn a_folder_may_hold_a_formula() {
    let folder = tempfile::tempdir().unwrap();
    let write = |formula: &str| {
        let text = format!(
            "title = \"mine\"\nformula = \"{formula}\"\nvariables = [\"x\", \"y\"]\nstart = [[1.0, 0.0]]\n[parameters]\na = 4\nk = 1\n"
        );
        std::fs::write(folder.path().join("system.toml"), text).unwrap();
    };
    write("a*(x^2 - 1)^2 + k*y^2/2");
    let configs = folder.path().join("configs.json");
    std::fs::write(&configs, r#"{"configs": [{"id": 1, "x": [0.0, 2.0]}]}"#).unwrap();
    let evaluate = |set: &str| ergodica(&["evaluate", "--system", str(folder.path()), "--configs", str(&configs), "--json", "--set", set]);
    let said = evaluate("k=3");
    assert_eq!(said.code, 0, "{}", said.err);
    let found: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(found["configs"][0]["energy"], 10.0);
    evaluate("q=3").refuses(2, &["unknown parameter `q`", "takes: a, k"]);
    write("a*(x^2 - 1)^2 + k*z^2/2");
    evaluate("k=3").refuses(2, &["unknown name `z`", "system.toml:2:30"]);
}
