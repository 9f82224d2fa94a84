//! Chains of a few sites: states, energies, kernels whose probabilities are tables.

use ergodica::Result;
use ergodica::batch::{Ensemble, Resume, Snapshot, State, Thermo};
use ergodica::dynamics::{Propagator, Tally};
use ergodica::path::*;
use ergodica::real::Real;
use ergodica::stream::Purpose;
use std::sync::Arc;

/// One of a few states for each replica.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sites(pub(crate) Vec<u64>);

impl Resume for Sites {
    fn save(&self, to: &mut Snapshot) {
        to.put("sites", self.0.clone());
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.0 = from.u64s("sites")?.to_vec();
        Ok(())
    }
}

impl State for Sites {
    fn replicas(&self) -> usize {
        self.0.len()
    }
    fn gather(&mut self, from: &[u32]) {
        self.0 = from.iter().map(|&s| self.0[s as usize]).collect();
    }
}

/// u = beta [(1 - lambda) E_0 + lambda E_1].
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) from: Vec<f64>,
    pub(crate) to: Vec<f64>,
}

impl Table {
    pub(crate) fn u(&self, site: usize, t: Thermo) -> f64 {
        t.beta * ((1.0 - t.lambda) * self.from[site] + t.lambda * self.to[site])
    }
    pub(crate) fn p(&self, t: Thermo) -> Vec<f64> {
        let w: Vec<f64> = (0..self.from.len()).map(|s| Real::exp(-self.u(s, t))).collect();
        let z: f64 = w.iter().sum();
        w.iter().map(|w| w / z).collect()
    }
    pub(crate) fn z(&self, t: Thermo) -> f64 {
        (0..self.from.len()).map(|s| Real::exp(-self.u(s, t))).sum()
    }
}

impl Target<Sites> for Table {
    fn reduced(&self, s: &Sites, thermo: &[Thermo], u: &mut [f64]) -> Result<()> {
        for (r, u) in u.iter_mut().enumerate() {
            *u = self.u(s.0[r] as usize, thermo[r]);
        }
        Ok(())
    }
}

/// A table of probabilities of going from one site to another at a level.
pub(crate) type Rule = fn(&Table, Thermo) -> Vec<Vec<f64>>;

/// Propose any other site, accept as Metropolis does.
fn metropolis(table: &Table, t: Thermo) -> Vec<Vec<f64>> {
    let n = table.from.len();
    let mut rows = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..n {
            if i != j {
                rows[i][j] = Real::exp((table.u(i, t) - table.u(j, t)).min(0.0)) / (n - 1) as f64;
                rows[i][i] -= rows[i][j];
            }
        }
        rows[i][i] += 1.0;
    }
    rows
}

/// 70 % stay, 30 % are drawn from the level.
fn mix(table: &Table, t: Thermo) -> Vec<Vec<f64>> {
    let p = table.p(t);
    (0..p.len()).map(|i| (0..p.len()).map(|j| 0.3 * p[j] + if i == j { 0.7 } else { 0.0 }).collect()).collect()
}

/// Some stay, the others are drawn from a law that is not the level's.
fn lean(table: &Table, _: Thermo) -> Vec<Vec<f64>> {
    let n = table.from.len();
    (0..n).map(|i| (0..n).map(|j| if i == j { 0.2 } else { 0.0 } + 1.6 * (2 + j) as f64 / (n * (n + 3)) as f64).collect()).collect()
}

/// Has nothing to do with the level.
fn drift(table: &Table, t: Thermo) -> Vec<Vec<f64>> {
    let n = table.from.len();
    let row = |i: usize| {
        let w: Vec<f64> = (0..n).map(|j| 1.0 + 0.3 * t.lambda * ((2 * i + 3 * j) % 5) as f64).collect();
        let sum: f64 = w.iter().sum();
        w.iter().map(|w| w / sum).collect()
    };
    (0..n).map(row).collect()
}

fn draw(rows: &[Vec<f64>], site: u64, u: f64) -> u64 {
    let mut sum = 0.0;
    for (j, p) in rows[site as usize].iter().enumerate() {
        sum += p;
        if u < sum {
            return j as u64;
        }
    }
    rows.len() as u64 - 1
}

/// Moves the replicas by a rule that keeps the level.
struct Chain {
    table: Table,
    rule: Rule,
}

impl Resume for Chain {
    fn save(&self, _: &mut Snapshot) {}
    fn load(&mut self, _: &Snapshot) -> Result<()> {
        Ok(())
    }
}

impl Propagator<Sites> for Chain {
    fn advance(&mut self, ens: &mut Ensemble<Sites>, steps: u64) -> Result<()> {
        let stream = ens.root.stream(0, Purpose::Noise);
        for _ in 0..steps {
            let step = ens.step;
            let (sites, thermo, _) = ens.parts_mut();
            for (r, site) in sites.0.iter_mut().enumerate() {
                *site = draw(&(self.rule)(&self.table, thermo[r]), *site, stream.uniform::<f64>(0, step, r as u32));
            }
            ens.step += 1;
        }
        Ok(())
    }
    fn exact(&self) -> bool {
        true
    }
    fn reversible(&self) -> bool {
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

/// Jumps by one rule, back by another that has nothing to do with it.
struct Jump {
    table: Arc<Table>,
    there: Rule,
    back: Rule,
}

impl Jump {
    fn go(&self, ahead: bool, ens: &mut Ensemble<Sites>) {
        let (stream, step) = (ens.root.stream(0, Purpose::Noise), ens.step);
        let n = ens.replicas();
        let mut ratio = vec![0.0; n];
        let (sites, thermo, _) = ens.parts_mut();
        for r in 0..n {
            let (a, b) = ((self.there)(&self.table, thermo[r]), (self.back)(&self.table, thermo[r]));
            let (f, g) = if ahead { (a, b) } else { (b, a) };
            let (old, new) = (sites.0[r], draw(&f, sites.0[r], stream.uniform::<f64>(0, step, r as u32)));
            ratio[r] = Real::ln(g[new as usize][old as usize] / f[old as usize][new as usize]);
            sites.0[r] = new;
        }
        for (w, ratio) in ens.log_w.iter_mut().zip(ratio) {
            *w += ratio;
        }
        ens.step += 1;
    }
}

impl Resume for Jump {
    fn save(&self, _: &mut Snapshot) {}
    fn load(&mut self, _: &Snapshot) -> Result<()> {
        Ok(())
    }
}

impl Transition<Sites> for Jump {
    fn forward(&mut self, _k: usize, ens: &mut Ensemble<Sites>) -> Result<()> {
        self.go(true, ens);
        Ok(())
    }
    fn backward(&mut self, _k: usize, ens: &mut Ensemble<Sites>) -> Result<()> {
        self.go(false, ens);
        Ok(())
    }
    fn ledger(&self, _k: usize, thermo: &[Thermo], from: &Sites, to: &Sites, out: &mut [f64]) -> Result<()> {
        for (r, out) in out.iter_mut().enumerate() {
            let (a, b) = (from.0[r] as usize, to.0[r] as usize);
            let (f, g) = ((self.there)(&self.table, thermo[r]), (self.back)(&self.table, thermo[r]));
            *out = Real::ln(g[b][a] / f[a][b]);
        }
        Ok(())
    }
    fn target(&self) -> &dyn Target<Sites> {
        &*self.table
    }
    fn tally(&self) -> Tally {
        Tally::default()
    }
}

/// site -> site + 1, around.
struct Turn(u64);

impl Bijection<Sites> for Turn {
    fn forward(&self, _k: usize, _t: &[Thermo], s: &mut Sites, log_det: &mut [f64]) -> Result<()> {
        s.0.iter_mut().for_each(|x| *x = (*x + 1) % self.0);
        log_det.fill(0.0);
        Ok(())
    }
    fn inverse(&self, _k: usize, _t: &[Thermo], s: &mut Sites, log_det: &mut [f64]) -> Result<()> {
        s.0.iter_mut().for_each(|x| *x = (*x + self.0 - 1) % self.0);
        log_det.fill(0.0);
        Ok(())
    }
    fn distance(&self, a: &Sites, b: &Sites, replica: usize) -> f64 {
        a.0[replica].abs_diff(b.0[replica]) as f64
    }
}

/// A transition with the probabilities of its kernels, F and B, from site to site at a level.
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    pub(crate) moves: Box<dyn Transition<Sites>>,
    pub(crate) there: Rule,
    pub(crate) back: Rule,
}

fn stay(table: &Table, _: Thermo) -> Vec<Vec<f64>> {
    let n = table.from.len();
    (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect()
}

/// Ahead: turn, then the rule. Back: the rule, then turn back.
fn turned(rule: Rule, table: &Table, t: Thermo, ahead: bool) -> Vec<Vec<f64>> {
    let (rows, n) = (rule(table, t), table.from.len());
    let at = |i: usize, j: usize| if ahead { rows[(i + 1) % n][j] } else { rows[i][(j + 1) % n] };
    (0..n).map(|i| (0..n).map(|j| at(i, j)).collect()).collect()
}

pub(crate) fn kernels(table: &Table) -> Vec<Kernel> {
    let shared = Arc::new(table.clone());
    let turn = Arc::new(Turn(table.from.len() as u64));
    let chain = |rule| Box::new(Invariant::new(Box::new(Chain { table: table.clone(), rule }), shared.clone(), 1).unwrap());
    vec![
        Kernel { name: "metropolis", moves: chain(metropolis), there: metropolis, back: metropolis },
        Kernel { name: "mix", moves: chain(mix), there: mix, back: mix },
        Kernel { name: "jump", moves: Box::new(Jump { table: shared.clone(), there: drift, back: lean }), there: drift, back: lean },
        Kernel {
            name: "map",
            moves: Box::new(Map::new(turn.clone(), shared.clone())),
            there: |table, t| turned(stay, table, t, true),
            back: |table, t| turned(stay, table, t, false),
        },
        Kernel {
            name: "escorted",
            moves: Box::new(Escorted::new(turn, chain(mix))),
            there: |table, t| turned(mix, table, t, true),
            back: |table, t| turned(mix, table, t, false),
        },
    ]
}
