//! `copal hook grant`

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use clap::Args;
use copal_core::grants::{Grants, InForce};

use super::component::ComponentFile;
use super::edit::{Edited, entries};
use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::error::CopalError;
use crate::hook_edit::{Editor, Entry};
use crate::hook_error::HookCommandError;
use crate::show;
use crate::show::hook_grant::Renewal;

#[derive(Debug, Args)]
pub(super) struct GrantArgs {
    /// The hook's name in the configuration
    name: String,
    /// What to grant besides what is granted: `http=POST https://ntfy.sh`, `state=true`
    #[arg(value_name = "CAP=VALUE")]
    grants: Vec<String>,
    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(args: &GrantArgs, global: &Global) -> Result<Exit, CopalError> {
    let added = entries(&args.grants)?;
    let mut edited = Edited::open(&args.name, global)?;
    let written = edited.with(Editor::written)?;
    let base = edited.path.parent().unwrap_or(Path::new(""));
    let component = ComponentFile::read(&base.join(&written.file))?;
    let digest = component.inspection.digest;
    let mut grants = written.grants;
    let new = new_entries(&added, &mut grants);
    let renewal = Renewal {
        name: &args.name,
        file: &written.file,
        before: written.sha256.as_deref(),
        digest,
        added: &new,
        in_force: &InForce {
            grants,
            requests: component.inspection.requests,
        },
    };
    if written.sha256.as_deref() == Some(&*digest.to_string()) && new.is_empty() {
        show::hook_grant::print(&renewal, global.output())?;
        return Ok(Exit::Done);
    }
    edited.with(|editor| {
        editor.has_tables_for(&new)?;
        editor.pin(digest)?;
        editor.grant(&new)
    })?;
    let text = edited.text()?;
    show::hook_grant::print(&renewal, global.output())?;
    if !args.yes {
        confirm(&args.name)?;
    }
    edited.write(&text)?;
    Ok(Exit::Done)
}

/// Adds what is not granted yet, and answers with it.
fn new_entries(added: &[Entry], grants: &mut Grants) -> Vec<Entry> {
    let mut new = Vec::new();
    for (capability, entry) in added {
        let before = grants.clone();
        grants
            .add_entry(*capability, entry)
            .expect("it was read before");
        if *grants != before {
            new.push((*capability, entry.clone()));
        }
    }
    new
}

/// Asks on the terminal.
fn confirm(name: &str) -> Result<(), HookCommandError> {
    let refused = |asked| HookCommandError::NotConfirmed {
        name: name.to_owned(),
        asked,
    };
    if !io::stdin().is_terminal() {
        return Err(refused(false));
    }
    let mut stderr = io::stderr().lock();
    drop(write!(stderr, "write this to the configuration? [y/N] "));
    drop(stderr.flush());
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match answer.trim() {
        "y" | "Y" | "yes" if read.is_ok() => Ok(()),
        _ => Err(refused(true)),
    }
}
