//! The hooks of `guest-hooks/examples` in the `copal` binary, against real servers and a real
//! PostgreSQL, with their grants and without.
//!
//! `scripts/build-hooks --examples` builds them; `COPAL_EXAMPLES_DIR` names another place than
//! `guest-hooks/target/examples`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod cluster;
mod common;
mod healthchecks;
mod pg_dump;
mod prometheus;
mod requests;
mod shrink_guard;
mod size_age_filter;
mod webhook_ntfy;
