//! What components requested when they were pinned, so that a pin that is renewed can be compared with the
//! one before: of that, a configuration knows no more than its digest.
//!
//! Nothing here decides what a hook may do. Without it a renewal takes all that is in force for new.

use std::fs;
use std::io;
use std::path::PathBuf;

use copal_core::digest::Sha256;
use copal_core::grants::Grants;
use serde_json::{Value, json};

use crate::edge::state::{StateDir, make_private};
use crate::edge::whole::{self, Mode};

/// A directory with a file for each component.
pub struct KnownRequests(PathBuf);

impl KnownRequests {
    /// Those of this user.
    pub fn of(state: &StateDir) -> Self {
        Self(state.path().join("hook-requests"))
    }

    /// What the component with this digest requested, as an inspection says it; `None` where it is not
    /// known, or what is there makes no sense.
    pub fn get(&self, digest: &Sha256) -> Option<Option<Grants>> {
        let text = fs::read_to_string(self.file(digest)).ok()?;
        let kept: Value = serde_json::from_str(&text).ok()?;
        match kept.get("requests")? {
            Value::Null => Some(None),
            requests => Grants::from_json(requests).ok().map(Some),
        }
    }

    /// Keeps what it requests.
    pub fn keep(&self, digest: &Sha256, requests: Option<&Grants>) -> io::Result<()> {
        if self
            .get(digest)
            .is_some_and(|kept| kept.as_ref() == requests)
        {
            return Ok(());
        }
        make_private(&self.0)?;
        let kept = json!({ "requests": requests.map(Grants::to_json) });
        let text = kept.to_string();
        whole::replace(&self.file(digest), text.as_bytes(), Mode::Private)
    }

    fn file(&self, digest: &Sha256) -> PathBuf {
        self.0.join(format!("{digest}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Sha256 {
        Sha256::from_bytes([byte; 32])
    }

    #[test]
    fn what_is_kept_comes_back_and_what_is_damaged_is_not_known() {
        let state = tempfile::tempdir().unwrap();
        let known = KnownRequests::of(&StateDir::at(state.path()));
        assert_eq!(known.get(&digest(1)), None);
        let requests = Grants::from_json(&json!({ "state": true, "http": ["POST https://a"] }));
        let requests = requests.unwrap();
        known.keep(&digest(1), Some(&requests)).unwrap();
        known.keep(&digest(2), None).unwrap();
        known.keep(&digest(3), Some(&Grants::default())).unwrap();
        assert_eq!(known.get(&digest(1)), Some(Some(requests)));
        assert_eq!(known.get(&digest(2)), Some(None));
        assert_eq!(known.get(&digest(3)), Some(Some(Grants::default())));
        for damaged in ["", "{}", "{\"requests\":{\"all\":true}}"] {
            fs::write(known.file(&digest(1)), damaged).unwrap();
            assert_eq!(known.get(&digest(1)), None, "{damaged}");
        }
    }
}
