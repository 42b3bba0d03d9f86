//! `copal hook pack`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use copal_hooks::{Flaw, add_requests, inspect};
use serde_json::{Value, json};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use super::component::{read, read_text};
use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::error::CopalError;
use crate::hook_error::HookCommandError;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct PackArgs {
    /// The component, or a core module that was made with wit-bindgen
    file: PathBuf,
    /// A file with `[requests]`, in the shape of `grants` in copal.toml
    #[arg(long, value_name = "FILE.toml")]
    requests: PathBuf,
    /// Where the component goes
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(args: &PackArgs, global: &Global) -> Result<Exit, CopalError> {
    let component = component(&args.file)?;
    let refused = |source| HookCommandError::Refused {
        path: args.file.clone(),
        source,
    };
    let packed = match requests(&args.requests)? {
        Some(requests) => add_requests(&component, &requests).map_err(|flaw| match flaw {
            Flaw::Requests(why) => HookCommandError::Requests {
                path: args.requests.clone(),
                why,
            },
            other => refused(other),
        })?,
        None => component,
    };
    let inspection = inspect(&packed).map_err(refused)?;
    fs::write(&args.output, packed).map_err(|source| HookCommandError::NotWritten {
        path: args.output.clone(),
        source,
    })?;
    show::hook::inspection(&inspection, global.output())?;
    Ok(Exit::Done)
}

/// The file's bytes, made a component where they are a core module.
fn component(path: &Path) -> Result<Vec<u8>, HookCommandError> {
    const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
    let bytes = read(path)?;
    if !bytes.starts_with(CORE_MODULE) {
        return Ok(bytes);
    }
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        // Only taken where the module was built against a C library.
        .and_then(|encoder| {
            encoder.adapter(
                WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            )
        })
        .and_then(ComponentEncoder::encode);
    encoded.map_err(|error| HookCommandError::NotEncoded {
        path: path.to_owned(),
        why: format!("{error:#}"),
    })
}

/// The section's text; none for a file without `[requests]`.
fn requests(path: &Path) -> Result<Option<String>, HookCommandError> {
    let unfit = |why: String| HookCommandError::Requests {
        path: path.to_owned(),
        why,
    };
    let mut table: toml::Table =
        toml::from_str(&read_text(path)?).map_err(|error| unfit(error.to_string()))?;
    let requests = table.remove("requests");
    if let Some(unknown) = table.keys().next() {
        return Err(unfit(format!(
            "`{unknown}` is not known in it; there is `[requests]`"
        )));
    }
    let Some(requests) = requests else {
        return Ok(None);
    };
    let requests: Value =
        serde_json::to_value(requests).map_err(|error| unfit(error.to_string()))?;
    Ok(Some(json!({ "requests": requests }).to_string()))
}
