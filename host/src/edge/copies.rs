//! Copies by rclone, side by side: watched, and ended by a signal.

use std::thread;
use std::time::Duration;

use copal_rclone::{CopyRequest, Job, JobState, RcloneError, Worker};

use super::interrupt::Interrupt;
use super::rclone::TIDY_UP;
use super::remote::{Progress, Watch};

/// Between two looks: short at first, so that a small copy does not wait.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(100);

/// How long a copy may take to stop.
const STOP: Duration = Duration::from_secs(30);

/// Runs copies to their end; the first that fails ends all. After a signal they are cancelled, and
/// this returns without an error: the caller looks at the interrupt.
pub(super) fn copy(
    worker: &Worker,
    requests: Vec<CopyRequest>,
    watch: &mut Watch<'_>,
    interrupt: &Interrupt,
) -> Result<(), RcloneError> {
    let start = |request| {
        let job = Some(worker.start_copy(request)?);
        Ok(Copying {
            job,
            progress: Progress::default(),
        })
    };
    let copies: Result<Vec<_>, RcloneError> = requests.into_iter().map(start).collect();
    let mut copies = copies?;
    let mut pause = SHORTEST;
    loop {
        if interrupt.signal().is_some() {
            return copies
                .into_iter()
                .filter_map(|copy| copy.job)
                .try_for_each(|job| job.cancel(TIDY_UP));
        }
        if let Err(error) = copies.iter_mut().try_for_each(Copying::poll) {
            // Nothing may write there any more when the caller tidies up.
            let mut others = copies.into_iter().filter_map(|copy| copy.job);
            let stopped = others.try_for_each(|job| job.cancel(STOP));
            return stopped.and(Err(error));
        }
        watch(
            copies
                .iter()
                .fold(Progress::default(), |sum, copy| sum + copy.progress),
        );
        if copies.iter().all(|copy| copy.job.is_none()) {
            return Ok(());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST);
    }
}

struct Copying<'w> {
    /// Gone when it is done.
    job: Option<Job<'w>>,
    progress: Progress,
}

impl Copying<'_> {
    fn poll(&mut self) -> Result<(), RcloneError> {
        let Some(job) = &mut self.job else {
            return Ok(());
        };
        let (state, done) = match job.poll()? {
            JobState::Running(progress) => (progress, false),
            JobState::Done(summary) => (summary.progress, true),
        };
        #[expect(clippy::cast_precision_loss, reason = "a speed is shown")]
        let bytes_per_second = if done { 0.0 } else { state.speed.0 as f64 };
        self.progress = Progress {
            bytes: state.bytes,
            files: state.files,
            bytes_per_second,
        };
        if done {
            self.job = None;
        }
        Ok(())
    }
}
