//! Application keys: <https://www.backblaze.com/docs/cloud-storage-application-keys>.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Access;
use crate::call::Call;
use crate::error::B2Error;
use crate::state::{ACCOUNT, Store};

/// What a program signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// rclone's `account`.
    pub id: String,
    /// rclone's `key`.
    pub secret: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) name: String,
    pub(crate) capabilities: Vec<String>,
    /// The buckets it is restricted to; none for all.
    pub(crate) buckets: Vec<String>,
    /// What names have to begin with.
    pub(crate) prefix: Option<String>,
    /// When it ends, in milliseconds since 1970.
    pub(crate) until: Option<u64>,
}

impl Key {
    pub(crate) fn master() -> Self {
        let mut capabilities: Vec<String> = Call::ALL
            .iter()
            .filter_map(|call| call.capability())
            .map(str::to_owned)
            .collect();
        capabilities.sort();
        capabilities.dedup();
        Self {
            id: ACCOUNT.to_owned(),
            secret: "K000-the-master-key-of-the-tests".to_owned(),
            name: "master".to_owned(),
            capabilities,
            buckets: Vec::new(),
            prefix: None,
            until: None,
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "accountId": ACCOUNT, "applicationKeyId": self.id, "keyName": self.name,
            "capabilities": self.capabilities, "bucketIds": self.buckets,
            "bucketId": self.buckets.first(), "namePrefix": self.prefix,
            "expirationTimestamp": self.until, "options": ["s3"],
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CreateKey {
    pub(crate) key_name: String,
    pub(crate) capabilities: Vec<String>,
    pub(crate) valid_duration_in_seconds: Option<u64>,
    pub(crate) bucket_id: Option<String>,
    pub(crate) bucket_ids: Option<Vec<String>>,
    pub(crate) name_prefix: Option<String>,
}

pub(crate) fn create(store: &mut Store, request: CreateKey) -> Result<Value, B2Error> {
    let buckets: Vec<String> = request
        .bucket_ids
        .into_iter()
        .flatten()
        .chain(request.bucket_id)
        .collect();
    for bucket in &buckets {
        store.bucket(bucket)?;
    }
    if request.name_prefix.is_some() && buckets.is_empty() {
        return Err(B2Error::bad_request("namePrefix requires a bucket"));
    }
    let known = Key::master().capabilities;
    if let Some(unknown) = request.capabilities.iter().find(|it| !known.contains(it)) {
        return Err(B2Error::bad_request(format!(
            "invalid capability: {unknown}"
        )));
    }
    let number = store.next_id();
    let key = Key {
        id: format!("000{ACCOUNT}{number:010}"),
        secret: format!("K000-a-key-of-the-tests-{number:06}"),
        name: request.key_name,
        capabilities: request.capabilities,
        buckets,
        prefix: request.name_prefix,
        until: request
            .valid_duration_in_seconds
            .map(|seconds| store.clock() + seconds * 1000),
    };
    let mut reply = key.to_json();
    reply["applicationKey"] = json!(key.secret);
    store.keys.insert(key.id.clone(), Arc::new(key));
    Ok(reply)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeleteKey {
    application_key_id: String,
}

pub(crate) fn delete(
    store: &mut Store,
    access: &Access,
    request: &DeleteKey,
) -> Result<Value, B2Error> {
    let id = &request.application_key_id;
    if *id == access.key.id {
        return Err(B2Error::bad_request("a key can't delete itself"));
    }
    let key = store.keys.remove(id);
    let key = key.ok_or_else(|| B2Error::bad_request(format!("no such key: {id}")))?;
    Ok(key.to_json())
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListKeys {
    max_key_count: Option<usize>,
    start_application_key_id: Option<String>,
}

pub(crate) fn list(store: &Store, request: &ListKeys) -> Value {
    let start = request.start_application_key_id.clone().unwrap_or_default();
    let mut keys = store.keys.range(start..);
    let most = request.max_key_count.unwrap_or(100);
    let shown: Vec<Value> = keys
        .by_ref()
        .take(most)
        .map(|(_, key)| key.to_json())
        .collect();
    json!({ "keys": shown, "nextApplicationKeyId": keys.next().map(|(id, _)| id) })
}
