//! `copal guard`: the process that releases what a run held, if the run is gone. Runs start it; its
//! outputs lead nowhere.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;

use crate::abandoned;
use crate::edge::state::StateDir;
use crate::holds::guard::serve;

#[derive(Debug, Args)]
pub(super) struct GuardArgs {
    /// The journal of the run
    journal: PathBuf,
}

pub(super) fn run(args: &GuardArgs) -> ExitCode {
    let journal = &args.journal;
    // <state>/holds/<run>.jsonl
    let state = journal.parent().and_then(Path::parent).map(StateDir::at);
    let served = serve(journal, &mut |settled| {
        let Some(state) = &state else { return };
        if let Err(error) = abandoned::keep(settled, state, Some(Timestamp::now())) {
            // Told to nobody, and of no weight beside what was released.
            tracing::warn!(%error, "the history does not know of the run");
        }
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the guard ends");
            ExitCode::FAILURE
        }
    }
}
