//! Room for the intermediate results of formulas in text, one piece a thread.

use crate::real::Octet;
use std::cell::Cell;

thread_local! {
    static ROOM: Cell<Vec<Octet>> = const { Cell::new(Vec::new()) };
}

/// Hands `n` octets of any content to `work`. One call inside another gets a piece of its own.
pub(super) fn with_room<R>(n: usize, work: impl FnOnce(&mut [Octet]) -> R) -> R {
    let mut room = ROOM.take();
    if room.len() < n {
        room.resize(n, Octet::of(0.0));
    }
    let result = work(&mut room[..n]);
    ROOM.set(room);
    result
}
