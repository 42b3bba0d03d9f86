//! Where guests wait.

use tokio::runtime::{Builder, Runtime};

/// A small tokio runtime. Guests run on the thread that calls them; its own threads keep the timers,
/// open files for guests, and wait for answers over HTTP.
#[derive(Debug)]
pub(crate) struct Waiting(Option<Runtime>);

impl Waiting {
    pub(crate) fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
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
