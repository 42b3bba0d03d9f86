//! The container in which this process may run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::edge::docker::{Engine, EngineError, Mounted, own_ids};

/// Where this process's own container, if it is one of this engine's, shows a directory of the
/// engine's machine, and the mount that does.
pub(super) async fn within_own_container(
    engine: &Engine<'_>,
    path: &Path,
) -> Result<Option<(PathBuf, PathBuf)>, EngineError> {
    for id in own_ids() {
        if let Some(own) = engine.container(&id).await? {
            return Ok(shown(&own.mounts, path));
        }
    }
    Ok(None)
}

/// The mount that shows `path`, the deepest of several.
fn shown(mounts: &[Mounted], path: &Path) -> Option<(PathBuf, PathBuf)> {
    let candidates = mounts.iter().filter_map(|mount| {
        let below = path.strip_prefix(&mount.source).ok()?;
        let destination = Path::new(&mount.destination);
        let seen = if below.as_os_str().is_empty() {
            destination.to_owned()
        } else {
            destination.join(below)
        };
        Some((mount.source.len(), seen, destination.to_owned()))
    });
    let (_, seen, destination) = candidates.max_by_key(|(depth, ..)| *depth)?;
    Some((seen, destination))
}

/// Whether something is mounted right there, as this process sees it.
pub(super) fn is_mount_point(path: &Path) -> bool {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4));
    points.any(|point| Path::new(&unescaped(point)) == path)
}

/// The kernel writes a few characters as `\` and three octal digits.
fn unescaped(text: &str) -> String {
    let escapes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    let mut text = text.to_owned();
    for (escape, letter) in escapes {
        text = text.replace(escape, letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_seen_through_the_deepest_mount_that_has_it() {
        let mounted = |source: &str, destination: &str| Mounted {
            volume: None,
            source: source.to_owned(),
            destination: destination.to_owned(),
        };
        let mounts = [mounted("/vol", "/all"), mounted("/vol/app/_data", "/data")];
        let seen = |path: &str| shown(&mounts, Path::new(path)).map(|(seen, _)| seen);
        assert_eq!(seen("/vol/app/_data"), Some("/data".into()));
        assert_eq!(seen("/vol/other/_data"), Some("/all/other/_data".into()));
        assert_eq!(seen("/volume"), None);
    }
}
