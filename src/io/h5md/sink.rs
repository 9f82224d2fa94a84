//! The sink: frames go to one thread that owns the file, so that sampling does not wait for the disk.

use super::segment::{Gzip, SegmentFile};
use super::{index, read};
use crate::io::files::{self, fault};
use crate::io::reader::Stage;
use crate::io::segments::{self, check_frame};
use crate::io::sink::{Frame, Header, Segment, Sink};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Frames waiting for the writer take at most this many bytes.
const WAITING_BYTES: usize = 64 << 20;
/// The replicas' files are rebuilt after a segment only while that takes less than this share of the run, in the end always.
const INDEX_SHARE: f64 = 0.02;
/// Seconds that one replica's file takes, until it was measured.
const INDEX_SECONDS: f64 = 1.5e-3;

enum Message {
    Frame(Frame, Instant),
    Commit(Sender<Vec<Segment>>),
    Close(Sender<()>),
}

/// Writes a stage's frames as HDF5 segments, one for each commit.
///
/// Shapes: positions (draw, replica, atom, dimension) as f32 unless the column is `double`; observables (draw, replica)
/// or (draw, replica, width) as f64; `step` i64 and `time` f64 (draw).
/// Errors of the writing thread come back from the next call.
pub struct SegmentSink {
    dir: PathBuf,
    header: Option<Header>,
    thread: Option<(SyncSender<Message>, JoinHandle<()>)>,
    failure: Arc<Mutex<Option<Error>>>,
}

impl SegmentSink {
    /// A sink for the stage's folder; nothing is touched before `open`.
    pub fn new(dir: &Path) -> Self {
        SegmentSink { dir: dir.to_owned(), header: None, thread: None, failure: Arc::default() }
    }

    /// What the thread failed of; a plain refusal when that has been told already.
    fn failed(&mut self) -> Error {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            let _ = thread.join();
        }
        let told = self.failure.lock().ok().and_then(|mut slot| slot.take());
        told.unwrap_or_else(|| {
            let stage = self.header.as_ref().map_or("", |h| &h.stage);
            Error::run(format!("the output of stage '{stage}' is not open"), "see the error before this one")
        })
    }

    fn send(&mut self, message: Message) -> Result<()> {
        let sent = self.thread.as_ref().is_some_and(|(sender, _)| sender.send(message).is_ok());
        if sent { Ok(()) } else { Err(self.failed()) }
    }
}

impl Sink for SegmentSink {
    fn open(&mut self, header: &Header, kept: &[Segment]) -> Result<()> {
        self.thread = None;
        files::make_dir(&self.dir)?;
        segments::verify(&self.dir, kept)?;
        for segment in kept {
            read::verify(&self.dir.join(&segment.file), header, segment.frames)?;
        }
        // Whatever points at segments goes before the segments do.
        files::remove(&self.dir.join("traj"))?;
        files::remove(&self.dir.join("chains.h5"))?;
        segments::sweep(&self.dir, kept)?;
        segments::write_header(&self.dir, header)?;
        if !kept.is_empty() {
            index(&self.dir, header, kept)?;
        }
        let frame_bytes = 64 + 8 * header.replicas * header.columns.iter().map(|c| c.width).sum::<usize>();
        let (sender, receiver) = sync_channel((WAITING_BYTES / frame_bytes).clamp(2, 1024));
        let writer =
            Writer { dir: self.dir.clone(), header: header.clone(), segments: kept.to_vec(), indexing: Duration::ZERO, next: None };
        self.failure = Arc::default();
        let failure = Arc::clone(&self.failure);
        let work = move || {
            if let Err(error) = writer.run(&receiver)
                && let Ok(mut slot) = failure.lock()
            {
                *slot = Some(error);
            }
        };
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(work);
        let thread = thread.map_err(|e| Error::io(&self.dir, "cannot start the thread that writes", &e))?;
        self.thread = Some((sender, thread));
        self.header = Some(header.clone());
        Ok(())
    }

    fn write(&mut self, frame: &Frame) -> Result<()> {
        if let Some(header) = &self.header {
            check_frame(header, frame)?;
        }
        self.send(Message::Frame(frame.clone(), Instant::now()))
    }

    fn commit(&mut self) -> Result<Vec<Segment>> {
        let (reply, answer) = channel();
        self.send(Message::Commit(reply))?;
        answer.recv().map_err(|_| self.failed())
    }

    fn close(&mut self) -> Result<()> {
        let (reply, answer) = channel();
        self.send(Message::Close(reply))?;
        answer.recv().map_err(|_| self.failed())?;
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            let _ = thread.join();
        }
        Ok(())
    }
}

impl Drop for SegmentSink {
    /// Frames since the last commit are given up, as after a kill.
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

/// What the thread holds.
struct Writer {
    dir: PathBuf,
    header: Header,
    segments: Vec<Segment>,
    /// Time spent on the replicas' files so far.
    indexing: Duration,
    /// Time that they took the last time.
    next: Option<Duration>,
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Message>) -> Result<()> {
        let started = Instant::now();
        let header = self.header.clone();
        let mut current: Option<SegmentFile<'_>> = None;
        for message in receiver {
            match message {
                Message::Frame(frame, at) => {
                    let file = current.get_or_insert_with(|| SegmentFile::new(&self.part(), &header, Gzip::IfCheap));
                    file.push(&frame, at)?;
                }
                Message::Commit(reply) => {
                    let new = current.take().map(|file| self.finish(file)).transpose()?.is_some();
                    let _ = reply.send(self.segments.clone());
                    if new && self.index_is_cheap(started.elapsed()) {
                        let began = Instant::now();
                        index(&self.dir, &header, &self.segments)?;
                        self.next = Some(began.elapsed());
                        self.indexing += began.elapsed();
                    }
                }
                Message::Close(reply) => {
                    if let Some(file) = current.take() {
                        self.finish(file)?;
                    }
                    index(&self.dir, &header, &self.segments)?;
                    let stage = Stage::of(&self.dir, header.clone(), self.segments.clone());
                    crate::io::arviz::write(&stage, &self.dir.join("chains.h5"))?;
                    let _ = reply.send(());
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn index_is_cheap(&self, elapsed: Duration) -> bool {
        let next = self.next.map_or(INDEX_SECONDS * self.header.replicas as f64, |t| t.as_secs_f64());
        self.indexing.as_secs_f64() + next <= INDEX_SHARE * elapsed.as_secs_f64()
    }

    fn part(&self) -> PathBuf {
        files::part_of(&self.dir.join(segments::name(self.segments.len() + 1, ".h5")))
    }

    /// Closes the segment: synced, renamed, its name on the disk.
    fn finish(&mut self, file: SegmentFile<'_>) -> Result<()> {
        let (part, name) = (self.part(), segments::name(self.segments.len() + 1, ".h5"));
        let frames = file.finish()?;
        fault("segment-sync");
        files::sync_file(&part)?;
        fault("segment-rename");
        let path = self.dir.join(&name);
        files::rename(&part, &path)?;
        files::sync_dir(&self.dir)?;
        let bytes = std::fs::metadata(&path).map_err(|e| Error::io(&path, "cannot look at this segment", &e))?.len();
        self.segments.push(Segment { file: name, frames, bytes });
        fault("segment-done");
        Ok(())
    }
}
