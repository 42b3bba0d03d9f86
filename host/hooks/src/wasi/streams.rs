//! Streams, as far as they hold memory of the host. Those of `wasmtime-wasi` take as much at once as
//! a guest hands them, hold four times as much, and make as many zeroes as it asks for.

use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime::{Error, Result, StoreContextMut};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::p2::bindings::io::streams::{
    Host as _, HostInputStream as _, HostOutputStream as _, StreamError,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, StreamResult};

use crate::call::State;
use crate::failure::Stop;

/// The version of `wasi:io` that is linked.
const STREAMS: &str = "wasi:io/streams@0.2.12";

/// The most that a guest reads or writes at once, and so what a stream holds.
pub(crate) const AT_ONCE: usize = 16 * 1024;

/// The same for amounts of the guest's.
const MOST: u64 = AT_ONCE as u64;

type Input = Resource<DynInputStream>;
type Output = Resource<DynOutputStream>;

/// Puts streams that hold little before those that are linked already.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    let mut streams = linker.instance(STREAMS)?;
    streams.func_wrap(
        "[method]output-stream.check-write",
        |mut context, (stream,): (Output,)| {
            let table = table(&mut context);
            let room = table.check_write(stream);
            told(table, room.map(|room| room.min(MOST)))
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.write",
        |mut context, (stream, bytes): (Output, Vec<u8>)| {
            is_little(bytes.len() as u64)?;
            let table = table(&mut context);
            let written = table.write(stream, bytes);
            told(table, written)
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.write-zeroes",
        |mut context, (stream, count): (Output, u64)| {
            is_little(count)?;
            let table = table(&mut context);
            let written = table.write_zeroes(stream, count);
            told(table, written)
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.splice",
        |mut context, (to, from, most): (Output, Input, u64)| {
            let table = table(&mut context);
            let moved = table.splice(to, from, most.min(MOST));
            told(table, moved)
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-splice",
        |mut context, (to, from, most): (Output, Input, u64)| {
            Box::new(async move {
                let table = table(&mut context);
                let moved = table.blocking_splice(to, from, most.min(MOST)).await;
                told(table, moved)
            })
        },
    )?;
    streams.func_wrap(
        "[method]input-stream.read",
        |mut context, (stream, most): (Input, u64)| {
            let table = table(&mut context);
            let read = table.read(stream, most.min(MOST));
            told(table, read)
        },
    )?;
    streams.func_wrap_async(
        "[method]input-stream.blocking-read",
        |mut context, (stream, most): (Input, u64)| {
            Box::new(async move {
                let table = table(&mut context);
                let read = table.blocking_read(stream, most.min(MOST)).await;
                told(table, read)
            })
        },
    )?;
    streams.func_wrap(
        "[method]input-stream.skip",
        |mut context, (stream, most): (Input, u64)| {
            let table = table(&mut context);
            let skipped = table.skip(stream, most.min(MOST));
            told(table, skipped)
        },
    )?;
    streams.func_wrap_async(
        "[method]input-stream.blocking-skip",
        |mut context, (stream, most): (Input, u64)| {
            Box::new(async move {
                let table = table(&mut context);
                let skipped = table.blocking_skip(stream, most.min(MOST)).await;
                told(table, skipped)
            })
        },
    )
}

fn table<'a>(context: &'a mut StoreContextMut<'_, State>) -> &'a mut ResourceTable {
    context.data_mut().ctx().table
}

/// More than `check-write` gives leave to is against the rules of WASI, and ends the guest.
fn is_little(bytes: u64) -> Result<()> {
    if bytes > MOST {
        return Err(Error::new(Stop::TooMuchAtOnce { most: AT_ONCE }));
    }
    Ok(())
}

fn told<T>(
    table: &mut ResourceTable,
    answer: StreamResult<T>,
) -> Result<(std::result::Result<T, StreamError>,)> {
    Ok((match answer {
        Ok(value) => Ok(value),
        Err(error) => Err(table.convert_stream_error(error)?),
    },))
}
