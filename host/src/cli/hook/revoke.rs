//! `copal hook revoke`

use clap::Args;

use super::edit::{Edited, entries};
use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::error::CopalError;
use crate::hook_edit::Editor;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// The hook's name in the configuration
    name: String,
    /// What to take away, as it was granted; everything, if nothing is named
    #[arg(value_name = "CAP=VALUE")]
    grants: Vec<String>,
}

pub(super) fn run(args: &RevokeArgs, global: &Global) -> Result<Exit, CopalError> {
    let named = entries(&args.grants)?;
    let mut edited = Edited::open(&args.name, global)?;
    let before = edited.with(Editor::grants)?;
    if named.is_empty() {
        edited.with(Editor::revoke_all)?;
    } else {
        edited.with(|editor| editor.revoke(&named))?;
    }
    let after = edited.with(Editor::grants)?;
    if before != after {
        edited.write(&edited.text()?)?;
    }
    show::hook_grant::print_revoked(&args.name, &before, &after, global.output())?;
    Ok(Exit::Done)
}
