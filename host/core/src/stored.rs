//! Under which name a file lies on the remote.
//!
//! Almost every file keeps its own. A name that rclone or a remote would change on the way (bytes
//! that are not UTF-8, control characters, backslashes, …) is percent-encoded, and one that is too
//! long for a destination is shortened, so that a person with nothing but rclone still recognises
//! it; the manifest remembers the true name.

mod limit;

use std::collections::HashSet;

use sha2::{Digest, Sha256};

pub use self::limit::NameLimit;
use crate::path::{RelPath, percent_encode};

/// Hands out remote names, each once.
///
/// Plain names have to be [reserved](StoredNames::reserve) before an odd one is
/// [encoded](StoredNames::encode): the encoded form of one file may be the true name of another.
#[derive(Debug, Default)]
pub struct StoredNames {
    limit: NameLimit,
    taken: HashSet<String>,
}

impl StoredNames {
    /// None taken yet, and none to be longer than this.
    pub fn within(limit: NameLimit) -> Self {
        Self {
            limit,
            taken: HashSet::new(),
        }
    }

    /// How long a name may be.
    pub fn limit(&self) -> NameLimit {
        self.limit
    }

    /// The path as it is, where it is text that is short enough, without anything that tools on the
    /// way would change; `travels` adds what the transfer itself has to say.
    pub fn plain<'a>(&self, path: &'a RelPath, travels: impl Fn(&[u8]) -> bool) -> Option<&'a str> {
        let text = std::str::from_utf8(path.as_bytes()).ok()?;
        let plain = !text.chars().any(is_awkward) && !has_outer_space(text);
        (plain && self.limit.takes(text) && travels(path.as_bytes())).then_some(text)
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
        let components = encoded.split('/').map(encode_outer_spaces);
        let components: Vec<_> = components.map(|name| self.shorten(name)).collect();
        let encoded = self.shorten_path(&components);
        let numbered = (1_u64..).map(|n| format!("{encoded}~{n}"));
        let name = std::iter::once(encoded.clone())
            .chain(numbered)
            .find(|name| !self.taken.contains(name))
            .expect("there are more numbers than files");
        self.reserve(&name);
        name
    }

    /// The beginning, a mark of the whole, and what tells a person what kind of file it is; with
    /// room left for a number.
    fn shorten(&self, name: String) -> String {
        const NUMBER: &str = "~18446744073709551615";
        const KIND: usize = 16;
        if self.limit.takes_component(&format!("{name}{NUMBER}")) {
            return name;
        }
        let kind = name.rfind('.').map_or("", |dot| &name[dot..]);
        let kind = if kind.len() > KIND { "" } else { kind };
        let end = format!("~{}{kind}", mark(&name));
        let fits = |length: &usize| {
            let whole = format!("{}{end}{NUMBER}", &name[..*length]);
            self.limit.takes_component(&whole)
        };
        let lengths = (0..=name.len()).rev();
        let length = lengths
            .filter(|length| name.is_char_boundary(*length))
            .find(fits);
        // Not in the middle of an encoded byte.
        let start = &name[..length.unwrap_or(0)];
        let cut = start.rfind('%').filter(|percent| percent + 3 > start.len());
        format!("{}{end}", &start[..cut.unwrap_or(start.len())])
    }

    /// Of a path that is too long, the directories below the first become one.
    fn shorten_path(&self, components: &[String]) -> String {
        let whole = components.join("/");
        match components {
            [first, between @ .., last] if !between.is_empty() && !self.limit.takes(&whole) => {
                format!("{first}/~{}/{last}", mark(&between.join("/")))
            }
            _ => whole,
        }
    }
}

/// What two names that begin alike differ in.
fn mark(name: &str) -> String {
    const DIGITS: usize = 12;
    let digest = crate::digest::Sha256::from_bytes(Sha256::digest(name).into());
    let mut digits = digest.to_string();
    digits.truncate(DIGITS);
    digits
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
                StoredNames::default().plain(&path(name.as_bytes()), |_| true),
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
            assert_eq!(StoredNames::default().plain(&path(name), |_| true), None);
            assert_eq!(StoredNames::default().encode(&path(name)), stored);
        }
    }

    #[test]
    fn a_long_name_is_shortened_recognisably() {
        let mut names = StoredNames::within(NameLimit::Encrypted);
        let long = format!("{}.pdf", "report ".repeat(36));
        assert_eq!(names.plain(&path(long.as_bytes()), |_| true), None);
        let stored = names.encode(&path(long.as_bytes()));
        let recognisable = stored.starts_with("report report")
            && stored
                .rsplit_once('.')
                .is_some_and(|(_, kind)| kind == "pdf");
        assert!(recognisable, "{stored}");
    }

    #[test]
    fn long_names_that_begin_and_end_alike_stay_apart() {
        for limit in [NameLimit::Folder, NameLimit::Remote, NameLimit::Encrypted] {
            let mut names = StoredNames::within(limit);
            let name = |middle| format!("{0}{middle}{0}", "n".repeat(126));
            let one = names.encode(&path(name("one").as_bytes()));
            let other = names.encode(&path(name("two").as_bytes()));
            let again = names.encode(&path(name("two").as_bytes()));
            assert!(one != other && other != again, "{limit:?}");
        }
    }

    #[test]
    fn a_deep_path_keeps_its_first_directory_and_its_name() {
        let mut names = StoredNames::within(NameLimit::Remote);
        let deep = format!("top/{}leaf.txt", "directory/".repeat(90));
        let stored = names.encode(&path(deep.as_bytes()));
        assert!(
            stored.starts_with("top/~") && stored.ends_with("/leaf.txt"),
            "{stored}"
        );
        let other = deep.replace("leaf", "second");
        let other = names.encode(&path(other.as_bytes()));
        assert_eq!(
            stored.rsplit_once('/').unwrap().0,
            other.rsplit_once('/').unwrap().0
        );
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

        #[test]
        fn no_name_is_longer_than_its_destination_takes(
            parts in proptest::collection::vec("[a-zé\n .]{1,255}", 1..20),
            greatest in 0..3_usize,
        ) {
            let limit = [NameLimit::Folder, NameLimit::Remote, NameLimit::Encrypted][greatest];
            if let Ok(path) = RelPath::new(parts.join("/").into_bytes()) {
                let stored = StoredNames::within(limit).encode(&path);
                prop_assert!(limit.takes(&stored), "{stored}");
            }
        }
    }
}
