//! The real floor: deeds are done.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use copal_core::grants::Tree;
use copal_core::manifest::COPAL_DIR;
use copal_core::path::RelPath;
use copal_core::sqlite::sidecar_relations;
use copal_hooks::{
    ArchiveFormat, Archived, Call, Capabilities, CapabilityError, Captured, CheckDepth,
    CommandRequest, Copied, Finished, HoldId, HoldWish, Holder, HttpRequest, HttpResponse,
    SecretBytes, ServiceState, Taken,
};

use super::artifacts::Artifacts;
use super::means::Means;
use super::{archive, command, files, http, secrets, service, sqlite, state};
use crate::edge::interrupt::Interrupt;
use crate::edge::top::Top;
use crate::edge::walk::{Found, absolute};

/// The source as hooks may know it, the place where their artifacts go, and what else they may use.
#[derive(Clone)]
pub struct Host {
    /// The tree that hooks see: the live one, or a restored copy.
    pub source: Top,
    /// What the filters kept.
    pub found: Vec<Found>,
    /// What they left out; `true` for whole directories.
    pub left_out: Vec<(RelPath, bool)>,
    /// Whether it is a snapshot that was just put there, in the place of the source.
    pub is_restored: bool,
    /// The databases that hooks are to copy.
    pub databases: Vec<RelPath>,
    /// Those that the owner lets be copied live.
    pub live_databases: Vec<RelPath>,
    /// What hooks have had made so far.
    pub artifacts: Arc<Artifacts>,
    /// What the owner lets hooks use besides the source.
    pub means: Arc<Means>,
    /// Asks for an end.
    pub interrupt: Interrupt,
}

type Done<T> = Result<T, CapabilityError>;

impl Capabilities for Host {
    fn sqlite_databases(&self, _: &Call<'_>) -> Done<Vec<RelPath>> {
        Ok(self.databases.clone())
    }

    fn sqlite_backup(&self, call: &Call<'_>, database: &RelPath) -> Done<Copied> {
        sqlite::backup(self, database, &self.interrupt_of(call))
    }

    fn sqlite_check(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        depth: CheckDepth,
    ) -> Done<Vec<String>> {
        sqlite::check(self, database, depth, &self.interrupt_of(call))
    }

    fn sqlite_backup_with(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        beside: &[RelPath],
    ) -> Done<Copied> {
        sqlite::backup_with(self, database, beside, &self.interrupt_of(call))
    }

    fn sqlite_holders(&self, call: &Call<'_>, database: &RelPath) -> Done<Vec<Holder>> {
        sqlite::holders(self, call, database, &self.interrupt_of(call))
    }

    fn sqlite_query(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        sql: &str,
        limit: u32,
    ) -> Done<String> {
        sqlite::query(self, database, (sql, limit), &self.interrupt_of(call))
    }

    fn sqlite_update(&self, call: &Call<'_>, database: &RelPath, sql: &str) -> Done<u64> {
        sqlite::update(self, database, sql, &self.interrupt_of(call))
    }

    fn service_state(&self, call: &Call<'_>, name: &str) -> Done<ServiceState> {
        service::state(&self.means, call, name)
    }

    fn service_hold(&self, call: &Call<'_>, name: &str, how: HoldWish) -> Done<Taken> {
        service::hold(&self.means, call, name, how)
    }

    fn service_release(&self, call: &Call<'_>, hold: HoldId) -> Done<()> {
        service::release(self, hold, &self.interrupt_of(call))
    }

    fn record(&self, call: &Call<'_>, key: &str, value: &str) -> Done<()> {
        self.artifacts.record(call.hook, key, value);
        Ok(())
    }

    fn archive_create(
        &self,
        call: &Call<'_>,
        directory: &RelPath,
        format: ArchiveFormat,
    ) -> Done<Archived> {
        archive::create(self, directory, format, &self.interrupt_of(call))
    }

    fn command_run(&self, call: &Call<'_>, request: &CommandRequest) -> Done<Finished> {
        command::run(&self.means, call, request)
    }

    fn command_capture(
        &self,
        call: &Call<'_>,
        request: &CommandRequest,
        path: &RelPath,
    ) -> Done<Captured> {
        command::capture(self, call, request, path)
    }

    fn state_get(&self, call: &Call<'_>, key: &str) -> Done<Option<Vec<u8>>> {
        state::get(&self.means.state, call, key)
    }

    fn state_set(&self, call: &Call<'_>, key: &str, value: &[u8]) -> Done<()> {
        state::set(&self.means.state, call, key, value)
    }

    fn state_delete(&self, call: &Call<'_>, key: &str) -> Done<()> {
        state::delete(&self.means.state, call, key)
    }

    fn state_keys(&self, call: &Call<'_>) -> Done<Vec<String>> {
        state::keys(&self.means.state, call)
    }

    fn secret(&self, call: &Call<'_>, name: &str) -> Done<SecretBytes> {
        secrets::read(&self.means.secrets, name, call.cancel)
    }

    fn http(&self, call: &Call<'_>, request: &HttpRequest) -> Done<HttpResponse> {
        http::send(&self.means.lookup, call, request)
    }

    fn tree(&self, call: &Call<'_>, tree: Tree) -> Done<Option<PathBuf>> {
        files::tree(self, call, tree)
    }
}

impl Host {
    /// What asks a deed for its end. A signal that ended the run before this phase does not: the
    /// hooks that are still told of it may do what they are granted.
    fn interrupt_of(&self, call: &Call<'_>) -> Interrupt {
        if call.cancel.is_cancelled() || self.interrupt.signal().is_none() {
            self.interrupt.clone()
        } else {
            Interrupt::default()
        }
    }

    /// Whether a service is held now: what can wait then waits until it goes on.
    pub(super) fn is_held(&self) -> bool {
        self.means.holds.is_any()
    }

    /// Whether the snapshot can take a new file at `path`; if not, why.
    pub(super) fn can_take(&self, path: &RelPath) -> Result<(), String> {
        self.has_room(path, true)
    }

    /// The same of a file or a directory.
    pub(super) fn has_room(&self, path: &RelPath, is_file: bool) -> Result<(), String> {
        let reserved = COPAL_DIR.as_bytes();
        if path.as_bytes().split(|&b| b == b'/').next() == Some(reserved) {
            return Err(format!(
                "`{path}`: `{COPAL_DIR}` is Copal's own directory in a snapshot"
            ));
        }
        if let Some(other) = self.is_read_with(path) {
            return Err(format!(
                "`{path}` would be taken for a part of the database beside it: SQLite would read it \
                 together with `{other}`"
            ));
        }
        let mut above: Vec<_> = path.ancestors().collect();
        above.reverse();
        // From the top, so that no link is followed.
        for directory in above {
            match fs::symlink_metadata(absolute(&self.source, &directory)) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => {
                    return Err(format!(
                        "`{path}`: `{directory}` is no directory in the source"
                    ));
                }
                Err(_) => break,
            }
        }
        match fs::symlink_metadata(absolute(&self.source, path)) {
            Ok(metadata) if !is_file && metadata.is_dir() => {}
            Ok(_) => return Err(format!("`{path}` is in the source already")),
            Err(_) => {}
        }
        match self.artifacts.in_the_way(path, is_file) {
            Some(other) => Err(format!("`{path}`: the artifact `{other}` is in its way")),
            None => Ok(()),
        }
    }

    /// The file of the source that SQLite would read together with something new at `path`. Which files
    /// are databases is not asked: a forged log changes what any of them holds, those too that are
    /// copied live, that a filter left out, or that the app made since.
    fn is_read_with(&self, path: &RelPath) -> Option<RelPath> {
        let found = |path: &RelPath| fs::symlink_metadata(absolute(&self.source, path)).ok();
        let is_file = |path: &RelPath| {
            found(path).is_some_and(|found| !found.is_dir()) || self.databases.contains(path)
        };
        let with_directories = path.ancestors().chain([path.clone()]);
        // What is there already makes no difference.
        let new = with_directories.filter(|path| found(path).is_none());
        new.flat_map(|path| sidecar_relations(&path).collect::<Vec<_>>())
            .find(is_file)
    }
}
