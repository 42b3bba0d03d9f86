//! What the rows say of things that are not in the data directory, or not in the snapshot.

use copal_hook_sdk::{Error, ErrorExt, run, sqlite, warn};
use serde_json::Value;

use crate::rows::{count, first};

/// Chats that show generated images: of the newest 5000 as many as come to 256 MiB. A chat is one text with all its
/// images, some of many megabytes, and the app may be held while they are read. How long one is, is known without
/// reading it.
const LINKED: &str = "WITH newest AS (SELECT rowid AS it FROM chat ORDER BY updated_at DESC LIMIT 5000), \
    sized AS (SELECT newest.it, sum(octet_length(one.chat)) OVER (ORDER BY one.updated_at DESC, one.rowid) AS so_far \
              FROM newest JOIN chat AS one ON one.rowid = newest.it) \
    SELECT count(*) AS it FROM sized JOIN chat AS one ON one.rowid = sized.it \
    WHERE sized.so_far <= 268435456 AND instr(one.chat, '/cache/image/generations/') > 0";

/// Warns of servers under which a log may vanish.
pub(crate) fn who_has_it_open(database: &str) -> Result<(), Error> {
    for holder in sqlite::holders(database)? {
        warn!(
            "{} (process {}): {}. Rows that it writes may be in no backup, and be lost when it ends: restart Open WebUI, \
             and do not use its \"Download database\"",
            holder.program, holder.pid, holder.why
        );
    }
    Ok(())
}

/// Records which schema it has, and warns of what lies elsewhere.
pub(crate) fn at_rows(database: &str) -> Result<(), Error> {
    at_version(database)?;
    let elsewhere = "SELECT count(*) AS it FROM file WHERE path LIKE '%://%'";
    let elsewhere = count(database, elsewhere)?;
    if elsewhere > 0 {
        warn!(
            "{elsewhere} uploads lie in object storage (STORAGE_PROVIDER) and not in this directory: \
             what `uploads/` has of them may be a cache; back the bucket up as well"
        );
    }
    let linked = count(database, LINKED)?;
    if linked > 0 {
        warn!(
            "{linked} chats show generated images that lie in `cache/`: where that is left out, the images are not in the snapshot"
        );
    }
    Ok(())
}

/// Records which schema it has.
fn at_version(database: &str) -> Result<(), Error> {
    let revision = first(database, "SELECT version_num AS it FROM alembic_version")?;
    match revision.as_ref().and_then(Value::as_str) {
        Some(revision) => run::record("alembic-revision", revision),
        None => Ok(()),
    }
}

/// The same of one that a restore is about to take away. What is gone or damaged is often why, and tells nothing.
pub(crate) fn at_live_version(database: &str) -> Result<(), Error> {
    match at_version(database) {
        Err(error @ Error::Denied(_)) => return Err(error),
        Err(Error::Missing(_)) | Ok(()) => {}
        Err(error) => warn!(
            "of which version the app at the source is can't be told: {}",
            error.text()
        ),
    }
    Ok(())
}

/// Warns where there should be vectors and there are none.
pub(crate) fn at_missing_vectors(database: &str) -> Result<(), Error> {
    let files = count(database, "SELECT count(*) AS it FROM file")?;
    if files > 0 {
        warn!(
            "there are {files} uploads and no `vector_db/chroma.sqlite3`: the vectors lie in another store (VECTOR_DB), \
             which is not in this backup"
        );
    }
    Ok(())
}
