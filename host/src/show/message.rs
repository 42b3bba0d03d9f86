//! Messages in three parts: what failed, why, what to do next.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::edge::log::{self, TOLD};
use crate::error::CopalError;
use crate::hooks::HooksError;
use crate::outcome::LeftBehind;

/// Writes an error to stderr.
pub fn error(error: &CopalError, next: &str) {
    let line = error.in_one_line();
    tracing::error!(target: TOLD, next, "{line}");
    if super::log::is_json() {
        return;
    }
    let text = render(error, next);
    // Where not even stderr can be written, the exit code is all that is left.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Tells what a hook warned of, where its own line was not shown. The log has that.
pub fn warning(hook: &str, warning: &str) {
    if super::log::is_json() || !super::log::shows_warnings_alone() {
        return;
    }
    let mut text = String::new();
    write_part(&mut text, "warning: ", &format!("hook `{hook}`: {warning}"));
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Tells something that is no failure.
pub fn note(text: &str) {
    tracing::info!(target: TOLD, "{text}");
    if super::log::is_json() {
        return;
    }
    drop(std::io::stderr().write_all(format!("note: {text}\n").as_bytes()));
}

/// Tells the last lines of the log, and where it is: whoever reads this may have nothing else.
pub fn last_lines() {
    let lines = log::last_lines();
    if lines.is_empty() || super::log::is_json() {
        return;
    }
    let file = log::file();
    let file = file.map_or_else(String::new, |file| format!(" `{}`", file.display()));
    let text = format!(
        "the last lines of the log{file}:\n  {}\n",
        lines.join("\n  ")
    );
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Tells that files of an attempt that was not sealed are still at the destination.
pub fn left_behind(destination: &str, left: &LeftBehind) {
    let LeftBehind { dir, error } = left;
    tracing::warn!(target: TOLD, "unsealed files were left in `{dir}` at {destination}: {error}");
    if super::log::is_json() {
        return;
    }
    drop(std::io::stderr().write_all(told_of_left(destination, left).as_bytes()));
}

/// With a command for the attempt's own directory: beside it are snapshots.
fn told_of_left(destination: &str, LeftBehind { dir, error }: &LeftBehind) -> String {
    let mut text = String::new();
    let what = format!("unsealed files were left in `{dir}` at {destination}");
    write_part(&mut text, "note: ", &what);
    write_part(&mut text, "  why: ", &error.to_string());
    let parameters = serde_json::json!({ "fs": destination, "remote": dir });
    let next = format!(
        "they are no snapshot, and harm none; remove them when you like: `copal rclone operations/purge '{parameters}'`"
    );
    write_part(&mut text, " next: ", &next);
    text
}

/// The three parts.
pub fn render(error: &CopalError, next: &str) -> String {
    use copal_core::diagnostic::{Diagnostic, Style};
    let mut text = String::new();
    match error {
        // These bring their three parts, with the place in the file.
        CopalError::Config(invalid) => {
            let mut problems = invalid.problems.clone();
            for problem in &mut problems {
                problem.next = super::advice::here(&problem.next);
            }
            text.push_str(&Diagnostic::render_all(&problems, Style::Plain));
            return ensure_newline(text);
        }
        CopalError::RcloneOptions(problems) => {
            text.push_str(&Diagnostic::render_all(problems, Style::Plain));
            return ensure_newline(text);
        }
        _ => {}
    }
    let what = match error {
        // Copal's own words alone: a hook's are told as they are.
        CopalError::Hooks(HooksError::Pin(_)) => super::advice::about_here(&error.to_string()),
        _ => error.to_string(),
    };
    write_part(&mut text, "error: ", &what);
    for cause in error.in_full() {
        write_part(&mut text, "  why: ", &cause);
    }
    let words = error.last_words();
    if !words.is_empty() {
        write_part(&mut text, "  log: ", &words.join("\n"));
    }
    // Function names help its author alone: for whoever asks for more.
    let backtrace = error.backtrace();
    if !backtrace.is_empty() && super::log::shows(tracing::Level::INFO) {
        write_part(&mut text, "   in: ", &backtrace.join("\n"));
    }
    if !next.is_empty() {
        write_part(&mut text, " next: ", next);
    }
    text
}

fn write_part(text: &mut String, label: &str, part: &str) {
    let mut lines = part.trim_end().lines();
    writeln!(text, "{label}{}", lines.next().unwrap_or_default())
        .expect("a String takes every write");
    for line in lines {
        writeln!(text, "       {line}").expect("a String takes every write");
    }
}

fn ensure_newline(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::interrupt::{Interrupted, Signal};
    use crate::edge::remote::RemoteError;

    #[test]
    fn what_is_to_be_removed_is_the_attempt_and_not_its_destination() {
        let left = LeftBehind {
            dir: "app/2026-11-27T141752Z".to_owned(),
            error: RemoteError::from(Interrupted(Signal::Interrupt)),
        };
        let told = told_of_left("b2:backups", &left);
        assert!(
            told.contains(r#"`copal rclone operations/purge '{"fs":"b2:backups","remote":"app/2026-11-27T141752Z"}'`"#),
            "{told}"
        );
    }
}
