//! Single versions: <https://www.backblaze.com/apidocs/b2-hide-file>, `-delete-file-version`,
//! `-get-file-info` and `-get-download-authorization`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::{Access, Scope, issue};
use crate::error::B2Error;
use crate::state::{Info, Kind, Store};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HideFile {
    bucket_id: String,
    file_name: String,
}

pub(crate) fn hide(
    store: &mut Store,
    access: &Access,
    request: &HideFile,
) -> Result<Value, B2Error> {
    let (bucket, name) = (&request.bucket_id, &request.file_name);
    access.to_name(bucket, name)?;
    let held = store.bucket(bucket)?;
    if held.visible(name).is_none() {
        let code = if held.files.contains_key(name) {
            "already_hidden"
        } else {
            "no_such_file"
        };
        return Err(B2Error::new(400, code, format!("no file to hide: {name}")));
    }
    let version = store.add(bucket, name, Kind::Hide, None, Info::new())?;
    Ok(version.to_json(bucket))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeleteFileVersion {
    file_id: String,
    file_name: String,
}

pub(crate) fn delete(
    store: &mut Store,
    access: &Access,
    request: &DeleteFileVersion,
) -> Result<Value, B2Error> {
    let (bucket, version) = store.version(&request.file_id)?;
    access.to_name(bucket, &version.name)?;
    if version.name != request.file_name {
        return Err(B2Error::no_such_file(&request.file_id));
    }
    store.remove(&request.file_id)?;
    Ok(json!({ "fileId": request.file_id, "fileName": request.file_name }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GetFileInfo {
    file_id: String,
}

pub(crate) fn info(
    store: &Store,
    access: &Access,
    request: &GetFileInfo,
) -> Result<Value, B2Error> {
    let missing = || B2Error::not_found(format!("file {} not found", request.file_id));
    let (bucket, version) = store.version(&request.file_id).map_err(|_| missing())?;
    access.to_name(bucket, &version.name)?;
    Ok(version.to_json(bucket))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GetDownloadAuthorization {
    bucket_id: String,
    file_name_prefix: String,
    valid_duration_in_seconds: u64,
}

pub(crate) fn authorize_download(
    store: &mut Store,
    access: &Access,
    request: &GetDownloadAuthorization,
) -> Result<Value, B2Error> {
    access.to_name(&request.bucket_id, &request.file_name_prefix)?;
    store.bucket(&request.bucket_id)?;
    let seconds = request.valid_duration_in_seconds;
    if !(1..=604_800).contains(&seconds) {
        return Err(B2Error::bad_request(
            "validDurationInSeconds must be from 1 to 604800",
        ));
    }
    let scope = Scope::Download(request.bucket_id.clone(), request.file_name_prefix.clone());
    let token = issue(store, access.clone(), scope, seconds * 1000);
    Ok(json!({
        "bucketId": request.bucket_id, "fileNamePrefix": request.file_name_prefix,
        "authorizationToken": token,
    }))
}
