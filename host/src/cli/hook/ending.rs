//! The part of the table of endings that is about `copal hook …`.

use std::path::Path;

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
        HookCommandError::BuiltIn {
            name,
            line,
            is_used,
            ..
        } => of_builtin(name, line.as_deref(), *is_used),
        HookCommandError::NewlyInForce { name, all, .. } => {
            let arguments: Vec<_> = all.iter().map(advice::argument).collect();
            usage(format!(
                "look at the above, then name what may be: `copal hook grant {name} --yes {}`; or say that all of it may: \
                 `copal hook grant {name} --yes --accept-new`",
                arguments.join(" ")
            ))
        }
        HookCommandError::NotConfirmed { name, asked: false } => usage(format!(
            "look at the above, then say `copal hook grant {name} --yes` with the same grants"
        )),
        HookCommandError::NotConfirmed { asked: true, .. } => {
            usage("say it again when you have looked")
        }
        HookCommandError::ProjectName(_) => usage("choose one like `my-hook`"),
        HookCommandError::WouldBeRefused(_) => usage(
            "put back or mend what can't be used; where a file is another than the one that was pinned, find out why, \
             and renew its pin with `copal hook grant NAME`",
        ),
        HookCommandError::Engine(_) => failed(
            "Copal's hooks need a 64-bit x86 or ARM processor and leave to map executable memory",
        ),
        HookCommandError::Config(_) => usage(
            "quote it for the shell: copal hook bench FILE --hook-config '{\"suffixes\": [\".tmp\"]}'",
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

fn of_builtin(name: &str, line: Option<&str>, is_used: bool) -> Ending {
    usage(match (is_used, line) {
        (true, None) => {
            "it is part of Copal; write its `grants` into the configuration yourself".to_owned()
        }
        (true, Some(line)) => format!(
            "put this line into its [[hook]], in place of its `grants` line where it has one: {line}"
        ),
        (false, line) => format!(
            "add it to the configuration, with what it may touch:\n\n[[hook]]\nuse = \"{name}\"\n{}",
            line.unwrap_or("grants = {}")
        ),
    })
}

fn of_edit(error: &EditError) -> Ending {
    match error {
        EditError::Syntax(_) => usage("mend it; `copal plan` shows where"),
        EditError::NoSuchHook { known, .. } if known.is_empty() => {
            usage("add a [[hook]] with `file = \"….wasm\"` first")
        }
        EditError::NoSuchHook { known, .. } => usage(format!("there are {}", known.join(", "))),
        EditError::Ambiguous(_) => usage("give each a `name` of its own"),
        EditError::BuiltIn { name, .. } => of_builtin(name, None, true),
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
        HookTestError::Failed { file, spec, .. } => {
            let word = |path: &Path| advice::word(&path.display().to_string());
            let spec = spec
                .as_deref()
                .map(|spec| format!(" --spec {}", word(spec)));
            failed(format!(
                "mend the hook; or, where it is right, take over what it does: `copal hook test {}{} --update`",
                word(file),
                spec.unwrap_or_default()
            ))
        }
    }
}
