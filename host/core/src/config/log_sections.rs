//! From `[log]` to [`Log`].

use toml::de::DeValue;

use super::limit_sections::parse_size;
use super::reader::{Field, Table, Unfit};
use super::sections::path_of;
use super::words::{listed, quoted, suggestion};
use super::{Log, LogFile, LogFormat};
use crate::units::ByteCount;

/// A log that is smaller would not have one run in it.
const LEAST: ByteCount = ByteCount(64 * 1024);

/// More names than anybody looks through.
const MOST: u32 = 100;

pub(super) fn log(top: &mut Table<'_>) -> Option<Log> {
    let Some(field) = top.take("log") else {
        return Some(Log::default());
    };
    let mut table = field.table("[log]")?;
    let file = table.take("file");
    let format = table.take("format");
    let max_size = table.take("max_size");
    let keep = table.take("keep");
    table.finish();
    // Each is read in any case, for each has problems of its own.
    let file = file.map_or(Some(LogFile::Usual), |field| self::file(&field));
    let format = format.map_or(Some(LogFormat::default()), |field| self::format(&field));
    let usual = Log::default();
    let max_size = max_size.map_or(Some(usual.max_size), |field| self::max_size(&field));
    let keep = keep.map_or(Some(usual.keep), |field| self::keep(&field));
    Some(Log {
        file: file?,
        format: format?,
        max_size: max_size?,
        keep: keep?,
    })
}

fn file(field: &Field<'_>) -> Option<LogFile> {
    match field.value() {
        DeValue::Boolean(false) => Some(LogFile::Nowhere),
        DeValue::String(_) => path_of(field, "file = \"/var/log/copal.log\"").map(LogFile::At),
        _ => field.mistyped("a path, or `false`", "file = \"/var/log/copal.log\""),
    }
}

fn format(field: &Field<'_>) -> Option<LogFormat> {
    field.read("format = \"json\"", |text| {
        let mut known = LogFormat::ALL.into_iter();
        let known = known.find(|format| format.name() == text);
        known.ok_or_else(|| {
            let names = LogFormat::ALL.map(LogFormat::name);
            Unfit {
                what: format!("there is no format {}", quoted(text)),
                why: format!("the formats are {}", listed(&names)),
                next: suggestion(text, &names)
                    .unwrap_or_else(|| "write `format = \"json\"`, or remove the line".to_owned()),
            }
        })
    })
}

fn max_size(field: &Field<'_>) -> Option<ByteCount> {
    let example = "max_size = \"4 MiB\"";
    field.read(example, |text| {
        let size = parse_size(&field.path, text, example)?;
        if size >= LEAST {
            return Ok(size);
        }
        Err(Unfit {
            what: format!("`{}` can't be {size}", field.path),
            why: format!("with less than {LEAST} the log of one run would not stay whole"),
            next: format!("write for example `{example}`, or remove the line"),
        })
    })
}

fn keep(field: &Field<'_>) -> Option<u32> {
    let number = match field.value() {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    let example = "keep = 4";
    let number = match field.value() {
        DeValue::Integer(_) => number,
        _ => return field.mistyped("a whole number from 1 to 100", example),
    };
    let fitting = number.filter(|number| (1..=MOST).contains(number));
    if fitting.is_none() {
        let what = format!("`{}` can't be that many", field.path);
        let why = "from 1 to 100 older logs can stay";
        let next = format!("write for example `{example}`, or remove the line");
        field.problems.report(&field.span, what, why, next);
    }
    fitting
}
