//! Ctrl-C, SIGTERM and SIGUSR1 ask for a checkpoint and an orderly stop; a second Ctrl-C ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Has a stop been asked for?
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A flag that nobody sets but [`Stop::ask`].
    pub fn never() -> Self {
        Self::default()
    }

    /// A flag that the signals set.
    ///
    /// # Errors
    /// `Error::Run` when the system refuses handlers.
    pub fn on_signals() -> crate::Result<Self> {
        let stop = Self::default();
        let refused = |e: std::io::Error| crate::Error::run(format!("signal handlers could not be installed: {e}"), "report this as a bug");
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
            // Registered first: when the flag is already set, the second SIGINT ends the program (128 + 2).
            signal_hook::flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&stop.0)).map_err(refused)?;
            for signal in [SIGINT, SIGTERM, SIGUSR1] {
                signal_hook::flag::register(signal, Arc::clone(&stop.0)).map_err(refused)?;
            }
        }
        Ok(stop)
    }

    /// Asks for a stop.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Was one asked for?
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
