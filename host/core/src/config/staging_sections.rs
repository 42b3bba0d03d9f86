//! From `[staging]` to [`Staging`].

use super::reader::{Field, Table, Unfit};
use super::sections::{duration, path_of};
use super::words::{listed, quoted, suggestion};
use super::{Staging, StagingMode};

pub(super) fn staging(top: &mut Table<'_>) -> Option<Staging> {
    let Some(field) = top.take("staging") else {
        return Some(Staging::default());
    };
    let mut table = field.table("[staging]")?;
    let dir = table.take("dir");
    let mode = table.take("mode");
    let max_pause = table.take("max_pause");
    table.finish();
    let mut staging = Staging::default();
    if let Some(field) = dir {
        staging.dir = Some(path_of(&field, "dir = \"/var/tmp/copal\"")?);
        staging.place = Some(field.place());
    }
    if let Some(field) = mode {
        staging.mode = self::mode(&field)?;
    }
    if let Some(field) = max_pause {
        staging.max_pause = duration(&field, "max_pause = \"30s\"")?;
    }
    Some(staging)
}

fn mode(field: &Field<'_>) -> Option<StagingMode> {
    field.read("mode = \"auto\"", |text| {
        let mut known = StagingMode::ALL.into_iter();
        let known = known.find(|mode| mode.name() == text);
        known.ok_or_else(|| {
            let names = StagingMode::ALL.map(StagingMode::name);
            Unfit {
                what: format!("there is no mode {}", quoted(text)),
                why: format!("the modes are {}", listed(&names)),
                next: suggestion(text, &names)
                    .unwrap_or_else(|| "write `mode = \"auto\"`, or remove the line".to_owned()),
            }
        })
    })
}
