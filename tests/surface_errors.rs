//! Errors of the bins of a free-energy profile from frames that are correlated in time: as large as the profile is off, bin by bin.

#[allow(dead_code)]
mod program;

use ergodica::campaign::compare::summary;
use ergodica::estimate::summary::Summary;
use ergodica::estimate::{Axis, MbarOptions, ReducedPotentials, mbar};
use ergodica::io::reader::Stage;
use ergodica::real::Real;
use program::{campaign, ergodica, str};
use std::path::Path;

const SEEDS: usize = 32;
const BINS: usize = 12;
const RANGE: f64 = 1.44;
/// Copies of the ladder: few, so that theory stands alone; enough for a spread beside it.
const COPIES: [usize; 2] = [3, 8];

/// Two wells over four temperatures by short moves, every one of them stored.
fn text() -> String {
    let seeds: Vec<String> = (1..=SEEDS).map(|s| s.to_string()).collect();
    let mut text = format!(
        "[campaign]\nname = \"bins\"\n[system]\nformula = \"6*(x^2 - 1)^2 + 0.5*x + 2*(y - x)^2\"\nvariables = [\"x\", \"y\"]\nstart = [-1, -1]\n\
         [sweep]\n\"campaign.seed\" = [{}]\n",
        seeds.join(", ")
    );
    for copies in COPIES {
        let steps = 12_000 / copies;
        text += &format!(
            "[[stage]]\nname = \"ladder-{copies}\"\nexchange = {{ propagator = \"hmc\", timestep = 0.1, leapfrog_steps = 3, replicas = {copies}, \
             steps = {steps}, temperatures = {{ from = 1, to = 4, count = 4 }}, swap_every = 2, discard = 300 }}\n\
             observe = {{ every = 1, columns = [\"coordinate:x\"] }}\n\
             [[stage]]\nname = \"profile-{copies}\"\nestimate = {{ method = \"fes\", from = \"ladder-{copies}\", of = [\"x\"], bins = {BINS}, \
             range = {{ x = [-{RANGE}, {RANGE}] }} }}\n"
        );
    }
    text
}

/// -ln of the probability of each bin.
fn exact() -> Vec<f64> {
    let weight = |e: &[f64]| -> f64 {
        let h = (e[1] - e[0]) / 400.0;
        (0..400).map(|i| e[0] + (f64::from(i) + 0.5) * h).map(|x| Real::exp(-6.0 * Real::powi(x * x - 1.0, 2) - 0.5 * x)).sum()
    };
    axis().edges().windows(2).map(|e| -Real::ln(weight(e))).collect()
}

fn axis() -> Axis {
    Axis::new(-RANGE, RANGE, BINS, false).unwrap()
}

/// z of every bin but the lowest.
fn z_of(f: &[f64], stderr: &[f64], exact: &[f64]) -> Vec<f64> {
    let lowest = (0..BINS).find(|b| f[*b] == 0.0).unwrap();
    (0..BINS).filter(|b| *b != lowest).map(|b| (f[b] - exact[b] + exact[lowest]) / stderr[b]).collect()
}

fn reported(found: &Summary, copies: usize) -> Vec<Vec<f64>> {
    let stages = found.stages.iter().filter(|s| s.stage == format!("profile-{copies}"));
    let numbers = |all: &[Option<f64>]| all.iter().map(|v| v.expect("every bin is visited")).collect::<Vec<_>>();
    stages.map(|s| &s.surfaces[0]).map(|s| z_of(&numbers(&s.free_energy), &numbers(&s.stderr), &exact())).collect()
}

/// The twin: frames of one ladder taken for independent.
fn independent(folder: &Path, discard: usize) -> Vec<f64> {
    let (files, _) = Stage::open(folder).unwrap().unwrap();
    let (replicas, draws) = (files.header.replicas, files.frames() as usize);
    let (x, state) = (files.column("coordinate:x").unwrap(), files.column("state").unwrap());
    let u_kn = files.values("u_kn", 0..draws as u64, 0..replicas).unwrap();
    let (mut origin, mut u, mut at) = (Vec::new(), Vec::new(), Vec::new());
    for r in 0..replicas {
        for d in discard..draws {
            origin.push(state[r][d] as usize);
            u.extend_from_slice(&u_kn[(d * replicas + r) * 4..][..4]);
            at.push(x[r][d]);
        }
    }
    let potentials = ReducedPotentials::from_samples(&["a", "b", "c", "d"], &origin, &u).unwrap();
    let s = mbar(&potentials, &MbarOptions::default()).unwrap().surface(0, &[&at], &[axis()], 1.0).unwrap();
    z_of(&s.free_energy, &s.stderr, &exact())
}

fn rms<'a>(z: impl Iterator<Item = &'a f64>) -> f64 {
    let (sum, n) = z.fold((0.0, 0.0), |(sum, n): (f64, f64), z| (sum + z * z, n + 1.0));
    (sum / n).sqrt()
}

#[test]
fn errors_of_bins_are_as_large_as_the_bins_are_off() {
    let (dir, file) = campaign(&text());
    let out = dir.path().join("run");
    ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q"]).finished();
    let found = summary(&out).unwrap();
    for copies in COPIES {
        let z = reported(&found, copies);
        assert_eq!(z.len(), SEEDS);
        let folders = found.stages.iter().filter(|s| s.stage == format!("ladder-{copies}"));
        let twin: Vec<Vec<f64>> = folders.map(|s| independent(&out.join(&s.folder), s.discard)).collect();
        let (all, naive) = (rms(z.iter().flatten()), rms(twin.iter().flatten()));
        let bins: Vec<f64> = (0..BINS - 1).map(|b| rms(z.iter().map(|z| &z[b]))).collect();
        println!("{copies} copies: rms z {all:.3}, of bins {bins:.2?}, of independent frames {naive:.2}");
        assert!((0.8..=1.25).contains(&all), "{copies} copies: rms z {all}");
        assert!(bins.iter().all(|z| (0.6..=1.5).contains(z)), "{copies} copies: {bins:?}");
        assert!(naive > 2.0, "{copies} copies: the twin has {naive}");
    }
}
