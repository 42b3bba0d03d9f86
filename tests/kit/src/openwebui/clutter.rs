//! What lies beside the data and does not belong into a backup: `cache/` and `audit.log`.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::Size;
use crate::{Random, sha256};

pub(super) fn write(data: &Path, size: &Size, random: &mut Random) -> anyhow::Result<()> {
    let cache = data.join("cache");
    write_model(&cache, size.cache * 8 / 10, random)?;
    write_media(&cache, size.cache / 10, random)?;
    write_tool_database(&cache)?;
    fs::write(
        data.join("audit.log"),
        audit_lines(size.audit_lines, random),
    )?;
    Ok(())
}

/// A downloaded model in the layout of Hugging Face's cache: blobs, and links to them.
fn write_model(cache: &Path, bytes: usize, random: &mut Random) -> io::Result<()> {
    let model = cache.join("embedding/models/models--sentence-transformers--all-MiniLM-L6-v2");
    let content = random.bytes(bytes);
    let blob = sha256(&content);
    let snapshot = model.join("snapshots/8b3219a92973c328a8e22fadcfa821b5dc75636a");
    fs::create_dir_all(model.join("blobs"))?;
    fs::create_dir_all(&snapshot)?;
    fs::create_dir_all(cache.join("whisper/models"))?;
    fs::write(model.join("blobs").join(&blob), content)?;
    symlink(
        format!("../../blobs/{blob}"),
        snapshot.join("model.safetensors"),
    )
}

fn write_media(cache: &Path, bytes: usize, random: &mut Random) -> io::Result<()> {
    const FILES: usize = 16;
    for (folder, ending) in [("audio/speech", "mp3"), ("image/generations", "png")] {
        let folder = cache.join(folder);
        fs::create_dir_all(&folder)?;
        for _ in 0..FILES {
            let name = format!("{}.{ending}", random.uuid());
            fs::write(folder.join(name), random.bytes(bytes / FILES))?;
        }
    }
    Ok(())
}

/// A database in a place that no backup takes: nobody has to stand in for it.
fn write_tool_database(cache: &Path) -> anyhow::Result<()> {
    let folder = cache.join("tools/web_search");
    fs::create_dir_all(&folder)?;
    let connection = rusqlite::Connection::open(folder.join("requests.sqlite"))?;
    connection.execute_batch(
        "CREATE TABLE responses (key TEXT PRIMARY KEY, value BLOB);
         INSERT INTO responses VALUES ('https://example.org/', x'00');",
    )?;
    Ok(())
}

fn audit_lines(count: usize, random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..count {
        writeln!(
            text,
            r#"{{"id":"{}","verb":"POST","request_uri":"/api/v1/chats/new","response_status_code":200}}"#,
            random.uuid()
        )
        .expect("a String takes any text");
    }
    text
}
