//! The floor of a dry run: deeds are answered and not done.
//!
//! What hooks asked for is in their accounts, as in a real run. Requests that make no sense are
//! refused as they would be; what changes nothing is real.

use std::path::PathBuf;

use copal_core::grants::Tree;
use copal_core::path::RelPath;
use copal_hooks::{
    ArchiveFormat, Archived, Call, Capabilities, CapabilityError, Captured, CheckDepth,
    CommandRequest, Copied, Finished, HoldId, HoldWish, Holder, HttpRequest, HttpResponse,
    SecretBytes, ServiceState, Taken,
};

use super::host::Host;
use super::{archive, command, http, service, sqlite};

/// A floor on which nothing is done. Its artifacts lie in a scratch directory, and its store is a
/// scratch copy ([`Means::rehearsing`](super::means::Means::rehearsing)).
pub struct Recorded {
    /// The floor whose deeds are not done.
    pub host: Host,
}

type Done<T> = Result<T, CapabilityError>;

impl Capabilities for Recorded {
    fn sqlite_databases(&self, call: &Call<'_>) -> Done<Vec<RelPath>> {
        self.host.sqlite_databases(call)
    }

    fn sqlite_backup(&self, _: &Call<'_>, database: &RelPath) -> Done<Copied> {
        sqlite::recorded_backup(&self.host, database)
    }

    fn sqlite_check(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        depth: CheckDepth,
    ) -> Done<Vec<String>> {
        self.host.sqlite_check(call, database, depth)
    }

    fn sqlite_backup_with(&self, _: &Call<'_>, database: &RelPath, _: &[RelPath]) -> Done<Copied> {
        sqlite::recorded_backup(&self.host, database)
    }

    fn sqlite_holders(&self, call: &Call<'_>, database: &RelPath) -> Done<Vec<Holder>> {
        self.host.sqlite_holders(call, database)
    }

    fn sqlite_query(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        sql: &str,
        limit: u32,
    ) -> Done<String> {
        self.host.sqlite_query(call, database, sql, limit)
    }

    fn sqlite_update(&self, _: &Call<'_>, _: &RelPath, _: &str) -> Done<u64> {
        Ok(0)
    }

    fn service_state(&self, call: &Call<'_>, name: &str) -> Done<ServiceState> {
        self.host.service_state(call, name)
    }

    /// Nothing is held; whether it could be is looked up all the same.
    fn service_hold(&self, call: &Call<'_>, name: &str, how: HoldWish) -> Done<Taken> {
        service::recorded_hold(&self.host.means, call, name, how)
    }

    fn service_release(&self, _: &Call<'_>, _: HoldId) -> Done<()> {
        Ok(())
    }

    fn record(&self, _: &Call<'_>, _: &str, _: &str) -> Done<()> {
        Ok(())
    }

    fn archive_create(
        &self,
        _: &Call<'_>,
        directory: &RelPath,
        format: ArchiveFormat,
    ) -> Done<Archived> {
        archive::recorded_create(&self.host, directory, format)
    }

    fn command_run(&self, _: &Call<'_>, request: &CommandRequest) -> Done<Finished> {
        command::recorded_run(&self.host.means, request)
    }

    fn command_capture(
        &self,
        _: &Call<'_>,
        request: &CommandRequest,
        path: &RelPath,
    ) -> Done<Captured> {
        command::recorded_capture(&self.host, request, path)
    }

    fn state_get(&self, call: &Call<'_>, key: &str) -> Done<Option<Vec<u8>>> {
        self.host.state_get(call, key)
    }

    fn state_set(&self, call: &Call<'_>, key: &str, value: &[u8]) -> Done<()> {
        self.host.state_set(call, key, value)
    }

    fn state_delete(&self, call: &Call<'_>, key: &str) -> Done<()> {
        self.host.state_delete(call, key)
    }

    fn state_keys(&self, call: &Call<'_>) -> Done<Vec<String>> {
        self.host.state_keys(call)
    }

    fn secret(&self, call: &Call<'_>, name: &str) -> Done<SecretBytes> {
        self.host.secret(call, name)
    }

    fn http(&self, call: &Call<'_>, request: &HttpRequest) -> Done<HttpResponse> {
        http::recorded_send(&self.host.means.lookup, call, request)
    }

    fn tree(&self, call: &Call<'_>, tree: Tree) -> Done<Option<PathBuf>> {
        self.host.tree(call, tree)
    }
}
