//! What a run will send to a mirror: what it does not have already.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Expected, Forecast, Last, Terms, b2, own_of};
use crate::manifest::Totals;
use crate::mirror::below;
use crate::path::RelPath;
use crate::snapshot::SnapshotId;
use crate::units::ByteCount;

/// What one folder of a mirror will have; the empty one is the destination itself.
#[derive(Debug, Clone, Default)]
pub struct Part<'a> {
    /// The folder, below the destination.
    pub folder: &'a str,
    /// Its files, by their paths below it.
    pub files: Vec<Expected<'a>>,
}

/// All that a mirror will have, and what a run does there besides.
#[derive(Debug, Clone, Default)]
pub struct MirrorShape<'a> {
    /// Its folders.
    pub parts: Vec<Part<'a>>,
    /// The directories and links in them, which the manifest alone has.
    pub others: u64,
    /// Files that are deleted, as far as that is known.
    pub deletions: u64,
    /// Directories above it that are looked at before its first run.
    pub above: u64,
}

/// What of a folder is there already.
pub(super) struct There {
    pub(super) files: u64,
    /// By their paths below it.
    pub(super) paths: Vec<RelPath>,
}

/// Tells what a run that begins on the same day as `today` will come to. What is there already and stays is
/// told as copied.
pub fn mirror_forecast(
    shape: &MirrorShape<'_>,
    last: Option<Last<'_>>,
    terms: &Terms,
    today: SnapshotId,
) -> Forecast {
    let known = Known::of(last);
    let sent: Vec<b2::Sent<'_>> = shape.parts.iter().map(|part| known.sent(part)).collect();
    let of = |kept: bool| {
        let files = sent.iter().flat_map(|it| it.files.iter().zip(&it.kept));
        let files = files.filter(|(_, is_kept)| **is_kept == kept);
        files.fold(Totals::default(), |sum, (file, _)| Totals {
            files: sum.files + 1,
            bytes: sum.bytes + file.size,
        })
    };
    let (uploaded, copied) = (of(false), of(true));
    let there: u64 = sent.iter().map(|it| it.there.files).sum();
    let about = b2::About {
        before: last.map(|last| b2::Before {
            files: there,
            same_day: last.id().is_same_day(today),
        }),
        above: shape.above,
        deletions: shape.deletions,
    };
    let b2 = terms.b2.as_ref();
    Forecast {
        uploaded,
        copied,
        own: own(shape, terms),
        calls: b2.map(|b2| b2.mirror_calls(&sent, about)),
    }
}

/// What the last run left there.
enum Known {
    Nothing,
    /// Each file by its name below the destination, and when the run began.
    Files(HashMap<String, (ByteCount, Timestamp)>, Timestamp),
    /// When that run began alone.
    Since(Timestamp),
}

impl Known {
    fn of(last: Option<Last<'_>>) -> Self {
        match last {
            None => Self::Nothing,
            Some(Last::Record { started, .. }) => Self::Since(started),
            Some(Last::Manifest(manifest)) => {
                let look = |entry: &crate::manifest::Entry, size| (size, entry.attributes.mtime);
                let files = manifest.files();
                let files = files.map(|(name, entry, file)| (name, look(entry, file.size)));
                Self::Files(files.collect(), manifest.run.started)
            }
        }
    }

    fn sent<'p>(&self, part: &'p Part<'p>) -> b2::Sent<'p> {
        let kept = part.files.iter().map(|file| self.keeps(part.folder, file));
        b2::Sent {
            files: &part.files,
            kept: kept.collect(),
            there: self.there(part),
            is_whole: part.folder.is_empty(),
        }
    }

    /// By content nothing is known yet: what is as old as the last run, or looks as it did then, is taken for
    /// the same.
    fn keeps(&self, folder: &str, file: &Expected<'_>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Since(started) => file.changed < *started,
            Self::Files(files, started) => {
                let path = file.path.to_string();
                let name = match folder {
                    "" => path,
                    folder => format!("{folder}/{path}"),
                };
                files.get(&name).is_some_and(|look| {
                    if file.made {
                        file.changed < *started
                    } else {
                        *look == (file.size, file.changed)
                    }
                })
            }
        }
    }

    /// Of a run of which no more is kept than that it was, it is what is expected now.
    fn there(&self, part: &Part<'_>) -> There {
        let paths: Vec<RelPath> = match self {
            Self::Nothing => Vec::new(),
            Self::Since(..) => part.files.iter().map(|file| file.path.clone()).collect(),
            Self::Files(files, _) => {
                let names = files.keys().filter_map(|name| below(name, part.folder));
                names.filter_map(|name| RelPath::new(name).ok()).collect()
            }
        };
        There {
            files: paths.len() as u64,
            paths,
        }
    }
}

/// A file that lies in a folder has its name there in the manifest as well.
fn own(shape: &MirrorShape<'_>, terms: &Terms) -> ByteCount {
    const STORED: u64 = 22;
    let mut own = own_of(
        shape.parts.iter().flat_map(|it| &it.files),
        shape.others,
        terms,
    )
    .0;
    for part in &shape.parts {
        let folder = part.folder.len() as u64;
        for file in &part.files {
            let path = file.path.as_bytes().len() as u64;
            if folder > 0 {
                own += STORED + 2 * folder + path;
            }
        }
    }
    ByteCount(own)
}
