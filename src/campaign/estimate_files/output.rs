//! What `--out DIR` holds: the summary, every table and covariance as CSV, figures.

use super::answer::{Answer, LegAnalysis};
use super::{Analysis, Convergence, Profile};
use crate::{Error, Result};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Writes the analysis into a folder that is new or empty; the files written.
///
/// `summary.json` and `estimates.csv` have everything; then for each leg `windows.csv`, and for each method the free energies of the
/// states (`mbar.csv`), their covariance (`mbar-covariance.csv`) and the overlap matrix (`mbar-overlap.csv`), where they were asked for
/// the profile (`pmf.csv`), the answer from parts of the data (`mbar-convergence.csv`), both errors (`mbar-bootstrap.csv`), energy and entropy
/// (`mbar-entropy.csv`), and the `figure-*` as SVG, PNG and CSV.
/// Errors: a folder that holds something, a full disk.
pub fn write(analysis: &Analysis, dir: &Path) -> Result<Vec<PathBuf>> {
    if dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::input(format!("{} exists and is not empty", dir.display()), "name another folder with --out"));
    }
    std::fs::create_dir_all(dir).map_err(|e| Error::io(dir, "making the folder", &e))?;
    let mut written = Vec::new();
    let mut put = |name: String, text: &str| -> Result<()> {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|e| Error::io(&path, "writing", &e))?;
        written.push(path);
        Ok(())
    };
    put("summary.json".into(), &analysis.json())?;
    put("estimates.csv".into(), &estimates(analysis))?;
    put("report.txt".into(), &analysis.to_string())?;
    for leg in &analysis.legs {
        let name = |rest: &str| leg.name.as_ref().map_or(rest.to_owned(), |n| format!("{}-{rest}", file_name(n)));
        put(name("windows.csv"), &windows(leg))?;
        for answer in &leg.answers {
            let key = file_name(&answer.key);
            put(name(&format!("{key}.csv")), &states(answer))?;
            put(name(&format!("{key}-covariance.csv")), &matrix(answer, &answer.covariance))?;
            if !answer.overlap.is_empty() {
                put(name(&format!("{key}-overlap.csv")), &matrix(answer, &answer.overlap))?;
            }
            if answer.redrawn.is_some() {
                put(name(&format!("{key}-bootstrap.csv")), &bootstrap(answer))?;
            }
            if answer.decomposition.is_some() {
                put(name(&format!("{key}-entropy.csv")), &entropy(answer))?;
            }
        }
    }
    for leg in &analysis.legs {
        let name = |rest: &str| leg.name.as_ref().map_or(rest.to_owned(), |n| format!("{}-{rest}", file_name(n)));
        if let Some(profile) = &leg.profile {
            put(name("pmf.csv"), &pmf(profile))?;
        }
        for found in &leg.convergence {
            put(name(&format!("{}-convergence.csv", file_name(&found.key))), &convergence(found))?;
        }
    }
    #[cfg(feature = "report")]
    for leg in &analysis.legs {
        let name = |rest: &str| file_name(&leg.name.as_ref().map_or(rest.to_owned(), |n| format!("{n}-{rest}")));
        written.extend(super::figures::write(analysis, leg, dir, &name)?);
    }
    Ok(written)
}

/// A name with whatever a file name cannot hold replaced.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}

/// A cell; quoted where it has to be.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:?}") } else { String::new() }
}

fn estimates(analysis: &Analysis) -> String {
    let mut text = "stage,quantity,value,stderr,n_eff,unit,from,to\n".to_owned();
    for e in analysis.estimates() {
        let condition = |name: &str| cell(e.conditions.get(name).and_then(|v| v.as_str()).unwrap_or(""));
        let unit = e.unit.clone().unwrap_or_default();
        let cells = [
            cell(&e.stage),
            cell(&e.quantity),
            number(e.value),
            number(e.stderr),
            number(e.n_eff),
            unit,
            condition("from"),
            condition("to"),
        ];
        let _ = writeln!(text, "{}", cells.join(","));
    }
    text
}

fn windows(leg: &LegAnalysis) -> String {
    let mut head = "state,name,gradients,gradients_missing,g_gradient,energies,energies_missing,g_energy,used".to_owned();
    let detected = leg.windows.iter().any(|w| w.equilibrated.is_some());
    if detected {
        head.push_str(",equilibrated");
    }
    for c in &leg.components {
        let _ = write!(head, ",{},{},{}", cell(c), cell(&format!("du/d {c} [kT]")), cell(&format!("error of du/d {c} [kT]")));
    }
    let mut text = head + "\n";
    for w in &leg.windows {
        let _ = write!(text, "{},{},{},{},{}", w.state, cell(&w.name), w.gradients, w.gradients_missing, number(w.g_gradient));
        let _ = write!(text, ",{},{},{},{}", w.energies, w.energies_missing, number(w.g_energy), w.used);
        if detected {
            let _ = write!(text, ",{}", w.equilibrated.map_or(String::new(), |n| n.to_string()));
        }
        for c in 0..leg.components.len() {
            let (mean, error) = w.mean_gradient.get(c).copied().unwrap_or((f64::NAN, f64::NAN));
            let _ = write!(text, ",{},{},{}", number(w.lambdas.get(c).copied().unwrap_or(f64::NAN)), number(mean), number(error));
        }
        text.push('\n');
    }
    text
}

fn states(answer: &Answer) -> String {
    let mut text = "state,name,f,stderr\n".to_owned();
    for (k, point) in answer.points.iter().enumerate() {
        let (f, stderr) = answer.delta(0, k);
        let state = point.state.map_or(String::new(), |s| s.to_string());
        let _ = writeln!(text, "{state},{},{},{}", cell(&point.name), number(f), number(stderr));
    }
    text
}

fn matrix(answer: &Answer, values: &[f64]) -> String {
    let names: Vec<String> = answer.points.iter().map(|p| cell(&p.name)).collect();
    let mut text = format!("state,{}\n", names.join(","));
    for (name, row) in names.iter().zip(values.chunks_exact(names.len())) {
        let cells: Vec<String> = row.iter().map(|v| number(*v)).collect();
        let _ = writeln!(text, "{name},{}", cells.join(","));
    }
    text
}

/// Both errors of every pair of states.
fn bootstrap(answer: &Answer) -> String {
    let Some(redrawn) = &answer.redrawn else { return String::new() };
    let mut text = "from,to,f,stderr,bootstrap_stderr,low_95,high_95\n".to_owned();
    for (i, j) in pairs(answer) {
        let ((f, stderr), (again, [low, high])) = (answer.delta(i, j), redrawn.error(i, j));
        let _ = writeln!(text, "{},{}", ends(answer, i, j), [f, stderr, again, low, high].map(number).join(","));
    }
    text
}

/// f = u - s of every pair of states.
fn entropy(answer: &Answer) -> String {
    let Some(both) = &answer.decomposition else { return String::new() };
    let mut text = "from,to,f,f_stderr,u,u_stderr,s,s_stderr\n".to_owned();
    for (i, j) in pairs(answer) {
        let three = [answer.delta(i, j), both.u.difference(i, j), both.s.difference(i, j)];
        let cells: Vec<String> = three.iter().flat_map(|v| [number(v.0), number(v.1)]).collect();
        let _ = writeln!(text, "{},{}", ends(answer, i, j), cells.join(","));
    }
    text
}

fn pairs(answer: &Answer) -> impl Iterator<Item = (usize, usize)> {
    let k = answer.points.len();
    (0..k).flat_map(move |i| (i + 1..k).map(move |j| (i, j)))
}

fn ends(answer: &Answer, i: usize, j: usize) -> String {
    format!("{},{}", cell(&answer.points[i].name), cell(&answer.points[j].name))
}

/// The profile along a pulled coordinate; empty where no trajectory came.
fn pmf(profile: &Profile) -> String {
    let mut text = "z,free_energy,stderr\n".to_owned();
    for (z, (f, stderr)) in profile.z.iter().zip(&profile.f) {
        let _ = writeln!(text, "{}", [*z, *f, *stderr].map(number).join(","));
    }
    text
}

/// The difference of the ends from growing parts of the data.
fn convergence(found: &Convergence) -> String {
    let mut text = "fraction,forward,forward_stderr,reverse,reverse_stderr\n".to_owned();
    for part in &found.stability.parts {
        let _ = writeln!(text, "{}", [part.fraction, part.forward.0, part.forward.1, part.reverse.0, part.reverse.1].map(number).join(","));
    }
    text
}
