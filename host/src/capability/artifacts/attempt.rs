//! What one hook has made, as a whole: all of it counts, or what may be half of something does not.

use copal_core::manifest::Taken;

use super::{Artifact, Artifacts, Made};

/// What there was before a hook was called.
#[derive(Debug)]
pub struct Before(Made);

impl Artifacts {
    /// What there is so far.
    pub fn so_far(&self) -> Before {
        Before(self.made().clone())
    }

    /// Takes back what was made since: the hook failed, and its archives and files may be half of
    /// what it meant. Copies of databases stay, with the directories of the same moment: each is whole.
    pub fn take_back(&self, before: Before) {
        let Before(before) = before;
        let mut made = self.made();
        made.added = before.added;
        made.stand_ins.retain(is_whole);
        let others = before.stand_ins.into_iter();
        made.stand_ins.extend(others.filter(|one| !is_whole(one)));
    }
}

fn is_whole(artifact: &Artifact) -> bool {
    matches!(artifact.taken, Taken::SqliteBackup | Taken::Direct)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::artifacts::Added;
    use copal_core::manifest::Attributes;

    fn stand_in(path: &str, taken: Taken, file: &str) -> Artifact {
        Artifact {
            stands_in_for: path.parse().unwrap(),
            file: file.into(),
            taken,
            database: None,
        }
    }

    fn new(path: &str) -> Added {
        Added {
            path: path.parse().unwrap(),
            attributes: Attributes {
                mode: copal_core::manifest::Mode::from_st_mode(0o644),
                uid: 0,
                gid: 0,
                mtime: jiff::Timestamp::UNIX_EPOCH,
            },
            file: Some("made".into()),
        }
    }

    #[test]
    fn of_what_is_taken_back_copies_of_databases_stay_and_replaced_archives_are_back() {
        let artifacts = Artifacts::in_dir("made".into());
        artifacts.add(stand_in("vectors", Taken::Tar, "first"));
        artifacts.add_new(new("dump.sql")).unwrap();
        let before = artifacts.so_far();
        artifacts.add(stand_in("vectors", Taken::Tar, "second"));
        artifacts.add(stand_in("app.db", Taken::SqliteBackup, "copy"));
        artifacts.add(stand_in("cache", Taken::Tar, "third"));
        artifacts.add_new(new("half.sql")).unwrap();
        artifacts.take_back(before);

        let mut left: Vec<_> = artifacts.all();
        left.sort_by_key(|one| one.stands_in_for.clone());
        let copy = stand_in("app.db", Taken::SqliteBackup, "copy");
        assert_eq!(left, [copy, stand_in("vectors", Taken::Tar, "first")]);
        assert_eq!(artifacts.added(), [new("dump.sql")]);
    }
}
