//! `copal.toml`: read once into a value that leaves nothing to doubt.
//!
//! Every problem of a file is reported at once, each with its place, and each key of a later
//! version is refused by name: a setting that has no effect would be a promise not kept.
//!
//! ```toml
//! name = "open-webui"
//!
//! [source]
//! path = "/opt/open-webui"
//!
//! [[destination]]
//! remote = "b2:OpenWebUI-backups/copal"
//!
//! [retention]
//! daily = 7
//!
//! [rclone]
//! transfers = 32
//!
//! [[hook]]
//! use = "sqlite-backup"
//! grants = { sqlite = ["*"] }
//!
//! [command.pg_dump]                  # what a hook runs that is granted `command = ["pg_dump"]`
//! run = ["pg_dump", "-Fc", "--dbname={database}"]
//!
//! [secret.token]                     # what `secrets = ["token"]` speaks of
//! file = "token.txt"
//!
//! [service.app]                      # what `service = ["app"]` speaks of
//! driver = "docker"
//! container = "open-webui"
//!
//! [database."cache/index.db"]        # its path in the source
//! live = "allow"                     # copied as it lies there, perhaps torn
//! ```
//!
//! A file that lists no `[[hook]]` gets the same two that a run without a file gets: `exclude`, and
//! `sqlite-backup` with every database granted. A file that lists any gets those alone.

mod command;
mod command_sections;
mod grant_sections;
mod hook;
mod hook_sections;
mod limit_sections;
mod log;
mod log_sections;
mod metrics_sections;
mod mirror_sections;
mod named_tables;
mod parts;
mod reader;
mod redact;
mod refused;
mod remote;
mod remote_sections;
mod retention_sections;
mod run_limit_sections;
mod secret;
mod secret_sections;
mod sections;
mod service;
mod service_sections;
mod source_sections;
mod staging_sections;
mod template;
mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Style};
use crate::path::RelPath;

pub use crate::name::{InvalidName, Name};
pub use command::{Command, Unfillable};
pub use hook::{Builtin, Component, Hook, Limits, OnError, UnknownBuiltin};
pub use log::{Log, LogFile, LogFormat};
pub use parts::{
    ConfigPath, Destination, Docker, Layout, OptionValue, Proof, RcloneOption, Retention,
    RunLimits, Source, Staging, StagingMode,
};
pub(crate) use remote::masked;
pub use remote::{InvalidRemote, RemoteSpec};
pub use secret::{Secret, SecretOrigin};
pub use service::{Service, ServiceCommands, ServiceDriver};
pub use template::Template;

/// A job: what is backed up, where to, and how. Sound in itself; whether the world agrees is for
/// the plan to find out.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    name: Name,
    source: Source,
    destinations: Vec<Destination>,
    staging: Staging,
    limits: RunLimits,
    log: Log,
    max_age: Option<Duration>,
    metrics: Option<ConfigPath>,
    retention: Option<Retention>,
    rclone: Vec<RcloneOption>,
    hooks: Vec<Hook>,
    live_databases: BTreeSet<RelPath>,
    commands: Vec<Command>,
    secrets: Vec<Secret>,
    services: Vec<Service>,
    docker: Docker,
}

/// Everything that is wrong with a configuration file, in the file's order; never empty.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{}", Diagnostic::render_all(.problems, Style::Plain))]
pub struct InvalidConfig {
    /// The problems, each with its place.
    pub problems: Vec<Diagnostic>,
}

impl Config {
    /// Reads the text of a `copal.toml`. `file_name` is only shown.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, InvalidConfig> {
        sections::read(text, file_name)
    }

    /// The job of a command line without a file: one destination and the default hooks.
    ///
    /// `source` is kept as it is; relative, it is relative to whatever the caller resolves it
    /// against.
    pub fn from_flags(source: impl Into<PathBuf>, remote: RemoteSpec, name: Name) -> Self {
        Self {
            name,
            source: Source::Path {
                path: ConfigPath::new(source),
                place: None,
            },
            destinations: vec![Destination {
                remote,
                layout: Layout::default(),
                proof: Proof::default(),
                place: None,
            }],
            staging: Staging::default(),
            limits: RunLimits::default(),
            log: Log::default(),
            max_age: None,
            metrics: None,
            retention: None,
            rclone: Vec::new(),
            hooks: Hook::defaults(),
            live_databases: BTreeSet::new(),
            commands: Vec::new(),
            secrets: Vec::new(),
            services: Vec::new(),
            docker: Docker::default(),
        }
    }

    /// The job's name: the directory of its snapshots on every destination.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What is backed up.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Where snapshots go, in the file's order; at least one.
    pub fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    /// Where artifacts are made.
    pub fn staging(&self) -> &Staging {
        &self.staging
    }

    /// What a run may use up.
    pub fn limits(&self) -> &RunLimits {
        &self.limits
    }

    /// What is kept of what runs say.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// How old the last good backup of a destination may be before it is overdue.
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// The file that metrics are written into after each run.
    pub fn metrics_file(&self) -> Option<&ConfigPath> {
        self.metrics.as_ref()
    }

    /// What is kept of the snapshots; `None` keeps them all.
    pub fn retention(&self) -> Option<&Retention> {
        self.retention.as_ref()
    }

    /// What to tell when this machine doesn't know the time zone of `[retention]`, for this reason.
    pub fn timezone_diagnostic(&self, why: &str) -> Diagnostic {
        let retention = self.retention.as_ref();
        let name = retention.and_then(|it| it.timezone.as_deref());
        let what = format!("there is no time zone `{}`", name.unwrap_or_default());
        let next = "write it as `timedatectl list-timezones` does (this may want the package `tzdata`), or remove \
                    the line: days are then those of this machine";
        let place = retention.and_then(|it| it.timezone_place.clone());
        Diagnostic::new(what, why, next).at(place)
    }

    /// rclone's options, each at most once, in the file's order.
    pub fn rclone_options(&self) -> &[RcloneOption] {
        &self.rclone
    }

    /// The hooks, in the order in which they run.
    pub fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    /// Whether the owner lets this database be copied as it lies there, although it may be torn.
    pub fn allows_live(&self, database: &RelPath) -> bool {
        self.live_databases.contains(database)
    }

    /// The databases that may be copied live, sorted.
    pub fn live_databases(&self) -> impl Iterator<Item = &RelPath> {
        self.live_databases.iter()
    }

    /// The commands that hooks can be granted, in the file's order.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The secrets that hooks can be granted, in the file's order.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// The services that hooks can be granted, in the file's order.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// How Docker is reached.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// What to tell when rclone doesn't take the option `name` (as in
    /// [`RcloneOption::name`]): pointing at its line, with `why` and the nearest name that rclone
    /// knows.
    pub fn rclone_option_diagnostic(
        &self,
        name: &str,
        why: &str,
        nearest: Option<&str>,
    ) -> Diagnostic {
        let next = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`copal rclone options/info` lists rclone's options and their types".to_owned(),
        };
        let option = self.rclone.iter().find(|option| option.name == name);
        Diagnostic::new(
            format!("rclone does not take the option `{name}`"),
            why,
            next,
        )
        .at(option.and_then(|option| option.place.clone()))
    }
}

#[cfg(test)]
mod tests;
