//! Copying many files: started, watched, judged.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use copal_core::units::ByteCount;
use serde::Deserialize;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::error::{ErrorKind, FileProblem, RcloneError, classify};
use crate::names::travels_unchanged;
use crate::remote::Remote;
use crate::worker::Worker;

/// How long a question about a job may take. rclone answers these from memory.
const ANSWER: Duration = Duration::from_secs(30);

/// Asks to copy files by name.
#[derive(Clone, Debug)]
pub struct CopyRequest {
    /// The directory that the names are relative to.
    pub source: Remote,
    /// Where they go, under the same names.
    pub destination: Remote,
    /// Exactly these, whatever else is there. Each has to be one that [`travels_unchanged`].
    pub files: Vec<String>,
    /// How often to try; `None` for rclone's own option `retries`. Files that have arrived are not
    /// copied again.
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
    attempt: u32,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    id: i64,
    group: String,
}

static NEXT_GROUP: AtomicU64 = AtomicU64::new(1);

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
            attempt: 0,
            running: None,
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
        let Some(running) = &self.running else {
            return Err(self.failure(
                ErrorKind::Cancelled,
                "the copy has ended".into(),
                Vec::new(),
            ));
        };
        let status = running.status(self.worker)?;
        let progress = running.progress(self.worker, self.attempt)?;
        if !status.finished {
            return Ok(JobState::Running(progress));
        }
        let judged = self.judge(&status, progress);
        self.close();
        match judged {
            Ok(summary) => Ok(JobState::Done(summary)),
            Err(error) if error.kind().may_pass() && self.attempt < self.attempts() => {
                tracing::warn!("the copy is tried again: {error}");
                self.start_attempt()?;
                Ok(JobState::Running(Progress {
                    attempt: self.attempt,
                    ..Progress::default()
                }))
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
    /// An upload in parts that B2 has begun may stay there, invisible, until the destination is
    /// purged: rclone's own abort fails once the copy is cancelled.
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

    fn start_attempt(&mut self) -> Result<(), RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            jobid: i64,
        }
        self.attempt += 1;
        let group = format!("copy/{}", NEXT_GROUP.fetch_add(1, Ordering::Relaxed));
        // rclone reads it before it answers.
        let list = file_list(&self.request.files).map_err(|e| RcloneError::Spawn(Arc::new(e)))?;
        self.worker.keep_errors(&group);
        let input = json!({
            "srcFs": self.worker.wire(&self.request.source),
            "dstFs": self.worker.wire(&self.request.destination),
            "combined": true,
            "error": true,
            "_async": true,
            "_filter": { "FilesFrom0": [list.path()] },
            // Two names that Unicode holds for the same are two files to Linux.
            "_config": { "NoUnicodeNormalization": true },
        });
        let started = self
            .worker
            .start_job::<Reply>("sync/copy", &input, &group, ANSWER);
        let Reply { jobid: id } = started.inspect_err(|_| {
            self.worker.take_errors(&group);
        })?;
        self.running = Some(Running { id, group });
        Ok(())
    }

    /// Decides whether the attempt that has ended brought every file over.
    fn judge(&self, status: &Status, progress: Progress) -> Result<CopySummary, RcloneError> {
        let (Some(running), worker) = (&self.running, self.worker) else {
            return Ok(CopySummary { progress });
        };
        let report = status.output.as_ref();
        let reported = report
            .and_then(|r| r.combined.as_deref())
            .unwrap_or_default();
        let failed: BTreeSet<&str> = report
            .and_then(|r| r.error.as_deref())
            .unwrap_or_default()
            .iter()
            .map(String::as_str)
            .collect();
        let arrived: BTreeSet<&str> = reported.iter().filter_map(|line| arrived(line)).collect();
        let lacking: Vec<&str> = self
            .request
            .files
            .iter()
            .map(String::as_str)
            .filter(|name| failed.contains(name) || !arrived.contains(name))
            .collect();
        if status.success && progress.errors == 0 && lacking.is_empty() {
            return Ok(CopySummary { progress });
        }
        let mut reasons = running.reasons(worker)?;
        let files = lacking.into_iter().map(|name| FileProblem {
            path: name.to_owned(),
            why: reasons
                .remove(name)
                .unwrap_or_else(|| "did not arrive".into()),
        });
        let files: Vec<_> = files.collect();
        let message = worker.redact(&status.error);
        let told = files.first().map_or("", |problem| &problem.why);
        let kind = match classify(0, &message) {
            ErrorKind::Other => classify(0, told),
            kind => kind,
        };
        Err(self.failure(kind, message, files))
    }

    fn failure(&self, kind: ErrorKind, message: String, files: Vec<FileProblem>) -> RcloneError {
        let message = if message.is_empty() && files.is_empty() {
            format!("the copy to {} had errors", self.request.destination)
        } else {
            message
        };
        RcloneError::Copy {
            kind,
            message,
            files,
        }
    }

    /// Lets rclone forget the attempt that has ended.
    fn close(&mut self) {
        if let Some(Running { group, .. }) = self.running.take() {
            self.worker.take_errors(&group);
            self.worker
                .tell("core/stats-delete", &json!({ "group": group }));
        }
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.stop(self.worker);
            self.close();
        }
    }
}

/// `job/status`.
#[derive(Debug, Deserialize)]
struct Status {
    finished: bool,
    success: bool,
    #[serde(default)]
    error: String,
    output: Option<Report>,
}

#[derive(Debug, Deserialize)]
struct Report {
    combined: Option<Vec<String>>,
    error: Option<Vec<String>>,
}

impl Running {
    fn status(&self, worker: &Worker) -> Result<Status, RcloneError> {
        worker.call("job/status", &json!({ "jobid": self.id }), ANSWER)
    }

    fn stop(&self, worker: &Worker) {
        worker.tell("job/stop", &json!({ "jobid": self.id }));
    }

    fn progress(&self, worker: &Worker, attempt: u32) -> Result<Progress, RcloneError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Stats {
            bytes: u64,
            total_bytes: u64,
            transfers: u64,
            total_transfers: u64,
            errors: u64,
            speed: f64,
        }
        let stats: Stats = worker.call("core/stats", &json!({ "group": self.group }), ANSWER)?;
        let known = stats.total_transfers > 0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a speed to show; negative and huge ones saturate"
        )]
        let speed = ByteCount(stats.speed as u64);
        Ok(Progress {
            bytes: ByteCount(stats.bytes),
            total_bytes: known.then_some(ByteCount(stats.total_bytes)),
            files: stats.transfers,
            total_files: known.then_some(stats.total_transfers),
            errors: stats.errors,
            speed,
            attempt,
        })
    }

    /// Why files failed, by name, as far as rclone has told.
    fn reasons(&self, worker: &Worker) -> Result<BTreeMap<String, String>, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            transferred: Option<Vec<Transferred>>,
        }
        #[derive(Deserialize)]
        struct Transferred {
            name: String,
            error: String,
        }
        let input = json!({ "group": self.group });
        let reply: Reply = worker.call("core/transferred", &input, ANSWER)?;
        let lines = worker.take_errors(&self.group).into_iter();
        let mut reasons: BTreeMap<_, _> = lines.map(|line| (line.object, line.text)).collect();
        for Transferred { name, error } in reply.transferred.unwrap_or_default() {
            if !error.is_empty() {
                reasons.insert(name, worker.redact(&error));
            }
        }
        Ok(reasons)
    }
}

/// The name in a line of the combined report, where it says that the file is at the destination:
/// `+` new, `=` the same already, `*` replaced. (A file that failed has a `!` line beside it.)
fn arrived(line: &str) -> Option<&str> {
    ["+ ", "= ", "* "]
        .iter()
        .find_map(|sign| line.strip_prefix(sign))
}

/// The names in a private file, each ended by NUL.
fn file_list(names: &[String]) -> io::Result<NamedTempFile> {
    let list = NamedTempFile::with_prefix("copal-files-")?;
    let mut writer = io::BufWriter::new(list.as_file());
    for name in names {
        writer.write_all(name.as_bytes())?;
        writer.write_all(b"\0")?;
    }
    writer.flush()?;
    drop(writer);
    Ok(list)
}
