//! Annealing along temperature, and maps that carry annealing and switching along lambda: exact answers.

#[allow(dead_code)]
mod program;

use ergodica::campaign::Summary;
use ergodica::campaign::compare::summary;
use ergodica::real::Real;
use program::{campaign, ergodica, str};

fn run(text: &str) -> Summary {
    let (dir, file) = campaign(text);
    let out = dir.path().join("run");
    ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q"]).finished();
    summary(&out).unwrap()
}

/// z of an estimate against an exact value.
fn z(found: &Summary, stage: &str, quantity: &str, exact: f64) -> f64 {
    let e = found.estimates.iter().find(|e| e.stage == stage && e.quantity == quantity).unwrap();
    println!("{stage}, {quantity}: {:.4} +- {:.4} against {exact:.4}", e.value, e.stderr);
    assert!(e.stderr > 0.0 && e.stderr < 0.05, "{stage}: {} +- {}", e.value, e.stderr);
    (e.value - exact) / e.stderr
}

/// ln of the integral of exp(-beta U) over a line.
fn log_z(beta: f64, u: impl Fn(f64) -> f64) -> f64 {
    let (n, h) = (40_000, 5e-4);
    Real::ln((0..n).map(|i| Real::exp(-beta * u(h * (f64::from(i) + 0.5) - 10.0)) * h).sum::<f64>())
}

fn well(x: f64) -> f64 {
    2.0 * (x * x - 1.0) * (x * x - 1.0) + 0.4 * x
}

/// Population annealing of a double well and a spring from T = 4 to T = 0.5, on levels of its own and on given ones; and of four springs.
/// Smallest visible bias: 4 standard errors, 0.06 kT. The twins are the same at another last temperature.
#[test]
fn cooling_gives_the_ratio_of_partition_functions() {
    let text = |system: &str| {
        let hot = "sample = { propagator = \"hmc\", timestep = 0.3, leapfrog_steps = 5, temperature = 4.0, replicas = 4096, steps = 200 }";
        let keys = "kernel = \"hmc\", timestep = 0.25, leapfrog_steps = 4, replicas = 128, runs = 32, start = \"stage:hot\"";
        format!(
            "[campaign]\nname = \"cooling\"\nseed = 11\n[system]\n{system}\n[[stage]]\nname = \"hot\"\n{hot}\n\
             [[stage]]\nname = \"given\"\nanneal = {{ {keys}, temperatures = {{ from = 4, to = 0.5, count = 24 }} }}\n\
             [[stage]]\nname = \"own\"\nanneal = {{ {keys}, temperatures = [4, 0.5], schedule = \"adaptive\", ess = 0.9 }}\n"
        )
    };
    let wells = run(&text("formula = \"2*(x^2 - 1)^2 + 0.4*x + y^2\"\nvariables = [\"x\", \"y\"]"));
    let exact = |cold: f64| log_z(0.25, well) - log_z(1.0 / cold, well) + 0.5 * Real::ln(4.0 / cold);
    let springs = run(&text("name = \"harmonic\""));
    let ratio = |cold: f64| 2.0 * Real::ln(4.0 / cold);
    for stage in ["given", "own"] {
        assert!(z(&wells, stage, "delta_f", exact(0.5)).abs() < 4.0);
        assert!(z(&wells, stage, "delta_f", exact(1.0)).abs() > 8.0);
        assert!(z(&springs, stage, "delta_f", ratio(0.5)).abs() < 4.0);
        assert!(z(&springs, stage, "delta_f", ratio(1.0)).abs() > 8.0);
        let of = wells.stages.iter().find(|s| s.stage == stage).unwrap().annealing.clone().unwrap();
        let (first, last) = (of.temperatures[0], *of.temperatures.last().unwrap());
        assert!((first - 4.0).abs() < 1e-12 && (last - 0.5).abs() < 1e-12 && of.lambdas.is_empty(), "{of:?}");
        assert!(wells.estimates.iter().all(|e| e.quantity != "log_z"));
    }
}

/// A trap that moves and a spring that stiffens, each carried by its exact map: every work is delta_f, alone (targeted perturbation) and
/// before the moves of five levels (escorted switching), both ways.
#[test]
fn an_exact_map_leaves_no_variance() {
    let stages = |map: &str| {
        let keys = "propagator = \"hmc\", timestep = 0.3, leapfrog_steps = 4, temperature = 1.0, replicas = 32, equilibrate = 50, shots = 4, spacing = 10";
        format!(
            "[[stage]]\nname = \"targeted\"\nswitch = {{ {keys}, levels = 1, steps_per_level = 0, map = {map} }}\n\
             [[stage]]\nname = \"escorted\"\nswitch = {{ {keys}, levels = 5, map = {map} }}\n\
             [[stage]]\nname = \"f\"\nestimate = {{ method = \"work\", from = \"targeted\" }}\n\
             [[stage]]\nname = \"g\"\nestimate = {{ method = \"work\", from = \"escorted\" }}\n"
        )
    };
    let head = |formula: &str, extra: &str| {
        format!("[campaign]\nname = \"map\"\nseed = 3\n[system]\nformula = \"{formula}\"\nvariables = [\"x\", \"y\"]\n{extra}")
    };
    let trap = head("k*(x - far*lambda)^2/2 + y^2/2", "parameters = { k = 2, far = 3 }\n")
        + &stages("{ shift = \"far*(lambda1 - lambda0)\", of = [\"coordinate:x\"] }");
    let spring = head("(1 + 3*lambda)*(x^2 + y^2)/2", "") + &stages("{ scale = \"sqrt((1 + 3*lambda0)/(1 + 3*lambda1))\" }");
    // about another centre, which a shift makes up for
    let centred = head("(1 + 3*lambda)*((x - 1)^2 + (y - 1)^2)/2", "start = [1, 1]\n")
        + &stages("{ scale = \"sqrt((1 + 3*lambda0)/(1 + 3*lambda1))\", centre = \"1\" }");
    for (text, exact) in [(trap, 0.0), (spring, Real::ln(4.0)), (centred, Real::ln(4.0))] {
        let found = run(&text);
        for stage in ["targeted", "escorted"] {
            let works = found.stages.iter().find(|s| s.stage == stage).unwrap().works.clone().unwrap();
            assert_eq!((works.forward.len(), works.reverse.len()), (128, 128));
            for (w, sign) in works.forward.iter().map(|w| (w, 1.0)).chain(works.reverse.iter().map(|w| (w, -1.0))) {
                assert!((w - sign * exact).abs() < 1e-9, "{stage}: {w} against {}", sign * exact);
            }
        }
        for stage in ["f", "g"] {
            let e = found.estimates.iter().find(|e| e.stage == stage && e.quantity == "delta_f").unwrap();
            assert!((e.value - exact).abs() < 1e-9 && e.stderr < 1e-8, "{stage}: {} +- {}", e.value, e.stderr);
        }
        assert!(found.papers.iter().any(|p| p.contains("Vaikuntanathan")) && found.papers.iter().any(|p| p.contains("046122")));
    }
}

/// A map that is only nearly right leaves every answer right: a Gaussian of width 1.2 into a double well, by annealing with and without
/// a map, and by one perturbation. The twin leaves the Jacobian out: its answer is off by ln |det| = 2 ln 0.6.
#[test]
fn any_map_is_right_on_average() {
    let map = "map = { scale = \"0.6^(lambda1 - lambda0)\" }";
    let anneal = |name: &str, keys: &str| {
        format!("[[stage]]\nname = \"{name}\"\nanneal = {{ timestep = 0.2, temperature = 1.0, replicas = 256, runs = 32, {keys} }}\n")
    };
    let text = "[campaign]\nname = \"carried\"\nseed = 9\n[system]\nformula = \"0.5*(x^2 - 1)^2 + 2*y^2\"\nvariables = [\"x\", \"y\"]\n\
                [path]\nkind = \"geometric\"\nbase = { normal = 1.2 }\n"
        .to_owned()
        + &anneal("hmc", &format!("kernel = \"hmc\", leapfrog_steps = 4, levels = 12, {map}"))
        + &anneal("langevin", &format!("kernel = \"langevin\", friction = 1, levels = 12, steps_per_level = 3, {map}"))
        + &anneal("plain", "kernel = \"hmc\", leapfrog_steps = 4, levels = 12");
    let found = run(&text);
    let exact = log_z(1.0, |x| 0.5 * (x * x - 1.0) * (x * x - 1.0)) + 0.5 * Real::ln(std::f64::consts::TAU / 4.0);
    for stage in ["hmc", "langevin", "plain"] {
        assert!(z(&found, stage, "log_z", exact).abs() < 4.0);
        assert!(z(&found, stage, "log_z", exact + 2.0 * Real::ln(0.6)).abs() > 8.0);
    }
}

#[test]
fn a_map_of_the_wrong_kind_is_refused() {
    let text = |system: &str, map: &str| {
        format!(
            "[campaign]\nname = \"x\"\nseed = 1\n[system]\n{system}\n[path]\nkind = \"geometric\"\nbase = {{ normal = 1.5 }}\n\
             [[stage]]\nname = \"smc\"\nanneal = {{ kernel = \"hmc\", timestep = 0.1, temperature = 1, replicas = 100, levels = 10, map = {map} }}\n"
        )
    };
    for (system, map, said) in [
        ("name = \"lj13-efm\"", "{ shift = \"lambda1 - lambda0\" }", "the map moves the centre of mass, which is held"),
        ("name = \"harmonic\"", "{ scale = \"2\", of = [\"coordinate:7\"] }", "coordinate 7"),
        ("name = \"harmonic\"", "{ scale = \"2\", of = [\"coordinate:1\", \"coordinate:1\"] }", "moved already"),
    ] {
        let (_dir, file) = campaign(&text(system, map));
        ergodica(&["check", str(&file)]).refuses(2, &[said]);
    }
}
