//! A host that does nothing but remember.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use copal_core::grants::Tree;
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{
    ArchiveFormat, Archived, Call, Cancel, Capabilities, CapabilityError, Captured, CheckDepth,
    CommandRequest, Copied, Finished, HoldId, HoldWish, Holder, HttpRequest, HttpResponse,
    SecretBytes, ServiceState, Taken,
};

/// What becomes of a request.
#[derive(Debug, Clone, Default)]
pub enum Http {
    /// 200, with the request's body.
    #[default]
    Echo,
    /// 200, with this many bytes.
    Bytes(usize),
    /// No answer until it is given up, and a while longer.
    Hang,
    /// The host's name leads here.
    Private(IpAddr),
}

/// Remembers what was asked of it, and fails on demand.
#[derive(Default)]
pub struct FakeHost {
    databases: Vec<RelPath>,
    failures: Vec<(String, CapabilityError)>,
    /// Thrown in the midst of each deed.
    cancelling: Option<Cancel>,
    panicking: bool,
    http: Http,
    trees: Vec<(Tree, PathBuf)>,
    secret: Vec<u8>,
    done: Mutex<Vec<String>>,
    requests: Mutex<Vec<HttpRequest>>,
    stored: Mutex<std::collections::BTreeMap<String, Vec<u8>>>,
}

impl FakeHost {
    pub fn with(databases: &[&str]) -> Self {
        Self {
            databases: databases.iter().map(|name| name.parse().unwrap()).collect(),
            ..Self::default()
        }
    }

    pub fn failing(mut self, name: &str, error: CapabilityError) -> Self {
        self.failures.push((name.to_owned(), error));
        self
    }

    pub fn cancelling(mut self, cancel: &Cancel) -> Self {
        self.cancelling = Some(cancel.clone());
        self
    }

    /// One whose deeds panic.
    pub fn panicking() -> Self {
        Self {
            panicking: true,
            ..Self::default()
        }
    }

    pub fn http(http: Http) -> Self {
        Self {
            http,
            ..Self::default()
        }
    }

    pub fn secret(mut self, secret: &[u8]) -> Self {
        self.secret = secret.to_vec();
        self
    }

    pub fn tree(mut self, tree: Tree, directory: impl Into<PathBuf>) -> Self {
        self.trees.push((tree, directory.into()));
        self
    }

    pub fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }

    /// The deeds done, in order.
    pub fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }

    /// The requests sent, in order.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap().clone()
    }

    fn deed(&self, what: &str, name: &str) -> Result<(), CapabilityError> {
        if let Some(cancel) = &self.cancelling {
            cancel.cancel();
        }
        assert!(!self.panicking, "the host panics as it was told");
        if let Some((_, error)) = self.failures.iter().find(|(failing, _)| failing == name) {
            return Err(error.clone());
        }
        self.done.lock().unwrap().push(format!("{what} {name}"));
        Ok(())
    }
}

impl Capabilities for FakeHost {
    fn sqlite_databases(&self, _: &Call<'_>) -> Result<Vec<RelPath>, CapabilityError> {
        Ok(self.databases.clone())
    }

    fn sqlite_backup(&self, _: &Call<'_>, database: &RelPath) -> Result<Copied, CapabilityError> {
        if !self.databases.contains(database) && !self.panicking {
            return Err(CapabilityError::Missing(database.to_string()));
        }
        self.deed("copy", &database.to_string())?;
        Ok(Copied {
            pages: 3,
            page_size: 4096,
            checked: true,
        })
    }

    fn sqlite_check(
        &self,
        _: &Call<'_>,
        database: &RelPath,
        _: CheckDepth,
    ) -> Result<Vec<String>, CapabilityError> {
        self.deed("check", &database.to_string())?;
        Ok(Vec::new())
    }

    fn sqlite_backup_with(
        &self,
        call: &Call<'_>,
        database: &RelPath,
        beside: &[RelPath],
    ) -> Result<Copied, CapabilityError> {
        for directory in beside {
            self.deed("copy beside", &directory.to_string())?;
        }
        self.sqlite_backup(call, database)
    }

    fn sqlite_holders(
        &self,
        _: &Call<'_>,
        database: &RelPath,
    ) -> Result<Vec<Holder>, CapabilityError> {
        self.deed("holders", &database.to_string())?;
        Ok(Vec::new())
    }

    fn sqlite_query(
        &self,
        _: &Call<'_>,
        database: &RelPath,
        _: &str,
        _: u32,
    ) -> Result<String, CapabilityError> {
        self.deed("query", &database.to_string())?;
        Ok("[]".to_owned())
    }

    fn sqlite_update(
        &self,
        _: &Call<'_>,
        database: &RelPath,
        _: &str,
    ) -> Result<u64, CapabilityError> {
        self.deed("update", &database.to_string())?;
        Ok(0)
    }

    fn service_state(&self, _: &Call<'_>, name: &str) -> Result<ServiceState, CapabilityError> {
        self.deed("state", name)?;
        Ok(ServiceState::Running)
    }

    fn service_hold(
        &self,
        _: &Call<'_>,
        name: &str,
        how: HoldWish,
    ) -> Result<Taken, CapabilityError> {
        self.deed(&format!("{how:?}"), name)?;
        Ok(Taken::Held(HoldId(7)))
    }

    fn service_release(&self, _: &Call<'_>, hold: HoldId) -> Result<(), CapabilityError> {
        self.deed("release", &hold.0.to_string())
    }

    fn record(&self, _: &Call<'_>, key: &str, value: &str) -> Result<(), CapabilityError> {
        self.deed("record", &format!("{key}={value}"))
    }

    fn archive_create(
        &self,
        _: &Call<'_>,
        directory: &RelPath,
        format: ArchiveFormat,
    ) -> Result<Archived, CapabilityError> {
        self.deed(&format!("archive {format:?}"), &directory.to_string())?;
        Ok(Archived {
            entries: 2,
            content: ByteCount(100),
            archive: ByteCount(50),
        })
    }

    fn command_run(
        &self,
        _: &Call<'_>,
        request: &CommandRequest,
    ) -> Result<Finished, CapabilityError> {
        self.deed("run", &request.name)?;
        Ok(Finished {
            secrets: vec![SecretBytes::new(self.secret.clone())],
            ..Finished::default()
        })
    }

    fn command_capture(
        &self,
        _: &Call<'_>,
        request: &CommandRequest,
        path: &RelPath,
    ) -> Result<Captured, CapabilityError> {
        self.deed("capture", &format!("{} {path}", request.name))?;
        Ok(Captured {
            secrets: vec![SecretBytes::new(self.secret.clone())],
            ..Captured::default()
        })
    }

    fn state_get(&self, _: &Call<'_>, key: &str) -> Result<Option<Vec<u8>>, CapabilityError> {
        self.deed("get", key)?;
        Ok(self.stored.lock().unwrap().get(key).cloned())
    }

    fn state_set(&self, _: &Call<'_>, key: &str, value: &[u8]) -> Result<(), CapabilityError> {
        self.deed("set", key)?;
        let mut stored = self.stored.lock().unwrap();
        stored.insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    fn state_delete(&self, _: &Call<'_>, key: &str) -> Result<(), CapabilityError> {
        self.deed("delete", key)
    }

    fn state_keys(&self, _: &Call<'_>) -> Result<Vec<String>, CapabilityError> {
        Ok(self.stored.lock().unwrap().keys().cloned().collect())
    }

    fn secret(&self, _: &Call<'_>, name: &str) -> Result<SecretBytes, CapabilityError> {
        self.deed("secret", name)?;
        Ok(SecretBytes::new(self.secret.clone()))
    }

    fn http(
        &self,
        call: &Call<'_>,
        request: &HttpRequest,
    ) -> Result<HttpResponse, CapabilityError> {
        self.deed(
            request.method.as_str(),
            &format!("{}{}", request.origin, request.path),
        )?;
        self.requests.lock().unwrap().push(request.clone());
        let body = match &self.http {
            Http::Echo => request.body.clone(),
            Http::Bytes(count) => vec![b'x'; *count],
            Http::Hang => {
                while !call.cancel.is_cancelled() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                // Even one that does not hear must not be waited for.
                std::thread::sleep(Duration::from_secs(3));
                return Err(CapabilityError::Interrupted);
            }
            Http::Private(address) if !request.private => {
                return Err(CapabilityError::Private(*address));
            }
            Http::Private(_) => Vec::new(),
        };
        Ok(HttpResponse {
            status: 200,
            headers: vec![("content-type".into(), b"text/plain".to_vec())],
            body,
        })
    }

    fn tree(&self, _: &Call<'_>, tree: Tree) -> Result<Option<PathBuf>, CapabilityError> {
        let found = self.trees.iter().find(|(one, _)| *one == tree);
        Ok(found.map(|(_, directory)| directory.clone()))
    }
}
