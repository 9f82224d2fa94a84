//! A batch with its thermodynamic states, weights and health.

use super::{Resume, Snapshot, State};
use crate::stream::Root;
use crate::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// A number never handed out before in this process, so that two ensembles, or a clone that went its own way, never share a
/// cache key. It enters no result.
fn next_epoch() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Thermodynamic state of one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thermo {
    /// 1 / kT, in the inverse of the system's energy unit.
    pub beta: f64,
    /// Coupling parameter of the potential.
    pub lambda: f64,
    /// Row of a table of further knobs.
    pub state: u32,
}

impl Thermo {
    /// Full coupling at a given beta.
    pub fn at(beta: f64) -> Self {
        Thermo { beta, lambda: 1.0, state: 0 }
    }
}

/// Is a replica's trajectory still a trajectory?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Yes.
    Well,
    /// Its energy or a coordinate stopped being finite at this step; it is counted, reported and left out of averages.
    Diverged {
        /// Step at which it was noticed.
        step: u64,
    },
}

/// The replicas and all that belongs to them.
#[derive(Clone, Debug)]
pub struct Ensemble<S> {
    state: S,
    thermo: Vec<Thermo>,
    epoch: u64,
    force_epoch: u64,
    /// Log-weight of each replica.
    pub log_w: Vec<f64>,
    /// Which starting replica each one descends from.
    pub lineage: Vec<u64>,
    /// Health of each replica.
    pub health: Vec<Health>,
    /// Steps taken; the clock of all random numbers.
    pub step: u64,
    /// Root of the random streams.
    pub root: Root,
}

impl<S: State> Ensemble<S> {
    /// Weights 1, all well, step 0.
    ///
    /// # Errors
    /// `Error::Shape` unless there is one `Thermo` per replica.
    pub fn new(state: S, thermo: Vec<Thermo>, root: Root) -> Result<Self> {
        let n = state.replicas();
        if thermo.len() != n {
            return Err(Error::Shape { what: "thermodynamic states", expected: n, found: thermo.len() });
        }
        let lineage = (0..n as u64).collect();
        let epoch = next_epoch();
        Ok(Ensemble {
            state,
            thermo,
            epoch,
            force_epoch: epoch,
            log_w: vec![0.0; n],
            lineage,
            health: vec![Health::Well; n],
            step: 0,
            root,
        })
    }

    /// Number of replicas.
    pub fn replicas(&self) -> usize {
        self.state.replicas()
    }

    /// The microscopic state.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// The microscopic state, to be changed: cached forces become stale.
    pub fn state_mut(&mut self) -> &mut S {
        self.renew();
        &mut self.state
    }

    /// The microscopic state, for a propagator that renews its own cache: call [`Ensemble::epoch`] afterwards.
    pub fn parts_mut(&mut self) -> (&mut S, &[Thermo], &mut [Health]) {
        self.renew();
        (&mut self.state, &self.thermo, &mut self.health)
    }

    /// The thermodynamic states.
    pub fn thermo(&self) -> &[Thermo] {
        &self.thermo
    }

    /// The thermodynamic states, to be changed: cached forces become stale.
    pub fn thermo_mut(&mut self) -> &mut [Thermo] {
        self.renew();
        &mut self.thermo
    }

    /// Gives every replica another thermodynamic state and its momenta the new temperature, v -> sqrt(beta / beta') v.
    ///
    /// In the variables (x, sqrt(beta) v) the momenta of exp(-beta (U + K)) have one law at every state, and this is the change of
    /// label at fixed x and sqrt(beta) v: a move of labels that is exact for configurations alone, exp(-beta U), is exact for
    /// configurations and momenta (Sugita and Okamoto, Chem. Phys. Lett. 314, 141 (1999)). Forces depend on x and lambda only, so
    /// cached ones stay valid unless a lambda changes.
    ///
    /// # Errors
    /// `Error::Shape` unless there is one `Thermo` per replica.
    pub fn relabel(&mut self, thermo: &[Thermo]) -> Result<()> {
        if thermo.len() != self.thermo.len() {
            return Err(Error::Shape { what: "thermodynamic states", expected: self.thermo.len(), found: thermo.len() });
        }
        if self.thermo.iter().zip(thermo).any(|(old, new)| old.lambda.to_bits() != new.lambda.to_bits()) {
            self.renew();
        } else {
            self.epoch = next_epoch();
        }
        if self.thermo.iter().zip(thermo).any(|(old, new)| old.beta.to_bits() != new.beta.to_bits()) {
            let factor: Vec<f64> = self.thermo.iter().zip(thermo).map(|(old, new)| (old.beta / new.beta).sqrt()).collect();
            self.state.rescale_momenta(&factor);
        }
        self.thermo.copy_from_slice(thermo);
        Ok(())
    }

    /// Gives every replica the same thermodynamic state and leaves momenta as they are: what moves the knobs of a path.
    ///
    /// Forces depend on x and lambda only, so cached ones stay valid unless a lambda changes.
    pub fn retune(&mut self, thermo: Thermo) {
        if self.thermo.iter().any(|old| old.lambda.to_bits() != thermo.lambda.to_bits()) {
            self.renew();
        } else {
            self.epoch = next_epoch();
        }
        self.thermo.fill(thermo);
    }

    fn renew(&mut self) {
        self.epoch = next_epoch();
        self.force_epoch = self.epoch;
    }

    /// Changes with every change of state and thermodynamic states, and is unique in the process: the key of caches.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// As [`Ensemble::epoch`], but stays when [`Ensemble::relabel`] or [`Ensemble::retune`] change no lambda: the key of cached forces.
    pub fn force_epoch(&self) -> u64 {
        self.force_epoch
    }

    /// Replica `i` becomes a copy of `from[i]`: state, weight, lineage and health. The random stream stays with the place.
    pub fn gather(&mut self, from: &[u32]) {
        self.state_mut().gather(from);
        let (log_w, lineage, health) = (self.log_w.clone(), self.lineage.clone(), self.health.clone());
        for (i, &s) in from.iter().enumerate() {
            let s = s as usize;
            (self.log_w[i], self.lineage[i], self.health[i]) = (log_w[s], lineage[s], health[s]);
        }
    }

    /// Replicas whose trajectory is still one.
    pub fn well(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.health.len()).filter(|&r| self.health[r] == Health::Well)
    }
}

impl<S: State> Resume for Ensemble<S> {
    fn save(&self, to: &mut Snapshot) {
        to.nest("state", |s| self.state.save(s));
        to.put("beta", self.thermo.iter().map(|t| t.beta).collect::<Vec<_>>());
        to.put("lambda", self.thermo.iter().map(|t| t.lambda).collect::<Vec<_>>());
        to.put("row", self.thermo.iter().map(|t| u64::from(t.state)).collect::<Vec<_>>());
        to.put("log_w", self.log_w.clone());
        to.put("lineage", self.lineage.clone());
        let diverged = |h: &Health| if let Health::Diverged { step } = h { *step } else { u64::MAX };
        to.put("diverged", self.health.iter().map(diverged).collect::<Vec<_>>());
        to.put("step", self.step);
    }
    fn load(&mut self, from: &Snapshot) -> Result<()> {
        self.state_mut().load(from.nested("state")?)?;
        let n = self.replicas();
        let (beta, lambda, row) = (from.f64s("beta")?, from.f64s("lambda")?, from.u64s("row")?);
        let (log_w, lineage, diverged) = (from.f64s("log_w")?, from.u64s("lineage")?, from.u64s("diverged")?);
        for length in [beta.len(), lambda.len(), row.len(), log_w.len(), lineage.len(), diverged.len()] {
            if length != n {
                return Err(Error::Shape { what: "replicas in the snapshot", expected: n, found: length });
            }
        }
        self.thermo = (0..n).map(|i| Thermo { beta: beta[i], lambda: lambda[i], state: row[i] as u32 }).collect();
        self.log_w = log_w.to_vec();
        self.lineage = lineage.to_vec();
        self.health = diverged.iter().map(|&step| if step == u64::MAX { Health::Well } else { Health::Diverged { step } }).collect();
        self.step = from.u64("step")?;
        Ok(())
    }
}
