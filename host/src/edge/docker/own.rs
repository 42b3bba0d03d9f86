//! The container that Copal itself runs in, if it does.

use std::collections::BTreeSet;
use std::fs;

/// The files that an engine mounts into every container from a directory of its own.
const MOUNTED: [&str; 3] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/// How long an id is, and the beginning of it that is the name of the container's host.
const ID: [usize; 2] = [64, 12];

/// How ids of this container begin. Empty where this is none.
pub fn own() -> Vec<String> {
    let mut found: Vec<String> = own_ids().into_iter().collect();
    let host = read("/proc/sys/kernel/hostname");
    found.extend(Some(host.trim().to_owned()).filter(|name| is_id(name, ID[1])));
    found
}

/// What may be the whole id of this container: engines mount a few files of theirs into each, and name
/// its control group after it.
pub fn own_ids() -> BTreeSet<String> {
    ids(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Whether a container's id is one that begins so.
pub fn is_own(id: &str, own: &[String]) -> bool {
    own.iter().any(|own| id.starts_with(own.as_str()))
}

/// From what is mounted, such as `12 1 0:5 /docker/containers/ID/hostname /etc/hostname rw …`, and from the
/// control groups, such as `0::/system.slice/docker-ID.scope`.
fn ids(mounts: &str, groups: &str) -> BTreeSet<String> {
    let mounted = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        MOUNTED.contains(&at).then_some(root)
    });
    let words = mounted.chain(groups.lines());
    words
        .flat_map(|text| text.split(|letter: char| !letter.is_ascii_alphanumeric()))
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
            let expected = BTreeSet::from([id.clone()]);
            assert_eq!(ids(&mounts, &groups), expected, "{mounts}{groups}");
        }
        // On the machine itself, where containers' directories are mounted too.
        let machine =
            format!("12 1 0:5 / /var/lib/docker/containers/{id}/mounts/shm rw - tmpfs shm rw");
        assert!(ids(&machine, "0::/user.slice/session-1.scope").is_empty());
    }

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn our_own_container_is_known_by_what_its_engine_mounts_and_by_its_control_group() {
        let own = format!(
            "700 690 8:1 /var/lib/docker/containers/{A}/hostname /etc/hostname rw - ext4 /dev/sda rw\n\
             701 690 0:5 / /proc rw - proc proc rw\n"
        );
        assert_eq!(ids(&own, "0::/\n"), BTreeSet::from([A.to_owned()]));
        let cgroup = format!("0::/system.slice/docker-{B}.scope\n");
        assert_eq!(ids("", &cgroup), BTreeSet::from([B.to_owned()]));
    }

    #[test]
    fn other_containers_seen_from_the_machine_itself_are_not_ours() {
        let host = format!(
            "90 25 0:40 / /var/lib/docker/containers/{A}/mounts/shm rw - tmpfs shm rw\n\
             91 25 0:41 / /var/lib/docker/overlay2/{B}/merged rw - overlay overlay rw\n"
        );
        assert_eq!(ids(&host, "0::/user.slice\n"), BTreeSet::new());
    }
}
