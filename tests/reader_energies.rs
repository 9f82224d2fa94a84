//! What the reader of System XML hands out, put into the formulas that stand in its documentation, gives OpenMM's energies:
//! plain loops, no kernel of the library. Reference: `energies.json` of every molecule, OpenMM 8.6.1, Reference platform.

// A reference of its own: the standard library's functions are the independent ones here.
#![allow(clippy::disallowed_methods)]

use std::path::Path;

use ergodica::error::Source;
use ergodica::io::openmm::{COULOMB, Implicit, ImplicitKind, Method, MolecularSystem, Nonbonded, read_system_file};
use ergodica::io::structures::read_configs;

type Point = [f64; 3];

fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Point, b: Point) -> Point {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn distance(x: &[Point], i: usize, j: usize) -> f64 {
    let d = sub(x[i], x[j]);
    dot(d, d).sqrt()
}

fn angle(x: &[Point], [i, j, k]: [usize; 3]) -> f64 {
    let (a, b) = (sub(x[i], x[j]), sub(x[k], x[j]));
    let c = cross(a, b);
    dot(c, c).sqrt().atan2(dot(a, b))
}

fn torsion(x: &[Point], [i, j, k, l]: [usize; 4]) -> f64 {
    let (a, b, c) = (sub(x[j], x[i]), sub(x[k], x[j]), sub(x[l], x[k]));
    let (m, n) = (cross(a, b), cross(b, c));
    (dot(b, b).sqrt() * dot(a, n)).atan2(dot(m, n))
}

fn nonbonded(f: &Nonbonded, x: &[Point]) -> f64 {
    let lj = |r: f64, sigma: f64, eps: f64| 4.0 * eps * ((sigma / r).powi(12) - (sigma / r).powi(6));
    let (k_rf, c_rf) = f.reaction_field();
    let mut pairs: Vec<[usize; 2]> = f.exceptions.iter().map(|e| [e.atoms[0].min(e.atoms[1]), e.atoms[0].max(e.atoms[1])]).collect();
    pairs.sort_unstable();
    let mut e = 0.0;
    for i in 0..x.len() {
        for j in i + 1..x.len() {
            let r = distance(x, i, j);
            if pairs.binary_search(&[i, j]).is_ok() || (f.method == Method::CutoffNonPeriodic && r >= f.cutoff) {
                continue;
            }
            e += lj(r, (f.sigma[i] + f.sigma[j]) / 2.0, (f.epsilon[i] * f.epsilon[j]).sqrt());
            e += COULOMB * f.charges[i] * f.charges[j] * (1.0 / r + k_rf * r * r - c_rf);
        }
    }
    for p in &f.exceptions {
        let r = distance(x, p.atoms[0], p.atoms[1]);
        e += lj(r, p.sigma, p.epsilon) + COULOMB * p.charge_product / r;
    }
    e
}

fn born_radii(f: &Implicit, x: &[Point]) -> Vec<f64> {
    let mut out = Vec::new();
    for i in 0..x.len() {
        let or = f.offset_radii[i];
        let mut integral = 0.0;
        for j in (0..x.len()).filter(|&j| j != i) {
            let (r, sr) = (distance(x, i, j), f.scaled_radii[j]);
            if f.method == Method::CutoffNonPeriodic && r >= f.cutoff {
                continue;
            }
            if or < r + sr {
                let (l, u) = (or.max((r - sr).abs()), r + sr);
                let c = if f.engulfed && or < sr - r { 2.0 * (1.0 / or - 1.0 / l) } else { 0.0 };
                integral +=
                    0.5 * (1.0 / l - 1.0 / u + 0.25 * (r - sr * sr / r) * (1.0 / (u * u) - 1.0 / (l * l)) + 0.5 * (l / u).ln() / r + c);
            }
            if let Some(n) = f.neck.as_ref().filter(|n| r < f.radii[i] + f.radii[j] + n.cut) {
                let at = n.index[i] * n.size + n.index[j];
                let d = r - n.d0[at];
                integral += n.scale * n.m0[at] / (1.0 + 100.0 * d * d + 3e5 * d.powi(6));
            }
        }
        let psi = integral * or;
        out.push(match f.kind {
            ImplicitKind::Hct => 1.0 / (1.0 / or - integral),
            _ => 1.0 / (1.0 / or - (f.alpha[i] * psi - f.beta[i] * psi * psi + f.gamma[i] * psi * psi * psi).tanh() / f.radii[i]),
        });
    }
    out
}

fn implicit(f: &Implicit, x: &[Point]) -> f64 {
    let b = born_radii(f, x);
    let tau = 1.0 / f.solute_dielectric - 1.0 / f.solvent_dielectric;
    let mut e = 0.0;
    for i in 0..x.len() {
        e += -0.5 * f.coulomb * tau * f.charges[i] * f.charges[i] / b[i];
        e += f.surface * (f.radii[i] + f.probe).powi(2) * (f.radii[i] / b[i]).powi(6);
        for j in i + 1..x.len() {
            let r = distance(x, i, j);
            if f.method == Method::NoCutoff || r < f.cutoff {
                let g = (r * r + b[i] * b[j] * (-r * r / (4.0 * b[i] * b[j])).exp()).sqrt();
                e -= f.coulomb * tau * f.charges[i] * f.charges[j] * (1.0 / g - f.pair_shift);
            }
        }
    }
    e
}

fn terms(s: &MolecularSystem, x: &[Point]) -> Vec<f64> {
    let mut e = vec![0.0; s.forces.len()];
    for f in &s.bonds {
        e[f.term] += f.items.iter().map(|b| 0.5 * b.k * (distance(x, b.atoms[0], b.atoms[1]) - b.length).powi(2)).sum::<f64>();
    }
    for f in &s.angles {
        e[f.term] += f.items.iter().map(|a| 0.5 * a.k * (angle(x, a.atoms) - a.angle).powi(2)).sum::<f64>();
    }
    for f in &s.torsions {
        e[f.term] += f.items.iter().map(|t| t.k * (1.0 + (f64::from(t.periodicity) * torsion(x, t.atoms) - t.phase).cos())).sum::<f64>();
    }
    if let Some(f) = &s.nonbonded {
        e[f.term] += nonbonded(f, x);
    }
    if let Some(f) = &s.implicit {
        e[f.term] += implicit(f, x);
    }
    e
}

/// Largest relative error over all terms of all configurations, after `change` to the system.
fn worst(folder: &Path, change: impl Fn(&mut MolecularSystem)) -> f64 {
    let mut system = read_system_file(folder.join("system.xml")).unwrap_or_else(|e| panic!("{e}"));
    change(&mut system);
    let text = std::fs::read_to_string(folder.join("energies.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let configs = read_configs(&Source::new("energies.json", text)).unwrap();
    let mut worst: f64 = 0.0;
    for (k, config) in configs.iter().enumerate() {
        let x: Vec<Point> = config.x.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
        let ours = terms(&system, &x);
        let theirs = json["configs"][k]["terms"].as_array().unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (a, b) in ours.iter().zip(theirs) {
            let b = b.as_f64().unwrap();
            worst = worst.max((a - b).abs() / b.abs().max(1.0));
        }
    }
    worst
}

fn systems() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systems")
}

#[test]
fn every_shipped_molecule_has_openmm_s_energies() {
    let mut count = 0;
    // Implicit solvents that no shipped molecule has.
    let others = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/implicit");
    for entry in std::fs::read_dir(systems()).unwrap().chain(std::fs::read_dir(others).unwrap()) {
        let folder = entry.unwrap().path();
        if folder.join("system.xml").exists() && folder.join("energies.json").exists() {
            let error = worst(&folder, |_| ());
            assert!(error < 1e-9, "{}: {error:e}", folder.display());
            count += 1;
        }
    }
    assert!(count >= 23, "{count}");
}

/// Broken twins: each must miss by far more than the tolerance, or the test above shows nothing.
#[test]
fn a_wrong_reading_would_be_seen() {
    let gbn2 = systems().join("ala2-ff14sb-gbn2");
    let transposed = worst(&gbn2, |s| {
        let neck = s.implicit.as_mut().and_then(|f| f.neck.as_mut()).unwrap();
        let old = neck.d0.clone();
        for i in 0..neck.size {
            for j in 0..neck.size {
                neck.d0[i * neck.size + j] = old[j * neck.size + i];
            }
        }
    });
    assert!(transposed > 1e-6, "{transposed:e}");
    let not_engulfed = worst(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/implicit/engulfed-gbsaobc"), |s| {
        s.implicit.as_mut().unwrap().engulfed = false;
    });
    assert!(not_engulfed > 1e-3, "{not_engulfed:e}");
    let other_constant = worst(&systems().join("ala2-ff96-gbsaobc"), |s| s.implicit.as_mut().unwrap().coulomb = 138.935485);
    assert!(other_constant > 1e-8, "{other_constant:e}");
    let no_shift = worst(&systems().join("ala2-ff14sb-obc1"), |s| s.implicit.as_mut().unwrap().pair_shift = 0.0);
    assert!(no_shift > 1e-3, "{no_shift:e}");
    let no_exceptions = worst(&systems().join("ala2-ff96-vacuum"), |s| s.nonbonded.as_mut().unwrap().exceptions.clear());
    assert!(no_exceptions > 1e-1, "{no_exceptions:e}");
}
