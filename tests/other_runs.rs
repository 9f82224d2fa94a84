//! A start from another run says where the two differ.

#[allow(dead_code)]
mod program;

use program::{campaign, ergodica, str};
use std::path::Path;

fn text(formula: &str, kind: &str, start: &str) -> String {
    format!(
        "[campaign]\nname = \"x\"\nseed = 1\n[system]\nformula = \"{formula}\"\nvariables = [\"x\"]\n[[stage]]\nname = \"run\"\n\
         {kind} = {{ propagator = \"hmc\", timestep = 0.1, replicas = 8, steps = 100, {start} }}\n\
         observe = {{ every = 50, columns = [\"positions\"] }}\n"
    )
}

fn checked(folder: &Path, text: &str) -> String {
    let file = folder.join("second.toml");
    std::fs::write(&file, text).unwrap();
    let said = ergodica(&["check", str(&file)]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    said.out + &said.err
}

#[test]
fn another_temperature_or_system_is_a_warning_that_names_both() {
    let (dir, file) = campaign(&text("x^2/2", "sample", "temperature = 2"));
    ergodica(&["run", str(&file), "--out", str(&dir.path().join("hot")), "-q", "--no-report"]).finished();
    let from = |t: &str| format!("{t}, start = {{ run = \"hot\", stage = \"run\" }}");
    let cold = checked(dir.path(), &text("x^2/2", "sample", &from("temperature = 1")));
    assert!(cold.contains("stage `run` starts from stage `run` of hot, which sampled at 2, and samples at 1"), "{cold}");
    assert!(cold.contains("start from a run at the same temperature") && !cold.contains("another system"), "{cold}");
    // beta = 0.5 is the same temperature
    let same = checked(dir.path(), &text("x^2/2", "sample", &from("beta = 0.5")));
    assert!(!same.contains("starts from stage"), "{same}");
    let ladder = checked(dir.path(), &text("x^2/2", "exchange", &from("temperatures = [1, 2, 4], swap_every = 10")));
    assert!(ladder.contains("which sampled at 2, and samples at 1 to 4"), "{ladder}");
    let other = checked(dir.path(), &text("x^4/4", "sample", &from("temperature = 2")));
    assert!(other.contains("a run of another system: system.formula is \"x^2/2\" there and \"x^4/4\" here"), "{other}");
    // The run says it too, and its summary.
    let second = dir.path().join("second.toml");
    std::fs::write(&second, text("x^2/2", "sample", &from("temperature = 1"))).unwrap();
    let out = dir.path().join("cold");
    ergodica(&["run", str(&second), "--out", str(&out), "-q", "--no-report"]).finished();
    assert!(std::fs::read_to_string(out.join("summary.json")).unwrap().contains("which sampled at 2, and samples at 1"));
}
