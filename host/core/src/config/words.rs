//! How messages about a configuration speak.

use std::fmt::Display;

use toml::de::DeValue;

use super::masked;

/// What kind of value it is, in words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A value between backticks, as it may stand in a message.
pub(super) fn quoted(text: &str) -> String {
    match text {
        "" => "\"\"".to_owned(),
        _ => format!("`{}`", shown(text)),
    }
}

/// A text as it may stand in a message: no secrets, no control characters, not endless.
fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut safe = String::new();
    for c in masked(text).chars() {
        match c {
            '"' | '\'' | '\\' => safe.push(c),
            _ => safe.extend(c.escape_debug()),
        }
    }
    match safe.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe,
    }
}

/// `a`, `b` and `c`, each between backticks.
pub(super) fn listed<T: Display>(words: &[T]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// "did you mean …?", where one of the candidates is near enough to be meant.
pub(super) fn suggestion(word: &str, candidates: &[&str]) -> Option<String> {
    let distance = |candidate: &&str| strsim::damerau_levenshtein(word, candidate);
    let nearest = candidates
        .iter()
        .min_by_key(|candidate| distance(candidate))?;
    let is_near = distance(nearest) <= nearest.chars().count().div_ceil(3);
    is_near.then(|| format!("did you mean `{nearest}`?"))
}
