//! WASI as hooks get it: there for their language's own library, and leading nowhere.

use std::path::PathBuf;

use copal_core::grants::Tree;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx};

use crate::stdio::Stdio;

/// How many resources (streams, headers, files) an instance may hold at once.
const RESOURCES: usize = 512;

/// The most random bytes in one call.
const RANDOM_BYTES: u64 = 1024 * 1024;

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
