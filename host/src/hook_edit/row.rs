//! Tables and lists of a TOML document, changed in place with the space and the comments around.

use toml_edit::{Array, InlineTable, Item, RawString, Table, TableLike, Value};

/// One table: with a header, or `{ … }`.
pub(super) enum Row<'a> {
    Table(&'a mut Table),
    Inline(&'a mut InlineTable),
}

impl<'a> Row<'a> {
    /// The table that an item is.
    pub(super) fn of(item: &'a mut Item) -> Option<Self> {
        match item {
            Item::Table(table) => Some(Row::Table(table)),
            Item::Value(Value::InlineTable(table)) => Some(Row::Inline(table)),
            _ => None,
        }
    }

    /// What stands behind a key.
    pub(super) fn into_item(self, key: &str) -> Option<&'a mut Item> {
        match self {
            Self::Table(table) => table.get_mut(key),
            Self::Inline(table) => TableLike::get_mut(table, key),
        }
    }
}

impl Row<'_> {
    pub(super) fn table(&mut self) -> &mut dyn TableLike {
        match self {
            Self::Table(table) => *table,
            Self::Inline(table) => *table,
        }
    }

    /// Sets a key, where it is, else behind the key `after`, else at the end. The space around stays.
    pub(super) fn set(&mut self, key: &str, mut value: Value, after: &str) {
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

    /// Takes a key out of `{ … }`. On a line of its own it stays, as `nothing`: above it stands what its
    /// owner says about it.
    pub(super) fn clear(&mut self, key: &str, nothing: Value) {
        match self {
            Self::Table(_) => self.set(key, nothing, ""),
            Self::Inline(table) => {
                let last = table.iter().last().map(|(key, _)| key.to_owned());
                let removed = table.remove(key);
                if last.as_deref() != Some(key) {
                    return;
                }
                // What stood before the closing brace goes on standing there.
                let end = removed.as_ref().map(before_the_brace);
                if let (Some((_, value)), Some(end)) = (table.iter_mut().last(), end) {
                    value.decor_mut().set_suffix(end);
                }
            }
        }
    }
}

/// Puts a new key at the end of `{ … }`. What stood before the closing brace goes on standing there.
pub(crate) fn append(table: &mut InlineTable, key: &str, mut value: Value) {
    if let Some((_, last)) = table.iter_mut().last() {
        let suffix = before_the_brace(last);
        last.decor_mut().set_suffix("");
        value.decor_mut().set_prefix(" ");
        value.decor_mut().set_suffix(suffix);
    }
    table.insert(key, value);
}

/// What stands between the last value and the closing brace; a space where nobody said.
fn before_the_brace(last: &Value) -> RawString {
    last.decor().suffix().cloned().unwrap_or_else(|| " ".into())
}

/// Appends an entry in the manner of the last one.
pub(super) fn push(list: &mut Array, entry: &str) {
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

/// Takes an entry out. The one behind the first stands at the bracket then.
pub(super) fn remove(list: &mut Array, at: usize) {
    let removed = list.remove(at);
    let prefix = removed.decor().prefix().cloned();
    let Some(next) = list.get_mut(at).filter(|_| at == 0) else {
        return;
    };
    let is_space = |value: &Value| {
        let prefix = value.decor().prefix().and_then(|prefix| prefix.as_str());
        prefix.is_some_and(|text| text.trim().is_empty())
    };
    if is_space(next) {
        next.decor_mut().set_prefix(prefix.unwrap_or_default());
    }
}
