//! Whether a restored copy would work: each upload has its file, chats parse, vectors can be counted.
//!
//! What the hook may not see is said, and no fault of the snapshot.

use copal_hook_sdk::{Error, files, info, sqlite};
use serde::Deserialize;

use crate::rows::{literal, rows};
use crate::{CHROMA, WEBUI};

/// How many rows are asked for at once: of paths what fits into an answer.
const ROWS: u32 = 1000;

/// Chats are read in pages that come to this many bytes, or one chat more: what is read in time.
const PAGE: u32 = 32 << 20;

/// A chat is one text with all its images. A longer one than this is not read.
const LONGEST: u32 = 64 << 20;

/// How many uploads without a file are named.
const NAMED: usize = 5;

/// What is wrong with the copy, all of it, is the error.
pub(crate) fn try_copy() -> Result<(), Error> {
    let databases = sqlite::databases()?;
    let has = |name: &str| databases.iter().any(|database| database == name);
    let mut wrong = Vec::new();
    if has(WEBUI) {
        wrong.extend(uploads()?);
        wrong.extend(chats()?);
    } else {
        wrong.push(format!("there is no {WEBUI}"));
    }
    if has(CHROMA) {
        wrong.extend(vectors()?);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::Failed(wrong.join("; ")))
    }
}

#[derive(Deserialize)]
struct Upload {
    id: String,
    path: String,
}

fn uploads() -> Result<Option<String>, Error> {
    let there = match files::names("uploads") {
        Ok(Some(there)) => there,
        Err(Error::Missing(_)) => std::collections::BTreeSet::new(),
        Err(error) => return Err(error),
        Ok(None) => {
            info!("uploads were not looked for, which takes the grant `files = [\"source\"]`");
            return Ok(None);
        }
    };
    let (mut looked_for, mut missing) = (0, Vec::new());
    let mut last = String::new();
    loop {
        let sql = format!(
            "SELECT id, path FROM file WHERE path LIKE '/%/uploads/%' AND id > {} ORDER BY id",
            literal(&last)
        );
        let page: Vec<Upload> = rows(WEBUI, &sql, ROWS)?;
        let Some(end) = page.last() else { break };
        last.clone_from(&end.id);
        for Upload { path, .. } in page {
            let Some((directory, name)) = path.rsplit_once('/') else {
                continue;
            };
            if directory.ends_with("/uploads") {
                looked_for += 1;
                if !there.contains(name) {
                    missing.push(name.to_owned());
                }
            }
        }
    }
    if missing.is_empty() {
        info!("each of {looked_for} uploads has its file");
        return Ok(None);
    }
    let count = missing.len();
    missing.truncate(NAMED);
    let more = if count > NAMED { ", …" } else { "" };
    let names = missing.join("`, `");
    Ok(Some(format!(
        "{count} of {looked_for} uploads have a row and no file: `{names}`{more}"
    )))
}

#[derive(Deserialize)]
struct Chats {
    last: Option<i64>,
    seen: u64,
    long: u64,
    broken: u64,
}

fn chats() -> Result<Option<String>, Error> {
    let (mut seen, mut long, mut broken) = (0, 0, 0);
    let mut last = i64::MIN;
    loop {
        let page: Vec<Chats> = rows(WEBUI, &chats_after(last), 1)?;
        let Some(page) = page.first() else { break };
        let Some(end) = page.last else { break };
        last = end;
        seen += page.seen;
        long += page.long;
        broken += page.broken;
    }
    info!("{} chats were read", seen - long);
    if long > 0 {
        info!("{long} chats of more than {LONGEST} bytes were not");
    }
    let wrong = || format!("{broken} of {seen} chats are not the JSON that they have to be");
    Ok((broken > 0).then(wrong))
}

/// A page of them. How long a chat is, is known without reading it.
fn chats_after(last: i64) -> String {
    format!(
        "WITH page AS (SELECT rowid AS at, coalesce(octet_length(chat), 0) AS bytes \
                       FROM chat WHERE rowid > {last} ORDER BY rowid LIMIT {ROWS}), \
              sized AS (SELECT at, bytes, sum(bytes) OVER (ORDER BY at) - bytes AS so_far FROM page) \
         SELECT max(sized.at) AS last, count(*) AS seen, coalesce(sum(sized.bytes > {LONGEST}), 0) AS long, \
                coalesce(sum(CASE WHEN sized.bytes > {LONGEST} THEN 0 ELSE NOT json_valid(one.chat) END), 0) AS broken \
         FROM sized JOIN chat AS one ON one.rowid = sized.at WHERE sized.so_far <= {PAGE}"
    )
}

#[derive(Deserialize)]
struct Collection {
    vectors: u64,
}

fn vectors() -> Result<Option<String>, Error> {
    let sql = "SELECT count(e.id) AS vectors FROM collections AS c \
               LEFT JOIN segments AS s ON s.collection = c.id AND s.scope = 'METADATA' \
               LEFT JOIN embeddings AS e ON e.segment_id = s.id GROUP BY c.id";
    let collections: Vec<Collection> = match rows(CHROMA, sql, 10_000) {
        Ok(collections) => collections,
        Err(Error::Denied(denial)) => {
            info!(
                "collections were not counted, which takes {}",
                denial.remedy
            );
            return Ok(None);
        }
        Err(Error::Invalid(why) | Error::Failed(why)) => {
            return Ok(Some(format!("the collections can't be counted: {why}")));
        }
        Err(error) => return Err(error),
    };
    let vectors: u64 = collections.iter().map(|one| one.vectors).sum();
    info!(
        "{} collections have {vectors} vectors together",
        collections.len()
    );
    Ok(None)
}
