//! Work on many files that is shared out to every core.

use std::sync::Mutex;
use std::thread;

/// So few of files that may be large that the last large one is not a core's alone with others behind it.
pub(super) const FEW: usize = 8;

/// So many neighbours of one directory that are only looked at that asking for the next ones costs nothing.
pub(super) const MANY: usize = 64;

/// Does `work` on each item; its results, in no order. A worker takes `share` items at once, which are
/// neighbours. After the first error no more are begun.
pub(super) fn on_every_core<T, R, E>(
    items: Vec<T>,
    share: usize,
    work: impl Fn(T) -> Result<Option<R>, E> + Sync,
) -> Result<Vec<R>, E>
where
    T: Send,
    R: Send,
    E: Send,
{
    let waiting = Mutex::new(items.into_iter());
    let next = |share: usize| -> Vec<T> {
        let mut waiting = waiting.lock().expect("no holder of this lock panics");
        waiting.by_ref().take(share).collect()
    };
    let worker = || -> Result<Vec<R>, E> {
        let mut done = Vec::new();
        loop {
            let share = next(share);
            if share.is_empty() {
                return Ok(done);
            }
            for item in share {
                match work(item) {
                    Ok(result) => done.extend(result),
                    Err(error) => {
                        drop(next(usize::MAX));
                        return Err(error);
                    }
                }
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let parts: Result<Vec<Vec<R>>, E> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let workers = workers.into_iter();
        workers
            .map(|worker| worker.join().expect("work on a file does not panic"))
            .collect()
    });
    Ok(parts?.into_iter().flatten().collect())
}
