//! What `grant` and `revoke` share: the entries they are given, and the file they change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use copal_core::config::Builtin;
use copal_core::grants::{Capability, Grants};

use crate::cli::Global;
use crate::cli::open::configuration_file;
use crate::edge::whole;
use crate::error::CopalError;
use crate::hook_edit::{EditError, Editor, Entry};
use crate::hook_error::HookCommandError;

/// A configuration that is to be changed in one hook.
pub(super) struct Edited {
    pub(super) path: PathBuf,
    before: String,
    pub(super) editor: Editor,
}

impl Edited {
    /// The configuration, to be changed in its hook `name`.
    pub(super) fn open(name: &str, global: &Global) -> Result<Self, CopalError> {
        let (path, before) = configuration_file(global)?;
        let editor = Editor::new(&before, name).map_err(|source| unfit(&path, source))?;
        Ok(Self {
            path,
            before,
            editor,
        })
    }

    /// Looks at it or changes it.
    pub(super) fn with<T>(
        &mut self,
        change: impl FnOnce(&mut Editor) -> Result<T, EditError>,
    ) -> Result<T, HookCommandError> {
        change(&mut self.editor).map_err(|source| unfit(&self.path, source))
    }

    /// The text that is to be written: it is a configuration.
    pub(super) fn text(&self) -> Result<String, HookCommandError> {
        let valid = self.editor.valid(&self.path.display().to_string());
        valid.map_err(|source| unfit(&self.path, source))
    }

    /// Puts that text into the file, unless somebody else wrote there meanwhile.
    pub(super) fn write(&self, text: &str) -> Result<(), HookCommandError> {
        let not_written = |source| HookCommandError::NotWritten {
            path: self.path.clone(),
            source,
        };
        if fs::read_to_string(&self.path).map_err(not_written)? != self.before {
            return Err(not_written(io::Error::other("it was changed meanwhile")));
        }
        whole::rewrite(&self.path, text.as_bytes()).map_err(not_written)
    }
}

fn unfit(path: &Path, source: EditError) -> HookCommandError {
    HookCommandError::Edit {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

/// An edit that failed since the hook is part of Copal, which has no pin: with the line that grants
/// what was named.
pub(super) fn of_builtin(error: CopalError, named: &[Entry]) -> CopalError {
    let CopalError::HookCommand(error) = error else {
        return error;
    };
    let HookCommandError::Edit { path, source } = &*error else {
        return CopalError::HookCommand(error);
    };
    let (name, mut grants, is_used) = match &**source {
        EditError::BuiltIn { name, grants } => (name, Grants::clone(grants), true),
        EditError::NoSuchHook { name, .. } if name.parse::<Builtin>().is_ok() => {
            (name, Grants::default(), false)
        }
        _ => return CopalError::HookCommand(error),
    };
    for (capability, entry) in named {
        let read = grants.add_entry(*capability, entry);
        read.expect("it was read before");
    }
    let line = (!named.is_empty()).then(|| grants.line());
    HookCommandError::BuiltIn {
        path: path.clone(),
        name: name.clone(),
        line,
        is_used,
    }
    .into()
}

/// Reads each `http=POST https://ntfy.sh`; each as the gate understands it, which may be written
/// otherwise than it was typed.
pub(super) fn entries(arguments: &[String]) -> Result<Vec<Entry>, HookCommandError> {
    let read = arguments.iter().map(|argument| entry(argument));
    Ok(read.collect::<Result<Vec<_>, _>>()?.concat())
}

fn entry(argument: &str) -> Result<Vec<Entry>, HookCommandError> {
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
    let mut one = Grants::default();
    let read = one.add_entry(capability, value.trim());
    read.map_err(|invalid| unfit(invalid.why, invalid.as_argument))?;
    Ok(one.entries())
}
