//! Whether a process that this one starts can outlive it.
//!
//! When the first process of a container ends, all its processes are killed. A guard in such a
//! container is none for a run that is that process, or that it waits for alone.

use std::fs;

/// What does nothing but start one program, wait for it and end with it, as the first process of a
/// container: `docker run --init` among them.
const WAITING: [&str; 12] = [
    "tini",
    "docker-init",
    "catatonit",
    "dumb-init",
    "sh",
    "bash",
    "dash",
    "ash",
    "busybox",
    "timeout",
    "env",
    "su-exec",
];

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    name: String,
}

/// Why no process outlives this one. None where one does.
pub fn shared() -> Option<String> {
    let mut line = Vec::new();
    let mut next = std::process::id();
    // Without a look at all of them nothing is said.
    while next > 0 {
        let process = Process::read(next)?;
        next = process.parent;
        line.push(process);
    }
    judge(&line)
}

/// `line` is this process, its parent, and so on.
fn judge(line: &[Process]) -> Option<String> {
    let (own, first) = (line.first()?, line.last()?);
    if own.id == 1 {
        return Some("Copal is the first process of its container".to_owned());
    }
    let ends = first.id == 1 && WAITING.contains(&first.name.as_str());
    ends.then(|| {
        let Process { name, .. } = first;
        format!("the first process of its container, `{name}`, ends with Copal")
    })
}

impl Process {
    fn read(id: u32) -> Option<Self> {
        let line = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // Such as `12 (a name) S 1 …`.
        let (name, after) = (line.split_once('(')?.1).rsplit_once(") ")?;
        let parent = after.split(' ').nth(1)?.parse().ok()?;
        let name = name.to_owned();
        Some(Self { id, parent, name })
    }
}

/// What that means for what is held, and what helps.
pub fn told(why: &str) -> String {
    format!(
        "if this run is killed its guard is killed with it ({why}): keep Copal's state directory on a volume, and have `copal recover` run whenever the container or the machine starts"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(processes: &[(u32, u32, &str)]) -> Vec<Process> {
        let process = |&(id, parent, name): &(u32, u32, &str)| Process {
            id,
            parent,
            name: name.to_owned(),
        };
        processes.iter().map(process).collect()
    }

    #[test]
    fn a_guard_outlives_a_run_but_where_that_is_all_there_is_in_a_container() {
        for shared in [
            &[(1, 0, "copal")][..],
            &[(7, 1, "copal"), (1, 0, "tini")],
            &[(9, 7, "copal"), (7, 1, "sh"), (1, 0, "docker-init")],
            &[(7, 1, "copal"), (1, 0, "sh")],
        ] {
            assert!(judge(&line(shared)).is_some(), "{shared:?}");
        }
        for outlived in [
            &[(700, 1, "copal"), (1, 0, "systemd")][..],
            &[(9, 7, "copal"), (7, 1, "crond"), (1, 0, "crond")],
            // A process that was entered from outside has no parent here.
            &[(9, 0, "copal")],
        ] {
            assert_eq!(judge(&line(outlived)), None, "{outlived:?}");
        }
    }

    #[test]
    fn a_process_is_known_by_its_line() {
        let own = Process::read(std::process::id()).unwrap();
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert!(!own.name.is_empty() && !own.name.contains(['(', ')']));
    }
}
