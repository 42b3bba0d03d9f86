//! Runs hooks: WebAssembly components with the interfaces of `wit/` and no rights but the granted.
//!
//! A [`HookEngine`] loads a component, which is refused by name where it isn't one that can run. The
//! [`Hook`] is then called in the phases it exports, each time in a fresh instance with limits of
//! its own. Everything it asks of the host goes through one gate (`gate/`): there it is looked up
//! what is in force for it, that is what its owner grants and its component requests, and there it
//! is written down what was done. What a capability really does is not known here: the caller
//! brings [`Capabilities`]. WASI is linked as well, and leads nowhere but to granted directories and,
//! through the gate, to granted requests over HTTP.
//!
//! Pinning a component to its digest has its place in front of [`HookEngine::load`].
#![deny(unsafe_code)] // `cache.rs` alone has some, and says why

mod answer;
mod bindings;
mod budget;
mod builtin;
mod cache;
mod call;
mod cancel;
mod capability;
mod check;
mod clock;
mod deed;
mod denial;
mod engine;
mod error;
mod exports;
mod failure;
mod filter;
mod gate;
mod guest_log;
mod hook;
mod imports;
mod inspect;
mod limits;
mod machine;
mod mask;
mod memory;
mod outgoing;
mod phase;
mod plural;
mod report;
mod requests;
mod runtime;
mod stdio;
mod wasi;
mod watch;

pub use builtin::{BUILTIN_NAMES, PREBUILT_STAMP, builtin};
pub use cancel::Cancel;
pub use capability::{
    ArchiveFormat, Archived, Call, Capabilities, CapabilityError, Captured, CheckDepth,
    CommandRequest, Copied, Finished, HoldId, HoldWish, Holder, HttpRequest, HttpResponse,
    QUERY_ANSWER, SecretBytes, ServiceState, Taken,
};
pub use deed::{Account, Deed, Used};
pub use denial::{Cause, Denial};
pub use engine::{Compiling, EngineError, HookEngine, HookSpec, OnCompile};
pub use error::{Flaw, HookError};
pub use failure::{FailureKind, HookFailure};
pub use filter::{Approach, Columns, EntryKind, FilterBatch, FilterSession, Verdict};
pub use hook::Hook;
pub use inspect::{Inspection, inspect};
pub use limits::Limits;
pub use mask::Masks;
pub use phase::{Phase, RunInfo};
pub use report::{Outcome, Report};
pub use requests::add_requests;
