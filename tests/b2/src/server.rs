//! The server itself: begun, told what to do, looked into, ended.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::buckets::{self, CreateBucket};
use crate::counters::Counters;
use crate::damage::{self, Damage};
use crate::faults::Faults;
use crate::http;
use crate::keys::{self, CreateKey, Key, KeyPair};
use crate::pace::Pace;
use crate::state::{Bucket, Kind, Store, newest};

/// B2 at a port of this machine. It is there once this exists, and gone when it is dropped, with all it
/// held.
pub struct B2Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

pub(crate) struct Shared {
    store: Mutex<Store>,
    counters: Mutex<Counters>,
    faults: Mutex<Faults>,
    pace: Mutex<Pace>,
}

/// A version of a file, as the server holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its whole name.
    pub name: String,
    /// `upload`, `hide` or `start`.
    pub action: &'static str,
    /// In bytes.
    pub size: u64,
}

impl B2Server {
    /// A server at a free port of `127.0.0.1`.
    pub fn start() -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::listen(anywhere).expect("a free port")
    }

    /// A server at that address; port 0 is any that is free.
    ///
    /// # Errors
    /// What the system says where nobody can listen there.
    pub fn listen(address: SocketAddr) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("b2-server")
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            store: Mutex::new(Store::new(format!("http://{address}"))),
            counters: Mutex::default(),
            faults: Mutex::default(),
            pace: Mutex::default(),
        });
        runtime.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            runtime: Some(runtime),
        })
    }

    /// rclone's `endpoint`: `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that may do everything.
    pub fn master_key(&self) -> KeyPair {
        let Key { id, secret, .. } = Key::master();
        KeyPair { id, secret }
    }

    /// The lines of a section of `rclone.conf` that lead here, with that key.
    pub fn rclone_section(&self, key: &KeyPair) -> String {
        let (KeyPair { id, secret }, origin) = (key, self.origin());
        format!("type = b2\naccount = {id}\nkey = {secret}\nendpoint = {origin}\n")
    }

    /// A private bucket of that name, which is 6 to 63 letters, digits and hyphens long.
    pub fn add_bucket(&self, name: &str) -> &Self {
        let request = CreateBucket {
            bucket_name: name.to_owned(),
            bucket_type: "allPrivate".to_owned(),
            bucket_info: None,
            lifecycle_rules: None,
        };
        buckets::make(&mut self.shared.store(), request).expect("a name that is free");
        self
    }

    /// A key that has these capabilities alone, in that bucket and below that prefix.
    pub fn add_key(&self, capabilities: &[&str], bucket: &str, prefix: Option<&str>) -> KeyPair {
        let mut store = self.shared.store();
        let bucket = store.bucket_named(bucket).expect("the bucket").id.clone();
        let request = CreateKey {
            key_name: "restricted".to_owned(),
            capabilities: capabilities.iter().map(|&it| it.to_owned()).collect(),
            bucket_id: Some(bucket),
            name_prefix: prefix.map(str::to_owned),
            ..CreateKey::default()
        };
        let reply = keys::create(&mut store, request).expect("capabilities there are");
        let text = |field: &str| reply[field].as_str().expect("a text").to_owned();
        KeyPair {
            id: text("applicationKeyId"),
            secret: text("applicationKey"),
        }
    }

    /// What goes wrong from now on.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.shared.faults()
    }

    /// How slow it is from now on.
    pub fn set_pace(&self, pace: Pace) {
        *self.shared.pace() = pace;
    }

    /// By how many milliseconds its clock is wrong from now on: ahead, or behind where negative.
    pub fn set_clock_error(&self, millis: i64) {
        self.shared.store().clock_error = millis;
    }

    /// Ends every token that was given out.
    pub fn end_tokens(&self) {
        self.shared.store().tokens.clear();
    }

    /// What it has counted.
    pub fn counters(&self) -> Counters {
        self.shared.counters().clone()
    }

    /// Begins to count anew.
    pub fn reset_counters(&self) {
        *self.shared.counters() = Counters::default();
    }

    /// Whether there is a bucket of that name.
    pub fn has_bucket(&self, name: &str) -> bool {
        self.shared.store().bucket_named(name).is_some()
    }

    /// The names of the files that a bucket shows, sorted.
    pub fn names(&self, bucket: &str) -> Vec<String> {
        self.look(bucket, |bucket| {
            let files = bucket.files.iter();
            let shown = files.filter(|(_, versions)| newest(versions).is_some());
            shown.map(|(name, _)| name.clone()).collect()
        })
    }

    /// All that is in a bucket, by name and then from the oldest to the newest: old versions, hidden
    /// files, and large files that nobody finished.
    pub fn versions(&self, bucket: &str) -> Vec<Stored> {
        self.look(bucket, |bucket| {
            let versions = bucket.files.values().flatten();
            let stored = versions.map(|version| Stored {
                name: version.name.clone(),
                action: version.action(),
                size: match &version.kind {
                    Kind::Upload { content, .. } => content.len(),
                    Kind::Start { parts } => parts.values().map(|part| part.content.len()).sum(),
                    Kind::Hide => 0,
                },
            });
            stored.collect()
        })
    }

    /// The names of large files that were begun and not finished.
    pub fn unfinished(&self, bucket: &str) -> Vec<String> {
        let versions = self.versions(bucket).into_iter();
        let begun = versions.filter(|version| version.action == "start");
        begun.map(|version| version.name).collect()
    }

    /// The bytes of a file that is there.
    pub fn read(&self, bucket: &str, name: &str) -> Option<Vec<u8>> {
        self.look(bucket, |bucket| match &bucket.visible(name)?.kind {
            Kind::Upload { content, .. } => content.to_vec().ok(),
            Kind::Hide | Kind::Start { .. } => None,
        })
    }

    /// Damages a file that is there; false where there is nothing to do it to.
    pub fn damage(&self, bucket: &str, name: &str, damage: Damage) -> bool {
        let id = self.look(bucket, |bucket| bucket.id.clone());
        self.shared.damage(&id, name, damage)
    }

    fn look<T>(&self, bucket: &str, see: impl FnOnce(&Bucket) -> T) -> T {
        see(self
            .shared
            .store()
            .bucket_named(bucket)
            .expect("the bucket"))
    }
}

impl std::fmt::Debug for B2Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("B2Server").field(&self.address).finish()
    }
}

impl Drop for B2Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn damage(&self, bucket: &str, name: &str, damage: Damage) -> bool {
        let mut store = self.store();
        let bucket = store.bucket_mut(bucket);
        bucket.is_ok_and(|bucket| damage::damage(bucket, name, damage))
    }

    /// The date it tells, where its clock is wrong.
    pub(crate) fn wrong_date(&self) -> Option<String> {
        let store = self.store();
        if store.clock_error == 0 {
            return None;
        }
        let millis = i64::try_from(store.clock()).ok()?;
        let time = jiff::Timestamp::from_millisecond(millis).ok()?;
        Some(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| http::serve(Arc::clone(&shared), request));
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // An error is a connection that ended early: the client's doing, or as ordered.
            let _ended = connection.await;
        });
    }
}
