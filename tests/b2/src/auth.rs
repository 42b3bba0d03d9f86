//! Who asks, and what they may: <https://www.backblaze.com/apidocs/b2-authorize-account>.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::B2Error;
use crate::keys::Key;
use crate::state::{ACCOUNT, Store};

/// The smallest part of a large file but its last, in bytes.
pub(crate) const LEAST_PART: u64 = 5_000_000;
/// A day, after which a token has to be asked for again.
const LIFE: u64 = 24 * 60 * 60 * 1000;

/// What somebody was given to show with later calls.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) access: Access,
    pub(crate) scope: Scope,
    /// Milliseconds since 1970.
    until: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Account,
    /// Uploads to a bucket.
    Upload(String),
    /// Parts of a large file.
    Part(String),
    /// Downloads from a bucket, of names that begin so.
    Download(String, String),
}

/// Whose key it was.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) key: Arc<Key>,
}

impl Access {
    /// Whether the key is good for that bucket.
    pub(crate) fn to_bucket(&self, id: &str) -> Result<(), B2Error> {
        if self.key.buckets.is_empty() || self.key.buckets.iter().any(|own| own == id) {
            return Ok(());
        }
        Err(B2Error::unauthorized(
            "the application key is restricted to other buckets",
        ))
    }

    /// Whether the key is good for that name, or for all names that begin so.
    pub(crate) fn to_name(&self, bucket: &str, name: &str) -> Result<(), B2Error> {
        self.to_bucket(bucket)?;
        match &self.key.prefix {
            Some(prefix) if !name.starts_with(prefix.as_str()) => Err(B2Error::unauthorized(
                "the application key is restricted to names with another prefix",
            )),
            _ => Ok(()),
        }
    }
}

/// `b2_authorize_account`: the header is Basic.
pub(crate) fn authorize(store: &mut Store, header: Option<&str>) -> Result<Value, B2Error> {
    let refused = || B2Error::new(401, "bad_auth_token", "Invalid authorization token");
    let (id, secret) = header.and_then(basic).ok_or_else(refused)?;
    let key = store.keys.get(&id).filter(|key| key.secret == secret);
    let key = Arc::clone(key.ok_or_else(|| {
        B2Error::unauthorized("The applicationKeyId and/or the applicationKey are wrong.")
    })?);
    if key.until.is_some_and(|until| until <= store.clock()) {
        return Err(B2Error::unauthorized("the application key has expired"));
    }
    let named = |id: &String| json!({ "id": id, "name": store.buckets.get(id).map(|it| &it.name) });
    let buckets: Vec<Value> = key.buckets.iter().map(named).collect();
    let allowed = json!({
        "buckets": if buckets.is_empty() { Value::Null } else { buckets.into() },
        "capabilities": key.capabilities,
        "namePrefix": key.prefix,
    });
    let storage = json!({
        "absoluteMinimumPartSize": LEAST_PART, "recommendedPartSize": 100_000_000,
        "allowed": allowed, "apiUrl": store.origin, "downloadUrl": store.origin,
        "s3ApiUrl": store.origin, "infoType": "storageApi",
    });
    let token = issue(store, Access { key }, Scope::Account, LIFE);
    Ok(json!({
        "accountId": ACCOUNT, "authorizationToken": token,
        "applicationKeyExpirationTimestamp": null,
        "apiInfo": { "storageApi": storage },
    }))
}

fn basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?;
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// A new token, good for so many milliseconds.
pub(crate) fn issue(store: &mut Store, access: Access, scope: Scope, life: u64) -> String {
    let text = format!("4_{}_{:08}_tests", access.key.id, store.next_id());
    let until = store.clock() + life;
    let token = Token {
        access,
        scope,
        until,
    };
    store.tokens.insert(text.clone(), token);
    text
}

/// For uploads and parts, a day as the account's.
pub(crate) fn issue_for_a_day(store: &mut Store, access: &Access, scope: Scope) -> String {
    issue(store, access.clone(), scope, LIFE)
}

/// What a token gives the right to, where it is good for that call.
pub(crate) fn check(store: &Store, call: Call, header: Option<&str>) -> Result<Token, B2Error> {
    let bad = |why: &str| B2Error::new(401, "bad_auth_token", why);
    let text = header.ok_or_else(|| bad("no authorization token"))?;
    let token = store.tokens.get(text).cloned();
    let token = token.ok_or_else(|| bad("Invalid authorization token"))?;
    if token.until <= store.clock() {
        return Err(expired());
    }
    let fits = match (call, &token.scope) {
        (Call::UploadFile, Scope::Upload(_))
        | (Call::UploadPart, Scope::Part(_))
        | (Call::DownloadFileByName, Scope::Download(..)) => true,
        (Call::UploadFile | Call::UploadPart, _) => false,
        (_, scope) => *scope == Scope::Account,
    };
    if !fits {
        return Err(bad("the authorization token is for another call"));
    }
    let has = |right: &str| token.access.key.capabilities.iter().any(|own| own == right);
    match call.capability() {
        Some(right) if token.scope == Scope::Account && !has(right) => Err(B2Error::unauthorized(
            format!("unauthorized: the application key has no right to {right}"),
        )),
        _ => Ok(token),
    }
}

pub(crate) fn expired() -> B2Error {
    B2Error::new(401, "expired_auth_token", "Authorization token has expired")
}
