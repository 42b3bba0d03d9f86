//! Keeps secrets that a hook was given out of what is told about it.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use crate::SecretBytes;

/// What stands in a secret's place.
const MASK: &str = "***";

/// Shorter ones are parts of many words, and are covered only where they are a word of their own.
const SHORTEST: usize = 4;

/// Secrets, and what covers them in a text. Clones are the same.
///
/// What a hook makes of a secret (its base64, its half) is not recognised: a secret that it was
/// granted to read is in its hands.
#[derive(Debug, Clone, Default)]
pub struct Masks(Arc<Mutex<Vec<SecretBytes>>>);

impl Masks {
    /// Covers a secret from here on: the whole of it, and each of its lines, since texts are told
    /// line by line.
    pub fn add(&self, secret: &SecretBytes) {
        // Bytes that are no text are told as these characters.
        let text = String::from_utf8_lossy(secret.expose());
        let mut forms = self.0.lock().expect("no holder of this lock panics");
        let lines = text.lines().filter(|line| line.len() >= SHORTEST);
        for form in std::iter::once(&*text).chain(lines) {
            let form = SecretBytes::new(form);
            if !form.expose().is_empty() && !forms.contains(&form) {
                forms.push(form);
            }
        }
    }

    /// The text without secrets. To be cut or rewritten afterwards, not before.
    pub fn cover(&self, text: String) -> String {
        let mut found = self.find(&text);
        if found.is_empty() {
            return text;
        }
        found.sort_unstable_by_key(|range| (range.start, range.end));
        let mut covered = String::new();
        let mut told = 0;
        for Range { start, end } in found {
            // One that begins in another is covered with it.
            if start >= told {
                covered.push_str(&text[told..start]);
                covered.push_str(MASK);
            }
            told = told.max(end);
        }
        covered.push_str(&text[told..]);
        covered
    }

    /// Where secrets are, in any order.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let forms = self.0.lock().expect("no holder of this lock panics");
        let mut found = Vec::new();
        for form in forms.iter() {
            let form = std::str::from_utf8(form.expose()).expect("it was a text");
            let places = text.match_indices(form);
            let places = places.map(|(at, form)| at..at + form.len());
            found.extend(places.filter(|at| form.len() >= SHORTEST || is_a_word(text, at)));
        }
        found
    }
}

fn is_a_word(text: &str, at: &Range<usize>) -> bool {
    let before = text[..at.start].chars().next_back();
    let after = text[at.end..].chars().next();
    let goes_on = |beside: Option<char>| beside.is_some_and(|c| c.is_alphanumeric() || c == '_');
    !goes_on(before) && !goes_on(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(secrets: &[&[u8]], text: &str) -> String {
        let masks = Masks::default();
        for secret in secrets {
            masks.add(&SecretBytes::new(*secret));
        }
        masks.cover(text.to_owned())
    }

    #[test]
    fn a_secret_is_covered_wherever_it_stands() {
        let text = "hunter22, Bearer hunter22";
        assert_eq!(covered(&[b"hunter22"], text), "***, Bearer ***");
    }

    #[test]
    fn secrets_within_and_across_others_are_covered_in_any_order() {
        let secrets: [&[u8]; 3] = [b"hunter", b"hunter22", b"er22-more"];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let secrets = order.map(|at| secrets[at]);
            assert_eq!(covered(&secrets, "a hunter22 b"), "a *** b");
            assert_eq!(covered(&secrets, "a hunter22-more b"), "a *** b");
        }
    }

    #[test]
    fn each_line_of_a_secret_is_covered_by_itself() {
        let secret: &[u8] = b"first line\r\nsecond line\n}\n";
        assert_eq!(covered(&[secret], "first line"), "***");
        assert_eq!(covered(&[secret], "a second line}"), "a ***}");
    }

    #[test]
    fn a_secret_that_is_no_text_is_covered_as_it_is_told() {
        let secret = b"\xffhunter22";
        let told = String::from_utf8_lossy(secret);
        assert_eq!(covered(&[secret], &told), "***");
    }

    #[test]
    fn a_short_secret_is_covered_where_it_is_a_word() {
        let text = "PGPASSWORD=pg, pg_dump, pgx";
        assert_eq!(covered(&[b"pg"], text), "PGPASSWORD=***, pg_dump, pgx");
    }
}
