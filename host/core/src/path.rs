//! Paths inside a source or a snapshot.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A path relative to the top of a source, as bytes.
///
/// Never empty, never absolute, no `.` or `..` or empty component, no NUL: joining it to a
/// directory stays inside that directory. A manifest from a remote is untrusted, and this type is
/// the only door through which its names come in.
///
/// As text (in manifests, on the terminal, to hooks) it is percent-encoded where it is not UTF-8 or
/// holds a control character, so that a name can't move a terminal's cursor: such a byte becomes
/// `%` and two upper-case hexadecimal digits. A literal `%` becomes `%25`, so decoding is exact.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelPath(Vec<u8>);

/// A path that could lead out of the directory it is joined to, or is no path at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a relative path inside the source")]
pub struct InvalidPath(String);

impl RelPath {
    /// Checks and takes over a path's bytes, components separated by `/`.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, InvalidPath> {
        let bytes = bytes.into();
        let sound = bytes.split(|&b| b == b'/').all(is_name);
        if sound {
            Ok(Self(bytes))
        } else {
            Err(InvalidPath(encode(&bytes)))
        }
    }

    /// The raw bytes, components separated by `/`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path of `name` inside this directory.
    pub fn child(&self, name: &[u8]) -> Result<Self, InvalidPath> {
        Self::new([self.as_bytes(), b"/", name].concat())
    }

    /// The last component.
    pub fn name(&self) -> &[u8] {
        let start = self
            .0
            .iter()
            .rposition(|&b| b == b'/')
            .map_or(0, |slash| slash + 1);
        &self.0[start..]
    }

    /// The directory that holds this path; `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        let slash = self.0.iter().rposition(|&b| b == b'/')?;
        Some(Self(self.0[..slash].to_vec()))
    }

    /// Every directory above this path, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// Whether this path is `directory` or lies in it.
    pub fn is_within(&self, directory: &Self) -> bool {
        self.0
            .strip_prefix(directory.as_bytes())
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// The same path with `suffix` added to its last name: `webui.db` and `-wal`.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        Self([self.as_bytes(), suffix.as_bytes()].concat())
    }
}

fn is_name(component: &[u8]) -> bool {
    !component.is_empty() && component != b"." && component != b".." && !component.contains(&0)
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&encode(&self.0))
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelPath({self})")
    }
}

impl std::str::FromStr for RelPath {
    type Err = InvalidPath;

    /// Reads the percent-encoded form that `Display` writes. A `%` that no two hexadecimal digits
    /// follow stands for itself, so that a name typed by a person is read as it was meant.
    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        Self::new(decode(text))
    }
}

impl TryFrom<String> for RelPath {
    type Error = InvalidPath;
    fn try_from(text: String) -> Result<Self, InvalidPath> {
        text.parse()
    }
}

impl From<RelPath> for String {
    fn from(path: RelPath) -> Self {
        path.to_string()
    }
}

/// The text form of bytes that are no path: a link's target. Reads back with [`decode_bytes`].
pub fn encode_bytes(bytes: &[u8]) -> String {
    encode(bytes)
}

/// The bytes that [`encode_bytes`] wrote.
pub fn decode_bytes(text: &str) -> Vec<u8> {
    decode(text)
}

fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, |character| {
        character == '%' || character.is_control()
    })
}

/// Percent-encodes the bytes that are not UTF-8, and the characters that `must` tells.
pub(crate) fn percent_encode(bytes: &[u8], must: impl Fn(char) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if must(character) {
                push_encoded(&mut text, character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(character);
            }
        }
        push_encoded(&mut text, chunk.invalid());
    }
    text
}

fn push_encoded(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push('%');
        for digit in [byte >> 4, byte & 15] {
            let digit = char::from_digit(u32::from(digit), 16).expect("four bits are one digit");
            text.push(digit.to_ascii_uppercase());
        }
    }
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1..at + 3).and_then(hex_pair)) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_that_could_leave_its_directory_is_refused() {
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "a/../b",
            "a/..",
            "./a",
            "a//b",
            "a/",
            "a\0b",
        ] {
            assert!(RelPath::new(bad).is_err(), "{bad:?}");
        }
        assert!(
            "%2e%2e/etc/passwd".parse::<RelPath>().is_err(),
            "encoded dots are dots"
        );
        assert!(
            "a%2Fb%00".parse::<RelPath>().is_err(),
            "an encoded NUL is a NUL"
        );
    }

    #[test]
    fn names_that_only_look_dangerous_are_kept() {
        for good in [
            "...", "..a", "a..", ".hidden", " ", "-", "~", "a\nb", "a\\b", "C:",
        ] {
            assert!(RelPath::new(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown_percent_encoded() {
        let path = RelPath::new(*b"caf\xe9 100%/\xc3\xa9").unwrap();
        assert_eq!(path.to_string(), "caf%E9 100%25/é");
    }

    #[test]
    fn a_control_character_never_reaches_the_terminal() {
        let path = RelPath::new("a\u{1b}[2J\nb\u{85}").unwrap();
        assert_eq!(path.to_string(), "a%1B[2J%0Ab%C2%85");
    }

    #[test]
    fn within_means_by_whole_components() {
        let path = |text: &str| text.parse::<RelPath>().unwrap();
        assert!(path("cache/a").is_within(&path("cache")));
        assert!(path("cache").is_within(&path("cache")));
        assert!(!path("cache2").is_within(&path("cache")));
    }

    #[test]
    fn ancestors_are_named_nearest_first() {
        let path: RelPath = "a/b/c".parse().unwrap();
        let names: Vec<_> = path.ancestors().map(|p| p.to_string()).collect();
        assert_eq!(names, ["a/b", "a"]);
    }

    proptest! {
        #[test]
        fn every_path_reads_back_from_its_text(bytes: Vec<u8>) {
            if let Ok(path) = RelPath::new(bytes) {
                prop_assert_eq!(path.to_string().parse(), Ok(path));
            }
        }
    }
}
