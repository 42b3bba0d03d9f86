//! From `[limits]` to [`RunLimits`].

use super::RunLimits;
use super::limit_sections::parse_size;
use super::reader::{Field, Table, Unfit};
use crate::memory::LEAST;
use crate::units::ByteCount;

pub(super) fn run_limits(top: &mut Table<'_>) -> Option<RunLimits> {
    let Some(field) = top.take("limits") else {
        return Some(RunLimits::default());
    };
    let mut table = field.table("[limits]")?;
    let memory = table.take("memory");
    let max_transfer = table.take("max_transfer");
    table.finish();
    let mut limits = RunLimits::default();
    if let Some(field) = memory {
        limits.memory = self::memory(&field)?;
    }
    if let Some(field) = max_transfer {
        let example = "max_transfer = \"20 GiB\"";
        let read = field.read(example, |text| parse_size(&field.path, text, example));
        limits.max_transfer = Some(read?);
    }
    Some(limits)
}

fn memory(field: &Field<'_>) -> Option<ByteCount> {
    let example = "memory = \"256 MiB\"";
    field.read(example, |text| {
        let memory = parse_size(&field.path, text, example)?;
        if memory >= LEAST {
            return Ok(memory);
        }
        Err(Unfit {
            what: format!("`{}` can't be {memory}", field.path),
            why: format!("with less than {LEAST} rclone can't send large files"),
            next: "write at least `memory = \"64 MiB\"`, or remove the line".to_owned(),
        })
    })
}
