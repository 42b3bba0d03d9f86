//! The components, an engine for them, and a host that only notes what it is asked.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::{env, fs};

use copal_core::grants::{Grants, Tree};
use copal_core::path::RelPath;
use copal_hooks::{
    Account, ArchiveFormat, Archived, Call, Cancel, Capabilities, CapabilityError, Captured,
    CheckDepth, CommandRequest, Copied, FilterSession, Finished, HoldId, HoldWish, Holder, Hook,
    HookEngine, HookFailure, HookSpec, HttpRequest, HttpResponse, Limits, Outcome, Report, RunInfo,
    SecretBytes, ServiceState, Taken,
};
use serde_json::Value;

/// The languages that `copal hook new` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    JavaScript,
    Python,
    C,
}

impl Language {
    /// The hook as its author would have it, but without requests: what an owner grants decides.
    pub(crate) fn hook(self) -> Option<Vec<u8>> {
        component(&format!("{}-open", self.name()))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "js",
            Self::Python => "python",
            Self::C => "c",
        }
    }
}

/// Where the built components are.
fn built() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/hooks-languages");
    env::var_os("COPAL_LANGUAGE_HOOKS").map_or_else(beside, PathBuf::from)
}

/// A built component. None where nobody built it, which is a failure under CI and wherever somebody
/// says where they are.
pub(crate) fn component(name: &str) -> Option<Vec<u8>> {
    let path = built().join(name).with_extension("wasm");
    match fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let why = format!(
                "{}: {error}; scripts/build-language-hooks builds it",
                path.display()
            );
            let expected = ["CI", "COPAL_LANGUAGE_HOOKS"].map(env::var_os);
            assert!(expected.iter().all(Option::is_none), "{why}");
            let mut stderr = std::io::stderr();
            writeln!(stderr, "left out: {why}").unwrap();
            None
        }
    }
}

/// The cache directory that engine and binary share, in the place of `~/.cache`: components that bring an
/// interpreter take seconds to compile.
pub(crate) fn cache() -> PathBuf {
    let cache = built().join("cache");
    fs::create_dir_all(cache.join("copal")).unwrap();
    cache
}

/// For one load at a time, so that nothing is compiled twice.
static ENGINE: LazyLock<Mutex<HookEngine>> = LazyLock::new(|| {
    let engine = HookEngine::new().unwrap();
    Mutex::new(engine.cached(&cache().join("copal/hooks")))
});

/// Loads a component with these grants.
pub(crate) fn load(component: &[u8], config: Value, grants: &Value, limits: Limits) -> Hook {
    let spec = HookSpec {
        name: "tried",
        component,
        config,
        grants: Grants::from_json(grants).unwrap(),
        limits,
    };
    let engine = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    engine.load(spec).unwrap()
}

pub(crate) fn filter(hook: &Hook) -> Result<FilterSession, HookFailure> {
    hook.filter(&RunInfo::default(), &Cancel::new())
}

/// Tells a hook that a run of 42 files succeeded.
pub(crate) fn post_backup(hook: &Hook, host: &Arc<Noting>) -> Result<Account, HookFailure> {
    let report = Report {
        outcome: Outcome::Succeeded,
        message: None,
        snapshot: Some("20261125T030000Z".into()),
        counters: [("files".to_owned(), 42)].into(),
    };
    hook.post_backup(
        &RunInfo::default(),
        report,
        Arc::clone(host) as _,
        &Cancel::new(),
    )
}

/// A host that answers every request by 200, and has nothing else.
#[derive(Default)]
pub(crate) struct Noting {
    requests: Mutex<Vec<HttpRequest>>,
}

impl Noting {
    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap().clone()
    }
}

const NOT_ASKED: &str = "these hooks ask for nothing but requests";

impl Capabilities for Noting {
    fn http(&self, _: &Call<'_>, request: &HttpRequest) -> Result<HttpResponse, CapabilityError> {
        self.requests.lock().unwrap().push(request.clone());
        Ok(HttpResponse {
            status: 200,
            headers: Vec::new(),
            body: b"thanks".to_vec(),
        })
    }

    fn tree(&self, _: &Call<'_>, _: Tree) -> Result<Option<PathBuf>, CapabilityError> {
        Ok(None)
    }

    fn sqlite_databases(&self, _: &Call<'_>) -> Result<Vec<RelPath>, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn sqlite_backup(&self, _: &Call<'_>, _: &RelPath) -> Result<Copied, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn sqlite_check(
        &self,
        _: &Call<'_>,
        _: &RelPath,
        _: CheckDepth,
    ) -> Result<Vec<String>, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn sqlite_backup_with(
        &self,
        _: &Call<'_>,
        _: &RelPath,
        _: &[RelPath],
    ) -> Result<Copied, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn sqlite_holders(&self, _: &Call<'_>, _: &RelPath) -> Result<Vec<Holder>, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn sqlite_query(
        &self,
        _: &Call<'_>,
        _: &RelPath,
        _: &str,
        _: u32,
    ) -> Result<String, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn sqlite_update(&self, _: &Call<'_>, _: &RelPath, _: &str) -> Result<u64, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn service_state(&self, _: &Call<'_>, _: &str) -> Result<ServiceState, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn service_hold(&self, _: &Call<'_>, _: &str, _: HoldWish) -> Result<Taken, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn service_release(&self, _: &Call<'_>, _: HoldId) -> Result<(), CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn record(&self, _: &Call<'_>, _: &str, _: &str) -> Result<(), CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn archive_create(
        &self,
        _: &Call<'_>,
        _: &RelPath,
        _: ArchiveFormat,
    ) -> Result<Archived, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn command_run(&self, _: &Call<'_>, _: &CommandRequest) -> Result<Finished, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn command_capture(
        &self,
        _: &Call<'_>,
        _: &CommandRequest,
        _: &RelPath,
    ) -> Result<Captured, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn state_get(&self, _: &Call<'_>, _: &str) -> Result<Option<Vec<u8>>, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn state_set(&self, _: &Call<'_>, _: &str, _: &[u8]) -> Result<(), CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn state_delete(&self, _: &Call<'_>, _: &str) -> Result<(), CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn state_keys(&self, _: &Call<'_>) -> Result<Vec<String>, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }

    fn secret(&self, _: &Call<'_>, _: &str) -> Result<SecretBytes, CapabilityError> {
        unreachable!("{NOT_ASKED}")
    }
}
