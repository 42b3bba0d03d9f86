//! `copal hook test`

use std::path::{Path, PathBuf};

use clap::Args;

use super::component::{ComponentFile, read_text};
use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::edge::whole;
use crate::error::CopalError;
use crate::hook_engine::engine;
use crate::hook_error::HookCommandError;
use crate::hook_test::{HookTestError, Spec, Subject, Tried, probe, run as run_cases, update};
use crate::show;

/// Looked for beside the component.
const CASES: &str = "hook-test.toml";

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The component
    file: PathBuf,
    /// The cases [default: hook-test.toml beside the component; without one, each phase is tried once]
    #[arg(long, value_name = "FILE.toml")]
    spec: Option<PathBuf>,
    /// Write what happens into the cases, in place of what was expected
    #[arg(long)]
    update: bool,
}

pub(super) fn run(args: &TestArgs, global: &Global) -> Result<Exit, CopalError> {
    let component = ComponentFile::read(&args.file)?;
    let engine = engine().map_err(HookCommandError::Engine)?;
    let subject = Subject {
        engine: &engine,
        name: &component.name(),
        component: &component.bytes,
        inspection: &component.inspection,
    };
    let Some(path) = cases(args) else {
        let tried = probe(&subject).map_err(HookCommandError::Test)?;
        show::hook_test::probed(&tried, global.output())?;
        return Ok(Exit::Done);
    };
    let text = read_text(&path)?;
    let spec: Spec = toml::from_str(&text)
        .map_err(|source| HookTestError::Spec {
            path: path.clone(),
            source,
        })
        .map_err(HookCommandError::Test)?;
    let tried = run_cases(&subject, spec).map_err(HookCommandError::Test)?;
    if args.update {
        let rewritten = write(&path, &text, &tried).map_err(HookCommandError::Test)?;
        show::hook_test::updated(&path, tried.len(), rewritten, global.output())?;
        return Ok(Exit::Done);
    }
    show::hook_test::tried(&tried, global.verbose > 0, global.output())?;
    let failed = tried
        .iter()
        .filter(|one| !one.differences.is_empty())
        .count();
    if failed > 0 {
        let failed = HookTestError::Failed {
            failed,
            cases: tried.len(),
            file: args.file.clone(),
            spec: args.spec.clone(),
        };
        return Err(HookCommandError::Test(failed).into());
    }
    Ok(Exit::Done)
}

fn cases(args: &TestArgs) -> Option<PathBuf> {
    if args.spec.is_some() {
        return args.spec.clone();
    }
    let beside = args.file.parent().unwrap_or(Path::new("")).join(CASES);
    beside.exists().then_some(beside)
}

/// How many cases were written anew.
fn write(path: &Path, text: &str, tried: &[Tried]) -> Result<usize, HookTestError> {
    let (updated, rewritten) =
        update(text, tried).map_err(|source| HookTestError::NotUpdatable {
            path: path.to_owned(),
            source,
        })?;
    if updated == text {
        return Ok(rewritten);
    }
    let written = whole::rewrite(path, updated.as_bytes());
    written.map_err(|source| HookTestError::NotUpdated {
        path: path.to_owned(),
        source,
    })?;
    Ok(rewritten)
}
