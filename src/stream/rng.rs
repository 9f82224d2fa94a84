//! A stream as a generator of the `rand` crate.

use super::Stream;
use rand::rand_core::{Infallible, TryRng};

/// Walks through the slots of one (step, replica).
#[derive(Clone, Debug)]
pub struct StreamRng {
    stream: Stream,
    step: u64,
    replica: u32,
    slot: u32,
    spare: Option<u64>,
}

impl StreamRng {
    pub(super) fn new(stream: Stream, step: u64, replica: u32) -> Self {
        StreamRng { stream, step, replica, slot: 0, spare: None }
    }

    fn next(&mut self) -> u64 {
        if let Some(word) = self.spare.take() {
            return word;
        }
        let [a, b] = self.stream.words::<f64>(self.slot, self.step, self.replica);
        self.slot += 1;
        self.spare = Some(b);
        a
    }
}

impl TryRng for StreamRng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}
