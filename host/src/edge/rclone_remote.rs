//! One remote, each call of which goes to rclone's worker process.

mod abilities;
mod listing;
mod sending;

use std::cell::{Cell, OnceCell};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use copal_core::charges::Charges;
use copal_core::config::Proof;
use copal_core::forecast::Terms;
use copal_core::memory::Share;
use copal_core::survey::Survey;
use copal_core::units::ByteCount;
use copal_rclone::{
    ErrorKind, Layer, ProofRequest, Proven, RcloneError, RemovalRequest, StatRequest,
};

use self::sending::{local, split};
use super::copies::copy;
use super::interrupt::Interrupt;
use super::links::link_within;
use super::rclone::{ANSWER, READ_ALL, SURVEY};
use super::remote::{
    Abilities, Batch, HashKind, Linked, Listed, Remote, RemoteError, Removal, Removed, Tree, Watch,
    Within,
};
use super::terms;
use super::tidy::tidy_after_death;
use super::within::Copier;
use super::workers::Workers;

/// A remote by way of rclone.
pub(super) struct RcloneRemote {
    pub(super) workers: Arc<Workers>,
    pub(super) remote: copal_rclone::Remote,
    pub(super) shown: String,
    pub(super) interrupt: Interrupt,
    /// The backends that it is made of.
    pub(super) layers: Vec<Layer>,
    /// What it may take of this machine's memory.
    pub(super) share: Share,
    /// What it can do, once it was asked.
    pub(super) abilities: OnceCell<Abilities>,
    /// Whether files there share what they hold by now.
    pub(super) has_links: Cell<bool>,
}

impl RcloneRemote {
    fn failed(&self, deed: &'static str, below: &str, source: RcloneError) -> RemoteError {
        if let Err(interrupted) = self.interrupt.check() {
            return RemoteError::Interrupted(interrupted);
        }
        let joined = below.is_empty() || self.shown.ends_with([':', '/']);
        let slash = if joined { "" } else { "/" };
        RemoteError::Failed {
            deed,
            place: format!("{}{slash}{below}", self.shown),
            source,
        }
    }

    /// A directory, said with a slash at its end: without one, S3 is asked first whether it is a
    /// file, which costs a call and makes nonsense of a refused key.
    fn dir(&self, below: &str) -> copal_rclone::Remote {
        self.remote.join(below).as_directory()
    }

    /// What kind of remote it is, by rclone's name.
    fn backend(&self) -> &str {
        self.layers.first().map_or("", |top| &top.backend)
    }

    /// What is not there need not be taken away.
    fn gone(
        &self,
        done: Result<(), RcloneError>,
        deed: &'static str,
        path: &str,
    ) -> Result<(), RemoteError> {
        match done {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(self.failed(deed, path, error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// What to do with a transfer that returned: a cancelled one returns without error.
    fn ended(
        &self,
        deed: &'static str,
        dir: &str,
        result: Result<(), RcloneError>,
    ) -> Result<(), RemoteError> {
        self.interrupt.check()?;
        result.map_err(|error| self.failed(deed, dir, error))
    }
}

/// A name that must not be is there.
fn stuck(error: &io::Error) -> RcloneError {
    RcloneError::Call {
        method: "unlink".to_owned(),
        kind: ErrorKind::Other,
        message: error.to_string(),
    }
}

impl Remote for RcloneRemote {
    fn shown(&self) -> String {
        self.shown.clone()
    }

    fn abilities(&self) -> Result<Abilities, RemoteError> {
        if let Some(known) = self.abilities.get() {
            return Ok(known.clone());
        }
        let abilities = self.ask_abilities()?;
        Ok(self.abilities.get_or_init(|| abilities).clone())
    }

    fn tree(&self, dir: &str, hashes: bool) -> Result<Tree, RemoteError> {
        if !hashes {
            return self.list_tree(dir, None);
        }
        let abilities = self.abilities()?;
        if let [root] = &abilities.local_roots[..]
            && abilities.hash == Some(HashKind::Sha256)
            && let Some(there) = self.hash_here(&root.join(dir), dir)?
        {
            return Ok(there);
        }
        self.list_tree(dir, abilities.hash)
    }

    fn has_file(&self, path: &str) -> Result<bool, RemoteError> {
        let request = StatRequest {
            remote: self.remote.clone(),
            path: path.to_owned(),
            hashes: Vec::new(),
        };
        let found = self.workers.ask(|worker| worker.stat(&request, ANSWER));
        match found {
            Ok(found) => Ok(found.is_some_and(|entry| !entry.is_dir)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed("look for", path, error)),
        }
    }

    fn files_named(&self, dir: &str, names: &[String]) -> Result<Vec<Listed>, RemoteError> {
        self.find(dir, names)
    }

    fn directories(&self, dir: &str) -> Result<Vec<String>, RemoteError> {
        let entries = self.list(dir, false, Vec::new())?.into_iter();
        Ok(entries
            .filter(|entry| entry.is_dir)
            .map(|entry| entry.path)
            .collect())
    }

    fn upload(&self, batches: &[Batch<'_>], watch: &mut Watch<'_>) -> Result<(), RemoteError> {
        let mut is_second = false;
        let copied = self.workers.ask(|worker| {
            if std::mem::replace(&mut is_second, true) {
                tidy_after_death(worker, &self.remote, batches)?;
            }
            let requests = self.requests(batches)?;
            copy(worker, requests, watch, &self.interrupt)
        });
        let dir = batches.first().map_or("", |batch| batch.remote);
        self.ended("upload to", dir, copied)
    }

    fn copy_within(&self, files: Within<'_>, watch: &mut Watch<'_>) -> Result<(), RemoteError> {
        let within = Copier {
            from: self.dir(files.from),
            to: self.dir(files.to),
            backend: self.backend(),
            share: &self.share,
            interrupt: &self.interrupt,
        };
        let copied = self.workers.ask(|worker| within.copy(worker, files, watch));
        self.ended("copy files within", files.to, copied)
    }

    fn link_within(&self, files: Within<'_>) -> Result<Linked, RemoteError> {
        let abilities = self.abilities()?;
        let Some(folder) = abilities.folder() else {
            return Ok(Linked::none_of(files));
        };
        self.has_links.set(true);
        let linked = link_within(folder, files, &self.interrupt);
        self.interrupt.check()?;
        // A folder that can't be opened here may be one to rclone.
        let mut linked = linked.unwrap_or_else(|error| {
            let none = Linked::none_of(files);
            Linked {
                unfit: none.left.len() as u64,
                why: Some(error),
                ..none
            }
        });
        match linked.stuck.take() {
            None => Ok(linked),
            Some(error) => Err(self.failed("remove a hard link from", files.to, stuck(&error))),
        }
    }

    fn prove(&self, batch: Batch<'_>, proof: Proof) -> Result<Proven, RemoteError> {
        let proven = local(batch.local).and_then(|source| {
            let request = ProofRequest {
                source,
                destination: self.dir(batch.remote),
                files: batch.names.to_vec(),
                by_reading: proof == Proof::Read,
            };
            self.workers.ask(|worker| worker.prove(&request, READ_ALL))
        });
        let proven =
            proven.map_err(|error| self.failed("prove what is in", batch.remote, error))?;
        self.interrupt.check()?;
        Ok(proven)
    }

    fn download(&self, batch: Batch<'_>, watch: &mut Watch<'_>) -> Result<(), RemoteError> {
        self.fetch(batch, false, watch)
    }

    fn download_if_there(&self, batch: Batch<'_>) -> Result<(), RemoteError> {
        self.fetch(batch, true, &mut |_| {})
    }

    fn put(&self, file: &Path, to: &str) -> Result<(), RemoteError> {
        let (directory, name) = split(file);
        let copied = local(directory).and_then(|source| {
            self.copy_file((source, name), (self.remote.clone(), to.to_owned()))
        });
        copied.map_err(|error| self.failed("upload to", to, error))
    }

    fn get(&self, from: &str, file: &Path) -> Result<bool, RemoteError> {
        let (directory, name) = split(file);
        let copied = local(directory).and_then(|target| {
            self.copy_file((self.remote.clone(), from.to_owned()), (target, name))
        });
        match copied {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed("download", from, error)),
        }
    }

    fn delete(&self, path: &str) -> Result<(), RemoteError> {
        let deleted = self
            .workers
            .ask(|worker| worker.delete_file(&self.remote, path, ANSWER));
        self.gone(deleted, "delete", path)
    }

    fn remove_empty(&self, dir: &str) -> Result<(), RemoteError> {
        let removed = self
            .workers
            .ask(|worker| worker.remove_empty(&self.remote, dir, ANSWER));
        self.gone(removed, "remove", dir)
    }

    fn remove(&self, removal: Removal<'_>) -> Result<Removed, RemoteError> {
        let request = RemovalRequest {
            remote: self.remote.clone(),
            below: removal.dir.to_owned(),
            names: removal.names.to_vec(),
            last: removal.last.to_vec(),
        };
        let removed = self
            .workers
            .ask(|worker| worker.remove(&request, READ_ALL))
            .map_err(|error| self.failed("remove", removal.dir, error))?;
        let failed = removed.failed.map(|failed| {
            let why = self.failed("remove files of", removal.dir, failed.why);
            (failed.count, failed.names, why)
        });
        Ok(Removed {
            files: removed.files,
            bytes: removed.bytes,
            left: removed.left_count,
            left_names: removed.left,
            failed,
        })
    }

    fn purge(&self, dir: &str) -> Result<(), RemoteError> {
        let purged = self
            .workers
            .ask(|worker| worker.purge(&self.dir(dir), READ_ALL));
        match purged {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(self.failed("remove", dir, error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn survey(&self, write: bool) -> Result<Survey, RemoteError> {
        let told = self
            .workers
            .ask(|worker| worker.survey(&self.remote, write, SURVEY));
        told.map_err(|error| self.failed("reach", "", error))
    }

    fn room(&self) -> Result<Option<ByteCount>, RemoteError> {
        let told = self.workers.ask(|worker| {
            let info = worker.fs_info(&self.remote, ANSWER)?;
            match info.features.get("About") {
                Some(true) => worker.free_space(&self.remote, ANSWER),
                Some(false) | None => Ok(None),
            }
        });
        told.map_err(|error| self.failed("ask for the room that is left at", "", error))
    }

    fn end_unfinished(&self, dir: &str, begun_before: Duration) -> Result<(), RemoteError> {
        let ended = self
            .workers
            .ask(|worker| worker.end_unfinished(&self.dir(dir), begun_before, ANSWER));
        let number =
            ended.map_err(|error| self.failed("end unfinished uploads below", dir, error))?;
        if number > 0 {
            tracing::info!("{number} unfinished uploads were ended");
        }
        Ok(())
    }

    fn terms(&self) -> Result<Terms, RemoteError> {
        let Abilities { copies, links, .. } = self.abilities()?;
        Ok(Terms {
            copies,
            links,
            b2: terms::b2(&self.layers, &self.share),
        })
    }

    fn take_charges(&self) -> Option<Charges> {
        if !self.layers.iter().any(|layer| layer.backend == "b2") {
            return None;
        }
        let told = self.workers.ask(|worker| worker.take_charges(ANSWER));
        let charges = told.unwrap_or_else(|error| {
            tracing::warn!(
                "what calls to `{}` are charged as is not known: {error}",
                self.shown
            );
            None
        });
        // One that died took its count along.
        charges.filter(|_| self.workers.replaced().is_none())
    }

    fn mended(&self) -> Option<String> {
        self.workers.replaced()
    }
}
