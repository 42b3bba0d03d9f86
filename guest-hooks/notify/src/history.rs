//! What was told before, and what of a run is new.

use copal_hook_sdk::{Error, ErrorExt, state};
use serde::{Deserialize, Serialize};

use crate::config::{On, Settings};
use crate::notice::{Class, Event, Notice};

/// The key in the hook's store.
const KEY: &str = "trouble";

/// The trouble that lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct History {
    /// What it is, without its figures.
    pub(crate) what: String,
    /// When the first run ended that was not well, in seconds since 1970.
    pub(crate) since: i64,
    /// How many runs were not well since, this one included.
    pub(crate) runs: u64,
    /// When it was told last; none where nobody could be reached yet.
    pub(crate) told: Option<i64>,
}

/// The trouble that the runs before left.
pub(crate) fn load() -> Result<Option<History>, Error> {
    let kept = state::get(KEY)?;
    // What can't be read is as good as none: the next message is one too many.
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
}

pub(crate) fn keep(history: Option<History>) -> Result<(), Error> {
    let kept = match history {
        Some(history) => {
            let json = serde_json::to_vec(&history).expect("texts and numbers become JSON");
            state::set(KEY, &json)
        }
        None => state::delete(KEY),
    };
    kept.map_err(|error| error.about("what was told can't be kept"))
}

/// Where a run stands among those before it.
pub(crate) struct Standing<'a> {
    pub(crate) before: Option<&'a History>,
    /// In seconds since 1970.
    pub(crate) now: i64,
}

impl Standing<'_> {
    /// What there is to tell, if anything.
    pub(crate) fn event(&self, settings: &Settings, notice: &Notice) -> Option<Event> {
        let Some(trouble) = is_trouble(settings, notice) else {
            // Where nobody heard of the trouble, its end is what tells of it, asked for or not; and who heard of
            // the one before it believes that it lasts.
            let is_to_be_told =
                |before: &History| settings.tells(On::Recovery) || before.told.is_none();
            if self.before.is_some_and(is_to_be_told) {
                return Some(Event::Recovery);
            }
            let is_told = notice.class() == Class::Well && settings.tells(On::Success);
            return is_told.then_some(Event::Success);
        };
        match self.before {
            Some(before) if before.what == notice.what() => match before.told {
                Some(told) => self.is_due(told, settings).then_some(Event::Reminder),
                None => Some(trouble),
            },
            _ => Some(trouble),
        }
    }

    /// Nightly runs don't end to the second: a tenth less than the time is enough. A clock that went back
    /// is no reason to be silent.
    fn is_due(&self, told: i64, settings: &Settings) -> bool {
        let least = settings.remind - settings.remind / 10;
        self.now < told || self.now - told >= least
    }

    /// What is kept, when this was told or could not be.
    pub(crate) fn after(
        &self,
        settings: &Settings,
        notice: &Notice,
        told: Option<(Event, bool)>,
    ) -> Option<History> {
        if is_trouble(settings, notice).is_none() {
            // A recovery that nobody heard of is told by the next run that is well.
            let is_unheard = matches!(told, Some((Event::Recovery, false)));
            return self.before.filter(|_| is_unheard).cloned();
        }
        let same = self.before.filter(|before| before.what == notice.what());
        Some(History {
            what: notice.what(),
            since: self.before.map_or(self.now, |before| before.since),
            runs: History::with_this(self.before),
            told: match told {
                Some((_, true)) => Some(self.now),
                _ => same.and_then(|before| before.told),
            },
        })
    }
}

/// What a run that was not well is told as, where its owner wants to hear of it.
fn is_trouble(settings: &Settings, notice: &Notice) -> Option<Event> {
    match notice.class() {
        Class::Failed if settings.tells(On::Failure) => Some(Event::Failure),
        Class::Short if settings.tells(On::Warning) => Some(Event::Warning),
        Class::Failed | Class::Short | Class::Well => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Format};
    use crate::notice::sample;

    const HOUR: i64 = 3600;

    fn settings(on: &str) -> Settings {
        let json = format!(r#"{{"url":"https://x.example/","format":"json","remind":"24h"{on}}}"#);
        let config: Config = serde_json::from_str(&json).unwrap();
        let settings = config.settings().unwrap_or_else(|_| panic!("{json}"));
        assert_eq!(settings.format, Format::Json);
        settings
    }

    /// What is told of runs that end so at these hours.
    fn told(settings: &Settings, runs: &[(i64, Notice)]) -> Vec<Option<Event>> {
        let mut before: Option<History> = None;
        let mut all = Vec::new();
        for (hour, notice) in runs {
            let standing = Standing {
                before: before.as_ref(),
                now: hour * HOUR,
            };
            let event = standing.event(settings, notice);
            let after = standing.after(settings, notice, event.map(|event| (event, true)));
            before = after;
            all.push(event);
        }
        all
    }

    #[test]
    fn a_trouble_is_told_once_then_as_a_reminder_and_its_end_once() {
        let full = |percent: u32| sample(Class::Failed, &format!("the disk is {percent} % full"));
        let runs = [
            (0, sample(Class::Well, "")),
            (1, full(99)),
            (2, full(98)),
            (24, full(97)),
            (26, full(97)),
            (27, sample(Class::Well, "")),
            (28, sample(Class::Well, "")),
        ];
        let (failure, reminder) = (Some(Event::Failure), Some(Event::Reminder));
        let recovery = Some(Event::Recovery);
        let expected = [None, failure, None, reminder, None, recovery, None];
        assert_eq!(told(&settings(""), &runs), expected);
    }

    #[test]
    fn another_trouble_is_told_at_once() {
        let runs = [
            (0, sample(Class::Failed, "the disk is full")),
            (1, sample(Class::Failed, "nobody answers")),
            (2, sample(Class::Short, "a hook failed")),
            (3, sample(Class::Short, "a hook failed")),
        ];
        let (failure, warning) = (Some(Event::Failure), Some(Event::Warning));
        let expected = [failure, failure, warning, None];
        assert_eq!(told(&settings(""), &runs), expected);
    }

    #[test]
    fn what_is_not_asked_for_is_not_told_and_ends_what_was() {
        let runs = [
            (0, sample(Class::Failed, "x")),
            (1, sample(Class::Short, "y")),
            (2, sample(Class::Well, "")),
        ];
        let on = settings(r#","on":["failure","recovery"]"#);
        let expected = [Some(Event::Failure), Some(Event::Recovery), None];
        assert_eq!(told(&on, &runs), expected);
        let on = settings(r#","on":["failure","success"]"#);
        let expected = [Some(Event::Failure), None, Some(Event::Success)];
        assert_eq!(told(&on, &runs), expected);
    }

    #[test]
    fn what_nobody_heard_is_told_again_by_the_next_run() {
        let settings = settings("");
        let failed = sample(Class::Failed, "x");
        let first = Standing {
            before: None,
            now: 0,
        };
        let unheard = first.after(&settings, &failed, Some((Event::Failure, false)));
        let second = Standing {
            before: unheard.as_ref(),
            now: HOUR,
        };
        assert_eq!(second.event(&settings, &failed), Some(Event::Failure));
        let heard = second.after(&settings, &failed, Some((Event::Failure, true)));
        assert_eq!(heard.as_ref().map(|it| (it.runs, it.since)), Some((2, 0)));
        let well = sample(Class::Well, "");
        let third = Standing {
            before: heard.as_ref(),
            now: 2 * HOUR,
        };
        let unheard = third.after(&settings, &well, Some((Event::Recovery, false)));
        assert_eq!(unheard, heard, "the next run that is well tells it");
    }

    #[test]
    fn a_trouble_that_nobody_heard_of_is_told_with_its_end() {
        let well = sample(Class::Well, "");
        for on in ["", r#","on":["failure"]"#] {
            let settings = settings(on);
            let first = Standing {
                before: None,
                now: 0,
            };
            let failed = sample(Class::Failed, "x");
            let unheard = first.after(&settings, &failed, Some((Event::Failure, false)));
            let second = Standing {
                before: unheard.as_ref(),
                now: HOUR,
            };
            assert_eq!(second.event(&settings, &well), Some(Event::Recovery));
            let still = second.after(&settings, &well, Some((Event::Recovery, false)));
            assert_eq!(still, unheard, "the next run that is well tells it");
            let heard = second.after(&settings, &well, Some((Event::Recovery, true)));
            assert_eq!(heard, None);
        }
    }
}
