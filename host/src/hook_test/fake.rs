//! Capabilities that do nothing but answer as a case says, and remember what they were asked.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use copal_core::grants::Tree;
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{
    ArchiveFormat, Archived, Call, Capabilities, CapabilityError, Captured, CheckDepth,
    CommandRequest, Copied, Finished, HoldId, HoldWish, Holder, HttpRequest, HttpResponse,
    SecretBytes, ServiceState, Taken,
};

use super::commands::Commands;
use super::services::Services;
use super::spec::{Given, HttpAnswer, Request};
use super::trees::{Trees, path};
use crate::edge::walk::absolute;

/// What stands for a secret's value.
const SECRET: &str = "***";

/// The world of one case.
pub(super) struct Fake {
    given: Given,
    databases: Vec<RelPath>,
    directories: Vec<RelPath>,
    kept: Mutex<Kept>,
    trees: Trees,
    commands: Commands,
    services: Services,
    /// In a dry run deeds are answered with zeros, and what changes nothing is as ever.
    is_dry_run: bool,
}

/// What changes while a case runs.
#[derive(Default)]
struct Kept {
    state: BTreeMap<String, Vec<u8>>,
    requests: Vec<Request>,
    facts: BTreeMap<String, String>,
}

impl Fake {
    /// The world that `given` describes, with this state.
    pub(super) fn new(
        mut given: Given,
        state: BTreeMap<String, Vec<u8>>,
        is_dry_run: bool,
    ) -> Result<Self, BadGiven> {
        let commands = Commands::new(std::mem::take(&mut given.command), is_dry_run)?;
        let services = Services::new(std::mem::take(&mut given.service), is_dry_run);
        let trees = Trees::new(&given.files)?;
        let paths = |names: &[String]| -> Result<Vec<RelPath>, BadGiven> {
            names.iter().map(|name| path(name)).collect()
        };
        Ok(Self {
            databases: paths(&given.databases)?,
            directories: paths(&given.directories)?,
            given,
            kept: Mutex::new(Kept {
                state,
                requests: Vec::new(),
                facts: BTreeMap::new(),
            }),
            trees,
            commands,
            services,
            is_dry_run,
        })
    }

    /// The hook's store.
    pub(super) fn state(&self) -> BTreeMap<String, Vec<u8>> {
        self.kept().state.clone()
    }

    /// The requests that were sent.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.kept().requests.clone()
    }

    /// The facts that were recorded.
    pub(super) fn facts(&self) -> BTreeMap<String, String> {
        self.kept().facts.clone()
    }

    /// What is in `/staging`, and the outputs of captured commands: paths and texts.
    pub(super) fn staged(&self) -> io::Result<BTreeMap<String, String>> {
        let mut staged = self.trees.staged()?;
        let captured = self.commands.captured().into_iter();
        staged.extend(captured.map(|(path, text)| (path.to_string(), text)));
        Ok(staged)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("no holder of this lock panics")
    }

    /// What the source has against a new file at `path`.
    fn room(&self, path: &RelPath) -> Result<(), String> {
        let is_file = |path: &RelPath| {
            let place = absolute(&self.trees.path(Tree::Source), path);
            self.databases.contains(path) || place.is_file()
        };
        let is_directory = |path: &RelPath| {
            let place = absolute(&self.trees.path(Tree::Source), path);
            self.directories.contains(path) || place.is_dir()
        };
        if is_file(path) || is_directory(path) {
            return Err(format!("`{path}` is in the source already"));
        }
        match path.ancestors().find(is_file) {
            Some(above) => Err(format!("`{path}`: `{above}` is no directory in the source")),
            None => Ok(()),
        }
    }

    /// The answer to the `turn`th request of this kind: the last one is given again and again.
    fn answer(&self, request: &str, turn: usize) -> Option<&HttpAnswer> {
        let mut fitting = self.given.http.iter().filter(|a| a.request == request);
        let last = fitting.clone().next_back();
        fitting.nth(turn).or(last)
    }
}

/// Why a case's world can't be made.
#[derive(Debug, thiserror::Error)]
pub enum BadGiven {
    /// A name is no path in the source.
    #[error("`{path}` is no path in the source: {why}")]
    Path {
        /// The name.
        path: String,
        /// Why.
        why: String,
    },
    /// A command is none that copal.toml could have.
    #[error("the command `{name}`: {why}")]
    Command {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
    /// Its directories can't be made or read.
    #[error("the test's own directory can't be used")]
    Io(#[from] io::Error),
}

impl Capabilities for Fake {
    fn sqlite_databases(&self, _: &Call<'_>) -> Result<Vec<RelPath>, CapabilityError> {
        Ok(self.databases.clone())
    }

    fn sqlite_backup(&self, _: &Call<'_>, database: &RelPath) -> Result<Copied, CapabilityError> {
        known(&self.databases, database)?;
        Ok(Copied {
            pages: if self.is_dry_run { 0 } else { 10 },
            page_size: if self.is_dry_run { 0 } else { 4096 },
            checked: !self.is_dry_run,
        })
    }

    fn sqlite_check(
        &self,
        _: &Call<'_>,
        database: &RelPath,
        _: CheckDepth,
    ) -> Result<Vec<String>, CapabilityError> {
        known(&self.databases, database)?;
        let damage = self.given.damaged.get(&database.to_string());
        Ok(damage.cloned().unwrap_or_default())
    }

    fn sqlite_backup_with(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        beside: &[RelPath],
    ) -> Result<Copied, CapabilityError> {
        for directory in beside {
            known(&self.directories, directory)?;
        }
        self.sqlite_backup(call, database)
    }

    fn sqlite_holders(
        &self,
        _: &Call<'_>,
        database: &RelPath,
    ) -> Result<Vec<Holder>, CapabilityError> {
        known(&self.databases, database)?;
        let lines = self.given.holders.get(&database.to_string());
        let lines = lines.into_iter().flatten();
        let holder = |(pid, why): (u32, &String)| Holder {
            pid,
            program: "app".to_owned(),
            why: why.clone(),
        };
        Ok((1..).zip(lines).map(holder).collect())
    }

    fn sqlite_query(
        &self,
        _: &Call<'_>,
        database: &RelPath,
        sql: &str,
        _: u32,
    ) -> Result<String, CapabilityError> {
        known(&self.databases, database)?;
        let answers = self.given.query.get(&database.to_string());
        let rows = answers.and_then(|answers| answers.get(sql));
        rows.cloned()
            .ok_or_else(|| CapabilityError::Invalid(format!("the test has no rows for `{sql}`")))
    }

    fn sqlite_update(
        &self,
        _: &Call<'_>,
        database: &RelPath,
        sql: &str,
    ) -> Result<u64, CapabilityError> {
        known(&self.databases, database)?;
        if self.is_dry_run {
            return Ok(0);
        }
        let answers = self.given.update.get(&database.to_string());
        let changed = answers.and_then(|answers| answers.get(sql));
        changed.copied().ok_or_else(|| {
            CapabilityError::Invalid(format!("the test does not know what `{sql}` changes"))
        })
    }

    fn service_state(&self, _: &Call<'_>, name: &str) -> Result<ServiceState, CapabilityError> {
        self.services.state(name)
    }

    fn service_hold(
        &self,
        _: &Call<'_>,
        name: &str,
        how: HoldWish,
    ) -> Result<Taken, CapabilityError> {
        self.services.hold(name, how)
    }

    fn service_release(&self, _: &Call<'_>, hold: HoldId) -> Result<(), CapabilityError> {
        self.services.release(hold);
        Ok(())
    }

    fn record(&self, _: &Call<'_>, key: &str, value: &str) -> Result<(), CapabilityError> {
        if !self.is_dry_run {
            let facts = &mut self.kept().facts;
            facts.insert(key.to_owned(), value.to_owned());
        }
        Ok(())
    }

    fn archive_create(
        &self,
        _: &Call<'_>,
        directory: &RelPath,
        _: ArchiveFormat,
    ) -> Result<Archived, CapabilityError> {
        known(&self.directories, directory)?;
        let (entries, content, archive) = if self.is_dry_run {
            (0, 0, 0)
        } else {
            (3, 3000, 1000)
        };
        Ok(Archived {
            entries,
            content: ByteCount(content),
            archive: ByteCount(archive),
        })
    }

    fn command_run(
        &self,
        call: &Call<'_>,
        request: &CommandRequest,
    ) -> Result<Finished, CapabilityError> {
        self.commands.run(call, request)
    }

    fn command_capture(
        &self,
        _: &Call<'_>,
        request: &CommandRequest,
        path: &RelPath,
    ) -> Result<Captured, CapabilityError> {
        self.commands.capture(request, path, self.room(path))
    }

    fn state_get(&self, _: &Call<'_>, key: &str) -> Result<Option<Vec<u8>>, CapabilityError> {
        Ok(self.kept().state.get(key).cloned())
    }

    fn state_set(&self, call: &Call<'_>, key: &str, value: &[u8]) -> Result<(), CapabilityError> {
        let state = &mut self.kept().state;
        let others = state.iter().filter(|(other, _)| *other != key);
        let used: usize = others.map(|(key, value)| key.len() + value.len()).sum();
        let wanted = (used + key.len() + value.len()) as u64;
        if wanted > call.limits.state.0 {
            let limit = call.limits.state;
            let why = format!(
                "the store would have {}, and may have {limit}",
                ByteCount(wanted)
            );
            return Err(CapabilityError::Invalid(why));
        }
        state.insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    fn state_delete(&self, _: &Call<'_>, key: &str) -> Result<(), CapabilityError> {
        self.kept().state.remove(key);
        Ok(())
    }

    fn state_keys(&self, _: &Call<'_>) -> Result<Vec<String>, CapabilityError> {
        Ok(self.kept().state.keys().cloned().collect())
    }

    fn secret(&self, _: &Call<'_>, name: &str) -> Result<SecretBytes, CapabilityError> {
        let secret = self.given.secrets.get(name);
        let missing = || CapabilityError::Missing(name.to_owned());
        secret
            .map(|value| SecretBytes::new(value.as_bytes()))
            .ok_or_else(missing)
    }

    fn http(&self, _: &Call<'_>, request: &HttpRequest) -> Result<HttpResponse, CapabilityError> {
        let asked = format!("{} {}{}", request.method, request.origin, request.path);
        let turn = {
            let requests = &mut self.kept().requests;
            let turn = requests.iter().filter(|r| r.request == asked).count();
            requests.push(recorded(asked.clone(), request));
            turn
        };
        let answer = self.answer(&asked, turn).filter(|_| !self.is_dry_run);
        let Some(answer) = answer else {
            if !self.given.http.is_empty() && !self.is_dry_run {
                let why = format!("the test has no answer for {asked}");
                return Err(CapabilityError::Failed(why));
            }
            return Ok(HttpResponse {
                status: 200,
                headers: Vec::new(),
                body: Vec::new(),
            });
        };
        if let Some(why) = &answer.error {
            return Err(CapabilityError::Failed(why.clone()));
        }
        let header = |(name, value): (&String, &String)| {
            (name.to_ascii_lowercase(), value.clone().into_bytes())
        };
        Ok(HttpResponse {
            status: answer.status,
            headers: answer.headers.iter().map(header).collect(),
            body: answer.body.clone().into_bytes(),
        })
    }

    fn tree(&self, call: &Call<'_>, tree: Tree) -> Result<Option<PathBuf>, CapabilityError> {
        let is_there = tree == Tree::Source || call.phase == copal_hooks::Phase::PreBackup;
        Ok(is_there.then(|| self.trees.path(tree)))
    }
}

fn known(paths: &[RelPath], path: &RelPath) -> Result<(), CapabilityError> {
    if paths.contains(path) {
        Ok(())
    } else {
        Err(CapabilityError::Missing(path.to_string()))
    }
}

fn recorded(asked: String, request: &HttpRequest) -> Request {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let own = request.headers.iter();
    let own = own.map(|(name, value)| (name.clone(), text(value)));
    // A prefix of the hook's stands in front of the secret; only the owner knows where that ends.
    let secret = request.secret_headers.iter();
    let secret = secret.map(|(name, _)| (name.clone(), SECRET.to_owned()));
    Request {
        request: asked,
        headers: own.chain(secret).collect(),
        body: Some(text(&request.body)),
    }
}
