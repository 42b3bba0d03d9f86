//! `copal hook grant`

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use clap::Args;
use copal_core::grants::{Capability, Grants};

use super::component::ComponentFile;
use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::cli::open::configuration_file;
use crate::error::CopalError;
use crate::hook_edit::{Editor, rewrite};
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
    let added = args.grants.iter().map(|text| entry(text));
    let added: Vec<_> = added.collect::<Result<_, _>>()?;
    let (path, text) = configuration_file(global)?;
    let unfit = |source| HookCommandError::Edit {
        path: path.clone(),
        source,
    };
    let mut editor = Editor::new(&text, &args.name).map_err(unfit)?;
    let written = editor.written().map_err(unfit)?;
    let base = path.parent().unwrap_or(Path::new(""));
    let component = ComponentFile::read(&base.join(&written.file))?;
    let found = &component.inspection;
    let mut grants = written.grants.clone();
    let new = new_entries(&added, &mut grants);
    let renewal = Renewal {
        name: &args.name,
        file: &written.file,
        before: written.sha256.as_deref(),
        digest: found.digest,
        added: &new,
        grants: &grants,
        requests: found.requests.as_ref(),
    };
    let pinned = written.sha256.as_deref() == Some(&*found.digest.to_string());
    show::hook_grant::print(&renewal, global.output())?;
    if pinned && new.is_empty() {
        return Ok(Exit::Done);
    }
    if !args.yes {
        confirm(&args.name)?;
    }
    editor.pin(found.digest).map_err(unfit)?;
    editor.grant(&new).map_err(unfit)?;
    write(&path, &text, &editor.text())?;
    Ok(Exit::Done)
}

/// Puts the new text into the configuration, unless somebody else wrote there meanwhile.
fn write(path: &Path, read: &str, text: &str) -> Result<(), HookCommandError> {
    let not_written = |source| HookCommandError::NotWritten {
        path: path.to_owned(),
        source,
    };
    if fs::read_to_string(path).map_err(not_written)? != read {
        return Err(not_written(io::Error::other("it was changed meanwhile")));
    }
    rewrite(path, text).map_err(not_written)
}

/// Reads `http=POST https://ntfy.sh`.
fn entry(argument: &str) -> Result<(Capability, String), HookCommandError> {
    let unfit = |why: String, next: String| HookCommandError::Grant {
        argument: argument.to_owned(),
        why,
        next,
    };
    let all = Capability::ALL.map(Capability::name).join("`, `");
    let Some((name, value)) = argument.split_once('=') else {
        let why = "it names no capability".to_owned();
        return Err(unfit(
            why,
            "write `CAP=VALUE`, for example `state=true`".into(),
        ));
    };
    let capability: Capability = name.trim().parse().map_err(|_| {
        unfit(
            format!("no capability is named `{name}`"),
            format!("there are `{all}`"),
        )
    })?;
    let read = Grants::default().add_entry(capability, value.trim());
    read.map_err(|invalid| unfit(invalid.why, invalid.next))?;
    Ok((capability, value.trim().to_owned()))
}

/// Adds what is not granted yet, and answers with it.
fn new_entries(added: &[(Capability, String)], grants: &mut Grants) -> Vec<(Capability, String)> {
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
