//! Databases.

use copal_core::grants::{Capability, Need};

use super::{Answer, Asked, Gate, path};
use crate::plural::{bytes, count};
use crate::{CapabilityError, CheckDepth, Copied, Holder, Phase, QUERY_ANSWER};

/// How many directories may be copied with a database.
const MOST_BESIDE: usize = 100;

/// The longest SQL statement, in bytes.
const LONGEST_STATEMENT: usize = 64 * 1024;

/// How many rows may be asked for at once.
const MOST_ROWS: u32 = 10_000;

impl Gate {
    /// The granted ones among the databases in the source, sorted.
    pub(crate) fn sqlite_databases(&mut self) -> Answer<Vec<String>> {
        let asked = Asked::of(Capability::Sqlite, "databases").needing(Ok(Need::Databases));
        let in_force = std::sync::Arc::clone(&self.in_force);
        self.deed(
            asked,
            |host, call| {
                let mut found = host.sqlite_databases(call)?;
                found.retain(|name| in_force.cover(&Need::Database(name.clone())));
                found.sort();
                Ok(found.iter().map(ToString::to_string).collect())
            },
            |names: &Vec<String>| count(names.len(), "database", "databases"),
        )
    }

    pub(crate) fn sqlite_backup(&mut self, name: &str) -> Answer<Copied> {
        let database = path(name);
        let asked = Asked::of(Capability::Sqlite, "backup")
            .with("name", name)
            .needing(database.clone().map(Need::Database))
            .only_in(Phase::PreBackup);
        self.deed(
            asked,
            |host, call| host.sqlite_backup(call, &known(database)?),
            pages,
        )
    }

    pub(crate) fn sqlite_check(&mut self, name: &str, depth: CheckDepth) -> Answer<Vec<String>> {
        let database = path(name);
        let depth_name = match depth {
            CheckDepth::Quick => "quick",
            CheckDepth::Full => "full",
        };
        let asked = Asked::of(Capability::Sqlite, "check")
            .with("name", name)
            .with("depth", depth_name)
            .needing(database.clone().map(Need::Database));
        self.deed(
            asked,
            |host, call| host.sqlite_check(call, &known(database)?, depth),
            |faults| match faults.len() {
                0 => "nothing is wrong".to_owned(),
                faults => count(faults, "fault", "faults"),
            },
        )
    }

    pub(crate) fn sqlite_backup_with(&mut self, name: &str, beside: &[String]) -> Answer<Copied> {
        let database = path(name);
        let too_many = (beside.len() > MOST_BESIDE).then(|| {
            let count = beside.len();
            format!("{count} directories are more than the {MOST_BESIDE} that may be copied with a database")
        });
        let beside: Vec<_> = beside.iter().take(MOST_BESIDE).collect();
        let directories: Vec<_> = beside.iter().map(|name| path(name)).collect();
        let mut asked = Asked::of(Capability::Sqlite, "backup-with")
            .with("name", name)
            .needing(database.clone().map(Need::Database))
            .unless(too_many)
            .only_in(Phase::PreBackup);
        for (name, directory) in beside.iter().zip(&directories) {
            asked = asked
                .with("beside", *name)
                .needing(directory.clone().map(Need::Directory));
        }
        self.deed(
            asked,
            |host, call| {
                let directories: Result<Vec<_>, _> = directories.into_iter().map(known).collect();
                host.sqlite_backup_with(call, &known(database)?, &directories?)
            },
            pages,
        )
    }

    pub(crate) fn sqlite_holders(&mut self, name: &str) -> Answer<Vec<Holder>> {
        let database = path(name);
        let asked = Asked::of(Capability::Sqlite, "holders")
            .with("name", name)
            .needing(database.clone().map(Need::Database));
        self.deed(
            asked,
            |host, call| host.sqlite_holders(call, &known(database)?),
            |holders| match holders.len() {
                0 => "all is well".to_owned(),
                holders => count(holders, "process", "processes"),
            },
        )
    }

    pub(crate) fn sqlite_query(&mut self, name: &str, sql: &str, limit: u32) -> Answer<String> {
        let database = path(name);
        let wrong = if let Some(why) = too_long(sql) {
            Some(why)
        } else if limit == 0 || limit > MOST_ROWS {
            Some(format!(
                "{limit} rows can't be asked for: 1 to {MOST_ROWS} can"
            ))
        } else {
            None
        };
        let asked = Asked::of(Capability::Query, "query")
            .with("name", name)
            .with("sql", sql)
            .with("limit", limit.to_string())
            .needing(database.clone().map(Need::Query))
            .unless(wrong);
        self.deed(
            asked,
            |host, call| {
                let rows = host.sqlite_query(call, &known(database)?, sql, limit)?;
                if rows.len() > QUERY_ANSWER {
                    let why = format!("its rows are more than {QUERY_ANSWER} bytes");
                    return Err(CapabilityError::Invalid(why));
                }
                Ok(rows)
            },
            |rows| bytes(rows.len()),
        )
    }

    pub(crate) fn sqlite_update(&mut self, name: &str, sql: &str) -> Answer<u64> {
        let database = path(name);
        let asked = Asked::of(Capability::Update, "update")
            .with("name", name)
            .with("sql", sql)
            .needing(database.clone().map(Need::Update))
            .unless(too_long(sql))
            .only_in(Phase::PostRestore);
        self.deed(
            asked,
            |host, call| host.sqlite_update(call, &known(database)?, sql),
            |changed| count(*changed, "row", "rows"),
        )
    }
}

fn too_long(sql: &str) -> Option<String> {
    let length = sql.len();
    (length > LONGEST_STATEMENT).then(|| {
        format!("a statement of {length} bytes is more than the {LONGEST_STATEMENT} it may have")
    })
}

fn pages(copied: &Copied) -> String {
    let pages = count(copied.pages, "page", "pages");
    format!("{pages} of {} bytes", copied.page_size)
}

/// What the gate found to be fine before it let the deed through.
pub(super) fn known<T>(parsed: Result<T, String>) -> Result<T, CapabilityError> {
    parsed.map_err(CapabilityError::Invalid)
}
