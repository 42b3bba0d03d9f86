//! Directories that are moved while files below them are read by their paths, by somebody who follows
//! links: in a directory's place there may be a link to elsewhere for a while, and afterwards all is as it
//! was.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use copal_core::path::RelPath;
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;

use super::beneath::Beneath;

/// Watches the ways to files, from the top of their source on.
#[derive(Debug)]
pub struct Moves {
    events: Option<OwnedFd>,
    /// Which directory of the source each watch is of. None is the top.
    watched: HashMap<i32, Option<RelPath>>,
    /// What has moved so far.
    seen: Moved,
}

/// What has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Moved {
    /// These directories, if any.
    These(HashSet<RelPath>),
    /// Any may have.
    All,
}

impl Moves {
    /// Begins to watch, as far as that can be done: where it can't, all is taken to move.
    pub fn on_the_way<'a>(source: &Path, files: impl Iterator<Item = &'a RelPath>) -> Self {
        let parents: HashSet<RelPath> = files.flat_map(RelPath::ancestors).collect();
        let mut moves = Self {
            events: None,
            watched: HashMap::new(),
            seen: Moved::These(HashSet::new()),
        };
        if let Err(error) = moves.begin(source, &parents) {
            tracing::debug!(%error, "can't watch the directories of the source");
            moves.seen = Moved::All;
        }
        moves
    }

    fn begin(&mut self, source: &Path, ways: &HashSet<RelPath>) -> io::Result<()> {
        let events = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // What is moved is an entry of the directory above it.
        let above: HashSet<Option<RelPath>> = ways.iter().map(RelPath::parent).collect();
        for directory in above.into_iter().chain([None]) {
            self.watch(&events, source, directory)?;
        }
        self.events = Some(events);
        Ok(())
    }

    fn watch(&mut self, events: &OwnedFd, source: &Path, which: Option<RelPath>) -> io::Result<()> {
        let mut wanted = WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        let opened = if let Some(path) = &which {
            Beneath::of(source, path).open_directory()
        } else {
            wanted |= WatchFlags::MOVE_SELF;
            File::open(source)
        };
        let opened = match (opened, &which, &mut self.seen) {
            (Ok(opened), ..) => opened,
            // It is away just now.
            (Err(error), Some(path), Moved::These(moved))
                if error.kind() == io::ErrorKind::NotFound =>
            {
                moved.insert(path.clone());
                return Ok(());
            }
            (Err(error), ..) => return Err(error),
        };
        let place = format!("/proc/self/fd/{}", opened.as_raw_fd());
        let watch = add_watch(events, place.as_str(), wanted)?;
        self.watched.insert(watch, which);
        Ok(())
    }

    /// Whether one of the directories above this file may have been away since the beginning.
    pub fn concern(&mut self, file: &RelPath) -> bool {
        self.look();
        match &self.seen {
            Moved::All => true,
            Moved::These(moved) => file.ancestors().any(|above| moved.contains(&above)),
        }
    }

    fn look(&mut self) {
        let lost = ReadFlags::QUEUE_OVERFLOW | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT;
        let Some(events) = &self.events else { return };
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut reader = Reader::new(events, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) if !event.events().intersects(lost) => event,
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => continue,
                lost => {
                    tracing::debug!(?lost, "can't hear of each directory that is moved");
                    self.seen = Moved::All;
                    return;
                }
            };
            let Moved::These(moved) = &mut self.seen else {
                return;
            };
            let directory = self.watched.get(&event.wd());
            // One without a name says that a watch has ended.
            let (Some(directory), Some(name)) = (directory, event.file_name()) else {
                continue;
            };
            let path = match directory {
                Some(directory) => directory.child(name.to_bytes()),
                None => RelPath::new(name.to_bytes()),
            };
            moved.extend(path.ok());
        }
    }
}

#[cfg(test)]
#[path = "moves_tests.rs"]
mod tests;
