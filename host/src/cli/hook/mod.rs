//! `copal hook …`: making, trying, granting and measuring hooks.

mod bench;
mod component;
mod edit;
mod ending;
mod grant;
mod inspect;
mod list;
mod new;
mod pack;
mod revoke;
mod test;

use clap::{Args, Subcommand};

use super::Global;
use super::ending::Exit;
use crate::error::CopalError;

pub(super) use ending::ending;

#[derive(Debug, Args)]
pub(super) struct HookArgs {
    #[command(subcommand)]
    command: HookCommand,
}

impl HookArgs {
    /// Whether a hook is to be tried on a bench.
    pub(super) fn is_a_test(&self) -> bool {
        matches!(self.command, HookCommand::Test(_))
    }
}

#[derive(Debug, Subcommand)]
enum HookCommand {
    /// Write a project for a hook of your own, with a test
    New(new::NewArgs),
    /// Show what a component takes part in, imports and requests, without running it
    Inspect(inspect::InspectArgs),
    /// Show which hooks a configuration has, and what is in force for each
    List,
    /// Pin a hook to its file as it is now, and grant it more; shows first what would be in force
    Grant(grant::GrantArgs),
    /// Take grants away from a hook, or all it has
    Revoke(revoke::RevokeArgs),
    /// Put requests into a component, and make one of a core module
    Pack(pack::PackArgs),
    /// Run a hook against fake capabilities, and compare what it does with what is expected
    Test(test::TestArgs),
    /// Measure how fast a hook loads, starts and filters
    Bench(bench::BenchArgs),
}

pub(super) fn run(args: &HookArgs, global: &Global) -> Result<Exit, CopalError> {
    match &args.command {
        HookCommand::New(args) => new::run(args, global),
        HookCommand::Inspect(args) => inspect::run(args, global),
        HookCommand::List => list::run(global),
        HookCommand::Grant(args) => grant::run(args, global),
        HookCommand::Revoke(args) => revoke::run(args, global),
        HookCommand::Pack(args) => pack::run(args, global),
        HookCommand::Test(args) => test::run(args, global),
        HookCommand::Bench(args) => bench::run(args, global),
    }
}
