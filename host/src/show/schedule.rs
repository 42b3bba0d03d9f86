//! How a job is started by itself.

use std::fmt::Write as _;

use copal_core::name::Name;
use copal_core::schedule::Scope;
use jiff::ZonedDateTime;
use serde_json::{Value, json};

use super::Output;
use crate::edge::schedule::{Scheduled, Scheduler};
use crate::error::CopalError;

/// A schedule with its next times; `None` where somebody changed it so that these can't be told.
#[derive(Debug)]
pub struct Shown<'a> {
    /// What stands where.
    pub scheduled: &'a Scheduled,
    /// The next times.
    pub next: Option<Vec<ZonedDateTime>>,
}

/// Prints by what the job is started.
pub fn print(job: &Name, shown: &[Shown<'_>], output: Output) -> Result<(), CopalError> {
    if output.json {
        let told: Vec<Value> = shown.iter().map(to_json).collect();
        return super::json(&json!({ "name": job.as_str(), "schedules": told }));
    }
    super::result(&text(job, shown, output.quiet))
}

fn text(job: &Name, shown: &[Shown<'_>], quiet: bool) -> String {
    if shown.is_empty() {
        return format!(
            "{job} is not started by itself: `copal schedule install daily 03:00` has it run every night\n"
        );
    }
    let mut text = String::new();
    for Shown { scheduled, next } in shown {
        let by = by(scheduled.by);
        if scheduled.is_off {
            writeln!(
                text,
                "{job} is not started by {by}: what starts it was taken out of {}; `copal schedule install daily 03:00` writes it anew",
                scheduled.place
            )
            .expect("a String takes every write");
            continue;
        }
        writeln!(text, "{job} is started by {by}, {}", scheduled.place)
            .expect("a String takes every write");
        match next {
            Some(times) => {
                for time in times {
                    let time = time.strftime("%a %F %R %Z");
                    writeln!(text, "  {time}").expect("a String takes every write");
                }
            }
            None if scheduled.by == Scheduler::Package => {
                text += "  at times that somebody changed: `systemctl list-timers` tells them\n";
            }
            None => text += "  at times that Copal can't read: somebody changed it\n",
        }
        if !quiet {
            text.push('\n');
            for line in scheduled.text.lines() {
                writeln!(text, "    {line}").expect("a String takes every write");
            }
        }
    }
    text
}

/// Prints what the job is not started by any more.
pub fn print_removed(job: &Name, removed: &[Scheduled], output: Output) -> Result<(), CopalError> {
    if output.json {
        let places: Vec<_> = removed.iter().map(|one| &one.place).collect();
        return super::json(&json!({ "name": job.as_str(), "removed": places }));
    }
    let mut text = String::new();
    for one in removed {
        writeln!(
            text,
            "{job} is no longer started by {}, {}",
            by(one.by),
            one.place
        )
        .expect("a String takes every write");
    }
    if removed.is_empty() {
        text = format!("{job} was not started by itself\n");
    }
    super::result(&text)
}

fn to_json(shown: &Shown<'_>) -> Value {
    let next = shown.next.as_ref().map(|times| {
        let times = times.iter().map(|time| time.timestamp().to_string());
        times.collect::<Vec<_>>()
    });
    let when = shown.scheduled.when.as_ref();
    json!({
        "by": match shown.scheduled.by {
            Scheduler::Crontab => "crontab",
            Scheduler::CronD => "cron.d",
            Scheduler::Systemd(Scope::System) => "systemd",
            Scheduler::Systemd(Scope::User) => "systemd --user",
            Scheduler::Package => "package",
        },
        "place": shown.scheduled.place,
        "cron": when.map(|(when, _)| when.to_string()),
        "zone": when.and_then(|(_, zone)| zone.as_deref()),
        "off": shown.scheduled.is_off,
        "next": next,
    })
}

fn by(scheduler: Scheduler) -> &'static str {
    match scheduler {
        Scheduler::Crontab | Scheduler::CronD => "cron",
        Scheduler::Systemd(Scope::System) => "systemd",
        Scheduler::Systemd(Scope::User) => "this user's systemd",
        Scheduler::Package => "systemd, as Copal's package has it",
    }
}
