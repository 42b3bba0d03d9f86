//! WASI as hooks get it: there for their language's own library, and leading nowhere.

mod listing;
mod streams;

use std::path::PathBuf;

use copal_core::grants::Tree;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx};

pub(crate) use self::listing::LISTINGS;
pub(crate) use self::streams::AT_ONCE;
use crate::call::State;
use crate::stdio::Stdio;

/// How many resources (streams, headers, files) an instance may hold at once.
pub(crate) const RESOURCES: usize = 512;

/// How many handles, to those and to resources of its own, an instance may hold at once.
pub(crate) const HANDLES: usize = 10_000;

/// The most random bytes in one call.
const RANDOM_BYTES: u64 = 1024 * 1024;

/// All of WASI, as it is here.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    streams::add_to_linker(linker)?;
    listing::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// No environment, no arguments, no sockets, no names looked up, and no files but in `trees`. Clocks
/// and random numbers are real.
pub(crate) fn context(stdio: &[Stdio; 2], trees: &[(Tree, PathBuf)]) -> Result<WasiCtx, String> {
    let [stdout, stderr] = stdio.clone();
    let mut context = WasiCtx::builder();
    context
        .stdout(stdout)
        .stderr(stderr)
        .max_random_size(RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .socket_addr_check(|_, _| Box::pin(async { false }));
    for (tree, directory) in trees {
        let permissions = match tree {
            Tree::Source => FsPerms::ReadOnly,
            Tree::Staging => FsPerms::ReadWrite,
        };
        context
            .preopened_dir(directory, format!("/{tree}"), permissions)
            .map_err(|error| {
                let directory = directory.display();
                format!("`{directory}`, its /{tree}, can't be opened: {error:#}")
            })?;
    }
    Ok(context.build())
}

/// Where an instance's resources are kept.
pub(crate) fn table() -> ResourceTable {
    let mut table = ResourceTable::new();
    table.set_max_capacity(RESOURCES);
    table
}
