//! Reports of run directories made by hand.

use super::*;
use crate::estimate::summary::{BasinSummary, BasinsSummary, ColumnSummary, Minimised, Performance, SurfaceSummary};
use crate::estimate::{Check, Estimate, Outcome, Reference, Verdict};
use crate::io::sink::{Column, Frame, Header, Kind};
use std::f64::consts::PI;
use std::path::PathBuf;

const REPLICAS: usize = 5;
const DRAWS: usize = 300;

/// A repeatable number in (-1, 1).
fn noise(k: u64) -> f64 {
    let x = (k + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn write_frames(dir: &Path, stage: &str) {
    let column = |name: &str, unit: Option<&str>| Column {
        name: name.into(),
        kind: Kind::Observable,
        width: 1,
        unit: unit.map(Into::into),
        labels: Vec::new(),
        double: true,
    };
    let header = Header {
        stage: stage.into(),
        replicas: REPLICAS,
        particles: 0,
        dimension: 0,
        columns: vec![
            column("energy", Some("kJ/mol")),
            column("dihedral:phi", Some("rad")),
            column("dihedral:psi", Some("rad")),
            column("kinetic_temperature", Some("K")),
        ],
        time_unit: Some("ps".into()),
        topology_json: None,
        provenance: vec![
            ("commit".into(), "abc <i>".into()),
            ("started_unix".into(), "951782400".into()),
            ("config".into(), "not again".into()),
        ],
    };
    let mut sink = crate::io::open_sink(dir.join(stage));
    sink.open(&header, &[]).unwrap();
    for d in 0..DRAWS {
        let of = |c: u64| (0..REPLICAS).map(|r| noise(c + 10 * (d * REPLICAS + r) as u64)).collect::<Vec<f64>>();
        let angle = |c: u64| of(c).into_iter().map(|v| v * PI).collect::<Vec<f64>>();
        let values =
            vec![of(1).into_iter().map(|v| v - 40.0).collect(), angle(2), angle(3), of(4).into_iter().map(|v| 300.0 + v).collect()];
        sink.write(&Frame { step: 10 * d as u64, time: 0.02 * d as f64, values }).unwrap();
    }
    sink.commit().unwrap();
    sink.close().unwrap();
}

fn diagnosed(name: &str, unit: &str, periodic: bool) -> ColumnSummary {
    ColumnSummary {
        name: name.into(),
        unit: Some(unit.into()),
        periodic,
        mean: Some(if name == "energy" { -40.001 } else { 0.5 }),
        stderr: Some(0.0149),
        tau: Some(0.51),
        tau_stderr: Some(0.02),
        r_hat: Some(1.002),
        ess_bulk: Some(1480.0),
        ..ColumnSummary::default()
    }
}

/// A run with a minimisation, a sample stage, two surfaces and a sweep over a timestep with a name that HTML must not believe.
fn run_dir() -> (tempfile::TempDir, PathBuf, Summary) {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("run");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("resolved.toml"), "# <script>alert(1)</script>\n[campaign]\n").unwrap();
    write_frames(&dir, "production");
    let basin = |name: &str, low: f64, high: f64, population| BasinSummary {
        name: name.into(),
        sides: vec![(-PI, PI), (low, high)],
        population,
        stderr: population.map(|_| 0.02),
        ..BasinSummary::default()
    };
    let edges: Vec<f64> = (0..=6).map(|i| -PI + f64::from(i) * PI / 3.0).collect();
    let bins = |n: usize| (0..n).map(|b| (b != 3).then_some(b as f64 * 0.5)).collect::<Vec<_>>();
    let surface = |of: &[&str], n| SurfaceSummary {
        stage: "surface".into(),
        of: of.iter().map(|s| (*s).to_owned()).collect(),
        units: of.iter().map(|_| Some("rad".into())).collect(),
        edges: of.iter().map(|_| edges.clone()).collect(),
        free_energy: bins(n),
        stderr: bins(n),
        unit: Some("kJ/mol".into()),
        how: None,
    };
    let moved = |e: f64| Minimised {
        energy_before: Some(e),
        energy_after: Some(-50.0),
        force_before: Some(1e4),
        force_after: Some(0.5),
        steps: 12,
        converged: true,
    };
    let stages = vec![
        StageSummary { stage: "relax".into(), kind: "minimise".into(), minimised: vec![moved(3.0), moved(4.0)], ..StageSummary::default() },
        StageSummary {
            stage: "production".into(),
            folder: "production".into(),
            kind: "sample".into(),
            propagator: Some("baoab".into()),
            replicas: REPLICAS,
            steps: 3000,
            every: 10,
            timestep: 0.002,
            time_unit: Some("ps".into()),
            draws: DRAWS,
            discard: 20,
            discard_by: "automatic".into(),
            diverged: vec![(3, 1234)],
            acceptance: Some(0.812),
            columns: vec![
                diagnosed("energy", "kJ/mol", false),
                diagnosed("dihedral:phi", "rad", true),
                diagnosed("dihedral:psi", "rad", true),
                diagnosed("kinetic_temperature", "K", false),
                diagnosed("not_stored", "nm", false),
            ],
            basins: Some(BasinsSummary {
                of: vec!["dihedral:phi".into(), "dihedral:psi".into()],
                basins: vec![basin("<b>beta</b>", 2.0, -2.5, Some(0.9)), basin("never", -1.0, 1.0, None)],
                crossings: vec![0, 7, 5, 0],
                between: 3,
            }),
            ..StageSummary::default()
        },
        StageSummary {
            stage: "surface".into(),
            kind: "estimate".into(),
            surfaces: vec![surface(&["dihedral:phi", "dihedral:psi"], 36), surface(&["dihedral:phi"], 6)],
            ..StageSummary::default()
        },
    ];
    let mut estimates = vec![Estimate::new("broken", f64::NAN, f64::INFINITY, f64::NAN)];
    for (k, dt) in ["1 fs", "2 fs", "4 fs"].into_iter().enumerate() {
        let mut e = Estimate::new("energy", -40.0 + 0.1 * k as f64, 0.03, 512.0);
        e.stage = "production".into();
        e.unit = Some("kJ/mol".into());
        e.conditions.insert("production.timestep".into(), dt.into());
        e.reference = Some(Reference { value: -40.0, error: 0.01, source: "Somebody & Co., 2010".into() });
        estimates.push(e);
    }
    let check = |name: &str, outcome, value, message: &str| Check {
        check: name.into(),
        of: "energy".into(),
        value,
        bound: Some(1.01),
        outcome,
        message: message.into(),
    };
    let checks = vec![
        check("r_hat", Outcome::Pass, Some(1.002), "all well"),
        check("ess_bulk", Outcome::Fail, None, "ess_bulk of energy could not be computed: <none>"),
    ];
    let summary = Summary {
        schema: SCHEMA,
        status: "done".into(),
        campaign: "x".into(),
        title: Some("A <b>bold</b> title".into()),
        system: "made-up".into(),
        seed: 7,
        version: "0.1.0".into(),
        verdict: Verdict { outcome: Outcome::Fail, checks },
        estimates,
        stages,
        performance: Performance { cpu_s: 12.0, wall_s: 7.5, evaluations: 1_280_000, ..Performance::default() },
        warnings: vec!["something & odd".into()],
        notes: vec!["log Z is about <x>".into()],
        papers: vec!["Author, Journal 1, 2 (2003)".into()],
    };
    save(&dir, &summary);
    (temp, dir, summary)
}

fn save(dir: &Path, summary: &Summary) {
    std::fs::write(dir.join("summary.json"), serde_json::to_string(summary).unwrap()).unwrap();
}

fn html(dir: &Path) -> String {
    write(dir).unwrap();
    std::fs::read_to_string(dir.join("report.html")).unwrap()
}

/// Names of figures that the page links.
fn linked(html: &str) -> Vec<String> {
    let ends = html.split("href=\"figures/").skip(1).filter_map(|rest| rest.split_once('"'));
    ends.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_figure_of_the_page_lies_there_three_times() {
    let (_temp, dir, _) = run_dir();
    let html = html(&dir);
    let names = linked(&html);
    // Traces and correlations of four columns, two surfaces, the minimisation, the sweep; each as SVG, PNG and CSV.
    assert_eq!(names.len(), 3 * (4 + 4 + 2 + 1 + 1), "{names:?}");
    for name in &names {
        let bytes = std::fs::read(dir.join("figures").join(name)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        match name.rsplit('.').next() {
            Some("png") => assert_eq!(&bytes[1..4], b"PNG", "{name}"),
            Some("svg") => assert!(text.starts_with("<svg") && text.contains("viewBox") && !text.contains("NaN"), "{name}"),
            _ => assert!(text.lines().count() > 3 && !text.contains("NaN"), "{name}"),
        }
    }
    assert!(html.len() < 2_000_000);
}

#[test]
fn the_page_says_the_verdict_first_and_believes_no_name() {
    let (_temp, dir, _) = run_dir();
    let html = html(&dir);
    let body = html.split_once("<body>").unwrap().1.trim_start();
    assert!(body.starts_with("<p class=\"verdict fail\">NOT CONVERGED: 1 of 2 checks failed</p>"), "{}", &body[..200]);
    assert!(body.find("FAILED").unwrap() < body.find(">passed<").unwrap());
    // Pictures are letters at random.
    let (first, rest) = html.split_once("base64,").unwrap_or((&html, ""));
    let html = first.to_owned() + &rest.split("base64,").filter_map(|part| part.split_once('"')).map(|p| p.1).collect::<String>();
    for wrong in ["<b>", "<script", "<i>", "<none>", "not again", "NaN", ">inf"] {
        assert!(!html.contains(wrong), "{wrong}");
    }
    for right in [
        "A &#60;b&#62;bold",
        "&#60;script&#62;",
        "-40.000 \u{b1} 0.030",
        "not visited",
        "replica 3 at step 1234",
        "81.2 %",
        "Somebody &#38; Co.",
        "something &#38; odd",
        "2000-02-29",
        "Author, Journal",
        "-40.001 \u{b1} 0.015",
    ] {
        assert!(html.contains(right), "{right} is missing");
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let (_temp, dir, _) = run_dir();
    let first = html(&dir);
    let picture = std::fs::read(dir.join("figures/production-trace-energy.png")).unwrap();
    assert_eq!(first, html(&dir));
    assert_eq!(picture, std::fs::read(dir.join("figures/production-trace-energy.png")).unwrap());
}

#[test]
fn what_is_not_there_is_left_out() {
    let (_temp, dir, mut summary) = run_dir();
    summary.stages.remove(2);
    summary.stages.remove(0);
    summary.stages[0].columns.truncate(1);
    summary.stages[0].basins = None;
    summary.estimates.truncate(1);
    save(&dir, &summary);
    let page = html(&dir);
    assert_eq!(linked(&page).len(), 6, "trace and correlation of the energy");
    assert!(!page.contains("Sweep") && !page.contains("Temperatures") && !page.contains("Crossings"));
    // Without an estimate stage the map is made of the stored dihedrals.
    let (_temp, dir, mut summary) = run_dir();
    summary.stages.remove(2);
    save(&dir, &summary);
    assert!(linked(&html(&dir)).contains(&"production-map-dihedral-phi-dihedral-psi.svg".to_owned()));
    // All replicas diverged, no checks, nothing estimated.
    summary.stages[1].diverged = (0..REPLICAS).map(|r| (r, 1)).collect();
    summary.verdict.checks.clear();
    summary.estimates.clear();
    save(&dir, &summary);
    assert!(html(&dir).contains("nothing was checked"));
}

#[test]
fn a_large_run_stays_small_on_the_page() {
    let (_temp, dir, mut summary) = run_dir();
    let production = summary.stages[1].clone();
    for k in 0..14 {
        summary.stages.push(StageSummary { point: format!("timestep={k}"), ..production.clone() });
    }
    save(&dir, &summary);
    let page = html(&dir);
    assert!(page.len() < 2_000_000 && page.contains("Not shown here"), "{}", page.len());
    assert!(linked(&page).iter().all(|name| dir.join("figures").join(name).is_file()));
}

#[test]
fn damaged_and_missing_files_are_said() {
    let (_temp, dir, mut summary) = run_dir();
    let fails = |text: &str| {
        std::fs::write(dir.join("summary.json"), text).unwrap();
        write(&dir).unwrap_err()
    };
    assert!(matches!(fails("{"), Error::Damaged { .. }));
    assert!(matches!(fails("{\"schema\": 99}"), Error::Damaged { .. }));
    assert!(matches!(fails("[]"), Error::Damaged { .. }));
    assert!(fails("{\"schema\": 1}").to_string().contains("not a summary"));
    std::fs::remove_file(dir.join("summary.json")).unwrap();
    assert!(matches!(write(&dir).unwrap_err(), Error::Input(_)));
    summary.stages[1].draws += 1;
    save(&dir, &summary);
    assert!(write(&dir).unwrap_err().to_string().contains("summary.json says 301"));
    summary.stages[1].folder = "elsewhere".into();
    save(&dir, &summary);
    assert!(matches!(write(&dir).unwrap_err(), Error::Damaged { .. }));
}
