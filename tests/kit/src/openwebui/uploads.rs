//! Uploaded files: the file first, then its row, so that every row has its file.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::json;

use super::chats::moment;
use crate::{Random, sha256};

/// One file in `uploads/` and its row of `file`.
pub(crate) struct Upload {
    pub(crate) id: String,
    user: String,
    name: String,
    content: Vec<u8>,
    at: i64,
}

impl Upload {
    pub(crate) fn random(user: &str, largest: usize, random: &mut Random) -> Self {
        // Squared, so that most are small, as uploads are.
        let share = random.below(1_000);
        let length = 1 + largest.saturating_sub(1) * share * share / 1_000_000;
        let ending = random.pick(&["pdf", "docx", "png", "csv"]);
        Self {
            id: random.uuid(),
            user: user.to_owned(),
            name: format!("{}.{ending}", random.words(2)),
            content: random.bytes(length),
            at: moment(random),
        }
    }

    /// The name in `uploads/`.
    pub(crate) fn stored_name(&self) -> String {
        format!("{}_{}", self.id, self.name)
    }

    pub(crate) fn digest(&self) -> String {
        sha256(&self.content)
    }

    /// Writes the file below the data directory.
    pub(crate) fn store(&self, data: &Path) -> io::Result<()> {
        fs::write(data.join("uploads").join(self.stored_name()), &self.content)
    }

    /// Writes the row, with the absolute path that the app keeps there.
    pub(crate) fn insert(&self, connection: &Connection, data: &Path) -> rusqlite::Result<()> {
        let path = data.join("uploads").join(self.stored_name());
        let meta = json!({
            "name": self.name, "size": self.content.len(), "content_type": "application/octet-stream",
        });
        connection
            .prepare_cached(
                "INSERT INTO file (id, user_id, hash, filename, path, data, meta, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, '{\"status\": \"completed\"}', ?6, ?7, ?7)",
            )?
            .execute(params![
                self.id,
                self.user,
                self.digest(),
                self.name,
                path.to_string_lossy(),
                meta.to_string(),
                self.at
            ])?;
        Ok(())
    }
}
