//! What is in a bucket: <https://www.backblaze.com/apidocs/b2-list-file-names> and `-list-file-versions`.

use std::ops::Bound;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Access;
use crate::error::B2Error;
use crate::state::{Store, Version, newest};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListFiles {
    bucket_id: String,
    start_file_name: Option<String>,
    start_file_id: Option<String>,
    max_file_count: Option<usize>,
    #[serde(default)]
    prefix: String,
    delimiter: Option<String>,
}

impl ListFiles {
    /// How many calls B2 charges for: one for each thousand that is asked for.
    pub(crate) fn charged(&self) -> u64 {
        self.most().div_ceil(1000).max(1) as u64
    }

    fn most(&self) -> usize {
        self.max_file_count.unwrap_or(100)
    }

    /// The folder that a name is shown as.
    fn folder<'a>(&self, name: &'a str) -> Option<&'a str> {
        let delimiter = self.delimiter.as_deref().filter(|it| !it.is_empty())?;
        let at = name[self.prefix.len()..].find(delimiter)?;
        Some(&name[..self.prefix.len() + at + delimiter.len()])
    }
}

pub(crate) fn names(store: &Store, access: &Access, request: &ListFiles) -> Result<Value, B2Error> {
    let page = page(store, access, request, |versions| {
        newest(versions).into_iter().collect()
    })?;
    Ok(json!({ "files": page.files, "nextFileName": page.next_name }))
}

pub(crate) fn versions(
    store: &Store,
    access: &Access,
    request: &ListFiles,
) -> Result<Value, B2Error> {
    if request.start_file_id.is_some() && request.start_file_name.is_none() {
        return Err(B2Error::bad_request("startFileId requires startFileName"));
    }
    let page = page(store, access, request, |versions| {
        versions.iter().rev().collect()
    })?;
    let (name, id) = (page.next_name, page.next_id);
    Ok(json!({ "files": page.files, "nextFileName": name, "nextFileId": id }))
}

#[derive(Default)]
struct Page {
    files: Vec<Value>,
    next_name: Option<String>,
    next_id: Option<String>,
}

fn page(
    store: &Store,
    access: &Access,
    request: &ListFiles,
    of: impl Fn(&[Version]) -> Vec<&Version>,
) -> Result<Page, B2Error> {
    if !(1..=10_000).contains(&request.most()) {
        return Err(B2Error::bad_request("maxFileCount must be from 1 to 10000"));
    }
    access.to_name(&request.bucket_id, &request.prefix)?;
    let bucket = store.bucket(&request.bucket_id)?;
    let start = request.start_file_name.as_deref().unwrap_or_default();
    let from = start.max(request.prefix.as_str());
    let mut page = Page::default();
    let mut last_folder: Option<&str> = None;
    let range = (Bound::Included(from), Bound::Unbounded);
    for (name, versions) in bucket.files.range::<str, _>(range) {
        if !name.starts_with(&request.prefix) {
            break;
        }
        let shown = of(versions);
        if let Some(folder) = request.folder(name) {
            if last_folder == Some(folder) || shown.is_empty() {
                continue;
            }
            last_folder = Some(folder);
            if page.files.len() == request.most() {
                page.next_name = Some(folder.to_owned());
                return Ok(page);
            }
            page.files.push(folder_entry(folder));
            continue;
        }
        let wanted = request.start_file_id.as_deref().filter(|_| name == start);
        let past = |version: &&&Version| wanted.is_some_and(|id| version.id != id);
        for version in shown.iter().skip_while(past) {
            if page.files.len() == request.most() {
                page.next_name = Some(name.clone());
                page.next_id = Some(version.id.clone());
                return Ok(page);
            }
            page.files.push(version.to_json(&bucket.id));
        }
    }
    Ok(page)
}

fn folder_entry(name: &str) -> Value {
    json!({
        "action": "folder", "fileName": name, "fileId": null, "contentLength": 0, "size": 0,
        "contentSha1": null, "contentType": null, "fileInfo": {}, "uploadTimestamp": 0,
    })
}
