//! From a hook's `limits` to [`Limits`].

use std::time::Duration;

use toml::de::DeValue;

use super::Limits;
use super::reader::{Field, Table, Unfit};
use super::sections;
use super::words::quoted;
use crate::units::ByteCount;

pub(super) fn limits(field: &Field<'_>) -> Option<Limits> {
    let mut table = field.table("limits = { memory = \"64 MiB\", wall = \"60s\" }")?;
    let memory = size(&mut table, "memory", "memory = \"64 MiB\"");
    let stack = size(&mut table, "stack", "stack = \"512 KiB\"");
    let wall = duration(&mut table, "wall", "wall = \"60s\"");
    let filter_wall = duration(&mut table, "filter_wall", "filter_wall = \"250ms\"");
    let hostcall = size(&mut table, "hostcall", "hostcall = \"8 MiB\"");
    let log = size(&mut table, "log", "log = \"1 MiB\"");
    let calls = table
        .take("calls")
        .map_or(Some(None), |field| count(&field).map(Some));
    let command_output = size(&mut table, "command_output", "command_output = \"1 MiB\"");
    let http_body = size(&mut table, "http_body", "http_body = \"8 MiB\"");
    let http_wall = duration(&mut table, "http_wall", "http_wall = \"30s\"");
    let state = size(&mut table, "state", "state = \"1 MiB\"");
    table.finish();
    Some(Limits {
        memory: memory?,
        stack: stack?,
        wall: wall?,
        filter_wall: filter_wall?,
        hostcall: hostcall?,
        log: log?,
        calls: calls?,
        command_output: command_output?,
        http_body: http_body?,
        http_wall: http_wall?,
        state: state?,
    })
}

/// A limit: the outer `None` is a problem that was reported, the inner one a missing key.
type Limit<T> = Option<Option<T>>;

fn duration(table: &mut Table<'_>, key: &'static str, example: &str) -> Limit<Duration> {
    table.take(key).map_or(Some(None), |field| {
        sections::duration(&field, example).map(Some)
    })
}

fn size(table: &mut Table<'_>, key: &'static str, example: &str) -> Limit<ByteCount> {
    let Some(field) = table.take(key) else {
        return Some(None);
    };
    let read = field.read(example, |text| parse_size(&field.path, text, example));
    read.map(Some)
}

/// A size of more than nothing.
pub(super) fn parse_size(path: &str, text: &str, example: &str) -> Result<ByteCount, Unfit> {
    let unfit = |why: &str| Unfit {
        what: format!("`{path}` can't be {}", quoted(text)),
        why: why.to_owned(),
        next: format!(
            "write a whole number and a unit (`KiB`, `MiB`, `GiB`), for example `{example}`"
        ),
    };
    match text.parse::<ByteCount>() {
        Ok(ByteCount::ZERO) => Err(unfit("it has to be more than nothing")),
        Ok(size) => Ok(size),
        Err(_) => Err(unfit("this is not a size")),
    }
}

fn count(field: &Field<'_>) -> Option<u32> {
    let number = match field.value() {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    match number {
        Some(number) if number > 0 => Some(number),
        _ => field.mistyped("a whole number above 0", "calls = 10000"),
    }
}
