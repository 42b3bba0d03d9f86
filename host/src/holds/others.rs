//! Services that another run holds.

use super::error::HoldFailure;
use super::journal::Journal;
use super::ledger::Hold;
use crate::edge::service::Part;
use crate::edge::state::StateDir;

/// An error if a run other than `run` holds something of these still. Jobs may have names of their own for
/// one service, so that it is looked for by its parts.
///
/// Such a service is not for this run to rely on, nor to hold: that one may release it at any moment.
pub fn nobody_elses(
    state: &StateDir,
    run: &str,
    service: &str,
    parts: &[Part],
) -> Result<(), HoldFailure> {
    for path in Journal::all(state)? {
        let Some(journal) = Journal::open(&path, "run")? else {
            continue;
        };
        let ledger = journal.read()?;
        let Some(begun) = ledger.begun.as_ref().filter(|begun| begun.run != run) else {
            continue;
        };
        let is_ours = |hold: &&Hold| hold.undo.parts().iter().any(|part| parts.contains(part));
        if let Some(hold) = ledger.to_release().find(is_ours) {
            return Err(HoldFailure::Elsewhere {
                service: service.to_owned(),
                since: hold.since,
                run: begun.run.clone(),
                job: begun.job.clone(),
            });
        }
    }
    Ok(())
}
