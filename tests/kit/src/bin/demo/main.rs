//! The main job on real input: an Open WebUI is backed up while people use it, and what comes back
//! is compared with what the app had promised to keep.
//!
//! `KEEP=1` leaves everything in place afterwards.

#![forbid(unsafe_code)]

mod stage;
mod story;

use std::env;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use tempfile::TempDir;

use stage::Stage;
use story::Ending;

fn main() -> ExitCode {
    let stage = Stage::new();
    match perform(&stage) {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::FellShort) => ExitCode::FAILURE,
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn perform(stage: &Stage) -> anyhow::Result<Ending> {
    let binary = find_copal()?;
    let mut place = tempfile::Builder::new()
        .prefix("copal-demo-")
        .tempdir()
        .context("could not make a directory to work in")?;
    let ending = story::tell(stage, place.path(), &binary);
    if env::var_os("KEEP").is_some_and(|keep| !keep.is_empty()) {
        place.disable_cleanup(true);
        stage.kept(place.path(), &binary)?;
    } else {
        remove(place)?;
        stage.removed()?;
    }
    ending
}

/// `$COPAL`, or the binary built beside this one.
fn find_copal() -> anyhow::Result<PathBuf> {
    if let Some(binary) = env::var_os("COPAL") {
        return Ok(std::path::absolute(binary)?);
    }
    let binary = env::current_exe()?.with_file_name("copal");
    anyhow::ensure!(
        binary.exists(),
        "there is no {}: run `make demo`, or `cargo build` first",
        binary.display()
    );
    Ok(binary)
}

fn remove(place: TempDir) -> anyhow::Result<()> {
    let path = place.path().to_owned();
    place
        .close()
        .with_context(|| format!("could not clean up {}", path.display()))
}

#[expect(
    clippy::print_stderr,
    reason = "the top of a program, with no other place to say it"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("demo: {error:#}");
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
