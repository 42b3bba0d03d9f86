//! Copies that never leave B2: <https://www.backblaze.com/apidocs/b2-copy-file> and `-copy-part`.

use serde::Deserialize;
use serde_json::Value;

use crate::auth::Access;
use crate::content::Content;
use crate::download::Range;
use crate::encoding::check_name;
use crate::error::B2Error;
use crate::large;
use crate::receive::Received;
use crate::state::{Info, Kind, Store, Version};
use crate::upload::{check_info, stored_type};

/// The most that one copy takes.
const MOST: u64 = 5_000_000_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CopyFile {
    source_file_id: String,
    file_name: String,
    destination_bucket_id: Option<String>,
    range: Option<String>,
    metadata_directive: Option<String>,
    content_type: Option<String>,
    file_info: Option<Info>,
}

pub(crate) fn file<'a>(
    store: &'a mut Store,
    access: &Access,
    request: CopyFile,
) -> Result<(String, &'a Version), B2Error> {
    check_name(&request.file_name)?;
    let source = source(store, access, &request.source_file_id)?;
    let (content, sha1) = cut(&source, request.range.as_deref())?;
    let replace = match request.metadata_directive.as_deref() {
        None | Some("COPY") => false,
        Some("REPLACE") => true,
        Some(other) => {
            let message = format!("invalid metadataDirective: {other}");
            return Err(B2Error::bad_request(message));
        }
    };
    let given = request.content_type.is_some() || request.file_info.is_some();
    if !replace && given {
        return Err(B2Error::bad_request(
            "contentType and fileInfo go with the metadataDirective REPLACE",
        ));
    }
    let (content_type, info) = if replace {
        let given = request.content_type.as_deref();
        let given = given.ok_or_else(|| B2Error::bad_request("contentType is missing"))?;
        let info = request.file_info.unwrap_or_default();
        (Some(stored_type(given)), info)
    } else {
        (source.content_type, source.info)
    };
    check_info(&info)?;
    let bucket = request.destination_bucket_id.unwrap_or(source.bucket);
    access.to_name(&bucket, &request.file_name)?;
    let kind = Kind::Upload { content, sha1 };
    let version = store.add(&bucket, &request.file_name, kind, content_type, info)?;
    Ok((bucket, version))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CopyPart {
    source_file_id: String,
    large_file_id: String,
    part_number: u32,
    range: Option<String>,
}

pub(crate) fn part(
    store: &mut Store,
    access: &Access,
    request: &CopyPart,
) -> Result<Value, B2Error> {
    let source = source(store, access, &request.source_file_id)?;
    let (content, _) = cut(&source, request.range.as_deref())?;
    let (bucket, version) = store.version(&request.large_file_id)?;
    access.to_name(bucket, &version.name)?;
    let sha1 = content.sha1().map_err(B2Error::broken)?;
    let received = Received { content, sha1 };
    large::add_part(store, &request.large_file_id, request.part_number, received)
}

struct Source {
    bucket: String,
    content: Content,
    sha1: String,
    content_type: Option<String>,
    info: Info,
}

fn source(store: &Store, access: &Access, id: &str) -> Result<Source, B2Error> {
    let (bucket, version) = store.version(id)?;
    access.to_name(bucket, &version.name)?;
    let Kind::Upload { content, sha1 } = &version.kind else {
        return Err(B2Error::no_such_file(id));
    };
    Ok(Source {
        bucket: bucket.to_owned(),
        content: content.clone(),
        sha1: sha1.clone(),
        content_type: version.content_type.clone(),
        info: version.info.clone(),
    })
}

fn cut(source: &Source, range: Option<&str>) -> Result<(Content, String), B2Error> {
    let (content, sha1) = match range {
        None => (source.content.clone(), source.sha1.clone()),
        Some(text) => {
            let range = Range::parse(text)?.within(source.content.len())?;
            let content = source.content.slice(&range);
            let sha1 = content.sha1().map_err(B2Error::broken)?;
            (content, sha1)
        }
    };
    if content.len() > MOST {
        return Err(B2Error::bad_request("a copy takes at most 5 GB"));
    }
    Ok((content, sha1))
}
