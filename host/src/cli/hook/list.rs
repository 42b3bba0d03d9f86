//! `copal hook list`

use std::path::Path;

use copal_core::config::{self, Component};

use super::component::ComponentFile;
use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::cli::open::configured;
use crate::error::CopalError;
use crate::hook_error::HookCommandError;
use crate::show;
use crate::show::hook_list::{Listed, Pin};

pub(super) fn run(global: &Global) -> Result<Exit, CopalError> {
    let job = configured(global)?;
    let hooks = job.config.hooks().iter();
    let listed: Vec<_> = hooks.map(|hook| listed(hook, &job.base)).collect();
    let refused = listed.iter().filter(|hook| !hook.is_accepted()).count();
    show::hook_list::print(&listed, global.output())?;
    match refused {
        0 => Ok(Exit::Done),
        refused => Err(HookCommandError::WouldBeRefused(refused).into()),
    }
}

fn listed<'a>(hook: &'a config::Hook, base: &Path) -> Listed<'a> {
    let (component, inspection) = match &hook.component {
        Component::Builtin(builtin) => {
            let bytes = copal_hooks::builtin(builtin.name())
                .expect("every built-in that a configuration may name is part of the binary");
            let inspection = copal_hooks::inspect(bytes).map_err(|flaw| vec![flaw.to_string()]);
            (builtin.name().to_owned(), inspection)
        }
        Component::File(file) => {
            let read = ComponentFile::read(&file.resolve(base));
            let inspection = read.map(|read| read.inspection);
            let shown = file.as_written().display().to_string();
            (
                shown,
                inspection.map_err(|error| vec![CopalError::from(error).in_one_line()]),
            )
        }
    };
    let pin = match (&hook.component, hook.sha256, &inspection) {
        (Component::Builtin(_), ..) => Pin::BuiltIn,
        (_, Some(pinned), Ok(found)) if pinned == found.digest => Pin::Kept,
        (_, Some(_), Err(_)) => Pin::Unknown,
        (_, Some(pinned), Ok(_)) => Pin::Changed(pinned),
        (_, None, _) => Pin::Missing,
    };
    Listed {
        hook,
        component,
        inspection,
        pin,
    }
}
