//! Alanine dipeptide from the vacuum to implicit solvent, by the campaign as it is shipped: three roads to one free energy, each to better
//! than a tenth of kT, in agreement with each other and with other programs, within half an hour of processor time.

#[allow(dead_code)]
mod program;

use ergodica::campaign::compare::summary;
use ergodica::estimate::summary::Summary;
use ergodica::real::Real;
use program::{ergodica, str};
use std::path::Path;

/// Reference of the system, from OpenMM and pymbar (systems/ala2-ff99sbildn-obc/reference.toml), in kT at 300 K.
const REFERENCE: (f64, f64) = (-18.711, 0.025);
/// kT at 300 K in kcal/mol.
const KT: f64 = 8.314_462_618_153_24e-3 / 4.184 * 300.0;
/// Processor seconds: 15 minutes on two cores.
const CPU_S: f64 = 2.0 * 15.0 * 60.0;
/// Largest error of a road, kT.
const ERROR: f64 = 0.1;
/// Agreement that chance alone would spoil less often than this is none.
const CHANCE: f64 = 1e-3;

/// What the campaign found: the roads' values and errors in kT, and its processor time.
#[derive(Clone, Debug)]
struct Found {
    mbar: (f64, f64),
    ti: (f64, f64),
    work: (f64, f64),
    cpu_s: f64,
}

impl Found {
    fn of(summary: &Summary) -> Self {
        let road = |stage: &str| {
            let e = summary.estimates.iter().find(|e| e.stage == stage && e.quantity == "delta_f").expect("a free energy");
            assert_eq!(e.unit.as_deref(), Some("kcal/mol"), "{stage}");
            println!("{stage}: {:.4}({:.4}) kcal/mol", e.value, e.stderr);
            (e.value / KT, e.stderr / KT)
        };
        Found { mbar: road("mbar"), ti: road("ti"), work: road("work"), cpu_s: summary.performance.cpu_s }
    }

    /// All that is wrong. MBAR and integration read the same frames, so each of them is held against the two others that are
    /// independent of it: three values around their weighted mean have chi^2 of two degrees of freedom, p = exp(-chi^2 / 2).
    fn wrong(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (road, (value, stderr)) in [("mbar", self.mbar), ("ti", self.ti), ("work", self.work)] {
            if !(stderr > 0.0 && stderr < ERROR) {
                all.push(format!("{road}: {value} +- {stderr} kT, not below {ERROR}"));
            }
        }
        for (road, own) in [("mbar", self.mbar), ("ti", self.ti)] {
            let p = agreement(&[own, self.work, REFERENCE]);
            if p.is_nan() || p <= CHANCE {
                all.push(format!("{road} {own:?}, work {:?} and the reference {REFERENCE:?} agree with p = {p:.1e}", self.work));
            }
        }
        if !(self.cpu_s > 0.0 && self.cpu_s < CPU_S) {
            all.push(format!("{} processor seconds, not below {CPU_S}", self.cpu_s));
        }
        all
    }
}

/// Probability that three independent values lie as far apart as these.
fn agreement(values: &[(f64, f64); 3]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (value, stderr) in values {
        (sum, weights) = (sum + value / (stderr * stderr), weights + 1.0 / (stderr * stderr));
    }
    let chi_square: f64 = values.iter().map(|(value, stderr)| Real::powi((value - sum / weights) / stderr, 2)).sum();
    Real::exp(-0.5 * chi_square)
}

#[test]
fn the_reference_is_that_of_the_system() {
    let text = include_str!("../systems/ala2-ff99sbildn-obc/reference.toml");
    let own =
        format!("quantity = \"delta_f:solvent\"\nvalue = {}\nerror = {}\nconditions = {{ temperature = 300.0 }}", REFERENCE.0, REFERENCE.1);
    assert!(text.contains(&own), "{own}");
}

#[test]
#[ignore = "the whole campaign: eight minutes or more on two cores"]
fn three_roads_agree() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/free-energy/ala2-solvation.toml");
    ergodica(&["run", str(&file), "--out", str(&out), "--no-report", "-q"]).finished();
    let found = Found::of(&summary(&out).unwrap());
    println!("{found:?}");
    assert_eq!(found.wrong(), Vec::<String>::new());
}

/// The twins: each road alone shifted by 5 of its errors, an error that is too large, too much time, nothing at all.
#[test]
fn what_is_wrong_is_found() {
    let good = Found { mbar: (-18.707, 0.036), ti: (-18.710, 0.038), work: (-18.661, 0.037), cpu_s: 1343.0 };
    assert_eq!(good.wrong(), Vec::<String>::new());
    let twin = |change: &dyn Fn(&mut Found)| {
        let mut found = good.clone();
        change(&mut found);
        found.wrong().concat()
    };
    assert!(twin(&|f| f.mbar.0 += 5.0 * f.mbar.1).starts_with("mbar (-18.5"));
    assert!(twin(&|f| f.ti.0 -= 5.0 * f.ti.1).starts_with("ti (-18.9"));
    let both = twin(&|f| f.work.0 += 5.0 * f.work.1);
    assert!(both.contains("mbar (") && both.contains("ti ("), "{both}");
    // all three off together: the reference tells
    assert!(twin(&|f| [&mut f.mbar, &mut f.ti, &mut f.work].into_iter().for_each(|road| road.0 += 0.15)).contains("the reference"));
    assert!(twin(&|f| f.work.1 = 0.11).starts_with("work: -18.661 +- 0.11 kT"));
    assert!(twin(&|f| f.ti.1 = f64::NAN).contains("ti: -18.71 +- NaN"));
    assert!(twin(&|f| f.cpu_s = 1801.0).starts_with("1801 processor seconds"));
    // +-1 with errors of 1 around a third value without weight: chi^2 = 2
    assert!((agreement(&[(1.0, 1.0), (-1.0, 1.0), (0.0, 1e6)]) - Real::exp(-1.0)).abs() < 1e-9);
}
