//! Grants as they stand in a TOML document.

use copal_core::grants::{Capability, Grants};
use toml_edit::{Array, InlineTable, Item, Value};

use super::row::{Row, push, remove};
use super::{EditError, Editor};

/// An entry of a grant, as it is written.
pub type Entry = (Capability, String);

impl Editor {
    /// Its grants, as they are written.
    pub fn grants(&mut self) -> Result<Grants, EditError> {
        let mut hook = self.hook()?;
        let written = hook.table().get("grants");
        let grants = written.map_or_else(|| Ok(Grants::default()), grants);
        grants.map_err(|why| self.unreadable(why))
    }

    /// Adds entries to its grants.
    pub fn grant(&mut self, added: &[Entry]) -> Result<(), EditError> {
        let no_list = self.unreadable("an entry is no list");
        let mut hook = self.hook()?;
        if added.is_empty() {
            return Ok(());
        }
        if !hook.table().contains_key("grants") {
            hook.set("grants", InlineTable::new().into(), "sha256");
        }
        let Some(mut grants) = self.row()? else {
            return Ok(());
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
            match grants.table().get_mut(key).and_then(Item::as_array_mut) {
                Some(list) => push(list, entry),
                None => return Err(no_list),
            }
        }
        Ok(())
    }

    /// Takes entries from its grants; each has to be there.
    pub fn revoke(&mut self, taken: &[Entry]) -> Result<(), EditError> {
        let granted = self.grants()?;
        let not_granted = |entry: &Entry, name: &str| EditError::NotGranted {
            name: name.to_owned(),
            entry: entry.clone(),
            granted: granted.entries(),
        };
        let name = self.name.clone();
        let mut grants = self.row()?;
        for entry in taken {
            let was_there = grants.as_mut().is_some_and(|grants| take(grants, entry));
            if !was_there {
                return Err(not_granted(entry, &name));
            }
        }
        Ok(())
    }

    /// Takes all of its grants.
    pub fn revoke_all(&mut self) -> Result<(), EditError> {
        match self.row()? {
            None => {}
            Some(Row::Inline(table)) => table.clear(),
            Some(mut grants) => {
                for capability in Capability::ALL {
                    if grants.table().contains_key(capability.name()) {
                        grants.clear(capability.name(), nothing(capability));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the configuration has the tables that `entries` speak of.
    pub fn has_tables_for(&self, entries: &[Entry]) -> Result<(), EditError> {
        for (capability, name) in entries {
            let (kind, example) = match capability {
                Capability::Command => ("command", "run = [\"PROGRAM\", \"ARGUMENT\"]"),
                Capability::Secrets | Capability::Reveal => ("secret", "file = \"FILE\""),
                _ => continue,
            };
            let tables = self.document.get(kind).and_then(Item::as_table_like);
            if !tables.is_some_and(|tables| tables.contains_key(name)) {
                return Err(EditError::NoTable {
                    table: format!("[{kind}.{name}]"),
                    example,
                    entry: (*capability, name.clone()),
                });
            }
        }
        Ok(())
    }

    /// The table of its grants, if it has one.
    fn row(&mut self) -> Result<Option<Row<'_>>, EditError> {
        let unreadable = self.unreadable("they are no table");
        match self.hook()?.into_item("grants") {
            None => Ok(None),
            Some(item) => Row::of(item).map(Some).ok_or(unreadable),
        }
    }

    fn unreadable(&self, why: impl Into<String>) -> EditError {
        EditError::Grants {
            name: self.name.clone(),
            why: why.into(),
        }
    }
}

/// Takes one entry, wherever it stands. Whether it was there.
fn take(grants: &mut Row<'_>, entry: &Entry) -> bool {
    let (capability, text) = entry;
    let key = capability.name();
    let Some(wanted) = read(*capability, text) else {
        return false;
    };
    let is_it = |value: &Value| {
        let text = value.as_str();
        text.and_then(|text| read(*capability, text)).as_ref() == Some(&wanted)
    };
    let is_empty = match grants.table().get_mut(key) {
        Some(Item::Value(Value::Boolean(state))) if *state.value() => true,
        Some(Item::Value(value @ Value::String(_))) if is_it(value) => true,
        Some(Item::Value(Value::Array(list))) => {
            let before = list.len();
            for at in (0..before).rev() {
                if list.get(at).is_some_and(is_it) {
                    remove(list, at);
                }
            }
            if list.len() == before {
                return false;
            }
            list.is_empty()
        }
        _ => return false,
    };
    if is_empty {
        grants.clear(key, nothing(*capability));
    }
    true
}

fn read(capability: Capability, entry: &str) -> Option<Grants> {
    let mut one = Grants::default();
    one.add_entry(capability, entry).ok()?;
    Some(one)
}

/// How it is written that nothing is granted of it.
fn nothing(capability: Capability) -> Value {
    match capability {
        Capability::State => false.into(),
        _ => Array::new().into(),
    }
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
