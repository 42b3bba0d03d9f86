//! What hooks can ask for, as the gate asks it of the host.

mod archive;
mod command;
mod http;
mod secret;
mod service;
mod sqlite;

use std::net::IpAddr;
use std::path::PathBuf;

use copal_core::grants::Tree;
use copal_core::path::RelPath;

pub use self::archive::{ArchiveFormat, Archived};
pub use self::command::{Captured, CommandRequest, Finished};
pub use self::http::{HttpRequest, HttpResponse};
pub use self::secret::SecretBytes;
pub use self::service::{HoldId, HoldWish, ServiceState, Taken};
pub use self::sqlite::{CheckDepth, Copied, Holder, QUERY_ANSWER};
use crate::{Cancel, Limits, Phase};

/// The deeds behind the capabilities. Only the gate calls these, after it found a grant.
///
/// The implementer bounds the time of each: a running deed can't be interrupted from here, nor may it
/// enter an async runtime on the thread it is called on. Each gets
/// the [`Call`] it is done for. A deed that makes no sense in the phase it was asked for in answers
/// [`CapabilityError::Invalid`]; the gate itself lets `sqlite_backup`, `sqlite_backup_with`,
/// `archive_create`, `service_hold`, `record` and `command_capture` through in `pre-backup` alone, `sqlite_update` in
/// `post-restore` alone, and none in `filter`.
pub trait Capabilities: Send + Sync {
    /// The databases in the source, known by their header. In a drill, those of the restored copy.
    fn sqlite_databases(&self, call: &Call<'_>) -> Result<Vec<RelPath>, CapabilityError>;

    /// Copies a database into the staging directory, where it stands in for the live file.
    fn sqlite_backup(&self, call: &Call<'_>, database: &RelPath)
    -> Result<Copied, CapabilityError>;

    /// What is wrong with a database, at most 100 lines.
    fn sqlite_check(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        depth: CheckDepth,
    ) -> Result<Vec<String>, CapabilityError>;

    /// Copies a database and the files of the directories `beside` as one moment, all of which then
    /// stand in for the live ones. At most 100 directories.
    fn sqlite_backup_with(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        beside: &[RelPath],
    ) -> Result<Copied, CapabilityError>;

    /// Who has a database open in a way that a copy may miss what they wrote.
    fn sqlite_holders(
        &self,
        call: &Call<'_>,
        database: &RelPath,
    ) -> Result<Vec<Holder>, CapabilityError>;

    /// At most `limit` rows that one reading SQL statement finds, as the JSON text of a list of
    /// objects. At most [`QUERY_ANSWER`](crate::QUERY_ANSWER) bytes; more is `Invalid`. The gate sees
    /// to the size of the statement and the limit.
    fn sqlite_query(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        sql: &str,
        limit: u32,
    ) -> Result<String, CapabilityError>;

    /// Changes rows by one SQL statement `UPDATE`, in one transaction; how many. Only where a restore
    /// has just put the snapshot in place. The gate sees to the size of the statement.
    fn sqlite_update(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        sql: &str,
    ) -> Result<u64, CapabilityError>;

    /// What a service is doing. One that copal.toml does not have is `Missing`; one that copal.toml
    /// has, and that is not there, is [`ServiceState::Missing`].
    fn service_state(&self, call: &Call<'_>, name: &str) -> Result<ServiceState, CapabilityError>;

    /// Holds a service until [`service_release`](Self::service_release) or the end of staging,
    /// whatever becomes of the hook. What did not run is left so, and the hold does nothing.
    fn service_hold(
        &self,
        call: &Call<'_>,
        name: &str,
        how: HoldWish,
    ) -> Result<Taken, CapabilityError>;

    /// Ends a hold. One that has ended already is no error.
    fn service_release(&self, call: &Call<'_>, hold: HoldId) -> Result<(), CapabilityError>;

    /// Keeps a fact for the manifest. The gate sees to the form of both, not to their number.
    fn record(&self, call: &Call<'_>, key: &str, value: &str) -> Result<(), CapabilityError>;

    /// Archives a directory into the staging directory, where it stands in for the live directory.
    fn archive_create(
        &self,
        call: &Call<'_>,
        directory: &RelPath,
        format: ArchiveFormat,
    ) -> Result<Archived, CapabilityError>;

    /// Runs a command of the owner's to its end. Output beyond
    /// [`Limits::command_output`](crate::Limits::command_output) is cut and reported as such.
    fn command_run(
        &self,
        call: &Call<'_>,
        request: &CommandRequest,
    ) -> Result<Finished, CapabilityError>;

    /// Runs a command and stages its standard output as the file `path` of the snapshot.
    fn command_capture(
        &self,
        call: &Call<'_>,
        request: &CommandRequest,
        path: &RelPath,
    ) -> Result<Captured, CapabilityError>;

    /// The value of a key in the hook's own store. Keys are 1 to 256 bytes; the gate sees to it.
    fn state_get(&self, call: &Call<'_>, key: &str) -> Result<Option<Vec<u8>>, CapabilityError>;

    /// Gives a key a value, on the disk. All of a hook's keys and values together are at most
    /// [`Limits::state`](crate::Limits::state); the implementer sees to it.
    fn state_set(&self, call: &Call<'_>, key: &str, value: &[u8]) -> Result<(), CapabilityError>;

    /// Takes a key's value away, if it has one.
    fn state_delete(&self, call: &Call<'_>, key: &str) -> Result<(), CapabilityError>;

    /// All keys of the hook's own store, sorted.
    fn state_keys(&self, call: &Call<'_>) -> Result<Vec<String>, CapabilityError>;

    /// A secret's bytes, without a line feed at their end.
    fn secret(&self, call: &Call<'_>, name: &str) -> Result<SecretBytes, CapabilityError>;

    /// Sends a request and waits for the whole answer, at most
    /// [`Limits::http_wall`](crate::Limits::http_wall). Redirects are answers like others. An answer
    /// whose body is over [`Limits::http_body`](crate::Limits::http_body) is `Failed`.
    ///
    /// Errors: beside the usual, [`CapabilityError::Private`] where the host's name leads to a
    /// private address alone and [`HttpRequest::private`] is false.
    fn http(&self, call: &Call<'_>, request: &HttpRequest)
    -> Result<HttpResponse, CapabilityError>;

    /// The directory that the hook gets to see in this phase; none where the phase has none. It must
    /// exist.
    fn tree(&self, call: &Call<'_>, tree: Tree) -> Result<Option<PathBuf>, CapabilityError>;
}

/// On whose behalf a deed is done.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The hook's name.
    pub hook: &'a str,
    /// The phase it was called in.
    pub phase: Phase,
    /// Thrown when the deed is to be given up: answer [`CapabilityError::Interrupted`] then.
    pub cancel: &'a Cancel,
    /// How much the hook may use.
    pub limits: &'a Limits,
}

/// Why a deed was not done. The hook is told, and decides what it means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// There is no such thing; its name.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// What was asked for makes no sense; why.
    #[error("{0}")]
    Invalid(String),
    /// It took too long; what, and how long.
    #[error("{0}")]
    TimedOut(String),
    /// It went wrong; what, and why.
    #[error("{0}")]
    Failed(String),
    /// The host of a request has a private address, which the grant does not speak of. The gate
    /// makes a denial of it.
    #[error("its address {0} is private")]
    Private(IpAddr),
    /// The run was asked to end. The hook is not told: it is ended.
    #[error("interrupted")]
    Interrupted,
}
