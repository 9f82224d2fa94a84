//! Free energies from samples: references, laws, honest intervals, errors instead of wrong numbers.

mod coverage;
mod errors;
mod laws;
mod references;

use ergodica::estimate::{Bar, FreeEnergyError, Mbar, MbarOptions, ReducedPotentials, bar, mbar};
use ergodica::real::Real;
use ergodica::stream::{Purpose, Root, Stream};

/// Standard normal numbers for one replica of a test.
struct Normals {
    stream: Stream,
    replica: u64,
    slot: u32,
    spare: Option<f64>,
}

impl Normals {
    fn new(test: &str, replica: u64) -> Self {
        Normals { stream: Root::new(2026, test, "").stream(0, Purpose::Noise), replica, slot: 0, spare: None }
    }
    fn next(&mut self) -> f64 {
        if let Some(x) = self.spare.take() {
            return x;
        }
        let (a, b) = self.stream.normal_pair::<f64>(self.slot, self.replica, 0);
        self.slot += 1;
        self.spare = Some(b);
        a
    }
}

/// u_k(x) = K_k (x - O_k)^2 / 2; f_k - f_0 = ln(K_k / K_0) / 2.
struct Oscillators {
    stiffness: Vec<f64>,
    centre: Vec<f64>,
}

impl Oscillators {
    fn new(states: &[(f64, f64)]) -> Self {
        Oscillators { stiffness: states.iter().map(|s| s.0).collect(), centre: states.iter().map(|s| s.1).collect() }
    }
    fn exact(&self, i: usize, j: usize) -> f64 {
        0.5 * Real::ln(self.stiffness[j] / self.stiffness[i])
    }
    fn u(&self, k: usize, x: f64) -> f64 {
        0.5 * self.stiffness[k] * (x - self.centre[k]) * (x - self.centre[k])
    }
    fn draw(&self, n_k: &[usize], normals: &mut Normals) -> Vec<f64> {
        let one = |k: usize, normals: &mut Normals| self.centre[k] + normals.next() / self.stiffness[k].sqrt();
        n_k.iter().enumerate().flat_map(|(k, n)| (0..*n).map(|_| one(k, normals)).collect::<Vec<_>>()).collect()
    }
    fn rows(&self, x: &[f64]) -> Vec<f64> {
        (0..self.centre.len()).flat_map(|k| x.iter().map(move |x| self.u(k, *x))).collect()
    }
    fn potentials(&self, n_k: &[usize], normals: &mut Normals) -> ReducedPotentials {
        ReducedPotentials::from_rows(&names(n_k.len()), n_k, &self.rows(&self.draw(n_k, normals))).unwrap()
    }
}

fn names(k: usize) -> Vec<String> {
    (0..k).map(|k| format!("s{k}")).collect()
}

fn solve(u: &ReducedPotentials) -> Result<Mbar<'_>, FreeEnergyError> {
    mbar(u, &MbarOptions::default())
}

/// BAR between two states of grouped rows.
fn two_states(rows: &[f64], n: [usize; 2]) -> Result<Bar, FreeEnergyError> {
    let all = n[0] + n[1];
    let w: Vec<f64> = (0..all).map(|i| rows[all + i] - rows[i]).collect();
    let back: Vec<f64> = w[n[0]..].iter().map(|w| -w).collect();
    bar(&w[..n[0]], &back)
}

fn z(values: &[f64], exact: f64) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    (mean - exact) / (variance / n).sqrt()
}
