//! Holds: services that are kept still for a while, and how every one of them is released, whatever
//! becomes of the process that took it.
//!
//! A run ([`Holds`]) writes each hold into a [`journal`] before the deed. What that lists and does not
//! say to be released is released by the run at the end of staging or at `max_pause`; by the [`guard`],
//! a small process beside it, when the run is killed or hangs; and by [`recovery`] where both are gone.

pub mod error;
pub mod guard;
pub mod journal;
pub mod ledger;
pub mod recovery;
pub mod release;

mod attempt;
mod copying;
mod exchange;
mod finish;
mod kept;
mod left;
mod others;
mod register;
mod run;
mod take;
mod terms;
mod trial;
mod watchdog;

pub use copying::Copying;
pub use error::{HoldFailure, HoldsError, held};
pub use exchange::{ExchangeFailure, Stuck, at_an_end};
pub use finish::Finished;
pub use others::nobody_elses;
pub use register::Away;
pub use run::{Bracket, Holds};
pub use terms::Terms;
