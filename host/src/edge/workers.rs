//! The worker process of a command, which is replaced once where it dies: what is at the remote
//! already stays there, and the rest goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use copal_rclone::{ErrorKind, RcloneError, SpawnOptions, Worker};

use super::interrupt::Interrupt;
use super::rclone::TIDY_UP;

/// What has to be said to each worker.
type Preparation = dyn Fn(&Worker) -> Result<(), RcloneError> + Send + Sync;

/// The worker, or its successor.
pub(super) struct Workers {
    options: SpawnOptions,
    interrupt: Interrupt,
    state: Mutex<State>,
}

struct State {
    worker: Arc<Worker>,
    /// What a successor is told before anything else.
    preparations: Vec<Box<Preparation>>,
    /// How the first one ended.
    died: Option<String>,
}

impl Workers {
    /// Starts the first one, which a signal ends.
    pub(super) fn start(
        options: SpawnOptions,
        interrupt: &Interrupt,
    ) -> Result<Arc<Self>, RcloneError> {
        let worker = Arc::new(Worker::spawn(options.clone())?);
        let state = Mutex::new(State {
            worker,
            preparations: Vec::new(),
            died: None,
        });
        let workers = Arc::new(Self {
            options,
            interrupt: interrupt.clone(),
            state,
        });
        workers.end_after_signal();
        Ok(workers)
    }

    /// Asks the worker. Where it dies over that, its successor is asked the same: whatever is asked has
    /// to bear being asked twice.
    pub(super) fn ask<T>(
        &self,
        mut ask: impl FnMut(&Worker) -> Result<T, RcloneError>,
    ) -> Result<T, RcloneError> {
        let worker = self.worker();
        match ask(&worker) {
            Err(error) if error.kind() == ErrorKind::WorkerDied => {
                match self.successor(&worker, &error) {
                    Some(successor) => ask(&successor),
                    None => Err(error),
                }
            }
            answered => answered,
        }
    }

    /// Tells the worker what it has to know for good: a successor is told the same.
    pub(super) fn prepare<T>(
        &self,
        tell: impl Fn(&Worker) -> Result<T, RcloneError> + Send + Sync + 'static,
    ) -> Result<T, RcloneError> {
        let told = self.ask(&tell)?;
        let again = move |worker: &Worker| tell(worker).map(drop);
        self.state().preparations.push(Box::new(again));
        Ok(told)
    }

    /// The one that there is.
    pub(super) fn worker(&self) -> Arc<Worker> {
        Arc::clone(&self.state().worker)
    }

    /// How the first one ended, where it was replaced.
    pub(super) fn replaced(&self) -> Option<String> {
        self.state().died.clone()
    }

    /// The one in place of `dead`. None after a signal, which ends workers, nor for a second death:
    /// what kills two would kill a third.
    fn successor(&self, dead: &Arc<Worker>, error: &RcloneError) -> Option<Arc<Worker>> {
        if self.interrupt.signal().is_some() {
            return None;
        }
        let mut state = self.state();
        if !Arc::ptr_eq(&state.worker, dead) {
            return Some(Arc::clone(&state.worker));
        }
        if state.died.is_some() {
            return None;
        }
        let prepared = Worker::spawn(self.options.clone()).and_then(|worker| {
            let mut preparations = state.preparations.iter();
            preparations.try_for_each(|tell| tell(&worker))?;
            Ok(worker)
        });
        match prepared {
            Ok(worker) => {
                tracing::warn!("{error}; another takes its place");
                state.died = Some(error.to_string());
                state.worker = Arc::new(worker);
                Some(Arc::clone(&state.worker))
            }
            Err(another) => {
                tracing::warn!("no other rclone worker can take its place: {another}");
                None
            }
        }
    }

    /// A call that hangs at the remote's end can't be interrupted, but its process can be killed: the
    /// call then returns, and what follows goes on.
    fn end_after_signal(self: &Arc<Self>) {
        const LOOK: Duration = Duration::from_millis(50);
        let (workers, interrupt) = (Arc::downgrade(self), self.interrupt.clone());
        thread::spawn(move || {
            while interrupt.signal().is_none() {
                thread::sleep(LOOK);
                if workers.strong_count() == 0 {
                    return;
                }
            }
            thread::sleep(TIDY_UP);
            if let Some(workers) = workers.upgrade() {
                workers.state().worker.kill();
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
