//! The direction of ARCHITECTURE.md, checked: no module names one that stands above it.

mod source;

use source::{code, line_of, words};

/// Every top module with the modules, or parts of modules, that it may name. `error` is open to all and names none.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("real", &[]),
    ("stream", &["real"]),
    ("batch", &["real", "stream"]),
    // Bootstraps draw (`Purpose::Estimate`).
    ("estimate", &["real", "stream"]),
    // estimates.h5 is the summary in HDF5.
    ("io", &["real", "batch", "estimate::summary"]),
    ("expr", &["real", "batch"]),
    // What a molecule is, as read from a file, is what its energy is made of.
    ("energy", &["real", "stream", "batch", "expr", "io::openmm"]),
    ("dynamics", &["real", "stream", "batch", "energy"]),
    ("path", &["real", "stream", "batch", "energy", "dynamics"]),
    ("observe", &["real", "batch", "energy", "io"]),
    ("report", &["real", "estimate", "io"]),
    ("campaign", &["real", "stream", "batch", "expr", "energy", "dynamics", "path", "estimate", "io", "observe", "report"]),
    // The binary: the verbs, over campaigns alone.
    ("cli", &["campaign"]),
    ("main", &["campaign", "cli"]),
];

/// One line for each name that a file may not use: `path:line: why`.
fn violations(files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files {
        let module = path.split('/').next().unwrap().trim_end_matches(".rs");
        if module == "lib" {
            continue; // declares the modules and re-exports the public names
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            found.push(format!("{path}:1: module `{module}` has no line in tests/layering.rs"));
            continue;
        };
        let code = code(text);
        for (at, name) in top_names(path, &code) {
            let top = name.split("::").next().unwrap();
            let known = MAY_USE.iter().any(|(m, _)| *m == top);
            let fine = top == module || top == "error" || allowed.contains(&top) || allowed.contains(&name.as_str());
            if known && !fine {
                found.push(format!("{path}:{}: `{module}` names `{name}`, which stands above it", line_of(&code, at)));
            }
        }
    }
    found
}

/// The names directly under the crate's root that a file mentions: `crate::x`, `crate::{x, y::z}`, `ergodica::x`, `super::super::x`.
fn top_names(path: &str, code: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for root in ["crate", "ergodica"] {
        for at in words(code, root) {
            if let Some(rest) = code[at + root.len()..].trim_start().strip_prefix("::") {
                first_names(rest, at, &mut names);
            }
        }
    }
    // `super` once per level of the file's own path reaches the root.
    let levels = path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    for at in words(code, "super") {
        if code[..at].trim_end().ends_with("::") {
            continue; // not the first of its chain
        }
        let (mut rest, mut depth) = (&code[at..], 0);
        while let Some(next) = rest.trim_start().strip_prefix("super").map(str::trim_start).and_then(|r| r.strip_prefix("::")) {
            (rest, depth) = (next, depth + 1);
        }
        if depth == levels {
            first_names(rest, at, &mut names);
        }
    }
    names
}

/// The first two segments of every path in `a::b::c` or `{a, b::{c, d}, e}`.
fn first_names(rest: &str, at: usize, names: &mut Vec<(usize, String)>) {
    expand(rest, "", at, names);
}

fn expand(rest: &str, before: &str, at: usize, names: &mut Vec<(usize, String)>) {
    let rest = rest.trim_start();
    if rest.starts_with('{') {
        let group = &rest[1..source::closing(rest.as_bytes(), 0)];
        let (mut depth, mut start) = (0, 0);
        for (i, c) in group.char_indices().chain([(group.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&group[start..i], before, at, names);
                    start = i + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if name.is_empty() {
        return; // a comma at the end of a group, or `*`
    }
    match rest[name.len()..].trim_start().strip_prefix("::") {
        Some(more) if before.is_empty() => {
            let known = names.len();
            expand(more, &name, at, names);
            if names.len() == known {
                names.push((at, name)); // everything of a module: `x::*`
            }
        }
        _ if before.is_empty() => names.push((at, name)),
        _ => names.push((at, format!("{before}::{name}"))),
    }
}

#[test]
fn modules_name_only_what_stands_below_them() {
    let found = violations(&source::all());
    assert!(found.is_empty(), "the direction of ARCHITECTURE.md is broken:\n{}", found.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    // Each module may use only modules that are listed before it, `error` first.
    for (i, (name, allowed)) in MAY_USE.iter().enumerate() {
        for below in *allowed {
            let top = below.split("::").next().unwrap();
            let at = MAY_USE.iter().position(|(m, _)| *m == top).unwrap_or(usize::MAX);
            assert!(at < i, "`{name}` may use `{below}`, which is not listed before it");
        }
    }
}

#[test]
fn a_wrong_edge_is_caught() {
    let wrong = [
        ("energy/lj.rs", "use crate::dynamics::Baoab;"),
        ("energy/lj.rs", "use crate::{batch::Coords, campaign::Config};"),
        ("energy/lj.rs", "fn f() { let x = crate :: io :: Sink; }"),
        ("energy/molecular/bonded.rs", "use super::super::super::campaign::Config;"),
        ("io/mod.rs", "use super::energy::Potential;"),
        ("io/h5md.rs", "use crate::{real::{Real, f64x8}, energy::Potential};"),
        ("energy/molecular/mod.rs", "use crate::io::{openmm::Bond, sink::{Sink, Frame}};"),
        ("energy/molecular/mod.rs", "use crate::io::*;"),
        ("report/mod.rs", "use crate::campaign::plan::Plan;"),
        ("estimate/mbar.rs", "use crate::batch::Coords;"),
        ("real/lane.rs", "pub fn f(x: crate::batch::Coords) {}"),
        ("main.rs", "use ergodica::dynamics::Baoab;"),
        ("plumbing.rs", ""),
    ];
    for (path, text) in wrong {
        let found = violations(&[(path.to_owned(), text.to_owned())]);
        assert_eq!(found.len(), 1, "{path}: {text}: {found:?}");
    }
    let right = [
        ("energy/lj.rs", "//! See crate::dynamics.\nuse crate::{Error, Result, batch::Coords};\nuse super::Potential;\nuse std::io::Read;"),
        ("energy/lj.rs", "const TEXT: &str = \"use crate::campaign;\"; /* crate::io */ fn f<'a>(c: char) -> bool { c == '\"' }"),
        ("energy/lj.rs", "#[cfg(test)]\nmod tests { use crate::dynamics::Baoab; fn f() {} }\nuse crate::real::Real;"),
        ("energy/molecular/mod.rs", "use crate::io::openmm::{Bond, Angle,};\nuse crate::{io::openmm, batch::*};"),
        ("dynamics/hmc/mod.rs", "use super::super::energy::Potential;"),
        ("main.rs", "use ergodica::campaign::cli;"),
    ];
    for (path, text) in right {
        assert_eq!(violations(&[(path.to_owned(), text.to_owned())]), Vec::<String>::new(), "{path}: {text}");
    }
}
