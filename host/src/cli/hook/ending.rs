//! The part of the table of endings that is about `copal hook …`.

use copal_hooks::Flaw;

use crate::cli::ending::{Ending, failed, of_hook, usage};
use crate::hook_edit::EditError;
use crate::hook_error::HookCommandError;
use crate::hook_test::HookTestError;
use crate::show::advice;

pub(in crate::cli) fn ending(error: &HookCommandError) -> Ending {
    match error {
        HookCommandError::Unreadable { .. } => {
            usage("check that the file exists and that you may read it")
        }
        HookCommandError::NotWritten { .. } => failed("check the rights and the room there"),
        HookCommandError::Exists(_) => usage("choose another name, or remove it"),
        HookCommandError::Refused { source, .. } => of_flaw(source),
        HookCommandError::NotEncoded { .. } => usage(
            "build it with wit-bindgen against `wit/`, for wasm32-unknown-unknown, or for wasm32-wasi as a reactor",
        ),
        HookCommandError::Requests { .. } => usage(
            "write `[requests]` and below it what `grants` in copal.toml would have, for example `state = true`",
        ),
        HookCommandError::Edit { source, .. } => of_edit(source),
        HookCommandError::Grant { next, .. } => usage(next.clone()),
        HookCommandError::NotConfirmed { name, asked: false } => usage(format!(
            "look at the above, then say `copal hook grant {name} --yes` with the same grants"
        )),
        HookCommandError::NotConfirmed { asked: true, .. } => {
            usage("say it again when you have looked")
        }
        HookCommandError::ProjectName(_) => usage("choose one like `my-hook`"),
        HookCommandError::WouldBeRefused(_) => usage(
            "renew a changed hook's pin with `copal hook grant NAME`, once you know why it changed",
        ),
        HookCommandError::Engine(_) => failed(
            "Copal's hooks need a 64-bit x86 or ARM processor and leave to map executable memory",
        ),
        HookCommandError::Failed(failure) => of_hook(failure),
        HookCommandError::Test(test) => of_test(test),
    }
}

fn of_flaw(flaw: &Flaw) -> Ending {
    match flaw {
        Flaw::CoreModule => {
            usage("make a component of it: `copal hook pack FILE --requests hook.toml -o OUT`")
        }
        Flaw::Requests(_) => {
            usage("pack it anew: `copal hook pack FILE --requests hook.toml -o OUT`")
        }
        _ => usage("build the component anew against the interfaces of this version (`wit/`)"),
    }
}

fn of_edit(error: &EditError) -> Ending {
    match error {
        EditError::Syntax(_) => usage("mend it; `copal plan` shows where"),
        EditError::NoSuchHook { known, .. } if known.is_empty() => {
            usage("add a [[hook]] with `file = \"….wasm\"` first")
        }
        EditError::NoSuchHook { known, .. } => usage(format!("there are {}", known.join(", "))),
        EditError::Ambiguous(_) => usage("give each a `name` of its own"),
        EditError::BuiltIn(_) => usage(
            "it is part of Copal and needs no pin; write its `grants` into the configuration yourself",
        ),
        EditError::NoFile(_) => usage("say where its component is: `file = \"….wasm\"`"),
        EditError::Grants { .. } => usage("mend them; `copal plan` shows where"),
        EditError::NotGranted { granted, .. } if granted.is_empty() => {
            usage("nothing is granted to it; look at it with `copal hook list`")
        }
        EditError::NotGranted { name, granted, .. } => {
            let arguments: Vec<_> = granted.iter().map(advice::argument).collect();
            usage(format!(
                "name what it has: `copal hook revoke {name} {}`",
                arguments.join(" ")
            ))
        }
        EditError::NoTable { table, example, .. } => usage(format!(
            "nothing was written; add the table to the configuration, and say this again:\n\n{table}\n{example}"
        )),
        EditError::Invalid(_) => usage("nothing was written; mend the configuration first"),
    }
}

fn of_test(error: &HookTestError) -> Ending {
    match error {
        HookTestError::Unreadable { .. } => usage("check `--spec`"),
        HookTestError::Spec { .. } | HookTestError::Given { .. } => {
            usage("docs/hook-test.md says what can stand there")
        }
        HookTestError::Config { .. } => usage("write the number as text"),
        HookTestError::Refused(error) => of_flaw(&error.flaw),
        HookTestError::NotUpdatable { .. } => usage("write each case as a `[[case]]`"),
        HookTestError::NotUpdated { .. } => failed("check the rights and the room there"),
        HookTestError::Failed { .. } => failed(
            "mend the hook; or, where it is right, take over what it does with `copal hook test --update`",
        ),
    }
}
