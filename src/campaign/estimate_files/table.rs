//! The analysis as a table for people.

use super::answer::{Answer, LegAnalysis};
use super::{Analysis, Method, SIGN};
use crate::estimate::number::{decimals, measured};
use std::fmt;
use std::fmt::Write as _;

/// "3.089 ± 0.022": two digits of the error.
pub(super) fn with_error(value: f64, stderr: f64) -> String {
    if value.is_finite() { measured(value, stderr) } else { "-".to_owned() }
}

fn pair((value, stderr): (f64, f64)) -> String {
    with_error(value, stderr)
}

/// Names of states without the components that are the same in all of them; the ends of the path are told in full.
fn without_constants(names: &[String]) -> Vec<String> {
    let parts: Vec<Vec<&str>> = names.iter().map(|name| name.split(", ").collect()).collect();
    let alike = parts.iter().all(|p| p.len() == parts[0].len());
    let moves = |c: usize| parts.iter().any(|p| p[c] != parts[0][c]);
    let kept: Vec<usize> = if alike { parts.first().map_or(0..0, |p| 0..p.len()).filter(|c| moves(*c)).collect() } else { Vec::new() };
    if kept.is_empty() {
        return names.to_vec();
    }
    parts.iter().map(|p| kept.iter().map(|c| p[*c]).collect::<Vec<_>>().join(", ")).collect()
}

/// Columns side by side, the first flush left.
fn columns(rows: &[Vec<String>]) -> String {
    let mut widths = vec![0; rows.iter().map(Vec::len).max().unwrap_or(0)];
    for row in rows {
        for (w, cell) in widths.iter_mut().zip(row) {
            *w = (*w).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).enumerate().map(|(k, (c, &w))| if k == 0 { format!("{c:<w$}") } else { format!("{c:>w$}") }).collect();
        text.push_str("  ");
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

impl fmt::Display for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for leg in &self.legs {
            write!(f, "{}", self.leg(leg))?;
        }
        if !self.sums.is_empty() {
            let names: Vec<&str> = self.legs.iter().filter_map(|l| l.name.as_deref()).collect();
            writeln!(f, "sum of {} [{}]", names.join(" + "), self.unit.name())?;
            let rows: Vec<Vec<String>> = self.sums.iter().map(|s| vec![s.label.clone(), with_error(s.value, s.stderr)]).collect();
            writeln!(f, "{}", columns(&rows))?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        for failed in &self.failed {
            writeln!(f, "FAILED: {failed}")?;
        }
        Ok(())
    }
}

impl Analysis {
    fn leg(&self, leg: &LegAnalysis) -> String {
        let mut text = String::new();
        let name = leg.name.as_ref().map_or(String::new(), |n| format!("{n}: "));
        let temperature = leg.temperature.map_or(String::new(), |t| format!(", {t} K"));
        let _ = writeln!(text, "{name}{}{temperature}", leg.source);
        if let Some(answer) = leg.answers.first() {
            let _ = writeln!(text, "  initial state  {}", answer.points[answer.ends.0].name);
            let _ = writeln!(text, "  final state    {}", answer.points[answer.ends.1].name);
            let _ = writeln!(text, "  {SIGN}");
        }
        let _ = writeln!(text, "\n{}", columns(&self.windows(leg)));
        if !leg.answers.is_empty() {
            let _ = writeln!(text, "{}", columns(&self.pairs(leg)));
        }
        for answer in &leg.answers {
            text.push_str(&self.redrawn(leg, answer));
            text.push_str(&self.decomposition(leg, answer));
        }
        if leg.profile.is_some() {
            let _ = writeln!(text, "{}", columns(&self.along(leg)));
        }
        for convergence in &leg.convergence {
            let _ = writeln!(text, "  {}", convergence.line());
        }
        if !leg.convergence.is_empty() {
            text.push('\n');
        }
        for answer in &leg.answers {
            for warning in &answer.warnings {
                let _ = writeln!(text, "warning: {}: {}", answer.label, warning.message);
            }
        }
        text
    }

    fn windows(&self, leg: &LegAnalysis) -> Vec<Vec<String>> {
        let gradients = leg.windows.iter().any(|w| w.gradients > 0);
        let energies = leg.windows.iter().any(|w| w.energies > 0);
        let mut head = vec!["state".to_owned()];
        if gradients {
            head.extend(["gradients", "g", "N_eff"].map(str::to_owned));
            head.extend(leg.components.iter().map(|c| format!("<du/d {c}> [kT]")));
        }
        if energies {
            head.extend(["energies", "g", "used"].map(str::to_owned));
        }
        if self.method == Method::Timeseries {
            head.push("equilibrated".to_owned());
        }
        let mut rows = vec![head];
        let short = without_constants(&leg.states);
        for w in &leg.windows {
            let mut row = vec![short[w.state].clone()];
            if gradients {
                let n_eff = w.gradients as f64 / w.g_gradient;
                row.extend([w.gradients.to_string(), format!("{:.2}", w.g_gradient), format!("{n_eff:.0}")]);
                row.extend(w.mean_gradient.iter().map(|(m, e)| with_error(*m, *e)));
                row.extend(vec!["-".to_owned(); leg.components.len() - w.mean_gradient.len()]);
            }
            if energies {
                row.extend([w.energies.to_string(), format!("{:.2}", w.g_energy), w.used.to_string()]);
            }
            if self.method == Method::Timeseries {
                row.push(w.equilibrated.map_or("-".to_owned(), |n| format!("sample {n}")));
            }
            rows.push(row);
        }
        rows
    }

    /// One row a pair of neighbours in any answer, one for the whole.
    fn pairs(&self, leg: &LegAnalysis) -> Vec<Vec<String>> {
        let mut head = vec![format!("free energy [{}]", self.unit.name())];
        head.extend(leg.answers.iter().map(|a| a.label.clone()));
        let mut rows = vec![head];
        let told = |k: &usize| !leg.is_perturbed(*k) && leg.answers.iter().any(|a| a.point(*k).is_some());
        let states: Vec<usize> = (0..leg.states.len()).filter(told).collect();
        // of work there are only the two ends, which the last row has
        let short = without_constants(&leg.states);
        for pair in states.windows(2).filter(|_| leg.works.is_none()) {
            let mut row = vec![format!("{} -> {}", short[pair[0]], short[pair[1]])];
            let cell = |a: &Answer| match (a.point(pair[0]), a.point(pair[1])) {
                (Some(i), Some(j)) => {
                    let (value, stderr) = a.delta(i, j);
                    with_error(value, stderr)
                }
                _ => "-".to_owned(),
            };
            row.extend(leg.answers.iter().map(cell));
            rows.push(row);
        }
        let mut row = vec!["initial -> final".to_owned()];
        row.extend(leg.answers.iter().map(|a| {
            let (value, stderr) = a.total();
            with_error(value, stderr)
        }));
        rows.push(row);
        for state in leg.states.len() - leg.perturbed..leg.states.len() {
            let cell = |a: &Answer| a.point(state).map_or("-".to_owned(), |j| pair(a.delta(a.ends.0, j)));
            let name = format!("initial -> {}", leg.states[state]);
            rows.push([name].into_iter().chain(leg.answers.iter().map(cell)).collect());
        }
        rows
    }

    /// A row for each step of an answer, the whole last but for perturbed states.
    fn steps(&self, leg: &LegAnalysis, answer: &Answer, cells: impl Fn(usize, usize) -> Vec<String>) -> Vec<Vec<String>> {
        let mut steps = leg.steps(answer);
        let path = steps.iter().position(|(_, j, _)| answer.points[*j].state.is_some_and(|s| leg.is_perturbed(s))).unwrap_or(steps.len());
        steps[..path].rotate_left(1);
        let named = |(i, j, index): &(usize, usize, String)| match index.as_str() {
            "" => "initial -> final".to_owned(),
            _ => format!("{} -> {}", answer.points[*i].name, answer.points[*j].name),
        };
        steps.iter().map(|step| [named(step)].into_iter().chain(cells(step.0, step.1)).collect()).collect()
    }

    /// Errors by theory and by drawing the samples again.
    fn redrawn(&self, leg: &LegAnalysis, answer: &Answer) -> String {
        let Some(redrawn) = &answer.redrawn else { return String::new() };
        let how = redrawn.how;
        let samples = if how.block == 1 { "single samples".to_owned() } else { format!("blocks of {} samples", how.block) };
        let head = format!("{}, {} resamples of {samples}, seed {} [{}]", answer.label, how.replicates, how.seed, self.unit.name());
        let mut rows = vec![[head.as_str(), "error", "bootstrap error", "95 % of the resamples"].map(str::to_owned).to_vec()];
        rows.extend(self.steps(leg, answer, |i, j| {
            let (error, [low, high]) = redrawn.error(i, j);
            let (digits, number) = (decimals(error), |v: f64, d: usize| format!("{v:.*}", d.min(9)));
            let theory = answer.delta(i, j).1;
            vec![number(theory, decimals(theory)), number(error, digits), format!("{} to {}", number(low, digits), number(high, digits))]
        }));
        format!("{}\n", columns(&rows))
    }

    /// The profile along a pulled coordinate.
    fn along(&self, leg: &LegAnalysis) -> Vec<Vec<String>> {
        let Some(profile) = &leg.profile else { return Vec::new() };
        let mut rows = vec![["z".to_owned(), format!("free energy [{}]", self.unit.name())].to_vec()];
        for (b, (z, (f, stderr))) in profile.z.iter().zip(&profile.f).enumerate() {
            let f = if b == profile.zero { "0 (chosen)".to_owned() } else { with_error(*f, *stderr) };
            rows.push(vec![format!("{z:.4}"), f]);
        }
        rows
    }

    /// f = u - s.
    fn decomposition(&self, leg: &LegAnalysis, answer: &Answer) -> String {
        let Some(both) = &answer.decomposition else { return String::new() };
        let head = format!("{}, energy and entropy [{}]", answer.label, self.unit.name());
        let mut rows = vec![[head.as_str(), "delta_f", "delta_u", "delta_s (times T)"].map(str::to_owned).to_vec()];
        rows.extend(
            self.steps(leg, answer, |i, j| [answer.delta(i, j), both.u.difference(i, j), both.s.difference(i, j)].map(pair).to_vec()),
        );
        format!("{}\n", columns(&rows))
    }
}

#[cfg(test)]
mod tests {
    use super::{with_error, without_constants};

    #[test]
    fn two_digits_of_the_error() {
        assert_eq!(with_error(3.089_026, 0.021_57), "3.089 ± 0.022");
        assert_eq!(with_error(-101.5, 1.38), "-101.5 ± 1.4");
        assert_eq!(with_error(12345.6, 123.0), "12346 ± 123");
        assert_eq!(with_error(-1.5e200, 2.0), "-1.50000e200 ± 2.0e0");
        assert_eq!(with_error(1.0, f64::NAN), "1");
        assert_eq!(with_error(f64::NAN, 1.0), "-");
    }

    #[test]
    fn constants_are_left_out_of_short_names() {
        let names = ["fep 0, coul 0, vdw 0", "fep 0, coul 1, vdw 0", "fep 0, coul 1, vdw 1"].map(str::to_owned);
        assert_eq!(without_constants(&names), ["coul 0, vdw 0", "coul 1, vdw 0", "coul 1, vdw 1"]);
        for whole in [vec!["fep 0, coul 0".to_owned()], vec!["a, b".to_owned(), "a".to_owned()], Vec::new()] {
            assert_eq!(without_constants(&whole), whole);
        }
    }
}
