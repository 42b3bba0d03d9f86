//! What to do about services that are held, or were not held long enough.

use super::{Ending, failed, usage};
use crate::capability::unheld::{CantHold, Unheld};
use crate::edge::service::{Loss, NotReady};
use crate::holds::HoldsError;

/// What to do about a source that is between two trees, whoever found it so.
pub(super) const BETWEEN: &str =
    "mend what it names; then `copal recover` brings the old tree back, and resumes what is held";

pub(super) fn of_holds(error: &HoldsError) -> Ending {
    match error {
        HoldsError::Unreleased(left) => failed(format!(
            "{}; then `copal recover` resumes it: its journal is kept",
            left.next
        )),
        HoldsError::Between { .. } => failed(BETWEEN),
        HoldsError::NotBack { source, .. } => failed(match source {
            NotReady::Unknown(error) => error.advice(),
            NotReady::Late { .. }
            | NotReady::Interrupted { .. }
            | NotReady::Gone { .. }
            | NotReady::Down { .. } => {
                "look at the service's own log, and start it by hand; if it only takes longer, give it more time with `ready` in its [service] table".to_owned()
            }
        }),
        HoldsError::Unreadable(_) => failed(
            "run `copal recover` with the version of Copal that wrote it; if every service runs, remove the file",
        ),
        HoldsError::StaysAway { source, .. } => match source {
            NotReady::Down { name, .. } => failed(format!(
                "`docker start {name}`; with a restart policy its engine does that itself"
            )),
            _ => failed("see who removed it, and whether it is to be there"),
        },
        HoldsError::Lost { loss, .. } => failed(match loss {
            Loss::Resumed | Loss::Between(_) => {
                "see what resumed it (an engine that restarted, a watcher, another job or tool that holds the same one, a person), and run the backup again"
            }
            Loss::Removed(_) | Loss::Anew(_) => {
                "see who removed it (a person, `docker compose up`, what updates images), and run the backup again when nobody does"
            }
            Loss::Ended(_) => {
                "see what ended it (its engine that restarted, a person), and run the backup again when it runs"
            }
        }),
        HoldsError::Unwatched(source) => failed(source.advice()),
        HoldsError::Unseen { source, .. } => {
            failed(format!("{}; then run the backup again", source.advice()))
        }
        HoldsError::Overdue(_) => failed(
            "give it more time with `max_pause` in [staging], or have less done while services are held: `copal history show latest` tells how long each deed took",
        ),
        HoldsError::Journal(_) => failed(
            "make room in Copal's state directory or give the rights, or set COPAL_STATE_DIR to another",
        ),
        HoldsError::Guard(_) => failed(
            "see that a process can be started: its limits, its memory; without a guard nothing is held",
        ),
    }
}

pub(super) fn of_not_there(unheld: &Unheld) -> Ending {
    failed(format!(
        "mend [service.{0}], or take `{0}` out of what hooks are granted, and hold: `copal plan` shows what is found of each service",
        unheld.service
    ))
}

/// What has to be mended in the configuration is no failure of this run alone.
pub(super) fn of_cant_hold(fault: &CantHold) -> Ending {
    let next = fault.next.clone();
    if fault.is_configured_so {
        usage(next)
    } else {
        failed(next)
    }
}
