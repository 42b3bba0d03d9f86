//! Way: how the files of this source can be staged, found out before anything is paused.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use copal_core::path::RelPath;
use copal_core::staging::{Choice, Circumstances, Copies, Unfit, Way, choose};
use copal_core::units::ByteCount;
use jiff::{SignedDuration, Timestamp};

use super::plan::PlannedDatabase;
use crate::capability::sqlite::is_sidecar;
use crate::edge::frozen::{self, hinders_link, hinders_reflink};
use crate::edge::stat::Version;
use crate::edge::state::StateDir;
use crate::edge::walk::{Found, FoundKind, absolute};
use crate::hooks::Hooks;
use crate::job::Job;

/// How a run is going to stage.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The way, and why.
    pub choice: Choice,
    /// Where frozen files will lie.
    pub place: PathBuf,
    /// Where any of the job's runs may have kept some.
    pub(super) places: Vec<PathBuf>,
    pub(super) restless: Restless,
    /// Databases that a copy is going to stand in for.
    pub(super) copied: HashSet<RelPath>,
}

/// What was found in the source.
pub(super) struct Looked<'a> {
    pub(super) source: &'a Path,
    pub(super) kept: &'a [Found],
    pub(super) databases: &'a [PlannedDatabase],
    pub(super) now: Timestamp,
}

/// Files that may be written to in place: another name does not keep their content.
#[derive(Debug, Clone)]
pub(super) struct Restless {
    /// In and below these somebody keeps a database, and what belongs to it.
    directories: HashSet<RelPath>,
    /// What was modified since then may be modified again.
    since: Timestamp,
}

/// What was not modified for so long is thought to be at rest.
const AT_REST: SignedDuration = SignedDuration::from_mins(10);

impl Restless {
    fn around(databases: &[PlannedDatabase], now: Timestamp) -> Self {
        // A database at the top of the source does not make all of it suspicious.
        let directories = databases.iter();
        Self::of(
            directories.filter_map(|database| database.path.parent()),
            now,
        )
    }

    pub(super) fn of(directories: impl Iterator<Item = RelPath>, now: Timestamp) -> Self {
        Self {
            directories: directories.collect(),
            since: now - AT_REST,
        }
    }

    pub(super) fn holds(&self, path: &RelPath, modified: Timestamp) -> bool {
        modified > self.since
            || path
                .ancestors()
                .any(|above| self.directories.contains(&above))
    }
}

/// Chooses the way in which the job's source is going to be staged.
pub(super) fn forecast(
    job: &Job,
    hooks: &Hooks,
    state: &StateDir,
    looked: &Looked<'_>,
) -> Result<Forecast, Unfit> {
    let beside = frozen::places(looked.source, job.name());
    let own = job.staging(state);
    let mut places = vec![own.clone()];
    // Where the owner named a directory, nothing is put anywhere else.
    if job.config.staging().dir.is_none() {
        places.extend(beside.iter().cloned());
    }
    let restless = Restless::around(looked.databases, looked.now);
    let frozen: Vec<&Found> = looked.to_freeze().collect();
    let reflink = first(&places, |place| looked.clones(&frozen, place));
    let link = first(&places, |place| looked.links(&frozen, place, &restless));
    let mut copy = Copies::default();
    for file in &frozen {
        copy.add(looked.occupied(file));
    }
    let here = Circumstances {
        may_hold: hooks.may_hold(),
        reflink: reflink
            .as_ref()
            .map(|(_, copies)| *copies)
            .map_err(Clone::clone),
        link: link
            .as_ref()
            .map(|(_, copies)| *copies)
            .map_err(Clone::clone),
        copy,
        max_pause: job.config.staging().max_pause,
    };
    let choice = choose(job.config.staging().mode, &here)?;
    let place = match choice.way {
        Way::Reflink => reflink.map_or(own, |(place, _)| place),
        Way::Link => link.map_or(own, |(place, _)| place),
        Way::Copy | Way::Direct | Way::Hold => own,
    };
    Ok(Forecast {
        choice,
        place,
        places: beside,
        restless,
        copied: looked.copied().cloned().collect(),
    })
}

/// The first place that serves; else why the last does not, which is the nearest to the source.
fn first<T>(
    places: &[PathBuf],
    serves: impl Fn(&Path) -> Result<T, String>,
) -> Result<(PathBuf, T), String> {
    let mut hindrance = String::new();
    for place in places {
        match serves(place) {
            Ok(serves) => return Ok((place.clone(), serves)),
            Err(why) => hindrance = why,
        }
    }
    Err(hindrance)
}

impl Looked<'_> {
    /// Databases that a copy is going to stand in for.
    fn copied(&self) -> impl Iterator<Item = &RelPath> {
        let copied = self.databases.iter().filter(|database| !database.live);
        copied.map(|database| &database.path)
    }

    /// Files that nothing is known to stand in for.
    fn to_freeze(&self) -> impl Iterator<Item = &Found> {
        let copied: HashSet<&RelPath> = self.copied().collect();
        self.kept.iter().filter(move |found| {
            found.kind == FoundKind::File
                && !copied.contains(&found.path)
                && !is_sidecar(&found.path, |main| copied.contains(main))
        })
    }

    /// What has to be copied where the rest is cloned to `place`.
    fn clones(&self, files: &[&Found], place: &Path) -> Result<Copies, String> {
        let mut devices: HashMap<u64, Result<(), String>> = HashMap::new();
        let mut copies = Copies::default();
        for file in files {
            let cloned = devices
                .entry(device(file.version))
                .or_insert_with(|| hinders_reflink(&absolute(self.source, &file.path), place));
            if cloned.is_err() {
                copies.add(self.occupied(file));
            }
        }
        // One device that clones is enough: the others' files are copied.
        let fail = |result: &Result<(), String>| result.clone().err();
        match devices.values().find_map(fail) {
            Some(why) if devices.values().all(Result::is_err) => Err(why),
            _ => Ok(copies),
        }
    }

    /// What has to be copied where the rest is linked in `place`.
    fn links(&self, files: &[&Found], place: &Path, restless: &Restless) -> Result<Copies, String> {
        hinders_link(self.source, place)?;
        let top = fs::metadata(self.source).map_err(|error| error.to_string())?;
        let user = rustix::process::geteuid();
        let mut copies = Copies::default();
        for file in files {
            // Others' files can't be linked (fs.protected_hardlinks), but by root.
            let ours = user.is_root() || file.attributes.uid == user.as_raw();
            let near = device(file.version) == top.dev();
            if !ours || !near || restless.holds(&file.path, file.attributes.mtime) {
                copies.add(self.occupied(file));
            }
        }
        Ok(copies)
    }

    /// What a copy of it takes: holes take nothing. Only large files are worth a look.
    fn occupied(&self, file: &Found) -> ByteCount {
        let size = file.version.size();
        if size < ByteCount::mebibytes(16) {
            return size;
        }
        let found = fs::symlink_metadata(absolute(self.source, &file.path));
        found.map_or(size, |found| size.min(ByteCount(found.blocks() * 512)))
    }
}

fn device(version: Version) -> u64 {
    version.file().0
}
