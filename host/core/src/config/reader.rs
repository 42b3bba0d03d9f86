//! Reading a TOML tree key by key: what is asked for is taken, what is left over is a problem.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::refused;
use super::words::{kind, listed, quoted, suggestion};
use crate::diagnostic::{Diagnostic, Place, SourceText};

/// A stretch of the file, in bytes.
pub(super) type Span = Range<usize>;

/// The problems found so far.
pub(super) struct Problems {
    source: Arc<SourceText>,
    found: RefCell<Vec<(usize, Diagnostic)>>,
}

impl Problems {
    pub(super) fn new(source: SourceText) -> Self {
        Self {
            source: Arc::new(source),
            found: RefCell::default(),
        }
    }

    pub(super) fn place(&self, span: &Span) -> Place {
        Place::new(&self.source, span.clone())
    }

    pub(super) fn report(
        &self,
        span: &Span,
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) {
        let diagnostic = Diagnostic::new(what, why, next).at(self.place(span));
        self.found.borrow_mut().push((span.start, diagnostic));
    }

    /// All problems, in the file's order.
    pub(super) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(offset, _)| *offset);
        found
            .into_iter()
            .map(|(_, diagnostic)| diagnostic)
            .collect()
    }
}

/// A table whose keys are taken one by one.
pub(super) struct Table<'a> {
    /// Its dotted name; empty for the file's top level.
    path: String,
    pub(super) span: Span,
    entries: &'a DeTable<'a>,
    asked: Vec<&'static str>,
    pub(super) problems: &'a Problems,
}

/// A key's value, with all that a message about it needs.
#[derive(Clone)]
pub(super) struct Field<'a> {
    /// The dotted name of its key.
    pub(super) path: String,
    pub(super) span: Span,
    value: &'a DeValue<'a>,
    pub(super) problems: &'a Problems,
}

/// Why a text is not what it should be, and what would be.
pub(super) struct Unfit {
    pub(super) what: String,
    pub(super) why: String,
    pub(super) next: String,
}

impl<'a> Table<'a> {
    pub(super) fn top(entries: &'a DeTable<'a>, problems: &'a Problems) -> Self {
        Self {
            path: String::new(),
            span: 0..0,
            entries,
            asked: Vec::new(),
            problems,
        }
    }

    /// The value of `key`, if it is there. A key that is never taken is reported at the end.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.asked.push(key);
        let value = self.entries.get(key)?;
        Some(self.field(key, value))
    }

    /// Whether `key` is there, without taking it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// As [`take`](Self::take); it is a problem when the key is missing.
    pub(super) fn require(
        &mut self,
        key: &'static str,
        why: &str,
        next: &str,
    ) -> Option<Field<'a>> {
        let field = self.take(key);
        if field.is_none() {
            let what = format!("`{}` is missing", self.path_of(key));
            self.problems.report(&self.span, what, why, next);
        }
        field
    }

    /// Every key with its span and value, in the file's order: for tables with keys of the owner's.
    pub(super) fn into_fields(self) -> Vec<(&'a str, Span, Field<'a>)> {
        let mut fields: Vec<_> = self
            .entries
            .iter()
            .map(|(key, value)| {
                let name: &str = key.get_ref();
                (name, key.span(), self.field(name, value))
            })
            .collect();
        fields.sort_by_key(|(_, span, _)| span.start);
        fields
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.entries {
            let name: &str = key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let path = self.path_of(name);
            match refused::key(&path) {
                Some(refused) => refused.report(self.problems, &key.span(), &path),
                None => self.report_unknown(name, &key.span()),
            }
        }
    }

    fn report_unknown(&self, name: &str, span: &Span) {
        let place = match self.path.as_str() {
            "" => "the top level of the file".to_owned(),
            path => format!("`{path}`"),
        };
        let known = listed(&self.asked);
        let next =
            suggestion(name, &self.asked).unwrap_or_else(|| format!("the keys here are {known}"));
        let what = format!("unknown key {}", quoted(&self.path_of(name)));
        let why = format!("{place} has no such key");
        self.problems.report(span, what, why, next);
    }

    fn field(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Field<'a> {
        Field {
            path: self.path_of(key),
            span: value.span(),
            value: value.get_ref(),
            problems: self.problems,
        }
    }

    fn path_of(&self, key: &str) -> String {
        let is_bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let key = if !key.is_empty() && key.bytes().all(is_bare) {
            key.to_owned()
        } else {
            format!("\"{key}\"")
        };
        match self.path.as_str() {
            "" => key,
            path => format!("{path}.{key}"),
        }
    }
}

impl<'a> Field<'a> {
    pub(super) fn value(&self) -> &'a DeValue<'a> {
        self.value
    }

    pub(super) fn place(&self) -> Place {
        self.problems.place(&self.span)
    }

    /// The value as text; `example` is the whole line as it could be written.
    pub(super) fn text(&self, example: &str) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => self.mistyped("text", example),
        }
    }

    /// The value as text, read further by `read`.
    pub(super) fn read<T>(
        &self,
        example: &str,
        read: impl FnOnce(&'a str) -> Result<T, Unfit>,
    ) -> Option<T> {
        match read(self.text(example)?) {
            Ok(value) => Some(value),
            Err(Unfit { what, why, next }) => {
                self.problems.report(&self.span, what, why, next);
                None
            }
        }
    }

    pub(super) fn table(&self, example: &str) -> Option<Table<'a>> {
        match self.value {
            DeValue::Table(entries) => Some(Table {
                path: self.path.clone(),
                span: self.span.clone(),
                entries,
                asked: Vec::new(),
                problems: self.problems,
            }),
            _ => self.mistyped("a table", example),
        }
    }

    /// The members of a list, each named as the list is.
    pub(super) fn list(&self, expected: &str, example: &str) -> Option<Vec<Self>> {
        let DeValue::Array(members) = self.value else {
            return self.mistyped(expected, example);
        };
        let member = |value: &'a Spanned<DeValue<'a>>| Self {
            path: self.path.clone(),
            span: value.span(),
            value: value.get_ref(),
            problems: self.problems,
        };
        Some(members.iter().map(member).collect())
    }

    /// Reports that the value is not `expected`.
    pub(super) fn mistyped<T>(&self, expected: &str, example: &str) -> Option<T> {
        self.problems.report(
            &self.span,
            format!("{} should be {expected}", quoted(&self.path)),
            format!("this is {}", kind(self.value)),
            format!("write for example `{example}`"),
        );
        None
    }
}

/// Every member, if each is sound. Each is read in any case, for each has problems of its own.
pub(super) fn all<T, C: FromIterator<T>>(members: impl Iterator<Item = Option<T>>) -> Option<C> {
    let members: Vec<_> = members.collect();
    members.into_iter().collect()
}
