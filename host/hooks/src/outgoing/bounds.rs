//! Bounds of what a request may occupy before it is sent. `wasmtime-wasi-http` keeps texts of any
//! length, which no limit of the instance would see.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as Setters, Method};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;

use crate::call::State;

/// The version of `wasi:http` that is linked.
const TYPES: &str = "wasi:http/types@0.2.12";

/// The longest method; longer ones the gate would refuse.
const METHOD: usize = 64;

/// The longest authority: a name of 253 bytes, and a port.
const AUTHORITY: usize = 300;

/// The longest path with its query.
pub(crate) const PATH: usize = 16 * 1024;

/// The most that one set of headers may occupy.
pub(crate) const HEADERS: usize = 16 * 1024;

/// Puts setters that refuse what is too long before those that are linked already.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        "[method]outgoing-request.set-method",
        |context, (request, method): (Request, Method)| {
            let is_short = !matches!(&method, Method::Other(text) if text.len() > METHOD);
            set(context, is_short, |http| http.set_method(request, method))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        |context, (request, text): (Request, Option<String>)| {
            let is_short = fits(text.as_ref(), AUTHORITY);
            set(context, is_short, |http| http.set_authority(request, text))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-path-with-query",
        |context, (request, text): (Request, Option<String>)| {
            let is_short = fits(text.as_ref(), PATH);
            set(context, is_short, |http| {
                http.set_path_with_query(request, text)
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

type Request = Resource<HostOutgoingRequest>;

fn fits(text: Option<&String>, most: usize) -> bool {
    text.is_none_or(|text| text.len() <= most)
}

fn set(
    mut context: StoreContextMut<'_, State>,
    is_short: bool,
    setter: impl FnOnce(&mut dyn Setters) -> Result<Result<(), ()>>,
) -> Result<(Result<(), ()>,)> {
    if !is_short {
        return Ok((Err(()),));
    }
    setter(&mut context.data_mut().http()).map(|answer| (answer,))
}
