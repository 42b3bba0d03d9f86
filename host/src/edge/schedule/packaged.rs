//! The units that a package brings: `copal@NAME.timer`, which `systemctl enable` has start the job of
//! `/etc/copal/NAME.toml`. They are looked at, and never changed.

use std::path::{Path, PathBuf};

use copal_core::name::Name;
use copal_core::schedule::{Units, said_of_shipped};

use super::means::{named, read};
use super::{ScheduleError, Scheduled, Scheduler};

/// Where what is enabled has a link.
const ENABLED: &str = "/etc/systemd/system/timers.target.wants";

/// Where the owner's own units lie, which stand above the package's.
const OWN: &str = "/etc/systemd/system";

/// Where the configurations of such jobs lie.
const CONFIGURATIONS: &str = "/etc/copal";

/// The timer that is enabled for the job, if one is.
pub(super) fn find(job: &Name) -> Result<Option<Scheduled>, ScheduleError> {
    for link in named(Path::new(ENABLED), |name| instance(name).is_some())? {
        let name = link.file_name().and_then(|name| name.to_str());
        let Some(instance) = name.and_then(instance) else {
            continue;
        };
        if name_of(instance).as_deref().unwrap_or(instance) == job.as_str() {
            return scheduled(instance, &link).map(Some);
        }
    }
    Ok(None)
}

/// The name of its timer.
pub(super) fn timer_of(instance: &str) -> String {
    format!("copal@{instance}.timer")
}

/// `NAME` of `copal@NAME.timer`.
fn instance(timer: &str) -> Option<&str> {
    let instance = timer.strip_prefix("copal@")?.strip_suffix(".timer")?;
    Some(instance).filter(|instance| !instance.is_empty())
}

/// The name of the job whose configuration this is, as far as that can be read.
fn name_of(instance: &str) -> Option<String> {
    let path = Path::new(CONFIGURATIONS).join(format!("{instance}.toml"));
    let table: toml::Table = std::fs::read_to_string(path).ok()?.parse().ok()?;
    table.get("name")?.as_str().map(str::to_owned)
}

fn scheduled(instance: &str, link: &Path) -> Result<Scheduled, ScheduleError> {
    let shipped = Units::shipped();
    let beside = link.canonicalize().ok();
    let beside = beside
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new(OWN));
    let timer = text(beside, "timer", instance)?.unwrap_or(shipped.timer.text);
    let service = text(beside, "service", instance)?.unwrap_or(shipped.service.text);
    let is_changed = is_changed(instance)?;
    Ok(Scheduled {
        by: Scheduler::Package,
        place: timer_of(instance),
        when: said_of_shipped(&timer)
            .filter(|_| !is_changed)
            .map(|when| (when, None)),
        text: format!("{timer}\n{service}").replace("%i", instance),
        is_off: false,
    })
}

/// A unit as it is in force, but for what is added to it.
fn text(beside: &Path, kind: &str, instance: &str) -> Result<Option<String>, ScheduleError> {
    let template = format!("copal@.{kind}");
    let all = [
        Path::new(OWN).join(format!("copal@{instance}.{kind}")),
        Path::new(OWN).join(&template),
        beside.join(&template),
    ];
    for path in all {
        if let Some(content) = read(&path)? {
            return Ok(Some(String::from_utf8_lossy(&content).into_owned()));
        }
    }
    Ok(None)
}

/// Whether somebody added to the timer, by `systemctl edit` for one.
fn is_changed(instance: &str) -> Result<bool, ScheduleError> {
    for unit in [timer_of(instance), timer_of("")] {
        let directory: PathBuf = Path::new(OWN).join(format!("{unit}.d"));
        if !named(&directory, |name| name.strip_suffix(".conf").is_some())?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
