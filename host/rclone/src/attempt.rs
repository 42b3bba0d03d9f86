//! One attempt of a copy: a job of rclone's, its numbers, and what became of each file.

use std::collections::{BTreeMap, BTreeSet};
#[cfg(target_os = "linux")]
use std::fs::File;
use std::io::{self, Write};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::path::PathBuf;
#[cfg(target_os = "linux")]
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use copal_core::units::ByteCount;
use serde::Deserialize;
use serde_json::json;
#[cfg(not(target_os = "linux"))]
use tempfile::NamedTempFile;

use crate::error::{ErrorKind, FileProblem, RcloneError, classify, untold};
use crate::job::{CopyRequest, Progress, ProofBy};
use crate::worker::Worker;

/// How long a question about a job may take. rclone answers these from memory.
const ANSWER: Duration = Duration::from_secs(30);

static NEXT_GROUP: AtomicU64 = AtomicU64::new(1);

/// A job that rclone has started.
#[derive(Debug)]
pub(crate) struct Attempt {
    id: i64,
    /// The stats group, which is this attempt's alone.
    group: String,
}

/// `job/status`.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) finished: bool,
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

impl Status {
    /// The files that are not reported as arrived, or have an error beside.
    fn lacking<'a>(&self, files: &'a [String]) -> Vec<&'a str> {
        let report = self.output.as_ref();
        let combined = report.and_then(|report| report.combined.as_deref());
        let arrived: BTreeSet<&str> = combined
            .unwrap_or_default()
            .iter()
            .filter_map(|line| arrived(line))
            .collect();
        let failed: BTreeSet<&str> = self.failed(files).into_iter().collect();
        let names = files.iter().map(String::as_str);
        names
            .filter(|name| failed.contains(name) || !arrived.contains(name))
            .collect()
    }

    /// The files that have an error, whether they were there or not.
    fn failed<'a>(&self, files: &'a [String]) -> Vec<&'a str> {
        let report = self.output.as_ref();
        let errors = report.and_then(|report| report.error.as_deref());
        let errors: BTreeSet<&str> = errors
            .unwrap_or_default()
            .iter()
            .map(String::as_str)
            .collect();
        let names = files.iter().map(String::as_str);
        names.filter(|name| errors.contains(name)).collect()
    }
}

impl Attempt {
    pub(crate) fn start(worker: &Worker, request: &CopyRequest) -> Result<Self, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            jobid: i64,
        }
        let group = format!("copy/{}", NEXT_GROUP.fetch_add(1, Ordering::Relaxed));
        // rclone reads it before it answers.
        let list =
            FileList::of(&request.files).map_err(|error| RcloneError::FileList(Arc::new(error)))?;
        // Two names that Unicode holds for the same are two files to Linux.
        let mut config = json!({ "NoUnicodeNormalization": true });
        if request.again {
            config["IgnoreTimes"] = true.into();
        }
        if request.proof == ProofBy::Caller {
            config["IgnoreChecksum"] = true.into();
        }
        if request.anew {
            config["Inplace"] = false.into();
        }
        if request.by_name || request.if_there {
            config["NoTraverse"] = true.into();
        }
        if let Some(transfers) = request.transfers {
            config["Transfers"] = transfers.into();
        }
        let input = json!({
            "srcFs": worker.wire(&request.source),
            "dstFs": worker.wire(&request.destination),
            "combined": true,
            "error": true,
            "_async": true,
            "_filter": { "FilesFrom0": [&list.path] },
            "_config": config,
        });
        worker.keep_errors(&group);
        let started = worker.call_in::<Reply>("sync/copy", &input, &group, ANSWER);
        match started {
            Ok(Reply { jobid: id }) => Ok(Self { id, group }),
            Err(error) => {
                worker.take_errors(&group);
                Err(error)
            }
        }
    }

    /// Lets rclone forget it.
    pub(crate) fn forget(self, worker: &Worker) {
        worker.take_errors(&self.group);
        worker.tell("core/stats-delete", &json!({ "group": self.group }));
    }

    /// Decides whether it brought every file over, once it has ended.
    pub(crate) fn judge(
        &self,
        worker: &Worker,
        request: &CopyRequest,
        status: &Status,
        errors: u64,
    ) -> Result<(), RcloneError> {
        let lacking = if request.if_there {
            status.failed(&request.files)
        } else {
            status.lacking(&request.files)
        };
        if status.success && errors == 0 && lacking.is_empty() {
            return Ok(());
        }
        let reasons = self.reasons(worker)?;
        let files = lacking.into_iter().map(|name| FileProblem {
            path: name.to_owned(),
            why: why(name, &reasons),
        });
        let files: Vec<_> = files.collect();
        let mut message = worker.redact(&status.error);
        let told = files.first().map_or("", |problem| &problem.why);
        let kind = match classify(0, &message) {
            ErrorKind::Other => classify(0, told),
            kind => kind,
        };
        if message.is_empty() && files.is_empty() {
            message = reasons
                .into_values()
                .next()
                .unwrap_or_else(|| untold(errors));
        }
        Err(RcloneError::Copy {
            kind,
            message,
            files,
        })
    }

    pub(crate) fn status(&self, worker: &Worker) -> Result<Status, RcloneError> {
        worker.call("job/status", &json!({ "jobid": self.id }), ANSWER)
    }

    pub(crate) fn stop(&self, worker: &Worker) {
        worker.tell("job/stop", &json!({ "jobid": self.id }));
    }

    pub(crate) fn progress(&self, worker: &Worker, attempt: u32) -> Result<Progress, RcloneError> {
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

/// What is said of a file of which rclone said nothing: it is gone, most likely.
pub(crate) const NO_REASON: &str = "it did not arrive, and rclone gave no reason";

/// What rclone said of a file, or else of the nearest directory above it.
fn why(name: &str, reasons: &BTreeMap<String, String>) -> String {
    let above = std::iter::successors(Some(name), |path| {
        path.rsplit_once('/').map(|(parent, _)| parent)
    });
    let mut told = above.filter_map(|path| reasons.get(path));
    let unknown = || NO_REASON.to_owned();
    told.next().map_or_else(unknown, Clone::clone)
}

/// The name in a line of the combined report, where it says that the file is at the destination:
/// `+` new, `=` the same already, `*` replaced. (A file that failed has a `!` line beside it.)
fn arrived(line: &str) -> Option<&str> {
    ["+ ", "= ", "* "]
        .iter()
        .find_map(|sign| line.strip_prefix(sign))
}

/// The names of files, each ended by NUL, where rclone reads them.
pub(crate) struct FileList {
    pub(crate) path: PathBuf,
    /// On Linux without a name, so that nothing is left of it however this process ends.
    #[cfg(target_os = "linux")]
    _file: File,
    #[cfg(not(target_os = "linux"))]
    _file: NamedTempFile,
}

impl FileList {
    pub(crate) fn of(names: &[String]) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let (file, path) = {
            let file = tempfile::tempfile()?;
            let path = format!("/proc/{}/fd/{}", process::id(), file.as_raw_fd());
            (file, PathBuf::from(path))
        };
        #[cfg(not(target_os = "linux"))]
        let (file, path) = {
            let file = NamedTempFile::with_prefix("copal-files-")?;
            let path = file.path().to_owned();
            (file, path)
        };
        let mut writer = io::BufWriter::new(&file);
        for name in names {
            writer.write_all(name.as_bytes())?;
            writer.write_all(b"\0")?;
        }
        writer.flush()?;
        drop(writer);
        Ok(Self { path, _file: file })
    }
}
