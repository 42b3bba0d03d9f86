//! `copal history`

use clap::{Args, Subcommand};

use super::Global;
use super::ending::Exit;
use super::open::state;
use crate::edge::history::{History, RunRef};
use crate::error::CopalError;
use crate::record::Record;
use crate::show;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<HistoryCommand>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only runs of this job
    #[arg(long)]
    name: Option<String>,
    /// How many, the newest of them
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    /// Tell what a run did: how it ended, and each deed of each hook
    Show {
        /// Which run: its id, what that begins with, or `latest`
        run: String,
        /// With `latest`: of the runs of this job
        #[arg(long)]
        name: Option<String>,
    },
}

pub(super) fn run(args: &HistoryArgs, global: &Global) -> Result<Exit, CopalError> {
    let history = History::of(&state()?);
    match &args.command {
        None => {
            let rows = history.list(args.list.name.as_deref(), args.list.limit)?;
            show::history::print_list(&rows, global.output())?;
        }
        Some(HistoryCommand::Show { run, name }) => {
            let which = match (RunRef::from(run.as_str()), name) {
                (RunRef::Latest, Some(name)) => RunRef::LatestOf(name.clone()),
                (which, _) => which,
            };
            let record: Record = history.find(&which)?;
            show::history::print_record(&record, global.output())?;
        }
    }
    Ok(Exit::Done)
}
