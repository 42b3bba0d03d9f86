//! Naming: under which names files lie at destinations.

use copal_core::manifest::MANIFEST;
use copal_core::mirror::Map;
use copal_core::path::RelPath;
use copal_core::stored::{NameLimit, StoredNames};

use super::plan::Plan;
use crate::edge::walk::{Found, FoundKind};

/// Gives each file its name on the remote, in their order. Plain names first: the encoded form of an odd
/// name must not take one of theirs, nor that of a directory.
pub(super) fn name_all<'a>(
    names: &mut StoredNames,
    directories: impl Iterator<Item = &'a RelPath>,
    files: &[&RelPath],
) -> Vec<String> {
    for directory in directories {
        names.reserve(&String::from_utf8_lossy(directory.as_bytes()));
    }
    let travels = copal_rclone::travels_unchanged;
    let plain = files.iter().map(|path| {
        let stored = names.plain(path, travels).map(str::to_owned);
        stored.inspect(|stored| names.reserve(stored))
    });
    let plain: Vec<Option<String>> = plain.collect();
    let files = plain.into_iter().zip(files);
    files
        .map(|(stored, path)| stored.unwrap_or_else(|| names.encode(path)))
        .collect()
}

/// The names that the files of a plan will have, where hooks add none.
pub fn planned(plan: &Plan, limit: NameLimit) -> Vec<(&Found, String)> {
    let kept = plan.walked.kept.iter();
    let directories = kept.filter(|found| found.kind == FoundKind::Directory);
    let files: Vec<&Found> = plan.all_files().collect();
    let paths: Vec<&RelPath> = files.iter().map(|found| &found.path).collect();
    let mut names = StoredNames::within(limit);
    let stored = name_all(&mut names, directories.map(|it| &it.path), &paths);
    files.into_iter().zip(stored).collect()
}

/// The names below a mirror that a run of this plan will write to, Copal's own among them.
pub fn planned_in_mirror(plan: &Plan, limit: NameLimit, map: &Map) -> Vec<String> {
    let own = std::iter::once(MANIFEST.to_owned());
    let files = planned(plan, limit).into_iter();
    let placed = files.filter_map(|(found, stored)| {
        let placed = map.place(&found.path, &stored, None)?;
        Some(placed.remote())
    });
    own.chain(placed).collect()
}
