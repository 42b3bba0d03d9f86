//! Small files: <https://www.backblaze.com/apidocs/b2-upload-file>.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::{Access, Scope, issue_for_a_day};
use crate::encoding::check_name;
use crate::error::B2Error;
use crate::receive::Received;
use crate::state::{Info, Kind, Store, Version};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GetUploadUrl {
    bucket_id: String,
}

pub(crate) fn get_url(
    store: &mut Store,
    access: &Access,
    request: &GetUploadUrl,
) -> Result<Value, B2Error> {
    let bucket = &request.bucket_id;
    access.to_bucket(bucket)?;
    store.bucket(bucket)?;
    let token = issue_for_a_day(store, access, Scope::Upload(bucket.clone()));
    let origin = &store.origin;
    Ok(json!({
        "bucketId": bucket, "authorizationToken": token,
        "uploadUrl": format!("{origin}/b2api/v4/b2_upload_file/{bucket}/c001_v0001_t0001"),
    }))
}

/// What the headers of an upload say.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) info: Info,
}

/// A bucket's new version; its bucket.
pub(crate) fn store_file<'a>(
    store: &'a mut Store,
    access: &Access,
    bucket: &str,
    upload: Upload,
    received: Received,
) -> Result<&'a Version, B2Error> {
    check_name(&upload.name)?;
    check_info(&upload.info)?;
    access.to_name(bucket, &upload.name)?;
    let kind = Kind::Upload {
        content: received.content,
        sha1: received.sha1,
    };
    let content_type = Some(stored_type(&upload.content_type));
    store.add(bucket, &upload.name, kind, content_type, upload.info)
}

/// `b2/x-auto` is for B2 to choose; this one knows no endings.
pub(crate) fn stored_type(content_type: &str) -> String {
    match content_type {
        "b2/x-auto" | "" => "application/octet-stream",
        other => other,
    }
    .to_owned()
}

pub(crate) fn check_info(info: &Info) -> Result<(), B2Error> {
    if info.len() > 10 {
        return Err(B2Error::bad_request("more than 10 entries in fileInfo"));
    }
    let size: usize = info
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > 7000 {
        return Err(B2Error::bad_request("fileInfo has more than 7000 bytes"));
    }
    Ok(())
}
