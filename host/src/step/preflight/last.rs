//! What the last snapshot has is still there.

use copal_core::manifest::{Manifest, Taken};
use copal_core::mirror::Map;
use copal_core::mounts::{Lost, Seen};
use copal_core::path::RelPath;
use copal_core::units::ByteCount;

use super::PreflightError;
use crate::capability::artifacts::Artifact;
use crate::capability::sqlite::Copied;
use crate::edge::tops::{mounted_at, shown_in};
use crate::edge::walk::FoundKind;
use crate::step::mirror::MirrorError;
use crate::step::plan::Plan;

/// Whether there is anything left of what the last snapshot has, and every database still is one, unless it is left out by now.
pub fn check_missing(plan: &Plan, last: &Manifest) -> Result<(), PreflightError> {
    let files = last.totals.files;
    if files > 0 && plan.files().0 == 0 {
        return Err(PreflightError::SourceEmptied {
            files,
            last: last.id,
        });
    }
    let left_out = |path: &RelPath| {
        plan.walked
            .left_out
            .iter()
            .any(|(left_out, subtree)| left_out == path || (*subtree && path.is_within(left_out)))
    };
    let paths: Vec<RelPath> = last_databases(last)
        .filter(|(path, _)| {
            !plan
                .databases
                .iter()
                .any(|database| database.path == **path)
        })
        .filter(|(path, _)| !left_out(path))
        .map(|(path, _)| path.clone())
        .collect();
    if paths.is_empty() {
        return Ok(());
    }
    Err(PreflightError::DatabaseMissing {
        paths,
        last: last.id,
    })
}

/// The file systems that were mounted for the last snapshot, and are missing.
pub fn unmounted(plan: &Plan, last: &Manifest) -> Vec<Lost> {
    if last.mounts.is_empty() {
        return Vec::new();
    }
    let kept = plan.walked.kept.iter();
    let files = kept.filter(|found| found.kind == FoundKind::File);
    let shown = shown_in(&plan.source);
    let seen = Seen {
        shown: &shown,
        source: &plan.source.display().to_string(),
        files: files
            .map(|found| (&found.path, found.version.size()))
            .collect(),
        left_out: &plan.walked.left_out,
    };
    seen.lost_since(last, |path| mounted_at(&plan.source, path, &shown))
}

/// Whether the source has all that a mirror's map names.
pub fn check_mapped(plan: &Plan, map: &Map) -> Result<(), PreflightError> {
    let has = |source: &RelPath| {
        plan.walked.kept.iter().any(|found| {
            let is_data = matches!(found.kind, FoundKind::File | FoundKind::Directory);
            is_data && found.path.is_within(source)
        })
    };
    Ok(MirrorError::unless_all_there(map, has)?)
}

/// Whether no database lost all its tables since the last snapshot.
pub fn check_emptied(artifacts: &[Artifact], last: &Manifest) -> Result<(), PreflightError> {
    // A database that never held anything is at most one page.
    let emptied = |path: &RelPath, last_size: ByteCount| {
        artifacts
            .iter()
            .filter(|artifact| artifact.stands_in_for == *path)
            .any(|artifact| {
                let one_page = |copied: Copied| ByteCount(copied.page_size.into());
                artifact
                    .database
                    .is_some_and(|now| !now.has_schema && last_size > one_page(now))
            })
    };
    let paths: Vec<RelPath> = last_databases(last)
        .filter(|(path, size)| emptied(path, *size))
        .map(|(path, _)| path.clone())
        .collect();
    if paths.is_empty() {
        return Ok(());
    }
    Err(PreflightError::DatabaseEmptied {
        paths,
        last: last.id,
    })
}

fn last_databases(last: &Manifest) -> impl Iterator<Item = (&RelPath, ByteCount)> {
    last.entries.iter().filter_map(|entry| {
        let file = entry.file()?;
        (file.taken == Taken::SqliteBackup).then_some((&entry.path, file.size))
    })
}
