//! What stands in the way of the files that are to be sent, where the remote has real directories: it goes
//! before they are sent, and only if all may go that the source does not have.

use std::collections::HashSet;

use copal_core::mirror::{Clash, Deletions, InTheWay, Refused, in_the_way};

use super::MirrorError;
use super::decide::Deleting;
use crate::edge::remote::{Remote, RemoteError};
use crate::step::stage::StageError;
use crate::step::transfer::{TransferError, Transferred};

/// Why something stays that is in the way.
#[derive(Debug, thiserror::Error)]
pub enum Stays {
    /// More would go than may.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is not the mirror's to delete.
    #[error("`{0}` is there, which filters leave out, or which is none of the mirror's files")]
    Spared(String),
    /// It can't be told what the mirror was at its last run.
    #[error("the mirror's manifest is damaged, and a run that finds it so deletes nothing")]
    Unlisted,
    /// It has something in it that no listing shows.
    #[error("the directory `{0}` can't be removed")]
    Directory(String, #[source] Box<RemoteError>),
}

impl Transferred<'_> {
    /// Deletes what stands in the way of a file, if all may go that the source does not have. Never a directory
    /// that has anything in it.
    pub(super) fn clear_the_way(
        &mut self,
        directories: &[String],
        by: &Deleting<'_>,
    ) -> Result<(), TransferError> {
        let mut way = Vec::new();
        for one in in_the_way(&self.wanted(), &self.names_before(), directories) {
            if is_in_the_way(&one, by.remote)? {
                way.push(one);
            }
        }
        if way.iter().any(|it| !it.files.is_empty()) {
            self.delete_files(&way, by)?;
        }
        for one in &way {
            for directory in &one.directories {
                by.interrupt.check()?;
                match by.remote.remove_empty(directory) {
                    Ok(()) => {}
                    Err(RemoteError::Interrupted(interrupted)) => return Err(interrupted.into()),
                    // It may be in no way at all, and the proof tells.
                    Err(error) if !is_certain(one) => {
                        tracing::warn!("an empty directory is still there: {error}");
                    }
                    Err(error) => {
                        let stays = Stays::Directory(directory.clone(), Box::new(error));
                        return Err(blocked(one, by, stays));
                    }
                }
            }
        }
        Ok(())
    }

    /// All of them, or none.
    fn delete_files(&mut self, way: &[InTheWay], by: &Deleting<'_>) -> Result<(), TransferError> {
        let deletions = match self.may_go(by)? {
            Ok(deletions) => deletions,
            Err(stays) => {
                let first = way.iter().find(|it| !it.files.is_empty());
                return Err(blocked(first.unwrap_or(&way[0]), by, stays));
            }
        };
        let stays = |name: &&String| deletions.names().binary_search(name).is_err();
        for one in way {
            if let Some(name) = one.files.iter().find(stays) {
                return Err(blocked(one, by, Stays::Spared(name.clone())));
            }
        }
        let goes: HashSet<&String> = way.iter().flat_map(|it| &it.files).collect();
        for name in &goes {
            by.interrupt.check()?;
            by.remote.delete(name)?;
        }
        self.before.retain(|file| !goes.contains(&file.path));
        self.cleared = goes.len() as u64;
        Ok(())
    }

    /// All that the source does not have, if it may go.
    fn may_go(&self, by: &Deleting<'_>) -> Result<Result<Deletions, Stays>, TransferError> {
        if by.is_unlisted {
            return Ok(Err(Stays::Unlisted));
        }
        let Some(left) = self.left(by, |_| true) else {
            return Ok(Ok(Deletions::default()));
        };
        let surplus = left.without_filtered(by).map_err(StageError::from)?;
        Ok(surplus.bounded(by.bound()).map_err(Stays::from))
    }
}

fn blocked(one: &InTheWay, by: &Deleting<'_>, source: Stays) -> TransferError {
    let error = MirrorError::InTheWay {
        place: by.remote.shown(),
        there: one.there.clone(),
        wanted: one.wanted.clone(),
        source,
    };
    error.into()
}

/// Two names that differ by case are one to a remote that finds a file by the other. An empty directory is
/// worth no question, as nothing is lost with it.
fn is_in_the_way(one: &InTheWay, remote: &dyn Remote) -> Result<bool, RemoteError> {
    match (one.clash, one.files.first()) {
        (Clash::Case, Some(file)) => {
            remote.has_file(&format!("{}{}", one.instead, &file[one.there.len()..]))
        }
        (Clash::Kind, _) | (Clash::Case, None) => Ok(true),
    }
}

/// Not of an empty directory whose name differs by case, which nobody was asked about.
fn is_certain(one: &InTheWay) -> bool {
    one.clash == Clash::Kind || !one.files.is_empty()
}
