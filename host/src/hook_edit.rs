//! Renews what a `[[hook]]` of copal.toml says, and touches nothing else of the file.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use copal_core::digest::Sha256;
use copal_core::grants::{Capability, Grants};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

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
    #[error("its hook `{0}` is built in")]
    BuiltIn(String),
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
            return Err(EditError::BuiltIn(name));
        }
        let Some(file) = hook.get("file").and_then(Item::as_str) else {
            return Err(EditError::NoFile(name));
        };
        let grants = hook
            .get("grants")
            .map_or_else(|| Ok(Grants::default()), grants);
        Ok(Written {
            file: file.to_owned(),
            sha256: hook.get("sha256").and_then(Item::as_str).map(str::to_owned),
            grants: grants.map_err(|why| EditError::Grants { name, why })?,
        })
    }

    /// Pins the hook by this digest.
    pub fn pin(&mut self, digest: Sha256) -> Result<(), EditError> {
        self.hook()?
            .set("sha256", digest.to_string().into(), "file");
        Ok(())
    }

    /// Adds entries to its grants.
    pub fn grant(&mut self, added: &[(Capability, String)]) -> Result<(), EditError> {
        let name = self.name.clone();
        let mut hook = self.hook()?;
        if added.is_empty() {
            return Ok(());
        }
        if !hook.table().contains_key("grants") {
            hook.set("grants", InlineTable::new().into(), "sha256");
        }
        let unreadable = |why: &str| EditError::Grants {
            name: name.clone(),
            why: why.to_owned(),
        };
        let mut grants = match hook.table().get_mut("grants") {
            Some(Item::Table(table)) => Row::Table(table),
            Some(Item::Value(Value::InlineTable(table))) => Row::Inline(table),
            _ => return Err(unreadable("they are no table")),
        };
        for (capability, entry) in added {
            let key = capability.name();
            if *capability == Capability::State {
                grants.set(key, true.into(), "");
                continue;
            }
            if !grants.table().contains_key(key) {
                grants.set(key, Array::new().into(), "");
            }
            let list = grants.table().get_mut(key).and_then(Item::as_array_mut);
            let list = list.ok_or_else(|| unreadable("an entry is no list"))?;
            push(list, entry);
        }
        Ok(())
    }

    /// The whole text.
    pub fn text(&self) -> String {
        with_line_ends_of(&self.before, &self.document.to_string())
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

/// One `[[hook]]`, or one `{ … }` of `hook = [ … ]`.
enum Row<'a> {
    Table(&'a mut Table),
    Inline(&'a mut InlineTable),
}

impl Row<'_> {
    fn table(&mut self) -> &mut dyn TableLike {
        match self {
            Self::Table(table) => *table,
            Self::Inline(table) => *table,
        }
    }

    /// Sets a key, where it is, else behind the key `after`, else at the end. The space around stays.
    fn set(&mut self, key: &str, mut value: Value, after: &str) {
        if let Some(before) = self.table().get(key).and_then(Item::as_value) {
            *value.decor_mut() = before.decor().clone();
            self.table().insert(key, Item::Value(value));
            return;
        }
        match self {
            Self::Inline(table) => append(table, key, value),
            Self::Table(table) => {
                let mut order: Vec<String> = table.iter().map(|(k, _)| k.to_owned()).collect();
                let at = order.iter().position(|known| known == after);
                order.insert(at.map_or(order.len(), |at| at + 1), key.to_owned());
                table.insert(key, Item::Value(value));
                let place = |key: &str| order.iter().position(|known| known == key);
                table.sort_values_by(|one, _, other, _| place(one.get()).cmp(&place(other.get())));
            }
        }
    }
}

/// Puts a new key at the end of `{ … }`. What stood before the closing brace goes on standing there.
pub(crate) fn append(table: &mut InlineTable, key: &str, mut value: Value) {
    if let Some((_, last)) = table.iter_mut().last() {
        let suffix = last.decor().suffix().cloned().unwrap_or_default();
        last.decor_mut().set_suffix("");
        value.decor_mut().set_prefix(" ");
        value.decor_mut().set_suffix(suffix);
    }
    table.insert(key, value);
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

fn grants(item: &Item) -> Result<Grants, String> {
    let table = item.as_table_like().ok_or("they are no table")?;
    let json = table.iter().map(|(key, item)| (key.to_owned(), json(item)));
    Grants::from_json(&serde_json::Value::Object(json.collect())).map_err(|problems| {
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        texts.join("; ")
    })
}

/// As much of TOML as grants have; anything else is null, which is none.
fn json(item: &Item) -> serde_json::Value {
    // `sqlite = "*"` is short for a list of it.
    match item.as_value() {
        Some(Value::String(text)) => serde_json::json!([text.value()]),
        Some(Value::Boolean(value)) => (*value.value()).into(),
        Some(Value::Array(array)) => {
            let texts = array.iter().map(|value| value.as_str().into());
            serde_json::Value::Array(texts.collect())
        }
        _ => serde_json::Value::Null,
    }
}

/// `after` with the line ends of `before`, which a TOML document does not keep. A new line ends as the
/// one above it.
fn with_line_ends_of(before: &str, after: &str) -> String {
    const CRLF: &str = "\r\n";
    let mut known: Vec<&str> = before.split_inclusive('\n').collect();
    let ends_so = |line: &str| line.ends_with(CRLF);
    let mut is_crlf = known.first().is_some_and(|line| ends_so(line));
    known.reverse();
    let mut text = String::with_capacity(before.len() + after.len());
    for line in after.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let is_it = |known: &&str| known.trim_end_matches(['\r', '\n']) == content;
        if let Some(at) = known.iter().rposition(is_it) {
            is_crlf = ends_so(known[at]);
            known.truncate(at);
        }
        text.push_str(content);
        if line.ends_with('\n') {
            text.push_str(if is_crlf { CRLF } else { "\n" });
        }
    }
    text
}

/// Appends an entry in the manner of the last one.
fn push(list: &mut Array, entry: &str) {
    let mut value = Value::from(entry);
    if let Some(last) = list.iter().last() {
        let prefix = last.decor().prefix().cloned().unwrap_or_default();
        // The first entry of a list stands at its bracket, the others behind a space.
        let is_first_on_its_line = prefix.as_str().is_some_and(|text| text.contains('\n'));
        value.decor_mut().set_prefix(if is_first_on_its_line {
            prefix
        } else {
            " ".into()
        });
    }
    list.push_formatted(value);
}

/// Writes a file anew: beside its place, then into it, with the mode it had. A link is followed.
pub fn rewrite(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let mode = fs::metadata(&path)?.permissions();
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::Builder::new()
        .prefix(".copal-")
        .tempfile_in(directory)?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().set_permissions(mode)?;
    beside.as_file().sync_all()?;
    beside.persist(&path)?;
    Ok(())
}

#[cfg(test)]
#[path = "hook_edit_tests.rs"]
mod tests;
