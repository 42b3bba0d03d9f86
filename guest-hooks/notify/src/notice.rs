//! What is told of a run.

use copal_hook_sdk::report::Outcome;
use copal_hook_sdk::{Report, run};
use serde::Serialize;

use crate::history::History;

/// Why it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Event {
    Failure,
    Warning,
    /// The same trouble lasts.
    Reminder,
    Recovery,
    Success,
}

/// How much of it went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Well,
    /// Sealed, and something fell short.
    Short,
    /// Some destination has no snapshot.
    Failed,
}

/// The JSON that a webhook gets; `docs/notify.md` has its fields. What is unknown is left out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Notice {
    version: u32,
    /// For people: `open-webui: backup failed`.
    pub(crate) title: String,
    name: String,
    event: Event,
    outcome: &'static str,
    run: String,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    troubles: u64,
    services_down: u64,
    /// Runs in a row that were not well: with this one, or before this one where it is well.
    runs_not_well: u64,
    /// Since when, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_well_since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    /// How long the trouble lasts or lasted, for people.
    #[serde(skip)]
    lasted: Option<String>,
}

impl Notice {
    pub(crate) fn of(report: &Report) -> Self {
        let (outcome, event) = match report.outcome() {
            Outcome::Succeeded => ("succeeded", Event::Success),
            Outcome::Warned => ("warned", Event::Warning),
            Outcome::Failed => ("failed", Event::Failure),
            Outcome::Interrupted => ("interrupted", Event::Failure),
            Outcome::Abandoned => ("abandoned", Event::Failure),
        };
        let counter = |name| report.counter(name);
        let notice = Self {
            version: 1,
            title: String::new(),
            name: run::job(),
            event,
            outcome,
            run: run::id(),
            dry_run: run::is_dry(),
            snapshot: report.snapshot(),
            message: report.message(),
            troubles: counter("troubles").unwrap_or(0),
            services_down: counter("services-down").unwrap_or(0),
            runs_not_well: 0,
            not_well_since: None,
            files: counter("files"),
            bytes: counter("bytes"),
            uploaded_bytes: counter("uploaded-bytes"),
            started_ms: counter("started-ms"),
            duration_ms: counter("duration-ms"),
            lasted: None,
        };
        notice.titled()
    }

    /// The same, told for this reason after those runs.
    pub(crate) fn about(mut self, event: Event, before: Option<&History>, now: i64) -> Self {
        self.event = event;
        self.runs_not_well = match event {
            Event::Recovery | Event::Success => before.map_or(0, |before| before.runs),
            Event::Failure | Event::Warning | Event::Reminder => History::with_this(before),
        };
        self.not_well_since = before.map(|before| before.since);
        self.lasted = before.map(|before| length(now.saturating_sub(before.since)));
        self.titled()
    }

    fn titled(mut self) -> Self {
        let words = match (self.event, self.outcome) {
            (Event::Recovery, "succeeded") => "backups are well again",
            (Event::Recovery, _) => "backups are sealed again, and fall short",
            (_, "succeeded") => "backup succeeded",
            (Event::Reminder, "warned") => "backups still fall short",
            (Event::Reminder, _) => "backups still fail",
            (_, "warned") => "backup sealed, but it fell short",
            (_, "interrupted") => "backup interrupted",
            (_, "abandoned") => "backup was killed",
            _ => "backup failed",
        };
        let down = if self.services_down > 0 {
            "A SERVICE IS DOWN, "
        } else {
            ""
        };
        self.title = format!("{}: {down}{words}", self.name);
        self
    }

    pub(crate) fn class(&self) -> Class {
        match self.outcome {
            "succeeded" => Class::Well,
            "warned" => Class::Short,
            _ => Class::Failed,
        }
    }

    pub(crate) fn is_down(&self) -> bool {
        self.services_down > 0
    }

    pub(crate) fn event(&self) -> Event {
        self.event
    }

    /// What tells this trouble from another: how it ended and its message, in which figures and times
    /// differ from night to night.
    pub(crate) fn what(&self) -> String {
        let mut what = self.outcome.to_owned();
        if self.is_down() {
            what.push_str(", down");
        }
        what.push_str(": ");
        let mut was_figure = false;
        for c in self.message.as_deref().unwrap_or_default().chars() {
            let is_figure = c.is_ascii_digit();
            match (is_figure, was_figure) {
                (false, _) => what.push(c),
                (true, false) => what.push('#'),
                (true, true) => {}
            }
            was_figure = is_figure;
        }
        what
    }

    /// The account for people, without the title.
    pub(crate) fn text(&self) -> String {
        let mut lines = Vec::new();
        lines.extend(self.message.clone());
        if self.troubles > 1 {
            lines.push(format!("and {} more", self.troubles - 1));
        }
        match (&self.lasted, self.event) {
            (Some(lasted), Event::Recovery) => {
                lines.push(format!("after {}, {lasted}", runs(self.runs_not_well)));
            }
            (Some(lasted), Event::Failure | Event::Warning | Event::Reminder) => {
                lines.push(format!("for {}, {lasted}", runs(self.runs_not_well)));
            }
            _ => {}
        }
        if let Some(snapshot) = &self.snapshot {
            lines.push(format!("snapshot {snapshot}"));
        }
        if let (Some(files), Some(bytes)) = (self.files, self.bytes) {
            lines.push(format!("{files} files, {bytes} bytes"));
        }
        lines.push(format!("see `copal history show {}`", self.run));
        lines.join("\n")
    }
}

fn runs(count: u64) -> String {
    match count {
        1 => "1 run that was not well".to_owned(),
        count => format!("{count} runs in a row that were not well"),
    }
}

/// A length of time in its largest unit.
fn length(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..=119 => (seconds.max(0), "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// A run that ended so.
#[cfg(test)]
pub(crate) fn sample(class: Class, message: &str) -> Notice {
    let (outcome, event) = match class {
        Class::Well => ("succeeded", Event::Success),
        Class::Short => ("warned", Event::Warning),
        Class::Failed => ("failed", Event::Failure),
    };
    let notice = Notice {
        version: 1,
        title: String::new(),
        name: "letters".into(),
        event,
        outcome,
        run: "run-7".into(),
        dry_run: false,
        snapshot: None,
        message: (!message.is_empty()).then(|| message.to_owned()),
        troubles: u64::from(!message.is_empty()),
        services_down: 0,
        runs_not_well: 0,
        not_well_since: None,
        files: None,
        bytes: None,
        uploaded_bytes: None,
        started_ms: None,
        duration_ms: None,
        lasted: None,
    };
    notice.titled()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_don_t_make_another_trouble_of_the_same() {
        let what = |message| sample(Class::Failed, message).what();
        assert_eq!(what("1234 bytes short"), what("99 bytes short"));
        assert_ne!(what("bytes short"), what("files short"));
        let short = sample(Class::Short, "x").what();
        assert_ne!(short, sample(Class::Failed, "x").what());
    }

    #[test]
    fn a_recovery_says_what_it_is_one_of() {
        let before = History {
            what: "failed: x".into(),
            since: 0,
            runs: 3,
            told: Some(0),
        };
        let well = sample(Class::Well, "").about(Event::Recovery, Some(&before), 2 * 86_400);
        assert_eq!(well.title, "letters: backups are well again");
        let text = well.text();
        assert!(
            text.starts_with("after 3 runs in a row that were not well, 2 days\n"),
            "{text}"
        );
    }

    #[test]
    fn a_length_is_told_in_its_largest_unit() {
        let told = [0, 1, 119, 120, 7_200, 172_800].map(length);
        assert_eq!(
            told,
            [
                "0 seconds",
                "1 second",
                "119 seconds",
                "2 minutes",
                "2 hours",
                "2 days"
            ]
        );
    }
}
