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
    let ladder =
        "exchange = { propagator = \"hmc\", timestep = 0.1, temperature = 1, replicas = 2, steps = 100, lambdas = [0, 1], swap_every = 5 }";
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
    ergodica(&["run", str(&file), "--out", str(&out), "--no-report"])
        .refuses(2, &["start from 64 configurations", "particles that share a start"]);
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
    assert!(said.out.contains("FAILED: the integral over 6 states"), "{}", said.out);
}

/// Stages with budgets, so that where they end could depend on how many steps are taken at once.
fn with_budgets() -> String {
    SPRINGS.to_owned()
        + r#"
[[stage]]
name = "ladder"
exchange = { propagator = "hmc", timestep = 0.15, leapfrog_steps = 3, temperature = 1.0, replicas = 5, steps = 99_996, lambdas = [0, 0.1, 0.4, 1], swap_every = 3 }
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

/// U = (1 + 3 lambda) x^2 / 2: F(lambda) = ln(1 + 3 lambda) / 2, so that F(1) - F(0) = ln 2.
const STIFFENED: &str = r#"
[campaign]
name = "stiffened"
seed = 11
[system]
formula = "(1 + 3*lambda)*x^2/2"
variables = ["x"]
[[stage]]
name = "ladder"
exchange = { propagator = "hmc", timestep = 0.25, leapfrog_steps = 5, temperature = 1, replicas = 16, steps = 6000, lambdas = { gauss_legendre = 5 }, swap_every = 2 }
observe = { every = 2, columns = ["energy"] }
[[stage]]
name = "ti"
estimate = { method = "ti", from = "ladder" }
[[stage]]
name = "spline"
estimate = { method = "ti", from = "ladder", rule = "cubic" }
[[stage]]
name = "lines"
estimate = { method = "ti", from = "ladder", rule = "trapezoid" }
[[stage]]
name = "mbar"
estimate = { method = "mbar", from = "ladder", bootstraps = 100 }
"#;

#[test]
fn quadrature_reaches_the_ends_that_a_spline_leaves_out() {
    let (dir, file) = campaign(STIFFENED);
    let out = dir.path().join("run");
    let said = ergodica(&["run", str(&file), "--out", str(&out), "-j", "2"]);
    let found = summary(&out).unwrap();
    let ln = ergodica::real::Real::ln;
    let e = |stage: &str, quantity: &str| {
        let found = found.estimates.iter().find(|e| e.stage == stage && e.quantity == quantity);
        found.unwrap_or_else(|| panic!("{stage} {quantity}: {}{}", said.out, said.err))
    };
    let outermost = {
        let points = ergodica::estimate::gauss_legendre(5);
        0.5 * ln((1.0 + 3.0 * points[4].0) / (1.0 + 3.0 * points[0].0))
    };
    // Five points integrate 1.5 / (1 + 3 lambda) to 1e-4; of the trapezoid the grid's error is 0.01 and more than the statistical one.
    for (stage, quantity, exact) in
        [("ti", "delta_f", ln(2.0)), ("ti", "delta_f[0,4]", outermost), ("spline", "delta_f", outermost), ("mbar", "delta_f", outermost)]
    {
        let e = e(stage, quantity);
        assert!((e.value - exact).abs() < 4.0 * e.stderr && e.stderr < 0.02, "{stage} {quantity}: {e:?}, exact {exact}");
    }
    // The twin: a spline that were taken for the whole path would be off.
    let spline = e("spline", "delta_f");
    assert!((spline.value - ln(2.0)).abs() > 8.0 * spline.stderr, "{spline:?}");
    assert!(spline.warnings.iter().any(|w| w.message.contains("use its weights")), "{spline:?}");
    let of = |stage: &str| found.stages.iter().find(|s| s.stage == stage).unwrap().free_energies.as_ref().unwrap();
    let ti = of("ti");
    assert_eq!((ti.rule.as_deref(), &ti.by_quadrature[..], ti.states.len()), (Some("Gauss-Legendre quadrature"), &[0, 6][..], 7));
    assert_eq!((ti.values[0], ti.values[6], ti.gradients.len()), (0.0, 1.0, 5));
    assert_eq!((of("spline").rule.as_deref(), of("lines").rule.as_deref()), (Some("a natural cubic spline"), Some("the trapezoid")));
    // Parts of the frames have errors of their own, by the rule of the whole, which is the last of them. (The twin: scaled from the error
    // of the whole they were the same from both sides.)
    for (stage, exact) in [("ti", ln(2.0)), ("mbar", outermost)] {
        let (rows, all) = (&of(stage).convergence, e(stage, "delta_f"));
        assert_eq!((rows.len(), rows[9]), (10, [1.0, all.value, all.stderr, all.value, all.stderr]), "{stage}");
        for [part, forward, error, reverse, reverse_error] in &rows[..9] {
            let z = [(forward - exact) / error, (reverse - exact) / reverse_error];
            assert!(z.iter().all(|z| z.abs() < 4.0), "{stage}, {part} of the frames: {z:?}");
            assert!(error != reverse_error && *error > all.stderr / 2.0, "{stage}, {part} of the frames: {error} and {reverse_error}");
        }
    }
    // Frames drawn again, beside theory and the copies' spread.
    let (whole, again) = (e("mbar", "delta_f"), e("mbar", "delta_f:bootstrap"));
    assert!(again.value == whole.value && (0.5..2.0).contains(&(again.stderr / whole.stderr)), "{whole:?} {again:?}");
    let interval: Vec<f64> = again.conditions["interval_95"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert!(interval[0] < whole.value && whole.value < interval[1] && again.conditions["resamples"] == 100, "{again:?}");
    assert!(found.estimates.iter().any(|e| e.quantity == "delta_f:bootstrap[0,1]"));
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("ti with Gauss-Legendre quadrature") && page.contains("end 1") && page.contains("100 resamples in blocks of "));
}

#[test]
fn options_are_written_back_and_keep_the_hash_of_files_without_them() {
    use ergodica::campaign::{Campaign, UnitSystem};
    use ergodica::error::Source;
    let parse = |text: &str| Campaign::parse(&Source::new("x.toml", text), &[]).unwrap();
    let first = parse(STIFFENED);
    let written = first.to_toml(UnitSystem::Reduced);
    assert!(written.contains("rule = \"trapezoid\"") && written.contains("bootstraps = 100"), "{written}");
    assert_eq!(parse(&written), first, "{written}");
    let keys = first.resolve(UnitSystem::Reduced).unwrap().canonical();
    assert_eq!(keys["spline.rule"], "cubic");
    assert!(!keys.contains_key("ti.rule") && keys["mbar.bootstraps"] == "100");
}

#[test]
fn arrays_in_a_campaign_are_answered_once_and_drawn() {
    let (dir, file) = campaign(
        "[campaign]\nname = \"arrays\"\nseed = 4\n[[stage]]\nname = \"w\"\nestimate = { method = \"work\", files = [\"work.csv\"] }\n\
         [[stage]]\nname = \"f\"\nestimate = { method = \"mbar\", files = [\"samples.csv\"], bootstraps = 50 }\n",
    );
    // Gaussian work of variance 1 with dF = 0.3; harmonics of stiffness 1 and 2, all by their quantiles.
    let quantile = |k: usize| ergodica::estimate::normal_quantile((k as f64 + 0.5) / 500.0);
    let mixed = |k: usize| quantile(k * 191 % 500);
    let works: String = (0..500).map(|k| format!("{},{}\n", 0.8 + mixed(k), 0.2 + mixed(499 - k))).collect();
    std::fs::write(dir.path().join("work.csv"), format!("w_f,w_r\n{works}")).unwrap();
    let sample = |state: usize, k: usize| {
        let h = 0.5 * mixed(k) * mixed(k) / (1.0 + state as f64);
        format!("{state},{h},{}\n", 2.0 * h)
    };
    let samples: String = (0..2).flat_map(|s| (0..500).map(move |k| (s, k))).map(|(s, k)| sample(s, k)).collect();
    std::fs::write(dir.path().join("samples.csv"), format!("state,0,1\n{samples}")).unwrap();
    let out = dir.path().join("run");
    let said = ergodica(&["run", str(&file), "--out", str(&out), "-j", "1"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let found = summary(&out).unwrap();
    let all = |stage: &str, quantity: &str| found.estimates.iter().filter(|e| e.stage == stage && e.quantity == quantity).count();
    for quantity in ["delta_f", "delta_f:exp forward", "delta_f:exp reverse", "delta_f:cumulant", "delta_f:gaussian crossing"] {
        assert_eq!(all("w", quantity), 1, "{quantity}: {:?}", found.estimates);
    }
    let stage = |name: &str| found.stages.iter().find(|s| s.stage == name).unwrap();
    let works = stage("w").works.as_ref().unwrap();
    assert!((works.forward.len(), works.reverse.len()) == (500, 500) && (works.delta_f.unwrap() - 0.3).abs() < 0.02);
    for quantity in ["delta_f", "delta_f[0,1]", "delta_f:bootstrap", "delta_f:bootstrap[0,1]"] {
        assert_eq!(all("f", quantity), 1, "{quantity}: {:?}", found.estimates);
    }
    let free = stage("f").free_energies.as_ref().unwrap();
    assert!(free.convergence.len() == 10 && free.errors.contains("50 resamples in blocks of "), "{free:?}");
    assert!(out.join("figures/w-work.svg").is_file() && out.join("figures/f-convergence.svg").is_file());
}
