//! Copying many files: started, watched, judged.

use std::thread;
use std::time::{Duration, Instant};

use copal_core::units::ByteCount;

use crate::attempt::{Attempt, NO_REASON};
use crate::error::{ErrorKind, FileProblem, RcloneError};
use crate::names::travels_unchanged;
use crate::remote::Remote;
use crate::worker::Worker;

/// Who proves that a file arrived as it was sent. rclone compares the size in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofBy {
    /// rclone, by a checksum that both sides have, where there is one.
    Rclone,
    /// The caller, who knows more: rclone compares none.
    Caller,
}

/// Asks to copy files by name.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is asked for by itself, whatever the others are"
)]
pub struct CopyRequest {
    /// The directory that the names are relative to.
    pub source: Remote,
    /// Where they go, under the same names.
    pub destination: Remote,
    /// Exactly these, whatever else is there. Each has to be one that [`travels_unchanged`]. Unless `by_name`,
    /// rclone lists the directories that they lie in, and no others.
    pub files: Vec<String>,
    /// Also those that look the same there, by size and time. What is there stays until the new content
    /// has arrived whole.
    pub again: bool,
    /// Who proves what arrived.
    pub proof: ProofBy,
    /// Each is written under another name first, also with rclone's option `inplace`: a file that is there may
    /// have other names.
    pub anew: bool,
    /// How many at a time; `None` for rclone's own option `transfers`.
    pub transfers: Option<u32>,
    /// Whether rclone asks for each by its name, here and there, and lists no directory.
    pub by_name: bool,
    /// Whether those that are not there are passed over. Each is asked for by its name then, too.
    pub if_there: bool,
    /// How often to try; `None` for rclone's own option `retries`. After the first try only files that
    /// did not arrive are tried, and each time after a longer pause.
    pub attempts: Option<u32>,
}

/// How far a copy has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// What has been transferred.
    pub bytes: ByteCount,
    /// What there is to transfer; grows while rclone still looks. `None` until it knows anything.
    pub total_bytes: Option<ByteCount>,
    /// Files that have arrived in this attempt.
    pub files: u64,
    /// Files that have to be transferred; grows while rclone still looks.
    pub total_files: Option<u64>,
    /// Errors so far; the attempt goes on with the other files.
    pub errors: u64,
    /// Bytes in a second, over the last moments.
    pub speed: ByteCount,
    /// 1 for the first.
    pub attempt: u32,
}

/// The end of a copy that brought over every file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CopySummary {
    /// The last attempt's numbers.
    pub progress: Progress,
}

/// What a poll found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JobState {
    /// Not done yet.
    Running(Progress),
    /// Every file arrived, says rclone. Its listing has yet to say the same.
    Done(CopySummary),
}

/// A copy that is under way. Dropping it asks rclone to stop.
#[derive(Debug)]
pub struct Job<'w> {
    worker: &'w Worker,
    request: CopyRequest,
    attempts_made: u32,
    /// What earlier attempts brought over.
    before: Before,
    /// `None` once it has ended, and between two attempts.
    running: Option<Attempt>,
    /// When the next attempt begins, between two.
    next: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Before {
    bytes: ByteCount,
    files: u64,
}

impl Worker {
    /// Starts to copy files. [`Job::poll`] has to be called until it is done.
    pub fn start_copy(&self, request: CopyRequest) -> Result<Job<'_>, RcloneError> {
        let unfit = request
            .files
            .iter()
            .find(|name| !travels_unchanged(name.as_bytes()));
        if let Some(name) = unfit {
            return Err(RcloneError::Call {
                method: "sync/copy".into(),
                kind: ErrorKind::BadRequest,
                message: format!("{name:?} is a name that rclone would change"),
            });
        }
        let mut job = Job {
            worker: self,
            request,
            attempts_made: 0,
            before: Before::default(),
            running: None,
            next: None,
        };
        job.start_attempt()?;
        Ok(job)
    }
}

impl Job<'_> {
    /// How the copy stands. A few times a second is often enough.
    ///
    /// # Errors
    /// [`RcloneError::Copy`] when rclone failed, counted an error, or did not report one of the files
    /// as arrived, after all attempts; anything else when the worker is in trouble.
    pub fn poll(&mut self) -> Result<JobState, RcloneError> {
        if let Some(next) = self.next {
            if Instant::now() < next {
                return Ok(JobState::Running(self.between()));
            }
            self.next = None;
            self.start_attempt()?;
            return Ok(JobState::Running(self.between()));
        }
        let Some(running) = &self.running else {
            return Err(RcloneError::Copy {
                kind: ErrorKind::Cancelled,
                message: "the copy has ended".into(),
                files: Vec::new(),
            });
        };
        let status = running.status(self.worker)?;
        let now = running.progress(self.worker, self.attempts_made)?;
        let progress = Progress {
            bytes: now.bytes + self.before.bytes,
            files: now.files + self.before.files,
            ..now
        };
        if !status.finished {
            return Ok(JobState::Running(progress));
        }
        let judged = running.judge(self.worker, &self.request, &status, progress.errors);
        self.close();
        match judged {
            Ok(()) => Ok(JobState::Done(CopySummary { progress })),
            Err(error) if error.kind().may_pass() && self.attempts_made < self.attempts() => {
                self.plan_another(&error, &progress);
                Ok(JobState::Running(self.between()))
            }
            Err(error) => Err(error),
        }
    }

    /// Polls until the end, telling `watch` how it goes, every `interval`.
    pub fn wait(
        mut self,
        interval: Duration,
        mut watch: impl FnMut(&Progress),
    ) -> Result<CopySummary, RcloneError> {
        loop {
            match self.poll()? {
                JobState::Running(progress) => watch(&progress),
                JobState::Done(summary) => return Ok(summary),
            }
            thread::sleep(interval);
        }
    }

    /// Stops the copy and waits until it has stopped; rclone then removes what is half written on a
    /// local disk.
    ///
    /// An upload in parts that B2 has begun stays there, invisible, until
    /// [`Worker::end_unfinished`]: rclone's own abort fails once the copy is cancelled.
    ///
    /// # Errors
    /// [`RcloneError::Timeout`] when it has not stopped within `deadline`: kill the worker then.
    pub fn cancel(mut self, deadline: Duration) -> Result<(), RcloneError> {
        let Some(running) = &self.running else {
            return Ok(());
        };
        let give_up = Instant::now() + deadline;
        running.stop(self.worker);
        while !running.status(self.worker)?.finished {
            if Instant::now() >= give_up {
                return Err(RcloneError::Timeout {
                    method: "job/stop".into(),
                    deadline,
                });
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.close();
        Ok(())
    }

    fn attempts(&self) -> u32 {
        self.request.attempts.unwrap_or(self.worker.attempts())
    }

    /// The next attempt is for what is known to lack, in a while.
    fn plan_another(&mut self, error: &RcloneError, progress: &Progress) {
        let pause = if is_the_sources(error) {
            Duration::ZERO
        } else {
            pause_after(self.attempts_made)
        };
        if let RcloneError::Copy { files, .. } = error
            && !files.is_empty()
            // One that could not be asked for is not named among these, and is not known to be gone.
            && !self.request.if_there
        {
            self.request.files = files.iter().map(|file| file.path.clone()).collect();
            self.before.files = progress.files;
            self.before.bytes = progress.bytes;
        }
        let count = self.request.files.len();
        let seconds = pause.as_secs();
        tracing::warn!("what did not arrive ({count}) is tried again in {seconds} s: {error}");
        self.next = Some(Instant::now() + pause);
    }

    /// How it stands between two attempts, and as one begins.
    fn between(&self) -> Progress {
        Progress {
            attempt: self.attempts_made,
            bytes: self.before.bytes,
            files: self.before.files,
            ..Progress::default()
        }
    }

    fn start_attempt(&mut self) -> Result<(), RcloneError> {
        self.attempts_made += 1;
        self.running = Some(Attempt::start(self.worker, &self.request)?);
        Ok(())
    }

    /// Lets rclone forget the attempt that has ended.
    fn close(&mut self) {
        if let Some(ended) = self.running.take() {
            ended.forget(self.worker);
        }
    }
}

/// Whether it is all of files that are written to or go away meanwhile: no pause would help.
fn is_the_sources(error: &RcloneError) -> bool {
    let RcloneError::Copy { files, kind, .. } = error else {
        return false;
    };
    let moves = |file: &FileProblem| {
        file.why == NO_REASON || file.why.contains("source file is being updated")
    };
    *kind == ErrorKind::NotFound || !files.is_empty() && files.iter().all(moves)
}

/// Longer each time: what is over in a second costs a second, and what takes a minute is waited for.
fn pause_after(attempt: u32) -> Duration {
    const LONGEST: u64 = 60;
    let seconds = 4_u64.saturating_pow(attempt.saturating_sub(1));
    Duration::from_secs(seconds.min(LONGEST))
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.stop(self.worker);
            self.close();
        }
    }
}
