//! How a run stages: which of the ways of keeping files as they were while services were held serves
//! here, and why. What the file systems can do arrives as [`Circumstances`].

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::StagingMode;
use crate::units::ByteCount;

/// What a run does with the files of the source while services are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Each is cloned: the clone shares its blocks until one of the two is written to.
    Reflink,
    /// Each gets a second name; what may be written to in place is copied.
    Link,
    /// Each is copied.
    Copy,
    /// Nothing: they are read from the live tree, after the release.
    Direct,
    /// Nothing: services stay held until all has been transferred.
    Hold,
}

impl Way {
    /// Its word in the configuration and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reflink => "reflink",
            Self::Link => "link",
            Self::Copy => "copy",
            Self::Direct => "direct",
            Self::Hold => "hold",
        }
    }

    /// Whether files are frozen: kept as they are now, whatever the app does later.
    pub const fn freezes(self) -> bool {
        match self {
            Self::Reflink | Self::Link | Self::Copy => true,
            Self::Direct | Self::Hold => false,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Files whose content is copied while services are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copies {
    /// How many.
    pub files: u64,
    /// What they hold.
    pub bytes: ByteCount,
}

impl Copies {
    /// One more.
    pub fn add(&mut self, bytes: ByteCount) {
        self.files += 1;
        self.bytes += bytes;
    }

    /// How long they take on a slow disk: 50 MiB/s, and a millisecond a file.
    pub fn at_worst(self) -> Duration {
        const BYTES_PER_MILLISECOND: u64 = 50 * 1024 * 1024 / 1000;
        Duration::from_millis(self.files + self.bytes.0 / BYTES_PER_MILLISECOND)
    }
}

/// What is known before anything is paused.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Whether a hook may hold a service.
    pub may_hold: bool,
    /// What has to be copied where the rest is cloned; or why nothing can be.
    pub reflink: Result<Copies, String>,
    /// What has to be copied where the rest is linked; or why nothing can be.
    pub link: Result<Copies, String>,
    /// What has to be copied where all is.
    pub copy: Copies,
    /// The longest time for which services may be held.
    pub max_pause: Duration,
}

/// The way that a run takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Which.
    pub way: Way,
    /// Why this one: a clause for people.
    pub why: String,
    /// What is copied while services are held.
    pub copies: Copies,
    /// Whether the owner asked for this one.
    pub asked_for: bool,
}

/// Why the way that the owner asked for can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The file system, or where the staging directory lies, does not allow it.
    #[error("the source can't be staged with `mode = \"{way}\"`: {why}")]
    Impossible {
        /// Which.
        way: Way,
        /// Why.
        why: String,
    },
    /// It would keep services held for longer than they may be.
    #[error(
        "with `mode = \"{way}\"`, {} files ({}) would be copied while services are held, which may take {}, and `max_pause` is {}",
        .copies.files, .copies.bytes, seconds(.copies.at_worst()), seconds(*.max_pause)
    )]
    TooLong {
        /// Which.
        way: Way,
        /// What would be copied.
        copies: Copies,
        /// The longest time for which services may be held.
        max_pause: Duration,
    },
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_millis().div_ceil(1000))
}

/// Chooses: what the owner asked for, or with `auto` the first that serves.
///
/// Nothing is frozen where no service is held: then there is no one moment to keep.
pub fn choose(mode: StagingMode, here: &Circumstances) -> Result<Choice, Unfit> {
    let way = match mode {
        StagingMode::Auto => return Ok(automatic(here)),
        StagingMode::Reflink => Way::Reflink,
        StagingMode::Link => Way::Link,
        StagingMode::Copy => Way::Copy,
        StagingMode::Direct => Way::Direct,
        StagingMode::Hold => Way::Hold,
    };
    let copies = match way {
        Way::Reflink => here.reflink.clone(),
        Way::Link => here.link.clone(),
        Way::Copy => Ok(here.copy),
        Way::Direct | Way::Hold => Ok(Copies::default()),
    };
    let copies = copies.map_err(|why| Unfit::Impossible { way, why })?;
    let max_pause = here.max_pause;
    if here.may_hold && copies.at_worst() > max_pause {
        return Err(Unfit::TooLong {
            way,
            copies,
            max_pause,
        });
    }
    Ok(Choice {
        way,
        why: "as configured".to_owned(),
        copies,
        asked_for: true,
    })
}

fn automatic(here: &Circumstances) -> Choice {
    let chosen = |way, why: String, copies| Choice {
        way,
        why,
        copies,
        asked_for: false,
    };
    if !here.may_hold {
        let why = "no hook may hold a service";
        return chosen(Way::Direct, why.to_owned(), Copies::default());
    }
    let mut not = Vec::new();
    let ways = [
        (Way::Reflink, here.reflink.clone()),
        (Way::Link, here.link.clone()),
        (Way::Copy, Ok(here.copy)),
    ];
    for (way, serves) in ways {
        match serves {
            Ok(copies) if copies.at_worst() <= here.max_pause => {
                let why = if not.is_empty() {
                    "the file system clones files".to_owned()
                } else {
                    format!("not {}", not.join("; not "))
                };
                return chosen(way, why, copies);
            }
            Ok(copies) => not.push(format!(
                "{way}: copying {} would not fit into max_pause",
                copies.bytes
            )),
            Err(why) => not.push(format!("{way}: {why}")),
        }
    }
    let why = format!("not {}", not.join("; not "));
    chosen(Way::Direct, why, Copies::default())
}

#[cfg(test)]
#[path = "staging_tests.rs"]
mod tests;
