//! Looking into a restored data directory for what has to be there, and for what must not.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::openwebui::Passage;
use crate::sqlite::{integrity, open_still};
use crate::{Write, sha256};

/// How many things were looked for, and how many came back as they were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Looked for.
    pub expected: usize,
    /// Found unchanged.
    pub found: usize,
}

impl Tally {
    fn count(&mut self, found: bool) {
        self.expected += 1;
        self.found += usize::from(found);
    }
}

/// What a restored Open WebUI directory holds.
#[derive(Debug, Clone, Default)]
pub struct Restored {
    /// What `integrity_check` says of `webui.db`: `ok`, or the faults.
    pub webui_db: String,
    /// What `integrity_check` says of `chroma.sqlite3`.
    pub chroma_db: String,
    /// Acknowledged chats.
    pub chats: Tally,
    /// Acknowledged uploads, each with row and file.
    pub uploads: Tally,
    /// Acknowledged passages, each with its vector.
    pub passages: Tally,
    /// Rows of `file`, acknowledged or not, whose upload is there with the content they tell.
    pub files: Tally,
    /// What should not have travelled: `cache`, `audit.log`, and the databases' side files.
    pub leftovers: Vec<String>,
    missing: Vec<String>,
}

impl Restored {
    /// Looks through `directory` without changing anything in it. An error means that it could not
    /// be looked through at all; what falls short is in the answer.
    pub fn check(directory: &Path, acknowledged: &[Write]) -> anyhow::Result<Self> {
        let mut report = Self {
            leftovers: leftovers(directory)?,
            ..Self::default()
        };
        let uploads = directory.join("uploads");
        report.check_webui(&directory.join("webui.db"), &uploads, acknowledged)?;
        report.check_chroma(&directory.join("vector_db/chroma.sqlite3"), acknowledged)?;
        Ok(report)
    }

    /// Whether everything is as it must be.
    pub fn is_whole(&self) -> bool {
        self.shortfalls().is_empty()
    }

    /// What is not as it must be, a sentence each.
    pub fn shortfalls(&self) -> Vec<String> {
        let mut found = self.missing.clone();
        for (name, verdict) in [
            ("webui.db", &self.webui_db),
            ("vector_db/chroma.sqlite3", &self.chroma_db),
        ] {
            if verdict != "ok" {
                found.push(format!("{name} fails its integrity check: {verdict}"));
            }
        }
        let travelled = |path: &String| format!("{path} should not have travelled");
        found.extend(self.leftovers.iter().map(travelled));
        found
    }

    fn check_webui(
        &mut self,
        path: &Path,
        uploads: &Path,
        acknowledged: &[Write],
    ) -> anyhow::Result<()> {
        let connection = open_still(path)?;
        self.webui_db = verdict(&connection);
        if self.webui_db != "ok" {
            return Ok(());
        }
        for write in acknowledged {
            match write {
                Write::Chat { id, sha256 } => {
                    let found = chat_digest(&connection, id)?.as_ref() == Some(sha256);
                    self.chats.count(found);
                    self.note(found, "chat", id);
                }
                Write::Upload {
                    id,
                    stored_name,
                    sha256,
                } => {
                    let found = row_hash(&connection, id)?.as_ref() == Some(sha256)
                        && file_digest(&uploads.join(stored_name)).as_ref() == Some(sha256);
                    self.uploads.count(found);
                    self.note(found, "upload", stored_name);
                }
                Write::Passage { .. } => {}
            }
        }
        self.check_every_file(&connection, uploads)
    }

    /// A row whose file is missing is a dead link in the app. Rows that were not acknowledged in
    /// time may be there or not, but if they are, so is their file.
    fn check_every_file(&mut self, connection: &Connection, uploads: &Path) -> anyhow::Result<()> {
        let mut statement = connection.prepare("SELECT path, hash FROM file ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in rows {
            let (path, hash): (String, String) = row?;
            let name = path.rsplit('/').next().unwrap_or(&path);
            let found = file_digest(&uploads.join(name)) == Some(hash);
            self.files.count(found);
            self.note(found, "the file of a row of `file`", name);
        }
        Ok(())
    }

    fn check_chroma(&mut self, path: &Path, acknowledged: &[Write]) -> anyhow::Result<()> {
        let connection = open_still(path)?;
        self.chroma_db = verdict(&connection);
        if self.chroma_db != "ok" {
            return Ok(());
        }
        for write in acknowledged {
            if let Write::Passage { id, sha256 } = write {
                let found = passage_digest(&connection, id)?.as_ref() == Some(sha256);
                self.passages.count(found);
                self.note(found, "passage", id);
            }
        }
        Ok(())
    }

    fn note(&mut self, found: bool, kind: &str, name: &str) {
        let sentence = format!("{kind} {name} is missing or changed");
        if !found && !self.missing.contains(&sentence) {
            self.missing.push(sentence);
        }
    }
}

fn verdict(connection: &Connection) -> String {
    integrity(connection).unwrap_or_else(|error| error.to_string())
}

fn chat_digest(connection: &Connection, id: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT chat FROM chat WHERE id = ?1")?
        .query_row([id], |row| row.get::<_, String>(0))
        .map(sha256)
        .optional()
}

fn row_hash(connection: &Connection, id: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT hash FROM file WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

fn passage_digest(connection: &Connection, id: &str) -> rusqlite::Result<Option<String>> {
    let text_and_place = connection
        .prepare_cached(
            "SELECT m.string_value, e.seq_id FROM embeddings e
             JOIN embedding_metadata m ON m.id = e.id AND m.key = 'chroma:document'
             JOIN segments s ON s.id = e.segment_id
             WHERE e.embedding_id = ?1",
        )?
        .query_row([id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
        .optional()?;
    let Some((document, sequence)) = text_and_place else {
        return Ok(None);
    };
    // The queue is found by its key; it has no index of ids.
    connection
        .prepare_cached("SELECT vector FROM embeddings_queue WHERE seq_id = ?1 AND id = ?2")?
        .query_row((i64::from_be_bytes(sequence), id), |row| {
            Ok(Passage::digest_of(&document, &row.get::<_, Vec<u8>>(0)?))
        })
        .optional()
}

/// `None` where the file can't be read, which is how a missing one shows.
fn file_digest(path: &Path) -> Option<String> {
    fs::read(path).ok().map(sha256)
}

/// Paths, relative to the directory, of what a backup leaves out.
fn leftovers(directory: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in ["", "vector_db"] {
        for entry in fs::read_dir(directory.join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let side_file = ["-wal", "-shm", "-journal"]
                .iter()
                .any(|suffix| name.ends_with(suffix));
            let excluded = folder.is_empty() && (name == "cache" || name == "audit.log");
            if side_file || excluded {
                let path = Path::new(folder).join(name);
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
