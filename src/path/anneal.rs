//! A population walked along a path: annealed importance sampling, switching, sequential Monte Carlo, population annealing.

use super::ledger::{Path, Way};
use super::resample::{Families, Weights, log_mean_exp};
use super::{Base, schedule};
use crate::batch::{Ensemble, Resume, Snapshot, State, Thermo};
use crate::dynamics::Tally;
use crate::stream::Purpose;
use crate::{Error, Result};

/// When replicas of large weight are copied over those of small weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resample {
    /// Never: annealed importance sampling, switching.
    Never,
    /// When the effective sample size falls below this share of the replicas: sequential Monte Carlo, usually 0.5.
    Below(f64),
    /// At every level: population annealing.
    Always,
}

/// Where the levels come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// The path's ladder is it.
    Fixed,
    /// The path's ladder is a line of knots (all of lambda and beta move linearly between two), on which the next level is
    /// placed, by bisection, where the conditional effective sample size is `ess` of the replicas.
    ///
    /// The levels then depend on the population: Z is right up to O(1/N), not unbiased. Build the final run on
    /// [`Anneal::ladder`] of a pilot run to be exact.
    Adaptive {
        /// Conditional effective sample size of a level, 0.5 to 0.9 of the replicas.
        ess: f64,
        /// Most levels; to need more is an error.
        most: usize,
    },
}

/// How a path is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnnealOptions {
    /// Which way.
    pub way: Way,
    /// Resampling.
    pub resample: Resample,
    /// Schedule.
    pub schedule: Schedule,
    /// Populations that share the batch and nothing else: replicas are resampled within their own N / runs. Each gives an
    /// independent estimate of Z (with a fixed schedule and fixed step sizes), and their scatter its error.
    pub runs: usize,
    /// Place of the resampling in its stage, which names its random stream.
    pub place: u64,
}

impl Default for AnnealOptions {
    fn default() -> Self {
        AnnealOptions { way: Way::Forward, resample: Resample::Never, schedule: Schedule::Fixed, runs: 1, place: 0 }
    }
}

/// What a level was like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Its knobs.
    pub thermo: Thermo,
    /// ln of the mean weight over all runs when the knobs had come to the level, before its move: log Z_k (/ Z_0).
    pub log_z: f64,
    /// Effective sample size of the weights, before any resampling: a share of the replicas, mean over the runs.
    pub ess: f64,
    /// Runs that were resampled.
    pub resampled: u64,
    /// Accepted share of the proposals of the level's moves; NaN where nothing is decided.
    pub acceptance: f64,
    /// Step size of the moves; NaN where there is none.
    pub timestep: f64,
    /// Families of the whole batch.
    pub families: Families,
}

/// A run along a path, level by level: it can stop between two levels, be saved, and go on bit-identically.
///
/// `advance` forward sets the knobs to the next level, resamples if it is time, and moves; backward it moves, sets the knobs, and
/// resamples. Resampled replicas all get the mean weight, so that at any moment the mean of exp(log_w) estimates Z_k (/ Z_0),
/// unbiased for any number of replicas if schedule and steps are fixed beforehand.
/// Sources: Neal, Stat. Comput. 11, 125 (2001); Del Moral, Doucet and Jasra, J. R. Stat. Soc. B 68, 411 (2006); Hukushima and
/// Iba, AIP Conf. Proc. 690, 200 (2003) (population annealing).
pub struct Anneal<S: State> {
    path: Path<S>,
    options: AnnealOptions,
    knots: Vec<Thermo>,
    /// Where on the line of knots the last level lies, 0 to 1, and how far before it the one before.
    along: f64,
    stride: f64,
    taken: usize,
    started: bool,
    levels: Vec<Level>,
    searched: u64,
}

impl<S: State> Anneal<S> {
    /// Of a path.
    ///
    /// # Errors
    /// `Error::Input` for an option outside its range, or an adaptive schedule of a walk backward.
    pub fn new(mut path: Path<S>, options: AnnealOptions) -> Result<Self> {
        if let Resample::Below(share) = options.resample
            && !(share > 0.0 && share <= 1.0)
        {
            return Err(Error::input(format!("resampling below an effective share of {share}"), "the share lies above 0 and at most at 1"));
        }
        if options.runs == 0 {
            return Err(Error::input("0 runs", "runs is 1 or more"));
        }
        let knots = path.ladder().to_vec();
        if let Schedule::Adaptive { ess, most } = options.schedule {
            if !(ess > 0.0 && ess < 1.0) {
                return Err(Error::input(
                    format!("a conditional effective sample size of {ess}"),
                    "it lies between 0 and 1, best 0.5 to 0.9",
                ));
            }
            if most == 0 {
                return Err(Error::input("an adaptive schedule of 0 levels", "allow at least one"));
            }
            if options.way == Way::Backward {
                return Err(Error::input(
                    "an adaptive schedule knows no way back",
                    "run it forward first, then walk its ladder backward with a fixed schedule",
                ));
            }
            path.ladder_mut().truncate(1);
        }
        Ok(Anneal { path, options, knots, along: 0.0, stride: 0.0, taken: 0, started: false, levels: Vec::new(), searched: 0 })
    }

    /// Starts from the states of the ensemble, as samples of the end where the walk begins.
    ///
    /// # Errors
    /// As [`Path::start`]; `Error::Input` when the replicas cannot be shared among the runs.
    pub fn start(&mut self, ens: &mut Ensemble<S>) -> Result<()> {
        self.fits(ens)?;
        self.path.start(self.options.way, ens)?;
        self.begin();
        Ok(())
    }

    /// Starts from exact draws.
    ///
    /// # Errors
    /// As [`Path::start_from`]; `Error::Input` for a walk backward.
    pub fn start_from(&mut self, base: &dyn Base<S>, ens: &mut Ensemble<S>) -> Result<()> {
        self.fits(ens)?;
        if self.options.way == Way::Backward {
            return Err(Error::input("a walk backward starts at the last level, not at the base", "start it from samples of that level"));
        }
        self.path.start_from(base, ens)?;
        self.begin();
        Ok(())
    }

    fn begin(&mut self) {
        (self.taken, self.along, self.stride, self.started) = (0, 0.0, 0.0, true);
        self.levels.clear();
        if self.options.schedule != Schedule::Fixed {
            self.path.ladder_mut().truncate(1);
        }
    }

    fn fits(&self, ens: &Ensemble<S>) -> Result<()> {
        if ens.replicas() == 0 || !ens.replicas().is_multiple_of(self.options.runs) {
            return Err(Error::input(
                format!("{} replicas cannot be shared among {} runs", ens.replicas(), self.options.runs),
                "make replicas a multiple of runs",
            ));
        }
        Ok(())
    }

    /// Takes up to `levels` more; returns how many it took, 0 when the end is reached.
    ///
    /// # Errors
    /// `Error::Run` before a start, when an adaptive schedule needs too many levels, or when an energy is -inf; `Error::Shape`
    /// when the ensemble does not fit.
    pub fn advance(&mut self, ens: &mut Ensemble<S>, levels: usize) -> Result<usize> {
        if !self.started {
            return Err(Error::run("the run has not been started", "call start or start_from first"));
        }
        self.fits(ens)?;
        let mut took = 0;
        while took < levels && !self.done() {
            let before = self.path.transition().tally();
            let mut level = match self.options.way {
                Way::Forward => self.ahead(ens)?,
                Way::Backward => self.back(ens)?,
            };
            let after = self.path.transition().tally();
            let proposed = after.proposed - before.proposed;
            level.acceptance = if proposed > 0 { (after.accepted - before.accepted) as f64 / proposed as f64 } else { f64::NAN };
            self.levels.push(level);
            self.taken += 1;
            took += 1;
        }
        Ok(took)
    }

    /// To the end.
    ///
    /// # Errors
    /// As [`Anneal::advance`].
    pub fn finish(&mut self, ens: &mut Ensemble<S>) -> Result<()> {
        while self.advance(ens, usize::MAX)? > 0 {}
        Ok(())
    }

    fn ahead(&mut self, ens: &mut Ensemble<S>) -> Result<Level> {
        let k = self.taken;
        if let Schedule::Adaptive { ess, most } = self.options.schedule {
            if k >= most {
                return Err(Error::run(
                    format!("{most} levels reach only {:.3} of the way at a conditional effective sample size of {ess}", self.along),
                    "allow more levels, ask for a smaller size, or take more steps a level",
                ));
            }
            let here = self.path.energies(ens)?.to_vec();
            let (along, calls) = schedule::next(self.path.transition().target(), ens, &here, &self.knots, (self.along, self.stride), ess)?;
            self.searched += calls * ens.replicas() as u64;
            (self.stride, self.along) = (along - self.along, along);
            let thermo = Thermo { state: k as u32 + 1, ..schedule::at(&self.knots, along) };
            self.path.ladder_mut().push(thermo);
        }
        self.path.knobs(Way::Forward, k, ens)?;
        let last = match self.options.schedule {
            Schedule::Fixed => k + 1 >= self.path.steps(),
            Schedule::Adaptive { .. } => self.along >= 1.0,
        };
        // weights of the last level stand for themselves: copies would add noise and hide how few particles carry them
        let mut level = self.weigh(ens, !last)?;
        self.path.step(Way::Forward, k, ens)?;
        level.timestep = self.path.transition().timestep().unwrap_or(f64::NAN);
        Ok(level)
    }

    fn back(&mut self, ens: &mut Ensemble<S>) -> Result<Level> {
        let k = self.path.steps() - 1 - self.taken;
        self.path.step(Way::Backward, k, ens)?;
        self.path.knobs(Way::Backward, k, ens)?;
        let mut level = self.weigh(ens, k > 0)?;
        level.timestep = self.path.transition().timestep().unwrap_or(f64::NAN);
        Ok(level)
    }

    /// Notes what the weights are like, and resamples the runs whose time it is.
    fn weigh(&mut self, ens: &mut Ensemble<S>, may_resample: bool) -> Result<Level> {
        let n = ens.replicas() / self.options.runs;
        let whole = Weights::of(&ens.log_w);
        let (log_z, families) = (whole.log_mean(), whole.families(&ens.lineage));
        let stream = ens.root.stream(self.options.place, Purpose::Resample);
        let (mut share, mut resampled) = (0.0, 0);
        let mut from: Vec<u32> = (0..ens.replicas() as u32).collect();
        let mut means = vec![f64::NAN; self.options.runs];
        for run in 0..self.options.runs {
            let range = run * n..(run + 1) * n;
            let own = (self.options.runs > 1).then(|| Weights::of(&ens.log_w[range.clone()]));
            let weights = own.as_ref().unwrap_or(&whole);
            let size = weights.ess() / n as f64;
            share += size / self.options.runs as f64;
            let wanted = match self.options.resample {
                Resample::Never => false,
                Resample::Below(share) => size < share,
                Resample::Always => true,
            };
            if wanted && may_resample && size > 0.0 {
                let u = stream.uniform::<f64>(0, ens.step, run as u32);
                for (slot, source) in from[range.clone()].iter_mut().zip(weights.systematic(u)) {
                    *slot = range.start as u32 + source;
                }
                means[run] = weights.log_mean();
                resampled += 1;
            }
        }
        if resampled > 0 {
            self.path.gather(&from, ens)?;
            for (run, mean) in means.iter().enumerate() {
                if !mean.is_nan() {
                    ens.log_w[run * n..(run + 1) * n].fill(*mean);
                }
            }
            ens.step += 1;
        }
        let thermo = ens.thermo()[0];
        Ok(Level { thermo, log_z, ess: share, resampled, acceptance: f64::NAN, timestep: f64::NAN, families })
    }

    /// Is the end reached?
    pub fn done(&self) -> bool {
        match self.options.schedule {
            Schedule::Fixed => self.taken >= self.path.steps(),
            Schedule::Adaptive { .. } => self.along >= 1.0,
        }
    }

    /// How far the walk is, 0 to 1.
    pub fn progress(&self) -> f64 {
        match self.options.schedule {
            Schedule::Fixed => self.taken as f64 / self.path.steps() as f64,
            Schedule::Adaptive { .. } => self.along,
        }
    }

    /// What the levels that were taken were like, in their order.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The ladder: of a fixed schedule all of it, of an adaptive one as far as it has come.
    pub fn ladder(&self) -> &[Thermo] {
        self.path.ladder()
    }

    /// The step size of each step k that was taken: freeze it with [`super::Steps::Each`].
    pub fn timesteps(&self) -> Vec<f64> {
        self.levels.iter().map(|l| l.timestep).collect()
    }

    /// The path.
    pub fn path(&self) -> &Path<S> {
        &self.path
    }

    /// Work done so far, one evaluation a replica and call, the search for an adaptive schedule included.
    pub fn tally(&self) -> Tally {
        let tally = self.path.transition().tally();
        Tally { evaluations: tally.evaluations + self.searched, ..tally }
    }

    /// ln of the mean weight of each run: log Z (/ Z_0) as the level of the knobs has it. The work of replica r is `-log_w[r]`.
    pub fn log_z(&self, ens: &Ensemble<S>) -> Vec<f64> {
        let n = (ens.replicas() / self.options.runs).max(1);
        ens.log_w.chunks(n).map(log_mean_exp).collect()
    }
}

impl<S: State> Resume for Anneal<S> {
    fn save(&self, to: &mut Snapshot) {
        to.nest("path", |s| self.path.save(s));
        to.put("taken", self.taken as u64);
        to.put("started", u64::from(self.started));
        to.put("along", self.along);
        to.put("stride", self.stride);
        to.put("searched", self.searched);
        let list = |f: fn(&Level) -> f64| self.levels.iter().map(f).collect::<Vec<f64>>();
        to.put("level beta", list(|l| l.thermo.beta));
        to.put("level lambda", list(|l| l.thermo.lambda));
        to.put("level state", self.levels.iter().map(|l| u64::from(l.thermo.state)).collect::<Vec<_>>());
        to.put("level log_z", list(|l| l.log_z));
        to.put("level ess", list(|l| l.ess));
        to.put("level resampled", self.levels.iter().map(|l| l.resampled).collect::<Vec<_>>());
        to.put("level acceptance", list(|l| l.acceptance));
        to.put("level timestep", list(|l| l.timestep));
        to.put("level families", self.levels.iter().map(|l| l.families.alive as u64).collect::<Vec<_>>());
        to.put("level entropy", list(|l| l.families.entropy));
        to.put("level rho_t", list(|l| l.families.rho_t));
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.path.load(from.nested("path")?)?;
        self.taken = from.u64("taken")? as usize;
        self.started = from.u64("started")? != 0;
        (self.along, self.stride) = (from.f64("along")?, from.f64("stride")?);
        self.searched = from.u64("searched")?;
        let (beta, lambda, log_z) = (from.f64s("level beta")?, from.f64s("level lambda")?, from.f64s("level log_z")?);
        let (ess, acceptance, timestep) = (from.f64s("level ess")?, from.f64s("level acceptance")?, from.f64s("level timestep")?);
        let (entropy, rho_t) = (from.f64s("level entropy")?, from.f64s("level rho_t")?);
        let (state, resampled, alive) = (from.u64s("level state")?, from.u64s("level resampled")?, from.u64s("level families")?);
        let n = self.taken;
        for length in [beta, lambda, log_z, ess, acceptance, timestep, entropy, rho_t].map(<[f64]>::len) {
            if length != n {
                return Err(Error::Shape { what: "levels in the snapshot", expected: n, found: length });
            }
        }
        for length in [state, resampled, alive].map(<[u64]>::len) {
            if length != n {
                return Err(Error::Shape { what: "levels in the snapshot", expected: n, found: length });
            }
        }
        self.levels.clear();
        for k in 0..n {
            self.levels.push(Level {
                thermo: Thermo { beta: beta[k], lambda: lambda[k], state: state[k] as u32 },
                log_z: log_z[k],
                ess: ess[k],
                resampled: resampled[k],
                acceptance: acceptance[k],
                timestep: timestep[k],
                families: Families { alive: alive[k] as usize, entropy: entropy[k], rho_t: rho_t[k] },
            });
        }
        Ok(())
    }
}
