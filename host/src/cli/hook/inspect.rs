//! `copal hook inspect`

use std::path::PathBuf;

use clap::Args;

use super::component::ComponentFile;
use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::error::CopalError;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The component
    file: PathBuf,
}

pub(super) fn run(args: &InspectArgs, global: &Global) -> Result<Exit, CopalError> {
    let component = ComponentFile::read(&args.file)?;
    show::hook::inspection(&component.inspection, global.output())?;
    Ok(Exit::Done)
}
