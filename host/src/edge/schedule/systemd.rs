//! systemd: a service, a timer that starts it, and a service that recovers after a start of the machine.

use std::path::{Path, PathBuf};

use copal_core::name::Name;
use copal_core::schedule::{MARK, Scope, Unit, Units, said_of};

use super::{ScheduleError, Scheduled, Scheduler, Wanted, delete, put, read, run_well};

pub(super) fn find(scope: Scope, job: &Name) -> Result<Option<Scheduled>, ScheduleError> {
    let Some(directory) = directory(scope) else {
        return Ok(None);
    };
    let timer = directory.join(format!("copal-{job}.timer"));
    let Some(content) = read(&timer)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&content).into_owned();
    Ok(text.starts_with(MARK).then(|| Scheduled {
        by: Scheduler::Systemd(scope),
        place: timer.display().to_string(),
        when: said_of(&text),
        text,
    }))
}

pub(super) fn install(scope: Scope, wanted: &Wanted<'_>) -> Result<(), ScheduleError> {
    let units = Units::of(
        wanted.job,
        wanted.entry,
        wanted.zone,
        wanted.on_failure,
        scope,
    )?;
    let directory = directory(scope).ok_or_else(|| no_home(scope))?;
    std::fs::create_dir_all(&directory).map_err(|source| ScheduleError::Io {
        deed: "make",
        path: directory.clone(),
        source,
    })?;
    for unit in units.all() {
        check_ours(&directory, unit)?;
    }
    for unit in units.all() {
        put(&directory.join(&unit.name), unit.text.as_bytes())?;
    }
    ask(scope, &["daemon-reload"])?;
    ask(scope, &["enable", &units.recover.name])?;
    // What was enabled for other times goes on with these.
    ask(scope, &["enable", &units.timer.name])?;
    ask(scope, &["restart", &units.timer.name])
}

pub(super) fn remove(scope: Scope, job: &Name) -> Result<(), ScheduleError> {
    let directory = directory(scope).ok_or_else(|| no_home(scope))?;
    let [service, timer, recover] = Units::names(job);
    ask(scope, &["disable", "--now", &timer])?;
    ask(scope, &["disable", &recover])?;
    for name in [timer, recover, service] {
        let path = directory.join(name);
        let Some(content) = read(&path)? else {
            continue;
        };
        if !content.starts_with(MARK.as_bytes()) {
            return Err(ScheduleError::NotOurs(path));
        }
        delete(&path)?;
    }
    ask(scope, &["daemon-reload"])
}

fn check_ours(directory: &Path, unit: &Unit) -> Result<(), ScheduleError> {
    let path = directory.join(&unit.name);
    match read(&path)? {
        Some(content) if !content.starts_with(MARK.as_bytes()) => Err(ScheduleError::NotOurs(path)),
        _ => Ok(()),
    }
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
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match scope {
        Scope::System => Some("/etc/systemd/system".into()),
        Scope::User => {
            let own = variable("XDG_CONFIG_HOME").map(PathBuf::from);
            let own = own.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")))?;
            Some(own.join("systemd/user"))
        }
    }
}
