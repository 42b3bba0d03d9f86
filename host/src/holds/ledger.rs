//! What a journal comes to: which holds there were, and which of them are still to be released. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::edge::exchange::{Exchange, Live};
use crate::edge::service::{Deed, HoldHow, Undo};

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written.
    pub at: Timestamp,
    /// What happened, or is about to.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a journal can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Entry {
    /// A run is about to take its first hold.
    Begun(Begun),
    /// A hold is about to be taken: from here on it counts as taken.
    Holding {
        /// Its number in this journal.
        hold: u32,
        /// The service.
        service: String,
        /// How it is held.
        how: HoldHow,
        /// How it is undone.
        undo: Undo,
    },
    /// It is taken.
    Held {
        /// Its number.
        hold: u32,
    },
    /// What was to hold it was killed when its time was over: what that had begun may still come.
    GivenUp {
        /// Its number.
        hold: u32,
    },
    /// A part of it ended by itself in the moment before: it is not held, and stays down.
    Spared {
        /// The hold's number.
        hold: u32,
        /// The part, as its undo calls it.
        part: String,
    },
    /// It is about to be released.
    Releasing {
        /// Its number.
        hold: u32,
        /// Who is at it.
        by: By,
    },
    /// It is released.
    Released {
        /// Its number.
        hold: u32,
        /// Who did it.
        by: By,
        /// How long it lasted, in milliseconds.
        away_ms: u64,
    },
    /// It could not be released.
    Failed {
        /// Its number.
        hold: u32,
        /// Who tried.
        by: By,
        /// Why not.
        why: String,
        /// Whether it was since an engine did not answer: what that was asked for before may still come.
        #[serde(default)]
        was_silent: bool,
    },
    /// A tree is about to take the place of the live one.
    Exchanging(Exchange),
    /// It has.
    Exchanged,
    /// It has not: the old tree is live.
    PutBack,
    /// The run came to its end, and keeps a record of its own.
    Ended,
}

/// Whose journal it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The run's id.
    pub run: String,
    /// The job's name.
    pub job: String,
    /// When the run began.
    pub started: Timestamp,
    /// Its process.
    pub pid: u32,
    /// How long its holds may last together, in milliseconds; none where they last until the transfer
    /// has ended.
    pub max_pause_ms: Option<u64>,
}

/// Who releases a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The hook that had it taken.
    Hook,
    /// The run, at the end of staging or at its own.
    Run,
    /// The run, since `max_pause` was over.
    MaxPause,
    /// The guard, since the run was gone or did not do it.
    Guard,
    /// `copal recover`, or the next start of any command.
    Recovery,
}

impl By {
    /// Whether both are of the run itself, and not of another process.
    pub fn is_of_the_same(self, other: Self) -> bool {
        let is_run = |by| matches!(by, Self::Hook | Self::Run | Self::MaxPause);
        match (self, other) {
            (Self::Guard, Self::Guard) | (Self::Recovery, Self::Recovery) => true,
            (one, other) => is_run(one) && is_run(other),
        }
    }

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Run => "run",
            Self::MaxPause => "max-pause",
            Self::Guard => "guard",
            Self::Recovery => "recovery",
        }
    }
}

/// One hold, as far as the journal tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its number in the journal.
    pub number: u32,
    /// The service.
    pub service: String,
    /// How it is held.
    pub how: HoldHow,
    /// How it is undone.
    pub undo: Undo,
    /// When it was about to be taken.
    pub since: Timestamp,
    /// Whether it is known to have been taken.
    pub is_sure: bool,
    /// Whether what was done to take it may still have an effect.
    pub deed: Deed,
    /// Who began to release it, and when, and has not said what became of that.
    pub claim: Option<(By, Timestamp)>,
    /// Who released it, and how long it lasted then.
    pub released: Option<(By, Duration)>,
    /// Why it could not be released, when that was tried last.
    pub failed: Option<String>,
}

impl Hold {
    /// Which process other than that of `by` is releasing it, as far as that can still be under way.
    pub fn claimed(&self, by: By, now: Timestamp) -> Option<By> {
        let (other, at) = self.claim.filter(|(other, _)| !by.is_of_the_same(*other))?;
        let age = Duration::try_from(now.duration_since(at)).unwrap_or_default();
        let may_go_on = self.undo.longest().is_some_and(|longest| age < longest);
        may_go_on.then_some(other)
    }
}

/// What a journal says, from its first line to the last that is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Whose it is.
    pub begun: Option<Begun>,
    /// The holds in the order in which they were taken.
    pub holds: Vec<Hold>,
    /// The exchange of two trees, and which is live where that is known for certain.
    pub exchange: Option<(Exchange, Option<Live>)>,
    /// Whether the run came to its end.
    pub ended: bool,
    /// When its last line was written.
    pub last: Option<Timestamp>,
    /// Lines that are whole and that this version can't read.
    pub unreadable: usize,
}

impl Ledger {
    /// Reads a journal. A line that was cut short is one whose deed was not begun: it is left out.
    pub fn read(text: &[u8]) -> Self {
        let mut ledger = Self::default();
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            let whole = line.ends_with(b"\n");
            // After a loss of power, zeros may stand where the end of a line was to be.
            let line = line.trim_ascii_end();
            let end = line.iter().rposition(|byte| *byte != 0);
            let line = &line[..end.map_or(0, |last| last + 1)];
            match serde_json::from_slice::<Line>(line) {
                // The line feed is the proof that all of it was written.
                Ok(line) if whole => ledger.take(line),
                Ok(_) => {}
                Err(error) if !whole || error.is_eof() => {}
                Err(_) => ledger.unreadable += 1,
            }
        }
        ledger
    }

    fn take(&mut self, Line { at, entry }: Line) {
        self.last = Some(at);
        match entry {
            Entry::Begun(begun) => self.begun = Some(begun),
            Entry::Holding {
                hold: number,
                service,
                how,
                undo,
            } => self.holds.push(Hold {
                number,
                service,
                how,
                undo,
                since: at,
                is_sure: false,
                deed: Deed::Open { since: at },
                claim: None,
                released: None,
                failed: None,
            }),
            Entry::Held { hold } => self.change(hold, |hold| {
                hold.is_sure = true;
                hold.deed = Deed::Over;
            }),
            Entry::GivenUp { hold } => self.change(hold, |hold| {
                hold.deed = Deed::GivenUp { since: at };
            }),
            Entry::Spared { hold, part } => self.change(hold, |hold| hold.undo.spare(&part)),
            // Of two who begin at the same time, the first has it.
            Entry::Releasing { hold, by } => self.change(hold, |hold| {
                if hold.claimed(by, at).is_none() {
                    hold.claim = Some((by, at));
                }
            }),
            Entry::Released { hold, by, away_ms } => self.change(hold, |hold| {
                hold.released = Some((by, Duration::from_millis(away_ms)));
                hold.failed = None;
                hold.claim = None;
            }),
            Entry::Failed {
                hold,
                why,
                was_silent,
                ..
            } => self.change(hold, |hold| {
                hold.failed = Some(why);
                hold.claim = None;
                if was_silent {
                    hold.deed.reopen(at);
                }
            }),
            Entry::Exchanging(exchange) => self.exchange = Some((exchange, None)),
            Entry::Exchanged => self.set_live(Live::New),
            Entry::PutBack => self.set_live(Live::Old),
            Entry::Ended => self.ended = true,
        }
    }

    fn set_live(&mut self, which: Live) {
        if let Some((_, live)) = &mut self.exchange {
            *live = Some(which);
        }
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Hold)) {
        if let Some(hold) = self.holds.iter_mut().find(|hold| hold.number == number) {
            change(hold);
        }
    }

    /// One hold.
    pub fn hold(&self, number: u32) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.number == number)
    }

    /// What is still to be released, in the order in which it is to be: the last taken first.
    pub fn to_release(&self) -> impl Iterator<Item = &Hold> {
        let holds = self.holds.iter().rev();
        holds.filter(|hold| hold.released.is_none() && hold.undo != Undo::Nothing)
    }

    /// Whether an exchange was begun, and nobody has ended it.
    pub fn is_between_trees(&self) -> bool {
        self.exchange
            .as_ref()
            .is_some_and(|(_, live)| live.is_none())
    }

    /// Whether nothing that it lists, and nothing that can't be read, is left to do.
    pub fn is_settled(&self) -> bool {
        self.to_release().next().is_none() && self.unreadable == 0 && !self.is_between_trees()
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
