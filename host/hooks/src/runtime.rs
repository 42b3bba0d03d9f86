//! Where guests wait.

use tokio::runtime::{Builder, Runtime};

/// How many threads work on files of guests at once; what there is beyond waits for its turn.
const BLOCKING: usize = 32;

/// A small tokio runtime. Guests run on the thread that calls them; its own threads keep the timers,
/// open files for guests, and wait for answers over HTTP.
#[derive(Debug)]
pub(crate) struct Waiting(Option<Runtime>);

impl Waiting {
    pub(crate) fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(BLOCKING)
            .thread_name("hook-waiting")
            .enable_time()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a future to its end on this thread, which must not belong to a runtime itself.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let runtime = self.0.as_ref();
        runtime
            .expect("there from `new` to `drop`")
            .block_on(future)
    }
}

impl Drop for Waiting {
    /// A request that nobody waits for any more must not be waited for here.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn no_more_than_so_many_threads_work_on_files_at_once() {
        let waiting = Waiting::new().expect("there is leave to start threads");
        let (working, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        waiting.block_on(async {
            let task = || {
                let (working, most) = (Arc::clone(&working), Arc::clone(&most));
                tokio::task::spawn_blocking(move || {
                    most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    // Long enough for all the others to begin, if they could.
                    for _ in 0..100 {
                        thread::yield_now();
                    }
                    working.fetch_sub(1, Ordering::SeqCst);
                })
            };
            let tasks: Vec<_> = std::iter::repeat_with(task).take(1000).collect();
            for task in tasks {
                task.await.expect("it does not panic");
            }
        });
        assert!(most.load(Ordering::SeqCst) <= BLOCKING);
    }
}
