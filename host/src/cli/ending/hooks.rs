//! What to do about hooks.

use copal_core::filter::RuleFault;
use copal_core::grants::Capability;
use copal_hooks::{Cause, Denial, FailureKind, HookFailure, Phase};

use super::{Ending, failed, usage};
use crate::filters::FilterFailed;
use crate::hooks::HooksError;
use crate::pin::PinError;

pub(super) fn of_hooks(error: &HooksError) -> Ending {
    match error {
        HooksError::Engine(_) => failed(
            "Copal's hooks need a 64-bit x86 or ARM processor and leave to map executable memory",
        ),
        HooksError::Unreadable { .. } => {
            usage("paths of hooks are relative to the configuration file; check `file`")
        }
        HooksError::Pin(pin) => of_pin(pin),
        HooksError::Refused(_) => usage(
            "build the component anew against the interfaces of this version (`wit/`), or take it out of the configuration",
        ),
    }
}

pub(super) fn of_pin(error: &PinError) -> Ending {
    match error {
        PinError::Unpinned { hook, digest, .. } => usage(format!(
            "if that component is the one you mean, put this line into its [[hook]]: sha256 = \"{digest}\" (`copal hook grant {hook}` shows what it asks for, and writes it)"
        )),
        PinError::Changed { hook, .. } => usage(format!(
            "if that is as it should be, look at what it asks for and grant it anew: `copal hook grant {hook}`"
        )),
    }
}

pub(in crate::cli) fn of_hook(failure: &HookFailure) -> Ending {
    match &failure.kind {
        FailureKind::Denied(denial) => usage(match &denial.cause {
            Cause::NotGranted { line } => {
                let table = table_of(denial).map_or_else(String::new, |table| {
                    format!(" (and where the configuration has no {table} yet, write it)")
                });
                format!(
                    "if it should, put this line into its [[hook]], in place of its `grants` line where it has one{table}: {line}"
                )
            }
            Cause::NotRequested { lacks, .. } => format!(
                "no grant helps: its author has to write `{lacks}` below [requests] in its hook.toml, and build it anew; then grant it"
            ),
        }),
        FailureKind::Error { .. } => failed(match failure.phase {
            Phase::PostBackup | Phase::PostRestore => {
                "mend what it names; what the run itself came to stands"
            }
            Phase::PreBackup | Phase::Filter | Phase::Staged => {
                "mend what it names, and run the backup again"
            }
            Phase::PreRestore => "nothing was changed; mend what it names, and restore again",
            Phase::Drill => {
                "to the hook this snapshot does not work: see what it names, and drill an older one"
            }
        }),
        FailureKind::TimedOut { .. } | FailureKind::OutOfMemory { .. } => failed(
            "if it needs more, raise its `limits` in the configuration; else tell its author",
        ),
        FailureKind::Trap { .. }
        | FailureKind::OutOfStack { .. }
        | FailureKind::BeyondLimit(_)
        | FailureKind::BadAnswer(_)
        | FailureKind::NotExported => failed(
            "this is a fault of the hook: tell its author, with what the same command says with `-v`",
        ),
        FailureKind::Interrupted => failed("run it again when you like"),
        FailureKind::CutShort { .. } => failed(
            "see to what it would have done; without a signal it has the time that its `limits` say",
        ),
        FailureKind::Host(_) => failed(
            "this is a fault of Copal's: please report it, with the log of `copal backup -vv`",
        ),
    }
}

/// The table of copal.toml that says what was denied, where a name alone says nothing.
fn table_of(denial: &Denial) -> Option<String> {
    let name = &denial.value;
    match denial.capability {
        Capability::Command => Some(format!("[command.{name}]")),
        Capability::Secrets | Capability::Reveal => Some(format!("[secret.{name}]")),
        Capability::Service => Some(format!("[service.{name}]")),
        Capability::Sqlite
        | Capability::Query
        | Capability::Update
        | Capability::Archive
        | Capability::Http
        | Capability::State
        | Capability::Files => None,
    }
}

pub(super) fn of_filter(error: &FilterFailed) -> Ending {
    match error {
        FilterFailed::Hook(failure) => of_hook(failure),
        FilterFailed::Rules { source, .. } if source.reason == RuleFault::TooMuch => {
            usage("have the hook answer with fewer or shorter rules, or decide by itself")
        }
        FilterFailed::Rules { .. } => {
            usage("write rules as rclone's filter files have them: `+ PATTERN` or `- PATTERN`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(capability: Capability, value: &str) -> String {
        let line = "grants = {}".to_owned();
        of_denial(capability, value, Cause::NotGranted { line })
    }

    fn of_denial(capability: Capability, value: &str, cause: Cause) -> String {
        of_hook(&HookFailure {
            hook: "own".to_owned(),
            phase: Phase::PreBackup,
            kind: FailureKind::Denied(Box::new(Denial {
                hook: "own".to_owned(),
                capability,
                value: value.to_owned(),
                cause,
            })),
            last_words: Vec::new(),
            account: Box::default(),
        })
        .next
    }

    #[test]
    fn what_only_copal_toml_can_give_a_meaning_is_named_with_its_table() {
        assert!(next(Capability::Command, "dump").contains("[command.dump]"));
        assert!(next(Capability::Secrets, "token").contains("[secret.token]"));
        assert!(next(Capability::Reveal, "token").contains("[secret.token]"));
        assert!(next(Capability::Sqlite, "app.db").ends_with("grants = {}"));
    }

    #[test]
    fn what_a_component_does_not_request_is_its_authors_to_add() {
        let next = of_denial(
            Capability::State,
            "true",
            Cause::NotRequested {
                requests: "{}".to_owned(),
                lacks: "state = true".to_owned(),
            },
        );
        assert!(
            next.contains("`state = true` below [requests] in its hook.toml"),
            "{next}"
        );
    }
}
