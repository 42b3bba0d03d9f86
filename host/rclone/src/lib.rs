//! Typed calls to rclone, which runs in a worker process of its own.
//!
//! Why a process: some of rclone's errors still end the process they happen in, it reads its
//! environment only when it starts, its memory is its own to bound, and a hung transfer must be
//! killable. The program starts itself again as `copal worker` ([`serve_worker`]) and talks to it
//! through [`Worker`]; whatever happens over there is an [`RcloneError`] over here.
//!
//! Success of a copy means more than rclone's word: see [`Job::poll`].

#![deny(unsafe_code)]

mod attempt;
mod calls;
mod connection;
mod error;
mod ffi;
mod find;
mod frame;
mod job;
mod log;
mod names;
mod options;
mod process;
mod redact;
mod refused_options;
mod remote;
mod removal;
mod request;
mod serve;
mod signals;
mod survey;
mod worker;

pub use error::{ErrorKind, FileProblem, RcloneError};
pub use job::{CopyRequest, CopySummary, Job, JobState, Progress, ProofBy};
pub use log::LogLevel;
pub use names::travels_unchanged;
pub use options::{OptionProblem, OptionValue};
pub use remote::{InvalidRemote, Remote};
pub use removal::{NotRemoved, RemovalRequest, RemovedFiles};
pub use request::{
    CopyFileRequest, Entry, FsInfo, Layer, LayerOption, ListRequest, ProofRequest, Proven,
    StatRequest, TransferOptions,
};
pub use serve::serve_worker;
pub use worker::{SpawnOptions, Worker};

/// The version of rclone that was linked, as `core/version` has to report it.
pub const RCLONE_VERSION: &str = librclone_sys::RCLONE_VERSION;
