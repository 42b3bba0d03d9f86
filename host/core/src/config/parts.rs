//! The parts of a configuration: where from, where to, and how.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Name, RemoteSpec, redact};
use crate::diagnostic::{MASK, Place};
use crate::mirror::Mirror;
use crate::retention::Policy;
use crate::units::ByteCount;

/// A path as its owner wrote it: relative to the directory of the configuration file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigPath(PathBuf);

impl ConfigPath {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The path as written.
    pub fn as_written(&self) -> &Path {
        &self.0
    }

    /// The path seen from where `base` (the configuration file's directory) is seen from.
    pub fn resolve(&self, base: &Path) -> PathBuf {
        base.join(&self.0)
    }
}

/// `[source]`: the directory that is backed up, or what knows where it lies.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// The directory itself.
    Path {
        /// The directory.
        path: ConfigPath,
        /// Where the configuration says so.
        place: Option<Place>,
    },
    /// A volume of Docker's.
    Volume {
        /// Its name.
        volume: Name,
        /// Where the configuration says so.
        place: Option<Place>,
    },
    /// What a container has mounted.
    Container {
        /// Its name or id.
        container: Name,
        /// Where it is mounted, as the container sees it: an absolute path. `None` where it has one
        /// mount only.
        mount: Option<PathBuf>,
        /// Where the configuration says so.
        place: Option<Place>,
    },
}

impl Source {
    /// Where the configuration says so.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Path { place, .. }
            | Self::Volume { place, .. }
            | Self::Container { place, .. } => place.as_ref(),
        }
    }
}

/// `[docker]`: how Docker is reached.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Docker {
    /// The socket of its engine, as `unix:///var/run/docker.sock` says it: an absolute path. `None`
    /// leaves it to `DOCKER_HOST` and Docker's own default.
    pub socket: Option<PathBuf>,
    /// Where the configuration says so.
    pub place: Option<Place>,
}

/// One `[[destination]]`.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Destination {
    /// Where it is. For snapshots the run adds the job's name.
    pub remote: RemoteSpec,
    /// How they lie there.
    pub layout: Layout,
    /// How it is proven that they arrived.
    pub proof: Proof,
    /// Where the configuration says so.
    pub place: Option<Place>,
}

/// How a destination is laid out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Layout {
    /// One directory of plain files for each snapshot.
    #[default]
    Snapshots,
    /// The source as it is now, or parts of it, and nothing of what it was.
    Mirror(Mirror),
}

/// How it is proven, before the seal, that a destination has what was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Proof {
    /// By the sizes and hashes that the remote tells; for one that encrypts, by those of the remote below
    /// it. A remote that tells no hash proves sizes.
    #[default]
    Hash,
    /// By reading everything back.
    Read,
}

/// How the files of the source are kept as they were at the moment of the snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StagingMode {
    /// The first of reflink, link, copy and direct that serves; without a hold, direct.
    #[default]
    Auto,
    /// Reflinks, made while services are held.
    Reflink,
    /// Hard links, made while services are held; what is written in place is copied.
    Link,
    /// Copies, made while services are held.
    Copy,
    /// No copies: files are read from the live source after the release.
    Direct,
    /// No copies: services are held until everything is uploaded.
    Hold,
}

impl StagingMode {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 6] = [
        Self::Auto,
        Self::Reflink,
        Self::Link,
        Self::Copy,
        Self::Direct,
        Self::Hold,
    ];

    /// Its name in copal.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Reflink => "reflink",
            Self::Link => "link",
            Self::Copy => "copy",
            Self::Direct => "direct",
            Self::Hold => "hold",
        }
    }
}

impl fmt::Display for StagingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `[staging]`: where artifacts are made, and for how long services may be held.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Staging {
    /// The staging directory; `None` leaves the choice to the run.
    pub dir: Option<ConfigPath>,
    /// How files are kept as they were.
    pub mode: StagingMode,
    /// The longest time between the first hold and the release of the last.
    pub max_pause: Duration,
    /// Where the configuration speaks of the directory.
    pub place: Option<Place>,
}

impl Default for Staging {
    /// No directory chosen, the mode that serves, and a pause of at most 30 seconds.
    fn default() -> Self {
        Self {
            dir: None,
            mode: StagingMode::default(),
            max_pause: Duration::from_secs(30),
            place: None,
        }
    }
}

/// `[limits]`: what a run may use up.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RunLimits {
    /// The memory that rclone may fill with what it sends.
    pub memory: ByteCount,
    /// The most that may be uploaded to a destination. `None` for as much as there is.
    pub max_transfer: Option<ByteCount>,
}

impl Default for RunLimits {
    /// 256 MiB of memory, and any number of bytes to upload.
    fn default() -> Self {
        Self {
            memory: ByteCount::mebibytes(256),
            max_transfer: None,
        }
    }
}

/// `[retention]`: which snapshots are kept.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Retention {
    /// How many of which.
    pub policy: Policy,
    /// The time zone in which hours and days begin; `None` for this machine's. Not known to exist.
    pub timezone: Option<String>,
    /// Where the configuration names it.
    pub timezone_place: Option<Place>,
}

/// One line of `[rclone]`: an option of rclone's, by its own name.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct RcloneOption {
    /// The name as written; rclone takes `-` and `_` for the same.
    pub name: String,
    /// The value, not yet checked against the option's type.
    pub value: OptionValue,
    /// Where the configuration sets it.
    pub place: Option<Place>,
}

/// The value of an rclone option, by the types that TOML and rclone share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OptionValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Text, which may stand for one of rclone's own types (`"16Mi"`, `"1h"`).
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

/// Texts that could be credentials (`header`, `password_command`, …) are not shown.
impl fmt::Debug for RcloneOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_harmless = |text: &String| redact::is_harmless_option(text);
        let is_shown = !redact::names_a_secret(&self.name)
            && match &self.value {
                OptionValue::Bool(_) | OptionValue::Integer(_) => true,
                OptionValue::Text(text) => is_harmless(text),
                OptionValue::List(texts) => texts.iter().all(is_harmless),
            };
        let mut shown = f.debug_struct("RcloneOption");
        shown.field("name", &self.name);
        if is_shown {
            shown.field("value", &self.value);
        } else {
            shown.field("value", &format_args!("{MASK}"));
        }
        shown.finish_non_exhaustive()
    }
}
