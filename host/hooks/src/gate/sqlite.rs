//! Databases.

use copal_core::grants::{Capability, Need};

use super::{Answer, Asked, Gate, path};
use crate::{CheckDepth, Copied, Phase};

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
            |names: &Vec<String>| format!("{} databases", names.len()),
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
            |copied| format!("{} pages of {} bytes", copied.pages, copied.page_size),
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
                faults => format!("{faults} faults"),
            },
        )
    }
}

/// What the gate found to be fine before it let the deed through.
pub(super) fn known<T>(parsed: Result<T, String>) -> Result<T, crate::CapabilityError> {
    parsed.map_err(crate::CapabilityError::Invalid)
}
