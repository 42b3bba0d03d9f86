//! The cores that take part in checking a large component and what was compiled of it.

use std::sync::OnceLock;
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Components of this size are worth more than one core.
const WORTH_MORE: usize = 256 * 1024;

/// More threads than these gain little, and starting them takes time too.
const MOST_THREADS: usize = 4;

/// How many cores take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cores {
    /// The one that asks.
    One,
    /// Those of the pool that this runs in.
    All,
}

/// Does two things to a component of this size: side by side, and on all cores, where that is worth it.
pub(super) fn both<A: Send, B: Send>(
    size: usize,
    one: impl FnOnce(Cores) -> A + Send,
    other: impl FnOnce(Cores) -> B + Send,
) -> (A, B) {
    match (size >= WORTH_MORE).then(pool).flatten() {
        Some(pool) => pool.install(|| rayon::join(|| one(Cores::All), || other(Cores::All))),
        None => (one(Cores::One), other(Cores::One)),
    }
}

/// Threads of our own, not rayon's for all, which are as many as there are cores; none where they can't
/// be started.
fn pool() -> Option<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let builder = ThreadPoolBuilder::new().num_threads(cores.min(MOST_THREADS));
        let builder = builder.thread_name(|_| "hook-check".to_owned());
        builder
            .build()
            .inspect_err(|error| tracing::debug!(%error, "one core checks"))
            .ok()
    });
    pool.as_ref()
}
