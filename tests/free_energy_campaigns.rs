//! Campaigns of free energies: what they refuse, what fails its diagnosis, what must not depend on threads or on how a run was cut.

#[allow(dead_code)]
mod program;

use ergodica::campaign::compare::summary;
use program::{campaign, equal, ergodica, str};

const SPRINGS: &str = r#"
[campaign]
name = "springs"
seed = 5
[system]
name = "harmonic"
[path]
kind = "geometric"
base = { normal = 1.5 }
"#;

#[test]
fn a_plain_chain_has_no_log_z() {
    let (_dir, file) = campaign(
        "[campaign]\nname = \"x\"\nseed = 1\n[system]\nname = \"harmonic\"\n[[stage]]\nname = \"run\"\n\
         sample = { propagator = \"hmc\", timestep = 0.1, temperature = 1, replicas = 8, steps = 100 }\n\
         observe = { every = 10, columns = [\"energy\"] }\n[[stage]]\nname = \"z\"\nestimate = { method = \"log_z\", from = \"run\" }\n",
    );
    ergodica(&["check", str(&file)]).refuses(2, &["no log Z: use anneal or exchange", "a chain has no log Z"]);
}

#[test]
fn lambda_without_a_path_is_refused_where_the_energy_knows_none() {
    let ladder = "exchange = { propagator = \"hmc\", timestep = 0.1, temperature = 1, replicas = 2, steps = 100, lambdas = [0, 1], swap_every = 5 }";
    let text = format!("[campaign]\nname = \"x\"\nseed = 1\n[system]\nname = \"harmonic\"\n[[stage]]\nname = \"ladder\"\n{ladder}\n");
    let (_dir, file) = campaign(&text);
    ergodica(&["check", str(&file)]).refuses(2, &["does not depend on it", "[path]"]);
    // a formula that names lambda knows it
    let own = text.replace("name = \"harmonic\"", "formula = \"lambda*x^2 + 0.5*x^2\"\nvariables = [\"x\"]");
    let (_dir, file) = campaign(&own);
    assert_eq!(ergodica(&["check", str(&file)]).code, 0);
}

#[test]
fn annealing_needs_draws_at_the_beginning() {
    let text = "[campaign]\nname = \"x\"\nseed = 1\n[system]\nname = \"harmonic\"\n[path]\nkind = \"linear\"\nbase = { system = \"harmonic\" }\n\
                [[stage]]\nname = \"smc\"\nanneal = { kernel = \"hmc\", timestep = 0.1, temperature = 1, replicas = 100, levels = 10 }\n";
    let (_dir, file) = campaign(text);
    ergodica(&["check", str(&file)]).refuses(2, &["no draws at lambda = 0", "start = \"stage:NAME\""]);
    // particles that share a start are not independent
    let stage = "[[stage]]\nname = \"first\"\nsample = { propagator = \"hmc\", timestep = 0.1, temperature = 1, replicas = 64, steps = 50, lambda = 0 }\n[[stage]]";
    let started = text.replace("[[stage]]", stage).replace("levels = 10", "levels = 10, runs = 2, start = \"stage:first\"");
    let (dir, file) = campaign(&started);
    let out = dir.path().join("run");
    ergodica(&["run", str(&file), "--out", str(&out), "--no-report"]).refuses(2, &["start from 64 configurations", "not independent"]);
}

#[test]
fn without_overlap_there_is_no_number_and_exit_3() {
    let far = SPRINGS.replace("normal = 1.5", "normal = 0.001")
        + "[[stage]]\nname = \"ladder\"\nexchange = { propagator = \"hmc\", timestep = 0.001, temperature = 1.0, replicas = 4, steps = 200, lambdas = [0, 1], swap_every = 5 }\n";
    for method in ["mbar", "bar", "log_z"] {
        let (dir, file) = campaign(&format!("{far}[[stage]]\nname = \"f\"\nestimate = {{ method = \"{method}\", from = \"ladder\" }}\n"));
        let out = dir.path().join("run");
        let said = ergodica(&["run", str(&file), "--out", str(&out), "--no-report"]);
        assert_eq!(said.code, 3, "{}{}", said.out, said.err);
        let found = summary(&out).unwrap();
        let e = found.estimates.iter().find(|e| e.quantity == "delta_f").unwrap();
        assert!(e.value.is_nan() && e.warnings[0].message.contains("no overlap between the states {0} and {1}"), "{method}: {e:?}");
        assert!(found.verdict.checks.iter().any(|c| c.check == "overlap" && c.message.contains("add states between")));
    }
}

#[test]
fn a_coarse_integral_is_found_out() {
    let text = SPRINGS.to_owned()
        + "[[stage]]\nname = \"ladder\"\nexchange = { propagator = \"hmc\", timestep = 0.15, leapfrog_steps = 5, temperature = 1.0, replicas = 16, steps = 2000, lambdas = [0, 0.2, 0.4, 0.6, 0.8, 1], swap_every = 2, discard = 50 }\n\
           [[stage]]\nname = \"ti\"\nestimate = { method = \"ti\", from = \"ladder\" }\n";
    let (dir, file) = campaign(&text);
    let out = dir.path().join("run");
    let said = ergodica(&["run", str(&file), "--out", str(&out), "--no-report"]);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains("FAILED: ti: the integral over 6 states"), "{}", said.out);
}

/// Stages with budgets, so that where they end could depend on how many steps are taken at once.
fn with_budgets() -> String {
    SPRINGS.to_owned()
        + r#"
[[stage]]
name = "ladder"
exchange = { propagator = "hmc", timestep = 0.15, leapfrog_steps = 3, temperature = 1.0, replicas = 5, steps = 100_000, lambdas = [0, 0.1, 0.4, 1], swap_every = 3 }
observe = { every = 6, columns = ["energy", "coordinate:3"] }
budget = { energy_calls = 20_000 }
[[stage]]
name = "hot"
exchange = { propagator = "baoab", timestep = 0.1, friction = 1.0, replicas = 3, steps = 300, temperatures = { from = 1, to = 3, count = 5 }, swap_every = 5, mixing = "gibbs" }
observe = { every = 5, columns = ["energy"] }
[[stage]]
name = "smc"
anneal = { kernel = "mala", timestep = 0.2, temperature = 1.0, replicas = 100, levels = 20, runs = 100 }
budget = { energy_calls = 20_000 }
[[stage]]
name = "drive"
switch = { propagator = "hmc", timestep = 0.15, leapfrog_steps = 3, temperature = 1.0, replicas = 12, equilibrate = 40, shots = 1000, spacing = 5, levels = 10 }
budget = { energy_calls = 20_000 }
[[stage]]
name = "reweighted"
estimate = { method = "reweight", from = "hot", of = ["energy"] }
[[stage]]
name = "mbar"
estimate = { method = "mbar", from = "ladder" }
[[stage]]
name = "work"
estimate = { method = "work", from = "drive" }
"#
}

#[test]
fn results_and_budgets_do_not_depend_on_threads_or_checkpoints() {
    let (dir, file) = campaign(&with_budgets());
    let one = dir.path().join("one");
    ergodica(&["run", str(&file), "--out", str(&one), "--no-report", "-j", "1"]).finished();
    let found = summary(&one).unwrap();
    for name in ["ladder", "smc", "drive"] {
        let stage = found.stages.iter().find(|s| s.stage == name).unwrap();
        // the first frame beyond the budget: a ladder's frame costs 20 * 6 * 3 calls, a run 100 * 20 * 2 or so, a shot 24 * (5 + 10) * 3
        assert!(stage.evaluations >= 20_000 && stage.evaluations < 25_000, "{name}: {}", stage.evaluations);
    }
    assert_eq!(found.status, "done");
    let two = dir.path().join("two");
    ergodica(&["run", str(&file), "--out", str(&two), "--no-report", "-j", "2", "--set", "campaign.checkpoint=17 steps"]).finished();
    equal(&one, &two);
    // the mean at the lowest temperature from all of them: 2 kT
    let e = found.estimates.iter().find(|e| e.stage == "reweighted").unwrap();
    assert!(e.z().unwrap().abs() < 4.0 && e.stderr < 0.2, "{e:?}");
}

#[test]
fn a_lengthened_ladder_is_the_long_one() {
    let text = |steps: u64| {
        SPRINGS.to_owned()
            + &format!(
                "[[stage]]\nname = \"ladder\"\nexchange = {{ propagator = \"hmc\", timestep = 0.15, temperature = 1.0, replicas = 4, steps = {steps}, lambdas = [0, 0.1, 1], swap_every = 4 }}\n\
                 [[stage]]\nname = \"mbar\"\nestimate = {{ method = \"mbar\", from = \"ladder\" }}\n"
            )
    };
    let (dir, file) = campaign(&text(400));
    let (short, long) = (dir.path().join("short"), dir.path().join("long"));
    ergodica(&["run", str(&file), "--out", str(&short), "--no-report"]).finished();
    ergodica(&["extend", str(&short), "--stage", "ladder", "--to", "1000", "--no-report"]).finished();
    std::fs::write(&file, text(1000)).unwrap();
    ergodica(&["run", str(&file), "--out", str(&long), "--no-report"]).finished();
    equal(&short, &long);
    let status: serde_json::Value = serde_json::from_str(&ergodica(&["status", str(&long), "--json"]).out).unwrap();
    assert_eq!((status["state"].as_str(), status["stages"][0]["step"].as_u64()), (Some("done"), Some(1000)));
}
