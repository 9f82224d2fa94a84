//! Readers of other programs' free-energy files, on small files made here: what they read, what they refuse and how they say it.

mod alchemical_files;

use alchemical_files::{amber, gomc, gromacs, namd};
use ergodica::Error;
use ergodica::campaign::estimate_files::{Analysis, Bootstrap, Discard, Method, Request, TiRule, Unit, estimate};
use ergodica::io::alchemical::{Leg, natural_order, read};
use std::path::{Path, PathBuf};

/// Files in a folder that is removed with it.
struct Files {
    _dir: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

fn files(all: &[(&str, &[u8])]) -> Files {
    let dir = tempfile::tempdir().unwrap();
    let paths = all.iter().map(|(name, body)| put(dir.path(), name, body)).collect();
    Files { _dir: dir, paths }
}

fn put(dir: &Path, name: &str, body: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, body).unwrap();
    path
}

fn request(method: Method, files: &Files) -> Request {
    Request { subsample: false, ..Request::new(method, files.paths.clone()) }
}

fn run(method: Method, files: &Files) -> Result<Analysis, Error> {
    estimate(&request(method, files))
}

/// Value of a method's total.
fn total(analysis: &Analysis, key: &str) -> f64 {
    analysis.legs[0].answers.iter().find(|a| a.key == key).unwrap_or_else(|| panic!("{key}: {analysis}")).total().0
}

/// The message of an error, which must be the user's (exit code 2).
fn refusal(result: Result<Analysis, Error>) -> String {
    let error = result.expect_err("this must be refused");
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

fn windows(lambdas: &[f64]) -> Vec<(String, String)> {
    lambdas.iter().map(|l| (format!("dhdl.{l}.xvg"), gromacs(*l, lambdas, 40, 0.0))).collect()
}

fn files_of(texts: &[(String, String)]) -> Files {
    let all: Vec<(&str, &[u8])> = texts.iter().map(|(n, t)| (n.as_str(), t.as_bytes())).collect();
    files(&all)
}

const LAMBDAS: [f64; 3] = [0.0, 0.5, 1.0];

#[test]
fn gromacs_windows_in_any_order_and_packing() {
    let plain = windows(&LAMBDAS);
    let reference = run(Method::All, &files_of(&plain)).unwrap();
    assert_eq!(reference.legs[0].states, ["fep-lambda 0", "fep-lambda 0.5", "fep-lambda 1"]);
    assert_eq!(reference.legs[0].windows[1].energies, 40);
    let mut other = plain.clone();
    other.reverse();
    for turned in [files_of(&other), moved_columns(&plain, |k| k % LAMBDAS.len() + 1)] {
        let again = run(Method::All, &turned).unwrap();
        for key in ["ti", "bar", "mbar"] {
            assert_eq!(total(&again, key).to_bits(), total(&reference, key).to_bits(), "{key}");
        }
    }
    // Columns from large to small lambdas in every file: that is how the program numbers its states, and where the path begins.
    let falling = run(Method::All, &moved_columns(&plain, |k| LAMBDAS.len() + 1 - k)).unwrap();
    assert_eq!(falling.legs[0].states, ["fep-lambda 1", "fep-lambda 0.5", "fep-lambda 0"]);
    for key in ["ti", "bar", "mbar"] {
        assert!((total(&falling, key) + total(&reference, key)).abs() < 1e-9, "{key}");
    }
    let gz: Vec<(String, Vec<u8>)> = plain.iter().map(|(n, t)| (format!("{n}.gz"), gzip(t.as_bytes()))).collect();
    let gz: Vec<(&str, &[u8])> = gz.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    assert_eq!(total(&run(Method::Mbar, &files(&gz)).unwrap(), "mbar").to_bits(), total(&reference, "mbar").to_bits());
    let tar = tar(&plain);
    assert_eq!(total(&run(Method::Mbar, &files(&[("all.tar", &tar)])).unwrap(), "mbar").to_bits(), total(&reference, "mbar").to_bits());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(bytes).unwrap();
    to.finish().unwrap()
}

fn tar(all: &[(String, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, text) in all {
        let mut head = vec![0_u8; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
        head[156] = b'0';
        head[257..262].copy_from_slice(b"ustar");
        out.extend(head);
        out.extend(text.as_bytes());
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// The same numbers with the energy columns, 1 to K, and their legends in other places.
fn moved_columns(plain: &[(String, String)], to: impl Fn(usize) -> usize) -> Files {
    let k = LAMBDAS.len();
    let turned: Vec<(String, String)> = plain
        .iter()
        .map(|(name, text)| {
            let mut out = String::new();
            for line in text.lines() {
                let new = |column: usize| if (1..=k).contains(&column) { to(column) } else { column };
                if let Some(rest) = line.strip_prefix("@ s").filter(|r| r.starts_with(|c: char| c.is_ascii_digit())) {
                    let (index, rest) = rest.split_once(' ').unwrap();
                    out += &format!("@ s{} {rest}\n", new(index.parse().unwrap()));
                } else if line.starts_with(['#', '@']) {
                    out += &format!("{line}\n");
                } else {
                    let words: Vec<&str> = line.split_whitespace().collect();
                    let mut row = vec![""; words.len() - 1];
                    (0..row.len()).for_each(|c| row[new(c)] = words[1 + c]);
                    out += &format!("{} {}\n", words[0], row.join(" "));
                }
            }
            (name.clone(), out)
        })
        .collect();
    files_of(&turned)
}

#[test]
fn missing_values_cost_only_what_needs_them() {
    let mut texts = windows(&LAMBDAS);
    let whole = run(Method::All, &files_of(&texts)).unwrap();
    // dH/dlambda of one row is nan.
    texts[1].1 = replace_word(&texts[1].1, 5, 1, "nan");
    let gap = run(Method::All, &files_of(&texts)).unwrap();
    assert_eq!((gap.legs[0].windows[1].gradients, gap.legs[0].windows[1].gradients_missing), (39, 1));
    assert_eq!(gap.legs[0].windows[1].energies, 40);
    assert_eq!(total(&gap, "mbar").to_bits(), total(&whole, "mbar").to_bits());
    assert!(gap.warnings.iter().any(|w| w.contains("fep-lambda 0.5: 1 of 40 samples have no gradient")), "{:?}", gap.warnings);
    // An energy of one row is nan: MBAR lacks the sample, BAR of the other pair does not.
    let mut texts = windows(&LAMBDAS);
    texts[1].1 = replace_word(&texts[1].1, 5, 2, "nan");
    let gap = run(Method::All, &files_of(&texts)).unwrap();
    assert_eq!((gap.legs[0].windows[1].used, gap.legs[0].windows[1].energies_missing), (39, 1));
    let bar = |a: &Analysis| a.legs[0].answers.iter().find(|a| a.key == "bar").unwrap().delta(1, 2).0;
    assert_eq!(bar(&gap).to_bits(), bar(&whole).to_bits());
}

/// Word `word` of data row `row` replaced.
fn replace_word(text: &str, row: usize, word: usize, by: &str) -> String {
    let mut seen = 0;
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            if line.starts_with(['#', '@']) {
                return line.to_owned();
            }
            seen += 1;
            if seen != row + 1 {
                return line.to_owned();
            }
            let mut words: Vec<&str> = line.split_whitespace().collect();
            words[word] = by;
            words.join(" ")
        })
        .collect();
    lines.join("\n") + "\n"
}

#[test]
fn neighbours_only_give_ti_and_bar_and_the_advice() {
    let lambdas = [0.0, 0.25, 0.5, 0.75, 1.0];
    let near = |l: f64| lambdas.into_iter().filter(|m| (m - l).abs() < 0.3).collect::<Vec<f64>>();
    let texts: Vec<(String, String)> = lambdas.iter().map(|l| (format!("{l}.xvg"), gromacs(*l, &near(*l), 40, 0.0))).collect();
    let all = run(Method::All, &files_of(&texts)).unwrap();
    assert!(all.warnings.iter().any(|w| w.contains("no MBAR") && w.contains("calc-lambda-neighbors = -1")), "{:?}", all.warnings);
    assert_eq!(all.exit_code(), 0);
    let complete: Vec<(String, String)> = lambdas.iter().map(|l| (format!("{l}.xvg"), gromacs(*l, &lambdas, 40, 0.0))).collect();
    let reference = run(Method::All, &files_of(&complete)).unwrap();
    for key in ["ti", "bar"] {
        assert_eq!(total(&all, key).to_bits(), total(&reference, key).to_bits(), "{key}");
    }
    assert!(refusal(run(Method::Mbar, &files_of(&texts))).contains("calc-lambda-neighbors = -1"));
}

#[test]
fn parts_of_one_simulation_count_times_once() {
    let lambdas = LAMBDAS;
    let whole = run(Method::Mbar, &files_of(&windows(&lambdas))).unwrap();
    let mut texts = windows(&lambdas);
    // The first window in two parts, of which the second repeats the last five rows of the first.
    let text = texts.remove(0).1;
    let (head, rows): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| l.starts_with(['#', '@']));
    let part = |rows: &[&str]| [head.join("\n"), rows.join("\n"), String::new()].join("\n");
    texts.push(("a.part0001.xvg".into(), part(&rows[..25])));
    texts.push(("a.part0002.xvg".into(), part(&rows[20..])));
    let joined = run(Method::Mbar, &files_of(&texts)).unwrap();
    assert_eq!(joined.legs[0].windows[0].energies, 40);
    assert_eq!(total(&joined, "mbar").to_bits(), total(&whole, "mbar").to_bits());
    assert!(joined.warnings.iter().any(|w| w.contains("5 samples") && w.contains("counted once")), "{:?}", joined.warnings);
    // A restart that went another way: its rows replace those it repeats.
    texts[3].1 = gromacs(0.0, &lambdas, 40, 0.1).lines().fold(String::new(), |t, l| {
        let early = l.split_whitespace().next().and_then(|w| w.parse::<f64>().ok()).is_some_and(|time| time < 20.0);
        if early { t } else { t + l + "\n" }
    });
    let replaced = run(Method::Mbar, &files_of(&texts)).unwrap();
    assert_eq!(replaced.legs[0].windows[0].energies, 40);
    assert!(replaced.warnings.iter().any(|w| w.contains("5 samples were replaced")), "{:?}", replaced.warnings);
    // The same window twice from the beginning, with other values: two simulations.
    texts[2].1 = gromacs(0.0, &lambdas, 40, 0.0);
    texts[3].1 = gromacs(0.0, &lambdas, 40, 0.1);
    let both = run(Method::Mbar, &files_of(&texts)).unwrap();
    assert_eq!(both.legs[0].windows[0].energies, 80);
    assert!(both.warnings.iter().any(|w| w.contains("independent simulations")), "{:?}", both.warnings);
}

#[test]
fn states_that_nobody_sampled_are_no_ends() {
    let lambdas = [0.0, 0.5, 1.0];
    // No file for lambda = 1: the leg ends at 0.5.
    let texts: Vec<(String, String)> = lambdas[..2].iter().map(|l| (format!("{l}.xvg"), gromacs(*l, &lambdas, 200, 0.0))).collect();
    let all = run(Method::Mbar, &files_of(&texts)).unwrap();
    let answer = &all.legs[0].answers[0];
    assert_eq!(answer.points[answer.ends.1].name, "fep-lambda 0.5");
    assert!(all.json().contains("\"delta_f[0,1]\""));
}

#[test]
fn one_window_predicts_what_it_reaches_and_no_more() {
    let one = |columns: &[f64]| files_of(&[("0.xvg".to_owned(), gromacs(0.0, columns, 400, 0.0))]);
    let ahead = run(Method::Mbar, &one(&LAMBDAS)).unwrap();
    let answer = &ahead.legs[0].answers[0];
    assert_eq!(answer.points[answer.ends.1].name, "fep-lambda 1");
    let (value, stderr) = answer.total();
    assert!(stderr > 0.0 && (value - 0.5 * std::f64::consts::LN_2).abs() < 4.0 * stderr, "{value} {stderr}");
    let message = refusal(run(Method::Mbar, &one(&[0.0])));
    assert!(message.contains("all samples are of the one state fep-lambda 0") && message.contains("files of other states"), "{message}");
    assert!(refusal(run(Method::Ti, &one(&LAMBDAS))).contains("all samples are of the one state fep-lambda 0"));
    // Forwards alone a run of NAMD ends where its last window goes, although nothing is sampled there.
    let texts: Vec<(String, String)> = (0..2).map(|k| (format!("{k}.fepout"), namd(&LAMBDAS, k, 400))).collect();
    let both = estimate(&Request { temperature: Some(300.0), ..request(Method::Exp, &files_of(&texts)) }).unwrap();
    let end = |key: &str| {
        let answer = both.legs[0].answers.iter().find(|a| a.key == key).unwrap();
        (answer.points.len(), answer.points[answer.ends.1].name.clone())
    };
    assert_eq!((end("exp forward"), end("exp reverse")), ((3, "lambda 1".to_owned()), (2, "lambda 0.5".to_owned())));
    let (value, stderr) = both.legs[0].answers[0].total();
    assert!((value - 0.5 * std::f64::consts::LN_2).abs() < 4.0 * stderr, "{value} {stderr}");
}

#[test]
fn what_is_refused_and_how() {
    let plain = windows(&LAMBDAS);
    let with = |k: usize, text: String| {
        let mut all = plain.clone();
        all[k].1 = text;
        run(Method::All, &files_of(&all))
    };
    let hot = plain[1].1.replace("T = 300", "T = 310");
    let message = refusal(with(1, hot));
    assert!(message.contains("different temperatures: 300 K in") && message.contains("310 K"), "{message}");
    let broken = replace_word(&plain[1].1, 7, 2, "12.x");
    let message = refusal(with(1, broken));
    assert!(message.contains("dhdl.0.5.xvg:17:") && message.contains("\"12.x\" is no number") && message.contains("help: "), "{message}");
    let short = plain[1].1.lines().enumerate().map(|(k, l)| if k == 16 { &l[..l.rfind(' ').unwrap()] } else { l }).collect::<Vec<_>>();
    assert!(refusal(with(1, short.join("\n") + "\n")).contains("the row ends after"));
    let swapped = plain[1].1.replace("to 0.0000", "to X").replace("to 0.5000", "to 0.0000").replace("to X", "to 0.5000");
    let message = refusal(with(1, swapped));
    assert!(message.contains("which must be 0") && message.contains("legends and columns"), "{message}");
    let twice = plain[1].1.replace("s2 legend", "s1 legend");
    assert!(refusal(with(1, twice)).contains("a second legend for column s1"));
    let gap = plain[1].1.replace("s2 legend", "s9 legend");
    assert!(refusal(with(1, gap)).contains("has no legend"));
    assert!(refusal(with(1, String::new())).contains("is empty"));
    assert!(refusal(with(1, "nothing of the kind\n".into())).contains("not an output file with free energies"));
    let other = plain[1].1.replace("fep-lambda", "coul-lambda");
    assert!(refusal(with(1, other)).contains("different lambdas: fep-lambda in"));
    let nowhere = Files { _dir: tempfile::tempdir().unwrap(), paths: vec!["/nowhere/dhdl.xvg".into()] };
    assert!(refusal(run(Method::All, &nowhere)).contains("there is no file /nowhere/dhdl.xvg"));
    let packed = gzip(plain[0].1.as_bytes());
    let cut = files(&[("dhdl.xvg.gz", &packed[..packed.len() / 2])]);
    assert!(refusal(run(Method::All, &cut)).contains("cut short or damaged"));
    let kept = files_of(&plain);
    let mut late = request(Method::All, &kept);
    late.discard = Discard::Picoseconds(1e6);
    assert!(refusal(estimate(&late)).contains("leaves no samples"), "{}", refusal(estimate(&late)));
}

#[test]
fn no_overlap_is_exit_code_3_with_the_states_named() {
    // Works of 400 kT between states that see nothing of each other.
    let texts: Vec<(String, String)> = [0.0, 1.0].iter().map(|l| (format!("{l}.xvg"), far_apart(*l))).collect();
    for method in [Method::Bar, Method::Mbar] {
        let error = run(method, &files_of(&texts)).unwrap_err();
        assert_eq!(error.exit_code(), 3, "{error}");
        assert!(error.to_string().contains("fep-lambda 0") && error.to_string().contains("fep-lambda 1"), "{error}");
    }
    let all = run(Method::All, &files_of(&texts)).unwrap();
    assert!(all.exit_code() == 3 && all.failed.len() == 2 && all.legs[0].answers.iter().any(|a| a.key == "ti"));
}

fn far_apart(lambda: f64) -> String {
    let text = gromacs(lambda, &[0.0, 1.0], 40, 0.0);
    let column = if lambda == 0.0 { 3 } else { 2 };
    (0..40).fold(text, |t, row| replace_word(&t, row, column, "1000.0"))
}

#[test]
fn amber_with_and_without_energies() {
    let texts: Vec<(String, String)> = LAMBDAS.iter().map(|l| (format!("ti-{l}.out"), amber(*l, &LAMBDAS, 30, 298.0))).collect();
    let all = run(Method::All, &files_of(&texts)).unwrap();
    assert_eq!(all.legs[0].temperature, Some(298.0));
    assert_eq!((all.legs[0].windows[2].gradients, all.legs[0].windows[2].energies), (30, 30));
    assert_eq!(all.legs[0].states, ["lambda 0", "lambda 0.5", "lambda 1"]);
    assert!(all.legs[0].answers.iter().any(|a| a.key == "mbar"), "{all}");
    // One damaged block of MBAR energies: TI goes on, MBAR says which file and line.
    let mut damaged = texts.clone();
    damaged[1].1 = damaged[1].1.replacen("Energy at 0.5000", "Energy at 0.5500", 1);
    let ti = run(Method::Ti, &files_of(&damaged)).unwrap();
    assert_eq!(total(&ti, "ti").to_bits(), total(&all, "ti").to_bits());
    let message = refusal(run(Method::Mbar, &files_of(&damaged)));
    assert!(message.contains("lambda 0.5500 where 0.5 is due") && message.contains("the method ti needs no such energies"), "{message}");
    // An overflow in another state is no overlap, not an error.
    let mut stars = texts.clone();
    let first = stars[0].1.find("Energy at 1.0000 = ").unwrap() + 19;
    let end = first + stars[0].1[first..].find('\n').unwrap();
    stars[0].1.replace_range(first..end, "**************");
    assert!(run(Method::Mbar, &files_of(&stars)).is_ok());
    for (damage, expected) in [
        (texts[0].1.replace("2.  CONTROL  DATA  FOR  THE  RUN", "2.  "), "no section \"2. CONTROL DATA FOR THE RUN\""),
        (texts[0].1.replace("4.  RESULTS", ""), "no section \"4. RESULTS\""),
        (texts[0].1.replace("clambda", "clambds"), "no clambda"),
        (texts[0].1.replace("DV/DL  =", "DV/DX  ="), ""),
        (texts[0].1.replacen("DV/DL  = ", "DV/DL  = abc", 1), "DV/DL is no number"),
    ] {
        let one = files(&[("ti-0.out", damage.as_bytes())]);
        let result = run(Method::Ti, &one);
        let message = refusal(result);
        assert!(message.contains(expected), "{message}");
    }
    let cold = texts[0].1.replace("temp0", "temp1");
    let one = files(&[("ti-0.out", cold.as_bytes()), ("ti-1.out", texts[2].1.as_bytes())]);
    assert!(run(Method::Ti, &one).is_ok(), "one file of two says the temperature");
    let none = files(&[("ti-0.out", cold.as_bytes())]);
    assert!(refusal(run(Method::Ti, &none)).contains("--temperature"));
}

#[test]
fn namd_windows_over_files_with_both_directions() {
    let all = [0.0, 0.5, 1.0];
    let text: String = (0..3).map(|k| namd(&all, k, 60)).collect();
    let given = |files: &Files| Request { temperature: Some(300.0), ..request(Method::Bar, files) };
    let one = files(&[("run.fepout", text.as_bytes())]);
    let reference = estimate(&given(&one)).unwrap();
    assert_eq!(reference.legs[0].states, ["lambda 0", "lambda 0.5", "lambda 1"]);
    assert!(refusal(estimate(&Request { temperature: None, ..given(&one) })).contains("--temperature \"300 K\""));
    // Cut in the middle of the second window and continued ten rows before, in files whose names sort by number.
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines.iter().position(|l| l.contains("LAMBDA SET TO 0.5")).unwrap() + 40;
    let (first, second) = (lines[..cut].join("\n") + "\n", lines[cut - 10..].join("\n") + "\n");
    let two = files(&[("run10.fepout", second.as_bytes()), ("run9.fepout", first.as_bytes())]);
    let joined = estimate(&given(&two)).unwrap();
    assert_eq!(total(&joined, "bar").to_bits(), total(&reference, "bar").to_bits());
    assert!(joined.warnings.iter().any(|w| w.contains("10 steps repeated")), "{:?}", joined.warnings);
    let half = files(&[("run.fepout", first.as_bytes())]);
    let message = refusal(estimate(&given(&half)));
    assert!(message.contains("the window from lambda 0.5 to 1 is cut"), "{message}");
    let tail = files(&[("run.fepout", second.as_bytes())]);
    assert!(refusal(estimate(&given(&tail))).contains("energies outside of any window"));
    let message = refusal(estimate(&Request { discard: Discard::Picoseconds(1.0), ..given(&one) }));
    assert!(message.contains("count steps") && message.contains("samples"), "{message}");
}

#[test]
fn gomc_columns() {
    let texts: Vec<(String, String)> = LAMBDAS.iter().map(|l| (format!("Free_Energy_{l}.dat"), gomc(*l, &LAMBDAS, 30))).collect();
    let all = run(Method::All, &files_of(&texts)).unwrap();
    assert_eq!(all.legs[0].components, ["VDW"]);
    assert_eq!(all.legs[0].windows[0].energies, 30);
    for key in ["ti", "bar", "mbar"] {
        assert!(total(&all, key).is_finite());
    }
}

#[test]
fn legs_add_up_with_errors_in_quadrature() {
    let a = files_of(&windows(&LAMBDAS));
    let b = files_of(&LAMBDAS.iter().map(|l| (format!("{l}.xvg"), gromacs(*l, &LAMBDAS, 40, 0.3))).collect::<Vec<_>>());
    let legs = vec![(Some("coul".into()), a.paths.clone()), (Some("vdw".into()), b.paths.clone())];
    let both = estimate(&Request { legs, unit: Unit::KilocaloriePerMole, ..request(Method::Mbar, &a) }).unwrap();
    let (x, y) = (both.legs[0].answers[0].total(), both.legs[1].answers[0].total());
    assert_eq!(both.sums[0].value, x.0 + y.0);
    assert!((both.sums[0].stderr - (x.1 * x.1 + y.1 * y.1).sqrt()).abs() < 1e-15);
    let single = run(Method::Mbar, &a).unwrap();
    let kcal = 8.314_462_618_153_24e-3 * 300.0 / 4.184;
    assert!((x.0 - kcal * total(&single, "mbar")).abs() < 1e-12);
    assert!(both.json().contains("\"stage\": \"sum/mbar\"") && both.json().contains("\"unit\": \"kcal/mol\""));
}

#[test]
fn arrays_in_every_wrapping_agree() {
    let (n_k, u) = alchemical_files::harmonics();
    let total_samples: usize = n_k.iter().sum();
    let npy_u = alchemical_files::npy("<f8", &[n_k.len(), total_samples], &u);
    let npy_n = alchemical_files::npy("<f8", &[n_k.len()], &n_k.iter().map(|n| *n as f64).collect::<Vec<_>>());
    let npz = alchemical_files::zip(&[("u_kn.npy", &npy_u), ("N_k.npy", &npy_n)]);
    let line = |v: &[f64]| v.iter().map(f64::to_string).collect::<Vec<_>>().join(",") + "\n";
    let csv: String = u.chunks(total_samples).map(line).collect();
    let counts = n_k.iter().map(|n| format!("{n}\n")).collect::<String>();
    let mut by_state = "state,0,1,2\n".to_owned();
    for n in 0..total_samples {
        let origin = (0..3).find(|k| n < n_k[..=*k].iter().sum()).unwrap();
        by_state += &format!("{origin},{},{},{}\n", u[n], u[total_samples + n], u[2 * total_samples + n]);
    }
    let all = [
        files(&[("x.npz", &npz)]),
        files(&[("u_kn.npy", &npy_u), ("n_k.npy", &npy_n)]),
        files(&[("u_kn.csv", csv.as_bytes()), ("n_k.csv", counts.as_bytes())]),
        files(&[("samples.csv", by_state.as_bytes())]),
    ];
    let reference = run(Method::All, &all[0]).unwrap();
    for f in &all[1..] {
        let again = run(Method::All, f).unwrap();
        for key in ["bar", "mbar"] {
            assert_eq!(total(&again, key).to_bits(), total(&reference, key).to_bits());
        }
    }
    // Exact: f_k - f_0 = ln(K_k / K_0) / 2 for stiffnesses 1, 1.5, 2.
    let (value, stderr) = reference.legs[0].answers[1].total();
    assert!((value - 0.5 * std::f64::consts::LN_2).abs() < 4.0 * stderr && stderr < 0.05, "{value} {stderr}");
    for cut in (0..npz.len()).step_by(97) {
        refusal(run(Method::Mbar, &files(&[("x.npz", &npz[..cut])])));
    }
    let message = refusal(run(Method::Mbar, &files(&[("u_kn.npy", &npy_u)])));
    assert!(message.contains("u_kn without n_k"), "{message}");
    let wrong = alchemical_files::npy("<f8", &[3], &[1.0, 2.0, 3.0]);
    assert!(refusal(run(Method::Mbar, &files(&[("u_kn.npy", &npy_u), ("n_k.npy", &wrong)]))).contains("6 samples in all"));
    assert!(refusal(run(Method::Ti, &all[0])).contains("which allow all, mbar, bar and exp"));
}

#[test]
fn work_both_ways() {
    // Gaussian work of variance s^2 = 1: dF = <w> - 1/2 = 0.3; quantiles of the normal as samples.
    let n = 2000;
    let quantile = |k: usize| ergodica::estimate::normal_quantile((k as f64 + 0.5) / n as f64);
    let rows: String = (0..n).map(|k| format!("{},{}\n", 0.8 + quantile(k), 0.2 + quantile(n - 1 - k))).collect();
    let f = files(&[("work.csv", format!("w_f,w_r\n{rows}").as_bytes())]);
    let all = run(Method::Work, &f).unwrap();
    for key in ["bar", "exp forward", "exp reverse", "cumulant"] {
        assert!((total(&all, key) - 0.3).abs() < 0.02, "{key}: {}", total(&all, key));
    }
    // Means and widths of quantiles are exact to 1e-3, and so is where the Gaussians cross.
    assert!((total(&all, "gaussian crossing") - 0.3).abs() < 1e-3, "{}", total(&all, "gaussian crossing"));
    assert!(all.json().contains("\"stage\": \"gaussian crossing\""));
    #[cfg(feature = "report")]
    {
        let dir = tempfile::tempdir().unwrap();
        ergodica::campaign::estimate_files::write(&all, &dir.path().join("out")).unwrap();
        let drawn = std::fs::read_to_string(dir.path().join("out/figure-work.csv")).unwrap();
        assert!(drawn.contains("forward") && drawn.contains("\u{394}F"), "{drawn}");
    }
    // Work that is not Gaussian has no crossing, and says why; w_f = v^2 of a Gaussian v.
    let rows: String = (0..n).map(|k| format!("{},{}\n", quantile(k) * quantile(k), quantile(k))).collect();
    let square = run(Method::Work, &files(&[("work.csv", format!("w_f,w_r\n{rows}").as_bytes())])).unwrap();
    assert!(square.legs[0].answers.iter().all(|a| a.key != "gaussian crossing"));
    assert!(square.warnings.iter().any(|w| w.contains("no Gaussian crossing: the work is not Gaussian")), "{:?}", square.warnings);
    let one = files(&[("w_f.csv", b"1\n2\nnan\n")]);
    assert!(refusal(run(Method::Work, &one)).contains("value 2 of forward work is NaN"));
    assert!(refusal(run(Method::Bar, &files(&[("w_f.csv", b"1\n2\n")]))).contains("both directions"));
    assert!(refusal(run(Method::Work, &files(&[("w_f.csv", b"1\n2")]))).contains("no line break"));
}

#[test]
fn options_on_files_of_programs() {
    let texts = windows(&LAMBDAS);
    let plain = files_of(&texts);
    // The rule that was asked for is the answer, the others stand beside it.
    let cubic = estimate(&Request { rule: Some(TiRule::NaturalCubic), ..request(Method::Ti, &plain) }).unwrap();
    let reference = run(Method::Ti, &plain).unwrap();
    assert_eq!(cubic.legs[0].answers[0].label, "TI, natural cubic");
    assert_eq!(total(&cubic, "ti").to_bits(), total(&reference, "ti natural_cubic").to_bits());
    let quadrature = Request { rule: Some(TiRule::GaussLegendre), ..request(Method::Ti, &plain) };
    assert!(refusal(estimate(&quadrature)).contains("on no Gauss-Legendre grid"));
    assert!(refusal(estimate(&Request { method: Method::Bar, ..quadrature })).contains("`bar` has no rule"));
    // Thinned samples are drawn one by one, all samples in blocks as long as they are correlated.
    let nine: Vec<(String, String)> = texts.iter().map(|(name, text)| (name.clone(), every_row_nine_times(text))).collect();
    let drawn = |subsample: bool| {
        let bootstrap = Some(Bootstrap { replicates: 200, seed: 1 });
        let all = estimate(&Request { bootstrap, subsample, ..request(Method::Mbar, &files_of(&nine)) }).unwrap();
        let answer = &all.legs[0].answers[0];
        let redrawn = answer.redrawn.as_ref().unwrap();
        (redrawn.how.block, redrawn.error(0, 2).0 / answer.total().1)
    };
    let (thinned, whole) = (drawn(true), drawn(false));
    assert!(thinned.0 == 1 && (0.7..1.4).contains(&thinned.1), "{thinned:?}");
    assert!(whole.0 > 30 && whole.1 > 2.0, "{whole:?}");
    // Energy and entropy need total energies: AMBER has them, this GROMACS file has differences.
    let entropy = |files: &Files| estimate(&Request { entropy: true, ..request(Method::Mbar, files) });
    assert!(refusal(entropy(&plain)).contains("dhdl-print-energy = total"));
    let all = estimate(&Request { entropy: true, ..request(Method::All, &plain) }).unwrap();
    let mbar = all.legs[0].answers.iter().find(|a| a.key == "mbar").unwrap();
    assert!(mbar.decomposition.is_none() && mbar.warnings.iter().any(|w| w.message.contains("are not apart")), "{all}");
    let totals: Vec<(String, String)> = LAMBDAS.iter().map(|l| (format!("{l}.out"), amber(*l, &LAMBDAS, 300, 298.0))).collect();
    let all = entropy(&files_of(&totals)).unwrap();
    let both = all.legs[0].answers[0].decomposition.as_ref().unwrap();
    // u = K x^2 / 2 with K from 1 to 2: equal energies, s = -ln(2) / 2; four decimals of kcal/mol in the file.
    let ((u, u_error), (s, s_error)) = (both.u.difference(0, 2), both.s.difference(0, 2));
    assert!(
        u.abs() < 4.0 * u_error && (s + 0.5 * std::f64::consts::LN_2).abs() < 4.0 * s_error && s_error < 0.1,
        "{u} {u_error} {s} {s_error}"
    );
}

/// Correlated samples: each row nine times, at times of its own.
fn every_row_nine_times(text: &str) -> String {
    let mut out = String::new();
    let mut time = 0;
    for line in text.lines() {
        match line.split_once(' ').filter(|_| !line.starts_with(['#', '@'])) {
            Some((_, rest)) => {
                for _ in 0..9 {
                    out += &format!("{time}.0000 {rest}\n");
                    time += 1;
                }
            }
            None => out += &format!("{line}\n"),
        }
    }
    out
}

#[test]
fn every_prefix_is_refused_or_a_smaller_answer() {
    let lambdas = LAMBDAS;
    let formats: Vec<(&str, Vec<String>)> = vec![
        ("xvg", lambdas.iter().map(|l| gromacs(*l, &lambdas, 12, 0.0)).collect()),
        ("out", lambdas.iter().map(|l| amber(*l, &lambdas, 8, 300.0)).collect()),
        ("dat", lambdas.iter().map(|l| gomc(*l, &lambdas, 12)).collect()),
        ("fepout", (0..3).map(|k| namd(&lambdas, k, 12)).collect()),
    ];
    for (end, texts) in formats {
        let dir = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = texts.iter().enumerate().map(|(k, t)| put(dir.path(), &format!("{k}.{end}"), t.as_bytes())).collect();
        let whole = Leg::new(read(&paths).unwrap(), Some(300.0)).unwrap();
        let step = if texts[1].len() > 4000 { 3 } else { 1 };
        for cut in (0..texts[1].len()).step_by(step) {
            std::fs::write(&paths[1], &texts[1].as_bytes()[..cut]).unwrap();
            let leg = match read(&paths).and_then(|parts| Leg::new(parts, Some(300.0))) {
                Ok(leg) => leg,
                Err(e) => {
                    assert_eq!(e.exit_code(), 2, "{end} cut at {cut}: {e}");
                    continue;
                }
            };
            assert_eq!(leg.states, whole.states, "{end} cut at {cut}");
            for (a, b) in leg.windows.iter().zip(&whole.windows) {
                let (Some(a), Some(b)) = (a.runs.first(), b.runs.first()) else { continue };
                for (x, y) in [(&a.gradients, &b.gradients), (&a.energies, &b.energies)] {
                    let n = x.len();
                    assert!(n <= y.len() && x.time[..] == y.time[..n], "{end} cut at {cut}");
                    let same = |(p, q): (&f64, &f64)| p == q || p.is_nan() && q.is_nan();
                    assert!(x.values.iter().zip(&y.values).all(same), "{end} cut at {cut}");
                }
            }
        }
    }
}

#[test]
fn names_sort_as_people_count() {
    let mut names = ["dhdl.10.xvg", "dhdl.2.xvg", "dhdl.1.xvg", "a", "dhdl.02.xvg"];
    names.sort_by(|a, b| natural_order(a, b));
    assert_eq!(names, ["a", "dhdl.1.xvg", "dhdl.2.xvg", "dhdl.02.xvg", "dhdl.10.xvg"]);
}
