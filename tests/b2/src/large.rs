//! Large files, in parts: <https://www.backblaze.com/docs/cloud-storage-large-files>.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::{Access, LEAST_PART, Scope, issue_for_a_day};
use crate::content::Content;
use crate::encoding::check_name;
use crate::error::B2Error;
use crate::receive::Received;
use crate::state::{Info, Kind, Part, Store, Version};
use crate::upload::{check_info, stored_type};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartLargeFile {
    bucket_id: String,
    file_name: String,
    content_type: String,
    #[serde(default)]
    file_info: Info,
}

pub(crate) fn start(
    store: &mut Store,
    access: &Access,
    request: StartLargeFile,
) -> Result<Value, B2Error> {
    check_name(&request.file_name)?;
    check_info(&request.file_info)?;
    access.to_name(&request.bucket_id, &request.file_name)?;
    let kind = Kind::Start {
        parts: BTreeMap::new(),
    };
    let content_type = Some(stored_type(&request.content_type));
    let (bucket, name) = (&request.bucket_id, &request.file_name);
    let version = store.add(bucket, name, kind, content_type, request.file_info)?;
    Ok(version.to_json(bucket))
}

/// A call about a large file that has been begun.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OfLargeFile {
    file_id: String,
}

pub(crate) fn get_part_url(
    store: &mut Store,
    access: &Access,
    request: &OfLargeFile,
) -> Result<Value, B2Error> {
    let id = &request.file_id;
    begun(store, access, id)?;
    let token = issue_for_a_day(store, access, Scope::Part(id.clone()));
    let origin = &store.origin;
    Ok(json!({
        "fileId": id, "authorizationToken": token,
        "uploadUrl": format!("{origin}/b2api/v4/b2_upload_part/{id}/c001_v0001_t0001"),
    }))
}

/// The parts that have come, if the file is not finished yet.
fn begun<'a>(store: &'a Store, access: &Access, id: &str) -> Result<&'a Version, B2Error> {
    let (bucket, version) = store.version(id)?;
    access.to_name(bucket, &version.name)?;
    match version.kind {
        Kind::Start { .. } => Ok(version),
        Kind::Upload { .. } | Kind::Hide => {
            Err(B2Error::bad_request(format!("No active upload for: {id}")))
        }
    }
}

/// Keeps a part, in place of an older one of that number.
pub(crate) fn add_part(
    store: &mut Store,
    id: &str,
    number: u32,
    received: Received,
) -> Result<Value, B2Error> {
    if !(1..=10_000).contains(&number) {
        return Err(B2Error::bad_request("partNumber must be from 1 to 10000"));
    }
    let time = store.next_time();
    let length = received.content.len();
    let reply = json!({
        "fileId": id, "partNumber": number, "contentLength": length,
        "contentSha1": received.sha1, "uploadTimestamp": time,
    });
    match &mut store.version_mut(id)?.kind {
        Kind::Start { parts } => parts.insert(
            number,
            Part {
                content: received.content,
                sha1: received.sha1,
                time,
            },
        ),
        Kind::Upload { .. } | Kind::Hide => {
            return Err(B2Error::bad_request(format!("No active upload for: {id}")));
        }
    };
    Ok(reply)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FinishLargeFile {
    file_id: String,
    part_sha1_array: Vec<String>,
}

pub(crate) fn finish<'a>(
    store: &'a mut Store,
    access: &Access,
    request: &FinishLargeFile,
) -> Result<&'a Version, B2Error> {
    let id = &request.file_id;
    let Kind::Start { parts } = &begun(store, access, id)?.kind else {
        return Err(B2Error::no_such_file(id));
    };
    let content = assemble(parts, &request.part_sha1_array)?;
    let version = store.version_mut(id)?;
    version.kind = Kind::Upload {
        content,
        sha1: "none".to_owned(),
    };
    Ok(version)
}

fn assemble(parts: &BTreeMap<u32, Part>, named: &[String]) -> Result<Content, B2Error> {
    if parts.is_empty() || named.len() != parts.len() {
        return Err(B2Error::bad_request(format!(
            "partSha1Array has {} entries, and {} parts have come",
            named.len(),
            parts.len()
        )));
    }
    let mut content = Content::default();
    for (expected, ((number, part), sha1)) in (1..).zip(parts.iter().zip(named)) {
        if *number != expected {
            return Err(B2Error::bad_request(format!("part {expected} is missing")));
        }
        if part.sha1 != *sha1 {
            return Err(B2Error::bad_request(format!(
                "Part {number} has another SHA1"
            )));
        }
        if (*number as usize) < parts.len() && part.content.len() < LEAST_PART {
            return Err(B2Error::bad_request(format!(
                "Part number {number} is smaller than {LEAST_PART} bytes"
            )));
        }
        content.append(&part.content);
    }
    Ok(content)
}

pub(crate) fn cancel(
    store: &mut Store,
    access: &Access,
    request: &OfLargeFile,
) -> Result<Value, B2Error> {
    let id = &request.file_id;
    begun(store, access, id)?;
    let (bucket, version) = store.version(id)?;
    let reply = version.to_json(bucket);
    store.remove(id)?;
    Ok(reply)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListParts {
    file_id: String,
    start_part_number: Option<u32>,
    max_part_count: Option<usize>,
}

pub(crate) fn list_parts(
    store: &Store,
    access: &Access,
    request: &ListParts,
) -> Result<Value, B2Error> {
    let id = &request.file_id;
    let Kind::Start { parts } = &begun(store, access, id)?.kind else {
        return Err(B2Error::no_such_file(id));
    };
    let shown = |(number, part): (&u32, &Part)| {
        json!({
            "fileId": id, "partNumber": number, "contentLength": part.content.len(),
            "contentSha1": part.sha1, "uploadTimestamp": part.time,
        })
    };
    let mut rest = parts.range(request.start_part_number.unwrap_or(1)..);
    let most = request.max_part_count.unwrap_or(100);
    let list: Vec<Value> = rest.by_ref().take(most).map(shown).collect();
    Ok(json!({ "parts": list, "nextPartNumber": rest.next().map(|(number, _)| number) }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListUnfinished {
    bucket_id: String,
    name_prefix: Option<String>,
    start_file_id: Option<String>,
    max_file_count: Option<usize>,
}

pub(crate) fn list_unfinished(
    store: &Store,
    access: &Access,
    request: &ListUnfinished,
) -> Result<Value, B2Error> {
    let prefix = request.name_prefix.as_deref().unwrap_or_default();
    access.to_name(&request.bucket_id, prefix)?;
    let bucket = store.bucket(&request.bucket_id)?;
    let start = request.start_file_id.as_deref().unwrap_or_default();
    let mut versions: Vec<&Version> = bucket
        .files
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .flat_map(|(_, versions)| versions)
        .filter(|it| matches!(it.kind, Kind::Start { .. }) && it.id.as_str() >= start)
        .collect();
    versions.sort_by(|a, b| a.id.cmp(&b.id));
    let most = request.max_file_count.unwrap_or(100).min(100);
    let next = versions.get(most).map(|version| version.id.clone());
    let shown = versions.iter().take(most).map(|it| it.to_json(&bucket.id));
    Ok(json!({ "files": shown.collect::<Vec<_>>(), "nextFileId": next }))
}
