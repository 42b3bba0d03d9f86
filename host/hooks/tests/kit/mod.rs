//! A host that does nothing but remember, and components to try.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part"
)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{
    ArchiveFormat, Archived, Call, Cancel, Capabilities, CapabilityError, Captured, CheckDepth,
    CommandRequest, Copied, Finished, Flaw, Grants, Hook, HookEngine, HookError, HookSpec,
    HttpRequest, HttpResponse, Limits, RunInfo, SecretBytes, Tree,
};
use serde_json::Value;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{ManglingAndAbi, Resolve, WorldId};

/// Where the built components are: rebuilt ones if somebody says so, else those in the tree.
fn prebuilt() -> PathBuf {
    match std::env::var_os("COPAL_PREBUILT_DIR") {
        Some(directory) => directory.into(),
        None => root().join("guest-hooks/prebuilt"),
    }
}

pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A component of `guest-hooks/` as it was built.
pub fn built(name: &str) -> Vec<u8> {
    let path = prebuilt().join(name).with_extension("wasm");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A component that does nothing, for a world of its own interfaces. `wit` holds one world.
pub fn dummy(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("dummy.wit", wit).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    encode(module, &resolve, world)
}

/// A component of the world `world` in `wit/` from a core module's text, which may be anything.
pub fn handmade(world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root().join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let module = wat::parse_str(module).unwrap();
    encode(module, &resolve, world)
}

fn encode(mut module: Vec<u8>, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    wit_component::embed_component_metadata(
        &mut module,
        resolve,
        world,
        StringEncoding::UTF8,
        false,
    )
    .unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true);
    encoder.module(&module).unwrap().encode().unwrap()
}

/// What is loaded, piece by piece.
pub struct Trial {
    component: Vec<u8>,
    config: Value,
    grants: Grants,
    limits: Limits,
}

impl Trial {
    pub fn of(component: impl Into<Vec<u8>>) -> Self {
        Self {
            component: component.into(),
            config: Value::Null,
            grants: Grants::default(),
            limits: Limits::default(),
        }
    }

    /// The specimen, told to do something in each phase.
    pub fn specimen(act: Value) -> Self {
        Self::of(built("specimen")).config(Value::from_iter([("act", act)]))
    }

    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    pub fn sqlite(mut self, pattern: &str) -> Self {
        self.grants.sqlite.push(pattern.parse().unwrap());
        self
    }

    pub fn archive(mut self, pattern: &str) -> Self {
        self.grants.archive.push(pattern.parse().unwrap());
        self
    }

    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    pub fn try_load(self) -> Result<Hook, HookError> {
        HookEngine::new().unwrap().load(HookSpec {
            name: "tried",
            component: &self.component,
            config: self.config,
            grants: self.grants,
            limits: self.limits,
        })
    }

    pub fn load(self) -> Hook {
        self.try_load().unwrap()
    }

    /// Why it is refused; that the refusal names the hook goes without saying.
    pub fn flaw(self) -> Flaw {
        let error = self.try_load().unwrap_err();
        assert!(error.to_string().contains("`tried`"), "{error}");
        error.flaw
    }
}

pub fn run() -> RunInfo {
    RunInfo {
        run_id: "run-7".into(),
        ..RunInfo::default()
    }
}

/// Remembers what was asked of it, and fails on demand.
#[derive(Default)]
pub struct FakeHost {
    databases: Vec<RelPath>,
    failures: Vec<(String, CapabilityError)>,
    /// Thrown in the midst of each deed.
    cancelling: Option<Cancel>,
    done: Mutex<Vec<String>>,
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

    pub fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }

    /// The deeds done, in order.
    pub fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }

    fn deed(&self, what: &str, name: &RelPath) -> Result<(), CapabilityError> {
        if let Some(cancel) = &self.cancelling {
            cancel.cancel();
        }
        let name = name.to_string();
        if let Some((_, error)) = self.failures.iter().find(|(failing, _)| *failing == name) {
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

    fn sqlite_backup(
        &self,
        _call: &Call<'_>,
        database: &RelPath,
    ) -> Result<Copied, CapabilityError> {
        if !self.databases.contains(database) {
            return Err(CapabilityError::Missing(database.to_string()));
        }
        self.deed("copy", database)?;
        Ok(Copied {
            pages: 3,
            page_size: 4096,
            restarts: 0,
            checked: true,
        })
    }

    fn archive_create(
        &self,
        _call: &Call<'_>,
        directory: &RelPath,
        format: ArchiveFormat,
    ) -> Result<Archived, CapabilityError> {
        self.deed(&format!("archive {format:?}"), directory)?;
        Ok(Archived {
            entries: 2,
            content: ByteCount(100),
            archive: ByteCount(50),
        })
    }

    fn sqlite_check(
        &self,
        _: &Call<'_>,
        _: &RelPath,
        _: CheckDepth,
    ) -> Result<Vec<String>, CapabilityError> {
        not_here()
    }

    fn command_run(&self, _: &Call<'_>, _: &CommandRequest) -> Result<Finished, CapabilityError> {
        not_here()
    }

    fn command_capture(
        &self,
        _: &Call<'_>,
        _: &CommandRequest,
        _: &RelPath,
    ) -> Result<Captured, CapabilityError> {
        not_here()
    }

    fn state_get(&self, _: &Call<'_>, _: &str) -> Result<Option<Vec<u8>>, CapabilityError> {
        not_here()
    }

    fn state_set(&self, _: &Call<'_>, _: &str, _: &[u8]) -> Result<(), CapabilityError> {
        not_here()
    }

    fn state_delete(&self, _: &Call<'_>, _: &str) -> Result<(), CapabilityError> {
        not_here()
    }

    fn state_keys(&self, _: &Call<'_>) -> Result<Vec<String>, CapabilityError> {
        not_here()
    }

    fn secret_check(&self, _: &Call<'_>, _: &str) -> Result<(), CapabilityError> {
        not_here()
    }

    fn secret(&self, _: &Call<'_>, _: &str) -> Result<SecretBytes, CapabilityError> {
        not_here()
    }

    fn http(&self, _: &Call<'_>, _: &HttpRequest) -> Result<HttpResponse, CapabilityError> {
        not_here()
    }

    fn tree(&self, _: &Call<'_>, _: Tree) -> Result<Option<PathBuf>, CapabilityError> {
        Ok(None)
    }
}

fn not_here<T>() -> Result<T, CapabilityError> {
    Err(CapabilityError::Failed("not here yet".to_owned()))
}
