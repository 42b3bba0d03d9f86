//! Why a component can't be a hook.

use crate::{EngineError, FailureKind, Phase};

/// A component that was refused when it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("hook `{hook}` can't be loaded: {flaw}")]
pub struct HookError {
    /// The hook's name.
    pub hook: String,
    /// What is wrong with the component.
    pub flaw: Flaw,
}

/// What is wrong with a component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// The file is not WebAssembly.
    #[error("the file is not WebAssembly")]
    NotWasm,
    /// WebAssembly, but a core module that was not made a component.
    #[error("it is a core module and not a component")]
    CoreModule,
    /// A binary version that this host can't read.
    #[error("its binary format is of a version that is not known here")]
    UnknownFormat,
    /// It begins like a component, and goes on otherwise.
    #[error("it is damaged or cut short: {0}")]
    Damaged(String),
    /// It can't be compiled.
    #[error("it can't be compiled: {0}")]
    Uncompilable(String),
    /// It was built against another version of the interfaces.
    #[error("it was built against version {found} of `copal:hooks/{interface}`; this is {offered}")]
    OtherVersion {
        /// The interface that it imports or exports.
        interface: String,
        /// The version it names; `none` where it names none.
        found: String,
        /// The version that this host has.
        offered: &'static str,
    },
    /// It imports something that this host does not offer.
    #[error("it imports `{0}`, which is not offered to hooks")]
    UnknownImport(String),
    /// It exports an interface of ours that is no phase.
    #[error("it exports `{0}`, which is no phase that is called here")]
    UnknownPhase(String),
    /// It exports no phase, so it would never be called.
    #[error("it exports no phase (`copal:hooks/pre-backup`, `filter`, …)")]
    NoPhase,
    /// What it imports has other types than those offered.
    #[error("what it imports does not fit: {0}")]
    UnfitImports(String),
    /// A phase that it exports has other types than those called.
    #[error("its {phase} does not fit: {why}")]
    UnfitPhase {
        /// The phase.
        phase: Phase,
        /// The difference.
        why: String,
    },
    /// Its section of requests can't be read.
    #[error("its section `copal-hook`, which holds its requests, can't be read: {0}")]
    Requests(String),
    /// No engine can be had for its limits.
    #[error(transparent)]
    Engine(EngineError),
    /// It can't be started within its limits.
    #[error("it can't be started: {0}")]
    CannotStart(FailureKind),
    /// Its config is no table.
    #[error("its config is not a table")]
    ConfigNotATable,
}
