//! One rule: what a file must be to be left out.

use copal_hook_sdk::{Columns, Entry, Error};
use serde::Deserialize;

use crate::quantity::{Age, Size};

/// A rule as it is written. All that is given must fit.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Config {
    larger_than: Option<Size>,
    older_than: Option<Age>,
    newer_than: Option<Age>,
    suffixes: Vec<String>,
    /// A directory.
    below: Option<String>,
}

/// A rule as it is looked up.
pub(crate) struct Rule {
    larger_than: Option<u64>,
    /// Modified before this moment.
    before: Option<i64>,
    /// Modified after this moment.
    after: Option<i64>,
    suffixes: Vec<Vec<u8>>,
    /// With a slash at its end.
    below: Option<Vec<u8>>,
}

impl Rule {
    pub(crate) fn new(config: Config, now: i64) -> Result<Self, Error> {
        let ago = |age: Age| now.saturating_sub(age.0);
        let rule = Self {
            larger_than: config.larger_than.map(|size| size.0),
            before: config.older_than.map(ago),
            after: config.newer_than.map(ago),
            suffixes: config
                .suffixes
                .into_iter()
                .map(String::into_bytes)
                .collect(),
            below: config.below.as_deref().map(directory).transpose()?,
        };
        if rule.suffixes.iter().any(Vec::is_empty) {
            return Err(invalid(
                "`suffixes` holds an empty text, which every name ends with",
            ));
        }
        let conditions = rule.larger_than.is_some()
            || rule.before.is_some()
            || rule.after.is_some()
            || !rule.suffixes.is_empty();
        if conditions {
            Ok(rule)
        } else {
            Err(invalid(
                "a rule of `leave-out` says neither `larger-than`, `older-than`, `newer-than` nor \
                 `suffixes`",
            ))
        }
    }

    /// The columns that it looks at.
    pub(crate) fn columns(&self) -> Columns {
        let mut columns = Columns::empty();
        if self.larger_than.is_some() {
            columns |= Columns::SIZES;
        }
        if self.before.is_some() || self.after.is_some() {
            columns |= Columns::MTIMES;
        }
        columns
    }

    /// Whether all that it says fits. What is cheap to look at comes first.
    pub(crate) fn fits(&self, entry: &Entry<'_>) -> bool {
        self.larger_than.is_none_or(|size| entry.size() > size)
            && self.before.is_none_or(|moment| entry.modified() < moment)
            && self.after.is_none_or(|moment| entry.modified() > moment)
            && self.has_suffix(entry.path)
            && self.is_below(entry.path)
    }

    /// The last byte alone tells most paths apart, which spares the comparison's call.
    fn has_suffix(&self, path: &[u8]) -> bool {
        let last = path.last();
        let mut suffixes = self.suffixes.iter();
        self.suffixes.is_empty()
            || suffixes.any(|suffix| suffix.last() == last && path.ends_with(suffix))
    }

    fn is_below(&self, path: &[u8]) -> bool {
        let below = self.below.as_ref();
        below.is_none_or(|directory| path.starts_with(directory))
    }
}

fn directory(text: &str) -> Result<Vec<u8>, Error> {
    let relative = text.strip_prefix('/').unwrap_or(text);
    let name = relative.strip_suffix('/').unwrap_or(relative);
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(invalid(&format!(
            "`below` is `{text}`, which is no directory inside the source"
        )));
    }
    Ok(format!("{name}/").into_bytes())
}

fn invalid(why: &str) -> Error {
    Error::Invalid(format!("config: {why}"))
}
