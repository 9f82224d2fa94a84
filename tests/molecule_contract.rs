//! What every molecule promises as a potential: forces that are gradients, lanes that equal scalars, symmetries, and
//! trouble that stays in its own replica.

use ergodica::energy::molecular::Molecule;
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::io::openmm::read_system_file;
use ergodica::real::isa::{Path as Isa, dispatch_on};
use ergodica::real::{Lanewise, Octet, Wide};
use std::path::{Path, PathBuf};

struct Case {
    name: String,
    molecule: Molecule,
    /// Configurations of the reference.
    x: Vec<Vec<f64>>,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<(PathBuf, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(root.join("systems")).unwrap() {
        let folder = entry.unwrap().path();
        files.push((folder.join("system.xml"), folder.join("energies.json")));
    }
    for entry in std::fs::read_dir(root.join("tests/data/molecules")).unwrap() {
        let xml = entry.unwrap().path();
        if xml.extension().is_some_and(|e| e == "xml") {
            files.push((xml.clone(), xml.with_extension("ref.json")));
        }
    }
    files.sort();
    let mut cases = Vec::new();
    for (xml, json) in files {
        if !(xml.exists() && json.exists()) {
            continue;
        }
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
        let mut x = Vec::new();
        for c in json["configs"].as_array().unwrap() {
            x.push(c["x"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect());
        }
        let molecule = Molecule::new(&read_system_file(&xml).unwrap()).unwrap();
        cases.push(Case { name: xml.display().to_string(), molecule, x });
    }
    assert!(cases.len() >= 30);
    cases
}

/// Numbers in (-1, 1), the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// Eight replicas: the first configurations, each a little displaced.
fn block(case: &Case, noise: &mut Noise) -> Vec<Octet> {
    let dof = case.molecule.dof();
    let mut x = vec![Octet::of(0.0); dof];
    for lane in 0..8 {
        let from = &case.x[lane % case.x.len()];
        for k in 0..dof {
            x[k].0[lane] = from[k] + 1e-3 * noise.next();
        }
    }
    x
}

fn lane(x: &[Octet], lane: usize) -> Vec<f64> {
    x.iter().map(|o| o.0[lane]).collect()
}

struct Run<'a> {
    molecule: &'a Molecule,
    x: &'a [Octet],
    f: &'a mut [Octet],
    terms: &'a mut [Octet],
}

impl Lanewise for Run<'_> {
    type Out = (Octet, Octet);
    #[inline(always)]
    fn run<L: Wide>(self) -> (Octet, Octet) {
        let (x, f, terms) = (L::of_octets(self.x), L::of_octets_mut(self.f), L::of_octets_mut(self.terms));
        let plain = self.molecule.energy_force(x, L::of(1.0), f);
        (plain.store(), self.molecule.energy_terms(x, L::of(1.0), f, terms).store())
    }
}

#[test]
fn lanes_equal_scalars_to_the_bit_on_every_path() {
    let mut noise = Noise(1);
    for case in cases() {
        let x = block(&case, &mut noise);
        let (dof, n_terms) = (case.molecule.dof(), case.molecule.terms().len());
        for path in [Isa::Avx512, Isa::Avx2, Isa::Portable] {
            if !path.available() {
                println!("skipped: no {} here", path.name());
                continue;
            }
            let (mut f, mut terms) = (vec![Octet::of(f64::NAN); dof], vec![Octet::of(f64::NAN); n_terms]);
            let (plain, u) = dispatch_on(path, Run { molecule: &case.molecule, x: &x, f: &mut f, terms: &mut terms });
            assert_eq!(plain.0.map(f64::to_bits), u.0.map(f64::to_bits));
            for l in 0..8 {
                let (mut f_one, mut terms_one) = (vec![0.0; dof], vec![0.0; n_terms]);
                let u_one = case.molecule.energy_terms(&lane(&x, l), 1.0, &mut f_one, &mut terms_one);
                assert_eq!(u_one.to_bits(), u.0[l].to_bits(), "{} on {}", case.name, path.name());
                assert!(f_one.iter().zip(lane(&f, l)).all(|(a, b)| a.to_bits() == b.to_bits()), "{} on {}", case.name, path.name());
                assert!(terms_one.iter().zip(lane(&terms, l)).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", case.name);
            }
        }
    }
}

#[test]
fn forces_are_gradients() {
    let mut noise = Noise(2);
    for case in cases() {
        let (dof, n_terms) = (case.molecule.dof(), case.molecule.terms().len());
        let potential = Batched(case.molecule.clone());
        let (mut f, mut terms) = (vec![0.0; dof], vec![0.0; n_terms]);
        for x in case.x.iter().take(2) {
            potential.eval_one(x, 1.0, &mut f, &mut terms);
            let scale = f.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            let mut directions: Vec<Vec<f64>> = Vec::new();
            for k in (0..dof).step_by(dof.div_ceil(40)) {
                directions.push((0..dof).map(|i| f64::from(u8::from(i == k))).collect());
            }
            directions.push((0..dof).map(|_| noise.next()).collect());
            for direction in directions {
                let (_, slope) = potential.derivative(x, 1.0, &direction, 0.0);
                let along: f64 = f.iter().zip(&direction).map(|(f, d)| f * d).sum();
                assert!((slope + along).abs() <= 1e-10 * scale, "{}: {slope} against {}", case.name, -along);
            }
        }
    }
}

#[test]
fn moving_and_turning_a_molecule_changes_nothing() {
    for case in cases() {
        let (dof, n_terms) = (case.molecule.dof(), case.molecule.terms().len());
        let x = &case.x[0];
        // A turn about (1, 2, 2)/3 by acos(-1/9), as a matrix of small integers over 9.
        let turn = [[-8.0, 4.0, 1.0], [4.0, 7.0, 4.0], [1.0, 4.0, -8.0]].map(|r: [f64; 3]| r.map(|v| v / 9.0));
        let mut moved = vec![0.0; dof];
        for atom in 0..dof / 3 {
            for k in 0..3 {
                moved[3 * atom + k] = (0..3).map(|l| turn[k][l] * x[3 * atom + l]).sum::<f64>() + [0.3, -0.7, 0.2][k];
            }
        }
        let (mut f, mut f_moved) = (vec![0.0; dof], vec![0.0; dof]);
        let (mut terms, mut terms_moved) = (vec![0.0; n_terms], vec![0.0; n_terms]);
        let u = case.molecule.energy_terms(x, 1.0, &mut f, &mut terms);
        let u_moved = case.molecule.energy_terms(&moved, 1.0, &mut f_moved, &mut terms_moved);
        let scale = f.iter().fold(u.abs(), |m: f64, v| m.max(v.abs()));
        assert!((u - u_moved).abs() <= 1e-10 * scale, "{}: {u} {u_moved}", case.name);
        for atom in 0..dof / 3 {
            for k in 0..3 {
                let turned: f64 = (0..3).map(|l| turn[k][l] * f[3 * atom + l]).sum();
                assert!((turned - f_moved[3 * atom + k]).abs() <= 1e-9 * scale, "{}", case.name);
            }
        }
        for k in 0..3 {
            let (mut total, mut torque) = (0.0, 0.0);
            for atom in 0..dof / 3 {
                let (a, b) = (3 * atom + (k + 1) % 3, 3 * atom + (k + 2) % 3);
                total += f[3 * atom + k];
                torque += x[a] * f[b] - x[b] * f[a];
            }
            assert!(total.abs() <= 1e-10 * scale && torque.abs() <= 1e-10 * scale, "{}: {total} {torque}", case.name);
        }
    }
}

/// Two atoms in one place, a coordinate that is not a number, one that is infinite, a molecule on a straight line.
#[test]
fn trouble_stays_in_its_replica() {
    let mut noise = Noise(3);
    for case in cases() {
        let dof = case.molecule.dof();
        let good = block(&case, &mut noise);
        let potential = Batched(case.molecule.clone());
        let mut f_good = good.clone();
        let u_good = potential.eval_block(&good, Octet::of(1.0), &mut f_good, None);
        let mut bad = good.clone();
        for k in 0..3 {
            bad[3 + k].0[1] = bad[k].0[1];
        }
        bad[4].0[3] = f64::NAN;
        bad[5].0[4] = f64::INFINITY;
        for atom in 0..dof / 3 {
            for k in 0..3 {
                bad[3 * atom + k].0[6] = if k == 0 { 0.1 * atom as f64 } else { 0.0 };
            }
        }
        let mut f_bad = bad.clone();
        let u_bad = potential.eval_block(&bad, Octet::of(1.0), &mut f_bad, None);
        for l in [0, 2, 5, 7] {
            assert_eq!(u_good.0[l].to_bits(), u_bad.0[l].to_bits(), "{}", case.name);
            assert!(lane(&f_good, l).iter().zip(lane(&f_bad, l)).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", case.name);
        }
        assert!(!u_bad.0[3].is_finite(), "{}: a coordinate that is not a number must show", case.name);
        assert!(u_bad.0[6].is_finite() && lane(&f_bad, 6).iter().all(|v| v.is_finite()), "{}: on a line {}", case.name, u_bad.0[6]);
        for l in [1, 3, 4, 6] {
            let (mut f_one, mut terms) = (vec![0.0; dof], vec![0.0; case.molecule.terms().len()]);
            let u_one = potential.eval_one(&lane(&bad, l), 1.0, &mut f_one, &mut terms);
            let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            assert!(same(u_one, u_bad.0[l]), "{}", case.name);
            assert!(f_one.iter().zip(lane(&f_bad, l)).all(|(a, b)| same(*a, b)), "{} lane {l}", case.name);
        }
    }
}
