//! From a call and its JSON to the module that answers it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::auth::Access;
use crate::call::Call;
use crate::error::B2Error;
use crate::list::ListFiles;
use crate::state::Store;
use crate::{buckets, copy, files, keys, large, list, upload};

/// What a call has come to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) json: Value,
    /// The bucket and the name of a file that there is from now on.
    pub(crate) stored: Option<(String, String)>,
    /// How many calls it is charged as.
    pub(crate) charged: u64,
}

impl Answer {
    pub(crate) fn new(json: Value) -> Self {
        Self {
            json,
            stored: None,
            charged: 1,
        }
    }

    pub(crate) fn stored(json: Value, bucket: &str, name: &str) -> Self {
        Self {
            stored: Some((bucket.to_owned(), name.to_owned())),
            ..Self::new(json)
        }
    }
}

fn parse<T: DeserializeOwned>(body: Value) -> Result<T, B2Error> {
    serde_json::from_value(body).map_err(B2Error::bad_request)
}

/// Answers a call whose request is a JSON object.
pub(crate) fn dispatch(
    store: &mut Store,
    access: &Access,
    call: Call,
    body: Value,
) -> Result<Answer, B2Error> {
    let json = match call {
        Call::CreateBucket => buckets::create(store, access, parse(body)?),
        Call::ListBuckets => buckets::list(store, access, &parse(body)?),
        Call::UpdateBucket => buckets::update(store, access, parse(body)?),
        Call::DeleteBucket => buckets::delete(store, access, &parse(body)?),
        Call::CreateKey => keys::create(store, parse(body)?),
        Call::ListKeys => Ok(keys::list(store, &parse(body)?)),
        Call::DeleteKey => keys::delete(store, access, &parse(body)?),
        Call::GetUploadUrl => upload::get_url(store, access, &parse(body)?),
        Call::StartLargeFile => large::start(store, access, parse(body)?),
        Call::GetUploadPartUrl => large::get_part_url(store, access, &parse(body)?),
        Call::CancelLargeFile => large::cancel(store, access, &parse(body)?),
        Call::ListParts => large::list_parts(store, access, &parse(body)?),
        Call::ListUnfinishedLargeFiles => large::list_unfinished(store, access, &parse(body)?),
        Call::CopyPart => copy::part(store, access, &parse(body)?),
        Call::HideFile => files::hide(store, access, &parse(body)?),
        Call::DeleteFileVersion => files::delete(store, access, &parse(body)?),
        Call::GetFileInfo => files::info(store, access, &parse(body)?),
        Call::GetDownloadAuthorization => files::authorize_download(store, access, &parse(body)?),
        Call::ListFileNames | Call::ListFileVersions => return listing(store, access, call, body),
        Call::FinishLargeFile => return finish(store, access, body),
        Call::CopyFile => return copied(store, access, body),
        Call::AuthorizeAccount
        | Call::DownloadFileById
        | Call::DownloadFileByName
        | Call::UploadFile
        | Call::UploadPart => Err(B2Error::bad_request("not a call with a JSON object")),
    };
    json.map(Answer::new)
}

fn listing(store: &Store, access: &Access, call: Call, body: Value) -> Result<Answer, B2Error> {
    let request: ListFiles = parse(body)?;
    let list = match call {
        Call::ListFileNames => list::names,
        _ => list::versions,
    };
    let answer = Answer::new(list(store, access, &request)?);
    Ok(Answer {
        charged: request.charged(),
        ..answer
    })
}

fn finish(store: &mut Store, access: &Access, body: Value) -> Result<Answer, B2Error> {
    let version = large::finish(store, access, &parse(body)?)?.clone();
    let (bucket, _) = store.version(&version.id)?;
    Ok(Answer::stored(
        version.to_json(bucket),
        bucket,
        &version.name,
    ))
}

fn copied(store: &mut Store, access: &Access, body: Value) -> Result<Answer, B2Error> {
    let (bucket, version) = copy::file(store, access, parse(body)?)?;
    Ok(Answer::stored(
        version.to_json(&bucket),
        &bucket,
        &version.name,
    ))
}
