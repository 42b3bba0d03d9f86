//! `hook-test.toml`: cases, each a phase with the world it meets and what is expected of it.
//! `docs/hook-test.md` describes it.

use std::collections::BTreeMap;
use std::time::Duration;

use copal_core::grants::Grants;
use copal_core::units::ByteCount;
use copal_hooks::{EntryKind, Outcome, Phase, Report, Verdict};
use serde::Deserialize;

use super::words::{age, grants, outcome, phase, size, verdict};

/// All of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// The hook's config in cases that have none of their own.
    #[serde(default)]
    pub config: Option<toml::Table>,
    /// What is granted in cases that say nothing of their own. None: what the component requests.
    #[serde(default, deserialize_with = "grants")]
    pub grants: Option<Grants>,
    /// The cases, in order.
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
}

/// One call of one phase.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The phase that is called.
    #[serde(deserialize_with = "phase")]
    pub phase: Phase,
    /// The hook's config.
    #[serde(default)]
    pub config: Option<toml::Table>,
    /// What is granted.
    #[serde(default, deserialize_with = "grants")]
    pub grants: Option<Grants>,
    /// Whether the run only tells what it would do: deeds are answered as `wit/` says of such a run.
    #[serde(default)]
    pub dry_run: bool,
    /// Whether it begins with the state that the case before left.
    #[serde(default)]
    pub continues: bool,
    /// What the fakes answer.
    #[serde(default)]
    pub given: Given,
    /// What a `post-backup` or `post-restore` hook is told.
    #[serde(default)]
    pub report: ReportSpec,
    /// What a filter is asked about, in the order of a walk.
    #[serde(default)]
    pub tree: Vec<TreeEntry>,
    /// What is to come of it.
    #[serde(default)]
    pub expect: Expect,
}

/// What the fakes answer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Given {
    /// The snapshot that is restored or drilled.
    pub snapshot: Option<String>,
    /// The databases in the source, by name.
    #[serde(default)]
    pub databases: Vec<String>,
    /// What a check finds wrong with them.
    #[serde(default)]
    pub damaged: BTreeMap<String, Vec<String>>,
    /// The directories that can be archived.
    #[serde(default)]
    pub directories: Vec<String>,
    /// The hook's store before.
    #[serde(default)]
    pub state: BTreeMap<String, String>,
    /// Secrets and their values.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// What commands come to, by name. Where none is listed, every command ends with 0.
    #[serde(default)]
    pub command: BTreeMap<String, CommandAnswer>,
    /// What services are doing, by name. Where none is listed, every service runs.
    #[serde(default)]
    pub service: BTreeMap<String, ServiceAnswer>,
    /// The rows that queries find, by database and statement, as JSON text.
    #[serde(default)]
    pub query: BTreeMap<String, BTreeMap<String, String>>,
    /// How many rows statements change, by database and statement.
    #[serde(default)]
    pub update: BTreeMap<String, BTreeMap<String, u64>>,
    /// Who has databases open in a way that copies miss what they wrote: lines, by database.
    #[serde(default)]
    pub holders: BTreeMap<String, Vec<String>>,
    /// What requests are answered. Where none is listed, each is answered with 200.
    #[serde(default)]
    pub http: Vec<HttpAnswer>,
    /// What the hook sees under `/source`, where it was granted: paths and texts.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

/// What a command comes to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CommandAnswer {
    /// Its program and arguments as in copal.toml. Empty: any arguments of the hook's will do.
    pub run: Vec<String>,
    /// The values that its placeholders may have, as in copal.toml.
    pub allow: BTreeMap<String, Vec<String>>,
    /// Its exit code.
    pub exit_code: u32,
    /// What it writes.
    pub stdout: String,
    /// What it writes to its standard error.
    pub stderr: String,
    /// Why it can't be run; it is then not.
    pub error: Option<String>,
}

/// What a service is doing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ServiceAnswer {
    /// What it does before it is held.
    #[serde(rename = "state")]
    pub was: ServiceWas,
    /// Why it can't be held; it is then not.
    pub error: Option<String>,
}

/// The states of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceWas {
    /// It runs.
    #[default]
    Running,
    /// Somebody paused it.
    Paused,
    /// It does not run.
    Stopped,
    /// There is none.
    Missing,
}

/// What a request is answered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpAnswer {
    /// Method and URL: `POST https://ntfy.sh/backups`.
    pub request: String,
    /// The status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// Why there is no answer.
    pub error: Option<String>,
}

fn ok() -> u16 {
    200
}

/// The snapshot that hooks hear of where a case names none.
pub(super) const SNAPSHOT: &str = "2026-01-02T030405Z";

/// What a hook is told about a run's end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReportSpec {
    /// How it ended.
    #[serde(deserialize_with = "outcome")]
    pub outcome: Outcome,
    /// What failed or fell short.
    pub message: Option<String>,
    /// The snapshot; empty for none. None where nothing was said: it follows from the outcome.
    pub snapshot: Option<String>,
    /// Figures by name.
    pub counters: BTreeMap<String, u64>,
}

impl Default for ReportSpec {
    /// A run that succeeded.
    fn default() -> Self {
        let counters = [("files", 3), ("bytes", 4096), ("duration-ms", 1500)];
        Self {
            outcome: Outcome::Succeeded,
            message: None,
            snapshot: None,
            counters: counters.map(|(name, n)| (name.to_owned(), n)).into(),
        }
    }
}

impl ReportSpec {
    /// The report itself. A run that failed has a snapshot where it is named: that of another
    /// destination.
    pub fn report(&self) -> Report {
        let is_done = matches!(self.outcome, Outcome::Succeeded | Outcome::Warned);
        let usual = is_done.then(|| SNAPSHOT.to_owned());
        let snapshot = self.snapshot.clone().or(usual);
        Report {
            outcome: self.outcome,
            message: self.message.clone(),
            snapshot: snapshot.filter(|id| !id.is_empty()),
            counters: self.counters.clone(),
        }
    }
}

/// A path that a filter is asked about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TreeEntry {
    /// The path; a directory's ends with a slash.
    pub path: String,
    /// What it is, for anything but files and directories: `symlink` or `other`.
    pub kind: Option<Kind>,
    /// A file's size, as a number or as `"12 MiB"`.
    #[serde(default, deserialize_with = "size")]
    pub size: ByteCount,
    /// How long ago it was modified: `"30d"`, `"12h"`.
    #[serde(default, deserialize_with = "age")]
    pub age: Duration,
    /// The verdict: `keep`, `skip`, `skip-subtree`, `keep-subtree`.
    #[serde(default, deserialize_with = "verdict")]
    pub expect: Option<Verdict>,
}

/// Kinds that a path does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A symbolic link.
    Symlink,
    /// A socket, a device.
    Other,
}

impl TreeEntry {
    /// What it is.
    pub fn kind(&self) -> EntryKind {
        match self.kind {
            Some(Kind::Symlink) => EntryKind::Symlink,
            Some(Kind::Other) => EntryKind::Other,
            None if self.path.ends_with('/') => EntryKind::Directory,
            None => EntryKind::File,
        }
    }

    /// Its path as filters see it.
    pub fn bare(&self) -> &str {
        self.path.trim_end_matches('/')
    }
}

/// What is to come of a case. What is not mentioned is not looked at, but that it ends well.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// `ok`, or in one word what it ends with instead: `error`, `denied`, `trap`, `timed-out`, …
    pub result: Option<String>,
    /// The code of an `error`.
    pub code: Option<String>,
    /// Part of the failure's text.
    pub message: Option<String>,
    /// Each use of a capability, in order.
    pub deeds: Option<Vec<String>>,
    /// Each request that was sent, in order.
    pub requests: Option<Vec<Request>>,
    /// Parts of lines that it logs, in this order.
    pub log: Option<Vec<String>>,
    /// The rules that a filter starts with.
    pub rules: Option<Vec<String>>,
    /// The hook's store afterwards.
    pub state: Option<BTreeMap<String, String>>,
    /// The facts that it recorded for the manifest.
    pub facts: Option<BTreeMap<String, String>>,
    /// What it left in `/staging`: paths and texts.
    pub staged: Option<BTreeMap<String, String>>,
}

/// A request that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Request {
    /// Method and URL.
    pub request: String,
    /// Headers that it has to have among others; a secret's value is `***`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Its body. None: it is not looked at.
    pub body: Option<String>,
}
