//! The container that Copal itself runs in, if it does.

use std::fs;

use super::Container;

/// The files that an engine mounts into every container from a directory of its own.
const MOUNTED: [&str; 3] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/// How long an id is, and the beginning of it that is the name of the container's host.
const ID: [usize; 2] = [64, 12];

/// How ids of this container begin. Empty where this is none.
pub fn own() -> Vec<String> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let mut found = ids(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
    let host = read("/proc/sys/kernel/hostname");
    found.extend(Some(host.trim().to_owned()).filter(|name| is_id(name, ID[1])));
    found
}

/// Whether a container is one whose id begins so.
pub fn is_own(container: &Container, own: &[String]) -> bool {
    own.iter().any(|id| container.id.starts_with(id.as_str()))
}

/// From what is mounted, such as `12 1 0:5 /docker/containers/ID/hostname /etc/hostname rw …`, and from the
/// control groups, such as `0::/system.slice/docker-ID.scope`.
fn ids(mounts: &str, groups: &str) -> Vec<String> {
    let mounted = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        MOUNTED.contains(&at).then_some(root)
    });
    let words = mounted.chain(groups.lines());
    words
        .flat_map(|text| text.split(['/', '-', '.']))
        .filter(|word| is_id(word, ID[0]))
        .map(str::to_owned)
        .collect()
}

fn is_id(word: &str, length: usize) -> bool {
    word.len() == length && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_known_by_its_mounts_or_its_control_group() {
        let id = "5f".repeat(32);
        for (mounts, groups) in [
            (
                format!(
                    "12 1 0:5 /var/lib/docker/containers/{id}/hosts /etc/hosts rw - ext4 /dev/a rw"
                ),
                String::new(),
            ),
            (
                format!(
                    "12 1 0:5 /containers/overlay-containers/{id}/userdata/hostname /etc/hostname rw - tmpfs a rw"
                ),
                String::new(),
            ),
            (String::new(), format!("0::/system.slice/docker-{id}.scope")),
            (String::new(), format!("4:cpu:/docker/{id}")),
        ] {
            assert_eq!(ids(&mounts, &groups), [id.as_str()], "{mounts}{groups}");
        }
        // On the machine itself, where containers' directories are mounted too.
        let machine =
            format!("12 1 0:5 / /var/lib/docker/containers/{id}/mounts/shm rw - tmpfs shm rw");
        assert!(ids(&machine, "0::/user.slice/session-1.scope").is_empty());
    }
}
