//! What every path promises, and what the tests start from.

use ergodica::energy::Potential;
use ergodica::io::openmm::{MolecularSystem, read_system_file};
use ergodica::real::Octet;
use std::path::Path;

/// Configurations and energies of a system's reference by OpenMM.
pub(crate) struct Reference {
    pub(crate) x: Vec<Vec<f64>>,
    pub(crate) energy: Vec<f64>,
}

pub(crate) fn system(name: &str) -> (MolecularSystem, Reference) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("systems").join(name);
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.join("energies.json")).unwrap()).unwrap();
    let mut reference = Reference { x: Vec::new(), energy: Vec::new() };
    for c in json["configs"].as_array().unwrap() {
        reference.x.push(c["x"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect());
        reference.energy.push(c["energy"].as_f64().unwrap());
    }
    (read_system_file(folder.join("system.xml")).unwrap(), reference)
}

/// Numbers in (-1, 1), the same in every run.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

pub(crate) fn one(p: &dyn Potential, x: &[f64], lambda: f64) -> (f64, Vec<f64>, Vec<f64>) {
    let (mut f, mut terms) = (vec![f64::NAN; p.dof()], vec![f64::NAN; p.terms().len()]);
    let u = p.eval_one(x, lambda, &mut f, &mut terms);
    (u, f, terms)
}

pub(crate) fn energy(p: &dyn Potential, x: &[f64], lambda: f64) -> f64 {
    one(p, x, lambda).0
}

pub(crate) fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

/// Everything that holds for any path: lanes, forces, derivatives by lambda, terms, the linear shortcut.
pub(crate) fn contract(name: &str, p: &dyn Potential, starts: &[Vec<f64>], width: f64) {
    let (dof, n_terms) = (p.dof(), p.terms().len());
    let mut noise = Noise(7);
    for round in 0..4 {
        let mut x = vec![Octet::of(0.0); dof];
        let mut lambda = Octet::of(0.0);
        for lane in 0..8 {
            for k in 0..dof {
                x[k].0[lane] = starts[(lane + round) % starts.len()][k] + width * noise.next();
            }
            // The ends and inner points side by side; in one round, a block all at 0.
            lambda.0[lane] = [0.0, 1.0, 0.5, 0.25, 0.5 + 0.5 * noise.next()][(lane + round) % 5] * f64::from(u8::from(round != 3));
        }
        let (mut f, mut terms, mut alone) = (x.clone(), vec![Octet::of(f64::NAN); n_terms], x.clone());
        let u = p.eval_block(&x, lambda, &mut f, Some(&mut terms));
        let slopes = p.slope_block(&x, lambda);
        assert_eq!(p.eval_block(&x, lambda, &mut alone, None), u, "{name}: without terms");
        for lane in 0..8 {
            let of = |v: &[Octet]| -> Vec<f64> { v.iter().map(|o| o.0[lane]).collect() };
            let bits = |v: &[f64]| -> Vec<u64> { v.iter().map(|v| v.to_bits()).collect() };
            let (xs, at) = (of(&x), lambda.0[lane]);
            let (u_one, f_one, terms_one) = one(p, &xs, at);
            assert_eq!(u_one.to_bits(), u.0[lane].to_bits(), "{name} at {at}");
            assert_eq!(bits(&f_one), bits(&of(&f)), "{name} at {at}");
            assert_eq!(bits(&f_one), bits(&of(&alone)), "{name} at {at}");
            assert_eq!(bits(&terms_one), bits(&of(&terms)), "{name} at {at}");
            let sum: f64 = terms_one.iter().sum();
            assert!((sum - u_one).abs() <= 1e-12 * (1.0 + largest(&terms_one)), "{name}: terms {sum}, energy {u_one}");

            let direction: Vec<f64> = (0..dof).map(|_| noise.next()).collect();
            let (again, slope) = p.derivative(&xs, at, &direction, 0.0);
            let along: f64 = f_one.iter().zip(&direction).map(|(f, d)| f * d).sum();
            assert!((again - u_one).abs() <= 1e-12 * (1.0 + u_one.abs()), "{name}");
            assert!((slope + along).abs() <= 1e-10 * (1.0 + largest(&f_one)), "{name} at {at}: {slope} against {}", -along);

            // du/dlambda against differences to one side: the points are corners of some knobs.
            let (_, by_lambda) = p.derivative(&xs, at, &vec![0.0; dof], 1.0);
            assert!((slopes.0[lane] - by_lambda).abs() <= 1e-11 * (1.0 + largest(&terms_one)), "{name} at {at}");
            let h = if at + 4e-4 > 1.0 { -1e-4 } else { 1e-4 };
            let u = |steps: f64| energy(p, &xs, at + steps * h);
            let difference = (-25.0 * u(0.0) + 48.0 * u(1.0) - 36.0 * u(2.0) + 16.0 * u(3.0) - 3.0 * u(4.0)) / (12.0 * h);
            let scale = 1.0 + by_lambda.abs() + 1e-3 * largest(&terms_one);
            assert!((by_lambda - difference).abs() <= 1e-6 * scale, "{name} at {at}: du/dlambda {by_lambda}, difference {difference}");
        }
        // All couplings at once: what a ladder needs.
        let lambdas = [0.0, 0.2, 0.625, 1.0, 0.5];
        let mut all = vec![Octet::of(f64::NAN); 5];
        p.energies_block(&x, &lambdas, &mut all);
        for (u, lambda) in all.iter().zip(lambdas) {
            let each = p.eval_block(&x, Octet::of(lambda), &mut alone, None);
            assert_eq!(u.0.map(f64::to_bits), each.0.map(f64::to_bits), "{name} at {lambda}");
        }
    }
}
