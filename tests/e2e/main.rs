//! The `copal` binary as a person has it, against real databases, real rclone and real signals.
//!
//! Few tests, for what no smaller storey can show. Each has a world of its own and waits for
//! conditions, so that they run in parallel, as root and as anybody else. What needs root says so
//! on stderr where it is left out.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests")]

#[macro_use]
mod told;

mod app;
mod check;
mod common;
mod databases;
mod docs;
mod drill;
mod dry_run;
mod du;
mod exchanges;
mod fault;
mod folders;
mod generated;
mod history;
mod holds;
mod holds_after;
mod holds_databases;
mod holds_docker;
mod holds_state;
mod holds_told;
mod hook_commands;
mod hook_grants;
mod hook_trials;
mod hooks;
mod https;
mod in_place;
mod init;
mod lacking;
mod links;
mod logs;
mod metrics;
mod mirror;
mod names;
mod notify;
mod old_trees;
mod open_webui;
mod process;
mod prune;
mod rcd;
mod reading;
mod remotes;
mod report;
mod restore;
mod schedule;
mod schemas;
mod semantics;
mod signals;
mod specimen;
mod staging;
mod staging_moved;
mod status;
mod unmounted;
mod verify;
mod verify_notes;
mod worker;
