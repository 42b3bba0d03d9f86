//! What starts a job by itself: cron, by a user's crontab or a file of its own, or systemd.

mod cron;
mod error;
mod means;
mod packaged;
mod systemd;

use std::path::Path;

use copal_core::name::Name;
use copal_core::schedule::{Entry, Scope, When};
use jiff::tz::TimeZone;

pub use self::error::ScheduleError;

/// Something that starts jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduler {
    /// cron, by the crontab of this user.
    Crontab,
    /// cron, by a file in `/etc/cron.d`.
    CronD,
    /// systemd.
    Systemd(Scope),
    /// systemd, by the units that a package brings, which `systemctl` alone enables and disables.
    Package,
}

/// A job as it is to be started.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub job: &'a Name,
    /// What is started, and when.
    pub entry: &'a Entry,
    /// The time zone that was named, which systemd alone can be told.
    pub zone: Option<&'a str>,
    /// The unit that systemd starts when a run fails.
    pub on_failure: Option<&'a str>,
    /// Whose job it is in `/etc/cron.d`.
    pub user: &'a Name,
}

/// How a job is started by one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// The one.
    pub by: Scheduler,
    /// Where that stands, for people; of the package's, the timer.
    pub place: String,
    /// What stands there.
    pub text: String,
    /// When it starts, and in which time zone, if one was named; `None` if somebody changed it so that Copal can't tell.
    pub when: Option<(When, Option<String>)>,
    /// Whether somebody commented out or took away what starts it, and left the rest.
    pub is_off: bool,
}

impl Scheduler {
    /// All that there are, the usual first.
    pub const ALL: [Self; 5] = [
        Self::Crontab,
        Self::CronD,
        Self::Systemd(Scope::System),
        Self::Systemd(Scope::User),
        Self::Package,
    ];

    /// The one that this machine starts things by: systemd where that is the first process, else cron.
    pub fn usual() -> Self {
        if !Path::new("/run/systemd/system").is_dir() {
            Self::Crontab
        } else if rustix::process::geteuid().is_root() {
            Self::Systemd(Scope::System)
        } else {
            Self::Systemd(Scope::User)
        }
    }

    /// How it starts a job, if it does.
    pub fn find(self, job: &Name) -> Result<Option<Scheduled>, ScheduleError> {
        match self {
            Self::Crontab => cron::in_crontab(job),
            Self::CronD => cron::in_cron_d(job),
            Self::Systemd(scope) => systemd::find(scope, job),
            Self::Package => packaged::find(job),
        }
    }

    /// Has it start a job. What it was told of this job before is gone.
    pub fn install(self, wanted: &Wanted<'_>) -> Result<(), ScheduleError> {
        match self {
            Self::Crontab => cron::to_crontab(wanted),
            Self::CronD => cron::to_cron_d(wanted),
            Self::Systemd(scope) => systemd::install(scope, wanted),
            Self::Package => Err(ScheduleError::Packaged(packaged::timer_of(
                wanted.job.as_str(),
            ))),
        }
    }

    /// The jobs that it may start.
    fn jobs(self) -> Result<Vec<Name>, ScheduleError> {
        match self {
            Self::Crontab => cron::jobs_in_crontab(),
            Self::CronD => cron::jobs_in_cron_d(),
            Self::Systemd(scope) => systemd::jobs(scope),
            // Which configuration one of these starts is said by its name.
            Self::Package => Ok(Vec::new()),
        }
    }
}

impl Scheduled {
    /// Has the job be started by this no more.
    pub fn remove(&self, job: &Name) -> Result<(), ScheduleError> {
        match self.by {
            Scheduler::Crontab => cron::from_crontab(job),
            Scheduler::CronD => cron::from_cron_d(job),
            Scheduler::Systemd(scope) => systemd::remove(scope, job),
            Scheduler::Package => Err(ScheduleError::Packaged(self.place.clone())),
        }
    }
}

/// All that start a job.
pub fn found(job: &Name) -> Result<Vec<Scheduled>, ScheduleError> {
    let found = Scheduler::ALL.into_iter().map(|by| by.find(job));
    found.filter_map(Result::transpose).collect()
}

/// Another name under which this configuration is started, and where.
pub fn under_another_name(
    entry: &Entry,
    job: &Name,
) -> Result<Option<(Name, String)>, ScheduleError> {
    for by in Scheduler::ALL {
        for name in by.jobs()?.into_iter().filter(|name| name != job) {
            // One that can't be told from the rest is not this job's to mend.
            let found = by.find(&name).ok().flatten();
            if let Some(found) = found.filter(|found| entry.is_of(&found.text)) {
                return Ok(Some((name, found.place)));
            }
        }
    }
    Ok(None)
}

/// The time zone by which this machine starts things, whatever this shell's is.
pub fn machine_zone() -> TimeZone {
    const LOCAL: &str = "/etc/localtime";
    let linked = std::fs::read_link(LOCAL).unwrap_or_default();
    let linked = linked.to_string_lossy().into_owned();
    let named = linked
        .split_once("zoneinfo/")
        .map(|(_, name)| TimeZone::get(name));
    if let Some(Ok(zone)) = named {
        return zone;
    }
    let copied = std::fs::read(LOCAL).ok();
    let copied = copied.and_then(|content| TimeZone::tzif("Local", &content).ok());
    copied.unwrap_or(TimeZone::UTC)
}
