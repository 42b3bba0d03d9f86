//! A sealed little world for a test: a directory, an empty rclone.conf, a worker.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use copal_rclone::{
    CopyRequest, Entry, ListRequest, LogLevel, OptionValue, ProofBy, RcloneError, Remote,
    SpawnOptions, Worker,
};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct World {
    pub(crate) dir: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::write(dir.path().join("rclone.conf"), "").unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// The local remote of a directory here.
    pub(crate) fn remote(&self, below: &str) -> Remote {
        Remote::local(self.path(below).to_str().unwrap()).unwrap()
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn options(&self) -> SpawnOptions {
        SpawnOptions {
            program: std::env::current_exe().unwrap(),
            args: vec!["worker".into()],
            env: vec![("RCLONE_CONFIG".into(), self.path("rclone.conf").into())],
            options: BTreeMap::new(),
            log_level: LogLevel::Notice,
            deadline: PATIENCE,
        }
    }

    pub(crate) fn worker(&self) -> Worker {
        Worker::spawn(self.options()).unwrap()
    }

    pub(crate) fn worker_with(&self, env: &[(&str, &str)]) -> Result<Worker, RcloneError> {
        let mut options = self.options();
        let pairs = env
            .iter()
            .map(|(k, v)| (OsString::from(k), OsString::from(v)));
        options.env.extend(pairs);
        Worker::spawn(options)
    }

    pub(crate) fn worker_set_to(&self, set: &[(&str, OptionValue)]) -> Result<Worker, RcloneError> {
        let mut options = self.options();
        options.options = set
            .iter()
            .map(|(n, v)| ((*n).to_owned(), v.clone()))
            .collect();
        Worker::spawn(options)
    }

    /// Asks to copy `files` from `src` to `dst`, once.
    pub(crate) fn copy_of(&self, files: &[&str]) -> CopyRequest {
        CopyRequest {
            source: self.remote("src"),
            destination: self.remote("dst"),
            files: files.iter().map(|&f| f.to_owned()).collect(),
            again: false,
            proof: ProofBy::Rclone,
            anew: false,
            by_name: false,
            if_there: false,
            transfers: None,
            attempts: Some(1),
        }
    }
}

pub(crate) fn text(value: &str) -> OptionValue {
    OptionValue::Text(value.into())
}

pub(crate) fn list_all(worker: &Worker, remote: Remote) -> Vec<Entry> {
    let request = ListRequest {
        recursive: true,
        ..ListRequest::of(remote)
    };
    let mut entries = worker.list(&request, PATIENCE).unwrap();
    entries.retain(|entry| !entry.is_dir);
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries
}

pub(crate) fn paths(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.path.as_str()).collect()
}

/// Asks until the answer is yes.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process runs; one that has ended and waits for its parent's notice does not.
pub(crate) fn is_alive(id: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
        return false;
    };
    let state = stat.rsplit(')').next().unwrap().trim_start().chars().next();
    !matches!(state, Some('Z' | 'X') | None)
}

pub(crate) fn exists(path: impl AsRef<Path>) -> bool {
    path.as_ref().exists()
}

pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
