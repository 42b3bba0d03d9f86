//! `copal schedule`

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use copal_core::name::Name;
use copal_core::schedule::{Entry, Scope, When};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Global;
use super::ending::Exit;
use super::length::length;
use super::open::{configuration_file, configured};
use crate::edge::schedule::{ScheduleError, Scheduled, Scheduler, Wanted};
use crate::error::CopalError;
use crate::show::schedule::Shown;
use crate::show::{self, message};

#[derive(Debug, Args)]
pub(super) struct ScheduleArgs {
    #[command(subcommand)]
    command: ScheduleCommand,
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    /// Tell how the job is started by itself, and the next five times
    Show,
    /// Have the job started by itself: by systemd where the machine runs it, else by cron
    Install(InstallArgs),
    /// Have the job started by itself no more
    Remove,
}

#[derive(Debug, Args)]
struct InstallArgs {
    /// When: `daily 03:00`, `weekdays 03:00`, `weekly sun 03:00`, `monthly 1 03:00`, `hourly`, or five fields as
    /// cron has them
    #[arg(value_name = "WHEN", required = true, num_args = 1..)]
    when: Vec<String>,
    /// Time zone of these times, such as `Europe/Berlin`; cron knows this machine's alone
    /// [default: this machine's]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Start each run up to so much later, at random: many machines that begin in the same second are a
    /// burden to their remote
    #[arg(long, value_name = "DURATION", value_parser = length)]
    jitter: Option<Duration>,
    /// By this user's crontab
    #[arg(long, group = "by")]
    crontab: bool,
    /// By a file in /etc/cron.d
    #[arg(long, group = "by")]
    cron_d: bool,
    /// By a service and a timer of systemd; of this user's own with `--systemd=user`
    #[arg(long, group = "by", value_name = "WHOSE", num_args = 0..=1, require_equals = true,
          default_missing_value = "system", value_parser = scope)]
    systemd: Option<Scope>,
    /// Unit that systemd starts when a run fails
    #[arg(long, value_name = "UNIT", conflicts_with_all = ["crontab", "cron_d"])]
    on_failure: Option<String>,
}

/// Of what this shell knows, what says where things are. Secrets are not among it: they would be readable
/// where it is written down.
const KNOWN: [&str; 8] = [
    "PATH",
    "COPAL_STATE_DIR",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "RCLONE_CONFIG",
    "RCLONE_PLUGIN_PATH",
    "DOCKER_HOST",
];

pub(super) fn run(args: &ScheduleArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = configured(global)?.config.name().clone();
    match &args.command {
        ScheduleCommand::Show => show(&job, global),
        ScheduleCommand::Install(args) => args.install(&job, global),
        ScheduleCommand::Remove => remove(&job, global),
    }
}

fn show(job: &Name, global: &Global) -> Result<Exit, CopalError> {
    let scheduled = found(job)?;
    let shown = scheduled.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    show::schedule::print(job, &shown, global.output())?;
    Ok(if scheduled.is_empty() {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn remove(job: &Name, global: &Global) -> Result<Exit, CopalError> {
    let scheduled = found(job)?;
    for one in &scheduled {
        one.by.remove(job)?;
    }
    show::schedule::print_removed(job, &scheduled, global.output())?;
    Ok(Exit::Done)
}

fn found(job: &Name) -> Result<Vec<Scheduled>, ScheduleError> {
    let found = Scheduler::ALL.into_iter().map(|by| by.find(job));
    found.filter_map(Result::transpose).collect()
}

impl InstallArgs {
    fn install(&self, job: &Name, global: &Global) -> Result<Exit, CopalError> {
        let when = self.when.join(" ");
        let when: When = when.parse().map_err(|source| CopalError::When {
            text: when.clone(),
            source,
        })?;
        let by = self.by();
        if let Some(other) = found(job)?.into_iter().find(|one| one.by != by) {
            return Err(ScheduleError::Elsewhere(other.place).into());
        }
        self.check_zone(by)?;
        let (config, _) = configuration_file(global)?;
        let config = config
            .canonicalize()
            .map_err(|source| CopalError::ConfigUnreadable {
                path: config.clone(),
                source,
            })?;
        let entry = Entry {
            when,
            program: program()?,
            config,
            environment: known(),
            jitter: self.jitter.map(|it| format!("{}s", it.as_secs())),
        };
        by.install(&Wanted {
            job,
            entry: &entry,
            zone: self.zone.as_deref(),
            on_failure: self.on_failure.as_deref(),
            user: &user(),
        })?;
        tell_of_secrets();
        show(job, global)
    }

    fn by(&self) -> Scheduler {
        match self.systemd {
            Some(scope) => Scheduler::Systemd(scope),
            None if self.crontab => Scheduler::Crontab,
            None if self.cron_d => Scheduler::CronD,
            None => Scheduler::usual(),
        }
    }

    fn check_zone(&self, by: Scheduler) -> Result<(), ScheduleError> {
        let Some(wanted) = &self.zone else {
            return Ok(());
        };
        zone(wanted)?;
        let machine = TimeZone::system();
        let machine = machine.iana_name().unwrap_or("UTC");
        let is_cron = matches!(by, Scheduler::Crontab | Scheduler::CronD);
        if is_cron && machine != wanted {
            return Err(ScheduleError::Zone {
                wanted: wanted.clone(),
                machine: machine.to_owned(),
            });
        }
        Ok(())
    }
}

/// With the next five times.
fn shown(scheduled: &Scheduled) -> Result<Shown<'_>, ScheduleError> {
    let next = |(when, named): &(When, Option<String>)| -> Result<Vec<_>, ScheduleError> {
        let zone = named
            .as_deref()
            .map_or_else(|| Ok(TimeZone::system()), zone)?;
        let times = when.after(Timestamp::now(), &zone).take(5);
        Ok(times
            .map(|time| time.to_zoned_datetime(zone.clone()))
            .collect())
    };
    Ok(Shown {
        scheduled,
        next: scheduled.when.as_ref().map(next).transpose()?,
    })
}

fn zone(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|source| ScheduleError::NoZone {
        name: name.to_owned(),
        source,
    })
}

/// Reads what follows `--systemd`.
fn scope(text: &str) -> Result<Scope, String> {
    match text {
        "system" => Ok(Scope::System),
        "user" => Ok(Scope::User),
        _ => Err("it is `system` or `user`".to_owned()),
    }
}

/// This program.
fn program() -> Result<PathBuf, ScheduleError> {
    std::env::current_exe().map_err(ScheduleError::NoSelf)
}

fn known() -> Vec<(String, String)> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let text = |value: OsString| value.into_string().ok();
    let known = KNOWN.into_iter();
    known
        .filter_map(|name| Some((name.to_owned(), variable(name).and_then(text)?)))
        .collect()
}

/// Who runs this, as `/etc/cron.d` has to be told. Only root can write there.
fn user() -> Name {
    "root".parse().expect("it is a name")
}

/// What rclone is told by variables may be a secret, and is not written down.
fn tell_of_secrets() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let left = names.filter(|name| name.starts_with("RCLONE_") && !KNOWN.contains(&name.as_str()));
    let mut left: Vec<_> = left.collect();
    left.sort();
    if !left.is_empty() {
        message::note(&format!(
            "{} is set here and was not written down, as it may be a secret: put what it says into rclone.conf, or name a file or a command for it in copal.toml",
            left.join(", ")
        ));
    }
}
