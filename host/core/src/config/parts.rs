//! The parts of a configuration: where from, where to, and how.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{RemoteSpec, redact};
use crate::diagnostic::{MASK, Place};

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

/// `[source]`: the directory that is backed up.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Source {
    /// The directory.
    pub path: ConfigPath,
    /// Where the configuration says so.
    pub place: Option<Place>,
}

/// One `[[destination]]`.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Destination {
    /// Where snapshots go; the job's name is added by the run.
    pub remote: RemoteSpec,
    /// How they lie there.
    pub layout: Layout,
    /// Where the configuration says so.
    pub place: Option<Place>,
}

/// How a destination is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Layout {
    /// One directory of plain files for each snapshot.
    #[default]
    Snapshots,
}

/// `[staging]`: where artifacts are made, and for how long services may be held.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Staging {
    /// The staging directory; `None` leaves the choice to the run.
    pub dir: Option<ConfigPath>,
    /// The longest time between the first hold and the release of the last.
    pub max_pause: Duration,
    /// Where the configuration speaks of the directory.
    pub place: Option<Place>,
}

impl Default for Staging {
    /// No directory chosen, and a pause of at most 30 seconds.
    fn default() -> Self {
        Self {
            dir: None,
            max_pause: Duration::from_secs(30),
            place: None,
        }
    }
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
