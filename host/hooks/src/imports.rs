//! The interfaces that hooks import, each function passed on to the gate.

use wasmtime::Result;
use wasmtime::component::Resource;

use crate::bindings::copal::hooks::{
    archive, command, log, report, run_info, secrets, sqlite, state, types,
};
use crate::gate::{Answer, Gate};
use crate::guest_log::Level;
use crate::{ArchiveFormat, Outcome, Report};

/// The one report of a call; it lives in the gate, so its number says nothing.
pub(crate) const REPORT: u32 = 0;

impl types::Host for Gate {}

impl log::Host for Gate {
    fn write(&mut self, level: log::Level, message: String, fields: Vec<log::Field>) -> Result<()> {
        let level = match level {
            log::Level::Trace => Level::Trace,
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        let fields: Vec<_> = fields
            .into_iter()
            .map(|field| (field.name, field.value))
            .collect();
        self.log.write(level, &message, &fields);
        Ok(())
    }
}

impl run_info::Host for Gate {
    fn run_id(&mut self) -> Result<String> {
        Ok(self.run.run_id.clone())
    }

    fn phase(&mut self) -> Result<String> {
        Ok(self.phase.name().to_owned())
    }

    fn dry_run(&mut self) -> Result<bool> {
        Ok(self.run.dry_run)
    }

    fn config(&mut self) -> Result<String> {
        Ok(self.config.to_string())
    }

    fn snapshot(&mut self) -> Result<Option<String>> {
        Ok(self.run.snapshot.clone())
    }

    fn counter(&mut self, name: String) -> Result<Option<u64>> {
        Ok(self.run.counters.get(&name).copied())
    }

    fn time_left_ms(&mut self) -> Result<u64> {
        Ok(u64::try_from(self.clock.left().as_millis()).unwrap_or(u64::MAX))
    }
}

impl sqlite::Host for Gate {
    fn databases(&mut self) -> Result<Result<Vec<String>, types::Error>> {
        told(self.sqlite_databases())
    }

    fn check(
        &mut self,
        _name: String,
        _depth: sqlite::Depth,
    ) -> Result<Result<Vec<String>, types::Error>> {
        not_here()
    }

    fn backup(&mut self, name: String) -> Result<Result<sqlite::Copied, types::Error>> {
        let copied = told(self.sqlite_backup(&name))?;
        Ok(copied.map(|copied| sqlite::Copied {
            pages: copied.pages,
            page_size: copied.page_size,
            restarts: copied.restarts,
            checked: copied.checked,
        }))
    }
}

/// What has no deed behind it.
fn not_here<T>() -> Result<Result<T, types::Error>> {
    Ok(Err(types::Error::Failed("not here yet".into())))
}

impl command::Host for Gate {
    fn run(
        &mut self,
        _name: String,
        _arguments: Vec<command::Argument>,
    ) -> Result<Result<command::Finished, types::Error>> {
        not_here()
    }

    fn capture(
        &mut self,
        _name: String,
        _arguments: Vec<command::Argument>,
        _path: String,
    ) -> Result<Result<command::Captured, types::Error>> {
        not_here()
    }
}

impl state::Host for Gate {
    fn get(&mut self, _key: String) -> Result<Result<Option<Vec<u8>>, types::Error>> {
        not_here()
    }

    fn set(&mut self, _key: String, _value: Vec<u8>) -> Result<Result<(), types::Error>> {
        not_here()
    }

    fn delete(&mut self, _key: String) -> Result<Result<(), types::Error>> {
        not_here()
    }

    fn keys(&mut self) -> Result<Result<Vec<String>, types::Error>> {
        not_here()
    }
}

impl secrets::Host for Gate {
    fn bind_header(
        &mut self,
        _name: String,
        _origin: String,
        _header: String,
        _prefix: String,
    ) -> Result<Result<(), types::Error>> {
        not_here()
    }

    fn reveal(&mut self, _name: String) -> Result<Result<Vec<u8>, types::Error>> {
        not_here()
    }
}

impl archive::Host for Gate {
    fn create(
        &mut self,
        directory: String,
        format: archive::Format,
    ) -> Result<Result<archive::Archived, types::Error>> {
        let format = match format {
            archive::Format::Tar => ArchiveFormat::Tar,
            archive::Format::TarGz => ArchiveFormat::TarGz,
        };
        let archived = told(self.archive_create(&directory, format))?;
        Ok(archived.map(|archived| archive::Archived {
            entries: archived.entries,
            content_bytes: archived.content.0,
            archive_bytes: archived.archive.0,
        }))
    }
}

impl report::Host for Gate {}

impl report::HostReport for Gate {
    fn outcome(&mut self, _: Resource<Report>) -> Result<report::Outcome> {
        Ok(match self.report()?.outcome {
            Outcome::Succeeded => report::Outcome::Succeeded,
            Outcome::Warned => report::Outcome::Warned,
            Outcome::Failed => report::Outcome::Failed,
            Outcome::Interrupted => report::Outcome::Interrupted,
            Outcome::Abandoned => report::Outcome::Abandoned,
        })
    }

    fn message(&mut self, _: Resource<Report>) -> Result<Option<String>> {
        Ok(self.report()?.message.clone())
    }

    fn snapshot(&mut self, _: Resource<Report>) -> Result<Option<String>> {
        Ok(self.report()?.snapshot.clone())
    }

    fn counter(&mut self, _: Resource<Report>, name: String) -> Result<Option<u64>> {
        Ok(self.report()?.counters.get(&name).copied())
    }

    fn drop(&mut self, _: Resource<Report>) -> Result<()> {
        Ok(())
    }
}

impl Gate {
    fn report(&self) -> Result<&Report> {
        self.report
            .as_ref()
            .ok_or_else(|| wasmtime::Error::msg("there is no report in this phase"))
    }
}

/// An answer of the gate in the types of `wit/`.
fn told<T>(answer: Answer<T>) -> Result<Result<T, types::Error>> {
    match answer {
        Ok(answer) => Ok(answer.map_err(Into::into)),
        Err(stop) => Err(wasmtime::Error::new(stop)),
    }
}
