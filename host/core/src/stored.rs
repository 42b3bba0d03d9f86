//! Under which name a file lies on the remote.
//!
//! Almost every file keeps its own. A name that rclone or a remote would change on the way (bytes
//! that are not UTF-8, control characters, backslashes, …) is percent-encoded, so that a person
//! with nothing but rclone still recognises it; the manifest remembers the true name.

use std::collections::HashSet;

use crate::path::{RelPath, percent_encode};

/// Hands out remote names, each once.
///
/// Plain names have to be [reserved](StoredNames::reserve) before an odd one is
/// [encoded](StoredNames::encode): the encoded form of one file may be the true name of another.
#[derive(Debug, Default)]
pub struct StoredNames {
    taken: HashSet<String>,
}

impl StoredNames {
    /// The path as it is, where it is text without anything that tools on the way would change;
    /// `travels` adds what the transfer itself has to say.
    pub fn plain(path: &RelPath, travels: impl Fn(&[u8]) -> bool) -> Option<&str> {
        let text = std::str::from_utf8(path.as_bytes()).ok()?;
        let plain = !text.chars().any(is_awkward) && !has_outer_space(text);
        (plain && travels(path.as_bytes())).then_some(text)
    }

    /// Keeps a plain name from being given to another file.
    pub fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// A name for a file that can't keep its own.
    pub fn encode(&mut self, path: &RelPath) -> String {
        let is_ordinary = |c: char| c.is_alphanumeric() || " !()+,-./=@[]_{}".contains(c);
        let encoded = percent_encode(path.as_bytes(), |c| !is_ordinary(c));
        // A space at either end of a component is dropped by some remotes.
        let encoded: Vec<_> = encoded
            .split('/')
            .map(|name| encode_outer_spaces(shorten(name)))
            .collect();
        let encoded = encoded.join("/");
        let numbered = (1_u64..).map(|n| format!("{encoded}~{n}"));
        let name = std::iter::once(encoded.clone())
            .chain(numbered)
            .find(|name| !self.taken.contains(name))
            .expect("there are more numbers than files");
        self.reserve(&name);
        name
    }
}

/// `sha256sum` writes names with a backslash or a line break in a form of its own, which rclone
/// does not read.
fn is_awkward(character: char) -> bool {
    character.is_control() || character == '\\'
}

fn has_outer_space(text: &str) -> bool {
    text.split('/')
        .any(|name| name.starts_with(' ') || name.ends_with(' '))
}

/// Encoding makes a name up to three times as long, and file systems stop at 255 bytes. The true name
/// is in the manifest.
fn shorten(name: &str) -> &str {
    &name[..name.floor_char_boundary(200)]
}

fn encode_outer_spaces(name: &str) -> String {
    let start = name.len() - name.trim_start_matches(' ').len();
    let end = name.trim_end_matches(' ').len().max(start);
    let spaces = |n: usize| "%20".repeat(n);
    format!(
        "{}{}{}",
        spaces(start),
        &name[start..end],
        spaces(name.len() - end)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(bytes: &[u8]) -> RelPath {
        RelPath::new(bytes).unwrap()
    }

    #[test]
    fn an_ordinary_name_is_kept() {
        for name in [
            "webui.db",
            "uploads/a b.pdf",
            "é/日本.txt",
            "100%.txt",
            "#x",
            "~a",
        ] {
            assert_eq!(
                StoredNames::plain(&path(name.as_bytes()), |_| true),
                Some(name)
            );
        }
    }

    #[test]
    fn a_name_that_would_change_on_the_way_is_encoded_readably() {
        for (name, stored) in [
            (&b"caf\xe9.txt"[..], "caf%E9.txt"),
            (b"two\nlines", "two%0Alines"),
            (b"dir /a\\b", "dir%20/a%5Cb"),
            (b" ", "%20"),
        ] {
            assert_eq!(StoredNames::plain(&path(name), |_| true), None);
            assert_eq!(StoredNames::default().encode(&path(name)), stored);
        }
    }

    #[test]
    fn a_long_name_stays_within_what_file_systems_take() {
        let mut names = StoredNames::default();
        let long = [0xFF; 255];
        let first = names.encode(&path(&long));
        let second = names.encode(&path(&long));
        assert!(first.len() <= 255 && second.len() <= 255 && first != second);
    }

    #[test]
    fn an_encoded_name_never_lands_on_another_files_own() {
        let mut names = StoredNames::default();
        names.reserve("a%0A");
        assert_eq!(names.encode(&path(b"a\n")), "a%0A~1");
    }

    proptest! {
        #[test]
        fn no_two_files_share_a_name(paths: HashSet<Vec<u8>>) {
            let mut names = StoredNames::default();
            let paths: Vec<_> = paths.into_iter().filter_map(|p| RelPath::new(p).ok()).collect();
            let stored: HashSet<_> = paths.iter().map(|p| names.encode(p)).collect();
            prop_assert_eq!(stored.len(), paths.len());
        }
    }
}
