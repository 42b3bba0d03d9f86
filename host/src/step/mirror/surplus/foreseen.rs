//! Foreseen: what a run would delete from a mirror, by a plan and by what is there now.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use copal_core::manifest::{Manifest, Taken};
use copal_core::mirror::{Ground, Map, Refused};
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_core::sqlite::is_sidecar;
use copal_core::stored::NameLimit;

use super::{Deleting, Known};
use crate::edge::beneath::Beneath;
use crate::edge::walk::{Found, FoundKind};
use crate::error::CopalError;
use crate::step::mirror::{MirrorError, Origin};
use crate::step::naming::planned_in_mirror;
use crate::step::place::Place;
use crate::step::plan::Plan;
use crate::step::preflight::check_unlinked;
use crate::step::stage::StageError;

/// What is known before a run.
pub struct Foreseeing<'a> {
    /// What is to be sent.
    pub plan: &'a Plan,
    /// How long a name the destinations take.
    pub names: NameLimit,
    /// What the mirror was at its last run.
    pub last: Option<&'a Manifest>,
    /// The directories of this machine that it lies in.
    pub local_roots: &'a [PathBuf],
}

/// How many files a run would delete, and why it would delete none, where that is so.
///
/// # Errors
/// Where the run would end before anything is sent, and where the mirror can't be listed.
pub fn foresee(
    by: &Deleting<'_>,
    known: &Foreseeing<'_>,
) -> Result<(u64, Option<CopalError>), CopalError> {
    let map = &by.mirror.map;
    let id = known.last.map(|last| last.id);
    let place = Place::Mirror(
        map,
        id.unwrap_or(SnapshotId::at(jiff::Timestamp::UNIX_EPOCH)),
    );
    let before = place.list(by.remote, false)?;
    let names: Vec<String> = before.iter().map(|file| file.path.clone()).collect();
    let wanted = planned_in_mirror(known.plan, known.names, map);
    let wanted: HashSet<String> = wanted.into_iter().collect();
    let ground = known.ground(map);
    let decided = names.iter().filter(|name| ground.has(name));
    check_unlinked(known.local_roots, decided.map(String::as_str)).map_err(CopalError::from)?;
    let (written, added) = (Origin::all_of(known.last), known.added());
    let was_put = |name: &str| by.counts_all() || written.contains_key(name);
    let surplus = ground.surplus(&names, &wanted, was_put);
    let left = Known {
        map,
        written: &written,
        before: &before,
        like: known.like()?,
    };
    let left = left.left(surplus, |name, origin| {
        !added.contains(name) && !known.has(origin)
    });
    let surplus = left.without_filtered(by).map_err(StageError::from)?;
    let goes: Vec<String> = surplus.names().map(str::to_owned).collect();
    let emptied = ground.emptied(&goes, &wanted);
    if let Some(emptied) = emptied.filter(|_| !by.accept_missing) {
        return Err(MirrorError::from(emptied).into());
    }
    let logs = surplus.logs().names().len() as u64;
    match surplus.bounded(by.bound()) {
        Err(refused @ Refused::Copals(_)) => Ok((0, (!by.is_unlisted).then(|| by.kept(refused)))),
        _ if by.is_unlisted => Ok((logs, None)),
        Ok(deletions) => Ok((deletions.names().len() as u64, None)),
        Err(refused) => Ok((logs, Some(by.kept(refused)))),
    }
}

impl Foreseeing<'_> {
    fn ground(&self, map: &Map) -> Ground {
        let is_directory = |path: &RelPath| {
            let is = |found: &Found| found.path == *path && found.kind == FoundKind::Directory;
            self.plan.walked.kept.iter().any(is)
        };
        let copied = self.plan.to_copy();
        let names = copied.iter().filter_map(|path| {
            let stored = path.to_string();
            Some(map.place(path, &stored, None)?.remote())
        });
        Ground::of(map, is_directory).and_logs_of(names)
    }

    /// What hooks had made besides for the last run they make again, as far as anybody knows.
    fn added(&self) -> HashSet<String> {
        let files = self.last.iter().flat_map(|last| last.files());
        let added = files.filter(|(.., file)| file.taken == Taken::Added);
        added.map(|(name, ..)| name).collect()
    }

    /// Whether the source has it. What can't be looked at counts as there.
    fn has(&self, origin: &Origin) -> bool {
        let path = &origin.path;
        let left_out = &self.plan.walked.left_out;
        let is_left_out =
            |(out, whole): &(RelPath, bool)| out == path || *whole && path.is_within(out);
        if left_out.iter().any(is_left_out) {
            return true;
        }
        let copied = self.plan.to_copy();
        if is_sidecar(path, |main| copied.contains(main)) {
            return false;
        }
        match Beneath::of(&self.plan.source, path).metadata() {
            Ok(metadata) if origin.kind == FoundKind::Directory => metadata.is_dir(),
            Ok(metadata) => metadata.is_file(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    fn like(&self) -> Result<copal_core::manifest::Attributes, StageError> {
        let source = &self.plan.source;
        let metadata = crate::edge::top::metadata(source);
        let attributes = metadata.map(|it| crate::edge::stat::attributes(&it));
        attributes.map_err(|error| StageError::Unreadable {
            path: source.to_path_buf(),
            source: error,
        })
    }
}
