//! The data directory of an Open WebUI 0.12, as it lies on disk while the app is running or was
//! stopped without ceremony.
//!
//! ```text
//! webui.db (+ -wal, -shm)        everything relational; write-ahead log, its newest rows there
//! vector_db/chroma.sqlite3       Chroma's metadata, documents and queue; rollback journal
//! vector_db/<uuid>/…             one HNSW index per collection
//! uploads/<file id>_<name>       one per row of `file`, which names it by its absolute path
//! cache/…                        regenerable, the bulk of a fresh instance
//! audit.log
//! ```

mod chats;
mod clutter;
mod uploads;
mod vectors;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rusqlite::{Connection, TransactionBehavior};

use crate::Random;
use crate::sqlite::{open_chroma, open_webui};

pub(crate) use chats::Chat;
pub(crate) use uploads::Upload;
pub(crate) use vectors::{Collection, Passage, collections};

/// How much there is of everything.
#[derive(Debug, Clone)]
pub struct Size {
    /// Rows of `user` and `auth`.
    pub users: usize,
    /// Rows of `chat`, of a few kilobytes each.
    pub chats: usize,
    /// Chats whose rows are in `webui.db-wal` alone.
    pub chats_in_wal: usize,
    /// Files in `uploads/`, with their rows.
    pub uploads: usize,
    /// The largest upload, in bytes; most are smaller.
    pub largest_upload: usize,
    /// Chroma collections, each with an HNSW segment.
    pub collections: usize,
    /// Passages with a vector, over all collections.
    pub passages: usize,
    /// Bytes in `cache/`, about.
    pub cache: usize,
    /// Lines in `audit.log`.
    pub audit_lines: usize,
}

impl Size {
    /// Everything once, for tests: about 3 MB.
    pub const SMALL: Self = Self {
        users: 3,
        chats: 40,
        chats_in_wal: 5,
        uploads: 12,
        largest_upload: 40_000,
        collections: 2,
        passages: 40,
        cache: 1_000_000,
        audit_lines: 200,
    };

    /// A small team after some months: about 180 MB, a third of it in `cache/`.
    pub const TEAM: Self = Self {
        users: 12,
        chats: 6_000,
        chats_in_wal: 60,
        uploads: 240,
        largest_upload: 400_000,
        collections: 4,
        passages: 3_000,
        cache: 60_000_000,
        audit_lines: 20_000,
    };
}

/// A made-up instance.
#[derive(Debug, Clone)]
pub struct OpenWebUi {
    directory: PathBuf,
    seed: u64,
}

impl OpenWebUi {
    /// Makes the data directory `directory`, which must not exist yet or be empty, from a fixed
    /// seed.
    pub fn create(directory: &Path, size: &Size) -> anyhow::Result<Self> {
        Self::create_from(directory, size, 0x00C0_9A1F)
    }

    /// Makes the data directory from a seed of one's own.
    pub fn create_from(directory: &Path, size: &Size, seed: u64) -> anyhow::Result<Self> {
        fs::create_dir_all(directory.join("uploads"))?;
        fs::create_dir_all(directory.join("vector_db"))?;
        let directory = fs::canonicalize(directory)?;
        let app = Self { directory, seed };
        app.fill_webui(size).context("webui.db")?;
        app.fill_chroma(size).context("vector_db")?;
        clutter::write(&app.directory, size, &mut app.random("clutter"))
            .context("cache and audit.log")?;
        Ok(app)
    }

    /// The data directory, absolute.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// `webui.db`.
    pub fn webui_db(&self) -> PathBuf {
        self.directory.join("webui.db")
    }

    /// `vector_db/chroma.sqlite3`.
    pub fn chroma_db(&self) -> PathBuf {
        self.directory.join("vector_db/chroma.sqlite3")
    }

    /// `uploads/`.
    pub fn uploads(&self) -> PathBuf {
        self.directory.join("uploads")
    }

    pub(crate) fn random(&self, name: &str) -> Random {
        Random::new(self.seed, name)
    }

    fn fill_webui(&self, size: &Size) -> anyhow::Result<()> {
        let mut connection = open_webui(&self.webui_db())?;
        connection.execute_batch(include_str!("webui.sql"))?;
        let users = chats::insert_people(&connection, size.users, &mut self.random("people"))?;
        let mut random = self.random("chats");
        insert_chats(&mut connection, &users, size.chats, &mut random)?;
        self.insert_uploads(&mut connection, &users, size)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        insert_chats(&mut connection, &users, size.chats_in_wal, &mut random)
    }

    fn insert_uploads(
        &self,
        connection: &mut Connection,
        users: &[String],
        size: &Size,
    ) -> anyhow::Result<()> {
        let mut random = self.random("uploads");
        let transaction = connection.transaction()?;
        for _ in 0..size.uploads {
            let user = random.pick(users).clone();
            let upload = Upload::random(&user, size.largest_upload, &mut random);
            upload.store(&self.directory)?;
            upload.insert(&transaction, &self.directory)?;
        }
        Ok(transaction.commit()?)
    }

    fn fill_chroma(&self, size: &Size) -> anyhow::Result<()> {
        let mut random = self.random("vectors");
        let mut connection = open_chroma(&self.chroma_db())?;
        connection.execute_batch(include_str!("chroma.sql"))?;
        vectors::insert_collections(&connection, size.collections, &mut random)?;
        let collections = collections(&connection)?;
        for collection in &collections {
            collection.write_segment(&self.directory.join("vector_db"), &mut random)?;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for n in 0..size.passages {
            let passage = Passage::random(&mut random);
            passage.insert(&transaction, &collections[n % collections.len()])?;
        }
        Ok(transaction.commit()?)
    }
}

fn insert_chats(
    connection: &mut Connection,
    users: &[String],
    count: usize,
    random: &mut Random,
) -> anyhow::Result<()> {
    let transaction = connection.transaction()?;
    for _ in 0..count {
        let user = random.pick(users).clone();
        Chat::random(&user, random).insert(&transaction)?;
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests;
