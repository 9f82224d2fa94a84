//! Methods that learn their weights or their bias: known free energies, resumes to the byte.

mod trial;

use ergodica::batch::{Coords, Ensemble, Health, Phase, Resume, Snapshot, Thermo};
use ergodica::dynamics::{Baoab, Com, Hmc, HmcOptions, Propagator};
use ergodica::energy::biased::Biased;
use ergodica::energy::collective::{Collective, Coordinate, Variable, shortest};
use ergodica::energy::table::Axis;
use ergodica::energy::{Batched, Energy, Potential};
use ergodica::path::{self, Boltzmann, Expanded, ExpandedOptions, Metadynamics, MetadynamicsOptions, Target, WangLandau, Weighting};
use ergodica::real::Real;
use ergodica::stream::{Purpose, Root};
use ergodica::{Error, Result};
use std::f64::consts::{PI, TAU};
use std::sync::Arc;
use trial::z;

/// U = (1 + 3 lambda) |x - lambda|^2 / 2 in three dimensions: ln Z = 3/2 ln(2 pi / (beta (1 + 3 lambda))).
struct Stiffening;
impl Energy for Stiffening {
    fn dof(&self) -> usize {
        3
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], lambda: T, f: &mut [T]) -> T {
        let k = lambda.mul_add(T::of(3.0), T::of(1.0));
        let mut u = T::of(0.0);
        for d in 0..3 {
            let r = x[d] - lambda;
            f[d] = -(k * r);
            u += T::of(0.5) * k * r * r;
        }
        u
    }
}

fn minus_log_z(t: &Thermo) -> f64 {
    1.5 * Real::ln(t.beta * (1.0 + 3.0 * t.lambda))
}

/// The twin forgets beta: it jumps by U alone.
struct NoBeta;
impl Target<Phase> for NoBeta {
    fn reduced(&self, s: &Phase, thermo: &[Thermo], u: &mut [f64]) -> Result<()> {
        Boltzmann(Arc::new(Batched(Stiffening))).reduced(s, thermo, u)?;
        for (u, t) in u.iter_mut().zip(thermo) {
            *u /= t.beta;
        }
        Ok(())
    }
}

fn expanded(ladder: &[Thermo], replicas: usize, walkers: usize, weighting: Weighting, twin: bool) -> (Ensemble<Phase>, Expanded<Phase>) {
    let potential: Arc<dyn Potential> = Arc::new(Batched(Stiffening));
    let mass = vec![1.0; 3];
    let phase = Phase::at_rest(Coords::zeros(replicas, 3), mass.clone()).unwrap();
    let thermo = (0..replicas).map(|r| ladder[r % ladder.len()]).collect();
    let ens = Ensemble::new(phase, thermo, Root::new(4, "expanded", "")).unwrap();
    let hmc = HmcOptions { dt: 0.5, leapfrog: 3, ..HmcOptions::default() };
    let inner = Box::new(Hmc::new(potential.clone(), &mass, hmc).unwrap());
    let options = ExpandedOptions { every: 1, weighting, walkers, place: 0 };
    let target: Arc<dyn Target<Phase>> = if twin { Arc::new(NoBeta) } else { Arc::new(Boltzmann(potential)) };
    (ens, Expanded::new(inner, target, ladder.to_vec(), replicas, options).unwrap())
}

fn ladders() -> [Vec<Thermo>; 2] {
    let mut mixed = path::couplings(1.0, &[0.0, 0.3, 0.6, 1.0]);
    mixed[3].beta = 1.3;
    [path::temperatures(&[2.0, 1.4, 0.9, 0.6]), mixed]
}

fn one_thread() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap()
}

/// z of f_k - f_0 of every state, from independent groups of walkers.
fn learned(ladder: &[Thermo], weighting: &Weighting, walkers: usize, steps: u64, twin: bool) -> Vec<f64> {
    let groups = 32;
    let (mut ens, mut expanded) = expanded(ladder, groups * walkers, walkers, weighting.clone(), twin);
    one_thread().install(|| expanded.advance(&mut ens, steps)).unwrap();
    assert!(expanded.settled().iter().all(|s| *s));
    let f = expanded.delta_f();
    let mut zs = Vec::new();
    for k in 1..ladder.len() {
        let values: Vec<f64> = (0..groups).map(|g| f[g * ladder.len() + k]).collect();
        let exact = minus_log_z(&ladder[k]) - minus_log_z(&ladder[0]);
        let (m, e) = trial::mean(&values);
        println!("  f_{k}: {m:.4} +- {e:.4}, exact {exact:.4}");
        zs.push(z(&values, exact, 0.0));
    }
    zs
}

/// Smallest visible bias: 0.02 kT.
#[test]
fn weights_learn_known_free_energies() {
    for ladder in ladders() {
        for (weighting, walkers) in [(Weighting::Sams, 1), (Weighting::WangLandau, 1), (Weighting::Sams, 4)] {
            println!("{weighting:?}, {walkers} walkers");
            let zs = learned(&ladder, &weighting, walkers, 20_000 / walkers as u64, false);
            assert!(zs.iter().all(|z| z.abs() < 4.0), "{weighting:?} {walkers}: {zs:.2?}");
            let zs = learned(&ladder, &weighting, walkers, 6_000 / walkers as u64, true);
            assert!(zs.iter().any(|z| z.abs() > 8.0), "{weighting:?} {walkers}: the twin passes {zs:.2?}");
        }
    }
}

/// Given weights: the visits of the states are exp(-zeta_k) Z_k, to 1 %; a twin believes them off by 10 %.
#[test]
fn fixed_weights_sample_a_fixed_law() {
    for ladder in ladders() {
        let zeta: Vec<f64> = (0..ladder.len()).map(|k| 0.3 * k as f64 - minus_log_z(&ladder[k])).collect();
        let (replicas, steps) = (64, 5000);
        let (mut ens, mut tempering) = expanded(&ladder, replicas, 1, Weighting::Fixed(zeta), false);
        assert!(tempering.exact());
        one_thread().install(|| tempering.advance(&mut ens, steps)).unwrap();
        let total: f64 = (0..ladder.len()).map(|k| Real::exp(-0.3 * k as f64)).sum();
        let k = 2;
        let values: Vec<f64> = (0..replicas).map(|r| tempering.visits()[r * ladder.len() + k] as f64 / steps as f64).collect();
        let exact = Real::exp(-0.3 * k as f64) / total;
        let (right, twin) = (z(&values, exact, 0.0), z(&values, 1.1 * exact, 0.0));
        assert!(right.abs() < 4.0 && twin.abs() > 8.0, "{right:.2} {twin:.2}");
        // Kinetic energies go with the states.
        let kinetic: Vec<f64> = (0..replicas).map(|r| ens.thermo()[r].beta * ens.state().kinetic(r)).collect();
        assert!(z(&kinetic, 1.5, 0.0).abs() < 4.0);
    }
}

#[test]
fn a_diverged_replica_stays_and_teaches_nothing() {
    let [ladder, _] = ladders();
    let (mut ens, mut sams) = expanded(&ladder, 8, 1, Weighting::Sams, false);
    ens.health[5] = Health::Diverged { step: 0 };
    sams.advance(&mut ens, 50).unwrap();
    assert_eq!(ens.thermo()[5], ladder[1]);
    let f = sams.delta_f();
    assert!(f[20..24].iter().all(|f| *f == 0.0) && f[16..20].iter().any(|f| *f != 0.0));
}

// ---- Wang-Landau without molecules -----------------------------------------------------------------------------------------------

/// Sums of five dice by single rerolls: ln g of each sum, up to its mean. `twin`: the acceptance forgets the weights.
fn dice(seed: u64, moves: u64, twin: bool) -> (WangLandau, [u64; 5]) {
    let stream = Root::new(seed, "dice", "").stream(0, Purpose::Accept);
    let mut weights = WangLandau::new(26).unwrap();
    let mut dice = [1_u64; 5];
    roll(&stream, &mut weights, &mut dice, 0..moves, twin);
    (weights, dice)
}

fn roll(stream: &ergodica::stream::Stream, weights: &mut WangLandau, dice: &mut [u64; 5], moves: std::ops::Range<u64>, twin: bool) {
    for step in moves {
        let [a, b] = stream.words::<f64>(0, step, 0);
        let (which, face) = ((a >> 33) as usize % 5, 1 + (b >> 33) % 6);
        let old: u64 = dice.iter().sum::<u64>() - 5;
        let new = old + face - dice[which];
        let log_ratio = weights.log_g()[old as usize] - weights.log_g()[new as usize];
        if twin || Real::ln(stream.uniform::<f64>(1, step, 0)) < log_ratio {
            dice[which] = face;
        }
        weights.visit((dice.iter().sum::<u64>() - 5) as usize);
    }
}

/// Ways to throw each sum, by convolution.
fn ways() -> Vec<f64> {
    let mut ways = vec![1.0];
    for _ in 0..5 {
        let mut next = vec![0.0; ways.len() + 5];
        for (sum, n) in ways.iter().enumerate() {
            for face in 0..6 {
                next[sum + face] += n;
            }
        }
        ways = next;
    }
    ways
}

/// ln(g_25 / g_10) and ln(g_0 / g_12) of dice. Smallest visible bias: 0.05 of 6.5 and 6.7.
///
/// At finite times there is one: what the rare sums miss of the early, uneven filling when ln f becomes 1/t, which from then on falls like
/// 1/t, and the variance likewise. Over 1024 runs, in moves, for the two ratios (one run settles after 8000 of them):
///
/// | moves | bias | bias t / 60 000 | variance |
/// |---|---|---|---|
/// | 60 000 | -0.054(6), -0.064(6) | -0.054(6), -0.064(6) | 0.036, 0.032 |
/// | 120 000 | -0.031(4), -0.032(4) | -0.062(8), -0.065(7) | 0.016, 0.014 |
/// | 240 000 | -0.019(3), -0.016(3) | -0.076(11), -0.065(10) | 0.007, 0.007 |
/// | 480 000 | -0.007(2), -0.009(2) | -0.059(15), -0.073(14) | 0.004, 0.003 |
///
/// So 32 runs of 60 000 moves are expected at z = -2.0, and at z = -0.8 with the 400 000 of this test.
#[test]
fn wang_landau_counts_dice() {
    let ways = ways();
    let judge = |twin| {
        let runs: Vec<_> = (0..32).map(|seed| dice(seed, if twin { 6000 } else { 400_000 }, twin).0).collect();
        assert!(twin || runs.iter().all(WangLandau::settled));
        let mut worst: f64 = 0.0;
        for (a, b) in [(25, 10), (0, 12)] {
            let values: Vec<f64> = runs.iter().map(|w| w.log_g()[a] - w.log_g()[b]).collect();
            let exact = Real::ln(ways[a] / ways[b]);
            println!("dice twin {twin}: {:?}, exact {exact:.4}", trial::mean(&values));
            worst = worst.max(z(&values, exact, 0.0).abs());
        }
        worst
    };
    let (right, twin) = (judge(false), judge(true));
    assert!(right < 4.0 && twin > 8.0, "{right:.2} {twin:.2}");
    // A resume in the middle: the same bytes.
    let saved = |w: &WangLandau| {
        let mut s = Snapshot::default();
        w.save(&mut s);
        s.to_bytes()
    };
    let (half, mut at) = dice(3, 1234, false);
    let mut fresh = WangLandau::new(26).unwrap();
    fresh.load(&Snapshot::from_bytes(&saved(&half)).unwrap()).unwrap();
    roll(&Root::new(3, "dice", "").stream(0, Purpose::Accept), &mut fresh, &mut at, 1234..60_000, false);
    assert_eq!(saved(&fresh), saved(&dice(3, 60_000, false).0));
}

// ---- Metadynamics ----------------------------------------------------------------------------------------------------------------

/// U = 4 (x^2 - 1)^2 + x / 2 + (y - x)^2: two wells, F(x) known.
struct Wells;
impl Energy for Wells {
    fn dof(&self) -> usize {
        2
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let (w, d) = (x[0] * x[0] - T::of(1.0), x[1] - x[0]);
        f[0] = T::of(-16.0) * w * x[0] - T::of(0.5) + T::of(2.0) * d;
        f[1] = T::of(-2.0) * d;
        T::of(4.0) * w * w + T::of(0.5) * x[0] + d * d
    }
}

/// The torus: U = 3/2 cos(a) - 3/2 cos(2 a) - 2 cos(b) + cos(a - b), a and b of period 2 pi.
struct Torus;
impl Energy for Torus {
    fn dof(&self) -> usize {
        2
    }
    #[inline(always)]
    fn energy_force<T: Real>(&self, x: &[T], _lambda: T, f: &mut [T]) -> T {
        let two = T::of(2.0);
        let ((sa, ca), (sb, cb), (sd, cd)) = (x[0].sin_cos(), x[1].sin_cos(), (x[0] - x[1]).sin_cos());
        f[0] = T::of(1.5) * sa - T::of(6.0) * sa * ca + sd;
        f[1] = -(two * sb) - sd;
        T::of(1.5) * (ca - (two * ca * ca - T::of(1.0))) - two * cb + cd
    }
}
struct Angle(usize);
const SUPPORTS: [[usize; 1]; 2] = [[0], [1]];
impl Variable for Angle {
    fn dof(&self) -> usize {
        2
    }
    fn support(&self) -> &[usize] {
        &SUPPORTS[self.0]
    }
    fn period(&self) -> Option<f64> {
        Some(TAU)
    }
    #[inline(always)]
    fn value_gradient<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T {
        gradient[0] = T::of(1.0);
        shortest(x[self.0], Some(TAU))
    }
}

const GAMMA: f64 = 3.0;

fn metadynamics(torus: bool, seed: u64, walkers: usize, hmc: bool) -> (Ensemble<Phase>, Metadynamics) {
    type Variables = Vec<Arc<dyn Collective>>;
    let (base, of, axes): (Arc<dyn Potential>, Variables, Vec<Axis>) = if torus {
        let circle = Axis::new(-PI, PI, 0.5, true).unwrap();
        (Arc::new(Batched(Torus)), vec![Arc::new(Angle(0)), Arc::new(Angle(1))], vec![circle.clone(), circle])
    } else {
        let line = Axis::new(-2.0, 2.0, 0.15, false).unwrap();
        (Arc::new(Batched(Wells)), vec![Arc::new(Coordinate::new(0, 2).unwrap())], vec![line])
    };
    let width = if torus { vec![0.5; 2] } else { vec![0.15] };
    let bias = Arc::new(Biased::new(base, of, axes).unwrap());
    let start: Vec<f64> = if torus { vec![PI, 0.0] } else { vec![-1.0, -1.0] };
    let phase = Phase::at_rest(Coords::from_rows(&start.repeat(walkers), 2).unwrap(), vec![1.0; 2]).unwrap();
    let beta = 1.2;
    let ens = Ensemble::new(phase, vec![Thermo::at(beta); walkers], Root::new(seed, "bias", "")).unwrap();
    let inner: Box<dyn Propagator<Phase>> = if hmc {
        let options = HmcOptions { dt: if torus { 0.3 } else { 0.12 }, leapfrog: 5, ..HmcOptions::default() };
        Box::new(Hmc::new(bias.clone(), &[1.0; 2], options).unwrap())
    } else {
        Box::new(Baoab::new(bias.clone(), &[1.0; 2], 0.05, 1.0, Com::Keep).unwrap())
    };
    let options = MetadynamicsOptions { every: 10, height: 0.4, width, bias_factor: GAMMA };
    (ens, Metadynamics::new(inner, bias, beta, options).unwrap())
}

/// ln(P_left / P_right) of the double well, and of |a| < pi/2 on the torus, by quadrature.
fn exact_difference(torus: bool) -> f64 {
    let n = 2000;
    let mut p = [0.0; 2];
    for i in 0..n {
        let x = (f64::from(i) + 0.5) / f64::from(n);
        if torus {
            for j in 0..200 {
                let mut f = [0.0; 2];
                let (a, b) = (TAU * x - PI, TAU * (f64::from(j) + 0.5) / 200.0);
                p[usize::from(a.abs() < PI / 2.0)] += Real::exp(-1.2 * Torus.energy_force::<f64>(&[a, b], 1.0, &mut f));
            }
        } else {
            let x = 6.0 * x - 3.0;
            let mut f = [0.0; 2];
            p[usize::from(x > 0.0)] += Real::exp(-1.2 * Wells.energy_force::<f64>(&[x, x], 1.0, &mut f));
        }
    }
    Real::ln(p[0] / p[1])
}

/// The same as `Metadynamics::difference` takes it: a cell belongs to the region that holds its node. The cell at the edge of a region is
/// the difference to the integral, -0.0135 on this torus.
fn difference_of_nodes(meta: &Metadynamics, torus: bool, region: impl Fn(&[f64]) -> bool) -> f64 {
    let axes = meta.bias().table().axes();
    let mut p = [0.0; 2];
    for a in 0..axes[0].nodes() {
        for b in 0..axes.get(1).map_or(1, Axis::nodes) {
            let xi = [axes[0].node(a), axes.get(1).map_or(0.0, |axis| axis.node(b))];
            let u = if torus {
                Torus.energy_force::<f64>(&xi, 1.0, &mut [0.0; 2])
            } else {
                Wells.energy_force::<f64>(&[xi[0]; 2], 1.0, &mut [0.0; 2])
            };
            p[usize::from(region(&xi[..axes.len()]))] += Real::exp(-1.2 * u);
        }
    }
    Real::ln(p[0] / p[1])
}

/// ln(P_a / P_b) of two regions over 32 ensembles of 8 walkers: from the bias, and from weighted frames of the second half.
/// Smallest visible bias: 0.04 kT. The twins forget gamma / (gamma - 1), and the weights.
///
/// At finite times there is a bias: the noise of V is convex in exp(-F), worth half the difference of its variances in the two regions,
/// and falls like 1/t. On this torus it is far below what a grid makes of the edge of a region. Over 256 ensembles, in steps:
///
/// | steps | from the bias, less the integral | the same, less the sum over nodes | half difference of variances | weighted frames |
/// |---|---|---|---|---|
/// | 6000 | -0.016(3) | -0.002(3) | -0.0077 | -0.023(6) |
/// | 12 000 | -0.012(2) | 0.001(2) | -0.0045 | 0.003(7) |
/// | 24 000 | -0.013(2) | 0.000(2) | -0.0026 | 0.000(6) |
/// | 48 000 | -0.011(1) | 0.003(1) | -0.0015 | 0.001(6) |
#[test]
fn metadynamics_gives_known_free_energies() {
    for (torus, steps) in [(false, 12_000), (true, 6_000)] {
        let region = |xi: &[f64]| if torus { xi[0].abs() < PI / 2.0 } else { xi[0] > 0.0 };
        let (mut biases, mut frames, mut plain, mut of_nodes) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
        for seed in 0..32 {
            let (mut ens, mut meta) = metadynamics(torus, seed, 8, true);
            let (mut weights, mut counts) = ([0.0; 2], [0.5; 2]);
            one_thread().install(|| {
                meta.advance(&mut ens, steps / 2).unwrap();
                for _ in 0..100 {
                    meta.advance(&mut ens, steps / 200).unwrap();
                    let (xi, w) = (meta.bias().measure(&ens.state().x), meta.log_weights(&ens));
                    for (r, xi) in xi.chunks_exact(xi.len() / 8).enumerate() {
                        weights[usize::from(region(xi))] += Real::exp(w[r]);
                        counts[usize::from(region(xi))] += 1.0;
                    }
                }
            });
            assert_eq!((meta.gaussians() + meta.outside(), meta.outside()), (8 * steps / 10, 0));
            biases.push(meta.difference(|xi| !region(xi), region).unwrap());
            frames.push(Real::ln(weights[0] / weights[1]));
            plain.push(Real::ln(counts[0] / counts[1]));
            of_nodes = difference_of_nodes(&meta, torus, region);
        }
        let exact = exact_difference(torus);
        println!("torus {torus}: {:?} of {of_nodes:.4}, {:?} of {exact:.4}", trial::mean(&biases), trial::mean(&frames));
        assert!((of_nodes - exact).abs() < 0.02 && z(&biases, of_nodes, 0.0).abs() < 4.0 && z(&frames, exact, 0.0).abs() < 4.0);
        let twin: Vec<f64> = biases.iter().map(|f| f * (1.0 - 1.0 / GAMMA)).collect();
        assert!(z(&twin, of_nodes, 0.0).abs() > 8.0 && z(&plain, exact, 0.0).abs() > 8.0);
    }
}

// ---- Resume ----------------------------------------------------------------------------------------------------------------------

fn bytes(ens: &Ensemble<Phase>, p: &dyn Propagator<Phase>) -> Vec<u8> {
    let mut s = Snapshot::default();
    s.nest("ensemble", |s| ens.save(s));
    s.nest("propagator", |s| p.save(s));
    s.to_bytes()
}

/// Any chunks, fresh objects in the middle of the learning, any number of threads: the same bytes.
#[test]
fn a_resume_and_the_number_of_threads_change_nothing() {
    type Made = (Ensemble<Phase>, Box<dyn Propagator<Phase>>);
    let [temperatures, mixed] = ladders();
    let mut makers: Vec<Box<dyn Fn() -> Made + Sync>> = Vec::new();
    for ladder in [temperatures, mixed] {
        for (weighting, walkers) in
            [(Weighting::Sams, 1), (Weighting::Sams, 5), (Weighting::WangLandau, 2), (Weighting::Fixed(vec![0.1; 4]), 1)]
        {
            let ladder = ladder.clone();
            makers.push(Box::new(move || {
                let (ens, p) = expanded(&ladder, 20, walkers, weighting.clone(), false);
                (ens, Box::new(p))
            }));
        }
    }
    for (torus, hmc) in [(false, false), (true, true)] {
        makers.push(Box::new(move || {
            let (ens, p) = metadynamics(torus, 1, 11, hmc);
            (ens, Box::new(p))
        }));
    }
    for make in &makers {
        let (mut ens, mut p) = make();
        p.advance(&mut ens, 303).unwrap();
        let whole = bytes(&ens, &*p);
        for threads in [1, 3] {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let (mut ens, mut p) = make();
                for steps in [1, 2, 20, 77, 3, 200] {
                    p.advance(&mut ens, steps).unwrap();
                    let saved = Snapshot::from_bytes(&bytes(&ens, &*p)).unwrap();
                    (ens, p) = make();
                    ens.load(saved.nested("ensemble").unwrap()).unwrap();
                    p.load(saved.nested("propagator").unwrap()).unwrap();
                }
                assert!(bytes(&ens, &*p) == whole, "{threads} threads");
            });
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let said = |e: Option<Error>| e.map_or_else(String::new, |e| e.to_string());
    let [ladder, _] = ladders();
    let potential: Arc<dyn Potential> = Arc::new(Batched(Stiffening));
    let make = |weighting, walkers, every| {
        let inner = Box::new(Baoab::new(potential.clone(), &[1.0; 3], 0.05, 1.0, Com::Keep).unwrap());
        let options = ExpandedOptions { every, weighting, walkers, place: 0 };
        Expanded::<Phase>::new(inner, Arc::new(Boltzmann(potential.clone())), ladder.clone(), 6, options)
    };
    assert!(said(make(Weighting::Sams, 4, 1).err()).contains("6 replicas in groups of 4 walkers"));
    assert!(said(make(Weighting::Sams, 1, 0).err()).contains("every 0 steps"));
    assert!(said(make(Weighting::Fixed(vec![0.0; 3]), 1, 1).err()).contains("4 states"));
    assert!(said(WangLandau::new(0).err()).contains("0 bins"));
    let (mut ens, meta) = metadynamics(false, 1, 2, false);
    let again = |beta, options| {
        let inner = Box::new(Baoab::new(meta.bias().clone(), &[1.0; 2], 0.05, 1.0, Com::Keep).unwrap());
        Metadynamics::new(inner, meta.bias().clone(), beta, options)
    };
    let good = MetadynamicsOptions { every: 1, height: 1.0, width: vec![0.1], bias_factor: f64::INFINITY };
    assert!(said(again(1.0, MetadynamicsOptions { bias_factor: 1.0, ..good.clone() }).err()).contains("bias factor of metadynamics is 1"));
    assert!(said(again(1.0, MetadynamicsOptions { height: f64::NAN, ..good.clone() }).err()).contains("height of metadynamics is NaN"));
    assert!(said(again(1.0, MetadynamicsOptions { width: vec![], ..good.clone() }).err()).contains("widths"));
    assert!(said(again(1.0, MetadynamicsOptions { width: vec![-0.1], ..good.clone() }).err()).contains("-0.1"));
    let mut plain = again(1.0, good).unwrap();
    assert!(said(plain.advance(&mut ens, 1).err()).contains("replica 0 is at beta 1.2, the bias at 1"));
    // Without tempering F = -V, and c(t) is the mean of the bias in the sense of exp(beta V).
    for t in ens.thermo_mut() {
        t.beta = 1.0;
    }
    plain.advance(&mut ens, 50).unwrap();
    let (v, f) = (plain.bias().table().values(), plain.free_energy());
    let top = v.iter().copied().fold(0.0, f64::max);
    assert!(v.iter().zip(&f).all(|(v, f)| (v + f - top).abs() < 1e-12));
    let c = Real::ln(v.iter().map(|v| Real::exp(*v)).sum::<f64>() / v.len() as f64);
    assert!((plain.offset() - c).abs() < 1e-12);
    assert!(plain.difference(|xi| xi[0] > 7.0, |_| true).is_err());
}
