//! The exchange of two trees, under the eyes of the guard: a line in the run's journal before the first
//! rename, and one after the last. Whoever finds the first alone ends it, before anything is released: no
//! app is ever started on a mix.

use std::io;
use std::path::PathBuf;

use super::error::HoldsError;
use super::journal::{Journal, JournalError};
use super::ledger::{Entry, Hold, Ledger};
use super::left::Left;
use super::release::Book;
use super::run::Holds;
use super::trial::{self, Moment};
use crate::edge::exchange::{Exchange, Exchanged, Live, Moves};
use crate::edge::state::StateDir;

/// Why a tree did not take the place of another.
#[derive(Debug)]
pub enum ExchangeFailure {
    /// What has to be there before is not: nothing was begun.
    NotBegun(Box<HoldsError>),
    /// It failed, and the old tree is live.
    PutBack(io::Error),
    /// It failed, and so did going back.
    Stuck {
        /// Why it failed.
        why: io::Error,
        /// Why it can't be gone back.
        back: io::Error,
    },
}

/// An exchange that can't be brought to either end.
#[derive(Debug, Clone)]
pub struct Stuck {
    /// The source.
    pub live: PathBuf,
    /// Why.
    pub why: String,
}

impl Stuck {
    /// A service that is not resumed for that reason.
    pub(super) fn keeps(&self, hold: &Hold) -> Left {
        let live = self.live.display();
        Left {
            number: hold.number,
            service: hold.service.clone(),
            how: hold.how,
            why: format!(
                "its data in `{live}` is neither the old tree nor the restored one: {}",
                self.why
            ),
            next: format!("mend what keeps `{live}` from being put in order"),
        }
    }
}

impl Holds {
    /// Has a tree take the place of the live one. Killed at any moment, it is brought to one of its ends by
    /// the guard, or by `copal recover` and every next command. `first` is done when the journal knows of it,
    /// before anything moves: its failure is that of the exchange.
    pub fn exchange(
        &self,
        exchange: &Exchange,
        moves: Moves,
        first: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<Exchanged, ExchangeFailure> {
        let kept = &self.shared.kept;
        if let Some(terms) = &self.shared.terms {
            let begin = || {
                kept.on_guard(terms)?;
                kept.write(Entry::Exchanging(exchange.clone()))
                    .map_err(HoldsError::from)
            };
            begin().map_err(|error| ExchangeFailure::NotBegun(Box::new(error)))?;
        }
        // Until it is at an end nothing is released, by a panic either.
        self.mark_stuck(exchange, "the exchange is not at its end");
        let pass = |line| trial::pass("run", Moment::Before, line);
        let made = first().and_then(|()| {
            let made = exchange.make(moves, &pass)?;
            exchange.write_out()?;
            kept.write(Entry::Exchanged).map_err(io::Error::other)?;
            Ok(made)
        });
        let result = match made {
            Ok(made) => {
                exchange.tidy();
                Ok(made)
            }
            Err(why) => self.settle(exchange, moves, why),
        };
        if !matches!(result, Err(ExchangeFailure::Stuck { .. })) {
            *self.shared.stuck() = None;
        }
        result
    }

    /// Goes back from an exchange that failed, or ends it where all but the telling has happened.
    fn settle(
        &self,
        exchange: &Exchange,
        moves: Moves,
        why: io::Error,
    ) -> Result<Exchanged, ExchangeFailure> {
        let pass = |line| trial::pass("run", Moment::Before, line);
        match exchange.settle(moves, &pass) {
            Ok(Live::New) => Ok(Exchanged {
                before: exchange.before.clone(),
                keeps_name: None,
                not_written_down: Some(why),
            }),
            Ok(Live::Old | Live::Other) => {
                if let Err(error) = self.shared.kept.write(Entry::PutBack) {
                    // Whoever reads the journal finds it so.
                    tracing::warn!(%error, "without a line about it");
                }
                Err(ExchangeFailure::PutBack(why))
            }
            Err(back) => {
                self.mark_stuck(exchange, &back.to_string());
                Err(ExchangeFailure::Stuck { why, back })
            }
        }
    }

    fn mark_stuck(&self, exchange: &Exchange, why: &str) {
        *self.shared.stuck() = Some(Stuck {
            live: exchange.live.clone(),
            why: why.to_owned(),
        });
    }
}

/// An error while an exchange of this job is at neither end: its source is no tree to back up, and what lies
/// beside it none to delete.
pub fn at_an_end(state: &StateDir, job: &str) -> Result<(), HoldsError> {
    for path in Journal::all(state)? {
        let Some(journal) = Journal::open(&path, "look")? else {
            continue;
        };
        let ledger = journal.read()?;
        let is_of_job = ledger.begun.as_ref().is_some_and(|begun| begun.job == job);
        if let Some((exchange, None)) = ledger.exchange.filter(|_| is_of_job) {
            return Err(HoldsError::Between {
                live: exchange.live,
                why: "an exchange of trees was begun, and is at neither end".to_owned(),
            });
        }
    }
    Ok(())
}

/// What became of an exchange whose run is gone.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Which tree is live, where that was decided just now.
    pub(super) live: Option<Live>,
    /// It could not be ended.
    pub(super) stuck: Option<Stuck>,
    pub(super) unwritten: Option<JournalError>,
}

/// Ends the exchange that a journal tells of and that its run has not ended.
pub(super) fn end(journal: &Journal, ledger: &mut Ledger, whose: &str) -> Ended {
    let mut ended = Ended::default();
    let Some((exchange, live)) = &mut ledger.exchange else {
        return ended;
    };
    match live {
        Some(Live::New) => exchange.tidy(),
        Some(_) => {}
        None => {
            let pass = |line| trial::pass(whose, Moment::Before, line);
            match exchange.settle(Moves::REAL, &pass) {
                Ok(which) => {
                    let entry = match which {
                        Live::New => Entry::Exchanged,
                        Live::Old | Live::Other => Entry::PutBack,
                    };
                    ended.unwritten = journal.write(entry).err();
                    *live = Some(which);
                    ended.live = Some(which);
                }
                Err(error) => {
                    ended.stuck = Some(Stuck {
                        live: exchange.live.clone(),
                        why: error.to_string(),
                    });
                }
            }
        }
    }
    ended
}
