//! systemd: a service, a timer that starts it, and a service that recovers after a start of the machine.

use std::path::{Path, PathBuf};

use copal_core::name::Name;
use copal_core::schedule::{MARK, Scope, Units, said_of};

use super::super::environment::config_home;
use super::means::{delete, named, put, read, run_well};
use super::{ScheduleError, Scheduled, Scheduler, Wanted};

pub(super) fn find(scope: Scope, job: &Name) -> Result<Option<Scheduled>, ScheduleError> {
    let Some(directory) = directory(scope) else {
        return Ok(None);
    };
    let mut found = Vec::new();
    for name in Units::names(job) {
        let path = directory.join(name);
        let text = read(&path)?.map(|content| String::from_utf8_lossy(&content).into_owned());
        found.extend(
            text.filter(|text| is_ours(text.as_bytes()))
                .map(|text| (path, text)),
        );
    }
    let text: Vec<_> = found.iter().map(|(_, text)| text.as_str()).collect();
    let text = text.join("\n");
    Ok(found.first().map(|(path, _)| Scheduled {
        by: Scheduler::Systemd(scope),
        place: path.display().to_string(),
        when: said_of(&text),
        is_off: false,
        text,
    }))
}

/// The jobs that have a service of ours.
pub(super) fn jobs(scope: Scope) -> Result<Vec<Name>, ScheduleError> {
    let Some(directory) = directory(scope) else {
        return Ok(Vec::new());
    };
    let job_of = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        let name = name.strip_prefix("copal-")?.strip_suffix(".service")?;
        name.parse().ok()
    };
    // What is not ours, `find` leaves alone. The services that recover have no name of a job.
    let services = named(&directory, |name| name.starts_with("copal-"))?;
    Ok(services.into_iter().filter_map(job_of).collect())
}

/// If systemd does not take them, all is as it was.
pub(super) fn install(scope: Scope, wanted: &Wanted<'_>) -> Result<(), ScheduleError> {
    let (zone, on_failure) = (wanted.zone, wanted.on_failure);
    let units = Units::of(wanted.job, wanted.entry, zone, on_failure, scope)?;
    let directory = directory(scope).ok_or_else(|| no_home(scope))?;
    std::fs::create_dir_all(&directory).map_err(|source| ScheduleError::Io {
        deed: "make",
        path: directory.clone(),
        source,
    })?;
    let mut before = Vec::new();
    for unit in units.all() {
        let path = directory.join(&unit.name);
        let content = read(&path)?;
        if content.as_deref().is_some_and(|content| !is_ours(content)) {
            return Err(ScheduleError::NotOurs(path));
        }
        before.push((path, content));
    }
    let taken = write_and_enable(scope, &directory, &units);
    if taken.is_err() {
        for (path, content) in before {
            let undone = match content {
                Some(content) => put(&path, &content),
                None => delete(&path),
            };
            if let Err(error) = undone {
                tracing::warn!(%error, "a unit that systemd did not take is left");
            }
        }
    }
    taken
}

fn write_and_enable(scope: Scope, directory: &Path, units: &Units) -> Result<(), ScheduleError> {
    for unit in units.all() {
        put(&directory.join(&unit.name), unit.text.as_bytes())?;
    }
    ask(scope, &["daemon-reload"])?;
    ask(scope, &["enable", &units.recover.name])?;
    // What was enabled for other times goes on with these.
    ask(scope, &["enable", &units.timer.name])?;
    ask(scope, &["restart", &units.timer.name])
}

/// The files go also where systemd is not there to be asked.
pub(super) fn remove(scope: Scope, job: &Name) -> Result<(), ScheduleError> {
    let directory = directory(scope).ok_or_else(|| no_home(scope))?;
    let [service, timer, recover] = Units::names(job);
    let mut ours = Vec::new();
    for name in [&timer, &recover, &service] {
        let path = directory.join(name);
        if read(&path)?.is_some_and(|content| is_ours(&content)) {
            ours.push(path);
        }
    }
    let asked = [
        ask(scope, &["disable", "--now", &timer]),
        ask(scope, &["disable", &recover]),
    ];
    for path in ours {
        delete(&path)?;
    }
    let asked = asked.into_iter().chain([ask(scope, &["daemon-reload"])]);
    asked.collect()
}

fn is_ours(content: &[u8]) -> bool {
    content.starts_with(MARK.as_bytes())
}

fn ask(scope: Scope, words: &[&str]) -> Result<(), ScheduleError> {
    let user: &[&str] = match scope {
        Scope::System => &[],
        Scope::User => &["--user"],
    };
    run_well("systemctl", &[user, words].concat())
}

fn no_home(scope: Scope) -> ScheduleError {
    debug_assert_eq!(
        scope,
        Scope::User,
        "the machine's directory is always known"
    );
    ScheduleError::Io {
        deed: "find",
        path: "~/.config/systemd/user".into(),
        source: std::io::ErrorKind::NotFound.into(),
    }
}

/// Where the owner's units lie, as systemd has it.
fn directory(scope: Scope) -> Option<PathBuf> {
    match scope {
        Scope::System => Some("/etc/systemd/system".into()),
        Scope::User => Some(config_home()?.join("systemd/user")),
    }
}
