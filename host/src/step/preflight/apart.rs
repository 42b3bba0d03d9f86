//! A source and a destination on one machine do not hold each other, nor do destinations of which one is a mirror.

use std::path::{Path, PathBuf};

use copal_core::config::Layout;
use copal_core::mirror::{Site, Spot};
use copal_core::survey::Survey;

use super::{Asked, PreflightError};
use crate::edge::frozen::existing;
use crate::edge::remote::Abilities;
use crate::edge::tops::identity;
use crate::edge::walk::{FoundKind, absolute};
use crate::step::deliver::Reached;
use crate::step::mirror::MirrorError;

pub(super) fn check_apart(asked: Asked<'_>, root: &Path) -> Result<(), PreflightError> {
    let origin = asked.source.to_owned();
    let destination = real(root);
    if destination.starts_with(&origin) {
        return Err(PreflightError::DestinationInSource {
            destination,
            origin,
        });
    }
    if origin.starts_with(&destination) {
        return Err(PreflightError::SourceInDestination {
            origin,
            destination,
        });
    }
    // One directory can have two names: what is mounted elsewhere, too.
    let snapshots = destination.join(asked.name);
    if let Some(shown) = shown(asked, &destination).or_else(|| shown(asked, &snapshots)) {
        return Err(PreflightError::DestinationShownInSource { destination, shown });
    }
    let top = identity(&destination).ok();
    let above = |path: &&Path| top.is_some() && identity(path).ok() == top;
    match origin.ancestors().find(above) {
        Some(_) => Err(PreflightError::SourceInDestination {
            origin,
            destination,
        }),
        None => Ok(()),
    }
}

/// The directory of the source, if there is one, that is this one as well, or the one in which this would be
/// made. Where a filter leaves it out, no snapshot would hold it.
fn shown(asked: Asked<'_>, place: &Path) -> Option<PathBuf> {
    let there = identity(existing(place)).ok()?;
    if there == asked.walked.top {
        return Some(asked.source.to_owned());
    }
    let mut kept = asked.walked.kept.iter();
    let same = kept.find(|one| one.kind == FoundKind::Directory && one.version.file() == there)?;
    Some(absolute(asked.source, &same.path))
}

/// Whether destinations that answered would have each other's files, whatever words the owner has for them: an
/// alias, a link, a path that is written otherwise.
pub fn check_one_another(reached: &[Reached], name: &str) -> Result<(), PreflightError> {
    let answers = reached.iter().filter_map(|one| {
        let ready = one.ready.as_ref().ok()?;
        let map = match &one.layout {
            Layout::Snapshots => None,
            Layout::Mirror(mirror) => Some(&mirror.map),
        };
        let spots = &ready.spots[..];
        Some((one, Site { spots, map, name }))
    });
    let sites: Vec<_> = answers.collect();
    for (at, (other, site)) in sites.iter().enumerate() {
        let before = sites[..at].iter();
        let mut clashing = before.filter(|(_, before)| before.clashes_with(site));
        if let Some((one, _)) = clashing.next() {
            let (one, other) = (one.shown.clone(), other.shown.clone());
            return Err(MirrorError::OnePlace { one, other }.into());
        }
    }
    Ok(())
}

/// Where a destination lies: the directories of this machine, what rclone calls it, and on B2, where a bucket
/// has its name in the whole world, whoever asks for it.
pub(super) fn spots(survey: &Survey, abilities: &Abilities) -> Vec<Spot> {
    let (name, root) = &abilities.called;
    let mut spots = vec![Spot::new(name.clone(), root)];
    let roots = abilities.local_roots.iter();
    spots.extend(roots.map(|root| Spot::new("", &real(root).to_string_lossy())));
    let on_b2 = survey.places.iter().filter(|place| place.backend == "b2");
    spots.extend(on_b2.map(|place| {
        let spot = Spot::new("b2:", &place.path);
        if place.exact { spot } else { spot.inexact() }
    }));
    spots
}

/// Resolves links as far as the path exists.
pub(super) fn real(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        // A link to what is not there yet leads there all the same.
        (Err(_), Some(parent), Some(_)) if path.is_symlink() => path
            .read_link()
            .map_or_else(|_| path.to_owned(), |target| real(&parent.join(target))),
        (Err(_), Some(parent), Some(name)) => real(parent).join(name),
        (Err(_), ..) => path.to_owned(),
    }
}
