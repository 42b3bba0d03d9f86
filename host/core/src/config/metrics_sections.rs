//! From `[metrics]` to the file that they are written into.

use super::ConfigPath;
use super::reader::Table;
use super::sections::path_of;

/// What `[metrics]` says.
#[derive(Default)]
pub(super) struct Metrics {
    /// None where there is no such section.
    pub(super) file: Option<ConfigPath>,
}

pub(super) fn metrics(top: &mut Table<'_>) -> Option<Metrics> {
    let Some(field) = top.take("metrics") else {
        return Some(Metrics::default());
    };
    let example = "file = \"/var/lib/node_exporter/textfile_collector/copal.prom\"";
    let mut table = field.table("[metrics]")?;
    let why = "the section does not say which file metrics are written into";
    let next = format!("add a line such as `{example}`, or remove the section");
    let file = table.require("file", why, &next);
    table.finish();
    let file = Some(path_of(&file?, example)?);
    Some(Metrics { file })
}
