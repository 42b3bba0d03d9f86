//! `copal completions` and `copal man`: what is made of the command line itself.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::Global;
use super::ending::Exit;
use crate::error::CopalError;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell that is to complete Copal's commands
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Directory to write a page for each command into; it is made where it is missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(super) fn completions(
    args: &CompletionsArgs,
    command: &mut clap::Command,
) -> Result<Exit, CopalError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "copal", &mut script);
    show::result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub(super) fn man(
    args: &ManArgs,
    command: clap::Command,
    global: &Global,
) -> Result<Exit, CopalError> {
    let failed = |source| CopalError::Unwritable {
        path: args.directory.clone(),
        source,
    };
    fs::create_dir_all(&args.directory).map_err(failed)?;
    clap_mangen::generate_to(command.disable_help_subcommand(true), &args.directory)
        .map_err(failed)?;
    show::generated::print_pages(&args.directory, global.output())?;
    Ok(Exit::Done)
}
