//! Tells a monitor or a person how a run ended: Healthchecks of every run, ntfy and webhooks of what
//! changed. What it told last is in its store, so that nothing is told twice.
#![forbid(unsafe_code)]

mod config;
mod history;
mod notice;
mod send;

use copal_hook_sdk::{Error, PostBackup, Report, clock, info, run};

use config::{Config, Format, Settings};
use history::{History, Standing};
use notice::Notice;

struct Notify;

impl PostBackup for Notify {
    type Config = Config;

    fn run(config: Config, report: &Report) -> Result<(), Error> {
        let settings = config.settings()?;
        let notice = Notice::of(report);
        match settings.format {
            // It judges by what it hears, so that it has to hear of every run.
            Format::Healthchecks => send::send(&settings, &notice),
            Format::Ntfy | Format::Json => tell_once(&settings, notice),
        }
    }
}

/// Tells what is new. A store that can't be read costs a message too many, never one too few, and is told
/// after it.
fn tell_once(settings: &Settings, notice: Notice) -> Result<(), Error> {
    let (before, unread) = match history::load() {
        Ok(before) => (before, Ok(())),
        Err(error) => (None, Err(error)),
    };
    let standing = Standing {
        before: before.as_ref(),
        now: clock::now() / 1_000_000_000,
    };
    let Some(event) = standing.event(settings, &notice) else {
        let kept = history::keep(standing.after(settings, &notice, None));
        info!("nothing new to tell of run {}", run::id());
        return unread.and(kept);
    };
    let notice = notice.about(event, before.as_ref(), standing.now);
    let sent = send::send(settings, &notice);
    let after = standing.after(settings, &notice, Some((event, sent.is_ok())));
    let kept = history::keep(after);
    sent.and(unread).and(kept)
}

impl History {
    /// How many runs in a row were not well, with the one that is told of.
    fn with_this(before: Option<&Self>) -> u64 {
        before.map_or(1, |before| before.runs.saturating_add(1))
    }
}

copal_hook_sdk::hook!(Notify: PostBackup);
