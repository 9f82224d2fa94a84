//! The loop of every stage that moves replicas: frames are stored, checkpoints make state and frames durable, a stop is heard.

use super::config::{Interval, Stage};
use super::job::Job;
use super::progress::Progress;
use super::session::Session;
use crate::batch::Snapshot;
use crate::dynamics::Tally;
use crate::io::sink::{Frame, Header, Segment, Sink};
use crate::io::{checkpoint, open_sink, segments};
use crate::{Error, Result};
use cpu_time::ProcessTime;
use std::time::Instant;

/// What a stage moves, as the loop sees it: chains of all kinds, annealing, switching. Its clock counts whatever it counts (steps,
/// levels); nothing of it may depend on how many ticks are taken at once.
pub(super) trait Moves {
    /// How many replicas move at once.
    fn replicas(&self) -> usize;
    /// Ticks taken.
    fn clock(&self) -> u64;
    /// Ticks to take.
    fn total(&self) -> u64;
    /// The next tick after now at which a frame may be due.
    fn next(&self) -> u64;
    /// Is a frame due now?
    fn due(&self) -> bool;
    /// Takes `ticks`, at most to [`Moves::next`].
    fn advance(&mut self, ticks: u64) -> Result<()>;
    /// Header of its files.
    fn header(&self) -> &Header;
    /// Fills the frame that is due.
    fn frame(&mut self, frame: &mut Frame) -> Result<()>;
    /// What it cost so far.
    fn tally(&self) -> Tally;
    /// For the line of progress.
    fn note(&self) -> String;
    /// Everything that a resume needs.
    fn save(&self, to: &mut Snapshot);
}

/// What the stage has cost so far, interruptions included. Not part of the results.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    cpu: f64,
    wall: f64,
    io: f64,
}

struct Running<M> {
    moves: M,
    sink: Box<dyn Sink>,
    segments: Vec<Segment>,
    spent: Spent,
    budget: Option<u64>,
}

/// Runs a stage to its end from wherever its checkpoint stands; `start` makes what moves, from the checkpoint if there is one.
///
/// # Errors
/// `Error::Interrupted` after a checkpoint when a stop was asked for; what files, starts and shapes give.
pub(super) fn run<M: Moves>(
    job: &Job<'_>,
    stage: &Stage,
    session: &Session,
    start: impl FnOnce(Option<&Snapshot>) -> Result<M>,
) -> Result<()> {
    let dir = job.dir.join(&stage.name.value);
    std::fs::create_dir_all(&dir).map_err(|e| Error::io(&dir, "making the folder of a stage", &e))?;
    let saved = session.load(&dir, &job.config_hash)?;
    let steps = stage.kind.chain().map(|s| s.warmup.value + s.steps.value);
    if let Some(s) = &saved
        && s.u64("done")? == 1
        && (steps.is_none_or(|total| s.u64("clock").is_ok_and(|clock| clock >= total)) || spent(stage, s))
    {
        return Ok(());
    }
    let moves = start(saved.as_ref())?;
    let (mut segments, mut spent) = (Vec::new(), Spent::default());
    if let Some(s) = &saved {
        segments = segments::from_snapshot(s)?;
        spent = Spent { cpu: s.f64("cpu")?, wall: s.f64("wall")?, io: s.f64("io")? };
    }
    let mut sink = open_sink(dir);
    sink.open(moves.header(), &segments)?;
    let budget = stage.budget.as_ref().map(|b| b.value);
    let mut running = Running { moves, sink, segments, spent, budget };
    let mut progress = Progress::start(session.show, &job.label(stage), running.moves.clock(), running.moves.total());
    let result = running.advance(job, stage, session, &mut progress);
    progress.end(running.moves.clock());
    result
}

/// Has the stage of a checkpoint used up its budget?
pub(super) fn spent<Q>(stage: &Stage<Q>, saved: &Snapshot) -> bool {
    stage.budget.as_ref().is_some_and(|calls| saved.u64("evaluations").is_ok_and(|n| n >= calls.value))
}

impl<M: Moves> Running<M> {
    fn advance(&mut self, job: &Job<'_>, stage: &Stage, session: &Session, progress: &mut Progress) -> Result<()> {
        let mut clock = (ProcessTime::now(), Instant::now());
        let mut saved_at = Instant::now();
        let mut chunk = Chunk::new(self.moves.replicas());
        let mut frame = Frame::default();
        while self.moves.clock() < self.moves.total() {
            let now = self.moves.clock();
            let mut until = self.moves.total().min(self.moves.next()).min(now + chunk.steps);
            if let Interval::Steps(n) = job.resolved.checkpoint {
                until = until.min((now / n + 1) * n);
            }
            let began = Instant::now();
            self.moves.advance(until - now)?;
            chunk.adapt(until - now, began.elapsed().as_secs_f64());
            let now = self.moves.clock();
            let due = self.moves.due();
            if due {
                self.moves.frame(&mut frame)?;
                let began = Instant::now();
                self.sink.write(&frame)?;
                self.spent.io += began.elapsed().as_secs_f64();
            }
            progress.at(now, &self.moves.note());
            // looked at with a frame only: how many ticks are taken at once must not decide
            let used_up = due && self.budget.is_some_and(|calls| self.moves.tally().evaluations >= calls);
            let done = now >= self.moves.total() || used_up;
            let checkpoint = match job.resolved.checkpoint {
                Interval::Steps(n) => now.is_multiple_of(n),
                Interval::Seconds(s) => saved_at.elapsed().as_secs_f64() >= s,
            };
            let stop = session.stop_now();
            if done || checkpoint || stop {
                self.spent.cpu += clock.0.elapsed().as_secs_f64();
                self.spent.wall += clock.1.elapsed().as_secs_f64();
                clock = (ProcessTime::now(), Instant::now());
                self.save(job, stage, done)?;
                saved_at = Instant::now();
            }
            if done {
                break;
            }
            if stop {
                return Err(Error::Interrupted { dir: session.dir.clone() });
            }
        }
        self.sink.close()
    }

    fn save(&mut self, job: &Job<'_>, stage: &Stage, done: bool) -> Result<()> {
        let began = Instant::now();
        self.segments = self.sink.commit()?;
        tracing::info!(stage = stage.name.value, step = self.moves.clock(), segments = self.segments.len(), "checkpoint");
        self.spent.io += began.elapsed().as_secs_f64();
        let mut s = Snapshot::default();
        self.moves.save(&mut s);
        segments::to_snapshot(&self.segments, &mut s);
        s.put("clock", self.moves.clock());
        s.put("total", self.moves.total());
        s.put("done", u64::from(done));
        let tally = self.moves.tally();
        s.put("evaluations", tally.evaluations);
        s.put("gradients", tally.gradients);
        s.put("proposed", tally.proposed);
        s.put("accepted", tally.accepted);
        s.put("cpu", self.spent.cpu);
        s.put("wall", self.spent.wall);
        s.put("io", self.spent.io);
        checkpoint::save(
            &job.dir.join(&stage.name.value),
            &s,
            &checkpoint::Meta { version: String::new(), config_hash: job.config_hash.clone() },
        )
    }
}

/// How many ticks to take between two looks at the clock: about a fifth of a second's worth.
struct Chunk {
    steps: u64,
}

impl Chunk {
    fn new(replicas: usize) -> Self {
        Chunk { steps: (1024 / replicas.max(1) as u64).clamp(1, 64) }
    }
    fn adapt(&mut self, steps: u64, seconds: f64) {
        if seconds < 0.1 && steps == self.steps {
            self.steps *= 2;
        } else if seconds > 0.4 {
            self.steps = (self.steps / 2).max(1);
        }
    }
}
