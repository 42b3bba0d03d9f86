//! The table of `docs/faults.md`: a row a trial, in the file that `COPAL_FAULTS_TABLE` names.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

/// What came of a trial that was made many times.
#[derive(Debug)]
pub(crate) struct Trials {
    what: &'static str,
    count: u32,
    worst: Duration,
    failures: Vec<String>,
}

impl Trials {
    pub(crate) fn of(what: &'static str) -> Self {
        Self {
            what,
            count: 0,
            worst: Duration::ZERO,
            failures: Vec::new(),
        }
    }

    /// One more: what it took, or why it failed. `when` says which it was.
    pub(crate) fn took(&mut self, when: &str, outcome: Result<Duration, String>) {
        self.count += 1;
        match outcome {
            Ok(took) => self.worst = self.worst.max(took),
            Err(why) => self.failures.push(format!("{when}: {why}")),
        }
    }

    /// Writes the row, and fails if one of them failed.
    #[track_caller]
    pub(crate) fn end(self, figure: &str) {
        let worst = self.worst.as_secs_f64();
        let figure = figure.replace("{}", &format!("{worst:.2} s"));
        let held = usize::try_from(self.count).unwrap() - self.failures.len();
        row(self.what, held, self.count, &figure);
        assert!(
            self.failures.is_empty(),
            "{} of {}: {}\n{}",
            self.failures.len(),
            self.count,
            self.what,
            self.failures.join("\n\n")
        );
    }
}

/// Writes a row.
pub(crate) fn row(what: &str, held: usize, count: u32, figure: &str) {
    let line = format!("| {what} | {held} of {count} | {figure} |\n");
    print(&line);
    let Some(path) = std::env::var_os("COPAL_FAULTS_TABLE") else {
        return;
    };
    let table = OpenOptions::new().append(true).create(true).open(path);
    table.unwrap().write_all(line.as_bytes()).unwrap();
}

#[expect(
    clippy::print_stdout,
    reason = "shown for a failed test, and with --nocapture"
)]
fn print(line: &str) {
    print!("{line}");
}
