//! The container in which this process may run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::edge::docker::{Engine, EngineError, Mounted};

/// Length of a container's whole id.
const ID: usize = 64;

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

/// What may be the id of our own container: engines mount a few files of theirs into each, and name
/// its control group after it.
fn own_ids() -> BTreeSet<String> {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    ids_in(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"))
}

fn ids_in(mountinfo: &str, cgroup: &str) -> BTreeSet<String> {
    let roots = mountinfo.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        matches!(point, "/etc/hostname" | "/etc/resolv.conf" | "/etc/hosts").then_some(root)
    });
    let is_id = |word: &&str| word.len() == ID && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    roots
        .chain(cgroup.lines())
        .flat_map(|text| text.split(|letter: char| !letter.is_ascii_alphanumeric()))
        .filter(is_id)
        .map(str::to_owned)
        .collect()
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

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn our_own_container_is_known_by_what_its_engine_mounts_and_by_its_control_group() {
        let own = format!(
            "700 690 8:1 /var/lib/docker/containers/{A}/hostname /etc/hostname rw - ext4 /dev/sda rw\n\
             701 690 0:5 / /proc rw - proc proc rw\n"
        );
        assert_eq!(ids_in(&own, "0::/\n"), BTreeSet::from([A.to_owned()]));
        let cgroup = format!("0::/system.slice/docker-{B}.scope\n");
        assert_eq!(ids_in("", &cgroup), BTreeSet::from([B.to_owned()]));
    }

    #[test]
    fn other_containers_seen_from_the_machine_itself_are_not_ours() {
        let host = format!(
            "90 25 0:40 / /var/lib/docker/containers/{A}/mounts/shm rw - tmpfs shm rw\n\
             91 25 0:41 / /var/lib/docker/overlay2/{B}/merged rw - overlay overlay rw\n"
        );
        assert_eq!(ids_in(&host, "0::/user.slice\n"), BTreeSet::new());
    }

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
