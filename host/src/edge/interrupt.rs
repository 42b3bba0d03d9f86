//! SIGINT and SIGTERM: noticed by every loop, obeyed within a second.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::groups;

/// The signal that asked for an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C on the terminal.
    Interrupt,
    /// From `kill`, systemd, or a shutdown.
    Terminate,
}

impl Signal {
    /// The signal's number.
    pub fn number(self) -> u8 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// The run was asked to end; carried upwards like any other error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted by {0}")]
pub struct Interrupted(pub Signal);

/// Whether a signal has come. Clones see the same signal.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    number: Arc<AtomicUsize>,
    flag: Arc<AtomicBool>,
    /// Something else that asks for an end, in a part of the run.
    other: Option<Arc<AtomicBool>>,
}

impl Interrupt {
    /// Takes over SIGINT and SIGTERM. A second signal ends the process at once, with the commands
    /// that it runs.
    pub fn listen() -> io::Result<Self> {
        let interrupt = Self::default();
        end_at_the_second()?;
        for signal in [SIGINT, SIGTERM] {
            // The order counts: whoever sees the flag finds the number.
            let number = usize::try_from(signal).map_err(io::Error::other)?;
            flag::register_usize(signal, Arc::clone(&interrupt.number), number)?;
            flag::register(signal, Arc::clone(&interrupt.flag))?;
        }
        Ok(interrupt)
    }

    /// The flag itself, for those that poll it from another crate.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// The same, which asks for an end as well when `other` is set: like SIGTERM, though none came. Who
    /// set it knows what to say of that.
    #[must_use]
    pub fn or(&self, other: Arc<AtomicBool>) -> Self {
        Self {
            other: Some(other),
            ..self.clone()
        }
    }

    /// The signal that came, if one did.
    pub fn signal(&self) -> Option<Signal> {
        if !self.flag.load(Ordering::Relaxed) {
            let is_set = |other: &Arc<AtomicBool>| other.load(Ordering::Relaxed);
            let other = self.other.as_ref().is_some_and(is_set);
            return other.then_some(Signal::Terminate);
        }
        let terminated =
            self.number.load(Ordering::Relaxed) == usize::from(Signal::Terminate.number());
        Some(if terminated {
            Signal::Terminate
        } else {
            Signal::Interrupt
        })
    }

    /// `Err` from the moment a signal came; called by every loop that may take long.
    pub fn check(&self) -> Result<(), Interrupted> {
        self.signal()
            .map_or(Ok(()), |signal| Err(Interrupted(signal)))
    }

    /// Behaves as if `signal` had come.
    #[cfg(test)]
    pub(crate) fn raise(&self, signal: Signal) {
        self.number
            .store(usize::from(signal.number()), Ordering::Relaxed);
        self.flag.store(true, Ordering::Relaxed);
    }
}

/// A thread, since a handler may not look for what is to be killed.
fn end_at_the_second() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let wait = move || {
        if let Some(second) = signals.forever().nth(1) {
            groups::kill_all();
            // No clean-up: what hangs may be what a clean-up would wait for.
            signal_hook::low_level::exit(128 + second);
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)
        .map(drop)
}
