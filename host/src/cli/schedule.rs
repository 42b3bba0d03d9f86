//! `copal schedule`

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use copal_core::name::Name;
use copal_core::schedule::{Entry, Scope, When};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::Global;
use super::ending::Exit;
use super::length::length;
use super::open::{configuration_file, configured, state};
use crate::edge::environment::variable;
use crate::edge::interrupt::Interrupt;
use crate::edge::lock::{Lock, Patience};
use crate::edge::schedule::{
    ScheduleError, Scheduled, Scheduler, Wanted, found, machine_zone, under_another_name,
};
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
    #[arg(long, value_name = "UNIT", conflicts_with_all = ["crontab", "cron_d"], value_parser = unit)]
    on_failure: Option<String>,
}

/// Of what this shell knows, what says where things are. Secrets are not among it: they would be readable
/// where it is written down.
const KNOWN: [&str; 9] = [
    "PATH",
    "HOME",
    "COPAL_STATE_DIR",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "RCLONE_CONFIG",
    "RCLONE_PLUGIN_PATH",
    "DOCKER_HOST",
];

pub(super) fn run(args: &ScheduleArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = || Ok::<_, CopalError>(configured(global)?.config.name().clone());
    match &args.command {
        ScheduleCommand::Show => show(&job()?, global),
        ScheduleCommand::Install(args) => args.install(&job()?, global),
        ScheduleCommand::Remove => remove(&named(global)?, global),
    }
}

fn show(job: &Name, global: &Global) -> Result<Exit, CopalError> {
    let scheduled = found(job)?;
    let shown = scheduled.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    show::schedule::print(job, &shown, global.output())?;
    Ok(if scheduled.iter().all(|one| one.is_off) {
        Exit::Failed
    } else {
        Exit::Done
    })
}

/// The job that the configuration names, whatever else is wrong with that: what starts it goes by its name.
fn named(global: &Global) -> Result<Name, CopalError> {
    let invalid = match configured(global) {
        Ok(job) => return Ok(job.config.name().clone()),
        Err(error @ CopalError::Config(_)) => error,
        Err(error) => return Err(error),
    };
    let (_, text) = configuration_file(global)?;
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let name = table.get("name").and_then(toml::Value::as_str);
    let name = name.and_then(|name| name.parse().ok());
    name.ok_or(invalid)
}

/// What can't be removed keeps nothing else from being.
fn remove(job: &Name, global: &Global) -> Result<Exit, CopalError> {
    let _lock = lock()?;
    let (mut removed, mut failed) = (Vec::new(), None);
    for one in found(job)? {
        match one.remove(job) {
            Ok(()) => removed.push(one),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    if failed.is_none() || !removed.is_empty() {
        show::schedule::print_removed(job, &removed, global.output())?;
    }
    failed.map_or(Ok(Exit::Done), |error| Err(error.into()))
}

/// Two of these at once would each write what it read before the other wrote.
fn lock() -> Result<Lock, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let path = state()?.path().join("schedule.lock");
    let patience = Patience::For(Duration::from_secs(30));
    Ok(Lock::wait(&path, "copal schedule", patience, &interrupt)?)
}

impl InstallArgs {
    fn install(&self, job: &Name, global: &Global) -> Result<Exit, CopalError> {
        let when = self.when.join(" ");
        let when: When = when.parse().map_err(|source| CopalError::When {
            text: when.clone(),
            source,
        })?;
        let _lock = lock()?;
        let by = self.by();
        let zone = self.zone_of(by)?;
        self.check_jitter(&when, zone.as_deref())?;
        let before = found(job)?;
        if let Some(other) = before.iter().find(|one| one.by != by) {
            let place = other.place.clone();
            return Err(match other.by {
                Scheduler::Package => ScheduleError::Packaged(place),
                _ => ScheduleError::Elsewhere(place),
            }
            .into());
        }
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
        if let Some(other) = before.iter().find(|one| !entry.is_of(&one.text)) {
            return Err(ScheduleError::Others(other.place.clone()).into());
        }
        if let Some((name, place)) = under_another_name(&entry, job)? {
            return Err(ScheduleError::Renamed { name, place }.into());
        }
        by.install(&Wanted {
            job,
            entry: &entry,
            zone: zone.as_deref(),
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

    /// A run that is put off has to begin before the next one is due.
    fn check_jitter(&self, when: &When, named: Option<&str>) -> Result<(), ScheduleError> {
        let zone = named.map_or_else(|| Ok(machine_zone()), zone)?;
        let gap = when.shortest_gap(Timestamp::now(), &zone);
        match self.jitter.zip(gap) {
            Some((jitter, gap)) if jitter >= gap => Err(ScheduleError::Jitter),
            Some(_) | None => Ok(()),
        }
    }

    /// The zone that was named, as systemd spells it.
    fn zone_of(&self, by: Scheduler) -> Result<Option<String>, ScheduleError> {
        let Some(wanted) = &self.zone else {
            return Ok(None);
        };
        let named = zone(wanted)?;
        let machine = machine_zone();
        let is_utc = |zone: &TimeZone| zone.to_fixed_offset().is_ok_and(Offset::is_zero);
        let is_same =
            machine.iana_name() == named.iana_name() || (is_utc(&machine) && is_utc(&named));
        let is_cron = matches!(by, Scheduler::Crontab | Scheduler::CronD);
        if is_cron && !is_same {
            return Err(ScheduleError::Zone {
                wanted: wanted.clone(),
                machine: machine
                    .iana_name()
                    .unwrap_or("that of /etc/localtime")
                    .to_owned(),
            });
        }
        Ok(Some(named.iana_name().unwrap_or(wanted).to_owned()))
    }
}

/// With the next five times.
fn shown(scheduled: &Scheduled) -> Result<Shown<'_>, ScheduleError> {
    let next = |(when, named): &(When, Option<String>)| -> Result<Vec<_>, ScheduleError> {
        let zone = named.as_deref().map_or_else(|| Ok(machine_zone()), zone)?;
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

/// Reads what follows `--on-failure`.
fn unit(text: &str) -> Result<String, String> {
    const KINDS: [&str; 4] = [".service", ".target", ".path", ".timer"];
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@%".contains(c);
    let stem = KINDS.iter().find_map(|kind| text.strip_suffix(kind));
    if stem.is_some_and(|stem| !stem.is_empty() && stem.chars().all(is_plain)) {
        return Ok(text.to_owned());
    }
    Err("write the whole name of a unit, such as `tell@%n.service`".to_owned())
}

/// This program.
fn program() -> Result<PathBuf, ScheduleError> {
    std::env::current_exe().map_err(ScheduleError::NoSelf)
}

fn known() -> Vec<(String, String)> {
    let text = |value: OsString| value.into_string().ok();
    // Paths of files among them are relative to wherever they are read.
    let from_anywhere = |name: &str, value: String| match name {
        "COPAL_STATE_DIR" | "RCLONE_CONFIG" => std::path::absolute(&value)
            .ok()
            .and_then(|path| path.into_os_string().into_string().ok())
            .unwrap_or(value),
        _ => value,
    };
    let known = KNOWN.into_iter();
    known
        .filter_map(|name| {
            let value = variable(name).and_then(text)?;
            Some((name.to_owned(), from_anywhere(name, value)))
        })
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
