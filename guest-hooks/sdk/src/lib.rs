//! Write a hook for Copal in Rust.
//!
//! A hook implements one trait for each phase it takes part in, and names them in [`hook!`]. Its
//! `config` table from copal.toml arrives as a type of its own.
//!
//! | phase | when |
//! |---|---|
//! | [`PreBackup`] | before the source is staged: copies that stand in for live files |
//! | [`Filter`] | while the source is walked: what belongs into the snapshot |
//! | [`Staged`] | when everything is staged, before the transfer |
//! | [`PostBackup`] | always once, with the outcome |
//! | [`PreRestore`], [`PostRestore`] | around a restore in place |
//! | [`Drill`] | on a restored copy: the app's own idea of "this works" |
//!
//! What it may ask of Copal, as far as the owner granted it: [`sqlite`], [`archive`],
//! [`service`], [`command`], [`http`], [`state`], [`secrets`], [`files`]. [`log`], [`run`] and [`clock`] need no grant. What a
//! hook is going to ask for, it can say itself: [`requests!`].
//!
//! ```
//! use copal_hook_sdk::{Error, PreBackup, info, sqlite};
//!
//! /// Copies one database, which the owner names in copal.toml.
//! struct CopyOne;
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     database: String,
//! }
//!
//! impl PreBackup for CopyOne {
//!     type Config = Config;
//!
//!     fn run(config: Config) -> Result<(), Error> {
//!         let copied = sqlite::backup(&config.database)?;
//!         info!("copied {}: {} pages", config.database, copied.pages);
//!         Ok(())
//!     }
//! }
//!
//! copal_hook_sdk::hook!(CopyOne: PreBackup);
//! # fn main() {}
//! ```
//!
//! Build it as a `cdylib` for `wasm32-unknown-unknown` and make it a component (`componentize`
//! beside this crate does). In copal.toml:
//!
//! ```toml
//! [[hook]]
//! name = "copy-one"
//! file = "hooks/copy_one.wasm"
//! sha256 = "…" # `copal hook grant copy-one` writes this line
//! config = { database = "webui.db" }
//! grants = { sqlite = ["webui.db"] }
//! ```
//!
//! A filter decides what belongs into the snapshot, by rclone's filter rules or by looking at each
//! path:
//!
//! ```
//! use copal_hook_sdk::{Approach, Columns, Entry, Error, Filter, Kind, NoConfig, Verdict};
//!
//! /// Leaves out what is large.
//! struct SmallOnly;
//!
//! impl Filter for SmallOnly {
//!     type Config = NoConfig;
//!
//!     fn start(_: NoConfig) -> Result<(Self, Approach), Error> {
//!         Ok((Self, Approach::ask(Columns::KINDS | Columns::SIZES)))
//!     }
//!
//!     fn decide(&mut self, entry: &Entry<'_>) -> Result<Verdict, Error> {
//!         let large = entry.kind() == Kind::File && entry.size() > 1 << 30;
//!         Ok(if large { Verdict::Skip } else { Verdict::Keep })
//!     }
//! }
//!
//! copal_hook_sdk::hook!(SmallOnly: Filter);
//! # fn main() {}
//! ```
//!
//! The text of a panic is logged, and Copal shows it: a panic is a fine answer to what can't be.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod bindings;
pub mod clock;
pub mod command;
mod config;
mod error;
pub mod files;
mod filter;
mod hook;
pub mod http;
pub mod log;
mod panic;
mod phases;
mod requests;
pub mod run;
pub mod service;

pub use bindings::imports::copal::hooks::archive;
pub use bindings::imports::copal::hooks::report;
pub use bindings::imports::copal::hooks::secrets;
pub use bindings::imports::copal::hooks::sqlite;
pub use bindings::imports::copal::hooks::state;
pub use bindings::imports::copal::hooks::types::{CodedError, Denial, Error};
pub use config::NoConfig;
pub use error::ErrorExt;
pub use filter::{Approach, Columns, Entry, Filter, Kind, Verdict};
pub use phases::{Drill, PostBackup, PostRestore, PreBackup, PreRestore, Report, Staged};

/// What the code that [`hook!`] writes calls.
#[doc(hidden)]
pub mod glue {
    pub use crate::filter::{Session, decide, start};
    pub use crate::phases::{drill, post_backup, post_restore, pre_backup, pre_restore, staged};
    pub use crate::requests::bytes;
}
