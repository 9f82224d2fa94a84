//! Tables of numbers as text: commas, semicolons, tabs or spaces; with a header or without.

use super::super::lines::{Line, Lines, excerpt, few, number, wrong, wrong_file};
use super::super::unpack::Text;
use super::{Array, Arrays, File};
use crate::Result;

/// The arrays in a table.
pub(super) fn read(text: &Text, stem: String) -> Result<File> {
    let separator =
        [',', ';', '\t', ' '].into_iter().find(|c| text.text.lines().find(|l| !skipped(l)).is_some_and(|l| l.trim().contains(*c)));
    let separator = separator.unwrap_or(',');
    let mut lines = Lines::new(&text.text).filter(|l| !skipped(l.text)).peekable();
    let Some(first) = lines.peek().copied() else {
        return Err(wrong_file(text, "no numbers in the file", "give one row a line"));
    };
    let header: Vec<String> = cells(first.text, separator).iter().map(|c| c.trim_matches('"').to_owned()).collect();
    let named = header.iter().any(|c| number(c.as_bytes()).is_none());
    if named {
        lines.next();
    }
    let mut rows: Vec<(Line<'_>, Vec<&str>)> = Vec::new();
    for line in lines {
        // Without its line break the last number may have lost digits.
        if !line.ended {
            let what = "the last line has no line break, so nobody knows whether its last number is whole";
            return Err(wrong(text, line, what, "end the file with a line break if it is"));
        }
        let row = cells(line.text, separator);
        if row.len() != header.len() {
            let what = format!("{} of {} cells in the line", row.len(), header.len());
            return Err(wrong(text, line, what, "one cell for each column; a column that ends early has empty cells"));
        }
        rows.push((line, row));
    }
    if rows.is_empty() {
        return Err(wrong_file(text, "no rows of numbers in the file", "give one row a line"));
    }
    if !named {
        return matrix(text, stem, header.len(), &rows);
    }
    match header.iter().position(|n| n.eq_ignore_ascii_case("state")) {
        Some(state) => by_state(text, &header, state, &rows).map(File::Whole),
        None => columns(text, &header, &rows),
    }
}

fn skipped(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

fn cells(line: &str, separator: char) -> Vec<&str> {
    if separator == ' ' { line.split_whitespace().collect() } else { line.split(separator).map(str::trim).collect() }
}

fn value(text: &Text, line: Line<'_>, cell: &str) -> Result<f64> {
    number(cell.as_bytes()).ok_or_else(|| wrong(text, line, format!("{:?} is no number", excerpt(cell)), "correct the cell"))
}

fn matrix(text: &Text, name: String, width: usize, rows: &[(Line<'_>, Vec<&str>)]) -> Result<File> {
    let mut values = Vec::with_capacity(rows.len() * width);
    for (line, row) in rows {
        for cell in row {
            values.push(value(text, *line, cell)?);
        }
    }
    Ok(File::Arrays(vec![Array { name, from: text.name.clone(), shape: vec![rows.len(), width], values }]))
}

fn columns(text: &Text, header: &[String], rows: &[(Line<'_>, Vec<&str>)]) -> Result<File> {
    let mut arrays = Vec::new();
    for (k, name) in header.iter().enumerate() {
        let mut values = Vec::new();
        for (n, (line, row)) in rows.iter().enumerate() {
            match row[k] {
                "" => {}
                _ if values.len() < n => {
                    let what = format!("column {name} goes on after an empty cell");
                    return Err(wrong(text, *line, what, "empty cells stand at the end of a column only"));
                }
                cell => values.push(value(text, *line, cell)?),
            }
        }
        arrays.push(Array { name: name.to_lowercase(), from: text.name.clone(), shape: vec![values.len()], values });
    }
    Ok(File::Arrays(arrays))
}

/// One row a sample: the state it was drawn from, by name or position, and its energy in every state.
fn by_state(text: &Text, header: &[String], state: usize, rows: &[(Line<'_>, Vec<&str>)]) -> Result<Arrays> {
    let energies: Vec<usize> = (0..header.len()).filter(|k| *k != state).collect();
    let states: Vec<String> = energies.iter().map(|k| header[*k].clone()).collect();
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); states.len()];
    for (n, (line, row)) in rows.iter().enumerate() {
        let cell = row[state];
        let at = states.iter().position(|s| s == cell).or_else(|| cell.parse::<usize>().ok().filter(|k| *k < states.len()));
        let Some(at) = at else {
            let what = format!("state {:?} is none of the columns {}", excerpt(cell), few(&states));
            return Err(wrong(text, *line, what, "name a column, or its position from 0 on"));
        };
        groups[at].push(n);
    }
    let order: Vec<usize> = groups.concat();
    let mut u_kn = Vec::with_capacity(states.len() * rows.len());
    for &k in &energies {
        for &n in &order {
            u_kn.push(value(text, rows[n].0, rows[n].1[k])?);
        }
    }
    Ok(Arrays::Potentials { states, n_k: groups.iter().map(Vec::len).collect(), u_kn, perturbed: Vec::new() })
}
