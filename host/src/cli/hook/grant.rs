//! `copal hook grant`

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use clap::Args;
use copal_core::digest::Sha256;
use copal_core::grants::{Grants, InForce};

use super::component::ComponentFile;
use super::edit::{Edited, entries, of_builtin};
use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::edge::state::StateDir;
use crate::error::CopalError;
use crate::hook_edit::{Editor, Entry, Written};
use crate::hook_error::HookCommandError;
use crate::hook_requests::KnownRequests;
use crate::show;
use crate::show::hook_grant::{Before, Renewal};

#[derive(Debug, Args)]
pub(super) struct GrantArgs {
    /// The hook's name in the configuration
    name: String,
    /// What to grant besides what is granted: `http=POST https://ntfy.sh`, `state=true`
    #[arg(value_name = "CAP=VALUE")]
    grants: Vec<String>,
    /// Don't ask. Where a changed component would get what was granted before and was not in force,
    /// nothing is written unless that is named, or --accept-new is said
    #[arg(short, long)]
    yes: bool,
    /// With --yes, also take what was granted before and would be in force for the first time
    #[arg(long, requires = "yes")]
    accept_new: bool,
}

pub(super) fn run(args: &GrantArgs, global: &Global) -> Result<Exit, CopalError> {
    let named = entries(&args.grants)?;
    let mut edited = Edited::open(&args.name, global).map_err(|it| of_builtin(it, &named))?;
    let written = edited.with(Editor::written);
    let written = written.map_err(|it| of_builtin(it.into(), &named))?;
    let base = edited.path.parent().unwrap_or(Path::new(""));
    let component = ComponentFile::read(&base.join(&written.file))?;
    let known = StateDir::from_environment().map(|state| KnownRequests::of(&state));
    let before = before(&written, &component, known.as_ref());
    let mut grants = written.grants;
    let new = new_entries(&named, &mut grants);
    let in_force = InForce {
        grants,
        requests: component.inspection.requests,
    };
    let renewal = Renewal {
        name: &args.name,
        file: &written.file,
        pinned: written.sha256.as_deref(),
        before: &before,
        digest: component.inspection.digest,
        added: &new,
        in_force: &in_force,
    };
    let keep = || remember(known.as_ref(), renewal.digest, &in_force, global);
    if before.is_same() && new.is_empty() {
        show::hook_grant::print(&renewal, global.output())?;
        keep();
        return Ok(Exit::Done);
    }
    edited.with(|editor| {
        editor.has_tables_for(&new)?;
        editor.pin(renewal.digest)?;
        editor.grant(&new)
    })?;
    let text = edited.text()?;
    show::hook_grant::print(&renewal, global.output())?;
    if !args.yes {
        confirm(&args.name)?;
    } else if !args.accept_new {
        all_named(&renewal, &named)?;
    }
    edited.write(&text)?;
    keep();
    Ok(Exit::Done)
}

/// What was in force until now.
fn before(written: &Written, component: &ComponentFile, known: Option<&KnownRequests>) -> Before {
    let grants = written.grants.clone();
    let Some(pinned) = &written.sha256 else {
        return Before::Unpinned;
    };
    let pinned: Option<Sha256> = pinned.parse().ok();
    if pinned == Some(component.inspection.digest) {
        let requests = component.inspection.requests.clone();
        return Before::Same(InForce { grants, requests });
    }
    let requests = pinned.and_then(|pinned| known?.get(&pinned));
    match requests {
        Some(requests) => Before::Other(InForce { grants, requests }),
        None => Before::Unknown,
    }
}

/// Adds what is not granted yet, and answers with it.
fn new_entries(named: &[Entry], grants: &mut Grants) -> Vec<Entry> {
    let mut new = Vec::new();
    for (capability, entry) in named {
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

/// Refuses where something would be in force that was granted to another component, had no effect
/// there as far as is known, and is not named now.
fn all_named(renewal: &Renewal<'_>, named: &[Entry]) -> Result<(), HookCommandError> {
    let mut accepted = match renewal.before {
        Before::Unpinned => return Ok(()),
        Before::Same(was) | Before::Other(was) => was.both(),
        Before::Unknown => Grants::default(),
    };
    for (capability, entry) in named {
        let read = accepted.add_entry(*capability, entry);
        read.expect("it was read before");
    }
    let unnamed = renewal.in_force.both().beyond(&accepted);
    if unnamed.is_empty() {
        return Ok(());
    }
    Err(HookCommandError::NewlyInForce {
        name: renewal.name.to_owned(),
        unnamed,
        all: renewal.change().gained,
    })
}

/// Keeps what the component requests, for the next renewal.
fn remember(known: Option<&KnownRequests>, digest: Sha256, in_force: &InForce, global: &Global) {
    let kept = known.map_or(Ok(()), |known| {
        known.keep(&digest, in_force.requests.as_ref())
    });
    if let Err(error) = kept
        && !global.quiet
    {
        show::message::note(&format!(
            "what this component requests can't be kept ({error}): the next renewal of the pin will not \
             tell what changes"
        ));
    }
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
