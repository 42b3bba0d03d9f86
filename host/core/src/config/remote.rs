//! A destination as its owner wrote it, read by rclone's own rules for remotes.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::diagnostic::MASK;

/// A remote and a path on it, in rclone's notation: `b2:bucket/dir`, `:b2,account=…,key=…:bucket`,
/// or a local directory.
///
/// A connection string (`name,param=value:`) can carry credentials, so `Display` and `Debug` show
/// `***` for every parameter's value; [`expose`](Self::expose) is the one way to the real text.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteSpec {
    text: String,
    is_local: bool,
}

/// A text that rclone could not read as a remote, and why. Never holds the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRemote {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// A control character.
    #[error("it holds a control character")]
    Control,
    /// A URL.
    #[error("it is a URL, and rclone's remotes are written NAME:PATH")]
    Url,
    /// The part before the first `:` or `,` is no name of a remote.
    #[error(
        "the remote's name may only have letters, digits, `_`, `-`, `.`, `+`, `@` and spaces inside it"
    )]
    RemoteName,
    /// Parameters of a connection string that don't end with `:`.
    #[error("the connection string has no `:` at its end")]
    Unfinished,
    /// A parameter's name with other characters than `A-Z a-z 0-9 _ .`, or none.
    #[error(
        "a parameter's name in a connection string has letters A-Z and a-z, digits, `_` and `.` only"
    )]
    Parameter,
    /// Text after a quoted value, or a quote that is not closed.
    #[error("a quoted value in the connection string must end with its quote and then `,` or `:`")]
    Quote,
}

impl RemoteSpec {
    /// Reads a remote by the rules of rclone's `fspath.Parse`.
    pub fn parse(text: &str) -> Result<Self, InvalidRemote> {
        if text.is_empty() {
            return Err(InvalidRemote::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidRemote::Control);
        }
        let is_scheme = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
        if text
            .split_once("://")
            .is_some_and(|(scheme, _)| is_scheme(scheme))
        {
            return Err(InvalidRemote::Url);
        }
        // Meant as a connection string, and as a path it would show its secrets.
        if !text.contains([':', '/']) && text.contains(',') && text.contains('=') {
            return Err(InvalidRemote::Unfinished);
        }
        let is_local = match scan(text).end {
            // Without any `:` rclone takes the whole text for a local path.
            _ if !text.contains(':') => true,
            End::Local => true,
            End::Remote(_) => false,
            End::Invalid(reason) => return Err(reason),
        };
        Ok(Self {
            text: text.to_owned(),
            is_local,
        })
    }

    /// The real text, credentials included: for rclone, never for people.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The directory of this computer that it names, by its path alone or as one of rclone's `:local:`. What else leads
    /// to one, as an alias does, rclone's configuration knows.
    pub fn local_path(&self) -> Option<&Path> {
        if self.is_local {
            return Some(Path::new(&self.text));
        }
        let End::Remote(colon) = scan(&self.text).end else {
            return None;
        };
        let (remote, path) = self.text.split_at(colon);
        let is_of_local = remote == ":local" || remote.starts_with(":local,");
        is_of_local.then(|| Path::new(path.trim_start_matches(':')))
    }

    /// The directories above it that are places of the same remote, nearest first, each with the path that
    /// leads back from it. A directory of this computer tells none: there links have a say.
    pub fn above(&self) -> Vec<(Self, String)> {
        let End::Remote(colon) = scan(&self.text).end else {
            return Vec::new();
        };
        let (remote, path) = self.text.split_at(colon + 1);
        let path = path.trim_end_matches('/');
        let cut = |at: usize| (path[..at].trim_end_matches('/'), &path[at..]);
        let slashes = path.rmatch_indices('/').map(|(at, _)| cut(at));
        let top = (!path.is_empty() && !path.starts_with('/')).then(|| cut(0));
        let all = slashes.chain(top).map(|(above, below)| {
            let text = format!("{remote}{above}");
            let is_local = false;
            let below = below.trim_start_matches('/').to_owned();
            (Self { text, is_local }, below)
        });
        let mut all: Vec<_> = all.collect();
        all.dedup_by(|one, other| one.0 == other.0);
        all
    }

    /// Whether it is a remote's top.
    pub fn is_top(&self) -> bool {
        !self.is_local && self.text.ends_with(':')
    }

    /// The same destination with a relative local path made relative to `base`; anything else
    /// stays as it is.
    #[must_use]
    pub fn resolve(&self, base: &Path) -> Self {
        let mut resolved = self.clone();
        // A base that is not UTF-8 can't be joined in text: the path stays relative, as written.
        if let (true, Some(joined)) = (self.is_local, base.join(&self.text).to_str()) {
            joined.clone_into(&mut resolved.text);
        }
        resolved
    }
}

impl fmt::Display for RemoteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&masked(&self.text))
    }
}

impl fmt::Debug for RemoteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteSpec({:?})", masked(&self.text))
    }
}

/// `text` with the parameters of a connection string, or the password of a URL, masked.
pub(crate) fn masked(text: &str) -> String {
    let mut shown = String::new();
    let mut copied = 0;
    for secret in secrets(text) {
        shown.push_str(&text[copied..secret.start]);
        shown.push_str(MASK);
        copied = secret.end;
    }
    shown + &text[copied..]
}

/// Where the values of a connection string's parameters lie in `text`, quotes included, or the
/// password of a URL. From the first fault on, everything counts as a value.
pub(crate) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut secrets = scan(text).values;
    if secrets.is_empty() {
        secrets.extend(password(text));
    }
    secrets
}

/// What stands after `://` and a user's name, up to the `@`.
fn password(text: &str) -> Option<Range<usize>> {
    let user = text.find("://")? + 3;
    let end = user + text[user..].rfind('@')?;
    let colon = user + text[user..end].find(':')?;
    Some(colon + 1..end)
}

struct Scan {
    values: Vec<Range<usize>>,
    end: End,
}

enum End {
    Local,
    /// Where its `:` is, behind which the path begins.
    Remote(usize),
    Invalid(InvalidRemote),
}

/// Walks over `text` as rclone's `fspath.Parse` does.
fn scan(text: &str) -> Scan {
    let mut values = Vec::new();
    let end = match remote_name(text) {
        Ok(Some(name_end)) => scan_parameters(text, name_end, &mut values),
        Ok(None) => End::Local,
        Err(reason) => End::Invalid(reason),
    };
    if matches!(end, End::Invalid(_)) {
        // What can't be read may have its first value anywhere behind a `=`.
        let suspect = text.find('=').map(|equals| equals + 1..text.len());
        values = suspect.into_iter().collect();
    }
    Scan { values, end }
}

/// Where the `:` or `,` after the remote's name is; `None` for a local path.
fn remote_name(text: &str) -> Result<Option<usize>, InvalidRemote> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        // rclone's `configNameRe`; Go's `\w` is ASCII.
        let word = r"0-9A-Za-z_\p{L}\p{N}.+@";
        Regex::new(&format!("^:?[{word}]+(?:[ -]+[{word}-]+)*$")).expect("a valid pattern")
    });
    let on_the_fly = text.starts_with(':');
    let rest = &text[usize::from(on_the_fly)..];
    let Some(end) = rest.find([':', ',', '/', '\\']) else {
        return Ok(None);
    };
    let end = end + usize::from(on_the_fly);
    match text.as_bytes()[end] {
        b'/' | b'\\' if on_the_fly => Err(InvalidRemote::RemoteName),
        b'/' | b'\\' => Ok(None),
        _ if NAME.is_match(&text[..end]) => Ok(Some(end)),
        _ => Err(InvalidRemote::RemoteName),
    }
}

/// Reads `,param=value,flag` up to the `:`, beginning at the separator `at`.
fn scan_parameters(text: &str, mut at: usize, values: &mut Vec<Range<usize>>) -> End {
    loop {
        if text.as_bytes()[at] == b':' {
            return End::Remote(at);
        }
        let start = at + 1;
        let is_end = |c: char| matches!(c, ':' | ',' | '=');
        let Some(length) = text[start..].find(is_end) else {
            return End::Invalid(InvalidRemote::Unfinished);
        };
        at = start + length;
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'.';
        if length == 0 || !text[start..at].bytes().all(is_plain) {
            return End::Invalid(InvalidRemote::Parameter);
        }
        if text.as_bytes()[at] == b'=' {
            match value_end(text, at + 1) {
                Ok(end) => {
                    values.push(at + 1..end);
                    at = end;
                }
                Err(reason) => {
                    values.push(at + 1..text.len());
                    return End::Invalid(reason);
                }
            }
        }
    }
}

/// Where the `,` or `:` after the value that begins at `start` is.
fn value_end(text: &str, start: usize) -> Result<usize, InvalidRemote> {
    let rest = &text[start..];
    let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = rest.find([',', ':']).ok_or(InvalidRemote::Unfinished)?;
        return Ok(start + end);
    };
    let mut at = start + 1;
    loop {
        at += text[at..].find(quote).ok_or(InvalidRemote::Quote)? + 1;
        match text[at..].chars().next() {
            Some(',' | ':') => return Ok(at),
            // A doubled quote stands for one inside the value.
            Some(c) if c == quote => at += 1,
            _ => return Err(InvalidRemote::Quote),
        }
    }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
