//! What may befall a run, again and again: kills, signals, traps, full disks, engines that go away, and
//! apps that never rest.
//!
//! The app is two containers of a private Docker engine which the job holds, and a third that is down.
//! `make test` does a small part of each trial; `make soak` does them whole, and prints the table of
//! `docs/faults.md`. One number scales it all: `COPAL_SOAK`, of which 1 is the whole.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod app;
mod chroma;
mod disks;
mod engines;
mod hooks;
mod kills;
mod outcome;
mod processes;
mod scale;
mod signals;
mod states;
mod table;
mod traps;
mod trial;
mod writers;
