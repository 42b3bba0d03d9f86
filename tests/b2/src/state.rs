//! What the server holds: buckets, and in each the versions of its files.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::auth::Token;
use crate::content::Content;
use crate::error::B2Error;
use crate::keys::Key;

/// The one account there is.
pub(crate) const ACCOUNT: &str = "c0pa1c0pa1c0";

pub(crate) type Info = BTreeMap<String, String>;

#[derive(Debug)]
pub(crate) struct Store {
    /// Where it is reached.
    pub(crate) origin: String,
    pub(crate) keys: BTreeMap<String, Arc<Key>>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// Where each version is: its bucket's id and its name.
    places: HashMap<String, (String, String)>,
    /// By how many milliseconds its clock is wrong.
    pub(crate) clock_error: i64,
    last_time: u64,
    last_id: u64,
}

#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) info: Value,
    pub(crate) lifecycle: Value,
    pub(crate) revision: u64,
    /// The versions of each name, the oldest first.
    pub(crate) files: BTreeMap<String, Vec<Version>>,
}

/// What a version of a file is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A file.
    Upload { content: Content, sha1: String },
    /// The file was hidden.
    Hide,
    /// A large file that is not finished.
    Start { parts: BTreeMap<u32, Part> },
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) content: Content,
    pub(crate) sha1: String,
    pub(crate) time: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) content_type: Option<String>,
    pub(crate) info: Info,
    /// Milliseconds since 1970, no two the same.
    pub(crate) time: u64,
}

impl Store {
    pub(crate) fn new(origin: String) -> Self {
        let master = Arc::new(Key::master());
        Self {
            origin,
            keys: BTreeMap::from([(master.id.clone(), master)]),
            tokens: HashMap::new(),
            buckets: BTreeMap::new(),
            places: HashMap::new(),
            clock_error: 0,
            last_time: 0,
            last_id: 0,
        }
    }

    /// What its clock says, in milliseconds since 1970.
    pub(crate) fn clock(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        millis.saturating_add_signed(self.clock_error)
    }

    /// A time that no version has yet.
    pub(crate) fn next_time(&mut self) -> u64 {
        self.last_time = self.clock().max(self.last_time + 1);
        self.last_time
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(crate) fn bucket(&self, id: &str) -> Result<&Bucket, B2Error> {
        self.buckets
            .get(id)
            .ok_or_else(|| B2Error::no_such_bucket(id))
    }

    pub(crate) fn bucket_mut(&mut self, id: &str) -> Result<&mut Bucket, B2Error> {
        self.buckets
            .get_mut(id)
            .ok_or_else(|| B2Error::no_such_bucket(id))
    }

    pub(crate) fn bucket_named(&self, name: &str) -> Option<&Bucket> {
        self.buckets.values().find(|bucket| bucket.name == name)
    }

    /// Adds a version and answers with its id.
    pub(crate) fn add(
        &mut self,
        bucket: &str,
        name: &str,
        kind: Kind,
        content_type: Option<String>,
        info: Info,
    ) -> Result<&Version, B2Error> {
        let (number, time) = (self.next_id(), self.next_time());
        let id = format!("4_z{bucket}_f{number:017x}_t{time}");
        let place = (bucket.to_owned(), name.to_owned());
        let versions = self.bucket_mut(bucket)?.files.entry(name.to_owned());
        let versions = versions.or_default();
        versions.push(Version {
            id: id.clone(),
            name: name.to_owned(),
            kind,
            content_type,
            info,
            time,
        });
        self.places.insert(id, place);
        self.buckets[bucket].files[name]
            .last()
            .ok_or_else(|| B2Error::no_such_file(name))
    }

    /// The bucket's id and the version.
    pub(crate) fn version(&self, id: &str) -> Result<(&str, &Version), B2Error> {
        let missing = || B2Error::no_such_file(id);
        let (bucket, name) = self.places.get(id).ok_or_else(missing)?;
        let versions = self.bucket(bucket)?.files.get(name).into_iter().flatten();
        let mut versions = versions.filter(|version| version.id == id);
        Ok((bucket, versions.next().ok_or_else(missing)?))
    }

    pub(crate) fn version_mut(&mut self, id: &str) -> Result<&mut Version, B2Error> {
        let missing = || B2Error::no_such_file(id);
        let (bucket, name) = self.places.get(id).ok_or_else(missing)?.clone();
        let versions = self.bucket_mut(&bucket)?.files.get_mut(&name);
        let mut versions = versions.into_iter().flatten();
        versions
            .find(|version| version.id == id)
            .ok_or_else(missing)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Result<(), B2Error> {
        let missing = || B2Error::no_such_file(id);
        let (bucket, name) = self.places.remove(id).ok_or_else(missing)?;
        let files = &mut self.bucket_mut(&bucket)?.files;
        if let Some(versions) = files.get_mut(&name) {
            versions.retain(|version| version.id != id);
            if versions.is_empty() {
                files.remove(&name);
            }
        }
        Ok(())
    }
}

impl Bucket {
    /// The newest version of a name that is a file; none where it is hidden.
    pub(crate) fn visible(&self, name: &str) -> Option<&Version> {
        self.files.get(name).and_then(|versions| newest(versions))
    }
}

/// The file that a name stands for. Large files that are not finished are none yet.
pub(crate) fn newest(versions: &[Version]) -> Option<&Version> {
    let mut done = versions.iter().rev();
    let newest = done.find(|version| !matches!(version.kind, Kind::Start { .. }))?;
    matches!(newest.kind, Kind::Upload { .. }).then_some(newest)
}

impl Version {
    /// `upload`, `hide` or `start`.
    pub(crate) fn action(&self) -> &'static str {
        match self.kind {
            Kind::Upload { .. } => "upload",
            Kind::Hide => "hide",
            Kind::Start { .. } => "start",
        }
    }

    /// As replies show it. Large files have no SHA-1 of their own.
    pub(crate) fn to_json(&self, bucket: &str) -> Value {
        let (length, sha1) = match &self.kind {
            Kind::Upload { content, sha1 } => (content.len(), json!(sha1)),
            Kind::Hide | Kind::Start { .. } => (0, Value::Null),
        };
        let info: Map<String, Value> = self
            .info
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        json!({
            "accountId": ACCOUNT, "action": self.action(), "bucketId": bucket,
            "contentLength": length, "size": length, "contentSha1": sha1,
            "contentType": self.content_type, "fileId": self.id, "fileInfo": info,
            "fileName": self.name, "uploadTimestamp": self.time,
        })
    }
}
