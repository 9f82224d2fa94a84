//! A path: its ladder, its kernels, and the books of its weights.

use super::{Base, Transition, ladder};
use crate::batch::{Ensemble, Health, Resume, Snapshot, State, Thermo};
use crate::{Error, Result};

/// Which way a path is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From level 0 to level K, with the kernels F_k.
    Forward,
    /// From level K to level 0, with the kernels B_k.
    Backward,
}

/// A ladder of K + 1 levels and the K pairs of kernels between them.
///
/// A step forward sets the knobs to level k + 1, then draws from F_k; a step backward draws from B_k, then sets the knobs to
/// level k. Setting knobs adds -delta u, of states that a map carries along ([`Transition::carry`]) u_k(x) - u_k+1(T x) + ln |det|;
/// a move adds u before - u after + the kernels' ratio (0 for [`super::Invariant`]). So
/// `ens.log_w` always is the log-weight towards the level of the knobs, and may be resampled at any moment.
///
/// A weight of zero (log w = -inf) is a weight: energy +inf at a level means that the state does not exist there, and a
/// replica whose move blew up (`Health::Diverged`) lies where the target has no density. Both count in every mean of w.
pub struct Path<S: State> {
    ladder: Vec<Thermo>,
    transition: Box<dyn Transition<S>>,
    /// Reduced energies of the ensemble, if its epoch still is the one beside them.
    u: Vec<f64>,
    key: Option<u64>,
}

impl<S: State> Path<S> {
    /// Between the levels of a ladder.
    ///
    /// # Errors
    /// `Error::Input` for less than two levels, or a level that is none.
    pub fn new(ladder: Vec<Thermo>, transition: Box<dyn Transition<S>>) -> Result<Self> {
        ladder::check(&ladder)?;
        Ok(Path { ladder, transition, u: Vec::new(), key: None })
    }

    /// The levels, K + 1 of them.
    pub fn ladder(&self) -> &[Thermo] {
        &self.ladder
    }

    pub(super) fn ladder_mut(&mut self) -> &mut Vec<Thermo> {
        &mut self.ladder
    }

    /// Number of steps K.
    pub fn steps(&self) -> usize {
        self.ladder.len() - 1
    }

    /// The kernels.
    pub fn transition(&self) -> &dyn Transition<S> {
        &*self.transition
    }

    /// Takes the ensemble's states as samples of one end: the first level for a walk forward, the last for one backward.
    /// Weights become 1, and every replica is its own ancestor.
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit; `Error::Run` when a replica has diverged: it is no sample.
    pub fn start(&mut self, way: Way, ens: &mut Ensemble<S>) -> Result<()> {
        if let Some((r, Health::Diverged { step })) = ens.health.iter().enumerate().find(|(_, h)| **h != Health::Well) {
            return Err(Error::run(
                format!("replica {r} diverged at step {step} and is no sample of the level where the path begins"),
                "sample with a smaller step, or start from the replicas that are well",
            ));
        }
        let level = if way == Way::Forward { 0 } else { self.steps() };
        self.enter(level, ens);
        for (r, (w, l)) in ens.log_w.iter_mut().zip(&mut ens.lineage).enumerate() {
            (*w, *l) = (0.0, r as u64);
        }
        self.refresh(ens)?;
        for (w, u) in ens.log_w.iter_mut().zip(&self.u) {
            if *u == f64::INFINITY || u.is_nan() {
                *w = f64::NEG_INFINITY; // no sample of this level
            }
        }
        Ok(())
    }

    /// Draws the states from `base` and weighs them: log w = -log p_0(x) - u_0(x). Z then needs no Z_0.
    ///
    /// # Errors
    /// `Error::Input` when one of base and target counts momenta and the other does not.
    pub fn start_from(&mut self, base: &dyn Base<S>, ens: &mut Ensemble<S>) -> Result<()> {
        if base.counts_momenta() != self.transition.target().counts_momenta() {
            return Err(Error::input(
                "one of the start density and the target counts momenta, the other does not",
                "take both with momenta (Canonical, GaussianBase::with_momenta) or both without (Boltzmann, GaussianBase::new)",
            ));
        }
        self.enter(0, ens);
        base.draw(ens)?;
        ens.health.fill(Health::Well);
        self.start(Way::Forward, ens)?;
        let mut log_p = vec![0.0; ens.replicas()];
        base.log_p(ens.state(), ens.thermo(), &mut log_p)?;
        for (r, w) in ens.log_w.iter_mut().enumerate() {
            if *w == 0.0 {
                *w = -log_p[r] - self.u[r];
            }
        }
        Ok(())
    }

    /// Sets the knobs of all replicas to the level at the other end of step k, carries the states along where the transition has a
    /// map, and adds -delta u and the map's ln |det|. Where both ends of the step have the same knobs nothing happens.
    ///
    /// # Errors
    /// `Error::Shape` when the ensemble does not fit; `Error::Run` when an energy is -inf.
    pub fn knobs(&mut self, way: Way, k: usize, ens: &mut Ensemble<S>) -> Result<()> {
        let level = if way == Way::Forward { k + 1 } else { k };
        if !self.moves(level, ens) {
            return Ok(());
        }
        self.refresh(ens)?;
        let old = self.u.clone();
        self.enter(level, ens);
        let mut log_det = vec![0.0; old.len()];
        self.transition.carry(way, k, ens, &mut log_det)?;
        self.refresh(ens)?;
        for r in 0..old.len() {
            ens.log_w[r] = self.book(r, ens.log_w[r], (old[r] - self.u[r]) + log_det[r])?;
        }
        self.bury(ens);
        Ok(())
    }

    /// Draws from the kernel of step k, at the knobs of level k + 1, and adds u before - u after + the ratio of the kernels.
    ///
    /// # Errors
    /// As [`Path::knobs`].
    pub fn step(&mut self, way: Way, k: usize, ens: &mut Ensemble<S>) -> Result<()> {
        self.refresh(ens)?;
        let old = self.u.clone();
        let before = std::mem::replace(&mut ens.log_w, vec![0.0; old.len()]);
        match way {
            Way::Forward => self.transition.forward(k, ens)?,
            Way::Backward => self.transition.backward(k, ens)?,
        }
        self.refresh(ens)?;
        for r in 0..old.len() {
            ens.log_w[r] = self.book(r, before[r], (old[r] - self.u[r]) + ens.log_w[r])?;
        }
        self.bury(ens);
        Ok(())
    }

    /// One step forward: the knobs from level k to k + 1, then F_k.
    ///
    /// # Errors
    /// As [`Path::knobs`].
    pub fn forward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()> {
        self.knobs(Way::Forward, k, ens)?;
        self.step(Way::Forward, k, ens)
    }

    /// One step backward: B_k, then the knobs from level k + 1 to k.
    ///
    /// # Errors
    /// As [`Path::knobs`].
    pub fn backward(&mut self, k: usize, ens: &mut Ensemble<S>) -> Result<()> {
        self.step(Way::Backward, k, ens)?;
        self.knobs(Way::Backward, k, ens)
    }

    /// What a step forward adds for given states: u_k(from) - u_k+1(to) + log B_k(from | to) - log F_k(to | from). A step
    /// backward adds the negative.
    ///
    /// # Errors
    /// As [`Transition::ledger`].
    pub fn ledger(&self, k: usize, from: &S, to: &S, out: &mut [f64]) -> Result<()> {
        let n = out.len();
        let (here, there) = (vec![self.ladder[k]; n], vec![self.ladder[k + 1]; n]);
        let (mut u, mut v) = (vec![0.0; n], vec![0.0; n]);
        self.transition.target().reduced(from, &here, &mut u)?;
        self.transition.target().reduced(to, &there, &mut v)?;
        self.transition.ledger(k, &there, from, to, out)?;
        for r in 0..n {
            out[r] += u[r] - v[r];
        }
        Ok(())
    }

    /// Replicas become copies of others: [`Ensemble::gather`], without losing the energies.
    pub(super) fn gather(&mut self, from: &[u32], ens: &mut Ensemble<S>) -> Result<()> {
        self.refresh(ens)?;
        ens.gather(from);
        self.u = from.iter().map(|&s| self.u[s as usize]).collect();
        self.key = Some(ens.epoch());
        Ok(())
    }

    /// Do the knobs differ from those of a level? Levels that repeat keep the caches.
    fn moves(&self, level: usize, ens: &Ensemble<S>) -> bool {
        let to = self.ladder[level];
        ens.thermo().iter().any(|t| *t != to)
    }

    fn enter(&mut self, level: usize, ens: &mut Ensemble<S>) {
        if self.moves(level, ens) {
            ens.retune(self.ladder[level]);
        }
    }

    /// Reduced energies of the ensemble as it is, an evaluation only where it has changed.
    pub(super) fn energies(&mut self, ens: &mut Ensemble<S>) -> Result<&[f64]> {
        self.refresh(ens)?;
        Ok(&self.u)
    }

    fn refresh(&mut self, ens: &mut Ensemble<S>) -> Result<()> {
        if self.key != Some(ens.epoch()) || self.u.len() != ens.replicas() {
            self.u.resize(ens.replicas(), 0.0);
            self.transition.reduced(ens, &mut self.u)?;
            self.key = Some(ens.epoch());
        }
        Ok(())
    }

    fn book(&self, replica: usize, log_w: f64, added: f64) -> Result<f64> {
        if log_w == f64::NEG_INFINITY {
            return Ok(log_w);
        }
        if added == f64::INFINITY {
            return Err(Error::run(
                format!("replica {replica} has an infinite weight: its reduced energy is {}", self.u[replica]),
                "the target must be bounded from below at every level",
            ));
        }
        Ok(log_w + added)
    }

    /// A weight that is no number belongs to a replica that has left the region where the target is defined: weight 0.
    fn bury(&self, ens: &mut Ensemble<S>) {
        let step = ens.step;
        for (w, h) in ens.log_w.iter_mut().zip(&mut ens.health) {
            if w.is_nan() {
                *w = f64::NEG_INFINITY;
                if *h == Health::Well {
                    *h = Health::Diverged { step };
                }
            }
        }
    }
}

impl<S: State> Resume for Path<S> {
    fn save(&self, to: &mut Snapshot) {
        to.put("beta", self.ladder.iter().map(|t| t.beta).collect::<Vec<_>>());
        to.put("lambda", self.ladder.iter().map(|t| t.lambda).collect::<Vec<_>>());
        to.put("state", self.ladder.iter().map(|t| u64::from(t.state)).collect::<Vec<_>>());
        to.nest("transition", |s| self.transition.save(s));
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        let (beta, lambda, state) = (from.f64s("beta")?, from.f64s("lambda")?, from.u64s("state")?);
        if beta.len() != lambda.len() || beta.len() != state.len() {
            return Err(Error::Shape { what: "levels in the snapshot", expected: beta.len(), found: lambda.len().min(state.len()) });
        }
        let level = |k: usize| Thermo { beta: beta[k], lambda: lambda[k], state: state[k] as u32 };
        self.ladder = (0..beta.len()).map(level).collect();
        self.key = None;
        self.transition.load(from.nested("transition")?)
    }
}
