//! Settings of `ergodica estimate` and of the stages of a campaign that read files: the same keys, the same numbers, and messages in
//! the words of whoever asks.

#[allow(dead_code)]
mod alchemical_files;
#[allow(dead_code)]
mod program;

use alchemical_files::{gromacs, harmonics, namd, npy, zip};
use ergodica::campaign::compare::summary;
use ergodica::campaign::estimate_files::{Discard, Method, Request, TiRule, estimate};
use program::{campaign, command, ergodica, str};
use serde_json::Value;
use std::path::Path;

const LAMBDAS: [f64; 3] = [0.0, 0.5, 1.0];

/// Windows of all programs' kinds in a folder.
fn put_files(dir: &Path) {
    for (k, l) in LAMBDAS.iter().enumerate() {
        std::fs::write(dir.join(format!("dhdl.{k}.xvg")), gromacs(*l, &LAMBDAS, 60, 0.0)).unwrap();
        std::fs::write(dir.join(format!("{k}.fepout")), namd(&LAMBDAS, k, 60)).unwrap();
    }
    let (n_k, u) = harmonics();
    let n: Vec<f64> = n_k.iter().map(|n| *n as f64).collect();
    let body = zip(&[("u_kn.npy", &npy("<f8", &[3, u.len() / 3], &u)), ("n_k.npy", &npy("<f8", &[3], &n))]);
    std::fs::write(dir.join("u.npz"), body).unwrap();
}

/// Value and error of the whole as the command has it.
fn commanded(dir: &Path, arguments: &[&str]) -> (f64, f64) {
    let output = command(&[&["estimate"], arguments, &["--json"]].concat()).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let whole = found["estimates"].as_array().unwrap().iter().find(|e| e["quantity"] == "delta_f").unwrap();
    (whole["value"].as_f64().unwrap(), whole["stderr"].as_f64().unwrap())
}

#[test]
fn a_campaign_gives_the_numbers_of_the_command() {
    let settings: [(&str, &str, &[&str]); 5] = [
        (
            "namd",
            "method = \"bar\", files = [\"0.fepout\", \"1.fepout\", \"2.fepout\"], temperature = \"300 K\", discard = \"7 samples\", \
             no_subsample = true, unit = \"kcal/mol\"",
            &[
                "bar",
                "0.fepout",
                "1.fepout",
                "2.fepout",
                "--temperature",
                "300 K",
                "--discard",
                "7 samples",
                "--no-subsample",
                "--unit",
                "kcal/mol",
            ],
        ),
        (
            "arrays",
            "method = \"mbar\", files = [\"u.npz\"], temperature = \"310 K\", unit = \"kcal/mol\"",
            &["mbar", "u.npz", "--temperature", "310 K", "--unit", "kcal/mol"],
        ),
        (
            "time",
            "method = \"mbar\", files = [\"dhdl.0.xvg\", \"dhdl.1.xvg\", \"dhdl.2.xvg\"], discard = \"0.02 ns\", unit = \"kJ/mol\"",
            &["mbar", "dhdl.*.xvg", "--discard", "20ps", "--unit", "kJ/mol"],
        ),
        (
            "all_of_them",
            "method = \"ti\", files = [\"dhdl.0.xvg\", \"dhdl.1.xvg\", \"dhdl.2.xvg\"], no_subsample = true",
            &["ti", "dhdl.*.xvg", "--no-subsample"],
        ),
        (
            "thinned",
            "method = \"ti\", files = [\"dhdl.0.xvg\", \"dhdl.1.xvg\", \"dhdl.2.xvg\"], no_subsample = false",
            &["ti", "dhdl.*.xvg"],
        ),
    ];
    let stages: String =
        settings.iter().map(|(name, stage, _)| format!("[[stage]]\nname = \"{name}\"\nestimate = {{ {stage} }}\n")).collect();
    let (dir, file) = campaign(&format!("[campaign]\nname = \"settings\"\nseed = 1\n{stages}"));
    put_files(dir.path());
    let out = dir.path().join("run");
    ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q"]).finished();
    let found = summary(&out).unwrap();
    let mut told = Vec::new();
    for (name, _, arguments) in settings {
        let e = found.estimates.iter().find(|e| e.stage == name && e.quantity == "delta_f").unwrap();
        assert_eq!(
            (e.value.to_bits(), e.stderr.to_bits()),
            {
                let (v, s) = commanded(dir.path(), arguments);
                (v.to_bits(), s.to_bits())
            },
            "{name}"
        );
        told.push((e.value, e.stderr));
    }
    // Each setting moves the answer: a key that were ignored would be seen.
    let without = |arguments: &[&str]| commanded(dir.path(), arguments);
    assert_ne!(
        told[0].0,
        without(&["bar", "0.fepout", "1.fepout", "2.fepout", "--temperature", "300 K", "--no-subsample", "--unit", "kcal/mol"]).0
    );
    assert_ne!(told[1].0, without(&["mbar", "u.npz"]).0);
    assert_ne!(told[2].0, without(&["mbar", "dhdl.*.xvg", "--unit", "kJ/mol"]).0);
    assert!(told[4].1 >= told[3].1);
    let resolved = std::fs::read_to_string(out.join("resolved.toml")).unwrap();
    for line in ["temperature = \"300 K\"", "discard = \"7 samples\"", "discard = \"20 ps\"", "no_subsample = true", "no_subsample = false"]
    {
        assert!(resolved.contains(line), "no {line} in\n{resolved}");
    }
    // What was written back is the same campaign.
    ergodica(&["run", str(&file), "--out", str(&out), "--resume", "--no-report", "-q"]).finished();
}

#[test]
fn messages_call_settings_as_they_were_written() {
    let said = |stage: &str, arguments: &[&str]| {
        let (dir, file) = campaign(&format!("[campaign]\nname = \"x\"\nseed = 1\n[[stage]]\nname = \"f\"\nestimate = {{ {stage} }}\n"));
        put_files(dir.path());
        let campaign = ergodica(&["run", str(&file), "--out", str(&dir.path().join("run")), "-q"]);
        let output = command(&[&["estimate"], arguments].concat()).current_dir(dir.path()).output().unwrap();
        (campaign, program::Said::of(&output))
    };
    let cases: [(&str, &[&str], &str, &str); 5] = [
        (
            "method = \"bar\", files = [\"0.fepout\", \"1.fepout\"]",
            &["bar", "0.fepout", "1.fepout"],
            "temperature = \"300 K\"",
            "--temperature \"300 K\"",
        ),
        (
            "method = \"mbar\", files = [\"u.npz\"], unit = \"kJ/mol\"",
            &["mbar", "u.npz", "--unit", "kJ/mol"],
            "unit kJ/mol needs",
            "--unit kJ/mol needs",
        ),
        (
            "method = \"bar\", files = [\"0.fepout\", \"1.fepout\"], temperature = \"300 K\", discard = \"1 ns\"",
            &["bar", "0.fepout", "1.fepout", "--temperature", "300 K", "--discard", "1 ns"],
            "discard = \"500 samples\"",
            "--discard \"500 samples\"",
        ),
        (
            "method = \"mbar\", files = [\"dhdl.0.xvg\", \"0.fepout\"]",
            &["mbar", "dhdl.0.xvg", "0.fepout"],
            "legs = { NAME =",
            "--leg NAME=FILES",
        ),
        (
            "method = \"mbar\", files = [\"dhdl.0.xvg\", \"dhdl.1.xvg\"], temperature = \"310 K\"",
            &["mbar", "dhdl.0.xvg", "dhdl.1.xvg", "--temperature", "310 K"],
            "leave temperature out",
            "leave --temperature out",
        ),
    ];
    for (stage, arguments, key, option) in cases {
        let (campaign, command) = said(stage, arguments);
        campaign.refuses(2, &[key]);
        command.refuses(2, &[option]);
    }
}

#[test]
fn equilibration_stands_in_every_output() {
    let dir = tempfile::tempdir().unwrap();
    // Half of the second series is an approach.
    let row = |k: usize| {
        format!("{},{}\n", (k * 7919 % 101) as f64, (k * 7919 % 101) as f64 + if k < 100 { 50.0 * (100 - k) as f64 } else { 0.0 })
    };
    std::fs::write(dir.path().join("x.csv"), format!("still,moving\n{}", (0..200).map(row).collect::<String>())).unwrap();
    let path = dir.path().join("x.csv");
    let said = ergodica(&["estimate", "timeseries", str(&path), "--json"]);
    let found: Value = serde_json::from_str(&said.out).unwrap();
    let start = |k: usize| {
        let name = format!("equilibrated[{k}]");
        found["estimates"].as_array().unwrap().iter().find(|e| e["quantity"] == name.as_str()).unwrap_or_else(|| panic!("{}", said.out))["value"].as_f64().unwrap()
    };
    assert!(start(0) < 20.0 && (80.0..120.0).contains(&start(1)), "{} {}", start(0), start(1));
    let out = dir.path().join("out");
    ergodica(&["estimate", "timeseries", str(&path), "--out", str(&out)]);
    let table = std::fs::read_to_string(out.join("windows.csv")).unwrap();
    assert!(
        table.lines().next().unwrap().ends_with(",equilibrated") && table.lines().nth(2).unwrap().ends_with(&format!(",{}", start(1))),
        "{table}"
    );
}

#[test]
fn a_sum_names_the_rule_of_every_leg() {
    let dir = tempfile::tempdir().unwrap();
    let leg = |name: &str, lambdas: &[f64]| {
        let put = |(k, l): (usize, &f64)| {
            let path = dir.path().join(format!("{name}.{k}.xvg"));
            std::fs::write(&path, gromacs(*l, lambdas, 50, 0.0)).unwrap();
            path
        };
        (Some(name.to_owned()), lambdas.iter().enumerate().map(put).collect::<Vec<_>>())
    };
    let (lines, points) = (leg("lines", &LAMBDAS), leg("points", &[0.2113, 0.7887]));
    let all = estimate(&Request { legs: vec![lines.clone(), points.clone()], ..Request::new(Method::Ti, Vec::new()) }).unwrap();
    assert_eq!(all.sums[0].label, "TI: trapezoid in lines, Gauss-Legendre in points");
    assert!(
        all.to_string().contains("TI: trapezoid in lines, Gauss-Legendre in points") && all.json().contains("Gauss-Legendre in points")
    );
    let same = Request { legs: vec![lines, points], rule: Some(TiRule::Trapezoid), ..Request::new(Method::Ti, Vec::new()) };
    assert_eq!(estimate(&same).unwrap().sums[0].label, "TI, trapezoid");
    let late = Request { discard: Discard::Samples(50), ..same };
    assert!(estimate(&late).unwrap_err().to_string().contains("--discard 50 samples leaves no samples"));
}

#[test]
fn files_that_are_not_there_are_missed_before_anything_is_done() {
    let (dir, file) = campaign(
        "[campaign]\nname = \"lost\"\n[[stage]]\nname = \"a\"\nestimate = { method = \"bar\", legs = { x = [\"0.xvg\", \"1.xvg\"] } }\n",
    );
    std::fs::write(dir.path().join("1.xvg"), gromacs(0.0, &LAMBDAS, 60, 0.0)).unwrap();
    let out = dir.path().join("run");
    for arguments in [vec!["check", str(&file)], vec!["run", str(&file), "--out", str(&out)]] {
        let said = ergodica(&arguments).refuses(2, &["there is no", "0.xvg", "campaign.toml:5", "paths are relative to the campaign file"]);
        assert!(!said.err.contains("1.xvg,") && !said.err.contains("lost a file"), "{}", said.err);
    }
    assert!(!out.exists());
}
