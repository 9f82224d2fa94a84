//! Replica exchange: the product law is invariant, momenta follow their states, a resume changes nothing.

mod trial;

use ergodica::batch::{Coords, Ensemble, Health, Phase, Resume, Snapshot, State, Thermo};
use ergodica::dynamics::{Baoab, Com, Hmc, HmcOptions, Propagator, Tally, draw_velocities};
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::path::{Boltzmann, Exchange, ExchangeOptions, Mixing, Target, ladder};
use ergodica::real::Real;
use ergodica::stream::{Purpose, Root};
use ergodica::{Error, Result};
use std::sync::Arc;
use trial::{harmonic, z};

// ---- Three states of four sites: everything enumerated -----------------------------------------------------------------------

const SITES: usize = 4;
const A: [f64; SITES] = [0.0, 1.3, 0.4, 2.0];
const B: [f64; SITES] = [1.0, -0.7, 0.9, 0.0];

/// U(site; lambda) = A + lambda B, and what a broken program would make of it.
#[derive(Clone, Copy, PartialEq)]
enum Weigh {
    Right,
    NoBeta,
    WrongSign,
}

fn energy(site: f64, lambda: f64) -> f64 {
    A[site as usize] + lambda * B[site as usize]
}

struct Table(Weigh);
impl Target<Coords> for Table {
    fn reduced(&self, s: &Coords, thermo: &[Thermo], u: &mut [f64]) -> Result<()> {
        for (r, u) in u.iter_mut().enumerate() {
            let e = energy(s.get(r, 0), thermo[r].lambda);
            *u = match self.0 {
                Weigh::Right => thermo[r].beta * e,
                Weigh::NoBeta => e,
                Weigh::WrongSign => -thermo[r].beta * e,
            };
        }
        Ok(())
    }
    fn is_boltzmann(&self) -> bool {
        self.0 == Weigh::Right
    }
}

/// Metropolis steps to a neighbouring site of the ring.
#[derive(Default)]
struct Ring {
    tells: bool,
    energy: Vec<f64>,
}
impl Resume for Ring {
    fn save(&self, _to: &mut Snapshot) {}
    fn load(&mut self, _from: &Snapshot) -> Result<()> {
        Ok(())
    }
}
impl Propagator<Coords> for Ring {
    fn advance(&mut self, ens: &mut Ensemble<Coords>, steps: u64) -> Result<()> {
        let stream = ens.root.stream(0, Purpose::Accept);
        let first = ens.step;
        let (x, thermo, _) = ens.parts_mut();
        self.energy.clear();
        for r in 0..x.replicas() {
            let (mut site, t) = (x.get(r, 0), thermo[r]);
            for step in first..first + steps {
                let hop: f64 = stream.uniform(0, step, r as u32);
                let to = (site + if hop < 0.5 { 1.0 } else { 3.0 }) % SITES as f64;
                let log_ratio = t.beta * (energy(site, t.lambda) - energy(to, t.lambda));
                if Real::ln(stream.uniform::<f64>(1, step, r as u32)) < log_ratio {
                    site = to;
                }
            }
            x.set(r, 0, site);
            self.energy.push(energy(site, t.lambda));
        }
        ens.step += steps;
        Ok(())
    }
    fn exact(&self) -> bool {
        true
    }
    fn tally(&self) -> Tally {
        Tally::default()
    }
    fn energy(&self) -> Option<&[f64]> {
        self.tells.then_some(&self.energy)
    }
    fn degrees_of_freedom(&self) -> usize {
        1
    }
    fn timestep(&self) -> f64 {
        1.0
    }
}

/// exp(-u) / Z of each site.
fn law(t: &Thermo) -> [f64; SITES] {
    let mut p = [0.0; SITES];
    for (s, p) in p.iter_mut().enumerate() {
        *p = Real::exp(-t.beta * energy(s as f64, t.lambda));
    }
    let z: f64 = p.iter().sum();
    p.map(|p| p / z)
}

/// Copies of the ladder drawn from the product law.
fn drawn(ladder: &[Thermo], copies: usize, seed: u64) -> Ensemble<Coords> {
    let root = Root::new(seed, "table", "");
    let stream = root.stream(0, Purpose::Start);
    let mut rows = Vec::new();
    for r in 0..copies * ladder.len() {
        let p = law(&ladder[r % ladder.len()]);
        let (mut left, mut site): (f64, usize) = (stream.uniform(0, 0, r as u32), 0);
        while site + 1 < SITES && left > p[site] {
            left -= p[site];
            site += 1;
        }
        rows.push(site as f64);
    }
    Ensemble::new(Coords::from_rows(&rows, 1).unwrap(), ladder::spread(ladder, copies), root).unwrap()
}

/// (chi^2 - dof) / sqrt(2 dof) of the joint law of three states after 60 exchanges, and the worst z of the mean site energy of a state.
fn product_law(ladder: &[Thermo], mixing: Mixing, weigh: Weigh, tells: bool, seed: u64) -> (f64, f64) {
    let copies = 6000;
    let mut ens = drawn(ladder, copies, seed);
    let options = ExchangeOptions { every: 1, mixing, place: 0 };
    let ring = Box::new(Ring { tells, ..Ring::default() });
    let mut exchange = Exchange::new(ring, Arc::new(Table(weigh)), ladder.to_vec(), ens.replicas(), options).unwrap();
    exchange.advance(&mut ens, 60).unwrap();
    let mut counts = vec![0.0; SITES * SITES * SITES];
    let mut energies = vec![Vec::new(); 3];
    for copy in 0..copies {
        let mut cell = 0;
        for r in 3 * copy..3 * copy + 3 {
            let (site, state) = (ens.state().get(r, 0), ens.thermo()[r].state);
            cell += site as usize * SITES.pow(state);
            energies[state as usize].push(energy(site, ens.thermo()[r].lambda));
        }
        counts[cell] += 1.0;
    }
    let p: Vec<_> = ladder.iter().map(law).collect();
    let mut chi2 = 0.0;
    for (cell, n) in counts.iter().enumerate() {
        let expected = copies as f64 * p[0][cell % SITES] * p[1][cell / SITES % SITES] * p[2][cell / SITES / SITES];
        chi2 += (n - expected) * (n - expected) / expected;
    }
    let dof = counts.len() as f64 - 1.0;
    let mut worst: f64 = 0.0;
    for k in 0..3 {
        let exact: f64 = (0..SITES).map(|s| p[k][s] * energy(s as f64, ladder[k].lambda)).sum();
        worst = worst.max(z(&energies[k], exact, 0.0).abs());
    }
    ((chi2 - dof) / (2.0 * dof).sqrt(), worst)
}

fn temperatures() -> Vec<Thermo> {
    ladder::temperatures(&[1.8, 0.9, 0.3])
}

fn couplings() -> Vec<Thermo> {
    let mut states = ladder::couplings(1.2, &[-1.0, 0.5, 2.0]);
    states[2].beta = 0.8; // a ladder may move both
    states
}

/// Smallest visible bias: 0.03 in an energy of spread 0.8 (one state), or chi^2 / dof of 1.7.
#[test]
fn exchange_leaves_the_product_law_unchanged() {
    for (name, ladder) in [("temperatures", temperatures()), ("couplings", couplings())] {
        for mixing in [Mixing::Neighbour, Mixing::Gibbs, Mixing::None] {
            for tells in [false, true] {
                let (chi, worst) = product_law(&ladder, mixing, Weigh::Right, tells, 3);
                println!("{name} {mixing:?} energies {tells}: chi {chi:.2}, z {worst:.2}");
                assert!(chi < 4.0 && worst < 4.0);
            }
            if mixing != Mixing::None {
                for twin in [Weigh::NoBeta, Weigh::WrongSign] {
                    if twin == Weigh::NoBeta && name == "couplings" {
                        continue; // nearly one beta
                    }
                    let (chi, worst) = product_law(&ladder, mixing, twin, false, 3);
                    assert!(chi > 8.0 && worst > 8.0, "{name} {mixing:?}: a broken twin passes: {chi:.2}, {worst:.2}");
                }
            }
        }
    }
}
