//! The interfaces that hooks import, each function passed on to the gate.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::Resource;

use crate::bindings::copal::hooks::{
    archive, command, log, report, run_info, secrets, service, sqlite, state, types,
};
use crate::gate::{Answer, Gate, Held};
use crate::guest_log::Level;
use crate::{ArchiveFormat, CheckDepth, CommandRequest, HoldWish, Outcome, Report, ServiceState};

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

    fn job(&mut self) -> Result<String> {
        Ok(self.run.job.clone())
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
        Ok(u64::try_from(self.watch.clock(|clock| clock.left()).as_millis()).unwrap_or(u64::MAX))
    }

    fn record(&mut self, key: String, value: String) -> Result<Result<(), types::Error>> {
        told(Gate::record(self, &key, &value))
    }
}

impl sqlite::Host for Gate {
    fn databases(&mut self) -> Result<Result<Vec<String>, types::Error>> {
        told(self.sqlite_databases())
    }

    fn check(
        &mut self,
        name: String,
        depth: sqlite::Depth,
    ) -> Result<Result<Vec<String>, types::Error>> {
        let depth = match depth {
            sqlite::Depth::Quick => CheckDepth::Quick,
            sqlite::Depth::Full => CheckDepth::Full,
        };
        told(self.sqlite_check(&name, depth))
    }

    fn backup(&mut self, name: String) -> Result<Result<sqlite::Copied, types::Error>> {
        let copied = told(self.sqlite_backup(&name))?;
        Ok(copied.map(Into::into))
    }

    fn backup_with(
        &mut self,
        name: String,
        beside: Vec<String>,
    ) -> Result<Result<sqlite::Copied, types::Error>> {
        let copied = told(self.sqlite_backup_with(&name, &beside))?;
        Ok(copied.map(Into::into))
    }

    fn holders(&mut self, name: String) -> Result<Result<Vec<sqlite::Holder>, types::Error>> {
        let holders = told(self.sqlite_holders(&name))?;
        let holder = |holder: crate::Holder| sqlite::Holder {
            pid: holder.pid,
            program: holder.program,
            why: holder.why,
        };
        Ok(holders.map(|holders| holders.into_iter().map(holder).collect()))
    }

    fn query(
        &mut self,
        name: String,
        sql: String,
        limit: u32,
    ) -> Result<Result<String, types::Error>> {
        told(self.sqlite_query(&name, &sql, limit))
    }

    fn update(&mut self, name: String, sql: String) -> Result<Result<u64, types::Error>> {
        told(self.sqlite_update(&name, &sql))
    }
}

impl From<crate::Copied> for sqlite::Copied {
    fn from(copied: crate::Copied) -> Self {
        Self {
            pages: copied.pages,
            page_size: copied.page_size,
            checked: copied.checked,
        }
    }
}

impl service::Host for Gate {
    fn names(&mut self) -> Result<Result<Vec<String>, types::Error>> {
        told(self.service_names())
    }

    fn state_of(&mut self, name: String) -> Result<Result<service::State, types::Error>> {
        let state = told(self.service_state(&name))?;
        Ok(state.map(|state| match state {
            ServiceState::Running => service::State::Running,
            ServiceState::Paused => service::State::Paused,
            ServiceState::Stopped => service::State::Stopped,
            ServiceState::Missing => service::State::Missing,
        }))
    }

    fn pause(&mut self, name: String) -> Result<Result<Resource<Held>, types::Error>> {
        let held = told(self.service_hold(&name, HoldWish::Pause))?;
        Ok(held.map(Resource::new_own))
    }

    fn stop(
        &mut self,
        name: String,
        grace_ms: u32,
    ) -> Result<Result<Resource<Held>, types::Error>> {
        let grace = Duration::from_millis(grace_ms.into());
        let held = told(self.service_hold(&name, HoldWish::Stop { grace }))?;
        Ok(held.map(Resource::new_own))
    }
}

impl service::HostHold for Gate {
    fn release(&mut self, hold: Resource<Held>) -> Result<Result<(), types::Error>> {
        told(self.service_release(hold.rep()))
    }

    /// The host undoes it in its time.
    fn drop(&mut self, _: Resource<Held>) -> Result<()> {
        Ok(())
    }
}

impl command::Host for Gate {
    fn run(
        &mut self,
        name: String,
        arguments: Vec<command::Argument>,
    ) -> Result<Result<command::Finished, types::Error>> {
        let finished = told(self.command_run(&request(name, arguments)))?;
        Ok(finished.map(|finished| command::Finished {
            exit_code: finished.exit_code,
            stdout: finished.stdout,
            stderr: finished.stderr,
            truncated: finished.truncated,
        }))
    }

    fn capture(
        &mut self,
        name: String,
        arguments: Vec<command::Argument>,
        path: String,
    ) -> Result<Result<command::Captured, types::Error>> {
        let captured = told(self.command_capture(&request(name, arguments), &path))?;
        Ok(captured.map(|captured| command::Captured {
            bytes: captured.bytes.0,
            stderr: captured.stderr,
        }))
    }
}

fn request(name: String, arguments: Vec<command::Argument>) -> CommandRequest {
    let arguments = arguments.into_iter();
    CommandRequest {
        name,
        arguments: arguments.map(|one| (one.name, one.value)).collect(),
    }
}

impl state::Host for Gate {
    fn get(&mut self, key: String) -> Result<Result<Option<Vec<u8>>, types::Error>> {
        told(self.state_get(&key))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<Result<(), types::Error>> {
        told(self.state_set(&key, &value))
    }

    fn delete(&mut self, key: String) -> Result<Result<(), types::Error>> {
        told(self.state_delete(&key))
    }

    fn keys(&mut self) -> Result<Result<Vec<String>, types::Error>> {
        told(self.state_keys())
    }
}

impl secrets::Host for Gate {
    fn bind_header(
        &mut self,
        name: String,
        origin: String,
        header: String,
        prefix: String,
    ) -> Result<Result<(), types::Error>> {
        told(Gate::bind_header(self, &name, &origin, &header, &prefix))
    }

    fn bind_path(&mut self, name: String, origin: String) -> Result<Result<(), types::Error>> {
        told(Gate::bind_path(self, &name, &origin))
    }

    fn reveal(&mut self, name: String) -> Result<Result<Vec<u8>, types::Error>> {
        told(Gate::reveal(self, &name))
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
