//! A host that does nothing but remember, and components to try.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary uses its own part"
)]

mod host;
pub mod wasi;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use copal_core::grants::{Capability, Grants};
use copal_hooks::{
    Account, Cancel, FailureKind, Flaw, Hook, HookEngine, HookError, HookFailure, HookSpec, Limits,
    Outcome, Report, RunInfo,
};
use serde_json::Value;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{ManglingAndAbi, Resolve, WorldId};

pub use host::{FakeHost, Http};

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

    /// Changes the component itself.
    pub fn map(mut self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        self.component = change(self.component);
        self
    }

    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// All grants at once.
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// One entry of a grant, as in copal.toml.
    pub fn grant(mut self, capability: &str, entry: &str) -> Self {
        let capability: Capability = capability.parse().unwrap();
        self.grants.add_entry(capability, entry).unwrap();
        self
    }

    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    pub fn try_load(self) -> Result<Hook, HookError> {
        engine().load(HookSpec {
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

/// One engine for all tests of a process, which keeps what it compiles: that is what takes time.
pub fn engine() -> &'static HookEngine {
    static ENGINE: OnceLock<HookEngine> = OnceLock::new();
    let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    ENGINE.get_or_init(|| HookEngine::new().unwrap().cached(&compiled))
}

/// A report of a run that went well.
pub fn report() -> Report {
    Report {
        outcome: Outcome::Succeeded,
        message: None,
        snapshot: Some("2026-11-24T030000Z".into()),
        counters: [("files".to_owned(), 3)].into(),
    }
}

/// The component that tries to leave its sandbox in these ways.
pub fn escape(all: &[Value]) -> Trial {
    let path = root().join("host/hooks/tests/fixtures/escape.wasm");
    let component = std::fs::read(path).unwrap();
    Trial::of(component).config(serde_json::json!({ "tries": all }))
}

/// What came of each try, `got …` or `refused: …`; of a denial of HTTP, its text.
pub fn tries(hook: &Hook, host: &Arc<FakeHost>) -> Vec<String> {
    let failure = fails(hook, host);
    match failure.kind {
        FailureKind::Error { code, message } if code == "tried" => {
            serde_json::from_str(&message).unwrap()
        }
        other => vec![format!("{other}")],
    }
}

/// Calls `pre-backup` on a host, and expects that it fails.
pub fn fails(hook: &Hook, host: &Arc<FakeHost>) -> HookFailure {
    pre_backup(hook, host).unwrap_err()
}

/// Calls `pre-backup` on a host.
pub fn pre_backup(hook: &Hook, host: &Arc<FakeHost>) -> Result<Account, HookFailure> {
    hook.pre_backup(&run(), Arc::<FakeHost>::clone(host), &Cancel::new())
}

/// Does something that must end within a limit; what came of it. The bound is generous, since
/// machines are busy, and no answer to whether it ended by its limit or by luck: the failure's kind
/// says that.
pub fn within<T>(limit: Duration, action: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = action();
    let took = began.elapsed();
    let bound = limit + Duration::from_secs(2);
    assert!(took < bound, "it took {took:?}, and its limit is {limit:?}");
    result
}
