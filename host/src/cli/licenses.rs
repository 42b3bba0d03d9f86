//! `copal licenses`

use clap::Args;

use super::Global;
use super::ending::Exit;
use crate::error::CopalError;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct LicensesArgs {
    /// The texts of the licences as well
    #[arg(long)]
    full: bool,
}

pub(super) fn run(args: &LicensesArgs, global: &Global) -> Result<Exit, CopalError> {
    show::licenses::print(args.full, global.output())?;
    Ok(Exit::Done)
}
