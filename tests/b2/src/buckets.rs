//! Buckets: <https://www.backblaze.com/apidocs/b2-create-bucket>, `-list-buckets`, `-update-bucket` and
//! `-delete-bucket`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Access;
use crate::error::B2Error;
use crate::state::{ACCOUNT, Bucket, Store};

impl Bucket {
    fn to_json(&self) -> Value {
        json!({
            "accountId": ACCOUNT, "bucketId": self.id, "bucketName": self.name,
            "bucketType": self.kind, "bucketInfo": self.info, "corsRules": [],
            "lifecycleRules": self.lifecycle, "revision": self.revision, "options": ["s3"],
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateBucket {
    pub(crate) bucket_name: String,
    pub(crate) bucket_type: String,
    pub(crate) bucket_info: Option<Value>,
    pub(crate) lifecycle_rules: Option<Value>,
}

pub(crate) fn create(
    store: &mut Store,
    access: &Access,
    request: CreateBucket,
) -> Result<Value, B2Error> {
    if !access.key.buckets.is_empty() {
        return Err(B2Error::unauthorized(
            "the application key is restricted to a bucket",
        ));
    }
    Ok(make(store, request)?.to_json())
}

pub(crate) fn make(store: &mut Store, request: CreateBucket) -> Result<&Bucket, B2Error> {
    let name = request.bucket_name;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !(6..=63).contains(&name.len()) || !name.bytes().all(fits) || name.starts_with("b2-") {
        return Err(B2Error::bad_request(format!(
            "invalid bucketName: {name}; 6 to 63 letters, digits and hyphens"
        )));
    }
    if store.bucket_named(&name).is_some() {
        return Err(B2Error::new(
            400,
            "duplicate_bucket_name",
            "Bucket name is already in use.",
        ));
    }
    check_kind(&request.bucket_type)?;
    let id = format!("{:024x}", 0xb2_0000_0000_u64 + store.next_id());
    let bucket = Bucket {
        id: id.clone(),
        name,
        kind: request.bucket_type,
        info: request.bucket_info.unwrap_or_else(|| json!({})),
        lifecycle: request.lifecycle_rules.unwrap_or_else(|| json!([])),
        revision: 1,
        files: BTreeMap::new(),
    };
    Ok(store.buckets.entry(id).or_insert(bucket))
}

fn check_kind(kind: &str) -> Result<(), B2Error> {
    match kind {
        "allPrivate" | "allPublic" => Ok(()),
        other => Err(B2Error::bad_request(format!("invalid bucketType: {other}"))),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "B2's own names")]
pub(crate) struct ListBuckets {
    bucket_id: Option<String>,
    bucket_name: Option<String>,
    bucket_types: Option<Vec<String>>,
}

/// A key that is restricted to buckets has to name one of them.
pub(crate) fn list(
    store: &Store,
    access: &Access,
    request: &ListBuckets,
) -> Result<Value, B2Error> {
    let asked = |bucket: &&Bucket| {
        request.bucket_id.as_ref().is_none_or(|id| bucket.id == *id)
            && request
                .bucket_name
                .as_ref()
                .is_none_or(|name| bucket.name == *name)
    };
    let of_kind = |bucket: &&Bucket| match &request.bucket_types {
        Some(kinds) => kinds
            .iter()
            .any(|kind| kind == "all" || *kind == bucket.kind),
        None => true,
    };
    let found: Vec<&Bucket> = store
        .buckets
        .values()
        .filter(asked)
        .filter(of_kind)
        .collect();
    let named = request.bucket_id.is_some() || request.bucket_name.is_some();
    if !access.key.buckets.is_empty() && !named {
        return Err(B2Error::unauthorized(
            "the application key is restricted to a bucket, which has to be named",
        ));
    }
    for bucket in &found {
        access.to_bucket(&bucket.id)?;
    }
    let shown: Vec<Value> = found.into_iter().map(Bucket::to_json).collect();
    Ok(json!({ "buckets": shown }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateBucket {
    bucket_id: String,
    bucket_type: Option<String>,
    bucket_info: Option<Value>,
    lifecycle_rules: Option<Value>,
    if_revision_is: Option<u64>,
}

pub(crate) fn update(
    store: &mut Store,
    access: &Access,
    request: UpdateBucket,
) -> Result<Value, B2Error> {
    access.to_bucket(&request.bucket_id)?;
    let bucket = store.bucket_mut(&request.bucket_id)?;
    if request
        .if_revision_is
        .is_some_and(|it| it != bucket.revision)
    {
        let message = format!("the bucket's revision is {}", bucket.revision);
        return Err(B2Error::new(409, "conflict", message));
    }
    if let Some(kind) = request.bucket_type {
        check_kind(&kind)?;
        bucket.kind = kind;
    }
    bucket.info = request.bucket_info.unwrap_or_else(|| bucket.info.take());
    bucket.lifecycle = request
        .lifecycle_rules
        .unwrap_or_else(|| bucket.lifecycle.take());
    bucket.revision += 1;
    Ok(bucket.to_json())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeleteBucket {
    bucket_id: String,
}

pub(crate) fn delete(
    store: &mut Store,
    access: &Access,
    request: &DeleteBucket,
) -> Result<Value, B2Error> {
    access.to_bucket(&request.bucket_id)?;
    let bucket = store.bucket(&request.bucket_id)?;
    if !bucket.files.is_empty() {
        return Err(B2Error::new(
            400,
            "cannot_delete_non_empty_bucket",
            "Cannot delete non-empty bucket",
        ));
    }
    let reply = bucket.to_json();
    store.buckets.remove(&request.bucket_id);
    Ok(reply)
}
