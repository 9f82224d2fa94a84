//! Energy and gradient calls counted are calls made: what budgets and comparisons of methods rely on.

mod path;

use ergodica::Result;
use ergodica::batch::{Coords, Ensemble, Phase, Resume, Snapshot, Thermo};
use ergodica::dynamics::{Baoab, Com, Hmc, HmcOptions, Propagator, mala};
use ergodica::energy::biased::Biased;
use ergodica::energy::collective::{Collective, Coordinate};
use ergodica::energy::table::Axis;
use ergodica::energy::{Batched, Evaluation, Interpolated, Potential, double_well::DoubleWell};
use ergodica::path::*;
use ergodica::real::Octet;
use path::{Bowl, batch};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the replicas whose energy is asked for, and those whose force is wanted too; whole blocks only. Movers ask block by block for
/// both; who asks for a whole batch, or for a block at several couplings, wants energies alone.
struct Counting {
    inner: Arc<dyn Potential>,
    made: AtomicU64,
    forces: AtomicU64,
}

impl Counting {
    fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    fn forces(&self) -> u64 {
        self.forces.load(Ordering::Relaxed)
    }
}

impl Potential for Counting {
    fn dof(&self) -> usize {
        self.inner.dof()
    }
    fn terms(&self) -> Vec<String> {
        self.inner.terms()
    }
    fn eval_block(&self, x: &[Octet], lambda: Octet, f: &mut [Octet], terms: Option<&mut [Octet]>) -> Octet {
        self.made.fetch_add(8, Ordering::Relaxed);
        self.forces.fetch_add(8, Ordering::Relaxed);
        self.inner.eval_block(x, lambda, f, terms)
    }
    fn eval(&self, x: &Coords, thermo: &[Thermo], out: &mut Evaluation) -> Result<()> {
        self.made.fetch_add(8 * x.blocks() as u64, Ordering::Relaxed);
        self.inner.eval(x, thermo, out)
    }
    fn energies_block(&self, x: &[Octet], lambdas: &[f64], u: &mut [Octet]) {
        self.made.fetch_add(8 * self.calls(lambdas.len()) as u64, Ordering::Relaxed);
        self.inner.energies_block(x, lambdas, u);
    }
    fn calls(&self, couplings: usize) -> usize {
        self.inner.calls(couplings)
    }
    fn linear(&self) -> bool {
        self.inner.linear()
    }
    fn eval_one(&self, x: &[f64], lambda: f64, f: &mut [f64], terms: &mut [f64]) -> f64 {
        self.inner.eval_one(x, lambda, f, terms)
    }
    fn derivative(&self, x: &[f64], lambda: f64, dx: &[f64], dlambda: f64) -> (f64, f64) {
        self.inner.derivative(x, lambda, dx, dlambda)
    }
}

const WELL: DoubleWell = DoubleWell { wells: 1, harmonic: 1, barrier: 3.0, minimum: 1.2, tilt: 0.4, k: 1.0 };
const N: usize = 64;

/// A double well of two dimensions at the end of a path; `linear`: one that says that it is linear in lambda.
fn counting(linear: bool) -> Arc<Counting> {
    let bowl = Bowl { dof: 2, sigma: 1.3 };
    let inner: Arc<dyn Potential> = if linear {
        Arc::new(Interpolated::new(Arc::new(Batched(bowl)), Arc::new(Batched(WELL))).unwrap())
    } else {
        path::between(bowl, WELL)
    };
    Arc::new(Counting { inner, made: AtomicU64::new(0), forces: AtomicU64::new(0) })
}

fn base(beta: f64) -> GaussianBase {
    GaussianBase::new(vec![0.0; 2], 1.3 / beta.sqrt()).unwrap()
}

/// (made, counted, levels, resamplings) of an annealing; made and counted a replica.
fn annealed(p: &Arc<Counting>, kernel: &str, ladder: Vec<Thermo>, schedule: Schedule) -> (u64, u64, u64, u64) {
    let (potential, mass) = (p.clone() as Arc<dyn Potential>, [1.0; 2]);
    let target = Arc::new(Boltzmann(potential.clone()));
    let options = HmcOptions { dt: 0.3, leapfrog: 3, ..HmcOptions::default() };
    let exact = |mover: Hmc| Box::new(Invariant::new(Box::new(mover), target.clone(), 1).unwrap());
    let squeeze = Arc::new(Affine::new(2, vec![0, 1], vec![(0.99, 0.0); ladder.len() - 1]).unwrap());
    let mut from = base(ladder[0].beta);
    let moves: Box<dyn Transition<Phase>> = match kernel {
        "mala" => exact(mala(potential.clone(), &mass, options).unwrap()),
        "hmc" => exact(Hmc::new(potential.clone(), &mass, options).unwrap()),
        "escorted" => Box::new(Escorted::new(squeeze, exact(mala(potential.clone(), &mass, options).unwrap()))),
        "map" => Box::new(Map::new(squeeze, target.clone())),
        "ula" => Box::new(GaussPair::new(Arc::new(Ula::new(&mass, 0.2).unwrap()), potential.clone(), &mass, Com::Keep).unwrap()),
        _ => {
            from = from.with_momenta();
            Box::new(Split::new(potential.clone(), &mass, Scheme::Obabo, 0.2, 1.0, Com::Keep).unwrap())
        }
    };
    let mut ens = batch(2, N, ladder[0], kernel);
    let options = AnnealOptions { resample: Resample::Below(0.8), schedule, ..AnnealOptions::default() };
    let mut run = Anneal::new(Path::new(ladder, moves).unwrap(), options).unwrap();
    run.start_from(&from, &mut ens).unwrap();
    run.finish(&mut ens).unwrap();
    let resampled: u64 = run.levels().iter().map(|l| l.resampled).sum();
    assert_eq!(p.forces(), run.tally().gradients, "gradients of {kernel}");
    // a map moves without forces, unadjusted kernels take every energy with its force
    match kernel {
        "map" => assert_eq!(p.forces(), 0),
        "ula" | "langevin" => assert!(p.forces() == p.made() || schedule != Schedule::Fixed, "{kernel}"),
        _ => assert!(0 < p.forces() && p.forces() < p.made(), "{kernel}: {} of {} with forces", p.forces(), p.made()),
    }
    (p.made() / N as u64, run.tally().evaluations / N as u64, run.levels().len() as u64, resampled)
}

/// Every kernel along lambda and along beta, fixed and adaptive, and how many calls a level may take at most.
#[test]
fn annealing_counts_what_it_evaluates() {
    let cold: Vec<Thermo> = geometric_betas(0.5, 1.5, 0.0, 12).unwrap();
    let lambdas = linear_lambdas(1.0, 12).unwrap();
    for linear in [true, false] {
        for kernel in ["mala", "hmc", "escorted", "map", "ula", "langevin"] {
            for (name, ladder) in [("lambda", &lambdas), ("beta", &cold)] {
                let p = counting(linear);
                let (made, counted, levels, resampled) = annealed(&p, kernel, ladder.clone(), Schedule::Fixed);
                println!("{kernel} along {name}, fixed: {made} made, {counted} counted, {levels} levels, {resampled} resamplings");
                assert_eq!(made, counted, "{kernel} along {name}");
                // the knobs (not of beta), the move, the beginning
                let moves = if kernel == "hmc" { 3 } else { u64::from(kernel != "map") };
                let knobs = u64::from(name == "lambda" || matches!(kernel, "map" | "escorted"));
                let first = 1 + u64::from(matches!(kernel, "mala" | "hmc" | "escorted"));
                let most = first + levels * (knobs + moves) + resampled;
                assert!(made <= most, "{kernel} along {name}: {made}, should be at most {most}");
            }
        }
        for (name, ladder) in [("lambda", &lambdas), ("beta", &cold)] {
            for kernel in ["mala", "langevin"] {
                let p = counting(linear);
                let ends = vec![ladder[0], *ladder.last().unwrap()];
                let schedule = Schedule::Adaptive { ess: 0.95, most: 1000 };
                let (made, counted, levels, resampled) = annealed(&p, kernel, ends, schedule);
                println!("{kernel} along {name}, adaptive, linear {linear}: {made} made, {counted} counted, {levels} levels");
                assert_eq!(made, counted, "{kernel} along {name}, adaptive");
                if kernel == "mala" {
                    // to search at other betas costs nothing, on a line one call, elsewhere four or five where a run has few levels
                    let search = if name == "beta" { 0 } else { [5, 1][usize::from(linear)] };
                    let most = 4 + levels * (search + 1 + u64::from(name == "lambda")) + resampled;
                    assert!(made <= most, "{made} calls of {levels} levels, should be at most {most}");
                }
            }
        }
    }
}

type Make<'a> = &'a dyn Fn(Arc<dyn Potential>) -> Box<dyn Propagator<Phase>>;

/// Advances, and what it says of it.
fn advanced(p: &Counting, mover: &mut dyn Propagator<Phase>, ens: &mut Ensemble<Phase>, steps: &[u64]) {
    for n in steps {
        mover.advance(ens, *n).unwrap();
        assert_eq!((p.made(), p.forces()), (mover.tally().evaluations, mover.tally().gradients), "after {} steps", ens.step);
    }
}

#[test]
fn chains_ladders_and_biases_count_what_they_evaluate() {
    let mass = [1.0; 2];
    let hmc = |p: Arc<dyn Potential>| -> Box<dyn Propagator<Phase>> {
        let options = HmcOptions { dt: 0.2, leapfrog: 3, ..HmcOptions::default() };
        Box::new(Hmc::new(p, &mass, options).unwrap())
    };
    let baoab = |p: Arc<dyn Potential>| -> Box<dyn Propagator<Phase>> { Box::new(Baoab::new(p, &mass, 0.1, 1.0, Com::Keep).unwrap()) };
    let kinds: [Make<'_>; 2] = [&hmc, &baoab];
    for make in kinds {
        let p = counting(true);
        let mut ens = batch(2, N, Thermo::at(1.0), "chain");
        advanced(&p, &mut *make(p.clone()), &mut ens, &[1, 4, 3]);
        for linear in [true, false] {
            for ladder in [temperatures(&[1.0, 0.7, 0.5, 0.4]), couplings(1.0, &[0.0, 0.3, 0.6, 1.0])] {
                for mixing in [Mixing::Neighbour, Mixing::Gibbs, Mixing::None] {
                    let p = counting(linear);
                    let mut ens = batch(2, N, ladder[0], "exchange");
                    ens.relabel(&spread(&ladder, N / 4)).unwrap();
                    let target = Arc::new(Boltzmann(p.clone() as Arc<dyn Potential>));
                    let options = ExchangeOptions { every: 2, mixing, place: 0 };
                    let mut exchange = Exchange::new(make(p.clone()), target, ladder.clone(), N, options).unwrap();
                    advanced(&p, &mut exchange, &mut ens, &[1, 3, 5, 1]);
                    // what is stored beside a frame
                    exchange.u_kn(&ens, &mut Vec::new()).unwrap();
                    assert_eq!((p.made(), p.forces()), (exchange.tally().evaluations, exchange.tally().gradients));
                    // labels that move at one coupling need no energy that the propagator has not; frames at several couplings do
                    assert_eq!(p.made() > p.forces(), ladder[0].lambda != ladder[1].lambda);
                }
                let p = counting(linear);
                let mut ens = batch(2, N, ladder[0], "expanded");
                let target = Arc::new(Boltzmann(p.clone() as Arc<dyn Potential>));
                let options = ExpandedOptions { every: 2, weighting: Weighting::Sams, walkers: 1, place: 0 };
                let mut expanded = Expanded::new(make(p.clone()), target, ladder.clone(), N, options).unwrap();
                advanced(&p, &mut expanded, &mut ens, &[1, 3, 5, 1]);
            }
        }
        let p = counting(true);
        let along: Arc<dyn Collective> = Arc::new(Coordinate::new(0, 2).unwrap());
        let biased = Biased::new(p.clone(), vec![along], vec![Axis::new(-3.0, 3.0, 0.3, false).unwrap()]);
        let bias = Arc::new(biased.unwrap());
        let mut ens = batch(2, N, Thermo::at(1.0), "bias");
        let options = MetadynamicsOptions { every: 2, height: 0.2, width: vec![0.3], bias_factor: 5.0 };
        let mut meta = Metadynamics::new(make(bias.clone()), bias, 1.0, options).unwrap();
        advanced(&p, &mut meta, &mut ens, &[1, 3, 5, 1]);
    }
}

/// A run that is saved and loaded between any two advances counts as one that was not; it makes one evaluation more for each resume.
#[test]
fn a_resume_repeats_one_evaluation_and_counts_none() {
    let ladder = couplings(1.0, &[0.0, 0.3, 0.6, 1.0]);
    let make = |p: &Arc<Counting>| -> Result<Exchange<Phase>> {
        let target = Arc::new(Boltzmann(p.clone() as Arc<dyn Potential>));
        let options = HmcOptions { dt: 0.2, leapfrog: 3, ..HmcOptions::default() };
        let inner = Box::new(Hmc::new(p.clone(), &[1.0; 2], options)?);
        Exchange::new(inner, target, ladder.clone(), N, ExchangeOptions { every: 2, mixing: Mixing::Neighbour, place: 0 })
    };
    let start = || {
        let mut ens = batch(2, N, ladder[0], "resume");
        ens.relabel(&spread(&ladder, N / 4)).unwrap();
        ens
    };
    let (p, mut ens) = (counting(false), start());
    let mut whole = make(&p).unwrap();
    whole.advance(&mut ens, 10).unwrap();
    let (q, mut ens) = (counting(false), start());
    let mut part = make(&q).unwrap();
    for k in 0..10 {
        let mut s = Snapshot::default();
        s.nest("exchange", |s| part.save(s));
        s.nest("ensemble", |s| ens.save(s));
        part = make(&q).unwrap();
        part.load(s.nested("exchange").unwrap()).unwrap();
        ens.load(s.nested("ensemble").unwrap()).unwrap();
        part.advance(&mut ens, 1).unwrap();
        assert!(k < 9 || part.tally() == whole.tally(), "{:?} against {:?}", part.tally(), whole.tally());
    }
    // the resume before the first step had nothing to repeat; those after an exchange repeat U at the own states too
    assert!(q.made() >= p.made() + 9 * N as u64, "{} and {}", q.made(), p.made());
}
