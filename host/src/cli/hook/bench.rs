//! `copal hook bench`

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::component::ComponentFile;
use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::error::CopalError;
use crate::hook_error::HookCommandError;
use crate::hook_measure::measure;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// The component
    file: PathBuf,
    /// The hook's config, as a JSON object
    #[arg(long = "hook-config", value_name = "JSON", default_value = "{}")]
    hook_config: String,
}

pub(super) fn run(args: &BenchArgs, global: &Global) -> Result<Exit, CopalError> {
    let config: Value =
        serde_json::from_str(&args.hook_config).map_err(HookCommandError::Config)?;
    let component = ComponentFile::read(&args.file)?;
    let scratch = tempfile::Builder::new()
        .prefix("copal-hook-bench-")
        .tempdir();
    let scratch = scratch.map_err(|source| HookCommandError::NotWritten {
        path: std::env::temp_dir(),
        source,
    })?;
    let measured = measure(&component.name(), &component.bytes, &config, scratch.path())?;
    show::hook_bench::print(&measured, global.output())?;
    Ok(Exit::Done)
}
