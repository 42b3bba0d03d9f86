//! Renews what a `[[hook]]` of copal.toml says, and touches nothing else of the file.

mod file;
mod row;
mod written;

use std::path::Path;

use copal_core::config::{Config, InvalidConfig};
use copal_core::digest::Sha256;
use copal_core::grants::Grants;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use row::Row;
pub(crate) use row::append;
pub use written::Entry;

/// Why a configuration can't be edited.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It is no TOML.
    #[error("it is not valid TOML")]
    Syntax(#[source] toml_edit::TomlError),
    /// No hook has this name.
    #[error("it has no hook named `{name}`")]
    NoSuchHook {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// Several have it.
    #[error("it has several hooks named `{0}`")]
    Ambiguous(String),
    /// It is part of Copal.
    #[error("its hook `{name}` is built in")]
    BuiltIn {
        /// The name.
        name: String,
        /// Its grants.
        grants: Box<Grants>,
    },
    /// It says nothing about where its component is.
    #[error("its hook `{0}` has no `file`")]
    NoFile(String),
    /// Its grants can't be read as such.
    #[error("the grants of its hook `{name}` can't be read: {why}")]
    Grants {
        /// The hook.
        name: String,
        /// Why.
        why: String,
    },
    /// What is to be taken from its grants is not there.
    #[error("its hook `{name}` has no grant `{}` of {}", .entry.1, .entry.0)]
    NotGranted {
        /// The hook.
        name: String,
        /// What was to be taken.
        entry: Entry,
        /// What it has.
        granted: Vec<Entry>,
    },
    /// A grant speaks of a command or a secret that is nowhere said.
    #[error("it has no {table}, and without one nothing says what `{}` is", .entry.1)]
    NoTable {
        /// The table.
        table: String,
        /// How a line below it could be.
        example: &'static str,
        /// The grant.
        entry: Entry,
    },
    /// With the change it would be no configuration.
    #[error("so changed, it would not be valid")]
    Invalid(#[source] InvalidConfig),
}

/// A configuration as text that can be changed in one place.
pub struct Editor {
    /// As it was.
    before: String,
    document: DocumentMut,
    name: String,
}

/// What a `[[hook]]` says.
#[derive(Debug)]
pub struct Written {
    /// Its component, as it is written.
    pub file: String,
    /// The digest that it is pinned by, as it is written.
    pub sha256: Option<String>,
    /// Its grants.
    pub grants: Grants,
}

impl Editor {
    /// The configuration `text`, to be changed in its hook `name`.
    pub fn new(text: &str, name: &str) -> Result<Self, EditError> {
        let document = text.parse().map_err(EditError::Syntax)?;
        let mut editor = Self {
            before: text.to_owned(),
            document,
            name: name.to_owned(),
        };
        editor.hook()?;
        Ok(editor)
    }

    /// What the hook says now.
    pub fn written(&mut self) -> Result<Written, EditError> {
        let name = self.name.clone();
        let mut row = self.hook()?;
        let hook = row.table();
        if hook.contains_key("use") {
            let grants = Box::new(self.grants()?);
            return Err(EditError::BuiltIn { name, grants });
        }
        let Some(file) = hook.get("file").and_then(Item::as_str) else {
            return Err(EditError::NoFile(name));
        };
        let file = file.to_owned();
        let sha256 = hook.get("sha256").and_then(Item::as_str).map(str::to_owned);
        Ok(Written {
            file,
            sha256,
            grants: self.grants()?,
        })
    }

    /// Pins the hook by this digest.
    pub fn pin(&mut self, digest: Sha256) -> Result<(), EditError> {
        self.hook()?
            .set("sha256", digest.to_string().into(), "file");
        Ok(())
    }

    /// The whole text, which is a configuration; `file_name` is only shown.
    pub fn valid(&self, file_name: &str) -> Result<String, EditError> {
        let text = self.text();
        Config::parse(&text, file_name).map_err(EditError::Invalid)?;
        Ok(text)
    }

    /// The whole text.
    fn text(&self) -> String {
        file::with_line_ends_of(&self.before, &self.document.to_string())
    }

    fn hook(&mut self) -> Result<Row<'_>, EditError> {
        let name = &self.name;
        let mut hooks: Vec<Row<'_>> = match self.document.get_mut("hook") {
            Some(Item::ArrayOfTables(tables)) => tables.iter_mut().map(Row::Table).collect(),
            Some(Item::Value(Value::Array(array))) => {
                let tables = array.iter_mut().filter_map(Value::as_inline_table_mut);
                tables.map(Row::Inline).collect()
            }
            _ => Vec::new(),
        };
        let names: Vec<_> = hooks
            .iter_mut()
            .filter_map(|hook| name_of(hook.table()))
            .collect();
        match names.iter().filter(|known| *known == name).count() {
            0 => Err(EditError::NoSuchHook {
                name: name.clone(),
                known: names,
            }),
            1 => {
                let is_it = |hook: &mut Row<'_>| name_of(hook.table()).as_ref() == Some(name);
                let at = hooks.iter_mut().position(is_it);
                Ok(hooks.swap_remove(at.expect("it was just counted")))
            }
            _ => Err(EditError::Ambiguous(name.clone())),
        }
    }
}

/// The hook's name: given, or the built-in's, or the file's without its ending.
fn name_of(hook: &dyn TableLike) -> Option<String> {
    let text = |key| hook.get(key).and_then(Item::as_str);
    if let Some(name) = text("name").or_else(|| text("use")) {
        return Some(name.to_owned());
    }
    let stem = Path::new(text("file")?).file_stem()?;
    Some(stem.to_str()?.to_owned())
}

#[cfg(test)]
#[path = "hook_edit_tests.rs"]
mod tests;
