//! What is in `vector_db/`: collections of passages, each with its vector.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::json;

use crate::{Random, sha256};

/// Numbers of a vector, as of the app's default embedding model.
const DIMENSION: usize = 384;
const METADATA: &str = "urn:chroma:segment/metadata/sqlite";
const VECTOR: &str = "urn:chroma:segment/vector/hnsw-local-persisted";

/// A collection as a writer needs to know it.
pub(crate) struct Collection {
    id: String,
    metadata_segment: String,
    vector_segment: String,
}

/// A passage of a document with its vector: one row of `embeddings` and what belongs to it.
pub(crate) struct Passage {
    pub(crate) id: String,
    document: String,
    vector: Vec<u8>,
}

pub(super) fn insert_collections(
    connection: &Connection,
    count: usize,
    random: &mut Random,
) -> rusqlite::Result<()> {
    connection.execute_batch(
        "INSERT INTO tenants VALUES ('default_tenant');
         INSERT INTO databases VALUES ('00000000-0000-0000-0000-000000000000', 'default_database', 'default_tenant');
         INSERT INTO embeddings_queue_config VALUES (1, '{\"automatically_purge\": true, \"_type\": \"EmbeddingsQueueConfigurationInternal\"}');",
    )?;
    let dimension = i64::try_from(DIMENSION).expect("a small number");
    for _ in 0..count.max(1) {
        let id = random.uuid();
        connection.execute(
            "INSERT INTO collections (id, name, dimension, database_id, config_json_str)
             VALUES (?1, ?2, ?3, '00000000-0000-0000-0000-000000000000', '{}')",
            params![id, format!("file-{}", random.uuid()), dimension],
        )?;
        for (kind, scope) in [(METADATA, "METADATA"), (VECTOR, "VECTOR")] {
            connection.execute(
                "INSERT INTO segments VALUES (?1, ?2, ?3, ?4)",
                params![random.uuid(), kind, scope, id],
            )?;
        }
    }
    Ok(())
}

/// The collections that there are, by id.
pub(crate) fn collections(connection: &Connection) -> rusqlite::Result<Vec<Collection>> {
    connection
        .prepare(
            "SELECT c.id, m.id, v.id FROM collections c
             JOIN segments m ON m.collection = c.id AND m.scope = 'METADATA'
             JOIN segments v ON v.collection = c.id AND v.scope = 'VECTOR' ORDER BY c.id",
        )?
        .query_map([], |row| {
            Ok(Collection {
                id: row.get(0)?,
                metadata_segment: row.get(1)?,
                vector_segment: row.get(2)?,
            })
        })?
        .collect()
}

impl Collection {
    /// Writes the HNSW files of a collection below a thousand vectors: preallocated, with the
    /// vectors still in Chroma's queue.
    pub(super) fn write_segment(&self, vector_db: &Path, random: &mut Random) -> io::Result<()> {
        let directory = vector_db.join(&self.vector_segment);
        fs::create_dir_all(&directory)?;
        // Each element: its links (132 bytes), its vector, its label (8 bytes); room for 1,000.
        fs::write(
            directory.join("data_level0.bin"),
            random.bytes((132 + 4 * DIMENSION + 8) * 1_000),
        )?;
        fs::write(directory.join("header.bin"), random.bytes(100))?;
        fs::write(directory.join("length.bin"), vec![0; 4_000])?;
        fs::write(directory.join("link_lists.bin"), [])?;
        // An empty dictionary in pickle protocol 4.
        fs::write(directory.join("index_metadata.pickle"), b"\x80\x04}\x94.")
    }

    fn topic(&self) -> String {
        format!("persistent://default/default/{}", self.id)
    }
}

impl Passage {
    pub(crate) fn random(random: &mut Random) -> Self {
        Self {
            id: random.uuid(),
            document: random.words(120),
            vector: random.bytes(4 * DIMENSION),
        }
    }

    /// What tells whether the passage came back as it was written.
    pub(crate) fn digest(&self) -> String {
        Self::digest_of(&self.document, &self.vector)
    }

    pub(crate) fn digest_of(document: &str, vector: &[u8]) -> String {
        sha256([document.as_bytes(), vector].concat())
    }

    pub(crate) fn insert(&self, connection: &Connection, to: &Collection) -> rusqlite::Result<()> {
        let metadata = json!({ "chroma:document": self.document, "source": "handbook.pdf" });
        connection
            .prepare_cached(
                "INSERT INTO embeddings_queue (operation, topic, id, vector, encoding, metadata)
                 VALUES (0, ?1, ?2, ?3, 'FLOAT32', ?4)",
            )?
            .execute(params![
                to.topic(),
                self.id,
                self.vector,
                metadata.to_string()
            ])?;
        let sequence = connection.last_insert_rowid();
        connection
            .prepare_cached(
                "INSERT INTO embeddings (segment_id, embedding_id, seq_id) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![
                to.metadata_segment,
                self.id,
                sequence.to_be_bytes()
            ])?;
        let row = connection.last_insert_rowid();
        let mut add = connection.prepare_cached(
            "INSERT INTO embedding_metadata (id, key, string_value) VALUES (?1, ?2, ?3)",
        )?;
        add.execute(params![row, "chroma:document", self.document])?;
        add.execute(params![row, "source", "handbook.pdf"])?;
        connection
            .prepare_cached(
                "INSERT INTO embedding_fulltext_search (rowid, string_value) VALUES (?1, ?2)",
            )?
            .execute(params![row, self.document])?;
        connection
            .prepare_cached("INSERT OR REPLACE INTO max_seq_id VALUES (?1, ?2)")?
            .execute(params![to.metadata_segment, sequence])?;
        Ok(())
    }
}
