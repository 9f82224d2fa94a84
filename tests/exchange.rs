//! Replica exchange: the product law is invariant, momenta follow their states, a resume changes nothing.

mod trial;

use ergodica::batch::{Coords, Ensemble, Health, Phase, Resume, Snapshot, Thermo};
use ergodica::dynamics::{Baoab, Com, Hmc, HmcOptions, Propagator, Tally};
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::path::{self, Boltzmann, Exchange, ExchangeOptions, Mixing, Target};
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
        for (r, t) in thermo.iter().enumerate() {
            let mut site = x.get(r, 0);
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
    Ensemble::new(Coords::from_rows(&rows, 1).unwrap(), path::spread(ladder, copies), root).unwrap()
}

/// (chi^2 - dof) / sqrt(2 dof) of the joint law of three states after 40 exchanges, and the worst z of the mean site energy of a state.
fn product_law(ladder: &[Thermo], mixing: Mixing, weigh: Weigh, tells: bool, seed: u64) -> (f64, f64) {
    let copies = 4000;
    let mut ens = drawn(ladder, copies, seed);
    let options = ExchangeOptions { every: 1, mixing, place: 0 };
    let ring = Box::new(Ring { tells, ..Ring::default() });
    let mut exchange = Exchange::new(ring, Arc::new(Table(weigh)), ladder.to_vec(), ens.replicas(), options).unwrap();
    exchange.advance(&mut ens, 40).unwrap();
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
    path::temperatures(&[1.8, 0.9, 0.3])
}

fn couplings() -> Vec<Thermo> {
    let mut states = path::couplings(1.2, &[-1.0, 0.5, 2.0]);
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

// ---- Continuous systems --------------------------------------------------------------------------------------------------------

/// U = (x^2 - 1)^2 * 3 + lambda x, in each of two dimensions.
#[derive(Clone)]
struct Tilted;
impl Energy for Tilted {
    fn dof(&self) -> usize {
        2
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], lambda: T, f: &mut [T]) -> T {
        let mut u = T::of(0.0);
        for d in 0..2 {
            let w = x[d] * x[d] - T::of(1.0);
            u += T::of(3.0) * w * w + lambda * x[d];
            f[d] = T::of(-12.0) * w * x[d] - lambda;
        }
        u
    }
}

fn continuous(ladder: &[Thermo], copies: usize, mixing: Mixing, baoab: bool) -> (Ensemble<Phase>, Exchange<Phase>) {
    let potential: Arc<dyn Potential> = Arc::new(Batched(Tilted));
    let n = copies * ladder.len();
    let phase = Phase::at_rest(Coords::from_rows(&[1.0, -1.0].repeat(n), 2).unwrap(), vec![1.0, 2.0]).unwrap();
    let ens = Ensemble::new(phase, path::spread(ladder, copies), Root::new(11, "ladder", "")).unwrap();
    let inner: Box<dyn Propagator<Phase>> = if baoab {
        Box::new(Baoab::new(potential.clone(), &[1.0, 2.0], 0.05, 1.0, Com::Keep).unwrap())
    } else {
        let options = HmcOptions { dt: 0.15, leapfrog: 4, warmup: 30, ..HmcOptions::default() };
        Box::new(Hmc::new(potential.clone(), &[1.0, 2.0], options).unwrap())
    };
    let options = ExchangeOptions { every: 4, mixing, place: 0 };
    (ens, Exchange::new(inner, Arc::new(Boltzmann(potential)), ladder.to_vec(), n, options).unwrap())
}

fn ladders() -> [Vec<Thermo>; 2] {
    let betas: Vec<f64> = (0..8).map(|k| 2.0 * Real::exp(-0.25 * f64::from(k))).collect();
    let lambdas: Vec<f64> = (0..5).map(|k| f64::from(k) / 4.0).collect();
    [path::temperatures(&betas), path::couplings(1.0, &lambdas)]
}

fn bytes(ens: &Ensemble<Phase>, exchange: &Exchange<Phase>) -> Vec<u8> {
    let mut s = Snapshot::default();
    s.nest("ensemble", |s| ens.save(s));
    s.nest("exchange", |s| exchange.save(s));
    s.to_bytes()
}

/// Any chunks, a fresh process in the middle of them, any number of threads: the same bytes.
#[test]
fn a_resume_and_the_number_of_threads_change_nothing() {
    for ladder in ladders() {
        for (mixing, baoab) in [(Mixing::Neighbour, false), (Mixing::Gibbs, true), (Mixing::Neighbour, true), (Mixing::Gibbs, false)] {
            let (mut ens, mut exchange) = continuous(&ladder, 3, mixing, baoab);
            exchange.advance(&mut ens, 203).unwrap();
            let whole = bytes(&ens, &exchange);
            let mut u = Vec::new();
            exchange.u_kn(&ens, &mut u).unwrap();
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let (mut ens, mut exchange) = continuous(&ladder, 3, mixing, baoab);
                    for steps in [1, 2, 1, 5, 29] {
                        exchange.advance(&mut ens, steps).unwrap();
                    }
                    for steps in [2, 40, 123] {
                        let saved = Snapshot::from_bytes(&bytes(&ens, &exchange)).unwrap();
                        (ens, exchange) = continuous(&ladder, 3, mixing, baoab);
                        ens.load(saved.nested("ensemble").unwrap()).unwrap();
                        exchange.load(saved.nested("exchange").unwrap()).unwrap();
                        exchange.advance(&mut ens, steps).unwrap();
                    }
                    assert!(bytes(&ens, &exchange) == whole, "{mixing:?} baoab {baoab} threads {threads}");
                    let mut again = Vec::new();
                    exchange.u_kn(&ens, &mut again).unwrap();
                    assert_eq!(u, again);
                });
            }
        }
    }
}

/// What MBAR gets is beta_k U(x; lambda_k), whichever way it came; energies and kinetic energies are those of the new states.
#[test]
fn reduced_energies_are_those_of_every_state() {
    for ladder in ladders() {
        for mixing in [Mixing::Neighbour, Mixing::Gibbs] {
            let (mut ens, mut exchange) = continuous(&ladder, 2, mixing, true);
            exchange.advance(&mut ens, 40).unwrap();
            assert!(exchange.traffic().attempts().iter().all(|(n, _)| *n > 0));
            assert!(exchange.traffic().attempts().iter().any(|(_, n)| *n > 0));
            let mut u = Vec::new();
            exchange.u_kn(&ens, &mut u).unwrap();
            let target = Boltzmann(Arc::new(Batched(Tilted)));
            let n = ens.replicas();
            let mut column = vec![0.0; n];
            for (k, t) in ladder.iter().enumerate() {
                target.reduced(ens.state(), &vec![*t; n], &mut column).unwrap();
                for r in 0..n {
                    assert!((u[r * ladder.len() + k] - column[r]).abs() < 1e-12);
                }
            }
            target.reduced(ens.state(), ens.thermo(), &mut column).unwrap();
            for (r, t) in ens.thermo().iter().enumerate() {
                assert!((t.beta * exchange.energy().unwrap()[r] - column[r]).abs() < 1e-12);
            }
            // BAOAB measures the kinetic energy at its O step, but at the right temperature: within a factor of the state's.
            assert_eq!(exchange.kinetic().unwrap().len(), n);
        }
    }
}

/// beta K of each replica right after exchanges, minus its mean 1: z over 1500 copies of 3 states. Smallest visible bias: 3 %.
fn momenta(rescaled: bool) -> f64 {
    let ladder = path::temperatures(&[2.0, 1.0, 0.5]);
    let potential = harmonic(&[1.0, 1.0]);
    let copies = 1500;
    let n = copies * 3;
    let mass = [1.0, 3.0];
    let phase = Phase::at_rest(Coords::zeros(n, 2), mass.to_vec()).unwrap();
    let mut ens = Ensemble::new(phase, path::spread(&ladder, copies), Root::new(2, "momenta", "")).unwrap();
    let hmc = || {
        let options = HmcOptions { dt: 0.7, leapfrog: 2, ..HmcOptions::default() };
        Box::new(Hmc::new(potential.clone(), &mass, options).unwrap())
    };
    let options = ExchangeOptions { every: 10, mixing: Mixing::Gibbs, place: 0 };
    let mut exchange = Exchange::new(hmc(), Arc::new(Boltzmann(potential.clone())), ladder, n, options).unwrap();
    exchange.advance(&mut ens, 99).unwrap();
    // The twin moves the labels in the same way and leaves the velocities alone.
    let mut labels = ens.clone();
    hmc().advance(&mut labels, 1).unwrap();
    exchange.advance(&mut ens, 1).unwrap();
    labels.thermo_mut().copy_from_slice(ens.thermo());
    let judged = if rescaled { &ens } else { &labels };
    let values: Vec<f64> = (0..n).map(|r| judged.thermo()[r].beta * judged.state().kinetic(r)).collect();
    z(&values, 1.0, 0.0)
}

#[test]
fn momenta_follow_their_states() {
    let (right, twin) = (momenta(true), momenta(false));
    assert!(right.abs() < 4.0 && twin.abs() > 8.0, "{right:.2} {twin:.2}");
}

#[test]
fn a_diverged_replica_keeps_its_state() {
    for mixing in [Mixing::Neighbour, Mixing::Gibbs] {
        let [ladder, _] = ladders();
        let (mut ens, mut exchange) = continuous(&ladder, 2, mixing, true);
        ens.health[3] = Health::Diverged { step: 0 };
        exchange.advance(&mut ens, 200).unwrap();
        assert_eq!(ens.thermo()[3], ladder[3]);
        assert!(exchange.traffic().visits()[3 * 8..4 * 8].iter().all(|n| *n == 0));
        assert!(ens.thermo()[8..16] != ladder[..]);
    }
}

/// Sites 2 and 3 do not exist in state 1 (infinite or NaN energy there): no swap brings them there, and the law stays what it is.
#[test]
fn impossible_energies_forbid_swaps() {
    struct Hole(f64);
    impl Target<Coords> for Hole {
        fn reduced(&self, s: &Coords, thermo: &[Thermo], u: &mut [f64]) -> Result<()> {
            Table(Weigh::Right).reduced(s, thermo, u)?;
            for (r, u) in u.iter_mut().enumerate() {
                if thermo[r].state == 1 && s.get(r, 0) >= 2.0 {
                    *u = self.0;
                }
            }
            Ok(())
        }
    }
    /// Moves nothing.
    struct Rest;
    impl Resume for Rest {
        fn save(&self, _to: &mut Snapshot) {}
        fn load(&mut self, _from: &Snapshot) -> Result<()> {
            Ok(())
        }
    }
    impl Propagator<Coords> for Rest {
        fn advance(&mut self, ens: &mut Ensemble<Coords>, steps: u64) -> Result<()> {
            ens.step += steps;
            Ok(())
        }
        fn exact(&self) -> bool {
            true
        }
        fn tally(&self) -> Tally {
            Tally::default()
        }
        fn degrees_of_freedom(&self) -> usize {
            1
        }
        fn timestep(&self) -> f64 {
            1.0
        }
    }
    for hole in [f64::INFINITY, f64::NAN] {
        for mixing in [Mixing::Neighbour, Mixing::Gibbs] {
            let ladder = path::temperatures(&[0.5, 0.4]); // two states: neighbours try at every exchange
            let copies = 2000;
            let rows: Vec<f64> = (0..copies).flat_map(|c| [(c % 4) as f64, (c / 4 % 2) as f64]).collect();
            let x = Coords::from_rows(&rows, 1).unwrap();
            let mut ens = Ensemble::new(x, path::spread(&ladder, copies), Root::new(8, "hole", "")).unwrap();
            let options = ExchangeOptions { every: 1, mixing, place: 0 };
            let mut exchange = Exchange::new(Box::new(Rest), Arc::new(Hole(hole)), ladder, 2 * copies, options).unwrap();
            exchange.advance(&mut ens, 7).unwrap();
            let (tried, accepted) = exchange.traffic().attempts()[0];
            assert!(tried >= 7 * copies as u64 && accepted > tried / 4 && accepted < tried);
            assert!((0..2 * copies).all(|r| ens.thermo()[r].state == 0 || ens.state().get(r, 0) < 2.0));
        }
    }
}

#[test]
fn what_is_no_ladder_is_refused() {
    let [ladder, _] = ladders();
    let potential: Arc<dyn Potential> = Arc::new(Batched(Tilted));
    let make = |ladder: &[Thermo], replicas, every| {
        let inner = Box::new(Baoab::new(potential.clone(), &[1.0; 2], 0.05, 1.0, Com::Keep).unwrap());
        let options = ExchangeOptions { every, mixing: Mixing::Gibbs, place: 0 };
        Exchange::new(inner, Arc::new(Boltzmann(potential.clone())), ladder.to_vec(), replicas, options)
    };
    let said = |e: Option<Error>| e.map_or_else(String::new, |e| e.to_string());
    assert!(said(make(&ladder, 12, 1).err()).contains("12 replicas on a ladder of 8 states"));
    assert!(said(make(&ladder, 8, 0).err()).contains("every 0 steps"));
    assert!(said(make(&[], 8, 1).err()).contains("no states"));
    assert!(said(make(&ladder[1..], 7, 1).err()).contains("state 0 of the ladder is numbered 1"));
    let (mut ens, mut exchange) = continuous(&ladder, 1, Mixing::Gibbs, true);
    ens.thermo_mut()[1] = ladder[0];
    assert!(said(exchange.advance(&mut ens, 1).err()).contains("state 0 twice"));
    ens.thermo_mut()[1] = Thermo::at(0.1);
    assert!(said(exchange.advance(&mut ens, 1).err()).contains("replica 1 is at beta 0.1"));
}
