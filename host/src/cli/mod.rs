//! The command line: what can be said, and which file answers it.

mod backup;
mod check;
mod conclude;
mod diff;
#[cfg(test)]
mod documented_tests;
mod drill;
mod du;
mod ending;
mod examples;
mod generated;
mod guard;
mod history;
mod hook;
mod init;
mod kept;
mod length;
mod licenses;
mod ls;
mod metrics;
mod open;
mod pin;
mod plan;
mod prune;
mod rcd;
mod rcd_call;
mod rclone;
mod recover;
mod report;
mod restore;
mod schedule;
mod snapshots;
mod status;
mod verify;
mod world;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches as _, Parser, Subcommand};

use copal_core::config::LogFormat;

use crate::error::CopalError;
use crate::show::log::Wanted;
use crate::show::{Output, message};
use ending::{Exit, ending};

/// Consistent snapshots of self-hosted apps, shipped by rclone, with sandboxed hooks.
#[derive(Debug, Parser)]
#[command(name = "copal", version = version(), max_term_width = 100, propagate_version = false)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Global {
    /// Configuration file [default: ./copal.toml, ~/.config/copal/copal.toml, /etc/copal/copal.toml]
    #[arg(short, long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// No progress, and no notes: errors and the result only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// How the log on stderr is written, and messages with it: `text`, or `json` with an object a line
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", hide_default_value = true,
          value_parser = log_format)]
    log_format: LogFormat,
    /// Whether it came to `rcd`, where an end other than 0 and 3 has no result.
    #[arg(skip)]
    is_call: bool,
}

/// Reads what follows `--log-format`.
fn log_format(text: &str) -> Result<LogFormat, String> {
    let mut known = LogFormat::ALL.into_iter();
    let known = known.find(|format| format.name() == text);
    known.ok_or_else(|| "the formats are `text` and `json`".to_owned())
}

impl Global {
    fn output(&self) -> Output {
        Output {
            json: self.json,
            quiet: self.quiet,
        }
    }

    /// How what was found ends that is a result also where not all is well.
    fn found(&self, exit: Exit) -> Exit {
        match exit {
            Exit::Failed | Exit::Usage | Exit::NotResumed if self.is_call => Exit::FellShort,
            exit => exit,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a configuration to begin with, after a look around
    Init(init::InitArgs),
    /// Tell whether a backup would succeed, and what to mend: configuration, hooks, source, destinations, room
    Check(check::CheckArgs),
    /// Show what a backup would do, without doing it and without the remote
    Plan(plan::PlanArgs),
    /// Take a snapshot and seal it at every destination
    Backup(backup::BackupArgs),
    /// List the sealed snapshots
    Snapshots(snapshots::SnapshotsArgs),
    /// Remove the snapshots that no rule of `[retention]` keeps
    Prune(prune::PruneArgs),
    /// Have a snapshot stay, whatever the rules say
    Pin(pin::PinArgs),
    /// Leave a pinned snapshot to the rules again
    Unpin(pin::UnpinArgs),
    /// List what is in a snapshot
    Ls(ls::LsArgs),
    /// Tell what differs between two snapshots
    Diff(diff::DiffArgs),
    /// Tell what snapshots take, and what is freed when one is removed
    Du(du::DuArgs),
    /// Check that a snapshot is what was sealed
    Verify(verify::VerifyArgs),
    /// Restore a snapshot into a scratch directory, try whether it works, and throw it away
    Drill(drill::DrillArgs),
    /// Put a snapshot back, into an empty directory or in the place of the source
    Restore(restore::RestoreArgs),
    /// List the runs there were, or tell what one of them did
    History(history::HistoryArgs),
    /// Tell how old the last good backup of each destination is; exit code 1 if one is too old
    Status(status::StatusArgs),
    /// Print what is known of the job's backups as metrics, for Prometheus
    Metrics(metrics::MetricsArgs),
    /// Write a page about the job: its state, its runs, and the last failure
    Report(report::ReportArgs),
    /// Have the job started by itself, by cron or systemd
    Schedule(schedule::ScheduleArgs),
    /// Release the services that a killed run left held
    Recover,
    /// Make, try, grant and measure hooks
    Hook(hook::HookArgs),
    /// Call a method of rclone's remote control, for the curious
    Rclone(rclone::RcloneArgs),
    /// Serve rclone's remote control over HTTP, with Copal's commands as methods
    Rcd(rcd::RcdArgs),
    /// Print what has a shell complete Copal's commands and options
    Completions(generated::CompletionsArgs),
    /// Write a manual page for each command
    Man(generated::ManArgs),
    /// Print the licences of Copal and of what it contains
    Licenses(licenses::LicensesArgs),
    /// One call that came to `rcd`
    #[command(hide = true)]
    RcdCall(rcd_call::RcdCallArgs),
    /// The process that rclone runs in
    #[command(hide = true)]
    Worker,
    /// The process that releases what a killed run held
    #[command(hide = true)]
    Guard(guard::GuardArgs),
}

impl Command {
    /// Whether what it does belongs into the log of its job.
    fn keeps_a_log(&self) -> bool {
        match self {
            Self::Backup(args) => args.is_real(),
            Self::Prune(_) | Self::Verify(_) | Self::Drill(_) | Self::Restore(_) => true,
            _ => false,
        }
    }
}

/// `0.1.0 (rclone v1.76.0)`, and of a release `0.1.0 (commit 0123456ab, rclone v1.76.0)`: all is fixed when the program
/// is built.
fn version() -> &'static str {
    static VERSION: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    VERSION.get_or_init(|| {
        let commit = option_env!("COPAL_COMMIT").map(|commit| format!("commit {commit}, "));
        format!(
            "{} ({}rclone {})",
            env!("CARGO_PKG_VERSION"),
            commit.unwrap_or_default(),
            copal_rclone::RCLONE_VERSION
        )
    })
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let parsed = match Cli::read(std::env::args_os()) {
        Ok(Cli {
            command: Command::RcdCall(call),
            global,
        }) => {
            let refused = |error| clap::Error::raw(ErrorKind::InvalidValue, format!("{error}\n"));
            let words = call.words().map_err(refused);
            words.and_then(|words| Cli::of_call(global, words))
        }
        parsed => parsed,
    };
    match parsed {
        Ok(cli) => start(&cli),
        Err(error) => {
            // clap's own: help and version go to stdout and are no failure.
            let printed = error.print();
            if error.use_stderr() || printed.is_err() {
                Exit::Usage
            } else {
                Exit::Done
            }
            .into()
        }
    }
}

impl Cli {
    /// The whole command line, with examples in its help.
    fn whole() -> clap::Command {
        examples::shown(Self::command())
    }

    /// Reads the words of a command line, of which the first is the program.
    fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut whole = Self::whole();
        let matches = whole.try_get_matches_from_mut(words)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut whole))
    }

    /// What a call asks for, under the options that the server was given.
    fn of_call(global: Global, words: Vec<String>) -> Result<Self, clap::Error> {
        let words = std::iter::once("copal".to_owned()).chain(words);
        let cli = Self::try_parse_from(words)?;
        let global = Global {
            is_call: true,
            ..global
        };
        Ok(Self { global, ..cli })
    }
}

fn start(cli: &Cli) -> ExitCode {
    if matches!(cli.command, Command::Worker) {
        return copal_rclone::serve_worker();
    }
    if let Command::Guard(args) = &cli.command {
        return guard::run(args);
    }
    crate::show::advice::start(cli.global.config.as_deref());
    crate::hook_engine::tell_by(crate::show::compiling::listener);
    let on_a_bench = matches!(&cli.command, Command::Hook(args) if args.is_a_test());
    let unattended = matches!(&cli.command, Command::Backup(args) if args.is_unattended());
    let quiet = cli.global.quiet || unattended;
    crate::show::log::start(Wanted {
        verbose: cli.global.verbose,
        quiet,
        on_a_bench,
        format: cli.global.log_format,
        is_kept: cli.command.keeps_a_log(),
    });
    let left = match cli.command {
        Command::Recover => None,
        _ => recover::in_passing(&cli.global),
    };
    let exit = match run(cli) {
        Ok(exit) => exit,
        Err(error) => {
            let ending = ending(&error);
            message::error(&error, &ending.next);
            ending.exit
        }
    };
    left.unwrap_or(exit).into()
}

fn run(cli: &Cli) -> Result<Exit, CopalError> {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => init::run(args, global),
        Command::Check(args) => check::run(args, global),
        Command::Plan(args) => plan::run(args, global),
        Command::Backup(args) => backup::run(args, global),
        Command::Snapshots(args) => snapshots::run(args, global),
        Command::Prune(args) => prune::run(args, global),
        Command::Pin(args) => pin::pin(args, global),
        Command::Unpin(args) => pin::unpin(args, global),
        Command::Ls(args) => ls::run(args, global),
        Command::Diff(args) => diff::run(args, global),
        Command::Du(args) => du::run(args, global),
        Command::Verify(args) => verify::run(args, global),
        Command::Drill(args) => drill::run(args, global),
        Command::Restore(args) => restore::run(args, global),
        Command::History(args) => history::run(args, global),
        Command::Status(args) => status::run(args, global),
        Command::Metrics(args) => metrics::run(args, global),
        Command::Report(args) => report::run(args, global),
        Command::Schedule(args) => schedule::run(args, global),
        Command::Hook(args) => hook::run(args, global),
        Command::Rclone(args) => rclone::run(args, global),
        Command::Rcd(args) => rcd::run(args, global),
        Command::Recover => recover::run(global),
        Command::Completions(args) => generated::completions(args, &mut Cli::command()),
        Command::Man(args) => generated::man(args, Cli::whole(), global),
        Command::Licenses(args) => licenses::run(args, global),
        Command::Worker | Command::Guard(_) | Command::RcdCall(_) => {
            unreachable!("these were started before this")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::whole().debug_assert();
    }
}
