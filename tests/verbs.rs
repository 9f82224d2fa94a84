//! The verbs from a user's side, in an empty folder.

#[allow(dead_code)]
mod program;

use program::{Said, campaign, command, ergodica, str};

#[test]
fn init_check_run_status_report_export() {
    let dir = tempfile::tempdir().unwrap();
    let at = |args: &[&str]| Said::of(&command(args).current_dir(dir.path()).output().unwrap());
    assert_eq!(at(&["init", "--system", "dw4"]).code, 0);
    at(&["init", "--system", "dw4"]).refuses(2, &["campaign.toml exists", "--overwrite"]);
    let plan = at(&["check", "campaign.toml"]);
    assert_eq!(plan.code, 0, "{}", plan.err);
    for text in ["cores", "padding", "omega_max dt", "on disk", "about"] {
        assert!(plan.out.contains(text), "no \"{text}\" in:\n{}", plan.out);
    }
    let run = at(&["run", "campaign.toml", "--set", "production.steps=2000", "--set", "production.observe.every=20"]).finished();
    assert!(run.out.contains("verdict:") && run.out.contains("energy"), "{}", run.out);
    assert!(at(&["status", "runs/dw4"]).out.contains("dw4: done"));
    let json: serde_json::Value = serde_json::from_str(&at(&["status", "runs/dw4", "--json"]).out).unwrap();
    assert_eq!(json["state"], "done");
    let summary: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(dir.path().join("runs/dw4/summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["schema"], &summary["status"]), (&serde_json::json!(1), &serde_json::json!("done")));
    let energy = summary["estimates"].as_array().unwrap().iter().find(|e| e["quantity"] == "energy").unwrap();
    assert_eq!(energy["reference"]["value"], -22.535);
    for key in ["stage", "conditions", "value", "stderr", "n_eff", "unit", "z"] {
        assert!(energy.get(key).is_some(), "no {key} in {energy}");
    }
    let csv = at(&["export", "runs/dw4", "--format", "csv"]);
    assert_eq!(csv.code, 0, "{}", csv.err);
    at(&["report", "runs/dw4"]).finished();
    assert_eq!(at(&["compare", "runs/dw4", "runs/dw4", "--exact"]).code, 0);
    assert!(at(&["compare", "runs/dw4", "runs/dw4"]).out.contains("+0.0"));
}

#[test]
fn evaluate_answers_in_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let configs = dir.path().join("configs.json");
    std::fs::write(&configs, r#"{"note": "ignored", "configs": [{"id": 3, "x": [1.0, 2.0], "f": [0, 0]}, {"id": "b", "x": [0.0, 0.5]}]}"#)
        .unwrap();
    let said = ergodica(&["evaluate", "--system", "mueller-brown", "--configs", str(&configs), "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let list = json["configs"].as_array().unwrap();
    assert_eq!((list.len(), &list[0]["id"], &list[1]["id"]), (2, &serde_json::json!(3), &serde_json::json!("b")));
    assert!(list[0]["energy"].is_f64() && list[0]["f"].as_array().unwrap().len() == 2 && list[0]["terms"].is_array());
    std::fs::write(&configs, r#"{"configs": [{"id": 3, "x": [1.0]}]}"#).unwrap();
    ergodica(&["evaluate", "--system", "mueller-brown", "--configs", str(&configs)]).refuses(2, &["1 coordinates", "2"]);
    ergodica(&["evaluate", "--system", "muller-brown", "--configs", str(&configs)]).refuses(2, &["did you mean"]);
}

#[test]
fn lists_and_descriptions() {
    for (args, text) in [
        (&["list"][..], "samplers"),
        (&["list", "systems"], "lj13-efm"),
        (&["list", "samplers"], "baoab"),
        (&["describe", "baoab"], "Leimkuhler"),
        (&["describe", "lj13-efm"], "reference energy"),
        (&["describe", "ala2-ff99sbildn-obc"], "HarmonicBondForce"),
        (&["schema"], "\"$schema\""),
        (&["completions", "bash"], "ergodica"),
        (&["man"], ".TH"),
        (&["doctor"], "all is well"),
    ] {
        let said = ergodica(args);
        assert_eq!(said.code, 0, "{args:?}: {}", said.err);
        assert!(said.out.contains(text), "no \"{text}\" in the answer to {args:?}:\n{}", said.out);
    }
    ergodica(&["describe", "baobab"]).refuses(2, &["did you mean \"baoab\"?"]);
}

#[test]
fn a_step_that_is_too_long_is_refused_with_the_bond() {
    let (_dir, file) = campaign(
        r#"
[campaign]
name = "hot"
[system]
name = "ala2-ff99sbildn-vacuum"
[[stage]]
name = "production"
sample = { propagator = "baoab", timestep = "6 fs", friction = "1 /ps", temperature = "300 K", replicas = 8, steps = 100 }
observe = { every = 10, columns = ["energy"] }
"#,
    );
    ergodica(&["check", str(&file)]).refuses(2, &["omega_max dt", "bond", "campaign.toml:8"]);
    let longer = ergodica(&["check", str(&file), "--set", "production.timestep=2 fs"]);
    assert_eq!(longer.code, 0, "{}", longer.err);
    assert!(longer.out.contains("warning") && longer.out.contains("omega_max dt"), "{}", longer.out);
}

#[test]
fn names_that_fit_no_atom_point_at_the_column() {
    let (_dir, file) = campaign(
        r#"
[campaign]
name = "names"
[system]
name = "ala2-ff99sbildn-vacuum"
[[stage]]
name = "production"
sample = { propagator = "baoab", timestep = "1 fs", friction = "1 /ps", temperature = "300 K", replicas = 8, steps = 100 }
observe = { every = 10, columns = ["energy", "distance:CA,H", "coordinate:66"] }
"#,
    );
    ergodica(&["check", str(&file)]).refuses(2, &["ambiguous", "campaign.toml:9", "coordinate 66"]);
}

#[test]
fn an_unfinished_run_never_looks_finished() {
    let (dir, file) = campaign(
        r#"
[campaign]
name = "long"
seed = 1
[system]
name = "lj13-efm"
[[stage]]
name = "production"
sample = { propagator = "baoab", timestep = 0.005, friction = 1.0, temperature = 1.0, replicas = 8, steps = 100_000_000, discard = 100 }
observe = { every = 100, columns = ["energy", "terms"] }
"#,
    );
    let out = dir.path().join("run");
    let said = ergodica(&["run", str(&file), "--out", str(&out), "-q", "--no-report", "--until", "1s"]);
    assert_eq!(said.code, 75, "{}", said.err);
    let said = ergodica(&["report", str(&out)]);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains("not the whole run"), "{}", said.out);
    let summary: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["status"], "partial");
}

#[test]
fn a_term_that_does_not_exist_is_found_before_anything_runs() {
    let (_dir, file) = campaign(
        r#"
[campaign]
name = "terms"
[system]
name = "ala2-ff99sbildn-vacuum"
[[stage]]
name = "production"
sample = { propagator = "baoab", timestep = "1 fs", friction = "1 /ps", temperature = "300 K", replicas = 8, steps = 100 }
observe = { every = 10, columns = ["terms"] }
[[stage]]
name = "means"
estimate = { method = "mean", from = "production", of = ["energy:HarmonicBndForce"] }
"#,
    );
    ergodica(&["check", str(&file)]).refuses(2, &["no energy term", "did you mean \"energy:HarmonicBondForce\"?", "campaign.toml:12"]);
    let fine = ergodica(&["check", str(&file), "--set", "means.of=[\"energy:HarmonicBondForce\"]"]);
    assert_eq!(fine.code, 0, "{}", fine.err);
    let dir = tempfile::tempdir().unwrap();
    ergodica(&["check", str(&dir.path().join("none.toml"))]).refuses(2, &["there is no file"]);
    ergodica(&["check", str(dir.path())]).refuses(2, &["is a folder"]);
    let huge = ergodica(&["check", str(&file), "--set", "production.replicas=2000000000"]);
    assert_eq!(huge.code, 2, "{}{}", huge.out, huge.err);
}

#[test]
fn divergence_is_counted_and_never_looks_like_a_result() {
    let (dir, file) = campaign(
        r#"
[campaign]
name = "diverges"
seed = 1
[system]
name = "double-well"
[[stage]]
name = "production"
sample = { propagator = "euler_maruyama", timestep = 0.045, friction = 1.0, temperature = 9.0, replicas = 16, steps = 20000, discard = 100 }
observe = { every = 100, columns = ["energy"] }
"#,
    );
    let out = dir.path().join("run");
    let said = ergodica(&["run", str(&file), "--out", str(&out), "-q", "--no-report"]);
    if said.code == 2 {
        // The step is refused before anything runs: that is an answer too, but then this test shows nothing.
        panic!("the step was refused: {}", said.err);
    }
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains("diverged"), "{}", said.out);
    let text = std::fs::read_to_string(out.join("summary.json")).unwrap();
    assert!(!text.contains("NaN"));
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary["verdict"]["outcome"], "fail");
}

#[test]
fn estimate_from_arrays_prints_writes_and_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let at = |args: &[&str]| Said::of(&command(args).current_dir(dir.path()).output().unwrap());
    // Gaussian work of variance 1 and dF = 0.3, by its quantiles in a mixed order.
    let quantile = |k: usize| ergodica::estimate::normal_quantile(((k * 191 % 500) as f64 + 0.5) / 500.0);
    let rows: String = (0..500).map(|k| format!("{},{}\n", 0.8 + quantile(k), 0.2 + quantile(499 - k))).collect();
    std::fs::write(dir.path().join("work.csv"), format!("w_f,w_r\n{rows}")).unwrap();
    let said = at(&["estimate", "work", "work.csv", "--out", "out"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("Gaussian crossing") && said.out.contains("the halves of the data differ by"), "{}", said.out);
    for name in ["figure-work.svg", "figure-bar-convergence.svg", "bar-convergence.csv", "gaussian-crossing.csv", "summary.json"] {
        assert!(dir.path().join("out").join(name).is_file(), "{name}");
    }
    let rows: String =
        (0..500).map(|k| 0.5 * quantile(k) * quantile(k)).map(|h| format!("0,{h},{}\n1,{},{h}\n", 2.0 * h, 0.5 * h)).collect();
    std::fs::write(dir.path().join("samples.csv"), format!("state,0,1\n{rows}")).unwrap();
    let json = |seed: &str| at(&["estimate", "mbar", "samples.csv", "--bootstrap", "50", "--seed", seed, "--entropy", "--json"]).out;
    let (one, again, other) = (json("1"), json("1"), json("2"));
    assert!(one == again && one != other);
    let value: serde_json::Value = serde_json::from_str(&one).unwrap();
    for name in ["delta_f", "delta_u", "delta_s"] {
        assert!(value["estimates"].as_array().unwrap().iter().any(|e| e["quantity"] == name && e["stderr"].is_f64()), "{name}: {one}");
    }
    at(&["estimate", "mbar", "samples.csv", "--seed", "1"]).refuses(2, &["--bootstrap <N>"]);
    at(&["estimate", "mbar", "samples.csv", "--bootstrap", "5"]).refuses(2, &["at least 20"]);
    at(&["estimate", "work", "work.csv", "--bins", "9"]).refuses(2, &["`work` has no bins", "pmf"]);
    at(&["estimate", "pmf", "work.csv"]).refuses(2, &["no `pmf` of work values"]);
    at(&["estimate", "pmf", "work.csv", "--range", "2:1"]).refuses(2, &["--range 2:1", "the lower first"]);
}
