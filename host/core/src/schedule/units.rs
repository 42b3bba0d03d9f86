//! What systemd is told of one job: a service, its timer, and a service that recovers after a start.

use std::path::Path;

use super::entry::{Unwritable, line};
use super::{Entry, When};
use crate::name::Name;

/// Whose manager runs a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The machine's, as root.
    System,
    /// A user's own.
    User,
}

/// The unit files of one job, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    /// The run.
    pub service: Unit,
    /// When it starts.
    pub timer: Unit,
    /// The release of what a run held when the machine went down.
    pub recover: Unit,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// By this a file is known as Copal's own: no other is written over or removed.
pub const MARK: &str = "# by `copal schedule`, which also removes it";

/// What a run is kept from, none of which it needs. A home and the system stay open to it: the source, the
/// staging directory beside it and what a hook was granted may lie anywhere. So do namespaces, control groups
/// and the bits of setuid, for granted commands such as Podman's and for copies of files as they are; and
/// memory that is written and run, which is what WebAssembly is compiled into.
const HARDENING: &str = "\
NoNewPrivileges=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
";

impl Units {
    /// Those of a job. The zone is one that systemd knows, and the machine's own where none is said.
    pub fn of(
        job: &Name,
        entry: &Entry,
        zone: Option<&str>,
        on_failure: Option<&str>,
        scope: Scope,
    ) -> Result<Self, Unwritable> {
        let program = program(&entry.program)?;
        let config = config(&entry.config)?;
        let command = |arguments: &str| format!("{program} --config {config} {arguments}");
        let mut environment = String::new();
        for (name, value) in &entry.environment {
            let value = word(&format!("{name}={}", line(Path::new(value))?));
            environment += "Environment=";
            environment += &value;
            environment.push('\n');
        }
        // systemd leaves what begins like this to others.
        let when = &entry.when;
        let of_zone = zone.map_or_else(String::new, |zone| format!("X-CopalZone={zone}\n"));
        let names = Self::names(job);
        let words = Words {
            head: MARK,
            job: job.as_str(),
            held_of: job.as_str(),
            starts: &names[0],
            backup: command("backup --unattended"),
            release: command("recover --quiet"),
            environment: &environment,
            on_failure: on_failure.map_or_else(String::new, |unit| format!("OnFailure={unit}\n")),
            times: format!("X-CopalWhen={when}\n{of_zone}{}", calendar(when, zone)),
            jitter: entry.jitter.as_deref().unwrap_or("0"),
            scope,
        };
        Ok(words.units(names.clone()))
    }

    /// Those that a package brings (`packaging/systemd/`): of each job that has its configuration in
    /// `/etc/copal`, each night at three, and one that recovers for all of them.
    pub fn shipped() -> Self {
        let words = Words {
            head: "# From Copal's package: `systemctl edit` changes it, and install.md of the documents tells how it is used",
            job: "%i",
            held_of: "any job",
            starts: "copal@%i.service",
            backup: "/usr/bin/copal --config /etc/copal/%i.toml backup --unattended".to_owned(),
            release: "/usr/bin/copal recover --quiet".to_owned(),
            // systemd gives a service of the machine no home, in which rclone's configuration is.
            environment: "Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
                          Environment=HOME=/root\n",
            on_failure: String::new(),
            times: calendar(&night(), None),
            jitter: "10m",
            scope: Scope::System,
        };
        words.units(["copal@.service", "copal@.timer", "copal-recover.service"].map(str::to_owned))
    }

    /// The names of a job's: service, timer, and the service that recovers.
    pub fn names(job: &Name) -> [String; 3] {
        // No job's name has a colon, so that these are no other's.
        [".service", ".timer", ":recover.service"].map(|suffix| format!("copal-{job}{suffix}"))
    }

    /// All of them.
    pub fn all(&self) -> [&Unit; 3] {
        [&self.service, &self.timer, &self.recover]
    }
}

/// What the units of one job and of another differ in, as systemd is told it.
struct Words<'a> {
    /// The first line.
    head: &'a str,
    job: &'a str,
    /// Whose holds are released after a start.
    held_of: &'a str,
    /// The unit that the timer starts.
    starts: &'a str,
    backup: String,
    release: String,
    /// Lines, as are those of `on_failure` and `times`.
    environment: &'a str,
    on_failure: String,
    times: String,
    jitter: &'a str,
    scope: Scope,
}

impl Words<'_> {
    fn units(&self, names: [String; 3]) -> Units {
        let [service, timer, recover] = names;
        Units {
            service: Unit {
                name: service,
                text: self.service(),
            },
            timer: Unit {
                name: timer,
                text: self.timer(),
            },
            recover: Unit {
                name: recover,
                text: self.recover(),
            },
        }
    }

    fn service(&self) -> String {
        let Self {
            head,
            job,
            environment,
            on_failure,
            backup,
            release,
            scope,
            ..
        } = self;
        let (after, hardening) = (scope.after(), scope.hardening());
        format!(
            "{head}\n[Unit]\nDescription=Copal backup of {job}\n{after}{on_failure}\n\
             [Service]\nType=oneshot\n{environment}ExecStart={backup}\n\
             # Whatever ended the run, its guard included, leaves no app held.\n\
             ExecStopPost={release}\n\
             # SIGTERM goes to the run alone, which releases what it holds.\n\
             KillMode=mixed\nTimeoutStopSec=120\n{hardening}"
        )
    }

    fn timer(&self) -> String {
        let Self {
            head,
            job,
            starts,
            times,
            jitter,
            ..
        } = self;
        format!(
            "{head}\n[Unit]\nDescription=When Copal backs up {job}\n\n\
             [Timer]\n{times}Persistent=yes\nRandomizedDelaySec={jitter}\nUnit={starts}\n\n\
             [Install]\nWantedBy=timers.target\n"
        )
    }

    fn recover(&self) -> String {
        let Self {
            head,
            held_of,
            environment,
            release,
            scope,
            ..
        } = self;
        let (after, hardening) = (scope.after(), scope.hardening());
        let wanted_by = scope.wanted_by();
        format!(
            "{head}\n[Unit]\nDescription=Release of what Copal held of {held_of}\n{after}\n\
             [Service]\nType=oneshot\n{environment}ExecStart={release}\n{hardening}\n\
             [Install]\nWantedBy={wanted_by}\n"
        )
    }
}

impl Scope {
    fn after(self) -> &'static str {
        match self {
            Self::System => {
                "Wants=network-online.target\nAfter=network-online.target docker.service podman.socket\n"
            }
            Self::User => "After=podman.socket\n",
        }
    }

    fn hardening(self) -> &'static str {
        match self {
            Self::System => HARDENING,
            // A user's manager has no right to most of it.
            Self::User => "NoNewPrivileges=yes\n",
        }
    }

    fn wanted_by(self) -> &'static str {
        match self {
            Self::System => "multi-user.target",
            Self::User => "default.target",
        }
    }
}

/// The lines of these times.
fn calendar(when: &When, zone: Option<&str>) -> String {
    let mut lines = String::new();
    for calendar in when.on_calendar(zone) {
        lines += "OnCalendar=";
        lines += &calendar;
        lines.push('\n');
    }
    lines
}

/// When a timer that Copal wrote comes: what was said, and the zone that was named.
pub fn said_of(timer: &str) -> Option<(When, Option<String>)> {
    let said = |key: &str| timer.lines().find_map(|line| line.strip_prefix(key));
    let when = said("X-CopalWhen=")?.parse().ok()?;
    Some((when, said("X-CopalZone=").map(str::to_owned)))
}

/// When a timer of the package's comes, unless somebody changed it.
pub fn said_of_shipped(timer: &str) -> Option<When> {
    (timer == Units::shipped().timer.text).then(night)
}

fn night() -> When {
    "daily 03:00".parse().expect("it is one of the words")
}

/// The program itself: systemd takes its name as it stands, but for `%`, and none with quotes.
fn program(path: &Path) -> Result<String, Unwritable> {
    let text = line(path)?;
    if text.contains(['\'', '"', '\\']) {
        return Err(Unwritable::Character(path.to_owned()));
    }
    Ok(word(text))
}

/// The configuration as a word of the command.
pub(super) fn config(path: &Path) -> Result<String, Unwritable> {
    Ok(word(line(path)?).replace('$', "$$"))
}

/// One word, in which `%` says something to systemd. In a command `$` does as well.
fn word(text: &str) -> String {
    let text = text.replace('%', "%%");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@,+=%$".contains(c);
    if text.chars().all(is_plain) {
        return text;
    }
    let quoted = text.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{quoted}\"")
}

#[cfg(test)]
#[path = "units_tests.rs"]
mod tests;
