//! What starts a job by itself: cron, by a user's crontab or a file of its own, or systemd.

mod cron;
mod packaged;
mod systemd;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use copal_core::name::Name;
use copal_core::schedule::{BrokenBlock, Entry, Scope, Unwritable, When};
use jiff::tz::TimeZone;

use super::whole::{self, Mode};

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

/// Why a job can't be scheduled, or it can't be told whether it is.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// Somebody changed what marks Copal's part.
    #[error("can't tell Copal's part of {place} from the rest")]
    Broken {
        /// The crontab.
        place: String,
        /// What is wrong with it.
        source: BrokenBlock,
    },
    /// The command can't be written down.
    #[error("can't write down the command of the job")]
    Unwritable(#[from] Unwritable),
    /// A program could not be started.
    #[error("can't run `{program}`")]
    NoProgram {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program refused.
    #[error("`{command}` failed: {said}")]
    Refused {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
    /// A file can't be read or written.
    #[error("can't {deed} `{}`", .path.display())]
    Io {
        /// What was to be done.
        deed: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else wrote a file of this name.
    #[error("`{}` is not by `copal schedule`", .0.display())]
    NotOurs(PathBuf),
    /// The crontab is not what was written.
    #[error("the crontab was changed by somebody else in the same moment")]
    Changed,
    /// Lines end as on another system.
    #[error("the crontab has lines that end with a carriage return")]
    Carriage,
    /// Another configuration of the same name is scheduled.
    #[error("the job of another configuration is scheduled under this name: {0}")]
    Others(String),
    /// cron goes by the machine's own clock.
    #[error("cron goes by this machine's time zone, `{machine}`, and not by `{wanted}`")]
    Zone {
        /// The one that was named.
        wanted: String,
        /// The machine's.
        machine: String,
    },
    /// There is no such time zone.
    #[error("there is no time zone `{name}`")]
    NoZone {
        /// The name.
        name: String,
        /// Why.
        source: jiff::Error,
    },
    /// It is scheduled already, by something else.
    #[error("the job is scheduled already, by {0}")]
    Elsewhere(String),
    /// The same, by the units of a package.
    #[error("the job is started already by `{0}`, of Copal's package")]
    Packaged(String),
    /// Its configuration is scheduled under another name, which it had before most likely.
    #[error("this configuration is scheduled already under the name `{name}`, by {place}")]
    Renamed {
        /// That name.
        name: Name,
        /// Where it stands.
        place: String,
    },
    /// A run could begin after the next one.
    #[error("the jitter is as long as the shortest time between two runs, or longer")]
    Jitter,
    /// A start would not know what this shell knows.
    #[error("can't tell where this program lies")]
    NoSelf(#[source] io::Error),
}

impl ScheduleError {
    /// Why it is an error at all, for what has no cause below it.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Refused { .. } => Some("without it the job would not be started"),
            Self::NotOurs(_) => {
                Some("it has the name that Copal's would have, and another wrote it")
            }
            Self::Changed => Some("what was written is not what it says now"),
            Self::Zone { .. } => Some("it would start the job at other times than these"),
            Self::Carriage => {
                Some("`crontab` does not show them as they are, so they could not be kept")
            }
            Self::Others(_) => Some("it would not be started any more"),
            Self::Elsewhere(_) | Self::Renamed { .. } => Some("it would be started twice"),
            Self::Packaged(_) => {
                Some("what a package enables is systemd's alone, and it would be started twice")
            }
            Self::Jitter => Some("a run that waits would meet the next one"),
            Self::Broken { .. }
            | Self::Unwritable(_)
            | Self::NoProgram { .. }
            | Self::Io { .. }
            | Self::NoZone { .. }
            | Self::NoSelf(_) => None,
        }
    }
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

/// Runs a program in the language of this code.
fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<Output, ScheduleError> {
    let there = on_the_path(program);
    let mut command = Command::new(there);
    // Debian's `crontab` leaves out what it takes for its own header, which may be somebody's comments.
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .env("CRONTAB_NOHEADER", "N");
    command.output().map_err(|source| ScheduleError::NoProgram {
        program: program.to_owned(),
        source,
    })
}

/// What it is called by: where a shell has a short PATH, cron is there all the same.
fn on_the_path(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
    let mut all = std::env::split_paths(&path).chain(usual);
    let found = all.find_map(|dir| Some(dir.join(program)).filter(|it| it.is_file()));
    found.unwrap_or_else(|| program.into())
}

/// The same where there is but one good end.
fn run_well<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<(), ScheduleError> {
    let output = run(program, arguments)?;
    if output.status.success() {
        return Ok(());
    }
    let words = arguments.iter().map(|word| word.as_ref().to_string_lossy());
    let words: Vec<_> = std::iter::once(program.into()).chain(words).collect();
    Err(ScheduleError::Refused {
        command: words.join(" "),
        said: said(&output),
    })
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    match text.trim() {
        "" => output.status.to_string(),
        text => text.to_owned(),
    }
}

/// Puts a file in the place of the one that is there.
fn put(path: &Path, content: &[u8]) -> Result<(), ScheduleError> {
    whole::replace(path, content, Mode::Usual).map_err(|source| ScheduleError::Io {
        deed: "write",
        path: path.to_owned(),
        source,
    })
}

/// What is in a file, if there is one.
fn read(path: &Path) -> Result<Option<Vec<u8>>, ScheduleError> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ScheduleError::Io {
            deed: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// The files of a directory whose names are so, in order. One that is not there has none.
fn named(directory: &Path, which: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, ScheduleError> {
    let failed = |source| ScheduleError::Io {
        deed: "read",
        path: directory.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>().map_err(failed)?;
    paths.retain(|path| {
        let name = path.file_name().and_then(OsStr::to_str);
        name.is_some_and(&which)
    });
    paths.sort();
    Ok(paths)
}

fn delete(path: &Path) -> Result<(), ScheduleError> {
    std::fs::remove_file(path).map_err(|source| ScheduleError::Io {
        deed: "remove",
        path: path.to_owned(),
        source,
    })
}
